"""Decisions are held against what happened, by hand-made days."""

from __future__ import annotations

from datetime import date

import pandas as pd
import pytest

from finops_lib.operate import decisions_held, exceptions_held
from finops_lib.settings import Decision

MONTH = 365 / 12
NO_BREACH = pd.DataFrame(columns=["assistant", "workflow", "breach", "exception", "approver", "cost"])
NO_BUDGET = pd.DataFrame(columns=["budget", "approver", "reason", "expires", "status", "cost"])


def decision(**changes) -> Decision:
    """Make a decision of 29 October on the helper."""
    given = {
        "decided": date(2026, 10, 29),
        "kind": "routing",
        "assistant": "helper",
        "decision": "route",
        "owner": "lead",
        "effect": -5 * MONTH,
        "review": date(2026, 11, 20),
    }
    return Decision.model_validate(given | changes)


@pytest.fixture
def days(make_costs):
    """Make 28 days at 10 dollars for 10 calls, then 28 at 12 dollars for 24 calls."""
    costs = make_costs(["10"] * 28 + ["12"] * 28)
    return costs, costs[["charge_period_start", "assistant"]].assign(request_count=[10] * 28 + [24] * 28)


def test_effect_is_adjusted_for_volume(days) -> None:
    """A call fell from 1 dollar to half a dollar: at 24 calls a day that is 12 dollars, though 2 more were spent."""
    row = decisions_held([decision()], *days, date(2026, 11, 25)).iloc[0]

    assert 28 == row["days"]
    assert round(2 * MONTH, 6) == round(row["effect"], 6)
    assert round(-12 * MONTH, 6) == round(row["effect_at_equal_volume"], 6)
    assert ("as expected", "review due") == (row["verdict"], row["state"])


def test_a_budget_is_judged_by_money(days) -> None:
    """A budget means the volume too: what was to fall by 5 dollars a day rose by 2."""
    row = decisions_held([decision(kind="budget")], *days, date(2026, 11, 25)).iloc[0]

    assert "cost rose instead" == row["verdict"]


@pytest.mark.parametrize(
    ("changes", "as_of", "verdict"),
    [
        ({}, date(2026, 11, 1), "too early: 4 days"),
        ({"effect": None}, date(2026, 11, 25), "no effect was stated"),
        ({"assistant": "other"}, date(2026, 11, 25), "not known: nothing was spent before"),
        ({"kind": "retirement", "assistant": "organisation"}, date(2026, 11, 25), "not known: seats and capacity"),
        ({"effect": -40 * MONTH}, date(2026, 11, 25), "less saved than expected"),
        ({"kind": "budget", "effect": MONTH}, date(2026, 11, 25), "more spent than expected"),
    ],
)
def test_verdicts(days, changes, as_of, verdict) -> None:
    """Each verdict says in words what the numbers mean."""
    assert decisions_held([decision(**changes)], *days, as_of).iloc[0]["verdict"].startswith(verdict)


def test_what_is_paid_beside_the_calls_has_no_effect_on_them(days) -> None:
    """Seats are no calls: their decision shows what was expected, and nothing the calls did."""
    row = decisions_held([decision(kind="retirement", assistant="organisation")], *days, date(2026, 11, 25)).iloc[0]

    assert row[["cost_before", "effect", "effect_at_equal_volume"]].isna().all()


def test_only_what_was_decided_and_concerns_the_page(days) -> None:
    """A decision to come is not held, and an assistant's page shows its own; deciding again follows up."""
    later = decision(decided=date(2026, 11, 10), decision="route back")
    other = decision(assistant="other", decision="b")
    found = decisions_held([decision(), later, other], *days, date(2026, 11, 25), assistant="helper")

    assert [("route back", "review due"), ("route", "followed up")] == list(
        zip(found["decision"], found["state"], strict=True)
    )
    assert decisions_held([decision()], *days, date(2026, 10, 1)).empty
    assert decisions_held([decision()], *days, None).empty


PLACE = {"assistant": "helper", "workflow": "draft", "breach": "dearer tier", "approver": "lead"}


def test_exceptions_of_all_kinds(days) -> None:
    """3 days under it cost 36 dollars; since then 12 a day, of which November's 25 days count."""
    allowed = {"approver": "head", "reason": "launch", "expires": date(2026, 10, 31)}
    budget = {"budget": "helper", "approver": "cfo", "reason": "peak", "expires": pd.Timestamp("2026-12-31")}
    budgets = pd.DataFrame([budget | {"status": "active", "cost": 7.0}])
    breaches = pd.DataFrame([
        PLACE | {"assistant": "other", "exception": "lapsed", "cost": 1.5},
        PLACE | {"assistant": "other", "exception": "lapsed", "cost": 2.5},
        PLACE | {"assistant": "other", "exception": "lapsed", "cost": 3.0, "breach": "context", "approver": "head"},
        PLACE | {"exception": "active", "cost": 6.0},
        PLACE | {"exception": "none", "approver": None, "cost": 9.0},
    ])  # fmt: skip
    one = decision(kind="exception", effect=None, **allowed)
    found = exceptions_held([one], budgets, breaches, days[0], date(2026, 11, 25))
    shown = found[["recorded_as", "status", "cost_under_it", "cost_since_lapse"]].fillna(-1).values.tolist()

    assert [
        ["decision", "lapsed", 36.0, 300.0],
        ["routing policy", "lapsed", -1.0, 4.0],
        ["budget", "active", 7.0, -1.0],
        ["routing policy", "active", 6.0, -1.0],
    ] == shown
    assert ("dearer tier, context", "lead, head") == tuple(found.loc[1, ["reason", "approver"]])
    assert exceptions_held([], NO_BUDGET, NO_BREACH, days[0], date(2026, 11, 25)).empty


def test_an_exception_on_record_and_in_the_policy_is_one(days) -> None:
    """The policy tells which calls the decision was for: 4 dollars of them, once."""
    allowed = {"approver": "head", "reason": "launch", "expires": date(2026, 10, 31)}
    breaches = pd.DataFrame([PLACE | {"exception": "lapsed", "cost": 4.0}])
    one = decision(kind="exception", effect=None, **allowed)
    found = exceptions_held([one], NO_BUDGET, breaches, days[0], date(2026, 11, 25))

    assert [("decision, routing policy", 4.0)] == list(
        found[["recorded_as", "cost_since_lapse"]].itertuples(index=False, name=None)
    )
