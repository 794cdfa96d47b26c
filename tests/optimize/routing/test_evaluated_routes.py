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
    route_controls,
    segment_traffic,
)
from finops_lib.optimize.routing.evaluated_routes import configuration_of
from finops_lib.settings import GateSettings, ModelCatalogue, Promotion, RoutingPolicy

GATE = GateSettings()
NO_RULES = ({}, ModelCatalogue(), pd.DataFrame(columns=["provider", "model"]))


def ledger(*rows):
    """Make a month of (assistant, workflow, model, cost)."""
    frame = pd.DataFrame(rows, columns=["assistant", "workflow", "model", "contracted_cost"])
    costs = frame["contracted_cost"].map(lambda cost: Decimal(str(cost)))
    return frame.assign(
        contracted_cost=costs,
        category=["evaluation" if name == "judge" else None for name in frame["workflow"]],
        data_class="internal",
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
    (found,) = evaluated_routes(evaluations, MONTH, GATE, *NO_RULES)
    verdicts = gate_verdicts([found]).set_index("candidate")["verdict"].to_dict()

    assert ("a", "w", "large") == (found.assistant, found.workflow, found.baseline)
    assert {"good": "promote", "trap": "reject"} == verdicts
    assert pytest.approx((0.75, 0.75, 0.75)) == found.saving
    assert "trap" not in set(proposed_routes([found])["configuration"])


@pytest.mark.parametrize(
    ("model", "configuration"),
    [
        ("gpt-4o-mini", "gpt-4o-mini"),
        ("gpt-4o", "gpt-4o"),
        ("gpt-4o-2024-08-06", "gpt-4o"),
        ("gpt-4o-mini-2024-07-18", "gpt-4o-mini"),
        ("gpt-4o-latest", "gpt-4o"),
        ("gpt-4o@20240806", "gpt-4o"),
        ("gpt-4o-audio", None),
        ("claude-sonnet-4-5", None),
        ("claude-sonnet-4-20250514-v1:0", "claude-sonnet-4"),
    ],
)
def test_a_model_is_a_configuration_by_name_or_version(model, configuration):
    """A date or revision is the same model; a longer name is another."""
    assert configuration == configuration_of(model, ["gpt-4o", "gpt-4o-mini", "claude-sonnet-4"])


def test_what_serves_is_the_baseline_not_its_namesake(evaluation):
    """All traffic is on the mini: there is nothing to save by moving from the large one to it."""
    rows = pd.concat([evaluation(400, range(20), 0.04, "gpt-4o"), evaluation(400, range(28), 0.01, "gpt-4o-mini")])
    month = ledger(("a", "w", "gpt-4o-mini", 100))
    (found,) = evaluated_routes(rows.assign(evaluation_set="a/w"), month, GATE, *NO_RULES)

    assert "gpt-4o-mini" == found.baseline
    assert (0.0, 0.0, 0.0) == found.saving


def test_a_set_of_the_whole_assistant_counts_all_its_workflows(evaluations):
    """The set is named by the assistant alone; its workflows need no further evaluation."""
    whole = evaluations.assign(evaluation_set="a")
    (found,) = evaluated_routes(whole, MONTH, GATE, *NO_RULES)

    assert ("a", None, "large") == (found.assistant, found.workflow, found.baseline)
    assert pytest.approx((0.75, 0.75, 0.75)) == found.saving
    assert ["b"] == missing_evaluations(MONTH, whole, GATE)["assistant"].tolist()
    both = evaluated_routes(pd.concat([whole, evaluations]), MONTH, GATE, *NO_RULES)
    assert ["w", None] == [route.workflow for route in both]


@pytest.mark.parametrize(
    ("policy", "catalogue"),
    [
        ({"models": ["large", "trap"]}, {}),
        ({"data_classes": ["secret"]}, {"data_classes": {"secret": ["house/large"]}}),
        (None, {"data_classes": {"internal": ["large"]}}),
    ],
)
def test_what_the_policy_forbids_is_judged_and_not_proposed(evaluations, policy, catalogue):
    """By model, by the data it may handle, by the data seen: good passes the gate and serves nothing, saves nothing."""
    policies = {} if policy is None else {("a", "w"): RoutingPolicy(workflow="w", **policy)}
    prices = pd.DataFrame({"provider": "house", "model": ["large", "good", "trap"]})
    (found,) = evaluated_routes(evaluations, MONTH, GATE, policies, ModelCatalogue(**catalogue), prices)
    verdicts = gate_verdicts([found]).set_index("candidate")

    assert ("promote", False) == tuple(verdicts.loc["good", ["verdict", "is_allowed"]])
    assert {"large"} == set(proposed_routes([found])["configuration"])
    assert (0.0, 0.0, 0.0) == found.saving
    unknown = evaluated_routes(evaluations, MONTH, GATE, policies, ModelCatalogue(**catalogue), prices.iloc[:1])
    assert {"good"} == set(proposed_routes(unknown)["configuration"])  # a variant is no model


def test_what_serves_already_has_its_date(evaluations):
    """The good one was promoted for the workflow: nobody needs to approve it again."""
    record = {"assistant": "a", "configuration": "good", "lever": "routing", "owner": "lead", "expected_saving": 5}
    done = [Promotion(**record, workflow="w", promoted_on="2026-09-09"),
            Promotion(**record, workflow="v", promoted_on="2026-09-01")]  # fmt: skip
    routes = evaluated_routes(evaluations, MONTH, GATE, *NO_RULES)

    assert {"good": "2026-09-09", "trap": "None"} == (
        gate_verdicts(routes, done).set_index("candidate")["promoted_on"].map(str).to_dict()
    )
    assert ["2026-09-09"] == proposed_routes(routes, done)["promoted_on"].map(str).tolist()


def test_segments_may_still_be_routed_when_nothing_is_promoted(cells):
    """The small model is as good on easy items and fails half of the hard ones: only the easy half moves."""
    rows = cells([("easy", "large", 190, 200, 0.04), ("easy", "small", 190, 200, 0.01),
                  ("hard", "large", 190, 200, 0.04), ("hard", "small", 100, 200, 0.01)])  # fmt: skip
    (found,) = evaluated_routes(rows.assign(evaluation_set="a/w"), MONTH, GATE, *NO_RULES)

    assert ["reject"] == found.verdicts["verdict"].tolist()
    assert 0.0 == found.saving[0]
    assert 0.3 < found.saving[1] == found.saving[2] < 0.5
    assert "to be gated" in found.measure


def test_what_is_rejected_is_not_proposed_while_others_are_open(evaluation):
    """Too few items to promote the young one: the trap is still no proposal."""
    frames = [evaluation(400, range(20), 0.04, "large"), evaluation(400, range(20), 0.01, "young")]
    frames += [evaluation(400, range(80), 0.005, "trap")]
    rows, strict = pd.concat(frames).assign(evaluation_set="a/w"), GateSettings(margin=0.001)
    (found,) = evaluated_routes(rows, MONTH, strict, *NO_RULES)

    assert {"young": "not enough evidence", "trap": "reject"} == found.verdicts.set_index("candidate")[
        "verdict"
    ].to_dict()
    assert "trap" not in set(found.routes.assignment["configuration"])
    assert 0.0 == found.saving[0]


def test_a_control_moves_floor_and_margin(evaluations):
    """At a margin of 12 points even the trap is promoted; of what is not evaluated there is nothing."""
    given, choice = (evaluations, MONTH, GATE, *NO_RULES), {"quality_floor": 0.8, "margin": 0.12}
    moved = evaluated_route(*given, evaluation_set="a/w", **choice)
    nothing = evaluated_route(*given, evaluation_set="none", **choice)
    sets = {"quality_floor": [0.95, 0.9, 0.98], "margin": [0.02, 0.01, 0.03]}

    assert {"evaluation_set": ["a/w"]} | sets == route_controls([moved], GATE)
    assert {"evaluation_set": ["none"]} | sets == route_controls([], GATE)
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
    assert [] == evaluated_routes(evaluations.iloc[:0], MONTH, GATE, *NO_RULES)
    assert gate_verdicts([]).empty
    assert proposed_routes([]).empty
    assert {"all": 1_000} == segment_traffic(evaluations).to_dict()
