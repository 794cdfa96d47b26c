"""Vertex AI: thoughts in or out by the total, cached content inside, streams, Claude, samples."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Observe = Callable[..., list[dict[str, Any]]]


def test_thoughts_outside_the_candidates(observe: Observe) -> None:
    """3 + 29 + 901 = 933."""
    row = observe("vertex", "log.jsonl")[0]
    assert {"uncached_input": 3, "output": 29, "reasoning": 901} == row["tokens"]
    assert ("gemini-2.5-pro", "project-prod", "gcp.vertex_ai", "resp-1", "standard") == (
        row["model"],
        row["provider_account"],
        row["provider"],
        row["provider_response_id"],
        row["service_tier"],
    )
    assert ["assistant:hr-assistant"] == row["tags"]


def test_thoughts_inside_where_the_total_says_so(observe: Observe) -> None:
    """1,000 + 300 = 1,300 with 120 thoughts within, as JSON text in camel case."""
    row = observe("vertex", "log.jsonl")[1]
    assert {"uncached_input": 200, "cache_read": 800, "output": 180, "reasoning": 120} == row["tokens"]
    assert ("gemini-2.5-flash", "provisioned", "1500") == (row["model"], row["service_tier"], row["latency"])


def test_thoughts_outside_where_no_total_is_given(observe: Observe) -> None:
    """As Gemini counts them."""
    assert {"uncached_input": 10, "output": 50, "reasoning": 20} == observe("vertex", "log.jsonl")[5]["tokens"]


def test_tool_use_is_input(observe: Observe) -> None:
    """100 + 40 + 10 + 5 = 155; the sampling rate is kept."""
    row = observe("vertex", "log.jsonl")[2]
    assert {"uncached_input": 140, "output": 10, "reasoning": 5} == row["tokens"]
    assert ["assistant:hr-assistant", "sampling_rate:0.1"] == row["tags"]


def test_the_last_chunk_of_a_stream_counts(observe: Observe) -> None:
    """And says that it was cut off for safety."""
    row = observe("vertex", "log.jsonl")[3]
    assert ({"uncached_input": 60, "output": 6}, "blocked") == (row["tokens"], row["run_status"])


def test_audio_is_told_from_text_cached_or_not(observe: Observe) -> None:
    """500 = 150 text + 150 cached text + 150 audio + 50 cached audio."""
    row = observe("vertex", "log.jsonl")[4]
    assert {
        "uncached_input": 150,
        "cache_read": 150,
        "audio_input": 150,
        "cache_read_audio": 50,
        "output": 50,
    } == row["tokens"]
    assert ("project-tuned", "987") == (row["provider_account"], row["route"])


def test_claude_counts_in_its_own_way(observe: Observe) -> None:
    """Cached tokens stand beside the input, also when there are fewer of them."""
    row = observe("vertex", "log.jsonl")[6]
    assert {"uncached_input": 12, "cache_read": 10, "cache_write_5m": 8, "output": 7} == row["tokens"]
    assert ("claude-sonnet-4-5@20250929", "exclusive") == (row["model"], row["usage_basis"])


def test_a_call_begins_before_it_is_logged(observe: Observe) -> None:
    """Its own time of creation, else the time of logging less the latency."""
    rows = observe("vertex", "log.jsonl")
    assert ["2026-11-08 09:59:58.600", "2026-11-08 10:00:00.500"] == [row["started"] for row in rows[:2]]
