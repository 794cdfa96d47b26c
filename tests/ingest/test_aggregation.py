"""Requests are summed once, by day and every dimension, whatever their order and wherever they lie."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finops_lib.ingest.aggregation import bucket_union, build_rows, complete_usage, requests_table
from finops_lib.ingest.engine import connect, fetch
from finops_lib.ingest.prices.rows import read_price_list
from finops_lib.params import Organisation, PriceOverride
from finops_lib.schema import DIMENSIONS, LEDGER, TOKEN_CLASSES, USAGE, names

PRICES = {"uncached_input": "3", "cache_read": "0.3", "cache_write_5m": "3.75", "output": "15"}
HOUSE = PriceOverride(kind="absolute", provider="house", model="*", prices=PRICES)
BERLIN = Organisation(time_zone="Europe/Berlin", prices=[HOUSE])


def request(moment: datetime, **values: Any) -> dict[str, Any]:
    """Make a call of 1,000 uncached tokens in and 100 out."""
    row = {"timestamp": moment, "request_id": "r", "provider": "house", "model": "large", "capture_layer": "gateway"}
    return row | {"uncached_input_tokens": 1_000, "visible_output_tokens": 100} | values


@pytest.fixture(scope="session")
def build(requests_table_of: Any) -> Callable[..., tuple[pa.Table, pa.Table]]:
    """Build usage and ledger of calls, given as one table or several."""

    def run(*chunks: list[dict[str, Any]], organisation: Organisation = BERLIN) -> tuple[pa.Table, pa.Table]:
        with connect() as connection:
            lay_out(connection, [requests_table_of(chunk) for chunk in chunks if chunk])
            return build_rows(connection, "calls", organisation, read_price_list())

    return run


def lay_out(connection: duckdb.DuckDBPyConnection, tables: list[pa.Table]) -> None:
    """Lay tables out as one relation."""
    for place, table in enumerate(tables):
        connection.register(f"chunk{place}", table)
    union = " UNION ALL BY NAME ".join(f"SELECT * FROM chunk{place}" for place in range(len(tables)))
    connection.execute(f"CREATE VIEW calls AS {union}")


def test_days_are_cut_in_the_reporting_time_zone(build):
    """22:00 UTC is midnight in Berlin's summer: one microsecond decides the day."""
    midnight = datetime(2026, 7, 1, 22, tzinfo=UTC)
    moments = [midnight - timedelta(microseconds=1), midnight, midnight + timedelta(microseconds=1)]

    usage, _ = build([request(moment) for moment in moments])

    found = dict(zip(usage["charge_period_start"].to_pylist(), usage["request_count"].to_pylist(), strict=True))
    assert {date(2026, 7, 1): 1, date(2026, 7, 2): 2} == found


def test_every_column_of_the_contract_is_there(build):
    """What the calls lack is null, counts of what cannot be are zero."""
    usage, ledger = build([request(datetime(2026, 7, 1, tzinfo=UTC))])

    assert names(USAGE) == usage.column_names
    assert names(LEDGER) == ledger.column_names
    row = usage.to_pylist()[0]
    assert (0, 0, False, None, None) == tuple(
        row[name] for name in ("ambiguous_count", "context_tier", "cache_hit", "team", "reported_cost")
    )


def test_no_calls_make_empty_tables(build, requests_table_of):
    """The columns stand, with nothing in them."""
    with connect() as connection:
        connection.register("calls", requests_table_of([request(datetime(2026, 7, 1, tzinfo=UTC))]).slice(1))
        usage, ledger = build_rows(connection, "calls", BERLIN, read_price_list())

    assert (0, names(USAGE)) == (usage.num_rows, usage.column_names)
    assert (0, names(LEDGER)) == (ledger.num_rows, ledger.column_names)


def test_a_long_call_pays_the_long_price_for_every_token(build):
    """Beyond 272,000 tokens in, gpt-5.4 costs 5 and 22.50 a million instead of 2.50 and 15; at the limit not yet."""
    moment = datetime(2026, 10, 1, 12, tzinfo=UTC)
    openai = {"provider": "openai", "model": "gpt-5.4"}
    at_limit = request(moment, **openai, uncached_input_tokens=172_000, cache_read_input_tokens=100_000)
    beyond = request(moment, **openai, uncached_input_tokens=272_001)

    usage, ledger = build([at_limit, beyond])

    rows = {(r["context_tier"], r["token_class"]): r for r in ledger.to_pylist()}
    assert {0, 272_000} == set(usage["context_tier"].to_pylist())
    assert Decimal("0.43") == rows[0, "uncached_input"]["contracted_cost"]  # 172,000 × 2.50 / 1,000,000
    assert Decimal("1.360005") == rows[272_000, "uncached_input"]["contracted_cost"]  # 272,001 × 5 / 1,000,000
    assert Decimal("0.00225") == rows[272_000, "output"]["contracted_cost"]  # 100 × 22.50 / 1,000,000


def test_a_price_change_within_a_local_day_splits_it(build):
    """Prices change at midnight UTC, two hours into Berlin's day: both prices stand in that day."""
    before = PriceOverride(kind="absolute", provider="house", prices={"output": 10}, effective_to=date(2026, 7, 2))
    after = PriceOverride(kind="absolute", provider="house", prices={"output": 20}, effective_from=date(2026, 7, 2))
    change = datetime(2026, 7, 2, tzinfo=UTC)
    moments = [change - timedelta(hours=1), change - timedelta(microseconds=1), change]

    _, ledger = build(
        [request(m, uncached_input_tokens=0, visible_output_tokens=1_000_000) for m in moments],
        organisation=Organisation(time_zone="Europe/Berlin", prices=[before, after]),
    )

    rows = [(r["charge_period_start"], r["pricing_quantity"], r["contracted_cost"]) for r in ledger.to_pylist()]
    expected = [(date(2026, 7, 2), 1_000_000, Decimal(20)), (date(2026, 7, 2), 2_000_000, Decimal(20))]
    assert expected == sorted(rows)
    assert {change - timedelta(hours=1), change} == set(ledger["price_period_start"].to_pylist())


def test_flags_count_what_is_true_and_nothing_else(build):
    """Null is neither true nor false."""
    moment = datetime(2026, 7, 1, tzinfo=UTC)

    usage, _ = build([request(moment, resolved=value, accepted=None) for value in (True, True, False, None)])

    assert (2, 0) == tuple(usage.select(["resolved_count", "accepted_count"]).to_pylist()[0].values())


def test_totals_need_few_rows(requests_table_of):
    """For totals alone, dimensions that prices do not depend on are put together."""
    moment = datetime(2026, 7, 1, tzinfo=UTC)
    with connect() as connection:
        owner = {"assistant": "bot", "team": "a", "api_key": "k", "service_tier": "standard", "cache_hit": False}
        rest = {"audio_input_tokens": 0, "web_search_requests": 0}
        rows = [request(moment, environment=e, workflow=w, **owner, **rest) for e in "ab" for w in ("x", None)]
        connection.register("rows", requests_table_of(rows))
        connection.execute("CREATE VIEW counted AS SELECT *, 1 AS calls FROM rows")
        summed = ["timestamp", "provider", "model", "calls", "uncached_input_tokens", "visible_output_tokens"]
        _, found = build_rows(connection, "counted", BERLIN, read_price_list(), summed)
        _, kept = build_rows(connection, "counted", BERLIN, read_price_list(), [*summed, "workflow"])

    assert [("output", 400), ("uncached_input", 4_000)] == sorted(
        (r["token_class"], r["pricing_quantity"]) for r in found.to_pylist()
    )
    assert {("x", 2_000), (None, 2_000)} == {
        (r["workflow"], r["pricing_quantity"]) for r in kept.to_pylist() if r["token_class"] == "uncached_input"
    }


def test_usage_without_price_periods_starts_with_the_first_call():
    """Engines leave out what the statement did not ask; the table is whole all the same."""
    since = datetime(2026, 7, 1, tzinfo=UTC)

    found = complete_usage(pa.table({"charge_period_start": [date(2026, 7, 1)], "request_count": [3]}), since, [])

    assert [*names(USAGE), "tag_shares"] == found.column_names
    assert (3, since, 0) == tuple(
        found.select(["request_count", "price_period_start", "context_tier"]).to_pylist()[0].values()
    )


def test_only_columns_that_hold_something_are_asked_for():
    """Names that are no column of a request are left out."""
    assert ["timestamp", "model", "cache_hit"] == list(
        requests_table(["model", "timestamp", "cache_hit", "x"]).c.keys()
    )


@pytest.mark.parametrize(
    "zone",
    [
        "UTC",
        "Europe/Berlin",
        "Asia/Kolkata",
        "America/New_York",
        "America/Los_Angeles",
        "Pacific/Auckland",
        "Pacific/Kiritimati",
    ],
)
@pytest.mark.parametrize("day", [date(2026, 1, 15), date(2026, 7, 15)])
def test_a_providers_day_stays_the_same_date_everywhere(zone, day, requests_table_of):
    """Providers cut days in UTC: their bucket of a date counts for that date, in UTC and in the reporting zone."""
    start = datetime.combine(day, datetime.min.time(), UTC)
    bucket = {"bucket_start": start, "bucket_end": start + timedelta(days=1), "bucket_id": "b", "request_count": 7}
    hour = {"bucket_start": start, "bucket_end": start + timedelta(hours=1), "bucket_id": "h", "request_count": 2}
    with connect() as connection:
        connection.register("calls", requests_table_of([request(start)]).slice(1))
        connection.register("buckets", pa.Table.from_pylist([bucket, hour]))
        whole, part = fetch(
            connection,
            f"""SELECT request_id, calls, CAST(timestamp AS DATE) AS utc_day, timestamp,
                CAST(timezone('{zone}', timestamp) AS DATE) AS local_day
            FROM ({bucket_union("calls", "buckets", zone)}) ORDER BY 1""",
        ).to_pylist()

    assert ("b", 7, day, day) == (whole["request_id"], whole["calls"], whole["utc_day"], whole["local_day"])
    assert ("h", 2, start) == (part["request_id"], part["calls"], part["timestamp"])


moments = st.datetimes(datetime(2026, 9, 25), datetime(2026, 11, 5), timezones=st.just(UTC))  # noqa: DTZ001
sizes = st.integers(0, 10**9)
requests = st.lists(
    st.builds(
        lambda moment, model, team, hit, tokens: request(
            moment, model=model, team=team, cache_hit=hit, **dict(zip(TOKEN_CLASSES.values(), tokens, strict=False))
        ),
        moments,
        st.sampled_from(["large", "small"]),
        st.sampled_from(["a", "b", None]),
        st.booleans(),
        st.tuples(sizes, sizes, sizes, sizes),
    ),
    min_size=1,
    max_size=12,
)


@given(rows=requests, order=st.randoms(use_true_random=False), cut=st.integers(0, 12))
@settings(max_examples=20, deadline=None)
def test_order_and_files_do_not_change_a_cent(build, rows, order, cut):
    """Shuffled and cut into two files, the same calls give the same rows."""
    shuffled = order.sample(rows, len(rows))

    whole, split = build(rows), build(shuffled[:cut], shuffled[cut:])

    def key(table: pa.Table) -> list[str]:
        return sorted(repr(sorted(row.items())) for row in table.to_pylist())

    assert [key(table) for table in whole] == [key(table) for table in split]


@given(rows=requests)
@settings(max_examples=20, deadline=None)
def test_quantity_times_price_is_cost_and_sums_agree(build, rows):
    """On every row the product is exact; by day, model or team the sums are the total; tokens are all there."""
    _, ledger = build(rows)
    found = ledger.to_pylist()

    unit = {name: Decimal(price) / 10**6 for name, price in PRICES.items()} | {
        "cache_write_1h": Decimal("3.75") / 10**6
    }
    for row in found:
        for name in ("list", "contracted"):
            assert row["pricing_quantity"] * row[f"{name}_unit_price"] == row[f"{name}_cost"]
        assert unit[row["token_class"]] == row["contracted_unit_price"]
        assert (0 if row["cache_hit"] else row["consumed_quantity"]) == row["pricing_quantity"]
        assert row["consumed_quantity"] * row["contracted_unit_price"] == row["contracted_cost"] + row["avoided_cost"]
    expected = sum(
        (row.get(column) or 0) * unit[name]
        for row in rows
        for name, column in TOKEN_CLASSES.items()
        if name in unit and not row["cache_hit"]
    )
    for key in ("charge_period_start", "model", "team", "token_class"):
        sums: dict[Any, Decimal] = defaultdict(Decimal)
        for row in found:
            sums[row[key]] += row["contracted_cost"]
        assert expected == sum(sums.values())
    assert set(names(DIMENSIONS)) <= set(ledger.column_names)
