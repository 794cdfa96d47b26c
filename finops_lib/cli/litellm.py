"""``finops export litellm``: routing policy, budgets and agent limits as a gateway's configuration."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from finops_lib.cli.console import AsJson, Project, err, load, out, plain
from finops_lib.errors import ParamsError

app = typer.Typer()
_SHOWN = 5


@app.command(epilog="Example: `finops export litellm --out gateway`")
def litellm(
    to: Annotated[Path, typer.Option("--out", help="Folder to write.")],
    project: Project = None,
    as_json: AsJson = False,
) -> None:
    """Write config.yaml and request bodies for a LiteLLM gateway; what it would ignore or refuse is not written."""
    from finops_lib import ingest, operate
    from finops_lib.files import replace_file

    params = load(project)
    ingest.refresh_ledger(params)
    ledger = ingest.open_ledger(params)
    gateway = operate.gateway_config(params, ledger.usage, ingest.contracted_prices(ledger), ledger.as_of)
    findings = operate.gateway_findings(gateway)
    if len(findings):
        told = [
            f"{one['file']}, {one['place']}: found {one['found']}, expected {one['expected']}"
            for one in findings.head(_SHOWN).to_dict("records")
        ]
        message = f"{to} is not written, the gateway would not do what it says: {'; '.join(told)}"
        raise ParamsError(message, hint="mend routing, budgets or keys in parameters/")
    files = operate.gateway_files(gateway)
    for name, text in files.items():
        replace_file(to / name, text)
    notes = [{"kind": kind, "about": about, "note": words} for kind, about, words in gateway.notes]
    if as_json:
        typer.echo(json.dumps({"folder": str(to), "files": list(files), "groups": gateway.groups, "notes": notes}))
        return
    for note in (note for note in notes if note["kind"] == "not held"):
        err.print(f"[yellow]Not held[/] {plain(note['about'])}: {plain(note['note'])}")
    bodies = sum(len(each) for each in gateway.payloads.values())
    out.print(f"{to}: {len(gateway.groups)} model groups, {bodies} request bodies; README.md says what to send where")
