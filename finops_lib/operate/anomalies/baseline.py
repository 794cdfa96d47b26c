"""Baseline: what a driver should be on a day, told from the days before it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cache

import numpy as np
import pandas as pd

WEEK = 7
LEVEL_DAYS = 14
PROFILE_WEEKS = 8
HISTORY_DAYS = 180
WARM_UP_DAYS = 28
NORMAL = 1.4826  # median absolute deviation → standard deviation of a normal distribution


@dataclass(frozen=True)
class Baseline:
    """A driver on a log scale beside what was expected of it: all arrays one value a day."""

    value: np.ndarray
    profile: np.ndarray
    level: np.ndarray

    @property
    def ordinary(self) -> np.ndarray:
        """The driver without its weekdays."""
        return self.value - self.profile

    @property
    def residual(self) -> np.ndarray:
        """How far the day is from what was expected, as a log ratio."""
        return self.ordinary - self.level


def quiet_days(days: pd.DatetimeIndex, country: str | None = None, subdivision: str | None = None) -> np.ndarray:
    """Mark the days on which traffic says little: public holidays, the days beside them, the turn of the year.

    Parameters
    ----------
    days : DatetimeIndex
        Days to judge.
    country : str, optional
        Country of the calendar (ISO 3166 code). Without it the holidays of the United States and the closing
        days of the euro area's payment system stand for an unknown one.
    subdivision : str, optional
        State or region of that country.

    Returns
    -------
    array of bool
        True on a quiet day.

    Examples
    --------
    >>> quiet_days(pd.DatetimeIndex(["2026-11-26", "2026-12-28", "2026-10-14"]), "US").tolist()
    [True, True, False]
    """
    if not len(days):
        return np.zeros(0, dtype=bool)
    off = pd.DatetimeIndex(sorted(_days_off(days.min().year, days.max().year, country, subdivision)))
    one = pd.Timedelta(days=1)
    quiet = days.isin(off) | days.isin(off - one) | days.isin(off + one)
    turn_of_year = ((days.month == 12) & (days.day >= 20)) | ((days.month == 1) & (days.day <= 3))
    thanksgiving = (days.month == 11) & (days.day >= 21) & (days.day <= 29)
    return np.asarray(quiet | turn_of_year | (thanksgiving if country in (None, "US") else False))


@cache
def _days_off(first: int, last: int, country: str | None, subdivision: str | None) -> tuple[date, ...]:
    import holidays  # slow to load, and most commands need no calendar

    years = range(first - 1, last + 2)
    if country is not None:
        return tuple(holidays.country_holidays(country, subdiv=subdivision, years=years))
    euro_area = holidays.financial_holidays("ECB", years=years)
    return tuple({*holidays.country_holidays("US", years=years), *euro_area})


def fit_baseline(value: np.ndarray, quiet: np.ndarray, *, level_days: int = LEVEL_DAYS) -> Baseline:
    """Tell each day's expected value from the days before it, robustly.

    Parameters
    ----------
    value : array
        The driver on a log scale, NaN where it is not known.
    quiet : array of bool
        Days that must not shape what is expected.
    level_days : int
        Days whose median is the level.

    Returns
    -------
    Baseline
        Weekday profile (median of the same weekday's distance from its week, last eight weeks, shrunk to
        nothing where it is no more than noise) and level (median of the days before). Both use earlier
        days only.
    """
    known = np.where(quiet, np.nan, value)
    profile = _weekday_profile(known)
    level = pd.Series(trailing_median(known - profile, level_days, 5)).ffill().to_numpy()
    return Baseline(value, profile, level)


def trailing_median(values: np.ndarray, days: int, least: int, *, lag: int = 1) -> np.ndarray:
    """Take the median of ``days`` values that end ``lag`` days before each day; NaN with fewer than ``least``."""
    return pd.Series(values).shift(lag).rolling(days, min_periods=least).median().to_numpy()


def trailing_mean(values: np.ndarray, days: int) -> np.ndarray:
    """Take the mean of the last ``days`` known values, the day itself included; NaN on a day without a value."""
    known = pd.Series(values).dropna()
    return known.rolling(days).mean().reindex(range(len(values))).to_numpy()


def usual_distance(residual: np.ndarray, least: int, floor: float) -> np.ndarray:
    """Scale of earlier residuals: their median absolute size, as a normal standard deviation, at least ``floor``.

    From few residuals it is not known well, and taken larger: by half with six, by a tenth with thirty.
    """
    known = pd.Series(residual).shift(1).rolling(HISTORY_DAYS, min_periods=1).count().to_numpy()
    scale = NORMAL * trailing_median(np.abs(residual), HISTORY_DAYS, least)
    return np.fmax(scale, floor) * (1 + 3 / np.fmax(known, 1))


def largest_before(residual: np.ndarray, least: int, lag: int = 1, share: float = 0.995) -> np.ndarray:
    """Return the size that residuals of the last half year reached before, one exception apart."""
    before = pd.Series(residual).shift(lag).rolling(HISTORY_DAYS, min_periods=least)
    return before.quantile(share).to_numpy()


def largest_last_year(residual: np.ndarray) -> np.ndarray:
    """Return the size that residuals reached within ten days of the same day a year (52 weeks) ago."""
    return pd.Series(residual).shift(52 * WEEK - 10).rolling(21, min_periods=1).max().to_numpy()


def _weekday_profile(known: np.ndarray) -> np.ndarray:
    """Distance of each weekday from its week, from weeks that were complete when the day began."""
    filled = known.copy()
    for weekday in range(WEEK):
        filled[weekday::WEEK] = pd.Series(known[weekday::WEEK]).ffill().to_numpy()
    # the centred week of a day seven days ago ended four days ago
    distance = filled - pd.Series(filled).rolling(WEEK, center=True).median().to_numpy()
    profile = np.zeros(len(known))
    for weekday in range(WEEK):
        same = pd.Series(distance[weekday::WEEK]).shift(1)
        profile[weekday::WEEK] = same.rolling(PROFILE_WEEKS, min_periods=1).median().to_numpy()
    noise = usual_distance(pd.Series(distance).shift(WEEK).to_numpy() - profile, WEEK, 0.0)
    spread = pd.Series(profile).rolling(WEEK).var(ddof=0).to_numpy()
    # the median of eight values has π/2 ÷ 8 of their variance
    with np.errstate(divide="ignore", invalid="ignore"):
        weight = 1 - np.pi / 2 / PROFILE_WEEKS * noise**2 / spread
    return np.nan_to_num(profile) * np.clip(np.nan_to_num(weight, nan=1.0, neginf=0.0), 0, 1)
