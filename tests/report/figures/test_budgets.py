"""Budgets drawn: the running total with thresholds and fan, and the share of each that is spent and expected."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from finops_lib import report


@pytest.fixture
def summary():
    """Make three budgets of October on its tenth day: exceeded, probably exceeded, and one nothing is known of."""
    return pd.DataFrame(
        {
            "budget": ["a budget with quite a long name of its own", "likely", "idle"],
            "allowed": [100.0, 200.0, 50.0],
            "spent": [150.0, 100.0, 0.0],
            "used_share": [1.5, 0.5, 0.0],
            "projected": [310.0, 310.0, np.nan],
            "lower_80": [250.0, 250.0, np.nan],
            "upper_80": [900.0, 400.0, np.nan],
            "overrun_probability": [1.0, 0.97, np.nan],
            "days_ahead": [21, 21, 21],
            "first_day": pd.Timestamp("2026-10-01"),
            "last_day": pd.Timestamp("2026-10-31"),
        }
    )


@pytest.fixture
def course(summary):
    """Run the first two on: ten known days, 21 to come."""
    days = pd.date_range("2026-10-01", "2026-10-31")
    frames = []
    for row in summary.head(2).itertuples():
        frame = pd.DataFrame({"budget": row.budget, "day": days, "allowed": row.allowed})
        past = np.arange(31) < 10
        frame["spent"] = np.where(past, np.linspace(row.spent / 10, row.spent, 31), np.nan)
        for name in ("projected", "lower_80", "upper_80"):
            frame[name] = np.where(past, np.nan, np.linspace(row.spent, getattr(row, name), 31))
        frames.append(frame)
    return pd.concat(frames, ignore_index=True)


@pytest.fixture
def crossings(summary):
    """Cross 60%, 100% and the stop of the first budget."""
    rows = [(summary["budget"][0], 0.6, "threshold", "2026-10-02"), (summary["budget"][0], 1.0, "budget", "2026-10-05")]
    rows += [(summary["budget"][0], 1.2, "stop", "2026-10-07"), ("likely", 0.8, "threshold", None)]
    frame = pd.DataFrame(rows, columns=["budget", "threshold", "level", "crossed_on"])
    return frame.assign(crossed_on=pd.to_datetime(frame["crossed_on"]))


def test_burn_down_has_a_panel_a_budget_with_thresholds_and_fan(summary, course, crossings, inside) -> None:
    """Thresholds are labelled, the days of crossing dotted, the fan ends where the summary says."""
    figure = report.plot_burn_down(course, summary, crossings, most=2)
    first, second = figure.axes

    assert "Of 3 budgets 1 is exceeded and 1 probably will be" == " ".join(figure.get_suptitle().split())
    assert ["60%", "100%", "120%"] == [text.get_text() for text in first.texts]
    dots = [line.get_xydata()[0] for line in first.lines if line.get_marker() == "o" and len(line.get_xdata())]
    assert 3 == len(dots)
    assert second.get_title(loc="left") == "likely: USD 310.00 of USD 200.00 expected; overrun 97%"
    assert 400 == second.collections[0].get_paths()[0].vertices[:, 1].max()
    assert "a budget with quite a long name of its own: USD 150.00 of USD 100.00: exceeded" in report.alt_text(figure)
    assert [] == inside(figure)


def test_a_single_known_day_is_a_point(summary, course, crossings, inside) -> None:
    """A period that has just begun is seen."""
    begun = course[(course["budget"] == "likely") & (course["day"] == "2026-10-01")]
    figure = report.plot_burn_down(begun, summary.iloc[[1]], crossings)

    assert "o" == figure.axes[0].lines[0].get_marker()
    assert [] == inside(figure)


def test_bars_are_shares_with_words_beside(summary, parts, inside) -> None:
    """What cannot be known is said; a bar beyond the frame is cut, its label is not."""
    figure = report.plot_budgets(summary)
    found = parts(figure)

    assert [
        "USD 150.00 of USD 100.00: exceeded",
        "USD 310.00 of USD 200.00 expected; overrun 97%",
        "nothing spent yet of USD 50.00",
    ] == found["labels"]
    assert "Share of what is allowed in the period" == found["xlabel"]
    assert 0.5 == figure.axes[0].patches[2].get_width()
    assert [] == inside(figure)


@pytest.mark.parametrize(
    ("rows", "change", "title"),
    [
        ([1], {}, "The only budget will probably be exceeded"),
        ([0], {}, "The only budget is exceeded"),
        ([2], {}, "The only budget should last"),
        ([1, 2], {}, "Of 2 budgets 1 probably will be exceeded"),
        ([0, 0, 2], {}, "Of 3 budgets 2 are exceeded"),
        ([1, 2], {"overrun_probability": 0.1}, "All 2 budgets should last"),
    ],
)
def test_the_title_is_the_finding(summary, rows, change, title) -> None:
    """How many are exceeded, and how many will be."""
    figure = report.plot_budgets(summary.iloc[rows].assign(**change).reset_index(drop=True))

    assert title == " ".join(figure.get_suptitle().split())


def test_without_budgets_there_are_words(summary, course, crossings) -> None:
    """Neither figure breaks on nothing."""
    for figure in (report.plot_budgets(summary.head(0)), report.plot_burn_down(course, summary.head(0), crossings)):
        assert "No budget is in force" in report.alt_text(figure)
