"""Forecast intervals: what the model would have got wrong on this series before sets how far it is trusted now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import norm

from finops_lib.inform.forecast.features import CONTEXT_DAYS, aligned, design
from finops_lib.inform.forecast.model import MIN_HISTORY_DAYS, QUANTILES, PanelModel

_SCORES = norm.ppf(QUANTILES)
_HORIZONS = np.array([1, 2, 4, 7, 10, 14, 18, 23, 28, 34, 41, 49, 58, 68, 79, 90])
_ORIGINS = 26  # one a week: half a year
_RIVAL_WEIGHTS = np.array([0.15, 0.1])  # of the plain rules, where the series itself says nothing
_SHARPNESS = 3  # power of the error that weighs a rule
_PRIOR_WINDOWS = 12.0  # windows of a month that the general calibration weighs


@dataclass(frozen=True)
class Evidence:
    """What forecasts made at earlier origins of the series say about the next one.

    Attributes
    ----------
    weights : array of two
        Shares of the plain rules (weekday naive, usual level of four weeks) in the middle of the forecast.
    widening : array, quantiles
        Factor on the distance of each quantile from the middle.
    """

    weights: np.ndarray
    widening: np.ndarray


def own_evidence(model: PanelModel, values: np.ndarray, last_weekday: int) -> Evidence:
    """Forecast the series from earlier origins and learn from the errors.

    Parameters
    ----------
    model : PanelModel
        The fitted model.
    values : array
        Daily history, NaN where unknown.
    last_weekday : int
        Weekday of its last day, Monday = 0.

    Returns
    -------
    Evidence
        Of the general case where the history is too short for an origin.

    Notes
    -----
    Split conformal calibration over rolling origins, a week apart: the quantile of the errors, in units of
    the predicted distance, is the factor that would have covered the past. It is drawn towards one, the less
    the more independent windows there are, so that the general calibration carries short histories.

    References
    ----------
    Conformalised quantile regression: Y. Romano, E. Patterson and E. Candès, NeurIPS 2019.
    """
    days = len(values)
    origins = np.arange(days - 7, 2 * MIN_HISTORY_DAYS - 1, -7)[:_ORIGINS]
    origins = np.array([end for end in origins if np.nansum(values[max(0, end - 28) : end]) > 0], dtype=int)
    if not len(origins):
        return Evidence(_RIVAL_WEIGHTS, np.ones(len(QUANTILES)))
    histories = np.vstack([aligned(values[:end]) for end in origins])
    horizons = np.tile(_HORIZONS, (len(origins), 1))
    rows = design(histories, (last_weekday - (days - origins)) % 7, horizons)
    padded = np.concatenate([values, np.full(_HORIZONS[-1], np.nan)])
    actual = rows.to_logs(padded[origins[:, None] - 1 + horizons].ravel())
    known = ~np.isnan(actual)
    if not known.any():
        return Evidence(_RIVAL_WEIGHTS, np.ones(len(QUANTILES)))
    fan = model.quantiles(rows)[known]
    actual, rivals = actual[known], rows.rivals[known]
    weights = _weights(np.abs(actual[:, None] - np.column_stack([fan[:, 2], rivals])).mean(axis=0))
    trust = len(origins) * 7 / 28 / (len(origins) * 7 / 28 + _PRIOR_WINDOWS)
    return Evidence(weights, _widening(blended(fan, rivals, weights), actual) ** trust)


def blended(fan: np.ndarray, rivals: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Move a fan of quantiles so that its middle takes its share of the plain rules."""
    return fan + ((rivals - fan[:, 2:3]) @ weights)[:, None]


def _weights(errors: np.ndarray) -> np.ndarray:
    """Weigh the rules by accuracy against the model's; one that was never wrong on the series takes all."""
    prior = np.concatenate([[1 - _RIVAL_WEIGHTS.sum()], _RIVAL_WEIGHTS])
    odds = prior / (errors + 1e-9) ** _SHARPNESS
    return odds[1:] / odds.sum()


def _widening(fan: np.ndarray, actual: np.ndarray) -> np.ndarray:
    error = actual - fan[:, 2]
    factors = np.ones(len(QUANTILES))
    for low, high in ((0, 4), (1, 3)):
        room = np.maximum(np.where(error > 0, fan[:, high] - fan[:, 2], fan[:, 2] - fan[:, low]), 1e-3)
        level = QUANTILES[high] - QUANTILES[low]
        factors[[low, high]] = np.clip(np.quantile(np.abs(error) / room, level), 0.3, 1.5)
    return factors


def fan_values(model: PanelModel, values: np.ndarray, last_weekday: int, horizon_days: int) -> np.ndarray:
    """Forecast a history of at least two weeks.

    Parameters
    ----------
    model : PanelModel
        The fitted model.
    values : array
        Daily history with a positive value in its last ``CONTEXT_DAYS``, NaN where unknown.
    last_weekday : int
        Weekday of its last day, Monday = 0.
    horizon_days : int
        Days ahead.

    Returns
    -------
    array, horizon_days × quantiles
        The ``QUANTILES`` of each day, rising, not negative.
    """
    kept = values[-CONTEXT_DAYS:]
    evidence = own_evidence(model, kept, last_weekday)
    rows = design(aligned(kept)[None], np.array([last_weekday]), np.arange(1, horizon_days + 1)[None])
    fan = blended(model.quantiles(rows), rows.rivals, evidence.weights)
    middle = fan[:, 2:3]
    return rows.to_values(np.sort(middle + (fan - middle) * evidence.widening, axis=1))


def at_scores(fan: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Read each day's distribution at normal scores, linear between the fan's quantiles and beyond them.

    Parameters
    ----------
    fan : array, days × quantiles
        The ``QUANTILES`` of each day.
    scores : array, draws × days
        Standard normal scores: 0 is the middle, 1.2816 the 90% quantile.

    Returns
    -------
    array, draws × days
        Values, not negative where the fan is not.
    """
    place = np.clip(np.searchsorted(_SCORES, scores) - 1, 0, len(_SCORES) - 2)
    day = np.arange(fan.shape[0])[None, :]
    low, high = fan[day, place], fan[day, place + 1]
    found = low + (high - low) * (scores - _SCORES[place]) / (_SCORES[place + 1] - _SCORES[place])
    return np.maximum(found, np.minimum(fan[:, 0], 0)[None, :])


def level_bounds(fan: np.ndarray, levels: Sequence[float]) -> np.ndarray:
    """Read lower and upper bounds of central intervals.

    Parameters
    ----------
    fan : array, days × quantiles
        The ``QUANTILES`` of each day.
    levels : sequence of float
        Coverage in percent, between 0 and 100.

    Returns
    -------
    array, levels × 2 × days
        Lower and upper bound by level and day.
    """
    tails = np.array([[(100 - level) / 200, (100 + level) / 200] for level in levels])
    scores = norm.ppf(tails).reshape(-1, 1)
    return at_scores(fan, np.repeat(scores, fan.shape[0], axis=1)).reshape(len(levels), 2, -1)
