"""What a routing policy asks of single calls, and contracted prices by name."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from finops_lib.ingest import calls_over_routing_limits, contracted_prices


def at(minute):
    """Name a moment of September."""
    return f"2026-09-10T12:{minute:02d}:00Z"


def test_calls_over_their_workflows_limits_and_fallbacks(bench):
    """Of 1,000 tokens in and 100 out: 200 too many in `a`; the rest of the assistant may send 1,000, and 90 out."""
    bench.assistants["bot"] = {
        "routing": [
            {"workflow": "a", "context_limit": 800},
            {"workflow": "*", "context_limit": 1_000, "output_limit": 90},
        ]
    }
    own = {"assistant": "bot", "environment": "production"}
    rows = [
        bench.call(1, at(1), workflow="a", **own),
        bench.call(2, at(2), workflow="a", cache_hit=True, **own),
        bench.call(3, at(3), workflow="b", fallback_model="other", **own),
        bench.call(4, at(4), workflow="a", **(own | {"assistant": "unknown"})),
    ]
    found = calls_over_routing_limits(bench.lay(rows)).set_index(["workflow", "rule"])

    assert [("a", "context"), ("b", "fallback"), ("b", "output")] == sorted(found.index)
    assert (1, 200) == tuple(found.loc[("a", "context"), ["requests", "tokens_over"]])
    assert 10 == found.loc[("b", "output"), "tokens_over"]
    assert pytest.approx(1_000 * 3e-6 + 100 * 15e-6) == found.loc[("b", "fallback"), "cost"]


def test_without_policies_nothing_is_over(bench):
    """Columns, no rows."""
    found = calls_over_routing_limits(bench.build([bench.call(1, at(1))]))

    assert (0, "charge_period_start") == (len(found), found.columns[0])


def test_prices_are_the_contracted_ones_of_the_last_day(bench):
    """A discount that began before the last call counts; a model never called is known by its name."""
    day = datetime(2026, 9, 1, tzinfo=UTC).date()
    bench.organisation["prices"] += [
        {"kind": "discount", "provider": "openai", "share": "0.10", "effective_from": day},
        {"kind": "discount", "provider": "openai", "share": "0.50", "team": "brand"},
    ]
    prices = contracted_prices(bench.build([bench.call(1, at(1))]), ["gpt-4o", "house/large", "nobody-knows-it"])
    unit = prices.set_index(["provider", "model", "token_class"])["unit_price"].astype(float)

    assert {("house", "large"), ("openai", "gpt-4o")} == set(zip(prices["provider"], prices["model"], strict=True))
    assert pytest.approx(15e-6) == unit["house", "large", "output"]
    assert pytest.approx(2.5e-6 * 0.9) == unit["openai", "gpt-4o", "uncached_input"]


def test_no_ledger_no_prices(bench):
    """An empty project answers with columns."""
    assert ["provider", "model", "token_class", "unit_price"] == contracted_prices(bench.ledger()).columns.tolist()
