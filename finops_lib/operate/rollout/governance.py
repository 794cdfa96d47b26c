"""Governance: the deployment gate, who answers for what, and the seven questions of every workload."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from finops_lib.inform.measures import ratio, total
from finops_lib.operate.rollout.evidence import AssistantEvidence, Evidence
from finops_lib.settings import Raci

_GATE = {
    "business owner": ("owner", "business"),
    "technical owner": ("owner", "technical"),
    "cost center": ("check", "cost_center_named"),
    "model tier": ("check", "tiers_set"),
    "usage profile": ("check", "plan_given"),
    "budget threshold": ("check", "budget_set"),
    "observability tags": ("check", "coverage_reached"),
    "data classification": ("check", "data_class_named"),
    "security review": ("attestation", "security-review"),
    "fallback plan": ("check", "fallback_named"),
    "quality metric": ("check", "success_defined"),
    "value metric": ("check", "outcome_valued"),
}
"""Requirement → what meets it: an owner, a check, or an item that a role attests."""
_ATTESTED_TOO = {"fallback_named": "fallback"}
"""Check → the item that may be attested where it cannot tell."""

_GATE_COLUMNS = ("assistant", "requirement", "passed", "evidence", "remedy")


def deployment_gate(evidence: Evidence, proofs: pd.DataFrame) -> pd.DataFrame:
    """Say which of the twelve requirements before production each assistant meets, and what is missing.

    Parameters
    ----------
    evidence : Evidence
        From ``read_evidence``.
    proofs : DataFrame
        Result of the checks: ``check``, ``assistant``, ``passed``, ``found``, ``remedy``.

    Returns
    -------
    DataFrame
        Twelve rows per assistant: ``assistant``, ``requirement``, ``passed`` (bool), ``evidence``, ``remedy`` (what to
        put where; empty when it passes). What the data cannot tell passes only where a role attested it.

    References
    ----------
    Requirement G2.
    """
    said = {(row.check, row.assistant): row for row in proofs.itertuples(index=False)}
    rows = []
    for name, assistant in evidence.assistants.items():
        attested = {a.item: a for a in assistant.settings.rollout.attested}
        for requirement, (kind, key) in _GATE.items():
            if kind == "owner":
                role = getattr(assistant.settings.owners, key)
                found, passed = role or "not named", bool(role)
                remedy = f"set owners.{key} in parameters/{name}.yaml"
            elif kind == "attestation":
                found, passed, remedy = "not attested", None, _attest(key, name)
            else:
                proof = said[key, name]
                found, passed, remedy = proof.found, proof.passed, proof.remedy
            attestation = attested.get(_ATTESTED_TOO.get(key, key))
            if attestation and passed is None:
                found, passed = f"attested by {attestation.role} on {attestation.day}", True
            rows.append((name, requirement, bool(passed), found, "" if passed else remedy))
    return pd.DataFrame(rows, columns=list(_GATE_COLUMNS))


def raci_mistakes(raci: Raci) -> pd.DataFrame:
    """Find the activities that not exactly one function is accountable for.

    Parameters
    ----------
    raci : mapping
        Activity → function → letters of R, A, C, I.

    Returns
    -------
    DataFrame
        One row per mistake: ``activity``, ``mistake``.

    References
    ----------
    Requirement G3.

    Examples
    --------
    >>> mistakes = raci_mistakes({"attribute": {"Finance": "C", "Engineering": "R"}, "gate": {"Engineering": "A"}})
    >>> mistakes["activity"].tolist()
    ['attribute']
    """
    rows = []
    for activity, functions in raci.items():
        accountable = [function for function, letters in functions.items() if "A" in letters]
        if len(accountable) != 1:
            rows.append((activity, f"{' and '.join(accountable) or 'no function'} accountable, expected exactly one"))
    return pd.DataFrame(rows, columns=["activity", "mistake"])


def raci_table(raci: Raci) -> pd.DataFrame:
    """Lay the activities and functions out as a table.

    Parameters
    ----------
    raci : mapping
        Activity → function → letters.

    Returns
    -------
    DataFrame
        One row per activity, a column per function with its letters.
    """
    return pd.DataFrame.from_dict(raci, orient="index").rename_axis("activity").reset_index()


def operating_questions(evidence: Evidence) -> pd.DataFrame:
    """Answer the seven operating questions for each assistant, from data.

    Parameters
    ----------
    evidence : Evidence
        From ``read_evidence``.

    Returns
    -------
    DataFrame
        Seven rows per assistant: ``assistant``, ``question``, ``answer``, ``is_answered``.

    References
    ----------
    Requirement G3.
    """
    users = evidence.users.set_index("assistant")["users"].to_dict()
    rows = []
    for name, assistant in evidence.assistants.items():
        for question, answer in _answers(evidence, assistant, users).items():
            rows.append((name, question, answer or "not known", bool(answer)))
    return pd.DataFrame(rows, columns=["assistant", "question", "answer", "is_answered"])


def _answers(evidence: Evidence, a: AssistantEvidence, users: Mapping[str, int]) -> dict[str, str]:
    s, catalogue = a.settings, evidence.params.organisation.models
    _, review = evidence.reviews(a.name)
    policies = {p.tier or (catalogue.tier_of_task(p.task) if p.task else None) for p in s.routing} - {None}
    used = _tiers_used(evidence, a)
    held = [f"hard cap {b.name}" for b in s.budgets if b.cap == "hard"]
    held += ["agent limits"] if s.agent_limits.model_dump(exclude_none=True) else []
    held += [f"budget {b.name} with alerts" for b in s.budgets if b.cap == "soft"]
    measured = [f"{s.success} tasks"] if s.success else []
    measured += evidence.evaluation_sets(a.name)
    worth = f", worth USD {s.outcome.value}" if s.outcome and s.outcome.value is not None else ""
    return {
        "Who owns it?": " and ".join(filter(None, (s.owners.business, s.owners.technical))),
        "What outcome does it serve?": f"{s.outcome.name}{worth}" if s.outcome else "",
        "Which tier does it use?": "; ".join(
            filter(None, (f"policy: {', '.join(sorted(policies))}" if policies else "", used))
        ),
        "What does a call, a user, an outcome cost?": _unit_costs(evidence, a, users.get(a.name, 0)),
        "What stops runaway use?": ", ".join(held),
        "How is quality measured?": ", ".join(measured),
        "When is the next review?": str(review or ""),
    }


def _tiers_used(evidence: Evidence, a: AssistantEvidence) -> str:
    spent = a.costs["contracted_cost"].astype("float64").groupby(a.costs["model"].astype(str)).sum()
    if not spent.sum() > 0:
        return ""
    tier = {model: evidence.params.organisation.models.tier_of(model) or "no tier" for model in spent.index}
    parts = ratio(spent.groupby(spent.index.map(tier)).sum().sort_values(ascending=False), float(spent.sum()))
    return "spend: " + ", ".join(f"{name.replace('_', ' ')} {part:.0%}" for name, part in parts.items())


def _unit_costs(evidence: Evidence, a: AssistantEvidence, users: int) -> str:
    own = a.recent_outcomes(evidence.outcomes)
    counts = {"a call": a.counted("request_count"), "a user": users, "an outcome": int(total(own) or 0)}
    parts = [f"USD {a.spent / n:,.4f} {unit}" if n else f"{unit}: not counted" for unit, n in counts.items()]
    return ", ".join(parts) + " (31 days)" if a.spent else ""


def _attest(item: str, name: str) -> str:
    return f"add {{item: {item}, role: …, day: …}} to rollout.attested in parameters/{name}.yaml"
