"""What each month cost, drawn."""

from __future__ import annotations

from finops_lib import inform, report


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
