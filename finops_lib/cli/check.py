"""``finops check``: whether the rollout, the deployment gate and the budgets stand, as an exit code for pipelines."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from finops_lib.cli.console import AsJson, Project, out, print_frame

if TYPE_CHECKING:
    import pandas as pd

    from finops_lib.operate import Evidence, RolloutReport

app = typer.Typer()


@app.command(epilog="Example: `finops check --assistant support-copilot --deployment-gate`")
def check(
    assistant: Annotated[str, typer.Option(help="Assistant (default: all, and the organisation).")] = "organisation",
    deployment_gate: Annotated[
        bool, typer.Option("--deployment-gate", help="The twelve requirements before production.")
    ] = False,
    budgets: Annotated[bool, typer.Option("--budgets", help="Whether the budgets hold.")] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="Also fail for what is not due yet, or past a budget's first threshold.")
    ] = False,
    project: Project = None,
    as_json: AsJson = False,
) -> None:
    """Check what is due of the 90 days and who answers for what; exit 1 when something is missing.

    Without options the rollout and the RACI are checked. What is proved is kept in the workspace: when it no longer
    holds at a later check, it has regressed.
    """
    import pandas as pd

    from finops_lib import ingest, operate
    from finops_lib.params import find_project, load_params

    params = load_params(assistant, project=find_project(project))
    ingest.refresh_ledger(params)
    evidence = operate.read_evidence(params, ingest.open_ledger(params))
    found = [_budgets(evidence, strict)] if budgets else []
    if deployment_gate or not budgets:
        report = operate.follow_rollout(evidence)
        operate.keep_proofs(evidence, report.state)
        found.append(_gate(report) if deployment_gate else _rollout(report, strict))
    rows = pd.concat(found, ignore_index=True)
    failures = rows[~rows["passed"].astype(bool)].drop(columns="passed")
    if as_json:
        told = {"passed": failures.empty, "checked": len(rows), "failures": failures.to_dict("records")}
        typer.echo(json.dumps({"assistant": assistant, "as_of": str(evidence.as_of or "") or None, **told}))
    elif len(failures):
        print_frame(failures, as_json=False)
        out.print(f"{len(failures)} of {len(rows)} checks failed")
    else:
        out.print(f"all {len(rows)} checks passed")
    if len(failures):
        raise typer.Exit(1)


def _rollout(report: RolloutReport, strict: bool) -> pd.DataFrame:
    """Take what is late or lost as failed, with ``strict`` whatever is not done, and the mistakes of the RACI."""
    import pandas as pd

    state = report.state
    failing = ["overdue", "regressed", "open"] if strict else ["overdue", "regressed"]
    items = pd.DataFrame({"area": "rollout", "check": state["item"], "passed": ~state["state"].isin(failing)})
    items = items.assign(found=state["state"] + ": " + state["evidence"], remedy=state["remedy"])
    wrong = report.raci_mistakes
    remedy = "mend raci in parameters/organisation.yaml"
    raci = pd.DataFrame({"area": "raci", "check": wrong["activity"], "passed": False, "found": wrong["mistake"]})
    return pd.concat([items, raci.assign(remedy=remedy)], ignore_index=True)


def _gate(report: RolloutReport) -> pd.DataFrame:
    gate = report.gate
    named = gate["assistant"] + ": " + gate["requirement"]
    table = gate.assign(area="deployment gate", check=named).rename(columns={"evidence": "found"})
    return table[["area", "check", "passed", "found", "remedy"]]


def _budgets(evidence: Evidence, strict: bool) -> pd.DataFrame:
    """Take a budget as failed once it is used up, with ``strict`` from its first threshold on."""
    import pandas as pd

    state = evidence.budgets.state
    if state.empty:
        remedy = "set budgets in parameters/organisation.yaml or an assistant's file"
        row = {"area": "budgets", "check": "any budget", "passed": False, "found": "no budget in force"}
        return pd.DataFrame([row | {"remedy": remedy}])
    used = state["used_share"].astype(float)
    holds = state["crossed"].isna() if strict else (used <= 1) | state["is_excepted"].astype(bool)
    found = [f"{part:.0%} of USD {float(money):,.2f} used" for part, money in zip(used, state["allowed"], strict=True)]
    table = pd.DataFrame({"area": "budgets", "check": state["budget"], "passed": holds.astype(bool), "found": found})
    owner = state["technical_owner"].fillna("the technical owner")
    return table.assign(remedy="slow the use down (" + owner + "), or raise the budget with a reason in parameters/")
