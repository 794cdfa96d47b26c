"""What is set aside keeps its line and its text, whatever stands before it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from finops_lib.ingest.engine import connect
from finops_lib.ingest.reading.originals import csv_rows_at, keep_raw_text, lay_out, lines_at, lines_of_bytes
from finops_lib.ingest.reading.records import load_records


def written(folder: Path, content: str, name: str = "a.csv") -> Path:
    """Write a file, line ends as they are."""
    path = folder / name
    path.write_bytes(content.encode())
    return path


def test_blank_lines_are_no_places(tmp_path: Path) -> None:
    """The second line that holds anything is the fourth of the file."""
    path = written(tmp_path, "\none\n  \ntwo\r\n\nthree")
    assert ({2: (4, "two"), 3: (6, "three")}, 3) == lines_at(path, {2, 3, 9})


def test_a_row_of_a_csv_may_go_over_lines(tmp_path: Path) -> None:
    """The first row takes lines 2 and 3, line 4 is blank, line 5 was refused, so the second row is line 6."""
    path = written(tmp_path, 'a,b\n1,"x\ny"\n\n2\n3,z\n')
    assert ({1: (2, '1,"x\ny"'), 2: (6, "3,z")}, 2) == csv_rows_at(path, {1, 2}, {5})


def test_bytes_have_lines(tmp_path: Path) -> None:
    """Bytes 1 to 4 are the first line, line end included; a byte beyond the end has none."""
    path = written(tmp_path, "abc\nde\n")
    assert {1: 1, 4: 1, 5: 2, 7: 2} == lines_of_bytes(path, {1, 4, 5, 7, 8})


def test_lines_lie_out_as_a_table() -> None:
    """One row a line, with the file's name."""
    with connect() as connection:
        lay_out(connection, "laid", "f", {3: (7, "text", None)})
        assert [("f", 3, 7, "text", None)] == connection.execute("SELECT * FROM laid").fetchall()


def quarantined(connection: duckdb.DuckDBPyConnection, where: str) -> list[Any]:
    """Set rows aside and give them their text."""
    connection.execute(
        f"""CREATE TABLE aside AS SELECT source_file, source_position, CAST(NULL AS VARCHAR) AS raw_text
        FROM records WHERE {where}"""
    )
    keep_raw_text(connection, "aside")
    return connection.execute("SELECT source_position, raw_text FROM aside ORDER BY 1").fetchall()


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.jsonl", '\n{"n": "1"}\n{broken\n\n{"n": "bad"}\n', [(5, '{"n": "bad"}')]),
        ("a.jsonl", '{"n": "1"}\r\n{"n": "bad"}\r\n', [(2, '{"n": "bad"}')]),
        ("a.csv", "n,t\n1,x\nshort\nbad,y\n", [(4, "bad,y")]),
        ("a.csv", 'n,t\n1,"two\nlines"\nbad,"of\ntwo"\n', [(4, 'bad,"of\ntwo"')]),
        ("a.csv", "n;t\n\n\nbad;y\n", [(4, "bad;y")]),
        ("a.csv", "n,t\r\n1,x\r\nbad,y\n", [(3, "bad,y")]),
        ("a.json", '[{"n": "1"}, {"n": "bad", "x": "é"}]', [(2, '{"n": "bad", "x": "é"}')]),
        ("a.json", '[{"n": "1"}, 5, {"n": "bad", "x": "\\ud83d"}]', [(3, '{"n": "bad", "x": "\ufffd"}')]),
        ("a.json", '{"data": [{"n": "1"}, {"n": "bad", "x": 5}]}', [(2, '{"n": "bad", "x": 5}')]),
        ("a.jsonl", '{"data": [{"n": "1"}, {"n": "2"}]}\n\n{"data": [{"n": "bad"}]}\n', [(3, '{"n": "bad"}')]),
    ],
)
def test_a_row_set_aside_keeps_its_line_and_text(
    tmp_path: Path, name: str, content: str, expected: list[tuple[int, str]]
) -> None:
    """Of a file that is not made of lines its place and fields are kept."""
    path = written(tmp_path, content, name)
    with connect() as connection:
        unwrap = lambda page: page.get("data", [page])  # noqa: E731
        load_records(connection, [path], {"n": "VARCHAR"}, unwrap=unwrap, scratch=tmp_path, labels={path: "f"})
        assert expected == quarantined(connection, "n = 'bad'")


def test_a_row_of_parquet_keeps_all_its_columns(tmp_path: Path) -> None:
    """Those too that no field asks for."""
    pq.write_table(pa.table({"n": ["1", "bad"], "x": [None, [5]], "b": [b"1", b"\xff"]}), tmp_path / "a[1].parquet")
    with connect() as connection:
        load_records(connection, [tmp_path / "a[1].parquet"], {"n": "VARCHAR"}, scratch=tmp_path)
        ((place, text),) = quarantined(connection, "n = 'bad'")
    assert (2, {"n": "bad", "x": [5]}) == (place, {k: v for k, v in json.loads(text).items() if k != "b"})


def test_what_is_refused_of_pages_stands_on_their_lines(tmp_path: Path) -> None:
    """A line that is no page, and a record that is none on the line of its page."""
    path = written(tmp_path, '{"data": [{"n": "1"}, 5, {"n": "2"}]}\nbroken\n\n{"data": [[6]]}\n', "a.jsonl")
    with connect() as connection:
        load_records(connection, [path], {"n": "VARCHAR"}, unwrap=lambda page: page["data"], scratch=tmp_path)
        refused = connection.execute("SELECT source_position, raw_text FROM refused ORDER BY 1").fetchall()
    assert [(1, "5"), (2, "broken"), (4, "[6]")] == refused


FIELD = st.text(alphabet='ab",\n ;é', max_size=6).map(lambda text: '"' + text.replace('"', '""') + '"')


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["good", "short", "blank"]), FIELD), min_size=1, max_size=6))
def test_any_csv_row_is_found_again(tmp_path: Path, rows: list[tuple[str, str]]) -> None:
    """Line breaks in fields, blank lines and refused rows do not move the line of a row."""
    lines, expected, line = ["n,t,u"], [], 2
    for number, (kind, field) in enumerate(rows):
        text = {"good": f"{number},{field},x", "short": f"{number}", "blank": ""}[kind]
        if kind == "good":
            expected.append((line, text))
        lines.append(text)
        line += 1 + text.count("\n")
    path = written(tmp_path, "\n".join([*lines, "last,of,all"]) + "\n")
    with connect() as connection:
        load_records(connection, [path], dict.fromkeys("ntu", "VARCHAR"), scratch=tmp_path)
        assert expected == quarantined(connection, "n <> 'last'")


def test_a_text_already_known_stays(tmp_path: Path) -> None:
    """Only rows without a text are looked up."""
    path = written(tmp_path, '{"n": "1"}\n', "a.jsonl")
    with connect() as connection:
        load_records(connection, [path], {"n": "VARCHAR"}, scratch=tmp_path, labels={path: "f"})
        table = pa.table({"source_file": ["f"], "source_position": [1], "raw_text": ["known"]})
        connection.register("given", table)
        connection.execute("CREATE TABLE aside AS SELECT * FROM given")
        keep_raw_text(connection, "aside")
        assert [("f", 1, "known")] == connection.execute("SELECT * FROM aside").fetchall()
