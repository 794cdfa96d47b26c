"""The first screen of a review, in words."""

from __future__ import annotations

from datetime import date

import pandas as pd

from finops_lib import report

PROPOSALS = pd.DataFrame({
    "kind": ["routing", "budget", "workflow"],
    "decision": ["route *it*", "raise it", "mend it"],
    "owner": ["lead", None, "lead"],
    "effect": [-40.0, -30.0, None],
    "on_record": [None, None, "2026-10-01: mend it"],
})  # fmt: skip
CARD = pd.DataFrame([
    {"kpi": "Input share", "formula": "a / b", "unit": "share", "comparison": "at most", "target": 0.8, "actual": 0.9,
     "previous": 0.85, "change": 0.05, "trend": "up", "state": "missed", "cadence": "monthly", "owner": "lead",
     "what_adds_it": None},
    {"kpi": "Cost", "formula": "c", "unit": "USD", "comparison": "tracked", "target": None, "actual": 0.0336,
     "previous": 0.03, "change": 0.12, "trend": "up", "state": "tracked", "cadence": "monthly", "owner": None,
     "what_adds_it": None},
    {"kpi": "Variance", "formula": "d", "unit": "share", "comparison": "within", "target": 0.05, "actual": None,
     "previous": None, "change": None, "trend": "not known", "state": "not known", "cadence": "monthly", "owner": "cfo",
     "what_adds_it": "budgets"},
])  # fmt: skip
HELD = pd.DataFrame({
    "state": ["review due", "open", "open"],
    "verdict": ["as expected", "too early: 3 days", "cost rose instead"],
})  # fmt: skip
EXCEPTIONS = pd.DataFrame({"status": ["lapsed", "active"], "cost_since_lapse": [5.0, None]})


def test_what_to_decide_comes_first() -> None:
    """What is on record is not asked for again; a budget saves nothing by itself; names do not act as Markdown."""
    text = report.review_text(PROPOSALS, CARD, HELD, EXCEPTIONS, date(2026, 10, 31)).data

    head, _, rest = text.partition(".**")
    assert head == (
        "**2 decisions to take this month: savings are worth USD 40.00 a month, "
        "budgets are overrun by USD 30.00 a month"
    )
    assert r"- route \*it\* (USD 40.00 a month less; lead)" in rest
    assert "- raise it (USD 30.00 a month of overrun; nobody named)" in text
    assert "0 are met and 1 missed: Input share. 1 is not known." in text
    assert "1 brought what was expected, 1 did not, of 1 it is not known; 1 review is due." in text
    assert "1 exception lapsed; their calls cost USD 5.00 this month." in text


def test_quiet_month_and_empty_ledger() -> None:
    """Nothing to decide is said, and so is a ledger without a day."""
    quiet = report.review_text(PROPOSALS.head(0), CARD, HELD.head(0), EXCEPTIONS.head(0), date(2026, 10, 31)).data

    assert "Nothing new asks for a decision" in quiet
    assert "No decision is on record yet" in quiet
    assert "nothing to review" in report.review_text(PROPOSALS, CARD, HELD, EXCEPTIONS, None).data


def test_what_does_not_compare_is_named() -> None:
    """An assistant of which only the calls are known stands beside those of which more is."""
    viable = pd.DataFrame({"assistant": ["a", "b"], "cost_basis": ["true cost", "model cost"]})

    assert report.viability_source(viable).endswith("; of b only model cost is known, which does not compare")


def test_scorecard_table() -> None:
    """Each number stands in its unit, and what is not known names what would tell."""
    table = report.scorecard_table(CARD, "Card")

    assert ["missed", "at most 80.0%", "90.0%", "85.0%", "up 5.0 points"] == table.rows[0][1:6]
    assert ["tracked", "tracked", "USD 0.03360", "USD 0.03", "up 12%"] == table.rows[1][1:6]
    assert ["not known; budgets would tell", "within ±5.0%", "not known"] == table.rows[2][1:4]
