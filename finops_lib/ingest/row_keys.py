"""Row keys: several columns as one number a row, which sorts as the columns do."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

_LARGEST = 2**62


def row_keys(table: pa.Table, columns: Sequence[str]) -> np.ndarray:
    """Give every row a number: equal where all columns are, and in their order; nulls come last.

    Parameters
    ----------
    table : Table
        Rows of n.
    columns : sequence of str
        Columns that sort, the first one most.

    Returns
    -------
    ndarray
        n integers.

    Examples
    --------
    >>> row_keys(pa.table({"a": ["y", None, "x", "x"], "b": [1, 1, 3, 2]}), ["a", "b"]).tolist()
    [4, 8, 2, 1]
    """
    keys, size = np.zeros(table.num_rows, np.int64), 1
    for name in columns:
        ranks, count = _ranks(table[name].combine_chunks())
        if size * count > _LARGEST:
            keys = np.unique(keys, return_inverse=True)[1]
            size = int(keys.max(initial=0)) + 1
        keys, size = keys * count + ranks, size * count
    return keys


def _ranks(column: pa.Array) -> tuple[np.ndarray, int]:
    """Rank the values of a column, each distinct one compared once, and count the ranks."""
    encoded = column.dictionary_encode()
    distinct = len(encoded.dictionary)
    ranks = np.empty(distinct + 1, dtype=np.int64)
    ranks[pc.sort_indices(encoded.dictionary).to_numpy()] = np.arange(distinct)
    ranks[-1] = distinct
    return ranks[encoded.indices.fill_null(distinct).to_numpy()], distinct + 1
