"""``finops export``: the files it can write."""

from __future__ import annotations

from typer.testing import CliRunner

from finops_lib.cli import app


def test_help_lists_every_file_that_can_be_written():
    """Each file for another system is a command of the group."""
    told = CliRunner().invoke(app, ["export", "--help"])
    assert 0 == told.exit_code
    assert {"focus", "journal"} <= set(told.stdout.split())
