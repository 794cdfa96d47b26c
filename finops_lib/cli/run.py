"""``finops run`` and ``finops lab``: the notebooks, for all assistants or one at a time."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from finops_lib.cli.console import AsJson, Project, Quiet, err, out, plain, tell
from finops_lib.errors import BatchError
from finops_lib.params import Params, find_project

app = typer.Typer()


@app.command(epilog="Example: `finops run --assistant support-copilot --period 2026-09`")
def run(
    assistant: Annotated[
        list[str] | None, typer.Option(help="Only this assistant; may be given several times.")
    ] = None,
    team: Annotated[str | None, typer.Option(help="Only assistants this team owns.")] = None,
    notebook: Annotated[list[str] | None, typer.Option(help="Only this notebook, e.g. 03_cost_profile.")] = None,
    period: Annotated[str, typer.Option(help="Month YYYY-MM, or latest.")] = "latest",
    jobs: Annotated[int | None, typer.Option(help="Notebooks at a time (default: one a core).")] = None,
    force: Annotated[bool, typer.Option("--force", help="Run also what is up to date.")] = False,
    to: Annotated[Path | None, typer.Option("--out", help="Folder of runs and site (default: outputs).")] = None,
    timeout: Annotated[float, typer.Option(min=1, help="Seconds a cell may take.")] = 900,
    project: Project = None,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Execute the notebooks for every assistant and write the site of reports."""
    from finops_lib.batch import progress_line, run_batch
    from finops_lib.ingest import build_ledger, open_ledger

    folder = find_project(project)
    quiet = quiet or as_json

    def prepare(params: Params) -> None:
        if not quiet:
            out.print(f"Project {folder}: reading sources, building the ledger …", markup=False, highlight=False)
        for reading in build_ledger(params):
            for warning in reading.warnings:
                err.print(f"[yellow]Warning[/] {reading.format}: {plain(warning)}")
        # A month that is not there is told before the notebooks run, not by each of them.
        empty = not open_ledger(params.model_copy(update={"period": period})).months
        if empty and not quiet:
            out.print("[yellow]Warning[/] no source gave a call: the pages will say what is missing (finops init)")

    def show(event: Any) -> None:
        out.print(progress_line(event), markup=False, highlight=False)

    result = run_batch(
        folder,
        assistants=assistant or None,
        team=team,
        notebooks=notebook or None,
        period=period,
        jobs=jobs,
        force=force,
        out=to,
        timeout=timeout,
        progress=None if quiet else show,
        prepare=prepare,
    )
    if as_json:
        typer.echo(json.dumps(result.summary()))
    elif not quiet:
        out.print(f"Reports: {result.site / 'index.html'}  (open it in a browser)", markup=False, highlight=False)
    if result.failed:
        message = f"{len(result.failed)} of {len(result.outcomes)} notebooks failed"
        tell(BatchError(message, hint=f"their pages say why; start at {result.site / 'index.html'}"))
        # As for pytest: 1 when something ran and failed, 2 when it could not begin.
        raise typer.Exit(1)


@app.command(epilog="Example: `finops lab`")
def lab(project: Project = None) -> None:
    """Open JupyterLab on the notebooks."""
    from finops_lib.batch import notebooks_folder

    folder = find_project(project)
    command = [sys.executable, "-m", "jupyterlab", str(notebooks_folder(folder))]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        # Containers often have no other user; JupyterLab would refuse to start.
        command.append("--allow-root")
    raise typer.Exit(subprocess.call(command, env={**os.environ, "FINOPS_PROJECT": str(folder)}))
