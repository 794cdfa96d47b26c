"""The gate: cheap is not enough, and neither is a small sample."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests

from finops_lib.errors import EvaluationError
from finops_lib.optimize import compare_candidates, evaluation_gate

SAMPLE = Path(__file__).parents[3] / "sample_data" / "tables" / "evaluations.parquet"


def test_the_candidate_that_holds_is_promoted(evaluation):
    """USD 0.0149 a call at 95.4% is 0.0156 a success, against 0.0354; 28 items lost and 32 won of 1,000."""
    today = evaluation(1000, failed=range(50), cost=0.0336)
    routed = evaluation(1000, failed=[*range(32, 50), *range(50, 78)], cost=0.0149, configuration="routed")

    found = evaluation_gate(today, routed, 0.02)

    assert "promote" == found.verdict
    assert [28, 32, 0.004] == found.comparison.loc[0, ["worse", "better", "difference"]].tolist()
    assert [0.0354, 0.0156] == found.costs["cost_per_successful_task"].round(4).tolist()
    assert (found.costs["lower"] <= found.costs["cost_per_successful_task"]).all()
    assert (found.costs["upper"] >= found.costs["cost_per_successful_task"]).all()
    assert "costs 55.8% less" in found.reason


def test_the_cheaper_but_worse_is_rejected(evaluation):
    """USD 0.0121 at 88.0% is 0.0138 a success, cheaper than today, and still rejected."""
    today = evaluation(1000, failed=range(50), cost=0.0336)
    trap = evaluation(1000, failed=range(120), cost=0.0121, configuration="trap")

    found = evaluation_gate(today, trap, 0.02)

    assert "reject" == found.verdict
    assert [0.0354, 0.0138] == found.costs["cost_per_successful_task"].round(4).tolist()
    assert "-7.0 points" in found.reason


def test_a_small_sample_decides_nothing(evaluation):
    """Sixty items, 10% of them changed: 1,546 pairs would decide (6.18 × 0.1 / 0.02²)."""
    found = evaluation_gate(
        evaluation(60, failed=[0, 1, 2]), evaluation(60, failed=[3, 4, 5], configuration="new"), 0.02
    )

    assert "not enough evidence" == found.verdict
    assert 1546 == found.comparison["pairs_to_decide"].item()
    assert "1,546 would decide" in found.reason


def test_quality_that_costs_more_a_success_is_rejected(evaluation):
    """It holds the pass rate and costs twice as much."""
    found = evaluation_gate(evaluation(500, cost=0.01), evaluation(500, cost=0.02, configuration="new"), 0.02)

    assert "reject" == found.verdict
    assert "costs 100.0% more" in found.reason


def test_without_costs_quality_decides(evaluation):
    """A verdict on quality says that the cost is not known."""
    bare = evaluation(500).drop(columns="cost_usd")
    found = evaluation_gate(bare, bare.assign(configuration="new"), 0.02)

    assert "promote" == found.verdict
    assert "costs what is not known" in found.reason
    assert found.costs[["cost_per_successful_task", "lower", "upper"]].isna().all(axis=None)


def test_a_candidate_without_a_success_has_no_cost_per_success(evaluation):
    """Nothing passed: no division, a rejection."""
    found = evaluation_gate(evaluation(200), evaluation(200, failed=range(200), configuration="new"), 0.02)

    assert "reject" == found.verdict
    assert np.isnan(found.costs["cost_per_successful_task"].iloc[1])


def test_missing_items_never_promote(evaluation):
    """Judged on what it has, a partial run may be rejected and not promoted."""
    today = evaluation(1000)
    with pytest.raises(EvaluationError, match="lacks 400 items"):
        evaluation_gate(today, evaluation(600, configuration="new"), 0.02)

    found = evaluation_gate(today, evaluation(600, cost=0.001, configuration="new"), 0.02, allow_missing=True)
    assert "not enough evidence" == found.verdict
    assert "400 of 1,000 items were not evaluated" in found.reason


def test_an_early_look_asks_for_more(evaluation):
    """The counts that promote at the end do not at the first of several looks."""
    today, new = evaluation(1000, failed=range(20)), evaluation(1000, failed=range(10, 30), configuration="new")

    assert "promote" == evaluation_gate(today, new, 0.02).verdict
    assert "not enough evidence" == evaluation_gate(today, new, 0.02, planned_pairs=5000).verdict
    assert "promote" == evaluation_gate(today, new, 0.02, planned_pairs=1000, earlier_looks=[500]).verdict


def test_a_look_that_may_spend_nothing_decides_nothing(evaluation):
    """20 of 500 planned pairs, and a look after the planned end: no error to spend, however bad the candidate."""
    today, bad = evaluation(20), evaluation(20, failed=range(20), configuration="new")
    early = evaluation_gate(today, bad, 0.02, planned_pairs=500)
    late = evaluation_gate(evaluation(600), evaluation(600, cost=1.0), 0.02, planned_pairs=500, earlier_looks=[500])

    for found in (early, late):
        assert "not enough evidence" == found.verdict
        assert "the plan leaves no error to spend" in found.reason
        assert [(-1.0, 1.0)] == list(found.comparison[["lower", "upper"]].itertuples(index=False, name=None))


def test_several_candidates_share_the_error(evaluation):
    """Holm over four: the first is held against 0.05 / 4, and once one is promoted, the others against 0.05 / 3."""
    failed = {"c04": range(20, 24), "c26": range(26, 66), "c27": range(27, 67), "c28": range(28, 68)}
    frames = [evaluation(700, failed=items, configuration=name, cost=0.005) for name, items in failed.items()]
    found = compare_candidates(pd.concat([*frames, evaluation(700, failed=range(40))]), "today", 0.02)

    assert list(failed) == found["candidate"].tolist()
    adjusted = multipletests(found["p_value"], 0.05, method="holm")[0]
    assert adjusted.tolist() == (found["verdict"] == "promote").tolist()
    assert [True, False, False, False] == adjusted.tolist()
    assert (found["p_value"].iloc[1:] < 0.05).all()
    assert pytest.approx([0.05 / 3] * 4) == found["level"].tolist()
    assert (found["lower"] > -0.02).tolist() == adjusted.tolist()


def test_an_unknown_baseline_is_refused(evaluation):
    """The configurations that there are stand in the message."""
    with pytest.raises(EvaluationError, match="there are: today"):
        compare_candidates(evaluation(10), "yesterday", 0.02)
    assert compare_candidates(evaluation(10), "today", 0.02).empty


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(failed=st.sets(st.integers(0, 119), max_size=60), shift=st.integers(0, 30), seed=st.integers(0, 100))
def test_order_and_names_do_not_matter(evaluation, failed, shift, seed):
    """Shuffled rows give the same verdict and numbers."""
    today = evaluation(120, failed=failed)
    new = evaluation(120, failed={number + shift for number in failed}, cost=0.004, configuration="new")
    found = evaluation_gate(today, new, 0.05)
    again = evaluation_gate(today.sample(frac=1, random_state=seed), new.sample(frac=1, random_state=seed + 1), 0.05)

    assert found.verdict == again.verdict
    pd.testing.assert_frame_equal(found.comparison, again.comparison)
    pd.testing.assert_frame_equal(found.costs, again.costs)


def test_the_sample_holds_a_good_candidate_a_trap_and_a_small_one():
    """Promote, reject, not enough evidence, as planted."""
    rows = pd.read_parquet(SAMPLE)
    found = compare_candidates(rows[rows["evaluation_set"] == "support-copilot/ticket-answer"], "claude-sonnet-5", 0.02)

    assert {
        "aggressive-compression": "reject",
        "gated-routing": "promote",
        "small-model": "not enough evidence",
    } == dict(zip(found["candidate"], found["verdict"], strict=True))
    per_success = found.set_index("candidate")["candidate_cost_per_successful_task"]
    assert (
        pytest.approx([0.01375, 0.01562], abs=1e-5) == per_success[["aggressive-compression", "gated-routing"]].tolist()
    )
    assert 60 == found.set_index("candidate").loc["small-model", "pairs"]
