"""Read files with one reader, up to disjoint token classes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from finops_lib.ingest.engine import connect
from finops_lib.ingest.readers import find_reader
from finops_lib.ingest.readers.base import MACROS
from finops_lib.ingest.reading import records
from finops_lib.ingest.reading.tokens import RAW, bucket_sql, fault_sql
from finops_lib.schema import TOKEN_CLASSES

FIXTURES = Path(__file__).parent / "fixtures"
REAL = Path(__file__).parents[4] / "shared" / "data" / "exports"
SHORT = {column: name for name, column in TOKEN_CLASSES.items()}


@pytest.fixture
def observe(tmp_path: Path) -> Callable[..., list[dict[str, Any]]]:
    """Observe files of a format: one dict a row, in file order, with ``tokens`` holding the classes that are not 0."""

    def read(name: str, *files: str | Path) -> list[dict[str, Any]]:
        reader = find_reader(name)
        with connect() as connection:
            connection.execute(MACROS)
            paths = [file if isinstance(file, Path) else FIXTURES / name / file for file in files]
            records.load_records(connection, paths, reader.fields, unwrap=reader.unwrap, scratch=tmp_path)
            assert [] == connection.execute("SELECT * FROM refused").fetchall()
            counts = ", ".join(f"TRY_CAST({raw} AS BIGINT) AS {raw}" for raw in RAW)
            observed = f"SELECT * REPLACE ({counts}) FROM ({reader.observations_sql()})"
            rows = (
                connection.sql(
                    f"""SELECT * REPLACE (strftime(instant(started), '%Y-%m-%d %H:%M:%S.%g') AS started,
                    strftime(instant(ended), '%Y-%m-%d %H:%M:%S.%g') AS ended), {fault_sql()} AS fault
                FROM ({bucket_sql(f"({observed})")}) ORDER BY source_file, source_position"""
                )
                .to_arrow_table()
                .to_pylist()
            )
        for row in rows:
            row["tokens"] = {short: row[column] for column, short in SHORT.items() if row[column]}
        return rows

    return read


@pytest.fixture
def real() -> Callable[[str], Path]:
    """Find a real export; skip the test where the shared data is not there."""

    def find(path: str) -> Path:
        if not (REAL / path).exists():
            pytest.skip(f"no real export at {REAL / path}")
        return REAL / path

    return find
