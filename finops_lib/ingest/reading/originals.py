"""Originals: how a record that is set aside reads in its file, and on which line."""

from __future__ import annotations

import csv
import json
from collections.abc import Collection, Mapping
from pathlib import Path

import duckdb
import pyarrow as pa

from finops_lib.ingest.engine import quoted_path
from finops_lib.ingest.reading.containers import csv_delimiter, mended, open_bytes, open_text, reading, salvage

Places = dict[int, tuple[int, str]]


def lines_at(path: Path, places: Collection[int]) -> tuple[Places, int]:
    """Fetch some lines of a text file; blank lines are no places.

    Parameters
    ----------
    path : Path
        A text file, packed or not.
    places : collection of int
        Places wanted, counted from 1.

    Returns
    -------
    tuple
        Place → (line number, text), and how many places the file has.
    """
    found, place = {}, 0
    with reading(path), open_text(path) as stream:
        for line, text in enumerate(stream, start=1):
            if text.isspace():
                continue
            place += 1
            if place in places:
                found[place] = (line, text.rstrip("\r\n"))
    return found, place


def csv_rows_at(path: Path, places: Collection[int], refused: Collection[int]) -> tuple[Places, int]:
    """Fetch some rows of a CSV, which may go over several lines.

    Parameters
    ----------
    path : Path
        A CSV with a header, packed or not.
    places : collection of int
        Rows wanted, counted from 1 among those that could be read.
    refused : collection of int
        Lines of the rows that could not be read.

    Returns
    -------
    tuple
        Place → (line number, text), and how many places the file has.
    """
    found, place, start, lines = {}, -1, 1, []
    with reading(path), open_text(path, newline="") as stream:
        delimiter = csv_delimiter(stream.readline())
        stream.seek(0)
        rows = csv.reader((lines.append(line) or line for line in stream), delimiter=delimiter)
        for _ in rows:
            line, text, start = start, "".join(lines), rows.line_num + 1
            lines.clear()
            if not text.strip("\r\n") or line in refused:
                continue
            place += 1
            if place in places:
                found[place] = (line, text.rstrip("\r\n"))
    return found, place


def lines_of_bytes(path: Path, positions: Collection[int]) -> dict[int, int]:
    """Tell the lines on which some bytes of a file stand, both counted from where the engine counts: 1.

    Parameters
    ----------
    path : Path
        A text file, packed or not.
    positions : collection of int
        Byte positions, counted from 1.

    Returns
    -------
    dict
        Position → line.
    """
    found, wanted, end = {}, sorted(positions), 0
    with reading(path), open_bytes(path) as stream:
        for number, line in enumerate(stream, start=1):
            end += len(line)
            while wanted and wanted[0] <= end:
                found[wanted.pop(0)] = number
    return found


def lay_out(
    connection: duckdb.DuckDBPyConnection, name: str, label: str, found: Mapping[int, tuple[int, str, str | None]]
) -> None:
    """Lay lines of a file out as a table: ``source_file``, ``place``, ``line``, ``text``, ``reason``.

    Parameters
    ----------
    connection : DuckDBPyConnection
        Gets the table.
    name : str
        Its name.
    label : str
        The file's name.
    found : mapping
        Place → (line, text, reason).
    """
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


def keep_raw_text(connection: duckdb.DuckDBPyConnection, table: str, rows: str = "records") -> None:
    """Give quarantined rows their text as it stands in the file, and their true line.

    Parameters
    ----------
    connection : DuckDBPyConnection
        Has ``records``, ``refused``, ``line_files``, ``original_lines`` and ``table``.
    table : str
        Table of quarantined rows; those without ``raw_text`` are filled in. Where a file is not made of lines
        the text is the record as JSON, and the line that of the page it stands in, else its place.
    rows : str
        Table with a row for every record, for counting.
    """
    wanted = f"FROM {table} WHERE raw_text IS NULL"
    _fill_in(connection, table, "original_lines")
    files = connection.execute(
        f"SELECT * FROM line_files WHERE source_file IN (SELECT source_file {wanted})"
    ).fetchall()
    for label, plain, container in files:
        places = {
            row[0]
            for row in connection.execute(f"SELECT source_position {wanted} AND source_file = ?", [label]).fetchall()
        }
        kept = connection.execute(
            f"SELECT count(DISTINCT source_position) FROM {rows} WHERE source_file = ?", [label]
        ).fetchall()[0][0]
        refused = connection.execute(
            "SELECT DISTINCT source_position FROM refused WHERE source_file = ?", [label]
        ).fetchall()
        lines = {row[0] for row in refused}
        if container in ("values", "array", "parquet"):
            texts, count = _records_at(connection, label, Path(plain), container, places), kept
        elif container == "csv":
            texts, count = csv_rows_at(Path(plain), places, lines)
        else:
            texts, count = lines_at(Path(plain), places)
            count -= len(lines)
        if count != kept:
            continue  # the engine cut the file up in another way: no line can be named for certain
        lay_out(connection, "kept_lines", label, {place: (*found, None) for place, found in texts.items()})
        _fill_in(connection, table, "kept_lines")
    if connection.execute(f"SELECT count(*) {wanted}").fetchall()[0][0]:
        connection.execute(
            f"""UPDATE {table} AS q SET raw_text = CAST(to_json(r) AS VARCHAR) FROM records AS r
            WHERE q.raw_text IS NULL AND r.source_file = q.source_file AND r.source_position = q.source_position"""
        )


def _records_at(
    connection: duckdb.DuckDBPyConnection, label: str, path: Path, container: str, places: Collection[int]
) -> Places:
    """Fetch some records of a file that is not made of lines, as JSON."""
    if container == "values":
        pages = connection.execute("SELECT place, line FROM page_lines WHERE source_file = ?", [label]).fetchall()
        lines = dict(pages)
        return {place: (lines.get(place, place), text) for place, (_, text) in lines_at(path, places)[0].items()}
    if container == "array":
        with reading(path), open_text(path) as stream:
            values = salvage(mended(stream.read()))[0]
        return {place: (place, json.dumps(values[place - 1], ensure_ascii=False)) for place in places}
    found = connection.execute(
        f"""SELECT place, CAST(to_json(r) AS VARCHAR) FROM (
            SELECT row_number() OVER () AS place, r FROM (SELECT * FROM read_parquet({quoted_path(path)})) AS r)
        WHERE list_contains(?, place)""",
        [list(places)],
    ).fetchall()
    return {place: (place, text) for place, text in found}


def _fill_in(connection: duckdb.DuckDBPyConnection, table: str, lines: str) -> None:
    connection.execute(
        f"""UPDATE {table} AS q SET raw_text = t.text, source_position = t.line FROM {lines} AS t
        WHERE q.raw_text IS NULL AND t.source_file = q.source_file AND t.place = q.source_position"""
    )
