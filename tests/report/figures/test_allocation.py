"""From the bills to the teams, drawn."""

from __future__ import annotations

from decimal import Decimal

import pandas as pd
import pytest

from finops_lib import report

STEPS = ["billed", "direct", "proportional", "overhead", "unallocated"]


def waterfall(*costs: int) -> pd.DataFrame:
    """Steps of a waterfall."""
    return pd.DataFrame({"step": STEPS, "billed_cost": [Decimal(cost) for cost in costs], "charges": 1})


def carried(*rows: tuple[str, int, int, int]) -> pd.DataFrame:
    """What receivers carry, from (name, direct, proportional, overhead)."""
    frame = pd.DataFrame(rows, columns=["receiver", "direct", "proportional", "overhead"])
    frame["billed_cost"] = frame[["direct", "proportional", "overhead"]].sum(axis=1)
    return frame.assign(share=frame["billed_cost"] / frame["billed_cost"].sum())


def test_each_step_begins_where_the_last_ended() -> None:
    """100 come apart into 60, 25, 10 and 5, from the right to zero."""
    figure = report.plot_allocation_waterfall(waterfall(100, 60, 25, 10, 5), period="2026-09")
    bars = [(patch.get_x(), patch.get_width()) for patch in figure.axes[0].patches]

    assert [(0, 100), (40, 60), (15, 25), (5, 10), (0, 5)] == bars
    assert "95% of September 2026's bills reach a team" == " ".join(figure.get_suptitle().split())
    assert "Proportional: by use: USD 25.00 · 25.0%" in report.alt_text(figure)


def test_a_month_of_credits_is_drawn_too() -> None:
    """More credited than charged: no share is made up."""
    figure = report.plot_allocation_waterfall(waterfall(-10, -12, 2, 0, 0))

    assert "More was credited than charged" == figure.get_suptitle()
    assert "%" not in report.alt_text(figure)


@pytest.mark.parametrize(
    ("figure", "title"),
    [
        (report.plot_allocation_waterfall(waterfall(0, 0, 0, 0, 0)), "Nothing was allocated"),
        (report.plot_receivers(carried()), "Nobody carries a cost"),
        (report.plot_trace(pd.DataFrame()), "No charge to follow"),
    ],
)
def test_nothing_to_draw_is_said(figure: report.Chart, title: str) -> None:
    """Words stand where a chart would."""
    assert title == figure.get_suptitle()


def test_receivers_are_stacked_by_bucket(parts) -> None:
    """Three kinds of cost on one bar; the unallocated bar is apart, and the smallest receivers are folded."""
    frame = carried(("a", 50, 20, 10), ("b", 10, 5, 0), ("c", 2, 0, 0), ("d", 1, 0, 0), ("unallocated", 0, 0, 0))
    frame.loc[4, ["billed_cost", "share"]] = 2, 0.02
    figure = report.plot_receivers(frame, period="2026-09", top=2)
    drawn = parts(figure)

    assert "a carries 82% of the bills" == drawn["title"]
    assert ["a", "b", "everything else (2)", "unallocated"] == drawn["names"]
    assert ["direct", "proportional", "overhead"] == [text.get_text() for text in figure.legends[0].get_texts()]
    lefts = [patch.get_x() for patch in figure.axes[0].patches if patch.get_y() < 0.5 and patch.get_y() > -0.5]
    assert {0, 50, 70} == set(lefts)


def test_a_charge_and_its_parts(parts) -> None:
    """Largest part first, what nobody gets last, the idle part named."""
    trace = pd.DataFrame(
        {
            "charge_description": "Throughput",
            "whole_cost": [Decimal(10)] * 4,
            "rule": "capacity",
            "receiver": ["a", "a", "b", None],
            "driver": ["tokens", "idle", "tokens", "tokens"],
            "driver_value": [1.0, 0.5, 3.0, 1.0],
            "ratio": [0.1, 0.5, 0.3, 0.1],
            "billed_cost": [Decimal(1), Decimal(5), Decimal(3), Decimal(1)],
        }
    )
    drawn = parts(report.plot_trace(trace))

    assert "Throughput: USD 10.00 for 2 receivers by tokens" == drawn["title"]
    assert ["a (idle)", "b", "a", "unallocated"] == drawn["names"]
    assert ["USD 5.00 · 50.0%", "USD 3.00 · 30.0%", "USD 1.00 · 10.0%", "USD 1.00 · 10.0%"] == drawn["labels"]
