"""OpenAI usage: buckets, pages, null dimensions, and the real fortnight."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

Observe = Callable[..., list[dict[str, Any]]]


def test_input_includes_cached_and_audio(observe: Observe) -> None:
    """1,000 = 650 + 300 cached + 50 audio; 200 out = 180 + 20 audio."""
    row = observe("openai-usage", "page.json")[0]
    assert {
        "uncached_input": 650,
        "cache_read": 300,
        "audio_input": 50,
        "output": 180,
        "audio_output": 20,
    } == row["tokens"]
    assert ("bucket", "10", "proj_hr", "key_1", "standard", "chat", "openai") == (
        row["kind"],
        row["request_count"],
        row["provider_account"],
        row["api_key"],
        row["service_tier"],
        row["request_type"],
        row["provider"],
    )


def test_newer_fields_split_cached_audio_and_cache_writes(observe: Observe) -> None:
    """500 = 240 + 70 cached text + 30 cached audio + 10 audio + 150 written."""
    row = observe("openai-usage", "page.json")[3]
    assert {
        "uncached_input": 240,
        "cache_read": 70,
        "cache_write_5m": 150,
        "audio_input": 10,
        "cache_read_audio": 30,
        "output": 60,
    } == row["tokens"]
    assert "priority" == row["service_tier"]


def test_batch_is_a_tier_and_null_dimensions_are_no_fault(observe: Observe) -> None:
    """What is not grouped by is null."""
    row = observe("openai-usage", "page.json")[1]
    assert ("batch", None, None, None) == (row["service_tier"], row["provider_account"], row["user_id"], row["fault"])


def test_first_bucket_is_part_of_a_day_and_empty_ones_stay(observe: Observe) -> None:
    """Every bucket is accounted for, with its bounds."""
    rows = observe("openai-usage", "page.json")
    assert ("2026-11-01 06:00:05.000", "2026-11-02 00:00:00.000") == (rows[0]["started"], rows[0]["ended"])
    assert ["bucket", "bucket", "other", "bucket"] == [row["kind"] for row in rows]
    assert "empty bucket" == rows[2]["span_name"]


def test_pages_one_a_line_read_the_same(observe: Observe) -> None:
    """A file of pages gives the buckets of one page."""

    def facts(name: str) -> list[tuple[object, ...]]:
        return [(row["request_id"], row["tokens"], row["started"]) for row in observe("openai-usage", name)]

    assert facts("page.json") == facts("pages.jsonl")


def test_what_has_no_tokens_is_named(observe: Observe) -> None:
    """Embeddings are usage; images and costs are set apart with a reason."""
    rows = observe("openai-usage", "others.jsonl")
    assert [("bucket", None), ("other", "usage that is not counted in tokens"), ("other", "costs, not usage")] == [
        (row["kind"], row["span_name"]) for row in rows
    ]
    assert ("embeddings", {"uncached_input": 7000}, "12") == (
        rows[0]["request_type"],
        rows[0]["tokens"],
        rows[0]["request_count"],
    )


def test_real_fortnight(observe: Observe, real: Callable[[str], Path]) -> None:
    """13 buckets of openai-cookbook, one empty, the first from 17:31."""
    rows = observe("openai-usage", real("openai/usage_completions_buckets.json"))
    assert 13 == len(rows)
    assert ["empty bucket"] == [row["span_name"] for row in rows if row["kind"] == "other"]
    assert ("2025-01-11 17:31:00.000", "2025-01-12 00:00:00.000") == (rows[0]["started"], rows[0]["ended"])
    assert {
        "uncached_input": 3636040,
        "cache_read": 76544,
        "audio_input": 5776,
        "output": 94590,
        "audio_output": 3166,
    } == rows[2]["tokens"]
    assert [None] * 13 == [row["fault"] for row in rows]
