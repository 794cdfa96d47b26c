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
# # Monthly review
#
# - **Question.** What is to be decided this month, and what did the last decisions bring?
# - **Reads.** The ledger, bills, outcomes, seats, capacity; budgets, routing policies, targets, decisions on record.
# - **Writes.** This page's results and the data behind its tables.
# - **Decides.** Budgets, routing, retirements, workflows, exceptions; and which assistants to scale.

# %% tags=["parameters"]
assistant: str = "organisation"  # reads parameters/<assistant>.yaml
period: str = "latest"  # a month, YYYY-MM, or latest
settings: dict = {}  # what-if values, as under settings of the assistant's file

# %%
from finops_lib import inform, ingest, load_params, operate, report
from finops_lib.checks import checklist

report.use_style()
params = load_params(assistant, period, settings)
ledger = ingest.open_ledger(params)
inform.adopt_model(ingest.made_once(params, "forecast_model", inform.fit_panel))
out = report.Sidecar(params, "09_monthly_review", period=ledger.period, inputs=ledger.files)

# %% [markdown]
# ## What to decide this month
#
# The five outputs of a review: budgets, routing, retirements, workflows, exceptions; the most money first.

# %%
review = operate.review_month(params, ledger)
both, costs = (ledger.costs, ledger.usage), ledger.month(ledger.costs)
report.review_text(review.proposals, review.card, review.held, review.exceptions, review.as_of)

# %% [markdown]
# ## Proposed decisions
#
# Each with its evidence and the command that records it; a recorded one is held against what happens.

# %%
out.table("proposals", review.proposals)
empty = "Nothing asks for a decision this month."
source = "Ledger, bills and parameters; adapt decision and effect before you record it"
asked = ["kind", "assistant", "workflow", "decision", "evidence", "owner", "effect", "review", "on_record"]
report.Table(review.proposals, "What to decide", columns=asked, source=source, empty=empty)

# %%
source = "Each line puts the decision of the table above on record, as it stands"
report.Table(review.proposals, "The commands that record them", columns=["command"], source=source, empty=empty)

# %% [markdown]
# ## Scorecard
#
# Names and formulas as in the FinOps Foundation's KPI library; a number nobody owns changes nothing.

# %%
out.table("scorecard", review.card)
title = f"{params.title}: indicators against their targets"
report.scorecard_table(review.card, title, "Ledger, budgets, outcomes, targets")

# %% [markdown]
# ## Budget variance
#
# What is expected by the end of each budget's period, against what it allows.

# %%
out.table("budgets", review.budgets)
columns = ["budget", "about", "period", "allowed", "spent", "projected", "lower_80", "upper_80", "overrun_probability"]
empty = "No budget is in force: add one under budgets in parameters/."
title = "Budgets, the nearest to an overrun first"
report.Table(review.budgets, title, columns=columns, source="Ledger", empty=empty)

# %% [markdown]
# ## Top workflows
#
# Look at the three largest; a small workload of value is best left alone.

# %%
workflows = inform.spend_by(costs, "workflow", top=8)
out.table("spend_by_workflow", workflows)
report.plot_spend(workflows, period=ledger.period)

# %% [markdown]
# ## Tier drift
#
# A rising share of premium tiers without better outcomes is drift.

# %%
out.table("tier_drift", review.drift)
empty = "No model call in the month."
report.Table(review.drift, "Tiers of models, against the month before", source="Ledger", empty=empty)

# %% [markdown]
# ## Routing opportunities
#
# Where calls left their policy and what that cost; whether another model is good enough, the gate says.

# %%
out.table("routing", review.breaches)
shown = ["assistant", "workflow", "model", "breach", "exception", "requests", "cost", "breach_cost", "instead"]
empty = "No call left its routing policy, or no policy is set: add one under routing in an assistant's file."
report.Table(review.breaches.head(10), "Calls beside their policy", columns=shown, source="Ledger", empty=empty)

# %% [markdown]
# ## Unused seats, abandoned work and other waste
#
# What was paid for and of no use; seats and capacity belong to the organisation's page.

# %%
out.table("waste", review.waste)
report.plot_waste(review.waste, period=ledger.period)

# %% [markdown]
# ## Costly users and runs
#
# Users stand under pseudonyms; a run that costs much more than others usually loops.

# %%
users = ingest.users_by_cost(ledger, limit=5)
users["user_id"] = inform.pseudonymise(users["user_id"], ingest.pseudonym_key(params))
out.table("users", users)
empty = "No source of the month names the user of a call."
report.Table(users, "Users who cost most", source="Requests of the month", empty=empty)

# %%
runs = inform.costliest_runs(ingest.agent_runs(params, ledger.period), ingest.agent_run_costs(ledger)).head(5)
out.table("runs", runs)
shown = ["assistant", "workflow", "cost", "model_calls", "tool_calls", "failed_tools", "ended_with", "task_id"]
empty = "No source of the month has the steps of agents and tools."
report.Table(runs, "Runs of agents that cost most", columns=shown, source="Requests and steps", empty=empty)

# %% [markdown]
# ## What earlier decisions brought
#
# Four weeks before each decision against the days since; routing and workflows adjusted for volume.

# %%
out.table("decisions", review.held)
empty = "No decision is on record: finops decide records one in parameters/decisions.yaml."
effects = ["expected_effect", "effect", "effect_at_equal_volume", "verdict"]
shown = ["decided", "about", "decision", "owner", "review", "state", *effects]
report.Table(review.held, "Decisions, expected and actual effect", columns=shown, source="Ledger", empty=empty)

# %% [markdown]
# ## Exceptions
#
# Each has an approver, a reason and a last day; a lapsed one that still costs is to be ended or renewed.

# %%
out.table("exceptions", review.exceptions)
empty = "There is no exception."
source = "Decisions, budgets and routing policies in parameters/"
report.Table(review.exceptions, "Exceptions, the lapsed ones first", source=source, empty=empty)

# %% [markdown]
# ## Scale, fix, hold or retire
#
# The value of an outcome against its true cost; of a value that is less than sure only a part is counted.

# %%
out.table("viability", review.viable)
report.plot_viability(review.viable)

# %%
shown = ["assistant", "verdict", "reason", "cost_per_outcome", "value_per_outcome", "confidence", "cost_basis"]
source = f"Ledger, bills and outcomes of the last 91 days; {report.viability_source(review.viable)}"
report.Table(review.viable, "What follows for each assistant", columns=shown, source=source, empty="Nothing was spent.")

# %%
triggers = inform.economic_triggers(*both, review.as_of, params.settings.forecast.triggers)
known = {"policies": params.routing_policies, "promotions": params.promotions}
advice = operate.scale_advice(triggers, *both, review.as_of, **known)
out.table("scale_advice", advice)
source = "Last four weeks; an advice is given only where all its conditions hold"
report.Table(advice, "Own hosting, fine-tuning, second provider", source=source, empty="No call to judge by.")

# %% [markdown]
# ## Quarterly list
#
# Where the month ends a quarter: what to go through, with what the ledger says on it.

# %%
year = params.settings.forecast.year_start
quarterly = operate.quarterly_list(*both, ledger.period, params.organisation.models, year_start=year)
out.table("quarterly", quarterly)
empty = "This month ends no quarter."
report.Table(quarterly, "What a quarter's end asks", source="Ledger; the rest is for a role to say", empty=empty)

# %% [markdown]
# ## Decision

# %%
checks = checklist([operate.review_checks(review.held, review.exceptions, ledger.period)])
month = report.month_name(ledger.period or "this month")
report.decision_table(checks, f"{params.title}: is the review of {month} held and followed up?", "Decisions on record")

# %%
out.glue("decisions_proposed", len(review.proposals), "decisions")
out.glue("decisions_on_record", len(review.held), "decisions")
out.glue("indicators_missed", int((review.card["state"] == "missed").sum()), "indicators")
out.glue("indicators_met", int((review.card["state"] == "met").sum()), "indicators")
out.glue_checks(checks)
written = out.write()
