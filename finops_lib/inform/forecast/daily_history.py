"""Daily history: any daily series as plain numbers, one a day, with what was found odd in it."""

from __future__ import annotations

import numpy as np
import pandas as pd

from finops_lib.errors import SchemaError


def daily_values(series: pd.Series) -> pd.Series:
    """Bring a daily series into one form: floats, one row a day, without time zone.

    Parameters
    ----------
    series : Series
        Values by day, any numeric type (decimals and Arrow types too); rows in any order, several rows of a
        day are summed, missing days are unknown.

    Returns
    -------
    Series of float64
        Every day from the first known value to the last row; NaN where a day has no value.

    Raises
    ------
    SchemaError
        If it is no Series, the index holds no dates, or no value is known.

    Examples
    --------
    >>> daily_values(pd.Series([1, 3], index=pd.to_datetime(["2026-03-01", "2026-03-03"]))).tolist()
    [1.0, nan, 3.0]
    """
    if not isinstance(series, pd.Series):
        message = f"what is to be forecast is a {type(series).__name__}, expected a Series of daily values"
        raise SchemaError(message, hint="of a frame, give the column: frame.set_index('date')['cost']")
    if not isinstance(series.index, pd.DatetimeIndex) or series.index.hasnans:
        message = f"the series to forecast is indexed by {series.index.dtype}, expected a date on every row"
        raise SchemaError(message, hint="set the index to the days, as pandas timestamps")
    values = pd.Series(series.to_numpy(dtype="float64", na_value=np.nan), index=_days(series.index))
    values = values.where(np.isfinite(values)).groupby(level=0).sum(min_count=1)
    first = values.first_valid_index()
    if first is None:
        message = f"the series to forecast holds no value in its {len(series)} rows"
        raise SchemaError(message, hint="at least one day with a number is needed")
    return values.reindex(pd.date_range(first, values.index[-1], freq="D"))


def _days(index: pd.DatetimeIndex) -> pd.DatetimeIndex:
    local = index.tz_localize(None) if index.tz is not None else index
    return local.normalize()


def silent_days(values: np.ndarray) -> tuple[int, int]:
    """Count the zero days at the end, and the longest run of zeros before them.

    Parameters
    ----------
    values : array
        One value a day.

    Returns
    -------
    int, int
        Days at the end, days of the longest run before.

    Examples
    --------
    >>> silent_days(np.array([5.0, 0.0, 4.0, 0.0, 0.0]))
    (2, 1)
    """
    zero = np.concatenate([[False], values == 0, [False]])
    starts, ends = np.flatnonzero(zero[1:] & ~zero[:-1]), np.flatnonzero(~zero[1:] & zero[:-1])
    runs = (ends - starts).tolist()
    last = runs.pop() if runs and ends[-1] == len(values) else 0
    return last, max(runs, default=0)
