"""``finops ingest``: data in."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from finops_lib.cli.console import AsJson, Project, err, load, out, plain
from finops_lib.params import Source

app = typer.Typer()


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
            "anthropic-usage, bedrock, azure-apim, vertex, focus, focus-invoice, openai-costs, anthropic-cost, "
            "mapped or auto.",
        ),
    ] = "auto",
    project: Project = None,
    workspace: Annotated[Path | None, typer.Option(help="Folder of the ledger (default: outputs/workspace).")] = None,
    mapping: Annotated[Path | None, typer.Option(help="YAML of column names, for format mapped.")] = None,
    table: Annotated[
        str,
        typer.Option(
            help="requests, charges, invoice_details, outcomes, evaluations, seats, capacity, customers, volumes."
        ),
    ] = "requests",
    assistant: Annotated[str | None, typer.Option(help="Assistant of calls that name none.")] = None,
    account: Annotated[str | None, typer.Option(help="Provider account the calls are billed to.")] = None,
    as_json: AsJson = False,
) -> None:
    """Read exports and bills into the workspace and bring the ledger up to date. Reading them again changes nothing."""
    from finops_lib.ingest import read_source, refresh_ledger
    from finops_lib.ingest.reading.sources import combined

    params = load(project, workspace)
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
    if all("totals" in reading.figures for reading in readings):
        _print_bills(summary)
    else:
        _print_summary(summary)
    for reading in readings:
        for row in reading.reasons:
            if row["fate"] in ("quarantined", "skipped", "duplicates"):
                out.print(f"  {row['rows']:,} {row['fate']}: {row['reason']}")
    for warning in summary["warnings"]:
        err.print(f"[yellow]Warning[/] {plain(warning)}")


def _print_bills(summary: dict[str, Any]) -> None:
    fates = {"read": "read", "requests": "kept", "duplicates": "duplicates", "quarantined": "quarantined"}
    out.print(", ".join(f"{summary[name]:,} {word}" for name, word in fates.items()))
    for row in summary["mended"]:
        out.print(f"  mended: {row['kind']}, {row['cells']:,} cells in {row['rows']:,} rows")
    shown = Table("issuer", "month", "lines", "billed", "in USD", box=None)
    for row in summary["totals"]:
        amount, converted = (f"{Decimal(row[name]):,.2f}" for name in ("billed_cost", "reporting_cost"))
        shown.add_row(row["issuer"], row["month"], f"{row['lines']:,}", f"{row['currency']} {amount}", converted)
    out.print(shown)


def _print_summary(summary: dict[str, Any]) -> None:
    shown = Table(show_header=False, box=None)
    for key, value in summary.items():
        if key in ("quarantine_reasons", "warnings", "format", "mended", "totals"):
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
