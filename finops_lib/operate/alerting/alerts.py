"""Alerts: one record per cause, with who has to act, how much money it is about, and what to do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import pandas as pd

from finops_lib.operate.anomalies.watch import Watch
from finops_lib.operate.budgets.burn import Burn
from finops_lib.settings import ORGANISATION, AlertSettings, Settings

ALERT_COLUMNS = (
    *("key", "severity", "kind", "subject", "assistant", "message", "cause", "also", "money", "since", "found_on"),
    *("technical_owner", "budget_owner", "owner_note", "action", "cadence"),
)
SEVERITIES = ("critical", "high", "medium", "low")
AUDIENCES = {"daily": "platform owners", "weekly": "team leads", "monthly": "finance"}
_CADENCE = {
    "stop reached": "daily, weekly, monthly",
    "over budget": "daily, weekly, monthly",
    "probable overrun": "weekly, monthly",
    "threshold": "weekly",
    "unusual": "daily",
    "exception lapsed": "weekly, monthly",
    "missing owner": "weekly",
    "drift": "weekly",
}
_ACTIONS = {
    "stop reached": "have an exception approved, or bring the spend down now",
    "over budget": "bring the spend down, or have an exception approved",
    "probable overrun": "act on what drives it, or ask for a larger budget before the period ends",
    "threshold": "nothing yet: know that it was crossed",
    "exception lapsed": "approve it anew with an end, or return to the budget",
    "missing owner": "name both owners in the assistant's parameter file",
    "drift": "find what changed since the promotion, or go back to what served before",
    "rate": "review the change of model, route or price",
    "tokens_per_request": "review the prompt version and the context it carries",
    "output_ratio": "set a limit of output tokens",
    "requests": "ask who calls, and whether the volume is wanted",
    "retry_rate": "mend what fails and limit the retries",
    "failed_share": "mend what fails",
    "premium_share": "review the routing to premium models",
    "cache_hit_share": "review the response cache",
    "cache_read_share": "review the order of the prompt: what is stable comes first",
    "unaccepted_share": "review the quality of the answers",
    "loops": "limit the steps of an agent's run",
    "p99_cost": "look at the dearest calls",
    "drop": "find out whether the service or its log is down",
}
_HIGH_PROBABILITY = 0.8
_HIGH_RISE = 0.5  # of what an event's days were expected to cost
_SAME_CAUSE = 0.5
_WITHIN = 0.95


def alerts(
    burnt: Burn,
    watched: Watch,
    *,
    as_of: date | None,
    settings: AlertSettings,
    assistants: Mapping[str, Settings],
    since: date | None = None,
    assistant: str | None = None,
    cadence: str | None = None,
) -> pd.DataFrame:
    """List what somebody has to be told: one record per cause.

    Parameters
    ----------
    burnt : Burn
        Budgets, from ``burn``.
    watched : Watch
        Unusual events and drifts after promotions, from ``watch_and_burn``.
    as_of : date or None
        Last complete day.
    settings : AlertSettings
        Owners where there are none, and from which probability an overrun is told.
    assistants : mapping of str to Settings
        Parameters by assistant.
    since : date, optional
        First day of ``found_on``; without it what began this month, is still going on, or concerns a budget in force.
    assistant, cadence : str, optional
        Only alerts of this assistant (``organisation``: of all); only those of the daily, weekly or monthly digest.

    Returns
    -------
    DataFrame
        Gravest first: ``key`` (equal as long as the cause is the same, so that it is sent once), ``severity``
        (critical, high, medium, low), ``kind``, ``subject``, ``message``, ``cause``, ``also`` (budgets that the same
        cause concerns), ``money`` (USD at stake), ``since``, ``found_on``, both owners, ``owner_note`` where a
        default stands in, ``action`` and ``cadence``.

    Notes
    -----
    A budget within which another one causes at least half of its overrun is not told apart: the inner one names it.
    An event that explains at least half of a budget's overrun is told as the cause of that. Events with a verdict,
    and budgets with an exception without limit, are silent.

    References
    ----------
    Requirements E1, E4, F6.
    """
    if as_of is None:
        return pd.DataFrame(columns=list(ALERT_COLUMNS))
    budgets = _budget_alerts(burnt, settings.overrun_probability, pd.Timestamp(as_of))
    causes = _name_causes(budgets, burnt, watched.events)
    merged = _merge_parents(budgets, burnt.state.parts)
    records = merged + _event_alerts(watched.events, causes, pd.Timestamp(as_of), since)
    records += _lapsed(burnt, pd.Timestamp(as_of)) + _unowned(watched, assistants, pd.Timestamp(as_of))
    records += _drifting(watched, assistants, pd.Timestamp(as_of))
    told = [_addressed(record, settings, assistants) for record in records]
    table = pd.DataFrame(told, columns=list(ALERT_COLUMNS)).astype(
        {"money": "float64", "since": "datetime64[s]", "found_on": "datetime64[s]"}
    )
    if since is not None:
        table = table[table["found_on"] >= pd.Timestamp(since)]
    if assistant not in (None, ORGANISATION):
        table = table[table["assistant"] == assistant]
    if cadence is not None:
        table = table[table["cadence"].str.contains(cadence, regex=False)]
    rank = table["severity"].map({name: place for place, name in enumerate(SEVERITIES)})
    order = table.assign(rank=rank).sort_values(["rank", "money", "key"], ascending=[True, False, True]).index
    return table.loc[order].reset_index(drop=True)


@dataclass(frozen=True)
class _Told:
    """What is told of a budget; ``key`` tells it from what else may be told of it."""

    kind: str
    severity: str
    since: pd.Timestamp
    key: str
    words: str


def _budget_alerts(burnt: Burn, limit: float, today: pd.Timestamp) -> list[dict[str, Any]]:
    """Say of each budget the gravest thing that is true of it."""
    found = []
    for row in burnt.summary.itertuples():
        told = None if row.is_excepted else _gravest(row, burnt.state.crossings, limit, today)
        if told is None:
            continue
        spent, allowed, end = float(row.spent), float(row.allowed), _end(row)
        action = "stop it at the gateway" if (told.kind, row.cap) == ("stop reached", "hard") else _ACTIONS[told.kind]
        elapsed = (row.last_day - row.first_day).days + 1
        found.append(
            {"key": f"budget/{row.budget}/{row.first_day:%Y-%m-%d}/{told.key}", "severity": told.severity}
            | {"kind": told.kind, "subject": row.budget, "assistant": row.assistant, "cause": None, "also": None}
            | {"message": f"{row.about}: {row.used_share:.0%} of USD {allowed:,.2f} spent{told.words}"}
            | {"money": end - allowed if end > allowed else spent, "since": told.since, "action": action}
            | {"found_on": today if told.kind == "probable overrun" else told.since, "cadence": _CADENCE[told.kind]}
            | {"excess": max(end - allowed, 0) / elapsed, "pace": row.per_day_28, "first_day": row.first_day}
            | {"technical_owner": row.technical_owner, "budget_owner": row.budget_owner}
        )
    return found


def _gravest(row: Any, crossings: pd.DataFrame, limit: float, today: pd.Timestamp) -> _Told | None:
    """Choose what is told of a budget; ``None`` where nothing has to be."""
    own = crossings[crossings["budget"] == row.budget].set_index("threshold")["crossed_on"]
    probability = row.overrun_probability
    if row.used_share >= row.stop_at:
        words = f", beyond the stop at {row.stop_at:.0%}"
        return _Told("stop reached", "critical", own[row.stop_at], "stop", words)
    if row.used_share >= 1:
        return _Told("over budget", "high", own[1.0], "over", "")
    if probability >= limit:
        severity = "high" if probability >= _HIGH_PROBABILITY else "medium"
        words = f"; USD {_end(row):,.2f} expected by {row.last_day:%Y-%m-%d}, {probability:.0%} likely to exceed it"
        return _Told("probable overrun", severity, today, "overrun", words)
    if pd.notna(row.crossed):
        words = f", beyond the threshold of {row.crossed:.0%}"
        return _Told("threshold", "low", row.crossed_on, f"{row.crossed:g}", words)
    return None


def _end(row: Any) -> float:
    return float(row.projected if pd.notna(row.projected) else row.spent)


def _name_causes(budgets: list[dict[str, Any]], burnt: Burn, events: pd.DataFrame) -> set[Any]:
    """Write beside each overrun the event that explains half of it; return the events named so."""
    named = set()
    parts = burnt.state.parts
    for alert in budgets:
        inside = parts[(parts["budget"] == alert["subject"]) & (parts["kind"] == "assistant")]
        theirs = set(inside.loc[inside["share"] >= _SAME_CAUSE, "part"])
        chosen = events[events["assistant"].isin(theirs) & events["verdict"].isna()]
        chosen = chosen[(chosen["impact"] > 0) & (chosen["end"] >= alert["first_day"])]
        if not alert["excess"] or chosen.empty:
            continue
        lasted = (chosen["end"] - chosen["start"]).dt.days + 1
        elapsed = (chosen["end"].max() - alert["first_day"]).days + 1
        rates = chosen["impact"] / lasted.where(chosen["is_open"].astype(bool), elapsed)
        if rates.max() >= _SAME_CAUSE * alert["excess"]:
            event = chosen.loc[rates.idxmax()]
            alert["cause"] = f"{event['likely_cause']} (since {event['start']:%Y-%m-%d})"
            alert["assistant"] = alert["assistant"] or event["assistant"]
            alert["since"] = min(pd.Timestamp(alert["since"]), event["start"])
            named.add(event.name)
    return named


def _merge_parents(budgets: list[dict[str, Any]], parts: pd.DataFrame) -> list[dict[str, Any]]:
    """Fold a budget's alert into that of the budget within it that causes at least half of it."""
    by_name = {alert["subject"]: alert for alert in budgets}
    within = {(row.budget, row.part) for row in parts.itertuples() if row.kind == "budget" and row.share >= _WITHIN}

    def explained_by(outer: dict[str, Any]) -> dict[str, Any] | None:
        measure = "excess" if outer["excess"] else "pace"
        inner = [
            alert
            for alert in budgets
            if (outer["subject"], alert["subject"]) in within
            and alert[measure] >= _SAME_CAUSE * outer[measure]
            # of two budgets about the same spend the assistant's is told: it is nearer to who can act
            and ((alert["subject"], outer["subject"]) not in within or _nearness(alert) < _nearness(outer))
        ]
        return max(inner, key=lambda alert: (alert[measure], alert["subject"])) if inner else None

    told: dict[str, list[str]] = {}
    for alert in budgets:
        last, passed = alert, {alert["subject"]}
        while (cause := explained_by(last)) is not None and cause["subject"] not in passed:
            last = cause
            passed.add(cause["subject"])
        told.setdefault(last["subject"], []).extend([] if last is alert else [alert["subject"]])
    merged = []
    for subject, outer in told.items():
        gravest = min((by_name[name]["severity"] for name in [subject, *outer]), key=SEVERITIES.index)
        merged.append(by_name[subject] | {"also": ", ".join(outer) or None, "severity": gravest})
    return merged


def _nearness(alert: dict[str, Any]) -> tuple[bool, str]:
    return pd.isna(alert["assistant"]), alert["subject"]


def _event_alerts(
    events: pd.DataFrame, causes: set[Any], today: pd.Timestamp, since: date | None
) -> list[dict[str, Any]]:
    """Tell each unusual event that nobody judged and no budget names as its cause."""
    found = []
    for event in events.itertuples():
        current = since is not None or event.is_open or event.found_on >= today.replace(day=1)
        if event.Index in causes or pd.notna(event.verdict) or not current:
            continue
        high = event.impact > 0 and event.impact >= _HIGH_RISE * max(event.expected, 0)
        more = f"USD {abs(event.impact):,.2f} {'more' if event.impact > 0 else 'less'} than expected"
        lasted = f"{event.start:%Y-%m-%d}" + ("" if event.end == event.start else f" to {event.end:%Y-%m-%d}")
        action = _ACTIONS.get("drop" if event.kind == "drop" else event.driver, "look at the days named")
        found.append(
            {"key": f"unusual/{event.assistant}/{event.driver}/{event.found_on:%Y-%m-%d}", "kind": "unusual"}
            | {"severity": "high" if high else "medium", "subject": f"{event.assistant}: {event.kind}"}
            | {"assistant": event.assistant, "message": f"{event.kind} {lasted}, {more}", "cause": event.likely_cause}
            | {"money": abs(event.impact), "since": event.start, "found_on": event.found_on, "action": action}
            | {"cadence": _CADENCE["unusual"] + (", weekly" if high else "")}
        )
    return found


def _lapsed(burnt: Burn, today: pd.Timestamp) -> list[dict[str, Any]]:
    """Report exceptions that lapsed in the running period of their budget, with what they cost."""
    states = burnt.summary.set_index("budget")
    found = []
    for lapsed in burnt.state.exceptions.itertuples():
        budget = states.loc[lapsed.budget]
        if lapsed.status != "lapsed" or lapsed.expires < budget["first_day"]:
            continue
        still = budget["used_share"] >= 1
        message = (
            f"the exception that {lapsed.approver} approved ({lapsed.reason}) lapsed after {lapsed.expires:%Y-%m-%d}; "
            f"USD {lapsed.cost:,.2f} was spent beyond the budget on its days"
            + (", and the budget is still exceeded" if still else "")
        )
        found.append(
            {"key": f"exception/{lapsed.budget}/{lapsed.expires:%Y-%m-%d}", "kind": "exception lapsed"}
            | {"severity": "medium" if still else "low", "subject": lapsed.budget, "assistant": budget["assistant"]}
            | {"message": message, "money": float(lapsed.cost), "since": lapsed.starts}
            | {"found_on": min(lapsed.expires + pd.Timedelta(days=1), today), "action": _ACTIONS["exception lapsed"]}
            | {"technical_owner": budget["technical_owner"], "budget_owner": budget["budget_owner"]}
            | {"cadence": _CADENCE["exception lapsed"]}
        )
    return found


def _unowned(watched: Watch, assistants: Mapping[str, Settings], today: pd.Timestamp) -> list[dict[str, Any]]:
    """Tell of each assistant that spends and has no owner."""
    found = []
    for name, days in watched.daily.groupby("assistant"):
        owners = (assistants.get(name) or Settings()).owners
        missing = [kind for kind, owner in (("technical", owners.technical), ("budget", owners.business)) if not owner]
        spent = float(days.loc[days["date"] > today - pd.Timedelta(days=28), "cost"].sum())
        if not missing or spent <= 0:
            continue
        message = f"{name} has no {' and no '.join(missing)} owner and spent USD {spent:,.2f} in the last 28 days"
        found.append(
            {"key": f"owner/{name}/{'-'.join(missing)}", "severity": "low", "kind": "missing owner", "subject": name}
            | {"assistant": name, "message": message, "money": spent, "since": days["date"].min(), "found_on": today}
            | {"action": _ACTIONS["missing owner"], "cadence": _CADENCE["missing owner"]}
        )
    return found


def _drifting(watched: Watch, assistants: Mapping[str, Settings], today: pd.Timestamp) -> list[dict[str, Any]]:
    """Tell whoever answers for a promoted change that its requests have become dearer since."""
    found = []
    for row in watched.drifts.itertuples():
        if row.drift <= (assistants.get(row.assistant) or Settings()).levers.drift_limit:
            continue
        place = row.assistant if pd.isna(row.workflow) else f"{row.assistant}/{row.workflow}"
        message = (
            f"a request to {place} costs {row.drift:.0%} more than in the week after {row.configuration} was promoted "
            f"on {row.promoted_on:%Y-%m-%d}: USD {row.money:,.2f} in the last seven days"
        )
        found.append(
            {"key": f"drift/{place}/{row.configuration}", "severity": "medium", "kind": "drift", "subject": place}
            | {"assistant": row.assistant, "message": message, "money": row.money, "since": row.promoted_on}
            | {"found_on": today, "technical_owner": row.owner, "action": _ACTIONS["drift"]}
            | {"cadence": _CADENCE["drift"]}
        )
    return found


def _addressed(record: dict[str, Any], settings: AlertSettings, assistants: Mapping[str, Settings]) -> dict[str, Any]:
    """Name both recipients; where there is none the organisation's default stands in, and the alert says so."""
    owners = (assistants.get(str(record.get("assistant"))) or Settings()).owners
    notes = []
    for column, own, default, kind in (
        ("technical_owner", owners.technical, settings.default_technical, "technical"),
        ("budget_owner", owners.business, settings.default_business, "budget"),
    ):
        # who answers for a budget is not who answers for the assistant that exceeds it
        known = record.get(column) or (own if kind == "technical" or column not in record else None)
        record[column] = known or default
        if not known:
            told = "the organisation's default is told" if default else "and the organisation names no default"
            notes.append(f"no {kind} owner: {told}")
    return record | {"owner_note": "; ".join(notes) or None}
