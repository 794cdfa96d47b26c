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
    cost=Decimal(100),
    backlog=BACKLOG,
    combined={"low": 10.0, "likely": 43.0, "high": 60.0},
    naive=55.0,
    promoted={"low": 0.0, "likely": 0.0, "high": 0.0},
)
VERDICTS = pd.DataFrame(
    {
        "assistant": "bot",
        "workflow": ["answer", "answer", "answer", None, "answer"],
        "candidate": ["good", "trap", "few", "barred", "live_one"],
        "verdict": ["promote", "reject", "not enough evidence", "promote", "promote"],
        "is_allowed": [True, True, True, False, True],
        "promoted_on": [None, None, None, None, "2026-09-09"],
        "reason": "why",
    }
)
SAVINGS = pd.DataFrame(
    {
        "assistant": ["bot", "bot"],
        "workflow": ["answer", None],
        "configuration": ["good", "cache_all"],
        "promoted_on": ["2026-08-10", "2026-09-09"],
        "realised": [25.0, -41.0],
        "realised_high": [30.0, -27.0],
    }
)
TOTALS = {"expected": 28.0, "realised": 25.0, "uncertain": 8.0, "uncertain_measured": -1.26}
TOTALS |= {"unproven": 0.0, "unproven_measured": float("nan")}


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
    assert (
        r"may be promoted: good (answer); promoted already: live\_one (answer, since 2026-09-09); holds, but its "
        r"routing policy forbids it: barred (all of bot); rejected: trap (answer); not enough evidence: few (answer)."
        in text
    )
    assert (
        "2 changes are on record, the first since 2026-08-10: USD 20.00 was expected by now, USD 25.00 was measured, "
        "which is beyond chance; USD 8.00 was expected by now, USD -1.26 was measured, which is too early to tell "
        "apart from nothing. Dearer" in text
    )
    assert r"Dearer than without the change: cache\_all on all of bot (USD 41.00)" in text


def test_nothing_dearer_nothing_said():
    """One change whose saving is not known or not a loss is no warning."""
    text = told(savings=SAVINGS.iloc[:1].assign(realised=None, realised_high=None))

    assert "Dearer" not in text
    assert "One change is on record since 2026-08-10: USD 20.00" in text


def test_what_is_promoted_already_is_not_promised_again():
    """Its saving stands apart from what the levers would still save, with what it leaves of the month."""
    done = {"low": 0.0, "likely": 9.0, "high": 9.0}, {"low": 90.0, "likely": 48.0, "high": 31.0}
    text = told(replay=SimpleNamespace(**(vars(REPLAY) | dict(zip(("promoted", "left"), done, strict=True)))))

    assert "already is expected to save USD 9.00 over a whole month, of which USD 0.00 is shown, and" in text
    assert "the month would have cost USD 48.00, between USD 31.00 and USD 90.00" in text


def test_a_claim_without_the_gate_is_told_apart():
    """What was claimed stands beside what was measured, where it can be."""
    for measured, words in ((-5.0, "USD -5.00"), (float("nan"), "nothing")):
        totals = dict.fromkeys(TOTALS, 0.0) | {"unproven": 6.0, "unproven_measured": measured}
        text = report.savings_text(MIX, BREACHES, REPLAY, VERDICTS, SAVINGS, totals, period="2026-09").data

        assert f"2026-08-10: USD 6.00 was claimed without the gate by now, {words} was measured. Dearer" in text


def test_the_gates_reasons_stand_in_a_list():
    """A line a candidate."""
    assert r"- live\_one, promote: why" == report.gate_reasons(VERDICTS).data.splitlines()[-1]


def test_what_is_missing_is_said():
    """No evaluations, no promotions, no breach; without traffic there is only that."""
    text = told(verdicts=VERDICTS.iloc[:0], savings=SAVINGS.iloc[:0], breaches=BREACHES.iloc[:0])

    assert "no evaluation results were read" in text
    assert "`finops promote` puts one there" in text
    assert "No traffic is known to break" in text
    assert "No call goes to a model its policy does not allow." in told(breaches=BREACHES.iloc[1:])
    small = SimpleNamespace(**(vars(REPLAY) | {"backlog": BACKLOG.assign(advice="too small")}))
    assert "too small to spend a week on" in told(replay=small)
    assert "No priced traffic in September 2026" in told(replay=SimpleNamespace(cost=Decimal(0)))
