"""Agents' runs held against their limits."""

from __future__ import annotations

import pandas as pd
import pytest

from finops_lib.operate import agent_limit_breaches
from finops_lib.settings import AgentLimits

RUNS = pd.DataFrame(
    {
        "task_id": ["t1", "t2", "t3", "t4"],
        "assistant": ["bot", "bot", "bot", "free"],
        "agent": ["bot", "bot", "bot", None],
        "duration_ms": [1_000.0, 240_000.0, 1_000.0, 1.0],
        "model_calls": [5, 20, 99, 1],
        "tool_calls": [5, 30, 99, 1],
        "retries": [0, 3, 9, 0],
        "tokens": [10, 100, 999, 1],
    }
)
COSTS = pd.DataFrame(
    {
        "task_id": ["t1", "t2", "t3", "t4"],
        "environment": ["production", "production", "sandbox", None],
        "cost": [1.0, 8.0, 50.0, 2.0],
    }
)


def test_a_run_over_its_limits_is_counted_with_the_part_beyond():
    """20 of 10 steps: half of 8.00; 240 of 60 seconds: three quarters; 8.00 of 6.00: 2.00. The sandbox is left out."""
    limits = {"bot": AgentLimits(steps=10, timeout_seconds=60, budget=6, tokens=100)}
    found = agent_limit_breaches(RUNS, COSTS, limits).set_index("limit")

    over = {"timeout_seconds": 6.0, "steps": 4.0, "budget": 2.0, "tokens": 0.0, "none set": 0.0}
    assert pytest.approx(over) == found["cost_over"].to_dict()
    assert (2, 1, 20, 8.0, "gateway") == tuple(found.loc["steps", ["runs", "runs_over", "largest", "cost", "held_by"]])
    assert "ledger" == found.loc["budget", "held_by"]
    assert "free" == found.loc["none set", "assistant"]


def test_no_retries_allowed_is_a_limit():
    """Zero is a limit like others."""
    (row,) = agent_limit_breaches(RUNS.head(3), COSTS, {"bot": AgentLimits(retries=0)}).to_dict("records")

    assert (1, 8.0) == (row["runs_over"], row["cost_over"])


def test_no_runs_no_rows():
    """Columns stay."""
    assert "cost_over" in agent_limit_breaches(RUNS.head(0), COSTS, {}).columns
