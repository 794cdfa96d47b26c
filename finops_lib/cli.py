"""Command line: ``finops``, each command a thin call into the stages."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from finops_lib import __version__
from finops_lib.errors import BatchError, FinOpsError, ParamsError
from finops_lib.params import Organisation, Params, Settings, Source, find_project, load_params

app = typer.Typer(
    no_args_is_help=True, rich_markup_mode="markdown", add_completion=False, pretty_exceptions_enable=False
)
prices_app = typer.Typer(no_args_is_help=True, help="Show, compare and renew the price list.")
app.add_typer(prices_app, name="prices")
out, err = Console(soft_wrap=True), Console(stderr=True, soft_wrap=True)

Project = Annotated[
    Path | None, typer.Option("--project", help="Project folder (default: found upwards, or FINOPS_PROJECT).")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="Print nothing but errors and what was asked for.")]


def main() -> None:
    """Run the command line; errors of the kit are told in words, with a hint, and exit with 1 or 2."""
    try:
        app(prog_name="finops")
    except FinOpsError as error:
        _tell(error)
        sys.exit(2)


def _tell(error: FinOpsError) -> None:
    err.print(f"[bold red]Error[/] {_plain(str(error))}", highlight=False)


def _day(text: str | None) -> date:
    """Read a day of the command line; today without one."""
    try:
        return date.fromisoformat(text) if text else datetime.now(tz=UTC).date()
    except ValueError as error:
        message = f"--on: found '{text}', expected a day YYYY-MM-DD"
        raise ParamsError(message, hint="e.g. --on 2026-09-30") from error


def _plain(text: str) -> str:
    return text.replace("[", r"\[")


def _version(value: bool) -> None:
    if value:
        out.print(__version__)
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """AI FinOps kit: from a team's own exports to an itemized, priced ledger and reports finance can trust."""


def _params(project: Path | None, workspace: Path | None = None) -> Params:
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


@app.command(epilog="Example: `finops ingest --format litellm exports/*.jsonl.gz --json`")
def ingest(
    paths: Annotated[
        list[str], typer.Argument(help="Files, folders, globs, or a PostgreSQL URL of LiteLLM's database.")
    ],
    format: Annotated[
        str,
        typer.Option(
            "--format",
            help="litellm, langfuse, helicone, portkey, otlp, openai-usage, "
            "anthropic-usage, bedrock, azure-apim, vertex, mapped or auto.",
        ),
    ] = "auto",
    project: Project = None,
    workspace: Annotated[Path | None, typer.Option(help="Folder of the ledger (default: outputs/workspace).")] = None,
    mapping: Annotated[Path | None, typer.Option(help="YAML of column names, for format mapped.")] = None,
    table: Annotated[
        str, typer.Option(help="requests, outcomes, evaluations, seats, capacity, customers, volumes.")
    ] = "requests",
    assistant: Annotated[str | None, typer.Option(help="Assistant of calls that name none.")] = None,
    account: Annotated[str | None, typer.Option(help="Provider account the calls are billed to.")] = None,
    as_json: AsJson = False,
) -> None:
    """Read exports into the workspace and bring the ledger up to date. Reading them again changes nothing."""
    from finops_lib.ingest import read_source, refresh_ledger
    from finops_lib.ingest.reading import combined

    params = _params(project, workspace)
    source = Source(
        path=paths[0],
        format=format,
        table=table,
        mapping=str(mapping.resolve()) if mapping else None,
        account=account,
        defaults={"assistant": assistant} if assistant else {},
    )
    here = [path if "://" in path else str(Path(path).absolute()) for path in paths]
    readings = read_source(source, params, paths=here)
    if table == "requests":
        refresh_ledger(params)
    summary = combined(readings)
    if as_json:
        typer.echo(json.dumps(summary))
        return
    if format == "auto":
        for reading in readings:
            out.print(f"Taken for [bold]{reading.format}[/]: {', '.join(reading.files)}")
    _print_summary(summary)
    for reading in readings:
        for row in reading.reasons:
            if row["fate"] in ("quarantined", "skipped", "duplicates"):
                out.print(f"  {row['rows']:,} {row['fate']}: {row['reason']}")
    for warning in summary["warnings"]:
        err.print(f"[yellow]Warning[/] {_plain(warning)}")


def _print_summary(summary: dict[str, Any]) -> None:
    shown = Table(show_header=False, box=None)
    for key, value in summary.items():
        if key in ("quarantine_reasons", "warnings", "format"):
            continue
        shown.add_row(key.replace("_", " "), _value(key, value))
    out.print(shown)


def _value(key: str, value: Any) -> str:
    if value is None:
        return "not known"
    if key.endswith("_cost"):
        return f"USD {value:,.6f}" if abs(value) < 1 else f"USD {value:,.2f}"
    if key == "attribution_coverage":
        return f"{value:.1%} of spend has team, workflow and cost center"
    return f"{value:,}" if isinstance(value, int) else str(value)


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
    project: Project = None,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Execute the notebooks for every assistant and write the site of reports."""
    from finops_lib.batch import progress_line, run_batch
    from finops_lib.ingest import build_ledger

    folder = find_project(project)
    quiet = quiet or as_json

    def prepare(params: Params) -> None:
        if not quiet:
            out.print(f"{_plain(params.title)}: reading sources, building the ledger …")
        for reading in build_ledger(params):
            for warning in reading.warnings:
                err.print(f"[yellow]Warning[/] {reading.format}: {_plain(warning)}")

    def tell(event: Any) -> None:
        out.print(progress_line(event), markup=False, highlight=False)

    result = run_batch(
        folder,
        assistants=assistant or None,
        team=team,
        notebooks=notebook or None,
        period=period,
        jobs=jobs,
        force=force,
        progress=None if quiet else tell,
        prepare=prepare,
    )
    if as_json:
        typer.echo(json.dumps(result.summary()))
    elif not quiet:
        out.print(f"Reports: {result.site / 'index.html'}  (open it in a browser)", markup=False, highlight=False)
    if result.failed:
        message = f"{len(result.failed)} of {len(result.outcomes)} notebooks failed"
        _tell(BatchError(message, hint=f"their pages say why; start at {result.site / 'index.html'}"))
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


@app.command(epilog="Example: `finops close --period 2026-09`")
def close(
    period: Annotated[str, typer.Option(help="Month YYYY-MM.")],
    project: Project = None,
    on: Annotated[str | None, typer.Option(help="Day of closing YYYY-MM-DD (default: today).")] = None,
    as_json: AsJson = False,
) -> None:
    """Close a month: its costs and the price list they were made with no longer change."""
    from finops_lib.ingest import close_period

    day = _day(on)
    record = close_period(_params(project), period, day)
    if as_json:
        typer.echo(json.dumps({"period": period, **record}))
    else:
        out.print(
            f"{period} closed with prices '{record['price_version']}': USD {float(record['contracted_cost'] or 0):,.2f}"
        )


@app.command(epilog="Example: `finops reopen --period 2026-09`")
def reopen(
    period: Annotated[str, typer.Option(help="Month YYYY-MM.")], project: Project = None, as_json: AsJson = False
) -> None:
    """Open a closed month again; the next build prices it with the current list."""
    from finops_lib.ingest import refresh_ledger, reopen_period

    params = _params(project)
    reopen_period(params, period)
    refresh_ledger(params)
    if as_json:
        typer.echo(json.dumps({"period": period, "open": True}))
    else:
        out.print(f"{period} is open and priced with the current list")


@prices_app.command("show", epilog="Example: `finops prices show gpt-5.2 --on 2026-09-01`")
def prices_show(
    model: Annotated[str, typer.Argument(help="Model name.")],
    on: Annotated[str | None, typer.Option(help="Day YYYY-MM-DD (default: today).")] = None,
    as_json: AsJson = False,
) -> None:
    """Show the prices of a model on a day."""
    from finops_lib.ingest import read_price_list
    from finops_lib.ingest.price_list import price_table

    day = _day(on)
    table = price_table(read_price_list(), model, day)
    if as_json:
        _print_frame(table, as_json)
        return
    out.print(f"{_plain(model)} on {day}: USD per million tokens (web search: per search)")
    classes = ["uncached_input", "cache_read", "cache_write_5m", "cache_write_1h", "output", "web_search"]
    shown = table[["provider", "model", "service_tier", "context_from", *classes]].dropna(axis=1, how="all")
    _print_frame(shown.rename(columns={"service_tier": "tier", "context_from": "input over"}), as_json)


@prices_app.command("diff", epilog="Example: `finops prices diff --period 2026-09`")
def prices_diff(
    against: Annotated[Path | None, typer.Argument(help="Folder of another price list; what changed since it.")] = None,
    period: Annotated[str | None, typer.Option(help="Month: what pricing it anew would change, by model.")] = None,
    project: Project = None,
    as_json: AsJson = False,
) -> None:
    """Compare price lists, or a month's costs with what they would be under the current list."""
    from finops_lib.ingest import read_price_list, repricing
    from finops_lib.ingest.price_list import price_difference

    if period:
        _print_frame(repricing(_params(project), period), as_json)
    elif against:
        _print_frame(price_difference(read_price_list(against), read_price_list()), as_json)
    else:
        message = "Nothing to compare with"
        raise ParamsError(message, hint="give a folder of another price list, or --period YYYY-MM")


@prices_app.command(
    "refresh", epilog="Example: `finops prices refresh --out new_prices && finops prices diff new_prices`"
)
def prices_refresh(
    folder: Annotated[Path, typer.Option("--out", help="Folder to write the price list to.")],
    on: Annotated[str | None, typer.Option(help="Day to record YYYY-MM-DD (default: today).")] = None,
    as_json: AsJson = False,
) -> None:
    """Make a new version of the price list from the installed genai-prices package and the kit's corrections."""
    from finops_lib.ingest import read_price_list
    from finops_lib.ingest.price_list import price_difference
    from finops_lib.ingest.price_refresh import refresh, write_price_list

    day = _day(on)
    write_price_list(folder, *refresh(day))
    changed = price_difference(read_price_list(), read_price_list(folder))
    version = read_price_list(folder).version
    if as_json:
        typer.echo(json.dumps({"price_version": version, "folder": str(folder), "prices_differing": len(changed)}))
    else:
        out.print(f"{version} written to {folder}: {len(changed):,} prices differ from the packaged list")


def _print_frame(frame: Any, as_json: bool) -> None:
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
    # As wide as it has to be: a terminal wraps lines, a file keeps them, and no figure is cut off.
    needed = out.measure(shown, options=out.options.update(max_width=1_000)).maximum
    Console(width=max(out.width, needed), soft_wrap=True).print(shown)


if __name__ == "__main__":
    main()
