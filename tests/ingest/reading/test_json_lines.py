"""Lines are read whatever a prompt was cut in the middle of; what is no record is told why."""

from __future__ import annotations

from pathlib import Path

import pytest

from finops_lib.ingest.engine import connect
from finops_lib.ingest.reading.json_lines import is_halved, load_lines, raw_lines_sql, reasons_of
from finops_lib.ingest.reading.records import make_tables

FIELDS = {"id": "VARCHAR", "n": "VARCHAR"}
HALF, BYTE = rb'{"id": "a", "n": "cut \ud83d"}', b'{"id": "b", "n": "byte \xff"}'


@pytest.mark.parametrize("strictly", [True, False])
@pytest.mark.parametrize("bad", [b"", b"{broken\n", b'{"x": "\\ud800"\n', b'{"id": 1}\r{"id": 2}\n'])
def test_a_line_cut_in_the_middle_of_a_character_is_read(tmp_path: Path, strictly: bool, bad: bytes) -> None:
    """With U+FFFD in that place, beside lines that cannot be read; the text of those is as it stood."""
    path = tmp_path / "log[1].jsonl"
    path.write_bytes(HALF + b"\n\n" + bad + BYTE + b'\n{"id": "c", "n": "\xc3\xa9 \\\\ud83d \\ud83d\\ude00"}\n')
    with connect() as connection:
        make_tables(connection)
        connection.execute("CREATE TABLE records (source_file VARCHAR, source_position BIGINT, id VARCHAR, n VARCHAR)")
        load_lines(connection, path, "f", FIELDS, tmp_path / "0.jsonl", strictly)
        rows = connection.execute("SELECT id, n FROM records WHERE id > '9' ORDER BY source_position").fetchall()
        refused = connection.execute("SELECT source_position, reason, raw_text FROM refused").fetchall()
    assert [("a", "cut \ufffd"), ("b", "byte \ufffd"), ("c", "\u00e9 \\ud83d \U0001f600")] == rows
    if b"\r" not in bad:
        text = bad.decode().rstrip()
        assert ([(3, "truncated or malformed JSON", text)] if bad else []) == refused


def test_why_a_line_is_no_record() -> None:
    """As the engine sees it, whatever is nested how deep."""
    lines = ['{"a": 1}', "[1]", "null", "{bad", "[" * 200_000, '{"a":' * 3_000 + "1" + "}" * 3_000, '{"a": 1} {"a": 2}']
    with connect() as connection:
        assert [
            None,
            "not a JSON object",
            "not a JSON object",
            "truncated or malformed JSON",
            "truncated or malformed JSON",
            None,
            "truncated or malformed JSON",
        ] == reasons_of(connection, lines)
        assert [] == reasons_of(connection, [])


@pytest.mark.parametrize(
    ("text", "halved"),
    [
        ("plain", False),
        (r"\ud83d", True),
        (r"\uDE00 x", True),
        (r"\ud83d\ude00", False),
        (r"\\ud83d", False),
        ("\ufffd", True),
    ],
)
def test_halves_of_characters_are_seen(text: str, halved: bool) -> None:
    """A pair is whole; an escaped backslash is one."""
    assert halved == is_halved(text)


def test_lines_as_sql(tmp_path: Path) -> None:
    """A text file's lines, quotes and commas left alone."""
    path = tmp_path / "a.txt"
    path.write_text('say "x", y\n\nend\n')
    with connect() as connection:
        found = connection.execute(f"SELECT text FROM {raw_lines_sql(path)}").fetchall()
    assert ['say "x", y', "end"] == [text for (text,) in found if text]
