"""``finops doctor``: what is set up, what is not, and how to mend it; nothing is read in or changed."""

from __future__ import annotations

import json
import os
import platform
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import typer
from rich.table import Table

from finops_lib import __version__
from finops_lib.cli.console import AsJson, Project, out, plain, show
from finops_lib.errors import FinOpsError

if TYPE_CHECKING:
    from finops_lib.ingest import Ledger
    from finops_lib.params import Params, Source

app = typer.Typer()

_LIBRARIES = ("pandas", "pyarrow", "duckdb", "papermill", "jupyterlab", "ipywidgets")
_ROOM_GB = 2.0


@dataclass(frozen=True)
class Finding:
    """One thing looked at."""

    what: str
    state: Literal["ok", "note", "wrong"]
    found: str
    remedy: str = ""


@app.command(epilog="Example: `finops doctor --project my-project`")
def doctor(project: Project = None, as_json: AsJson = False) -> None:
    """Look at the installation, the project, its sources, the workspace and the prices; exit 1 when one is wrong."""
    from finops_lib.params import find_project, load_params

    findings = list(_installation())
    try:
        folder = find_project(project)
        findings.append(Finding("project", "ok", str(folder)))
        params = load_params(project=folder)
    except FinOpsError as error:
        findings.append(_wrong("parameters" if findings[-1].what == "project" else "project", error))
    else:
        findings += [*_parameters(params), *_sources(params), *_workspace(params), *_prices(params)]
    wrong = sum(finding.state == "wrong" for finding in findings)
    if as_json:
        typer.echo(json.dumps({"passed": not wrong, "findings": [asdict(finding) for finding in findings]}))
    else:
        shown = Table("", "", "found", "to do", box=None)
        for finding in findings:
            shown.add_row(finding.what, finding.state, plain(finding.found), plain(finding.remedy))
        show(shown)
        notes = sum(finding.state == "note" for finding in findings)
        out.print(f"{wrong} of {len(findings)} are wrong" if wrong else f"nothing is wrong, {notes} to note")
    if wrong:
        raise typer.Exit(1)


def _wrong(what: str, error: FinOpsError) -> Finding:
    told, _, hint = str(error).partition("\nHint: ")
    return Finding(what, "wrong", " ".join(told.split()), " ".join(hint.split()))


def _installation() -> Iterator[Finding]:
    yield Finding("kit", "ok", f"{__version__}, Python {platform.python_version()}, {platform.system()}")
    held, missing = [], []
    for name in _LIBRARIES:
        try:
            held.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            missing.append(name)
    yield Finding("libraries", "ok", ", ".join(held))
    if missing:
        yield Finding("libraries", "wrong", f"not installed: {', '.join(missing)}", "install requirements.lock anew")


def _parameters(params: Params) -> Iterator[Finding]:
    organisation = params.organisation
    names = sorted(params.assistants)
    state, remedy = ("ok", "") if names else ("note", "finops init EXPORT writes them where calls name assistants")
    yield Finding("assistants", state, ", ".join(names) or "no file yet", remedy)
    no_center = sorted(name for name, team in organisation.teams.items() if not team.cost_center)
    if no_center:
        yield Finding("teams", "note", f"no cost center: {', '.join(no_center)}", "name it under teams")
    no_owner = sorted(n for n, s in params.assistants.items() if not (s.owners.business and s.owners.technical))
    if no_owner:
        yield Finding("owners", "note", f"not both named: {', '.join(no_owner)}", "name them under settings.owners")
    variable = organisation.pseudonym_key_variable
    if not os.environ.get(variable):
        remedy = "set it, so that pseudonyms stay the same on every machine"
        yield Finding("pseudonym key", "note", f"{variable} is not set: the workspace keeps a key of its own", remedy)


def _sources(params: Params) -> Iterator[Finding]:
    if not params.organisation.sources:
        yield Finding("sources", "note", "none listed", "finops init EXPORT, or list them under sources")
    for source in params.organisation.sources:
        try:
            yield Finding(f"source {source.path}", "ok", _look_at(source, params))
        except FinOpsError as error:
            yield _wrong(f"source {source.path}", error)


def _look_at(source: Source, params: Params) -> str:
    """Say how many files a source has and what its first is taken for."""
    from finops_lib.ingest.readers import BILL_FORMATS, check_format, find_bill_reader, find_reader, recognise
    from finops_lib.ingest.readers.mapped import read_mapping
    from finops_lib.ingest.reading.containers import find_files

    if "://" in source.path:
        return "a database; not asked"
    files = find_files([source.path], params.project)
    size = sum(path.stat().st_size for path in files) / 1e6
    taken = source.format
    if source.format == "mapped":
        read_mapping(params.project / source.mapping if source.mapping else None)
    elif source.format == "auto":
        taken = f"taken for {recognise(files[0]) or 'nothing the kit knows'}"
    elif source.table == "requests":
        reader = find_bill_reader if source.format in BILL_FORMATS else find_reader
        check_format(files[0], reader(source.format))
    return f"{len(files)} file{'s' if len(files) != 1 else ''}, {size:,.1f} MB, {taken}"


def _workspace(params: Params) -> Iterator[Finding]:
    from finops_lib.ingest import open_ledger

    folder = params.workspace
    standing = next(path for path in (folder, *folder.parents) if path.exists())
    if not os.access(standing, os.W_OK):
        yield Finding("workspace", "wrong", f"{folder} cannot be written", "change its rights, or name another folder")
    room = shutil.disk_usage(standing).free / 1e9
    if room < _ROOM_GB:
        yield Finding("disk", "note", f"{room:.1f} GB free at {standing}", "make room before a large export is read")
    ledger = open_ledger(params)
    if not ledger.months:
        yield Finding("ledger", "note", "empty", "finops run reads the sources")
        return
    size = sum(path.stat().st_size for path in Path(folder).rglob("*.parquet")) / 1e6
    span = f"{ledger.months[0]} to {ledger.months[-1]}, complete to {ledger.as_of}"
    yield Finding("ledger", "ok", f"{span}, {size:,.1f} MB")
    yield from _quality(ledger)


def _quality(ledger: Ledger) -> Iterator[Finding]:
    """Say what of the ledger cannot be used as it is: rows set aside, calls of no assistant, models without a price."""
    from finops_lib import inform, ingest

    read = ingest.rows_read(ledger.params)
    bad, all_rows = int(read["quarantined"].sum()), int(read["read"].sum())
    if bad:
        yield Finding("rows", "note", f"{bad:,} of {all_rows:,} are quarantined", "01_ledger says why and where")
    coverage = inform.attribution_coverage(ledger.costs, dimensions=["assistant"])["coverage"].iloc[0]
    if coverage < 1:
        remedy = "match in its file, virtual_keys, or defaults of its source"
        yield Finding("assistants of calls", "note", f"{1 - coverage:.1%} of the cost names none", remedy)
    lacking = ingest.unpriced_models(ledger)
    if len(lacking):
        named = ", ".join(str(model) for model in lacking["model"].head(3))
        more = f" and {len(lacking) - 3} more" if len(lacking) > 3 else ""
        yield Finding("models without a price", "note", named + more, "model_aliases or prices in organisation.yaml")


def _prices(params: Params) -> Iterator[Finding]:
    from finops_lib.ingest import open_ledger, read_price_list

    prices, as_of = read_price_list(), open_ledger(params).as_of
    age = (as_of - prices.generated_on).days if as_of else 0
    limit = params.organisation.price_age_limit_days
    old = age > limit
    remedy = "take a newer kit, or finops prices refresh" if old else ""
    found = f"'{prices.version}' of {prices.generated_on}" + (f", {age} days before the last call" if old else "")
    yield Finding("price list", "note" if old else "ok", found, remedy)
