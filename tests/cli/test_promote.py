"""``finops promote``: only what the gate promotes, or a claim that says so; each once, and nothing half written."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer.testing

from finops_lib import cli, ingest, load_params
from finops_lib.errors import FinOpsError, ParamsError
from finops_lib.params import read_promotions

ORGANISATION = """
sources:
  - {path: calls.csv, format: mapped, mapping: parameters/calls.yaml}
  - {path: evaluations.csv, format: mapped, table: evaluations}
prices:
  - {kind: absolute, provider: house, model: large, prices: {uncached_input: 3, output: 15}}
"""
CALLS = """timestamp,request_id,provider,model,input_tokens,output_tokens,assistant,workflow
2026-09-30T21:00:00Z,r1,house,large,1000000,0,bot,answer
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """One call of the bot, 800 evaluated items: good fails on as many as the large model, the trap on 80 more."""
    folder = tmp_path / "parameters"
    folder.mkdir()
    (folder / "organisation.yaml").write_text(ORGANISATION)
    (folder / "bot.yaml").write_text("assistant: bot\nsettings: {title: Bot}\n")
    names = CALLS.splitlines()[0].split(",")
    (folder / "calls.yaml").write_text("columns: {" + ", ".join(f"{name}: {name}" for name in names) + "}\n")
    (tmp_path / "calls.csv").write_text(CALLS)
    lines = ["evaluation_set,item_id,segment,configuration,passed,cost_usd"]
    for configuration, failed, cost in (("large", 40, 0.04), ("good", 40, 0.01), ("trap", 120, 0.005)):
        lines += [
            f"bot/answer,i{number},all,{configuration},{str(number >= failed).lower()},{cost}" for number in range(800)
        ]
    (tmp_path / "evaluations.csv").write_text("\n".join(lines) + "\n")
    ingest.build_ledger(load_params(project=tmp_path))
    return tmp_path


def promote(project: Path, configuration: str, *more: str, assistant: str = "bot") -> str:
    """Run the command and return what it says."""
    words = [assistant, configuration, "--workflow", "answer", "--lever", "routing", "--owner", "platform-lead"]
    words += ["--expected", "60.50", "--on", "2026-10-01", "--project", str(project), *more]
    result = typer.testing.CliRunner().invoke(cli.app, ["promote", *words])
    if isinstance(result.exception, FinOpsError):
        raise result.exception
    assert 0 == result.exit_code, result.output
    return result.output


def test_what_the_gate_promotes_goes_on_record(project: Path) -> None:
    """The record has the gate's verdict and reason, and the parameters hold it from then on."""
    said = json.loads(promote(project, "good", "--json").splitlines()[-1])
    (record,) = load_params(project=project).promotions

    assert ("promote", "60.50", "2026-10-01") == (said["verdict"], said["expected_saving"], said["promoted_on"])
    assert ("bot", "answer", "good") == record.key
    assert "ruled out" in record.reason


def test_the_trap_is_refused_and_nothing_is_written(project: Path) -> None:
    """Cheaper and worse: rejected by name; as a claim it stands there without a verdict."""
    with pytest.raises(ParamsError, match="does not promote 'trap': reject"):
        promote(project, "trap")
    assert [] == read_promotions(project).promotions
    assert "unproven" in promote(project, "trap", "--claim", "--reason", "asked for by sales")
    assert [None] == [record.verdict for record in read_promotions(project).promotions]


def test_records_are_added_below_what_stands_there(project: Path) -> None:
    """Comments and the indentation of a file written by hand stay; a second record of the same change is refused."""
    path = project / "parameters" / "promotions.yaml"
    by_hand = "# ours\npromotions:\n- {assistant: bot, configuration: x, lever: batch, promoted_on: 2026-08-01,\n"
    by_hand += "   owner: lead, expected_saving: 5}\n"
    path.write_text(by_hand)
    promote(project, "good")
    before = path.read_text()

    assert before.startswith(by_hand)
    assert ["x", "good"] == [record.configuration for record in read_promotions(project).promotions]
    with pytest.raises(ParamsError, match="'bot/answer/good' is on record already"):
        promote(project, "good")
    assert before == path.read_text()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["good", "--lever", "magic"], "lever"),
        (["good", "--expected", "much"], "expected an amount"),
        (["good", "--expected", "-5"], "expected_saving: Input should be greater than 0"),
        (["unknown"], "No evaluation of 'unknown' in the set 'bot/answer'"),
    ],
)
def test_what_is_wrong_is_named(project: Path, words: list[str], told: str) -> None:
    """The value, and nothing on record."""
    with pytest.raises(ParamsError, match=told):
        promote(project, *words)
    assert not (project / "parameters" / "promotions.yaml").exists()


def test_an_assistant_nobody_knows(project: Path) -> None:
    """The known ones are named."""
    with pytest.raises(ParamsError, match="known: bot"):
        promote(project, "good", assistant="bott")


def test_a_record_that_is_wrong_is_named_with_its_line(project: Path) -> None:
    """A file somebody edited: the key, and where it stands."""
    (project / "parameters" / "promotions.yaml").write_text("promotions:\n  - {assistant: bot, levver: routing}\n")

    with pytest.raises(ParamsError, match=r"promotions\.yaml, line 2"):
        load_params(project=project)
