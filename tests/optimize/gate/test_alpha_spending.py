"""Repeated looks spend one error between them."""

from __future__ import annotations

import numpy as np
import pytest

from finops_lib.errors import EvaluationError
from finops_lib.optimize import paired_non_inferiority, spending_levels
from finops_lib.optimize.gate.non_inferiority import non_inferiority_p_value


@pytest.mark.parametrize(
    ("spending", "expected"),
    [
        ("obrien-fleming", [4.8769, 3.3570, 2.6803, 2.2898, 2.0310]),
        ("pocock", [2.4380, 2.4268, 2.4102, 2.3966, 2.3860]),
    ],
)
def test_five_even_looks_are_the_published_bounds(spending, expected):
    """The bounds tabled for one-sided 2.5% and five equal steps."""
    levels = spending_levels([20, 40, 60, 80, 100], 100, 0.025, spending)

    assert expected == levels["z"].round(4).tolist()
    assert 0.025 == pytest.approx(levels["spent"].iloc[-1])


def test_one_look_at_the_end_is_the_plain_test():
    """Nothing was spent before: the level is alpha."""
    assert 0.05 == pytest.approx(spending_levels([500], 500)["level"].item())


def test_looking_beyond_the_plan_has_nothing_left():
    """After the planned end no look may promote."""
    levels = spending_levels([500, 1000, 1500], 1000)

    assert 0.0 == levels["level"].iloc[2]
    assert 0.05 == pytest.approx(levels["spent"].iloc[2])


@pytest.mark.parametrize("spending", ["obrien-fleming", "pocock"])
def test_five_looks_keep_the_error(spending):
    """A candidate worse by the margin is promoted in 5% of the runs, where plain looks promote twice as many."""
    rng, looks = np.random.default_rng(3), [300, 600, 900, 1200, 1500]
    counts = np.cumsum([rng.multinomial(300, [0.085, 0.065, 0.85], size=8000)[:, :2] for _ in looks], axis=0)
    levels = spending_levels(looks, 1500, 0.05, spending)["level"]
    tests = [non_inferiority_p_value(*sums.T, n, 0.02) for sums, n in zip(counts, looks, strict=True)]
    plain = np.any([paired_non_inferiority(*sums.T, n, 0.02) for sums, n in zip(counts, looks, strict=True)], axis=0)

    promoted = np.any([test <= level for test, level in zip(tests, levels, strict=True)], axis=0)
    assert 0.05 + 3 * np.sqrt(0.05 * 0.95 / 8000) >= promoted.mean()
    assert 0.10 < plain.mean()


@pytest.mark.parametrize("looks", [[], [100, 100], [200, 100], [0, 10]])
def test_looks_must_grow(looks):
    """The same data cannot be looked at twice."""
    with pytest.raises(EvaluationError, match="expected numbers that grow"):
        spending_levels(looks, 1000)
