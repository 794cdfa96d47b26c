"""How wrong the forecast would have been."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from finops_lib.inform import accuracy, backtest, backtest_summary, forecast_checks, forecast_daily


def working_weeks(weeks, noise=0.0):
    """Hundred a day, twenty at weekends, with noise."""
    values = np.tile([100.0] * 5 + [20.0] * 2, weeks)
    values = values * np.exp(noise * np.random.default_rng(0).normal(size=len(values)))
    return pd.Series(values, index=pd.date_range("2026-01-05", periods=len(values)))


def test_published_accuracy():
    """A forecast of 1,260, 820 and 430 against 1,318, 776 and 455: MAPE 5.19%, WAPE 4.98%, bias −1.53%."""
    found = accuracy([1318, 776, 455], [1260, 820, 430])

    assert {"mape": 0.0519, "wape": 0.0498, "bias": -0.0153} == {name: round(value, 4) for name, value in found.items()}


@pytest.mark.parametrize(("actual", "forecast"), [([], []), ([0.0, 0.0], [1.0, 2.0])])
def test_nothing_spent_has_no_accuracy(actual, forecast):
    """Without spend there is nothing to divide by."""
    assert all(math.isnan(value) for value in accuracy(actual, forecast).values())


def test_windows_know_only_the_days_before():
    """Three windows of 30 days end with the series; each equals a forecast made at its origin."""
    series = working_weeks(20, noise=0.1)
    found = backtest(series, origins=3)
    second = series[: found["origin"].iloc[1]]

    assert [30, 30] == found["origin"].diff().dropna().dt.days.tolist()
    assert series.index[-1] == found["last_day"].iloc[-1]
    assert forecast_daily(second, 30)["mean"].sum() == pytest.approx(found["forecast"].iloc[1])
    assert series.iloc[-30:].sum() == pytest.approx(found["actual"].iloc[-1])


def test_what_repeats_itself_is_never_wrong():
    """A series without noise: no error, all days inside; nothing beats a naive that is never wrong."""
    summary = backtest_summary(backtest(working_weeks(20)))

    assert 3 == summary["windows"]
    assert (0.0, 0.0, 1.0) == tuple(round(summary[name], 6) for name in ("wape", "bias", "coverage_80"))
    assert 1.0 == summary["within_10_percent"]
    assert math.isnan(summary["mase"])


def test_gaps_are_left_out_of_the_totals():
    """Actual and forecast are summed over the same days."""
    series = working_weeks(20)
    series.iloc[-30:-10] = np.nan
    last = backtest(series, origins=1).iloc[0]

    assert series.iloc[-10:].sum() == pytest.approx(last["actual"])
    assert last["forecast"] == pytest.approx(last["actual"], rel=0.02)


def test_short_series_have_no_windows():
    """Fifty days are too few for 28 before and 30 after: no window, checks that do not pass and say why."""
    windows = backtest(working_weeks(7))
    checks = forecast_checks(windows, accuracy_target=0.1)

    assert 0 == len(windows)
    assert [False, False] == checks["passed"].tolist()
    assert checks["comment"].str.contains("the history is too short").all()


def test_checks_hold_the_error_against_the_target():
    """Totals 8% off pass a target of 10% and fail one of 5%; half the naive's error passes."""
    windows = pd.DataFrame(
        {"actual": [100.0, 100.0], "forecast": [108.0, 92.0], "error": [0.08, -0.08], "mae": [1.0, 1.0]}
        | {"naive_mae": [2.0, 2.0]}
    )

    assert [True, True] == forecast_checks(windows, accuracy_target=0.10)["passed"].tolist()
    assert [False, True] == forecast_checks(windows, accuracy_target=0.05)["passed"].tolist()
    assert 0.0 == backtest_summary(windows)["bias"]
