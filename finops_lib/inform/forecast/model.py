"""Forecast model: quantile boosting that knows usage in general, and learns from the user's own assistants."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from finops_lib.errors import SchemaError
from finops_lib.inform.forecast.daily_history import daily_values
from finops_lib.inform.forecast.features import CONTEXT_DAYS, Design, aligned, design
from finops_lib.inform.profile.usage_shapes import usage_shapes

if TYPE_CHECKING:
    from sklearn.ensemble import HistGradientBoostingRegressor

QUANTILES = (0.025, 0.10, 0.50, 0.90, 0.975)
LONGEST_HORIZON = 366
MIN_HISTORY_DAYS = 14
_SHAPES, _MEMBERS = 2500, 3
_OWN_STEP = 7  # days between the origins taken from the user's own series
_OWN_SHARE = 0.3  # of the training rows, at most, from the user's own series


@dataclass(frozen=True)
class PanelModel:
    """A fitted model, to be shared by all forecasts of a batch; it can be pickled.

    Attributes
    ----------
    members : tuple of tuples
        Fitted regressors, one a quantile of ``QUANTILES`` in each member; members are averaged.
    series : int
        Series of the user's own it has learnt from.
    """

    members: tuple[tuple[HistGradientBoostingRegressor, ...], ...]
    series: int

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


def fit_panel(panel: Mapping[str, pd.Series] | pd.DataFrame | None = None) -> PanelModel:
    """Fit one model over all series of a user; fit it once and hand it to every forecast.

    Parameters
    ----------
    panel : mapping of str to Series, or DataFrame
        Daily series with a DatetimeIndex, one an assistant (a column each in a frame), in any unit. Without
        any, the model knows usage in general only.

    Returns
    -------
    PanelModel
        To be passed to ``forecast_daily`` as ``panel``.

    Notes
    -----
    One gradient boosting a quantile, direct for every horizon: histories are scaled by their last four weeks,
    so that artificial usage shapes and series of any size teach the same model. The user's own windows are up
    to 30% of the training rows.

    References
    ----------
    Requirement D3. Global models: P. Montero-Manso and R. J. Hyndman, Principles and algorithms for forecasting
    groups of time series, International Journal of Forecasting 37 (2021).
    """
    own = [_own_windows(series) for series in dict(panel if panel is not None else {}).values()]
    own = [windows for windows in own if windows is not None]
    return _general_model() if not own else _fit(own)


def adopt_model(model: PanelModel) -> None:
    """Let forecasts that are given no panel use a general model fitted before, instead of fitting it again.

    Parameters
    ----------
    model : PanelModel
        From ``fit_panel()``, of this process or another.
    """
    _adopted.append(model)


Panel = PanelModel | Mapping[str, pd.Series] | pd.DataFrame
_adopted: list[PanelModel] = []
_fitted: dict[object, PanelModel] = {}


def panel_model(panel: Panel | None) -> PanelModel:
    """Return the model to forecast with; series given in place of one are fitted once as long as they stay the same.

    Parameters
    ----------
    panel : PanelModel, mapping of str to Series, or DataFrame, optional
        A fitted model, or what ``fit_panel`` takes.

    Returns
    -------
    PanelModel
        The one given, the one of the series, or the one that knows usage in general.

    Raises
    ------
    SchemaError
        If it is none of these.
    """
    if panel is None or isinstance(panel, PanelModel):
        return panel or _general_model()
    if not isinstance(panel, Mapping | pd.DataFrame):
        message = f"the panel is a {type(panel).__name__}, expected the model of fit_panel, or daily series by name"
        raise SchemaError(message, hint="fit_panel({'assistant': series, …}) once, then hand its model to every call")
    named = {name: daily_values(series) for name, series in dict(panel).items()}
    key = tuple((name, values.index[0], values.to_numpy().tobytes()) for name, values in named.items())
    if key not in _fitted:
        _fitted.clear()
        _fitted[key] = fit_panel(named)
    return _fitted[key]


def _general_model() -> PanelModel:
    if not _adopted:
        adopt_model(_fit([]))
    return _adopted[-1]


def _fit(own: list[_Windows]) -> PanelModel:
    """Fit every member on draws of its own: their average is steadier than one fitted on all draws."""
    parts = [_training(windows) for windows in own]
    members = []
    for seed in range(_MEMBERS):
        rows, logs = _training(_shape_windows(seed))
        if parts:
            own_rows, own_logs = (np.concatenate(column) for column in zip(*parts, strict=True))
            most = int(_OWN_SHARE / (1 - _OWN_SHARE) * len(logs))
            kept = np.random.default_rng(seed).permutation(len(own_logs))[:most]
            rows, logs = np.concatenate([rows, own_rows[kept]]), np.concatenate([logs, own_logs[kept]])
        members.append(tuple(_fit_quantile(rows, logs, quantile) for quantile in QUANTILES))
    return PanelModel(tuple(members), len(own))


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


def _own_windows(series: pd.Series) -> _Windows | None:
    """Cut a window every week from a series of the user's; none from a short one."""
    values = daily_values(series)
    origins = np.arange(2 * MIN_HISTORY_DAYS, len(values), _OWN_STEP)
    origins = np.array([origin for origin in origins if np.nansum(values.to_numpy()[max(0, origin - 28) : origin]) > 0])
    if not len(origins):
        return None
    horizons = np.tile(np.array([1, 2, 3, 5, 7, 9, 11, 14, 17, 20, 24, 28, 35, 45, 60, 80, 90]), (len(origins), 1))
    padded = np.concatenate([values.to_numpy(), np.full(horizons.max(), np.nan)])
    return _Windows(
        np.vstack([aligned(values.to_numpy()[:origin]) for origin in origins]),
        values.index[origins - 1].day_of_week.to_numpy(),
        horizons,
        padded[origins[:, None] - 1 + horizons],
    )
