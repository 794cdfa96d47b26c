"""Langfuse: disjoint and inclusive rows, agents that repeat, traces beside observations."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Observe = Callable[..., list[dict[str, Any]]]
CLASSES = {
    "uncached_input": 100,
    "cache_read": 50,
    "audio_input": 20,
    "output": 30,
    "reasoning": 40,
    "audio_output": 10,
}


@pytest.mark.parametrize(("index", "basis"), [(0, "exclusive"), (2, "inclusive")])
def test_the_total_decides_where_the_details_are(observe: Observe, index: int, basis: str) -> None:
    """Newer rows have them beside input and output, older ones inside: the classes are the same."""
    row = observe("langfuse", "observations.jsonl")[index]
    assert (CLASSES, basis) == (row["tokens"], row["usage_basis"])


def test_predicted_tokens_are_output(observe: Observe) -> None:
    """10 + 20 + 5 + 7 = 42: ingestion took them out of the output, the provider bills them as such."""
    row = observe("langfuse", "observations.jsonl")[1]
    assert ({"uncached_input": 10, "output": 32}, "exclusive") == (row["tokens"], row["usage_basis"])


def test_counts_that_do_not_add_up_are_ambiguous(observe: Observe) -> None:
    """663 + 163 is not 1,568."""
    row = observe("langfuse", "observations.jsonl")[3]
    assert ("ambiguous", {"uncached_input": 663, "output": 163}) == (row["usage_basis"], row["tokens"])


def test_cache_writes_by_lifetime(observe: Observe) -> None:
    """8 + 700 + 30 + 60 + 9 = 807."""
    assert {
        "uncached_input": 8,
        "cache_read": 700,
        "cache_write_5m": 30,
        "cache_write_1h": 60,
        "output": 9,
    } == observe("langfuse", "observations.jsonl")[4]["tokens"]


def test_judges_errors_and_plain_spans(observe: Observe) -> None:
    """A judge is evaluation; a model called unknown is none; a span is no call."""
    rows = observe("langfuse", "observations.jsonl")
    assert ("call", "evaluation") == (rows[5]["kind"], rows[5]["category"])
    assert ("error", None) == (rows[6]["run_status"], rows[6]["model"])
    assert "other" == rows[7]["kind"]


def test_traces_file_gives_user_name_and_tags(observe: Observe) -> None:
    """The older export keeps them in a file of their own."""
    rows = observe("langfuse", "observations.jsonl", "traces.jsonl")
    assert ("user-6", "hr-assistant", ["team:people", "cost_center:4711"]) == (
        rows[0]["user_id"],
        rows[0]["assistant_name"],
        rows[0]["tags"],
    )
    assert "other" == rows[8]["kind"]


def test_csv_in_camel_case(observe: Observe) -> None:
    """Times decide the duration; the latency column has no unit to trust."""
    (row,) = observe("langfuse", "observations.csv")
    assert ({"uncached_input": 7, "output": 3}, ["team:it"], "it-desk", None) == (
        row["tokens"],
        row["tags"],
        row["assistant_name"],
        row["latency"],
    )
    assert ("2026-11-10 07:00:00.000", "2026-11-10 07:00:02.500") == (row["started"], row["ended"])


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("autogen-2025-06-06.json", [{"uncached_input": 41, "output": 3}]),
        ("google-gemini-2025-08-01.json", [{"uncached_input": 6, "output": 951, "reasoning": 1104}]),
        ("langgraph-2025-08-22.json", [{"uncached_input": 60, "output": 15}, {"uncached_input": 108, "output": 51}]),
        ("llamaindex-2025-06-05.json", [{"uncached_input": 13, "output": 81}]),
        (
            "microsoft-agent-2025-10-14.json",
            [{"uncached_input": 631, "output": 35}, {"uncached_input": 25, "output": 70}],
        ),
        ("openai-agents-2025-09-30.json", [{"uncached_input": 85, "output": 29}, {"uncached_input": 55, "output": 15}]),
    ],
)
def test_real_traces(observe: Observe, real: Callable[[str], Path], file: str, expected: list[dict[str, int]]) -> None:
    """Only model calls count: 666 + 95 = 761 for the Microsoft agent, whose own span repeats 666."""
    rows = observe("langfuse", real(f"langfuse/{file}"))
    assert expected == [row["tokens"] for row in rows if row["kind"] == "call"]
