"""Figures of drivers: the title says the finding, the alternative text the numbers."""

from __future__ import annotations

import pandas as pd
import pytest

from finops_lib.report import alt_text, plot_cost_bridge, plot_drivers, plot_scenarios, plot_sensitivity


def drivers():
    """Build 10 days of 100 calls and 5 days ahead at 150; the share of one model beside it."""
    days = pd.date_range("2026-09-01", periods=15)
    parts = []
    for name, now, then in (("calls", 100.0, 150.0), ("share of m", 1.0, 1.0)):
        past = pd.DataFrame({"driver": name, "day": days[:10], "actual": now})
        ahead = pd.DataFrame({"driver": name, "day": days[10:], "mean": then, "lower_80": 0.9 * then, "upper_80": then})
        parts += [past, ahead]
    return pd.concat(parts, ignore_index=True)


def steps(*rows):
    """Steps of a bridge from (step, amount)."""
    frame = pd.DataFrame(rows, columns=["step", "amount"])
    return frame.assign(is_total=frame["step"].isin(["before", "after"]), carried_by="draft")


def scenarios(*rows, swing=None):
    """Scenarios from (name, cost a month, change)."""
    frame = pd.DataFrame(rows, columns=["scenario", "cost_per_month", "change"])
    frame.attrs["addressable_swing"] = swing
    return frame


def test_drivers_name_what_moves():
    """Calls grow by half; each driver and the mix have a panel."""
    figure = plot_drivers(drivers())

    assert "Moving most: calls a day, 50% more than the last four weeks" in alt_text(figure)
    assert 2 == len(figure.axes)
    assert "no model calls" in alt_text(plot_drivers(drivers().head(0)))


def test_small_shares_are_drawn_together():
    """Of shares of 90%, 4%, 3% and 3% the first has a line, the others one at 10%."""
    first = drivers()
    parts = [
        first[first["driver"] == "share of m"].assign(driver=f"share of {name}", actual=lambda f, s=s: f["actual"] * s)
        for name, s in (("a", 0.9), ("b", 0.04), ("c", 0.03), ("d", 0.03))
    ]
    panel = plot_drivers(pd.concat([first[first["driver"] == "calls"], *parts])).axes[-1]
    lines = {line.get_label(): line.get_ydata() for line in panel.lines if not line.get_label().startswith("_")}

    assert ["a", "3 below 5% each"] == list(lines)
    assert pytest.approx(0.1) == lines["3 below 5% each"][0]


def test_bridge_stands_on_the_step_before():
    """From 100 over +30 and −10 to 120: each bar begins where the last ended."""
    bridge = steps(("before", 100.0), ("volume", 30.0), ("price", -10.0), ("after", 120.0))
    figure = plot_cost_bridge(bridge, periods=("2026-08", "2026-09"))
    bars = [(bar.get_x(), bar.get_width()) for bar in figure.axes[0].patches]

    assert "September 2026 cost 20% more than August 2026, above all through volume (calls)" in alt_text(figure)
    assert [(100.0, 30.0), (120.0, 10.0)] == bars[1:3]
    assert bars[0][0] + bars[0][1] == 100.0
    assert "axis does not begin at zero" in figure.axes[0].get_xlabel()


def test_bridge_without_a_month_before_says_so():
    """Nothing to compare, or nothing spent before."""
    assert "no month before" in alt_text(plot_cost_bridge(steps()))
    figure = plot_cost_bridge(steps(("before", 0.0), ("volume", 5.0), ("after", 5.0)), periods=("2026-08", "2026-09"))
    assert "September 2026 cost USD 5.00, and August 2026 nothing" in alt_text(figure)


def test_scenarios_say_the_swing_or_the_largest_change():
    """A swing where there is one; else the case that moves most; else today's pace; an unknown case has no bar."""
    rows = (("today", 100.0, None), ("more", 140.0, 0.4), ("unknown", None, None))

    assert "lie USD 30.00 a month" in alt_text(plot_scenarios(scenarios(*rows, swing=30.0)))
    assert "“more” would cost USD 140.00 a month, 40% more than today" in alt_text(plot_scenarios(scenarios(*rows)))
    assert 2 == len(plot_scenarios(scenarios(*rows)).axes[0].patches)
    assert "no scenario is set" in alt_text(plot_scenarios(scenarios(rows[0])))
    assert "No scenario" in alt_text(plot_scenarios(scenarios(("today", 0.0, None))))


def test_sensitivity_ranks_and_keeps_what_is_not_known():
    """The dearest change is the title; a driver that is not measured says so."""
    table = pd.DataFrame(
        {
            "driver": ["more retries", "more steps of agents"],
            "unit": ["retries a call", "model calls a run"],
            "measured": [0.05, None],
            "becomes": [0.25, None],
            "cost_per_month": [80.0, None],
            "share_of_cost": [0.2, None],
        }
    )

    assert "What would cost most: more retries, USD 80.00 a month" in alt_text(plot_sensitivity(table))
    assert "more retries, 5.0% → 25% retries a call: +USD 80.00 · +20%" in alt_text(plot_sensitivity(table))
    assert "more steps of agents: not known" in alt_text(plot_sensitivity(table))
    assert "nothing is measured" in alt_text(plot_sensitivity(table.tail(1)))
    assert "is not known" in alt_text(plot_sensitivity(table.head(0)))
