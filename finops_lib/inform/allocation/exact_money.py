"""Exact money: differences and products of decimal columns, which 38 digits are one too few for on the way."""

from __future__ import annotations

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from finops_lib.inform.measures import MONEY_TYPE

_WIDE = pa.decimal256(56, 15)
_NARROW = pa.decimal128(38, 15)


def difference(left: pd.Series, right: pd.Series) -> pd.Series:
    """Subtract money from money, row by row, exactly.

    Parameters
    ----------
    left, right : Series of decimal128(38, 15)
        On the same index.

    Returns
    -------
    Series of decimal128(38, 15)
        On their index; null where either is.

    Examples
    --------
    >>> paid, owed = (pd.Series([amount], dtype=MONEY_TYPE) for amount in (2, 5))
    >>> int(difference(paid, owed).iloc[0])
    -3
    """
    return _exact(pc.subtract, left, right, _WIDE)


def product(quantity: pd.Series, unit_price: pd.Series) -> pd.Series:
    """Multiply whole quantities by unit prices, row by row, exactly.

    Parameters
    ----------
    quantity : Series of int64
        Units.
    unit_price : Series of decimal with up to 15 decimals
        Money a unit, on the same index.

    Returns
    -------
    Series of decimal128(38, 15)
        On their index; null where either is.
    """
    return _exact(pc.multiply, quantity, unit_price, pa.decimal256(19, 0))


def _exact(operation: object, left: pd.Series, right: pd.Series, left_type: pa.DataType) -> pd.Series:
    first, second = pa.array(left).cast(left_type), pa.array(right).cast(_WIDE)
    result = operation(first, second)  # type: ignore[operator]
    return pd.Series(pd.array(result.cast(_NARROW), dtype=MONEY_TYPE), index=left.index)
