"""Forecast review: how wrong the forecast by driver has been, and what it means for the budget."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from finops_lib.checks import check, checklist
from finops_lib.inform.drivers.forecast_cost import simulate_cost
from finops_lib.inform.drivers.history import driver_history
from finops_lib.inform.forecast.backtest import backtest, backtest_summary
from finops_lib.inform.forecast.holiday_effect import public_holidays
from finops_lib.inform.scope import days
from finops_lib.settings import ORGANISATION, HolidaySettings

_DRAWS = 401


def backtest_cost(
    costs: pd.DataFrame,
    usage: pd.DataFrame,
    as_of: date | None,
    *,
    origins: int = 6,
    levels: Sequence[float] = (80, 95),
    calendar: HolidaySettings | None = None,
) -> pd.DataFrame:
    """Test the forecast by driver, and that of the total alone, on the past of this very scope.

    Parameters
    ----------
    costs, usage, as_of, calendar
        As in ``forecast_cost``; prices are those paid before each origin, announcements are not used.
    origins : int
        30-day windows at most.
    levels : sequence of float
        Coverage of the intervals in percent.

    Returns
    -------
    DataFrame
        As ``backtest`` returns it, with the column ``method`` (``by driver`` or ``total alone``); empty for a short
        history.

    References
    ----------
    Requirement D3.
    """
    known_days, known_cost = days(costs), pd.Series([0.0], index=pd.DatetimeIndex(["2000-01-01"]))
    if as_of is not None and len(costs):
        known_cost = driver_history(costs, usage, as_of).cost
    first, last = known_cost.index[[0, -1]].date
    holidays = public_holidays(calendar or HolidaySettings(), first, last)

    def by_driver(known: pd.Series, horizon_days: int) -> np.ndarray:
        until = known.index[-1]
        history = driver_history(costs[(known_days <= until).to_numpy(bool)], usage, until.date())
        return simulate_cost(history, horizon_days, None, calendar, (_DRAWS, 0))[1]

    shared: dict[str, Any] = {"origins": origins, "levels": levels}
    methods = {
        "by driver": backtest(known_cost, courses=by_driver, **shared),
        "total alone": backtest(known_cost, holidays=holidays, **shared),
    }
    return pd.concat([windows.assign(method=method) for method, windows in methods.items()], ignore_index=True)


def accuracy_by_method(windows: pd.DataFrame) -> pd.DataFrame:
    """Sum a back-test up for each way to forecast.

    Parameters
    ----------
    windows : DataFrame
        From ``backtest_cost``.

    Returns
    -------
    DataFrame
        One row per ``method`` with what ``backtest_summary`` says.
    """
    methods = windows["method"].unique()
    rows = [{"method": method} | backtest_summary(windows[windows["method"] == method]) for method in methods]
    return pd.DataFrame(rows, columns=["method", *backtest_summary(windows)])


def against_budget(projection: pd.DataFrame, budgets: pd.DataFrame, assistant: str = ORGANISATION) -> pd.DataFrame:
    """Put the budget of the whole scope beside the projection of its period.

    Parameters
    ----------
    projection : DataFrame
        One row a period: ``period``, ``last_day``, ``projected``, ``lower_80``, ``upper_80`` (USD).
    budgets : DataFrame
        State of budgets: ``budget``, ``about``, ``period``, ``first_day``, ``last_day``, ``allowed`` (USD).
    assistant : str
        Whose page it is; only budgets about all of it are looked at.

    Returns
    -------
    DataFrame
        The projection with ``budget`` (name), ``allowed`` and ``over`` (USD projected beyond it; null without a
        budget of that very period) and ``outlook`` (in words).

    References
    ----------
    Requirements D4 and E2.
    """
    about = "everything" if assistant == ORGANISATION else f"assistant {assistant}"
    own = budgets[(budgets["about"] == about).to_numpy(bool)].drop_duplicates(["period", "last_day"])
    limits = {(row.period, pd.Timestamp(row.last_day)): row for row in own.itertuples()}
    rows = [limits.get(key) for key in zip(projection["period"], projection["last_day"], strict=True)]
    allowed = pd.Series([float(row.allowed) if row else None for row in rows], projection.index, dtype="float64")
    outlook = projection.assign(
        budget=pd.Series([row.budget if row else None for row in rows], projection.index, dtype=object),
        allowed=allowed,
        over=projection["projected"].astype("float64") - allowed,
    )
    certain, likely, safe = (allowed < outlook["lower_80"], outlook["over"] > 0, allowed >= outlook["upper_80"])
    words = pd.Series("within, though not safely", index=projection.index, dtype=object)
    words = (
        words.mask(likely, "likely over").mask(certain, "over in 9 of 10 cases").mask(safe, "within in 9 of 10 cases")
    )
    return outlook.assign(outlook=words.mask(allowed.isna(), "no budget"))


def outlook_checks(outlook: pd.DataFrame, unpriced: pd.DataFrame) -> pd.DataFrame:
    """Decide whether the budgets hold, and whether the forecast is of the whole cost.

    Parameters
    ----------
    outlook : DataFrame
        From ``against_budget``.
    unpriced : DataFrame
        Models without a price, one a row.

    Returns
    -------
    DataFrame
        Check rows: projected spend against each budget, models without a price.
    """
    held = outlook[outlook["allowed"].notna()]
    rows = [
        check(f"{row.period}_budget_used", row.projected / row.allowed, "<=", 1.0, unit="share", comment=row.outlook)
        for row in held.itertuples()
    ]
    named = ", ".join(unpriced["model"].astype(str))
    comment = f"not in the forecast: {named}" if named else "every model in use has a price"
    return checklist([*rows, check("models_without_a_price", len(unpriced), "<=", 0, unit="models", comment=comment)])


def headline_projection(outlook: pd.DataFrame) -> dict[str, float | None]:
    """Pick the numbers others ask for.

    Parameters
    ----------
    outlook : DataFrame
        From ``against_budget``.

    Returns
    -------
    dict
        ``month_end``, ``month_end_lower_80``, ``month_end_upper_80``, ``next_month``, ``next_quarter``, ``year_end``
        (USD; ``None`` without a forecast).
    """
    rows = outlook.set_index("period")
    places = {
        "month_end": ("month", "projected"),
        "month_end_lower_80": ("month", "lower_80"),
        "month_end_upper_80": ("month", "upper_80"),
        "next_month": ("next_month", "projected"),
        "next_quarter": ("next_quarter", "projected"),
        "year_end": ("year", "projected"),
    }
    return {name: float(rows.loc[place]) if len(rows) else None for name, place in places.items()}
