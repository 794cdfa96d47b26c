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
# # Routing and savings
#
# - **Question.** Which changes would cut the cost without cutting quality, and what did the last ones save?
# - **Reads.** The ledger, evaluation results as far as they are given, `parameters/promotions.yaml`.
# - **Writes.** This page's results and the data behind its tables.
# - **Decides.** Which routes to approve, which three levers to pull first, which savings to believe.

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
costs, usage = ledger.month(ledger.costs), ledger.month(ledger.usage)
out = report.Sidecar(params, "06_routing_savings", period=ledger.period, inputs=ledger.files)

# %% [markdown]
# ## The answer in a few sentences

# %%
policies, catalogue = params.routing_policies, params.organisation.models
over, prices = ingest.calls_over_routing_limits(ledger), ingest.contracted_prices(ledger)
mix = optimize.tier_mix(costs, usage, policies, catalogue)
breaches = optimize.routing_breaches(costs, usage, policies, catalogue, prices, over)
gate, evaluations = params.settings.gate, ingest.load_table(params, "evaluations")
offers = ingest.contracted_prices(ledger, evaluations["configuration"].unique())
judged = (evaluations, costs, gate, policies, catalogue, offers)
routes = optimize.evaluated_routes(*judged)

# %%
inputs, assumed = optimize.read_lever_inputs(ledger, routes, breaches), params.settings.levers
on_record = optimize.promotions_of(params.promotions, assistant)
verdicts, assignment = optimize.gate_verdicts(routes, on_record), optimize.proposed_routes(routes, on_record)

# %%
inform.adopt_model(ingest.made_once(params, "forecast_model", inform.fit_panel))
tasks, days = ingest.successful_tasks_by_day(ledger), {"days_to_judge": assumed.days_to_judge}
savings = optimize.realised_savings(on_record, ledger.costs, ledger.usage, tasks, ledger.as_of, **days)
totals = optimize.savings_totals(savings)
replayed = (inputs, assumed, on_record, optimize.shown_promotions(on_record, savings))
replay = optimize.replay_at(*replayed)
report.savings_text(mix, breaches, replay, verdicts, savings, totals, period=ledger.period)

# %% [markdown]
# ## Today's mix against the policy
#
# Which tiers serve which work, and what the calls cost that left their policy.

# %%
out.table("routing_breaches", breaches)
report.plot_policy_breaches(breaches, period=ledger.period)

# %%
out.table("tier_mix", mix)
measures, labels = optimize.routing_measures(mix, breaches, over), report.LEVER_LABELS
source = "Ledger, requests and `routing` in parameters/"
report.Table(measures, "How the traffic stands to its policy", labels=labels, source=source)

# %%
agent_runs = ingest.agent_runs(params), ingest.agent_run_costs(ledger)
over_limits = operate.agent_limit_breaches(*agent_runs, params.agent_limits)
out.table("agent_limits", over_limits)
held = ["assistant", "agent", "limit", "allowed", "largest", "runs", "runs_over", "cost_over", "held_by"]
empty = "No agent of the month ran steps, or no `agent_limits` are set."
title, source = "Agents' runs against their limits", "Agent runs of the month in production"
report.Table(over_limits, title, columns=held, labels=labels, source=source, empty=empty)

# %% [markdown]
# ## What quality costs
#
# The cheapest assignment of segments at each level of quality, and what the gate says of each candidate. In JupyterLab
# the controls move the workflow, the floor and the margin.

# %%
controls, drawings = optimize.route_controls(routes, gate), [report.plot_frontier, report.plot_gate]
report.explore(optimize.evaluated_route, drawings, controls, frames=judged)

# %% [markdown]
# ## The proposed assignment
#
# What has no date of promotion is to be approved by the owner of the route; what the gate does not promote as a whole
# is tested before it serves. What the routing policy forbids is not proposed. The rate to keep is the quality floor's
# share of the baseline's pass rate; it holds for a workflow as a whole, not for each segment.

# %%
out.table("proposed_routes", assignment)
source = "Evaluations; pass rate and cost per call as evaluated, segments weighed by their items"
empty, title = "No evaluation results of this scope were read.", "Which configuration serves which segment"
shown = ["workflow", "segment", "today", "configuration", "promoted_on", "share", "pass_rate", "cost_per_call"]
shown = [*shown, "floor", "holds_floor"]
report.Table(assignment, title, columns=shown, labels=labels, source=source, empty=empty)

# %%
out.table("gate_verdicts", verdicts)
shown = ["workflow", "candidate", "verdict", "is_allowed", "promoted_on", "pairs", "difference", "lower", "upper"]
source = "Paired non-inferiority, Holm's correction over the candidates of a workflow"
decided = {"columns": [*shown, "pairs_to_decide", "saving_per_success"], "labels": labels}
report.Table(verdicts, "What the gate says", **decided, source=source, empty=empty)

# %%
report.gate_reasons(verdicts)

# %% [markdown]
# ## What to evaluate next
#
# The costliest workflows without evaluation, and the items a decision takes: fewer where the candidate answers alike.

# %%
needed = optimize.missing_evaluations(costs, evaluations, gate)
out.table("missing_evaluations", needed)
source = "Pairs for 80% power at the gate's margin and level, 15% and 8% of the answers differing"
empty = "No workflow that costs something is without evaluation."
shown = ["assistant", "workflow", "model", "cost", "candidates", "items", "items_if_alike"]
report.Table(needed, "Evaluations worth making", columns=shown, labels=labels, source=source, empty=empty)

# %% [markdown]
# ## Levers together
#
# What is promoted already saves first; until that is shown it may be nothing, and more is left to the others. Then each
# lever takes its part of what the ones before it left: their savings compose, they do not add up.
# In JupyterLab the controls move what is assumed.

# %%
out.table("levers", replay.waterfall)
report.explore(optimize.replay_at, report.plot_levers, optimize.lever_controls(assumed), frames=replayed)

# %%
shown = ["lever", "alone", "saving_low", "saving", "saving_high", "evidence", "mechanism", "risk"]
source = (
    "Ledger and requests; at least and at most stand after the likely savings above, so they give no range together"
)
empty = "No lever applies."
report.Table(replay.waterfall, "What each lever does", columns=shown, labels=labels, source=source, empty=empty)

# %%
curve = optimize.hit_rate_curve(inputs.repeats)
out.table("hit_rate_curve", curve)
source, empty = "Billed calls with a cache key", "No source of the month gives cache keys."
report.Table(curve, "What a response cache could answer", labels=labels, source=source, empty=empty)

# %% [markdown]
# ## Backlog
#
# Most money first. Lines below the smallest saving are left alone, however easy they look; what is promoted already has
# its date and is in no sum.

# %%
out.table("backlog", replay.backlog)
report.plot_backlog(replay.backlog, period=ledger.period)

# %%
shown = ["rank", "lever", "assistant", "workflow", "saving", "share_of_cost", "evidence", "measure", "advice"]
shown = [*shown, "promoted_on"]
source, empty = "Ledger and requests of the month; all lines in the data of this page", "Nothing to do."
report.Table(replay.backlog.head(12), "What to do first", columns=shown, labels=labels, source=source, empty=empty)

# %% [markdown]
# ## What was saved
#
# Realised saving = forecast without the change − actual cost, at the volume that came; a claim the gate did not judge
# stays unproven.

# %%
out.table("savings", savings)
report.plot_savings(savings)

# %%
named = ["assistant", "workflow", "configuration", "status", "promoted_on", "owner"]
money = ["expected", "realised", "cost_per_success_before", "cost_per_success_after"]
source, empty = "parameters/promotions.yaml, ledger, requests", "No promoted change is on record."
report.Table(savings, "Changes on record", columns=[*named, *money, "drift"], labels=labels, source=source, empty=empty)

# %% [markdown]
# ## Decision

# %%
checks = checklist([optimize.savings_checks(savings, assumed.drift_limit)])
report.decision_table(checks, f"{params.title}: can the savings on record be believed?", "This page")

# %%
out.glue("combined_saving", replay.combined["likely"], "USD/month")
out.glue("naive_saving", replay.naive, "USD/month")
out.glue("routing_breach_cost", float(breaches["breach_cost"].sum()), "USD")
out.glue("expected_saving", totals["expected"], "USD")

# %%
out.glue("realised_saving", totals["realised"], "USD")
out.glue("uncertain_saving", totals["uncertain"], "USD")
out.glue_checks(checks)
written = out.write()
