"""Files: written so that equal content gives equal bytes."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq


def write_lines(path: Path, rows: Iterable[Any], *, cut: int = 0) -> None:
    """Write JSON Lines, gzipped, the same bytes for the same rows.

    Parameters
    ----------
    path : Path
        File to write; its folder is made.
    rows : iterable
        JSON values, or text that is written as it is.
    cut : int
        Characters to leave off at the end, for a file whose last line is cut.
    """
    text = "".join((row if isinstance(row, str) else json.dumps(row, separators=(",", ":"))) + "\n" for row in rows)
    write_gzip(path, text[: len(text) - cut] if cut else text)


def write_gzip(path: Path, text: str) -> None:
    """Write gzipped text without a time or name in the header.

    Parameters
    ----------
    path : Path
        File to write.
    text : str
        Its content.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as raw, gzip.GzipFile(filename="", fileobj=raw, mode="wb", compresslevel=9, mtime=0) as stream:
        stream.write(text.encode())


def write_parquet(path: Path, table: pa.Table) -> None:
    """Write Parquet with fixed settings, the same bytes for the same table.

    Parameters
    ----------
    path : Path
        File to write; its folder is made.
    table : Table
        Its content.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, path, compression="zstd", compression_level=12, row_group_size=1 << 20, version="2.6")


def months(calls: pd.DataFrame) -> Iterable[tuple[str, pd.DataFrame]]:
    """Split calls by UTC month.

    Parameters
    ----------
    calls : DataFrame
        Calls with ``start_ms``.

    Yields
    ------
    tuple of str and DataFrame
        ``YYYY-MM`` and its calls.
    """
    yield from calls.groupby(pd.to_datetime(calls["start_ms"], unit="ms").dt.strftime("%Y-%m"))


def stamp(milliseconds: int) -> str:
    """Write a UTC instant the way the tools do, without a zone.

    Parameters
    ----------
    milliseconds : int
        Since 1970.

    Returns
    -------
    str
        ``YYYY-MM-DD HH:MM:SS.ffffff``.

    Examples
    --------
    >>> stamp(1_782_864_000_250)
    '2026-07-01 00:00:00.250000'
    """
    return pd.Timestamp(milliseconds, unit="ms").strftime("%Y-%m-%d %H:%M:%S.%f")
