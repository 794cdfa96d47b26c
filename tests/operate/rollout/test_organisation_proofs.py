"""Organisation proofs: what is done once for all."""

from __future__ import annotations

import pandas as pd
import pytest

from finops_lib.operate.rollout.organisation_proofs import OF_ORGANISATION

TEAM = {"department": "Marketing", "cost_center": "CC-1", "owners": {"business": "head", "technical": "lead"}}


@pytest.mark.parametrize(
    ("check", "organisation", "tables"),
    [
        ("seats_given", {}, {"seats": pd.DataFrame({"month": ["2026-10"]})}),
        ("bills_given", {}, {"charges": pd.DataFrame({"provider": ["openai"]})}),
        ("keys_name_teams", {"virtual_keys": {"key": {"team": "brand"}}}, {}),
        ("teams_complete", {"teams": {"brand": TEAM}}, {}),
        ("month_reconciled", {}, {"closed": pd.DataFrame({"month": ["2026-09"], "reconciled": [True]})}),
        ("last_month_closed", {}, {"closed": pd.DataFrame({"month": ["2026-09"], "reconciled": [False]})}),
        ("alerts_routed", {"alerts": {"targets": {"finance": {"url_variable": "FINANCE"}}}}, {}),
    ],
)
def test_what_is_given_turns_its_check(make_evidence, check, organisation, tables) -> None:
    """Wanting without it, proved with it, and the remedy names where it goes."""
    limit = (10,) if check == "last_month_closed" else ()
    before = OF_ORGANISATION[check](make_evidence({"bot": {}}), *limit)
    after = OF_ORGANISATION[check](make_evidence({"bot": {}}, organisation=organisation, tables=tables), *limit)

    assert before.passed is False
    assert before.remedy
    assert after.passed is True


def test_an_assistant_without_a_file_is_named(make_evidence) -> None:
    """The ledger knows more assistants than the parameters."""
    evidence = make_evidence({"bot": {}, "ghost": {}})
    known = {"bot": evidence.params.assistants["bot"]}
    found = type(evidence)(**{**vars(evidence), "params": evidence.params.model_copy(update={"assistants": known})})

    assert (False, "no file for ghost", "create parameters/ghost.yaml") == OF_ORGANISATION["assistants_registered"](
        found
    )


def test_budgets_are_asked_for_at_each_level(make_evidence) -> None:
    """Company, department and every assistant: what is missing is listed."""
    evidence = make_evidence({"bot": {}}, organisation={"budgets": [{"name": "company", "amount": 9}]})

    assert "no budget: department, bot" == OF_ORGANISATION["budgets_at_all_levels"](evidence).found


def test_embeddings_need_no_tier_and_unknown_models_do(make_evidence) -> None:
    """A tier is about models that write."""
    ask = OF_ORGANISATION["models_in_tiers"]

    assert ask(make_evidence({"bot": {}})).passed is True
    assert ask(make_evidence({"bot": {}}, model="house-7b")).found == "no tier: house-7b"
    assert ask(make_evidence({"bot": {}}, model="house-7b", request_type="embeddings")).passed is None


def test_a_month_of_history_is_too_short_to_test_the_forecast(make_evidence) -> None:
    """Not known, which a role may not mistake for proved."""
    assert OF_ORGANISATION["forecast_accurate"](make_evidence({"bot": {}})).passed is None


def test_a_mistake_in_the_raci_is_told(make_evidence) -> None:
    """Activity and mistake stand in what was found."""
    evidence = make_evidence(organisation={"raci": {"run the gate": {"Product": "A", "Finance": "A"}}})

    found = "run the gate: Product and Finance accountable, expected exactly one"
    assert found == OF_ORGANISATION["raci_valid"](evidence).found
    assert OF_ORGANISATION["allocation_complete"](evidence).passed is False
