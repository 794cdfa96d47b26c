"""``finops export litellm``: a folder for the gateway, or words about what is wrong."""

from __future__ import annotations

import json

import pytest
import typer.testing
import yaml

from finops_lib import cli, ingest, load_params
from finops_lib.errors import ParamsError

ORGANISATION = """
sources: [{path: calls.csv, format: mapped, mapping: parameters/calls.yaml}]
teams: {brand: {cost_center: CC-1}}
budgets: [{name: all, amount: 50, cap: hard}, {name: brand, match: {team: brand}, amount: 90, cap: soft}]
prices: [{kind: discount, provider: openai, share: "0.2"}]
"""
BOT = """
assistant: bot
settings:
  routing: [{workflow: tag, models: [gpt-4o-mini], output_limit: 90}]
  agent_limits: {tool_calls: 9}
"""
CALLS = """timestamp,request_id,provider,model,assistant,input_tokens,output_tokens
2026-09-01T12:00:00Z,r1,openai,gpt-4o-mini,bot,1000,10
"""


@pytest.fixture
def project(tmp_path):
    """One assistant with one policy, one call."""
    folder = tmp_path / "project" / "parameters"
    folder.mkdir(parents=True)
    (folder / "organisation.yaml").write_text(ORGANISATION)
    (folder / "bot.yaml").write_text(BOT)
    names = CALLS.splitlines()[0].split(",")
    (folder / "calls.yaml").write_text("columns: {" + ", ".join(f"{name}: {name}" for name in names) + "}\n")
    (folder.parent / "calls.csv").write_text(CALLS)
    ingest.build_ledger(load_params(project=folder.parent))
    return folder.parent


def export(project, *more):
    """Run the command."""
    command = ["export", "litellm", "--project", str(project), "--out", str(project / "gateway"), *more]
    return typer.testing.CliRunner().invoke(cli.app, command)


def test_the_folder_holds_the_policy_at_contracted_prices(project):
    """0.15 a million less 20% is 0.12; a second run writes the same bytes."""
    run = export(project)
    config = yaml.safe_load((project / "gateway" / "config.yaml").read_text())
    before = {path.name: path.read_bytes() for path in (project / "gateway").iterdir()}

    assert 0 == run.exit_code, run.output
    assert {"gpt-4o-mini", "bot-tag"} == {entry["model_name"] for entry in config["model_list"]}
    assert {1.2e-7} == {entry["litellm_params"]["input_cost_per_token"] for entry in config["model_list"]}
    assert "tool_calls of bot: 9" in " ".join(run.output.split())
    assert 0 == export(project).exit_code
    assert before == {path.name: path.read_bytes() for path in (project / "gateway").iterdir()}


def test_json_says_what_was_written(project):
    """One object on the last line."""
    told = json.loads(export(project, "--json").output.splitlines()[-1])

    assert ["gpt-4o-mini", "bot-tag"] == told["groups"]
    assert "README.md" in told["files"]
    assert "not held" in {note["kind"] for note in told["notes"]}


def test_what_the_gateway_would_refuse_is_not_written(project):
    """A team may stop later than the whole."""
    path = project / "parameters" / "organisation.yaml"
    path.write_text(path.read_text().replace("amount: 90, cap: soft", "amount: 90, cap: hard"))
    run = export(project)

    assert isinstance(run.exception, ParamsError)
    assert "teams.json, max_budget: found 108.00 together, expected at most the gateway's max_budget, 60.00" in str(
        run.exception
    )
    assert not (project / "gateway").exists()
