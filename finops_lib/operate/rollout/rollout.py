"""Rollout: the 90 days as a checklist that the ledger, the parameters or a named role prove."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from importlib import resources
from pathlib import Path
from typing import Any

import pandas as pd
import yaml
from pydantic import ValidationError

from finops_lib.checks import check, checklist
from finops_lib.errors import ParamsError
from finops_lib.operate.rollout.evidence import Evidence
from finops_lib.operate.rollout.governance import deployment_gate, operating_questions, raci_mistakes
from finops_lib.operate.rollout.proofs import CHECKS, LIMITED, PROOF_COLUMNS, prove
from finops_lib.params import ORGANISATION, Params
from finops_lib.settings import Attestation, RolloutItem

STEPS = {
    1: "Days 1–15: route and observe",
    2: "Days 16–30: attribute",
    3: "Days 31–45: define success, forecast",
    4: "Days 46–70: levers behind the gate",
    5: "Days 71–90: operationalise",
}
DONE = ("proved", "attested")
_COLUMNS = (
    *("item", "step", "step_name", "phase", "scope", "what", "why", "responsible", "accountable", "due", "state"),
    *("evidence", "remedy", "done_on", "slip_days"),
)
_FILE = "rollout_items.yaml"
_URGENCY = {"regressed": 0, "overdue": 1, "open": 2}


def read_rollout(project: Path) -> tuple[list[RolloutItem], dict[str, list[str]]]:
    """Read the checklist: the shipped one, with what ``parameters/rollout_items.yaml`` adds or overrides.

    Parameters
    ----------
    project : Path
        The project folder.

    Returns
    -------
    list of RolloutItem, dict
        The items by due day; what day 90 is judged by → ids of the items it takes.

    Raises
    ------
    ParamsError
        If an item is incomplete, names a check that is not there, lacks its limit or has one too many, or a criterion
        names an item that is not there.
    """
    shipped = yaml.safe_load((resources.files("finops_lib.operate.rollout") / _FILE).read_text(encoding="utf-8"))
    own = Path(project) / "parameters" / _FILE
    try:
        given = (yaml.safe_load(own.read_text(encoding="utf-8")) if own.is_file() else None) or {}
        merged: dict[str, dict[str, Any]] = {}
        for raw in [*shipped["items"], *given.get("items", [])]:
            merged[raw["id"]] = merged.get(raw["id"], {}) | raw
        items = [RolloutItem.model_validate(raw) for raw in merged.values()]
    except (yaml.YAMLError, AttributeError, KeyError, TypeError, ValidationError) as error:
        message = f"{own}: not a list of rollout items: {error}"
        raise ParamsError(message, hint="parameters/README.md lists the keys of an item; each has an id") from error
    criteria = shipped["day_90"] | given.get("day_90", {})
    unknown = [i.proof for i in items if i.proof not in {*CHECKS, "attestation"}]
    unknown += [name for names in criteria.values() for name in names if name not in merged]
    if unknown:
        message = f"{own}: no check and no item is called '{unknown[0]}'"
        raise ParamsError(message, hint=f"checks: {', '.join(sorted(CHECKS))}, or attestation")
    wrong = [item for item in items if (item.proof in LIMITED) != (item.limit is not None)]
    if wrong:
        message = f"{own}: item '{wrong[0].id}': its check takes {'a' if wrong[0].proof in LIMITED else 'no'} limit"
        raise ParamsError(message, hint=f"checks with a limit: {', '.join(sorted(LIMITED))}")
    return sorted(items, key=lambda item: item.day), criteria


@dataclass(frozen=True)
class RolloutReport:
    """The 90 days of one scope.

    Attributes
    ----------
    start, as_of : date or None
        First day of the 90, and the day looked from.
    state : DataFrame
        Items, as ``rollout_state`` makes them.
    actions : DataFrame
        What to do first, as ``next_actions`` lists it.
    criteria : DataFrame
        As ``day_90`` judges them.
    gate : DataFrame
        As ``deployment_gate`` makes it.
    questions : DataFrame
        As ``operating_questions`` makes them.
    raci_mistakes : DataFrame
        As ``raci_mistakes`` finds them.
    """

    start: date | None
    as_of: date | None
    state: pd.DataFrame
    actions: pd.DataFrame
    criteria: pd.DataFrame
    gate: pd.DataFrame
    questions: pd.DataFrame
    raci_mistakes: pd.DataFrame

    @property
    def done(self) -> int:
        """Items proved or attested."""
        return int(self.state["state"].isin(DONE).sum())

    @property
    def checks(self) -> pd.DataFrame:
        """Check rows: what decides whether the rollout is on its way."""
        late = int(self.state["state"].isin(["overdue", "regressed"]).sum())
        failed = int((~self.gate["passed"].astype(bool)).sum())
        unanswered = int((~self.questions["is_answered"].astype(bool)).sum())
        counted = {
            "items_overdue_or_lost": (late, "items past their day, or proved once and no longer"),
            "gate_requirements_missing": (failed, "of the twelve of each assistant"),
            "questions_without_answer": (unanswered, "of the seven of each assistant"),
            "activities_without_one_accountable": (len(self.raci_mistakes), "in raci of organisation.yaml"),
        }
        rows = [check(name, n, "<=", 0, unit="", comment=why) for name, (n, why) in counted.items()]
        met = int(self.criteria["is_met"].sum())
        rows.append(check("criteria_of_day_90_met", met, ">=", len(self.criteria), unit="", comment="see day 90"))
        return checklist(rows)


def rollout_state(items: list[RolloutItem], proofs: pd.DataFrame, evidence: Evidence) -> pd.DataFrame:
    """Say of each item whether it is proved, attested, open, overdue, or was proved once and is no longer.

    Parameters
    ----------
    items : list of RolloutItem
        From ``read_rollout``.
    proofs : DataFrame
        From ``prove``: ``check``, ``assistant``, ``passed``, ``found``, ``remedy``.
    evidence : Evidence
        Whose scope, start, attestations and earlier proofs.

    Returns
    -------
    DataFrame
        One row per item of the scope, by due day: ``item``, ``step``, ``step_name``, ``phase``, ``scope``, ``what``,
        ``why``, ``responsible``, ``accountable``, ``due`` (day; null without a start), ``state``, ``evidence`` and
        ``remedy`` in words, ``done_on`` (of what is attested), ``slip_days`` (days past due: until then, or until
        today). What a check finds wanting cannot be attested; what it cannot tell can.

    References
    ----------
    Requirement G1.
    """
    params, as_of, seen = evidence.params, evidence.as_of, evidence.history
    start = _start(params)
    by_check = {str(name): rows for name, rows in proofs.groupby("check", sort=False)}
    rows = []
    for item in items:
        if item.scope == "organisation" and params.assistant != ORGANISATION:
            continue
        passed, found, remedy = _proved(by_check.get(item.proof))
        attestation = _attested(item, params, as_of)
        due = start + timedelta(days=item.day - 1) if start else None
        done = None
        if passed:
            state = "proved"
        elif passed is None and attestation:
            state, done, remedy = "attested", attestation.day, ""
            found = f"{attestation.role} on {attestation.day}" + (f": {attestation.note}" if attestation.note else "")
        elif item.id in seen and (as_of is None or date.fromisoformat(seen[item.id]) < as_of):
            state, found = "regressed", f"proved on {seen[item.id]}; now {found}"
        else:
            state = "overdue" if due and as_of and as_of > due else "open"
            remedy = remedy or _how_to_attest(item, params)
        until = done or (None if state in DONE else as_of)
        slip = max((until - due).days, 0) if due and until else 0
        who = (_role(role, params) for role in (item.responsible, item.accountable))
        of_item = (item.id, item.step, STEPS[item.step], item.phase, item.scope, item.what, item.why, *who)
        rows.append((*of_item, due, state, found, remedy, done, slip))
    return pd.DataFrame(rows, columns=list(_COLUMNS))


def limits_of(items: list[RolloutItem]) -> dict[str, float]:
    """Read what each check allows off the items it proves; of several the last to fall due counts."""
    return {item.proof: item.limit for item in items if item.limit is not None}


def follow_rollout(evidence: Evidence) -> RolloutReport:
    """Hold the 90 days of a scope against its evidence.

    Parameters
    ----------
    evidence : Evidence
        From ``read_evidence``.

    Returns
    -------
    RolloutReport
        Items, gate, questions, next actions and the criteria of day 90.

    Raises
    ------
    ParamsError
        If the company's checklist cannot be read.
    """
    items, criteria = read_rollout(evidence.params.project)
    proofs = prove(evidence, limits_of(items))
    gate = deployment_gate(evidence, proofs)
    state = rollout_state(items, pd.concat([proofs, _gate_proofs(gate)], ignore_index=True), evidence)
    return RolloutReport(
        start=_start(evidence.params),
        as_of=evidence.as_of,
        state=state,
        actions=next_actions(state),
        criteria=day_90(state, criteria),
        gate=gate,
        questions=operating_questions(evidence),
        raci_mistakes=raci_mistakes(evidence.params.organisation.raci),
    )


def next_actions(state: pd.DataFrame, count: int = 5) -> pd.DataFrame:
    """List what to do first: what was lost again, then what is overdue, then what is due next.

    Parameters
    ----------
    state : DataFrame
        From ``rollout_state``.
    count : int
        Rows at most.

    Returns
    -------
    DataFrame
        ``what``, ``responsible``, ``accountable``, ``due``, ``state``, ``remedy``.
    """
    left = state[~state["state"].isin(DONE)]
    order = left.assign(_urgency=left["state"].map(_URGENCY)).sort_values(["_urgency", "due"], kind="stable")
    return order.head(count)[["what", "responsible", "accountable", "due", "state", "remedy"]].reset_index(drop=True)


def day_90(state: pd.DataFrame, criteria: Mapping[str, list[str]]) -> pd.DataFrame:
    """Judge the success criteria of day 90 by the items each takes.

    Parameters
    ----------
    state : DataFrame
        From ``rollout_state``.
    criteria : mapping
        Criterion → ids of items; those outside the scope are left out.

    Returns
    -------
    DataFrame
        ``criterion``, ``done`` and ``items`` (counts), ``is_met``, ``missing`` (what is left, in words).
    """
    by_item = state.set_index("item")
    rows = []
    for criterion, wanted in criteria.items():
        own = by_item[by_item.index.isin(wanted)]
        left = own[~own["state"].isin(DONE)]
        if len(own):
            rows.append((criterion, len(own) - len(left), len(own), left.empty, "; ".join(left["what"])))
    return pd.DataFrame(rows, columns=["criterion", "done", "items", "is_met", "missing"])


def _gate_proofs(gate: pd.DataFrame) -> pd.DataFrame:
    """Sum the deployment gate up as proofs, an assistant each."""
    rows = []
    for name, own in gate.groupby("assistant", sort=True):
        missing = own.loc[~own["passed"], "requirement"]
        found = f"missing: {', '.join(missing)}" if len(missing) else "all twelve requirements are met"
        remedy = f"finops check --assistant {name} --deployment-gate says what to put where" if len(missing) else ""
        rows.append(("gate_passed", name, missing.empty, found, remedy))
    return pd.DataFrame(rows, columns=list(PROOF_COLUMNS)).astype({"passed": object})


def _start(params: Params) -> date | None:
    own = None if params.assistant == ORGANISATION else params.settings.rollout.start
    return own or params.organisation.rollout.start


def _role(role: str, params: Params) -> str:
    """Name the role that owns an assistant, where its file does."""
    kind, _, owner = role.partition(" ")
    named = getattr(params.settings.owners, kind, None) if owner == "owner" else None
    return named if named and params.assistant != ORGANISATION else role


def _proved(rows: pd.DataFrame | None) -> tuple[bool | None, str, str]:
    """Join what a check found for each assistant: proved when it holds for all, not known if nothing speaks against."""
    if rows is None or rows.empty:
        return None, "not shown by data", ""
    lacking = rows[[passed is not True for passed in rows["passed"]]]
    verdict = None if len(lacking) and not any(passed is False for passed in rows["passed"]) else lacking.empty
    if len(rows) == 1:
        return verdict, rows["found"].iloc[0], rows["remedy"].iloc[0]
    if lacking.empty:
        return True, f"holds for all {len(rows)} assistants", ""
    said = lacking.groupby("found", sort=False)["assistant"].agg(", ".join)
    rest = lacking["assistant"].tolist()[1:]
    remedy = lacking["remedy"].iloc[0] + (f"; likewise for {', '.join(rest)}" if rest else "")
    return verdict, "; ".join(f"{names}: {found}" for found, names in said.items()), remedy


def _attested(item: RolloutItem, params: Params, as_of: date | None) -> Attestation | None:
    """Find who attested an item by that day; for all assistants together the last of them, when each has."""

    def said(attestations: list[Attestation]) -> Attestation | None:
        own = [a for a in attestations if a.item == item.id and (as_of is None or a.day <= as_of)]
        return max(own, key=lambda a: a.day, default=None)

    if params.assistant != ORGANISATION:
        return said(params.settings.rollout.attested)
    for_all = said(params.organisation.rollout.attested)
    if for_all or item.scope == "organisation" or not params.assistants:
        return for_all
    each = [said(settings.rollout.attested) for settings in params.assistants.values()]
    return max((a for a in each if a), key=lambda a: a.day) if all(each) else None


def _how_to_attest(item: RolloutItem, params: Params) -> str:
    each = item.scope == "assistant" and params.assistant == ORGANISATION
    file = "each assistant's file" if each else f"parameters/{params.assistant}.yaml"
    return f"do it, then add {{item: {item.id}, role: …, day: …}} to rollout.attested in {file}"
