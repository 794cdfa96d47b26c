"""The plan names each notebook for each assistant once, and refuses what it does not know."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from finops_lib.batch.plan import Run, check_parameters, notebooks_folder, plan_runs, title
from finops_lib.errors import BatchError

TEAMS = "company: Sample\nteams:\n  sales ops: {department: Sales}\n  support: {}\n"


@pytest.fixture(scope="module")
def project(make_project: Callable[..., Path], write_notebook: Callable[..., Path]) -> Path:
    """Two assistants, one owned by the team support; four notebooks of different scope."""
    project = make_project("alpha", "beta", organisation=TEAMS)
    (project / "parameters" / "beta.yaml").write_text("assistant: beta\nsettings: {defaults: {team: support}}\n")
    folder = project / "notebooks"
    write_notebook(folder, "10_both")
    write_notebook(folder, "02_each", metadata={"finops": {"scope": ["assistant"]}})
    write_notebook(folder, "90_whole", metadata={"finops": {"scope": "organisation"}})
    write_notebook(folder, "50_team", metadata={"finops": {"scope": ["team"]}})
    write_notebook(folder, "_draft")
    return project


def names(runs: list[Run]) -> list[tuple[str, str]]:
    """Reduce runs to what they are about and their notebook."""
    return [(run.subject, run.notebook) for run in runs]


def test_everything_in_order(project: Path) -> None:
    """The organisation comes first, then teams, then assistants, each by file name and only where in scope."""
    expected = [
        ("organisation", "10_both"),
        ("organisation", "90_whole"),
        ("team+sales-ops-8046df", "50_team"),
        ("team+support", "50_team"),
        ("alpha", "02_each"),
        ("alpha", "10_both"),
        ("beta", "02_each"),
        ("beta", "10_both"),
    ]

    assert expected == names(plan_runs(project))


def test_selection(project: Path) -> None:
    """Assistants and notebooks can be picked; a notebook by its file name, number or name."""
    assert [("alpha", "02_each")] == names(plan_runs(project, assistants=["alpha"], notebooks=["02_each.ipynb"]))
    assert [("alpha", "10_both")] == names(plan_runs(project, assistants=["alpha"], notebooks=["both", "10"]))
    expected = [("organisation", "10_both"), ("organisation", "90_whole")]
    assert expected == names(plan_runs(project, assistants=["organisation"]))


def test_team_owns_assistants(project: Path) -> None:
    """A team's batch holds the team's page and the assistants it owns, nothing else."""
    expected = [("team+support", "50_team"), ("beta", "02_each"), ("beta", "10_both")]

    assert expected == names(plan_runs(project, team="support"))


@pytest.mark.parametrize(
    ("choice", "message", "hint"),
    [
        ({"assistants": ["alfa"]}, "No assistant 'alfa'", "did you mean 'alpha'?"),
        ({"assistants": ["../alpha"]}, "No assistant '../alpha'", "alpha"),
        ({"notebooks": ["10_bot"]}, "No notebook '10_bot'", "did you mean '10_both'?"),
        ({"team": "suport"}, "No team 'suport'", "did you mean 'support'?"),
        ({"team": "sales ops", "notebooks": ["02"]}, "owns no assistant", "settings.defaults.team: sales ops"),
        ({"assistants": ["alpha"], "notebooks": ["90"]}, "Nothing to run", "finops.scope"),
    ],
)
def test_unknown_names_are_refused(project: Path, choice: dict, message: str, hint: str) -> None:
    """What is not known is named, with the nearest known name."""
    with pytest.raises(BatchError, match=message) as caught:
        plan_runs(project, **choice)

    assert hint in caught.value.hint


def test_parameters_are_the_same_three_names() -> None:
    """Each notebook is given exactly assistant, period and settings."""
    run = Run("alpha", "10_both", Path("10_both.ipynb"), "2026-09")

    assert {"assistant": "alpha", "period": "2026-09", "settings": {}} == run.parameters


def test_unknown_parameter_is_refused(project: Path, tmp_path: Path, write_notebook: Callable[..., Path]) -> None:
    """A name that the parameters cell does not set would be ignored by papermill; here it is an error."""
    path = project / "notebooks" / "10_both.ipynb"
    check_parameters(path, {"assistant": "alpha", "period": "latest", "settings": {}})

    with pytest.raises(BatchError, match="does not set 'asistant'") as caught:
        check_parameters(path, {"asistant": "alpha"})
    assert "did you mean 'assistant'?" == caught.value.hint
    bare = write_notebook(tmp_path, "bare")
    bare.write_text(bare.read_text().replace('"parameters"', '"other"'))
    with pytest.raises(BatchError, match="does not set 'period'"):
        check_parameters(bare, {"period": "latest"})


@pytest.mark.parametrize("name", ["x; import os", "class", "", "a-b", "__import__", "Über", 1])
def test_parameter_names_are_plain_identifiers(project: Path, name: object) -> None:
    """Papermill pastes names into code, so only plain identifiers pass."""
    with pytest.raises(BatchError, match="cannot be the name of a parameter"):
        check_parameters(project / "notebooks" / "10_both.ipynb", {name: 1})


def test_own_notebooks_come_first(project: Path, tmp_path: Path) -> None:
    """A project's own notebooks win over the ones of the kit."""
    assert project / "notebooks" == notebooks_folder(project)
    assert tmp_path / "notebooks" != notebooks_folder_or_none(tmp_path)


def notebooks_folder_or_none(project: Path) -> Path | None:
    """Find the kit's notebooks; a checkout may not hold any yet."""
    try:
        return notebooks_folder(project)
    except BatchError:
        return None


def test_damaged_notebook_and_scope(make_project: Callable[..., Path], write_notebook: Callable[..., Path]) -> None:
    """A notebook that is no JSON, or an unknown scope, is named."""
    project = make_project("alpha")
    path = write_notebook(project / "notebooks", "01_a", metadata={"finops": {"scope": ["asistant"]}})
    with pytest.raises(BatchError, match=r"finops\.scope holds 'asistant'"):
        plan_runs(project)
    path.write_text("{")
    with pytest.raises(BatchError, match="not readable as a notebook"):
        plan_runs(project)


def test_title(tmp_path: Path, write_notebook: Callable[..., Path]) -> None:
    """The first heading of level one is the title, else the file name in words."""
    assert "Cost profile" == title(write_notebook(tmp_path, "03_x", title="# *Cost* profile"))
    assert "Cost profile" == title(write_notebook(tmp_path, "03_cost_profile", title="## Spend"))
