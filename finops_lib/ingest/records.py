"""Records: files of any container (JSON Lines, JSON, CSV, Parquet, gzip) become one table of raw fields.

A strict read comes first; only a file that fails it is read again line by line, and what cannot be read is set
aside with its text and position. Nothing is dropped.
"""

from __future__ import annotations

import csv
import glob
import gzip
import json
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from finops_lib.errors import SourceError

CONTAINERS = (".jsonl", ".ndjson", ".json", ".csv", ".tsv", ".parquet", ".log", ".txt")
LARGEST_OBJECT = 64 * 1024 * 1024
Unwrap = Callable[[Any], Iterable[Any]]


def find_files(paths: Iterable[str | Path], project: Path | None = None) -> list[Path]:
    """Expand files, folders and globs to the files to read.

    Parameters
    ----------
    paths : iterable of path
        A file, a folder (read with its subfolders) or a glob; relative ones from ``project`` when given.
    project : Path, optional
        Folder that relative paths start from; the working directory otherwise.

    Returns
    -------
    list of Path
        Files in order of their path, each once. Licence and README files in folders are passed over.

    Raises
    ------
    SourceError
        If a path names nothing, or a folder holds no export.
    """
    found: dict[Path, None] = {}
    for given in paths:
        path = Path(given).expanduser()
        path = path if path.is_absolute() or project is None else project / path
        if path.is_file():
            matches = [path]
        elif path.is_dir():
            matches = [p for p in sorted(path.rglob("*")) if p.is_file() and _container(p)]
        else:
            matches = [Path(p) for p in sorted(glob.glob(str(path), recursive=True)) if Path(p).is_file()]
        if not matches:
            message = f"Nothing to read at {path}"
            raise SourceError(message, hint="name a file, a folder with exports or a glob in quotes")
        found.update(dict.fromkeys(matches))
    return list(found)


def load_records(
    connection: duckdb.DuckDBPyConnection,
    files: list[Path],
    fields: dict[str, str],
    *,
    unwrap: Unwrap | None = None,
    scratch: Path,
    labels: dict[Path, str] | None = None,
) -> None:
    """Load files into a table of raw fields.

    Parameters
    ----------
    connection : DuckDBPyConnection
        Where the tables ``records``, ``refused`` and ``line_files`` (files whose positions are lines) are made.
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

    Raises
    ------
    SourceError
        If a file is not of any container the kit reads.
    """
    columns = ", ".join(f'"{name}" {kind}' for name, kind in fields.items())
    connection.execute(f"CREATE OR REPLACE TABLE records (source_file VARCHAR, source_position BIGINT, {columns})")
    connection.execute(
        "CREATE OR REPLACE TABLE refused "
        "(source_file VARCHAR, source_position BIGINT, reason VARCHAR, raw_text VARCHAR)"
    )
    connection.execute(
        "CREATE OR REPLACE TABLE line_files (source_file VARCHAR, plain VARCHAR, blanks_uncounted BOOLEAN)"
    )
    for number, path in enumerate(files):
        container, label = _container(path), (labels or {}).get(path, str(path))
        if container == ".parquet":
            _load_parquet(connection, path, label, fields)
        elif container in (".csv", ".tsv"):
            _load_csv(connection, _plain(path, scratch, number), label, fields)
        else:
            _load_json(connection, _plain(path, scratch, number), label, fields, unwrap, scratch / f"{number}.jsonl")


def first_records(path: Path, limit: int = 20) -> list[Any]:
    """Read the first records of a file, to tell what it is.

    Parameters
    ----------
    path : Path
        A file of any container.
    limit : int
        Most records to return.

    Returns
    -------
    list
        Parsed JSON values, or one dict per CSV or Parquet row; empty for an empty file.

    Raises
    ------
    SourceError
        If the file is of no container the kit reads.
    """
    container = _container(path)
    if container == ".parquet":
        with duckdb.connect() as connection:
            return connection.read_parquet(str(path)).limit(limit).to_arrow_table().to_pylist()
    with _open_text(path) as stream:
        if container in (".csv", ".tsv"):
            sample = [line for _, line in zip(range(limit + 1), stream, strict=False)]
            return list(csv.DictReader(sample, dialect=_csv_dialect("".join(sample))))
        start = stream.read(1 << 20)
    if not start.strip():
        return []
    if start.lstrip()[0] not in "[{":
        message = f"{path}: found text beginning with {start.lstrip()[:40]!r}, expected JSON, CSV or Parquet"
        raise SourceError(message, hint="export as JSON Lines, JSON, CSV or Parquet")
    decoder, records = json.JSONDecoder(), []
    for line in start.splitlines():
        try:
            records.append(decoder.decode(line))
        except ValueError:
            break
        if len(records) == limit:
            break
    if records and not (len(records) == 1 and isinstance(records[0], list)):
        return records
    with _open_text(path) as stream:
        document = _salvage(stream.read())[0]
    return document[:limit] if len(document) > 1 else document


def _container(path: Path) -> str | None:
    name = path.name.lower()
    if name.startswith(("license", "licence", "readme")):
        return None
    name = name.removesuffix(".gz")
    return next((suffix for suffix in CONTAINERS if name.endswith(suffix)), None)


def _open_text(path: Path) -> Any:
    opener = gzip.open if path.name.lower().endswith(".gz") else open
    return opener(path, "rt", encoding="utf-8-sig", errors="replace")


def _plain(path: Path, scratch: Path, number: int) -> Path:
    """Return the file itself, or a copy without its byte order mark, which the engine does not read."""
    opener = gzip.open if path.name.lower().endswith(".gz") else open
    try:
        with opener(path, "rb") as stream:
            start = stream.read(3)
            if start != b"\xef\xbb\xbf" and not start.startswith((b"\xff\xfe", b"\xfe\xff")):
                return path
            rest = stream.read()
    except (OSError, EOFError) as error:
        message = f"{path}: cannot be read ({error})"
        raise SourceError(message, hint="check that the file is complete and, for .gz, really gzip") from error
    copy = scratch / f"{number}-{path.name.removesuffix('.gz')}"
    content = rest if start == b"\xef\xbb\xbf" else (start + rest).decode("utf-16").encode("utf-8")
    copy.write_bytes(content)
    return copy


def _quoted(value: Any) -> str:
    return "'" + str(value).replace("'", "''") + "'"


def _select_fields(available: Iterable[str], fields: dict[str, str], cast: Callable[[str, str], str]) -> str:
    """List the wanted fields: cast where the file has them, null where it has not; case does not matter."""
    present = {name.lower(): name for name in available}
    listed = []
    for name, kind in fields.items():
        found = present.get(name.lower())
        listed.append(f'{cast(found, kind) if found else f"CAST(NULL AS {kind})"} AS "{name}"')
    return ", ".join(listed)


def _load_parquet(connection: duckdb.DuckDBPyConnection, path: Path, label: str, fields: dict[str, str]) -> None:
    relation = f"read_parquet({_quoted(path)}, file_row_number = true)"
    try:
        described = connection.execute(f"DESCRIBE SELECT * FROM {relation}").fetchall()
    except duckdb.Error as error:
        message = f"{path}: not readable as Parquet: {str(error).splitlines()[0]}"
        raise SourceError(message, hint="export the file again; it may be cut off") from error
    kinds = {row[0]: str(row[1]) for row in described}

    def cast(name: str, kind: str) -> str:
        nested = "[]" in kinds[name] or kinds[name].startswith(("STRUCT", "MAP", "LIST"))
        if kind == "JSON" and (nested or kinds[name] not in ("VARCHAR", "JSON")):
            return f'to_json("{name}")'
        if kinds[name] == "BLOB":
            return f'decode("{name}")'
        return f'TRY_CAST("{name}" AS {kind if not nested else "JSON"})'

    listed = _select_fields(kinds, fields, cast)
    connection.execute(f"INSERT INTO records SELECT {_quoted(label)}, file_row_number + 1, {listed} FROM {relation}")


def _csv_dialect(sample: str) -> type[csv.Dialect]:
    class Dialect(csv.excel):
        delimiter = max(",;\t|", key=sample.split("\n", 1)[0].count)

    return Dialect


def _load_csv(connection: duckdb.DuckDBPyConnection, plain: Path, label: str, fields: dict[str, str]) -> None:
    with _open_text(plain) as stream:
        head = stream.readline()
    if not head.strip():
        return
    delimiter = _csv_dialect(head).delimiter
    header = next(csv.reader([head], delimiter=delimiter))
    names = [name.strip() or f"column_{i}" for i, name in enumerate(header)]
    listing = ", ".join(f"{_quoted(name)}: 'VARCHAR'" for name in names)
    options = (
        f"{_quoted(plain)}, header = true, auto_detect = false, delim = {_quoted(delimiter)}, quote = '\"', "
        f"escape = '\"', columns = {{{listing}}}, strict_mode = true"
    )
    listed = _select_fields(names, fields, lambda name, kind: f'TRY_CAST("{name}" AS {kind})')
    connection.execute("DROP TABLE IF EXISTS csv_rows")
    try:
        connection.execute(f"CREATE TEMP TABLE csv_rows AS SELECT * FROM read_csv({options})")
    except duckdb.Error:
        # All columns are materialised: rejects are only kept for columns that are read.
        connection.execute(
            f"CREATE TEMP TABLE csv_rows AS SELECT * FROM read_csv({options}, store_rejects = true, "
            "rejects_table = 'csv_rejects', rejects_scan = 'csv_scans', rejects_limit = 0)"
        )
        connection.execute(
            f"INSERT INTO refused SELECT {_quoted(label)}, line, 'not a row of this CSV: ' || min(lower(error_type)), "
            "any_value(csv_line) FROM csv_rejects GROUP BY line"
        )
        connection.execute("DROP TABLE csv_rejects; DROP TABLE csv_scans")
    # A row's position is its line when no field holds a line break; refused lines are stepped over.
    connection.execute(
        f"""INSERT INTO records SELECT {_quoted(label)}, rowid + 2 + (
            SELECT count(*) FROM refused WHERE source_file = {_quoted(label)} AND source_position <= rowid + 2),
            {listed} FROM csv_rows"""
    )
    connection.execute("DROP TABLE csv_rows")
    connection.execute("INSERT INTO line_files VALUES (?, ?, false)", [label, str(plain)])


def keep_raw_text(connection: duckdb.DuckDBPyConnection, table: str) -> None:
    """Give quarantined rows their text as it stands in the file, and their true line.

    Parameters
    ----------
    connection : DuckDBPyConnection
        Has ``records``, ``line_files`` and ``table``.
    table : str
        Table of quarantined rows; those without ``raw_text`` are filled in. Where a file is not made of lines
        the text is the record's fields as JSON.
    """
    wanted = f"FROM {table} WHERE raw_text IS NULL"
    files = connection.execute(
        f"SELECT * FROM line_files WHERE source_file IN (SELECT source_file {wanted})"
    ).fetchall()
    for label, plain, blanks_uncounted in files:
        places = connection.execute(f"SELECT source_position {wanted} AND source_file = ?", [label]).fetchall()
        texts, _ = lines_at(Path(plain), {row[0] for row in places}, count_blanks=not blanks_uncounted)
        _register(connection, "kept_lines", label, {place: (*found, None) for place, found in texts.items()})
        connection.execute(
            f"""UPDATE {table} AS q SET raw_text = t.text, source_position = t.line FROM kept_lines AS t
            WHERE q.raw_text IS NULL AND t.source_file = q.source_file AND t.place = q.source_position"""
        )
    connection.execute(
        f"""UPDATE {table} AS q SET raw_text = CAST(to_json(r) AS VARCHAR) FROM records AS r
        WHERE q.raw_text IS NULL AND r.source_file = q.source_file AND r.source_position = q.source_position"""
    )


def _load_json(
    connection: duckdb.DuckDBPyConnection,
    plain: Path,
    label: str,
    fields: dict[str, str],
    unwrap: Unwrap | None,
    rewritten: Path,
) -> None:
    kind = _json_kind(plain)
    if kind == "empty":
        return
    if kind == "lines":
        _load_lines(connection, plain, label, fields)
        connection.execute("INSERT INTO line_files VALUES (?, ?, true)", [label, str(plain)])
        return
    if kind == "array" and unwrap is None and _strict(connection, plain, label, fields, "array"):
        return
    with _open_text(plain) as stream:
        values, rest, position = _salvage(stream.read())
    flat = list(_unwrapped(values, unwrap))
    if flat:
        rewritten.write_text("".join(json.dumps(value) + "\n" for value in flat), encoding="utf-8")
        _load_lines(connection, rewritten, label, fields)
    if rest:
        connection.execute(
            "INSERT INTO refused VALUES (?, ?, 'truncated or malformed JSON', ?)", [label, position, rest]
        )


def _json_kind(path: Path) -> str:
    """Tell JSON Lines from an array from one document, by the first two lines that hold anything."""
    with _open_text(path) as stream:
        lines = [line for line in _few(line for line in stream if line.strip())]
    if not lines:
        return "empty"
    first = lines[0].strip()
    if not first.startswith(("{", "[")):
        return "lines"
    try:
        value = json.loads(first)
    except ValueError:
        # Either a document over several lines, or JSON Lines whose first line is broken.
        broken = len(first) > 2 and len(lines) > 1 and lines[1].lstrip().startswith(("{", "[")) and first[0] == "{"
        return "lines" if broken else ("array" if first[0] == "[" else "document")
    if isinstance(value, list):
        return "array"
    return "lines" if len(lines) > 1 or not _is_envelope(value) else "document"


def _is_envelope(value: dict[str, Any]) -> bool:
    return any(isinstance(part, list) and part and isinstance(part[0], dict) for part in value.values())


def _few(lines: Iterator[str]) -> list[str]:
    return [line for _, line in zip(range(2), lines, strict=False)]


def _json_columns(fields: dict[str, str]) -> str:
    return "{" + ", ".join(f"{_quoted(name)}: '{kind}'" for name, kind in fields.items()) + "}"


def _strict(
    connection: duckdb.DuckDBPyConnection, plain: Path, path: Path, fields: dict[str, str], layout: str
) -> bool:
    """Load a file of JSON if all of it can be read; a row's position is its place among the rows."""
    listed = ", ".join(f'"{name}"' for name in fields)
    try:
        connection.execute(
            f"INSERT INTO records SELECT {_quoted(path)}, row_number() OVER (), {listed} FROM read_json("
            f"{_quoted(plain)}, format = '{layout}', columns = {_json_columns(fields)}, "
            f"maximum_object_size = {LARGEST_OBJECT})"
        )
    except duckdb.Error:
        return False
    return True


def _load_lines(connection: duckdb.DuckDBPyConnection, plain: Path, label: str, fields: dict[str, str]) -> None:
    """Load JSON Lines: strictly, else with the lines that cannot be read set aside."""
    if _strict(connection, plain, label, fields, "newline_delimited"):
        return
    listed = ", ".join(f'"{name}"' for name in fields)
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE lenient_rows AS
        SELECT row_number() OVER () AS place, {listed} FROM read_json({_quoted(plain)}, format = 'newline_delimited',
            ignore_errors = true, columns = {_json_columns(fields)}, maximum_object_size = {LARGEST_OBJECT})"""
    )
    # A line that cannot be read comes back as a row that holds nothing; only its text is looked at again.
    filled = "coalesce(" + ", ".join(f'CAST("{name}" AS VARCHAR)' for name in fields) + ") IS NOT NULL"
    empty = {row[0] for row in connection.execute(f"SELECT place FROM lenient_rows WHERE NOT ({filled})").fetchall()}
    texts, lines = lines_at(plain, empty)
    if lines == connection.execute("SELECT count(*) FROM lenient_rows").fetchall()[0][0]:
        refused = {place: (line, text, _why(text)) for place, (line, text) in texts.items() if _why(text)}
        _register(connection, "refused_lines", label, refused)
        connection.execute(
            f"INSERT INTO records SELECT {_quoted(label)}, place, {listed} FROM lenient_rows "
            "WHERE place NOT IN (SELECT place FROM refused_lines)"
        )
        connection.execute("INSERT INTO refused SELECT source_file, line, reason, text FROM refused_lines")
    else:
        _split_lines(connection, plain, label, fields)
    connection.execute("DROP TABLE lenient_rows")


def _why(text: str) -> str | None:
    """Why a line is no record; nothing when it is one."""
    try:
        return None if isinstance(json.loads(text), dict) else "not a JSON object"
    except ValueError:
        return "truncated or malformed JSON"


def _register(
    connection: duckdb.DuckDBPyConnection, name: str, label: str, found: dict[int, tuple[int, str, str | None]]
) -> None:
    """Lay lines out as a table of the connection."""
    columns = {
        "source_file": pa.array([label] * len(found), pa.string()),
        "place": pa.array(list(found), pa.int64()),
        "line": pa.array([line for line, _, _ in found.values()], pa.int64()),
        "text": pa.array([text for _, text, _ in found.values()], pa.string()),
        "reason": pa.array([reason for _, _, reason in found.values()], pa.string()),
    }
    connection.register("laid_out_lines", pa.table(columns))
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS SELECT * FROM laid_out_lines")
    connection.unregister("laid_out_lines")


def lines_at(path: Path, places: set[int], *, count_blanks: bool = False) -> tuple[dict[int, tuple[int, str]], int]:
    """Fetch some lines of a text file.

    Parameters
    ----------
    path : Path
        A text file, gzip or not.
    places : set of int
        Places wanted, counted from 1.
    count_blanks : bool
        Whether blank lines count as places.

    Returns
    -------
    tuple
        Place → (line number, text), and how many places the file has.
    """
    found, place = {}, 0
    with _open_text(path) as stream:
        for line, text in enumerate(stream, start=1):
            if not count_blanks and text.isspace():
                continue
            place += 1
            if place in places:
                found[place] = (line, text.rstrip("\r\n"))
    return found, place


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


def _salvage(text: str) -> tuple[list[Any], str, int]:
    """Parse as much of a JSON text as stands whole: its values, the rest, and the rest's position."""
    decoder, values, index = json.JSONDecoder(), [], 0
    text = text.strip()
    in_array = text.startswith("[")
    index = 1 if in_array else 0
    while True:
        index = _skip(text, index)
        if index >= len(text) or (in_array and text[index] == "]"):
            return values, "", 0
        try:
            value, index = decoder.raw_decode(text, index)
        except ValueError:
            return values, text[index:], len(values) + 1
        values.append(value)


def _skip(text: str, index: int) -> int:
    found = re.compile(r"[\s,]*").match(text, index)
    return found.end() if found else index


def _unwrapped(values: list[Any], unwrap: Unwrap | None) -> Iterator[Any]:
    for value in values:
        yield from (unwrap(value) if unwrap else [value])
