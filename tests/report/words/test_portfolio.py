"""Four questions in a line each."""

from __future__ import annotations

from datetime import date

import pandas as pd

from finops_lib import report

ANSWERS = {
    "day": date(2026, 10, 31),
    "yesterday": 12.0,
    "usual": 10.0,
    "over": [
        {"budget": f"b{place}", "projected": 20.0, "allowed": 10.0, "overrun_probability": 0.9, "used_share": 2 - place}
        for place in range(4)
    ],
    "model": "large",
    "model_cost": 0.25,
    "spike_team": "brand_a",
    "spike_now": 8.0,
    "spike_before": 2.0,
    "is_spike": True,
    "spike_cause": "helper: a loop",
}
NONE = {"over": [], "usual": None, "model": None, "spike_team": None, "is_spike": False}
YEAR = pd.DataFrame([{"period": "year", "projected": 1000.0, "lower_80": 900.0, "upper_80": 1200.0}])
ROWS = pd.DataFrame([{"assistant": "helper", "title": "Helper", "state": "act", "why": "no budget"}])


def test_answers() -> None:
    """Each question has its number."""
    lines = report.portfolio_text(ANSWERS, YEAR).data.split("\n\n")

    assert lines[0] == (
        "**What did we spend yesterday (2026-10-31)?** USD 12.00, 20% more than usual on that weekday (USD 10.00)."
    )
    assert "b0 (USD 20.00 of USD 10.00, exceeded); b1 (USD 20.00 expected of USD 10.00, 90% probable)" in lines[1]
    assert lines[1].endswith("; and 1 more.")
    assert "large: USD 0.25 a resolved task" in lines[2]
    assert lines[3] == (
        r"**Who is behind the spike?** brand\_a: USD 8.00 in seven days, USD 2.00 in the seven before. "
        "Largest unusual event: helper: a loop."
    )
    assert "The year is forecast to end at USD 1,000 (USD 900.00 to USD 1,200 in 8 of 10 cases)." == lines[4]


def test_what_is_not_known_is_said() -> None:
    """No earlier week, no budget, no tasks, no teams: each in words."""
    text = report.portfolio_text(ANSWERS | NONE, YEAR.head(0)).data

    assert "no earlier week" in text
    assert "No budget in force" in text
    assert "Not known: no call says how its task ended." in text
    assert "**Whose spend rose most?** No team spent more" in text
    assert "The ledger is empty" in report.portfolio_text(ANSWERS | {"day": None}, YEAR).data


def test_links_lead_to_the_pages_of_the_month() -> None:
    """Addresses are relative to a page of the organisation."""
    text = report.portfolio_links(ROWS, "2026-10").data

    assert "- **Helper**, act: no budget. Pages: [cost profile](../../helper/2026-10/03_cost_profile.html)" in text
    assert "No assistant" in report.portfolio_links(ROWS.head(0), "").data
