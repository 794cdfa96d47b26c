"""Intervals held against the series' own past."""

from __future__ import annotations

import numpy as np
import pytest

from finops_lib.inform import fit_panel
from finops_lib.inform.forecast.intervals import at_scores, blended, level_bounds, own_evidence

_FAN = np.array([[0.0, 10.0, 20.0, 30.0, 50.0]])


def test_levels_are_read_off_the_fan():
    """80% and 95% are the fan's own quantiles; 50% lies between the middle and the 80%, at 0.6745 / 1.2816."""
    bounds = level_bounds(_FAN, (80, 95, 50))[:, :, 0]

    assert np.allclose([[10, 30], [0, 50]], bounds[:2])
    assert [20 - 10 * 0.5263, 20 + 10 * 0.5263] == pytest.approx(bounds[2], rel=1e-3)


def test_beyond_the_fan_nothing_is_negative():
    """A score of six sigma goes on outwards above, and stops at zero below."""
    low, high = at_scores(_FAN, np.array([[-6.0], [6.0]]))[:, 0]

    assert 0.0 == low
    assert high > 50


def test_plain_rules_move_the_middle_and_keep_the_widths():
    """A quarter of a rule that says 28 moves the middle from 20 by 2."""
    moved = blended(_FAN, np.array([[28.0, 20.0]]), np.array([0.25, 0.25]))

    assert [[2.0, 12.0, 22.0, 32.0, 52.0]] == moved.tolist()


def test_short_histories_learn_nothing_from_themselves():
    """Twenty days leave no origin: general weights, no widening."""
    evidence = own_evidence(fit_panel(), np.full(20, 5.0), 0)

    assert [1.0] * 5 == evidence.widening.tolist()
    assert [0.15, 0.1] == evidence.weights.tolist()


def test_a_rule_that_was_always_right_takes_over():
    """A repeating week hands all weight to the weekday naive and narrows the fan."""
    evidence = own_evidence(fit_panel(), np.tile([9.0, 8, 7, 6, 5, 2, 1], 20), 6)

    assert 1.0 == pytest.approx(evidence.weights.sum(), abs=1e-6)
    assert (evidence.widening[[0, 1, 3, 4]] < 0.8).all()


def test_a_series_that_surprises_widens_its_fan():
    """Calm weeks with a tenfold burst every few weeks were outside before: the fan opens."""
    values = np.random.default_rng(0).normal(100, 1, 300)
    values[::23] *= 10
    calm = own_evidence(fit_panel(), np.random.default_rng(0).normal(100, 1, 300), 0)
    bursts = own_evidence(fit_panel(), values, 0)

    assert bursts.widening[4] > calm.widening[4]
