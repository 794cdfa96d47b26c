"""Routes: the cheapest assignment that keeps quality, and says how sure it is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from finops_lib.errors import EvaluationError
from finops_lib.optimize import optimal_routes

NINE_MODELS = Path(__file__).parents[3] / ".." / "shared" / "data" / "evaluations" / "nine_models.parquet"
ROWS = [
    ("easy", "large", 950, 1000, 0.10),
    ("easy", "small", 950, 1000, 0.01),
    ("hard", "large", 900, 1000, 0.10),
    ("hard", "small", 500, 1000, 0.01),
]
TRAFFIC = pd.Series({"easy": 300, "hard": 100})


def test_easy_work_goes_to_the_small_model(cells):
    """Equal on three quarters of the traffic, far worse on the rest: 67.5% less cost, no loss."""
    found = optimal_routes(cells(ROWS), TRAFFIC, 0.99, whole_segments=True)

    assert {"easy": "small", "hard": "large"} == dict(
        zip(found.assignment["segment"], found.assignment["configuration"], strict=True)
    )
    plans = found.plans.set_index("plan")
    assert ["baseline", "proposal"] == plans.index.tolist()
    assert 0.675 == pytest.approx(plans.loc["proposal", "saving"])
    assert 0.0325 == pytest.approx(plans.loc["proposal", "cost_per_call"])
    assert 0.9375 == pytest.approx(plans.loc["baseline", "quality"], abs=1e-3)
    assert found.holds_floor
    assert () == found.notes


def test_a_lower_floor_splits_a_segment(cells):
    """At 95% a part of the hard work may go too; with whole segments it may not."""
    split = optimal_routes(cells(ROWS), TRAFFIC, 0.95).assignment
    whole = optimal_routes(cells(ROWS), TRAFFIC, 0.95, whole_segments=True).assignment

    assert 0 < split.loc[(split["segment"] == "hard") & (split["configuration"] == "small"), "share"].item() < 0.5
    assert [1.0, 1.0] == whole["share"].tolist()


def test_the_frontier_runs_from_the_cheapest_to_the_best(cells):
    """Both quality and cost grow along it, and every point is a full assignment."""
    found = optimal_routes(cells(ROWS), TRAFFIC, 0.95, points=7)

    assert 7 == len(found.frontier)
    assert (np.diff(found.frontier["quality"]) > 0).all()
    assert (np.diff(found.frontier["cost_per_call"]) > 0).all()
    assert 0.01 == pytest.approx(found.frontier["cost_per_call"].iloc[0])
    sums = found.frontier_assignments.groupby(["point", "segment"])["share"].sum()
    assert pytest.approx(np.ones(14)) == sums.to_numpy()


def test_today_is_shown_and_may_be_kept(cells):
    """Today's point, and no change where none is allowed."""
    found = optimal_routes(cells(ROWS), TRAFFIC, 0.9, today={"easy": "small"}, most_changes=0)

    assert ["baseline", "today", "proposal"] == found.plans["plan"].tolist()
    assert ["small", "large"] == found.assignment["configuration"].tolist()
    assert ["small", "large"] == found.assignment["today"].tolist()


def test_segments_without_evaluations_stay_and_are_said(cells):
    """A fifth of the traffic was never evaluated."""
    found = optimal_routes(cells(ROWS), pd.concat([TRAFFIC, pd.Series({"new": 100})]), 0.95)

    assert {"easy", "hard"} == set(found.assignment["segment"])
    assert ("20.0% of the traffic stays with large, not evaluated there: new",) == found.notes


def test_a_configuration_without_costs_is_left_out(cells):
    """Free is not the same as unknown."""
    rows = cells([*ROWS, ("easy", "dark", 1000, 1000, np.nan), ("hard", "dark", 1000, 1000, np.nan)])
    found = optimal_routes(rows, TRAFFIC, 0.95, baseline="large")

    assert "dark" not in set(found.assignment["configuration"])
    assert ("Left out, as their cost is not known: dark",) == found.notes
    with pytest.raises(EvaluationError, match="baseline 'dark' has no cost"):
        optimal_routes(rows, TRAFFIC, 0.95)


def test_a_floor_that_nothing_holds_is_said(cells):
    """Twice the baseline's quality: the nearest, not held."""
    found = optimal_routes(cells(ROWS), TRAFFIC, 2.0)

    assert not found.holds_floor
    assert "No assignment is shown to keep 200%" in found.notes[0]


def test_few_items_move_nothing(cells):
    """Ten items a cell are below the minimum: everything stays with the baseline."""
    found = optimal_routes(cells([(s, c, p // 100, 10, k) for s, c, p, _, k in ROWS]), TRAFFIC, 0.95)

    assert {"large"} == set(found.assignment["configuration"])


def test_weights_may_be_a_mapping_and_results_numbers(cells):
    """A dictionary of calls and passed as 1 and 0 say the same."""
    rows = cells(ROWS)
    found = optimal_routes(rows.assign(passed=rows["passed"].astype(int)), dict(TRAFFIC), 0.95)

    pd.testing.assert_frame_equal(optimal_routes(rows, TRAFFIC, 0.95).assignment, found.assignment)


@pytest.mark.parametrize(("floor", "confidence"), [(0, 0.95), (0.95, 1.0), (0.95, 0.4)])
def test_floors_and_confidence_have_a_range(cells, floor, confidence):
    """Percent are refused."""
    with pytest.raises(EvaluationError, match=r"e\.g\. floor=0\.95"):
        optimal_routes(cells(ROWS), TRAFFIC, floor, confidence=confidence)
    with pytest.raises(EvaluationError, match="evaluated: large, small"):
        optimal_routes(cells(ROWS), TRAFFIC, 0.95, baseline="huge")


PASSES = st.lists(st.integers(5, 40), min_size=6, max_size=6)


@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(passes=PASSES, seed=st.integers(0, 99))
def test_routes_keep_their_promises(cells, passes, seed):
    """Shares add up, forbidden models stay out, cost rises with the floor, the order of rows is nothing."""
    names = [(segment, name) for segment in ("s", "t") for name in ("large", "mid", "small")]
    price = {"large": 1.0, "mid": 0.4, "small": 0.1}
    rows = cells([(s, n, count, 40, price[n]) for (s, n), count in zip(names, passes, strict=True)])
    traffic, options = (
        pd.Series({"s": 2, "t": 1}),
        {"baseline": "large", "allowed": {"t": ["large", "mid"]}, "points": 3},
    )
    found = [optimal_routes(rows, traffic, floor, **options) for floor in (0.5, 0.8, 0.95)]

    costs = [routes.plans.set_index("plan").loc["proposal", "cost_per_call"] for routes in found]
    assert all(lower <= higher + 1e-6 for lower, higher in zip(costs, costs[1:], strict=False))
    for routes in found:
        used = routes.assignment
        assert pytest.approx([1, 1]) == used.groupby("segment")["share"].sum().tolist()
        assert "small" not in set(used.loc[used["segment"] == "t", "configuration"])
    again = optimal_routes(rows.sample(frac=1, random_state=seed), traffic.iloc[::-1], 0.8, **options)
    pd.testing.assert_frame_equal(found[1].assignment, again.assignment)
    pd.testing.assert_frame_equal(found[1].plans, again.plans)


@pytest.mark.skipif(not NINE_MODELS.exists(), reason="the shared evaluations are not on this machine")
def test_nine_models_beat_the_best_one():
    """On the other half of real outcomes: most of the cost saved, and the floor near."""
    rows = pd.read_parquet(NINE_MODELS, columns=["item_id", "segment", "configuration", "passed", "cost_usd"])
    learn = rows["item_id"].map(hash_half)
    traffic = rows[~learn].drop_duplicates("item_id")["segment"].value_counts()
    found = optimal_routes(rows[learn], traffic, 0.95, baseline="llama-3.1-nemotron-51b-instruct", points=2)
    cells = rows[~learn].groupby(["segment", "configuration"])[["passed", "cost_usd"]].mean().astype("float64")
    used = found.assignment.merge(cells, left_on=["segment", "configuration"], right_index=True)
    weight = used["share"] * used["weight"]
    best = cells.xs("llama-3.1-nemotron-51b-instruct", level=1)
    shares = traffic / traffic.sum()

    assert 0.75 <= 1 - (weight * used["cost_usd"]).sum() / (shares * best["cost_usd"]).sum()
    assert 0.93 <= (weight * used["passed"]).sum() / (shares * best["passed"]).sum()


def hash_half(item: str) -> bool:
    """Tell one half of the items, the same on every machine."""
    return sum(item.encode()) % 2 == 0
