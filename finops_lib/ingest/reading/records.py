"""Records: files of any container (JSON Lines, JSON, CSV, Parquet, gzip) become one table of raw fields.

A strict read comes first; only a file that fails it is read again line by line, and what cannot be read is set
aside with its text and position. Nothing is dropped.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import duckdb

from finops_lib.ingest.reading.containers import (
    LARGEST_OBJECT,
    Layout,
    container_of,
    csv_delimiter,
    first_object,
    json_layout,
    open_bytes,
    open_text,
    parsed,
    plain_file,
    reading,
    salvage,
)
from finops_lib.ingest.reading.originals import lay_out, lines_at, lines_of_bytes

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
        Where the tables ``records``, ``refused`` and ``line_files`` (files made of lines or of CSV rows) are made.
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
    columns = ", ".join(f"{_name(name)} {kind}" for name, kind in fields.items())
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
    """Make the empty tables that stand beside ``records``: ``refused``, ``line_files`` and ``original_lines``."""
    connection.execute(
        "CREATE OR REPLACE TABLE refused "
        "(source_file VARCHAR, source_position BIGINT, reason VARCHAR, raw_text VARCHAR)"
    )
    connection.execute("CREATE OR REPLACE TABLE line_files (source_file VARCHAR, plain VARCHAR, container VARCHAR)")
    connection.execute(
        "CREATE OR REPLACE TABLE original_lines "
        "(source_file VARCHAR, place BIGINT, line BIGINT, text VARCHAR, reason VARCHAR)"
    )


def _quoted(value: Any) -> str:
    return "'" + str(value).replace("'", "''") + "'"


def _select_fields(available: Iterable[str], fields: dict[str, str], cast: Callable[[str, str], str]) -> str:
    """List the wanted fields: cast where the file has them, null where it has not; case does not matter."""
    present = {name.lower(): name for name in available}
    listed = []
    for name, kind in fields.items():
        found = present.get(name.lower())
        listed.append(f"{cast(found, kind) if found else f'CAST(NULL AS {kind})'} AS {_name(name)}")
    return ", ".join(listed)


def _load_parquet(connection: duckdb.DuckDBPyConnection, path: Path, label: str, fields: dict[str, str]) -> None:
    relation = f"read_parquet({_quoted(path)}, file_row_number = true)"
    kinds = {row[0]: str(row[1]) for row in connection.execute(f"DESCRIBE SELECT * FROM {relation}").fetchall()}

    def cast(name: str, kind: str) -> str:
        column, held = _name(name), kinds[name]
        nested = "[]" in held or held.startswith(("STRUCT", "MAP", "LIST"))
        if kind == "JSON" and (nested or held not in ("VARCHAR", "JSON")):
            return f"to_json({column})"
        if held == "BLOB":
            return f"decode({column})"
        if held in ("FLOAT", "DOUBLE"):
            return f"CAST(CASE WHEN NOT isnan({column}) THEN {column} END AS {kind})"
        return f"TRY_CAST({column} AS {'JSON' if nested else kind})"

    listed = _select_fields(kinds, fields, cast)
    connection.execute(f"INSERT INTO records SELECT {_quoted(label)}, file_row_number + 1, {listed} FROM {relation}")


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
    options = (
        f"header = true, auto_detect = false, delim = {_quoted(delimiter)}, quote = '\"', escape = '\"', "
        f"columns = {_columns(dict.fromkeys(names, 'VARCHAR'))}, max_line_size = {LARGEST_OBJECT}, strict_mode = true"
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
    listed = _select_fields(names, fields, lambda name, kind: f"TRY_CAST({_name(name)} AS {kind})")
    connection.execute(f"INSERT INTO records SELECT {_quoted(label)}, rowid + 1, {listed} FROM csv_rows")
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
            f"CREATE OR REPLACE TEMP TABLE csv_rows AS SELECT * FROM read_csv({_quoted(plain)}, {options})"
        )
    except duckdb.Error:
        return False
    return True


def _read_csv_leniently(connection: duckdb.DuckDBPyConnection, plain: Path, label: str, options: str) -> None:
    """Read a CSV into ``csv_rows``, with the rows that cannot be read set aside."""
    connection.execute("DROP TABLE IF EXISTS csv_rejects; DROP TABLE IF EXISTS csv_scans")
    # All columns are materialised: rejects are only kept for columns that are read.
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE csv_rows AS SELECT * FROM read_csv({_quoted(plain)}, {options}, "
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
        _load_lines(connection, plain, label, fields, strictly)
        connection.execute("INSERT INTO line_files VALUES (?, ?, 'lines')", [label, str(plain)])
        return
    if layout == "array" and not pages and _strict(connection, plain, label, fields, "array"):
        return
    if layout == "lines":
        values = _parsed_lines(connection, plain, label)
    else:
        with open_text(plain) as stream:
            values, rest, position = salvage(stream.read(), inside=unwrap is not None)
        if rest:
            connection.execute(
                "INSERT INTO refused VALUES (?, ?, 'truncated or malformed JSON', ?)", [label, position, rest]
            )
    with rewritten.open("w", encoding="utf-8") as target:
        target.writelines(json.dumps(record) + "\n" for value in values for record in _unwrapped(value, unwrap))
    if rewritten.stat().st_size:
        _load_lines(connection, rewritten, label, fields)


def are_pages(plain: Path, layout: Layout, unwrap: Unwrap | None) -> bool:
    """Whether the records stand inside others, by the first that can be read."""
    if unwrap is None:
        return False
    first = first_object(plain, layout)
    return first is not None and list(_unwrapped(first, unwrap)) != [first]


def _parsed_lines(connection: duckdb.DuckDBPyConnection, plain: Path, label: str) -> Iterator[Any]:
    """Parse line by line; what cannot be read is refused with its line."""
    with open_text(plain) as stream:
        for line, text in enumerate(stream, start=1):
            unfit = None if text.isspace() else why(text)
            if unfit:
                connection.execute("INSERT INTO refused VALUES (?, ?, ?, ?)", [label, line, unfit, text.rstrip("\r\n")])
            elif not text.isspace():
                yield parsed(text)


def _unwrapped(value: Any, unwrap: Unwrap | None) -> Iterator[Any]:
    try:
        opened = unwrap(value) if unwrap else [value]
        records = [value] if isinstance(opened, str | dict) else list(opened)
    except (KeyError, TypeError, AttributeError):
        records = [value]  # not what the envelope should be: it is set aside as it stands
    yield from records


def _columns(fields: dict[str, str]) -> str:
    return "{" + ", ".join(f"{_quoted(name)}: '{kind}'" for name, kind in fields.items()) + "}"


def lines_sql(
    plain: Path,
    label: str,
    fields: dict[str, str],
    layout: str = "newline_delimited",
    leniently: bool = False,
) -> str:
    """Write the SQL that reads a file of JSON; a row's position is its place among the rows."""
    listed = ", ".join(map(_name, fields))
    options = f"columns = {_columns(fields)}, maximum_object_size = {LARGEST_OBJECT}, ignore_errors = {leniently}"
    return (
        f"SELECT {_quoted(label)} AS source_file, row_number() OVER () AS source_position, {listed} "
        f"FROM read_json({_quoted(plain)}, format = '{layout}', {options})"
    )


def _strict(connection: duckdb.DuckDBPyConnection, plain: Path, path: str, fields: dict[str, str], layout: str) -> bool:
    """Load a file of JSON if all of it can be read."""
    try:
        connection.execute(f"INSERT INTO records {lines_sql(plain, path, fields, layout)}")
    except duckdb.Error:
        return False
    return True


def _load_lines(
    connection: duckdb.DuckDBPyConnection, plain: Path, label: str, fields: dict[str, str], strictly: bool = True
) -> None:
    """Load JSON Lines: strictly, else with the lines that cannot be read set aside."""
    if strictly and _strict(connection, plain, label, fields, "newline_delimited"):
        return
    listed = ", ".join(map(_name, fields))
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE lenient_rows AS
        SELECT row_number() OVER () AS place, {listed} FROM read_json({_quoted(plain)}, format = 'newline_delimited',
            ignore_errors = true, columns = {_columns(fields)}, maximum_object_size = {LARGEST_OBJECT})"""
    )
    # A line that cannot be read comes back as a row that holds nothing; only its text is looked at again.
    filled = "coalesce(" + ", ".join(f"CAST({_name(name)} AS VARCHAR)" for name in fields) + ") IS NOT NULL"
    empty = {row[0] for row in connection.execute(f"SELECT place FROM lenient_rows WHERE NOT ({filled})").fetchall()}
    texts, lines = lines_at(plain, empty)
    if lines == connection.execute("SELECT count(*) FROM lenient_rows").fetchall()[0][0]:
        refused = {place: (line, text, why(text)) for place, (line, text) in texts.items() if why(text)}
        lay_out(connection, "refused_lines", label, refused)
        connection.execute(
            f"INSERT INTO records SELECT {_quoted(label)}, place, {listed} FROM lenient_rows "
            "WHERE place NOT IN (SELECT place FROM refused_lines)"
        )
        connection.execute("INSERT INTO refused SELECT source_file, line, reason, text FROM refused_lines")
    else:
        _split_lines(connection, plain, label, fields)
    connection.execute("DROP TABLE lenient_rows")


def why(text: str) -> str | None:
    """Why a line is no record; nothing when it is one."""
    try:
        return None if isinstance(json.loads(text), dict) else "not a JSON object"
    except ValueError:
        return "truncated or malformed JSON"


def _split_lines(connection: duckdb.DuckDBPyConnection, plain: Path, label: str, fields: dict[str, str]) -> None:
    """Parse line by line, where the lenient read does not give one row a line."""
    connection.execute(f"CREATE OR REPLACE TEMP TABLE raw_lines AS SELECT text FROM {raw_lines_sql(plain)}")
    listed = ", ".join(f"line.{_name(name)}" for name in fields)
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE parsed_lines AS
        SELECT row_number() OVER (ORDER BY rowid) AS nth, rowid + 1 AS position, text, {_OBJECT} AS readable,
            CASE WHEN {_OBJECT} THEN json_transform(text, {_quoted(json.dumps(fields))}) END AS line
        FROM raw_lines WHERE trim(coalesce(text, 'x')) <> ''"""
    )
    connection.execute(f"INSERT INTO records SELECT {_quoted(label)}, nth, {listed} FROM parsed_lines WHERE readable")
    connection.execute(
        f"INSERT INTO refused SELECT {_quoted(label)}, position, {_WHY}, text FROM parsed_lines WHERE NOT readable"
    )
    connection.execute("DROP TABLE raw_lines; DROP TABLE parsed_lines")


_OBJECT = "coalesce(json_valid(text) AND ltrim(text)[1] = '{', false)"
_WHY = """CASE WHEN text IS NULL THEN 'not readable as text'
    WHEN json_valid(text) THEN 'not a JSON object' ELSE 'truncated or malformed JSON' END"""


def _name(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def raw_lines_sql(path: Path) -> str:
    """Write the SQL relation that reads a text file as lines, each one VARCHAR column ``text``.

    Parameters
    ----------
    path : Path
        A text file, gzip or not.

    Returns
    -------
    str
        A ``read_csv`` call whose rows are the file's lines in order.
    """
    return (
        f"read_csv({_quoted(path)}, columns = {{'text': 'VARCHAR'}}, delim = '\x01', quote = '', escape = '', "
        f"header = false, auto_detect = false, strict_mode = false, null_padding = false, ignore_errors = true, "
        f"max_line_size = {LARGEST_OBJECT})"
    )
