"""What each month cost, drawn."""

from __future__ import annotations

from datetime import date

import pandas as pd

from finops_lib import inform, report
from finops_lib.report.figures import months as figures_months


def test_partial_months_are_marked_and_compared_by_day(costs, usage, parts, inside):
    """July and September are covered in part; the title compares days."""
    figure = report.plot_month_on_month(inform.month_on_month(costs, usage))
    found = parts(figure)

    assert found["title"].startswith(
        "September 2026 cost USD 2.28 on 13 of 30 days; a day cost 20% more than in August"
    )
    assert [True, False, True] == [bool(bar.get_hatch()) for bar in figure.axes[0].patches]
    assert "13 of 30 days" in found["labels"][2]
    assert "Contracted cost (USD a month)" == found["ylabel"]
    assert [] == inside(figure)


def test_one_month_and_none(costs, usage, parts):
    """A single month has nothing to be compared with; no month is a sentence."""
    august = inform.filter_scope(costs, period="2026-08"), inform.filter_scope(usage, period="2026-08")
    one = parts(report.plot_month_on_month(inform.month_on_month(*august)))

    assert "August 2026 cost USD 4.52" == one["title"]
    assert "hatched" not in one["subtitle"]
    none = report.plot_month_on_month(inform.month_on_month(costs.head(0), usage.head(0)))
    assert "The cost per month is not known" == parts(none)["title"]


def test_months_without_calls_and_steep_growth_are_readable(costs, usage, parts, inside):
    """From May to July nobody called, before that a single small day: no calls is no fall to zero, no +2,000%."""
    small = (
        costs.head(2).assign(charge_period_start=date(2026, 1, 5)),
        usage.head(1).assign(charge_period_start=date(2026, 1, 5)),
    )
    months = inform.month_on_month(pd.concat([small[0], costs]), pd.concat([small[1], usage]))
    figure = report.plot_month_on_month(months)
    labels = parts(figure)["labels"]

    assert 9 == len(labels)
    assert ["no calls"] * 4 == labels[2:6]
    assert "4.52" == labels[7].split("\n")[0]  # crowded: the axis says USD
    assert "× 161" in figures_months._change(160.4)
    assert [] == inside(figure)
