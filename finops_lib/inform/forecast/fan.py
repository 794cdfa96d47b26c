"""Forecast fan: the distribution of each future day of one series, whatever its history is like."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from finops_lib.inform.forecast.daily_history import daily_values, silent_days
from finops_lib.inform.forecast.features import CONTEXT_DAYS
from finops_lib.inform.forecast.holiday_effect import holiday_factors, without_holidays
from finops_lib.inform.forecast.intervals import fan_values
from finops_lib.inform.forecast.model import MIN_HISTORY_DAYS, PanelModel, fit_panel
from finops_lib.inform.forecast.plain import by_weekday, run_rate, stopped

_SILENT_DAYS = 14  # zero days at the end from which on a series may have ended
_SPARSE_SHARE = 0.5  # of zero days: from here on a typical day says nothing about the sum
_CREDIT_SHARE = 0.1  # of negative days: from here on they are the rule, not a correction
_SHIFT = 0.2  # log-ratio to the week before: a smaller step is no news
_RECENT_DAYS = 91


@dataclass(frozen=True)
class Fan:
    """Distribution of each day ahead.

    Attributes
    ----------
    days : DatetimeIndex
        The days after the last one of the history.
    quantiles : array, days × quantiles
        The ``QUANTILES`` of each day in units of the series, rising; the middle one is the forecast.
    notes : list of str
        What a reader has to know about the history, in sentences.
    """

    days: pd.DatetimeIndex
    quantiles: np.ndarray
    notes: list[str]


def forecast_fan(
    series: pd.Series, horizon_days: int, holidays: Collection[date] | None = None, model: PanelModel | None = None
) -> Fan:
    """Forecast the distribution of each day ahead.

    Parameters
    ----------
    series : Series
        Daily values with a DatetimeIndex.
    horizon_days : int
        Days ahead.
    holidays : collection of date, optional
        Public holidays in the history and the horizon.
    model : PanelModel, optional
        Without it the one of ``fit_panel`` or ``adopt_model``.

    Returns
    -------
    Fan
        Of the model; of a plainer rule, with a note, where the history is too short, sparse or has ended.
    """
    history = daily_values(series)
    days = pd.date_range(history.index[-1] + pd.Timedelta(days=1), periods=horizon_days, freq="D")
    plain = _plain(history.to_numpy(), horizon_days)
    if plain is not None:
        return Fan(days, plain[0], [plain[1]])
    notes = _oddities(history)
    used = history.where(history >= 0)[history.gt(0).idxmax() :][-CONTEXT_DAYS:]
    factors, learned = 1.0, used
    if holidays:
        factors = holiday_factors(used, days, holidays)[:, None]
        learned = without_holidays(used, holidays)
    quantiles = fan_values(model or fit_panel(), learned.to_numpy(), used.index[-1].day_of_week, horizon_days) * factors
    if used.min() == used.max():
        quantiles = np.maximum(quantiles + (used.max() - quantiles[:, 2:3]), 0)
        notes.append(f"Every day so far was {used.max():,.6g}: the forecast is that value.")
    return Fan(days, quantiles, notes)


def _plain(values: np.ndarray, horizon_days: int) -> tuple[np.ndarray, str] | None:
    """Forecast histories that no model can carry; ``None`` for all others."""
    known = values[~np.isnan(values)]
    recent = values[-_RECENT_DAYS:][~np.isnan(values[-_RECENT_DAYS:])]
    if (known < 0).mean() > _CREDIT_SHARE or (recent.mean() if len(recent) else known.mean()) < 0:
        note = "Many days are negative (credits): each day is forecast as the average of its weekday."
        return by_weekday(values, horizon_days), note
    spent = np.maximum(known, 0)
    if not spent.any():
        return np.zeros((horizon_days, 5)), f"Nothing was spent on any of the {len(known)} days: the forecast is zero."
    began = spent[np.flatnonzero(spent)[0] :]
    silent, longest_before = silent_days(began)
    if silent >= _SILENT_DAYS and silent > 2 * longest_before:
        level = began[: len(began) - silent][-28:].mean()
        note = f"Nothing was spent on the last {silent} days: the forecast is zero until spend begins again."
        return stopped(level, silent, horizon_days), note
    if len(began) < MIN_HISTORY_DAYS:
        note = (
            f"The history is short ({len(began)} of {MIN_HISTORY_DAYS} days needed): the forecast carries its "
            "average on, within an interval that is wide by rule, not learnt from this series."
        )
        return run_rate(began, horizon_days), note
    if (began[-_RECENT_DAYS:] == 0).mean() > _SPARSE_SHARE or not len(recent) or not recent.max() > 0:
        note = "Most days are zero: each day is forecast as the average of its weekday; trust sums, not single days."
        return by_weekday(np.maximum(values, 0), horizon_days), note
    return None


def _oddities(history: pd.Series) -> list[str]:
    """Say what in the history makes the forecast less sure."""
    notes, values = [], history.to_numpy()
    recent = values[-_RECENT_DAYS:]
    missing, negative = int(np.isnan(recent).sum()), int((values < 0).sum())
    if missing:
        notes.append(f"No value on {missing} of the last {len(recent)} days: they count as unknown, not as zero.")
    if negative:
        notes.append(f"Negative days (credits) are left out: {negative}.")
    known_days = int(history.gt(0).sum())
    if known_days < 2 * 28:
        notes.append(f"Only {known_days} days with spend: the forecast rests mostly on how usage behaves in general.")
    silent, longest_before = silent_days(values[~np.isnan(values)])
    if silent > max(2, longest_before):
        notes.append(
            f"Nothing was spent on the last {silent} days: the forecast follows in part, and is zero only once "
            "that has lasted."
        )
    step = _step(recent)
    if step:
        notes.append(
            f"The last two days are {step - 1:+.0%} against the week before: the forecast follows in part, and "
            "fully only once the new level has lasted."
        )
    return notes


def _step(recent: np.ndarray) -> float | None:
    """Return the factor of the last two days against a week before where it stands out; else ``None``."""
    if len(recent) < 21:
        return None
    floor = 0.05 * np.nanmean(recent)
    change = np.log(np.maximum(recent[7:], 0) + floor) - np.log(np.maximum(recent[:-7], 0) + floor)
    last, before = change[-2:], change[:-2][~np.isnan(change[:-2])]
    if np.isnan(last).any() or not len(before):
        return None
    usual = 1.4826 * np.median(np.abs(before - np.median(before)))
    smallest = np.abs(last).min()
    stands_out = smallest > max(_SHIFT, 3 * usual) and np.sign(last[0]) == np.sign(last[1])
    return float(np.exp(last.mean())) if stands_out else None
