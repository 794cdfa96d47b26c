"""Every notebook runs in each of the ways a company runs it, with the same numbers, on any data."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import nbformat
import pandas as pd
import pytest
from nbclient import NotebookClient

from finops_lib.batch import BatchResult, run_batch
from finops_lib.batch.plan import check_parameters
from finops_lib.errors import BatchError
from finops_lib.ingest import build_ledger

pytestmark = pytest.mark.notebooks

ROOT = Path(__file__).parents[2]
NOTEBOOKS = ("01_ledger", "03_cost_profile")
# About an assistant too, and about the whole organisation only.
OTHERS = (
    "04_allocation",
    "05_forecast",
    "06_routing_savings",
    "07_budget_alerts",
    "08_rollout_90_day",
    "09_monthly_review",
)
OF_ALL = ("02_reconciliation", "90_portfolio")
ASSISTANT = "support-copilot"
SETTING = "settings: {{coverage_target: {}}}"

# Calls of October 2026 (Europe/Berlin) that a source kept, as finops_lib.sample.generate_calls makes them, each times
# the sample's list prices, 8% off Anthropic's, half price for batch on Bedrock, nothing for the provisioned model and
# 0.04 USD a million for reranking: added up call by call, apart from everything the ledger does.
TRUTH = {
    "organisation": (Decimal("1709.380367465"), 22_853),
    "support-copilot": (Decimal("180.715601946"), 4_873),
}
SEPTEMBER = Decimal("1253.151477466")


@dataclass(frozen=True)
class Finished:
    """What a run in a process of its own left behind."""

    code: int
    messages: str
    output: Path

    def sidecar(self, notebook: str) -> dict[str, Any]:
        """Read the results the notebook wrote."""
        return json.loads((self.output / f"{notebook}.json").read_text(encoding="utf-8"))

    def tables(self) -> dict[str, bytes]:
        """Read the data behind the tables."""
        return {path.name: path.read_bytes() for path in sorted(self.output.glob("*.csv"))}


def quiet(**more: str) -> dict[str, str]:
    """Return the environment of a notebook: nothing the kit would read but what is given."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FINOPS_")}
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    return kept | threads | {"PYTHONPATH": str(ROOT)} | more


def papermill(project: Path, notebook: str, output: Path, *arguments: str) -> Finished:
    """Run a notebook with the papermill command, from the project folder, as anybody would."""
    output.mkdir(parents=True, exist_ok=True)
    source, executed = f"notebooks/{notebook}.ipynb", output / "executed.ipynb"
    command = [sys.executable, "-m", "papermill", "--no-progress-bar", source, str(executed), *arguments]
    done = subprocess.run(
        command, cwd=project, env=quiet(FINOPS_OUTPUT=str(output)), capture_output=True, text=True, timeout=300
    )
    return Finished(done.returncode, done.stdout + done.stderr, output)


def make_project(folder: Path, organisation: str, **assistants: str) -> Path:
    """Make a project: the notebooks, an organisation file, and a file for each assistant."""
    (folder / "parameters").mkdir(parents=True)
    (folder / "parameters" / "organisation.yaml").write_text(organisation, encoding="utf-8")
    for name, settings in assistants.items():
        named = name.replace("_", "-")
        text = f"assistant: {named}\nperiod: latest\nsettings: {settings}\n"
        (folder / "parameters" / f"{named}.yaml").write_text(text, encoding="utf-8")
    shutil.copytree(ROOT / "notebooks", folder / "notebooks")
    return folder


def as_in_jupyterlab(project: Path, notebook: str) -> Finished:
    """Run all cells as they stand, where JupyterLab runs them: in the notebooks folder, with no parameters given."""
    opened = nbformat.read(project / "notebooks" / f"{notebook}.ipynb", as_version=4)
    client = NotebookClient(opened, timeout=300, resources={"metadata": {"path": str(project / "notebooks")}})
    client.execute(env=quiet())
    return Finished(0, "", project / "outputs" / "organisation" / "2026-10")


@pytest.fixture(scope="module")
def runs(sample: Path, at_once: Callable, tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], Future]:
    """Start every run in a process of its own; the tests wait for the ones they need."""
    folder = tmp_path_factory.mktemp("runs")
    started = {}
    for notebook in NOTEBOOKS:
        by_file = ("-f", f"parameters/{ASSISTANT}.yaml")
        started["file", notebook] = at_once(papermill, sample, notebook, folder / f"file {notebook}", *by_file)
        started["lab", notebook] = at_once(as_in_jupyterlab, sample, notebook)
    for notebook in OTHERS:
        started["file", notebook] = at_once(papermill, sample, notebook, folder / f"file {notebook}", *by_file)
    for notebook in OF_ALL:
        started["lab", notebook] = at_once(as_in_jupyterlab, sample, notebook)
    others = {
        "name": ("-p", "assistant", ASSISTANT),
        "what if": ("-p", "assistant", ASSISTANT, "-y", SETTING.format(0.99)),
        "misspelt assistant": ("-p", "assistant", "support-copliot"),
        "misspelt setting": ("-p", "assistant", ASSISTANT, "-y", "settings: {coverage_tagret: 0.99}"),
        "month without data": ("-p", "assistant", ASSISTANT, "-p", "period", "2025-01"),
    }
    for way, arguments in others.items():
        started[way, NOTEBOOKS[1]] = at_once(papermill, sample, NOTEBOOKS[1], folder / way, *arguments)
    return started


@pytest.fixture(scope="module")
def batch(sample: Path) -> BatchResult:
    """Run the batch for the organisation, an assistant, and one that nobody calls."""
    return run_batch(sample, assistants=["organisation", ASSISTANT, "idle-helper"])


def published(site: Path, subject: str, notebook: str, period: str = "2026-10") -> Finished:
    """Find what the batch published."""
    return Finished(0, "", site.parent / "runs" / subject / period)


def page(site: Path, subject: str, notebook: str, period: str = "2026-10") -> str:
    """Read a page as its reader does: without markup."""
    html = (site / "pages" / subject / period / f"{notebook}.html").read_text(encoding="utf-8")
    return " ".join(re.sub(r"<style.*?</style>|<[^>]+>", " ", html, flags=re.DOTALL).split())


def alternatives(site: Path, subject: str, notebook: str, period: str = "2026-10") -> str:
    """Read what the figures of a page say to those who cannot see them."""
    html = (site / "pages" / subject / period / f"{notebook}.html").read_text(encoding="utf-8")
    return "\n".join(re.findall(r'<img[^>]* alt="([^"]+)"', html))


def test_every_notebook_runs_for_everybody(batch: BatchResult) -> None:
    """For the organisation, an assistant and one that nobody calls; no notebook of the folder is left out."""
    assert not batch.failed
    done = {(outcome.run.subject, outcome.run.notebook) for outcome in batch.outcomes}
    for_assistants = {*NOTEBOOKS, *OTHERS}
    expected = {(name, notebook) for name in (ASSISTANT, "idle-helper") for notebook in for_assistants}
    assert expected | {("organisation", notebook) for notebook in for_assistants | {*OF_ALL}} == done
    assert {path.stem for path in (ROOT / "notebooks").glob("*.ipynb")} == for_assistants | {*OF_ALL}


@pytest.mark.parametrize(
    ("way", "notebook"), [*(("file", name) for name in (*NOTEBOOKS, *OTHERS)), ("name", NOTEBOOKS[1])]
)
def test_bare_papermill_gives_the_numbers_of_the_batch(runs: dict, batch: BatchResult, way: str, notebook: str) -> None:
    """With the assistant's file or by its name: results, checks, hashes of inputs and all tables are the batch's."""
    bare = runs[way, notebook].result()
    of_batch = published(batch.site, ASSISTANT, notebook)

    assert (0, "") == (bare.code, bare.messages if bare.code else "")
    assert of_batch.sidecar(notebook) == bare.sidecar(notebook)
    tables = bare.tables()
    assert tables
    assert {name: of_batch.tables()[name] for name in tables} == tables


@pytest.mark.parametrize("notebook", [*NOTEBOOKS, *OF_ALL])
def test_jupyterlab_gives_the_numbers_of_the_batch(runs: dict, batch: BatchResult, notebook: str) -> None:
    """Opened and run as it stands, a notebook is about the organisation, and says what the batch says."""
    opened = runs["lab", notebook].result()

    assert published(batch.site, "organisation", notebook).sidecar(notebook) == opened.sidecar(notebook)


@pytest.mark.parametrize("subject", TRUTH)
@pytest.mark.parametrize("notebook", NOTEBOOKS)
def test_the_sample_costs_what_its_calls_cost(batch: BatchResult, notebook: str, subject: str) -> None:
    """To the last digit what the generator's own calls add up to, whichever page says it."""
    cost, requests = TRUTH[subject]
    results = published(batch.site, subject, notebook).sidecar(notebook)["results"]

    assert str(cost) == results["month_cost"]["value"]
    assert "USD" == results["month_cost"]["unit"]
    assert f"{requests:,} requests" in page(batch.site, subject, notebook)
    assert f"October 2026 cost USD {cost:,.2f}" in page(batch.site, subject, notebook)


def test_portfolio_and_review_give_the_same_verdict(batch: BatchResult) -> None:
    """On the page of all, on the organisation's review and on the assistant's own, whatever the bills say."""
    folder = published(batch.site, "organisation", "90_portfolio").output
    of_all = pd.read_csv(folder / "90_portfolio.assistants.csv").set_index("assistant")["verdict"].dropna().to_dict()
    for subject, expected in (("organisation", of_all), (ASSISTANT, {ASSISTANT: of_all[ASSISTANT]})):
        own = published(batch.site, subject, "09_monthly_review").output / "09_monthly_review.viability.csv"
        assert expected == pd.read_csv(own).set_index("assistant")["verdict"].to_dict()


def test_the_change_is_against_the_month_before(batch: BatchResult) -> None:
    """1,709.38 after 1,253.15 is 36% more."""
    results = published(batch.site, "organisation", "03_cost_profile").sidecar("03_cost_profile")["results"]
    cost, _ = TRUTH["organisation"]

    assert abs(float(cost / SEPTEMBER - 1) - results["month_cost_change"]["value"]) < 1e-12
    assert "36% more than September 2026 (USD 1,253.15)" in page(batch.site, "organisation", "03_cost_profile")


def test_what_if_settings_change_the_verdict_and_nothing_else(runs: dict, batch: BatchResult) -> None:
    """98.8% of the spend is attributed: enough for 95%, not for 99%; the cost does not move."""
    asked = runs["what if", NOTEBOOKS[1]].result().sidecar(NOTEBOOKS[1])
    plain = published(batch.site, ASSISTANT, NOTEBOOKS[1]).sidecar(NOTEBOOKS[1])
    coverage = [next(c for c in s["checks"] if c["check"] == "attribution_coverage") for s in (plain, asked)]

    assert [(0.95, True), (0.99, False)] == [(check["threshold"], check["passed"]) for check in coverage]
    assert coverage[0]["statistic"] == coverage[1]["statistic"]
    assert plain["results"] == asked["results"]


@pytest.mark.parametrize(
    ("way", "message", "hint"),
    [
        ("misspelt assistant", "No file parameters/support-copliot.yaml", "did you mean 'support-copilot'?"),
        ("misspelt setting", "unknown key 'settings.coverage_tagret'", "did you mean 'coverage_target'?"),
        (
            "month without data",
            "the ledger holds no 2025-01",
            "it holds 2026-07, 2026-08, 2026-09, 2026-10, 2026-11; or add the month's exports",
        ),
    ],
)
def test_what_cannot_be_computed_is_refused_in_words(runs: dict, way: str, message: str, hint: str) -> None:
    """A name that is not there, or a month: the error says which ones are, and nothing is written."""
    refused = runs[way, NOTEBOOKS[1]].result()
    messages = re.sub(r"\x1b\[[0-9;]*m", "", refused.messages)

    assert refused.code
    assert f"ParamsError: {message}" in messages or message in messages
    assert f"Hint: {hint}" in messages
    assert [] == list(refused.output.glob("*.json"))


@pytest.mark.parametrize("notebook", NOTEBOOKS)
def test_an_unknown_parameter_is_refused_before_a_run(notebook: str) -> None:
    """Papermill only warns of it and runs on the default; the batch does not begin."""
    path = ROOT / "notebooks" / f"{notebook}.ipynb"

    with pytest.raises(BatchError, match=r"does not set 'assitant'\s*Hint: did you mean 'assistant'"):
        check_parameters(path, {"assitant": ASSISTANT})
    check_parameters(path, {"assistant": ASSISTANT, "period": "2026-10", "settings": {}})


@pytest.mark.parametrize("notebook", NOTEBOOKS)
def test_an_assistant_nobody_calls_has_a_page_that_says_so(batch: BatchResult, notebook: str) -> None:
    """No error: what is missing, and which key of which file would add it."""
    assert not batch.failed
    text = page(batch.site, "idle-helper", notebook)

    assert "No traffic in October 2026" in text
    assert "'match: [name]' in parameters/idle-helper.yaml" in text
    assert "model calls of idle-helper" in text
    results = published(batch.site, "idle-helper", notebook).sidecar(notebook)["results"]
    assert results["month_cost"]["value"] is None


def test_planted_stories_are_seen(batch: BatchResult) -> None:
    """What the sample's README says these two reports must show stands in their figures and tables."""
    ledger, profile = (page(batch.site, "organisation", name) for name in NOTEBOOKS)
    figures = alternatives(batch.site, "organisation", NOTEBOOKS[0])
    support = alternatives(batch.site, ASSISTANT, NOTEBOOKS[1])

    assert "cx-intent-ft-3" in ledger  # P07: no price
    assert "proj_ai_gateway (gateway) has no calls on 2 of its days" in figures  # P23
    assert "proj_experiments (provider usage)" in figures  # P22
    assert "6 of 96,735 rows read" in figures  # P19
    assert re.search(r"langfuse duplicates same id 15 ", ledger)  # P18
    assert re.search(r"litellm duplicates same id 12 ", ledger)
    assert "openai provider usage gateway 121" in ledger  # P21
    assert "gateway's cache avoided USD 10.96" in profile  # P08
    assert "tokens per request rose 66%" in support  # P02
    assert "712 tasks do not say" in support


@pytest.fixture(scope="module")
def edges(at_once: Callable, tmp_path_factory: pytest.TempPathFactory) -> dict[str, BatchResult]:
    """Run the batch on projects that hold next to nothing."""
    calls = "when,id,model,into,out\n2025-03-04T10:00:00Z,a,gpt-4o,1000,100\n2025-03-05T10:00:00Z,b,gpt-4o,1000,100\n"
    mapping = {
        "columns": {"timestamp": "when", "request_id": "id", "model": "model", "input_tokens": "into",
                    "output_tokens": "out"},
        "constants": {"provider": "openai", "category": "evaluation"},
        "usage_basis": "inclusive",
    }  # fmt: skip
    source = "sources:\n  - {path: calls.csv, format: mapped, mapping: mapping.yaml}\n"
    empty = make_project(tmp_path_factory.mktemp("edges") / "empty", "company: Nobody yet\n")
    judged = make_project(tmp_path_factory.mktemp("edges") / "judged", source)
    (judged / "calls.csv").write_text(calls, encoding="utf-8")
    (judged / "mapping.yaml").write_text(json.dumps(mapping), encoding="utf-8")
    profile = NOTEBOOKS[1:]
    return {
        "empty": run_batch(empty, prepare=build_ledger),
        "judged": run_batch(judged, prepare=build_ledger, notebooks=profile),
    }


def results(outcome: BatchResult, period: str, notebook: str) -> dict[str, Any]:
    """Read the results of the organisation's page."""
    return published(outcome.site, "organisation", notebook, period).sidecar(notebook)["results"]


@pytest.mark.parametrize("notebook", NOTEBOOKS)
def test_an_empty_project_has_pages_that_say_where_to_begin(edges: dict[str, BatchResult], notebook: str) -> None:
    """No source, no workspace, no error."""
    outcome = edges["empty"]

    assert not outcome.failed
    assert results(outcome, "latest", notebook)["month_cost"]["value"] is None
    text = page(outcome.site, "organisation", notebook, "latest")
    assert "The ledger is empty" in text
    assert "list exports under 'sources' in parameters/organisation.yaml, or run 'finops ingest FILE'" in text
    assert "under 'sources' in parameters/organisation.yaml; columns date, assistant, outcome, outcome_count" in text


def test_evaluation_traffic_alone_costs_money_and_serves_no_task(edges: dict[str, BatchResult]) -> None:
    """Two judge calls of 1,000 + 100 tokens at 2.50 and 10 USD a million cost 0.007 USD; no task was served."""
    outcome, notebook = edges["judged"], NOTEBOOKS[1]

    assert not outcome.failed
    assert "0.007" == results(outcome, "2025-03", notebook)["month_cost"]["value"]
    assert "The cost of a successful task is not known" in alternatives(
        outcome.site, "organisation", notebook, "2025-03"
    )
