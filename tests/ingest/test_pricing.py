"""Quantities times unit prices, exact to the last digit; what has no price has no cost."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from finops_lib.ingest import read_price_list, unpriced_models
from finops_lib.ingest.engine import arrow_type, connect
from finops_lib.ingest.prices.model_names import match_models
from finops_lib.ingest.pricing import capacity_rows, price_usage
from finops_lib.params import Organisation, PriceOverride
from finops_lib.schema import LEDGER, USAGE, names

NOON = "2026-09-01T12:00:00Z"
COSTS = ("list_cost", "contracted_cost", "effective_cost", "billed_cost", "avoided_cost")


def test_prompt_caching_example_through_the_whole_pipeline(bench):
    """The golden numbers of FOCUS: 1.50 uncached, 7.50 written, 2.40 read, 22.50 out; 31.50 had nothing been cached."""
    part = {"input_tokens": 105_000, "cache_write_5m_input_tokens": 20_000, "cache_read_input_tokens": 80_000}
    rows = [bench.call(n, NOON, **part, output_tokens=15_000) for n in range(100)]

    ledger = bench.build(rows)

    expected = {"uncached_input": "1.5", "cache_write_5m": "7.5", "cache_read": "2.4", "output": "22.5"}
    assert {name: Decimal(cost) for name, cost in expected.items()} == bench.by(ledger.costs, "token_class")
    quantities = dict(zip(ledger.costs["token_class"], ledger.costs["pricing_quantity"], strict=True))
    expected = {"uncached_input": 500_000, "cache_write_5m": 2_000_000, "cache_read": 8_000_000, "output": 1_500_000}
    assert expected == quantities
    assert Decimal("31.5") == sum(quantities[name] for name in list(expected)[:3]) * Decimal("3e-6")


def test_prompt_caching_example_at_public_prices(bench):
    """The same numbers from the packaged price list, with a CSV whose columns a mapping names."""
    bench.organisation = {}
    folder = bench.params().project
    lines = ["when,id,vendor,engine,fresh,written,read,out"]
    lines += [f"{NOON},c{n},anthropic,claude-sonnet-4-5,5000,20000,80000,15000" for n in range(100)]
    (folder / "calls.csv").write_text("\n".join(lines), encoding="utf-8")
    (folder / "map.yaml").write_text(
        "columns: {timestamp: when, request_id: id, provider: vendor, model: engine, input_tokens: fresh,\n"
        "  cache_write_5m_input_tokens: written, cache_read_input_tokens: read, output_tokens: out}\n"
        "usage_basis: exclusive\n",
        encoding="utf-8",
    )

    from finops_lib.ingest import read_source
    from finops_lib.params import Source

    reading = read_source(Source(path="calls.csv", format="mapped", mapping="map.yaml"), bench.params())[0]
    costs = bench.ledger().costs

    expected = {"uncached_input": "1.5", "cache_write_5m": "7.5", "cache_read": "2.4", "output": "22.5"}
    assert {name: Decimal(cost) for name, cost in expected.items()} == bench.by(costs, "token_class", "list_cost")
    assert (100, 12_000_000, 33.9, 0) == tuple(
        {**reading.counts, **reading.figures}[n] for n in ("requests", "tokens", "contracted_cost", "unpriced_tokens")
    )


def test_discounts_and_markups_stand_in_their_own_columns(bench):
    """Ten percent off the list, twenty percent on top for consumers: 18, 16.20 and 19.44 for 1M in and 1M out."""
    bench.organisation["prices"] += [
        {"kind": "discount", "provider": "anthropic", "share": "0.1"},
        {"kind": "markup", "share": "0.2"},
    ]
    rows = [
        bench.call(
            n, NOON, provider="anthropic", model="claude-sonnet-4-5", input_tokens=100_000, output_tokens=100_000
        )
        for n in range(10)
    ]

    costs = bench.lay(rows).costs

    expected = dict(zip(COSTS, map(Decimal, ("18", "16.2", "16.2", "19.44", "0")), strict=True))
    assert expected == {name: bench.total(costs[name]) for name in COSTS}


def test_the_batch_tier_costs_half(bench):
    """1M tokens in and out of gpt-4o are 2.50 and 10, as a batch 1.25 and 5."""
    openai = {"provider": "openai", "model": "gpt-4o", "input_tokens": 1_000_000, "output_tokens": 1_000_000}

    costs = bench.build([bench.call(1, NOON, **openai), bench.call(2, NOON, **openai, service_tier="Batch")]).costs

    assert {None: Decimal("12.5"), "batch": Decimal("6.25")} == bench.by(costs, "service_tier")


def test_cache_hits_cost_nothing_and_keep_what_they_avoided(bench):
    """Two calls, one answered from the gateway's cache: 0.0045 paid, 0.0045 avoided, 2,200 tokens served."""
    costs = bench.lay([bench.call(1, NOON), bench.call(2, NOON, cache_hit=True)]).costs

    assert (Decimal("0.0045"), Decimal("0.0045")) == tuple(
        bench.total(costs[name]) for name in ("contracted_cost", "avoided_cost")
    )
    assert (2_200, 1_100) == (costs["consumed_quantity"].sum(), costs["pricing_quantity"].sum())


def test_a_model_without_a_price_has_no_cost_and_keeps_its_tokens(bench):
    """Null, not zero; the reading, the ledger and the nearest known name all say so."""
    unknown = {"provider": "openai", "model": "gpt-5.4-mnii"}
    reading = bench.read([bench.call(1, NOON), bench.call(2, NOON, **unknown)])

    ledger = bench.ledger()

    costs = ledger.costs[ledger.costs["model"] == unknown["model"]]
    assert [None] * 5 == [bench.total(costs[name]) for name in COSTS]
    assert 1_100 == costs["pricing_quantity"].sum()
    assert (1_100, 0.0045) == (reading.figures["unpriced_tokens"], reading.figures["contracted_cost"])
    expected = [("openai", "gpt-5.4-mnii", 1_100, "gpt-5.4-mini")]
    assert expected == list(unpriced_models(ledger).itertuples(index=False, name=None))


def test_a_cache_hit_of_a_model_without_a_price_is_not_unpriced(bench):
    """Nothing is billed for it, so there is nothing to price."""
    ledger = bench.lay([bench.call(1, NOON), bench.call(2, NOON, model="unheard-of", cache_hit=True)])

    assert [] == list(unpriced_models(ledger)["model"])


def test_free_models_cost_zero(bench):
    """Zero is known: it is not null."""
    bench.organisation["prices"] += [{"kind": "free", "provider": "self", "model": "*"}]

    costs = bench.lay([bench.call(1, NOON, provider="self", model="llama")]).costs

    assert [Decimal(0)] * 4 == [bench.total(costs[name]) for name in COSTS[:4]]


def test_searches_are_billed_by_the_piece(bench):
    """Three searches at 0.01 are 0.03; their unit is requests, not tokens."""
    costs = bench.lay([bench.call(1, NOON, web_search_requests=3)]).costs

    search = costs[costs["token_class"] == "web_search"].iloc[0]
    assert (3, "Requests", Decimal("0.03")) == (
        search["pricing_quantity"],
        search["pricing_unit"],
        search["contracted_cost"],
    )


def test_reserved_capacity_is_paid_by_the_hour_used_or_not(bench):
    """Two units at 3.50 an hour are 168 a day; calls they serve cost nothing more."""
    bench.organisation["prices"] += [
        {
            "kind": "provisioned",
            "provider": "azure.ai.openai",
            "model": "gpt-4o",
            "units": 2,
            "unit_price": "3.50",
            "effective_from": date(2026, 9, 2),
            "team": "cx",
        }
    ]
    served = {"provider": "azure.ai.openai", "model": "gpt-4o", "team": "cx"}
    moments = ["2026-09-01T12:00:00Z", "2026-09-02T12:00:00Z", "2026-09-03T12:00:00Z"]

    costs = bench.lay([bench.call(n, moment, **served) for n, moment in enumerate(moments)]).costs

    hours = costs[costs["token_class"] == "provisioned_hours"]
    expected = [(date(2026, 9, 2), 24, "Hours", Decimal(168)), (date(2026, 9, 3), 24, "Hours", Decimal(168))]
    shown = hours[["charge_period_start", "pricing_quantity", "pricing_unit", "contracted_cost"]]
    assert expected == sorted(shown.itertuples(index=False, name=None))
    assert {("azure.ai.openai", "gpt-4o", "cx", None)} == {
        (r.provider, r.model, r.team, r.assistant if isinstance(r.assistant, str) else None) for r in hours.itertuples()
    }
    tokens = costs[costs["token_class"] != "provisioned_hours"]
    # Before the term: 1,000 × 2.50 + 100 × 10 a million.
    assert {
        date(2026, 9, 1): Decimal("0.0035"),
        date(2026, 9, 2): Decimal(0),
        date(2026, 9, 3): Decimal(0),
    } == bench.by(tokens, "charge_period_start")


def test_capacity_rows_multiply_exactly():
    """Hours × (units × price) = cost on every row; none without capacity."""
    override = PriceOverride(
        kind="provisioned", provider="p", model="*", units="1.5", unit_price="0.33", effective_to=date(2026, 9, 3)
    )
    found = capacity_rows(Organisation(prices=[override]), read_price_list(), date(2026, 9, 1), date(2026, 9, 30))

    assert names(LEDGER) == found.column_names
    assert [(24, Decimal("0.495"), Decimal("11.88"))] * 2 == [
        (r["pricing_quantity"], r["contracted_unit_price"], r["contracted_cost"]) for r in found.to_pylist()
    ]
    assert [None, None] == found["model"].to_pylist()
    assert 0 == capacity_rows(Organisation(), read_price_list(), date(2026, 9, 1), date(2026, 9, 30)).num_rows


@pytest.mark.parametrize(
    ("scope", "paid"),
    [
        ({"team": "cx"}, {"cx": "0.00225", "it": "0.0045", None: "0.0045"}),
        ({"api_key": "k1"}, {"cx": "0.0045", "it": "0.00225", None: "0.0045"}),
        ({"assistant": "bot"}, {"cx": "0.0045", "it": "0.0045", None: "0.00225"}),
        ({"service_tier": "batch"}, {"cx": "0.0045", "it": "0.0045", None: "0.0045"}),
    ],
)
def test_overrides_hold_only_in_their_scope(bench, scope, paid):
    """Half price for one team, one key or one assistant leaves the others' prices alone."""
    bench.organisation["prices"] += [{"kind": "multiplier", "factor": "0.5"} | scope]
    rows = [
        bench.call(1, NOON, team="cx"),
        bench.call(2, NOON, team="it", api_key="k1"),
        bench.call(3, NOON, assistant="bot"),
    ]

    assert {team: Decimal(cost) for team, cost in paid.items()} == bench.by(bench.lay(rows).costs, "team")


def test_quantities_up_to_the_type_and_prices_down_to_a_pico_dollar():
    """10^17 tokens at 0.000001 USD a million are 100,000 USD; nothing is rounded away."""
    organisation = Organisation(prices=[PriceOverride(kind="absolute", model="m", prices={"output": "0.000001"})])
    row: dict[str, Any] = {"charge_period_start": date(2026, 9, 1), "provider": "p", "model": "m", "context_tier": 0}
    row |= {"visible_output_tokens": 10**17, "cache_hit": False}
    kinds = {c.name: arrow_type(c.type) for c in USAGE}
    usage = pa.table({name: pa.array([row.get(name)], kind) for name, kind in kinds.items()})
    usage = usage.set_column(
        usage.column_names.index("price_period_start"),
        "price_period_start",
        pa.array([1788220800000000], pa.timestamp("us", tz="UTC")),
    )
    prices = read_price_list()
    matched = match_models(usage.select(["provider", "model"]).to_pandas(), prices)

    with connect() as connection:
        found = price_usage(connection, usage, matched, organisation, prices).to_pylist()

    assert [(10**17, Decimal("1e-12"), Decimal(100_000))] == [
        (r["pricing_quantity"], r["contracted_unit_price"], r["contracted_cost"]) for r in found
    ]


def test_a_price_says_where_it_comes_from(bench):
    """SKU, price, source and version stand on every priced row, and on no other."""
    rows = [bench.call(1, NOON, provider="openai", model="gpt-4o"), bench.call(2, NOON, model="unheard-of")]

    costs = bench.lay(rows).costs

    priced = costs[costs["model"] == "gpt-4o"]
    assert {"openai/gpt-4o/uncached_input", "openai/gpt-4o/output"} == set(priced["sku_id"])
    assert priced["price_source"].notna().all()
    assert {read_price_list().version} == set(costs["price_version"])
    assert costs[costs["model"] == "unheard-of"]["sku_id"].isna().all()


def test_reading_names_of_a_project_are_aliases(bench):
    """A deployment's name leads to its model's price."""
    bench.organisation["model_aliases"] = {"our-deployment": "gpt-4o"}

    costs = bench.build([bench.call(1, NOON, provider="azure.ai.openai", model="our-deployment")]).costs

    assert Decimal("0.0035") == bench.total(costs["contracted_cost"])
