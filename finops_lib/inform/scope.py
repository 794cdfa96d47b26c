"""Scope: which rows of the ledger a question is asked of."""

from __future__ import annotations

from datetime import date
from typing import Any

import pandas as pd
import pyarrow as pa

from finops_lib.errors import SchemaError, nearest
from finops_lib.schema import LEDGER, USAGE, names

UNATTRIBUTED = "unattributed"
ALL = "all"
DAY = "charge_period_start"
DAYS_A_MONTH = 365 / 12
TEXT = pd.ArrowDtype(pa.string())
_KNOWN = {*names(LEDGER), *names(USAGE)}


def days(frame: pd.DataFrame) -> pd.Series:
    """Return the day of each row as a timestamp without time zone.

    Parameters
    ----------
    frame : DataFrame
        A ledger, usage or trend frame with ``charge_period_start``.

    Returns
    -------
    Series of datetime64
        On the frame's index; empty when the frame has no rows.
    """
    if frame.empty:
        return pd.Series([], index=frame.index, dtype="datetime64[s]")
    # few days, many rows: convert each day once
    places, unique = pd.factorize(frame[DAY])
    return pd.Series(pd.DatetimeIndex(pd.to_datetime(unique)).as_unit("s").take(places), index=frame.index)


def months(frame: pd.DataFrame) -> pd.Series:
    """Return the month of each row as text ``YYYY-MM``.

    Parameters
    ----------
    frame : DataFrame
        A ledger, usage or trend frame with ``charge_period_start``.

    Returns
    -------
    Series of str
        On the frame's index.
    """
    places, unique = pd.factorize(days(frame))
    return pd.Series(pd.DatetimeIndex(unique).strftime("%Y-%m").take(places), index=frame.index, dtype=object)


def dimension_values(frame: pd.DataFrame, dimension: str) -> pd.Series:
    """Return one dimension as text, where nothing is known as the word "unattributed".

    Parameters
    ----------
    frame : DataFrame
        A ledger or usage frame; the column may be missing when no source filled it.
    dimension : str
        A column of the ledger or usage contract, or of the frame itself.

    Returns
    -------
    Series of str
        On the frame's index, without nulls.

    Raises
    ------
    SchemaError
        If the contracts and the frame know no such column.

    Examples
    --------
    >>> dimension_values(pd.DataFrame({"team": ["brand", None]}), "team").tolist()
    ['brand', 'unattributed']
    """
    if dimension in frame.columns:
        text = frame[dimension].astype(TEXT)
        return text.mask(text.isna() | (text == ""), UNATTRIBUTED)
    if dimension not in _KNOWN:
        message = f"'{dimension}' is no column of the ledger"
        raise SchemaError(message, hint=nearest(dimension, _KNOWN, "finops_lib/schema lists the dimensions"))
    return pd.Series(UNATTRIBUTED, index=frame.index, dtype=TEXT)


def filter_scope(
    frame: pd.DataFrame, *, period: str | tuple[date, date] | None = None, **dimensions: Any
) -> pd.DataFrame:
    """Keep the rows of one period and of chosen dimension values.

    Parameters
    ----------
    frame : DataFrame
        One row per day × whatever: ledger, usage or trend.
    period : str or (date, date), optional
        A month ``YYYY-MM``, ``latest`` for the last month of the frame, a first and last day (both
        included), or ``None`` or ``all`` for everything.
    **dimensions : str or collection of str
        Values to keep by dimension, e.g. ``team="brand"``; ``unattributed`` stands for no value;
        ``None`` and ``all`` keep everything.

    Returns
    -------
    DataFrame
        The rows kept, in their order and with their columns.

    Raises
    ------
    SchemaError
        If a dimension is unknown.

    Examples
    --------
    >>> costs = pd.DataFrame({"charge_period_start": ["2026-08-31", "2026-09-01"], "team": ["a", "b"]})
    >>> filter_scope(costs, period="2026-09", team="all")["team"].tolist()
    ['b']
    """
    kept = pd.Series(True, index=frame.index, dtype=bool)
    if isinstance(period, tuple):
        first, last = (pd.Timestamp(day) for day in period)
        kept &= days(frame).between(first, last)
    elif period not in (None, ALL) and not frame.empty:
        month = months(frame)
        kept &= month == (month.max() if period == "latest" else period)
    for dimension, wanted in dimensions.items():
        values = dimension_values(frame, dimension)
        chosen = [wanted] if isinstance(wanted, str | bool) or wanted is None else list(wanted)
        if None in chosen or ALL in chosen:
            continue
        texts = [str(value).lower() if isinstance(value, bool) else str(value) for value in chosen]
        kept &= values.isin(texts).astype(bool)
    return frame[kept]
