"""Detectors: which days of a driver are unusual, told from the days before, each driver in the way it moves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import pdtrc

from finops_lib.operate.anomalies.baseline import (
    WARM_UP_DAYS,
    fit_baseline,
    largest_before,
    largest_last_year,
    trailing_mean,
    trailing_median,
    usual_distance,
)

CREEP_WINDOWS = (5, 7, 10, 14)
_BASE_DAYS = 28
_LEAST_DAYS = 14
_LARGEST_BUNCH = 16  # calls that come together
_EMPTY_COUNT = 0.5  # stands for no request at all on a log scale
_NOTHING = 0.01  # of the usual: stands for no cost at all


@dataclass(frozen=True)
class Alarms:
    """What a driver's detector found: all arrays one value a day.

    ``kind`` is empty on a day without an alarm; ``size`` is the distance from what was expected (log ratio, or
    difference of a share or count), ``score`` the same in usual distances; ``expected`` is in the driver's unit.
    ``days`` is how many days up to this one made the alarm.
    """

    kind: np.ndarray
    size: np.ndarray
    score: np.ndarray
    expected: np.ndarray
    profile: np.ndarray
    days: np.ndarray


class _Findings:
    """Collects alarms; the first rule that fires on a day names its kind."""

    def __init__(self, length: int) -> None:
        self.kind = np.full(length, "", dtype=object)
        self.size = np.zeros(length)
        self.score = np.zeros(length)
        self.days = np.ones(length, dtype=int)

    def add(self, kind: str, found: np.ndarray, size: np.ndarray, usual: np.ndarray, days: int) -> None:
        first = found & (self.kind == "")
        self.kind[first], self.days[first] = kind, days
        self.size[first] = size[first]
        self.score[first] = (np.abs(size) / usual)[first]

    def done(self, expected: np.ndarray, profile: np.ndarray) -> Alarms:
        self.kind[:WARM_UP_DAYS] = ""
        return Alarms(self.kind, self.size, self.score, expected, profile, self.days)


def volume_alarms(values: np.ndarray, quiet: np.ndarray, *, counted: bool) -> Alarms:
    """Find spikes, new levels and drops of a volume.

    Parameters
    ----------
    values : array
        Requests, or cost, by day.
    quiet : array of bool
        Holidays: judged mildly, and no measure for the days after.
    counted : bool
        Whole things are counted, so that few of them vary by chance (Poisson).

    Returns
    -------
    Alarms
        A spike is one day far above what was expected and above what the last half year has seen; a level
        three or seven ordinary days that stay above; a drop nearly nothing where there was something. A
        fall that leaves a quarter is no alarm: it costs nothing.
    """
    floor = _EMPTY_COUNT if counted else np.fmax(_NOTHING * trailing_median(values, 56, 1), 1e-300)
    base = fit_baseline(np.log(np.maximum(values, floor)), quiet)
    residual = base.residual
    ordinary = np.where(quiet, np.nan, residual)
    expected = np.exp(base.profile + base.level)
    bunch = _bunch(ordinary, expected) if counted else np.zeros(len(values))
    usual = usual_distance(ordinary, _LEAST_DAYS, 0.03)
    findings = _Findings(len(values))
    mild = np.where(quiet, np.log(2.0), np.log(1.6))
    seen = np.fmax(largest_before(ordinary, _LEAST_DAYS), np.where(quiet, largest_last_year(residual), 0.0))
    limit = np.fmax.reduce([3.5 * usual, mild, np.fmin(seen, np.log(2.5))])
    by_chance = np.sqrt(bunch) / 2  # standard deviation of the square root of a count
    moved = np.sqrt(np.maximum(values, 0)) - np.sqrt(expected)
    findings.add("spike", (residual > limit) & (moved > 3.5 * by_chance), residual, usual, 1)
    gone = (residual < np.fmin(np.log(0.25), -5 * usual)) & (moved < -4 * by_chance)
    # a place that is closed on a holiday is no outage; the day after it would be
    findings.add("drop", gone & ~(quiet & ~_yesterday(gone)), residual, usual, 1)
    _add_levels(findings, np.where(quiet, np.nan, base.ordinary), np.sqrt(bunch / expected))
    return findings.done(expected, base.profile)


def _bunch(residual: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """How many calls come together: the variance of a count over its mean, 1 for calls that come alone (Poisson)."""
    spread = usual_distance(residual * np.sqrt(expected), _LEAST_DAYS, 1.0)
    return np.fmin(spread**2, _LARGEST_BUNCH)


def _add_levels(findings: _Findings, ordinary: np.ndarray, chance: np.ndarray) -> None:
    """Find levels: the lowest of the last days is far up too, against the three weeks before them."""
    for days, floor in ((3, 1.22), (7, 1.18)):
        before = trailing_median(ordinary, 21, 10, lag=days)
        rise = trailing_mean(ordinary, days) - before
        lowest = pd.Series(ordinary).dropna().rolling(days).min().reindex(range(len(ordinary))).to_numpy() - before
        usual = np.hypot(usual_distance(rise, 21, 0.03), chance / np.sqrt(days))
        past = np.fmax(largest_before(rise, 21, lag=days, share=0.98), largest_last_year(rise))
        limit = np.fmax.reduce([3.5 * usual, np.full(len(ordinary), np.log(floor)), np.fmin(1.1 * past, np.log(1.3))])
        held = lowest > (0.5 if days == 3 else 0.25) * limit
        findings.add("level", (rise > limit) & held, rise, usual, days)


def unit_alarms(values: np.ndarray, quiet: np.ndarray, weight: np.ndarray, *, smallest: float = 1.3) -> Alarms:
    """Find spikes, new levels and creeping growth of something per request.

    Parameters
    ----------
    values : array
        Tokens or cost per request by day, NaN on a day without requests.
    quiet : array of bool
        Holidays: no measure for the days after.
    weight : array
        Requests of the day: a mean of fewer varies more.
    smallest : float
        Times what was expected that a spike reaches at least.

    Returns
    -------
    Alarms
        Growth only. Creep is found by a window-limited generalised likelihood ratio: the days' innovations
        (what a day adds to a first-order autoregression) held against a ramp that began 5, 7, 10 or 14 days
        ago, which is a CUSUM that knows the shape it looks for.

    References
    ----------
    Lai (1998), Information bounds and quick detection of parameter changes in stochastic systems, IEEE
    Transactions on Information Theory 44(7); Basseville and Nikiforov (1993), Detection of Abrupt Changes.
    """
    base = fit_baseline(_log(values), quiet, level_days=21)
    series = pd.Series(base.ordinary).ffill().to_numpy()
    thin = _thinness(weight)
    findings = _Findings(len(values))
    usual = usual_distance(base.residual / thin, _LEAST_DAYS, 0.02) * thin
    seen = np.fmin(largest_before(base.residual / thin, _LEAST_DAYS) * thin, np.log(2.0))
    limit = np.fmax.reduce([4.5 * usual, np.full(len(values), np.log(smallest)), seen])
    findings.add("spike", base.residual > limit, base.residual, usual, 1)
    rise = pd.Series(series).rolling(2).mean().to_numpy() - trailing_median(series, 21, 10, lag=2)
    usual = usual_distance(rise / thin, 21, 0.02) * thin
    findings.add("level", rise > np.fmax(4.5 * usual, 0.15), rise, usual, 2)
    _add_creep(findings, series, thin)
    return findings.done(np.exp(base.profile + base.level), base.profile)


def _add_creep(findings: _Findings, series: np.ndarray, thin: np.ndarray) -> None:
    level = trailing_median(series, _BASE_DAYS, 10)
    memory = _memory(series - level)
    innovation = (series - level) - memory * (_shift(series, 1) - level)
    usual = usual_distance(innovation / thin, _LEAST_DAYS, 0.01)
    for days in CREEP_WINDOWS:
        if len(series) <= days:
            continue
        before = trailing_median(series, _BASE_DAYS, 10, lag=days)
        window = np.lib.stride_tricks.sliding_window_view(series, days + 1)
        window = np.vstack([np.full((days, days + 1), np.nan), window]) - before[:, None]
        weights = np.lib.stride_tricks.sliding_window_view(np.concatenate([np.full(days - 1, np.nan), thin]), days)
        ramp = np.arange(days + 1.0)
        steps = (window[:, 1:] - memory[:, None] * window[:, :-1]) / weights
        shape = (ramp[1:] - memory[:, None] * ramp[:-1]) / weights
        power = np.sqrt((shape**2).sum(axis=1))
        fit = (steps * shape).sum(axis=1) / power
        slope = fit / power
        grown = slope * days
        # a return from a dip looks like growth day by day, but the last days do not stand above the old level
        stands = np.median(window[:, -3:], axis=1) > grown / 3
        found = (fit > 3.5 * usual) & (grown > 0.06) & (slope > 0.008) & stands
        findings.add("creep", found, grown, usual / power * days, days)


def _memory(residual: np.ndarray) -> np.ndarray:
    """First-order autocorrelation of earlier residuals, between 0 and 0.8."""
    series = pd.Series(residual)
    together = (series * series.shift(1)).rolling(120, min_periods=21).mean()
    alone = (series**2).rolling(120, min_periods=21).mean()
    return (together / alone.where(alone > 0)).clip(0, 0.8).shift(1).fillna(0.5).to_numpy()


def rate_alarms(values: np.ndarray, weight: np.ndarray) -> Alarms:
    """Find dearer tokens: a contract check on what a token costs, for prices do not wander by themselves.

    Parameters
    ----------
    values : array
        USD per token by day, NaN on a day without tokens.
    weight : array
        Requests of the day.

    Returns
    -------
    Alarms
        Rises of a day or two, of kind ``mix``: of at least 8%, and far beyond the usual noise.
    """
    quiet = np.zeros(len(values), dtype=bool)
    base = fit_baseline(_log(values), quiet, level_days=_BASE_DAYS)
    series = pd.Series(base.ordinary).ffill().to_numpy()
    thin = _thinness(weight)
    findings = _Findings(len(values))
    for days in (1, 2):
        rise = pd.Series(series).rolling(days).mean().to_numpy() - trailing_median(series, _BASE_DAYS, 7, lag=days)
        usual = usual_distance(rise / thin, _LEAST_DAYS, 0.005) * thin
        findings.add("mix", rise > np.fmax(5 * usual, 0.08), rise, usual, days)
    return findings.done(np.exp(base.profile + base.level), base.profile)


def share_alarms(values: np.ndarray, weight: np.ndarray, *, falls: bool = False, kind: str = "level") -> Alarms:
    """Find a share of the calls that left its usual place, beyond what chance does with so many calls.

    Parameters
    ----------
    values : array
        Share of the day's calls, from 0 to 1.
    weight : array
        Calls of the day.
    falls : bool
        A fall is the bad news, as of cache hits.
    kind : str
        Name of the finding.

    Returns
    -------
    Alarms
        Changes of at least five points over one or three days.
    """
    share, calls = pd.Series(np.where(weight > 0, values, np.nan)), pd.Series(weight)
    findings = _Findings(len(values))
    expected = trailing_median(share.to_numpy(), _BASE_DAYS, _LEAST_DAYS)
    for days in (1, 3):
        pooled = (share * calls).rolling(days, min_periods=1).sum() / calls.rolling(days, min_periods=1).sum()
        before = trailing_median(share.to_numpy(), _BASE_DAYS, _LEAST_DAYS, lag=days)
        change = (pooled.to_numpy() - before) * (-1 if falls else 1)
        served = calls.rolling(days, min_periods=1).sum().to_numpy()
        # one call more of either kind: a share of nothing has chance too
        centre = np.clip((before * served + 1) / (served + 2), 0, 1)
        chance = np.sqrt(centre * (1 - centre) / np.fmax(served, 1))
        usual = np.hypot(usual_distance(change, _LEAST_DAYS, 0.0), chance)
        findings.add(kind, change > np.fmax(5 * usual, 0.05), change, usual, days)
    return findings.done(expected, np.zeros(len(values)))


def count_alarms(values: np.ndarray) -> Alarms:
    """Find more of something rare than chance allows.

    Parameters
    ----------
    values : array
        How often it happened, by day.

    Returns
    -------
    Alarms
        Days whose count, alone or with the two days before, has a probability under one in ten thousand
        at the mean of the four weeks before (Poisson).
    """
    series = pd.Series(np.nan_to_num(values))
    findings = _Findings(len(values))
    expected = series.shift(1).rolling(_BASE_DAYS, min_periods=_LEAST_DAYS).mean().to_numpy()
    for days in (1, 3):
        seen = series.rolling(days).sum().to_numpy()
        before = series.shift(days).rolling(_BASE_DAYS, min_periods=_LEAST_DAYS)
        # half an event more: four weeks without one do not promise that there will never be one
        usual = (before.sum().to_numpy() + 0.5) / before.count().to_numpy() * days
        rare = pdtrc(np.fmax(seen - 1, 0), usual) < 1e-4  # chance of as many or more
        findings.add("spike", rare & (seen >= 3), seen - usual, np.sqrt(usual), days)
    return findings.done(expected, np.zeros(len(values)))


def _log(values: np.ndarray) -> np.ndarray:
    return np.log(np.where(values > 0, values, np.nan))


def _shift(values: np.ndarray, days: int) -> np.ndarray:
    return pd.Series(values).shift(days).to_numpy()


def _yesterday(found: np.ndarray) -> np.ndarray:
    return np.concatenate([[False], found[:-1]])


def _thinness(weight: np.ndarray) -> np.ndarray:
    """How much more a day's mean varies because the day has fewer requests than usual; at least 1."""
    usual = pd.Series(weight).rolling(_BASE_DAYS, min_periods=1).median().to_numpy()
    return np.sqrt(np.fmax(usual / np.fmax(weight, 1), 1))
