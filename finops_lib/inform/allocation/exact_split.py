"""Exact split: an amount becomes whole parts that sum to it, to the last digit (largest remainder)."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_FLOOR, ROUND_HALF_UP, Decimal, localcontext
from fractions import Fraction
from math import gcd

import numpy as np
import pandas as pd
import pyarrow as pa

from finops_lib.inform.measures import MONEY_TYPE

DECIMALS = 12
"""Decimals of the parts of FOCUS metrics; finer digits of an origin stay together."""

_STORED = 15
_WEIGHT_LIMIT = 2**50
_WORD = 2**64


def whole_weights(weights: Sequence[Decimal | float | int]) -> list[int]:
    """Turn weights into whole numbers in the same proportions.

    Parameters
    ----------
    weights : sequence of Decimal, float or int
        Not negative; a float stands for the shortest decimal it is written as.

    Returns
    -------
    list of int
        With a sum below 2**50; the proportions are exact, or right to 15 digits where the weights are finer.

    Examples
    --------
    >>> whole_weights([0.5, 0.25]), whole_weights([Decimal("0.913"), 2])
    ([2, 1], [913, 2000])
    """
    exact = [Fraction(str(weight)) for weight in weights]
    common = 1
    for weight in exact:
        common = common * weight.denominator // gcd(common, weight.denominator)
    whole = [int(weight * common) for weight in exact]
    divisor = gcd(*whole) or 1
    whole = [weight // divisor for weight in whole]
    total = sum(whole)
    if total < _WEIGHT_LIMIT:
        return whole
    # a weight that is there at all keeps some part
    return [max(weight * (_WEIGHT_LIMIT // 2) // total, int(weight > 0)) for weight in whole]


def split_units(amounts: np.ndarray, weights: Sequence[int]) -> np.ndarray:
    r"""Split whole amounts by weights; the parts of each sum to it.

    Parameters
    ----------
    amounts : ndarray of int, shape (n,)
        Whole units; int64 or Python integers of any size. A negative amount is split as its opposite is, so that a
        refund takes back exactly what was charged.
    weights : sequence of int, length k
        Not negative, not all zero, with a sum below 2**50; their order decides at ties.

    Returns
    -------
    ndarray of int, shape (n, k)
        Parts, each within one unit of the proportional one.

    Notes
    -----
    Hamilton's method of the largest remainder. With the amount :math:`A = QT + R` and the sum of weights :math:`T` the
    part :math:`\lfloor A w / T \rfloor` is :math:`Q w + \lfloor R w / T \rfloor`, and the second term needs no more
    than 64 bits: its quotient is estimated in floating point and corrected by the remainder modulo 2**64.

    Examples
    --------
    >>> split_units(np.array([100, -100, 1]), [1, 1, 1]).tolist()
    [[34, 33, 33], [-34, -33, -33], [1, 0, 0]]
    """
    weight = np.array(weights, dtype=np.int64)
    total = int(weight.sum())
    size = np.abs(amounts)
    quotient, rest = size // total, (size % total).astype(np.int64)
    whole, fraction = _multiply_divide(rest[:, None], weight[None, :], total)
    left = rest - whole.sum(axis=1)
    # the largest fractions first, in the order of the weights at ties
    order = np.argsort(-fraction, axis=1, kind="stable")
    one_more = np.zeros_like(whole)
    np.put_along_axis(one_more, order, (np.arange(len(weight)) < left[:, None]).astype(np.int64), axis=1)
    whole += one_more
    parts = quotient[:, None] * (weight.astype(object) if amounts.dtype == object else weight)[None, :] + whole
    return np.where((amounts < 0)[:, None], -parts, parts)


def split_decimals(amounts: pd.Series, weights: Sequence[int]) -> pa.Array:
    """Split exact amounts by weights, at 1e-12.

    Parameters
    ----------
    amounts : Series of decimal
        Fifteen decimals as stored; nulls give null parts. Digits beyond the twelfth decimal go to the first weight.
    weights : sequence of int, length k
        As for ``split_units``.

    Returns
    -------
    Array of decimal128(38, 15), length n × k
        The parts of the first amount, then those of the second, and so on.

    Examples
    --------
    >>> parts = split_decimals(pd.Series([Decimal("0.000000000002")], dtype=MONEY_TYPE), [1, 1, 1])
    >>> [f"{part:.12f}" for part in parts.to_pylist()]
    ['0.000000000001', '0.000000000001', '0.000000000000']
    """
    low, high, known = _words(amounts)
    fine = 10 ** (_STORED - DECIMALS)
    parts_low = np.zeros((len(low), len(weights)), dtype=np.uint64)
    parts_high = np.zeros((len(low), len(weights)), dtype=np.int64)
    small = (high == low.view(np.int64) >> 63) & (low != np.uint64(_WORD // 2))
    for rows, stored in (
        (small, low.view(np.int64)[small]),
        (~small, high[~small].astype(object) * _WORD + low[~small].astype(object)),
    ):
        size = np.abs(stored)
        units, finest = size // fine, size % fine
        parts = split_units(units, weights) * fine
        parts[:, 0] += finest
        parts = np.where((stored < 0)[:, None], -parts, parts)
        if stored.dtype == object:
            parts_low[rows], parts_high[rows] = (parts % _WORD).astype(np.uint64), (parts // _WORD).astype(np.int64)
        else:
            parts_low[rows], parts_high[rows] = parts.view(np.uint64), parts >> 63
    return _decimals(parts_low.ravel(), parts_high.ravel(), np.repeat(known, len(weights)))


def round_parts(parts: Sequence[Decimal], decimals: int = 2) -> list[Decimal]:
    """Round amounts to a currency's smallest unit so that they sum to their rounded total.

    Parameters
    ----------
    parts : sequence of Decimal
        Exact amounts of any sign.
    decimals : int
        Decimals of the currency: 2 for cents, 0 for yen, 3 for dinars.

    Returns
    -------
    list of Decimal
        Each within one unit of its part; the units left over go to the largest fractions, first come first served
        at ties.

    Examples
    --------
    >>> [str(part) for part in round_parts([Decimal("0.335"), Decimal("0.335"), Decimal("0.335")])]
    ['0.34', '0.34', '0.33']
    """
    unit = Decimal(1).scaleb(-decimals)
    with localcontext(prec=76):
        floors = [part.quantize(unit, ROUND_FLOOR) for part in parts]
        total = sum(parts, Decimal(0)).quantize(unit, ROUND_HALF_UP)
        left = int((total - sum(floors, Decimal(0))) / unit)
        order = sorted(range(len(parts)), key=lambda place: floors[place] - parts[place])
        raised = set(order[:left])
        return [floor + unit if place in raised else floor for place, floor in enumerate(floors)]


def _multiply_divide(rest: np.ndarray, weight: np.ndarray, total: int) -> tuple[np.ndarray, np.ndarray]:
    """Return quotient and remainder of ``rest × weight / total``, all below 2**50, without a wider integer."""
    whole = np.floor(rest.astype(np.float64) * weight / total).astype(np.int64)
    # the product wraps, and so does what is taken off it: their small difference is right
    fraction = rest * weight - whole * total
    # the estimate is off by one at most: both factors are exact in floating point
    step = (fraction >= total).astype(np.int64) - (fraction < 0)
    return whole + step, fraction - step * total


def _words(amounts: pd.Series) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the low and high 64 bits of stored decimals, and which of them are known."""
    array = pa.array(amounts.astype(MONEY_TYPE), type=pa.decimal128(38, _STORED))
    array = array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array
    known = array.is_valid().to_numpy(zero_copy_only=False)
    words = np.frombuffer(array.buffers()[1], dtype=np.int64).reshape(-1, 2)[array.offset : array.offset + len(array)]
    words = np.where(known[:, None], words, 0)
    return np.ascontiguousarray(words[:, 0]).view(np.uint64), np.ascontiguousarray(words[:, 1]), known


def _decimals(low: np.ndarray, high: np.ndarray, known: np.ndarray) -> pa.Array:
    words = np.ascontiguousarray(np.column_stack([low.view(np.int64), high]))
    valid = None if known.all() else pa.py_buffer(np.packbits(known, bitorder="little").tobytes())
    return pa.Array.from_buffers(pa.decimal128(38, _STORED), len(low), [valid, pa.py_buffer(words.tobytes())])
