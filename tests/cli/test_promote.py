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


def promote(
    project: Path, configuration: str, *more: str, assistant: str = "bot", workflow: str | None = "answer"
) -> str:
    """Run the command and return what it says."""
    words = [assistant, configuration, "--lever", "routing", "--owner", "platform-lead"]
    words += ["--workflow", workflow] if workflow else []
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


def test_a_whole_assistant_is_judged_by_its_own_set(project: Path) -> None:
    """Without a workflow the gate looks for the set that is named by the assistant."""
    with pytest.raises(ParamsError, match="No evaluation of 'good' in the set 'bot'"):
        promote(project, "good", workflow=None)
    path = project / "evaluations.csv"
    path.write_text(path.read_text().replace("bot/answer,", "bot,"))
    ingest.build_ledger(load_params(project=project))
    promote(project, "good", workflow=None)

    assert [("bot", None, "good")] == [record.key for record in read_promotions(project).promotions]


def test_what_the_policy_forbids_is_not_promoted(project: Path) -> None:
    """A model with a price that the workflow may not use, however well it passes; the claim says that it is one."""
    with (project / "parameters" / "organisation.yaml").open("a") as file:
        file.write("  - {kind: absolute, provider: house, model: good, prices: {uncached_input: 1, output: 5}}\n")
    evaluations = project / "evaluations.csv"
    evaluations.write_text(evaluations.read_text().replace(",good,", ",house/good,"))
    ingest.build_ledger(load_params(project=project))
    rules = "assistant: bot\nsettings: {title: Bot, routing: [{workflow: answer, models: [%s]}]}\n"
    (project / "parameters" / "bot.yaml").write_text(rules % "house/large")
    with pytest.raises(ParamsError, match="policy of 'bot/answer' does not let 'house/good' serve"):
        promote(project, "house/good")
    (project / "parameters" / "bot.yaml").write_text(rules % "house/large, house/good")
    assert "promoted by the gate" in promote(project, "house/good")


def test_the_gate_sees_todays_prices(project: Path) -> None:
    """A price that changed since the last reading is in the ledger the gate judges on."""
    path = project / "parameters" / "organisation.yaml"
    path.write_text(path.read_text().replace("uncached_input: 3", "uncached_input: 6"))
    promote(project, "good")

    costs = ingest.open_ledger(load_params(project=project)).costs
    assert 6.0 == float(costs["contracted_cost"].sum())


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
