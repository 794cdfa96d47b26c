"""Measures: what every ledger row adds to any grouping, so that all reports add up to the same total."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa

from finops_lib.inform.scope import dimension_values
from finops_lib.schema import TOKEN_CLASSES

MONEY_TYPE = pd.ArrowDtype(pa.decimal128(38, 15))
COUNT_TYPE = pd.ArrowDtype(pa.int64())

BUCKETS: dict[str, tuple[str, ...]] = {
    "uncached_input_tokens": ("uncached_input", "audio_input"),
    "cache_read_tokens": ("cache_read", "cache_read_audio"),
    "cache_write_tokens": ("cache_write_5m", "cache_write_1h"),
    "output_tokens": ("output", "audio_output"),
    "reasoning_tokens": ("reasoning",),
}
"""Billed tokens as reports show them, and the token classes of the ledger behind each."""

MONEY = ("contracted_cost", "list_cost", "avoided_cost")
MEASURED = ("token_class", "pricing_quantity", *MONEY)
"""Columns of the ledger that measures are made of."""

MEASURES = (*BUCKETS, "tokens", *MONEY, "unpriced_tokens")


def measure(costs: pd.DataFrame) -> pd.DataFrame:
    """Turn each ledger row into its additive measures.

    Parameters
    ----------
    costs : DataFrame
        Ledger, one row per day × dimensions × SKU.

    Returns
    -------
    DataFrame
        On the ledger's index, the columns of ``MEASURES``: billed tokens by bucket and together
        (integers; searches are no tokens), exact costs in USD (null where there is no price), and
        the tokens that lack a price.
    """
    classes = costs["token_class"].astype(str)
    quantity = costs["pricing_quantity"].astype(COUNT_TYPE).fillna(0)
    measures = pd.DataFrame(index=costs.index)
    for bucket, members in BUCKETS.items():
        measures[bucket] = quantity.where(classes.isin(members), 0)
    measures["tokens"] = quantity.where(classes.isin(list(TOKEN_CLASSES)), 0)
    for name in MONEY:
        measures[name] = _column(costs, name, MONEY_TYPE)
    measures["unpriced_tokens"] = measures["tokens"].where(measures["contracted_cost"].isna(), 0)
    return measures


def tally(costs: pd.DataFrame, keys: Sequence[str | pd.Series]) -> pd.DataFrame:
    """Sum the measures of a ledger by one or more dimensions.

    Parameters
    ----------
    costs : DataFrame
        Ledger, one row per day × dimensions × SKU.
    keys : sequence of str or Series
        Dimensions to group by, or ready keys on the ledger's index.

    Returns
    -------
    DataFrame
        One row per combination seen, keys first, in the order of the keys. A cost is null when
        nothing in the group has a price.
    """
    by = [key if isinstance(key, pd.Series) else dimension_values(costs, key).rename(key) for key in keys]
    return measure(costs).groupby(by, sort=True, observed=True).sum(min_count=1).reset_index()


def count_requests(usage: pd.DataFrame, keys: Sequence[str | pd.Series]) -> pd.DataFrame:
    """Sum the model calls of a usage frame by one or more dimensions.

    Parameters
    ----------
    usage : DataFrame
        Usage, one row per day × dimensions.
    keys : sequence of str or Series
        Dimensions to group by, or ready keys on the frame's index.

    Returns
    -------
    DataFrame
        One row per combination seen, with ``requests``; null where no row of the group counts its
        calls (some usage APIs give tokens only).
    """
    by = [key if isinstance(key, pd.Series) else dimension_values(usage, key).rename(key) for key in keys]
    requests = _column(usage, "request_count", COUNT_TYPE).rename("requests")
    return requests.groupby(by, sort=True, observed=True).sum(min_count=1).reset_index()


def total(values: pd.Series) -> Decimal | int | None:
    """Sum exactly; ``None`` when no value is known.

    Parameters
    ----------
    values : Series
        Money or counts.

    Returns
    -------
    Decimal, int or None
        The sum.

    Examples
    --------
    >>> total(pd.Series([Decimal("0.1"), None, Decimal("0.2")], dtype=MONEY_TYPE))
    Decimal('0.300000000000000')
    """
    summed = values.sum(min_count=1)
    return None if pd.isna(summed) else summed


def ratio(numerator: pd.Series, denominator: pd.Series | Decimal | float | None) -> pd.Series:
    """Divide as floats; unknown where either side is unknown or the denominator is zero.

    Parameters
    ----------
    numerator : Series
        Money or counts.
    denominator : Series, number or None
        What to divide by.

    Returns
    -------
    Series of float
        NaN where there is nothing to divide by.

    Examples
    --------
    >>> ratio(pd.Series([3, 1]), pd.Series([2, 0])).tolist()
    [1.5, nan]
    """
    top = numerator.astype("float64")
    if isinstance(denominator, pd.Series):
        bottom = denominator.astype("float64")
        return (top / bottom.where(bottom != 0)).astype("float64")
    bottom = float("nan") if denominator is None or not denominator else float(denominator)
    return top / (bottom if bottom else np.nan)


def _column(frame: pd.DataFrame, name: str, kind: pd.ArrowDtype) -> pd.Series:
    """Return a nullable column in the kind wanted; nulls when the frame lacks it."""
    if name in frame.columns:
        return frame[name].astype(kind)
    return pd.Series(pd.NA, index=frame.index, dtype=kind)
