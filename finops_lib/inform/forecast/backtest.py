"""Back-test: how wrong the forecast would have been on this very series."""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Sequence
from datetime import date

import numpy as np
import pandas as pd

from finops_lib.checks import check
from finops_lib.inform.forecast.daily import forecast_daily
from finops_lib.inform.forecast.daily_history import daily_values
from finops_lib.inform.forecast.model import PanelModel

_MIN_HISTORY_DAYS = 28


def accuracy(actual: Sequence[float], forecast: Sequence[float]) -> dict[str, float]:
    """Compare forecasts with what came.

    Parameters
    ----------
    actual, forecast : sequence of float
        Pairs, in one unit.

    Returns
    -------
    dict
        Shares: ``mape`` (mean of |A − F| / |A| where A is not zero), ``wape`` (sum of |A − F| / sum of A),
        ``bias`` ((sum of F − sum of A) / sum of A; positive when too much was forecast). NaN where there is
        nothing to divide by.

    References
    ----------
    R. J. Hyndman and A. B. Koehler, Another look at measures of forecast accuracy, International Journal of
    Forecasting 22 (2006).

    Examples
    --------
    >>> {name: round(100 * value, 2) for name, value in accuracy([1318, 776, 455], [1260, 820, 430]).items()}
    {'mape': 5.19, 'wape': 4.98, 'bias': -1.53}
    """
    came, said = np.asarray(actual, dtype=float), np.asarray(forecast, dtype=float)
    total, spent = came.sum(), came != 0
    return {
        "mape": float(np.mean(np.abs(came - said)[spent] / np.abs(came[spent]))) if spent.any() else np.nan,
        "wape": float(np.abs(came - said).sum() / total) if total > 0 else np.nan,
        "bias": float((said - came).sum() / total) if total > 0 else np.nan,
    }


def backtest(
    series: pd.Series,
    *,
    horizon_days: int = 30,
    origins: int = 6,
    levels: Sequence[float] = (80, 95),
    panel: PanelModel | None = None,
    holidays: Collection[date] | None = None,
    forecast: Callable[[pd.Series, int], pd.DataFrame] | None = None,
) -> pd.DataFrame:
    """Forecast the past from rolling origins, each time knowing only the days before.

    Parameters
    ----------
    series : Series
        Daily values with a DatetimeIndex.
    horizon_days : int
        Days of each window; windows follow one another without a gap and end with the series.
    origins : int
        Windows at most; the first needs four weeks of history before it.
    levels : sequence of float
        Coverage of the intervals in percent.
    panel : PanelModel, optional
        As in ``forecast_daily``. A model that has learnt from this series knows the days it is asked for:
        leave it out for an honest test.
    holidays : collection of date, optional
        As in ``forecast_daily``.
    forecast : callable, optional
        Another way to forecast, in the place of ``forecast_daily``: takes the days known and the horizon, returns
        its columns.

    Returns
    -------
    DataFrame
        One row a window, oldest first: ``origin`` (last day known), ``last_day``, ``actual`` and ``forecast``
        (totals over the days with a value), ``error`` ((forecast − actual) / actual), ``mae`` and ``naive_mae``
        (mean absolute error a day, of the forecast and of repeating the last week), ``coverage_80`` … (share of
        days inside). Empty for a short series.

    References
    ----------
    Requirement D3.
    """
    values = daily_values(series)
    made = forecast or functools.partial(forecast_daily, levels=levels, panel=panel, holidays=holidays)
    ends = range(len(values) - horizon_days, _MIN_HISTORY_DAYS - 1, -horizon_days)
    windows = []
    for end in reversed(ends[:origins]):
        known, came = values.iloc[:end], values.iloc[end : end + horizon_days]
        if known.notna().any() and came.notna().any():
            windows.append(_window(known, came.dropna(), made(known, horizon_days)))
    columns = ["origin", "last_day", "actual", "forecast", "error", "mae", "naive_mae"]
    return pd.DataFrame(windows, columns=[*columns, *(f"coverage_{level:g}" for level in levels)])


def _window(known: pd.Series, came: pd.Series, forecast: pd.DataFrame) -> dict[str, object]:
    naive = np.resize(known.iloc[-7:].ffill().bfill().to_numpy(), len(forecast))
    naive = pd.Series(naive, index=forecast.index).loc[came.index]
    forecast = forecast.loc[came.index]
    row = {
        "origin": known.index[-1],
        "last_day": came.index[-1],
        "actual": came.sum(),
        "forecast": forecast["mean"].sum(),
        "error": accuracy([came.sum()], [forecast["mean"].sum()])["bias"],
        "mae": (forecast["mean"] - came).abs().mean(),
        "naive_mae": (naive - came).abs().mean(),
    }
    for lower in forecast.columns[forecast.columns.str.startswith("lower_")]:
        level = lower.removeprefix("lower_")
        row[f"coverage_{level}"] = came.between(forecast[lower], forecast[f"upper_{level}"]).mean()
    return row


def backtest_summary(windows: pd.DataFrame) -> dict[str, float]:
    """Sum a back-test up.

    Parameters
    ----------
    windows : DataFrame
        Result of ``backtest``.

    Returns
    -------
    dict
        ``windows``; ``wape`` and ``bias`` of the windows' totals; ``mase`` (the forecast's error against that of
        repeating the last week on the same days; below one is better); ``within_10_percent`` (share of windows
        whose total was within 10%); ``coverage_80`` …. NaN without windows.

    Examples
    --------
    >>> windows = pd.DataFrame({"actual": [100.0, 100.0], "forecast": [96.0, 120.0], "error": [-0.04, 0.2],
    ...                         "mae": [1.0, 2.0], "naive_mae": [2.0, 4.0], "coverage_80": [0.9, 0.7]})
    >>> backtest_summary(windows)["wape"], backtest_summary(windows)["mase"]
    (0.12, 0.5)
    """
    totals = accuracy(windows["actual"], windows["forecast"])
    naive = windows["naive_mae"].sum()
    summary = {
        "windows": len(windows),
        "wape": totals["wape"],
        "bias": totals["bias"],
        "mase": float(windows["mae"].sum() / naive) if naive > 0 else np.nan,
        "within_10_percent": float(windows["error"].abs().le(0.10).mean()) if len(windows) else np.nan,
    }
    covered = windows.columns[windows.columns.str.startswith("coverage_")]
    return summary | {name: float(windows[name].mean()) for name in covered}


def forecast_checks(windows: pd.DataFrame, *, accuracy_target: float) -> pd.DataFrame:
    """Decide whether the forecast has been good enough to plan with.

    Parameters
    ----------
    windows : DataFrame
        Result of ``backtest``.
    accuracy_target : float
        Largest acceptable error of the monthly total, as a share.

    Returns
    -------
    DataFrame
        Check rows; without windows they do not pass and say why.

    References
    ----------
    Requirement D3.
    """
    summary = backtest_summary(windows)
    counted = f"over {summary['windows']} windows of the past"
    if not summary["windows"]:
        counted = "not known: the history is too short for a test on its own past"
    return pd.concat(
        [
            check("forecast_error", summary["wape"], "<=", accuracy_target, unit="share", comment=counted),
            check("forecast_against_weekday_naive", summary["mase"], "<=", 1.0, unit="ratio", comment=counted),
        ],
        ignore_index=True,
    )
