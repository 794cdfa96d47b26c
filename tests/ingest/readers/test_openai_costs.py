"""OpenAI's cost buckets become lines of a bill, one a day, project and line item."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from finops_lib.ingest import load_charges
from finops_lib.ingest.reading.exports import read_source
from finops_lib.params import Source

DAY = 86_400
FIRST = 1_788_220_800  # 2026-09-01


def page(*results: dict[str, Any], start: int = FIRST) -> dict[str, Any]:
    """Make a page of one day's bucket and an empty one after it."""
    buckets = [(start, list(results)), (start + DAY, [])]
    data = [{"object": "bucket", "start_time": s, "end_time": s + DAY, "results": r} for s, r in buckets]
    return {"object": "page", "data": data, "has_more": False, "next_page": None}


def cost(value: Any, item: str, project: str = "p1") -> dict[str, Any]:
    """Make a result of a bucket."""
    amount = {"value": value, "currency": "usd"}
    return {"object": "organization.costs.result", "amount": amount, "line_item": item, "project_id": project}


def read(bench: Any, document: Any, name: str = "costs.json") -> Any:
    """Write a page and have its format recognised."""
    path = bench.folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document))
    return read_source(Source(path=name, account="org"), bench.params())[0]


def test_buckets_become_lines(bench: Any) -> None:
    """Model and token class stand in the line item; the month of the day is the billing period."""
    reading = read(bench, page(cost(0.06, "gpt-5-mini, input"), cost("1.30", "gpt-5-mini, cached input"), cost(2, "x")))
    assert ("openai-costs", 3, 3) == (reading.format, reading.counts["read"], reading.counts["requests"])
    found = load_charges(bench.params()).set_index("charge_description")
    assert {"OpenAI"} == set(found["invoice_issuer_name"])
    assert {"openai"} == set(found["provider"])
    assert (Decimal("0.06"), "gpt-5-mini", "uncached_input") == tuple(
        found.loc["gpt-5-mini, input", ["billed_cost", "model", "token_class"]]
    )
    assert "cache_read" == found.loc["gpt-5-mini, cached input", "token_class"]
    assert {"2026-09-01"} == set(found["billing_period_start"].dt.strftime("%Y-%m-%d"))
    assert {"USD"} == set(found["billing_currency"])


def test_a_later_page_replaces_the_days_it_shares(bench: Any) -> None:
    """A day still going on is exported again: it counts once, with its last amount, and the change is told."""
    read(bench, page(cost(1, "a"), cost(5, "b")))
    reading = read(bench, page(cost(2, "a")), "later.json")
    assert Decimal(7) == load_charges(bench.params())["billed_cost"].sum()
    assert "OpenAI 2026-09: its total was USD 6.00, now it is 7.00" in reading.warnings
