"""A promoted change is held against the forecast without it: known level, known drop, known noise."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from finops_lib.optimize import (
    drift_after_promotion,
    promotions_of,
    realised_savings,
    savings_checks,
    savings_totals,
    shown_promotions,
)
from finops_lib.optimize.levers.savings import promotion_date
from finops_lib.settings import Promotion

START = date(2026, 7, 1)
CHANGE = date(2026, 9, 9)
END = date(2026, 10, 8)


def promotion(**more):
    """Make a promotion of 9 September that should save 365 USD a month, 12 a day."""
    record = {"assistant": "a", "workflow": "w", "configuration": "c", "lever": "routing", "verdict": "promote"}
    return Promotion(**(record | {"promoted_on": CHANGE, "owner": "platform-lead", "expected_saving": 365} | more))


def history(after, days=100, requests=lambda day: 100 + 20 * (day % 7)):
    """Make days of about 0.10 USD a request, and ``after`` USD from the change on; volume goes up and down."""
    noise = np.random.default_rng(3).normal(1, 0.02, days)
    rows = []
    for day in range(days):
        moment = START + timedelta(days=day)
        price = (0.10 if moment < CHANGE else after(day)) * noise[day]
        rows.append((moment, requests(day), requests(day) * price))
    frame = pd.DataFrame(rows, columns=["charge_period_start", "request_count", "cost"]).assign(
        assistant="a", workflow="w"
    )
    costs = frame.assign(contracted_cost=frame["cost"].map(lambda cost: Decimal(str(round(cost, 9)))))
    other = costs.assign(workflow="v", contracted_cost=Decimal(1_000))
    tasks = frame.assign(tasks=frame["request_count"], successful_tasks=frame["request_count"] // 2)
    return pd.concat([costs, other]), pd.concat([frame, frame.assign(workflow="v")]), tasks


def measure(*promotions, after, as_of=date(2026, 10, 8), **more):
    """Measure promotions on a history."""
    return realised_savings(promotions, *history(after, **more), as_of)


def test_a_real_drop_is_realised_with_its_interval():
    """Thirty days of about 160 requests a day at 0.06 instead of 0.10 USD save 4% of a dollar each: about 190 USD."""
    row = measure(promotion(), after=lambda day: 0.06).iloc[0]
    requests = sum(100 + 20 * (day % 7) for day in range(70, 100))

    assert ("realised", 30) == (row["status"], row["days"])
    assert pytest.approx(0.04 * requests, rel=0.1) == row["realised"]
    assert row["realised_low"] < 0.04 * requests < row["realised_high"]
    assert pytest.approx(360.0) == row["expected"]
    assert pytest.approx((0.10, 0.06), rel=0.02) == (row["cost_per_request_before"], row["cost_per_request_after"])
    assert pytest.approx((0.20, 0.12), rel=0.02) == (row["cost_per_success_before"], row["cost_per_success_after"])


def test_more_volume_is_no_loss():
    """Twice the requests since the change at 0.06 USD: adjusted for volume, twice the saving."""
    row = measure(promotion(), after=lambda day: 0.06, requests=lambda day: 100 if day < 70 else 200).iloc[0]

    assert "realised" == row["status"]
    assert pytest.approx(0.04 * 200 * 30, rel=0.1) == row["realised"]


def test_no_change_is_uncertain_and_a_rise_is_named():
    """The same cost as before proves nothing; 0.15 USD instead of 0.10 costs more."""
    assert "still uncertain" == measure(promotion(), after=lambda day: 0.10)["status"].item()
    assert "costs more" == measure(promotion(), after=lambda day: 0.15)["status"].item()


def test_a_young_change_is_uncertain_however_good_it_looks():
    """Six days are less than the fourteen asked for; a day that is yet to come has no number."""
    young = measure(promotion(), after=lambda day: 0.01, days=76, as_of=date(2026, 9, 14)).iloc[0]
    future = measure(promotion(promoted_on=date(2026, 12, 1)), after=lambda day: 0.1).iloc[0]

    assert ("still uncertain", 6) == (young["status"], young["days"])
    assert ("still uncertain", 0, 0.0) == (future["status"], future["days"], future["expected"])


@pytest.mark.parametrize("verdict", [None, "reject", "not enough evidence"])
def test_without_the_gate_a_saving_is_a_claim(verdict):
    """However much cheaper it is: quality was not shown to hold."""
    assert "unproven" == measure(promotion(verdict=verdict), after=lambda day: 0.05)["status"].item()


def test_drift_after_promotion_is_found():
    """From 0.05 the cost per request creeps up by 2% a day: over 50% between the first and the last week."""
    found = measure(promotion(), after=lambda day: 0.05 * 1.02 ** (day - 70))
    checks = savings_checks(found, 0.1).set_index("check")["passed"]

    assert 0.5 < found["drift"].item() < 0.65
    assert not checks["drift_after_promotion"]
    assert checks["unproven_claims"]


def test_a_claim_that_costs_more_fails_the_check():
    """0.15 instead of 0.10 without the gate's word: unproven, and dearer all the same."""
    checks = savings_checks(measure(promotion(verdict=None), after=lambda day: 0.15), 0.1).set_index("check")

    assert 1 == checks.loc["promotions_that_cost_more", "statistic"]
    assert not checks.loc["promotions_that_cost_more", "passed"]


def test_drift_of_a_young_change_is_not_known():
    """Six days are less than the two weeks it is measured over: no number stands in for it."""
    young = measure(promotion(), after=lambda day: 0.1, days=76, as_of=date(2026, 9, 14))
    drift = savings_checks(young, 0.1).set_index("check").loc["drift_after_promotion"]

    assert np.isnan(drift["statistic"])
    assert "last 7 days against the first 7 since promotion: too early to tell" in drift["comment"]


def test_drift_is_told_with_what_it_costs_a_week():
    """The last week's 860 requests cost 1/(1 + drift) of what they do at the first week's price."""
    costs, usage, _ = history(lambda day: 0.05 if day < 80 else 0.06)
    found = drift_after_promotion([promotion(), promotion(promoted_on=date(2026, 10, 1))], costs, usage, END)

    assert ["c"] == found["configuration"].tolist()  # the second has less than two weeks
    assert pytest.approx(0.2, abs=0.03) == found["drift"].item()
    assert pytest.approx(0.01 * sum(100 + 20 * (day % 7) for day in range(93, 100)), rel=0.15) == found["money"].item()
    assert drift_after_promotion([promotion()], costs, usage, None).empty


def test_totals_keep_shown_open_and_claimed_apart():
    """A loss counts against what is shown; a claim is in no other sum."""
    rows = [("realised", 10.0, 8.0), ("costs more", 10.0, -3.0), ("still uncertain", 5.0, 1.0), ("unproven", 7.0, 9.0)]
    found = savings_totals(pd.DataFrame(rows, columns=["status", "expected", "realised"]))

    assert {"expected": 25.0, "realised": 5.0, "uncertain": 5.0, "unproven": 7.0} == {
        name: found[name] for name in ("expected", "realised", "uncertain", "unproven")
    }
    assert (1.0, 9.0) == (found["uncertain_measured"], found["unproven_measured"])


def test_shown_is_what_saves_beyond_chance():
    """A low end above zero is shown, one below or unknown is not; the whole assistant is no workflow."""
    records = [promotion(), promotion(workflow=None), promotion(configuration="d")]
    rows = [("a", "w", "c", -1.0), ("a", None, "c", 2.0), ("a", "w", "d", None)]
    savings = pd.DataFrame(rows, columns=["assistant", "workflow", "configuration", "realised_low"])

    assert [records[1]] == shown_promotions(records, savings)
    assert [] == shown_promotions([], savings.iloc[:0])


def test_nothing_on_record():
    """An empty frame with columns, zero totals, no failed check; without data no row."""
    found = measure(after=lambda day: 0.1)

    assert found.empty
    assert {0.0} == set(savings_totals(found).values())
    assert savings_checks(found, 0.1)["passed"].all()
    assert realised_savings([promotion()], *history(lambda day: 0.1), None).empty


def test_promotions_of_an_assistant():
    """The organisation's page has all of them."""
    records = [promotion(), promotion(assistant="b")]

    assert records == promotions_of(records, "organisation")
    assert records[1:] == promotions_of(records, "b")


def test_a_promotion_has_its_date():
    """One of the whole assistant covers its workflows; another configuration or workflow is not on record."""
    records = [promotion(), promotion(workflow=None, promoted_on="2026-10-01")]

    assert CHANGE == promotion_date(records, "a", "w", "c")
    assert date(2026, 10, 1) == promotion_date(records, "a", "v", "c")
    assert promotion_date(records[:1], "a", None, "c") is None
    assert promotion_date(records, "a", "w", "d") is None
