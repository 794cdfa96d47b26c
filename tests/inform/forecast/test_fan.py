"""Which rule forecasts which history."""

from __future__ import annotations

import numpy as np
import pandas as pd

from finops_lib.inform.forecast.fan import forecast_fan


def daily(values):
    """Put values on days from a Monday on."""
    return pd.Series(values, index=pd.date_range("2026-01-05", periods=len(values)))


def test_leading_zeros_are_no_history():
    """Zeros before the first spend change nothing but the dates."""
    values = np.random.default_rng(0).gamma(9, 3, 60)
    late = forecast_fan(daily(np.concatenate([np.zeros(70), values])), 20)

    assert np.array_equal(forecast_fan(daily(values), 20).quantiles, late.quantiles)


def test_a_usual_pause_is_no_end():
    """A job that rests 20 days at a time and rests for 20 days now has not stopped."""
    values = ([50.0] * 40 + [0.0] * 20) * 2
    fan = forecast_fan(daily(values), 10)

    assert not any("until spend begins again" in note for note in fan.notes)


def test_one_step_is_followed_more_each_day():
    """Usage that triples: after two days a part is believed, after ten nearly all."""
    before = list(np.random.default_rng(1).normal(100, 3, 100))
    early, later = (forecast_fan(daily(before + [300.0] * days), 14).quantiles[:, 2].mean() for days in (2, 10))

    assert 95 < early < 310
    assert later > 240


def test_days_far_back_do_not_matter():
    """Only the last 53 weeks are looked at."""
    values = np.random.default_rng(2).gamma(9, 3, 371)
    longer = np.concatenate([np.full(200, 1e6), values])

    assert np.array_equal(forecast_fan(daily(values), 5).quantiles, forecast_fan(daily(longer[4:]), 5).quantiles)
