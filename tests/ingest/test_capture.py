"""Layers that saw the same calls never add up; which one feeds the ledger is the organisation's to say."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finops_lib.ingest.capture import superseded

ORDER = ["gateway", "trace", "provider_log", "provider_usage"]


def seen(*rows: tuple[Any, ...]) -> pd.DataFrame:
    """Lay out what layers saw: provider, account, day, layer."""
    return pd.DataFrame(rows, columns=["provider", "account", "day", "layer"])


def beaten(*rows: tuple[Any, ...], order: list[str] = ORDER) -> list[tuple[Any, ...]]:
    """List account, day and layer that only reconcile, and what covers them."""
    found = superseded(seen(*rows), order)
    columns = ["account", "day", "layer", "covered_by"]
    return [tuple(None if pd.isna(v) else v for v in row) for row in found[columns].itertuples(index=False)]


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        # the same account and day
        (
            [("openai", "p1", 1, "gateway"), ("openai", "p1", 1, "provider_usage")],
            [("p1", 1, "provider_usage", "gateway")],
        ),
        # another day, another account, another provider: nothing is covered
        (
            [
                ("openai", "p1", 1, "gateway"),
                ("openai", "p1", 2, "provider_usage"),
                ("openai", "p2", 1, "provider_usage"),
                ("anthropic", "p1", 1, "provider_usage"),
            ],
            [],
        ),
        # an account not known may be any
        (
            [("openai", None, 1, "gateway"), ("openai", "p1", 1, "provider_usage")],
            [("p1", 1, "provider_usage", "gateway")],
        ),
        (
            [("openai", "p1", 1, "gateway"), ("openai", None, 1, "provider_usage")],
            [(None, 1, "provider_usage", "gateway")],
        ),
        # three layers: the first covers both others
        (
            [("x", "a", 1, "provider_usage"), ("x", "a", 1, "trace"), ("x", "a", 1, "gateway")],
            [("a", 1, "provider_usage", "gateway"), ("a", 1, "trace", "gateway")],
        ),
        # what is covered itself covers nothing: account b has no other layer
        (
            [("x", "a", 1, "gateway"), ("x", None, 1, "trace"), ("x", "b", 1, "provider_usage")],
            [(None, 1, "trace", "gateway")],
        ),
        # one layer alone
        ([("x", "a", 1, "trace"), ("x", "b", 1, "trace")], []),
    ],
)
def test_the_more_detailed_layer_covers(rows: list[tuple[Any, ...]], expected: list[tuple[Any, ...]]) -> None:
    """Of one provider, account and day."""
    assert expected == beaten(*rows)


def test_the_order_is_the_organisations() -> None:
    """What is not in it comes last."""
    rows = [("x", "a", 1, "gateway"), ("x", "a", 1, "trace")]
    assert [("a", 1, "gateway", "trace")] == beaten(*rows, order=["trace", "gateway"])
    rows.append(("x", "a", 1, "provider_usage"))
    assert [("a", 1, "gateway", "trace"), ("a", 1, "provider_usage", "trace")] == beaten(*rows, order=["trace"])
    assert [("a", 1, "trace", "gateway"), ("a", 1, "provider_usage", "gateway")] == beaten(*rows, order=[])


ROWS = st.lists(
    st.tuples(st.sampled_from("xy"), st.sampled_from(["a", "b", None]), st.integers(1, 2), st.sampled_from(ORDER)),
    unique=True,
    max_size=10,
)


@settings(max_examples=40, deadline=None)
@given(ROWS)
def test_no_two_layers_of_one_account_and_day_feed_the_ledger(rows: list[tuple[Any, ...]]) -> None:
    """What is left of any mix is one layer an account and day, and what goes is covered by what stays."""
    frame = seen(*rows)
    left = frame.drop(superseded(frame, ORDER).index)
    for (_, _), day in left.groupby(["provider", "day"]):
        unknown = set(day[day["account"].isna()]["layer"])
        for _, account in day[day["account"].notna()].groupby("account"):
            assert 1 == len(set(account["layer"]) | unknown)
        assert len(unknown) <= 1
    for provider, account, day, layer, covering in superseded(frame, ORDER).itertuples(index=False):
        there = left[(left["provider"] == provider) & (left["day"] == day) & (left["layer"] == covering)]
        assert ORDER.index(covering) < ORDER.index(layer)
        assert len(there) if pd.isna(account) else (there["account"].isna() | (there["account"] == account)).any()


def bucket(start: int, tokens: int, project: str = "p1") -> dict[str, Any]:
    """Make a day of OpenAI's usage report."""
    result = {"input_tokens": tokens, "output_tokens": 0, "num_model_requests": 2, "model": "gpt-4o"}
    return {"start_time": start, "end_time": start + 86_400, "results": [result | {"project_id": project}]}


DAY = 1788220800  # 1 September 2026


@pytest.mark.parametrize(
    ("account", "order", "expected"),
    [
        (None, ORDER, 120 + 500),
        ("p2", ORDER, 120 + 900 + 500),
        ("p1", ["provider_usage", "gateway"], 900 + 500),
        ("p2", ["provider_usage", "gateway"], 120 + 900 + 500),
    ],
)
def test_gateway_and_provider_usage_never_add_up(
    exports: Any, account: str | None, order: list[str], expected: int
) -> None:
    """A call of 120 tokens on the first day; the report has 900 for it and 500 for the second day."""
    exports.bench.organisation |= {"capture_layers": order}
    exports.read([exports.call(1)], account=account)
    usage = exports.read([bucket(DAY, 900), bucket(DAY + 86_400, 500)], "usage.jsonl", format="openai-usage")
    assert (2, 1400) == (usage.counts["aggregated"], usage.figures["tokens"])
    costs = exports.bench.ledger().costs
    assert expected == costs["pricing_quantity"].sum()
