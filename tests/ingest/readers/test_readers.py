"""A format is found by its name or by what a file looks like, and a file of another is refused in words."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from finops_lib.errors import SourceError
from finops_lib.ingest.readers import FORMATS, check_format, find_reader, recognise
from finops_lib.ingest.readers.base import OBSERVED

FIXTURES = sorted(path for path in (Path(__file__).parent / "fixtures").glob("*/*") if path.is_file())
REAL = Path(__file__).parents[4] / "shared" / "data" / "exports"
FOLDERS = {"openai": "openai-usage"}


def shown(path: Path) -> str:
    """Name a file by its folder and name."""
    return f"{path.parent.name}/{path.name}"


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_has_a_reader(name: str) -> None:
    """Under its own name, saying only what the kit knows, over fields it declares."""
    reader = find_reader(name)
    assert name == reader.name
    assert reader.observed <= set(OBSERVED)
    assert {"started", "model", "raw_input", "raw_output"} <= reader.observed
    assert all(reader.signature)
    assert {"VARCHAR", "JSON"} >= set(reader.fields.values())


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("litelm", "did you mean 'litellm'?"),
        ("openai", "did you mean 'openai-usage'?"),
        ("Langfuse", "did you mean 'langfuse'?"),
        ("xyz", "formats: litellm, langfuse, helicone, portkey, otlp"),
    ],
)
def test_an_unknown_format_names_the_nearest(name: str, hint: str) -> None:
    """Or all of them, where none is near."""
    with pytest.raises(SourceError, match=f"Unknown format '{name}'") as caught:
        find_reader(name)
    assert caught.value.hint.startswith(hint)


@pytest.mark.parametrize("path", FIXTURES, ids=shown)
def test_every_fixture_is_recognised(path: Path) -> None:
    """As the format of its folder, which also accepts it."""
    assert path.parent.name == recognise(path)
    check_format(path, find_reader(path.parent.name))


@pytest.mark.parametrize("path", FIXTURES, ids=shown)
def test_no_fixture_passes_for_another_format(path: Path) -> None:
    """The error says what it looks like instead and what to type."""
    for name in FORMATS.keys() - {path.parent.name}:
        with pytest.raises(SourceError, match=f"not an export of format '{name}'") as caught:
            check_format(path, find_reader(name))
        assert f"it looks like '{path.parent.name}'" in caught.value.message
        assert f"use --format {path.parent.name}" == caught.value.hint


@pytest.mark.skipif(not REAL.is_dir(), reason=f"no real exports at {REAL}")
def test_real_exports_are_recognised() -> None:
    """Each file as the format of its folder."""
    files = [path for path in sorted(REAL.glob("*/*")) if path.name != "LICENSE"]
    assert len(files) >= 11
    for path in files:
        name = FOLDERS.get(path.parent.name, path.parent.name)
        assert name == recognise(path)
        check_format(path, find_reader(name))


def test_a_table_of_the_kits_own_columns_is_mapped(tmp_path: Path) -> None:
    """Without any mapping file."""
    path = tmp_path / "a.csv"
    path.write_text("timestamp,model,input_tokens,output_tokens\n")
    assert "mapped" == recognise(path)


@pytest.mark.parametrize("text", ["", "\n\n", "[]", "{}", '{"a": 1}', "a,b\n1,2\n", "[[1], [2]]", '{"a": 1'])
def test_what_nothing_fits_is_not_guessed(tmp_path: Path, text: str) -> None:
    """Nor is an empty file taken for anything."""
    path = tmp_path / ("a.csv" if "," in text and "[" not in text else "a.json")
    path.write_text(text)
    assert None is recognise(path)


def test_pages_are_looked_into(tmp_path: Path) -> None:
    """A page is recognised by the rows it holds."""
    row = {"request_id": "r", "call_type": "acompletion", "startTime": "2026-09-01"}
    path = tmp_path / "page.json"
    path.write_text(json.dumps({"data": [row], "total": 1}))
    assert "litellm" == recognise(path)


def test_an_unknown_table_is_told_by_its_columns(tmp_path: Path) -> None:
    """With the way out: a mapping. An empty file is no reason to refuse, nor one with only some of the fields."""
    path = tmp_path / "a.csv"
    path.write_text("when,tokens\n1,2,3\n")
    with pytest.raises(SourceError, match="its fields are , tokens, when") as caught:
        check_format(path, find_reader("litellm"))
    assert "use --format mapped with a mapping of its columns" == caught.value.hint
    path.write_text("")
    check_format(path, find_reader("litellm"))
    path.write_text("request_id,model\n1,2\n")
    check_format(path, find_reader("litellm"))
