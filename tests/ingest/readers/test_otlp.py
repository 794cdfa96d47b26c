"""OTLP: every spelling of tokens, what is a call, what is a tag."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

Observe = Callable[..., list[dict[str, Any]]]


def test_conventions_include_cached_and_reasoning(observe: Observe) -> None:
    """900 = 100 + 500 + 300, 70 = 50 + 20."""
    row = observe("otlp", "spans.jsonl")[0]
    assert {
        "uncached_input": 100,
        "cache_read": 500,
        "cache_write_5m": 300,
        "output": 50,
        "reasoning": 20,
    } == row["tokens"]
    assert ("claude-sonnet-4-5-20250929", "msg_1", "hr-agent", "hr-assistant", "production") == (
        row["model"],
        row["provider_response_id"],
        row["agent"],
        row["assistant_name"],
        row["environment"],
    )
    assert "5b8efff798038103d269b633813fc60c/eee19b7ec3c1b171" == row["request_id"]


def test_operations_say_what_is_a_call(observe: Observe) -> None:
    """Agents and tools are none."""
    rows = observe("otlp", "spans.jsonl")
    assert ["call", "agent", "call", "call", "call", "tool"] == [row["kind"] for row in rows]
    assert ["ok", "ok", "ok", "error", "ok", "error"] == [row["run_status"] for row in rows]
    assert "search_policy" == rows[5]["span_name"]


def test_numbers_and_older_scopes(observe: Observe) -> None:
    """Nanoseconds and counts as JSON numbers, instrumentationLibrarySpans, a service nobody named."""
    row = observe("otlp", "spans.jsonl")[2]
    assert ({"uncached_input": 11, "output": 4}, None, "2025-11-13 02:13:50.000") == (
        row["tokens"],
        row["assistant_name"],
        row["started"],
    )


def test_of_a_key_that_stands_twice_the_first_counts(observe: Observe) -> None:
    """60 and not 99; OpenInference's metadata and tags are tags."""
    row = observe("otlp", "spans.jsonl")[3]
    assert ({"uncached_input": 60, "output": 40}, "0.00055") == (row["tokens"], row["reported_cost"])
    assert {"customer:customer-a", "workflow:leave"} <= set(row["tags"])


def test_vendor_metadata_without_counts_of_its_own(observe: Observe) -> None:
    """2,000 cached tokens cannot be inside 12; the API's name is no part of the provider's."""
    row = observe("otlp", "spans.jsonl")[4]
    assert {"uncached_input": 12, "cache_read": 2000, "cache_write_5m": 40, "output": 30} == row["tokens"]
    assert "anthropic" == row["provider"]


def test_tags_hold_owners_and_no_content(observe: Observe) -> None:
    """Prompts, answers, ids and counts are left out; Traceloop's association properties lose their prefix."""
    tags = observe("otlp", "spans.jsonl")[0]["tags"]
    assert "team:people" in tags
    assert [] == [tag for tag in tags if tag.startswith(("gen_ai.usage", "gen_ai.completion", "gen_ai.response"))]


def test_real_spellings(observe: Observe, real: Callable[[str], Path]) -> None:
    """The 14 lines of Langfuse's mapping tests."""
    rows = observe("otlp", real("otlp/genai_spans.jsonl"))
    assert [
        {"uncached_input": 14, "output": 96},
        {"uncached_input": 14, "output": 173},
        {
            "uncached_input": 77,
            "cache_read": 28,
            "cache_write_5m": 10,
            "audio_input": 3,
            "cache_read_audio": 2,
            "output": 33,
            "audio_output": 7,
        },
        {"uncached_input": 5000, "cache_read": 40000, "cache_write_5m": 5000, "output": 200},
        {"uncached_input": 37, "output": 248},
        {"uncached_input": 50},
        {"uncached_input": 100, "output": 15, "reasoning": 30, "audio_output": 5},
        {"uncached_input": 100, "output": 35, "reasoning": 25},
        {"reasoning": 25},
        {"uncached_input": 70, "cache_read": 20, "cache_write_5m": 10, "output": 40},
        {"uncached_input": 100},
        {"uncached_input": 7, "cache_read": 16399, "cache_write_5m": 2089, "output": 445},
        {"uncached_input": 10000, "cache_read": 2000, "cache_write_5m": 4000, "output": 300},
        {"uncached_input": 5734, "cache_read": 4482, "output": 178},
    ] == [row["tokens"] for row in rows]
    assert [5, 6] == [number for number, row in enumerate(rows, 1) if row["kind"] != "call"]
    assert "exclusive" == rows[13]["usage_basis"]


def test_spans_without_models_are_set_aside(observe: Observe, real: Callable[[str], Path]) -> None:
    """A server span is nothing to bill."""
    (row,) = observe("otlp", real("otlp/opentelemetry-proto-trace.json"))
    assert ("other", {}) == (row["kind"], row["tokens"])
