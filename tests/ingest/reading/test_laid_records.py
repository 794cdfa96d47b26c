"""Files of lines are worked on while they are read, with the same result as when they are copied first."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from finops_lib.ingest.engine import connect
from finops_lib.ingest.reading.laid_records import lay_records, refuse_unread, relax_records
from finops_lib.ingest.reading.originals import keep_raw_text

FIELDS = {"id": "VARCHAR", "timestamp": "VARCHAR"}
TYPED = "CREATE TABLE typed AS SELECT *, 'call' AS kind, if(id IS NULL, 'no id', NULL) AS fault FROM records"
KEPT = "SELECT source_file, id FROM typed WHERE fault IS NULL ORDER BY ALL"
FAULTY = (
    "CREATE TABLE quarantine AS SELECT source_file, source_position, fault AS reason, "
    "CAST(NULL AS VARCHAR) AS raw_text FROM typed WHERE fault IS NOT NULL"
)
GOOD, BROKEN = '{"id": "a", "timestamp": "2026-09-01"}', '{"id": "b", "time'


def _line(name: str) -> str:
    return json.dumps({"id": name, "timestamp": "2026-09-01"})


def _laid(files: list[Path], scratch: Path) -> tuple[bool, list, list]:
    """Lay, relax where a line cannot be read; kept ids, and line, reason and text of what is faulty."""
    with connect() as connection:
        assert lay_records(connection, files, FIELDS, scratch=scratch)
        try:
            connection.execute(TYPED)
            done = True
        except duckdb.Error:
            relax_records(connection, FIELDS)
            connection.execute(TYPED)
            done = refuse_unread(connection, "typed")
        connection.execute(FAULTY)
        keep_raw_text(connection, "quarantine", "typed")
        faulty = connection.execute("SELECT source_position, reason, raw_text FROM quarantine ORDER BY ALL").fetchall()
        return done, [name for _, name in connection.execute(KEPT).fetchall()], faulty


def test_lines_are_read_where_they_stand(tmp_path: Path) -> None:
    """Two files, one of them packed: every row, with its place in its own file; nothing is copied."""
    first, second = tmp_path / "1.jsonl", tmp_path / "2.jsonl.gz"
    first.write_text(f"{_line('a')}\n\n{_line('b')}\n")
    second.write_bytes(gzip.compress(_line("c").encode()))
    with connect() as connection:
        assert lay_records(connection, [first, second], FIELDS, scratch=tmp_path)
        rows = connection.execute("SELECT id, source_position FROM records ORDER BY source_file, 2").fetchall()
        kinds = connection.execute("SELECT table_type FROM information_schema.tables WHERE table_name = 'records'")
        assert [("VIEW",)] == kinds.fetchall()
    assert [("a", 1), ("b", 2), ("c", 1)] == rows


@pytest.mark.parametrize(("name", "content"), [("x.csv", "id\n1\n"), ("x.json", '[{"id": 1}]'), ("x.jsonl", "")])
def test_what_is_no_file_of_lines_is_left_alone(tmp_path: Path, name: str, content: str) -> None:
    """CSV, an array of JSON, an empty file: to be loaded as before."""
    (tmp_path / name).write_text(content)
    with connect() as connection:
        assert not lay_records(connection, [tmp_path / name], FIELDS, scratch=tmp_path)


def test_a_line_that_cannot_be_read_is_set_aside_with_its_text(tmp_path: Path) -> None:
    """Its true line, blank ones counted; a row that merely lacks something keeps its own reason."""
    path = tmp_path / "x.jsonl"
    path.write_text(f"{GOOD}\n\n{BROKEN}\n[1]\n{{}}\n{_line('z')}\n")
    expected = [
        (3, "truncated or malformed JSON", BROKEN),
        (4, "not a JSON object", "[1]"),
        (5, "no id", "{}"),
    ]
    assert (True, ["a", "z"], expected) == _laid([path], tmp_path)


def test_two_objects_on_one_line_are_set_aside(tmp_path: Path) -> None:
    """Which of them is meant, nobody can tell."""
    path = tmp_path / "x.jsonl"
    path.write_text(f"{GOOD}\n{GOOD}{GOOD}\n")
    assert (True, ["a"], [(2, "truncated or malformed JSON", GOOD + GOOD)]) == _laid([path], tmp_path)


def test_rows_that_are_not_lines_are_for_the_slower_way(tmp_path: Path) -> None:
    """A file with line ends of an old kind: no row can be given a line for certain."""
    path = tmp_path / "x.jsonl"
    path.write_bytes(f"{GOOD}\n{BROKEN}\r{BROKEN}\n{GOOD}\n".encode())
    done, _, _ = _laid([path], tmp_path)
    assert not done


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from([GOOD, BROKEN, "[2]", "", "{}", '"text"', "{"]), min_size=1, max_size=12))
def test_no_line_is_lost(tmp_path: Path, lines: list[str]) -> None:
    """Kept and faulty rows together are the lines that are not blank, however they are mixed."""
    path = tmp_path / "x.jsonl"
    path.write_text("\n".join([*lines, GOOD]) + "\n")
    with connect() as connection:
        laid = lay_records(connection, [path], FIELDS, scratch=tmp_path)
    if not laid:
        return
    done, kept, faulty = _laid([path], tmp_path)
    filled = [line for line in [*lines, GOOD] if line]
    assert done
    assert filled.count(GOOD) == len(kept)
    assert sorted(line for line in filled if line != GOOD) == sorted(text for _, _, text in faulty)
