"""Spend held against what was allowed, to the last digit, and thresholds that fire once."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import hypothesis.strategies as st
import pandas as pd
import pytest
from hypothesis import given, settings

from finops_lib import operate
from finops_lib.settings import Budget


def states(make_costs, amounts, as_of, first=date(2026, 10, 1), **budget):
    """Hold days of spend against one budget about everything."""
    rules = {"name": "all", "amount": 100, "thresholds": [0.6, 0.8, 1.0]} | budget
    return operate.budget_state(make_costs(amounts, first), [Budget(**rules)], as_of)


def crossed(state):
    """Read the crossings as threshold → day of the month."""
    found = state.crossings.dropna(subset="crossed_on")
    return dict(zip(found["threshold"], found["crossed_on"].dt.day, strict=True))


def test_spend_thresholds_and_shares_by_hand(make_costs) -> None:
    """Ten a day of 100: 60% on the sixth day, 80% on the eighth; later days are not looked at."""
    state = states(make_costs, ["10"] * 12, date(2026, 10, 9))
    row = state.state.iloc[0]

    assert (Decimal(90), Decimal(100), Decimal(10)) == (row["spent"], row["allowed"], row["remaining"])
    assert (0.9, 9 / 31, 0.8) == (row["used_share"], row["elapsed_share"], row["crossed"])
    assert {0.6: 6, 0.8: 8} == crossed(state)
    assert {0.6: 6, 0.8: 8, 1.0: 10, 1.2: 12} == crossed(states(make_costs, ["10"] * 12, date(2026, 10, 12)))


def test_what_is_allowed_is_told_with_how_it_comes_about(make_costs) -> None:
    """31 a month held from the 22nd on is 10 of it; an exception of 5 is added: 15."""
    exception = {"approver": "cfo", "reason": "launch", "amount": 5} | {
        "starts": date(2026, 10, 22),
        "expires": date(2026, 10, 31),
    }
    held = {"amount": 31, "starts": date(2026, 10, 22), "exceptions": [exception]}
    row = states(make_costs, ["1"] * 25, date(2026, 10, 25), **held).state.iloc[0]

    assert [31, 10, 0, 5, 15] == row[["budgeted", "amount", "rollover", "excepted", "allowed"]].tolist()


def test_a_period_begins_at_nothing(make_costs) -> None:
    """The days of September are none of October's."""
    state = states(make_costs, ["30"] * 4, date(2026, 10, 2), first=date(2026, 9, 29))

    assert Decimal(60) == state.state["spent"].item()
    assert {0.6: 2} == crossed(state)


def test_rollover_carries_what_was_left_once(make_costs) -> None:
    """Of 100 in September 40 were left; an overspent September carries nothing; an unknown one neither."""
    september = ["60", *["0"] * 29, "20"]
    rows = [
        states(make_costs, september, date(2026, 10, 1), first=date(2026, 9, 1), rollover=True),
        states(make_costs, ["130", *september[1:]], date(2026, 10, 1), first=date(2026, 9, 1), rollover=True),
        states(make_costs, september[1:], date(2026, 10, 1), first=date(2026, 9, 2), rollover=True),
    ]

    assert [Decimal(40), 0, 0] == [row.state["rollover"].item() for row in rows]
    assert [Decimal(140), 100, 100] == [row.state["allowed"].item() for row in rows]


@pytest.mark.parametrize(
    ("day", "status", "cost", "allowed"), [(3, "to come", 0, 100), (12, "active", 20, 130), (20, "lapsed", 30, 100)]
)
def test_an_exception_lapses_by_itself_and_is_reported_with_its_cost(make_costs, day, status, cost, allowed) -> None:
    """Ten a day: over the budget from the eleventh on, allowed from the fifth to the fifteenth, up to 30."""
    exception = {"approver": "cfo", "reason": "launch", "amount": 30} | {
        "starts": date(2026, 10, 5),
        "expires": date(2026, 10, 15),
    }
    state = states(make_costs, ["10"] * 20, date(2026, 10, day), exceptions=[exception])

    assert (status, Decimal(cost)) == (state.exceptions["status"].item(), state.exceptions["cost"].item())
    assert Decimal(allowed) == state.state["allowed"].item()


def test_an_exception_moves_thresholds_while_it_holds_and_undoes_none(make_costs) -> None:
    """80% of 200 is never reached while 100 more are allowed; on the day it lapses 100 of 100 are spent."""
    exception = {"approver": "cfo", "reason": "launch", "amount": 100} | {
        "starts": date(2026, 10, 7),
        "expires": date(2026, 10, 9),
    }

    assert {0.6: 6, 0.8: 10, 1.0: 10, 1.2: 12} == crossed(
        states(make_costs, ["10"] * 12, date(2026, 10, 12), exceptions=[exception])
    )


def test_an_exception_without_limit_is_counted_in_full(make_costs) -> None:
    """It says so, and costs whatever was spent beyond."""
    exception = {"approver": "cfo", "reason": "incident", "starts": date(2026, 10, 1), "expires": date(2026, 10, 31)}
    state = states(make_costs, ["10"] * 20, date(2026, 10, 20), exceptions=[exception])

    assert (True, Decimal(100)) == (state.state["is_excepted"].item(), state.exceptions["cost"].item())


def test_parts_tell_who_spends_in_a_budget(make_costs) -> None:
    """Of the helper's 30 a third is chat's; the budget about everything holds all of both."""
    costs = pd.concat([make_costs(["10"], workflow="chat"), make_costs(["20"], workflow="search")])
    budgets = [Budget(name="all", amount=100), Budget(name="chat", match={"workflow": "chat"}, amount=100)]
    parts = operate.budget_state(costs, budgets, date(2026, 10, 1)).parts

    assert [
        ("all", "chat", 10.0, 1.0),
        ("all", "helper", 30.0, 1.0),
        ("chat", "all", 10.0, 1 / 3),
        ("chat", "helper", 10.0, 1 / 3),
    ] == list(parts.drop(columns="kind").itertuples(index=False, name=None))


def test_without_a_complete_day_there_is_no_state(make_costs) -> None:
    """All frames are there, and empty."""
    state = operate.budget_state(make_costs([]), [Budget(name="all", amount=1)], None)

    assert [0, 0, 0, 0] == [len(frame) for frame in (state.state, state.crossings, state.exceptions, state.parts)]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.decimals(0, 50, places=12), min_size=1, max_size=31))
def test_sums_are_exact_and_a_threshold_fires_once(make_costs, amounts) -> None:
    """Whatever is spent: the sum is the sum, and what was crossed on a day stays crossed on that day."""
    days = [date(2026, 10, 1) + timedelta(days=place) for place in range(len(amounts))]
    earlier: dict[float, int] = {}
    for day in days[:: max(len(days) // 4, 1)]:
        now = crossed(states(make_costs, amounts, day))
        assert earlier.items() <= now.items()
        earlier = now
    state = states(make_costs, amounts, days[-1])

    assert sum(amounts) == state.state["spent"].item()
    assert len(state.crossings) == state.crossings["threshold"].nunique()
