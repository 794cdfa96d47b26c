"""Portkey: cents, the response's own usage, metadata in three layouts."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

Observe = Callable[..., list[dict[str, Any]]]


def test_cost_is_in_cents(observe: Observe) -> None:
    """0.45 cents are 0.0045 USD, whatever the currency column says; exponents are numbers too."""
    costs = [Decimal(row["reported_cost"]) for row in observe("portkey", "logs.jsonl")]
    assert [Decimal(c) for c in ("0.0045", "0.0021", "0.001", "0", "0", "0.00001", "0", "0.000015")] == costs


def test_openai_usage_is_inclusive(observe: Observe) -> None:
    """1,200 prompt tokens with 1,000 cached, 300 out with 200 of reasoning."""
    row = observe("portkey", "logs.jsonl")[0]
    assert {"uncached_input": 200, "cache_read": 1000, "output": 100, "reasoning": 200} == row["tokens"]
    assert ("inclusive", "flex", "chatcmpl-1") == (row["usage_basis"], row["service_tier"], row["provider_response_id"])


def test_a_total_with_cached_tokens_makes_the_prompt_exclusive(observe: Observe) -> None:
    """100 + 50 is not 2,650: the total of the response counts, not that of the columns."""
    row = observe("portkey", "logs.jsonl")[1]
    assert {"uncached_input": 100, "cache_read": 2000, "cache_write_5m": 500, "output": 50} == row["tokens"]
    assert "exclusive" == row["usage_basis"]


def test_anthropic_usage_is_exclusive_without_a_total(observe: Observe) -> None:
    """Cached tokens below the input do not make it inclusive."""
    row = observe("portkey", "logs.jsonl")[2]
    assert {
        "uncached_input": 100,
        "cache_read": 80,
        "cache_write_5m": 5,
        "cache_write_1h": 15,
        "output": 50,
    } == row["tokens"]
    assert "2" == row["web_search_requests"]


def test_metadata_comes_as_map_columns_or_lists(observe: Observe) -> None:
    """All three give tags and the user."""
    rows = observe("portkey", "logs.jsonl")[:3]
    assert ["user-3", "user-4", "user-5"] == [row["user_id"] for row in rows]
    assert ["app:hr-assistant", "team:people", "env:prod"] == [row["tags"][1] for row in rows]


def test_status_cache_and_retries(observe: Observe) -> None:
    """446 is a guardrail's refusal, 246 passed; a semantic hit is a hit; budgets refuse before a model is named."""
    rows = observe("portkey", "logs.jsonl")
    assert ["ok", "ok", "ok", "ok", "blocked", "ok", "error", "error"] == [row["run_status"] for row in rows]
    assert [False, False, False, True, False, False, False, False] == [row["cache_hit"] == "true" for row in rows]
    assert "2" == rows[5]["retries"]
    assert ["call"] * 6 + ["other", "call"] == [row["kind"] for row in rows]
    assert ("vk-hr", "people", "pc-hr", "trace-1") == (
        rows[0]["api_key"],
        rows[0]["workspace"],
        rows[0]["route"],
        rows[0]["task_id"],
    )


def test_both_spellings_of_time(observe: Observe) -> None:
    """JavaScript's way of printing a time is read, in UTC."""
    rows = observe("portkey", "logs.jsonl")
    assert ["2026-11-05 07:00:01.000", "2026-11-05 07:00:08.000"] == [rows[0]["started"], rows[7]["started"]]
    assert "500" == rows[0]["latency"]
