"""Real exports of five tools become reports, both ways they can be read, and the pages say what they do not hold."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from finops_lib.batch import plan_runs
from finops_lib.cli import app

pytestmark = pytest.mark.notebooks

EXPORTS = Path(__file__).parents[3] / "shared" / "data" / "exports"
SOURCES = {
    "langfuse": "langfuse",
    "otlp": "otlp",
    "bedrock": "bedrock",
    "openai": "openai-usage",
    "litellm": "litellm",
}
SUBJECTS = ("organisation", "agent-traces", "helpdesk")
NOTEBOOKS = ("01_ledger", "03_cost_profile")
PERIOD = "2025-10"


def write_project(folder: Path, *, listed: bool) -> Path:
    """Write what a team would write by hand: company, time zone, a team, two assistants; sources listed or not."""
    organisation = {
        "company": "Real exports",
        "time_zone": "Europe/Berlin",
        "teams": {"platform": {"department": "Engineering", "cost_center": "CC-1"}},
    }
    if listed:
        organisation["sources"] = [
            {"path": str(EXPORTS / name), "format": form}
            | ({"defaults": {"assistant": "agent-traces"}} if name == "langfuse" else {})
            for name, form in SOURCES.items()
        ]
    (folder / "parameters").mkdir(parents=True)
    (folder / "parameters" / "organisation.yaml").write_text(yaml.safe_dump(organisation), encoding="utf-8")
    for name in SUBJECTS[1:]:
        (folder / "parameters" / f"{name}.yaml").write_text(f"assistant: {name}\n", encoding="utf-8")
    return folder


def finops(*arguments: str) -> None:
    """Run the command line; it must succeed."""
    done = CliRunner().invoke(app, list(arguments), catch_exceptions=False)

    assert 0 == done.exit_code, done.output


@pytest.fixture(scope="module")
def sites(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Make both projects and their sites."""
    if not EXPORTS.is_dir():
        pytest.skip(f"no real exports at {EXPORTS}")
    os.environ["PYTHONPATH"] = str(Path(__file__).parents[2])  # for kernels, where the kit is not installed
    listed = write_project(tmp_path_factory.mktemp("real") / "listed", listed=True)
    ingested = write_project(tmp_path_factory.mktemp("real") / "ingested", listed=False)
    for name, form in SOURCES.items():
        named = ["--assistant", "agent-traces"] if name == "langfuse" else []
        finops("ingest", "--format", form, "--project", str(ingested), *named, str(EXPORTS / name), "--json")
    for project in (listed, ingested):
        every = [] if project is listed else ["--assistant", "organisation"]
        finops("run", "--project", str(project), "--quiet", *every)
    return {project.name: project / "outputs" / "site" for project in (listed, ingested)}


def results(site: Path, subject: str, notebook: str) -> dict:
    """Read the results of a page."""
    path = site.parent / "runs" / subject / PERIOD / f"{notebook}.json"
    return json.loads(path.read_text(encoding="utf-8"))["results"]


def page(site: Path, subject: str, notebook: str) -> str:
    """Read a page without markup, with what its figures say in words."""
    html = (site / "pages" / subject / PERIOD / f"{notebook}.html").read_text(encoding="utf-8")
    alternatives = re.findall(r'<img[^>]* alt="([^"]+)"', html)
    return " ".join([*re.sub(r"<style.*?</style>|<[^>]+>", " ", html, flags=re.DOTALL).split(), *alternatives])


@pytest.mark.parametrize(("way", "chosen"), [("listed", None), ("ingested", SUBJECTS[:1])])
def test_every_report_is_made(sites: dict[str, Path], way: str, chosen: tuple[str, ...] | None) -> None:
    """Every report, for the organisation, its team and the assistants, the one without a call included."""
    pages = {path.relative_to(sites[way] / "pages").as_posix() for path in (sites[way] / "pages").rglob("*.html")}
    planned = plan_runs(sites[way].parents[1], assistants=chosen)

    assert {f"{run.subject}/{PERIOD}/{run.notebook}.html" for run in planned} == pages


@pytest.mark.parametrize("notebook", NOTEBOOKS)
def test_both_ways_give_the_same_numbers(sites: dict[str, Path], notebook: str) -> None:
    """Listed in a file or read by command before: the ledger is the same."""
    assert results(sites["listed"], "organisation", notebook) == results(sites["ingested"], "organisation", notebook)


@pytest.mark.parametrize("subject", ["organisation", "agent-traces"])
def test_the_last_month_costs_what_a_calculator_says(sites: dict[str, Path], subject: str) -> None:
    """One trace of October: 656 tokens in, 105 out of gpt-4o, at 2.50 and 10.00 USD a million."""
    found = results(sites["listed"], subject, "03_cost_profile")

    assert "0.00269" == found["month_cost"]["value"]
    assert 761 == found["month_tokens"]["value"]


@pytest.mark.parametrize("notebook", NOTEBOOKS)
def test_pages_say_what_the_exports_do_not_hold(sites: dict[str, Path], notebook: str) -> None:
    """No team, workflow, user, outcome …: each with the file or parameter that would add it."""
    text = page(sites["listed"], "organisation", notebook)

    for missing in ("workflow", "team", "cost center", "environment", "users", "outcomes and their value"):
        assert re.search(rf"What is missing, and what adds it .*\b{missing} .* Source: Ledger and reading record", text)
    assert "a tag 'workflow' on the calls" in text
    assert "'virtual_keys' in parameters/organisation.yaml" in text
    assert "'{path: outcomes.csv, format: mapped, table: outcomes}' under 'sources'" in text


def test_figures_without_data_are_words(sites: dict[str, Path]) -> None:
    """Where a figure has nothing to show it says why; what made a task successful is said too."""
    text = page(sites["listed"], "organisation", "03_cost_profile")

    assert "No call names its team, October 2025" in text
    assert "No task names its workflow, October 2025" in text
    assert "No source of the month names the user of a call." in text
    assert "completed Source: Requests of the month" in text


def test_the_ledger_page_counts_every_row(sites: dict[str, Path]) -> None:
    """53 rows: 14 calls, 12 buckets, 18 that are no calls, 9 spans without a model; six weeks-long gaps are told."""
    text = page(sites["listed"], "organisation", "01_ledger")

    assert "9 of 53 rows read (17%) could not be used" in text
    assert "no model 9" in text
    assert "FAIL 9 of 53 rows could not be used" in text
    assert 53 == results(sites["listed"], "organisation", "01_ledger")["rows_read"]["value"]


def test_an_assistant_that_no_export_names_is_told_how_to_be_found(sites: dict[str, Path]) -> None:
    """Its page is there, empty, and names the two keys that would fill it."""
    text = page(sites["listed"], "helpdesk", "03_cost_profile")

    assert "No traffic in October 2025" in text
    assert "'match: [name]' in parameters/helpdesk.yaml" in text
    assert "'defaults: {assistant: helpdesk}' at its source" in text
