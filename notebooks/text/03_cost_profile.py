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
# # Cost profile
#
# - **Question.** Who and what causes the cost, what stands around the model bill, and what does it buy?
# - **Reads.** The ledger of the workspace, bills, outcomes, seats, capacity and customers as far as they are given.
# - **Writes.** This page's results and the data behind its tables.
# - **Decides.** Where to look first.

# %% tags=["parameters"]
assistant: str = "organisation"  # reads parameters/<assistant>.yaml
period: str = "latest"  # a month, YYYY-MM, or latest
settings: dict = {}  # what-if values, as under settings of the assistant's file

# %%
from finops_lib import inform, ingest, load_params, report
from finops_lib.checks import checklist

report.use_style()
params = load_params(assistant, period, settings)
ledger = ingest.open_ledger(params)
costs, usage = ledger.month(ledger.costs), ledger.month(ledger.usage)
out = report.Sidecar(params, "03_cost_profile", period=ledger.period, inputs=ledger.files)

# %% [markdown]
# ## The month in a few sentences

# %%
headline = inform.headline(ledger.costs, ledger.usage, ledger.period)
given, users = ingest.tables_read(params), int(ingest.distinct_users(ledger)["users"].sum())
missing = inform.what_is_missing(costs, usage, given, assistant=assistant, users=users)
report.headline_text(headline, missing)

# %% [markdown]
# ## Is it money well spent
#
# More spend can be success and flat spend failure: look at what one outcome costs.

# %%
outcomes, months = ingest.load_table(params, "outcomes"), inform.month_on_month(ledger.costs, ledger.usage)
results = inform.unit_costs_by_month(months, ledger.costs, ingest.tasks_by_month(ledger), outcomes)
reading = inform.growth_reading(out.table("unit_costs_by_month", results), ledger.period)
report.growth_text(reading)

# %%
report.plot_cost_and_outcome(results)

# %% [markdown]
# ## Full cost
#
# The model bill is often the smaller part: each charge stands in one layer, human review at its hourly rate. An
# assistant's page holds the charges that name it; its parts of shared cost are on page 04.

# %%
whole = ingest.open_ledger(load_params("organisation", period, project=params.project))
bills, tolerances = ingest.load_charges(params), params.organisation.reconciliation
charges = inform.reconciled_charges(whole.costs, bills, month=whole.period, settings=tolerances)

# %%
rules, rate = params.organisation.cost_layers, params.settings.review_hourly_rate
full = out.table("full_cost", inform.full_cost(charges, usage, rules, rate, assistant=assistant))
billed = bool((charges["source"] != "ledger").any())
layers, true_cost = inform.cost_by_layer(full), inform.full_cost_summary(full, bills_read=billed)
report.plot_full_cost(layers, true_cost, period=ledger.period, assistant=assistant)

# %%
layers, money = out.table("cost_by_layer", layers), ["model_bill", "other_bills", "not_billed", "true_cost"]
labels = {"layer": report.Label("Layer"), "items": report.Label("What is in it")}
source = "Bills, else the ledger at contracted prices; on no bill: review by the hour. Shared: organisation's page"
report.Table(layers, "The true cost by layer", labels=labels, source=source, totals=money)

# %% [markdown]
# ## Unit costs
#
# From tokens up to outcomes: the further down, the closer to what the business asked for.

# %%
runs = inform.costliest_runs(ingest.agent_runs(params, ledger.period), ingest.agent_run_costs(ledger))
known = {"period": ledger.period, "users": users, "outcomes": outcomes, "runs": runs, "full": true_cost["true_cost"]}
ladder = out.table("unit_costs", inform.unit_ladder(costs, usage, ingest.task_quality(ledger), **known))
rungs = ["rung", "cost_per_unit", "full_cost_per_unit", "units", "counted_as"]
report.Table(ladder, "What one of each costs", columns=rungs, source="Ledger, requests, outcomes and bills")

# %% [markdown]
# ## Spend by workflow and team
#
# Look for the two or three bars that carry the bill, and for what nobody owns.

# %%
report.plot_spend(out.table("spend_by_workflow", inform.spend_by(costs, "workflow", top=10)), period=ledger.period)

# %%
report.plot_spend(out.table("spend_by_team", inform.spend_by(costs, "team", top=10)), period=ledger.period)

# %%
assistants = out.table("spend_by_assistant", inform.spend_by(costs, "assistant"))
report.plot_spend_matrix(inform.spend_matrix(costs, "assistant", "department"), period=ledger.period)

# %% [markdown]
# ## Spend by environment, data class and user group
#
# Sandbox and staging should be small; sensitive data should be where it is allowed to be.

# %%
report.plot_spend_matrix(inform.spend_matrix(costs, "workflow", "environment", top=8), period=ledger.period)

# %%
report.plot_spend(out.table("spend_by_data_class", inform.spend_by(costs, "data_class")), period=ledger.period)

# %%
members = ingest.distinct_users(ledger, ["user_group"]).fillna({"user_group": "unattributed"})
members = members.set_index("user_group")["users"]
groups, least = inform.spend_by(costs, "user_group"), params.settings.smallest_group
groups = out.table("spend_by_user_group", inform.fold_small_groups(groups, members, minimum=least))
report.plot_spend(groups, period=ledger.period)

# %% [markdown]
# ## What the tokens are
#
# Where a class has a small share of the tokens and a large share of the cost, a lever starts there.

# %%
report.plot_token_classes(out.table("token_classes", inform.token_classes(costs)), period=ledger.period)

# %%
report.plot_prompt_composition(inform.prompt_composition(usage), period=ledger.period)

# %% [markdown]
# ## Which models do the work
#
# A model whose share of the cost is far above its share of the traffic is a candidate for a routing review, and so is a
# dear model on routine work.

# %%
report.plot_model_mix(out.table("model_mix", inform.model_mix(costs, usage)), period=ledger.period)

# %%
report.plot_spend_matrix(inform.spend_matrix(costs, "workflow", "model", top=7), period=ledger.period)

# %%
routes = out.table("routes", inform.model_mix(costs, usage, by=("model", "route")))
sizes = ["input_tokens_per_request", "output_tokens_per_request"]
shown = ["model", "route", "contracted_cost", "share_of_cost", "requests", "cost_per_request", *sizes]
title, source = "Models and routes that cost most", "Ledger; all of them in the data of this page"
report.Table(routes, title, columns=shown, source=source, rows=15, totals=["contracted_cost", "requests"])

# %% [markdown]
# ## What it buys
#
# Cost per successful task, by workflow and by the model that served it; failed tasks are paid for too, and tasks that
# do not say whether they succeeded are left out with their cost. Compare models within a workflow only: they do
# different work.

# %%
uses = inform.cost_per_successful_task(ingest.tasks_by(ledger, "workflow"))
report.plot_cost_per_success(out.table("cost_per_successful_task_by_workflow", uses), period=ledger.period)

# %%
tasks = out.table("cost_per_successful_task", inform.cost_per_successful_task(ingest.tasks_by(ledger, "model")))
report.plot_cost_per_success(tasks, period=ledger.period)

# %%
quality = out.table("quality_by_workflow", inform.quality_beside_cost(ingest.task_quality(ledger, ["workflow"])))
rates = ["completion_rate", "acceptance_rate", "resolution_rate", "escalation_rate", "rework_rate", "error_rate"]
shown = ["workflow", "tasks", "cost_per_task", *rates, "review_minutes_per_task", "satisfaction"]
source = "Requests of the month; shares of the tasks that say so or the contrary"
report.Table(quality, "Quality beside cost, by workflow", columns=shown, source=source)

# %%
rates, spent = ["cost_per_successful_task", "success_rate"], ["cost", "cost_without_result", "success_definition"]
shown = ["model", *rates, "tasks", "unknown_tasks", *spent]
source = "Requests of the month; a task served by several models is split by their cost; rates: of tasks that say"
report.Table(tasks, "Cost per successful task, by model", columns=shown, source=source)

# %% [markdown]
# ## Waste
#
# What was paid for and of no use, each dollar in one line only. What calls beside their routing policy cost more, by an
# exception or without one, is on pages 06 and 09.

# %%
seats, capacity = ingest.load_table(params, "seats"), ingest.load_table(params, "capacity")
scope = {"period": ledger.period, "policies": params.environment_policies, "assistant": assistant}
waste = out.table("waste", inform.waste(ingest.wasted_requests(ledger), seats, capacity, **scope))
report.plot_waste(waste, period=ledger.period)

# %%
source = "Requests of the month, seats and capacity as given; the total is of what is known"
cost = {"cost": report.Label("Cost", "USD", "{:,.2f}".format, "not known", is_number=True)}
report.Table(waste, "Waste, and how it is measured", labels=cost, source=source, totals=["cost"])

# %% [markdown]
# ## Environments
#
# A sandbox has its own budget, models and end: what breaks its policy stands here with its cost.

# %%
over = ingest.calls_over_output_limit(ledger)
violations = inform.environment_violations(costs, usage, params.environment_policies, over)
violations = out.table("environment_violations", violations)
source = "Ledger against environment_policy in parameters/; a call may break several rules"
report.Table(violations, "Where environments broke their policy", source=source, empty="No policy is broken.")

# %% [markdown]
# ## Where it is going
#
# Moving averages take the weekdays out; a rise in tokens per request is a prompt that grows.

# %%
window, begun = params.settings.window_days, ingest.tasks_by_day(ledger)
trend = out.table("daily_trend", inform.daily_trend(ledger.costs, ledger.usage, tasks=begun, window_days=window))
report.plot_daily_cost(trend, window_days=window)

# %%
report.plot_unit_costs(trend, window_days=window)

# %%
report.plot_daily_spend(inform.daily_spend(ledger.costs, window_days=window), window_days=window)

# %%
report.plot_month_on_month(out.table("month_on_month", months))

# %% [markdown]
# ## Concentration and tails
#
# A few users, tasks and runs carry much of the cost; users stand under pseudonyms, the key to them stays outside.

# %%
concentration = out.table("concentration", ingest.spend_concentration(ledger))
report.Table(concentration, "How much of the cost the few costliest carry", source="Requests of the month")

# %%
per_request = ingest.request_cost_quantiles(ledger, ["workflow"])
tails = out.table("cost_tails", inform.cost_tails(per_request, ingest.task_quality(ledger, ["workflow"])))
report.Table(tails, "Cost per request and per task: the usual one and the dear ones", source="Requests of the month")

# %%
runs, empty = out.table("agent_runs", runs.head(50)), "No source of the month has the steps of agents and tools."
calls = ["cost", "share_of_runs", "model_calls", "tool_calls", "failed_tools", "retries", "tokens", "duration_ms"]
shown = ["assistant", "workflow", *calls, "ended_with", "ended_status", "task_id"]
source = "Requests and steps of the month"
report.Table(runs.head(10), "Costliest runs of agents", columns=shown, source=source, empty=empty)

# %%
top_users = ingest.users_by_cost(ledger)
top_users["user_id"] = inform.pseudonymise(top_users["user_id"], ingest.pseudonym_key(params))
title, empty = "Users who cost most, under pseudonyms", "No source of the month names the user of a call."
report.Table(out.table("users", top_users), title, source="Requests of the month", empty=empty)

# %% [markdown]
# ## Margin per customer
#
# Revenue less what the customer's calls cost; what is shared between customers is in nobody's margin.

# %%
margins = inform.customer_margin(costs, ingest.load_table(params, "customers"), ledger.period)
report.plot_customer_margin(out.table("customer_margin", margins), period=ledger.period)

# %% [markdown]
# ## Look for yourself
#
# In JupyterLab the controls redraw the figure; on a page the table shows what each of them would give.

# %%
controls = {
    "group_by": ["model", "workflow", "team", "environment", "data_class", "department", "assistant"],
    "period": ledger.period_choices,
    "environment": ledger.choices("environment"),
}
report.explore(inform.spend_in_scope, report.plot_spend, controls, frames=(ledger.costs,))

# %% [markdown]
# ## What this page cannot say
#
# Each line names something the exports do not hold, what cannot be said without it, and what would add it.

# %%
title, empty = "What is missing, and what adds it", "Nothing is missing: every section has its data."
report.Table(out.table("missing", missing), title, source="Ledger and reading record", empty=empty)

# %% [markdown]
# ## Decision

# %%
limits = params.settings.model_dump(include={"coverage_target", "unpriced_limit", "ambiguous_limit"})
checks = checklist([ingest.reading_checks(ledger), inform.profile_checks(costs, usage, **limits)])
month = report.month_name(ledger.period or "this month")
report.decision_table(checks, f"{params.title}: can the profile for {month} be relied on?", "This page")

# %%
out.glue("month_cost", headline["cost"], "USD")
out.glue("month_cost_change", headline["cost_change"], "share")

# %%
out.glue("month_requests", headline["requests"], "requests")
out.glue("month_tokens", headline["tokens"], "tokens")
out.glue("cost_per_request", headline["cost_per_request"], "USD/request")
out.glue("true_cost", true_cost["true_cost"], "USD")
out.glue("cost_per_result", reading["cost_per_unit"], "USD")
out.glue_checks(checks)
written = out.write()
