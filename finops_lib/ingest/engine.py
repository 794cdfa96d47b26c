"""Engine: where a statement runs: DuckDB on this machine, or a warehouse reached through SQLAlchemy."""

from __future__ import annotations

import glob
from pathlib import Path

import duckdb
import pyarrow as pa
import sqlalchemy as sa

from finops_lib.errors import SourceError
from finops_lib.ingest.dialects import DuckDBDialect, to_sql


def connect(scratch: Path | None = None) -> duckdb.DuckDBPyConnection:
    """Open DuckDB in memory with UTC as its session time zone.

    Parameters
    ----------
    scratch : Path, optional
        Folder it may spill to when memory runs short.

    Returns
    -------
    DuckDBPyConnection
        An open connection; close it with ``with``.
    """
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute("SET enable_progress_bar = false")
    if scratch:
        connection.execute(f"SET temp_directory = {quoted(scratch)}")
    return connection


def quoted(value: object) -> str:
    """Write a text as a literal of SQL.

    Examples
    --------
    >>> quoted("o'brien-bot")
    "'o''brien-bot'"
    """
    return "'" + str(value).replace("'", "''") + "'"


def quoted_path(path: Path) -> str:
    """Write a path as a literal of SQL for what takes patterns: it means this one file, whatever its name."""
    return quoted(glob.escape(str(path)))


def fetch(connection: duckdb.DuckDBPyConnection, query: str) -> pa.Table:
    """Run SQL text on DuckDB and bring back an Arrow table."""
    return connection.sql(query).to_arrow_table()


def run(statement: sa.Executable, source: duckdb.DuckDBPyConnection | sa.Engine) -> pa.Table:
    """Run a statement where the requests are and bring back an Arrow table.

    Parameters
    ----------
    statement : Executable
        A SQLAlchemy Core select.
    source : DuckDBPyConnection or Engine
        DuckDB, or a warehouse reached through ``sqlalchemy.create_engine``.

    Returns
    -------
    Table
        The result; integers and decimals exact.
    """
    if isinstance(source, duckdb.DuckDBPyConnection):
        return fetch(source, to_sql(statement, DuckDBDialect()))
    with source.connect() as connection:
        result = connection.execute(statement)
        columns = list(result.keys())
        rows = result.fetchall()
    return pa.table({name: [row[i] for row in rows] for i, name in enumerate(columns)})


def arrow_type(kind: str) -> pa.DataType:
    """Translate a type of a table contract to Arrow.

    Parameters
    ----------
    kind : str
        SQL type as in ``schema``.

    Returns
    -------
    DataType
        The Arrow type that holds it exactly.

    Examples
    --------
    >>> str(arrow_type("DECIMAL(38,15)"))
    'decimal128(38, 15)'
    """
    if kind.startswith("DECIMAL"):
        width, scale = kind[8:-1].split(",")
        return pa.decimal128(int(width), int(scale))
    return {
        "VARCHAR": pa.string(),
        "BIGINT": pa.int64(),
        "DATE": pa.date32(),
        "BOOLEAN": pa.bool_(),
        "DOUBLE": pa.float64(),
        "TIMESTAMPTZ": pa.timestamp("us", tz="UTC"),
    }[kind]


def open_engine(url: str) -> sa.Engine:
    """Connect to a team's own warehouse.

    Parameters
    ----------
    url : str
        SQLAlchemy URL.

    Returns
    -------
    Engine
        A SQLAlchemy engine.

    Raises
    ------
    SourceError
        If no driver for the URL is installed or the URL cannot be read.
    """
    try:
        return sa.create_engine(url)
    except (sa.exc.ArgumentError, sa.exc.NoSuchModuleError, ModuleNotFoundError, ValueError) as error:
        safe = url.split("@")[-1]
        message = f"No connection for the database URL ending in '{safe}': {error}"
        raise SourceError(message, hint="install the driver for it, e.g. psycopg for postgresql+psycopg://") from error


def table_columns(engine: sa.Engine, table: str, hint: str) -> list[str]:
    """List the columns of a database's table.

    Parameters
    ----------
    engine : Engine
        From ``open_engine``.
    table : str
        Name of the table.
    hint : str
        What to do when there is none.

    Returns
    -------
    list of str
        Column names.

    Raises
    ------
    SourceError
        If the database cannot be reached or has no such table.
    """
    try:
        return [column["name"] for column in sa.inspect(engine).get_columns(table)]
    except sa.exc.NoSuchTableError as error:
        message = f"The database has no table '{table}'"
        raise SourceError(message, hint=hint) from error
    except sa.exc.SQLAlchemyError as error:
        message = f"The database cannot be read: {str(error.__cause__ or error).splitlines()[0]}"
        raise SourceError(message, hint="check host, user and password in the URL") from error
