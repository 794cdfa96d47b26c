"""The programme HiGHS solves, on cases solved by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from finops_lib.errors import EvaluationError
from finops_lib.optimize.routing.estimates import estimate
from finops_lib.optimize.routing.program import Program, bounded_assignment, eligible_routes, loss_variance

COSTS = np.array([[4.0, 1.0], [4.0, 2.0]])
LOSSES = np.array([[0.0, 0.1], [0.0, 0.1]])
EVERYWHERE = np.ones((2, 2), dtype=bool)


def test_the_budget_of_loss_buys_the_largest_saving():
    """Half of the loss is allowed: the first row saves 3 for it, the second would save 2."""
    shares = Program(EVERYWHERE).cheapest(COSTS, LOSSES, 0.1)

    assert [[0, 1], [1, 0]] == shares.round(9).tolist()


def test_a_segment_is_split_unless_it_must_be_whole():
    """Three quarters of a loss: half of the second row follows, or none of it."""
    split = Program(EVERYWHERE).cheapest(COSTS, LOSSES, 0.15)
    whole = Program(EVERYWHERE, whole_segments=True).cheapest(COSTS, LOSSES, 0.15)

    assert [[0, 1], [0.5, 0.5]] == split.round(9).tolist()
    assert [[0, 1], [1, 0]] == whole.round(9).tolist()


def test_changes_are_counted():
    """One change: the better of the two; none: everything stays."""
    today = np.array([0, 0])

    assert [[0, 1], [1, 0]] == Program(EVERYWHERE, False, today, 1).cheapest(COSTS, LOSSES, 1).round(9).tolist()
    assert [[1, 0], [1, 0]] == Program(EVERYWHERE, False, today, 0).cheapest(COSTS, LOSSES, 1).round(9).tolist()


def test_what_cannot_be_held_has_no_answer():
    """No assignment loses less than nothing."""
    assert Program(EVERYWHERE).cheapest(COSTS, LOSSES, -0.01) is None


def test_the_bound_keeps_its_distance(cells):
    """The answer's loss and its standard errors stay within the floor, and certainty costs money."""
    rows = cells(
        [("a", "x", 90, 100, 4.0), ("a", "y", 84, 100, 1.0), ("b", "x", 80, 100, 4.0), ("b", "y", 78, 100, 2.0)]
    )
    found = estimate(rows, pd.Series({"a": 1, "b": 1}))
    program = Program(EVERYWHERE)
    loss = found.weights[:, None] * (0.95 * found.rates[:, [0]] - found.rates)
    plain, _ = bounded_assignment(program, found, 0.95, 0, 0.0, np.inf)
    sure, held = bounded_assignment(program, found, 0.95, 0, 1.645, np.inf)
    spread = np.sqrt((sure * loss_variance(found, 0.95, 0, np.inf)).sum())

    assert held
    assert 1e-9 >= (sure * loss).sum() + 1.645 * spread
    assert (plain * found.costs).sum() < (sure * found.costs).sum()


def test_the_baseline_always_holds_against_itself(cells):
    """With ten items nothing else is sure enough."""
    found = estimate(cells([("a", "x", 8, 10, 4.0), ("a", "y", 7, 10, 1.0)]), pd.Series({"a": 1}))
    shares, held = bounded_assignment(Program(np.ones((1, 2), dtype=bool)), found, 1.0, 0, 1.645, np.inf)

    assert ([[1.0, 0.0]], True) == (shares.tolist(), held)


def test_requests_to_come_vary_too(cells):
    """As many requests as items: twice the variance; the baseline has none."""
    found = estimate(cells([("a", "x", 80, 100, 1.0), ("a", "y", 60, 100, 1.0)]), pd.Series({"a": 1}))
    ever, soon = loss_variance(found, 1.0, 0, np.inf), loss_variance(found, 1.0, 0, 100)

    assert pytest.approx((0.16 + 0.24 - 0.24) / 100) == ever[0, 1]
    assert pytest.approx(2 * ever[0, 1]) == soon[0, 1]
    assert 0 == soon[0, 0]


def test_limits_and_data_classes_exclude(cells):
    """Context, latency, data class and samples each take a cell away; what is not known forbids nothing."""
    rows = [(segment, name, 5, items, 1.0) for segment in "abc" for name, items in (("x", 50), ("y", 50), ("z", 5))]
    found = estimate(cells(rows), pd.Series({"a": 1, "b": 1, "c": 1}))
    limits = pd.DataFrame({"context_tokens": [None, 8000], "latency_ms": [900, 300]}, index=["x", "y"])
    needs = pd.DataFrame({"context_tokens": [16_000, None], "latency_ms": [None, 500]}, index=["a", "b"])

    eligible = eligible_routes(found, 0, minimum_samples=20, allowed={"c": ["y"]}, limits=limits, needs=needs)

    assert [[True, False, False], [False, True, False], [False, True, False]] == eligible.tolist()
    with pytest.raises(EvaluationError, match="No configuration may serve the segment 'a'"):
        eligible_routes(found, 0, minimum_samples=20, allowed={"a": ["y"]}, limits=limits, needs=needs)
