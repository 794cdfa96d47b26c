"""``finops export``: files for other systems."""

from __future__ import annotations

import typer

from finops_lib.cli import focus, journal, litellm

app = typer.Typer(no_args_is_help=True, help="Write files for other systems.")
app.add_typer(focus.app)
app.add_typer(journal.app)
app.add_typer(litellm.app)
