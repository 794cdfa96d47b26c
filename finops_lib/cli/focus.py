"""``finops export focus``: a month as a FOCUS Cost and Usage file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from finops_lib.cli.console import AsJson, Project, err, load, out, plain
from finops_lib.errors import SchemaError

if TYPE_CHECKING:
    import pandas as pd

    from finops_lib.params import Params

app = typer.Typer()
_SHOWN = 5


@app.command(epilog="Example: `finops export focus --version 1.4 --period 2026-10 --with-splits --out focus.parquet`")
def focus(
    to: Annotated[Path, typer.Option("--out", help="File to write, .csv or .parquet.")],
    version: Annotated[str, typer.Option(help="FOCUS version, 1.2 or 1.4.")] = "1.2",
    period: Annotated[str, typer.Option(help="Month YYYY-MM, or latest.")] = "latest",
    splits: Annotated[
        bool,
        typer.Option("--with-splits/--without", help="Replace shared charges by the parts of their receivers."),
    ] = False,
    project: Project = None,
    as_json: AsJson = False,
) -> None:
    """Write what finance pays for a month as FOCUS rows; a file that would break FOCUS is not written."""
    from finops_lib import inform, ingest
    from finops_lib.cli.month_of_record import latest_month
    from finops_lib.report.focus_file import columns_of_digits, focus_text, write_focus

    params = load(project)
    ingest.refresh_ledger(params)
    period = latest_month(params) if period == "latest" else period
    rows = _rows(params, period, version, splits)
    text = focus_text(rows)
    _refuse(inform.focus_findings(text, version, ingest.load_charges(params, [period])), to, version)
    write_focus(rows, to)
    for column in columns_of_digits(text) if to.suffix == ".csv" else []:
        told = f"{column} is made of digits only: readers of CSV may take it for a number; .parquet keeps it as text"
        err.print(f"[yellow]Warning[/] {plain(told)}")
    amounts = rows.groupby("BillingCurrency")["BilledCost"].sum()
    if as_json:
        billed = {currency: f"{amount:f}".rstrip("0").rstrip(".") for currency, amount in amounts.items()}
        typer.echo(
            json.dumps({"file": str(to), "period": period, "version": version, "rows": len(rows), "billed": billed})
        )
    else:
        billed = ", ".join(f"{currency} {amount:,.2f}" for currency, amount in amounts.items())
        out.print(f"{to}: {period} in FOCUS {version}, {len(rows):,} rows, billed {billed or 'nothing'}")


def _rows(params: Params, period: str, version: str, splits: bool) -> pd.DataFrame:
    from finops_lib import inform
    from finops_lib.cli.month_of_record import allocation_of_month, charges_of_month

    if not splits:
        return inform.focus_rows(charges_of_month(params, period), version)
    charges, allocation = allocation_of_month(params, period)
    teams = params.organisation.teams.items()
    tags = {name: {"department": team.department, "cost_center": team.cost_center} for name, team in teams}
    return inform.focus_rows(charges, version, allocation.allocations, receiver_tags=tags)


def _refuse(findings: pd.DataFrame, to: Path, version: str) -> None:
    if findings.empty:
        return
    told = [
        f"row {one['row']}, {one['column']}: found {one['found']}, expected {one['expected']} ({one['rule']})"
        for one in findings.head(_SHOWN).to_dict("records")
    ]
    more = f"; and {len(findings) - _SHOWN:,} more" if len(findings) > _SHOWN else ""
    message = f"{to.name} is not written, it would break FOCUS {version}: {'; '.join(told)}{more}"
    raise SchemaError(message, hint="mend the bill or the parameters that these rows come from")
