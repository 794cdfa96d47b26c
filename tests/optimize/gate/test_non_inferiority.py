"""Paired non-inferiority, held against independent computations."""

from __future__ import annotations

from itertools import product
from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from scipy.stats import norm

from finops_lib.errors import EvaluationError
from finops_lib.optimize.gate.non_inferiority import (
    difference_interval,
    inferiority_p_value,
    non_inferiority_p_value,
    paired_non_inferiority,
    required_pairs,
    score_statistic,
)


def numeric_statistic(b, c, n, loss):
    """The score statistic with the reverse changes found by maximising the likelihood, not by the quadratic."""

    def unlikely(q):
        parts = [(b, q + loss), (c, q), (n - b - c, 1 - 2 * q - loss)]
        return -sum(count * np.log(max(chance, 1e-300)) for count, chance in parts if count)

    low, high = max(0, -loss), (1 - loss) / 2
    q = minimize_scalar(unlikely, bounds=(low, high), method="bounded", options={"xatol": 1e-13}).x
    return (b - c - n * loss) / np.sqrt(n * (2 * q + loss * (1 - loss)))


@pytest.mark.parametrize("loss", [-0.05, 0.01, 0.02, 0.1])
@pytest.mark.parametrize(("b", "c", "n"), [(28, 32, 1000), (90, 20, 1000), (3, 0, 150), (0, 7, 400), (200, 160, 1000)])
def test_the_closed_form_is_the_likelihoods_maximum(b, c, n, loss):
    """The quadratic's root gives what a numeric search gives."""
    assert pytest.approx(numeric_statistic(b, c, n, loss), abs=1e-4) == float(score_statistic(b, c, n, loss))


def test_without_loss_it_is_mcnemars_test():
    """At a loss of zero the statistic is (b − c) / √(b + c)."""
    assert pytest.approx((30 - 14) / np.sqrt(44)) == float(score_statistic(30, 14, 500, 0.0))


def test_interval_ends_are_where_the_test_turns():
    """At each end the statistic is the normal quantile."""
    lower, upper = difference_interval(28, 32, 1000)

    assert pytest.approx(norm.isf(0.05), abs=1e-6) == -float(score_statistic(28, 32, 1000, -lower))
    assert pytest.approx(norm.isf(0.05), abs=1e-6) == float(score_statistic(28, 32, 1000, -upper))
    assert lower < 0.004 < upper


def test_the_interval_of_no_disagreement_is_closed_form():
    """Without a changed item the ends are ± z² / (n + z²); without a level they are those of nothing known."""
    z = norm.isf(0.025)

    assert pytest.approx((-(z**2) / (600 + z**2), z**2 / (600 + z**2))) == difference_interval(0, 0, 600, (0.025,) * 2)
    assert (-1.0, 1.0) == difference_interval(0, 0, 600, (0.0, 0.0)) == difference_interval(0, 0, 0)


def test_a_small_interval_is_exact():
    """Three pairs that agree: a loss δ leaves them so with chance (1 − δ)³ at most, which is 0.05 at 0.632."""
    assert pytest.approx((-0.632, 0.632), abs=1e-3) == difference_interval(0, 0, 3)


@pytest.mark.parametrize("n", [1, 2, 8, 25, 60, 100, 300])
def test_interval_and_verdict_agree(n):
    """On a grid of counts and margins an end leaves the margin exactly when its test decides, at its own level."""
    for b, c, margin in product((0, 1, 3, 8), (0, 2, 5), (0.01, 0.05)):
        if b + c > n:
            continue
        lower, upper = difference_interval(b, c, n, (0.05, 0.025), margin=margin)
        holds, worse = (
            bool(test(b, c, n, margin) <= level)
            for test, level in ((non_inferiority_p_value, 0.05), (inferiority_p_value, 0.025))
        )
        assert (lower >= -margin) == holds, (b, c, margin)
        assert (upper <= -margin) == worse, (b, c, margin)
        assert lower <= (c - b) / n <= upper


def test_the_lower_end_follows_the_exact_verdict():
    """Sixty pairs, three lost and five won: p is 0.0604 at five points, so the end lies beyond them."""
    assert pytest.approx(0.0604, abs=1e-4) == float(non_inferiority_p_value(3, 5, 60, 0.05))
    assert -0.05 > difference_interval(3, 5, 60, margin=0.05)[0]


def exact_p_value(b, c, n, loss):
    """All outcomes one by one, at many shares of reverse changes."""
    here = float(score_statistic(b, c, n, loss))
    outcomes = [(i, j) for i in range(n + 1) for j in range(n + 1 - i)]
    worse = [pair for pair in outcomes if float(score_statistic(*pair, n, loss)) <= here + 1e-9]
    largest = 0.0
    for q in np.linspace(0, (1 - loss) / 2, 101):
        same = max(1 - 2 * q - loss, 0.0)
        chance = sum(comb(n, i) * comb(n - i, j) * (q + loss) ** i * q**j * same ** (n - i - j) for i, j in worse)
        largest = max(largest, chance)
    return largest


@pytest.mark.parametrize(("b", "c"), [(0, 0), (1, 3), (0, 4), (2, 2)])
def test_small_samples_are_exact(b, c):
    """Twelve pairs: the p-value is the summed chance of all outcomes as favourable, at its largest."""
    assert pytest.approx(exact_p_value(b, c, 12, 0.1), abs=2e-3) == float(non_inferiority_p_value(b, c, 12, 0.1))


def test_the_two_sides_of_the_margin():
    """Fewer items lost than the margin: non-inferior; many more: inferior; a few: neither."""
    b, c = np.array([20, 90, 30]), np.array([24, 20, 20])

    assert [True, False, False] == paired_non_inferiority(b, c, 1000, 0.02).tolist()
    assert [False, True, False] == (inferiority_p_value(b, c, 1000, 0.02) <= 0.05).tolist()


def test_no_pairs_prove_nothing():
    """Zero pairs have a p-value of one."""
    assert 1.0 == float(non_inferiority_p_value(0, 0, 0, 0.02))


@pytest.mark.parametrize(
    ("discordance", "margin", "power", "expected"),
    [
        (0.05, 0.02, 0.8, 773),
        (0.05, 0.02, 0.9, 1071),
        (0.08, 0.02, 0.8, 1237),
        (0.08, 0.02, 0.9, 1713),
        (0.15, 0.02, 0.8, 2319),
        (0.15, 0.02, 0.9, 3212),
        (0.25, 0.02, 0.8, 3865),
        (0.25, 0.02, 0.9, 5353),
        (0.15, 0.03, 0.8, 1031),
        (0.15, 0.03, 0.9, 1428),
    ],
)
def test_required_pairs_are_those_of_the_table(discordance, margin, power, expected):
    """Equal candidates, one-sided 5%."""
    assert expected == required_pairs(discordance, margin, power)


def test_required_pairs_give_the_power_they_promise():
    """In simulation, 80% of equal candidates are promoted with the pairs asked for."""
    n = required_pairs(0.15, 0.02)
    draws = np.random.default_rng(0).multinomial(n, [0.075, 0.075, 0.85], size=4000)

    assert pytest.approx(0.8, abs=0.03) == paired_non_inferiority(draws[:, 0], draws[:, 1], n, 0.02).mean()


@pytest.mark.parametrize("margin", [0.01, 0.02])
@pytest.mark.parametrize("discordance", [0.08, 0.36])
@pytest.mark.parametrize("n", [60, 100, 1000, 4000])
def test_what_is_worse_by_the_margin_is_seldom_promoted(n, discordance, margin):
    """Type I error at the margin is at most 6%."""
    shares = [(discordance + margin) / 2, (discordance - margin) / 2, 1 - discordance]
    draws = np.random.default_rng(7).multinomial(n, shares, size=10_000)

    assert 0.06 >= paired_non_inferiority(draws[:, 0], draws[:, 1], n, margin).mean()


@given(b=st.integers(0, 60), c=st.integers(0, 60), n=st.integers(121, 3000))
def test_one_more_loss_never_helps(b, c, n):
    """The p-value rises with every item lost and falls with every item won."""
    here, lost, won = non_inferiority_p_value([b, b + 1, b], [c, c, c + 1], n, 0.02)

    assert lost >= here >= won


@pytest.mark.parametrize("counts", [(-1, 0, 10), (6, 5, 10)])
def test_impossible_counts_are_refused(counts):
    """More changes than pairs are an error, not a p-value."""
    with pytest.raises(EvaluationError, match="Hint: count the items that changed sides"):
        non_inferiority_p_value(*counts, 0.02)


def test_margins_in_points_are_refused():
    """Two points are 0.02."""
    with pytest.raises(EvaluationError, match=r"two points as 0\.02"):
        paired_non_inferiority(1, 1, 100, 2)


def test_no_number_of_pairs_decides_at_the_margin():
    """A true difference at the margin needs infinitely many."""
    with pytest.raises(EvaluationError, match="stands at the margin"):
        required_pairs(0.1, 0.02, difference=-0.02)


@pytest.mark.parametrize("chances", [{"alpha": 0.0}, {"alpha": 1.0}, {"power": 1.0}])
def test_no_number_of_pairs_gives_certainty(chances):
    """An error of zero, or a power of one, takes infinitely many."""
    with pytest.raises(EvaluationError, match="No number of pairs decides at the level"):
        required_pairs(0.1, 0.02, **chances)
