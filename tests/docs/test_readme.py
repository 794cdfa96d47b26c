"""The README is complete: whoever reads it has seen every notebook and every command."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import typer

from finops_lib.cli import app

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def commands() -> list[str]:
    """List the commands of the command line, sub-commands as ``prices show``."""
    found = []
    for name, command in typer.main.get_command(app).commands.items():
        found += [f"{name} {below}" for below in getattr(command, "commands", {})] or [name]
    return sorted(found)


@pytest.mark.parametrize("command", commands())
def test_every_command_is_named(command: str) -> None:
    """A command that the README does not name is found by nobody."""
    assert re.search(rf"\bfinops {command}\b", README), f"README.md does not name `finops {command}`"


@pytest.mark.parametrize("path", sorted((ROOT / "notebooks").glob("*.ipynb")), ids=lambda path: path.stem)
def test_every_notebook_is_linked_in_a_table(path: Path) -> None:
    """Each notebook has a row of the table, by its file name."""
    assert re.search(rf"^\|.*\(notebooks/{path.name}\)", README, re.MULTILINE)


def test_every_make_target_is_named() -> None:
    """Each target that ``make help`` shows is in the README."""
    targets = re.findall(r"^([a-z]+):.*?## ", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE)

    assert "report" in targets
    assert [] == [target for target in targets if f"make {target}" not in README]
