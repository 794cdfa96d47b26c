"""What the public validators are given: months of the sample and bills of others, exported by the command."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from finops_lib.cli import app

ROOT = Path(__file__).parents[2]
SHARED = ROOT / ".." / "shared" / "data" / "focus"


@pytest.fixture(scope="session")
def export(sample: Path) -> Callable[..., Path]:
    """Export a month of the sample, or the bill of a file; the path of what was written."""

    def run(name: str, version: str, *options: str, bill: str = "", period: str = "2026-09") -> Path:
        project = sample
        if bill:
            project = sample.parent / f"bill-{bill}"
            (project / "parameters").mkdir(parents=True, exist_ok=True)
            (project / "parameters" / "organisation.yaml").write_text("company: Reader of a bill\n")
            words = ["ingest", "--project", project, "--format", "focus", "--table", "charges", SHARED / f"{bill}.csv"]
            _finops(*words)
        _finops(
            "export",
            "focus",
            "--project",
            project,
            "--version",
            version,
            "--period",
            period,
            "--out",
            project / name,
            *options,
        )
        return project / name

    return run


def _finops(*words: str | Path) -> None:
    done = CliRunner().invoke(app, [str(word) for word in words], catch_exceptions=False)
    assert 0 == done.exit_code, done.output
