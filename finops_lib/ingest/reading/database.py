"""Database: LiteLLM's spend logs straight from its PostgreSQL table, as Parquet."""

from __future__ import annotations

import json
import re
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import sqlalchemy as sa

from finops_lib.errors import SourceError
from finops_lib.ingest.engine import open_engine, table_columns
from finops_lib.ingest.readers.litellm import READER

TABLE = "LiteLLM_SpendLogs"
PIECE = 50_000


def is_database(path: str) -> bool:
    """Tell a database URL from a path."""
    return bool(re.match(r"^[a-z][a-z0-9+]+://", path))


def database_label(url: str) -> str:
    """Name a database by host and name, without user and password."""
    given = sa.make_url(url)
    return f"{given.host or given.query.get('host') or 'localhost'}/{given.database}"


def fetch_spend_logs(url: str, folder: Path) -> list[Path]:
    """Copy the spend logs table into a Parquet file.

    Parameters
    ----------
    url : str
        SQLAlchemy URL; plain ``postgresql://`` uses psycopg.
    folder : Path
        Where the file is written.

    Returns
    -------
    list of Path
        One file, written in pieces; prompts and answers stay in the database.

    Raises
    ------
    SourceError
        If the database cannot be reached or has no such table.
    """
    engine = open_engine(re.sub(r"^postgres(ql)?://", "postgresql+psycopg://", url))
    present = table_columns(engine, TABLE, "point to the database of the LiteLLM proxy")
    wanted = [name for name in READER.fields if name in present]
    statement = sa.select(*(sa.column(name) for name in wanted)).select_from(sa.table(TABLE))
    schema = pa.schema([(name, pa.string()) for name in wanted])
    path, rows = folder / "spend_logs.parquet", 0
    with (
        engine.connect().execution_options(stream_results=True, yield_per=PIECE) as connection,
        pq.ParquetWriter(path, schema) as writer,
    ):
        for piece in connection.execute(statement).partitions(PIECE):
            columns = [[_text(row[i]) for row in piece] for i in range(len(wanted))]
            writer.write_table(pa.table(columns, schema=schema))
            rows += len(piece)
    engine.dispose()
    if not rows:
        message = f"The table '{TABLE}' is empty"
        raise SourceError(message, hint="check that the proxy writes spend logs (disable_spend_logs is off)")
    return [path]


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, datetime):
        return value.isoformat(sep=" ")
    return json.dumps(value) if isinstance(value, dict | list) else str(value)
