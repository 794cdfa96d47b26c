"""Keys of rows sort as the rows do, however many values their columns have."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from finops_lib.ingest import row_keys as module
from finops_lib.ingest.row_keys import row_keys

ROWS = st.lists(st.tuples(st.none() | st.text(max_size=2), st.none() | st.integers(0, 3), st.integers(0, 3)))


@given(ROWS, st.booleans())
def test_keys_sort_and_equal_as_rows_do(rows: list[tuple[str | None, int | None, int]], folded: bool) -> None:
    """Nulls last, also where the product of what the columns hold is too large for one number."""
    kinds = (pa.string(), pa.int64(), pa.int64())
    table = pa.table({name: pa.array([row[i] for row in rows], kinds[i]) for i, name in enumerate("abc")})
    largest = module._LARGEST
    try:
        module._LARGEST = 6 if folded else largest
        keys = row_keys(table, ["a", "b", "c"])
    finally:
        module._LARGEST = largest

    sorts = [
        [(value is None, value or 0 if index else (value or "").encode()) for index, value in enumerate(r)]
        for r in rows
    ]
    assert [sorts.index(row) for row in sorts] == [keys.tolist().index(key) for key in keys]
    assert sorted(range(len(rows)), key=sorts.__getitem__) == np.argsort(keys, kind="stable").tolist()
