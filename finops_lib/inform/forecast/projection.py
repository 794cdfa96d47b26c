"""Projection: where month, next quarter and year end, from what is spent and what is still to come."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date

import numpy as np
import pandas as pd

from finops_lib.errors import SchemaError
from finops_lib.inform.forecast.daily import draw_paths, running_totals
from finops_lib.inform.forecast.daily_history import daily_values
from finops_lib.inform.forecast.fan import forecast_fan

_PATHS = 2001
_RUN_RATE_DAYS = 28


def project(
    series: pd.Series,
    as_of: date,
    *,
    levels: Sequence[float] = (80, 95),
    holidays: Collection[date] | None = None,
    periods: Sequence[str] = ("month", "next_quarter", "year"),
    year_start: int = 1,
) -> pd.DataFrame:
    """Project the running month, the next quarter and the running year.

    Parameters
    ----------
    series : Series
        Daily values with a DatetimeIndex; days after ``as_of`` are not looked at.
    as_of : date
        Last complete day.
    levels : sequence of float
        Coverage of the intervals in percent.
    holidays : collection of date, optional
        As in ``forecast_daily``.
    periods : sequence of {"month", "next_month", "quarter", "next_quarter", "year"}
        What to project, one row each.
    year_start : int
        First month of the financial year; quarters follow it.

    Returns
    -------
    DataFrame
        ``period``, ``first_day``, ``last_day``, ``days_known`` (days of the period with a value), ``days_ahead``,
        ``actual`` (spent in the period so far), ``projected`` = actual + what the days ahead cost together in the
        middle of the sampled courses (half of them cost more), ``lower_80``, ``upper_80`` … of the same sums, and
        ``run_rate`` (actual + the days ahead at the pace of the period so far, or of the last four weeks where it has
        not begun). Money in the unit of the series. The next quarter's
        row is a budget proposal. ``attrs["notes"]`` as in ``forecast_daily``.

    Raises
    ------
    SchemaError
        If the series has nothing up to ``as_of``.

    Notes
    -----
    Middle and intervals are those of sums over sampled courses; see ``running_totals``.

    References
    ----------
    Requirement D4.
    """
    history = _until(series, as_of)
    horizon = days_to_project(history.index[-1], as_of, periods, year_start)
    fan = forecast_fan(history, horizon, holidays)
    paths = draw_paths(fan, _PATHS)
    projection = project_paths(history, paths, as_of, levels=levels, periods=periods, year_start=year_start)
    projection.attrs["notes"] = fan.notes
    return projection


def days_to_project(last_known: date, as_of: date, periods: Sequence[str], year_start: int) -> int:
    """Return the days from the last known one to the end of the last period; at least one."""
    ends = [_span(period, pd.Timestamp(as_of), year_start)[1] for period in periods]
    return max(1, *((end - pd.Timestamp(last_known)).days for end in ends))


def project_paths(
    history: pd.Series,
    paths: np.ndarray,
    as_of: date,
    *,
    levels: Sequence[float],
    periods: Sequence[str],
    year_start: int,
) -> pd.DataFrame:
    """Add what is known to courses (draws × days) of the days after the last known one. See ``project``."""
    rows = []
    coming = pd.date_range(history.index[-1] + pd.Timedelta(days=1), periods=paths.shape[1])
    for period in periods:
        first, last = _span(period, pd.Timestamp(as_of), year_start)
        known = history[first:last].dropna()
        ahead = (coming >= first) & (coming <= last)
        actual = known.sum()
        sums = actual + (running_totals(paths[:, ahead])[:, -1] if ahead.any() else np.zeros(1))
        pace = known.mean() if len(known) else history.iloc[-_RUN_RATE_DAYS:].mean()
        row = {
            "period": period,
            "first_day": first,
            "last_day": last,
            "days_known": len(known),
            "days_ahead": int(ahead.sum()),
            "actual": actual,
            "projected": np.median(sums),
        }
        for level in levels:
            row[f"lower_{level:g}"], row[f"upper_{level:g}"] = np.quantile(
                sums, [(100 - level) / 200, (100 + level) / 200]
            )
        rows.append(row | {"run_rate": actual + (pace * ahead.sum() if ahead.any() else 0.0)})
    return pd.DataFrame(rows)


def _until(series: pd.Series, as_of: date) -> pd.Series:
    history = daily_values(series)[: pd.Timestamp(as_of)]
    if history.empty:
        message = f"the series has no value up to {as_of}"
        raise SchemaError(message, hint="choose a later as_of, or give the days before it")
    return history


def _span(period: str, as_of: pd.Timestamp, year_start: int) -> tuple[pd.Timestamp, pd.Timestamp]:
    """Return first and last day of a period.

    Examples
    --------
    >>> [str(day.date()) for day in _span("next_quarter", pd.Timestamp("2026-09-12"), 2)]
    ['2026-11-01', '2027-01-31']
    """
    month = as_of.to_period("M")
    into_year = (month.month - year_start) % 12
    first, months = {
        "month": (month, 1),
        "next_month": (month + 1, 1),
        "quarter": (month - into_year % 3, 3),
        "next_quarter": (month + (3 - into_year % 3), 3),
        "year": (month - into_year, 12),
    }[period]
    return first.start_time, (first + (months - 1)).end_time.normalize()
