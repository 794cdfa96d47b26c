"""Portfolio: all assistants side by side, and the questions that whoever pays asks first."""

from __future__ import annotations

from datetime import date
from typing import Any

import pandas as pd

from finops_lib.checks import check, checklist
from finops_lib.inform.measures import ratio
from finops_lib.inform.scope import UNATTRIBUTED, days, dimension_values, months
from finops_lib.settings import Params

_WEEK = pd.Timedelta(days=7)
_SPIKE = 10
_ROWS = (
    *("assistant", "title", "state", "why", "cost", "cost_per_day_change", "cost_per_outcome", "budget", "used_share"),
    *("overrun_probability", "unusual_events", "verdict"),
)
_FURTHER = ("question", "answer", "how_much", "unit", "what_adds_it")


def daily_by(costs: pd.DataFrame, as_of: date | None, dimension: str = "assistant") -> pd.DataFrame:
    """Lay the cost of each value of a dimension on days.

    Parameters
    ----------
    costs : DataFrame
        Ledger, all months known.
    as_of : date or None
        Last complete day.
    dimension : str
        What the columns are.

    Returns
    -------
    DataFrame
        One column per value, costliest first, one row per day up to ``as_of``; USD, 0 without calls.
    """
    if as_of is None or costs.empty:
        return pd.DataFrame(index=pd.DatetimeIndex([]))
    day = days(costs)
    spent = costs["contracted_cost"].astype("float64").fillna(0)
    wide = pd.crosstab(day, dimension_values(costs, dimension), spent, aggfunc="sum")
    wide = wide.reindex(pd.date_range(day.min(), pd.Timestamp(as_of))).fillna(0.0).rename_axis(columns=None)
    return wide[wide.sum().sort_values(ascending=False, kind="stable").index]


def four_answers(
    costs: pd.DataFrame, budgets: pd.DataFrame, models: pd.DataFrame, events: pd.DataFrame, as_of: date | None
) -> dict[str, Any]:
    """Answer the four questions of the first screen.

    Parameters
    ----------
    costs : DataFrame
        Ledger of the organisation, all months known.
    budgets : DataFrame
        ``summary`` of ``burn``, the most probable overrun first.
    models : DataFrame
        As ``inform.cost_per_successful_task`` returns it, by model.
    events : DataFrame
        ``events`` of ``watch_assistants``.
    as_of : date or None
        Last complete day: what "yesterday" is.

    Returns
    -------
    dict
        ``day``; ``yesterday`` and ``usual`` (USD; the same weekday over four weeks); ``over`` (budgets that end above
        what they allow more probably than not: name, assistant, projected, allowed, probability); ``model`` with its
        ``model_cost`` a resolved task; ``spike_team``, ``spike_now`` and ``spike_before`` (USD, last seven days and the
        seven before, of the team that added most), ``spike_cause`` (of the largest event that goes on, if any).
    """
    daily = daily_by(costs, as_of, "team")
    found: dict[str, Any] = {"day": as_of, **dict.fromkeys(("yesterday", "usual", "model", "model_cost"))}
    found |= {"over": [], **dict.fromkeys(("spike_team", "spike_now", "spike_before", "spike_cause"))}
    if daily.empty:
        return found
    whole = daily.sum(axis=1)
    today = whole.index[-1]
    same = whole.reindex([today - week * _WEEK for week in range(1, 5)]).dropna()
    found |= {"yesterday": float(whole.iloc[-1]), "usual": float(same.mean()) if len(same) else None}
    likely = budgets[(budgets["overrun_probability"] > 0.5).fillna(False).astype(bool)]
    found["over"] = likely[["budget", "assistant", "projected", "allowed", "overrun_probability"]].to_dict("records")
    ranked = models[models["cost_per_successful_task"].notna() & (models["model"] != UNATTRIBUTED)]
    if len(ranked):
        dearest = ranked.loc[ranked["cost_per_successful_task"].idxmax()]
        found |= {"model": str(dearest["model"]), "model_cost": float(dearest["cost_per_successful_task"])}
    now, before = daily.iloc[-7:].sum(), daily.iloc[-14:-7].sum()
    grown = (now - before).drop(UNATTRIBUTED, errors="ignore")
    if len(daily) >= 14 and len(grown) and grown.max() > 0:
        team = grown.idxmax()
        found |= {"spike_team": str(team), "spike_now": float(now[team]), "spike_before": float(before[team])}
    recent = events[pd.to_datetime(events["end"]) >= today - 2 * _WEEK] if len(events) else events
    rising = recent[recent["impact"].astype("float64") > 0] if len(recent) else recent
    if len(rising):
        largest = rising.iloc[0]
        found["spike_cause"] = f"{largest['assistant']}: {largest['likely_cause'] or largest['driver']}"
    return found


def portfolio(
    params: Params,
    costs: pd.DataFrame,
    outcomes: pd.DataFrame,
    *,
    period: str,
    budgets: pd.DataFrame,
    events: pd.DataFrame,
    viable: pd.DataFrame,
) -> pd.DataFrame:
    """Set the assistants side by side, those that need somebody first.

    Parameters
    ----------
    params : Params
        Names of the assistants.
    costs : DataFrame
        Ledger of the organisation, all months known.
    outcomes : DataFrame
        Outcomes (``schema.OUTCOMES``) of any months.
    period : str
        Month ``YYYY-MM``.
    budgets : DataFrame
        ``summary`` of ``burn``.
    events : DataFrame
        ``events`` of ``watch_assistants``.
    viable : DataFrame
        As ``viability`` returns it.

    Returns
    -------
    DataFrame
        One row per assistant that has parameters or spends: ``state`` (act, watch, steady, idle) with ``why`` in words,
        ``cost`` of the month (USD), ``cost_per_day_change`` (share), ``cost_per_outcome`` (USD; null without outcomes),
        its most endangered ``budget`` with ``used_share`` and ``overrun_probability``, ``unusual_events`` of the
        month, and the ``verdict`` on its viability.
    """
    before = str(pd.Period(period, "M") - 1) if period else ""
    name, month = dimension_values(costs, "assistant"), months(costs)
    spent = costs["contracted_cost"].astype("float64").fillna(0).groupby([name, month]).sum()
    length = days(costs).groupby(month).nunique()
    dated = pd.to_datetime(outcomes["date"]).dt.strftime("%Y-%m")
    counted = outcomes[dated == period].groupby("assistant")["outcome_count"].sum()
    started = begun_in(events, period)
    verdicts = dict(zip(viable["assistant"], viable["verdict"], strict=True))
    rows = []
    for one in sorted({*params.assistants} | (set(name.unique()) - {UNATTRIBUTED})):
        settings = params.assistants.get(one)
        cost, former = (float(spent.get((one, at), 0.0)) for at in (period, before))
        change = cost / length[period] / (former / length[before]) - 1 if cost and former else None
        own = budgets[budgets["assistant"] == one].head(1).to_dict("records")
        budget = own[0] if own else {}
        unusual = int((started["assistant"] == one).sum()) if len(started) else 0
        row = {
            "assistant": one,
            "title": (settings.title if settings else None) or one,
            "cost": cost,
            "cost_per_day_change": change,
            "cost_per_outcome": cost / float(counted[one]) if counted.get(one) else None,
            "budget": budget.get("budget"),
            "used_share": budget.get("used_share"),
            "overrun_probability": budget.get("overrun_probability"),
            "unusual_events": unusual,
            "verdict": verdicts.get(one),
        }
        rows.append(row | dict(zip(("state", "why"), _state(row), strict=True)))
    table = pd.DataFrame(rows, columns=list(_ROWS))
    numbers = ("cost", "cost_per_day_change", "cost_per_outcome", "used_share", "overrun_probability")
    table = table.astype(dict.fromkeys(numbers, "float64"))
    order = table.assign(rank=table["state"].map({"act": 0, "watch": 1, "steady": 2, "idle": 3}))
    order = order.sort_values(["rank", "cost", "assistant"], ascending=[True, False, True])
    return order.drop(columns="rank").reset_index(drop=True)


def spend_spikes(costs: pd.DataFrame, as_of: date | None, *, dimension: str = "workflow") -> pd.DataFrame:
    """List what cost ten times as much in the last seven days as in the seven before.

    Parameters
    ----------
    costs : DataFrame
        Ledger, all months known.
    as_of : date or None
        Last complete day.
    dimension : str
        What is compared.

    Returns
    -------
    DataFrame
        One row per value, the largest rise first: the dimension, ``last_week`` and ``week_before`` (USD), ``times``
        (null where nothing was spent before), ``is_spike`` (ten times or more).
    """
    daily = daily_by(costs, as_of, dimension)
    now, before = (daily.iloc[span].sum() for span in (slice(-7, None), slice(-14, -7)))
    table = pd.DataFrame(
        {dimension: list(daily.columns), "last_week": now.to_numpy(), "week_before": before.to_numpy()}
    )
    table["times"] = ratio(table["last_week"], table["week_before"])
    table["is_spike"] = table["times"] >= _SPIKE
    order = (table["last_week"] - table["week_before"]).sort_values(ascending=False, kind="stable").index
    return table.loc[order].reset_index(drop=True)


def further_answers(
    usage: pd.DataFrame, wasted: pd.DataFrame, breaches: pd.DataFrame, tasks: pd.DataFrame
) -> pd.DataFrame:
    """Answer what a review of all assistants asks beyond the first four questions.

    Parameters
    ----------
    usage : DataFrame
        Usage of the month.
    wasted : DataFrame
        As ``ingest.wasted_requests`` returns it.
    breaches : DataFrame
        As ``optimize.routing_breaches`` returns it.
    tasks : DataFrame
        As ``ingest.task_quality`` returns it, by workflow.

    Returns
    -------
    DataFrame
        One row per question: ``question``, ``answer`` (null where it is not known), ``how_much``, ``unit``,
        ``what_adds_it`` (where the answer is not known).

    References
    ----------
    Requirement H1.
    """
    abandoned = wasted[(wasted["call_class"] == "abandoned") & wasted["workflow"].notna()]
    cost = abandoned["cost"].astype("float64").groupby(abandoned["workflow"]).sum()
    dear = breaches[(breaches["rule"] == "model") & (breaches["exception"] != "active")] if len(breaches) else breaches
    calls = usage.assign(n=usage["request_count"].astype("float64").fillna(0))
    blocked = calls[(calls["run_status"] == "blocked").fillna(False).astype(bool)]
    known = calls[calls["user_group"].notna()]
    again = known[known["retries"].fillna(0) > 0].groupby("user_group")["retries"].sum().astype("float64")
    retried = (again / known.groupby("user_group")["n"].sum()).dropna()
    answers = [
        ("Which workflow has the highest abandoned cost?", *_top(cost), "USD in the month", "a run status on calls"),
        ("Which department uses premium models for routine work?", *_top(_of_department(usage, dear)),
         "USD a month too much", "a routing policy in the assistant's parameters"),
        ("Which route has the most blocked calls?", *_top(blocked.groupby("route")["n"].sum()), "calls",
         "blocked calls in the gateway's log"),
        ("Which group's retries call for training?", *_top(retried), "retries a call",
         "user groups and retries on calls"),
        ("Which retrieval workflow costs much and is accepted seldom?", *_seldom_accepted(usage, tasks),
         "% of its answers accepted", "retrieved tokens, and what users accepted"),
    ]  # fmt: skip
    table = pd.DataFrame(answers, columns=list(_FURTHER)).astype({"how_much": "float64"})
    table["what_adds_it"] = table["what_adds_it"].where(table["answer"].isna(), None)
    return table


def begun_in(events: pd.DataFrame, period: str) -> pd.DataFrame:
    """Keep the unusual events that began in a month ``YYYY-MM``."""
    return events[pd.to_datetime(events["start"]).dt.strftime("%Y-%m") == period].reset_index(drop=True)


def portfolio_checks(rows: pd.DataFrame, spikes: pd.DataFrame) -> pd.DataFrame:
    """Decide whether somebody has to act on any assistant.

    Parameters
    ----------
    rows : DataFrame
        As ``portfolio`` returns it.
    spikes : DataFrame
        As ``spend_spikes`` returns it.

    Returns
    -------
    DataFrame
        Check rows.
    """
    acting, unmeasured = (
        rows[kept] for kept in (rows["state"] == "act", rows["cost_per_outcome"].isna() & (rows["cost"] > 0))
    )
    sudden = spikes[spikes["is_spike"].astype(bool)]
    return checklist([
        check("assistants_to_act_on", len(acting), "<=", 0, unit="assistants", comment=", ".join(acting["title"])),
        check("assistants_without_outcomes", len(unmeasured), "<=", 0, unit="assistants",
              comment=", ".join(unmeasured["title"])),
        check("tenfold_rises", len(sudden), "<=", 0, unit="workflows", comment=", ".join(sudden.iloc[:, 0])),
    ])  # fmt: skip


def _state(row: dict[str, Any]) -> tuple[str, str]:
    """Say in words whether somebody has to do something about an assistant."""
    reasons, watched = [], []
    probability = row["overrun_probability"]
    if probability is not None and probability > 0.5:
        reasons.append(f"budget {row['budget']}: an overrun is {probability:.0%} probable")
    if row["verdict"] in ("fix", "retire"):
        reasons.append(
            {"fix": "its cost per outcome needs mending", "retire": "its outcomes do not pay"}[row["verdict"]]
        )
    if row["unusual_events"]:
        watched.append(
            f"{row['unusual_events']} unusual {'event' if row['unusual_events'] == 1 else 'events'} this month"
        )
    if row["cost_per_outcome"] is None:
        watched.append("no outcomes are counted")
    if row["budget"] is None:
        watched.append("no budget")
    if not row["cost"]:
        return "idle", "no calls this month"
    if reasons:
        return "act", "; ".join(reasons)
    return ("watch", "; ".join(watched)) if watched else ("steady", "within budget, nothing unusual")


def _of_department(usage: pd.DataFrame, dear: pd.DataFrame) -> pd.Series:
    """Give what a dear model cost too much to the departments by their calls of that workflow and model."""
    if dear.empty:
        return pd.Series(dtype="float64")
    calls = usage["request_count"].astype("float64").fillna(0)
    by = [dimension_values(usage, name).rename(name) for name in ("assistant", "workflow", "model", "department")]
    made = calls.groupby(by).sum().rename("calls").reset_index()
    made["part"] = made["calls"] / made.groupby(["assistant", "workflow", "model"])["calls"].transform("sum")
    lost = dear.groupby(["assistant", "workflow", "model"], as_index=False)["breach_cost"].sum()
    joined = made.astype(dict.fromkeys(["assistant", "workflow", "model"], str)).merge(
        lost.astype(dict.fromkeys(["assistant", "workflow", "model"], str)), on=["assistant", "workflow", "model"]
    )
    return (joined["part"] * joined["breach_cost"]).groupby(joined["department"]).sum()


def _seldom_accepted(usage: pd.DataFrame, tasks: pd.DataFrame) -> tuple[str | None, float | None]:
    """Choose, among the workflows that retrieve and cost more than the middle one, the one accepted least."""
    retrieving = usage.loc[usage["retrieved_tokens"].fillna(0) > 0, "workflow"].dropna().unique()
    found = tasks[tasks["workflow"].isin(retrieving) & (tasks["accepted_known"].fillna(0) > 0)]
    if found.empty:
        return None, None
    cost = found["cost"].astype("float64")
    found = found[cost >= cost.median()]
    rate = found["accepted_tasks"].astype("float64") / found["accepted_known"].astype("float64")
    return str(found.loc[rate.idxmin(), "workflow"]), 100 * float(rate.min())


def _top(values: pd.Series) -> tuple[str | None, float | None]:
    """Name the largest value above zero."""
    numbers = values.astype("float64")
    if not len(numbers) or not numbers.max() > 0:
        return None, None
    return str(numbers.idxmax()), float(numbers.max())
