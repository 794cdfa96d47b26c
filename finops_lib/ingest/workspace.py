"""Workspace: the folder of Parquet files that holds the ledger, written beside and then replaced."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
from filelock import FileLock, Timeout

from finops_lib.errors import SourceError
from finops_lib.files import replace_file, written_beside
from finops_lib.ingest.engine import quoted, quoted_path
from finops_lib.schema import TABLES, TOKENS, Column, names

LAYOUT = "1"
MONTHLY = {"requests": "timestamp", "usage_buckets": "bucket_start", "spans": "timestamp"}
"""Tables kept in one file a source and month → the column that says the month (UTC)."""

KEYS = {"requests": "request_id", "usage_buckets": "bucket_id"}


@contextlib.contextmanager
def locked(workspace: Path, timeout: float = 600.0) -> Iterator[None]:
    """Hold the workspace for writing; others wait.

    Parameters
    ----------
    workspace : Path
        The folder; made when missing.
    timeout : float
        Seconds to wait for another writer.

    Yields
    ------
    None

    Raises
    ------
    SourceError
        If another writer keeps the workspace longer than that.
    """
    workspace.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(workspace / ".lock", timeout=timeout):
            yield
    except Timeout as error:
        message = f"Another run has been writing {workspace} for over {timeout:.0f} s"
        raise SourceError(message, hint="wait for it, or end it and try again") from error


def write_table(path: Path, table: pa.Table) -> None:
    """Write an Arrow table as Parquet beside and then replace.

    Parameters
    ----------
    path : Path
        Target.
    table : Table
        Content.
    """
    with written_beside(path) as part:
        pq.write_table(table, part, compression="zstd")


def read_json(path: Path, default: Any) -> Any:
    """Read a JSON file of the workspace; ``default`` when there is none."""
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else default


def write_json(path: Path, value: Any) -> None:
    """Write a JSON file of the workspace, keys sorted."""
    replace_file(path, json.dumps(value, indent=1, sort_keys=True, default=str) + "\n")


def files_of(workspace: Path, table: str, source: str | None = None) -> list[Path]:
    """List the Parquet files of a table, in order.

    Parameters
    ----------
    workspace : Path
        The folder.
    table : str
        Name of the table.
    source : str, optional
        Only files of this format.

    Returns
    -------
    list of Path
        Files; empty when there are none.
    """
    folder = workspace / table / source if source else workspace / table
    return sorted(path for path in folder.rglob("*.parquet") if not path.name.startswith("."))


def scan(paths: list[Path]) -> str:
    """Write the SQL relation over Parquet files."""
    listed = ", ".join(map(quoted_path, paths))
    return f"read_parquet([{listed}], union_by_name = true)"


def merge_new(
    connection: duckdb.DuckDBPyConnection,
    workspace: Path,
    table: str,
    fresh: str,
    source: str,
    covered: str | None = None,
) -> tuple[int, bool]:
    """Merge freshly read rows into a monthly table: one id one row, the latest update wins.

    A file read again replaces what it held of the time it now covers, and a row of it replaces itself, wherever it
    stands now. Of two rows with one id from different files the one updated later stays, of two buckets the fuller
    one, since a day still going on is exported too; at a tie that of the file whose name comes last.

    Parameters
    ----------
    connection : DuckDBPyConnection
        Holds the table ``fresh``; rows that lose are deleted from it.
    workspace : Path
        The folder.
    table : str
        ``requests`` or ``usage_buckets``.
    fresh : str
        Name of the table with the new rows.
    source : str
        Format, also the name of the folder.
    covered : str, optional
        Table of the time each file covers: ``source_file``, ``first``, ``last``.

    Returns
    -------
    tuple of int and bool
        Rows of ``fresh`` that lost against rows already there, and whether a row was removed to which one that was
        passed over before may have lost.
    """
    key, moment = KEYS[table], MONTHLY[table]
    present = files_of(workspace, table, source)
    columns = {row[0] for row in connection.execute(f"DESCRIBE {fresh}").fetchall()}
    connection.execute(f"CREATE OR REPLACE TABLE outdated ({key} VARCHAR, file VARCHAR)")
    over = f"c.source_file = e.source_file AND e.{moment} BETWEEN c.first AND c.last"
    never = "CAST(NULL AS TIMESTAMPTZ)"
    covered = covered or f"(SELECT NULL AS source_file, {never} AS first, {never} AS last WHERE false)"
    lost, gone = 0, False
    if present:
        held = {name for path in present for name in pq.read_schema(path).names}
        ours = f"SELECT rowid AS fresh_row, {key}, source_file, {_version(table, columns)} AS version FROM {fresh}"
        connection.execute(
            f"""CREATE OR REPLACE TABLE rivals AS
            WITH ours AS ({ours}), theirs AS (
                SELECT e.{key}, e.source_file, e.filename AS file, {_version(table, held)} AS version,
                    c.source_file IS NOT NULL AS replaced
                FROM {scan(present)[:-1]}, filename = true) AS e LEFT JOIN {covered} AS c ON {over}
            )
            SELECT f.fresh_row, e.{key}, e.file, e.replaced,
                f.source_file IS NOT DISTINCT FROM e.source_file OR e.replaced AS own, {_BEATS} AS newer
            FROM theirs AS e LEFT JOIN ours AS f ON e.{key} = f.{key} WHERE e.replaced OR f.{key} IS NOT NULL"""
        )
        losers = "SELECT fresh_row FROM rivals WHERE NOT own AND NOT newer"
        lost = connection.execute(f"SELECT count(DISTINCT fresh_row) FROM ({losers})").fetchall()[0][0]
        connection.execute(
            f"""INSERT INTO outdated SELECT {key}, file FROM rivals
            WHERE fresh_row IS NOT NULL AND fresh_row NOT IN ({losers}) UNION ALL SELECT NULL, file FROM rivals
            WHERE replaced"""
        )
        gone = connection.execute("SELECT count(*) > 0 FROM rivals WHERE own AND NOT newer").fetchall()[0][0]
        connection.execute(f"DELETE FROM {fresh} WHERE rowid IN ({losers})" if lost else "SELECT 1")
    months = connection.execute(
        "SELECT DISTINCT strftime(make_timestamp(day * 86400000000), '%Y-%m') FROM "
        f"(SELECT DISTINCT epoch_us({moment}) // 86400000000 AS day FROM {fresh}) "
        "UNION SELECT parse_filename(file, true) FROM outdated"
    ).fetchall()
    for (month,) in sorted(months):
        path = workspace / table / source / f"{month}.parquet"
        start = f"TIMESTAMPTZ '{month}-01 00:00:00+00:00'"
        rows = f"SELECT * FROM {fresh} WHERE {moment} >= {start} AND {moment} < {start} + INTERVAL 1 MONTH"
        if path.is_file():
            kept = f"""SELECT * FROM {scan([path])} AS e WHERE NOT EXISTS (SELECT 1 FROM {covered} AS c WHERE {over})
                AND {key} NOT IN (SELECT {key} FROM outdated WHERE {key} IS NOT NULL)"""
            one_sided = columns.symmetric_difference(pq.read_schema(path).names)
            filled = ", ".join(f"coalesce({c.name}, 0) AS {c.name}" for c in TOKENS if c.name in one_sided)
            replaced = f" REPLACE ({filled})" if filled else ""
            rows = f"SELECT *{replaced} FROM ({kept} UNION ALL BY NAME {rows})"
        write_query(connection, path, rows)
    return lost, gone


# Whether the fresh row f stays when it meets the row e.
_BEATS = """coalesce(CASE WHEN f.version IS NOT DISTINCT FROM e.version THEN f.source_file >= e.source_file
    ELSE e.version IS NULL OR f.version > e.version END, false)"""


def _version(table: str, columns: Collection[str]) -> str:
    """Write the SQL of what tells a later row from an earlier one of the same id."""
    if table == "requests":
        return "updated_at"
    return " + ".join(["0", *(f"coalesce({c.name}, 0)" for c in TOKENS if c.name in columns)])


def write_query(connection: duckdb.DuckDBPyConnection, path: Path, query: str) -> None:
    """Write the result of a query as Parquet beside and then replace; no rows, no file.

    Parameters
    ----------
    connection : DuckDBPyConnection
        Where the query runs.
    path : Path
        Target.
    query : str
        SQL.
    """
    options = "FORMAT parquet, COMPRESSION zstd, PARQUET_VERSION v2"
    with written_beside(path) as part:
        rows = connection.execute(f"COPY ({query}) TO {quoted(part)} ({options})").fetchall()[0][0]
        if not rows:
            part.unlink()
            path.unlink(missing_ok=True)


def replace_rows(
    connection: duckdb.DuckDBPyConnection, workspace: Path, table: str, fresh: str, source: str, files: list[str]
) -> None:
    """Replace all rows that came from some files by what was now read from them.

    Parameters
    ----------
    connection : DuckDBPyConnection
        Holds the table ``fresh``.
    workspace : Path
        The folder.
    table : str
        ``quarantine``, ``spans`` or a mapped table.
    fresh : str
        Name of the table with the new rows.
    source : str
        Format, also the name of the file.
    files : list of str
        Files that were read.
    """
    path = workspace / table / f"{source}.parquet"
    connection.register("read_files", pa.table({"name": pa.array(files, pa.string())}))
    kept = (
        f"""SELECT * FROM {scan([path])} WHERE source_file NOT IN (SELECT name FROM read_files)
        UNION ALL BY NAME"""
        if path.is_file()
        else ""
    )
    write_query(connection, path, f"{kept} SELECT * FROM {fresh}")
    connection.unregister("read_files")


def view_sql(table: str, paths: list[Path]) -> str:
    """Write the select over a table's files: all its columns, null where no file has them."""
    schemas = [set(pq.read_schema(path).names) for path in paths]
    listed = _listed(TABLES[table], set().union(*schemas), set.intersection(*schemas) if schemas else set())
    return f"SELECT {listed} FROM {scan(paths)}" if paths else f"SELECT {listed} WHERE false"


def completed_sql(connection: duckdb.DuckDBPyConnection, relation: str) -> str:
    """Write the select over freshly read rows with all columns of their table, null where they have none."""
    held = {row[0] for row in connection.execute(f"DESCRIBE {relation}").fetchall()}
    contract = TABLES["usage_buckets" if relation.endswith("buckets") else "requests"]
    return f"SELECT {_listed(contract, held, held)} FROM {relation}"


def _listed(contract: tuple[Column, ...], held: Collection[str], everywhere: Collection[str]) -> str:
    """List all columns of a table: a token class nobody counted is zero, anything else not held is null."""
    listed = []
    for column in contract:
        absent = "0" if column in TOKENS else "NULL"
        if column.name not in held:
            listed.append(f"CAST({absent} AS {column.type}) AS {column.name}")
        elif column in TOKENS and column.name not in everywhere:
            listed.append(f"coalesce({column.name}, 0) AS {column.name}")
        else:
            listed.append(column.name)
    return ", ".join(listed)


def filled_columns(connection: duckdb.DuckDBPyConnection, paths: list[Path]) -> list[str]:
    """List the columns that hold any value, from the files' own statistics.

    Parameters
    ----------
    connection : DuckDBPyConnection
        Reads the statistics.
    paths : list of Path
        Parquet files.

    Returns
    -------
    list of str
        Column names; a column without statistics counts as filled.
    """
    if not paths:
        return names(TABLES["requests"])
    listed = ", ".join(map(quoted_path, paths))
    rows = connection.execute(
        f"""SELECT path_in_schema FROM parquet_metadata([{listed}]) GROUP BY 1
        HAVING sum(num_values) > sum(coalesce(stats_null_count, 0)) ORDER BY 1"""
    ).fetchall()
    return [row[0] for row in rows]
