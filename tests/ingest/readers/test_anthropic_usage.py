"""Anthropic usage: exclusive input, two cache lifetimes, no count of calls."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Observe = Callable[..., list[dict[str, Any]]]


def test_all_classes_stand_apart(observe: Observe) -> None:
    """Uncached input has nothing taken from it."""
    row = observe("anthropic-usage", "page.json")[0]
    assert {
        "uncached_input": 1500,
        "cache_read": 200000,
        "cache_write_5m": 500,
        "cache_write_1h": 1000,
        "output": 450,
    } == row["tokens"]
    assert ("10", None, "batch", "anthropic", "exclusive") == (
        row["web_search_requests"],
        row["request_count"],
        row["service_tier"],
        row["provider"],
        row["usage_basis"],
    )
    assert ("wrkspc_hr", "apikey_1", "user_1") == (row["workspace"], row["api_key"], row["user_id"])


def test_what_else_prices_depend_on_is_kept(observe: Observe) -> None:
    """Context window and region stand as tags, where they were grouped by."""
    rows = observe("anthropic-usage", "page.json")
    assert [["context_window:200k-1M", "inference_geo:us"], [], []] == [row["tags"] for row in rows]


def test_buckets_have_their_bounds_and_empty_ones_stay(observe: Observe) -> None:
    """RFC 3339 bounds; the default workspace is null."""
    rows = observe("anthropic-usage", "page.json")
    assert [("bucket", None), ("bucket", None), ("other", "empty bucket")] == [
        (row["kind"], row["span_name"]) for row in rows
    ]
    assert ("2026-11-01 00:00:00.000", "2026-11-02 00:00:00.000") == (rows[1]["started"], rows[1]["ended"])
    assert ({"uncached_input": 10, "output": 5}, None) == (rows[1]["tokens"], rows[1]["workspace"])
    assert 3 == len({row["request_id"] for row in rows})
