"""``finops init``: from a team's own exports to a project with first parameter files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from finops_lib.cli.console import AsJson, err, load, out, plain, show
from finops_lib.errors import ParamsError
from finops_lib.files import replace_file

if TYPE_CHECKING:
    import pandas as pd

    from finops_lib.ingest.reading.sources import Reading
    from finops_lib.params import Params

app = typer.Typer()


@app.command(epilog="Example: `finops init exports/*.jsonl.gz --project my-project --time-zone Europe/Berlin`")
def init(
    paths: Annotated[list[str] | None, typer.Argument(help="Exports: files, folders or globs.")] = None,
    format: Annotated[str, typer.Option("--format", help="As in finops ingest.")] = "auto",
    mapping: Annotated[Path | None, typer.Option(help="YAML of column names, for format mapped.")] = None,
    assistant: Annotated[str | None, typer.Option(help="Assistant of calls that name none.")] = None,
    time_zone: Annotated[str, typer.Option(help="Reporting time zone, in a new organisation.yaml.")] = "UTC",
    project: Annotated[Path | None, typer.Option(help="Project folder (default: here); made when missing.")] = None,
    as_json: AsJson = False,
) -> None:
    """List the assistants in your exports and write first parameter files. A file that is there is never changed."""
    folder = (project or Path.cwd()).resolve()
    organisation = folder / "parameters" / "organisation.yaml"
    sources = [_source(Path(path), folder, format, mapping, assistant) for path in paths or []]
    written, is_new = [], not organisation.is_file()
    if is_new:
        _write_organisation(organisation, sources, time_zone)
        written.append(organisation)
    params = load(folder)
    missing = [s for s in sources if s["path"] not in {source.path for source in params.organisation.sources}]
    try:
        found, nameless, seen, readings = _look(params, missing)
        if is_new:
            _write_organisation(organisation, sources, time_zone, **seen)
        written += _write_assistants(params, found)
    except Exception:
        for path in written:  # what could not be read leaves no half-made project behind
            path.unlink()
        raise
    if as_json:
        files = [str(path.relative_to(folder)) for path in written]
        rows = json.loads(found.to_json(orient="records", date_format="iso"))
        told = {"assistants": rows, "written": files, "sources_to_add": missing}
        typer.echo(json.dumps({**told, "read": [{"format": r.format, **r.counts} for r in readings]}))
        return
    if not is_new and time_zone not in ("UTC", params.organisation.time_zone):
        said = f"organisation.yaml is there already and says {params.organisation.time_zone}"
        err.print(f"[yellow]Ignored[/] --time-zone {time_zone}: {said}")
    _print_readings(readings)
    _print(found, nameless, [path.relative_to(folder) for path in written], missing)


def _source(path: Path, folder: Path, format: str, mapping: Path | None, assistant: str | None) -> dict[str, Any]:
    """Describe a source as organisation.yaml does, relative to the project where it lies inside."""
    source: dict[str, Any] = {"path": _relative(path, folder)}
    if format != "auto":
        source["format"] = format
    if mapping:
        source["mapping"] = _relative(mapping, folder)
    if assistant:
        source["defaults"] = {"assistant": assistant}
    return source


def _relative(path: Path, folder: Path) -> str:
    given = path.expanduser().absolute()
    return str(given.relative_to(folder)) if given.is_relative_to(folder) else str(given)


def _write_organisation(path: Path, sources: list[dict[str, Any]], time_zone: str, **seen: Any) -> None:
    from finops_lib.inform import organisation_file
    from finops_lib.params import Organisation

    try:
        Organisation(time_zone=time_zone)
    except ValueError as error:
        message = f"--time-zone: found '{time_zone}', expected an IANA name"
        raise ParamsError(message, hint="e.g. --time-zone Europe/Berlin") from error
    replace_file(path, organisation_file(sources, time_zone=time_zone, **seen))


def _look(
    params: Params, missing: list[dict[str, Any]]
) -> tuple[pd.DataFrame, pd.DataFrame, dict[str, list[str]], list[Reading]]:
    """Read the exports, and list the assistants, the calls of none, and the teams and keys without an owner."""
    from finops_lib import inform, ingest
    from finops_lib.params import Source

    readings = [reading for source in missing for reading in ingest.read_source(Source(**source), params)]
    readings += ingest.build_ledger(params)
    ledger = ingest.open_ledger(params)
    users = ingest.distinct_users(ledger, ["assistant"])
    found = inform.found_assistants(ledger.costs, ledger.usage, users, as_of=ledger.as_of, known=params.assistants)
    nameless = inform.nameless_calls(ledger.costs, ledger.usage)
    teams, keys = (sorted(ledger.usage[name].dropna().unique()) for name in ("team", "api_key"))
    return found, nameless, {"teams": teams, "keys": keys}, readings


def _write_assistants(params: Params, found: pd.DataFrame) -> list[Path]:
    """Write a file for each assistant that has none."""
    from finops_lib import inform, ingest

    ledger, written = ingest.open_ledger(params), []
    for row in found[found["file"].notna() & ~found["known"]].itertuples():
        path = params.project / "parameters" / f"{row.file}.yaml"
        if path.exists():
            continue
        settings = inform.baseline_settings(
            ledger.costs, ledger.usage, row.assistant, users=row.users, as_of=ledger.as_of
        )
        replace_file(path, inform.assistant_file(row.assistant, settings, as_of=ledger.as_of))
        written.append(path)
    return written


def _print_readings(readings: list[Reading]) -> None:
    """Say what each export was taken for, and what of it could not be used."""
    for reading in readings:
        counts, more = reading.counts, len(reading.files) - 2
        named = ", ".join(reading.files[:2]) + (f" and {more} more" if more > 0 else "")
        used = counts["requests"] + counts.get("aggregated", 0)
        out.print(f"{reading.format}: {used:,} of {counts['read']:,} rows from {plain(named)}", highlight=False)
        for row in reading.reasons:
            if row["fate"] == "quarantined":
                out.print(f"  {row['rows']:,} quarantined: {plain(row['reason'])}", highlight=False)
        for warning in reading.warnings:
            err.print(f"[yellow]Warning[/] {plain(warning)}")
    if readings:
        out.print("")


def _print(found: pd.DataFrame, nameless: pd.DataFrame, written: list[Path], missing: list[dict[str, Any]]) -> None:
    from finops_lib.inform.scope import UNATTRIBUTED

    shown = Table("assistant", "calls", "users", "models", "USD a month", "first call", "last call", "file", box=None)
    names = {path.stem for path in written}
    for row in found.itertuples():
        state = "–" if row.assistant == UNATTRIBUTED else "written" if row.file in names else "there already"
        cost = "not known" if row.monthly_cost != row.monthly_cost else f"{row.monthly_cost:,.2f}"
        cost += f", {row.unpriced:.0%} of the tokens have no price" if row.unpriced > 0 else ""
        days = (f"{day:%Y-%m-%d}" for day in (row.first_day, row.last_day))
        shown.add_row(
            plain(row.assistant), f"{row.requests:,.0f}", f"{row.users:,}", str(row.models), cost, *days, state
        )
    if len(found):
        show(shown)
    else:
        out.print("No calls were found yet: name your exports, or list them under sources in organisation.yaml")
    if len(found) and row.assistant == UNATTRIBUTED:
        out.print("\nCalls that name no assistant, and what is known of them:")
        for row in nameless.itertuples():
            cost = "no price" if row.cost != row.cost else f"USD {row.cost:,.4f}"
            calls = "1 call" if row.requests == 1 else f"{row.requests:,.0f} calls"
            out.print(f"  {row.dimension.replace('_', ' ')} {plain(str(row.value))}: {calls}, {cost}", highlight=False)
        out.print("Give them to an assistant by virtual_keys or by defaults of their source in organisation.yaml;")
        out.print("of a new project by finops init … --assistant NAME")
    for path in written:
        out.print(f"Written: {path}")
    for source in missing:
        err.print(f"[yellow]Not in organisation.yaml yet[/], add under sources: {plain(json.dumps(source))}")
    out.print("Next: look through parameters/, then finops run")
