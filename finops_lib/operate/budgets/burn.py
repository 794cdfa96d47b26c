"""Burn: how fast budgets are spent, where their periods will end, and how probable an overrun is."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from finops_lib.inform.drivers.forecast_cost import CostForecast
from finops_lib.inform.forecast.daily import draw_paths, running_totals
from finops_lib.inform.forecast.fan import forecast_fan
from finops_lib.inform.scope import days
from finops_lib.operate.budgets.budgets import BudgetState, budget_state, excepted_on, spend_by_day
from finops_lib.operate.budgets.rules import matched
from finops_lib.settings import ORGANISATION, Budget

_COURSE = ("budget", "day", "allowed", "spent", "projected", "lower_80", "upper_80")
_RATES = ("yesterday", "per_day_7", "per_day_28")
_AHEAD = (
    *("days_ahead", "method", "projected", "lower_80", "upper_80", "overrun_probability", "exhausted_on"),
    "days_until_exhausted",
)
_PATHS = 2001


@dataclass(frozen=True)
class Burn:
    """How budgets are spent.

    Attributes
    ----------
    state : BudgetState
        Where they stand.
    summary : DataFrame
        ``state.state``, with the spend of the last complete day (``yesterday``) and the daily averages of 7 and 28
        days, the ``method`` of the forecast (``by driver`` or ``total alone``), ``projected`` = spent + what the days
        ahead cost in the middle of its courses, ``lower_80`` and ``upper_80`` of that sum, ``overrun_probability``,
        and the day the money is gone in half of the cases (``exhausted_on``; null when that is after the period).
        Money is float USD; the most probable overrun first.
    course : DataFrame
        One row per budget × day of its period: ``allowed`` then, and of the running total ``spent`` so far, or
        ``projected``, ``lower_80`` and ``upper_80``.
    """

    state: BudgetState
    summary: pd.DataFrame
    course: pd.DataFrame


def burn(
    costs: pd.DataFrame,
    budgets: list[Budget],
    as_of: date | None,
    *,
    year_start: int = 1,
    holidays: Collection[date] | None = None,
    by_driver: Callable[[str], CostForecast] | None = None,
) -> Burn:
    """Project each budget's spend to the end of its period.

    Parameters
    ----------
    costs, budgets, as_of, year_start
        As ``budget_state`` takes them.
    holidays : collection of date, optional
        As ``inform.forecast_daily`` takes them.
    by_driver : callable, optional
        Returns the forecast by driver of an assistant by its name, or of the whole ``organisation``. Budgets that are
        about all of one go by it; others, and all without it, go by the past of their own total.

    Returns
    -------
    Burn
        Empty frames without budgets in force.

    Notes
    -----
    The probability of an overrun is the share of sampled courses whose sum, on top of what is spent, exceeds what
    is allowed. It is 0 or 1 once the period is over, and unknown for a budget on which nothing was ever spent.

    References
    ----------
    Requirement E2.
    """
    found = budget_state(costs, budgets, as_of, year_start=year_start)
    named = {budget.name: budget for budget in budgets}
    rows, courses = [], []
    known = costs[days(costs) <= pd.Timestamp(as_of)] if as_of else costs.head(0)
    for held in found.state.to_dict("records"):
        history = spend_history(known[matched(known, named[held["budget"]].match)], pd.Timestamp(as_of))
        ahead = int((held["last_day"] - pd.Timestamp(as_of)).days)
        method, coming = None, np.zeros((1, 0))
        if ahead and len(history):
            scope = _whole_scope(named[held["budget"]]) if by_driver else None
            method = "by driver" if scope else "total alone"
            coming = running_totals(
                by_driver(scope).courses[:, :ahead]
                if scope
                else draw_paths(forecast_fan(history, ahead, holidays), _PATHS)
            )
        rows.append(_summary(held, history, ahead, method, coming))
        if len(history):
            courses.append(_course(held, named[held["budget"]], history, coming))
    summary = found.state.assign(**dict(zip([*_RATES, *_AHEAD], zip(*rows, strict=True), strict=True)) if rows else
                                 {name: [] for name in (*_RATES, *_AHEAD)})  # fmt: skip
    floats = [name for name in (*_RATES, *_AHEAD) if name not in ("exhausted_on", "days_ahead", "method")]
    summary = summary.astype(dict.fromkeys(floats, "float64") | {"exhausted_on": "datetime64[s]", "method": object})
    order = summary.sort_values(["overrun_probability", "used_share", "budget"], ascending=[False, False, True])
    stacked = pd.concat(courses, ignore_index=True) if courses else pd.DataFrame(columns=list(_COURSE))
    return Burn(found, order.reset_index(drop=True), stacked)


def spend_history(costs: pd.DataFrame, today: pd.Timestamp) -> pd.Series:
    """Return the spend (float USD) of every day from the first with any; a day without calls cost nothing."""
    spent = pd.Series(spend_by_day(costs[days(costs) <= today]), dtype="float64")
    if not spent.gt(0).any():
        return pd.Series(dtype="float64", index=pd.DatetimeIndex([]))
    return spent.reindex(pd.date_range(spent.index[spent.gt(0)][0], today, freq="D"), fill_value=0.0)


def _whole_scope(budget: Budget) -> str | None:
    """Name the assistant whose whole spend a budget is about, or the organisation; ``None`` for parts of them."""
    if not budget.match:
        return ORGANISATION
    name = budget.match.get("assistant", "*")
    return name if len(budget.match) == 1 and not set("*?[") & set(name) else None


def _summary(
    held: dict[str, object], history: pd.Series, ahead: int, method: str | None, coming: np.ndarray
) -> tuple[object, ...]:
    spent, allowed = float(held["spent"]), float(held["allowed"])
    rates = [history.iloc[-window:].mean() for window in (1, 7, 28)]
    if ahead and not len(history):
        return (*rates, ahead, *[None] * 7)
    totals = spent + (coming[:, -1] if ahead else np.zeros(1))
    projected, lower, upper = np.quantile(totals, [0.5, 0.1, 0.9])
    today = held["last_day"] - pd.Timedelta(days=ahead)
    gone = 0 if spent >= allowed else _days_until(coming, allowed - spent)
    day = None if gone is None else today + pd.Timedelta(days=gone)
    probability = float((totals > allowed).mean())
    return (*rates, ahead, method, projected, lower, upper, probability, day, gone)


def _days_until(running: np.ndarray, left: float) -> int | None:
    """Count the days until half of the courses have spent what is left; ``None`` when they have not by the end."""
    reached = (running >= left).mean(axis=0) >= 0.5
    return int(reached.argmax()) + 1 if reached.any() else None


def _course(held: dict[str, object], budget: Budget, history: pd.Series, totals: np.ndarray) -> pd.DataFrame:
    """Run the total of the period on, day by day: what is spent, then what may come."""
    so_far = history[held["first_day"] :].cumsum()
    running = float(held["spent"]) + totals
    past = pd.DataFrame({"day": so_far.index, "spent": so_far.to_numpy()})
    coming = pd.DataFrame({"day": pd.date_range(history.index.max() + pd.Timedelta(days=1), periods=totals.shape[1])})
    coming["projected"], coming["lower_80"], coming["upper_80"] = np.quantile(running, [0.5, 0.1, 0.9], axis=0)
    course = pd.concat([past, coming], ignore_index=True).assign(budget=held["budget"])
    base = held["amount"] + held["rollover"]
    course["allowed"] = [float(base + excepted_on(budget, day)[0]) for day in course["day"]]
    return course[list(_COURSE)]
