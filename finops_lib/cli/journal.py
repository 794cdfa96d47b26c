"""``finops export journal``: what each cost center is charged, for the books."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from finops_lib.cli.console import AsJson, Project, load, out

app = typer.Typer()


@app.command(epilog="Example: `finops export journal --period 2026-09 --out journal.csv`")
def journal(
    period: Annotated[str, typer.Option(help="Month YYYY-MM.")],
    to: Annotated[Path | None, typer.Option("--out", help="File to write (default: to the screen).")] = None,
    provisional: Annotated[
        bool, typer.Option("--provisional", help="Also for an open or unreconciled month; every row says so.")
    ] = False,
    project: Project = None,
    as_json: AsJson = False,
) -> None:
    """Write the chargeback journal of a closed and reconciled month: one balanced entry per cost center."""
    from finops_lib import inform
    from finops_lib.cli.month_of_record import allocation_of_month, check_final
    from finops_lib.files import replace_file
    from finops_lib.report.sidecar import csv_bytes

    params = load(project)
    if not provisional:
        check_final(params, period)
    _, allocation = allocation_of_month(params, period)
    organisation = params.organisation
    entries = inform.journal(
        allocation, organisation.teams, period=period, currency=organisation.currency, provisional=provisional
    )
    text = csv_bytes(entries).decode()
    if to:
        replace_file(to, text)
    debits, owed = inform.journal_totals(entries)
    if as_json:
        told = {"period": period, "provisional": provisional, "file": str(to) if to else None}
        told |= {"entries": entries["entry"].nunique(), "debits": str(debits), "credits": str(owed)}
        typer.echo(json.dumps(told))
    elif to:
        out.print(
            f"{to}: {entries['entry'].nunique()} entries, debits = credits = {organisation.currency} {debits:,.2f}"
        )
    else:
        typer.echo(text, nl=False)
