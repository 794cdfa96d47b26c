# ---
# jupyter:
#   finops:
#     scope:
#     - organisation
#     - assistant
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
# # Budgets and alerts
#
# - **Question.** Will the money last, what moves it, and who has to act?
# - **Reads.** The ledger of the workspace, budgets, exceptions and owners in the parameters.
# - **Writes.** This page's results and the data behind its tables.
# - **Decides.** Which budgets need a decision now, and whose it is.

# %% tags=["parameters"]
assistant: str = "organisation"  # reads parameters/<assistant>.yaml
period: str = "latest"  # a month, YYYY-MM, or latest
settings: dict = {}  # what-if values, as under settings of the assistant's file

# %%
from finops_lib import inform, ingest, load_params, operate, report

report.use_style()
params = load_params(assistant, period, settings)
whole = ingest.open_ledger(load_params("organisation", period, project=params.project))
as_of = operate.last_day_reported(whole.as_of, whole.period)
asked = ingest.agent_runs(whole.params), ingest.dearest_calls(whole)
inform.adopt_model(ingest.made_once(params, "forecast_model", inform.fit_panel))
out = report.Sidecar(params, "07_budget_alerts", period=whole.period, inputs=whole.files)

# %% [markdown]
# ## Will the money last

# %%
watched, everything = operate.watch_and_burn(params, whole.costs, whole.usage, as_of, *asked)
burnt = operate.concerning(everything, assistant)
rules = {"settings": params.organisation.alerts, "assistants": params.assistants}
alerts = operate.alerts(everything, watched, as_of=as_of, assistant=assistant, **rules)
start = params.settings.forecast.year_start
proposals = operate.propose_budgets(whole.costs, burnt, as_of, assistant=assistant, year_start=start)
lead = operate.leading_budget(burnt, assistant)
report.budget_text(lead, burnt.summary, alerts, proposals, as_of)

# %%
report.plot_budgets(burnt.summary)

# %% [markdown]
# ## Burn
#
# The fan is the forecast; the probability of an overrun is the part of its courses that end above the budget. A
# budget of everything, or of a whole assistant, is forecast by driver as in 05_forecast; one of a part (a department,
# route, key, agent) from the past of its total alone.

# %%
report.plot_burn_down(burnt.course, burnt.summary, burnt.state.crossings)

# %%
out.table("budgets", burnt.summary)
money = ["allowed", "spent", "yesterday", "per_day_7", "per_day_28", "projected", "lower_80", "upper_80"]
columns = ["budget", "about", "last_day", "method", *money, "overrun_probability", "days_until_exhausted"]
source = "Ledger at contracted prices, budgets in parameters/; the range holds in 8 of 10 cases"
report.Table(burnt.summary, "Budgets in force, the nearest to an overrun first", columns=columns, source=source)

# %%
columns = ["budget", "period", "first_day", "last_day", "budgeted", "amount", "rollover", "excepted", "allowed"]
source = "Budgets in parameters/, ledger; allowed = part of it + rolled over + exceptions on the last complete day"
report.Table(burnt.summary, "How what is allowed comes about", columns=columns, source=source)

# %%
out.table("burn", burnt.course)
out.table("thresholds", burnt.state.crossings)
crossed = burnt.state.crossings.dropna(subset="crossed_on")
source = "Ledger and budgets; a threshold is told once a period"
report.Table(crossed, "Thresholds crossed in the running periods", source=source, empty="None was crossed.")

# %% [markdown]
# ## Exceptions
#
# Each lapses by itself on its day; what it cost is what was spent beyond the budget while it held.

# %%
out.table("exceptions", burnt.state.exceptions)
source = "Budgets in parameters/, ledger"
empty = "No exception was given."
report.Table(burnt.state.exceptions, "Exceptions and what they cost", source=source, empty=empty)

# %% [markdown]
# ## Proposed budgets
#
# For assistants that spend and have no budget: next quarter as forecast, rounded up; the entry goes under `settings`.

# %%
out.table("proposals", proposals)
columns = ["assistant", "per_day_28", "projected", "lower_80", "upper_80", "proposed", "entry"]
empty = "Every assistant that spends has a budget."
source = "Forecast of the next quarter by the total alone; 05_forecast of the assistant has it by driver"
report.Table(proposals, "Budgets that the forecast proposes", columns=columns, source=source, empty=empty)

# %% [markdown]
# ## What was unusual
#
# Events stand on the days they happened, each with the money and who carries it.

# %%
events = operate.of_assistant(watched.events, assistant)
daily = operate.of_assistant(watched.daily, assistant)
out.table("events", events)
report.plot_anomalies(daily, events, subject=params.title)

# %%
shown = ["assistant", "kind", "start", "end", "impact", "likely_cause", "verdict"]
source = "Ledger and usage; a verdict in parameters/ silences the same cause, not the detector"
report.Table(events, "Unusual events, the costliest first", columns=shown, source=source, empty="Nothing was unusual.")

# %% [markdown]
# ## Who is told what
#
# One alert per cause: a budget within another one explains it, an event explains a budget. `finops alerts` sends them.

# %%
out.table("alerts", alerts)
columns = ["severity", "kind", "message", "cause", "also", "since", "technical_owner", "budget_owner", "action"]
source = "Budgets, events, exceptions and owners of this page"
empty = "Nobody has to be told anything."
report.Table(alerts, "Alerts, the gravest first", columns=[*columns, "cadence"], source=source, empty=empty)

# %% [markdown]
# ## Decision

# %%
limit = params.organisation.alerts.overrun_probability
checks = operate.budget_checks(burnt, alerts, limit=limit)
report.decision_table(checks, f"{params.title}: do budgets need a decision?", "This page")

# %%
out.glue("spent", lead["spent"], "USD")
out.glue("allowed", lead["allowed"], "USD")
out.glue("projected", lead["projected"], "USD")
out.glue("overrun_probability", lead["overrun_probability"], "share")
out.glue("days_until_exhausted", lead["days_until_exhausted"], "days")

# %%
out.glue("alerts", len(alerts), "alerts")
out.glue("budgets", len(burnt.summary), "budgets")
out.glue_checks(checks)
written = out.write()
