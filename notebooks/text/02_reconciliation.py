# ---
# jupyter:
#   finops:
#     scope:
#     - organisation
#   jupytext:
#     formats: notebooks///ipynb,notebooks/text///py:percent
#     notebook_metadata_filter: finops
#     text_representation:
#       extension: .py
#       format_name: percent
#       format_version: '1.3'
#       jupytext_version: 1.19.6
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Reconciliation
#
# - **Question.** Does the ledger meet the invoices, and what explains the gap?
# - **Reads.** The ledger, the bills of the providers, the calls by the invoices' clock (UTC).
# - **Writes.** This page's results and the data behind its tables; the ledger and the bills stay as they are.
# - **Decides.** Whether the month may be closed.

# %% tags=["parameters"]
assistant: str = "organisation"  # reads parameters/<assistant>.yaml
period: str = "latest"  # a month, YYYY-MM, or latest
settings: dict = {}  # what-if values, as under settings of the assistant's file

# %%
from finops_lib import inform, ingest, load_params, report

report.use_style()
params = load_params(assistant, period, settings)
ledger = ingest.open_ledger(load_params("organisation", period))
charges, details = ingest.load_charges(params), ingest.load_invoice_details(params)
billing, rules = ingest.billing_usage(params), params.organisation.reconciliation
out = report.Sidecar(params, "02_reconciliation", period=ledger.period, inputs=ledger.files)

# %% [markdown]
# ## Does it tie?
#
# Invoices are the organisation's, so this page is about all assistants together.

# %%
scope = {"settings": rules, "billing": billing}
found = inform.reconcile(ledger.costs, charges, month=ledger.period, invoice_details=details, **scope)
report.reconciliation_text(found.summary, found.residuals, found.shadow_use, found.checks, period=ledger.period)

# %% [markdown]
# ## Estimate against invoice
#
# Three ways: the log at list prices, the log at our prices, the invoice. *Unexplained* is what no cause was found for.

# %%
summary = out.table("summary", found.summary)
judged = ["variance", "variance_share", "unexplained", "unexplained_share", "tolerance"]
shown = ["provider", "state", "at_list_prices", "estimate", "invoice", *judged]
source = "Calls by UTC month, price list and overrides, bills"
money = ["at_list_prices", "estimate", "invoice", "variance", "unexplained"]
report.Table(summary, "Estimate against invoice, by provider", columns=shown, source=source, totals=money)

# %%
report.plot_variance_bridge(inform.variance_bridge(found.summary, found.residuals), period=ledger.period)

# %%
controls = {"provider": ["all", *found.summary["provider"]]}
frames = (found.summary, found.residuals)
report.explore(inform.variance_bridge, report.plot_variance_bridge, controls, frames=frames)

# %% [markdown]
# ## What explains the gap
#
# Each cause with its money and how it was told; together they are the variance, to the last digit.

# %%
causes = out.table("residuals", found.residuals)
shown = ["provider", "residual_class", "model", "account", "amount", "how_told"]
source = "Bill lines against the ledger's quantities and contracted prices"
empty = "There is no difference, or no bill to differ from."
report.Table(causes, "Causes of the variance", columns=shown, source=source, empty=empty, totals=["amount"])

# %% [markdown]
# ## Line by line
#
# Models and token classes that differ most. Volume: tokens one side lacks; price: the same tokens at another price;
# bill: what the bill itself adds or takes off.

# %%
differing = out.table("differing_lines", inform.largest_differences(found.lines))
source = "Bills and ledger at the grain both know; all lines in the data of this page"
report.Table(differing, "Lines that differ", source=source, empty="Every line compared is the same on both sides.")

# %% [markdown]
# ## Spend that no log explains
#
# Models, accounts and AI services on bills that nobody logs: shadow use until somebody names it.

# %%
lines = ["invoice_issuer_name", "charge_description", "sub_account_id", "billed_cost", "invoice_id"]
unlogged = out.table("shadow_use", found.shadow_use[lines])
empty = "Every AI line of the bills has a log or an owner."
report.Table(unlogged, "Billed, and in no log", source="Bills", empty=empty, totals=["billed_cost"])

# %% [markdown]
# ## From ledger to invoice
#
# Allocation splits the ledger's month in the reporting time zone; these rows make it equal to what finance pays. Where
# a provider sends several invoices, the charges of record also hold lines `between-…`: they move cost from one of its
# invoices to another, for the log does not say which of them a call is on, and are nil together.

# %%
true_ups = out.table("true_ups", found.true_ups)
shown = ["true_up_id", "provider", "residual_class", "model", "billed_cost", "how_told"]
source = "Ledger of the month + true-ups = invoices, exactly"
empty = "None: the ledger is what is billed."
report.Table(true_ups, "True-ups", columns=shown, source=source, empty=empty, totals=["billed_cost"])

# %% [markdown]
# ## Bills against invoice details
#
# Where invoices came with their details (FOCUS 1.4), each must be the sum of its bill lines, tax apart.

# %%
report.Table(
    out.table("invoice_details", found.invoices),
    "Invoices and their lines",
    source="Invoice details and bills",
    empty="No invoice details were given: the bills themselves are taken for what is paid.",
)

# %% [markdown]
# ## Month by month
#
# A month is closed once its invoices are in and explained; a closed month keeps its prices and its true-ups.

# %%
months = out.table("months", inform.reconcile_months(ledger.costs, charges, **scope))
report.plot_reconciled_months(months)

# %%
closed = out.table("closed_months", ingest.closed_months(params))
empty = "No month is closed: finops close --period YYYY-MM closes one."
report.Table(closed, "Closed months", source="Record of the workspace", empty=empty)

# %% [markdown]
# ## Decision

# %%
checks, month = found.checks, report.month_name(ledger.period or "this month")
report.decision_table(checks, f"May {month} be closed as reconciled?", "This page")

# %%
out.glue("invoiced", found.total("invoice"), "USD")
out.glue("variance", found.total("variance"), "USD")
out.glue("unexplained", found.total("unexplained"), "USD")
out.glue("not_logged", found.shadow_use["billed_cost"].sum(), "USD")
out.glue_checks(checks)
written = out.write()
