"""Azure API Management: one call a correlation, the gateway's log beside it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Observe = Callable[..., list[dict[str, Any]]]


def test_one_row_stands_for_a_split_message(observe: Observe) -> None:
    """The largest count, never the sum; the other rows stay, with a reason."""
    rows = observe("azure-apim", "llm_log.json")
    calls = [row for row in rows if row["kind"] == "call"]
    assert [("corr-1", {"uncached_input": 800, "output": 200}), ("corr-2", {"uncached_input": 50, "output": 20})] == [
        (row["request_id"], row["tokens"]) for row in calls
    ]
    assert ["part of a split message"] * 3 == [row["span_name"] for row in rows if row["kind"] == "other"]
    assert ("gpt-4o-2024-08-06", "gpt-4o-hr", "azure.ai.openai", "chatcmpl-a1") == (
        calls[0]["model"],
        calls[0]["route"],
        calls[0]["provider"],
        calls[0]["provider_response_id"],
    )


def test_the_gateway_log_read_beside_it_is_joined(observe: Observe) -> None:
    """Key, user, status and latency come over by correlation; a request without a model is none."""
    rows = observe("azure-apim", "llm_log.json", "gateway_logs.json")
    calls = {row["request_id"]: row for row in rows if row["kind"] == "call"}
    assert {"corr-1", "corr-2"} == set(calls)
    assert ("sub-hr", "user-1", "ok", 1450.0) == (
        calls["corr-1"]["api_key"],
        calls["corr-1"]["user_id"],
        calls["corr-1"]["run_status"],
        float(calls["corr-1"]["latency"]),
    )
    assert ("abandoned", 80.5) == (calls["corr-2"]["run_status"], float(calls["corr-2"]["latency"]))
    assert ["product:people-ai", "api:openai", "region:West Europe"] == calls["corr-1"]["tags"]
    assert "2026-11-07 09:00:00.100" == calls["corr-1"]["started"]
    assert 8 == len(rows)
    assert ["gateway request without a model"] == [row["span_name"] for row in rows if row["request_id"] == "corr-3"]


def test_log_analytics_tables_are_unwrapped(observe: Observe) -> None:
    """Columns and rows become records."""
    rows = observe("azure-apim", "log_analytics.json")
    assert ["call", "other", "other"] == [row["kind"] for row in rows]
    assert {"uncached_input": 800, "output": 200} == rows[0]["tokens"]


def test_the_portals_csv_has_its_own_times(observe: Observe) -> None:
    """Month first, twelve hours, UTC in the column's name."""
    (row,) = observe("azure-apim", "portal.csv")
    assert ("2026-11-07 21:05:02.123", "sub-hr", "error") == (row["started"], row["api_key"], row["run_status"])
    assert {"uncached_input": 30, "output": 12} == row["tokens"]
