"""Anthropic's cost report is in cents."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from finops_lib.ingest import load_charges
from finops_lib.ingest.reading.exports import read_source
from finops_lib.params import Source


def test_cents_become_dollars_exactly(bench: Any) -> None:
    """123.45 is 1.2345 USD; what is no number is refused, never taken for dollars."""
    result = {"currency": "USD", "cost_type": "tokens", "model": "claude-opus-5", "token_type": "output_tokens"}
    results = [
        result | {"amount": "123.45", "workspace_id": None, "service_tier": "batch"},
        result | {"amount": "0.00000000001", "workspace_id": "w", "token_type": "cache_read_input_tokens"},
        result | {"amount": "1,50", "workspace_id": "v"},
        {"currency": "USD", "amount": "10", "cost_type": "web_search", "workspace_id": "w"},
    ]
    bucket = {"starting_at": "2026-09-01T00:00:00Z", "ending_at": "2026-09-02T00:00:00Z", "results": results}
    path = bench.folder / "report.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"data": [bucket], "has_more": False}))
    reading = read_source(Source(path="report.json", account="org"), bench.params())[0]
    assert ("anthropic-cost", 3) == (reading.format, reading.counts["requests"])
    assert {"billed_cost: not a number": 1} == reading.summary()["quarantine_reasons"]
    found = load_charges(bench.params()).sort_values("billed_cost")
    assert [Decimal("0.0000000000001"), Decimal("0.1"), Decimal("1.2345")] == found["billed_cost"].tolist()
    assert ["cache_read", "web_search", "output"] == found["token_class"].tolist()
    assert ["w", "w", "default"] == found["sub_account_id"].tolist()
    assert ("anthropic", "batch") == tuple(found.iloc[-1][["provider", "service_tier"]])
