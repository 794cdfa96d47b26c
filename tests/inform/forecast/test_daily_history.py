"""Any daily series in one form."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from finops_lib.errors import SchemaError
from finops_lib.inform.forecast.daily_history import daily_values, silent_days


def test_days_are_sorted_summed_and_filled():
    """Rows of a day add up, missing days are unknown, infinite values too, leading unknown days go."""
    days = pd.DatetimeIndex(["2026-03-05", "2026-03-02 14:00", "2026-03-02", "2026-03-03", "2026-03-01"])
    values = daily_values(pd.Series([4.0, 1.0, 2.0, np.inf, np.nan], index=days))

    assert ["2026-03-02", "2026-03-03", "2026-03-04", "2026-03-05"] == values.index.strftime("%Y-%m-%d").tolist()
    assert [3.0, None, None, 4.0] == [None if np.isnan(value) else value for value in values]


@pytest.mark.parametrize(
    "values",
    [
        pd.array([1, None, 3], dtype="Int64"),
        pd.array([1, None, 3], dtype=pd.ArrowDtype(pa.int64())),
        pd.array([Decimal(1), None, Decimal(3)], dtype=pd.ArrowDtype(pa.decimal128(38, 15))),
        np.array([Decimal(1), None, Decimal(3)], dtype=object),
    ],
)
def test_every_numeric_type_is_read(values):
    """Nullable, Arrow and decimal values become floats; null is unknown."""
    found = daily_values(pd.Series(values, index=pd.date_range("2026-03-01", periods=3)))

    assert np.array_equal([1.0, np.nan, 3.0], found.to_numpy(), equal_nan=True)


def test_the_local_day_counts():
    """Days of a series with a time zone are the days of that zone."""
    late = pd.DatetimeIndex(["2026-03-01 23:30"]).tz_localize("Europe/Berlin")

    assert "2026-03-01" == f"{daily_values(pd.Series([1.0], index=late)).index[0]:%Y-%m-%d}"


@pytest.mark.parametrize(
    ("series", "words"),
    [
        ([1.0, 2.0], "is a list, expected a Series"),
        (pd.DataFrame({"cost": [1.0]}), "is a DataFrame, expected a Series"),
        (pd.Series([1.0, 2.0]), "indexed by int64, expected a date"),
        (pd.Series([], dtype=float, index=pd.DatetimeIndex([])), "holds no value in its 0 rows"),
        (pd.Series([np.nan], index=pd.to_datetime(["2026-03-01"])), "holds no value in its 1 rows"),
        (pd.Series([1.0], index=pd.DatetimeIndex([pd.NaT])), "expected a date on every row"),
    ],
)
def test_what_is_no_daily_series_is_refused(series, words):
    """No dates or no values: the message says which."""
    with pytest.raises(SchemaError, match=words):
        daily_values(series)


@pytest.mark.parametrize(
    ("values", "expected"),
    [([0, 0], (2, 0)), ([1, 0, 0, 1, 0], (1, 2)), ([1.0], (0, 0)), ([0, 1, np.nan], (0, 1)), ([], (0, 0))],
)
def test_silence_is_counted(values, expected):
    """Zeros at the end, and the longest run before; unknown days are no zeros."""
    assert expected == silent_days(np.array(values, dtype=float))
