"""Database: LiteLLM's spend logs straight from its PostgreSQL table, as Parquet in pieces."""

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
from finops_lib.ingest.engine import open_engine
from finops_lib.ingest.readers.litellm import READER

TABLE = "LiteLLM_SpendLogs"
PIECE = 50_000


def is_database(path: str) -> bool:
    """Tell a database URL from a path."""
    return bool(re.match(r"^[a-z][a-z0-9+]+://", path))


def fetch_spend_logs(url: str, folder: Path) -> list[Path]:
    """Copy the spend logs table into Parquet files.

    Parameters
    ----------
    url : str
        SQLAlchemy URL; plain ``postgresql://`` uses psycopg.
    folder : Path
        Where the files are written.

    Returns
    -------
    list of Path
        One file every 50,000 rows; prompts and answers stay in the database.

    Raises
    ------
    SourceError
        If the database cannot be reached or has no such table.
    """
    engine = open_engine(re.sub(r"^postgres(ql)?://", "postgresql+psycopg://", url))
    try:
        present = {column["name"] for column in sa.inspect(engine).get_columns(TABLE)}
    except sa.exc.NoSuchTableError as error:
        message = f"The database has no table '{TABLE}'"
        raise SourceError(message, hint="point to the database of the LiteLLM proxy") from error
    except sa.exc.SQLAlchemyError as error:
        message = f"The database cannot be read: {str(error.__cause__ or error).splitlines()[0]}"
        raise SourceError(message, hint="check host, user and password in the URL") from error
    wanted = [name for name in READER.fields if name in present]
    statement = sa.select(*(sa.column(name) for name in wanted)).select_from(sa.table(TABLE))
    schema = pa.schema([(name, pa.string()) for name in wanted])
    files = []
    with engine.connect().execution_options(stream_results=True, yield_per=PIECE) as connection:
        for number, rows in enumerate(connection.execute(statement).partitions(PIECE)):
            path = folder / f"spend_logs_{number:05d}.parquet"
            columns = [[_text(row[i]) for row in rows] for i in range(len(wanted))]
            pq.write_table(pa.table(columns, schema=schema), path)
            files.append(path)
    engine.dispose()
    if not files:
        message = f"The table '{TABLE}' is empty"
        raise SourceError(message, hint="check that the proxy writes spend logs (disable_spend_logs is off)")
    return files


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, datetime):
        return value.isoformat(sep=" ")
    return json.dumps(value) if isinstance(value, dict | list) else str(value)
