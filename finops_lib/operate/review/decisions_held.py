"""Decisions held: what was expected of each decision against what happened since, and what exceptions cost."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import pandas as pd

from finops_lib.inform.scope import DAYS_A_MONTH, days, dimension_values
from finops_lib.settings import ORGANISATION, Decision

_WINDOW_DAYS = 28
_LEAST_DAYS = 7
_CLOSE = 0.2
_NOISE = 0.02
_PAID_BESIDE = "not known: seats and capacity are paid beside the calls"
_COLUMNS = (
    *("decided", "kind", "about", "decision", "owner", "review", "state", "days", "cost_before"),
    *("expected_effect", "effect", "effect_at_equal_volume", "verdict"),
)
_EXCEPTIONS = ("recorded_as", "about", "approver", "reason", "expires", "status", "cost_under_it", "cost_since_lapse")


def decisions_held(
    decisions: Sequence[Decision],
    costs: pd.DataFrame,
    usage: pd.DataFrame,
    as_of: date | None,
    *,
    assistant: str = ORGANISATION,
) -> pd.DataFrame:
    """Hold each decision's expected effect against the change of its scope's cost since.

    Parameters
    ----------
    decisions : sequence of Decision
        The record; later ones than ``as_of`` are left out.
    costs, usage : DataFrame
        Ledger and usage, all months known.
    as_of : date or None
        Last complete day.
    assistant : str
        Only its decisions; ``organisation`` means all.

    Returns
    -------
    DataFrame
        One row per decision, the newest first: ``about``, ``state`` (open, review due, or followed up: decided on
        again since), ``days`` since then (at most 28), ``cost_before``, ``expected_effect``, ``effect`` and
        ``effect_at_equal_volume`` (USD a month; null for seats and capacity, which no call pays), and ``verdict``.

    Notes
    -----
    Four weeks before are held against the days since, the last four weeks of them. effect = difference of the cost a
    day; effect_at_equal_volume = difference of the cost a request × requests a day since. Budgets and retirements are
    judged by the effect, for they mean the volume too; the others by the adjusted one, where calls are counted. Effects
    within 20% of what was expected, or 2% of the cost before, count as expected.

    References
    ----------
    Requirement G5.
    """
    rows = []
    for decision in sorted(decisions, key=lambda one: (one.decided, one.decision), reverse=True):
        if as_of is None or decision.decided > as_of or assistant not in (ORGANISATION, decision.assistant):
            continue
        beside = decision.kind == "retirement" and decision.assistant == ORGANISATION
        found = _change(decision, in_scope(costs, decision), in_scope(usage, decision), pd.Timestamp(as_of))
        expected = None if decision.effect is None else float(decision.effect)
        by_volume = decision.kind in ("routing", "workflow") and found["effect_at_equal_volume"] is not None
        judged = found["effect_at_equal_volume"] if by_volume else found["effect"]
        if beside:
            found |= dict.fromkeys(("cost_before", "effect", "effect_at_equal_volume"))
        record = decision.model_dump(include={"decided", "kind", "decision", "owner", "review"})
        rows.append(
            record
            | found
            | {
                "about": _about(decision),
                "state": _state(decision, decisions, as_of),
                "expected_effect": expected,
                "verdict": _PAID_BESIDE if beside else _verdict(expected, judged, found),
            }
        )
    money = dict.fromkeys(("cost_before", "expected_effect", "effect", "effect_at_equal_volume"), "float64")
    return pd.DataFrame(rows, columns=list(_COLUMNS)).astype(money)


def exceptions_held(
    decisions: Sequence[Decision],
    budget_exceptions: pd.DataFrame,
    breaches: pd.DataFrame,
    costs: pd.DataFrame,
    as_of: date | None,
    *,
    assistant: str = ORGANISATION,
) -> pd.DataFrame:
    """List all exceptions with who allowed them, and what the lapsed ones go on costing.

    Parameters
    ----------
    decisions : sequence of Decision
        The record.
    budget_exceptions : DataFrame
        ``exceptions`` of a ``BudgetState``.
    breaches : DataFrame
        As ``optimize.routing_breaches`` returns them.
    costs : DataFrame
        Ledger, all months known.
    as_of : date or None
        Last complete day.
    assistant : str
        Whose page it is.

    Returns
    -------
    DataFrame
        Lapsed ones first, the costliest before all: ``recorded_as`` (decision, budget, routing policy), ``about``,
        ``approver``, ``reason``, ``expires``, ``status`` (to come, active, lapsed), ``cost_under_it`` (USD; of a
        decision while it held, of a policy in the month, of a budget beyond it) and ``cost_since_lapse`` (USD that the
        calls it was for cost in the month, after its last day; null where that is not told).

    Notes
    -----
    The calls an exception of a policy was for are those that break the policy; those of a decision are all of its
    scope, unless a policy tells them apart: then the two are one row. So no call's cost stands in two rows.
    """
    policies = _policy_exceptions(breaches)
    rows = []
    for one in decisions:
        if one.kind == "exception" and as_of and one.expires and assistant in (ORGANISATION, one.assistant):
            status = "lapsed" if one.expires < as_of else "active" if one.decided <= as_of else "to come"
            spent = in_scope(costs, one)["contracted_cost"].astype("float64").fillna(0)
            day = days(in_scope(costs, one))
            under = (day >= pd.Timestamp(one.decided)) & (day <= pd.Timestamp(min(one.expires, as_of)))
            after = (day > pd.Timestamp(one.expires)) & day.between(
                pd.Timestamp(as_of.replace(day=1)), pd.Timestamp(as_of)
            )
            since, recorded = spent[after].sum(), "decision"
            same = policies["assistant"].eq(one.assistant) & policies["status"].eq(status)
            same &= policies["workflow"].eq(one.workflow) | (one.workflow is None)
            if status == "lapsed" and same.any():
                since, recorded = policies.loc[same, "cost"].sum(), "decision, routing policy"
            policies = policies[~same]
            told = (one.approver, one.reason, one.expires, status, spent[under].sum(), since)
            rows.append((recorded, _about(one), *told))
    for row in budget_exceptions.to_dict("records"):
        told = (row["approver"], row["reason"], row["expires"].date(), row["status"], float(row["cost"]), None)
        rows.append(("budget", f"budget {row['budget']}", *told))
    for row in policies.to_dict("records"):
        money = (None, row["cost"]) if row["status"] == "lapsed" else (row["cost"], None)
        told = (row["approver"], row["breach"], None, row["status"], *money)
        rows.append(("routing policy", f"{row['assistant']} / {row['workflow']}", *told))
    found = pd.DataFrame(rows, columns=list(_EXCEPTIONS)).astype(
        {"cost_under_it": "float64", "cost_since_lapse": "float64"}
    )
    order = found.assign(place=found["status"].map({"lapsed": 0, "active": 1, "to come": 2}))
    order = order.sort_values(
        ["place", "cost_since_lapse", "cost_under_it"], ascending=[True, False, False], kind="stable"
    )
    return order.drop(columns="place").reset_index(drop=True)


def _policy_exceptions(breaches: pd.DataFrame) -> pd.DataFrame:
    """Sum calls beside their policy that an exception was for; a call that breaks two rules counts once."""
    excepted = breaches[breaches["exception"] != "none"].rename(columns={"exception": "status"})
    by = ["assistant", "workflow", "status"]
    per_rule = excepted.groupby([*by, "breach", "approver"], sort=False, dropna=False, as_index=False)["cost"].sum()
    joined = {
        name: (name, lambda values: ", ".join(dict.fromkeys(values.astype(str)))) for name in ("breach", "approver")
    }
    return per_rule.groupby(by, sort=False, as_index=False).agg(cost=("cost", "max"), **joined)


def in_scope(frame: pd.DataFrame, decision: Decision) -> pd.DataFrame:
    """Keep the rows of ledger or usage a decision is about."""
    kept = pd.Series(True, index=frame.index)
    if decision.assistant != ORGANISATION:
        kept &= (dimension_values(frame, "assistant") == decision.assistant).astype(bool)
    if decision.workflow:
        kept &= (dimension_values(frame, "workflow") == decision.workflow).astype(bool)
    return frame[kept]


def _about(decision: Decision) -> str:
    return " / ".join(filter(None, (decision.assistant, decision.workflow)))


def _state(decision: Decision, decisions: Sequence[Decision], as_of: date) -> str:
    def scope(one: Decision) -> tuple[str, str, str | None]:
        return one.kind, one.assistant, one.workflow

    if any(scope(one) == scope(decision) and decision.decided < one.decided <= as_of for one in decisions):
        return "followed up"
    return "review due" if decision.review <= as_of else "open"


def _change(
    decision: Decision, costs: pd.DataFrame, usage: pd.DataFrame, today: pd.Timestamp
) -> dict[str, float | int | None]:
    """Measure a scope before a decision and since, as USD a month."""
    decided, day = pd.Timestamp(decision.decided), pd.Timedelta(days=1)
    after = (max(decided, today - (_WINDOW_DAYS - 1) * day), today)
    before = (decided - _WINDOW_DAYS * day, decided - day)
    held = {}
    for name, (first, last) in (("before", before), ("after", after)):
        first = max(first, days(costs).min()) if len(costs) else first
        length = max((last - first) / day + 1, 0)
        sums = [
            frame.loc[days(frame).between(first, last), column].astype("float64").sum()
            for frame, column in ((costs, "contracted_cost"), (usage, "request_count"))
        ]
        held[name] = [value / length * DAYS_A_MONTH if length else 0.0 for value in sums]
    (cost_before, calls_before), (cost_after, calls_after) = held["before"], held["after"]
    found: dict[str, float | int | None] = {"days": int((today - after[0]) / day) + 1, "cost_before": cost_before}
    found["effect"] = cost_after - cost_before
    counted = calls_before > 0 and calls_after > 0
    adjusted = (cost_after / calls_after - cost_before / calls_before) * calls_after if counted else None
    return found | {"effect_at_equal_volume": adjusted}


def _verdict(expected: float | None, actual: float, found: dict[str, float | int | None]) -> str:
    """Put an effect in words.

    Examples
    --------
    >>> seen = {"days": 28, "cost_before": 400.0}
    >>> _verdict(-100, -95, seen), _verdict(-100, -40, seen), _verdict(-100, 30, seen), _verdict(50, 90, seen)
    ('as expected', 'less saved than expected', 'cost rose instead', 'more spent than expected')
    """
    if found["days"] < _LEAST_DAYS:
        return f"too early: {found['days']} days"
    if not found["cost_before"]:
        return "not known: nothing was spent before"
    if expected is None:
        return "no effect was stated"
    within = max(_CLOSE * abs(expected), _NOISE * found["cost_before"])
    if actual - expected <= within:
        return "as expected"
    if expected >= 0:
        return "more spent than expected"
    return "cost rose instead" if actual > 0 else "less saved than expected"
