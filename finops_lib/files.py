"""Files: written beside their place and then put there in one step, so that no reader meets half of one."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def written_beside(path: Path) -> Iterator[Path]:
    """Hand out a place beside a file or folder; what stands there when the block ends well takes its place.

    Parameters
    ----------
    path : Path
        Where it shall stand; its folder is made when missing. A folder must not stand there yet.

    Yields
    ------
    Path
        Where to write. Nothing written, nothing replaced; after an error it is removed and ``path`` stays as it was.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        yield part
        if part.exists():
            os.replace(part, path)
    finally:
        if part.is_dir():
            shutil.rmtree(part)
        part.unlink(missing_ok=True)


def replace_file(path: Path, content: bytes | str) -> None:
    """Write a file whole, or leave the one that is there as it is.

    Parameters
    ----------
    path : Path
        Where it shall stand.
    content : bytes or str
        What it holds; text is written as UTF-8.
    """
    with written_beside(path) as part:
        part.write_bytes(content.encode() if isinstance(content, str) else content)
