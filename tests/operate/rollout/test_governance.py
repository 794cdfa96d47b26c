"""Governance: a gate of twelve, one accountable function, seven questions."""

from __future__ import annotations

from datetime import date

import pandas as pd

from finops_lib.operate.rollout.governance import deployment_gate, operating_questions, raci_mistakes, raci_table
from finops_lib.operate.rollout.proofs import LIMITED, prove
from finops_lib.settings.rollout import DEFAULT_RACI

COMPLETE = {
    "owners": {"business": "head-of-brand", "technical": "marketing-systems-lead"},
    "success": "accepted",
    "budgets": [{"name": "bot", "amount": 100}],
    "routing": [{"workflow": "draft", "tier": "low_cost", "fallback": {"gpt-5.4-mini": "claude-haiku-4-5"}}],
    "outcome": {"name": "draft_used", "value": 2, "confirmed_by": "head-of-brand"},
    "rollout": {"attested": [{"item": "security-review", "role": "security-lead", "day": date(2026, 10, 3)}]},
    "plan": {
        **{"users": 9, "requests_per_user_day": 2, "prompt_tokens": 800, "answer_tokens": 200},
        "models": {"gpt-5.4-mini": 1},
    },
}
PUBLISHED = {
    activity: dict(zip(("Finance", "Engineering", "Governance", "Product"), letters, strict=True))
    for activity, letters in {
        "budget and forecast": "ACIC",
        "attribute spend": "CRII",
        "apply levers": "IACC",
        "define the outcome": "CCIA",
        "run the gate": "IACC",
        "cost policy and limits": "CRAC",
        "review KPIs": "ARCC",
    }.items()
}


def _gate(evidence):
    return deployment_gate(evidence, prove(evidence, dict.fromkeys(LIMITED, 7))).set_index("requirement")


def test_a_complete_assistant_passes_all_twelve(make_evidence) -> None:
    """Nothing is missing, so nothing is to be done."""
    gate = _gate(make_evidence({"bot": COMPLETE}))

    assert (12, 12) == (len(gate), gate["passed"].sum())
    assert {""} == set(gate["remedy"])


def test_what_is_missing_is_named_with_its_place(make_evidence) -> None:
    """Take a key away and exactly its requirement fails, with the file to mend."""
    for key, requirement in {
        "success": "quality metric",
        "budgets": "budget threshold",
        "routing": "model tier",
        "outcome": "value metric",
        "rollout": "security review",
        "plan": "usage profile",
    }.items():
        gate = _gate(make_evidence({"bot": {name: value for name, value in COMPLETE.items() if name != key}}))
        failed = gate[~gate["passed"]]

        assert requirement in failed.index
        assert set(failed.index) <= {requirement, "fallback plan"}
        assert "parameters/bot.yaml" in failed.loc[requirement, "remedy"]


def test_an_attestation_helps_where_data_cannot_tell_and_not_where_it_speaks_against(make_evidence) -> None:
    """A fallback outside the policy can be attested; a missing budget cannot."""
    said = [{"item": item, "role": "lead", "day": date(2026, 10, 3)} for item in ("fallback", "budget_set")]
    gate = _gate(make_evidence({"bot": {"rollout": {"attested": said}}}))

    assert "attested by lead on 2026-10-03" == gate.loc["fallback plan", "evidence"]
    assert not gate.loc["budget threshold", "passed"]


def test_the_published_table_has_one_activity_without_an_accountable() -> None:
    """Attribution of spend: nobody; the shipped table makes engineering accountable there, and nowhere else differs."""
    assert [("attribute spend", "no function accountable, expected exactly one")] == list(
        raci_mistakes(PUBLISHED).itertuples(index=False, name=None)
    )
    assert raci_mistakes(DEFAULT_RACI).empty
    different = {(a, f) for a in PUBLISHED for f in PUBLISHED[a] if PUBLISHED[a][f] != DEFAULT_RACI[a][f]}
    assert {("attribute spend", "Engineering")} == different


def test_two_accountable_functions_are_a_mistake_too() -> None:
    """Both are named."""
    found = raci_mistakes({"gate": {"Finance": "AR", "Product": "A", "Engineering": "R"}})

    assert ["Finance and Product accountable, expected exactly one"] == found["mistake"].tolist()


def test_the_table_has_a_column_for_each_function() -> None:
    """Activities down, functions across."""
    assert {"activity": "gate", "Finance": "I", "Product": "A"} == raci_table(
        {"gate": {"Finance": "I", "Product": "A"}}
    ).iloc[0].to_dict()


def test_seven_questions_are_answered_from_data(make_evidence) -> None:
    """31 dollars, 31 calls, 10 users and 62 outcomes in 31 days; no decision says when the next review is."""
    tables = {
        "users": pd.DataFrame({"assistant": ["bot"], "users": [10]}),
        "outcomes": pd.DataFrame({"date": ["2026-10-05"], "assistant": ["bot"], "outcome_count": [62]}),
    }
    found = operating_questions(make_evidence({"bot": COMPLETE}, tables=tables)).set_index("question")

    assert 7 == len(found)
    cost = "USD 1.0000 a call, USD 3.1000 a user, USD 0.5000 an outcome (31 days)"
    assert cost == found.loc["What does a call, a user, an outcome cost?", "answer"]
    assert "head-of-brand and marketing-systems-lead" == found.loc["Who owns it?", "answer"]
    assert ["When is the next review?"] == found.index[~found["is_answered"]].tolist()


def test_an_assistant_that_says_nothing_answers_nothing(make_evidence) -> None:
    """Before any parameter and call no question has an answer, and each says so."""
    found = operating_questions(make_evidence({"bot": {}}, days=0))

    assert {"not known"} == set(found["answer"])
