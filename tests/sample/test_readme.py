"""The sample data's own description."""

from __future__ import annotations

from pathlib import Path

from finops_lib.sample.plants import PLANTS
from finops_lib.sample.readme import readme


def test_readme_says_what_it_is(folder: Path, calls: object) -> None:
    """It is called sample data, and names command, seed, licence, every plant and every kind of file."""
    text = (folder / "README.md").read_text(encoding="utf-8")
    kinds = {path.parent.name for path in folder.rglob("*") if path.is_file() and path.parent != folder}

    assert readme(calls, 7) == text
    assert "This is sample data" in text
    assert "python -m finops_lib.sample sample_data" in text
    assert "seed 7" in text
    assert "MIT" in text
    assert all(f"| {plant.id} | {plant.what} |" in text for plant in PLANTS)
    assert all(f"`{kind}/" in text for kind in kinds)
