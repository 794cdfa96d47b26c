"""Files of equal bytes."""

from __future__ import annotations

import gzip
from pathlib import Path

import pandas as pd
import pyarrow as pa

from finops_lib.sample.files import months, stamp, write_lines, write_parquet


def test_lines_carry_neither_time_nor_name(tmp_path: Path) -> None:
    """Two files of other names hold the same bytes; a cut leaves off the end."""
    write_lines(tmp_path / "a.jsonl.gz", [{"b": 1, "a": None}, "as it is"])
    write_lines(tmp_path / "deep" / "c.jsonl.gz", [{"b": 1, "a": None}, "as it is"])
    write_lines(tmp_path / "cut.jsonl.gz", ["whole", "broken"], cut=4)

    assert (tmp_path / "a.jsonl.gz").read_bytes() == (tmp_path / "deep" / "c.jsonl.gz").read_bytes()
    assert b'{"b":1,"a":null}\nas it is\n' == gzip.decompress((tmp_path / "a.jsonl.gz").read_bytes())
    assert b"whole\nbro" == gzip.decompress((tmp_path / "cut.jsonl.gz").read_bytes())


def test_parquet_is_the_same_twice(tmp_path: Path) -> None:
    """Equal tables give equal files."""
    table = pa.table({"a": [1, 2, 3]})
    for name in ("a", "b"):
        write_parquet(tmp_path / f"{name}.parquet", table)

    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()


def test_months_are_cut_in_utc() -> None:
    """The last millisecond of July and the first of August fall apart."""
    frame = pd.DataFrame({"start_ms": [1_785_542_399_999, 1_785_542_400_000]})

    assert ["2026-07", "2026-08"] == [month for month, _ in months(frame)]


def test_stamp_is_utc_without_zone() -> None:
    """A quarter of a second past the first midnight."""
    assert "2026-07-01 00:00:00.250000" == stamp(1_782_864_000_250)
