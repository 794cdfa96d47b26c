"""Files of any container become one table of raw fields; what cannot be read is set aside with line and text."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from finops_lib.errors import SourceError
from finops_lib.ingest.engine import connect
from finops_lib.ingest.reading.records import load_records

FIELDS = {"id": "VARCHAR", "n": "VARCHAR", "nested": "JSON"}
ONE, TWO = '{"id": "a", "n": 1}', '{"id": "b", "n": 2}'
TRUNCATED, NO_OBJECT = "truncated or malformed JSON", "not a JSON object"


@pytest.fixture
def load(tmp_path: Path) -> Callable[..., tuple[list[Any], list[Any]]]:
    """Load one file: its ids, and line, reason and text of what was refused."""

    def run(content: str | bytes, name: str = "log.jsonl", **options: Any) -> tuple[list[Any], list[Any]]:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        with connect() as connection:
            load_records(connection, [path], FIELDS, scratch=tmp_path, **options)
            ids = connection.execute("SELECT id FROM records ORDER BY source_position").fetchall()
            refused = "SELECT source_position, reason, raw_text FROM refused ORDER BY 1"
            return [row[0] for row in ids], connection.execute(refused).fetchall()

    return run


@pytest.mark.parametrize(
    ("content", "refused"),
    [
        (f"{ONE}\n{TWO}\n", []),
        (f"{ONE}\n{TWO}", []),
        (f"{ONE}\r\n{TWO}\r\n", []),
        (f"\n\n{ONE}\n   \n{TWO}\n\n", []),
        (b"\xef\xbb\xbf" + f"{ONE}\n{TWO}\n".encode(), []),
        (f"{ONE}\n{TWO}\n".encode("utf-16"), []),
        (b"\xfe\xff" + f"{ONE}\n{TWO}\n".encode("utf-16-be"), []),
        (gzip.compress(f"{ONE}\n{TWO}\n".encode()), []),
        (f'{ONE}\n{TWO}\n{{"id": "c", "n', [(3, TRUNCATED, '{"id": "c", "n')]),
        (f"{ONE}\n#### nonsense\n{TWO}\n", [(2, TRUNCATED, "#### nonsense")]),
        (f"#### nonsense\n{ONE}\n{TWO}\n", [(1, TRUNCATED, "#### nonsense")]),
        (f"[INFO] started\n{ONE}\n{TWO}\n", [(1, TRUNCATED, "[INFO] started")]),
        (f'{{"id": "c",\n{ONE}\n{TWO}\n', [(1, TRUNCATED, '{"id": "c",')]),
        (f"\n{ONE}\n\n\n{{bad\r\n{TWO}\n", [(5, TRUNCATED, "{bad")]),
        (f"{ONE}\n[1, 2]\n5\nnull\n{TWO}\n", [(2, NO_OBJECT, "[1, 2]"), (3, NO_OBJECT, "5"), (4, NO_OBJECT, "null")]),
        (f'{ONE}\n{{"id": "\\ud800'.encode() + b"\xff\n" + TWO.encode(), [(2, TRUNCATED, '{"id": "\\ud800\ufffd')]),
    ],
)
def test_json_lines(load: Any, content: str | bytes, refused: list[Any]) -> None:
    """Good lines are read whatever stands between them; a bad one keeps its true line and its text."""
    assert (["a", "b"], refused) == load(content)


@pytest.mark.parametrize(
    ("content", "refused"),
    [
        (f"[{ONE}, {TWO}]", []),
        (f"[\n{ONE},\n{TWO}\n]", []),
        (json.dumps([json.loads(ONE), json.loads(TWO)], indent=2), []),
        (f"[{ONE}]\n[{TWO}]", []),
        ("\n".join(json.dumps(json.loads(row), indent=1) for row in (ONE, TWO)), []),
        (f'[{ONE}, {TWO}, {{"id": "c"', [(3, TRUNCATED, '{"id": "c"')]),
        (f"[{ONE}, {TWO}] trailing", [(3, TRUNCATED, "trailing")]),
        (f'[{ONE}, 5, null, "x", {TWO}]', [(2, NO_OBJECT, "5"), (3, NO_OBJECT, "null"), (4, NO_OBJECT, '"x"')]),
    ],
)
def test_json_documents(load: Any, content: str, refused: list[Any]) -> None:
    """Arrays in any print, several after each other, cut off, or with elements that are no objects."""
    assert (["a", "b"], refused) == load(content, "log.json")


def pages(document: Any) -> Any:
    """Open a page."""
    return document.get("data", [document])


@pytest.mark.parametrize(
    ("content", "refused"),
    [
        (f'{{"data": [{ONE}, {TWO}], "next": null}}', []),
        (f'{{"data": [\n{ONE},\n{TWO}\n]}}', []),
        (f'{{"data": [{ONE}]}}\n{{"data": [{TWO}]}}\n', []),
        (f'{{"data": [{ONE}]}}\nbroken\n{{"data": [{TWO}]}}\n', [(2, TRUNCATED, "broken")]),
        (f'[{{"data": [{ONE}]}}, {{"data": [{TWO}]}}]', []),
        (f'{{"page": 1, "data": [{ONE}, {TWO}, {{"id"', [(3, TRUNCATED, '{"id"')]),
        (f'{{"data": [{ONE}, 5, {TWO}]}}', [(2, NO_OBJECT, "5")]),
        (f"{ONE}\n{TWO}\n", []),
        (f"[{ONE}, {TWO}]", []),
    ],
)
def test_pages_are_opened(load: Any, content: str, refused: list[Any]) -> None:
    """A download with an envelope, one page a line, or a page that breaks off, gives its rows."""
    assert (["a", "b"], refused) == load(content, unwrap=pages)


def test_a_page_that_is_none_is_kept_as_it_stands(load: Any) -> None:
    """An envelope that holds something else than it should is one record without fields."""
    assert (["a", None], []) == load(f'{{"data": [{ONE}]}}\n{{"data": 5}}\n', unwrap=pages)


@pytest.mark.parametrize("content", ["", " \n\n", b"\xef\xbb\xbf", "[]", gzip.compress(b"")])
def test_an_empty_file_holds_nothing(load: Any, content: str | bytes) -> None:
    """Nothing read, nothing refused."""
    assert ([], []) == load(content)


@pytest.mark.parametrize(
    ("content", "refused"),
    [
        ("id,n\na,1\nb,2\n", []),
        ("id;n\na;1\nb;2", []),
        ("id\tn\r\na\t1\r\nb\t2\r\n", []),
        ("id,n\r\na,1\nb,2\r\n", []),
        (b"\xef\xbb\xbfid,n\na,1\nb,2\n", []),
        ("id,n\na,1\nb,2\n".encode("utf-16"), []),
        ('id,n\na,"1\n2"\nb,"say ""2"""\n', []),
        ("id,n\n\na,1\n\n\nb,2\n", []),
        (" ID ,id\na,1\nb,2\n", []),
        ("id,n\na,1\nshort\nb,2\n", [(3, "not a row of this CSV: missing columns", "short")]),
        ("id,n\na,1\nx,1,2,3\nb,2\n", [(3, "not a row of this CSV: too many columns", "x,1,2,3")]),
        ('id,n\na,"1\n2"\n\nshort\nb,2\n', [(5, "not a row of this CSV: missing columns", "short")]),
        ("id,n\r\na,1\r\nshort\r\nb,2\n", [(3, "not a row of this CSV: missing columns", "short")]),
        ("id,n\na,1\nb,2\ncut o", [(4, "not a row of this CSV: missing columns", "cut o")]),
        ('id,n\na,1\nb,2\n"never ends,1\n', [(4, "not a row of this CSV: unquoted value", '"never ends,1')]),
        (b"id,n\na,1\n\xff\xfe,2\nb,2\n", [(3, "not a row of this CSV: invalid encoding", "??,2")]),
    ],
)
def test_csv(load: Any, content: str | bytes, refused: list[Any]) -> None:
    """Any separator, both line ends, quoted line breaks; a row of another width is set aside with its line."""
    assert (["a", "b"], refused) == load(content, "log.csv")


def test_a_csv_in_gzip_and_one_without_rows(load: Any) -> None:
    """The suffix behind .gz says the container."""
    assert (["a"], []) == load(gzip.compress(b"id,n\na,1\n"), "log.csv.gz")
    assert ([], []) == load("id,n\n", "log.csv")
    assert ([], []) == load("\n\n", "log.csv")


def test_parquet_keeps_its_types(tmp_path: Path) -> None:
    """Integers, whole floats, times, bytes and nested columns become the text or JSON they stand for."""
    moment = datetime(2026, 9, 1, 10, 30, tzinfo=UTC)
    table = pa.table(
        {
            "id": ["a", None],
            "n": pa.array([12, None], pa.int32()),
            "f": pa.array([12.0, float("nan")]),
            "aware": pa.array([moment, None], pa.timestamp("us", tz="UTC")),
            "naive": pa.array([moment.replace(tzinfo=None), None], pa.timestamp("ns")),
            "raw": pa.array([b"bytes", None]),
            "nested": pa.array([{"tags": ["x"], "deep": {"n": 1}}, None]),
            "listed": pa.array([[1, 2], None]),
            "text": ['{"k": 1}', None],
        }
    )
    pq.write_table(table, tmp_path / "a.parquet")
    fields = dict.fromkeys(("n", "f", "aware", "naive", "raw", "absent"), "VARCHAR")
    fields |= {"nested": "JSON", "listed": "JSON", "text": "JSON"}
    with connect() as connection:
        load_records(connection, [tmp_path / "a.parquet"], fields, scratch=tmp_path)
        first, second = connection.execute("SELECT * EXCLUDE (source_file) FROM records ORDER BY 1").fetchall()
    assert ("12", "12.0", "2026-09-01 10:30:00+00", "2026-09-01 10:30:00", "bytes", None) == first[1:7]
    assert ('{"tags":["x"],"deep":{"n":1}}', "[1,2]", '{"k": 1}') == first[7:]
    assert (2, *[None] * 9) == second


def test_values_of_mixed_types_stay_what_they_were(tmp_path: Path) -> None:
    """A count as number, text, null and list, a nested value as object and as text."""
    rows = [{"n": 1, "nested": {"k": 1}}, {"n": "2", "nested": "text"}, {"n": None}, {"n": [3]}, {"n": 1e3}]
    path = tmp_path / "a.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    with connect() as connection:
        load_records(connection, [path], FIELDS, scratch=tmp_path)
        found = connection.execute("SELECT n, nested FROM records ORDER BY source_position").fetchall()
    assert [("1", '{"k":1}'), ("2", '"text"'), (None, None), ("[3]", None), ("1000.0", None)] == found


def test_files_have_labels_and_positions(tmp_path: Path) -> None:
    """A record stands in the file by the name given to it, at its place."""
    paths = [tmp_path / "it's.jsonl", tmp_path / "b.csv"]
    paths[0].write_text(f"{ONE}\n{TWO}\n")
    paths[1].write_text('id,"odd ""name"""\nc,3\n')
    with connect() as connection:
        fields = {"id": "VARCHAR", 'odd "name"': "VARCHAR"}
        load_records(connection, paths, fields, scratch=tmp_path, labels=dict(zip(paths, "AB", strict=True)))
        found = connection.execute("SELECT * FROM records ORDER BY 1, 2").fetchall()
    assert [("A", 1, "a", None), ("A", 2, "b", None), ("B", 1, "c", "3")] == found


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.jsonl.gz", gzip.compress(f"{ONE}\n".encode() * 9_999)[:200]),
        ("a.csv.gz", gzip.compress(b"id,n\na,1\n" * 9_999)[:60]),
        ("a.parquet", b"PAR1 nothing"),
    ],
)
def test_a_file_that_breaks_off_is_an_error(load: Any, name: str, content: bytes) -> None:
    """Half a packed file is never taken for the whole."""
    with pytest.raises(SourceError, match=f"{name}: cannot be read"):
        load(content, name)


JUNK = st.sampled_from(["{", "garbage", "[1]", "5", '{"id": "x"', "}", "[", '"text"', "[INFO] x", '{"id": "x",', "é"])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(
    st.lists(st.one_of(st.just(ONE), JUNK, st.sampled_from(["", "  "])), max_size=8),
    st.sampled_from(["\n", "\r\n"]),
)
def test_every_line_is_read_or_refused(load: Any, lines: list[str], end: str) -> None:
    """Between whole lines at both ends, no damage loses a line or makes one up."""
    content = [TWO, *lines, TWO]
    ids, refused = load(end.join(content))
    assert [json.loads(line)["id"] for line in content if line in (ONE, TWO)] == ids
    expected = [(n, line) for n, line in enumerate(content, 1) if line.strip() and line not in (ONE, TWO)]
    assert expected == [(line, text) for line, _, text in refused]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30, deadline=None)
@given(cut=st.integers(1, 200))
def test_a_cut_off_file_keeps_its_whole_lines(load: Any, cut: int) -> None:
    """However many bytes arrive, whole lines are read and at most one is refused."""
    text = f"{ONE}\n{TWO}\n" * 5
    ids, refused = load(text[:cut])
    assert text[:cut].count("}") == len(ids)
    assert (0 if text[:cut].endswith(("\n", "}")) else 1) == len(refused)
