"""README code: what the README tells people to type and to write works."""

from __future__ import annotations

import json
import re
import shlex
import shutil
from decimal import Decimal
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner, Result

from finops_lib.cli import app
from finops_lib.ingest import open_ledger
from finops_lib.ingest.readers import BILL_FORMATS, FORMATS
from finops_lib.params import load_params

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
EXPORTS = ROOT / "tests" / "ingest" / "readers" / "fixtures"


def _blocks(kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```$", README, flags=re.MULTILINE | re.DOTALL)


def _commands() -> list[list[str]]:
    """Every line of the README's code that begins with ``finops``, without its comment, as arguments."""
    indented = re.findall(r"^    (finops .*)$", README, flags=re.MULTILINE)
    fenced = [line for block in _blocks("bash") for line in block.splitlines() if line.startswith("finops ")]
    return [shlex.split(line, comments=True)[1:] for line in (*fenced, *indented)]


INGESTS = [command for command in _commands() if command[0] == "ingest"]


def _option(command: list[str], name: str) -> str | None:
    return command[command.index(name) + 1] if name in command else None


def _run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments], catch_exceptions=False)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Write the README's project: its export, its mapping and its parameter files; commands run inside it."""
    mapping, organisation, assistant = _blocks("yaml")
    for name, text in (
        ("exports/calls.csv", _blocks("csv")[0]),
        ("mapping.yaml", mapping),
        ("parameters/organisation.yaml", organisation),
        ("parameters/helpdesk.yaml", assistant),
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    monkeypatch.delenv("FINOPS_PROJECT", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("command", _commands(), ids=" ".join)
def test_commands_exist_with_their_options(command: list[str]) -> None:
    """A command or option that was renamed is found."""
    words = [word for word in command[:2] if re.fullmatch(r"[a-z]+", word)]
    words = words[:2] if words[0] in ("export", "prices") else words[:1]
    help_text = re.sub(r"\x1b\[[0-9;]*m", "", _run(*words, "--help").output)

    assert [] == [word for word in command if word.startswith("--") and word not in help_text]


def test_one_line_for_each_format() -> None:
    """Whoever looks for a format finds the line to type."""
    assert sorted([*FORMATS, *BILL_FORMATS, "mapped"]) == sorted(
        {form for c in INGESTS if (form := _option(c, "--format"))}
    )


@pytest.mark.parametrize("name", list(FORMATS))
def test_ingest_lines_read_their_format(name: str, project: Path) -> None:
    """The line of a format, run on exports of that format, reads them, and every row has one fate."""
    command = next(c for c in INGESTS if _option(c, "--format") == name)
    shutil.copytree(EXPORTS / name, project / command[-1])

    summary = json.loads(_run(*command, "--json").output.splitlines()[-1])

    fates = ("requests", "aggregated", "duplicates", "quarantined", "skipped")
    assert summary["read"] == sum(summary[fate] for fate in fates)
    assert 0 < summary["requests"] + summary["aggregated"]


def test_a_file_without_a_named_format_is_recognised(project: Path) -> None:
    """The line without ``--format`` says what the export was taken for."""
    command = next(c for c in INGESTS if "--format" not in c)
    shutil.copytree(EXPORTS / "vertex", project / command[-1])

    assert "Taken for vertex" in _run(*command).output


def test_mapped_example_reads_two_calls_and_refuses_the_third(project: Path) -> None:
    """The example's mapping reads its file: 3,000 tokens in two calls; the third contradicts itself."""
    command = next(c for c in INGESTS if "--mapping" in c)

    summary = json.loads(_run(*command, "--json").output.splitlines()[-1])

    assert (3, 2, 1, 2500) == tuple(summary[key] for key in ("read", "requests", "quarantined", "tokens"))
    assert {"cached tokens exceed input tokens": 1} == summary["quarantine_reasons"]


def test_mapped_example_costs_what_a_calculator_says(project: Path) -> None:
    """Claude Sonnet 4.5 at 3, 0.30 and 15 USD a million, 8% off; the team's place comes from the organisation.

    Not cached 200 + 800 = 1,000 × 3 = 3,000; cached 1,000 × 0.30 = 300; output 300 + 200 = 500 × 15 = 7,500;
    together 10,800 millionths of a dollar, and 92% of it 9,936.
    """
    (organisation,) = (block for block in _blocks("yaml") if "sources:" in block)
    source = yaml.safe_load(organisation)["sources"][0]

    _run("ingest", "--format", source["format"], "--mapping", source["mapping"], source["path"])
    costs = open_ledger(load_params("helpdesk", "2026-09")).costs

    assert Decimal("0.0108") == costs["list_cost"].sum()
    assert Decimal("0.009936") == costs["contracted_cost"].sum()
    assert {("Customer Experience", "CC-310")} == set(zip(costs["department"], costs["cost_center"], strict=True))


def test_assistant_example_is_a_parameter_file(project: Path) -> None:
    """The example is accepted under the name it carries, with every key in force."""
    params = load_params("helpdesk")

    assert ("Help desk assistant", "resolved", "support-platform") == (
        params.title,
        params.settings.success,
        params.settings.owners.technical,
    )
    assert ["exports/calls.csv"] == [source.path for source in params.organisation.sources]


def test_an_empty_organisation_file_makes_a_project(project: Path) -> None:
    """The README starts with an empty file, and reading works with it."""
    (project / "parameters" / "organisation.yaml").write_text("", encoding="utf-8")
    (project / "parameters" / "helpdesk.yaml").unlink()
    command = next(c for c in INGESTS if "--mapping" in c)

    assert 0 == _run(*command).exit_code


def test_other_tables_are_read_by_their_own_column_names(project: Path) -> None:
    """The example without a mapping takes the sample's table as it is."""
    command = next(c for c in INGESTS if _option(c, "--table") == "outcomes")
    shutil.copy(ROOT / "sample_data" / "tables" / "outcomes.csv", project / command[-1])
    lines = len((project / command[-1]).read_text(encoding="utf-8").splitlines())

    summary = json.loads(_run(*command, "--json").output.splitlines()[-1])

    assert (lines - 1, 0) == (summary["requests"], summary["quarantined"])


def test_example_of_papermill_names_files_that_are_there() -> None:
    """The notebook and the parameter file of the papermill line exist."""
    (line,) = re.findall(r"^    papermill (.*)$", README, flags=re.MULTILINE)
    notebook, _, option, parameters = shlex.split(line)

    assert (True, "-f", True) == ((ROOT / notebook).is_file(), option, (ROOT / parameters).is_file())


@pytest.mark.notebooks
def test_the_example_has_all_its_reports(project: Path) -> None:
    """Two calls of a day that is not over give every page, and no page fails."""
    summary = json.loads(_run("run", "--json").output.splitlines()[-1])

    assert ([], 19) == (summary["failed"], summary["ok"])
