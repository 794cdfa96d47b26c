"""Requests become a ledger, month by month; closed months keep what they were closed with."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pytest
import sqlalchemy as sa

from finops_lib import ingest
from finops_lib.errors import ParamsError, SourceError
from finops_lib.ingest import build as build_module
from finops_lib.ingest import (
    build_ledger,
    close_period,
    covered_twice,
    open_ledger,
    read_price_list,
    read_source,
    refresh_ledger,
    reopen_period,
    repricing,
    unpriced_models,
)
from finops_lib.ingest.build import months_of
from finops_lib.ingest.prices.rows import PriceList
from finops_lib.ingest.questions.quality import late_tokens, reading_checks
from finops_lib.params import Organisation, Params, Settings, Source

CLOSED_ON = date(2026, 10, 5)
BUCKET = {
    "object": "bucket",
    "start_time": 1788220800,  # 2026-09-01T00:00:00Z
    "end_time": 1788307200,
    "results": [
        {
            "object": "organization.usage.completions.result",
            "input_tokens": 1_000_000,
            "input_cached_tokens": 0,
            "output_tokens": 0,
            "num_model_requests": 7,
            "project_id": "p1",
            "model": "gpt-4o-2024-08-06",
        }
    ],
}


def files(folder: Path) -> dict[str, tuple[int, bytes]]:
    """List what a workspace holds, with the time each file was written."""
    kept = (p for p in sorted(folder.rglob("*")) if p.is_file() and p.name != ".lock")
    return {str(p.relative_to(folder)): (p.stat().st_mtime_ns, p.read_bytes()) for p in kept}


@pytest.fixture
def dearer(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Put a price list in place that asks a multiple for everything, under another version."""

    def put(times: int) -> None:
        old = read_price_list()
        index = {
            name: {
                tier: [
                    dataclasses.replace(row, prices={k: price * times for k, price in row.prices.items()})
                    for row in rows
                ]
                for tier, rows in tiers.items()
            }
            for name, tiers in old.index.items()
        }
        new = PriceList(f"test x{times}", old.prices, old.models, old.generated_on, old.verified_on, index)
        monkeypatch.setattr(build_module, "read_price_list", lambda: new)

    return put


def gpt(bench, number: int, moment: str, **values):
    """Make a call of gpt-4o: 1M tokens in, 2.50 USD."""
    openai = {"provider": "openai", "model": "gpt-4o", "input_tokens": 1_000_000, "output_tokens": 0}
    return bench.call(number, moment, **(openai | values))


def test_nothing_is_built_twice(bench):
    """A second build, and reading the same file again, leave every file of the workspace as it was."""
    rows = [bench.call(1, "2026-09-01T12:00:00Z"), bench.call(2, "2026-10-01T12:00:00Z")]
    bench.read(rows)
    params = bench.params()

    assert True is refresh_ledger(params)
    before = files(params.workspace)
    assert False is refresh_ledger(params)
    read_source(Source(path="calls.jsonl", format="mapped"), bench.params())
    assert False is refresh_ledger(bench.params())
    assert before == files(params.workspace)


def test_a_file_written_anew_with_the_same_calls_changes_no_figure(bench):
    """It is read again, and the ledger's files hold the same bytes."""
    rows = [bench.call(n, f"2026-09-{n + 1:02}T12:00:00Z", team=f"t{n % 3}") for n in range(20)]
    folder = bench.build(rows).params.workspace
    before = {name: content for name, (_, content) in files(folder).items() if not name.startswith("requests")}
    assert {"ledger/2026-09.parquet", "usage/2026-09.parquet", "coverage.parquet"} <= set(before)

    bench.build(rows)

    after = {name: content for name, (_, content) in files(folder).items()}
    tables = [name for name in before if name.endswith(".parquet")]
    assert [before[name] for name in tables] == [after[name] for name in tables]


def test_the_same_calls_in_other_files_give_the_same_bytes(bench, tmp_path):
    """One file or three, in any order: the ledger's files are equal byte by byte."""
    rows = [
        bench.call(n, f"2026-09-{n % 28 + 1:02}T{n % 24:02}:00:00Z", team=f"t{n % 3}", cache_hit=n % 5 == 0)
        for n in range(60)
    ]
    whole = bench.build(rows).params.workspace
    other = type(bench)(tmp_path / "other", bench.organisation)
    for place in (2, 0, 1):
        other.read(rows[place::3][::-1], f"part{place}.jsonl")
    split = other.ledger().params.workspace

    for table in ("ledger", "usage"):
        assert (whole / table / "2026-09.parquet").read_bytes() == (split / table / "2026-09.parquet").read_bytes()


def test_new_rules_build_anew(bench):
    """A changed price or time zone is noticed; the company's name changes nothing."""
    bench.build([bench.call(1, "2026-09-01T12:00:00Z")])
    bench.organisation["company"] = "Sample Company"
    assert False is refresh_ledger(bench.params())
    bench.organisation["prices"] = [bench.organisation["prices"][0] | {"prices": {"uncached_input": 6, "output": 15}}]

    assert True is refresh_ledger(bench.params())
    assert Decimal("0.0075") == bench.total(bench.ledger().costs["contracted_cost"])


def test_sources_of_the_organisation_are_read_and_built(bench):
    """What organisation.yaml lists is all that is needed."""
    bench.write([bench.call(1, "2026-09-01T12:00:00Z")], "exports/a.jsonl")
    bench.write([bench.call(2, "2026-09-02T12:00:00Z")], "exports/b.jsonl")
    bench.organisation["sources"] = [{"path": "exports/*.jsonl", "format": "mapped", "defaults": {"assistant": "bot"}}]

    readings = build_ledger(bench.params())

    assert [2] == [reading.counts["requests"] for reading in readings]
    assert {"bot": Decimal("0.009")} == bench.by(open_ledger(bench.params()).costs, "assistant")
    assert [reading.counts for reading in readings] == [reading.counts for reading in build_ledger(bench.params())]


def test_late_calls_join_their_month(bench):
    """An open month takes what comes later; a corrected file replaces its rows."""
    bench.build([bench.call(1, "2026-09-01T12:00:00Z")])
    ledger = bench.build([bench.call(2, "2026-09-02T12:00:00Z")], "late.jsonl")

    assert Decimal("0.009") == bench.total(ledger.costs["contracted_cost"])
    corrected = bench.build([bench.call(2, "2026-09-02T12:00:00Z", input_tokens=2_000)], "late.jsonl")
    assert Decimal("0.012") == bench.total(corrected.costs["contracted_cost"])


def test_a_mended_mapping_replaces_what_it_read_before(bench):
    """Calls without ids get one made of what was mapped; read by another mapping they are not billed twice."""
    folder = bench.params().project
    (folder / "calls.csv").write_text("when,engine,a,b\n2026-09-01T12:00:00Z,large,100,1000\n", encoding="utf-8")
    bench.build([bench.call(1, "2026-09-01T12:00:00Z")], "others.jsonl")
    for first, second in (("a", "b"), ("b", "a")):
        columns = f"{{timestamp: when, model: engine, input_tokens: {first}, output_tokens: {second}}}"
        text = f"columns: {columns}\nconstants: {{provider: house}}\n"
        (folder / "map.yaml").write_text(text, encoding="utf-8")
        read_source(Source(path="calls.csv", format="mapped", mapping="map.yaml"), bench.params())

    costs = bench.ledger().costs

    assert {"uncached_input": 2_000, "output": 200} == costs.groupby("token_class")["pricing_quantity"].sum().to_dict()


def test_an_export_written_over_keeps_the_days_it_no_longer_holds(bench):
    """A file that is replaced every day adds its days; calls read before stay."""
    bench.build([bench.call(1, "2026-09-01T12:00:00Z")], "latest.jsonl")

    ledger = bench.build([bench.call(2, "2026-09-02T12:00:00Z")], "latest.jsonl")

    assert [date(2026, 9, 1), date(2026, 9, 2)] == sorted(set(ledger.costs["charge_period_start"]))


def test_months_without_calls_disappear(bench):
    """A call that moves to another month leaves no empty month behind."""
    folder = bench.build(
        [bench.call(1, "2026-08-31T12:00:00Z"), bench.call(2, "2026-09-01T12:00:00Z")]
    ).params.workspace
    assert ["2026-08", "2026-09"] == months_of(folder)

    bench.build([bench.call(1, "2026-09-01T11:00:00Z"), bench.call(2, "2026-09-01T12:00:00Z")])

    assert ["2026-09"] == months_of(folder)
    assert ["2026-09.parquet"] == sorted(p.name for p in (folder / "usage").glob("*.parquet"))


def test_a_closed_month_keeps_its_costs_when_prices_change(bench, dearer):
    """September was closed at 2.50; October, still open, costs three times as much under the new list."""
    bench.lay([gpt(bench, 1, "2026-09-10T12:00:00Z"), gpt(bench, 2, "2026-10-10T12:00:00Z")])
    record = close_period(bench.params(), "2026-09", CLOSED_ON)
    assert ("2.500000000000000", 1_000_000, "2026-10-05", read_price_list().version) == tuple(
        record[name] for name in ("contracted_cost", "tokens", "closed_on", "price_version")
    )

    dearer(3)
    costs = bench.ledger(period="2026-10").costs

    months = costs.assign(month=[str(day)[:7] for day in costs["charge_period_start"]])
    assert {"2026-09": Decimal("2.5"), "2026-10": Decimal("7.5")} == bench.by(months, "month")
    assert [read_price_list().version, "test x3"] == list(months.sort_values("month")["price_version"])


def test_repricing_prints_the_change_and_changes_nothing(bench, dearer):
    """By model, largest change first; an unpriced model stands without a cost."""
    rows = [gpt(bench, 1, "2026-09-10T12:00:00Z"), gpt(bench, 2, "2026-09-10T12:00:00Z", input_tokens=400_000)]
    rows += [
        gpt(bench, 3, "2026-09-10T12:00:00Z", model="gpt-4o-mini"),
        bench.call(4, "2026-09-10T12:00:00Z", model="x1"),
    ]
    bench.lay(rows)
    close_period(bench.params(), "2026-09", CLOSED_ON)
    before = files(bench.params().workspace)
    same = repricing(bench.params(), "2026-09")
    assert [0, 0, 0] == [float(change) for change in same["change"]]

    dearer(3)
    found = repricing(bench.params(), "2026-09")

    expected = [("gpt-4o", "3.5", "10.5", "7"), ("gpt-4o-mini", "0.15", "0.45", "0.3"), ("x1", None, None, "0")]
    assert [(m, *(None if v is None else Decimal(v) for v in values)) for m, *values in expected] == [
        tuple(None if pd.isna(value) else value for value in row) for row in found.itertuples(index=False, name=None)
    ]
    assert before == files(bench.params().workspace)


def test_late_calls_of_a_closed_month_are_counted_not_added(bench):
    """Their tokens show as a failed check; reopening the month takes them in."""
    bench.build([bench.call(1, "2026-09-01T12:00:00Z")])
    close_period(bench.params(), "2026-09", CLOSED_ON)

    ledger = bench.build([bench.call(2, "2026-09-02T12:00:00Z")], "late.jsonl")

    assert Decimal("0.0045") == bench.total(ledger.costs["contracted_cost"])
    assert 1_100 == late_tokens(ledger)
    checks = reading_checks(ledger).set_index("check")
    assert (1_100.0, False) == tuple(checks.loc["late_tokens_in_closed_months", ["statistic", "passed"]])
    reopen_period(bench.params(), "2026-09")
    again = bench.ledger()
    assert (Decimal("0.009"), 0) == (bench.total(again.costs["contracted_cost"]), late_tokens(again))


def test_a_closed_month_outlives_its_data(bench):
    """Calls that vanish from an export do not vanish from a closed month."""
    rows = [bench.call(1, "2026-08-31T12:00:00Z"), bench.call(2, "2026-09-01T12:00:00Z")]
    bench.build(rows)
    close_period(bench.params(), "2026-08", CLOSED_ON)

    ledger = bench.build([bench.call(1, "2026-09-01T11:00:00Z"), rows[1]])

    assert ("2026-08", "2026-09") == ledger.months
    costs = bench.ledger(period="2026-09").costs
    expected = {date(2026, 8, 31): Decimal("0.0045"), date(2026, 9, 1): Decimal("0.009")}
    assert expected == bench.by(costs, "charge_period_start")


def test_months_are_closed_and_reopened_once(bench):
    """Twice, or a month that is not there, is refused with what to do."""
    bench.lay([bench.call(1, "2026-09-01T12:00:00Z")])
    params = bench.params()

    with pytest.raises(ParamsError, match=r"2026-09 is not closed\nHint: closed months: none"):
        reopen_period(params, "2026-09")
    with pytest.raises(ParamsError, match=r"The ledger holds no 2026-08\nHint: it holds 2026-09"):
        close_period(params, "2026-08", CLOSED_ON)
    close_period(params, "2026-09", CLOSED_ON)
    with pytest.raises(ParamsError, match="2026-09 is closed already"):
        close_period(params, "2026-09", CLOSED_ON)
    reopen_period(params, "2026-09")
    close_period(params, "2026-09", CLOSED_ON)
    with pytest.raises(ParamsError, match="The ledger holds no 2026-07"):
        repricing(params, "2026-07")


def test_a_month_without_any_price_can_be_closed(bench):
    """Its record says that the cost is not known, not that it is zero."""
    bench.lay([bench.call(1, "2026-09-01T12:00:00Z", model="unheard-of")])

    record = close_period(bench.params(), "2026-09", CLOSED_ON)

    assert (None, 1_100) == (record["contracted_cost"], record["tokens"])


def test_an_empty_workspace_cannot_be_closed(bench):
    """There is no month in it."""
    with pytest.raises(ParamsError, match=r"holds no 2026-09\nHint: it holds nothing yet"):
        close_period(bench.params(), "2026-09", CLOSED_ON)


def test_one_capture_layer_feeds_the_ledger(bench):
    """The gateway and the trace saw the same call: the more detailed layer counts, the other reconciles."""
    bench.read([bench.call(1, "2026-09-01T12:00:00Z"), bench.call(2, "2026-09-01T13:00:00Z")], "gateway.jsonl")
    trace = [bench.call(11, "2026-09-01T12:00:01Z"), bench.call(12, "2026-09-02T12:00:00Z")]
    ledger = bench.build(trace, "trace.jsonl", layer="trace")

    assert {date(2026, 9, 1): Decimal("0.009"), date(2026, 9, 2): Decimal("0.0045")} == bench.by(
        ledger.costs, "charge_period_start"
    )
    twice = covered_twice(bench.params())
    assert [("house", "trace", "gateway", 1, 1, 1_100)] == list(twice.itertuples(index=False, name=None))


def test_the_order_of_the_layers_is_the_organisations(bench):
    """Where traces are trusted more, they feed the ledger."""
    bench.organisation["capture_layers"] = ["trace", "gateway"]
    bench.read([bench.call(1, "2026-09-01T12:00:00Z"), bench.call(2, "2026-09-01T13:00:00Z")], "gateway.jsonl")

    ledger = bench.build([bench.call(11, "2026-09-01T12:00:01Z")], "trace.jsonl", layer="trace")

    assert {"trace": Decimal("0.0045")} == bench.by(ledger.costs, "capture_layer")


def test_accounts_are_covered_apart(bench):
    """Two accounts of one provider on one day: each has a layer of its own."""
    bench.read([bench.call(1, "2026-09-01T12:00:00Z")], "gateway.jsonl", account="a")
    bench.read([bench.call(2, "2026-09-01T12:00:00Z")], "trace_a.jsonl", account="a", layer="trace")
    ledger = bench.build([bench.call(3, "2026-09-01T12:00:00Z")], "trace_b.jsonl", account="b", layer="trace")

    assert {"a": Decimal("0.0045"), "b": Decimal("0.0045")} == bench.by(ledger.costs, "provider_account")


@pytest.mark.parametrize("zone", ["UTC", "Asia/Kolkata", "America/New_York", "Pacific/Kiritimati"])
def test_a_usage_report_alone_makes_a_ledger(bench, zone):
    """A day's bucket of 1M tokens is 2.50 USD on its own date in any time zone, and the month is found."""
    bench.organisation["time_zone"] = zone

    ledger = bench.build([BUCKET], "usage.jsonl", format="openai-usage")

    assert {date(2026, 9, 1): Decimal("2.5")} == bench.by(ledger.costs, "charge_period_start")
    assert ("2026-09", date(2026, 9, 1)) == (ledger.period, ledger.as_of)
    assert [7] == list(ledger.usage["request_count"])


@pytest.mark.parametrize(
    ("zone", "layer"),
    [("UTC", "gateway"), ("America/New_York", "trace"), ("Pacific/Auckland", "gateway")],
)
def test_a_usage_report_fills_only_the_days_no_log_covers(bench, zone, layer):
    """The gateway saw 1 September, so the provider's report counts for the 2nd only, in every time zone."""
    bench.organisation["time_zone"] = zone
    following = BUCKET | {"start_time": 1788307200, "end_time": 1788393600}
    bench.read([gpt(bench, 1, "2026-09-01T12:00:00Z", input_tokens=400_000)], layer=layer)

    ledger = bench.build([BUCKET, following], "usage.jsonl", format="openai-usage")

    assert {layer: Decimal(1), "provider_usage": Decimal("2.5")} == bench.by(ledger.costs, "capture_layer")


@pytest.mark.parametrize(
    ("zone", "moment", "day"),
    [
        ("Asia/Kolkata", "2026-09-30T18:29:59.999999Z", date(2026, 9, 30)),
        ("Asia/Kolkata", "2026-09-30T18:30:00Z", date(2026, 10, 1)),
        ("America/New_York", "2026-11-01T03:59:59Z", date(2026, 10, 31)),
        ("America/New_York", "2026-11-02T04:59:59Z", date(2026, 11, 1)),
        ("Pacific/Auckland", "2026-09-30T11:00:00Z", date(2026, 10, 1)),
        ("Europe/Berlin", "2026-10-31T23:00:00Z", date(2026, 11, 1)),
    ],
)
def test_calls_fall_into_the_month_of_the_reporting_zone(bench, zone, moment, day):
    """Half-hour offsets, changed clocks and the other side of the date line."""
    bench.organisation["time_zone"] = zone

    ledger = bench.lay([bench.call(1, moment)])

    assert [day] == sorted(set(ledger.costs["charge_period_start"]))
    assert (f"{day:%Y-%m}",) == ledger.months


def test_shared_calls_are_split_by_the_organisations_weights(bench):
    """Two to one: 0.003 and 0.0015, each with its department; sums stay what they were."""
    bench.organisation |= {
        "teams": {"cx": {"department": "Care", "cost_center": "C1"}, "it": {"department": "IT", "cost_center": "C2"}},
        "attribution": {"weights": {"team": {"cx": 2}}},
    }
    rows = [bench.call(n, "2026-09-01T12:00:00Z", tags=["team:cx", "team:it"]) for n in range(3)]

    ledger = bench.build(rows)

    assert {"Care": Decimal("0.009"), "IT": Decimal("0.0045")} == bench.by(ledger.costs, "department")
    assert {"cx": 2, "it": 1} == dict(zip(ledger.usage["team"], ledger.usage["request_count"], strict=True))
    assert 3_300 == ledger.costs["pricing_quantity"].sum()


def test_a_usage_report_without_models_has_tokens_and_no_cost(bench):
    """Reports that are not grouped by model are unpriced, not a crash."""
    result = {name: value for name, value in BUCKET["results"][0].items() if name != "model"}

    ledger = bench.build([BUCKET | {"results": [result]}], "usage.jsonl", format="openai-usage")

    assert (1_000_000, None) == (ledger.costs["pricing_quantity"].sum(), bench.total(ledger.costs["contracted_cost"]))
    assert [1_000_000] == list(unpriced_models(ledger)["tokens"])


def warehouse_params(folder, url):
    """Make parameters of a project whose requests are in a database."""
    return Params(
        assistant="organisation",
        period="latest",
        settings=Settings(),
        organisation=Organisation(workspace="workspace", engine_url=url, time_zone="Europe/Berlin"),
        project=folder,
        assistants={},
    )


@pytest.mark.engines
def test_sums_are_made_in_the_warehouse_and_priced_here(tmp_path, postgres_url):
    """Two days of calls in PostgreSQL give the ledger of the same calls, by Berlin days and list prices."""
    engine = sa.create_engine(postgres_url)
    rows = [
        (datetime(2026, 9, 1, 21, 59, tzinfo=UTC), "a", "openai", "gpt-4o", "helpdesk", 1000, 100),
        (datetime(2026, 9, 1, 22, 1, tzinfo=UTC), "b", "openai", "gpt-4o", "helpdesk", 3000, 0),
        (datetime(2026, 9, 2, 10, 0, tzinfo=UTC), "c", "openai", "gpt-4o", None, 1000, 0),
    ]
    with engine.begin() as connection:
        connection.execute(sa.text("DROP TABLE IF EXISTS requests"))
        connection.execute(
            sa.text(
                "CREATE TABLE requests (timestamp timestamptz, request_id text, provider text, model text, team text, "
                "uncached_input_tokens bigint, visible_output_tokens bigint)"
            )
        )
        connection.execute(
            sa.text("INSERT INTO requests VALUES (:t, :i, :p, :m, :team, :n, :o)"),
            [dict(zip(("t", "i", "p", "m", "team", "n", "o"), row, strict=True)) for row in rows],
        )
    params = warehouse_params(tmp_path, postgres_url)

    assert ingest.refresh_ledger(params)
    ledger = ingest.open_ledger(params)

    # 5,000 input tokens at 2.50 and 100 output tokens at 10 USD per million
    assert Decimal("0.0135") == ledger.costs["contracted_cost"].sum()
    assert {"2026-09-01": 1, "2026-09-02": 2} == {
        str(day): int(count)
        for day, count in ledger.usage.groupby("charge_period_start")["request_count"].sum().items()
    }
    assert "2026-09" == ledger.period
    with engine.begin() as connection:
        connection.execute(sa.text("DROP TABLE requests"))
    with pytest.raises(SourceError, match="has no table 'requests'"):
        ingest.refresh_ledger(params)
