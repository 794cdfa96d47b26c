"""Forecast model: quantile boosting that knows usage in general, from artificial shapes of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from threadpoolctl import threadpool_limits

from finops_lib.inform.forecast.features import CONTEXT_DAYS, Design, design
from finops_lib.inform.profile.usage_shapes import usage_shapes

if TYPE_CHECKING:
    from sklearn.ensemble import HistGradientBoostingRegressor

QUANTILES = (0.025, 0.10, 0.50, 0.90, 0.975)
LONGEST_HORIZON = 366
MIN_HISTORY_DAYS = 14
_SHAPES, _MEMBERS = 2500, 3


@dataclass(frozen=True)
class PanelModel:
    """A fitted model, to be shared by all forecasts of a batch; it can be pickled.

    Attributes
    ----------
    members : tuple of tuples
        Fitted regressors, one a quantile of ``QUANTILES`` in each member; members are averaged.
    """

    members: tuple[tuple[HistGradientBoostingRegressor, ...], ...]

    def quantiles(self, rows: Design) -> np.ndarray:
        """Predict the quantiles of each row as log-ratios to its base, in rising order."""
        with threadpool_limits(1, "openmp"):  # a few hundred rows: threads cost more than they bring
            found = [[regressor.predict(rows.features) for regressor in member] for member in self.members]
        return np.sort(np.mean(found, axis=0).T, axis=1)


@dataclass(frozen=True)
class _Windows:
    histories: np.ndarray
    weekdays: np.ndarray
    horizons: np.ndarray
    actuals: np.ndarray


_adopted: PanelModel | None = None


def fit_panel() -> PanelModel:
    """Fit the model that all forecasts of this process share; at the second call it is there already.

    Returns
    -------
    PanelModel
        To be kept, and handed to ``adopt_model`` in the next process.

    Notes
    -----
    One gradient boosting a quantile, direct for every horizon: histories are scaled by their last four weeks, so
    that usage shapes of any size teach the same model. Every member is fitted on draws of its own: their average is
    steadier than one fitted on all draws.

    References
    ----------
    Requirement D3. Global models: P. Montero-Manso and R. J. Hyndman, Principles and algorithms for forecasting
    groups of time series, International Journal of Forecasting 37 (2021).
    """
    if _adopted is None:
        training = (_training(_shape_windows(seed)) for seed in range(_MEMBERS))
        members = (tuple(_fit_quantile(*rows, quantile) for quantile in QUANTILES) for rows in training)
        adopt_model(PanelModel(tuple(members)))
    return _adopted


def adopt_model(model: PanelModel) -> None:
    """Let all forecasts of this process use a model fitted before, instead of fitting it again.

    Parameters
    ----------
    model : PanelModel
        From ``fit_panel``, of this process or another.
    """
    global _adopted
    _adopted = model


def _fit_quantile(rows: np.ndarray, logs: np.ndarray, quantile: float) -> HistGradientBoostingRegressor:
    from sklearn.ensemble import HistGradientBoostingRegressor  # slow to load: only who forecasts waits for it

    regressor = HistGradientBoostingRegressor(
        loss="quantile",
        quantile=quantile,
        max_iter=60,
        max_leaf_nodes=16,
        learning_rate=0.1,
        min_samples_leaf=60,
        l2_regularization=1.0,
        max_bins=127,
        early_stopping=False,
        random_state=0,
    )
    with threadpool_limits(1, "openmp"):  # threads of several workers stand in each other's way
        return regressor.fit(rows, logs)


def _training(windows: _Windows) -> tuple[np.ndarray, np.ndarray]:
    """Lay windows out as rows; leave out days whose actual is unknown."""
    rows = design(windows.histories, windows.weekdays, windows.horizons)
    actuals = windows.actuals.ravel()
    known = ~np.isnan(actuals)
    return rows.features[known], rows.to_logs(actuals)[known]


def _shape_windows(seed: int) -> _Windows:
    """Cut two windows from each artificial series: a year or less of history, half of the horizons in a month."""
    random = np.random.default_rng(seed)
    values, first_weekdays = usage_shapes(_SHAPES, CONTEXT_DAYS + LONGEST_HORIZON + 60, seed=seed)
    cuts = [_cut(values, first_weekdays, random) for _ in range(2)]
    columns = [np.concatenate(column) for column in zip(*cuts, strict=True)]
    spent = np.nanmean(columns[0][:, -28:], axis=1) > 0
    return _Windows(*(column[spent] for column in columns))


def _cut(values: np.ndarray, first_weekdays: np.ndarray, random: np.random.Generator) -> tuple[np.ndarray, ...]:
    count, days = values.shape
    origins = random.integers(CONTEXT_DAYS, days - LONGEST_HORIZON + 1, count)[:, None]
    histories = np.take_along_axis(values, origins - CONTEXT_DAYS + np.arange(CONTEXT_DAYS), axis=1)
    shorter = np.exp(random.uniform(np.log(MIN_HISTORY_DAYS), np.log(365), (count, 1))).astype(int)
    known = np.where(random.random((count, 1)) < 0.5, 365, shorter)
    histories[np.arange(CONTEXT_DAYS) < CONTEXT_DAYS - known] = np.nan
    reach = np.array([30, 30, 30, 90, 90, LONGEST_HORIZON])
    horizons = random.integers(1, reach + 1, (count, len(reach)))
    weekdays = (first_weekdays[:, None] + origins - 1)[:, 0] % 7
    return histories, weekdays, horizons, np.take_along_axis(values, origins - 1 + horizons, axis=1)
