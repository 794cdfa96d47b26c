"""What a task costs stands beside how good it was."""

from __future__ import annotations

import pandas as pd
import pytest

from finops_lib import inform

COUNTED = {
    "workflow": "answers",
    "tasks": 10,
    "calls": 20,
    "cost": 6.0,
    "known_cost": 5.0,
    "completed_tasks": 9,
    "successful_tasks": 4,
    "accepted_tasks": 6,
    "accepted_known": 8,
    "resolved_tasks": 4,
    "resolved_known": 5,
    "escalated_tasks": 1,
    "escalated_known": 4,
    "reworked_tasks": 2,
    "failed_calls": 3,
    "review_minutes": 25.0,
    "satisfaction": 4.2,
    "rated_tasks": 3,
}


def test_rates_are_of_those_that_say_so():
    """6 of 8 judged tasks accepted, 4 of 5 resolved, 1 of 4 escalated; 3 of 20 calls failed; 2.5 minutes a task."""
    row = inform.quality_beside_cost(pd.DataFrame([COUNTED])).iloc[0]

    assert (0.75, 0.8, 0.25) == (row["acceptance_rate"], row["resolution_rate"], row["escalation_rate"])
    assert (0.9, 0.2, 0.15) == (row["completion_rate"], row["rework_rate"], row["error_rate"])
    assert (0.6, 1.25, 2.5) == (row["cost_per_task"], row["cost_per_successful_task"], row["review_minutes_per_task"])
    assert (4.2, 3) == (row["satisfaction"], row["rated_tasks"])


@pytest.mark.parametrize(
    ("unknown", "rate"),
    [("accepted_known", "acceptance_rate"), ("resolved_known", "resolution_rate"), ("successful_tasks", None)],
)
def test_what_nobody_says_is_not_known(unknown, rate):
    """No task says whether it was accepted: that is no acceptance of zero."""
    found = inform.quality_beside_cost(pd.DataFrame([COUNTED | {unknown: 0}]))

    assert pd.isna(found[rate or "cost_per_successful_task"].item())


def test_no_tasks_no_rows():
    """An empty month keeps the columns."""
    full = inform.quality_beside_cost(pd.DataFrame([COUNTED]))

    assert full.columns.tolist() == inform.quality_beside_cost(pd.DataFrame([COUNTED]).head(0)).columns.tolist()
