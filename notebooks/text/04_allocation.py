# ---
# jupyter:
#   jupytext:
#     formats: notebooks///ipynb,notebooks/text///py:percent
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
# # Allocation
#
# - **Question.** Who pays what, and why?
# - **Reads.** The ledger, the bills, the rules of the organisation, volumes and capacity.
# - **Writes.** This page's results and the data behind its tables: the statement.
# - **Decides.** Whether the amounts can be shown to those who carry them.

# %% tags=["parameters"]
assistant: str = "organisation"  # reads parameters/<assistant>.yaml
period: str = "latest"  # a month, YYYY-MM, or latest
settings: dict = {}  # what-if values, as under settings of the assistant's file

# %%
from finops_lib import inform, ingest, load_params, report

report.use_style()
params, whole = load_params(assistant, period, settings), load_params("organisation", period)
ledger, page = ingest.open_ledger(whole), inform.allocation_page(params)
costs, usage, rules = ledger.month(ledger.costs), ledger.month(ledger.usage), whole.organisation.allocation
out = report.Sidecar(params, "04_allocation", period=ledger.period, inputs=ledger.files)

# %% [markdown]
# ## The month in a few sentences
#
# Every charge of the month is split by the first rule that matches it, and its parts sum to it to the last digit.

# %%
bills, scope = ingest.load_charges(whole), {"settings": whole.organisation.reconciliation}
billing = ingest.billing_usage(whole, sorted({ledger.period} - {""}))
charges = inform.reconciled_charges(ledger.costs, bills, month=ledger.period, billing=billing, **scope)

# %%
users = ingest.distinct_users(ledger, [page.receiver_type])
given = {"volumes": ingest.load_table(whole, "volumes"), "capacity": ingest.load_table(whole, "capacity")}
drivers = inform.allocation_drivers(costs, usage, receiver=page.receiver_type, users=users, **given)
names = {"receivers": page.receivers, "receiver": page.receiver_type}
split = inform.allocate(charges, rules, drivers, **names)
summary = inform.allocation_summary(split, charges, page, ledger.period)
report.allocation_text(summary)

# %% [markdown]
# ## From the bills to those who carry them
#
# Direct cost has one receiver; proportional cost follows use; overhead follows an agreement. What reaches nobody stays
# in sight.

# %%
waterfall = out.table("waterfall", inform.allocation_waterfall(split))
report.plot_allocation_waterfall(waterfall, period=ledger.period, receiver=page.receiver_type)

# %%
carried = out.table("carried", inform.spend_by_receiver(split))
report.plot_receivers(carried, period=ledger.period)

# %% [markdown]
# ## The statement
#
# Each line is a part of a charge: the share says how much of it. On the page of a team or an assistant these are its
# own lines, else those of all together.

# %%
lines = out.table("statement", inform.statement(split, charges, page.receiver))
shown = ["service_name", "assistant", "model", "resource_name", "rule", "whole_cost", "ratio", "billed_cost"]
title, empty = f"{page.title}: the lines that cost most", "No cost of the month reaches this receiver."
source = "Bills and ledger of the month; all lines in the data of this page"
report.Table(lines, title, columns=shown, source=source, empty=empty, rows=20, totals=["billed_cost"])

# %% [markdown]
# ## Why: the rules
#
# The first rule that matches a charge decides; beside it, which later ones would have taken how many of its charges. A
# rule without charges may be outdated.

# %%
report.Table(
    out.table("rules", inform.rules_in_words(rules, split, charges)),
    "Rules in their order, and what each decided on",
    source="allocation in parameters/organisation.yaml",
    totals=["charges", "billed_cost"],
    empty="No rule is given: 'allocation' in parameters/organisation.yaml takes them, parameters/README.md says how.",
)

# %%
methods = out.table("methods", inform.allocation_methods())

# %% [markdown]
# ## One charge, down to its receivers
#
# The largest of the charges with most receivers.

# %%
trace = out.table("trace", inform.trace_charge(split, charges, rules))
report.plot_trace(trace)

# %%
shown = ["receiver", "billed_cost", "ratio", "driver", "driver_value", "method_id", "also_matched", "note"]
source, paid = "Allocation of the month", ["billed_cost"]
report.Table(trace, "The parts of this charge", columns=shown, source=source, empty="No charge.", totals=paid)

# %% [markdown]
# ## Who pays and who asked
#
# The account on the invoice is seldom the team that asked: cost follows the one that asked.

# %%
paid = out.table("payers_and_consumers", inform.payers_and_consumers(split, charges))
report.plot_spend_matrix(paid, period=ledger.period, cost="Billed cost")

# %% [markdown]
# ## What reaches nobody
#
# Each line says why. A tag on the call or the bill, or a rule, would place it.

# %%
nobody = out.table("unallocated", inform.unallocated_parts(split, charges))
none, sums = "Every cent reaches somebody.", ["charges", "billed_cost"]
report.Table(nobody, "Cost that reaches nobody", source="Bills and ledger", empty=none, totals=sums)

# %%
unmatched, none = out.table("charges_without_a_rule", split.unmatched_charges), "Every charge has a rule."
title, sums = "Charges that no rule matches", ["billed_cost"]
report.Table(unmatched, title, source="Bills", empty=none, rows=20, totals=sums)

# %% [markdown]
# ## What was used, without what stood idle
#
# On this second basis idle capacity is nobody's cost; it does not sum to the bills, and is for comparing only.

# %%
used = out.table("used", inform.spend_by_receiver(split, basis="used"))
title, sums = "Cost by receiver without idle capacity", ["direct", "proportional", "overhead", "billed_cost"]
report.Table(used, title, source="Bills and ledger", empty="No cost.", totals=sums)

# %% [markdown]
# ## Shown or charged?
#
# The environment's mode stands above the team's, and that above the assistant's; what names no team is shown only.

# %%
own = {page.receiver_type: page.receiver}
modes = inform.filter_scope(inform.showback_modes(costs, params.assistants), **own)
modes, source = out.table("modes", modes), "Ledger, and showback in parameters/"
title, sums = "Whose model calls are shown, whose are charged", ["contracted_cost"]
report.Table(modes, title, source=source, empty="No call of the month is in this scope.", rows=15, totals=sums)

# %% [markdown]
# ## Ready for chargeback?
#
# Showback first: charging takes attributed cost, stable volume, months that met their invoices and an owner.

# %%
closed = ingest.closed_months(whole)
met = closed.loc[closed["reconciled"].astype(bool), "month"]
past = {"reconciled": set(met), "as_of": ledger.as_of}
ready = inform.chargeback_readiness(ledger.costs, ledger.usage, params.assistants, **past)
ready = out.table("readiness", inform.filter_scope(ready, assistant=page.assistant))
report.Table(ready, "Readiness for chargeback", source="Ledger, parameters and closed months", empty="No assistant.")

# %% [markdown]
# ## Decision

# %%
limit = page.unallocated_limit(params.settings.coverage_target)
checks = inform.allocation_checks(split, charges, unallocated_limit=limit)
month = report.month_name(ledger.period or "this month")
report.decision_table(checks, f"{page.title}: can the amounts of {month} be shown?", "This page")

# %%
out.glue("billed_cost", summary["billed"], "USD")
out.glue("unallocated_cost", summary["unallocated"], "USD")
out.glue("own_cost", summary["own_cost"], "USD")
out.glue("charges", len(charges), "charges")
out.glue_checks(checks)
written = out.write()
