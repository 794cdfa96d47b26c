"""``finops alerts``: who has to be told what, listed or sent."""

from __future__ import annotations

import json
import os
import time
from datetime import date
from typing import TYPE_CHECKING, Annotated

import typer

from finops_lib.cli.console import AsJson, Project, err, load, out
from finops_lib.errors import ParamsError

if TYPE_CHECKING:
    import pandas as pd

    from finops_lib.params import Params

app = typer.Typer()


@app.command(epilog="Example: `finops alerts --send platform`")
def alerts(
    since: Annotated[str | None, typer.Option(help="Only what was found on this day YYYY-MM-DD or later.")] = None,
    style: Annotated[str, typer.Option("--format", help="text, json, webhook, slack or teams.")] = "",
    send: Annotated[
        str | None, typer.Option(help="Send to this address, or to an audience of alerts.targets by its name.")
    ] = None,
    cadence: Annotated[str | None, typer.Option(help="Only the daily, weekly or monthly digest.")] = None,
    assistant: Annotated[str | None, typer.Option(help="Only this assistant.")] = None,
    project: Project = None,
    as_json: AsJson = False,
) -> None:
    """List or send what somebody has to be told: budgets, unusual spend, drift, lapsed exceptions, missing owners."""
    from finops_lib import operate

    params = load(project)
    if assistant is not None and assistant not in params.assistants:
        message = f"No file parameters/{assistant}.yaml in {params.project}"
        raise ParamsError(message, hint=f"known: {', '.join(params.assistants) or 'none yet'}")
    if cadence not in (None, *operate.AUDIENCES):
        message = f"--cadence: found '{cadence}', expected daily, weekly or monthly"
        raise ParamsError(message, hint="daily is for platform owners, weekly for team leads, monthly for finance")
    settings = params.organisation.alerts
    target = settings.targets.get(send or "")
    if send is not None and target is None and "://" not in send:
        message = f"--send: '{send}' is no address and no audience of alerts.targets"
        raise ParamsError(message, hint=f"audiences: {', '.join(settings.targets) or 'none yet'}; or https://host/path")
    kind = style or ("text" if send is None else target.format if target else "webhook")
    found = _found(params, since, assistant, cadence or (target.cadence if target else None))
    if send is None:
        text = operate.format_alerts(found, kind)
        typer.echo(json.dumps({"alerts": operate.alert_records(found)}) if as_json else text)
        return
    _send(params, found, send, kind, as_json)


def _send(params: Params, found: pd.DataFrame, send: str, kind: str, as_json: bool) -> None:
    """Send to an address or an audience; exit with 1 when something stays unsent."""
    from finops_lib import operate

    settings = params.organisation.alerts
    target = settings.targets.get(send)
    url = os.environ.get(target.url_variable, "") if target else send
    if not url:
        message = f"the environment variable {target.url_variable if target else ''} holds no address"
        raise ParamsError(
            message, hint=f"set it to where '{send}' is told, or give the address: --send https://host/path"
        )
    secret = os.environ.get(settings.secret_variable)
    if not secret and not as_json:
        err.print(f"[yellow]Warning[/] messages are not signed: {settings.secret_variable} is not set")
    sent = operate.send_alerts(
        found,
        url,
        params.workspace,
        clock=time.time,
        kind=kind,
        secret=secret,
        attempts=settings.attempts,
        timeout=settings.timeout_seconds,
    )
    unsent = sent[sent["status"] == "unsent"]
    if as_json:
        typer.echo(json.dumps({"found": len(found), "sent": len(sent) - len(unsent), "unsent": unsent["key"].tolist()}))
    else:
        out.print(f"{len(found)} alerts, {len(sent) - len(unsent)} sent now, {len(unsent)} unsent")
        for row in unsent.itertuples():
            out.print(f"  {row.key}: {row.error}", markup=False, highlight=False)
    if len(unsent):
        # As for pytest: 1 when something ran and failed, 2 when it could not begin.
        raise typer.Exit(1)


def _found(params: Params, since: str | None, assistant: str | None, cadence: str | None) -> pd.DataFrame:
    from finops_lib import inform, ingest, operate

    try:
        first = date.fromisoformat(since) if since else None
    except ValueError as error:
        message = f"--since: found '{since}', expected a day YYYY-MM-DD"
        raise ParamsError(message, hint="e.g. --since 2026-09-30") from error
    ingest.refresh_ledger(params)
    ledger = ingest.open_ledger(params)
    inform.adopt_model(ingest.made_once(params, "forecast_model", inform.fit_panel))
    asked = ingest.agent_runs(params), ingest.dearest_calls(ledger)
    watched, burnt = operate.watch_and_burn(params, ledger.costs, ledger.usage, ledger.as_of, *asked)
    return operate.alerts(
        burnt,
        watched,
        as_of=ledger.as_of,
        settings=params.organisation.alerts,
        assistants=params.assistants,
        since=first,
        assistant=assistant,
        cadence=cadence,
    )
