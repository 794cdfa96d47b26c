"""``finops init``: an export becomes a project that runs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer.testing

from finops_lib import cli, load_params
from finops_lib.errors import FinOpsError

EXPORT = Path(__file__).parents[2] / "sample_data" / "litellm" / "spend_logs_2026-07.jsonl.gz"


def _init(project: Path, *more: str) -> tuple[int, dict, str]:
    arguments = ["init", *more, "--project", str(project), "--json"]
    result = typer.testing.CliRunner().invoke(cli.app, arguments)
    if isinstance(result.exception, FinOpsError):
        raise result.exception
    return result.exit_code, json.loads(result.stdout.splitlines()[-1]), result.output


def test_an_export_becomes_a_project(tmp_path: Path) -> None:
    """Its assistants are listed, each has a file that loads, and a second time changes nothing."""
    project = tmp_path / "project"

    code, told, _ = _init(project, str(EXPORT), "--time-zone", "Europe/Berlin")

    names = sorted(row["assistant"] for row in told["assistants"] if row["assistant"] != "unattributed")
    assert 0 == code
    assert ["litellm"] == [reading["format"] for reading in told["read"]]
    assert ["knowledge-bot", "marketing-drafting", "support-copilot"] == names
    assert {"parameters/organisation.yaml", *(f"parameters/{name}.yaml" for name in names)} == set(told["written"])
    params = load_params("support-copilot", project=project)
    assert "Europe/Berlin" == params.organisation.time_zone
    assert params.settings.plan.users > 0
    before = {path.name: path.read_bytes() for path in (project / "parameters").iterdir()}

    again = _init(project, str(EXPORT))[1]

    assert ([], []) == (again["written"], again["sources_to_add"])
    assert all(row["known"] for row in again["assistants"] if row["assistant"] != "unattributed")
    assert before == {path.name: path.read_bytes() for path in (project / "parameters").iterdir()}


def test_what_is_there_is_not_touched(tmp_path: Path) -> None:
    """A file somebody wrote stays; a source it does not list is told to be added."""
    folder = tmp_path / "parameters"
    folder.mkdir()
    (folder / "organisation.yaml").write_text("company: Example\n")
    (folder / "support-copilot.yaml").write_text("assistant: support-copilot\nsettings: {title: Ours}\n")

    told = _init(tmp_path, str(EXPORT), "--assistant", "rest")[1]

    assert "company: Example\n" == (folder / "organisation.yaml").read_text()
    assert "parameters/support-copilot.yaml" not in told["written"]
    assert [{"path": str(EXPORT), "defaults": {"assistant": "rest"}}] == told["sources_to_add"]
    assert "unattributed" not in {row["assistant"] for row in told["assistants"]}


def test_what_cannot_be_read_leaves_nothing_behind(tmp_path: Path) -> None:
    """A mistake in the command is not a half-made project."""
    with pytest.raises(FinOpsError, match="Nothing to read"):
        _init(tmp_path, "nowhere/*.jsonl")
    with pytest.raises(FinOpsError, match="time-zone"):
        _init(tmp_path, str(EXPORT), "--time-zone", "Mars/Olympus")

    assert [] == list((tmp_path / "parameters").glob("*.yaml"))


def test_without_exports_an_empty_project_is_made(tmp_path: Path) -> None:
    """It says what to do next, and loads."""
    result = typer.testing.CliRunner().invoke(cli.app, ["init", "--project", str(tmp_path)])

    assert 0 == result.exit_code
    assert "No calls were found yet" in result.output
    assert [] == load_params(project=tmp_path).organisation.sources
