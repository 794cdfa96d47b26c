"""Exact money: 38 digits in, 38 digits out."""

from __future__ import annotations

from decimal import Decimal

import pandas as pd
import pyarrow as pa

from finops_lib.inform.allocation.exact_money import difference, product
from finops_lib.inform.measures import MONEY_TYPE

COUNT = pd.ArrowDtype(pa.int64())


def test_the_last_digit_survives_a_difference():
    """Fifteen decimals beside a large amount are kept, and a null stays one."""
    paid = pd.Series([Decimal("9000000000.000000000000001"), None], dtype=MONEY_TYPE)
    owed = pd.Series([Decimal("0.000000000000002"), Decimal(1)], dtype=MONEY_TYPE)

    assert [Decimal("8999999999.999999999999999"), True] == [
        difference(paid, owed)[0],
        pd.isna(difference(paid, owed)[1]),
    ]


def test_quantity_times_price_is_exact():
    """A trillion tokens at 0.15 USD a million are 150,000 USD; rows keep their labels."""
    quantity = pd.Series([10**12], index=["a"], dtype=COUNT)
    price = pd.Series([Decimal("0.00000015")], index=["a"], dtype=pd.ArrowDtype(pa.decimal128(20, 15)))

    assert {"a": Decimal(150_000)} == product(quantity, price).to_dict()
