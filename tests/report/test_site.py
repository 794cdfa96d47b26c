"""The site shows every run on record, in words, and replaces the former site only as a whole."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from finops_lib.errors import BatchError
from finops_lib.report.site import write_site
from finops_lib.report.site_entries import read_entries

RECORD = {
    "environment": {"kit": "0.1", "kit_sha256": "0", "python": "3.11", "libraries": {"pandas": "3.1"}},
    "parameters": {"assistant": "alpha", "period": "latest", "settings": {"title": "A <b>"}},
    "parameters_sha256": "1" * 64,
    "notebook_sha256": "2" * 64,
    "workspace_sha256": "w",
    "warnings": 0,
}
CHECKS = [{"check": "coverage", "passed": False}, {"check": "priced", "passed": True}]


def record(
    runs: Path, subject: str, period: str, notebook: str, results: dict | None = None, checks: list | None = None
) -> Path:
    """Write the files of a finished run."""
    folder = runs / subject / period
    folder.mkdir(parents=True, exist_ok=True)
    outputs = [f"{notebook}{ending}" for ending in (".ipynb", ".body.html", ".json", ".models.csv")]
    (folder / outputs[0]).write_text("{}")
    (folder / outputs[1]).write_text(f"<h1>{notebook}</h1>")
    (folder / outputs[2]).write_text(json.dumps({"results": results or {}, "checks": checks or []}))
    (folder / outputs[3]).write_text("model,cost\n")
    receipt = RECORD | {"title": notebook, "label": subject.title(), "outputs": dict.fromkeys(outputs, "0")}
    (folder / f"{notebook}.receipt.json").write_text(json.dumps(receipt))
    return folder


def fail(runs: Path, subject: str, period: str, notebook: str) -> None:
    """Write the record of a failed run without a notebook."""
    failure = {"error": "no <price>", "hint": "add one", "cell": 3, "heading": "Prices", "source": "x", "traceback": ""}
    content = RECORD | {"title": notebook, "label": subject.title(), "failure": failure, "notebook_kept": False}
    folder = runs / subject / period
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{notebook}.failure.json").write_text(json.dumps(content))


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """Record two months: an organisation, a team, an assistant with cost and checks, one that failed."""
    runs = tmp_path / "runs"
    cost = {"month_cost": {"value": "12345.6", "unit": "USD"}, "month_cost_change": {"value": -0.0341, "unit": "share"}}
    record(runs, "alpha", "2026-09", "03_profile", cost, CHECKS)
    record(runs, "alpha", "2026-08", "03_profile", cost)
    nothing = {"month_cost": {"value": None}, "requests": {"value": 0}, "basis": {"value": "resolved"}}
    record(runs, "organisation", "2026-09", "03_profile", nothing)
    record(runs, "team+support", "2026-09", "03_profile", cost)
    fail(runs, "beta", "2026-09", "03_profile")
    return runs


def text_of(html: str) -> str:
    """Reduce a page to its words."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


def test_order_and_states(runs: Path) -> None:
    """Entries stand by subject, the newest month first, with their state in words."""
    expected = [
        ("organisation", "2026-09", "no data"),
        ("team+support", "2026-09", "ok"),
        ("alpha", "2026-09", "ok"),
        ("alpha", "2026-08", "ok"),
        ("beta", "2026-09", "FAILED"),
    ]

    assert expected == [(entry.subject, entry.period, entry.state) for entry in read_entries(runs)]


def test_index(runs: Path, tmp_path: Path) -> None:
    """The first screen has company, month, cost, change, checks and the state of each report."""
    site = write_site(runs, tmp_path / "site", company="Sample & Co")
    html = (site / "index.html").read_text()
    words = text_of(html)

    assert "Sample &amp; Co" in html
    assert "AI costs, September 2026 2 reports ok, 1 without data, 1 FAILED . 1 of 2 checks not met." in words
    assert "Alpha 12,345.60 -3.4% 1 of 2 ok 1 check not met" in words
    assert "Organisation – – – no data" in words
    assert "Beta – – – FAILED" in words
    assert 'href="index-2026-08.html"' in html
    assert "August 2026" in text_of((site / "index-2026-08.html").read_text())


def test_the_index_adds_up(tmp_path: Path) -> None:
    """10.00 of the organisation, 7.00 and 2.25 of two assistants: 0.75 is nobody's, whatever teams have of it."""
    runs = tmp_path / "runs"
    for subject, cost in (("organisation", "10"), ("alpha", "7"), ("beta", "2.25"), ("team+support", "8")):
        name = "own_cost" if "+" in subject else "month_cost"
        record(runs, subject, "2026-09", "03_profile", {name: {"value": cost, "unit": "USD"}})
    words = text_of((write_site(runs, tmp_path / "site") / "index.html").read_text())
    record(runs, "beta", "2026-09", "03_profile", {"month_cost": {"value": "3", "unit": "USD"}})
    even = text_of((write_site(runs, tmp_path / "site") / "index.html").read_text())

    assert "Calls of no assistant above 0.75" in words
    assert "Calls of no assistant" not in even
    assert words.index("Calls of no assistant") < words.index("Reports by team")
    assert "8.00" in words[words.index("Reports by team") :]


def test_months_stay(runs: Path, tmp_path: Path) -> None:
    """Pages of earlier months stay, and a page leads to the same report of other months."""
    site = write_site(runs, tmp_path / "site")

    assert (site / "pages" / "alpha" / "2026-08" / "03_profile.html").is_file()
    assert "../../../pages/alpha/2026-08/03_profile.html" in (site / "pages/alpha/2026-09/03_profile.html").read_text()


def test_newer_data_is_told(runs: Path, tmp_path: Path) -> None:
    """Reports of the newest month made from another workspace say so; earlier months do not."""
    marked = "from older data"
    now = write_site(runs, tmp_path / "site", workspace_sha256="w")
    assert marked not in (now / "index.html").read_text()
    later = write_site(runs, tmp_path / "site", workspace_sha256="other")

    assert marked in (later / "index.html").read_text()
    assert marked not in (later / "index-2026-08.html").read_text()
    assert "From older data." in (later / "pages/alpha/2026-09/03_profile.html").read_text()
    assert "From older data." not in (later / "pages/alpha/2026-08/03_profile.html").read_text()


def test_values_are_escaped(runs: Path, tmp_path: Path) -> None:
    """Text from parameters and errors never becomes markup."""
    site = write_site(runs, tmp_path / "site", company="<i>")

    assert "no &lt;price&gt;" in (site / "pages/beta/2026-09/03_profile.failed.html").read_text()
    page = (site / "pages/alpha/2026-09/03_profile.html").read_text()
    assert "<b>" not in page
    assert "<i>" not in page


def test_manifest(runs: Path, tmp_path: Path) -> None:
    """The manifest lists each run with what it was made from and what came of it, the same every time."""
    first = (write_site(runs, tmp_path / "site") / "manifest.json").read_text()
    manifest = json.loads(first)
    alpha = next(run for run in manifest["runs"] if run["page"] == "pages/alpha/2026-09/03_profile.html")
    beta = next(run for run in manifest["runs"] if run["page"] == "pages/beta/2026-09/03_profile.failed.html")

    assert ["2026-09", "2026-08"] == manifest["periods"]
    assert ("ok", 2, 1, "12345.6") == (
        alpha["state"], alpha["checks"], alpha["checks_failed"], alpha["results"]["month_cost"]["value"],
    )  # fmt: skip
    assert ("FAILED", "no <price>") == (beta["state"], beta["failure"])
    assert RECORD["environment"] == manifest["environments"][alpha["environment"]]
    assert first == (write_site(runs, tmp_path / "site") / "manifest.json").read_text()


def test_former_site_goes_as_a_whole(runs: Path, tmp_path: Path) -> None:
    """A new site leaves nothing of the former one and nothing beside it."""
    site = write_site(runs, tmp_path / "site")
    (site / "pages" / "stale.html").write_text("x")
    write_site(runs, tmp_path / "site")

    assert not (site / "pages" / "stale.html").exists()
    assert ["runs", "site"] == sorted(path.name for path in tmp_path.iterdir())


def test_refusals(runs: Path, tmp_path: Path) -> None:
    """No runs is an error, and so is a folder that holds something else."""
    with pytest.raises(BatchError, match="No runs on record"):
        write_site(tmp_path / "empty", tmp_path / "site")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("x")
    with pytest.raises(BatchError, match="not a report site"):
        write_site(runs, tmp_path / "mine")


def test_links_between_pages_lead_to_what_there_is(runs: Path, tmp_path: Path) -> None:
    """A link to a page that failed leads to why, one to a page that was never made to the month's index."""
    folder = record(runs, "organisation", "2026-09", "90_portfolio")
    links = "".join(f'<a href="../../{to}.html">x</a>' for to in (
        "alpha/2026-09/03_profile", "beta/2026-09/03_profile", "gone/2026-09/03_profile"))  # fmt: skip
    (folder / "90_portfolio.body.html").write_text(f"<h1>Portfolio</h1>{links}")
    site = write_site(runs, tmp_path / "site")
    html = (site / "pages" / "organisation" / "2026-09" / "90_portfolio.html").read_text()
    expected = [
        "../../alpha/2026-09/03_profile.html",
        "../../beta/2026-09/03_profile.failed.html",
        "../../../index.html",
    ]

    assert expected == re.findall(r'href="([^"]+)">x</a>', html)
    assert (
        'href="pages/organisation/2026-09/90_portfolio.html">Portfolio: all assistants'
        in (site / "index.html").read_text()
    )
