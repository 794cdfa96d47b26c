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
# # Forecast
#
# - **Question.** Where is the cost heading, what drives it, and what could be done about it?
# - **Reads.** The ledger of the workspace, dated prices, budgets and scenarios in the parameters.
# - **Writes.** This page's results and the data behind its tables.
# - **Decides.** What to plan for next month and next quarter, and which driver to act on.

# %% tags=["parameters"]
assistant: str = "organisation"  # reads parameters/<assistant>.yaml
period: str = "latest"  # a month, YYYY-MM, or latest
settings: dict = {}  # what-if values, as under settings of the assistant's file

# %%
from finops_lib import inform, ingest, load_params, operate, report
from finops_lib.checks import checklist

report.use_style()
params = load_params(assistant, period, settings)
ledger, rules = ingest.open_ledger(params), params.settings.forecast
as_of = operate.last_day_reported(ledger.as_of, ledger.period)
out = report.Sidecar(params, "05_forecast", period=ledger.period, inputs=ledger.files)

# %% [markdown]
# ## Where the month is heading

# %%
inform.adopt_model(ingest.made_once(params, "forecast_model", inform.fit_panel))
forecast = inform.forecast_by_driver(params, ledger.costs, ledger.usage, as_of)
asked = {"origins": rules.backtest_windows, "calendar": params.organisation.holidays}
tests = inform.backtest_cost(ledger.costs, ledger.usage, as_of, **asked)
windows = tests[tests["method"] == "by driver"]
tested = inform.backtest_summary(windows)

# %%
budgets = operate.budget_state(ledger.costs, operate.budgets_of(params), as_of, year_start=rules.year_start).state
outlook = inform.against_budget(forecast.projection, budgets, assistant)
bridge = inform.bridge_months(ledger.costs, ledger.usage, ledger.period, as_of)
steps = inform.bridge_steps(bridge)
missing = inform.what_is_missing(ledger.costs, ledger.usage, ingest.tables_read(params), assistant=assistant)
known = {"notes": forecast.notes, "unpriced": forecast.unpriced, "missing": missing}
report.forecast_text(outlook, steps, tested, **known)

# %% [markdown]
# ## The days ahead
#
# The range widens with the distance; a plan should use the range, not only the line.

# %%
out.table("forecast", forecast.daily.rename_axis("day").reset_index())
report.plot_forecast(forecast.history, forecast.daily)

# %% [markdown]
# ## Drivers apart
#
# Each driver is forecast by itself and put together at prices that are dated, not guessed.

# %%
out.table("drivers", forecast.drivers)
report.plot_drivers(forecast.drivers)

# %%
out.table("announced_prices", forecast.prices)
announced = forecast.prices[forecast.prices["unit_price_before"].notna()]
empty = "No price of a model in use changes on a date that is known."
report.Table(announced, "Announced prices", source="Price list and agreements in parameters/", empty=empty)

# %% [markdown]
# ## Why the cost changed
#
# Each step is counted at the new values of those before it, so that nothing is left over.

# %%
out.table("bridge", bridge)
report.plot_cost_bridge(steps, periods=bridge.attrs["periods"], days=bridge.attrs["days"])

# %%
columns = ["step", "amount", "carried_by", "carried_amount"]
report.Table(steps, "What each driver added, and where most of it", columns=columns, source="Ledger and usage")

# %% [markdown]
# ## Month, quarter and year
#
# Spent so far and still to come; the row of the next quarter is a proposal for its budget. 07_budget_alerts has the
# same figures for budgets of a whole assistant or of everything. Those of the assistants do not add up to those of
# the organisation: each is put together from the drivers of its own calls, and growth of parts is not that of the
# whole.

# %%
out.table("projection", outlook)
limits = outlook.dropna(subset="allowed").set_index("period")["allowed"]
report.plot_projection(outlook, budgets=limits.to_dict())

# %%
ranges = ["projected", "lower_80", "upper_80", "lower_95", "upper_95"]
columns = ["period", "first_day", "last_day", "actual", *ranges, "run_rate", "allowed", "outlook"]
report.Table(outlook, "Projection", columns=columns, source="Ledger, budgets and forecast; ranges of sums, not of days")

# %% [markdown]
# ## Scenarios
#
# What a month would cost if something changed; the swing is what lies between the courses at the same demand.

# %%
pace = inform.monthly_pace(ledger.costs, ledger.usage, as_of)
cases = params.settings.scenarios
listed = ingest.model_prices(params, inform.switched_models(cases), as_of)
scenarios = inform.scenario_table(pace, cases, as_of, prices=listed, year_start=rules.year_start)
out.table("scenarios", scenarios)
report.plot_scenarios(scenarios)

# %%
source = "The last four weeks, brought to an average month; cases: 'scenarios' in the parameters"
report.Table(scenarios, "Scenarios against today", source=source)

# %%
changes = {"as today": 0.0, "+20%": 0.2, "+40%": 0.4, "doubled": 1.0, "-30%": -0.3}
demand = {"adoption": changes, "fan_out": changes, "context_growth": changes, "output_growth": changes}
controls = demand | {"price_change": {"as today": 0.0, "-20%": -0.2}, "levers": {"none": 0.0, "save 30%": 0.3}}
report.explore(inform.what_if, report.plot_scenarios, controls, frames=(pace,))

# %% [markdown]
# ## What would cost most
#
# Small inefficiencies, one at a time, from what is measured here.

# %%
runs = inform.costliest_runs(ingest.agent_runs(params, ledger.period), ingest.agent_run_costs(ledger))
weights = {"models": params.organisation.models, "runs": runs, "cache_target": rules.cache_target}
ranked = inform.sensitivity(ledger.costs, ledger.usage, as_of, **weights)
out.table("sensitivity", ranked)
report.plot_sensitivity(ranked)

# %%
report.Table(ranked, "Sensitivity", source="The last four weeks, brought to an average month")

# %% [markdown]
# ## How wrong the forecast has been
#
# The same forecast, made on days of the past from what was known then.

# %%
out.table("backtest", tests)
report.plot_backtest(windows)

# %%
accuracy = inform.accuracy_by_method(tests)
out.table("accuracy", accuracy)
source = "Rolling origins on this page's own history; WAPE: error as a share of the totals, MASE: against last week"
report.Table(accuracy, "Accuracy of the forecast by driver and of the total alone", source=source)

# %% [markdown]
# ## When to ask another question
#
# Own GPUs and reserved capacity pay only beyond a volume; the conditions stand beside each.

# %%
triggers = inform.economic_triggers(ledger.costs, ledger.usage, as_of, rules.triggers)
out.table("triggers", triggers)
report.Table(triggers, "Economic triggers", source="The last four weeks; prices and thresholds from the parameters")

# %% [markdown]
# ## Decision

# %%
judged = inform.forecast_checks(windows, accuracy_target=rules.accuracy_target)
checks = checklist([judged, inform.outlook_checks(outlook, forecast.unpriced)])
report.decision_table(checks, f"{params.title}: can this be planned with?", "This page")

# %%
ahead = inform.headline_projection(outlook)
out.glue("month_end", ahead["month_end"], "USD")
out.glue("month_end_lower_80", ahead["month_end_lower_80"], "USD")
out.glue("month_end_upper_80", ahead["month_end_upper_80"], "USD")
out.glue("next_month", ahead["next_month"], "USD")
out.glue("next_quarter", ahead["next_quarter"], "USD")

# %%
out.glue("forecast_error", tested["wape"], "share")
out.glue("addressable_swing", scenarios.attrs["addressable_swing"], "USD/month")

# %%
out.glue_checks(checks)
written = out.write()
