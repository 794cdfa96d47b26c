"""Proofs: what the ledger and the parameters can say about an item of the rollout, in words and with the remedy."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

import pandas as pd

from finops_lib import inform
from finops_lib.inform.measures import measure, total
from finops_lib.inform.scope import UNATTRIBUTED, days, dimension_values
from finops_lib.operate.rollout.evidence import AssistantEvidence, Evidence, Finding
from finops_lib.operate.rollout.organisation_proofs import OF_ORGANISATION
from finops_lib.params import ORGANISATION

PROOF_COLUMNS = ("check", "assistant", "passed", "found", "remedy")
_INPUT = (
    "uncached_input_tokens",
    "cache_read_input_tokens",
    "cache_write_5m_input_tokens",
    "cache_write_1h_input_tokens",
)


NO_CALLS = Finding(None, "no calls in the last 31 days", "read its exports: 'sources' in parameters/organisation.yaml")


def prove(evidence: Evidence, limits: Mapping[str, float]) -> pd.DataFrame:
    """Ask every check of every assistant in scope, and those about the organisation once.

    Parameters
    ----------
    evidence : Evidence
        From ``read_evidence``.
    limits : mapping
        Check of ``LIMITED`` → what it allows.

    Returns
    -------
    DataFrame
        One row per check × assistant: ``check``, ``assistant`` (``organisation`` for checks about the whole scope),
        ``passed`` (True, False, or None when the data cannot tell), ``found`` in words, ``remedy`` (what to put where;
        empty when it holds).

    References
    ----------
    Requirement G1.
    """
    given = {check: (limits[check],) if check in LIMITED else () for check in (*_OF_ASSISTANT, *OF_ORGANISATION)}
    asked = [
        (check, name, ask(assistant, *given[check]))
        for check, ask in _OF_ASSISTANT.items()
        for name, assistant in evidence.assistants.items()
    ]
    asked += [(check, ORGANISATION, ask(evidence, *given[check])) for check, ask in OF_ORGANISATION.items()]
    rows = [
        (check, name, finding.passed, finding.found, "" if finding.passed else finding.remedy.format(name=name))
        for check, name, finding in asked
    ]
    return pd.DataFrame(rows, columns=list(PROOF_COLUMNS)).astype({"passed": object})


def _file(key: str) -> str:
    return f"set {key} in parameters/{{name}}.yaml"


def _named(dimension: str) -> Callable[[AssistantEvidence], Finding]:
    """Build the check that spend names a dimension; before the first call, that a default will."""
    words = "workflow, team and cost center" if dimension == "all" else dimension.replace("_", " ")

    def ask(assistant: AssistantEvidence) -> Finding:
        part, target = assistant.coverage[dimension], assistant.settings.coverage_target
        if part is None:
            default = assistant.settings.defaults.get(dimension)
            return Finding(True, f"default {default}; no calls yet") if default else NO_CALLS
        remedy = f"tag the calls of {{name}} with {words}; 03_cost_profile shows the untagged"
        return Finding(part >= target, f"{part:.1%} of the spend names {words} ({target:.0%} asked for)", remedy)

    return ask


def _traffic_seen(a: AssistantEvidence) -> Finding:
    return Finding(True, f"{a.counted('request_count'):,} calls in 31 days") if len(a.usage) else NO_CALLS


def _logging_goes_on(a: AssistantEvidence, limit: float) -> Finding:
    if not len(a.usage) or a.as_of is None:
        return NO_CALLS
    last = days(a.usage).max().date()
    fresh = (a.as_of - last).days < limit
    return Finding(fresh, f"last call on {last}", "find out why no log arrives; then run finops ingest")


def _tokens_priced(a: AssistantEvidence) -> Finding:
    tallied = measure(a.costs)
    tokens, unpriced = total(tallied["tokens"]), total(tallied["unpriced_tokens"])
    if not tokens:
        return NO_CALLS
    part, limit = (unpriced or 0) / tokens, a.settings.unpriced_limit
    remedy = "add 'prices' or 'model_aliases' in parameters/organisation.yaml for the models listed in 01_ledger"
    return Finding(part <= limit, f"{part:.1%} of the tokens have no price ({limit:.0%} allowed)", remedy)


def _baseline_covers(a: AssistantEvidence, limit: float) -> Finding:
    seen = int(days(a.all_usage).nunique())
    return Finding(
        seen >= limit, f"{seen} days with calls ({limit:g} asked for)", "wait, or read older exports of {name}"
    )


def _prompt_itemised(a: AssistantEvidence) -> Finding:
    if not len(a.usage):
        return NO_CALLS
    parts = inform.prompt_composition(a.usage)
    known = 1 - parts.loc[parts["part"] == "not itemised", "share_of_input"].sum()
    remedy = "log system, history, retrieved and tool tokens with each call of {name}"
    return Finding(bool(known > 0), f"{known:.0%} of the input is itemised", remedy)


def _both_owners(a: AssistantEvidence) -> Finding:
    return _all_set({f"owners.{kind}": getattr(a.settings.owners, kind) for kind in ("business", "technical")})


def _all_set(values: dict[str, object]) -> Finding:
    missing = [key for key, value in values.items() if not value]
    held = ", ".join(str(value) for value in values.values() if value)
    return Finding(not missing, held or f"{' and '.join(missing)} not set", _file(" and ".join(missing)))


def _budget_set(a: AssistantEvidence) -> Finding:
    held = "; ".join(f"{b.name}: USD {b.amount:,} a {b.period}" for b in a.settings.budgets)
    return Finding(bool(held), held or "no budget", _file("budgets: [{{name: …, amount: …}}]"))


def _success_defined(a: AssistantEvidence) -> Finding:
    return _all_set({"success": a.settings.success})


def _outcome_valued(a: AssistantEvidence) -> Finding:
    outcome = a.settings.outcome
    if outcome is None:
        return Finding(False, "no outcome named", _file("outcome: {{name: …, value: …, confirmed_by: …}}"))
    sure = f"{outcome.name}: USD {outcome.value}, by {outcome.confirmed_by}, confidence {outcome.confidence}"
    held = _all_set({"outcome.value": outcome.value is not None, "outcome.confirmed_by": outcome.confirmed_by})
    return Finding(held.passed, sure if held.passed else f"{outcome.name}, not valued or not confirmed", held.remedy)


def _outcomes_counted(a: AssistantEvidence) -> Finding:
    counted = int(total(a.recent_outcomes(a.whole.outcomes)) or 0)
    remedy = "add rows of {name} to a source with 'table: outcomes' in parameters/organisation.yaml"
    return Finding(counted > 0, f"{counted:,} outcomes in 31 days" if counted else "no outcomes", remedy)


def _plan_given(a: AssistantEvidence) -> Finding:
    plan = a.settings.plan
    held = f"{plan.users} users × {plan.requests_per_user_day:g} calls a day" if plan else "no plan"
    return Finding(plan is not None, held, _file("plan (users, requests_per_user_day, tokens, models)"))


def _scenarios_given(a: AssistantEvidence) -> Finding:
    cases = [case.name for case in a.settings.scenarios]
    return Finding(bool(cases), ", ".join(cases) or "no scenario", _file("scenarios: [{{name: …, adoption: …}}]"))


def _alerts_reach_two(a: AssistantEvidence) -> Finding:
    alerts, owners = a.whole.params.organisation.alerts, a.settings.owners
    told = {owners.technical or alerts.default_technical, owners.business or alerts.default_business} - {None}
    return Finding(
        len(told) == 2, " and ".join(sorted(told)) or "nobody", _file("owners.technical and owners.business")
    )


def _showback_begun(a: AssistantEvidence) -> Finding:
    since = a.settings.showback.since
    begun = bool(since and a.as_of and since <= a.as_of)
    return Finding(begun, f"since {since}" if since else "not said", _file("showback.since"))


def _prompt_cache_used(a: AssistantEvidence) -> Finding:
    served, read = a.counted(*_INPUT), a.counted("cache_read_input_tokens")
    if not served:
        return NO_CALLS
    part, target = read / served, a.settings.forecast.cache_target
    remedy = "put what repeats first in the prompt, or set forecast.cache_target of {name} to what its work allows"
    return Finding(part >= target, f"{part:.0%} of the input is read from the cache ({target:.0%} asked for)", remedy)


def _retries_low(a: AssistantEvidence, limit: float) -> Finding:
    calls = a.counted("request_count")
    if not calls:
        return NO_CALLS
    failed = int(total(a.usage.loc[a.usage["run_status"].isin(["failed", "error"]), "request_count"]) or 0)
    part = max(a.counted("retries"), failed) / calls
    found = f"{part:.1%} of the calls are repeated or fail ({limit:.0%} allowed)"
    return Finding(part <= limit, found, "see the failed and repeated calls of {name} in 03_cost_profile")


def _governed(a: AssistantEvidence, workflows: Collection[str]) -> list[str]:
    """List the workflows that have no policy with a tier, a task or models."""
    policies = [p.workflow for p in a.settings.routing if p.tier or p.task or p.models]
    return [] if "*" in policies else sorted(set(workflows) - set(policies))


def _tiers_set(a: AssistantEvidence) -> Finding:
    open_ones = _governed(a, a.values("workflow")) if a.settings.routing else ["every workflow"]
    found = f"no tier for {', '.join(open_ones)}" if open_ones else f"{len(a.settings.routing)} policies"
    return Finding(not open_ones, found, _file("routing: [{{workflow: …, tier: …}}]"))


def _premium_has_policy(a: AssistantEvidence) -> Finding:
    if not len(a.costs):
        return NO_CALLS
    catalogue = a.whole.params.organisation.models
    costly = [name for name in a.values("model") if catalogue.is_premium(name)]
    uses = dimension_values(a.costs, "workflow")[dimension_values(a.costs, "model").isin(costly)]
    open_ones = _governed(a, set(uses) - {UNATTRIBUTED})
    found = (
        f"costly models without a policy in {', '.join(open_ones)}"
        if open_ones
        else "a policy for each workflow that uses one"
    )
    return Finding(not open_ones, found, _file("routing: [{{workflow: …, tier: …}}]"))


def _fallback_named(a: AssistantEvidence) -> Finding:
    named = [policy.workflow for policy in a.settings.routing if policy.fallback]
    # without a policy the plan may stand elsewhere: a role may attest it
    found = f"fallback for {', '.join(named)}" if named else "no fallback in the routing policy"
    return Finding(True if named else None, found, _file("routing.fallback (or attest item 'fallback')"))


def _agents_limited(a: AssistantEvidence) -> Finding:
    limits = a.settings.agent_limits.model_dump(exclude_none=True)
    if not limits and not a.values("agent") and not a.counted("agent_steps"):
        return Finding(True, "no agents in its log") if len(a.usage) else NO_CALLS
    found = ", ".join(f"{key.replace('_', ' ')} {value}" for key, value in limits.items()) or "agents without a limit"
    return Finding(bool(limits), found, _file("agent_limits (steps, tokens, budget)"))


def _evaluations_given(a: AssistantEvidence) -> Finding:
    sets = a.whole.evaluation_sets(a.name)
    remedy = "add a set named {name}/… to a source with 'table: evaluations' in parameters/organisation.yaml"
    return Finding(bool(sets), ", ".join(sets) or "no evaluation set", remedy)


def _verdict_on_record(a: AssistantEvidence) -> Finding:
    own = [
        p for p in a.whole.params.promotions if p.assistant == a.name and (a.as_of is None or p.promoted_on <= a.as_of)
    ]
    if not own:
        return Finding(None, "no promotion on record", "finops promote records a lever of {name} with its verdict")
    without = [p.configuration for p in own if p.verdict != "promote"]
    found = f"without a verdict: {', '.join(without)}" if without else f"{len(own)} promoted by verdict"
    return Finding(not without, found, "run the gate on {name}'s evaluations (06_routing_savings), then finops promote")


def _sandbox_kept(a: AssistantEvidence) -> Finding:
    if not len(a.usage):
        return NO_CALLS
    broken = a.whole.violations[a.whole.violations["assistant"] == a.name]
    told = "; ".join(f"{row.environment}: {row.rule}" for row in broken.itertuples())
    remedy = "; ".join(dict.fromkeys(broken["what_to_do"]))
    return Finding(broken.empty, told or "no policy is broken", remedy.replace("{", "{{").replace("}", "}}"))


def _targets_met(a: AssistantEvidence) -> Finding:
    own = a.whole.budgets.state[a.whole.budgets.state["assistant"] == a.name]
    if own.empty:
        return Finding(None, "no budget in force", _file("budgets: [{{name: …, amount: …}}]"))
    over = own[own["used_share"].astype(float) > 1]
    found = "; ".join(f"{row.budget}: {row.used_share:.0%} used so far" for row in own.itertuples())
    return Finding(over.empty, found, "see 07_budget_alerts: slow the use down, or raise the budget with a reason")


def _review_dated(a: AssistantEvidence, limit: float) -> Finding:
    last, following = a.whole.reviews(a.name)
    fresh = last is not None and (a.as_of is None or (a.as_of - last).days <= limit)
    found = f"last decision on {last or 'no day'}, next review on {following or 'no day'}"
    return Finding(bool(fresh and following), found, "record what the review of {name} decided: finops decide")


_OF_ASSISTANT: dict[str, Callable[..., Finding]] = {
    "traffic_seen": _traffic_seen,
    "logging_goes_on": _logging_goes_on,
    "tokens_priced": _tokens_priced,
    "baseline_covers": _baseline_covers,
    "prompt_itemised": _prompt_itemised,
    "environments_named": _named("environment"),
    "both_owners": _both_owners,
    "team_named": _named("team"),
    "workflow_named": _named("workflow"),
    "cost_center_named": _named("cost_center"),
    "data_class_named": _named("data_class"),
    "coverage_reached": _named("all"),
    "budget_set": _budget_set,
    "success_defined": _success_defined,
    "outcome_valued": _outcome_valued,
    "outcomes_counted": _outcomes_counted,
    "plan_given": _plan_given,
    "scenarios_given": _scenarios_given,
    "alerts_reach_two": _alerts_reach_two,
    "showback_begun": _showback_begun,
    "prompt_cache_used": _prompt_cache_used,
    "retries_low": _retries_low,
    "premium_has_policy": _premium_has_policy,
    "tiers_set": _tiers_set,
    "fallback_named": _fallback_named,
    "agents_limited": _agents_limited,
    "evaluations_given": _evaluations_given,
    "verdict_on_record": _verdict_on_record,
    "sandbox_kept": _sandbox_kept,
    "targets_met": _targets_met,
    "review_dated": _review_dated,
}
CHECKS = frozenset({*_OF_ASSISTANT, *OF_ORGANISATION, "gate_passed"})
"""Names an item's ``proof`` may give."""
LIMITED = frozenset({"logging_goes_on", "baseline_covers", "retries_low", "review_dated", "last_month_closed"})
"""Those that hold what they find against the ``limit`` of their item."""
