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
# # Rollout in 90 days
#
# - **Question.** How far is the operating model, what is late, and who does what next?
# - **Reads.** The ledger, the tables given, the parameters and what was attested in them.
# - **Writes.** This page's results and the data behind its tables; parameters and ledger stay as they are.
# - **Decides.** Whether the rollout is on its way, and whether the deployment gate is passed.

# %% tags=["parameters"]
assistant: str = "organisation"  # reads parameters/<assistant>.yaml
period: str = "latest"  # a month, YYYY-MM, or latest
settings: dict = {}  # what-if values, as under settings of the assistant's file

# %%
from finops_lib import inform, ingest, load_params, operate, report

report.use_style()
params = load_params(assistant, period, settings)
ledger = ingest.open_ledger(params)
evidence = operate.read_evidence(params, ledger)
rollout = operate.follow_rollout(evidence)
inform.adopt_model(ingest.made_once(params, "forecast_model", inform.fit_panel))
out = report.Sidecar(params, "08_rollout_90_day", period=ledger.period, inputs=ledger.files)

# %% [markdown]
# ## Where it stands
#
# Done is what the ledger or the parameters prove, or what a role attested on a day; nothing else.

# %%
days = {"start": rollout.start, "as_of": rollout.as_of}
report.rollout_text(rollout.state, rollout.actions, **days)

# %% [markdown]
# ## The 90 days
#
# Each item has its own due day; visibility is due by day 30, control by day 60, governance by day 90.

# %%
report.plot_rollout(rollout.state, **days)

# %% [markdown]
# ## Next actions
#
# First what was lost again, then what is overdue the longest, then what is due next.

# %%
out.table("actions", rollout.actions)
report.Table(rollout.actions, "What to do next, and who does it", empty="Nothing is left to do.")

# %% [markdown]
# ## Item by item
#
# What a check found wanting cannot be attested; what no data shows can be, by a role, with a day.

# %%
out.table("items", rollout.state)
shown = ["step_name", "what", "due", "state", "slip_days", "evidence", "accountable", "remedy"]
source = "Named checks over ledger and parameters; attestations under rollout.attested"
report.Table(rollout.state, "Items of the rollout", columns=shown, source=source)

# %% [markdown]
# ## Deployment gate
#
# Twelve requirements before production: does it work, can it be paid for at scale, watched and governed, and why does
# it matter?

# %%
out.table("deployment_gate", rollout.gate)
empty = "No assistant has a parameter file: parameters/<assistant>.yaml adds one."
report.Table(rollout.gate, "The twelve requirements", source="Checks and attestations", empty=empty)

# %% [markdown]
# ## Seven operating questions
#
# Answered from data for each assistant, of the last 31 days.

# %%
out.table("questions", rollout.questions)
shown = ["assistant", "question", "answer"]
source = "Parameters, ledger, outcomes, decisions on record"
report.Table(rollout.questions, "The seven questions", columns=shown, source=source, empty=empty)

# %% [markdown]
# ## Who answers for what
#
# One function is accountable (A) for each activity; others are responsible (R), consulted (C) or informed (I).

# %%
out.table("raci_mistakes", rollout.raci_mistakes)
raci = operate.raci_table(params.organisation.raci)
report.Table(raci, "RACI", source="raci in parameters/organisation.yaml, else the shipped table")

# %%
report.Table(rollout.raci_mistakes, "Activities without exactly one accountable function", empty="There is none.")

# %% [markdown]
# ## Launch profile
#
# From the parameters alone: users × calls × tokens × model mix × price + retrieval + buffers.

# %%
plan, prices = params.settings.plan, evidence.prices
profile = inform.launch_profile(plan, prices)
out.table("launch_profile", profile)
hint = "A plan belongs to one assistant: 'plan' in parameters/<assistant>.yaml, shown on that assistant's page."
report.Table(profile, "Planned month", source="Plan at today's contracted prices", empty=hint)

# %% [markdown]
# ## Plan and actual
#
# The month as far as it is complete, taken as a whole one; the buffers' work shows in the other lines.

# %%
seen = (plan, prices, evidence.costs, evidence.usage)
actual = inform.plan_against_actual(*seen, span=evidence.month, users=evidence.users["users"].sum())
out.table("plan_against_actual", actual)
source = "Plan, ledger, users of the month"
report.Table(actual, "Plan against actual", source=source, empty=hint)

# %%
report.plot_plan_bridge(inform.plan_bridge(*seen, span=evidence.month))

# %%
pilot = inform.plan_against_actual(*seen)
out.table("plan_against_pilot", pilot)
empty = "No days of a pilot are named: 'plan: {pilot: {first_day: …, last_day: …}}' in the assistant's file."
report.Table(pilot, "Plan against pilot", source="Plan, ledger of the pilot's days", empty=empty)

# %% [markdown]
# ## Day 90
#
# What the 90 days are judged by, each from the items it takes.

# %%
out.table("day_90", rollout.criteria)
report.Table(rollout.criteria, "Success criteria of day 90", source="Items of the rollout")

# %% [markdown]
# ## Decision

# %%
checks = rollout.checks
report.decision_table(checks, "Is the rollout on its way?", "This page")

# %%
out.glue("items_done", rollout.done, "items")
out.glue("items", len(rollout.state), "items")
out.glue_checks(checks)
written = out.write()
