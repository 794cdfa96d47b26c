"""Estimates of routes: counted, weighted, drawn towards each other."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from finops_lib.errors import EvaluationError
from finops_lib.optimize.routing.estimates import estimate, split_halves

ROWS = [("a", "x", 80, 100, 0.02), ("a", "y", 60, 100, 0.01), ("b", "x", 50, 100, 0.04), ("b", "y", 45, 100, 0.01)]


def test_rates_costs_and_weights_are_counted(cells):
    """Rows are segments, columns configurations; weights add up to one."""
    found = estimate(cells(ROWS), pd.Series({"b": 30, "a": 10}))

    assert (["a", "b"], ["x", "y"]) == (found.segments, found.configurations)
    assert [0.25, 0.75] == found.weights.tolist()
    assert [[0.8, 0.6], [0.5, 0.45]] == found.observed.tolist()
    assert pytest.approx(np.array([[0.02, 0.01], [0.04, 0.01]])) == found.costs
    assert [[100, 100], [100, 100]] == found.samples.tolist()


def test_rates_are_drawn_towards_the_others(cells):
    """The gap in "a" (20 points) shrinks, that in "b" (5 points) grows, and neither changes sides."""
    found = estimate(cells(ROWS), pd.Series({"a": 1, "b": 1}))
    gaps = found.rates[:, 0] - found.rates[:, 1]

    assert 0.05 < gaps[1] < gaps[0] < 0.2
    assert pytest.approx([0.7, 0.475]) == found.rates.mean(axis=1).tolist()


def test_covariance_is_that_of_paired_items(cells):
    """The same items pass in both: 0.6 − 0.8 × 0.6 beside the two variances."""
    found = estimate(cells([("a", "x", 80, 100, 1.0), ("a", "y", 60, 100, 1.0)]), pd.Series({"a": 1}))

    assert pytest.approx(np.array([[0.16, 0.12], [0.12, 0.24]])) == found.covariance[0]


def test_a_cost_missing_in_one_segment_is_that_of_the_others(cells):
    """No price in "b": the one of "a"."""
    found = estimate(cells([*ROWS[:3], ("b", "y", 45, 100, np.nan)]), pd.Series({"a": 1, "b": 1}))

    assert 0.01 == pytest.approx(found.costs[1, 1])


def test_halves_add_up_to_what_was_counted(cells):
    """Each split counts every item once, on one side or the other."""
    found = estimate(cells(ROWS), pd.Series({"a": 1, "b": 1}))
    first, costs, second = split_halves(found, 50, 0)

    assert pytest.approx(np.broadcast_to(found.observed, (50, 2, 2))) == (first + second) / 2
    assert pytest.approx(found.costs) == costs[0]


def test_what_cannot_be_estimated_is_refused(cells):
    """No common segment, repeated items, negative weights, missing columns."""
    rows = cells(ROWS)
    with pytest.raises(EvaluationError, match="No segment of the traffic"):
        estimate(rows, pd.Series({"c": 1}))
    with pytest.raises(EvaluationError, match="'a-0' stands more than once"):
        estimate(pd.concat([rows, rows.head(1)]), pd.Series({"a": 1}))
    with pytest.raises(EvaluationError, match="traffic of 'a' is no weight"):
        estimate(rows, pd.Series({"a": -1}))
    with pytest.raises(EvaluationError, match="lack the column cost_usd"):
        estimate(rows.drop(columns="cost_usd"), pd.Series({"a": 1}))
