"""The console: what every command takes, and how it answers."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from finops_lib.errors import FinOpsError, ParamsError
from finops_lib.params import Organisation, Params, Settings, find_project, load_params

out, err = Console(soft_wrap=True), Console(stderr=True, soft_wrap=True)

Project = Annotated[
    Path | None, typer.Option("--project", help="Project folder (default: found upwards, or FINOPS_PROJECT).")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="Print nothing but errors and what was asked for.")]


def tell(error: FinOpsError) -> None:
    """Say what went wrong and how to mend it."""
    err.print(f"[bold red]Error[/] {plain(str(error))}", highlight=False)


def read_day(text: str | None) -> date:
    """Read a day of the command line; today without one."""
    try:
        return date.fromisoformat(text) if text else datetime.now(tz=UTC).date()
    except ValueError as error:
        message = f"--on: found '{text}', expected a day YYYY-MM-DD"
        raise ParamsError(message, hint="e.g. --on 2026-09-30") from error


def plain(text: str) -> str:
    """Keep brackets from being read as markup."""
    return text.replace("[", r"\[")


def load(project: Path | None, workspace: Path | None = None) -> Params:
    """Load the organisation's parameters; a folder without parameters, or only a workspace, is taken as it is."""
    try:
        folder = find_project(project)
    except FinOpsError:
        if project is None and workspace is None:
            raise
        folder = (project or Path.cwd()).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        params = Params(
            assistant="organisation",
            period="latest",
            settings=Settings(),
            organisation=Organisation(),
            project=folder,
            assistants={},
        )
    else:
        params = load_params(project=folder)
    if workspace is None:
        return params
    moved = params.organisation.model_copy(update={"workspace": str(workspace.resolve())})
    return params.model_copy(update={"organisation": moved})


def print_frame(frame: Any, as_json: bool) -> None:
    """Print a frame as a table, or as one JSON object with its rows."""
    if as_json:
        rows = frame.to_json(orient="records", date_format="iso", default_handler=str)
        typer.echo(json.dumps({"rows": json.loads(rows)}))
        return
    if not len(frame):
        out.print("nothing differs")
        return
    held = frame.dropna(axis="columns", how="all")
    shown = Table(*[str(column).replace("_", " ") for column in held.columns], box=None)
    for row in held.itertuples(index=False):
        shown.add_row(*["" if value is None or value != value else str(value) for value in row])
    show(shown)


def show(table: Table) -> None:
    """Print a table as wide as it has to be: a terminal wraps lines, a file keeps them, and no figure is cut off."""
    needed = out.measure(table, options=out.options.update(max_width=1_000)).maximum
    Console(width=max(out.width, needed), soft_wrap=True).print(table)
