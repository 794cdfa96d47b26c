"""Savings compose: each lever takes its share of what the ones before it left."""

from __future__ import annotations

from decimal import Decimal
from typing import get_args

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from finops_lib.optimize import LEVERS, lever_cells, replay_levers
from finops_lib.optimize.levers.levers import KEYS
from finops_lib.settings import Promotion
from finops_lib.settings.promotions import Lever


def cells(*costs):
    """Make a cell a cost, each of its own workflow."""
    return pd.DataFrame(
        {
            "assistant": "a",
            "workflow": [f"w{place}" for place in range(len(costs))],
            "contracted_cost": [Decimal(str(cost)) for cost in costs],
            "cost": [float(cost) for cost in costs],
        }
    )


def shares(*rows, evidence="assumption"):
    """Make the estimate of a lever: low, likely and high share of each cell."""
    frame = pd.DataFrame(rows, columns=["low", "likely", "high"], dtype="float64")
    return frame.assign(evidence=evidence, measure="m")


def test_half_and_half_leave_a_quarter():
    """Of 100, half is routed away and half of the rest batched: 75, not 100; the order is that of the work."""
    half = shares((0, 0.5, 0.6))
    replay = replay_levers(cells(100), {"batch": half, "routing": half}, smallest_saving=30)

    assert ["routing", "batch"] == replay.waterfall["lever"].tolist()
    assert [50.0, 25.0] == replay.waterfall["saving"].tolist()
    assert [50.0, 25.0] == replay.waterfall["remaining"].tolist()
    assert [60.0, 30.0] == replay.waterfall["saving_high"].tolist()
    assert (100.0, Decimal(100)) == (replay.naive, replay.cost)
    assert pytest.approx({"low": 0.0, "likely": 75.0, "high": 84.0}) == replay.combined


def test_the_backlog_ranks_by_money_and_names_what_is_too_small():
    """Five lines of 40, 30, 20, 10 and 4: three first, one later, one below 5."""
    estimate = shares(*[(0, 0.1, 0.1)] * 5)
    backlog = replay_levers(cells(400, 40, 300, 100, 200), {"routing": estimate}, smallest_saving=5).backlog

    assert ["w0", "w2", "w4", "w3", "w1"] == backlog["workflow"].tolist()
    assert ["first", "first", "first", "later", "too small"] == backlog["advice"].tolist()
    assert [1, 2, 3, 4, 5] == backlog["rank"].tolist()


def test_what_is_promoted_is_on_record_and_makes_room():
    """The same route and the same lever are marked; another route of the workflow is still advised."""
    big = shares(*[(0, 0.1, 0.1)] * 5)
    big["measure"] = ["a → b, promoted by the gate", "a → c, promoted by the gate", "m", "m", "b → a by segment"]
    record = {"assistant": "a", "promoted_on": "2026-09-01", "owner": "lead", "expected_saving": 5}
    done = [
        Promotion(**record, configuration="b", lever="routing"),
        Promotion(**record, workflow="w2", configuration="short", lever="batch"),
    ]
    found = cells(500, 400, 300, 200, 100)
    routes = replay_levers(found, {"routing": big}, smallest_saving=1, on_record=done).backlog
    batches = replay_levers(found, {"batch": big}, smallest_saving=1, on_record=done).backlog

    assert ["on record", "first", "first", "first", "later"] == routes["advice"].tolist()
    assert ["first", "first", "on record", "first", "later"] == batches["advice"].tolist()
    assert [False, False, True, False, False] == batches["promoted_on"].notna().tolist()


def test_what_is_promoted_saves_first_and_is_not_promised_again():
    """Of 100 and 100, the route already takes 50 of the first; compression of half then saves 25 and 50, not 100."""
    route = shares((0.4, 0.5, 0.6), evidence="evaluation").assign(measure="a → b, promoted by the gate")
    half = shares((0, 0.5, 0.5), (0, 0.5, 0.5))
    record = {"assistant": "a", "promoted_on": "2026-09-01", "owner": "lead", "expected_saving": 5}
    done = [Promotion(**record, workflow="w0", configuration="b", lever="routing")]
    replay = replay_levers(cells(100, 100), {"routing": route, "compression": half}, on_record=done)

    assert [("promoted already", 50.0), ("compression", 75.0)] == list(
        replay.waterfall[["lever", "saving"]].itertuples(index=False, name=None)
    )
    assert 75.0 == replay.naive
    assert 75.0 == replay.waterfall["remaining"].iloc[-1]


@pytest.mark.parametrize(
    ("is_shown", "evidence", "promoted", "combined", "left"),
    [
        (False, "expected, not yet shown", (0.0, 50.0, 60.0), (0.0, 75.0, 100.0), (200.0, 75.0, 70.0)),
        (True, "on record", (40.0, 50.0, 60.0), (0.0, 75.0, 80.0), (160.0, 75.0, 70.0)),
    ],
)
def test_what_is_not_shown_may_save_nothing(is_shown, evidence, promoted, combined, left):
    """Of 100 and 100 the route takes 0 or 40 at least and 60 at most; the levers halve what that leaves."""
    route = shares((0.4, 0.5, 0.6), evidence="evaluation").assign(measure="a → b, promoted by the gate")
    half = shares((0, 0.5, 0.5), (0, 0.5, 0.5))
    record = {"assistant": "a", "promoted_on": "2026-09-01", "owner": "lead", "expected_saving": 5}
    done = [Promotion(**record, workflow="w0", configuration="b", lever="routing")]
    shown = done if is_shown else []
    replay = replay_levers(cells(100, 100), {"routing": route, "compression": half}, on_record=done, shown=shown)

    assert evidence == replay.waterfall["evidence"].iloc[0]
    assert pytest.approx(promoted) == tuple(replay.promoted.values())
    assert pytest.approx(combined) == tuple(replay.combined.values())
    assert pytest.approx(left) == tuple(replay.left.values())


def test_without_an_estimate_nothing_is_saved():
    """No lever: the month stays as it was."""
    replay = replay_levers(cells(100), {})

    assert (0.0, 0.0) == (replay.naive, replay.combined["likely"])
    assert replay.waterfall.empty
    assert replay.backlog.empty


_SHARE = st.floats(0, 1)
_COSTS = st.lists(st.floats(0, 1e6), min_size=2, max_size=2)


@given(_COSTS, st.lists(st.lists(_SHARE, min_size=2, max_size=2), min_size=1, max_size=len(LEVERS)))
def test_together_never_more_than_added_up_nor_than_there_is(costs, likely):
    """Whatever the shares: 0 <= combined <= naive, combined <= cost, and the lines add up to it."""
    estimates = {lever: shares(*[(0, share, 1) for share in each]) for lever, each in zip(LEVERS, likely, strict=False)}
    replay = replay_levers(cells(*costs), estimates)
    together, cost = replay.combined["likely"], sum(costs)

    assert -1e-6 <= together <= min(replay.naive, cost) + 1e-6 * (1 + cost)
    assert pytest.approx(together, abs=1e-6 * (1 + cost)) == replay.waterfall["saving"].sum()
    assert pytest.approx(together, abs=1e-6 * (1 + cost)) == replay.backlog["saving"].sum()


def test_cells_add_up_to_the_ledger_to_the_last_digit():
    """Two days of one SKU are one cell; a row without a price is none; what is not named is unattributed."""
    row = dict.fromkeys(KEYS) | {"model": "m", "token_class": "output", "pricing_quantity": 10}
    money = {"contracted_cost": Decimal("0.000000000001"), "list_cost": Decimal("0.000000000002")}
    costs = pd.DataFrame([row | money, row | money, row | {"contracted_cost": None, "list_cost": None}])
    found = lever_cells(costs)

    assert [Decimal("0.000000000002")] == found["contracted_cost"].tolist()
    assert [("unattributed", 20.0, False)] == list(found[["workflow", "tokens", "is_listed"]].itertuples(index=False))


def test_promotions_name_the_same_levers():
    """What can be estimated can be put on record."""
    assert list(LEVERS) == list(get_args(Lever))
