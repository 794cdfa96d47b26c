"""Rollout text: counts, the day, and what to do next with its owner."""

from __future__ import annotations

from datetime import date

import pandas as pd

from finops_lib import report

STATE = pd.DataFrame({"state": ["proved", "proved", "attested", "overdue", "regressed"]})
ACTIONS = pd.DataFrame(
    {
        "what": ["A budget is set"],
        "responsible": ["head-of-brand"],
        "due": [date(2026, 9, 1)],
        "state": ["overdue"],
        "remedy": ["set budgets in parameters/bot.yaml"],
    }
)


def test_the_first_screen_says_how_far_and_what_next() -> None:
    """Counts by state, the day of the 90, the action with owner, day and remedy."""
    text = report.rollout_text(STATE, ACTIONS, start=date(2026, 8, 3), as_of=date(2026, 9, 11)).data

    assert "Of 5 items, 2 proved, 1 attested, 0 open, 1 overdue, 1 proved once and lost again." in text
    assert "Today is day 40 of 90." in text
    action = "1. **A budget is set** – head-of-brand, overdue, due 2026-09-01. Set budgets in parameters/bot.yaml."
    assert action in text


def test_dates_are_said_as_they_are() -> None:
    """Over, not begun, not set; and an empty ledger."""
    nothing = ACTIONS.head(0)

    def told(start, as_of):
        return report.rollout_text(STATE, nothing, start=start, as_of=as_of).data

    assert "ended 10 days ago" in told(date(2026, 8, 3), date(2026, 11, 10))
    assert "begin on 2026-08-03" in told(date(2026, 8, 3), date(2026, 8, 1))
    assert "no first day yet" in told(None, date(2026, 8, 1))
    assert "The ledger is empty" in told(date(2026, 8, 3), None)
    assert "Nothing is left to do." in told(None, None)
