"""``finops check``: an exit code for pipelines, and each failure with what to put where."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer.testing

from finops_lib import cli, ingest, load_params

ORGANISATION = """
sources:
  - {path: calls.csv, format: mapped, mapping: parameters/calls.yaml, defaults: {assistant: bot}}
prices:
  - {kind: absolute, provider: house, model: large, prices: {uncached_input: 3, output: 15}}
rollout: {start: 2026-08-01}
"""
OWNERS = "  owners: {business: head-of-brand, technical: marketing-systems-lead}\n"
CALLS = """timestamp,request_id,provider,model,input_tokens,output_tokens,team
2026-09-01T12:00:00Z,r1,house,large,1000000,0,cx
2026-09-30T22:00:00Z,r2,house,large,500000,100000,cx
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """September of one assistant in two calls of 3 USD."""
    (tmp_path / "parameters").mkdir()
    (tmp_path / "parameters" / "organisation.yaml").write_text(ORGANISATION)
    _write(tmp_path, OWNERS)
    names = CALLS.splitlines()[0].split(",")
    columns = "columns: {" + ", ".join(f"{name}: {name}" for name in names) + "}\n"
    (tmp_path / "parameters" / "calls.yaml").write_text(columns)
    (tmp_path / "calls.csv").write_text(CALLS)
    return tmp_path


def _write(project: Path, settings: str) -> None:
    (project / "parameters" / "bot.yaml").write_text("assistant: bot\nsettings:\n  success: resolved\n" + settings)


def _check(project: Path, *more: str) -> tuple[int, dict]:
    ingest.build_ledger(load_params(project=project))
    arguments = ["check", "--project", str(project), "--json", *more]
    result = typer.testing.CliRunner().invoke(cli.app, arguments)
    assert isinstance(result.exception, SystemExit | None), result.exception
    return result.exit_code, json.loads(result.output.splitlines()[-1])


def test_the_gate_fails_with_places_and_passes_once_mended(project: Path) -> None:
    """What it names is put where it says, and the exit code turns."""
    code, told = _check(project, "--assistant", "bot", "--deployment-gate")
    named = {failure["check"].removeprefix("bot: "): failure["remedy"] for failure in told["failures"]}

    assert (1, False, 12) == (code, told["passed"], told["checked"])
    assert {"business owner", "technical owner", "quality metric"}.isdisjoint(named)
    assert "set plan" in named["usage profile"]
    assert "parameters/bot.yaml" in named["security review"]

    mended = """  coverage_target: 0
  budgets: [{name: bot, amount: 100}]
  routing: [{workflow: "*", tier: mid}]
  outcome: {name: draft_used, value: 1, confirmed_by: head-of-brand}
  plan: {users: 2, requests_per_user_day: 1, prompt_tokens: 9, answer_tokens: 9, models: {large: 1}}
  rollout:
    attested:
      - {item: security-review, role: security-lead, day: 2026-09-02}
      - {item: fallback, role: marketing-systems-lead, day: 2026-09-02}
"""
    _write(project, OWNERS + mended)
    code, told = _check(project, "--assistant", "bot", "--deployment-gate")

    assert (0, True, []) == (code, told["passed"], told["failures"])


def test_budgets_fail_when_used_up_and_strictly_from_the_first_threshold(project: Path) -> None:
    """6 USD spent: of 5, of 8, of 100; and no budget at all is a failure of its own."""
    outcomes = {}
    for amount in (5, 8, 100):
        _write(project, f"  budgets: [{{name: bot, amount: {amount}}}]\n")
        outcomes[amount] = (_check(project, "--budgets")[0], _check(project, "--budgets", "--strict")[0])
    _write(project, "")

    assert {5: (1, 1), 8: (0, 1), 100: (0, 0)} == outcomes
    assert "no budget in force" == _check(project, "--budgets")[1]["failures"][0]["found"]


def test_what_was_proved_and_is_lost_has_regressed(project: Path) -> None:
    """Owners proved in September; calls of October come, the owners go: the next check says so."""
    _check(project)
    calls = CALLS + "2026-10-20T22:30:00Z,r3,house,large,1000,0,cx\n"
    (project / "calls.csv").write_text(calls)
    _write(project, "")
    code, told = _check(project, "--assistant", "organisation")
    lost = {failure["check"]: failure["found"] for failure in told["failures"]}

    assert 1 == code
    assert lost["owners"].startswith("regressed: proved on 2026-09-30")


def test_strict_takes_what_is_not_due_yet(project: Path) -> None:
    """A rollout that has not begun is fine, and strictly it is not; the RACI is checked with it."""
    text = ORGANISATION.replace("2026-08-01", "2026-12-01")
    (project / "parameters" / "organisation.yaml").write_text(text)

    assert (0, 1) == (_check(project)[0], _check(project, "--strict")[0])

    (project / "parameters" / "organisation.yaml").write_text(text + "raci: {run the gate: {Product: R}}\n")
    code, told = _check(project)
    assert (1, ["run the gate"]) == (code, [failure["check"] for failure in told["failures"]])


def test_words_for_people(project: Path) -> None:
    """Without --json a table and a sentence."""
    ingest.build_ledger(load_params(project=project))
    arguments = ["check", "--project", str(project), "--assistant", "bot"]
    result = typer.testing.CliRunner().invoke(cli.app, arguments)

    assert 1 == result.exit_code
    assert "checks failed" in result.output
    assert "parameters/bot.yaml" in result.output
