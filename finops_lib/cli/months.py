"""``finops close`` and ``finops reopen``: months that no longer change."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from finops_lib.cli.console import AsJson, Project, load, out, read_day

if TYPE_CHECKING:
    from finops_lib.inform import Reconciliation
    from finops_lib.params import Params

app = typer.Typer()


@app.command(epilog="Example: `finops close --period 2026-09`")
def close(
    period: Annotated[str, typer.Option(help="Month YYYY-MM.")],
    project: Project = None,
    on: Annotated[str | None, typer.Option(help="Day of closing YYYY-MM-DD (default: today).")] = None,
    as_json: AsJson = False,
) -> None:
    """Close a month: its costs and price list no longer change; whether it met the invoices is kept with it."""
    from finops_lib.ingest import close_period

    day, params = read_day(on), load(project)
    found = _reconciled(params, period)
    kept = {"reconciliation": found.record, "true_ups": found.true_ups} if found else {}
    record = close_period(params, period, day, **kept)
    if as_json:
        typer.echo(json.dumps({"period": period, **record}))
        return
    out.print(
        f"{period} closed with prices '{record['price_version']}': USD {float(record['contracted_cost'] or 0):,.2f}"
    )
    if record["reconciled"]:
        variance = f"variance USD {float(record['variance']):,.2f}, {len(found.true_ups)} true-ups kept"
        out.print(f"It is reconciled: invoices of USD {float(record['invoice']):,.2f}, {variance}")
    else:
        reason = ", ".join(record["failed"]) if found else "no bill of a model provider was read for it"
        out.print(f"It is not reconciled: {reason}")


def _reconciled(params: Params, period: str) -> Reconciliation | None:
    """Hold the month against the invoices on the day it is closed; nothing without any."""
    from finops_lib import inform, ingest

    ingest.refresh_ledger(params)
    charges = ingest.load_charges(params)
    named = inform.billed_in(charges, period)["provider"].notna().any()
    if not named:
        return None
    return inform.reconcile(
        ingest.open_ledger(params).costs,
        charges,
        month=period,
        settings=params.organisation.reconciliation,
        billing=ingest.billing_usage(params),
        invoice_details=ingest.load_invoice_details(params),
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
