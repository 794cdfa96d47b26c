"""Laid records: files of JSON Lines are read while they are worked on, instead of being copied first."""

from __future__ import annotations

from pathlib import Path

import duckdb

from finops_lib.ingest.reading.containers import container_of, json_layout, plain_file, reading
from finops_lib.ingest.reading.json_lines import is_halved, lines_sql, reasons_of
from finops_lib.ingest.reading.originals import lay_out, lines_at
from finops_lib.ingest.reading.records import Unwrap, are_pages, make_tables


def lay_records(
    connection: duckdb.DuckDBPyConnection,
    files: list[Path],
    fields: dict[str, str],
    *,
    unwrap: Unwrap | None = None,
    scratch: Path,
    labels: dict[Path, str] | None = None,
) -> bool:
    """Lay ``records`` over files of JSON Lines as a view, so that they are read while they are worked on.

    Parameters
    ----------
    connection, files, fields, unwrap, scratch, labels
        As for ``load_records``.

    Returns
    -------
    bool
        Whether it could be done; not when some file is made otherwise. Reading the view raises at a line that cannot
        be read: ``relax_records`` lays it anew.
    """
    if any(container_of(path) in (".parquet", ".csv", ".tsv") for path in files):
        return False
    selects, lines = [], []
    for number, path in enumerate(files):
        label = (labels or {}).get(path, str(path))
        with reading(path):
            plain = plain_file(path, scratch, number)
            layout = json_layout(plain)
            if layout != "lines" or are_pages(plain, layout, unwrap):
                return False
        selects.append(lines_sql(plain, label, fields))
        lines.append([label, str(plain)])
    make_tables(connection)
    connection.execute(f"CREATE OR REPLACE VIEW records AS {' UNION ALL '.join(selects)}")
    connection.executemany("INSERT INTO line_files VALUES (?, ?, 'lines')", lines)
    return True


def relax_records(connection: duckdb.DuckDBPyConnection, fields: dict[str, str]) -> None:
    """Let the view of ``lay_records`` give an empty row for a line that cannot be read.

    Parameters
    ----------
    connection, fields
        As for ``load_records``.
    """
    files = connection.execute("SELECT source_file, plain FROM line_files").fetchall()
    selects = [lines_sql(Path(plain), label, fields, leniently=True) for label, plain in files]
    connection.execute(f"CREATE OR REPLACE VIEW records AS {' UNION ALL '.join(selects)}")


def refuse_unread(connection: duckdb.DuckDBPyConnection, rows: str) -> bool:
    """Say of the rows made of lines that could not be read why that is so.

    Parameters
    ----------
    connection : DuckDBPyConnection
        Has ``line_files`` and ``original_lines``, which gets the text of each row that has a fault.
    rows : str
        Table made of the relaxed view: one row a line, with ``kind``, ``timestamp`` and ``fault``.

    Returns
    -------
    bool
        Whether it could be done: not where the engine did not make one row of one line, nor where a line holds half
        a character and can be read once that is mended.
    """
    # Every format has a time, so the row of a line that could not be read has none.
    suspect = "(fault IS NOT NULL OR timestamp IS NULL)"
    for label, plain in connection.execute("SELECT source_file, plain FROM line_files").fetchall():
        count, places = connection.execute(
            f"SELECT count(*), list(source_position) FILTER ({suspect}) FROM {rows} WHERE source_file = ?", [label]
        ).fetchall()[0]
        texts, lines = lines_at(Path(plain), set(places or []))
        if lines != count or any(is_halved(text) for _, text in texts.values()):
            return False
        reasons = reasons_of(connection, [text for _, text in texts.values()])
        found = {place: (*at, why) for (place, at), why in zip(texts.items(), reasons, strict=True)}
        lay_out(connection, "kept_lines", label, found)
        connection.execute("INSERT INTO original_lines SELECT * FROM kept_lines")
    connection.execute(
        f"""UPDATE {rows} AS r SET fault = l.reason, kind = 'call' FROM original_lines AS l
        WHERE l.reason IS NOT NULL AND r.source_file = l.source_file AND r.source_position = l.place"""
    )
    return True
