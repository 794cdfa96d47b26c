"""Records: files of any container (JSON Lines, JSON, CSV, Parquet, gzip) become one table of raw fields.

A strict read comes first; only a file that fails it is read again line by line, and what cannot be read is set
aside with its text and position. Nothing is dropped.
"""

from __future__ import annotations

import csv
import json
from array import array
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from finops_lib.ingest.engine import quoted, quoted_path
from finops_lib.ingest.reading.containers import (
    LARGEST_OBJECT,
    Layout,
    container_of,
    csv_delimiter,
    first_object,
    json_layout,
    mended,
    open_bytes,
    open_text,
    parsed,
    plain_file,
    reading,
    salvage,
)
from finops_lib.ingest.reading.json_lines import column_name, columns_sql, load_lines, read_strictly
from finops_lib.ingest.reading.originals import lay_out, lines_of_bytes

Unwrap = Callable[[Any], Iterable[Any]]


def load_records(
    connection: duckdb.DuckDBPyConnection,
    files: list[Path],
    fields: dict[str, str],
    *,
    unwrap: Unwrap | None = None,
    scratch: Path,
    labels: dict[Path, str] | None = None,
    strictly: bool = True,
) -> None:
    """Load files into a table of raw fields.

    Parameters
    ----------
    connection : DuckDBPyConnection
        Where the tables ``records``, ``refused`` and ``line_files`` (where the text of each file stands) are made.
    files : list of Path
        Files of any container; ``.gz`` too.
    fields : dict
        Field name → ``VARCHAR`` for scalars or ``JSON`` for nested values. Fields a file lacks are null.
    unwrap : callable, optional
        Turns one JSON document (a download with an envelope, a page of an API) into its records.
    scratch : Path
        Folder for files that have to be rewritten before they can be read.
    labels : dict, optional
        Name each file goes by in ``source_file``; its path otherwise.
    strictly : bool
        Whether lines are worth a strict read first; not when it is known that one of them cannot be read.

    Raises
    ------
    SourceError
        If a file cannot be read: cut off, not what its name says.
    """
    connection.execute("DROP VIEW IF EXISTS records")
    columns = ", ".join(f"{column_name(name)} {kind}" for name, kind in fields.items())
    connection.execute(f"CREATE OR REPLACE TABLE records (source_file VARCHAR, source_position BIGINT, {columns})")
    make_tables(connection)
    for number, path in enumerate(files):
        container, label = container_of(path), (labels or {}).get(path, str(path))
        with reading(path):
            if container == ".parquet":
                _load_parquet(connection, path, label, fields)
            elif container in (".csv", ".tsv"):
                _load_csv(connection, plain_file(path, scratch, number), label, fields, scratch / f"{number}.csv")
            else:
                plain = plain_file(path, scratch, number)
                _load_json(connection, plain, label, fields, unwrap, scratch / f"{number}.jsonl", strictly)


def make_tables(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the empty tables that stand beside ``records``: what was refused, and where texts and lines stand."""
    connection.execute(
        "CREATE OR REPLACE TABLE refused "
        "(source_file VARCHAR, source_position BIGINT, reason VARCHAR, raw_text VARCHAR)"
    )
    connection.execute("CREATE OR REPLACE TABLE line_files (source_file VARCHAR, plain VARCHAR, container VARCHAR)")
    connection.execute(
        "CREATE OR REPLACE TABLE original_lines "
        "(source_file VARCHAR, place BIGINT, line BIGINT, text VARCHAR, reason VARCHAR)"
    )
    connection.execute("CREATE OR REPLACE TABLE page_lines (source_file VARCHAR, place BIGINT, line BIGINT)")


def _select_fields(available: Iterable[str], fields: dict[str, str], cast: Callable[[str, str], str]) -> str:
    """List the wanted fields: cast where the file has them, null where it has not; case does not matter."""
    present = {name.lower(): name for name in available}
    listed = []
    for name, kind in fields.items():
        found = present.get(name.lower())
        listed.append(f"{cast(found, kind) if found else f'CAST(NULL AS {kind})'} AS {column_name(name)}")
    return ", ".join(listed)


def _load_parquet(connection: duckdb.DuckDBPyConnection, path: Path, label: str, fields: dict[str, str]) -> None:
    relation = f"read_parquet({quoted_path(path)}, file_row_number = true)"
    kinds = {row[0]: str(row[1]) for row in connection.execute(f"DESCRIBE SELECT * FROM {relation}").fetchall()}

    def cast(name: str, kind: str) -> str:
        column, held = column_name(name), kinds[name]
        nested = "[]" in held or held.startswith(("STRUCT", "MAP", "LIST"))
        if kind == "JSON" and (nested or held not in ("VARCHAR", "JSON")):
            return f"to_json({column})"
        if held == "BLOB":
            return f"decode({column})"
        if held in ("FLOAT", "DOUBLE"):
            return f"CAST(CASE WHEN NOT isnan({column}) THEN {column} END AS {kind})"
        return f"TRY_CAST({column} AS {'JSON' if nested else kind})"

    listed = _select_fields(kinds, fields, cast)
    connection.execute(f"INSERT INTO records SELECT {quoted(label)}, file_row_number + 1, {listed} FROM {relation}")
    connection.execute("INSERT INTO line_files VALUES (?, ?, 'parquet')", [label, str(path)])


def _load_csv(
    connection: duckdb.DuckDBPyConnection, plain: Path, label: str, fields: dict[str, str], rewritten: Path
) -> None:
    with open_text(plain, newline="") as stream:
        head = stream.readline()
        if not head.strip():
            return
        delimiter = csv_delimiter(head)
        stream.seek(0)
        names = _distinct(next(csv.reader(stream, delimiter=delimiter)))
    columns = columns_sql(dict.fromkeys(names, "VARCHAR"))
    options = (
        f"header = true, auto_detect = false, delim = {quoted(delimiter)}, quote = '\"', escape = '\"', "
        f"columns = {columns}, max_line_size = {LARGEST_OBJECT}, strict_mode = true"
    )
    if not _read_csv(connection, plain, options):
        try:
            _read_csv_leniently(connection, plain, label, options)
        except duckdb.Error:
            # The engine does not take line ends of both kinds in one file.
            with open_bytes(plain) as stream, rewritten.open("wb") as target:
                target.writelines(line.replace(b"\r\n", b"\n") for line in stream)
            plain = rewritten
            if not _read_csv(connection, plain, options):
                _read_csv_leniently(connection, plain, label, options)
    listed = _select_fields(names, fields, lambda name, kind: f"TRY_CAST({column_name(name)} AS {kind})")
    connection.execute(f"INSERT INTO records SELECT {quoted(label)}, rowid + 1, {listed} FROM csv_rows")
    connection.execute("DROP TABLE csv_rows")
    connection.execute("INSERT INTO line_files VALUES (?, ?, 'csv')", [label, str(plain)])


def _distinct(header: list[str]) -> list[str]:
    """Name all columns of a CSV: of those that go by one name the first keeps it."""
    names: list[str] = []
    for number, given in enumerate(header):
        name = given.strip() or f"column_{number}"
        taken = {other.lower() for other in names}
        names.append(f"{name}_{number}" if name.lower() in taken else name)
    return names


def _read_csv(connection: duckdb.DuckDBPyConnection, plain: Path, options: str) -> bool:
    """Read a CSV into ``csv_rows`` if all of it can be read."""
    try:
        connection.execute(
            f"CREATE OR REPLACE TEMP TABLE csv_rows AS SELECT * FROM read_csv({quoted_path(plain)}, {options})"
        )
    except duckdb.Error:
        return False
    return True


def _read_csv_leniently(connection: duckdb.DuckDBPyConnection, plain: Path, label: str, options: str) -> None:
    """Read a CSV into ``csv_rows``, with the rows that cannot be read set aside."""
    connection.execute("DROP TABLE IF EXISTS csv_rejects; DROP TABLE IF EXISTS csv_scans")
    # All columns are materialised: rejects are only kept for columns that are read.
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE csv_rows AS SELECT * FROM read_csv({quoted_path(plain)}, {options}, "
        "store_rejects = true, rejects_table = 'csv_rejects', rejects_scan = 'csv_scans', rejects_limit = 0)"
    )
    rejects = connection.execute(
        "SELECT line_byte_position, any_value(csv_line), min(lower(error_type)) FROM csv_rejects GROUP BY 1 ORDER BY 1"
    ).fetchall()
    # The engine counts rows, not lines, and lets a row begin with the line end before it.
    found = {
        position + len(text) - len(text.lstrip("\r\n")): (text.strip("\r\n"), reason)
        for position, text, reason in rejects
    }
    lines = lines_of_bytes(plain, found)
    laid_out = {p: (lines[p], text, f"not a row of this CSV: {reason}") for p, (text, reason) in found.items()}
    lay_out(connection, "refused_rows", label, laid_out)
    connection.execute("INSERT INTO refused SELECT source_file, line, reason, text FROM refused_rows")


def _load_json(
    connection: duckdb.DuckDBPyConnection,
    plain: Path,
    label: str,
    fields: dict[str, str],
    unwrap: Unwrap | None,
    rewritten: Path,
    strictly: bool,
) -> None:
    layout = json_layout(plain)
    if layout == "empty":
        return
    pages = are_pages(plain, layout, unwrap)
    if layout == "lines" and not pages:
        load_lines(connection, plain, label, fields, rewritten, strictly)
        connection.execute("INSERT INTO line_files VALUES (?, ?, 'lines')", [label, str(plain)])
        return
    if layout == "array" and not pages and read_strictly(connection, plain, label, fields, "array"):
        connection.execute("INSERT INTO line_files VALUES (?, ?, 'array')", [label, str(plain)])
        return
    refused: list[tuple[int, str, str]] = []
    if layout == "lines":
        values = _parsed_lines(plain, refused)
    else:
        with open_text(plain) as stream:
            found, rest, position = salvage(mended(stream.read()), inside=unwrap is not None)
        values = enumerate(found, start=1)
        if rest:
            refused.append((position, "truncated or malformed JSON", rest))
    lines = array("q")
    with rewritten.open("w", encoding="utf-8", errors="replace") as target:
        for line, value in values:
            for record in _unwrapped(value, unwrap):
                target.write(json.dumps(record, ensure_ascii=False) + "\n")
                lines.append(line)
    if lines:
        load_lines(connection, rewritten, label, fields, rewritten)
        connection.execute("INSERT INTO line_files VALUES (?, ?, 'values')", [label, str(rewritten)])
    if layout == "lines":
        _keep_page_lines(connection, label, lines)
    if refused:
        connection.executemany("INSERT INTO refused VALUES (?, ?, ?, ?)", [[label, *row] for row in refused])


def _keep_page_lines(connection: duckdb.DuckDBPyConnection, label: str, lines: array[int]) -> None:
    """Keep the line of the page each record stands in; what was refused of them is said to stand there."""
    connection.register("lines_of_pages", pa.table({"line": pa.array(lines, pa.int64())}))
    connection.execute("INSERT INTO page_lines SELECT ?, row_number() OVER (), line FROM lines_of_pages", [label])
    connection.unregister("lines_of_pages")
    connection.execute(
        """UPDATE refused AS r SET source_position = p.line FROM page_lines AS p
        WHERE r.source_file = ? AND p.source_file = r.source_file AND p.place = r.source_position""",
        [label],
    )


def are_pages(plain: Path, layout: Layout, unwrap: Unwrap | None) -> bool:
    """Whether the records stand inside others, by the first that can be read."""
    if unwrap is None:
        return False
    first = first_object(plain, layout)
    return first is not None and list(_unwrapped(first, unwrap)) != [first]


def _parsed_lines(plain: Path, refused: list[tuple[int, str, str]]) -> Iterator[tuple[int, Any]]:
    """Parse line by line, with the line's number; what cannot be read is noted with its line."""
    with open_text(plain) as stream:
        for line, text in enumerate(stream, start=1):
            if text.isspace():
                continue
            value = parsed(mended(text))
            if isinstance(value, dict):
                yield line, value
            else:
                unreadable = value is None and text.strip() != "null"
                reason = "truncated or malformed JSON" if unreadable else "not a JSON object"
                refused.append((line, reason, text.rstrip("\r\n")))


def _unwrapped(value: Any, unwrap: Unwrap | None) -> Iterator[Any]:
    try:
        opened = unwrap(value) if unwrap else [value]
        records = [value] if isinstance(opened, str | dict) else list(opened)
    except (KeyError, TypeError, AttributeError):
        records = [value]  # not what the envelope should be: it is set aside as it stands
    yield from records
