"""LiteLLM: inclusive prompts for every provider, twins, cache hits, the logging payload."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

Observe = Callable[..., list[dict[str, Any]]]


def test_prompts_include_cache_reads_and_writes(observe: Observe) -> None:
    """5,000 = 400 + 4,000 read + 400 and 200 written; metadata as JSON text."""
    row = observe("litellm", "spend_logs.jsonl")[0]
    assert {
        "uncached_input": 400,
        "cache_read": 4000,
        "cache_write_5m": 400,
        "cache_write_1h": 200,
        "output": 100,
    } == row["tokens"]
    assert ("hr-bot", "people", "priority", "3", "2") == (
        row["api_key"],
        row["team"],
        row["service_tier"],
        row["web_search_requests"],
        row["retries"],
    )
    assert ["team:people", "app:hr-assistant"] == row["tags"]


def test_twins_share_a_key_and_others_do_not(observe: Observe) -> None:
    """The same call logged under two request ids."""
    keys = [row["twin_key"] for row in observe("litellm", "spend_logs.jsonl")]
    assert keys[1] == keys[2]
    assert 8 == len(set(keys))


def test_a_call_the_cache_was_not_asked_for_has_no_key(observe: Observe, tmp_path: Path) -> None:
    """A key tells equal questions; LiteLLM's words for no key are no key that all such calls share."""
    base = {"request_id": "r", "call_type": "acompletion", "startTime": "2026-09-01T10:00:00Z", "model": "gpt-4o"}
    log = tmp_path / "log.jsonl"
    log.write_text("".join(json.dumps(base | {"cache_key": key}) + "\n" for key in ("9f3a", "Cache OFF", "")))

    assert ["9f3a", None, None] == [row["cache_key"] for row in observe("litellm", log)]


def test_a_gateway_cache_hit_is_not_prompt_caching(observe: Observe) -> None:
    """It names the answer it repeats."""
    row = observe("litellm", "spend_logs.jsonl")[3]
    assert ("True", "chatcmpl-1", {"uncached_input": 10, "output": 5}) == (
        row["cache_hit"],
        row["provider_response_id"],
        row["tokens"],
    )


def test_status_is_read_from_the_metadata_of_older_rows(observe: Observe) -> None:
    """A failure before a model was reached is no call."""
    row = observe("litellm", "spend_logs.jsonl")[4]
    assert ("other", "error") == (row["kind"], row["run_status"])


def test_details_of_the_usage_object(observe: Observe) -> None:
    """100 = 66 + 30 cached + 4 audio, 80 = 16 + 64 of reasoning; the group asked first is the fallback."""
    row = observe("litellm", "spend_logs.jsonl")[5]
    assert {
        "uncached_input": 66,
        "cache_read": 30,
        "audio_input": 4,
        "output": 16,
        "reasoning": 64,
    } == row["tokens"]
    assert "chat-large" == row["fallback_model"]


def test_guardrails_judges_and_tools(observe: Observe) -> None:
    """Blocked calls, shadow traffic and tool calls are told apart."""
    rows = observe("litellm", "spend_logs.jsonl")
    assert "blocked" == rows[6]["run_status"]
    assert ("embeddings", "evaluation") == (rows[7]["request_type"], rows[7]["category"])
    assert ("tool", "jira-search") == (rows[8]["kind"], rows[8]["span_name"])


def test_pages_and_payloads(observe: Observe) -> None:
    """A page of the API unwraps; the payload's epoch seconds are a time."""
    assert ["chatcmpl-1", "chatcmpl-2"] == [row["request_id"] for row in observe("litellm", "spend_logs_v2.json")]
    (row,) = observe("litellm", "logging_payload.jsonl")
    assert ("chatcmpl-77", "trace-77", "user-8", "0.00042", "2025-11-09 08:00:00.250") == (
        row["request_id"],
        row["task_id"],
        row["user_id"],
        row["reported_cost"],
        row["started"],
    )


def test_real_spend_log(observe: Observe, real: Callable[[str], Path]) -> None:
    """Metadata is a JSON string, times have no zone, the cost is what was reported."""
    (row,) = observe("litellm", real("litellm/spend_logs_payload.json"))
    assert {"uncached_input": 10, "output": 20} == row["tokens"]
    assert ("2025-01-24 09:20:46.847", "0.00022500000000000002", "None", "1234567890") == (
        row["started"],
        row["reported_cost"],
        row["cache_hit"],
        row["task_id"],
    )
