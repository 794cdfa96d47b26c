"""The forecast, drawn."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from finops_lib import report


def history(days=90, amount=100.0):
    """The same amount each day."""
    return pd.Series(amount, index=pd.date_range("2026-06-01", periods=days))


def forecast(days=30, middle=110.0):
    """A fan that widens."""
    wide = np.linspace(5, 40, days)
    index = pd.date_range("2026-08-30", periods=days)
    return pd.DataFrame(
        {"mean": middle}
        | {"lower_80": middle - wide, "upper_80": middle + wide}
        | {"lower_95": middle - 2 * wide, "upper_95": middle + 2 * wide},
        index=index,
    )


def windows(errors=(0.02, -0.2)):
    """Windows of a thousand with the given errors."""
    frame = pd.DataFrame({"error": errors, "actual": 1000.0})
    frame["forecast"] = 1000 * (1 + frame["error"])
    frame["origin"] = pd.date_range("2026-06-30", periods=len(frame), freq="30D")
    return frame.assign(last_day=frame["origin"] + pd.Timedelta(days=30))


def projection():
    """A month half spent, and the next quarter."""
    return pd.DataFrame(
        {
            "period": ["month", "next_quarter"],
            "first_day": pd.to_datetime(["2026-09-01", "2026-10-01"]),
            "last_day": pd.to_datetime(["2026-09-30", "2026-12-31"]),
            "actual": [500.0, 0.0],
            "projected": [1000.0, 3000.0],
            "lower_80": [900.0, 2000.0],
            "upper_80": [1200.0, 4500.0],
        }
    )


def test_the_title_says_where_it_is_heading(parts):
    """The pace ahead against the last four weeks, on an axis of money."""
    figure = report.plot_forecast(history(), forecast())

    assert (
        "Cost is forecast at USD 110.00 a day over the next 30 days, 10% more than the last 28 days"
        == parts(figure)["title"]
    )
    assert "Cost (USD a day)" == parts(figure)["ylabel"]
    assert "80% between USD 70.00 and USD 150.00" in report.alt_text(figure)


@pytest.mark.parametrize(
    ("series", "expected"),
    [
        (history(1), "Cost is forecast at USD 110.00 a day over the next 30 days, 10% more than the last day"),
        (history(amount=0.0), "Cost is forecast at USD 110.00 a day over the next 30 days"),
        (history()[:0], "Cost cannot be forecast"),
    ],
)
def test_titles_stay_true(series, expected, parts):
    """One day, no spend before, nothing known."""
    assert expected == parts(report.plot_forecast(series, forecast()))["title"]


def test_the_backtest_says_how_wrong_it_was(parts):
    """Errors of 2% and 20%: 11% off the total, one of two within 10%."""
    found = parts(report.plot_backtest(windows()))

    assert "Forecasts of the past were 11% off the total; 1 of 2 within 10%" == found["title"]
    assert ["+2.0%", "-20%"] == [label.replace("−", "-") for label in found["labels"]]
    assert 2 == found["bars"]
    assert "The forecast could not be tested on the past" == parts(report.plot_backtest(windows(())))["title"]


def test_the_projection_leads_with_the_month(parts):
    """The month's projection and interval in the title, the budget beside its bar."""
    found = parts(report.plot_projection(projection(), budgets={"month": 1100.0}))

    assert "September 2026 is heading for USD 1,000: USD 900.00 to USD 1,200 in 8 of 10 cases" == found["title"]
    assert ["USD 1,000, budget USD 1,100", "USD 3,000"] == found["labels"]
    assert ["September 2026", "Next quarter\nOct 2026 to Dec 2026"] == found["names"]


def test_a_complete_month_has_no_interval(parts):
    """Nothing ahead: the title states the cost."""
    complete = projection().iloc[:1].assign(lower_80=1000.0, upper_80=1000.0)

    assert "September 2026 has cost USD 1,000" == parts(report.plot_projection(complete))["title"]
    assert "There is no projection" == parts(report.plot_projection(projection()[:0]))["title"]


def test_everything_stays_inside_the_figure(inside):
    """Labels are not cut, for large numbers too."""
    large = projection().assign(**{name: projection()[name] * 1e6 for name in ("actual", "projected", "upper_80")})
    figures = [
        report.plot_forecast(history(amount=1e6), forecast(365, 1e6)),
        report.plot_backtest(windows((0.1,) * 6)),
        report.plot_projection(large, budgets={"month": 2e9}),
    ]

    assert [[], [], []] == [inside(figure) for figure in figures]
