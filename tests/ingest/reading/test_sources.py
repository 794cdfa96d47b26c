"""What a command prints of several readings adds up."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finops_lib.ingest.reading.sources import FATES, UNKNOWN_FIGURES, Reading, combined

PROMISED = {
    "read",
    "requests",
    "tokens",
    "aggregated",
    "quarantined",
    "duplicates",
    "ambiguous",
    "unpriced_tokens",
    "list_cost",
    "contracted_cost",
    "skipped",
    "reported_cost",
    "attribution_coverage",
    "first_timestamp",
    "last_timestamp",
    "quarantine_reasons",
}


def reading(number: int = 1, **figures: Any) -> Reading:
    """Make a reading of some rows of each fate."""
    counts = {fate: number * place for place, fate in enumerate(FATES)}
    reasons = [
        {"fate": "quarantined", "reason": "negative token count", "rows": 2 * number},
        {"fate": "quarantined", "reason": "no model", "rows": number},
        {"fate": "skipped", "reason": "no model", "rows": 4 * number},
    ]
    return Reading(
        "litellm", [f"{number}.jsonl"], {"read": 10 * number, **counts}, reasons, figures, [f"warn {number}"]
    )


def test_one_reading_says_everything_promised() -> None:
    """Also when its rows are no calls, so that nothing was worked out."""
    summary = combined([reading()])
    assert PROMISED | {"format", "warnings"} == set(summary)
    assert {"negative token count": 2, "no model": 1} == summary["quarantine_reasons"]
    assert UNKNOWN_FIGURES == {key: summary[key] for key in UNKNOWN_FIGURES}


def test_several_readings_add_up() -> None:
    """Counts and known costs are sums, coverage is weighed by cost, the span of time covers all."""
    first = reading(1, tokens=10, ambiguous=1, list_cost=1.0, contracted_cost=1.0, attribution_coverage=1.0)
    first.figures |= {"first_timestamp": "2026-09-02", "last_timestamp": "2026-09-03", "reported_cost": None}
    second = reading(2, tokens=5, unpriced_tokens=5, list_cost=4.0, contracted_cost=3.0, attribution_coverage=0.5)
    second.figures |= {"first_timestamp": "2026-09-01", "last_timestamp": "2026-09-02", "reported_cost": 7.0}
    summary = combined([first, second, reading(3)])
    assert PROMISED | {"format", "warnings"} == set(summary)
    assert (60, 15, 1, 5) == tuple(summary[key] for key in ("read", "tokens", "ambiguous", "unpriced_tokens"))
    assert (5.0, 4.0, 7.0) == tuple(summary[key] for key in ("list_cost", "contracted_cost", "reported_cost"))
    assert 0.625 == summary["attribution_coverage"]
    assert ("2026-09-01", "2026-09-03") == (summary["first_timestamp"], summary["last_timestamp"])
    assert {"negative token count": 12, "no model": 6} == summary["quarantine_reasons"]
    assert ["warn 1", "warn 2", "warn 3"] == summary["warnings"]
    assert "litellm, litellm, litellm" == summary["format"]


def test_what_nobody_knows_stays_unknown() -> None:
    """No cost is not a cost of zero."""
    summary = combined([reading(1), reading(2)])
    assert [None] * 4 == [
        summary[key] for key in ("list_cost", "reported_cost", "attribution_coverage", "first_timestamp")
    ]


@given(st.lists(st.integers(0, 50), min_size=1, max_size=5))
def test_read_is_the_sum_of_the_fates(numbers: list[int]) -> None:
    """Of one and of several readings."""
    summary = combined([reading(number) for number in numbers])
    assert summary["read"] == sum(summary[fate] for fate in FATES)


@pytest.mark.parametrize("order", [(1, 2), (2, 1)])
def test_reasons_are_listed_by_name(order: tuple[int, int]) -> None:
    """Whatever is read first."""
    parts = {
        1: Reading("a", [], dict.fromkeys(("read", *FATES), 0), [{"fate": "quarantined", "reason": "b", "rows": 1}]),
        2: Reading("b", [], dict.fromkeys(("read", *FATES), 0), [{"fate": "quarantined", "reason": "a", "rows": 1}]),
    }
    assert ["a", "b"] == list(combined([parts[place] for place in order])["quarantine_reasons"])
