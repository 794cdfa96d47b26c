"""Forecast features: a history and a horizon as numbers that mean the same for a small and a large assistant."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np

CONTEXT_DAYS = 371  # 53 weeks: the same weekday and the same date of last year are both inside
_WEEKS = CONTEXT_DAYS // 7
_FLOOR = 0.05  # of the average day, added before taking logarithms so that quiet days stay finite
_LAST_YEAR = 364


@dataclass(frozen=True)
class Design:
    """What the model sees, one row a history and horizon.

    Attributes
    ----------
    features : array, rows × features
        Scale-free, NaN where the history is too short.
    base : array, rows
        Logarithm of the day's expectation from weekday and level alone, relative to ``scale``.
    scale : array, rows
        Average day of the last four weeks, in units of the series.
    rivals : array, rows × 2
        What two plain rules say, as log-ratios to ``base`` (zero where unknown): the same weekday of the last
        week, and the usual level of the last four weeks with the weekday profile.
    """

    features: np.ndarray
    base: np.ndarray
    scale: np.ndarray
    rivals: np.ndarray

    def to_logs(self, values: np.ndarray) -> np.ndarray:
        """Express values as log-ratios to the base."""
        return np.clip(np.log(np.maximum(values / self.scale, 0) + _FLOOR) - self.base, -4, 4)

    def to_values(self, logs: np.ndarray) -> np.ndarray:
        """Turn log-ratios (rows × quantiles) back into values that are not negative."""
        return np.maximum(np.exp(logs + self.base[:, None]) - _FLOOR, 0) * self.scale[:, None]


def aligned(values: np.ndarray) -> np.ndarray:
    """Cut or fill a history to ``CONTEXT_DAYS``, ending on its last day."""
    kept = np.asarray(values, dtype=float)[-CONTEXT_DAYS:]
    return np.concatenate([np.full(CONTEXT_DAYS - len(kept), np.nan), kept])


def design(histories: np.ndarray, last_weekdays: np.ndarray, horizons: np.ndarray) -> Design:
    """Describe each history and each of its horizons.

    Parameters
    ----------
    histories : array, windows × CONTEXT_DAYS
        Daily values up to the origin, NaN where unknown; each with a positive value.
    last_weekdays : array, windows
        Weekday of the last day, Monday = 0.
    horizons : array of int, windows × horizons
        Days ahead, from 1.

    Returns
    -------
    Design
        windows × horizons rows, horizons of one window together.

    Notes
    -----
    Values are divided by the average day of the last four weeks; a robust weekday profile of the last eight
    weeks is taken out on the log scale; what is left is described by levels over nested windows, slopes,
    scatter and memory. Last year's same weekday and same date tell of holidays and seasons.
    """
    steps = horizons.shape[1]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # means and medians of windows without any known day
        back = histories[:, ::-1]
        scale = _scale(back)
        relative = back / scale[:, None]
        profile, profile_scatter = _weekday_profile(relative)
        calm = np.log(np.maximum(relative, 0) + _FLOOR) - np.tile(profile, (1, _WEEKS))
        level = _level(calm)
        origin = _origin_features(relative, calm, level, profile, profile_scatter)
        pace = np.repeat(np.nanmedian(calm[:, :28], axis=1) - level, steps)
        target, base, last_week = _target_features(relative, calm, level, profile, last_weekdays, horizons)
    features = np.column_stack([np.repeat(origin, steps, axis=0), target]).astype(np.float32)
    rivals = np.nan_to_num(np.column_stack([last_week, pace]))
    return Design(features, base, np.repeat(scale, steps), rivals)


def _scale(back: np.ndarray) -> np.ndarray:
    recent, ever = np.nanmean(back[:, :28], axis=1), np.nanmean(back, axis=1)
    return np.where(recent > 0, recent, np.where(ever > 0, ever, 1.0))


def _weekday_profile(relative: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Estimate the log factor of each day of the week, counted back from the last day, and its scatter."""
    weeks = relative[:, :56].reshape(len(relative), 8, 7)
    logs = np.log(np.clip((weeks + _FLOOR) / (np.nanmean(weeks, axis=2, keepdims=True) + _FLOOR), 0.02, 50))
    middle = np.nanmedian(logs, axis=1, keepdims=True)
    weights = 0.85 ** np.arange(8)[None, :, None] * ~np.isnan(logs)
    near = np.nan_to_num(np.clip(logs, middle - 0.3, middle + 0.3))
    profile = (near * weights).sum(axis=1) / np.maximum(weights.sum(axis=1), 1e-9)
    profile -= np.log(np.exp(profile).mean(axis=1, keepdims=True))
    return profile, np.nanmean(np.nanstd(logs, axis=1), axis=1)


def _level(calm: np.ndarray) -> np.ndarray:
    fast, slow = _fading_mean(calm, 0.35), _fading_mean(calm, 0.1)
    level = np.nanmedian(np.column_stack([slow, np.nanmedian(calm[:, :14], axis=1), fast]), axis=1)
    return np.where(np.isnan(level), 0.0, level)


def _fading_mean(calm: np.ndarray, rate: float, days: int = 91) -> np.ndarray:
    known = ~np.isnan(calm[:, :days])
    weights = (1 - rate) ** np.arange(days) * known
    total = weights.sum(axis=1)
    mean = (np.nan_to_num(calm[:, :days]) * weights).sum(axis=1) / np.maximum(total, 1e-9)
    return np.where(total > 0, mean, np.nan)


def _origin_features(
    relative: np.ndarray, calm: np.ndarray, level: np.ndarray, profile: np.ndarray, profile_scatter: np.ndarray
) -> np.ndarray:
    """Describe the history at its origin: levels, slopes, scatter, memory."""

    def mean_log(start: int, end: int) -> np.ndarray:
        return np.log(np.nanmean(relative[:, start:end], axis=1) + _FLOOR) - level

    spans = ((0, 7), (7, 14), (28, 56), (56, 91), (91, 182), (182, _LAST_YEAR))
    weekly = np.log(np.nanmean(relative.reshape(len(relative), _WEEKS, 7), axis=2) + _FLOOR)
    against_last_week = np.abs(relative[:, :91] - relative[:, 7:98])
    day_to_day = np.abs(calm[:, :28] - calm[:, 1:29])
    columns = [
        np.log((~np.isnan(relative)).sum(axis=1)),
        *(mean_log(start, end) for start, end in spans),
        *(_fading_mean(calm, rate, days) - level for rate, days in ((0.1, 91), (0.35, 91), (0.03, 182))),
        np.nanmedian(calm[:, :28], axis=1) - level,
        calm[:, 0] - level,
        calm[:, 1] - level,
        np.nanmean(calm[:, :3], axis=1) - level,
        _deviation(calm[:, :28]),
        _deviation(calm[:, :91]),
        np.nanstd(calm[:, :28], axis=1),
        np.nanstd(calm[:, :91], axis=1),
        np.nanmedian(day_to_day, axis=1),
        np.nanmean(against_last_week[:, :28], axis=1),
        np.nanmean(against_last_week, axis=1),
        np.nanstd(weekly[:, :8], axis=1),
        np.nanstd(weekly[:, :26], axis=1),
        np.nanmedian(np.abs(np.diff(weekly[:, :27], axis=1)), axis=1),
        *(_slope(calm[:, :days]) for days in (28, 91, 182)),
        *(_memory(calm[:, :days], lag) for days, lag in ((91, 1), (91, 7), (182, 28))),
        profile.max(axis=1) - profile.min(axis=1),
        profile_scatter,
        np.nanmax(calm[:, :28], axis=1) - level,
        np.nanmin(calm[:, :28], axis=1) - level,
        np.nanmax(calm[:, :91], axis=1) - level,
        (relative[:, :91] <= 0).mean(axis=1),
    ]
    return np.column_stack(columns)


def _deviation(calm: np.ndarray) -> np.ndarray:
    return np.nanmedian(np.abs(calm - np.nanmedian(calm, axis=1, keepdims=True)), axis=1)


def _slope(calm: np.ndarray) -> np.ndarray:
    """Fit a straight line through the known days; change a day."""
    known = ~np.isnan(calm)
    counted = np.maximum(known.sum(axis=1, keepdims=True), 1)
    ago = np.arange(calm.shape[1]) * known
    offset = (ago - ago.sum(axis=1, keepdims=True) / counted) * known
    centred = np.nan_to_num(calm - np.nan_to_num(calm).sum(axis=1, keepdims=True) / counted)
    return -(offset * centred).sum(axis=1) / np.maximum((offset**2).sum(axis=1), 1e-9)


def _memory(calm: np.ndarray, lag: int) -> np.ndarray:
    """Correlate the days with those ``lag`` days before."""
    centred = np.nan_to_num(np.clip(calm - np.nanmedian(calm, axis=1, keepdims=True), -2, 2))
    return (centred[:, lag:] * centred[:, :-lag]).sum(axis=1) / np.maximum((centred**2).sum(axis=1), 1e-6)


def _target_features(
    relative: np.ndarray,
    calm: np.ndarray,
    level: np.ndarray,
    profile: np.ndarray,
    last_weekdays: np.ndarray,
    horizons: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Describe the day to be forecast: its weekday, the same weekday before, the same day last year."""
    place = -horizons % 7
    weeks = relative.reshape(len(relative), _WEEKS, 7)
    on_weekday = np.take_along_axis(profile, place, axis=1)
    base = level[:, None] + on_weekday

    def against_base(week: np.ndarray) -> np.ndarray:
        return np.log(np.maximum(np.take_along_axis(week, place, axis=1), 0) + _FLOOR) - base

    last_week = against_base(weeks[:, 0])
    same_weekday, same_date = _days_ago(calm, _LAST_YEAR - horizons), _days_ago(calm, _LAST_YEAR + 1 - horizons)
    week, month = _around(calm, _LAST_YEAR - horizons, 3), _around(calm, _LAST_YEAR - horizons, 14)
    then = _around(calm, np.full_like(horizons, _LAST_YEAR - 7), 7)
    columns = [
        horizons,
        (last_weekdays[:, None] + horizons) % 7,
        on_weekday,
        last_week,
        against_base(weeks[:, 1]),
        against_base(np.nanmedian(weeks[:, :4], axis=1)),
        against_base(np.nanmedian(weeks, axis=1)),
        same_weekday - then,
        week - then,
        month - then,
        same_weekday - week,
        same_date - week,
        np.fmin(same_weekday, same_date) - week,
    ]
    return np.column_stack([np.asarray(column, float).ravel() for column in columns]), base.ravel(), last_week.ravel()


def _days_ago(calm: np.ndarray, ago: np.ndarray) -> np.ndarray:
    inside = (ago >= 0) & (ago < CONTEXT_DAYS)
    return np.where(inside, np.take_along_axis(calm, np.clip(ago, 0, CONTEXT_DAYS - 1), axis=1), np.nan)


def _around(calm: np.ndarray, ago: np.ndarray, reach: int) -> np.ndarray:
    """Average the days within ``reach`` of a day; NaN where too few of them are known."""
    start, end = np.clip(ago - reach, 0, CONTEXT_DAYS), np.clip(ago + reach + 1, 0, CONTEXT_DAYS)
    nothing = np.zeros((len(calm), 1))
    sums = np.concatenate([nothing, np.cumsum(np.nan_to_num(calm), axis=1)], axis=1)
    known = np.concatenate([nothing, np.cumsum(~np.isnan(calm), axis=1)], axis=1)
    counted = np.take_along_axis(known, end, axis=1) - np.take_along_axis(known, start, axis=1)
    total = np.take_along_axis(sums, end, axis=1) - np.take_along_axis(sums, start, axis=1)
    return np.where(counted >= np.maximum(0.6 * (end - start), 3), total / np.maximum(counted, 1), np.nan)
