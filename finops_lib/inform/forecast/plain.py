"""Plain forecasts: what can honestly be said of histories too short, too sparse or too silent for a model."""

from __future__ import annotations

import numpy as np
from scipy.stats import norm

from finops_lib.inform.forecast.model import QUANTILES

_SCORES = norm.ppf(QUANTILES)
_RECENT_WEEKS = 13


def run_rate(known: np.ndarray, horizon_days: int) -> np.ndarray:
    """Carry the average day on, within a wide stated interval.

    Parameters
    ----------
    known : array
        The days so far, not negative.
    horizon_days : int
        Days ahead.

    Returns
    -------
    array, horizon_days × quantiles
        Average × exp(score × s), s² = 0.3² + 0.7² / days known + 0.06² × days ahead.

    Examples
    --------
    >>> run_rate(np.array([10.0]), 30)[[0, 29]].round(1).tolist()
    [[2.2, 3.8, 10.0, 26.6, 44.7], [2.0, 3.5, 10.0, 29.0, 50.8]]
    """
    ahead = np.arange(1, horizon_days + 1)[:, None]
    spread = np.sqrt(0.3**2 + 0.7**2 / len(known) + 0.06**2 * ahead)
    return known.mean() * np.exp(_SCORES * spread)


def stopped(level: float, silent: int, horizon_days: int) -> np.ndarray:
    """Expect nothing after a long silence, and what was usual before should it begin again.

    Parameters
    ----------
    level : float
        Average day before the silence.
    silent : int
        Days without any spend at the end.
    horizon_days : int
        Days ahead.

    Returns
    -------
    array, horizon_days × quantiles
        Zero, but ``level`` for the quantiles above the chance that the silence holds.

    Notes
    -----
    Laplace's rule of succession: after n silent days the next one is silent with probability
    (n + 1) / (n + 2).

    Examples
    --------
    >>> stopped(5.0, 14, 1).tolist()
    [[0.0, 0.0, 0.0, 0.0, 5.0]]
    """
    holds = (silent + 1) / (silent + 2)
    return np.tile(np.where(np.array(QUANTILES) > holds, level, 0.0), (horizon_days, 1))


def by_weekday(values: np.ndarray, horizon_days: int) -> np.ndarray:
    """Expect the average of the same weekday, within what such days have been.

    Parameters
    ----------
    values : array
        Daily history, NaN where unknown; negative days (credits) count.
    horizon_days : int
        Days ahead.

    Returns
    -------
    array, horizon_days × quantiles
        Average of the last 13 same weekdays and their quantiles, the average always inside.
    """
    recent = values[-7 * _RECENT_WEEKS :]
    overall = np.nanmean(recent) if not np.isnan(recent).all() else np.nanmean(values)
    week = np.empty((7, len(QUANTILES)))
    for ahead in range(7):
        same = recent[::-1][6 - ahead :: 7]
        same = same[~np.isnan(same)]
        middle = same.mean() if len(same) else overall
        found = np.quantile(same if len(same) else values[~np.isnan(values)], QUANTILES)
        found[2] = middle
        found[:2], found[3:] = np.minimum(found[:2], middle), np.maximum(found[3:], middle)
        week[ahead] = found
    return week[np.arange(horizon_days) % 7]
