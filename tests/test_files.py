"""A file is replaced whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from finops_lib.files import replace_file, written_beside


def test_a_file_is_replaced_and_nothing_is_left_beside(tmp_path: Path) -> None:
    """Its folder is made; text is written as UTF-8."""
    path = tmp_path / "new" / "a.txt"
    replace_file(path, b"old")
    replace_file(path, "né")
    assert (b"n\xc3\xa9", [path]) == (path.read_bytes(), [*path.parent.iterdir()])


@pytest.mark.parametrize("folder", [False, True])
def test_an_interrupted_write_leaves_what_was_there(tmp_path: Path, folder: bool) -> None:
    """Half a file or half a folder is removed."""
    path = tmp_path / "a"
    path.write_text("whole")

    def interrupted() -> None:
        with written_beside(path) as part:
            if folder:
                part.mkdir()
            (part / "b" if folder else part).write_text("ha")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert ("whole", [path]) == (path.read_text(), [*tmp_path.iterdir()])


def test_a_folder_appears_whole(tmp_path: Path) -> None:
    """With all that was written into it."""
    with written_beside(tmp_path / "kept") as part:
        part.mkdir()
        (part / "a").write_text("1")
        assert not (tmp_path / "kept").exists()
    assert [tmp_path / "kept" / "a"] == [*tmp_path.rglob("a")]
