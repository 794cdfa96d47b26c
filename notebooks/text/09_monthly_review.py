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
from finops_lib import inform, ingest, load_params, operate, optimize, report
from finops_lib.checks import checklist

report.use_style()
params = load_params(assistant, period, settings)
ledger = ingest.open_ledger(params)
as_of = operate.last_day_reported(ledger.as_of, ledger.period)
inform.adopt_model(ingest.made_once(params, "forecast_model", inform.fit_panel))
out = report.Sidecar(params, "09_monthly_review", period=ledger.period, inputs=ledger.files)

# %% [markdown]
# ## What to decide this month
#
# The five outputs of a review: budgets, routing, retirements, workflows, exceptions; the most money first.

# %%
both, costs, usage = (ledger.costs, ledger.usage), ledger.month(ledger.costs), ledger.month(ledger.usage)
watched, burnt = operate.watch_and_burn(params, *both, as_of)
budgets = operate.of_assistant(burnt.summary, assistant)
allowed = operate.of_assistant(burnt.state.exceptions.merge(budgets[["budget", "assistant"]]), assistant)
proposed = operate.propose_budgets(ledger.costs, burnt, as_of, assistant=assistant)

# %%
catalogue, policies = params.organisation.models, params.routing_policies
prices, large = ingest.contracted_prices(ledger), ingest.calls_over_routing_limits(ledger)
breaches = optimize.routing_breaches(costs, usage, policies, catalogue, prices, large)
wasted = ingest.wasted_requests(ledger)
tables = [ingest.load_table(params, "seats"), ingest.load_table(params, "capacity")]
scope = {"period": ledger.period, "policies": params.environment_policies, "assistant": assistant}
waste = inform.waste(wasted, *tables, **scope)

# %%
held = operate.decisions_held(params.decisions, *both, as_of, assistant=assistant)
exceptions = operate.exceptions_held(params.decisions, allowed, breaches, ledger.costs, as_of, assistant=assistant)
money = {"budgets": budgets, "proposals": proposed, "breaches": breaches}
lost = {"waste": waste, "wasted": wasted, "exceptions": exceptions}
proposals = operate.propose_decisions(params, as_of, **money, **lost)

# %%
outcomes, months = ingest.load_table(params, "outcomes"), inform.month_on_month(*both)
results = inform.unit_costs_by_month(months, ledger.costs, ingest.tasks_by_month(ledger), outcomes)
known = {"budgets": budgets, "events": watched.events, "as_of": as_of}
known["promotions"] = optimize.promotions_of(params.promotions, assistant)
card = operate.scorecard(params, *both, period=ledger.period, results=results, **known)
report.review_text(proposals, card, held, exceptions, as_of)

# %% [markdown]
# ## Proposed decisions
#
# Each with its evidence and the command that records it; a recorded one is held against what happens.

# %%
out.table("proposals", proposals)
empty = "Nothing asks for a decision this month."
source = "Ledger, bills and parameters; adapt decision and effect before you record it"
asked = ["kind", "assistant", "workflow", "decision", "evidence", "owner", "effect", "review", "on_record"]
report.Table(proposals, "What to decide", columns=asked, source=source, empty=empty)

# %%
source = "Each line puts the decision of the table above on record, as it stands"
report.Table(proposals, "The commands that record them", columns=["command"], source=source, empty=empty)

# %% [markdown]
# ## Scorecard
#
# Names and formulas as in the FinOps Foundation's KPI library; a number nobody owns changes nothing.

# %%
out.table("scorecard", card)
report.scorecard_table(card, f"{params.title}: indicators against their targets", "Ledger, budgets, outcomes, targets")

# %% [markdown]
# ## Budget variance
#
# What is expected by the end of each budget's period, against what it allows.

# %%
out.table("budgets", budgets)
columns = ["budget", "about", "period", "allowed", "spent", "projected", "lower_80", "upper_80", "overrun_probability"]
empty = "No budget is in force: add one under budgets in parameters/."
report.Table(budgets, "Budgets, the nearest to an overrun first", columns=columns, source="Ledger", empty=empty)

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
before = inform.growth_reading(results, ledger.period)["previous_period"]
former = inform.filter_scope(ledger.costs, period=before), inform.filter_scope(ledger.usage, period=before)
tiers = optimize.tier_mix(costs, usage, policies, catalogue)
drift = operate.tier_drift(tiers, optimize.tier_mix(*former, policies, catalogue))
out.table("tier_drift", drift)
report.Table(drift, "Tiers of models, against the month before", source="Ledger", empty="No model call in the month.")

# %% [markdown]
# ## Routing opportunities
#
# Where calls left their policy and what that cost; whether another model is good enough, the gate says.

# %%
out.table("routing", breaches)
shown = ["assistant", "workflow", "model", "breach", "exception", "requests", "cost", "breach_cost", "instead"]
empty = "No call left its routing policy, or no policy is set: add one under routing in an assistant's file."
report.Table(breaches.head(10), "Calls beside their policy", columns=shown, source="Ledger", empty=empty)

# %% [markdown]
# ## Unused seats, abandoned work and other waste
#
# What was paid for and of no use; seats and capacity belong to the organisation's page.

# %%
out.table("waste", waste)
report.plot_waste(waste, period=ledger.period)

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
out.table("decisions", held)
empty = "No decision is on record: finops decide records one in parameters/decisions.yaml."
effects = ["expected_effect", "effect", "effect_at_equal_volume", "verdict"]
shown = ["decided", "about", "decision", "owner", "review", "state", *effects]
report.Table(held, "Decisions, expected and actual effect", columns=shown, source="Ledger", empty=empty)

# %% [markdown]
# ## Exceptions
#
# Each has an approver, a reason and a last day; a lapsed one that still costs is to be ended or renewed.

# %%
out.table("exceptions", exceptions)
empty = "There is no exception."
source = "Decisions, budgets and routing policies in parameters/"
report.Table(exceptions, "Exceptions, the lapsed ones first", source=source, empty=empty)

# %% [markdown]
# ## Scale, fix, hold or retire
#
# The value of an outcome against its cost; of a value that is less than sure only a part is counted.

# %%
whole = ingest.open_ledger(load_params("organisation", period))
bills, tolerances = ingest.load_charges(whole.params), params.organisation.reconciliation
tie = inform.reconcile(whole.costs, bills, month=whole.period, settings=tolerances)
charges = inform.charges_of_record(whole.costs, bills, tie.true_ups, whole.period)
factors = operate.full_cost_factors(params, charges, whole.month(whole.costs), whole.month(whole.usage))
viable = operate.viability(params, *both, outcomes, as_of, full_cost_factor=factors)
out.table("viability", viable)
report.plot_viability(viable)

# %%
shown = ["assistant", "verdict", "reason", "cost_per_outcome", "value_per_outcome", "confidence", "cost_basis"]
source = "Ledger, bills and outcomes of the last 91 days"
report.Table(viable, "What follows for each assistant", columns=shown, source=source, empty="Nothing was spent.")

# %%
triggers = inform.economic_triggers(*both, as_of, params.settings.forecast.triggers)
advice = operate.scale_advice(triggers, *both, as_of, policies=policies, promotions=params.promotions)
out.table("scale_advice", advice)
source = "Last four weeks; an advice is given only where all its conditions hold"
report.Table(advice, "Own hosting, fine-tuning, second provider", source=source, empty="No call to judge by.")

# %% [markdown]
# ## Quarterly list
#
# Where the month ends a quarter: what to go through, with what the ledger says on it.

# %%
year = params.settings.forecast.year_start
quarterly = operate.quarterly_list(*both, ledger.period, catalogue, year_start=year)
out.table("quarterly", quarterly)
empty = "This month ends no quarter."
report.Table(quarterly, "What a quarter's end asks", source="Ledger; the rest is for a role to say", empty=empty)

# %% [markdown]
# ## Decision

# %%
checks = checklist([operate.review_checks(held, exceptions, ledger.period)])
month = report.month_name(ledger.period or "this month")
report.decision_table(checks, f"{params.title}: is the review of {month} held and followed up?", "Decisions on record")

# %%
out.glue("decisions_proposed", len(proposals), "decisions")
out.glue("decisions_on_record", len(held), "decisions")
out.glue("indicators_missed", int((card["state"] == "missed").sum()), "indicators")
out.glue("indicators_met", int((card["state"] == "met").sum()), "indicators")
out.glue_checks(checks)
written = out.write()
