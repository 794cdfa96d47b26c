"""Levers, backlog and savings, drawn: what the titles say, and what stands in for nothing."""

from __future__ import annotations

from decimal import Decimal
from types import SimpleNamespace

import pandas as pd
import pytest

from finops_lib import report

STEPS = pd.DataFrame(
    [("routing", 50.0, 50.0, 50.0, "evaluation"), ("batch", 50.0, 25.0, 25.0, "assumption, measured replay")],
    columns=["lever", "alone", "saving", "remaining", "evidence"],
)
REPLAY = SimpleNamespace(
    cost=Decimal(100),
    waterfall=STEPS,
    combined={"low": 10.0, "likely": 75.0, "high": 80.0},
    left={"low": 90.0, "likely": 25.0, "high": 20.0},
    naive=100.0,
    period="2026-09",
)
BACKLOG = pd.DataFrame(
    {
        "lever": ["routing", "compression", "batch"],
        "assistant": "bot",
        "workflow": ["answer", "answer", "judge"],
        "saving_low": [0.0, 5.0, 0.0],
        "saving": [40.0, 30.0, 2.0],
        "saving_high": [45.0, 30.0, 2.0],
        "evidence": ["evaluation", "measured replay", "assumption"],
        "advice": ["first", "first", "too small"],
    }
)
SAVINGS = pd.DataFrame(
    {
        "assistant": "bot",
        "configuration": ["good", "young", "claim"],
        "status": ["realised", "still uncertain", "unproven"],
        "days": [30, 6, 48],
        "expected": [20.0, 5.0, 9.0],
        "realised": [25.0, None, -4.0],
        "realised_low": [15.0, None, -6.0],
        "realised_high": [35.0, None, -2.0],
    }
)


def test_the_title_sets_the_combination_against_the_sum(inside):
    """75 of 100 together, 100 added up; both ends of the range below."""
    figure = report.plot_levers(REPLAY)

    assert "saved USD 75.00 (75%); added up they promise USD 100.00" in report.alt_text(figure)
    assert "what is left: USD 25.00" in report.alt_text(figure)
    inside(figure)


def test_what_is_promoted_already_is_drawn_and_not_promised():
    """10 are taken before the others begin: what is left is what the last step leaves, not the month less the rest."""
    done = [("promoted already", 10.0, 10.0, 90.0, "expected, not yet shown")]
    done = pd.DataFrame(done, columns=STEPS.columns)
    steps = pd.concat([done, STEPS.assign(remaining=[40.0, 15.0])])
    figure = report.plot_levers(SimpleNamespace(**(vars(REPLAY) | {"waterfall": steps})))
    text = report.alt_text(figure)

    assert "expected, not yet shown" in [key.get_text() for key in figure.legends[0].get_texts()]
    assert "what is left: USD 15.00 (20.00 to 90.00)" in text
    assert "promoted already: −USD 10.00" in text


def test_the_backlog_leaves_small_lines_out(inside):
    """Two lines of 70 first, of 72 in all; the third is only counted."""
    figure = report.plot_backlog(BACKLOG)

    assert "The first 2 of 3 lines are worth USD 70.00 a month of USD 72.00" in report.alt_text(figure)
    assert "judge" not in report.alt_text(figure)
    inside(figure)


def test_savings_tell_shown_open_and_claimed_apart(inside):
    """25.00 are shown; what is not known says so."""
    figure = report.plot_savings(SAVINGS)

    assert "USD 25.00 of savings are shown so far; 1 still uncertain, 1 claimed" in report.alt_text(figure)
    assert "still uncertain: not known" in report.alt_text(figure)
    inside(figure)


@pytest.mark.parametrize(
    ("draw", "given", "told"),
    [
        (report.plot_levers, SimpleNamespace(cost=Decimal(0), waterfall=STEPS.iloc[:0], period=""), "No lever applies"),
        (report.plot_backlog, BACKLOG.iloc[2:], "No lever is worth the work"),
        (report.plot_savings, SAVINGS.iloc[:0], "No change is on record"),
    ],
)
def test_nothing_is_said_in_words(draw, given, told):
    """A page without levers or promotions says so."""
    assert report.alt_text(draw(given)).startswith(told)
