"""Rollout figures: what is done and late stands in the title, and every item in the alternative text."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd

from finops_lib import report

START = date(2026, 8, 3)


def items():
    """Four items of two steps: one proved, one late, one lost, one to come."""
    return pd.DataFrame(
        {
            "step_name": ["Days 1–15: observe", "Days 1–15: observe", "Days 16–30: attribute", "Days 16–30: attribute"],
            "what": ["Calls are seen", "Tokens have prices", "Owners are named", "A budget is set"],
            "due": [date(2026, 8, 7), date(2026, 8, 12), date(2026, 8, 20), date(2026, 9, 1)],
            "state": ["proved", "overdue", "regressed", "open"],
            "slip_days": [0, 10, 2, 0],
        }
    )


def test_the_timeline_counts_and_names() -> None:
    """Day 20: one of four is done, one overdue, one lost; the line of the late one ends today."""
    figure = report.plot_rollout(items(), start=START, as_of=date(2026, 8, 22))
    axes = figure.axes[0]
    slips = [
        np.ptp(line.get_xdata()) for line in axes.lines if len(line.get_xdata()) == 2 and np.ptp(line.get_ydata()) == 0
    ]

    assert figure.alt.startswith("Day 20: 1 of 4 items are done, 1 overdue, 1 lost again.")
    assert "Tokens have prices (due 2026-08-12): overdue" in figure.alt
    assert [10, 2] == [slip for slip in slips if slip != 1]
    assert 6 == len(axes.get_yticklabels())
    assert any(text.get_text() == "today, day 20" for text in axes.texts)


def test_titles_say_when_the_days_are_over_or_have_not_begun() -> None:
    """After day 90, before day 1, and with an empty ledger."""
    after = report.plot_rollout(items(), start=START, as_of=date(2026, 11, 10))
    before = report.plot_rollout(items(), start=START, as_of=date(2026, 8, 1))
    without = report.plot_rollout(items(), start=START, as_of=None)

    assert after.alt.startswith("10 days after day 90")
    assert before.alt.startswith("Before day 1")
    assert without.alt.startswith("Before day 1")


def test_without_a_first_day_the_page_says_where_it_is_set() -> None:
    """Nothing is due, so nothing can be drawn."""
    assert "rollout: {start: …}" in report.plot_rollout(items(), start=None, as_of=None).alt


def test_the_bridge_names_the_largest_cause_in_its_direction() -> None:
    """Length drove it up although the price fell by more."""
    steps = [("plan", 100.0), ("length", 30.0), ("price", -40.0), ("volume", 60.0), ("actual", 150.0)]
    bridge = pd.DataFrame(steps, columns=["step", "amount"])
    figure = report.plot_plan_bridge(bridge.assign(is_total=bridge["step"].isin(["plan", "actual"])))

    assert figure.alt.startswith("A month costs USD 150.00 where USD 100.00 was planned; what moved it most is volume.")
    assert "price: −USD 40.00" in figure.alt


def test_without_a_plan_the_bridge_says_what_it_takes() -> None:
    """A plan, prices, calls."""
    assert "'plan'" in report.plot_plan_bridge(pd.DataFrame(columns=["step", "amount", "is_total"])).alt
