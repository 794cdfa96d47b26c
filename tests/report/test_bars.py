"""Labels find room."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finops_lib.report.bars import listing, spread


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
