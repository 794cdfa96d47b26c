"""Unit economics: what one of anything costs, from tokens up to outcomes, and whether its change is good news."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pandas as pd

from finops_lib.inform.measures import COUNT_TYPE, MONEY_TYPE, ratio, tally, total
from finops_lib.inform.scope import TEXT, UNATTRIBUTED, dimension_values, months

STEADY = 0.05
"""Changes up to this share are called steady."""

_READINGS = {
    ("up", "down"): "success",
    ("up", "steady"): "growing with the work",
    ("up", "up"): "growing dearer",
    ("steady", "down"): "improving",
    ("steady", "steady"): "steady",
    ("steady", "up"): "failing quietly",
    ("down", "down"): "saving",
    ("down", "steady"): "shrinking with the work",
    ("down", "up"): "failing quietly",
}
"""(spend, cost per outcome) → what it reads as."""


def unit_ladder(
    costs: pd.DataFrame,
    usage: pd.DataFrame,
    tasks: pd.DataFrame,
    *,
    period: str,
    users: int,
    outcomes: pd.DataFrame,
    runs: pd.DataFrame | None = None,
    full: Decimal | None = None,
) -> pd.DataFrame:
    """Divide the month's cost by everything it bought, from tokens up to outcomes.

    Parameters
    ----------
    costs : DataFrame
        Ledger of the month, one row per day × dimensions × SKU.
    usage : DataFrame
        Usage of the month, one row per day × dimensions.
    tasks : DataFrame
        One row with ``tasks``, ``workflow_runs``, ``successful_tasks``, ``accepted_tasks``, ``known_tasks`` (that say
        whether they succeeded), ``cost`` and ``known_cost`` (USD of all tasks and of the known); or none.
    period : str
        Month ``YYYY-MM``.
    users : int
        Distinct users of the month.
    outcomes : DataFrame
        Outcomes (``schema.OUTCOMES``) of any months.
    runs : DataFrame, optional
        Agent runs with ``tool_calls``, ``failed_tools`` and ``cost`` (USD).
    full : Decimal, optional
        True cost of the month in USD: the models and everything around them.

    Returns
    -------
    DataFrame
        One row per rung, in the order of the ladder: ``rung``, ``units`` (the denominator; null where the data
        does not hold it), ``counted_as`` (what is counted), ``cost`` (USD, the numerator), ``cost_per_unit``,
        ``full_cost_per_unit`` (null where the true cost is not known, or not known for this numerator).

    Notes
    -----
    All rungs divide the whole model cost, failures and judge calls included, but for three: outcomes are set against
    the cost of the assistants that count any, tool calls against the cost of the runs that call tools, and successful
    tasks against the part of it that the tasks have which say whether they succeeded.

    References
    ----------
    Requirement B4; FinOps Foundation, capability "unit economics".
    """
    outcomes = outcomes[_month_of(outcomes) == period]
    spent = _number(total(costs["contracted_cost"])) if len(costs) else None
    counting = _of_counting_assistants(costs, outcomes)
    earned = _number(total(counting["contracted_cost"])) if len(counting) else None
    tokens = total(tally(costs, ["model"])["tokens"]) if len(costs) else None
    said, called = _tool_calls(usage, runs)
    row = tasks.iloc[0] if len(tasks) else pd.Series(dtype=object)
    counted = [
        ("1,000 tokens", None if tokens is None else tokens / 1000, "billed tokens in thousands", spent),
        ("request", _sum(usage, "request_count"), "model calls, evaluation and cache hits included", spent),
        ("active user", users or None, "distinct users of the month", spent),
        ("workflow run", row.get("workflow_runs"), "tasks by the workflows they ran through", spent),
        ("task", row.get("tasks"), "what users asked for", spent),
        ("accepted output", row.get("accepted_tasks"), "tasks whose answer was taken", spent),
        ("successful tool call", said, "tool calls that returned a result; cost of the runs that call tools", called),
        ("successful task", row.get("successful_tasks"), *_judged(row, spent)),
        ("outcome", _sum(outcomes, "outcome_count"), "outcomes counted; cost of the assistants that count any", earned),
    ]
    ladder = pd.DataFrame(counted, columns=["rung", "units", "counted_as", "cost"])
    ladder["units"] = pd.to_numeric(ladder["units"]).astype("float64").where(lambda units: units > 0)
    ladder["cost"] = ladder["cost"].astype("float64")
    ladder["cost_per_unit"] = ratio(ladder["cost"], ladder["units"])
    whole = ladder["units"].where((ladder["cost"] == spent) | (ladder["rung"] == "successful task"))
    part = _number(full) * ratio(ladder["cost"], spent) if full is not None else ladder["cost"] * float("nan")
    ladder["full_cost_per_unit"] = ratio(part, whole)
    return ladder


def unit_costs_by_month(
    months_seen: pd.DataFrame, costs: pd.DataFrame, tasks: pd.DataFrame, outcomes: pd.DataFrame
) -> pd.DataFrame:
    """Set each month's cost beside what it bought.

    Parameters
    ----------
    months_seen : DataFrame
        One row per ``month`` with ``days``, ``is_partial``, ``contracted_cost`` (exact USD).
    costs : DataFrame
        Ledger of these months.
    tasks : DataFrame
        One row per ``month``: ``tasks``, ``successful_tasks``, ``known_share`` (share of the cost that is of tasks
        that say whether they succeeded).
    outcomes : DataFrame
        Outcomes (``schema.OUTCOMES``) of any months.

    Returns
    -------
    DataFrame
        One row per month: ``month``, ``is_partial``, ``cost_per_day`` (USD), ``contracted_cost``, ``tasks``,
        ``successful_tasks``, ``outcomes``, ``outcome_value`` (USD), ``cost_per_task``,
        ``cost_per_successful_task`` (USD; of the tasks that say whether they succeeded) and ``cost_per_outcome`` (USD;
        of the assistants that count outcomes).

    References
    ----------
    Requirement B4.
    """
    table = months_seen[["month", "is_partial", "days", "contracted_cost"]].set_index("month")
    table["cost_per_day"] = ratio(table["contracted_cost"], table["days"])
    counted = tasks.set_index("month")[["tasks", "successful_tasks"]]
    table = table.join(counted.astype(COUNT_TYPE))
    dated = _month_of(outcomes)
    for name, column, kind in (("outcomes", "outcome_count", COUNT_TYPE), ("outcome_value", "outcome_value", None)):
        values = outcomes[column].astype(kind or "float64").groupby(dated).sum(min_count=1)
        table[name] = values.reindex(table.index).astype(kind or "float64").array
    counting = _of_counting_assistants(costs, outcomes)
    earned = counting["contracted_cost"].astype(MONEY_TYPE).groupby(months(counting)).sum().reindex(table.index)
    table["cost_per_task"] = ratio(table["contracted_cost"], table["tasks"])
    known = table["contracted_cost"].astype("float64") * tasks.set_index("month")["known_share"].astype("float64")
    table["cost_per_successful_task"] = ratio(known.reindex(table.index), table["successful_tasks"])
    table["cost_per_outcome"] = ratio(earned.astype(MONEY_TYPE), table["outcomes"])
    return table.drop(columns="days").reset_index().astype({"month": TEXT})


def growth_reading(by_month: pd.DataFrame, period: str) -> dict[str, Any]:
    """Say whether the change of the spend is good news: more spend can be success, and flat spend failure.

    Parameters
    ----------
    by_month : DataFrame
        As ``unit_costs_by_month`` returns it.
    period : str
        Month ``YYYY-MM``, held against the one before.

    Returns
    -------
    dict
        ``period``, ``previous_period``, ``unit`` ("outcome", else "successful task"), ``cost_per_unit`` and
        ``previous_cost_per_unit`` (USD), ``spend_change`` (share; by day, so that months of any length compare),
        ``unit_change`` (share) and ``reading``: one of "success" (more spend, each outcome cheaper), "growing with
        the work", "growing dearer", "improving", "steady", "failing quietly" (spend flat or down, each outcome
        dearer), "saving", "shrinking with the work", or "not known".

    References
    ----------
    Requirement B4: doubled spend with a fallen cost per outcome is success; flat spend with a risen one is failure.

    Examples
    --------
    >>> table = pd.DataFrame({"month": ["2026-08", "2026-09"], "cost_per_day": [10.0, 20.0],
    ...                       "cost_per_outcome": [2.0, 1.6], "cost_per_successful_task": [1.0, 1.0]})
    >>> found = growth_reading(table, "2026-09")
    >>> found["reading"], found["spend_change"], round(found["unit_change"], 2)
    ('success', 1.0, -0.2)
    """
    before = str(pd.Period(period, freq="M") - 1) if period else ""
    held = by_month.set_index("month")[["cost_per_day", "cost_per_outcome", "cost_per_successful_task"]]
    held = held.astype("float64")
    found: dict[str, Any] = {"period": period, "previous_period": before, "unit": None, "reading": "not known"}
    found |= dict.fromkeys(("cost_per_unit", "previous_cost_per_unit", "spend_change", "unit_change"))
    if period not in held.index or before not in held.index:
        return found
    now, then = held.loc[period], held.loc[before]
    for unit, column in (("outcome", "cost_per_outcome"), ("successful task", "cost_per_successful_task")):
        if now[column] > 0 and then[column] > 0 and then["cost_per_day"] > 0:
            spend_change = float(now["cost_per_day"] / then["cost_per_day"] - 1)
            unit_change = float(now[column] / then[column] - 1)
            return found | {
                "unit": unit,
                "cost_per_unit": float(now[column]),
                "previous_cost_per_unit": float(then[column]),
                "spend_change": spend_change,
                "unit_change": unit_change,
                "reading": _READINGS[_direction(spend_change), _direction(unit_change)],
            }
    return found


def costliest_runs(runs: pd.DataFrame, run_costs: pd.DataFrame) -> pd.DataFrame:
    """Rank the runs of agents by what they cost.

    Parameters
    ----------
    runs : DataFrame
        Agent runs (``schema.AGENT_RUNS``).
    run_costs : DataFrame
        One row per ``task_id``: ``workflow``, ``cost`` (USD).

    Returns
    -------
    DataFrame
        The runs, costliest first, with ``task_id``, ``assistant``, ``workflow``, ``cost``, ``share_of_runs`` (of the
        cost of all runs), model and tool calls, failed tools, retries, tokens, duration, and where and how they ended.

    References
    ----------
    Requirement B9.
    """
    known = runs.merge(run_costs, on="task_id", how="inner")
    known["share_of_runs"] = ratio(known["cost"], float(known["cost"].sum()))
    known = known.sort_values(["cost", "task_id"], ascending=[False, True], ignore_index=True)
    steps = ["model_calls", "tool_calls", "failed_tools", "retries", "tokens", "duration_ms"]
    return known[["task_id", "assistant", "workflow", "cost", "share_of_runs", *steps, "ended_with", "ended_status"]]


def cost_tails(per_request: pd.DataFrame, per_task: pd.DataFrame) -> pd.DataFrame:
    """Set the usual cost of a request and of a task beside the dear ones.

    Parameters
    ----------
    per_request, per_task : DataFrame
        One row per value of the same first column, e.g. ``workflow``: ``p50``, ``p95``, ``p99`` (USD).

    Returns
    -------
    DataFrame
        One row per value, the dearest tasks first: the first column, then ``request_p50`` … ``task_p99`` (USD).

    References
    ----------
    Requirement B9.
    """
    key, quantiles = str(per_request.columns[0]), ["p50", "p95", "p99"]
    tails = [
        frame.set_index(frame[key].astype(TEXT).fillna(UNATTRIBUTED).rename(key))[quantiles].add_prefix(prefix)
        for frame, prefix in ((per_request, "request_"), (per_task, "task_"))
    ]
    joined = tails[0].join(tails[1], how="outer").astype("float64").reset_index()
    return joined.sort_values(["task_p99", key], ascending=[False, True], na_position="last", ignore_index=True)


def _tool_calls(usage: pd.DataFrame, runs: pd.DataFrame | None) -> tuple[float | None, float | None]:
    """Count successful tool calls with the cost of the runs that made them; the steps know better than the calls."""
    if runs is not None and len(runs):
        with_tools = runs[runs["tool_calls"] > 0]
        made = with_tools["tool_calls"].sum() - with_tools["failed_tools"].sum()
        return float(made), float(with_tools["cost"].sum())
    return _sum(usage, "successful_tool_calls"), None


def _judged(tasks: pd.Series, spent: float | None) -> tuple[str, float | None]:
    """Say what counts as success, and which part of the cost belongs to the tasks that say whether they succeeded."""
    how = "tasks that succeeded by each assistant's definition"
    silent = int(tasks.get("tasks", 0)) - int(tasks.get("known_tasks", 0))
    if not silent or spent is None:
        return how, spent
    cost, known = float(tasks["cost"]), float(tasks["known_cost"])
    how += f"; {silent:,} tasks that do not say are left out with their part of the cost"
    return how, spent * known / cost if cost else None


def _month_of(outcomes: pd.DataFrame) -> pd.Series:
    return pd.to_datetime(outcomes["date"]).dt.strftime("%Y-%m") if len(outcomes) else pd.Series(dtype=object)


def _of_counting_assistants(costs: pd.DataFrame, outcomes: pd.DataFrame) -> pd.DataFrame:
    """Keep the rows of assistants whose outcomes are counted."""
    counting = outcomes["assistant"].unique() if len(outcomes) else []
    return costs[dimension_values(costs, "assistant").isin(list(counting)).astype(bool)]


def _direction(change: float) -> str:
    return "steady" if abs(change) <= STEADY else "up" if change > 0 else "down"


def _sum(frame: pd.DataFrame, column: str) -> float | None:
    return _number(total(frame[column])) if column in frame.columns and len(frame) else None


def _number(value: Any) -> float | None:
    return None if value is None or pd.isna(value) else float(value)
