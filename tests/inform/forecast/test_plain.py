"""Forecasts of histories that no model can carry."""

from __future__ import annotations

import numpy as np
import pytest

from finops_lib.inform.forecast.plain import by_weekday, run_rate, stopped


def test_the_run_rate_is_the_average_and_narrows_with_history():
    """The middle is the average; thirteen days are surer than one, tomorrow surer than next month."""
    short, long = run_rate(np.array([4.0, 8.0]), 30), run_rate(np.full(13, 6.0), 30)

    assert [6.0] * 30 == short[:, 2].tolist()
    assert short[0, 4] > long[0, 4] > 6
    assert long[29, 4] > long[0, 4]


@pytest.mark.parametrize(("silent", "expected"), [(14, [0, 0, 0, 0, 7]), (60, [0, 0, 0, 0, 0])])
def test_silence_weighs_more_the_longer_it_lasts(silent, expected):
    """After 14 days one in 16 begins again, above the 97.5% quantile's 2.5%; after 60 days one in 62 is below it."""
    assert [expected] == stopped(7.0, silent, 1).tolist()


def test_weekdays_are_kept_apart():
    """A job that runs on the first day of each week is forecast on that day."""
    history = np.tile([70.0, 0, 0, 0, 0, 0, 0], 6)

    assert [70.0, 0, 0, 0, 0, 0, 0, 70.0] == by_weekday(history, 8)[:, 2].tolist()


def test_the_average_of_rare_days_keeps_the_sum():
    """One run of 100 in thirteen weeks is 100 / 13 on its weekday, inside its interval."""
    history = np.zeros(91)
    history[88] = 100.0
    forecast = by_weekday(history, 7)

    assert 100 / 13 == pytest.approx(forecast[:, 2].sum())
    assert bool((np.diff(forecast, axis=1) >= 0).all())


def test_unknown_weekdays_take_the_average():
    """A weekday that was never seen is the average of the others; credits stay negative."""
    history = np.array([-2.0, -2.0, -2.0, -2.0, -2.0, -2.0, np.nan])

    assert [-2.0] * 7 == by_weekday(history, 7)[:, 2].tolist()
