"""``finops close`` and ``finops reopen``: months that no longer change."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from finops_lib.cli.console import AsJson, Project, load, out, read_day

app = typer.Typer()


@app.command(epilog="Example: `finops close --period 2026-09`")
def close(
    period: Annotated[str, typer.Option(help="Month YYYY-MM.")],
    project: Project = None,
    on: Annotated[str | None, typer.Option(help="Day of closing YYYY-MM-DD (default: today).")] = None,
    as_json: AsJson = False,
) -> None:
    """Close a month: its costs and the price list they were made with no longer change."""
    from finops_lib.ingest import close_period

    day = read_day(on)
    record = close_period(load(project), period, day)
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

    params = load(project)
    reopen_period(params, period)
    refresh_ledger(params)
    if as_json:
        typer.echo(json.dumps({"period": period, "open": True}))
    else:
        out.print(f"{period} is open and priced with the current list")
