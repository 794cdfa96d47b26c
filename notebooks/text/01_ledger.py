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
# # Ledger
#
# - **Question.** What was read, what was set aside, and how far can the ledger be trusted?
# - **Reads.** The sources that `parameters/organisation.yaml` lists, and the workspace.
# - **Writes.** The ledger in the workspace, and this page's results.
# - **Decides.** Whether the month's figures may be used.

# %% tags=["parameters"]
assistant: str = "organisation"  # reads parameters/<assistant>.yaml
period: str = "latest"  # a month, YYYY-MM, or latest
settings: dict = {}  # what-if values, as under settings of the assistant's file

# %%
from finops_lib import inform, ingest, load_params, report
from finops_lib.checks import checklist

report.use_style()
params = load_params(assistant, period, settings)
ingest.build_ledger(params)
ledger = ingest.open_ledger(params)
costs, usage = ledger.month(ledger.costs), ledger.month(ledger.usage)
out = report.Sidecar(params, "01_ledger", period=ledger.period, inputs=ledger.files)

# %% [markdown]
# ## What the month comes to
#
# The total below is exact: whole tokens times decimal prices. What has no price or no owner is said beside it.

# %%
headline = inform.headline(ledger.costs, ledger.usage, ledger.period)
given, users = ingest.tables_read(params), int(ingest.distinct_users(ledger)["users"].sum())
missing = inform.what_is_missing(costs, usage, given, assistant=assistant, users=users)
report.headline_text(headline, missing)

# %% [markdown]
# ## What the data does not hold
#
# Each line names something the exports do not hold, what cannot be said without it, and what would add it.

# %%
title, empty = "What is missing, and what adds it", "Nothing is missing: every section has its data."
report.Table(out.table("missing", missing), title, source="Ledger and reading record", empty=empty)

# %% [markdown]
# ## What was read
#
# Every row read has one fate: it is a call, a bucket of calls, a duplicate, no call at all, or it could not be used.

# %%
reads = ingest.rows_read(params)
report.plot_rows_read(reads)

# %%
reads = out.table("rows_read", reads)
shown = ["source", "files", "read", "requests", "aggregated", "duplicates", "quarantined", "skipped", "list_cost"]
source = "Reading record; all assistants and months. Costs of sources that overlap do not add up"
report.Table(reads, "Rows read, by source", columns=shown, source=source)

# %%
title, source = "What else was given beside calls", "Reading record of the workspace"
report.Table(out.table("tables_read", given), title, source=source)

# %% [markdown]
# ## What was set aside
#
# Rows that could not be used keep their text and place in the workspace until they are mended or given up.

# %%
aside = ingest.rows_set_aside(params)
refused = aside[aside["fate"] == "quarantined"].groupby("reason", as_index=False)["rows"].sum()
report.plot_quarantine(refused)

# %%
title, empty = "Rows that are not in the ledger, and why", "Every row read is in the ledger."
source = "Reading record of the workspace; all assistants"
report.Table(out.table("rows_set_aside", aside), title, source=source, empty=empty)

# %%
quarantined = ingest.quarantined_rows(params)
report.Table(quarantined, "Where the unusable rows stand", source="Quarantine of the workspace")

# %% [markdown]
# ## Which source feeds the ledger
#
# Gateway logs, traces and provider reports overlap. One of them feeds the ledger for each provider account and day;
# the others only reconcile and are never added. A gap in a log is filled by the provider's report where there is one.

# %%
report.plot_capture_days(ingest.captured_days(params))

# %%
twice = out.table("covered_twice", ingest.covered_twice(params))
title, empty = "Seen by a second source and not added", "No usage was seen by two sources."
report.Table(twice, title, source="Coverage record of the workspace", empty=empty)

# %% [markdown]
# ## Who is named
#
# Spend that names its workflow, team and cost center can be explained; the rest stays visible as unattributed.

# %%
coverage = out.table("attribution_coverage", inform.attribution_coverage(costs))
report.plot_coverage(coverage, target=params.settings.coverage_target)

# %% [markdown]
# ## Token classes
#
# Cached, reasoning and audio tokens have prices of their own. Sources disagree on whether they are inside input and
# output: added up as received they would be counted twice.

# %%
classes = out.table("token_classes", inform.token_classes(costs))
report.plot_token_classes(classes, period=ledger.period)

# %%
bases = ingest.usage_bases(params)
title = "How each source counts, and what adding up as received would give"
source = "Requests of the workspace; all assistants and months"
report.Table(bases, title, source=source, empty="No call was read yet.")

# %% [markdown]
# ## Prices
#
# A model without a price has no cost, not a cost of zero. What the sources reported themselves is shown beside ours.

# %%
unpriced = out.table("unpriced_models", ingest.unpriced_models(ledger))
empty = "Every model of the month has a price."
report.Table(unpriced, "Models without a price", source="Ledger and price list", empty=empty)

# %%
reported = out.table("reported_cost", ingest.reported_against_ours(ledger))
title, empty = "Cost as the sources reported it, against list prices", "No source of the month reports a cost."
report.Table(reported, title, source="Ledger", empty=empty)

# %% [markdown]
# ## Decision

# %%
limits = params.settings.model_dump(include={"coverage_target", "unpriced_limit", "ambiguous_limit"})
read_whole = [ingest.reading_checks(ledger), ingest.bill_checks(params)]
checks = checklist([*read_whole, inform.profile_checks(costs, usage, **limits)])
month = report.month_name(ledger.period or "this month")
report.decision_table(checks, f"Can the figures of {month} be used?", "This page")

# %%
out.glue("month_cost", headline["cost"], "USD")
out.glue("month_cost_change", headline["cost_change"], "share")
out.glue("rows_read", int(reads["read"].sum()), "rows")
out.glue("rows_quarantined", int(reads["quarantined"].sum()), "rows")
out.glue_checks(checks)
written = out.write()
