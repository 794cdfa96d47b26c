"""JSON Lines: lines become records; halves of characters are mended, and what is no record is told why.

A prompt is often cut in the middle of an emoji. The engine refuses such a line, so it is read from a copy with U+FFFD
in that place.
"""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import pyarrow as pa

from finops_lib.ingest.engine import quoted, quoted_path
from finops_lib.ingest.reading.containers import LARGEST_OBJECT, mended, mended_copy
from finops_lib.ingest.reading.originals import lay_out, lines_at


def column_name(name: str) -> str:
    """Write the name of a field as an identifier of SQL."""
    return '"' + name.replace('"', '""') + '"'


def columns_sql(fields: dict[str, str]) -> str:
    """Write fields and their types as a literal of SQL."""
    return "{" + ", ".join(f"{quoted(name)}: '{kind}'" for name, kind in fields.items()) + "}"


def lines_sql(
    plain: Path,
    label: str,
    fields: dict[str, str],
    layout: str = "newline_delimited",
    leniently: bool = False,
) -> str:
    """Write the SQL that reads a file of JSON; a row's position is its place among the rows."""
    listed = ", ".join(map(column_name, fields))
    options = f"columns = {columns_sql(fields)}, maximum_object_size = {LARGEST_OBJECT}, ignore_errors = {leniently}"
    return (
        f"SELECT {quoted(label)} AS source_file, row_number() OVER () AS source_position, {listed} "
        f"FROM read_json({quoted_path(plain)}, format = '{layout}', records = true, {options})"
    )


def read_strictly(
    connection: duckdb.DuckDBPyConnection, plain: Path, path: str, fields: dict[str, str], layout: str
) -> bool:
    """Load a file of JSON if all of it can be read."""
    try:
        connection.execute(f"INSERT INTO records {lines_sql(plain, path, fields, layout)}")
    except duckdb.Error:
        return False
    return True


def load_lines(
    connection: duckdb.DuckDBPyConnection,
    plain: Path,
    label: str,
    fields: dict[str, str],
    beside: Path,
    strictly: bool = True,
    copy: Path | None = None,
) -> None:
    """Load JSON Lines: strictly, else with halves of characters mended, and what still cannot be read set aside."""
    read = copy or plain
    if strictly and read_strictly(connection, read, label, fields, "newline_delimited"):
        return
    listed = ", ".join(map(column_name, fields))
    connection.execute(f"CREATE OR REPLACE TEMP TABLE lenient_rows AS {lines_sql(read, label, fields, leniently=True)}")
    # A line that cannot be read comes back as a row that holds nothing; only its text is looked at again.
    filled = "coalesce(" + ", ".join(f"CAST({column_name(name)} AS VARCHAR)" for name in fields) + ") IS NOT NULL"
    empty = connection.execute(f"SELECT source_position FROM lenient_rows WHERE NOT ({filled})").fetchall()
    texts, lines = lines_at(plain, {row[0] for row in empty})
    if lines != connection.execute("SELECT count(*) FROM lenient_rows").fetchall()[0][0]:
        _split_lines(connection, copy or mended_copy(plain, beside.with_name(f"mended-{beside.name}")), label, fields)
        return
    reasons = reasons_of(connection, [mended(text) for _, text in texts.values()])
    if not copy and any(
        why is None and is_halved(text) for why, (_, text) in zip(reasons, texts.values(), strict=True)
    ):
        copy = mended_copy(plain, beside.with_name(f"mended-{beside.name}"))
        load_lines(connection, plain, label, fields, beside, copy=copy)
        return
    refused = {p: (*found, why) for (p, found), why in zip(texts.items(), reasons, strict=True) if why}
    lay_out(connection, "refused_lines", label, refused)
    connection.execute(
        f"INSERT INTO records SELECT source_file, source_position, {listed} FROM lenient_rows "
        "WHERE source_position NOT IN (SELECT place FROM refused_lines)"
    )
    connection.execute("INSERT INTO refused SELECT source_file, line, reason, text FROM refused_lines")


def is_halved(text: str) -> bool:
    """Whether a line may hold halves of characters or bytes that are no text, for which the engine passes it over."""
    return "\ufffd" in text or mended(text) != text


def reasons_of(connection: duckdb.DuckDBPyConnection, texts: list[str]) -> list[str | None]:
    """Say of each line why it is no record, as the engine sees it; nothing when it is one."""
    connection.register("judged_texts", pa.table({"text": pa.array(texts, pa.string())}))
    found = connection.execute(f"SELECT CASE WHEN NOT {_OBJECT} THEN {_WHY} END FROM judged_texts").fetchall()
    connection.unregister("judged_texts")
    return [row[0] for row in found]


def _split_lines(connection: duckdb.DuckDBPyConnection, plain: Path, label: str, fields: dict[str, str]) -> None:
    """Parse line by line, where the lenient read does not give one row a line."""
    connection.execute(f"CREATE OR REPLACE TEMP TABLE raw_lines AS SELECT text FROM {raw_lines_sql(plain)}")
    listed = ", ".join(f"line.{column_name(name)}" for name in fields)
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE parsed_lines AS
        SELECT row_number() OVER (ORDER BY rowid) AS nth, rowid + 1 AS position, text, {_OBJECT} AS readable,
            CASE WHEN {_OBJECT} THEN json_transform(text, {quoted(json.dumps(fields))}) END AS line
        FROM raw_lines WHERE trim(coalesce(text, 'x')) <> ''"""
    )
    connection.execute(f"INSERT INTO records SELECT {quoted(label)}, nth, {listed} FROM parsed_lines WHERE readable")
    connection.execute(
        f"INSERT INTO refused SELECT {quoted(label)}, position, {_WHY}, text FROM parsed_lines WHERE NOT readable"
    )
    connection.execute("DROP TABLE raw_lines; DROP TABLE parsed_lines")


_OBJECT = "coalesce(json_valid(text) AND ltrim(text)[1] = '{', false)"
_WHY = """CASE WHEN text IS NULL THEN 'not readable as text'
    WHEN json_valid(text) THEN 'not a JSON object' ELSE 'truncated or malformed JSON' END"""


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
        f"read_csv({quoted_path(path)}, columns = {{'text': 'VARCHAR'}}, delim = '\x01', quote = '', escape = '', "
        f"header = false, auto_detect = false, strict_mode = false, null_padding = false, ignore_errors = true, "
        f"max_line_size = {LARGEST_OBJECT})"
    )
