"""Columns are headed in words, with units, and written as their kind."""

from __future__ import annotations

import pandas as pd
import pytest

from finops_lib.report.labels import LEVER_LABELS, label_of

FRAME = pd.DataFrame(
    {
        "cost_per_task": [0.0123],
        "requests_change": [0.5],
        "is_open": [True],
        "steps_taken": [1200],
        "begun": [pd.Timestamp("2026-09-01")],
        "project_name": ["atlas"],
        "duration_ms": [90_000.0],
        "acceptance_rate": [0.755],
        "driver": ["log_gb"],
        "share_change": [-0.034],
    }
)


@pytest.mark.parametrize(
    ("column", "heading", "written"),
    [
        ("cost_per_task", "Cost per task (USD)", "0.01230"),
        ("requests_change", "Requests change", "+50%"),
        ("is_open", "Is open", "yes"),
        ("steps_taken", "Steps taken", "1,200"),
        ("begun", "Begun", "2026-09-01"),
        ("project_name", "Project name", "atlas"),
        ("duration_ms", "Duration (minutes)", "1.5"),
        ("acceptance_rate", "Accepted", "75.5%"),
        ("driver", "Driver", "log GB"),
        ("share_change", "Change (points)", "-3.4"),
    ],
)
def test_a_label_comes_from_the_name_or_the_type(column, heading, written):
    """Known names first, then endings, then the type of the values."""
    label = label_of(FRAME, column)

    assert (heading, written) == (label.heading, label.write(FRAME[column].iloc[0]))


def test_differences_of_shares_are_points():
    """20% of pass rate less is a fall of 20 points, whatever a fifth of it would be."""
    written = {name: label.write(-0.2) for name, label in LEVER_LABELS.items() if label.unit == "points"}

    assert dict.fromkeys(("difference", "lower", "upper", "margin"), "-20.0") == written
