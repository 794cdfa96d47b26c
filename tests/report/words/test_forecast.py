"""The first screen of the forecast: number, range, budget, reason, and how wrong it has been."""

from __future__ import annotations

import pandas as pd

from finops_lib.report import forecast_text

_TESTED = {"windows": 4, "wape": 0.08, "within_10_percent": 0.75}


def outlook(days_ahead=10, allowed=None):
    """A September at 90 of 120 USD, and an October at 130."""
    rows = [
        ("month", pd.Timestamp("2026-09-01"), days_ahead, 90.0, 120.0, 110.0, 140.0, allowed),
        ("next_month", pd.Timestamp("2026-10-01"), 31, 0.0, 130.0, 100.0, 170.0, None),
    ]
    names = ["period", "first_day", "days_ahead", "actual", "projected", "lower_80", "upper_80", "allowed"]
    frame = pd.DataFrame(rows, columns=names).astype({"allowed": "float64"})
    return frame.assign(budget="bot", over=frame["projected"] - frame["allowed"], outlook="likely over")


def steps():
    """A month before at 100, and 120 now, for volume."""
    rows = [("before", 100.0, True, None), ("volume", 25.0, False, "draft_a"), ("price", -5.0, False, "tag")]
    return pd.DataFrame([*rows, ("after", 120.0, True, None)], columns=["step", "amount", "is_total", "carried_by"])


def test_a_running_month_says_number_range_budget_and_reason():
    """Everything a finance reader asks for, in sentences."""
    text = forecast_text(outlook(allowed=115.0), steps(), _TESTED).data

    assert (
        "**September 2026 is heading for USD 120.00, in 8 of 10 cases between USD 110.00 and USD 140.00** "
        "(USD 90.00 so far)." in text
    )
    assert "“bot” allows USD 115.00; the month is heading for USD 120.00, USD 5.00 over: likely over." in text
    assert (
        "Why: the month cost 20% more than the month before (USD 120.00 after USD 100.00); volume (calls) added" in text
    )
    assert r"most of it in draft\_a" in text
    assert "8.0% of the total over 4 windows of 30 days of its own past; 3 of them within 10%" in text


def test_a_month_that_is_over_looks_at_the_next():
    """What it cost, and where the next is heading; without a budget that is said."""
    text = forecast_text(outlook(days_ahead=0), steps().head(0), _TESTED | {"windows": 0}).data

    assert "**September 2026 cost USD 120.00; October 2026 is heading for USD 130.00" in text
    assert "No budget is set" in text
    assert "There is no month before to say why." in text
    assert "cannot be said yet" in text


def test_models_without_a_price_and_notes_are_named():
    """What no figure holds is said, and so is what is odd about the history."""
    unpriced = pd.DataFrame({"model": ["own_ft"], "tokens_per_day": [52_951.7]})
    text = forecast_text(outlook(), steps(), _TESTED, notes=["Short history."], unpriced=unpriced).data

    assert r"because it has no price: own\_ft (53k tokens a day)." in text
    assert "Short history." in text
    missing = pd.DataFrame({"how_to_add": ["give its name"]})
    none = forecast_text(outlook().head(0), steps(), _TESTED, notes=["Nothing yet."], missing=missing)
    assert "**There is no forecast.** Nothing yet. To change that: give its name." == none.data
