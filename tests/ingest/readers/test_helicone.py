"""Helicone: disjoint counts, integer costs, cache hits that keep the answer they repeat."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Observe = Callable[..., list[dict[str, Any]]]


def test_table_rows_are_exclusive(observe: Observe) -> None:
    """Cached tokens stand beside the prompt, reads and writes alike."""
    row = observe("helicone", "table.jsonl")[0]
    assert {"uncached_input": 100, "cache_read": 3000, "cache_write_5m": 500, "output": 40} == row["tokens"]
    assert "exclusive" == row["usage_basis"]
    assert "2026-11-02 09:00:01.250" == row["started"]
    assert "1200" == row["latency"]
    assert ("task-1", "user-7", "key-hr", "org-1") == (row["task_id"], row["user_id"], row["api_key"], row["workspace"])
    assert "app:hr-assistant" in row["tags"]


def test_cost_of_a_table_row_is_divided_and_of_an_api_row_is_not(observe: Observe) -> None:
    """12,345,678 billionths are 0.012345678 USD; 2 in the API is two dollars."""
    assert "0.012345678" == observe("helicone", "table.jsonl")[0]["reported_cost"]
    assert ["0.00135", "4.5e-06", "2"] == [row["reported_cost"] for row in observe("helicone", "api.json")]


def test_a_cache_hit_keeps_the_counts_of_the_original(observe: Observe) -> None:
    """A reference to another request is a hit; caching switched on without one is not."""
    rows = observe("helicone", "table.jsonl")
    assert ["false", "true", "false", "false", "false", "false", "false"] == [row["cache_hit"] for row in rows]
    assert {"uncached_input": 70, "cache_read": 10, "output": 30} == rows[1]["tokens"]


def test_status_says_how_a_call_ended(observe: Observe) -> None:
    """-3 is cancelled, 4xx with a content filter is blocked, and a call that reached no model is none."""
    rows = observe("helicone", "table.jsonl")
    assert ["ok", "ok", "abandoned", "error", "error", "ok", "blocked"] == [row["run_status"] for row in rows]
    assert ["call"] * 4 + ["other"] + ["call"] * 2 == [row["kind"] for row in rows]
    assert ["ok", "abandoned", "ok"] == [row["run_status"] for row in observe("helicone", "api.json")]


def test_audio_stands_beside_text(observe: Observe) -> None:
    """Prompt and completion counts are those of text when audio is counted."""
    row = observe("helicone", "table.jsonl")[5]
    assert {"uncached_input": 20, "audio_input": 80, "output": 10, "audio_output": 60} == row["tokens"]


def test_the_api_total_does_not_decide(observe: Observe) -> None:
    """40 + 25 + 75 = 140 leaves the 1,000 cached tokens out: they are still beside the prompt."""
    row = observe("helicone", "api.json")[0]
    assert {"uncached_input": 40, "cache_read": 1000, "output": 25, "reasoning": 75} == row["tokens"]
    assert "gpt-5-2025-08-07" == row["model"]
    assert "gpt-4o-mini" == observe("helicone", "api.json")[1]["model"]


def test_csv_with_empty_columns(observe: Observe) -> None:
    """The command line's CSV leaves model, latency and cost_usd empty; properties come in two spellings."""
    rows = observe("helicone", "cli.csv")
    assert ["gpt-4o-mini", "gpt-4o-mini"] == [row["model"] for row in rows]
    assert ["812", None] == [row["latency"] for row in rows]
    assert ["0.000036", None] == [row["reported_cost"] for row in rows]
    assert [["app:hr-assistant"], ["app:it-desk"]] == [row["tags"] for row in rows]
    assert [{"uncached_input": 120, "output": 30}, {"uncached_input": 100, "output": 20}] == [
        row["tokens"] for row in rows
    ]
