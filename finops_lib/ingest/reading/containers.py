"""Containers: what a file is made of (JSON Lines, JSON, CSV, Parquet; packed or not; its encoding), told by looking."""

from __future__ import annotations

import contextlib
import csv
import glob
import gzip
import io
import json
import re
import zlib
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from pathlib import Path
from typing import IO, Any, Literal

import duckdb

from finops_lib.errors import SourceError

CONTAINERS = (".jsonl", ".ndjson", ".json", ".csv", ".tsv", ".parquet", ".log", ".txt")
LARGEST_OBJECT = 64 * 1024 * 1024
SAMPLE_LINES = 20
SAMPLE_CHARACTERS = 1 << 20
Layout = Literal["empty", "lines", "array", "document"]

# A prompt in a field is longer than what the csv module takes by default.
csv.field_size_limit(LARGEST_OBJECT)


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
        Files in order of their path, each once whatever its names. Licence and README files in folders are passed over.

    Raises
    ------
    SourceError
        If a path names nothing, or a folder holds no export.
    """
    found: dict[Path, Path] = {}
    for given in paths:
        path = Path(given).expanduser()
        path = path if path.is_absolute() or project is None else project / path
        if path.is_file():
            matches = [path]
        elif path.is_dir():
            matches = [p for p in sorted(path.rglob("*")) if p.is_file() and container_of(p)]
        else:
            matches = [Path(p) for p in sorted(glob.glob(str(path), recursive=True)) if Path(p).is_file()]
        if not matches:
            message = f"Nothing to read at {path}"
            raise SourceError(message, hint="name a file, a folder with exports or a glob in quotes")
        for match in matches:
            found.setdefault(match.resolve(), match)
    return list(found.values())


def container_of(path: Path) -> str | None:
    """Tell the container of a file by its name: a suffix of ``CONTAINERS``, ``None`` for any other file."""
    name = path.name.lower()
    if name.startswith(("license", "licence", "readme")):
        return None
    name = name.removesuffix(".gz")
    return next((suffix for suffix in CONTAINERS if name.endswith(suffix)), None)


@contextlib.contextmanager
def reading(path: Path) -> Iterator[None]:
    """Tell of a file that breaks off or is not what its name says as a ``SourceError``.

    Parameters
    ----------
    path : Path
        The file that is read inside.

    Yields
    ------
    None

    Raises
    ------
    SourceError
        If reading fails.
    """
    try:
        yield
    except (duckdb.Error, OSError, EOFError, zlib.error, csv.Error, RecursionError) as error:
        message = f"{path}: cannot be read: {str(error).splitlines()[0] if str(error) else 'unknown'}"
        raise SourceError(message, hint="check that the file is complete and what its name says it is") from error


def is_packed(path: Path) -> bool:
    """Tell a gzip file by its first bytes, whatever its name."""
    with path.open("rb") as stream:
        return stream.read(2) == b"\x1f\x8b"


def open_bytes(path: Path) -> IO[bytes]:
    """Open a file for its bytes, unpacked."""
    return gzip.open(path, "rb") if is_packed(path) else path.open("rb")  # type: ignore[return-value]


def encoding_of(path: Path) -> str:
    """Tell UTF-8 from UTF-16, by the byte order mark or, without one, by where the zero bytes are."""
    with open_bytes(path) as stream:
        start = stream.read(4)
    if start.startswith(b"\xef\xbb\xbf"):
        return "utf-8-sig"
    if start.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    if start[1:2] == b"\0":
        return "utf-16-le"
    return "utf-16-be" if start[:1] == b"\0" and start[1:2] else "utf-8"


def open_text(path: Path, *, newline: str | None = None) -> io.TextIOWrapper:
    """Open a file for its text, unpacked and decoded; bytes that are no text become U+FFFD."""
    encoding = encoding_of(path)
    return io.TextIOWrapper(open_bytes(path), encoding=encoding, errors="replace", newline=newline)


# A backslash that stands for itself; a pair of escapes; half of one.
_ESCAPES = re.compile(
    r"(\\\\)|\\u[dD][89abAB][0-9a-fA-F]{2}(\\u[dD][c-fC-F][0-9a-fA-F]{2})?|\\u[dD][c-fC-F][0-9a-fA-F]{2}"
)


def mended(text: str) -> str:
    r"""Put U+FFFD where JSON escapes half a character, as it does of a text cut in the middle of an emoji.

    Examples
    --------
    >>> mended(r'{"a": "cut \ud83d", "b": "whole \ud83d\ude00"}')
    '{"a": "cut \\ufffd", "b": "whole \\ud83d\\ude00"}'
    """
    if "\\ud" not in text and "\\uD" not in text:
        return text
    return _ESCAPES.sub(lambda found: found[0] if found[1] or found[2] else r"\ufffd", text)


def mended_copy(path: Path, copy: Path) -> Path:
    """Copy a file of lines with U+FFFD in the place of halves of characters and of bytes that are no text."""
    with open_bytes(path) as stream, copy.open("wb") as target:
        target.writelines(mended(line.decode(errors="replace")).encode() for line in stream)
    return copy


def plain_file(path: Path, scratch: Path, number: int) -> Path:
    """Give a file the engine can read: the file itself, or a copy in UTF-8 without a byte order mark.

    Parameters
    ----------
    path : Path
        An export.
    scratch : Path
        Folder for copies.
    number : int
        Makes the copy's name unique.

    Returns
    -------
    Path
        The file or its copy.
    """
    encoding = encoding_of(path)
    if encoding == "utf-8" and is_packed(path) == path.name.lower().endswith(".gz"):
        return path
    copy = scratch / f"{number}-{path.name.lower().removesuffix('.gz')}"
    with open_bytes(path) as stream, copy.open("wb") as target:
        stream.read(3 if encoding == "utf-8-sig" else 0)
        if encoding.startswith("utf-16"):
            target.write(stream.read().decode(encoding, errors="replace").encode())
        else:
            while block := stream.read(SAMPLE_CHARACTERS):
                target.write(block)
    return copy


def csv_delimiter(header: str) -> str:
    """Tell what separates the columns of a CSV from its header line."""
    return max(",;\t|", key=header.count)


def json_layout(path: Path) -> Layout:
    """Tell JSON Lines from an array and from one document (or several), by the first lines that hold anything.

    Parameters
    ----------
    path : Path
        A text file.

    Returns
    -------
    {"empty", "lines", "array", "document"}
        A file that cannot be told is read as lines, so that each bad line stands for itself.
    """
    with open_text(path) as stream:
        lines = list(islice((line.strip() for line in stream if not line.isspace()), SAMPLE_LINES))
    if not lines:
        return "empty"
    first, further = lines[0], lines[1:]
    value = parsed(first)
    if isinstance(value, list):
        return "lines" if further and _is_object(further[0]) else "document" if further else "array"
    if isinstance(value, dict):
        return "lines" if further or not _is_envelope(value) else "document"
    if re.match(r"\[\s*([\[{]|$)", first):
        return "array"
    return "document" if first.startswith("{") and _reads_on(lines) else "lines"


def _is_envelope(value: dict[str, Any]) -> bool:
    return any(isinstance(part, list) and part and isinstance(part[0], dict) for part in value.values())


def parsed(text: str) -> Any:
    """Parse JSON; ``None`` where it is none."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _is_object(line: str) -> bool:
    return line.startswith("{") and isinstance(parsed(line), dict)


def _reads_on(lines: list[str]) -> bool:
    """Whether the lines are one JSON text over several lines, not a broken line before whole ones."""
    try:
        json.JSONDecoder().raw_decode("\n".join(lines))
    except json.JSONDecodeError as error:
        place = "\n".join(lines).count("\n", 0, error.pos)
        return not any(_is_object(line) for line in lines[place : place + 2])
    return True


def first_records(path: Path, limit: int = SAMPLE_LINES) -> list[Any]:
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
        Parsed JSON values, or one dict per CSV or Parquet row (of a CSV without rows its header, with nulls);
        empty for an empty file.

    Raises
    ------
    SourceError
        If the file is of no container the kit reads, or cannot be read.
    """
    container = container_of(path)
    with reading(path):
        if container == ".parquet":
            with duckdb.connect() as connection:
                return connection.read_parquet(glob.escape(str(path))).limit(limit).to_arrow_table().to_pylist()
        if container in (".csv", ".tsv"):
            return _first_rows(path, limit)
        with open_text(path) as stream:
            start = stream.read(SAMPLE_CHARACTERS)
        if not start.strip():
            return []
        found = [value for value in map(parsed, start.split("\n")) if isinstance(value, dict)]
        if found and json_layout(path) == "lines":
            return found[:limit]
        if start.lstrip()[0] not in "[{":
            message = f"{path}: found text beginning with {start.lstrip()[:40]!r}, expected JSON, CSV or Parquet"
            raise SourceError(message, hint="export as JSON Lines, JSON, CSV or Parquet")
        with open_text(path) as stream:
            return salvage(stream.read())[0][:limit]


def first_object(path: Path, layout: Layout) -> dict[str, Any] | None:
    """Read the first object of a JSON text: of lines the first whole one, of an array its first element.

    Parameters
    ----------
    path : Path
        A text file.
    layout : {"empty", "lines", "array", "document"}
        From ``json_layout``.

    Returns
    -------
    dict or None
        ``None`` where there is none.
    """
    with open_text(path) as stream:
        if layout == "lines":
            return next((parsed(line) for line in stream if _is_object(line.strip())), None)
        start = stream.read(LARGEST_OBJECT)
    try:
        value, _ = json.JSONDecoder().raw_decode(start, re.match(r"\s*\[?\s*", start).end())  # type: ignore[union-attr]
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _first_rows(path: Path, limit: int) -> list[Any]:
    with open_text(path, newline="") as stream:
        head = stream.readline()
        if not head.strip():
            return []
        rows = csv.DictReader(chain([head], stream), delimiter=csv_delimiter(head), restkey="")
        return list(islice(rows, limit)) or [dict.fromkeys(rows.fieldnames or [])]


def salvage(text: str, *, inside: bool = False) -> tuple[list[Any], str, int]:
    """Parse as much of a JSON text as stands whole.

    Parameters
    ----------
    text : str
        One array, one document, or several one after the other.
    inside : bool
        Whether to look inside a document that breaks off for the objects of its first list.

    Returns
    -------
    tuple
        The values (of arrays their elements), the rest that could not be read, and the rest's place among the
        values, counted from 1.
    """
    decoder, values, index, in_array = json.JSONDecoder(), [], 0, False
    while True:
        index = re.compile(r"[\s,\ufeff]*").match(text, index).end()  # type: ignore[union-attr]
        if index >= len(text):
            return values, "", 0
        if text[index] == ("]" if in_array else "["):
            in_array, index = not in_array, index + 1
            continue
        try:
            value, index = decoder.raw_decode(text, index)
        except (ValueError, RecursionError):
            opened = re.compile(r"\[\s*(?=\{)").search(text, index) if inside and not in_array else None
            if opened is None:
                return values, text[index:], len(values) + 1
            inside, in_array, index = False, True, opened.end()
            continue
        values.append(value)
