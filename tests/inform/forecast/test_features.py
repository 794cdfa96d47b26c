"""A history and a horizon as numbers without a unit."""

from __future__ import annotations

import numpy as np

from finops_lib.inform.forecast.features import CONTEXT_DAYS, aligned, design


def one(values, horizons, weekday=6):
    """Design of a single history."""
    return design(aligned(values)[None], np.array([weekday]), np.array([horizons]))


def test_histories_end_on_the_last_day():
    """A short history is filled in front with unknown days, a long one is cut there."""
    assert [1.0, 2.0] == aligned([1, 2])[-2:].tolist()
    assert CONTEXT_DAYS - 2 == np.isnan(aligned([1, 2])).sum()
    assert 29.0 == aligned(np.arange(400))[0]


def test_the_base_is_the_weekday():
    """After weeks of one busy day, the base of that weekday is its value and that of the others theirs."""
    week = [8.0, 1, 1, 1, 1, 1, 1]
    rows = one(week * 30, np.arange(1, 8))

    assert np.allclose(week, rows.to_values(np.zeros((7, 1)))[:, 0], rtol=0.03)
    assert np.allclose(week, rows.to_values(rows.rivals[:, :1])[:, 0])


def test_values_come_back():
    """Log-ratios turn back into the values they came from; none becomes negative."""
    rows = one(np.linspace(50, 80, 100), [1, 5, 30])

    assert np.allclose([60.0, 70.0, 0.0], rows.to_values(rows.to_logs(np.array([60.0, 70.0, 0.0]))[:, None])[:, 0])
    assert 0.0 == rows.to_values(np.full((3, 1), -9.0)).min()


def test_the_unit_disappears():
    """A thousand times the series has the same features."""
    values = np.random.default_rng(1).gamma(5, 2, 200)

    assert np.array_equal(one(values, [1, 9]).features, one(1024 * values, [1, 9]).features, equal_nan=True)
    assert [1024.0, 1024.0] == (one(1024 * values, [1, 9]).scale / one(values, [1, 9]).scale).tolist()


def test_windows_do_not_touch_each_other():
    """A row is the same alone and among others."""
    first, second = np.random.default_rng(2).gamma(5, 2, (2, CONTEXT_DAYS))
    both = design(np.vstack([first, second]), np.array([6, 2]), np.array([[1, 30], [7, 90]]))

    assert np.array_equal(both.features[2:], one(second, [7, 90], weekday=2).features, equal_nan=True)
