"""How far a ledger can be relied on: what was read, set aside, covered twice, unpriced, reported by others."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from finops_lib.ingest import (
    captured_days,
    covered_twice,
    open_ledger,
    quarantined_rows,
    read_price_list,
    read_source,
    reading_checks,
    reported_against_ours,
    rows_read,
    rows_set_aside,
    tables_read,
    unpriced_models,
    usage_bases,
)
from finops_lib.ingest.questions.quality import late_tokens
from finops_lib.params import Source

NOON = "2026-09-10T12:00:00Z"


def rows_of(frame, *columns):
    """List some columns of a frame's rows."""
    return list(frame[list(columns)].itertuples(index=False, name=None))


def dirty(bench):
    """Make calls of which four are good, one stands twice and four cannot be used."""
    return [
        bench.call(1, NOON),
        bench.call(2, NOON, user_id="u"),
        bench.call(2, NOON, user_id="u"),
        bench.call(3, NOON, input_tokens=-5),
        bench.call(4, "yesterday"),
        bench.call(5, NOON, model=None),
        bench.call(6, NOON, input_tokens=10, cache_read_input_tokens=11),
        bench.call(7, NOON, team="cx"),
        bench.call(8, NOON, kind="tool"),
        bench.call(9, "2026-09-30T23:00:00Z"),
    ]


def test_a_table_whose_files_grow_is_counted_once(bench):
    """A second reading of the same pattern takes the place of the first: 2 seats are held, 2 are told."""
    seat = {"month": "2026-09", "product": "p", "purchased": 5, "unit_price": 20}
    source = {"table": "seats", "path": "seats/*.jsonl"}
    bench.read([seat], "seats/jan.jsonl", **source)
    bench.read([seat | {"month": "2026-10"}, {"month": "2026-10"}], "seats/feb.jsonl", **source)

    assert [(2, 1)] == rows_of(tables_read(bench.params()).query("table == 'seats'"), "rows", "quarantined")
    assert [("seats", 1)] == rows_of(rows_set_aside(bench.params()), "source", "rows")


def test_every_row_has_one_fate(bench):
    """Read is the sum of requests, aggregated, duplicates, quarantined and skipped."""
    bench.build(dirty(bench))

    found = rows_read(bench.params()).iloc[0]

    assert (10, 4, 0, 1, 4, 1) == tuple(
        found[["read", "requests", "aggregated", "duplicates", "quarantined", "skipped"]]
    )
    assert ("mapped", 1, 4_400, 0.018) == tuple(found[["source", "files", "tokens", "list_cost"]])
    assert ("2026-09-10T12:00:00.000000Z", "2026-09-30T23:00:00.000000Z") == tuple(
        found[["first_timestamp", "last_timestamp"]]
    )


def test_reasons_are_told_and_counted(bench):
    """What was set aside, and why."""
    bench.build(dirty(bench))

    found = rows_set_aside(bench.params())

    quarantined = {reason for fate, reason in rows_of(found, "fate", "reason") if fate == "quarantined"}
    expected = {"negative token count", "unreadable timestamp", "no model", "cached tokens exceed input tokens"}
    assert expected == quarantined
    assert 6 == found["rows"].sum()


def test_quarantined_rows_name_their_line_and_keep_their_text_to_themselves(bench):
    """File and line are shown, what users wrote is not."""
    bench.build(dirty(bench))

    found = quarantined_rows(bench.params())

    expected = {
        ("calls.jsonl", 4, "negative token count"),
        ("calls.jsonl", 5, "unreadable timestamp"),
        ("calls.jsonl", 6, "no model"),
        ("calls.jsonl", 7, "cached tokens exceed input tokens"),
    }
    assert expected == set(rows_of(found, "source_file", "source_position", "reason"))
    assert ["source", "source_file", "source_position", "reason"] == list(found.columns)


def test_one_row_of_every_reason_comes_first(bench):
    """A common fault does not hide a rare one."""
    rows = [bench.call(n, NOON, input_tokens=-1) for n in range(30)] + [bench.call(99, "never")]
    bench.build(rows)

    found = quarantined_rows(bench.params())
    assert (20, {"negative token count", "unreadable timestamp"}) == (len(found), set(found["reason"].head(2)))


def test_an_empty_project_has_empty_answers(bench):
    """Every function answers with its columns before anything was read."""
    ledger, params = bench.ledger(), bench.params()

    frames = [rows_read(params), rows_set_aside(params), quarantined_rows(params), captured_days(params)]
    frames += [covered_twice(params), unpriced_models(ledger), reported_against_ours(ledger), usage_bases(params)]
    assert [0] * 8 == [len(frame) for frame in frames]
    assert all(len(frame.columns) for frame in frames)
    assert {0} == set(tables_read(params)["rows"])
    assert 0 == late_tokens(ledger)
    checks = reading_checks(ledger).set_index("check")
    assert [False, True, False, True] == list(checks["passed"])
    assert {"price_list_age", "quarantined_rows"} == set(checks.index[checks["statistic"].isna()])


def test_too_many_unusable_rows_fail_the_check(bench):
    """Four of ten are over one percent, and under half."""
    bench.build(dirty(bench))

    strict = reading_checks(bench.ledger()).set_index("check").loc["quarantined_rows"]
    generous = reading_checks(bench.ledger(quarantine_limit=0.5)).set_index("check").loc["quarantined_rows"]

    assert (0.4, 0.01, False) == tuple(strict[["statistic", "threshold", "passed"]])
    assert generous["passed"]
    assert "4 of 10 rows could not be used" == strict["comment"]


@pytest.mark.parametrize(("limit", "passed"), [(30, False), (10_000, True)])
def test_an_old_price_list_fails_the_check(bench, limit, passed):
    """Its age is counted to the last day of the data, not to today."""
    bench.organisation["price_age_limit_days"] = limit
    prices = read_price_list()
    last = date.fromordinal(prices.generated_on.toordinal() + 45)

    ledger = bench.build([bench.call(1, f"{last}T21:00:00Z")])

    found = reading_checks(ledger).set_index("check").loc["price_list_age"]
    assert (45.0, passed) == tuple(found[["statistic", "passed"]])


def test_gaps_between_days_are_warned_of(bench):
    """Ten days without a call: a warning of the reader, and a failed check."""
    bench.build([bench.call(1, "2026-09-01T12:00:00Z"), bench.call(2, "2026-09-11T12:00:00Z")])

    assert (
        "no calls between 2026-09-01 and 2026-09-11: are logs missing?" == rows_read(bench.params())["warnings"].item()
    )
    assert not reading_checks(bench.ledger()).set_index("check").loc["reader_warnings", "passed"]


def test_each_layer_shows_its_days(bench):
    """Which layer saw which day, and which feeds the ledger."""
    bench.read([bench.call(1, NOON)], "gateway.jsonl")
    bench.build([bench.call(2, NOON), bench.call(3, "2026-09-11T12:00:00Z")], "trace.jsonl", layer="trace")

    found = captured_days(bench.params())

    expected = {
        (date(2026, 9, 10), 1, 1_100, True),
        (date(2026, 9, 10), 1, 1_100, False),
        (date(2026, 9, 11), 1, 1_100, True),
    }
    assert expected == set(rows_of(found, "charge_period_start", "calls", "tokens", "feeds_ledger"))
    assert [("house", "trace", "gateway", 1, 1, 1_100)] == list(
        covered_twice(bench.params()).itertuples(index=False, name=None)
    )


def test_models_without_a_price_come_with_the_nearest_name(bench):
    """Largest first; a model of the month before is not in this month's list."""
    rows = [
        bench.call(1, NOON),
        bench.call(2, NOON, provider="openai", model="gpt-4o-mni", input_tokens=5_000),
        bench.call(3, NOON, provider=None, model="zzz"),
        bench.call(4, "2026-08-10T12:00:00Z", model="older"),
    ]

    found = unpriced_models(bench.build(rows))

    assert [("gpt-4o-mni", 5_100), ("zzz", 1_100)] == rows_of(found, "model", "tokens")
    assert "gpt-4o-mini" == found["nearest_known_name"].iloc[0]


def test_reported_costs_stand_beside_ours(bench):
    """The gateway says 0.0054 where our list says 0.0045 a call: twenty percent more."""
    rows = [bench.call(n, NOON, reported_cost="0.0054") for n in range(2)]

    found = reported_against_ours(bench.build(rows))

    assert [("gateway", "large", Decimal("0.0108"), Decimal("0.009"))] == rows_of(
        found, "capture_layer", "model", "reported_cost", "list_cost"
    )
    assert pytest.approx(0.2) == found["difference"].item()


def test_reported_costs_of_unpriced_models_have_nothing_beside_them(bench):
    """A null, not a zero, and no difference."""
    found = reported_against_ours(bench.build([bench.call(1, NOON, model="unheard-of", reported_cost=1)]))

    assert found["list_cost"].isna().all()
    assert found["difference"].isna().all()


def test_naive_adding_up_is_shown_beside_what_is_billed(bench):
    """1,000 in (900 of them read from the cache, inside) and 100 out are 1,100 tokens, not 2,000."""
    bench.build([bench.call(1, NOON, cache_read_input_tokens=900)])

    found = usage_bases(bench.params())

    assert [("mapped", "inclusive", 1, 2_000, 1_100)] == list(found.itertuples(index=False, name=None))


def test_other_tables_are_listed_given_or_not(bench):
    """Two outcomes kept, one refused; of the other tables nothing."""
    folder = bench.params().project
    lines = [
        "date,assistant,outcome,outcome_count",
        "2026-09-01,bot,solved,3",
        "2026-09-02,bot,solved,4",
        "x,bot,solved,1",
    ]
    (folder / "outcomes.csv").write_text("\n".join(lines), encoding="utf-8")
    read_source(Source(path="outcomes.csv", format="mapped", table="outcomes"), bench.params())

    found = tables_read(bench.params()).set_index("table")

    assert (2, 1) == tuple(found.loc["outcomes", ["rows", "quarantined"]])
    assert 0 == found.drop(index="outcomes")["rows"].sum()
    assert 0 == len(rows_read(bench.params()))
    assert () == open_ledger(bench.params()).months
