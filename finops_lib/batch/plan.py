"""The plan: which notebook runs for which assistant, and with which parameters."""

from __future__ import annotations

import hashlib
import json
import keyword
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from finops_lib.errors import BatchError, nearest
from finops_lib.params import ORGANISATION, Params, load_params

TEAM = "team"
_SCOPES = ("assistant", ORGANISATION, TEAM)


@dataclass(frozen=True)
class Run:
    """One notebook for one assistant and month.

    Parameters
    ----------
    assistant : str
        Name of the assistant, or ``organisation``.
    notebook : str
        File name of the notebook without its ending.
    path : Path
        The notebook's file.
    period : str
        A month ``YYYY-MM``, or ``latest``.
    team : str, optional
        The team a team page is about; its assistant is then ``organisation``.
    """

    assistant: str
    notebook: str
    path: Path
    period: str = "latest"
    team: str | None = None

    @property
    def subject(self) -> str:
        """Folder name of what the page is about; no assistant can be named like a team's."""
        if self.team is None:
            return self.assistant
        plain = re.sub(r"[^A-Za-z0-9._-]+", "-", self.team)
        mark = "" if plain == self.team else f"-{hashlib.sha256(self.team.encode()).hexdigest()[:6]}"
        return f"team+{plain}{mark}"

    @property
    def parameters(self) -> dict[str, Any]:
        """What the notebook's parameters cell is given: the same three names everywhere."""
        return {"assistant": self.assistant, "period": self.period, "settings": {}}


def notebooks_folder(project: Path | str) -> Path:
    """Find the folder the notebooks come from.

    Parameters
    ----------
    project : path
        The project folder; its own ``notebooks/`` comes first.

    Returns
    -------
    Path
        The project's notebooks, else the ones installed with the kit, else the ones of a source checkout.

    Raises
    ------
    BatchError
        If none of these holds a notebook.
    """
    package = Path(__file__).resolve().parent.parent
    places = [Path(project).resolve() / "notebooks", package / "notebooks", package.parent / "notebooks"]
    for place in places:
        if any(place.glob("*.ipynb")):
            return place
    message = f"No notebooks found in {' or '.join(str(place) for place in places)}"
    raise BatchError(message, hint="put notebooks into the project's folder 'notebooks', or install the kit again")


def plan_runs(
    project: Path | str | Params,
    folder: Path | str | None = None,
    *,
    assistants: Iterable[str] | None = None,
    team: str | None = None,
    notebooks: Iterable[str] | None = None,
    period: str = "latest",
) -> list[Run]:
    """List the runs of a batch, in the order in which they start.

    Parameters
    ----------
    project : path or Params
        The project folder, or its parameters when they are loaded already.
    folder : path, optional
        Folder of the notebooks; found as by ``notebooks_folder`` when not given.
    assistants : iterable of str, optional
        Names to run for, ``organisation`` among them if wanted. Default: all of them and the organisation.
    team : str, optional
        Run for the assistants this team owns, and make its own page.
    notebooks : iterable of str, optional
        Notebooks to run, by file name (``03_cost_profile``), number (``03``) or name (``cost_profile``).
    period : str
        A month ``YYYY-MM``, or ``latest``.

    Returns
    -------
    list of Run
        By assistant (the organisation first, then teams), then by file name of the notebook.

    Raises
    ------
    BatchError
        If an assistant, team or notebook is not known, or nothing is left to run.
    ParamsError
        If the period or a parameter file is wrong.

    Notes
    -----
    A notebook's metadata ``finops: {scope: [...]}`` says what it is about: ``assistant``, ``organisation``,
    ``team``. Without it a notebook is about assistants and the organisation.
    """
    params = project if isinstance(project, Params) else load_params(ORGANISATION, period, project=project)
    files = _chosen_notebooks(Path(folder) if folder else notebooks_folder(params.project), notebooks)
    scopes = {path: _scope(path) for path in files}
    subjects = [(name, None) for name in _chosen_assistants(params, assistants, team)]
    teams = [team] if team else sorted(params.organisation.teams) if assistants is None else []
    at = next((place for place, (name, _) in enumerate(subjects) if name != ORGANISATION), len(subjects))
    subjects[at:at] = [(ORGANISATION, name) for name in teams]
    runs = [
        Run(name, path.stem, path, period, of_team)
        for name, of_team in subjects
        for path in files
        if (TEAM if of_team else ORGANISATION if name == ORGANISATION else "assistant") in scopes[path]
    ]
    if runs:
        return runs
    if team:
        message = f"The team '{team}' owns no assistant"
        raise BatchError(message, hint=f"set settings.defaults.team: {team} in the file of an assistant it owns")
    message = f"Nothing to run: {', '.join(path.stem for path in files)} for {', '.join(n for n, _ in subjects)}"
    raise BatchError(message, hint="the notebook's metadata finops.scope says whether it is about assistants")


def check_parameters(path: Path, parameters: Mapping[str, Any]) -> None:
    """Refuse parameters that the notebook does not take.

    Papermill only warns of an unknown name and runs on the default, and it pastes names into code unseen.

    Parameters
    ----------
    path : Path
        The notebook's file.
    parameters : mapping
        What it is to be given.

    Raises
    ------
    BatchError
        If a name is no plain identifier, or the notebook's parameters cell does not set it.
    """
    import nbformat
    import papermill

    for name in parameters:
        if not isinstance(name, str) or not re.fullmatch(r"[a-z][a-z0-9_]*", name) or keyword.iskeyword(name):
            message = f"{path.name}: {name!r} cannot be the name of a parameter"
            raise BatchError(message, hint="use lower-case letters, digits and '_'")
    notebook = nbformat.read(path, as_version=4)
    notebook.metadata["kernelspec"] = {"name": "python3", "language": "python", "display_name": "Python 3"}
    known = papermill.inspect_notebook(notebook)
    for name in parameters:
        if name not in known:
            message = f"{path.name}: the cell tagged 'parameters' does not set '{name}'"
            raise BatchError(message, hint=nearest(name, known, f"it sets {', '.join(known) or 'nothing'}"))


def title(path: Path) -> str:
    """Read the title of a notebook.

    Parameters
    ----------
    path : Path
        The notebook's file.

    Returns
    -------
    str
        Its first heading of level one, else its file name in words.
    """
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    text = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
    found = re.search(r"^#\s+(.+)$", text, re.MULTILINE)
    if found:
        return re.sub(r"[*_`]", "", found.group(1)).strip()
    return path.stem.lstrip("0123456789_").replace("_", " ").capitalize() or path.stem


def _chosen_notebooks(folder: Path, wanted: Iterable[str] | None) -> list[Path]:
    files = sorted(path for path in folder.glob("*.ipynb") if path.name[0] not in "._")
    if not files:
        message = f"No notebooks in {folder}"
        raise BatchError(message, hint="name a folder that holds *.ipynb files")
    if wanted is None:
        return files
    chosen: set[Path] = set()
    for name in wanted:
        stem = name.removesuffix(".ipynb")
        found = [path for path in files if stem in (path.stem, *_short_names(path.stem))]
        if not found:
            names = [path.stem for path in files]
            message = f"No notebook '{name}' in {folder}"
            raise BatchError(message, hint=nearest(stem, names, f"known: {', '.join(names) or 'none yet'}"))
        chosen.update(found)
    return sorted(chosen)


def _short_names(stem: str) -> tuple[str, ...]:
    number, _, name = stem.partition("_")
    return (number, name) if number.isdigit() and name else ()


def _scope(path: Path) -> tuple[str, ...]:
    try:
        metadata = json.loads(path.read_text(encoding="utf-8")).get("metadata", {})
        scope = metadata.get("finops", {}).get("scope", ["assistant", ORGANISATION])
    except (ValueError, AttributeError) as error:
        message = f"{path}: not readable as a notebook: {error}"
        raise BatchError(message, hint="open and save it in JupyterLab, or restore it") from error
    scope = (scope,) if isinstance(scope, str) else tuple(scope)
    unknown = [word for word in scope if word not in _SCOPES]
    if unknown:
        message = f"{path}: finops.scope holds '{unknown[0]}', expected {', '.join(_SCOPES)}"
        raise BatchError(message, hint="correct it in the notebook's metadata")
    return scope


def _chosen_assistants(params: Params, wanted: Iterable[str] | None, team: str | None) -> list[str]:
    names = list(params.assistants)
    if wanted is not None:
        for name in (chosen := list(wanted)):
            if name not in (*names, ORGANISATION):
                message = f"No assistant '{name}': there is no file parameters/{name}.yaml in {params.project}"
                raise BatchError(message, hint=nearest(name, names, f"known: {', '.join(names) or 'none yet'}"))
        names = [name for name in (ORGANISATION, *names) if name in chosen]
    elif team is None:
        names = [ORGANISATION, *names]
    return names if team is None else _owned(params, names, team)


def _owned(params: Params, names: list[str], team: str) -> list[str]:
    """Keep the assistants whose default team, or one of whose owners, is ``team``."""
    defaults = {name: settings.defaults.get("team") for name, settings in params.assistants.items()}
    owners = {name: (s.owners.business, s.owners.technical) for name, s in params.assistants.items()}
    known = {*params.organisation.teams, *filter(None, defaults.values())}
    owned = [name for name in names if name in defaults and team in (defaults[name], *owners[name])]
    if not owned and team not in known:
        message = f"No team '{team}' in parameters/organisation.yaml"
        raise BatchError(message, hint=nearest(team, known, f"known: {', '.join(sorted(known)) or 'none yet'}"))
    return owned
