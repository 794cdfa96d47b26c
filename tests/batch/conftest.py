"""Tiny projects: notebooks of a few lines that behave well or badly on purpose."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

PARAMETERS = 'assistant = "nobody"\nperiod = "latest"\nsettings = {}'

WRITE = """
import json, os, sys, pathlib
output = pathlib.Path(os.environ["FINOPS_OUTPUT"])
name = {name!r}
month = "2026-09" if period == "latest" else period
(output / f"{{name}}.models.csv").write_text("model,cost\\nsmall,1.5\\n")
check = {{"check": "coverage", "statistic": 0.9, "operator": ">=", "threshold": 0.95, "unit": "share",
          "passed": False, "comment": ""}}
sidecar = {{
    "schema": "finops-sidecar/1", "notebook": name, "assistant": assistant, "period": month, "kit_version": "0",
    "params_sha256": "0" * 64,
    "inputs": [{{"path": "outputs/workspace/ledger.parquet", "sha256": "ab" * 32, "rows": 48}}],
    "results": {{
        "month_cost": {{"value": 1234.5, "unit": "USD"}}, "month_cost_change": {{"value": -0.034, "unit": "share"}},
    }},
    "checks": [check], "tables": {{"models": f"{{name}}.models.csv"}}, "python": sys.executable,
}}
(output / f"{{name}}.json").write_text(json.dumps(sidecar, sort_keys=True)) and None
"""


def _write_notebook(
    folder: Path, name: str, *sources: str, title: str = "# A report", metadata: Mapping | None = None
) -> Path:
    cells = [new_markdown_cell(title), new_code_cell(PARAMETERS, metadata={"tags": ["parameters"]})]
    for source in sources:
        cells.append(new_markdown_cell(source) if source.startswith("#") else new_code_cell(source))
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.ipynb"
    nbformat.write(new_notebook(cells=cells, metadata=dict(metadata or {})), path)
    return path


@pytest.fixture(scope="session")
def write_notebook() -> Callable[..., Path]:
    """Write a notebook: a title, the parameters cell, then the cells given (those beginning with # are text)."""
    return _write_notebook


@pytest.fixture(scope="session")
def write_report() -> Callable[..., Path]:
    """Write a notebook that ends by writing its results."""

    def write(folder: Path, name: str, *sources: str, **options: object) -> Path:
        return _write_notebook(folder, name, *sources, WRITE.format(name=name), **options)

    return write


@pytest.fixture(scope="session")
def make_project(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Make a project folder with parameter files of assistants."""

    def make(*assistants: str, organisation: str = "company: Sample Company\n") -> Path:
        project = tmp_path_factory.mktemp("project {braces}")
        (project / "parameters").mkdir()
        (project / "parameters" / "organisation.yaml").write_text(organisation)
        for name in assistants:
            text = f"assistant: {name}\nperiod: latest\nsettings:\n  title: The {name}\n"
            (project / "parameters" / f"{name}.yaml").write_text(text)
        return project

    return make
