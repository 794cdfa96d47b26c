"""The house: the repository keeps the rules it states."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
import tomllib
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LONGEST_MODULE = 400
# A catalogue of values, one a line.
DATA_MODULES = {"finops_lib/sample/workflows.py"}
BUSIEST_SAMPLE = "sample_data/litellm/"
CACHES = ("pytest", "ruff", "import_linter")

# What a distribution is called when it is imported, where the two differ.
IMPORTED_AS = {
    "genai-prices": "genai_prices",
    "ipython": "IPython",
    "jupyter-client": "jupyter_client",
    "matplotlib-inline": "matplotlib_inline",
    "pillow": "PIL",
    "pyyaml": "yaml",
    "scikit-learn": "sklearn",
}
# Run or loaded by others, never imported by the library: JupyterLab, the kernel, the driver of a database URL.
ONLY_RUN = {"jupyterlab", "ipykernel", "psycopg"}
# Inner parts, tested through what calls them.
TESTED_THROUGH = {
    "finops_lib/batch/execution.py": "tests/batch/test_runs.py",
    "finops_lib/batch/outcome.py": "tests/batch/test_runs.py",
    "finops_lib/batch/publication.py": "tests/batch/test_runs.py",
    "finops_lib/ingest/readers/base.py": "tests/ingest/readers/test_langfuse.py",
    "finops_lib/ingest/dialects.py": "tests/ingest/test_engine.py",
    "finops_lib/ingest/questions/readings.py": "tests/ingest/questions/test_quality.py",
    "finops_lib/ingest/reading/summary.py": "tests/ingest/reading/test_exports.py",
    "finops_lib/optimize/routing/route_tables.py": "tests/optimize/routing/test_evaluated_routes.py",
    "finops_lib/ingest/reading/placing.py": "tests/ingest/reading/test_normalise.py",
    "finops_lib/ingest/questions/request_costs.py": "tests/ingest/questions/test_measures.py",
    "finops_lib/schema/calls.py": "tests/test_schema.py",
    "finops_lib/schema/columns.py": "tests/test_schema.py",
    "finops_lib/schema/contracts.py": "tests/test_schema.py",
    "finops_lib/schema/given.py": "tests/test_schema.py",
    "finops_lib/schema/charges.py": "tests/test_schema.py",
    "finops_lib/cli/console.py": "tests/test_cli.py",
    "finops_lib/cli/ingest.py": "tests/test_cli.py",
    "finops_lib/cli/months.py": "tests/test_cli.py",
    "finops_lib/cli/prices.py": "tests/test_cli.py",
    "finops_lib/cli/run.py": "tests/test_cli.py",
    "finops_lib/settings/allocation.py": "tests/test_params.py",
    "finops_lib/settings/base.py": "tests/test_params.py",
    "finops_lib/settings/bills.py": "tests/test_params.py",
    "finops_lib/settings/budgets.py": "tests/test_params.py",
    "finops_lib/settings/forecast.py": "tests/test_params.py",
    "finops_lib/settings/rollout.py": "tests/operate/rollout/test_rollout.py",
    "finops_lib/settings/root.py": "tests/test_params.py",
    "finops_lib/settings/sources.py": "tests/test_params.py",
    "finops_lib/report/site_entries.py": "tests/report/test_site.py",
}

MODULES = sorted(
    path.relative_to(ROOT).as_posix()
    for path in (ROOT / "finops_lib").rglob("*.py")
    if path.name not in ("__init__.py", "__main__.py")
)
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


@cache
def _files() -> list[Path]:
    """Everything that belongs to the repository: what git tracks or would add; all files where there is no git."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"], cwd=ROOT, capture_output=True
    )
    if listed.returncode == 0:
        found = (ROOT / name for name in listed.stdout.decode().split("\0") if name)
    else:
        made = {
            ".git",
            ".venv",
            ".venv-focus",
            "outputs",
            "dist",
            "__pycache__",
            *(f".{name}_cache" for name in CACHES),
            ".hypothesis",
        }
        found = (path for path in ROOT.rglob("*") if not made & set(path.relative_to(ROOT).parts))
    return sorted(path for path in found if path.is_file())


@cache
def _texts() -> dict[str, str]:
    texts = {}
    for path in _files():
        content = path.read_bytes()
        if b"\0" not in content[:8192] and path.suffix not in (".gz", ".png", ".parquet"):
            texts[path.relative_to(ROOT).as_posix()] = content.decode("utf-8", "replace")
    return texts


def _text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def _project() -> dict:
    return tomllib.loads(_text("pyproject.toml"))["project"]


def _distributions(requirements: list[str]) -> set[str]:
    return {re.match(r"[A-Za-z0-9._-]+", requirement)[0].lower() for requirement in requirements}


def test_every_make_target_stands_in_the_readme() -> None:
    """Make's own help and the README list the same targets."""
    targets = re.findall(r"^([a-z]+):.*?## ", _text("Makefile"), flags=re.MULTILINE)
    listed = re.findall(r"^\| `make ([a-z]+)` \|", _text("README.md"), flags=re.MULTILINE)

    assert targets == listed


def test_every_make_target_is_phony() -> None:
    """A target called as a folder is would be up to date for ever."""
    targets = re.findall(r"^([a-z]+):", _text("Makefile"), flags=re.MULTILINE)
    phony = re.search(r"^\.PHONY: (.*)$", _text("Makefile"), flags=re.MULTILINE)[1].split()

    assert sorted(targets) == sorted(phony)


def test_ci_calls_the_test_command_of_the_readme() -> None:
    """What CI checks is what the README tells people to run."""
    lines = _text(".ci/run").splitlines()

    assert ("#!/usr/bin/env bash", "make test") == (lines[0], lines[-1])
    assert "set -euo pipefail" in lines
    assert (ROOT / ".ci" / "run").stat().st_mode & 0o111
    assert re.search(r"^    make test ", _text("README.md"), flags=re.MULTILINE)


def test_changelog_has_the_version_and_names_numbers() -> None:
    """The version of the package has an entry, and it says which numbers it concerns."""
    entries = re.split(r"^## ", _text("CHANGELOG.md"), flags=re.MULTILINE)[1:]
    entry = next((text for text in entries if _project()["version"] in text.splitlines()[0]), "")

    assert "### Numbers" in entry


def test_contributing_stays_short() -> None:
    """Rules that nobody reads to the end are no rules."""
    assert len(_text("CONTRIBUTING.md").splitlines()) <= 120


def test_licence_is_the_one_named() -> None:
    """The licence file is there and is what the package says it is."""
    assert "MIT" == _project()["license"]
    assert _text("LICENSE").startswith("MIT License")


def test_decisions_are_numbered_without_gaps() -> None:
    """A decision is found by its number; each page carries it in its title and fits on one page."""
    pages = sorted((ROOT / "docs" / "decisions").glob("*.md"))

    assert [f"{number:04d}" for number in range(1, len(pages) + 1)] == [page.name[:4] for page in pages]
    for page in pages:
        text = page.read_text(encoding="utf-8")
        assert text.startswith(f"# {page.name[:4]} ")
        assert len(text.splitlines()) <= 60, page.name
        for heading in ("## Decision", "## Rejected"):
            assert heading in text, f"{page.name}: no '{heading}'"


def test_notebook_table_of_the_readme_is_complete() -> None:
    """Each notebook has a row, and each row a notebook."""
    rows = re.findall(r"^\| \[(\w+)\]\(notebooks/(\w+)\.ipynb\)", _text("README.md"), flags=re.MULTILINE)

    assert [(path.stem, path.stem) for path in NOTEBOOKS] == rows


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebooks_hold_no_outputs(path: Path) -> None:
    """A notebook in the repository has no old numbers in it."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    code = [cell for cell in cells if cell["cell_type"] == "code"]

    assert [] == [cell["source"] for cell in code if cell["outputs"] or cell["execution_count"]]


def test_links_of_the_pages_lead_somewhere() -> None:
    """A file that README, CONTRIBUTING or CHANGELOG point at is there."""
    gone = [
        f"{page}: {target}"
        for page in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "parameters/README.md")
        for target in re.findall(r"\]\(([^)#]+)[^)]*\)", _text(page))
        if "://" not in target and not ((ROOT / page).parent / target).exists()
    ]

    assert [] == gone


def test_picture_is_small() -> None:
    """The README opens quickly."""
    assert [] == [path.name for path in (ROOT / "docs" / "images").iterdir() if path.stat().st_size > 300_000]


def test_no_file_is_large() -> None:
    """A checkout stays small; the sample's busiest export is the exception."""
    large = [path.relative_to(ROOT).as_posix() for path in _files() if path.stat().st_size > 500 * 1024]

    assert [] == [name for name in large if not name.startswith(BUSIEST_SAMPLE)]


def test_no_machine_is_named() -> None:
    """No path of somebody's machine and no address of a package registry is part of the repository."""
    # /home/a, /home/ada and /home/adam are examples of the batch.
    homes = "|".join([r"home/(?!a\b|adam?\b)\w", r"Users/\w", r"root\b", "work/", "tmp/"])
    folders = [rf"/(?:{homes})", r"[A-Z]:\\Users"]
    registries = [r"pypi\.org", "pythonhosted", "(?<!emit-)index-url", "extra-index"]
    pattern = re.compile(rf"(?<![\w.:/~}}-])(?:{'|'.join(folders)})|{'|'.join(registries)}")
    others = {name: text for name, text in _texts().items() if (ROOT / name) != Path(__file__)}

    found = {name: match[0] for name, text in others.items() if (match := pattern.search(text))}

    assert {} == found


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-dev.lock"])
def test_locks_hold_names_and_versions(name: str) -> None:
    """A lock can be installed from any registry: no address, no path, every version exact."""
    lines = _text(name).splitlines()
    entry = re.compile(r"[a-z0-9]+([._-][a-z0-9]+)*==[0-9][A-Za-z0-9.!+]*( ; [^:/]+)?")

    assert [] == [line for line in lines if not entry.fullmatch(line)]


def test_locks_agree_and_cover_the_declared_dependencies() -> None:
    """Tests run on the versions that reports are made with, and nothing declared is left out."""
    project = _project()
    run, dev = (set(_text(name).splitlines()) for name in ("requirements.lock", "requirements-dev.lock"))
    extras = [requirement for group in project["optional-dependencies"].values() for requirement in group]
    pinned, pinned_dev = (_distributions(sorted(lines)) for lines in (run, dev))

    assert set() == {line.split(" ;")[0] for line in run} - {line.split(" ;")[0] for line in dev}
    assert set() == _distributions(project["dependencies"]) - pinned
    assert set() == _distributions(extras) - pinned_dev - {project["name"]}


def test_what_the_library_imports_is_declared() -> None:
    """No import rests on another package's dependencies, and no dependency is there for nothing."""
    project = _project()
    optional = [
        requirement for name in ("postgres", "prices") for requirement in project["optional-dependencies"][name]
    ]
    declared = _distributions([*project["dependencies"], *optional]) - ONLY_RUN
    names = {IMPORTED_AS.get(distribution, distribution) for distribution in declared}

    assert _imported() == names


def _imported() -> set[str]:
    found = set()
    for name in (ROOT / "finops_lib").rglob("*.py"):
        for node in ast.walk(ast.parse(name.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
                found.add(node.module.split(".")[0])
    return found - set(sys.stdlib_module_names) - {"finops_lib"}


@pytest.mark.parametrize("module", MODULES)
def test_every_module_has_a_twin_among_the_tests(module: str) -> None:
    """Whoever changes a module knows which test to run."""
    path = Path(module)
    twin = Path("tests", path.relative_to("finops_lib")).with_name(f"test_{path.name}").as_posix()

    found = (ROOT / TESTED_THROUGH.get(module, twin)).is_file()

    assert found, f"{twin} is missing"


def test_no_exception_outlives_its_reason() -> None:
    """A module that is gone, or has got its twin, is no exception any more."""
    needless = [
        module
        for module in TESTED_THROUGH
        if module not in MODULES
        or Path(ROOT, "tests", Path(module).relative_to("finops_lib")).with_name(f"test_{Path(module).name}").is_file()
    ]

    assert [] == needless


def test_no_test_is_named_after_a_module_that_is_gone() -> None:
    """A test file below a stage's folder stands for a module or for the package itself."""
    packages = [path.parent for path in (ROOT / "finops_lib").rglob("__init__.py")]
    stale = []
    for package in packages:
        folder = ROOT / "tests" / package.relative_to(ROOT / "finops_lib")
        if not folder.is_dir():
            continue
        known = (
            {path.stem for path in package.glob("*.py")} | {path.name for path in package.iterdir()} | {package.name}
        )
        stale += [path.as_posix() for path in folder.glob("test_*.py") if path.stem.removeprefix("test_") not in known]

    assert [] == stale


@pytest.mark.parametrize("module", MODULES)
def test_modules_stay_short(module: str) -> None:
    """A module that has grown past the limit is two."""
    lines = len(_text(module).splitlines())

    assert lines <= LONGEST_MODULE or module in DATA_MODULES
