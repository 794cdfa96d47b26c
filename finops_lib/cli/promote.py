"""``finops promote``: put a change on record, with the gate's verdict, so that its saving can be held to account."""

from __future__ import annotations

import json
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Annotated

import typer

from finops_lib.cli.console import AsJson, Project, load, out, plain, read_day
from finops_lib.errors import ParamsError
from finops_lib.settings import Promotion, Promotions

if TYPE_CHECKING:
    from finops_lib.params import Params

app = typer.Typer()

_EXAMPLE = (
    "Example: `finops promote support-copilot gated-routing --workflow ticket-answer --lever routing "
    "--expected 60 --owner support-platform-lead --on 2026-10-26`"
)


@app.command("promote", epilog=_EXAMPLE)
def promote(
    assistant: Annotated[str, typer.Argument(help="Assistant that was changed.")],
    configuration: Annotated[str, typer.Argument(help="What serves from now on, as the evaluations name it.")],
    lever: Annotated[str, typer.Option(help="Lever it pulls, e.g. routing, compression, 'response cache'.")],
    expected: Annotated[str, typer.Option(help="Saving it should bring, USD a month.")],
    owner: Annotated[str, typer.Option(help="Role that answers for it.")],
    workflow: Annotated[str | None, typer.Option(help="Workflow (default: the whole assistant).")] = None,
    on: Annotated[str | None, typer.Option(help="First day in production (default: today).")] = None,
    claim: Annotated[bool, typer.Option("--claim", help="Record it without the gate, marked unproven.")] = False,
    reason: Annotated[str, typer.Option(help="Why, for a claim.")] = "",
    project: Project = None,
    as_json: AsJson = False,
) -> None:
    """Record a promoted change in parameters/promotions.yaml; the gate judges it on the evaluations first."""
    params = load(project)
    if assistant not in params.assistants:
        message = f"No assistant '{assistant}'"
        raise ParamsError(message, hint=f"known: {', '.join(params.assistants) or 'none yet'}")
    verdict = None
    if not claim:
        verdict, reason = _judge(params, assistant, workflow, configuration)
    record = {
        "assistant": assistant, "workflow": workflow, "configuration": configuration, "lever": lever,
        "verdict": verdict, "reason": reason, "promoted_on": read_day(on), "owner": owner,
        "expected_saving": _money(expected),
    }  # fmt: skip
    written = _record(params, record)
    if as_json:
        typer.echo(json.dumps(written.model_dump(mode="json")))
        return
    said = "promoted by the gate" if verdict else "a claim without the gate: its saving counts as unproven"
    out.print(f"On record: {plain(configuration)} for {plain(assistant)} from {written.promoted_on}, {said}")


def _judge(params: Params, assistant: str, workflow: str | None, configuration: str) -> tuple[str, str]:
    """Ask the gate; only what it promotes may pass."""
    from finops_lib import ingest, optimize

    name = f"{assistant}/{workflow}" if workflow else assistant
    evaluations = ingest.load_table(params, "evaluations")
    ingest.refresh_ledger(params)
    ledger = ingest.open_ledger(params)
    own = evaluations[evaluations["evaluation_set"] == name]
    rules = params.assistants[assistant].gate, params.routing_policies, params.organisation.models
    prices = ingest.contracted_prices(ledger, own["configuration"].unique())
    found = optimize.evaluated_routes(own, ledger.month(ledger.costs), *rules, prices)
    verdicts = [route.verdicts.set_index("candidate") for route in found]
    if not verdicts or configuration not in verdicts[0].index:
        message = f"No evaluation of '{configuration}' in the set '{name}'"
        raise ParamsError(message, hint="add its results to the evaluations, or record it with --claim")
    verdict, reason = (str(verdicts[0].loc[configuration, column]) for column in ("verdict", "reason"))
    if not verdicts[0].loc[configuration, "is_allowed"]:
        message = f"The routing policy of '{name}' does not let '{configuration}' serve"
        raise ParamsError(message, hint="change `routing` or `models.data_classes` in parameters/ first")
    if verdict != "promote":
        message = f"The gate does not promote '{configuration}': {verdict}. {reason}"
        raise ParamsError(message, hint="with --claim it is recorded all the same, marked unproven")
    return verdict, reason


def _record(params: Params, promotion: dict[str, object]) -> Promotion:
    """Add the change to the end of the file."""
    from finops_lib import operate
    from finops_lib.ingest import workspace

    path = params.project / "parameters" / "promotions.yaml"
    with workspace.locked(params.workspace):
        return operate.append_record(path, "promotions", promotion, Promotions).promotions[-1]


def _money(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation as error:
        message = f"--expected: found '{text}', expected an amount in USD"
        raise ParamsError(message, hint="e.g. --expected 60") from error
