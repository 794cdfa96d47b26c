"""Portfolio: all assistants side by side, and the questions that whoever pays asks first."""

from __future__ import annotations

from datetime import date
from typing import Any

import pandas as pd

from finops_lib.checks import check, checklist
from finops_lib.inform.measures import ratio
from finops_lib.inform.scope import UNATTRIBUTED, days, dimension_values, months
from finops_lib.operate.review.month_events import events_of_month
from finops_lib.settings import Params

_WEEK = pd.Timedelta(days=7)
_SPIKE = 10
_ROWS = (
    *("assistant", "title", "state", "why", "cost", "cost_per_day_change", "cost_per_outcome", "budget", "used_share"),
    *("overrun_probability", "unusual_events", "verdict"),
)


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
    costs: pd.DataFrame, over: pd.DataFrame, models: pd.DataFrame, events: pd.DataFrame, as_of: date | None
) -> dict[str, Any]:
    """Answer the four questions of the first screen.

    Parameters
    ----------
    costs : DataFrame
        Ledger of the organisation, all months known.
    over : DataFrame
        As ``overrun_budgets`` returns them, the most probable first.
    models : DataFrame
        As ``inform.cost_per_successful_task`` returns it, by model.
    events : DataFrame
        ``events`` of ``watch_assistants``.
    as_of : date or None
        Last complete day: what "yesterday" is.

    Returns
    -------
    dict
        ``day``; ``yesterday`` and ``usual`` (USD; the same weekday over four weeks); ``over`` (records of the budgets);
        ``model`` with its ``model_cost`` a resolved task; ``spike_team``, ``spike_now`` and ``spike_before`` (USD, last
        seven days and the seven before, of the team that added most), ``is_spike`` (ten times or more),
        ``spike_cause`` (of the largest event that goes on, if any).
    """
    daily = daily_by(costs, as_of, "team")
    found: dict[str, Any] = {"day": as_of, **dict.fromkeys(("yesterday", "usual", "model", "model_cost"))}
    found |= {
        "over": [],
        "is_spike": False,
        **dict.fromkeys(("spike_team", "spike_now", "spike_before", "spike_cause")),
    }
    if daily.empty:
        return found
    whole = daily.sum(axis=1)
    today = whole.index[-1]
    same = whole.reindex([today - week * _WEEK for week in range(1, 5)]).dropna()
    found |= {"yesterday": float(whole.iloc[-1]), "usual": float(same.mean()) if len(same) else None}
    found["over"] = over.to_dict("records")
    ranked = models[models["cost_per_successful_task"].notna() & (models["model"] != UNATTRIBUTED)]
    if len(ranked):
        dearest = ranked.loc[ranked["cost_per_successful_task"].idxmax()]
        found |= {"model": str(dearest["model"]), "model_cost": float(dearest["cost_per_successful_task"])}
    now, before = daily.iloc[-7:].sum(), daily.iloc[-14:-7].sum()
    grown = (now - before).drop(UNATTRIBUTED, errors="ignore")
    if len(daily) >= 14 and len(grown) and grown.max() > 0:
        team = grown.idxmax()
        found |= {"spike_team": str(team), "spike_now": float(now[team]), "spike_before": float(before[team])}
        found["is_spike"] = found["spike_now"] >= _SPIKE * found["spike_before"]
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
        Names of the assistants, and the probability from which an overrun is told.
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
    unusual = events_of_month(events, period)["assistant"].value_counts()
    limit = params.organisation.alerts.overrun_probability
    verdicts = dict(zip(viable["assistant"], viable["verdict"], strict=True))
    rows = []
    for one in sorted({*params.assistants} | (set(name.unique()) - {UNATTRIBUTED})):
        settings = params.assistants.get(one)
        cost, former = (float(spent.get((one, at), 0.0)) for at in (period, before))
        change = cost / length[period] / (former / length[before]) - 1 if cost and former else None
        own = budgets[budgets["assistant"] == one].head(1).to_dict("records")
        budget = own[0] if own else {}
        row = {
            "assistant": one,
            "title": (settings.title if settings else None) or one,
            "cost": cost,
            "cost_per_day_change": change,
            "cost_per_outcome": cost / float(counted[one]) if counted.get(one) else None,
            "budget": budget.get("budget"),
            "used_share": budget.get("used_share"),
            "overrun_probability": budget.get("overrun_probability"),
            "unusual_events": int(unusual.get(one, 0)),
            "verdict": verdicts.get(one),
        }
        rows.append(row | dict(zip(("state", "why"), _state(row, limit), strict=True)))
    table = pd.DataFrame(rows, columns=list(_ROWS))
    numbers = ("cost", "cost_per_day_change", "cost_per_outcome", "used_share", "overrun_probability")
    table = table.astype(dict.fromkeys(numbers, "float64"))
    order = table.assign(rank=table["state"].map({"act": 0, "watch": 1, "steady": 2, "idle": 3}))
    order = order.sort_values(["rank", "cost", "assistant"], ascending=[True, False, True])
    return order.drop(columns="rank").reset_index(drop=True)


def spend_spikes(costs: pd.DataFrame, as_of: date | None) -> pd.DataFrame:
    """List the workflows that cost ten times as much in the last seven days as in the seven before.

    Parameters
    ----------
    costs : DataFrame
        Ledger, all months known.
    as_of : date or None
        Last complete day.

    Returns
    -------
    DataFrame
        One row per ``workflow``, the largest rise first: ``last_week`` and ``week_before`` (USD), ``times``
        (null where nothing was spent before), ``is_spike`` (ten times or more).
    """
    daily = daily_by(costs, as_of, "workflow")
    now, before = (daily.iloc[span].sum() for span in (slice(-7, None), slice(-14, -7)))
    table = pd.DataFrame(
        {"workflow": list(daily.columns), "last_week": now.to_numpy(), "week_before": before.to_numpy()}
    )
    table["times"] = ratio(table["last_week"], table["week_before"])
    table["is_spike"] = table["times"] >= _SPIKE
    order = (table["last_week"] - table["week_before"]).sort_values(ascending=False, kind="stable").index
    return table.loc[order].reset_index(drop=True)


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


def _state(row: dict[str, Any], overrun_limit: float) -> tuple[str, str]:
    """Say in words whether somebody has to do something about an assistant."""
    reasons, watched = [], []
    probability = row["overrun_probability"]
    if row["used_share"] is not None and row["used_share"] > 1:
        reasons.append(f"budget {row['budget']} is exceeded")
    elif probability is not None and probability >= overrun_limit:
        reasons.append(f"budget {row['budget']}: an overrun is {probability:.0%} probable")
    if row["verdict"] in ("fix", "retire"):
        reasons.append(
            {"fix": "its value or cost per outcome needs mending", "retire": "its outcomes do not pay"}[row["verdict"]]
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
