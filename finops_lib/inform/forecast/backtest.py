"""Back-test: how wrong the forecast would have been on this very series."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import date

import numpy as np
import pandas as pd

from finops_lib.checks import check
from finops_lib.inform.forecast.daily import draw_paths, path_summary, running_totals
from finops_lib.inform.forecast.daily_history import daily_values
from finops_lib.inform.forecast.fan import forecast_fan

_MIN_HISTORY_DAYS = 28
_DRAWS = 401


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
    holidays: Collection[date] | None = None,
    courses: Callable[[pd.Series, int], np.ndarray] | None = None,
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
    holidays : collection of date, optional
        As in ``forecast_daily``.
    courses : callable, optional
        Another way to forecast, in the place of ``sample_paths``: takes the days known and the horizon, returns
        sampled courses (draws × days).

    Returns
    -------
    DataFrame
        One row a window, oldest first: ``origin`` (last day known), ``last_day``, ``actual`` and ``forecast``
        (totals over the days with a value, as ``project`` adds them up), ``error`` ((forecast − actual) / actual),
        ``mae`` and ``naive_mae`` (mean absolute error a day, of the forecast and of repeating the last week),
        ``coverage_80`` … (share of days inside). Empty for a short series.

    References
    ----------
    Requirement D3.
    """
    values = daily_values(series)
    made = courses or (lambda known, ahead: draw_paths(forecast_fan(known, ahead, holidays), _DRAWS))
    ends = range(len(values) - horizon_days, _MIN_HISTORY_DAYS - 1, -horizon_days)
    windows = []
    for end in reversed(ends[:origins]):
        known, came = values.iloc[:end], values.iloc[end : end + horizon_days]
        if known.notna().any() and came.notna().any():
            windows.append(_window(known, came, made(known, horizon_days), levels))
    columns = ["origin", "last_day", "actual", "forecast", "error", "mae", "naive_mae"]
    return pd.DataFrame(windows, columns=[*columns, *(f"coverage_{level:g}" for level in levels)])


def _window(known: pd.Series, came: pd.Series, paths: np.ndarray, levels: Sequence[float]) -> dict[str, object]:
    seen = came.notna().to_numpy()
    naive = np.resize(known.iloc[-7:].ffill().bfill().to_numpy(), len(came))[seen]
    came, paths = came[seen], paths[:, seen]
    forecast, total = path_summary(paths, came.index, levels), float(np.median(running_totals(paths)[:, -1]))
    row = {
        "origin": known.index[-1],
        "last_day": came.index[-1],
        "actual": came.sum(),
        "forecast": total,
        "error": accuracy([came.sum()], [total])["bias"],
        "mae": (forecast["mean"] - came).abs().mean(),
        "naive_mae": (naive - came).abs().mean(),
    }
    for level in levels:
        row[f"coverage_{level:g}"] = came.between(forecast[f"lower_{level:g}"], forecast[f"upper_{level:g}"]).mean()
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
