"""``finops doctor``: what is wrong is named with its remedy, and nothing is changed by looking."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer.testing

from finops_lib import cli, ingest, load_params

CALLS = "timestamp,request_id,provider,model,input_tokens,output_tokens\n2026-09-01T12:00:00Z,r1,house,large,10,1\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """One source, one assistant without owners."""
    folder = tmp_path / "parameters"
    folder.mkdir()
    (tmp_path / "calls.csv").write_text(CALLS)
    (folder / "organisation.yaml").write_text("sources:\n  - {path: calls.csv}\nteams: {cx: {}}\n")
    (folder / "bot.yaml").write_text("assistant: bot\n")
    return tmp_path


def _doctor(project: Path) -> tuple[int, dict[str, dict]]:
    result = typer.testing.CliRunner().invoke(cli.app, ["doctor", "--project", str(project), "--json"])
    told = json.loads(result.output.splitlines()[-1])
    assert told["passed"] == (result.exit_code == 0)
    return result.exit_code, {finding["what"]: finding for finding in told["findings"]}


def test_a_sound_project_passes_with_notes(project: Path) -> None:
    """What only waits to be filled in is a note; looking makes no workspace."""
    code, found = _doctor(project)

    assert 0 == code
    assert ("ok", "1 file, 0.0 MB, taken for mapped") == (
        found["source calls.csv"]["state"],
        found["source calls.csv"]["found"],
    )
    assert {"owners", "teams", "ledger"} <= {what for what, finding in found.items() if finding["state"] == "note"}
    assert not (project / "outputs").exists()


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("{path: gone.csv}", "Nothing to read"),
        ("{path: calls.csv, format: litellm}", "litellm"),
        ("{path: calls.csv, format: mapped, mapping: gone.yaml}", "gone.yaml"),
    ],
)
def test_a_source_that_cannot_be_read_is_wrong(project: Path, source: str, told: str) -> None:
    """A path, a format and a mapping that do not fit are found before anything is read."""
    (project / "parameters" / "organisation.yaml").write_text(f"sources:\n  - {source}\n")

    code, found = _doctor(project)

    (finding,) = [finding for what, finding in found.items() if what.startswith("source ")]
    assert (1, "wrong") == (code, finding["state"])
    assert told in finding["found"]
    assert finding["remedy"]


def test_wrong_parameters_and_a_missing_project_are_told_apart(project: Path, tmp_path: Path) -> None:
    """The line and the nearest key of a misspelt parameter; a folder that is no project."""
    (project / "parameters" / "organisation.yaml").write_text("sorces: []\n")

    code, found = _doctor(project)
    nowhere, missing = _doctor(tmp_path / "nowhere")

    assert (1, 1) == (code, nowhere)
    assert "sorces" in found["parameters"]["found"]
    assert "sources" in found["parameters"]["found"] + found["parameters"]["remedy"]
    assert "wrong" == missing["project"]["state"]


def test_a_ledger_that_says_little_is_noted(project: Path) -> None:
    """Rows set aside, calls of nobody and models without a price are told with what to do."""
    bad = "2026-09-01T13:00:00Z,r2,house,large,-5,1\n"
    (project / "calls.csv").write_text(CALLS + bad)
    ingest.build_ledger(load_params(project=project))

    code, found = _doctor(project)

    assert 0 == code
    assert "1 of 2 are quarantined" == found["rows"]["found"]
    assert "100.0% of the cost names none" == found["assistants of calls"]["found"]
    assert "large" in found["models without a price"]["found"]
