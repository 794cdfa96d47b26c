"""What a day should be, told from the days before it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from finops_lib.operate.anomalies.baseline import (
    fit_baseline,
    quiet_days,
    trailing_mean,
    trailing_median,
    usual_distance,
)

DAYS = pd.date_range("2026-06-01", periods=84)  # a Monday, twelve weeks


def test_weekdays_are_learnt_and_do_not_count_as_unusual():
    """A working week of 100 and a weekend of 20 is expected as such once three weeks were seen."""
    value = np.log(np.where(DAYS.day_of_week < 5, 100.0, 20.0))
    base = fit_baseline(value, np.zeros(84, dtype=bool))

    assert np.allclose(0, base.residual[28:])
    assert pytest.approx(np.log(20 / 100)) == base.profile[33]  # the fifth Saturday


def test_what_is_expected_does_not_know_the_day_itself():
    """Changing the last day changes nothing of what was expected of it."""
    random = np.random.default_rng(1)
    value = random.normal(5, 0.1, 84)
    before = fit_baseline(value, np.zeros(84, dtype=bool))
    value[-1] += 3
    after = fit_baseline(value, np.zeros(84, dtype=bool))

    assert before.level[-1] == after.level[-1]
    assert before.profile[-1] == after.profile[-1]


def test_quiet_days_do_not_shape_the_level():
    """Two weeks of holidays at half the traffic leave the level where it was."""
    value, quiet = np.full(84, np.log(100)), np.zeros(84, dtype=bool)
    value[60:74], quiet[60:74] = np.log(50), True

    assert pytest.approx(np.log(100)) == fit_baseline(value, quiet).level[74]


def test_the_calendar_depends_on_the_country():
    """4 July is a holiday in the United States, 3 October in Germany; an unknown country has the first."""
    days = pd.DatetimeIndex(["2026-07-04", "2026-10-03", "2026-12-28"])

    assert [True, False, True] == quiet_days(days, "US").tolist()
    assert [False, True, True] == quiet_days(days, "DE").tolist()
    assert [True, False, True] == quiet_days(days).tolist()
    assert [] == quiet_days(days[:0]).tolist()


def test_trailing_measures_end_the_day_before():
    """The median of 1, 2, 9 is expected of the day after them; the mean includes its day."""
    values = np.array([1.0, 2.0, 9.0, 100.0])

    assert 2.0 == trailing_median(values, 3, 1)[3]
    assert 1.5 == trailing_median(values, 3, 1, lag=2)[3]
    assert 37.0 == trailing_mean(values, 3)[3]
    assert np.isnan(trailing_mean(np.array([1.0, np.nan]), 1)[1])


def test_few_residuals_are_trusted_less():
    """Residuals of size one are 1.4826 apart as a normal deviation; half as much again with six of them."""
    size = usual_distance(np.ones(400), 3, 0.0)

    assert pytest.approx(1.4826 * 1.5) == size[6]
    assert pytest.approx(1.4826 * (1 + 3 / 180)) == size[399]
