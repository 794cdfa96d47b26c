"""Forecast: the days ahead of a daily series, with intervals that were held against its own past."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date

import numpy as np
import pandas as pd

from finops_lib.errors import SchemaError
from finops_lib.inform.forecast.fan import Fan, forecast_fan
from finops_lib.inform.forecast.intervals import at_scores, level_bounds
from finops_lib.inform.forecast.model import LONGEST_HORIZON, PanelModel

# The level is off from the start by as much as it wanders in ten days; a day's own error weighs twelve days of it.
_LEVEL_DAYS, _OWN_DAYS = 10, 12
_DAY_MEMORY = 0.5  # correlation of the day's own error with that of the next day


def forecast_daily(
    series: pd.Series,
    horizon_days: int,
    levels: Sequence[float] = (80, 95),
    panel: PanelModel | None = None,
    *,
    holidays: Collection[date] | None = None,
) -> pd.DataFrame:
    """Forecast each of the next days with its intervals.

    Parameters
    ----------
    series : Series
        Daily values with a DatetimeIndex, in any unit and order; missing days and NaN are unknown, zeros are
        zeros, rows of one day are added up, and of a time zone only the local day counts. The latest row is the
        origin.
    horizon_days : int
        Days ahead, 1 to 366.
    levels : sequence of float
        Coverage of the intervals in percent.
    panel : PanelModel, optional
        Another model than the one all forecasts share, which is fitted once in a process or adopted.
    holidays : collection of date, optional
        Public holidays in the history and the horizon, from ``public_holidays``.

    Returns
    -------
    DataFrame
        One row a day after the last of the series, in its unit: ``mean`` (the middle: half of the
        probability of that day on each side, so no average), and
        ``lower_80``, ``upper_80`` … for each level. lower ≤ mean ≤ upper, never negative for a series that is not.
        ``attrs["notes"]`` says in sentences what is odd about the history.

    Raises
    ------
    SchemaError
        If the series has no dates or no value, or horizon or levels are out of range.

    Notes
    -----
    Quantile gradient boosting, direct for each horizon and shared by all series, blended with the weekday naive
    by how exact each has been on the series; intervals are widened or narrowed by conformal calibration over
    rolling origins. Fewer than 14 days: the run-rate within a wide interval.

    References
    ----------
    Requirement D3.
    """
    _check(horizon_days, levels)
    fan = forecast_fan(series, horizon_days, holidays, panel)
    bounds = level_bounds(fan.quantiles, levels)
    columns = {"mean": fan.quantiles[:, 2]}
    for level, (lower, upper) in zip(levels, bounds, strict=True):
        columns |= {f"lower_{level:g}": lower, f"upper_{level:g}": upper}
    forecast = pd.DataFrame(columns, index=fan.days)
    forecast.attrs["notes"] = fan.notes
    return forecast


def sample_paths(series: pd.Series, horizon_days: int, count: int) -> np.ndarray:
    """Draw possible courses of the next days, for sums and other questions about several days together.

    Parameters
    ----------
    series : Series
        As in ``forecast_daily``.
    horizon_days : int
        Days ahead, 1 to 366.
    count : int
        Courses to draw.

    Returns
    -------
    array, count × horizon_days
        Values in the unit of the series, the same at each call; each day is distributed as ``forecast_daily`` says.

    Raises
    ------
    SchemaError
        As in ``forecast_daily``.

    Notes
    -----
    Errors of neighbouring days go together: part of them is the level's, which wanders on from day to day, part
    is the day's own with a short memory. A Gaussian copula carries that over to the days' distributions, so that
    the interval of a sum is neither the sum of intervals nor that of independent days.

    References
    ----------
    Requirement D4.
    """
    _check(horizon_days, ())
    return draw_paths(forecast_fan(series, horizon_days), count)


def draw_paths(fan: Fan, count: int) -> np.ndarray:
    """Draw courses from a fan; see ``sample_paths``."""
    return at_scores(fan.quantiles, path_scores(len(fan.days), count))


def path_scores(horizon_days: int, count: int, seed: int | Sequence[int] = 0) -> np.ndarray:
    """Draw courses of standard normal scores, days together as in ``sample_paths``; count × days.

    The first course stays in the middle, and each other one has its mirror image: of an odd count the middle is
    exact. The same courses go on over a longer horizon, so that two periods rest on one simulation.

    Examples
    --------
    >>> bool(np.array_equal(path_scores(3, 4), path_scores(9, 4)[:, :3]))
    True
    """
    random = np.random.default_rng(seed)
    ahead = np.arange(1, horizon_days + 1)
    steps, own = random.normal(size=(horizon_days, 2, count // 2)).transpose(1, 2, 0)
    steps[:, 0] *= np.sqrt(1 + _LEVEL_DAYS)
    level = np.cumsum(steps, axis=1) / np.sqrt(ahead + _LEVEL_DAYS)
    for day in range(1, horizon_days):
        own[:, day] = _DAY_MEMORY * own[:, day - 1] + np.sqrt(1 - _DAY_MEMORY**2) * own[:, day]
    share = (ahead + _LEVEL_DAYS) / (ahead + _LEVEL_DAYS + _OWN_DAYS)
    scores = np.sqrt(share) * level + np.sqrt(1 - share) * own
    return np.concatenate([np.zeros((1, horizon_days)), scores, -scores])[:count]


def running_totals(paths: np.ndarray) -> np.ndarray:
    """Add courses up day by day; the middle of each total is the sum of the days' middles.

    Notes
    -----
    The skew of the days and how they go together are known less well than their middles: they make a total less
    sure without moving it, so that a constant stays one and the days shown add up to the total shown.

    Examples
    --------
    >>> np.median(running_totals(np.array([[1.0, 9.0], [2.0, 1.0], [9.0, 3.0]])), axis=0).tolist()
    [2.0, 5.0]
    """
    totals = np.cumsum(paths, axis=1)
    middle = np.median(totals, axis=0)
    return totals * np.divide(np.cumsum(np.median(paths, axis=0)), middle, out=np.ones_like(middle), where=middle > 0)


def path_summary(paths: np.ndarray, days: pd.DatetimeIndex, levels: Sequence[float]) -> pd.DataFrame:
    """Read the middle (``mean``, as in ``forecast_daily``) and the bounds of each day off sampled courses."""
    bounds = {"mean": np.median(paths, axis=0)}
    for level in levels:
        lower, upper = np.quantile(paths, [(100 - level) / 200, (100 + level) / 200], axis=0)
        bounds |= {f"lower_{level:g}": lower, f"upper_{level:g}": upper}
    return pd.DataFrame(bounds, index=days)


def _check(horizon_days: int, levels: Sequence[float]) -> None:
    if not 1 <= horizon_days <= LONGEST_HORIZON:
        message = f"horizon_days is {horizon_days}, expected 1 to {LONGEST_HORIZON}"
        raise SchemaError(message, hint="forecast a year at most; a plan beyond that is a scenario")
    wrong = [level for level in levels if not 0 < level < 100]
    if wrong:
        message = f"levels holds {wrong[0]}, expected percent between 0 and 100"
        raise SchemaError(message, hint="write 80 for an interval that covers 80% of the days")
