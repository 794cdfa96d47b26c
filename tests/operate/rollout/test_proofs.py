"""Proofs: what holds, what does not, and what cannot be told are three answers, each with its remedy."""

from __future__ import annotations

from datetime import date

import pandas as pd
import pytest

from finops_lib.operate.rollout.proofs import CHECKS, prove
from finops_lib.settings import Promotion

LIMITS = {"logging_goes_on": 7, "baseline_covers": 14, "retries_low": 0.1, "review_dated": 45, "last_month_closed": 10}
OWNERS = {"business": "head-of-brand", "technical": "marketing-systems-lead"}


def _answer(evidence, check, name="bot"):
    proofs = prove(evidence, LIMITS).set_index(["check", "assistant"])
    return proofs.loc[(check, name), "passed"], proofs.loc[(check, name), "remedy"]


@pytest.mark.parametrize(
    ("check", "settings"),
    [
        ("both_owners", {"owners": OWNERS}),
        ("alerts_reach_two", {"owners": OWNERS}),
        ("budget_set", {"budgets": [{"name": "bot", "amount": 100}]}),
        ("targets_met", {"budgets": [{"name": "bot", "amount": 100}]}),
        ("success_defined", {"success": "accepted"}),
        ("outcome_valued", {"outcome": {"name": "draft_used", "value": 2, "confirmed_by": "head-of-brand"}}),
        ("scenarios_given", {"scenarios": [{"name": "twice the users", "adoption": 1}]}),
        ("showback_begun", {"showback": {"since": date(2026, 9, 1)}}),
        ("tiers_set", {"routing": [{"workflow": "draft", "tier": "mid"}]}),
        ("premium_has_policy", {"routing": [{"workflow": "*", "tier": "premium"}]}),
        ("prompt_cache_used", {"forecast": {"cache_target": 0}}),
        (
            "plan_given",
            {
                "plan": {
                    **{"users": 1, "requests_per_user_day": 1, "prompt_tokens": 1, "answer_tokens": 1},
                    "models": {"claude-opus-5": 1},
                }
            },
        ),
    ],
)
def test_a_parameter_set_turns_its_check_from_wanting_to_proved(make_evidence, check, settings) -> None:
    """Each check that rests on a parameter fails or cannot tell without it, names the file, and passes with it."""
    before, remedy = _answer(make_evidence({"bot": {}}, model="claude-opus-5"), check)
    after, _ = _answer(make_evidence({"bot": settings}, model="claude-opus-5"), check)

    assert before is not True
    assert "bot" in remedy
    assert after is True


@pytest.mark.parametrize(
    ("check", "column"),
    [
        ("team_named", "team"),
        ("workflow_named", "workflow"),
        ("cost_center_named", "cost_center"),
        ("environments_named", "environment"),
        ("data_class_named", "data_class"),
        ("coverage_reached", "team"),
    ],
)
def test_spend_without_a_tag_fails_and_names_the_tag(make_evidence, check, column) -> None:
    """Untagged spend is found wanting, tagged spend proved, and without calls nobody can tell."""
    assert _answer(make_evidence({"bot": {}}), check)[0] is True
    assert _answer(make_evidence({"bot": {}}, **{column: None}), check)[0] is False
    assert _answer(make_evidence({"bot": {}}, days=0), check)[0] is None


def test_a_default_stands_in_before_the_first_call(make_evidence) -> None:
    """The deployment gate is asked before there are calls: a default in the parameters answers it."""
    settings = {"bot": {"defaults": {"cost_center": "CC-1"}}}

    assert _answer(make_evidence(settings, days=0), "cost_center_named")[0] is True


def test_fourteen_days_make_a_baseline(make_evidence) -> None:
    """Thirteen days are too few."""
    assert [False, True] == [_answer(make_evidence({"bot": {}}, days=n), "baseline_covers")[0] for n in (13, 14)]


def test_silence_of_a_week_is_a_gap_in_the_log(make_evidence) -> None:
    """An assistant whose last call is long past is not logged any more, however much others are."""
    evidence = make_evidence({"bot": {}, "other": {}})
    late = evidence.usage["charge_period_start"] > date(2026, 10, 24)
    usage = evidence.usage[~((evidence.usage["assistant"] == "bot") & late)]
    gap = type(evidence)(**{**vars(evidence), "usage": usage})

    assert _answer(gap, "logging_goes_on")[0] is False
    assert _answer(gap, "logging_goes_on", "other")[0] is True


def test_tables_count_for_the_assistant_they_name(make_evidence) -> None:
    """Outcomes of last month, and evaluations of another assistant, prove nothing."""
    outcomes = pd.DataFrame({"date": ["2026-08-01"], "assistant": ["bot"], "outcome_count": [3]})
    evaluations = pd.DataFrame({"evaluation_set": ["other/draft"]})
    stale = make_evidence({"bot": {}}, tables={"outcomes": outcomes, "evaluations": evaluations})
    tables = {
        "outcomes": outcomes.assign(date="2026-10-02"),
        "evaluations": evaluations.replace("other", "bot", regex=True),
    }
    fresh = make_evidence({"bot": {}}, tables=tables)

    for check in ("outcomes_counted", "evaluations_given"):
        assert _answer(stale, check)[0] is False
        assert _answer(fresh, check)[0] is True


def test_agents_need_limits_and_others_do_not(make_evidence) -> None:
    """Limits are asked of what runs agents only."""
    assert _answer(make_evidence({"bot": {}}), "agents_limited")[0] is True
    assert _answer(make_evidence({"bot": {}}, agent="writer"), "agents_limited")[0] is False
    assert _answer(make_evidence({"bot": {"agent_limits": {"steps": 9}}}, agent="writer"), "agents_limited")[0] is True


@pytest.mark.parametrize(("verdict", "passed"), [("promote", True), ("reject", False), (None, False)])
def test_a_promotion_counts_with_the_verdict_only(make_evidence, verdict, passed) -> None:
    """Without a promotion nobody can tell; one against or without the gate is found wanting."""
    evidence = make_evidence({"bot": {}})
    record = Promotion(
        assistant="bot", configuration="small", lever="routing", verdict=verdict, promoted_on=date(2026, 10, 2),
        owner="marketing-systems-lead", expected_saving=10,
    )  # fmt: skip
    held = type(evidence)(**{**vars(evidence), "params": evidence.params.model_copy(update={"promotions": [record]})})

    assert _answer(evidence, "verdict_on_record")[0] is None
    assert _answer(held, "verdict_on_record")[0] is passed


def test_a_broken_environment_policy_brings_its_remedy(make_evidence) -> None:
    """What the policy's check says to do is what the item says to do."""
    broken = pd.DataFrame(
        {"assistant": ["bot"], "environment": ["sandbox"], "rule": ["expiry"], "what_to_do": ["end {it}"]}
    )

    assert (False, "end {it}") == _answer(make_evidence({"bot": {}}, tables={"violations": broken}), "sandbox_kept")


def test_every_finding_has_words_and_every_failure_a_remedy(make_evidence) -> None:
    """No check leaves the reader without what was found, or without what to do."""
    for evidence in (make_evidence({"bot": {}}), make_evidence({"bot": {}}, days=0), make_evidence()):
        proofs = prove(evidence, LIMITS)

        assert (proofs["found"] != "").all()
        assert (proofs.loc[[passed is not True for passed in proofs["passed"]], "remedy"] != "").all()
        assert set(proofs["check"]) <= CHECKS
