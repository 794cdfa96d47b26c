"""Measures of routing, on cases small enough to add up by hand."""

from __future__ import annotations

import math

import pytest

from finops_lib.optimize.routing.router_measures import (
    average_gap_recovered,
    average_quality,
    cost_at_quality,
    saving_at,
    upper_hull,
)


def test_the_best_order_recovers_most():
    """One of two requests gains: first it is 0.75 of the area, last 0.25, and without a gap there is none."""
    assert 0.75 == average_gap_recovered([2, 1], [1, 1], [0, 1])
    assert 0.25 == average_gap_recovered([1, 2], [1, 1], [0, 1])
    assert math.isnan(average_gap_recovered([1, 2], [1, 1], [1, 1]))


def test_what_may_be_saved_above_a_floor():
    """Three of four pass with the strong model; two thirds of that keep one dear call of four."""
    strong, weak, dear, cheap = [1, 1, 1, 0], [0, 0, 1, 0], [10, 10, 10, 10], [1, 1, 1, 1]

    assert pytest.approx(1 - 13 / 40) == saving_at([4, 3, 2, 1], strong, weak, dear, cheap, 2 / 3)
    assert pytest.approx(0.9) == saving_at([4, 3, 2, 1], strong, weak, dear, cheap, 1 / 3)


def test_the_area_under_the_hull():
    """From (1, 0.2) straight to (3, 0.6), then flat to 5: half of each."""
    points = [1, 3, 4, 2], [0.2, 0.6, 0.5, 0.3]

    assert [[1, 0.2], [3, 0.6]] == upper_hull(*points).tolist()
    assert pytest.approx(0.5, abs=1e-6) == average_quality(*points, 1, 5)


def test_the_cost_of_a_quality():
    """Between two corners by mixing them; below the first it is the first; above the last there is none."""
    assert pytest.approx(2.0) == cost_at_quality([1, 3], [0.2, 0.6], 0.4)
    assert 1.0 == cost_at_quality([1, 3], [0.2, 0.6], 0.1)
    assert math.isnan(cost_at_quality([1, 3], [0.2, 0.6], 0.7))
