"""Command line: ``finops``, each command a thin call into the stages."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from finops_lib import __version__
from finops_lib.cli import alerts, check, decide, doctor, export, ingest, init, months, prices, promote, run
from finops_lib.cli.console import out, tell
from finops_lib.errors import FinOpsError

__all__ = ["app", "main"]

app = typer.Typer(
    no_args_is_help=True, rich_markup_mode="markdown", add_completion=False, pretty_exceptions_enable=False
)
for commands in (init, ingest, run, months, check, alerts, promote, decide, doctor):
    app.add_typer(commands.app)
app.add_typer(prices.app, name="prices")
app.add_typer(export.app, name="export")


def main() -> None:
    """Run the command line; errors of the kit are told in words, with a hint, and exit with 1 or 2."""
    try:
        app(prog_name="finops")
    except FinOpsError as error:
        tell(error)
        sys.exit(2)


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
