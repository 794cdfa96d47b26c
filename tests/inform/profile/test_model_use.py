"""What each model serves, what it costs, and what comes of it."""

from __future__ import annotations

import pandas as pd
import pytest

from finops_lib import inform


def test_share_of_traffic_stands_beside_share_of_cost(costs, usage):
    """The large model serves 20 of 100 requests and makes 6.50 of 10.00 USD."""
    mix = inform.model_mix(costs, usage).set_index("model")

    assert 0.2 == mix.loc["large", "share_of_requests"]
    assert 0.65 == mix.loc["large", "share_of_cost"]
    assert 0.325 == mix.loc["large", "cost_per_request"]
    assert 100_000 == mix.loc["large", "input_tokens_per_request"]
    assert 10_000 == mix.loc["small", "output_tokens_per_request"]


def test_routes_split_a_model(costs, usage, make_ledger):
    """By model and route, traffic without a known route stays visible."""
    mix = inform.model_mix(costs, usage, by=("model", "route"))

    assert {("large", "premium"), ("large", "default"), ("small", "default")} <= set(
        zip(mix["model"], mix["route"], strict=True)
    )
    assert 100 == mix["requests"].sum()


def test_a_source_that_counts_no_calls_gives_no_rate(costs, make_usage):
    """Tokens without requests: the cost of a request is unknown, not infinite."""
    mix = inform.model_mix(costs, make_usage([("2026-09-01", None, {"model": "large"})]))

    assert mix["cost_per_request"].isna().all()
    assert mix["requests"].isna().all()


def test_empty_frames_give_an_empty_mix(costs, usage):
    """No traffic, no rows."""
    assert 0 == len(inform.model_mix(costs.head(0), usage.head(0)))


TASKS = pd.DataFrame(
    {
        "model": ["cheap", "dear", "useless"],
        "tasks": [100.0, 50.0, 4.0],
        "successful_tasks": [80.0, 45.0, 0.0],
        "cost": [8.0, 90.0, 2.0],
        "cost_of_successful_tasks": [6.0, 81.0, 0.0],
        "known_tasks": [100.0, 50.0, 4.0],
        "known_cost": [8.0, 90.0, 2.0],
        "success_definition": ["resolved"] * 3,
    }
)


def test_models_are_ranked_by_the_cost_of_a_success():
    """Failed tasks are paid for: 90 USD / 45 = 2.00 and 8 USD / 80 = 0.10 a successful task."""
    ranked = inform.cost_per_successful_task(TASKS)

    assert ["dear", "cheap", "useless"] == ranked["model"].tolist()
    assert [2.0, 0.1] == ranked["cost_per_successful_task"].tolist()[:2]
    assert pd.isna(ranked["cost_per_successful_task"].iloc[2])
    assert pytest.approx([0.9, 0.75, 0.0]) == ranked["useful_share"].tolist()
    assert [9.0, 2.0, 2.0] == ranked["cost_without_result"].tolist()


def test_a_task_that_does_not_say_counts_for_nothing():
    """80 of 90 that say so; 7.20 of 8.00 USD are theirs: 0.09 a success, 1.20 without result."""
    ranked = inform.cost_per_successful_task(TASKS.head(1).assign(known_tasks=90.0, known_cost=7.2))

    shown = ["unknown_tasks", "success_rate", "cost_per_task", "cost_per_successful_task", "cost_without_result"]
    assert pytest.approx([10.0, 80 / 90, 0.08, 0.09, 1.2]) == ranked.loc[0, shown].tolist()


def test_no_tasks_give_an_empty_ranking():
    """Without tasks there is nothing to rank, and no error."""
    assert 0 == len(inform.cost_per_successful_task(TASKS.head(0)))
