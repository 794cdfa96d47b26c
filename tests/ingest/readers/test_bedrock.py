"""Bedrock: exclusive input, bodies in every state, profiles, CloudWatch wrapping."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

Observe = Callable[..., list[dict[str, Any]]]


def test_converse_total_includes_cached_tokens(observe: Observe) -> None:
    """5,734 + 4,482 read + 178 = 10,394."""
    row = observe("bedrock", "s3.jsonl")[0]
    assert {"uncached_input": 5734, "cache_read": 4482, "output": 178} == row["tokens"]
    assert ("exclusive", "2100", "123456789012", "aws.bedrock") == (
        row["usage_basis"],
        row["latency"],
        row["provider_account"],
        row["provider"],
    )
    assert ["assistant:hr-assistant", "team:people", "region:eu-central-1", "inference_region:eu-west-1"] == row["tags"]
    assert "arn:aws:sts::123456789012:assumed-role/hr-bot/session" == row["user_id"]
    assert "eu.anthropic.claude-3-5-sonnet-20241022-v2:0" == row["model"]


def test_bodies_moved_to_s3_leave_the_logs_own_counts(observe: Observe) -> None:
    """Fewer cached tokens than input and no total: still beside it."""
    row = observe("bedrock", "s3.jsonl")[1]
    assert {"uncached_input": 900, "cache_read": 600, "cache_write_5m": 100, "output": 50} == row["tokens"]


def test_an_application_profile_is_the_route_and_the_body_names_the_model(observe: Observe) -> None:
    """The body may be JSON text; it splits cache writes by lifetime."""
    row = observe("bedrock", "s3.jsonl")[2]
    assert ("claude-sonnet-4-5-20250929", "msg_bdrk_3") == (row["model"], row["provider_response_id"])
    assert row["route"].endswith(":application-inference-profile/a1b2c3d4")
    assert {"uncached_input": 20, "cache_write_5m": 100, "cache_write_1h": 200, "output": 9} == row["tokens"]


def test_errors_and_guardrails(observe: Observe) -> None:
    """An error has no counts; an intervention is a block, and Converse splits its cache writes too."""
    rows = observe("bedrock", "s3.jsonl")
    assert ["ok", "ok", "ok", "error", "ok", "blocked", "ok"] == [row["run_status"] for row in rows]
    assert (None, None, {}) == (rows[3]["raw_input"], rows[3]["raw_output"], rows[3]["tokens"])
    assert {"uncached_input": 11, "cache_write_5m": 40, "cache_write_1h": 30, "output": 4} == rows[5]["tokens"]


def test_counts_of_a_stream_stand_in_its_last_chunk(observe: Observe) -> None:
    """They are used where the log itself has none."""
    row = observe("bedrock", "s3.jsonl")[4]
    assert {"uncached_input": 3, "cache_write_5m": 25037, "output": 13} == row["tokens"]
    assert ("3037", "msg_bdrk_5") == (row["latency"], row["provider_response_id"])


def test_embeddings_have_no_output(observe: Observe) -> None:
    """Input alone is a count."""
    row = observe("bedrock", "s3.jsonl")[6]
    assert ("embeddings", {"uncached_input": 40}) == (row["request_type"], row["tokens"])


def test_cloudwatch_wraps_lines_in_events_or_messages(observe: Observe) -> None:
    """The line that says logging works is no invocation, and is not lost."""
    rows = observe("bedrock", "cloudwatch.json")
    assert [("call", "aws-8"), ("other", None)] == [(row["kind"], row["request_id"]) for row in rows]
    assert "not an invocation" == rows[1]["span_name"]
    assert ["aws-8", "aws-9"] == [row["request_id"] for row in observe("bedrock", "messages.jsonl")]
    assert "2026-11-06 12:00:08.000" == rows[0]["started"]


def test_real_converse_stream(observe: Observe, real: Callable[[str], Path]) -> None:
    """4 + 38 = 42 in 302 ms."""
    (row,) = observe("bedrock", real("bedrock/nova-lite-conversestream.jsonl"))
    assert {"uncached_input": 4, "output": 38} == row["tokens"]
    assert ("amazon.nova-lite-v1:0", "302", "2025-03-11 00:38:02.000") == (row["model"], row["latency"], row["started"])
