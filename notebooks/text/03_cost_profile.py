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
# - **Question.** Who and what causes the model bill, and what does it buy?
# - **Reads.** The ledger of the workspace.
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
# ## Spend by workflow and team
#
# Look for the two or three bars that carry the bill, and for what nobody owns.

# %%
workflows = inform.spend_by(costs, "workflow", top=10)
out.table("spend_by_workflow", workflows)
report.plot_spend(workflows, period=ledger.period)

# %%
teams = inform.spend_by(costs, "team", top=10)
out.table("spend_by_team", teams)
report.plot_spend(teams, period=ledger.period)

# %%
assistants = inform.spend_by(costs, "assistant")
out.table("spend_by_assistant", assistants)
report.plot_spend_matrix(inform.spend_matrix(costs, "assistant", "department"), period=ledger.period)

# %% [markdown]
# ## Spend by environment, data class and user group
#
# Sandbox and staging should be small; sensitive data should be where it is allowed to be.

# %%
environments = inform.spend_matrix(costs, "workflow", "environment", top=8)
report.plot_spend_matrix(environments, period=ledger.period)

# %%
data_classes = inform.spend_by(costs, "data_class")
out.table("spend_by_data_class", data_classes)
report.plot_spend(data_classes, period=ledger.period)

# %%
members = ingest.distinct_users(ledger, ["user_group"]).fillna({"user_group": "unattributed"})
members = members.set_index("user_group")["users"]
groups = inform.spend_by(costs, "user_group")
groups = inform.fold_small_groups(groups, members, minimum=params.settings.smallest_group)
out.table("spend_by_user_group", groups)
report.plot_spend(groups, period=ledger.period)

# %% [markdown]
# ## What the tokens are
#
# Where a class has a small share of the tokens and a large share of the cost, a lever starts there.

# %%
classes = inform.token_classes(costs)
out.table("token_classes", classes)
report.plot_token_classes(classes, period=ledger.period)

# %%
report.plot_prompt_composition(inform.prompt_composition(usage), period=ledger.period)

# %% [markdown]
# ## Which models do the work
#
# A model whose share of the cost is far above its share of the traffic is a candidate for a routing review, and so is a
# dear model on routine work.

# %%
mix = inform.model_mix(costs, usage)
out.table("model_mix", mix)
report.plot_model_mix(mix, period=ledger.period)

# %%
report.plot_spend_matrix(inform.spend_matrix(costs, "workflow", "model", top=7), period=ledger.period)

# %%
routes = inform.model_mix(costs, usage, by=("model", "route"))
out.table("routes", routes)
sizes = ["input_tokens_per_request", "output_tokens_per_request"]
shown = ["model", "route", "contracted_cost", "share_of_cost", "requests", "cost_per_request", *sizes]
source = "Ledger; all of them in the data of this page"
report.Table(routes.head(15), "Models and routes that cost most", columns=shown, source=source)

# %% [markdown]
# ## What it buys
#
# Cost per successful task, by workflow and by the model that served it; failed tasks are paid for too. Compare models
# within a workflow only: they do different work.

# %%
uses = inform.cost_per_successful_task(ingest.tasks_by(ledger, "workflow"))
out.table("cost_per_successful_task_by_workflow", uses)
report.plot_cost_per_success(uses, period=ledger.period)

# %%
tasks = inform.cost_per_successful_task(ingest.tasks_by(ledger, "model"))
out.table("cost_per_successful_task", tasks)
report.plot_cost_per_success(tasks, period=ledger.period)

# %%
counted = ["cost_per_successful_task", "success_rate", "tasks", "cost", "cost_without_result", "success_definition"]
source = "Requests of the month; a task served by several models is split by their cost"
report.Table(tasks, "Cost per successful task, by model", columns=["model", *counted], source=source)

# %% [markdown]
# ## Where it is going
#
# Moving averages take the weekdays out; a rise in tokens per request is a prompt that grows.

# %%
trend = inform.daily_trend(
    ledger.costs, ledger.usage, tasks=ingest.tasks_by_day(ledger), window_days=params.settings.window_days
)
out.table("daily_trend", trend)
report.plot_daily_cost(trend, window_days=params.settings.window_days)

# %%
report.plot_unit_costs(trend, window_days=params.settings.window_days)

# %%
report.plot_daily_spend(inform.daily_spend(ledger.costs, "model", window_days=params.settings.window_days))

# %%
months = inform.month_on_month(ledger.costs, ledger.usage)
out.table("month_on_month", months)
report.plot_month_on_month(months)

# %% [markdown]
# ## Users who cost most
#
# Users stand under pseudonyms; the key to them stays outside this page.

# %%
users = ingest.users_by_cost(ledger)
users["user_id"] = inform.pseudonymise(users["user_id"], ingest.pseudonym_key(params))
out.table("users", users)

# %%
report.Table(
    users,
    "Users who cost most, under pseudonyms",
    source="Requests of the month",
    empty="No source of the month names the user of a call.",
)

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
out.table("missing", missing)
report.Table(
    missing,
    "What is missing, and what adds it",
    source="Ledger and reading record",
    empty="Nothing is missing: every section has its data.",
)

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
out.glue("month_requests", headline["requests"], "requests")
out.glue("month_tokens", headline["tokens"], "tokens")
out.glue("cost_per_request", headline["cost_per_request"], "USD/request")
out.glue_checks(checks)
written = out.write()
