"""What evaluations of a workflow allow: promoted, proposed, or to be made."""

from __future__ import annotations

from decimal import Decimal

import pandas as pd
import pytest

from finops_lib.optimize import (
    evaluated_route,
    evaluated_routes,
    gate_verdicts,
    missing_evaluations,
    proposed_routes,
    segment_traffic,
)
from finops_lib.settings import GateSettings

GATE = GateSettings()


def ledger(*rows):
    """Make a month of (assistant, workflow, model, cost)."""
    frame = pd.DataFrame(rows, columns=["assistant", "workflow", "model", "contracted_cost"])
    costs = frame["contracted_cost"].map(lambda cost: Decimal(str(cost)))
    return frame.assign(
        contracted_cost=costs, category=["evaluation" if name == "judge" else None for name in frame["workflow"]]
    )


@pytest.fixture
def evaluations(evaluation):
    """1,000 items: large 0.04 a call, good 0.01 and as good, trap 0.005 and 100 items worse."""
    frames = [
        evaluation(1_000, range(50), 0.04, "large"),
        evaluation(1_000, range(50), 0.01, "good"),
        evaluation(1_000, range(150), 0.005, "trap"),
    ]
    return pd.concat(frames).assign(evaluation_set="a/w")


MONTH = ledger(("a", "w", "large-2026", 90), ("a", "w", "other", 10), ("a", "v", "large-2026", 40), ("b", "u", "m", 5),
               ("b", "judge", "m", 99))  # fmt: skip


def test_what_the_gate_promotes_is_the_saving(evaluations):
    """The costliest model is the baseline; the good one saves 75% of it, proven; the trap serves nothing."""
    (found,) = evaluated_routes(evaluations, MONTH, GATE)
    verdicts = gate_verdicts([found]).set_index("candidate")["verdict"].to_dict()

    assert ("a", "w", "large") == (found.assistant, found.workflow, found.baseline)
    assert {"good": "promote", "trap": "reject"} == verdicts
    assert pytest.approx((0.75, 0.75, 0.75)) == found.saving
    assert "trap" not in set(proposed_routes([found])["configuration"])


def test_segments_may_still_be_routed_when_nothing_is_promoted(cells):
    """The small model is as good on easy items and fails half of the hard ones: only the easy half moves."""
    rows = cells([("easy", "large", 190, 200, 0.04), ("easy", "small", 190, 200, 0.01),
                  ("hard", "large", 190, 200, 0.04), ("hard", "small", 100, 200, 0.01)])  # fmt: skip
    (found,) = evaluated_routes(rows.assign(evaluation_set="a/w"), MONTH, GATE)

    assert ["reject"] == found.verdicts["verdict"].tolist()
    assert 0.0 == found.saving[0]
    assert 0.3 < found.saving[1] == found.saving[2] < 0.5
    assert "to be gated" in found.measure


def test_what_is_rejected_is_not_proposed_while_others_are_open(evaluation):
    """Too few items to promote the young one: the trap is still no proposal."""
    frames = [evaluation(400, range(20), 0.04, "large"), evaluation(400, range(20), 0.01, "young")]
    frames += [evaluation(400, range(80), 0.005, "trap")]
    (found,) = evaluated_routes(pd.concat(frames).assign(evaluation_set="a/w"), MONTH, GateSettings(margin=0.001))

    assert {"young": "not enough evidence", "trap": "reject"} == found.verdicts.set_index("candidate")[
        "verdict"
    ].to_dict()
    assert "trap" not in set(found.routes.assignment["configuration"])
    assert 0.0 == found.saving[0]


def test_a_control_moves_floor_and_margin(evaluations):
    """At a margin of 12 points even the trap is promoted; of what is not evaluated there is nothing."""
    moved = evaluated_route(evaluations, MONTH, GATE, evaluation_set="a/w", quality_floor=0.8, margin=0.12)
    nothing = evaluated_route(evaluations, MONTH, GATE, evaluation_set="none", quality_floor=0.8, margin=0.12)

    assert ["promote", "promote"] == moved.verdicts["verdict"].tolist()
    assert nothing.routes.plans.empty
    assert nothing.verdicts.empty


def test_the_costliest_workflows_are_evaluated_next(evaluations):
    """W is evaluated; v costs 40 and u 5; 15% of answers differing take 2,319 items, as the tables say."""
    found = missing_evaluations(MONTH, evaluations, GATE)

    assert [("a", "v", "large-2026"), ("b", "u", "m")] == list(
        found[["assistant", "workflow", "model"]].itertuples(index=False, name=None)
    )
    assert {2_319} == set(found["items"])
    assert {1_237} == set(found["items_if_alike"])
    assert ["w", "v", "u"] == missing_evaluations(MONTH, evaluations.iloc[:0], GATE)["workflow"].tolist()


def test_no_evaluations_no_verdicts(evaluations):
    """Frames with columns and no row; a segment weighs as many items as it has."""
    assert [] == evaluated_routes(evaluations.iloc[:0], MONTH, GATE)
    assert gate_verdicts([]).empty
    assert proposed_routes([]).empty
    assert {"all": 1_000} == segment_traffic(evaluations).to_dict()
