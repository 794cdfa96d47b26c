"""The first screen: levers, mix, gate and savings with their numbers, or what is missing."""

from __future__ import annotations

from decimal import Decimal
from types import SimpleNamespace

import pandas as pd

from finops_lib import report

MIX = pd.DataFrame({"tier": ["frontier", "low_cost"], "requests": [20, 80], "cost": [75.0, 25.0]})
BREACHES = pd.DataFrame(
    {"rule": ["model", "model", "context"], "exception": ["none", "active", "none"], "requests": [7, 5, 3],
     "breach_cost": [4.0, 2.0, 1.0]}
)  # fmt: skip
BACKLOG = pd.DataFrame(
    {
        "lever": ["routing"],
        "workflow": ["answer_all"],
        "saving": [40.0],
        "evidence": ["evaluation"],
        "measure": ["big → small by segment, to be gated"],
        "advice": ["first"],
    }
)
REPLAY = SimpleNamespace(
    cost=Decimal(100), backlog=BACKLOG, combined={"low": 10.0, "likely": 43.0, "high": 60.0}, naive=55.0
)
VERDICTS = pd.DataFrame(
    {
        "workflow": "answer",
        "candidate": ["good", "trap", "few"],
        "verdict": ["promote", "reject", "not enough evidence"],
    }
)
SAVINGS = pd.DataFrame(
    {
        "assistant": ["bot", "bot"],
        "workflow": ["answer", None],
        "configuration": ["good", "cache_all"],
        "realised": [25.0, -41.0],
        "realised_high": [30.0, -27.0],
    }
)
TOTALS = {"expected": 20.0, "realised": 25.0, "uncertain": 0.0, "unproven": 0.0}


def told(mix=MIX, breaches=BREACHES, replay=REPLAY, verdicts=VERDICTS, savings=SAVINGS):
    """Write the text."""
    return report.savings_text(mix, breaches, replay, verdicts, savings, TOTALS, period="2026-09").data


def test_the_four_answers_have_their_numbers():
    """43 of 100, 55 promised; frontier models 20% of calls for 75%; seven calls misrouted for 4.00; the verdicts."""
    text = told()

    assert "September 2026 cost USD 100.00" in text
    assert "about USD 43.00 (43%), between USD 10.00 and USD 60.00" in text
    assert "they promise USD 55.00" in text
    assert (
        r"routing on answer\_all (USD 40.00, from evaluations, for parts of the traffic: put it through the gate first)"
        in text
    )
    assert "tier frontier serve 20% of the calls for 75% of the cost" in text
    assert "7 calls go to models their policy does not allow, USD 4.00" in text
    assert "may be promoted: good (answer); rejected: trap (answer); not enough evidence: few (answer)" in text
    assert "On record: 2 changes. Expected by now USD 20.00, shown USD 25.00" in text
    assert r"Dearer than without the change: cache\_all on bot (USD 41.00)" in text


def test_what_is_missing_is_said():
    """No evaluations, no promotions, no breach; without traffic there is only that."""
    text = told(verdicts=VERDICTS.iloc[:0], savings=SAVINGS.iloc[:0], breaches=BREACHES.iloc[:0])

    assert "no evaluation results were read" in text
    assert "`finops promote` puts one there" in text
    assert "No traffic is known to break" in text
    small = SimpleNamespace(**(vars(REPLAY) | {"backlog": BACKLOG.assign(advice="too small")}))
    assert "too small to spend a week on" in told(replay=small)
    assert "No priced traffic in September 2026" in told(replay=SimpleNamespace(cost=Decimal(0)))
