"""What a file is made of is told by looking, and a file that breaks off is told of in words."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from finops_lib.errors import SourceError
from finops_lib.ingest.reading.containers import (
    LARGEST_OBJECT,
    container_of,
    csv_delimiter,
    encoding_of,
    find_files,
    first_object,
    first_records,
    is_packed,
    json_layout,
    open_bytes,
    open_text,
    parsed,
    plain_file,
    reading,
    salvage,
)

ROW = '{"a": 1}'


def test_files_of_a_folder_a_glob_and_a_name(tmp_path: Path) -> None:
    """Each file once, in order of path; licence, readme and files of no container are passed over in folders only."""
    for name in ("b.jsonl", "a.csv.gz", "deep/c.parquet", "README.json", "LICENSE.txt", "picture.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x")
    assert ["a.csv.gz", "b.jsonl", "deep/c.parquet"] == [
        str(path.relative_to(tmp_path)) for path in find_files([tmp_path])
    ]
    assert ["b.jsonl", "a.csv.gz"] == [path.name for path in find_files(["b.jsonl", "*.gz", "b.jsonl"], tmp_path)]
    assert ["c.parquet"] == [path.name for path in find_files([tmp_path / "**" / "*.parquet"])]
    assert ["picture.png"] == [path.name for path in find_files([tmp_path / "picture.png"])]


@pytest.mark.parametrize("path", ["missing.jsonl", "*.none", "empty"])
def test_nothing_to_read_is_an_error(tmp_path: Path, path: str) -> None:
    """A missing file, a glob that matches nothing, a folder without exports."""
    (tmp_path / "empty").mkdir()
    with pytest.raises(SourceError, match="Nothing to read at"):
        find_files([path], tmp_path)


def written(folder: Path, content: str | bytes, name: str = "log.jsonl") -> Path:
    """Write a file."""
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("log.jsonl", ".jsonl"),
        ("LOG.JSON.GZ", ".json"),
        ("export.csv.gz", ".csv"),
        ("rows.parquet", ".parquet"),
        ("bill.pdf", None),
        ("LICENSE.txt", None),
        ("README.json", None),
    ],
)
def test_the_name_says_the_container(name: str, expected: str | None) -> None:
    """Licence and README files are no exports, whatever their suffix."""
    assert expected == container_of(Path(name))


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"plain", "utf-8"),
        (b"", "utf-8"),
        (b"\xef\xbb\xbf{}", "utf-8-sig"),
        ('{"a": "ü"}'.encode("utf-16"), "utf-16"),
        (b"\xfe\xff" + "{}".encode("utf-16-be"), "utf-16"),
        ("{}".encode("utf-16-le"), "utf-16-le"),
        ("{}".encode("utf-16-be"), "utf-16-be"),
        (gzip.compress("{}".encode("utf-16")), "utf-16"),
    ],
)
def test_the_encoding_is_told_by_the_first_bytes(tmp_path: Path, content: bytes, expected: str) -> None:
    """By the byte order mark, else by where the zero bytes are, packed or not."""
    assert expected == encoding_of(written(tmp_path, content))


def test_gzip_is_told_by_content_not_by_name(tmp_path: Path) -> None:
    """A packed file without the suffix is read, and one that only has the suffix too."""
    packed, plain = written(tmp_path, gzip.compress(b"x\n"), "a.log"), written(tmp_path, b"x\n", "b.log.gz")
    assert (True, False) == (is_packed(packed), is_packed(plain))
    assert ["x\n", "x\n"] == [open_text(path).read() for path in (packed, plain)]
    assert b"x\n" == open_bytes(packed).read()


def test_what_the_engine_can_read_is_not_copied(tmp_path: Path) -> None:
    """A copy is made of another encoding, a byte order mark, or a suffix that lies."""
    plain = written(tmp_path, ROW)
    assert plain == plain_file(plain, tmp_path, 1)
    packed = written(tmp_path, gzip.compress(ROW.encode()), "b.jsonl.gz")
    assert packed == plain_file(packed, tmp_path, 2)
    marked = written(tmp_path, b"\xef\xbb\xbf" + b'{"a": "\xff"}', "c.jsonl")
    assert b'{"a": "\xff"}' == plain_file(marked, tmp_path, 3).read_bytes()
    wide = written(tmp_path, '{"a": "ü"}'.encode("utf-16"), "d.jsonl.gz")
    assert '{"a": "ü"}'.encode() == plain_file(wide, tmp_path, 4).read_bytes()


@pytest.mark.parametrize(
    ("header", "expected"), [("a,b", ","), ("a;b,c;d", ";"), ("a\tb", "\t"), ("a|b|c", "|"), ("alone", ",")]
)
def test_the_header_says_what_separates_columns(header: str, expected: str) -> None:
    """The most frequent candidate of the header line."""
    assert expected == csv_delimiter(header)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("", "empty"),
        (" \n\n", "empty"),
        (f"{ROW}\n{ROW}\n", "lines"),
        (ROW, "lines"),
        ('{"data": [{"a": 1}]}', "document"),
        (f"[{ROW}]", "array"),
        (f"[\n{ROW},\n{ROW}\n]", "array"),
        (f"[{ROW},\n{ROW}\n]", "array"),
        ("[", "array"),
        (f"[{ROW}]\n[{ROW}]", "document"),
        (f"[1, 2]\n{ROW}", "lines"),
        ('{\n "a": 1\n}', "document"),
        (f'{{"data": [\n{ROW},\n{ROW}\n]}}', "document"),
        (f'{{"data": [\n{ROW}\n]}}', "document"),
        (f'{{"a": "cut off\n{ROW}\n', "lines"),
        (f'{{"a": 1,\n{ROW}\n', "lines"),
        (f'{{"a": [\n{ROW}\n{ROW}\n', "lines"),
        (f"{{\n{ROW}\n", "lines"),
        (f"[INFO] started\n{ROW}\n", "lines"),
        (f"garbage\n{ROW}\n", "lines"),
        ('{"a": "cut off', "document"),
    ],
)
def test_the_first_lines_say_the_layout(tmp_path: Path, content: str, expected: str) -> None:
    """A broken first line makes no document of lines, a list on the first line of a document no lines of it."""
    assert expected == json_layout(written(tmp_path, content))


def test_the_first_object(tmp_path: Path) -> None:
    """Of lines the first whole one, of an array its first element; nothing where there is none."""
    assert {"a": 1} == first_object(written(tmp_path, f"garbage\n[1]\n{ROW}\n"), "lines")
    assert {"a": 1} == first_object(written(tmp_path, f" [ {ROW}, 5"), "array")
    assert {"a": 1} == first_object(written(tmp_path, f"\n{ROW}"), "document")
    assert [None] * 3 == [first_object(written(tmp_path, text), "array") for text in ("[5]", "[", "")]


def test_json_or_nothing() -> None:
    """What is no JSON is null, and so is what nests without end."""
    assert [{"a": 1}, None, None] == [parsed(ROW), parsed("{"), parsed("[" * 100_000)]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (f"{ROW}\n\n{ROW}", [{"a": 1}, {"a": 1}]),
        (f"garbage\n{ROW}\n", [{"a": 1}]),
        (f'{{"a": "cut off\n{ROW}\n', [{"a": 1}]),
        (f"[{ROW}, {ROW}]", [{"a": 1}, {"a": 1}]),
        (f"[{ROW}, {{", [{"a": 1}]),
        ('{\n "data": [{"a": 1}]\n}', [{"data": [{"a": 1}]}]),
        ("", []),
        (b"\xef\xbb\xbf", []),
        (gzip.compress(b""), []),
        ("[]", []),
    ],
)
def test_first_records_of_json(tmp_path: Path, content: str | bytes, expected: list[object]) -> None:
    """Lines that cannot be read are passed over."""
    assert expected == first_records(written(tmp_path, content))


def test_first_records_stop_at_the_limit(tmp_path: Path) -> None:
    """Two of five, from lines, an array, a CSV and Parquet."""
    rows = [{"a": str(n)} for n in range(5)]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "a.parquet")
    files = [
        written(tmp_path, "".join(json.dumps(row) + "\n" for row in rows), "a.jsonl"),
        written(tmp_path, json.dumps(rows), "a.json"),
        written(tmp_path, "a\n0\n1\n2\n3\n4\n", "a.csv"),
        tmp_path / "a.parquet",
    ]
    assert [rows[:2]] * 4 == [first_records(path, 2) for path in files]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("a;b\n1;2\n", [{"a": "1", "b": "2"}]),
        ('a,b\n1,"two\nlines"\n', [{"a": "1", "b": "two\nlines"}]),
        ("a,b\n1,2,3\n", [{"a": "1", "b": "2", "": ["3"]}]),
        ("a,b\n", [{"a": None, "b": None}]),
        ("", []),
        ("a,b\n1,2\n".encode("utf-16"), [{"a": "1", "b": "2"}]),
        ("a,b\n1," + "x" * 200_000, [{"a": "1", "b": "x" * 200_000}]),
    ],
)
def test_first_records_of_csv(tmp_path: Path, content: str | bytes, expected: list[object]) -> None:
    """A header alone still says what the columns are, and a long prompt does not stop the reading."""
    assert expected == first_records(written(tmp_path, content, "a.csv"))


@pytest.mark.parametrize(
    ("content", "name", "told"),
    [
        ("an invoice", "a.jsonl", "found text beginning with 'an invoice'"),
        (gzip.compress(b"x" * 9_999)[:30], "a.jsonl.gz", "cannot be read"),
        (b"PAR1 and nothing else", "a.parquet", "cannot be read"),
        (b"", "a.parquet", "cannot be read"),
    ],
)
def test_what_cannot_be_read_is_told_in_words(tmp_path: Path, content: str | bytes, name: str, told: str) -> None:
    """With the file's name and a hint, not as a failure of a library."""
    with pytest.raises(SourceError, match=told) as caught:
        first_records(written(tmp_path, content, name))
    assert str(tmp_path / name) in caught.value.message
    assert caught.value.hint


def test_reading_names_the_file(tmp_path: Path) -> None:
    """An error without words still names the file."""
    with pytest.raises(SourceError, match=r"a\.json: cannot be read: unknown"), reading(Path("a.json")):
        raise EOFError


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"[{ROW}, {ROW}]", ([{"a": 1}, {"a": 1}], "", 0)),
        (f"[{ROW}]\n[{ROW}]", ([{"a": 1}, {"a": 1}], "", 0)),
        (f"{ROW}\n{ROW}", ([{"a": 1}, {"a": 1}], "", 0)),
        (f'[{ROW}, {{"a": 2, "b', ([{"a": 1}], '{"a": 2, "b', 2)),
        (f"[{ROW}] and more", ([{"a": 1}], "and more", 2)),
        ("[[1], [2]]", ([[1], [2]], "", 0)),
        ("", ([], "", 0)),
        ("nonsense", ([], "nonsense", 1)),
        ('{"data": [{"a": 1}, {"a"', ([], '{"data": [{"a": 1}, {"a"', 1)),
    ],
)
def test_salvage_keeps_what_stands_whole(text: str, expected: tuple[list[object], str, int]) -> None:
    """The values, the rest, and the rest's place."""
    assert expected == salvage(text)


def test_salvage_looks_inside_a_page_that_breaks_off() -> None:
    """The rows before the break count, the broken one is the rest."""
    assert ([{"a": 1}], '{"a"', 2) == salvage('{"page": 1, "data": [{"a": 1}, {"a"', inside=True)


@given(st.lists(st.dictionaries(st.text(max_size=3), st.integers() | st.text(max_size=5), max_size=3), max_size=5))
def test_salvage_reads_any_array_whole(rows: list[dict[str, object]]) -> None:
    """An array that is whole leaves no rest, printed in any way."""
    assert [(rows, "", 0)] * 2 == [salvage(json.dumps(rows)), salvage(json.dumps(rows, indent=2))]


@given(
    rows=st.lists(st.fixed_dictionaries({"a": st.text(max_size=6)}), min_size=1, max_size=4),
    cut=st.integers(0, 200),
)
def test_salvage_loses_nothing(rows: list[dict[str, object]], cut: int) -> None:
    """However an array is cut off, whole values and the rest make up all of it."""
    text = json.dumps(rows)[:cut]
    values, rest, _ = salvage(text)
    assert rows[: len(values)] == values
    assert text.endswith(rest)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(cut=st.integers(1, 60), rows=st.integers(2, 4))
def test_a_broken_first_line_never_makes_a_document_of_lines(tmp_path: Path, cut: int, rows: int) -> None:
    """Wherever the first line is cut off, the whole lines after it are told to be lines."""
    line = json.dumps({"id": "r1", "nested": {"list": [{"x": 1}], "n": 2.5}, "text": "a {b} [c]"})
    assert "lines" == json_layout(written(tmp_path, f"{line[:cut]}\n" + f"{line}\n" * rows))


def test_objects_may_be_large() -> None:
    """A prompt of some megabytes is no fault of an export."""
    assert LARGEST_OBJECT > 32 * 1024 * 1024


def test_two_names_of_one_file_are_one_file(tmp_path: Path) -> None:
    """A link and a way around; the first name given is kept."""
    (tmp_path / "d").mkdir()
    (tmp_path / "a.csv").write_text("x", encoding="utf-8")
    (tmp_path / "d" / "link.csv").symlink_to(tmp_path / "a.csv")
    assert [tmp_path / "a.csv"] == find_files(["a.csv", "d/../a.csv", "d"], tmp_path)
