"""Bars and waterfalls stand where they should, and labels find room."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from finops_lib.report.bars import cut_of, draw_waterfall, listing, spread
from finops_lib.report.chart import new_chart


@given(st.lists(st.floats(-100, 100), min_size=1, max_size=12), st.floats(0.01, 5))
def test_labels_are_never_closer_than_the_gap(positions, gap):
    """Labels move apart, keep their order, and stay centred as a whole."""
    moved = spread(positions, gap)
    order = sorted(range(len(positions)), key=lambda place: positions[place])
    steps = [moved[after] - moved[before] for before, after in pairwise(order)]

    assert all(step >= gap - 1e-9 for step in steps)
    assert pytest.approx(sum(positions), abs=1e-6) == sum(moved)


def test_labels_with_room_do_not_move():
    """Nothing moves that need not."""
    assert [3.0, 1.0, 2.0] == spread([3.0, 1.0, 2.0], 0.5)


def test_long_listings_say_what_is_left_out():
    """Alternative text stays short."""
    assert "a: 1; b: 2; and 1 more." == listing(["a", "b", "c"], ["1", "2", "3"], limit=2)


def test_each_step_begins_where_the_one_above_ended():
    """From 100 down 30 and up 5 to 75; the labels and the axis leave room."""
    amounts, totals = np.array([100.0, -30.0, 5.0, 75.0]), np.array([True, False, False, True])
    _, (axes,) = new_chart("Steps")
    draw_waterfall(axes, list("abcd"), amounts, totals, ["100", "−30", "+5", "75"], ["grey"] * 4)

    assert [(0, 100), (70, 30), (70, 5), (0, 75)] == [(bar.get_x(), bar.get_width()) for bar in axes.patches]
    assert [100, 70, 75] == [line.get_xdata()[0] for line in axes.lines]
    assert [100, 100, 75, 75] == [text.xy[0] for text in axes.texts]
    assert axes.get_xlim()[1] > 100


def test_an_axis_is_cut_only_where_steps_would_be_hairlines():
    """Between 90 and 100 it begins at 84; down to 40 or below zero it begins at zero."""
    totals = np.array([True, False])

    assert 84 == pytest.approx(cut_of(np.array([100.0, -10.0]), totals))
    assert [0, 0, 0] == [cut_of(np.array([100.0, step]), totals) for step in (-60.0, -101.0, 0.0)]
