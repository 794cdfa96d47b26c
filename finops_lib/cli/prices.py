"""``finops prices``: the price list, shown, compared and renewed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from finops_lib.cli.console import AsJson, Project, load, out, plain, print_frame, read_day
from finops_lib.errors import ParamsError

app = typer.Typer(no_args_is_help=True, help="Show, compare and renew the price list.")


@app.command("show", epilog="Example: `finops prices show gpt-5.2 --on 2026-09-01`")
def prices_show(
    model: Annotated[str, typer.Argument(help="Model name.")],
    on: Annotated[str | None, typer.Option(help="Day YYYY-MM-DD (default: today).")] = None,
    as_json: AsJson = False,
) -> None:
    """Show the prices of a model on a day."""
    from finops_lib.ingest import read_price_list
    from finops_lib.ingest.prices.price_list import price_table

    day = read_day(on)
    table = price_table(read_price_list(), model, day)
    if as_json:
        print_frame(table, as_json)
        return
    out.print(f"{plain(model)} on {day}: USD per million tokens (web search: per search)")
    classes = ["uncached_input", "cache_read", "cache_write_5m", "cache_write_1h", "output", "web_search"]
    shown = table[["provider", "model", "service_tier", "context_from", *classes]].dropna(axis=1, how="all")
    print_frame(shown.rename(columns={"service_tier": "tier", "context_from": "input over"}), as_json)


@app.command("diff", epilog="Example: `finops prices diff --period 2026-09`")
def prices_diff(
    against: Annotated[Path | None, typer.Argument(help="Folder of another price list; what changed since it.")] = None,
    period: Annotated[str | None, typer.Option(help="Month: what pricing it anew would change, by model.")] = None,
    project: Project = None,
    as_json: AsJson = False,
) -> None:
    """Compare price lists, or a month's costs with what they would be under the current list."""
    from finops_lib.ingest import read_price_list, repricing
    from finops_lib.ingest.prices.price_list import price_difference

    if period:
        print_frame(repricing(load(project), period), as_json)
    elif against:
        print_frame(price_difference(read_price_list(against), read_price_list()), as_json)
    else:
        message = "Nothing to compare with"
        raise ParamsError(message, hint="give a folder of another price list, or --period YYYY-MM")


@app.command("refresh", epilog="Example: `finops prices refresh --out new_prices && finops prices diff new_prices`")
def prices_refresh(
    folder: Annotated[Path, typer.Option("--out", help="Folder to write the price list to.")],
    on: Annotated[str | None, typer.Option(help="Day to record YYYY-MM-DD (default: today).")] = None,
    as_json: AsJson = False,
) -> None:
    """Make a new version of the price list from the installed genai-prices package and the kit's corrections."""
    from finops_lib.ingest import read_price_list
    from finops_lib.ingest.prices.price_list import price_difference
    from finops_lib.ingest.prices.refresh import refresh, write_price_list

    day = read_day(on)
    write_price_list(folder, *refresh(day))
    changed = price_difference(read_price_list(), read_price_list(folder))
    version = read_price_list(folder).version
    if as_json:
        typer.echo(json.dumps({"price_version": version, "folder": str(folder), "prices_differing": len(changed)}))
    else:
        out.print(f"{version} written to {folder}: {len(changed):,} prices differ from the packaged list")
