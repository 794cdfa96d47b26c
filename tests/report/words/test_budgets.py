"""The first screen on budgets: spent, expected, how sure, how long, and who must act."""

from __future__ import annotations

from datetime import date

import pandas as pd
import pytest

from finops_lib import report

AS_OF = date(2026, 10, 10)
NOBODY = pd.DataFrame(columns=["severity", "subject", "kind", "money", "technical_owner", "budget_owner", "action"])
NO_PROPOSAL = pd.DataFrame(columns=["assistant", "projected", "entry"])
BUDGET = {
    "budget": "all_ai",
    "period": "month",
    "allowed": 200.0,
    "spent": 100.0,
    "used_share": 0.5,
    "projected": 310.0,
    "lower_80": 250.0,
    "upper_80": 400.0,
    "overrun_probability": 0.97,
    "days_until_exhausted": 10.0,
    "days_ahead": 21,
    "last_day": pd.Timestamp("2026-10-31"),
}


def text(*budgets, alerts=NOBODY, proposals=NO_PROPOSAL, as_of=AS_OF):
    """Write the text for budgets, the first one leading."""
    summary = pd.DataFrame([BUDGET | change for change in budgets], columns=list(BUDGET))
    lead = (BUDGET | budgets[0]) if budgets else dict.fromkeys(BUDGET)
    return report.budget_text(lead, summary, alerts, proposals, as_of).data


def test_the_lead_is_told_in_full() -> None:
    """Against budget, expected with its range, probability, and days left."""
    assert (
        "**all\\_ai: USD 100.00 of USD 200.00 spent this month** (50%); USD 310.00 expected by 2026-10-31 "
        "(USD 250.00 to USD 400.00 in 8 of 10 cases). An overrun is 97% probable; the money is gone in 10 days."
    ) in text({})


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"days_until_exhausted": None}, "the money lasts beyond the period"),
        ({"days_until_exhausted": 0.0}, "the money is gone."),
        ({"days_ahead": 0}, "the period is over, and the budget was kept"),
        ({"days_ahead": 0, "spent": 250.0}, "the period is over, USD 50.00 beyond it"),
        ({"projected": None, "spent": 0.0}, "Nothing was ever spent on it"),
    ],
)
def test_each_end_has_its_words(change, words) -> None:
    """Lasting, gone, over, kept, unknown."""
    assert words in text(change)


def test_the_nearest_to_an_overrun_stands_beside_the_lead() -> None:
    """Two budgets are told, the lead once."""
    told = text({}, {"budget": "chat", "period": "quarter"}, {"budget": "search"})

    assert (1, 1, 0) == tuple(told.count(name) for name in ("all\\_ai", "**chat: USD 100.00", "search"))


def test_who_must_act_is_named_once_each() -> None:
    """Grave alerts by name, one person once; the lesser ones are counted."""
    alert = {"severity": "high", "subject": "chat", "kind": "over budget", "money": 9.5} | {
        "technical_owner": "cto",
        "budget_owner": "cto",
        "action": "bring it down",
    }
    alerts = pd.DataFrame([alert] * 5 + [alert | {"severity": "low"}])
    told = text({}, alerts=alerts)

    assert "- **cto** (chat, over budget, USD 9.50): bring it down." in told
    assert "- and 1 more below" in told
    assert "Nobody has to act now. 1 lesser alerts stand below." in text({}, alerts=alerts.tail(1))
    unowned = alerts.head(1).assign(technical_owner=None, budget_owner=None)
    assert "- **nobody named**" in text({}, alerts=unowned)


def test_without_a_budget_the_forecast_proposes_one() -> None:
    """The entry of the largest spender can be copied; with other budgets only the names are told."""
    proposals = pd.DataFrame(
        {"assistant": ["a", "b"], "projected": [10.0, 90.0], "entry": ["budgets: [a]", "budgets: [b]"]}
    )

    assert "the forecast of b would say:\n\n    budgets: [b]" in text(proposals=proposals)
    assert "Without a budget: a, b;" in text({}, proposals=proposals)
    assert "a name, an amount and a period under the key budgets" in text()


def test_without_data_it_says_what_adds_them() -> None:
    """No complete day: no sentence about money."""
    assert "add the exports of model calls" in text(as_of=None)
