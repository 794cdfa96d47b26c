"""Axes are written in one way."""

from __future__ import annotations

import pandas as pd
import pytest

from finops_lib.report.axis_units import count_axis, day_axis, money_axis, share_axis
from finops_lib.report.chart import new_chart


def ticks(axes, figure):
    """Labels of the vertical axis as drawn."""
    figure.draw_without_rendering()
    low, high = axes.get_ylim()
    return [label.get_text() for place, label in zip(axes.get_yticks(), axes.get_yticklabels(), strict=True)
            if low <= place <= high]  # fmt: skip


@pytest.mark.parametrize(
    ("write", "top", "expected"),
    [
        (money_axis, 2000, ["0", "500", "1,000", "1,500", "2,000"]),
        (money_axis, 2, ["0", "0.50", "1.00", "1.50", "2.00"]),
        (money_axis, 0.004, ["0", "0.001", "0.002", "0.003", "0.004"]),
        (money_axis, 4e6, ["0", "1M", "2M", "3M", "4M"]),
        (count_axis, 2e6, ["0", "500k", "1M", "1.5M", "2M"]),
        (share_axis, 0.4, ["0%", "10%", "20%", "30%", "40%"]),
    ],
)
def test_axes_have_few_round_steps(write, top, expected):
    """Money, counts and shares read the same on every axis."""
    figure, (axes,) = new_chart("An axis")
    axes.set_ylim(0, top)
    write(axes.yaxis)

    assert expected == ticks(axes, figure)


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [
        ("2026-09-01", "2026-09-01", ["1 Sep"]),
        ("2026-08-30", "2026-09-01", ["30 Aug", "31 Aug", "1 Sep"]),
        ("2026-09-01", "2026-09-30", ["7 Sep", "14 Sep", "21 Sep", "28 Sep"]),
        ("2026-06-08", "2026-09-15", ["1 Jul", "1 Aug", "1 Sep"]),
    ],
)
def test_days_are_written_with_their_month(first, last, expected):
    """Every day of a week, Mondays of a month, firsts of a quarter."""
    _, (axes,) = new_chart("Days")
    day_axis(axes, pd.Series(pd.date_range(first, last)))

    assert expected == [label.get_text() for label in axes.get_xticklabels()]
    assert "Day, 2026" == axes.get_xlabel()
