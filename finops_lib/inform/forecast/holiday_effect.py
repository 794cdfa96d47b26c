"""Holiday effect: how much less a public holiday costs, learnt from those in the history."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

import numpy as np
import pandas as pd

from finops_lib.settings import HolidaySettings

_PRIOR_HOLIDAYS = 2.0  # holidays that "like a Sunday" weighs against the holidays seen


def public_holidays(settings: HolidaySettings, first: date, last: date) -> list[date]:
    """List the public holidays of the company.

    Parameters
    ----------
    settings : HolidaySettings
        Country and subdivision.
    first, last : date
        First and last day to look at.

    Returns
    -------
    list of date
        Holidays in order; empty without a country.

    Examples
    --------
    >>> germany = HolidaySettings(country="DE")
    >>> [str(day) for day in public_holidays(germany, date(2026, 12, 1), date(2026, 12, 31))]
    ['2026-12-25', '2026-12-26']
    """
    if settings.country is None:
        return []
    from holidays import country_holidays  # slow to load: only who names a country waits for it

    years = range(first.year, last.year + 1)
    found = country_holidays(settings.country, subdiv=settings.subdivision, years=years)
    return sorted(day for day in found if first <= day <= last)


def without_holidays(history: pd.Series, holidays: Iterable[date]) -> pd.Series:
    """Make the holidays of a history unknown, so that they tell nothing of ordinary days."""
    return history.mask(history.index.isin(pd.DatetimeIndex(list(holidays))))


def holiday_factors(history: pd.Series, days: pd.DatetimeIndex, holidays: Iterable[date]) -> np.ndarray:
    """Estimate the factor of a holiday against the ordinary day it replaces.

    Parameters
    ----------
    history : Series
        Daily values, NaN where unknown, not negative.
    days : DatetimeIndex
        Days to forecast.
    holidays : iterable of date
        Public holidays in both.

    Returns
    -------
    array, days
        One on ordinary days and at weekends.

    Notes
    -----
    The median log-ratio of past holidays to the same weekdays two weeks around them, drawn towards "a holiday
    is like a Sunday" by the weight of two holidays.
    """
    off = pd.DatetimeIndex(list(holidays))
    ordinary = without_holidays(history, off)
    smallest = 0.02 * ordinary.mean()
    usual = pd.concat([ordinary.shift(shift) for shift in (-14, -7, 7, 14)], axis=1).median(axis=1)
    seen = history.index.isin(off) & (history.index.day_of_week < 5) & (history + usual).notna()
    ratios = np.log((history[seen] + smallest) / (usual[seen] + smallest))
    by_weekday = ordinary.groupby(ordinary.index.day_of_week).mean().reindex(range(7))
    like_sunday = np.log((by_weekday[6] + smallest) / (by_weekday[:5].mean() + smallest))
    prior = min(0.0, like_sunday) if np.isfinite(like_sunday) else 0.0
    middle = ratios.median() if len(ratios) else 0.0
    effect = (len(ratios) * middle + _PRIOR_HOLIDAYS * prior) / (len(ratios) + _PRIOR_HOLIDAYS)
    return np.where(days.isin(off) & (days.day_of_week < 5), np.exp(effect), 1.0)
