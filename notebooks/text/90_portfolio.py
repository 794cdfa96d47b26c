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
# # Portfolio
#
# - **Question.** Where do all assistants stand, and who has to act?
# - **Reads.** The ledger, outcomes, customers, budgets and routing policies of the whole organisation.
# - **Writes.** This page's results and the data behind its tables.
# - **Decides.** Which assistant to look at first.

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
out = report.Sidecar(params, "90_portfolio", period=ledger.period, inputs=ledger.files)

# %% [markdown]
# ## Four questions

# %%
both, costs, usage = (ledger.costs, ledger.usage), ledger.month(ledger.costs), ledger.month(ledger.usage)
asked = ingest.agent_runs(params), ingest.dearest_calls(ledger)
watched, burnt = operate.watch_and_burn(params, *both, as_of, *asked)
rules = {"settings": params.organisation.alerts, "assistants": params.assistants}
over = operate.overrun_budgets(burnt.summary, operate.alerts(burnt, watched, as_of=as_of, **rules))

# %%
models = inform.cost_per_successful_task(ingest.tasks_by(ledger, "model"))
answers = operate.four_answers(ledger.costs, over, models, watched.events, as_of)
projection = inform.forecast_by_driver(params, *both, as_of).projection
report.portfolio_text(answers, projection)

# %% [markdown]
# ## Assistants
#
# Those that need somebody first; act, watch, steady or idle, and why.

# %%
outcomes = ingest.load_table(params, "outcomes")
viable = operate.viability(params, *both, outcomes, as_of, ingest.load_charges(params))
found = {"budgets": burnt.summary, "events": watched.events, "viable": viable}
rows = operate.portfolio(params, ledger.costs, outcomes, period=ledger.period, **found)
out.table("assistants", rows)
report.plot_portfolio(rows, operate.daily_by(ledger.costs, as_of))

# %%
basis = report.viability_source(viable)
columns = ["title", "state", "cost", "cost_per_day_change", "cost_per_outcome", "budget", "used_share", "verdict"]
source = f"Ledger, budgets, outcomes. Costs are of model calls; the verdict is that of the monthly review: {basis}"
report.Table(rows, "Assistants of the organisation", columns=columns, source=source, empty="No assistant is known.")

# %%
report.portfolio_links(rows, ledger.period)

# %% [markdown]
# ## Spend by team and feature

# %%
teams = inform.spend_matrix(costs, "team", "workflow", top=7)
out.table("spend_by_team_and_feature", teams)
report.plot_spend_matrix(teams, period=ledger.period)

# %% [markdown]
# ## Cost per outcome

# %%
months = inform.month_on_month(*both)
results = inform.unit_costs_by_month(months, ledger.costs, ingest.tasks_by_month(ledger), outcomes)
out.table("cost_per_outcome", results)
report.plot_cost_and_outcome(results)

# %% [markdown]
# ## Projection to the year's end

# %%
out.table("projection", projection)
shown = ["period", "last_day", "actual", "projected", "lower_80", "upper_80", "run_rate"]
empty = "Nothing was spent, so nothing can be projected."
report.Table(projection, "What will be spent (USD)", columns=shown, source="Forecast by driver", empty=empty)

# %% [markdown]
# ## Margin per customer

# %%
margins = inform.customer_margin(costs, ingest.load_table(params, "customers"), ledger.period)
out.table("customer_margin", margins)
report.plot_customer_margin(margins, period=ledger.period)

# %% [markdown]
# ## Anomalies
#
# What was unusual in the month, and what cost ten times as much as a week ago.

# %%
unusual = operate.events_of_month(watched.events, ledger.period)
out.table("anomalies", unusual)
shown = ["assistant", "start", "end", "driver", "kind", "impact", "impact_in_month", "likely_cause"]
empty = "Nothing unusual was found in the month."
report.Table(unusual.head(8), "Unusual events, the costliest first", columns=shown, source="Ledger", empty=empty)

# %%
spikes = operate.spend_spikes(ledger.costs, as_of)
out.table("spikes", spikes)
empty = "The ledger holds no cost."
source = "Ledger; ten times or more is a spike"
report.Table(spikes.head(8), "Workflows whose cost rose most in seven days (USD)", source=source, empty=empty)

# %% [markdown]
# ## Further questions

# %%
prices, large = ingest.contracted_prices(ledger), ingest.calls_over_routing_limits(ledger)
policies = (params.routing_policies, params.organisation.models)
breaches = optimize.routing_breaches(costs, usage, *policies, prices, large)
quality = ingest.task_quality(ledger, ["workflow"])
further = operate.further_answers(usage, ingest.wasted_requests(ledger), breaches, quality)
out.table("further_questions", further)
report.Table(further, "What else a review of all asks", source="Requests and usage of the month")

# %% [markdown]
# ## Decision

# %%
checks = checklist([operate.portfolio_checks(rows, spikes)])
month = report.month_name(ledger.period or "this month")
report.decision_table(checks, f"{month}: does anybody have to act?", "This page")

# %%
out.glue("assistants", len(rows), "assistants")
out.glue("assistants_to_act", int((rows["state"] == "act").sum()), "assistants")
out.glue("spend_yesterday", answers["yesterday"], "USD")
out.glue_checks(checks)
written = out.write()
