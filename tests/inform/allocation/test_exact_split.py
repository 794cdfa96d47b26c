"""Exact splits: whole parts that sum to the amount, whatever the weights, signs and sizes."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finops_lib.inform.allocation.exact_split import round_parts, split_decimals, split_units, whole_weights
from finops_lib.inform.measures import MONEY_TYPE

weights = st.lists(st.integers(0, 2**40), min_size=1, max_size=9).filter(any)
amounts = st.decimals(min_value=-(10**20), max_value=10**20, places=15, allow_nan=False)


def money(values: list[Decimal | None]) -> pd.Series:
    """Make a series of stored amounts."""
    return pd.Series(pd.array(values, dtype=MONEY_TYPE))


def parts_of(values: list[Decimal | None], weight: list[int]) -> list[list[Decimal | None]]:
    """Split and lay the parts out by amount."""
    flat = split_decimals(money(values), weight).to_pylist()
    return [flat[at : at + len(weight)] for at in range(0, len(flat), len(weight))]


def test_cents_by_hand() -> None:
    """Ten cents in the proportions 1 : 1 : 4 are 1.67, 1.67 and 6.67; the cents left go to the largest fractions."""
    assert [[2, 2, 6]] == split_units(np.array([10]), [1, 1, 4]).tolist()
    assert [[17, 17, 66]] == split_units(np.array([100]), [1, 1, 4]).tolist()


def test_equal_fractions_go_to_whoever_comes_first() -> None:
    """A unit left over between equals goes by order."""
    assert [[3, 2, 2], [1, 1, 0]] == split_units(np.array([7, 2]), [5, 5, 5]).tolist()


def test_a_refund_takes_back_exactly_what_was_charged() -> None:
    """The parts of an amount and of its opposite cancel out."""
    charge, refund = parts_of([Decimal("0.01"), Decimal("-0.01")], [1, 1, 1])

    assert [Decimal("0.003333333334"), Decimal("0.003333333333"), Decimal("0.003333333333")] == charge
    assert [-part for part in charge] == refund


def test_digits_finer_than_the_parts_stay_together() -> None:
    """What lies beyond the twelfth decimal goes to the first receiver."""
    assert [[Decimal("0.000000000001999"), Decimal("0.000000000001")]] == parts_of([Decimal("2.999e-12")], [1, 1])


def test_amounts_beyond_64_bits() -> None:
    """A hundred million million is split to the last digit."""
    assert [[Decimal("66666666666666.666666666667"), Decimal("33333333333333.333333333333")]] == parts_of(
        [Decimal(10**14)], [2, 1]
    )


def test_nothing_known_has_no_parts() -> None:
    """A null amount gives null parts, beside known ones."""
    assert [[None, None], [Decimal("0.5"), Decimal("0.5")]] == parts_of([None, Decimal(1)], [1, 1])


@given(st.lists(amounts, min_size=1, max_size=5), weights)
@settings(max_examples=60, deadline=None)
def test_parts_sum_to_their_amount(values: list[Decimal], weight: list[int]) -> None:
    """No digit is lost or invented, and no part lies on the other side of zero."""
    for value, parts in zip(values, parts_of(values, weight), strict=True):
        # Decimal's own sum rounds to 28 digits
        assert Fraction(value) == sum(map(Fraction, parts))
        assert all(part * value >= 0 for part in parts)


@given(st.integers(-(2**62), 2**62), weights)
@settings(max_examples=60, deadline=None)
def test_parts_lie_within_one_unit_of_the_proportional_ones(amount: int, weight: list[int]) -> None:
    """Python's own integers agree, for 64-bit amounts and as objects."""
    total = sum(weight)
    for kind in (np.int64, object):
        (parts,) = split_units(np.array([amount], dtype=kind), weight).tolist()
        assert all(abs(part * total - amount * one) < total for part, one in zip(parts, weight, strict=True))


@given(st.lists(st.floats(0, 1e12, allow_nan=False), min_size=1, max_size=8).filter(lambda all_: max(all_) > 0))
@settings(max_examples=60, deadline=None)
def test_weights_keep_their_proportions(given_weights: list[float]) -> None:
    """Whole weights stay below the limit and as far apart as given, to twelve digits."""
    whole = whole_weights(given_weights)

    assert sum(whole) < 2**50
    assert [weight > 0 for weight in given_weights] == [weight > 0 for weight in whole]
    shares = [weight / sum(given_weights) for weight in given_weights]
    assert shares == pytest.approx([weight / sum(whole) for weight in whole], abs=1e-12)


@given(st.lists(st.decimals(-(10**9), 10**9, places=6), min_size=1, max_size=8), st.sampled_from([0, 2, 3]))
@settings(max_examples=60, deadline=None)
def test_rounded_parts_sum_to_the_rounded_total(parts: list[Decimal], decimals: int) -> None:
    """In yen, cents and tenths of cents; each part moves by less than one unit."""
    unit = Decimal(1).scaleb(-decimals)
    rounded = round_parts(parts, decimals)

    assert abs(sum(rounded) - sum(parts)) * 2 <= unit
    assert all(abs(after - before) < unit for before, after in zip(parts, rounded, strict=True))
