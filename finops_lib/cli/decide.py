"""``finops decide``: what a review decided goes on record."""

from __future__ import annotations

import difflib
import json
from typing import Annotated

import typer

from finops_lib.cli.console import AsJson, Project, load, out, plain, read_day
from finops_lib.errors import ParamsError

app = typer.Typer()


@app.command(
    epilog="Example: `finops decide --kind routing --assistant support-copilot --workflow ticket-summary --decision "
    '"Summaries on the low-cost tier" --owner support-platform-lead --effect -40 --review 2026-11-30`'
)
def decide(
    kind: Annotated[str, typer.Option(help="budget, routing, retirement, workflow or exception.")],
    decision: Annotated[str, typer.Option(help="What was decided, in one sentence.")],
    owner: Annotated[str, typer.Option(help="Role that answers for it.")],
    review: Annotated[str, typer.Option(help="Day YYYY-MM-DD on which it is looked at again.")],
    assistant: Annotated[str, typer.Option(help="Assistant it is about (default: all).")] = "organisation",
    workflow: Annotated[str | None, typer.Option(help="Workflow it is about.")] = None,
    effect: Annotated[str | None, typer.Option(help="Expected change of the cost in USD a month; less is -.")] = None,
    waste: Annotated[
        str | None, typer.Option(help="Retirement: the line of waste it ends, as the review has it.")
    ] = None,
    quantity: Annotated[float | None, typer.Option(help="Retirement: how much of it (default: all).")] = None,
    approver: Annotated[str | None, typer.Option(help="Exception: role that approved it.")] = None,
    reason: Annotated[str | None, typer.Option(help="Exception: why.")] = None,
    expires: Annotated[str | None, typer.Option(help="Exception: its last day YYYY-MM-DD.")] = None,
    on: Annotated[str | None, typer.Option(help="Day of the decision YYYY-MM-DD (default: today).")] = None,
    project: Project = None,
    as_json: AsJson = False,
) -> None:
    """Record a decision of a review: what, who, what it shall bring, and when it is looked at again."""
    from finops_lib.operate import record_decision

    params = load(project)
    known = ["organisation", *params.assistants]
    if assistant not in known:
        close = difflib.get_close_matches(assistant, known, n=1)
        message = f"--assistant: no assistant '{assistant}' in parameters/"
        raise ParamsError(message, hint=f"did you mean '{close[0]}'?" if close else f"known: {', '.join(known)}")
    values = {
        "decided": read_day(on),
        "kind": kind,
        "assistant": assistant,
        "workflow": workflow,
        "decision": decision,
        "owner": owner,
        "effect": effect,
        "review": review,
        "waste": waste,
        "quantity": quantity,
        "approver": approver,
        "reason": reason,
        "expires": expires,
    }
    recorded = record_decision(params, values)
    if as_json:
        typer.echo(json.dumps(recorded.model_dump(mode="json")))
        return
    out.print(f"On record in parameters/decisions.yaml: {plain(recorded.decision)}", highlight=False)
    out.print(f"{recorded.owner} answers for it; it is looked at again on {recorded.review}", highlight=False)
