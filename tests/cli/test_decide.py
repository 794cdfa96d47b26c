"""``finops decide``: one validated record a call."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer.testing

from finops_lib import cli, load_params
from finops_lib.errors import ParamsError

DECISION = ["--kind", "exception", "--assistant", "bot", "--decision", "larger model [for now]", "--owner",
            "bot-lead",
            "--review", "2026-11-05", "--approver", "head", "--reason", "launch", "--expires",
            "2026-11-30"]  # fmt: skip


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Make a project with one assistant."""
    folder = tmp_path / "parameters"
    folder.mkdir()
    (folder / "organisation.yaml").write_text("{}\n")
    (folder / "bot.yaml").write_text("assistant: bot\nsettings: {title: Bot}\n")
    return tmp_path


def decide(project: Path, *arguments: str) -> typer.testing.Result:
    """Call the command on the fifth of October."""
    call = ["decide", *DECISION, "--on", "2026-10-05", "--project", str(project), *arguments]
    return typer.testing.CliRunner().invoke(cli.app, call)


def test_recorded_and_said(project: Path) -> None:
    """What is on record is what was said; the answer names owner and review."""
    result = decide(project, "--effect", "-3.5")
    (recorded,) = load_params(project=project).decisions

    assert 0 == result.exit_code, result.output
    assert "larger model [for now]" in result.output
    assert "bot-lead answers for it; it is looked at again on 2026-11-05" in result.output
    assert (-3.5, "2026-11-30", "head") == (float(recorded.effect), str(recorded.expires), recorded.approver)


def test_json(project: Path) -> None:
    """One object on the last line."""
    found = json.loads(decide(project, "--json").output.splitlines()[-1])

    assert ("2026-10-05", "exception", None) == (found["decided"], found["kind"], found["effect"])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--assistant", "bott"], "no assistant 'bott'"),
        (["--kind", "routing"], "only an exception has approver"),
        (["--review", "soon"], "review: "),
        (["--on", "soon"], "--on: found 'soon'"),
    ],
)
def test_refused(project: Path, arguments: list[str], words: str) -> None:
    """The error says what is wrong, and nothing is written."""
    result = decide(project, *arguments)

    assert isinstance(result.exception, ParamsError)
    assert words in str(result.exception)
    assert not (project / "parameters" / "decisions.yaml").exists()


def test_twice_is_refused(project: Path) -> None:
    """A record that is still to be reviewed is not repeated."""
    decide(project)
    result = decide(project)

    assert "is on record since 2026-10-05" in str(result.exception)
    assert 1 == len(load_params(project=project).decisions)
