"""A run's key changes with everything that may change its result, and with nothing else."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from finops_lib.batch import identity
from finops_lib.batch.identity import CONTENT_HASHES, environment, identify, workspace_fingerprint
from finops_lib.batch.plan import plan_runs
from finops_lib.params import load_params


@pytest.fixture
def project(make_project: Callable[..., Path], write_notebook: Callable[..., Path]) -> Path:
    """Two assistants, one notebook, a workspace of one file."""
    project = make_project("alpha", "beta")
    write_notebook(project / "notebooks", "01_a")
    (project / "outputs" / "workspace").mkdir(parents=True)
    (project / "outputs" / "workspace" / "ledger.parquet").write_bytes(b"12345")
    return project


def keys(project: Path, period: str = "latest") -> list[str]:
    """Compute the keys of the organisation, alpha and beta."""
    params = load_params(project=project)
    return [one["key"] for one in identify(plan_runs(params, period=period), params).values()]


def test_equal_inputs_equal_keys(project: Path) -> None:
    """Nothing but content counts: touching a file changes no key."""
    before = keys(project)
    ledger = project / "outputs" / "workspace" / "ledger.parquet"
    os.utime(ledger, (1, 1))

    assert before == keys(project)
    assert 3 == len(set(before))


@pytest.mark.parametrize(
    ("file", "text", "changed"),
    [
        ("outputs/workspace/ledger.parquet", "54321", [True, True, True]),
        ("outputs/workspace/month=2026-09/more.parquet", "1", [True, True, True]),
        ("parameters/organisation.yaml", "company: Other\n", [True, True, True]),
        ("parameters/alpha.yaml", "assistant: alpha\nsettings: {title: New}\n", [True, True, False]),
        ("parameters/decisions.yaml", "decisions: []\n", [True, True, True]),
        ("parameters/mappings/organisation.yaml", "columns: {}\n", [True, True, True]),
        ("outputs/site/index.html", "x", [False, False, False]),
    ],
)
def test_what_counts(project: Path, file: str, text: str, changed: list[bool]) -> None:
    """Data, parameters and records count; another assistant's file counts for the organisation only."""
    before = keys(project)
    (project / file).parent.mkdir(parents=True, exist_ok=True)
    (project / file).write_text(text)

    assert changed == [old != new for old, new in zip(before, keys(project), strict=True)]


def test_notebook_period_and_kit_count(
    project: Path, monkeypatch: pytest.MonkeyPatch, write_notebook: Callable[..., Path]
) -> None:
    """Another notebook text, month or library version is another run."""
    seen = [keys(project)]
    seen.append(keys(project, period="2026-08"))
    write_notebook(project / "notebooks", "01_a", "1 + 1")
    seen.append(keys(project))
    monkeypatch.setattr(identity, "environment", lambda: environment() | {"kit": "99.0"})
    seen.append(keys(project))

    assert 12 == len({key for group in seen for key in group})


def test_the_kit_is_hashed_wherever_it_is_installed(tmp_path: Path) -> None:
    """Also below a folder named notebooks; its own notebooks are hashed with their run, and caches do not count."""
    package = tmp_path / "notebooks" / "finops_lib"
    for name in ("a.py", "notebooks/01_a.ipynb", "b/c.py", "__pycache__/a.pyc"):
        (package / name).parent.mkdir(parents=True, exist_ok=True)
        (package / name).write_text(name)

    assert ["a.py", "b/c.py"] == list(identity._file_hashes(package))


def test_content_is_read_once(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that has not changed is not read a second time; the hashes kept do not count themselves."""
    params = load_params(project=project)
    first = workspace_fingerprint(params)
    assert (params.workspace / CONTENT_HASHES).is_file()
    monkeypatch.setattr(identity, "file_hash", lambda path: pytest.fail(f"{path} was read again"))

    assert first == workspace_fingerprint(params)
    assert 64 == len(first)


def test_no_workspace(make_project: Callable[..., Path]) -> None:
    """A project without data has a fingerprint too, and asking for it creates nothing."""
    params = load_params(project=make_project("alpha"))

    assert 64 == len(workspace_fingerprint(params))
    assert not params.workspace.exists()
