"""Assistants side by side, drawn."""

from __future__ import annotations

import pandas as pd
import pytest

from finops_lib import report

ROWS = pd.DataFrame([
    {"assistant": "a", "title": "Ana", "state": "act", "why": "its budget will 98% probably be exceeded; " * 3,
     "cost": 1234.5, "cost_per_day_change": 0.48},
    {"assistant": "b", "title": "A rather long name of an assistant", "state": "idle", "why": "no calls this month",
     "cost": 0.0, "cost_per_day_change": None},
])  # fmt: skip
VIABLE = pd.DataFrame({
    "assistant": ["a", "b", "c"],
    "verdict": ["scale", "retire", "hold"],
    "value_per_cost": [12.0, 0.5, None],
    "ratio_lower_80": [10.0, 0.4, None],
    "ratio_upper_80": [15.0, 0.6, None],
    "confidence": ["high", "low", None],
    "counted_per_cost": [12.0, 0.17, None],
    "cost_basis": ["true cost", "true cost", "model cost"],
})  # fmt: skip


@pytest.mark.parametrize("days", [1, 120])
def test_portfolio(parts, inside, days):
    """A line an assistant, its cost and its state in words; an assistant without calls lies flat."""
    daily = pd.DataFrame({"a": range(days)}, index=pd.date_range("2026-07-01", periods=days), dtype=float)
    figure = report.plot_portfolio(ROWS, daily)
    found = parts(figure)

    assert "1 of 2 assistants needs somebody to act" == found["title"]
    assert f"last {min(days, 91)}" in found["subtitle"]
    assert ["USD 1,235\n+48% a day", "USD 0.00"] == found["labels"][::2]
    assert found["labels"][3] == "idle: no calls this month"
    assert "Ana: USD 1,234.50, act" in report.alt_text(figure)
    assert [] == inside(figure)


def test_viability(parts, inside):
    """The least is the title; what is not known is left out."""
    figure = report.plot_viability(VIABLE)
    found = parts(figure)

    assert "A dollar brings least in b: USD 0.50 of value" == found["title"]
    assert ["a", "b"] == found["names"]
    assert {"12.0 · scale", "0.5, 0.2 counted · retire"} <= set(found["labels"])
    assert "a: 12.00 (10.00 to 15.00), scale" in report.alt_text(figure)
    assert [] == inside(figure)


def test_model_cost_is_not_ranked_beside_true_cost(parts):
    """The least of those on true cost is the title; the other says that it holds the calls alone."""
    found = parts(report.plot_viability(VIABLE.assign(cost_basis=["true cost", "model cost", "model cost"])))

    assert "A dollar brings least in a: USD 12.00 of value" == found["title"]
    assert "0.5, 0.2 counted · retire, model cost only" in found["labels"]


def test_nothing_to_show(parts):
    """Both say what is missing."""
    assert "There is no assistant" in parts(report.plot_portfolio(ROWS.head(0), pd.DataFrame()))["title"]
    assert "is not known" in parts(report.plot_viability(VIABLE.tail(1)))["title"]
