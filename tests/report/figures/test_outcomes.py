"""What is spent, beside what one of its results costs."""

from __future__ import annotations

from decimal import Decimal

import pandas as pd
import pytest

from finops_lib import report

MONTHS = pd.DataFrame(
    {
        "month": ["2026-08", "2026-09"],
        "contracted_cost": [Decimal(100), Decimal(200)],
        "cost_per_outcome": [0.5, 0.4],
        "cost_per_successful_task": [0.3, 0.3],
        "is_partial": [False, True],
    }
)
READING = {
    "period": "2026-09",
    "previous_period": "2026-08",
    "unit": "outcome",
    "cost_per_unit": 0.4,
    "previous_cost_per_unit": 0.5,
    "spend_change": 1.0,
    "unit_change": -0.2,
    "reading": "success",
}


def test_doubled_spend_with_cheaper_outcomes_reads_as_success():
    """Both changes stand before the verdict."""
    text = report.growth_text(READING).data

    assert text.startswith("A day of September 2026 cost 100% more than in August 2026")
    assert "one outcome cost USD 0.40 instead of USD 0.50 (-20%)" in text
    assert text.endswith("**That is success: more is spent because more is done, and each outcome costs less.**")


@pytest.mark.parametrize(
    ("reading", "says"),
    [
        ("failing quietly", "failing quietly: the bill does not show it"),
        ("growing dearer", "not growth alone"),
        ("growing with the work", "grows with the work"),
        ("improving", "now buys more"),
        ("steady", "Nothing has moved much"),
        ("saving", "Less is spent, and each outcome costs less"),
        ("shrinking with the work", "because less is done"),
    ],
)
def test_every_reading_has_its_sentence(reading, says):
    """Each reads differently."""
    assert says in report.growth_text(READING | {"reading": reading}).data


def test_one_month_has_no_verdict():
    """It says what it would take."""
    assert "It takes two months" in report.growth_text({"reading": "not known"}).data


def test_cost_stands_above_the_cost_of_one_outcome(parts, inside):
    """Two rows of bars over the same months; the partial month says so."""
    figure = report.plot_cost_and_outcome(MONTHS)
    above, below = figure.axes

    assert "One outcome cost USD 0.40 in September 2026, 20% less than in August 2026" == parts(figure)["title"]
    assert [100, 200] == [bar.get_height() for bar in above.patches]
    assert [0.5, 0.4] == [bar.get_height() for bar in below.patches]
    assert "September\n2026\n(in part)" == below.get_xticklabels()[1].get_text()
    assert [] == inside(figure)


def test_without_outcomes_successful_tasks_are_drawn(parts):
    """The unit is named in the title and on the axis."""
    figure = report.plot_cost_and_outcome(MONTHS.assign(cost_per_outcome=float("nan")))

    assert parts(figure)["title"].startswith("One successful task cost USD 0.30 in September 2026")
    assert "Cost of one successful task (USD)" == figure.axes[1].get_ylabel()


@pytest.mark.parametrize(
    "months",
    [
        MONTHS.head(0),
        MONTHS.assign(cost_per_outcome=float("nan"), cost_per_successful_task=float("nan")),
        MONTHS.assign(contracted_cost=None),
    ],
)
def test_nothing_to_divide_is_words(parts, months):
    """No months, no results or no prices: a sentence in place of empty axes."""
    assert "Cost per outcome is not known" == parts(report.plot_cost_and_outcome(months))["title"]
