"""FOCUS bills of all versions, clean and dirty, are read to the last digit, and what was mended is told."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from finops_lib.ingest import load_charges, load_invoice_details
from finops_lib.ingest.reading.exports import read_source
from finops_lib.params import Source

BILLS = Path(__file__).parents[4] / "shared" / "data" / "focus"
LINE = {
    "BilledCost": "1.50",
    "BillingAccountId": "acct-1",
    "BillingCurrency": "USD",
    "BillingPeriodStart": "2026-09-01T00:00:00Z",
    "BillingPeriodEnd": "2026-10-01T00:00:00Z",
    "ChargeCategory": "Usage",
    "ChargePeriodStart": "2026-09-01T00:00:00Z",
    "ChargePeriodEnd": "2026-09-02T00:00:00Z",
    "InvoiceIssuerName": "Vendor",
    "ResourceId": "r1",
}
needs_bills = pytest.mark.skipif(not BILLS.is_dir(), reason="the shared folder of real bills is not there")


def read(bench: Any, rows: list[dict[str, Any]], name: str = "bill.csv", **source: Any) -> Any:
    """Write a bill and read it."""
    frame, path = pd.DataFrame(rows), bench.folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    if ".parquet" in name:
        frame.to_parquet(path)
    else:
        frame.to_csv(path, index=False)
    return read_source(Source(**({"path": name, "format": "focus"} | source)), bench.params())[0]


def charges(bench: Any) -> list[dict[str, Any]]:
    """Load the lines that count, nulls as None."""
    found = load_charges(bench.params()).astype(object)
    return found.where(found.notna(), None).to_dict("records")


def mended(reading: Any) -> dict[str, int]:
    """Cells mended by kind."""
    return {row["kind"]: row["cells"] for row in reading.figures["mended"]}


@pytest.mark.parametrize(
    ("older", "name"),
    [({"ProviderName": "P"}, "P"), ({"Provider": "Q"}, "Q"), ({"ServiceProviderName": "S", "ProviderName": "P"}, "S")],
)
def test_the_columns_tell_the_version(bench: Any, older: dict[str, str], name: str) -> None:
    """Up to 1.2 the provider stands in ProviderName, from 1.3 on in ServiceProviderName."""
    reading = read(bench, [LINE | older])
    assert (1, [], []) == (reading.counts["requests"], reading.figures["mended"], reading.warnings)
    assert name == charges(bench)[0]["service_provider_name"]


@pytest.mark.parametrize("name", ["bill.csv", "bill.csv.gz", "bill.parquet"])
def test_every_container_gives_the_same_line(bench: Any, name: str) -> None:
    """CSV, gzip and Parquet; an amount that a float cannot hold stays as it is written."""
    reading = read(bench, [LINE | {"BilledCost": "1234567.123456789012345"}], name, format="auto")
    (line,) = charges(bench)
    assert ("focus", Decimal("1234567.123456789012345")) == (reading.format, line["billed_cost"])
    assert pd.Timestamp("2026-09-02", tz="UTC") == line["charge_period_end"]


def test_typed_parquet_needs_no_mending(bench: Any) -> None:
    """Times and numbers with a type are what they are; the digits a double prints are kept."""
    typed = {name: pd.Timestamp(value) for name, value in LINE.items() if "Period" in name} | {"BilledCost": 0.1}
    reading = read(bench, [LINE | typed], "bill.parquet")
    assert ({}, Decimal("0.100000000000000")) == (mended(reading), charges(bench)[0]["billed_cost"])


def test_numbers_with_one_reading_are_mended(bench: Any) -> None:
    """Currency signs, separators and brackets; each is counted."""
    written = {
        "$10,000.00": "10000",
        "1.234,56": "1234.56",
        "(12.50)": "-12.5",
        "12.50-": "-12.5",
        "USD 12.50": "12.5",
        "1'234.50": "1234.5",
        "+3": "3",
        "1,234,567": "1234567",
        "12,5": "12.5",
    }
    reading = read(bench, [LINE | {"BilledCost": text, "ResourceId": text} for text in written])
    assert {name: Decimal(cost) for name, cost in written.items()} == {
        row["resource_id"]: row["billed_cost"] for row in charges(bench)
    }
    assert 9 == mended(reading)["number with currency sign, separators or plus"]


def test_the_rest_of_the_file_tells_what_a_comma_is(bench: Any) -> None:
    """1,234 is a thousand beside 0.50, one and a bit beside 0,50, and refused where nothing tells."""
    line = LINE | {"BilledCost": "1,234"}
    read(bench, [line, LINE | {"BilledCost": "0.50", "ResourceId": "r2"}], "point.csv")
    assert Decimal("1234.50") == sum(row["billed_cost"] for row in charges(bench))
    read(bench, [line, LINE | {"BilledCost": "0,50", "ResourceId": "r2"}], "point.csv")
    assert Decimal("1.734") == sum(row["billed_cost"] for row in charges(bench))
    reading = read(bench, [line], "point.csv")
    assert {"billed_cost: decimal comma and thousands separator cannot be told apart": 1} == (
        reading.summary()["quarantine_reasons"]
    )
    assert [] == charges(bench)


def test_times_with_one_reading_are_mended(bench: Any) -> None:
    """A time without a zone is UTC; a day above twelve tells month from day in the whole file."""
    written = {
        "2026-09-03 00:00:00": 3,
        "2026-09-04": 4,
        "20260905": 5,
        "2026-09-06T02:00:00+02:00": 6,
        "07.09.2026": 7,
        "Sep 8, 2026": 8,
        "9/9/26": 9,
        "9/10/26": 10,
        "9/13/2026 12:00 AM": 13,
    }
    end = {"ChargePeriodEnd": "2026-09-30T00:00:00Z"}
    reading = read(bench, [LINE | end | {"ChargePeriodStart": text} for text in written])
    assert list(written.values()) == sorted(row["charge_period_start"].day for row in charges(bench))
    assert {"time not written as YYYY-MM-DDTHH:MM:SSZ": 9} == mended(reading)
    read(bench, [LINE | end | {"ChargePeriodStart": text} for text in ("13/9/2026", "5/9/2026 00:00")])
    assert [5, 13] == sorted(row["charge_period_start"].day for row in charges(bench))


def test_the_billing_period_tells_month_from_day(bench: Any) -> None:
    """It begins on the first of a month; where nothing tells, the line is refused."""
    slashed = {"ChargePeriodStart": "4/2/25", "ChargePeriodEnd": "4/3/25"}
    read(bench, [LINE | slashed | {"BillingPeriodStart": "4/1/25", "BillingPeriodEnd": "5/1/25"}])
    assert pd.Timestamp("2025-04-02", tz="UTC") == charges(bench)[0]["charge_period_start"]
    read(bench, [LINE | slashed | {"BillingPeriodStart": "1/4/25", "BillingPeriodEnd": "1/5/25"}])
    assert pd.Timestamp("2025-02-04", tz="UTC") == charges(bench)[0]["charge_period_start"]
    reading = read(bench, [LINE | slashed])
    assert {"charge_period_start: day and month cannot be told apart": 1} == reading.summary()["quarantine_reasons"]


def test_what_cannot_be_used_is_quarantined_with_its_text(bench: Any) -> None:
    """The good line beside them stays; file, line, reason and text are kept."""
    wrong = [
        ({"BilledCost": ""}, "no billed_cost"),
        ({"BilledCost": "NULL"}, "no billed_cost"),
        ({"BilledCost": "twelve"}, "billed_cost: not a number"),
        ({"ListCost": "?"}, "list_cost: not a number"),
        ({"ChargePeriodStart": "soon"}, "charge_period_start: not a time"),
        ({"ChargePeriodStart": "2026-02-30T00:00:00Z"}, "charge_period_start: not a time"),
        ({"ChargeCategory": "Refund"}, "charge_category: not one of FOCUS"),
        ({"BillingCurrency": "$"}, "billing_currency: no ISO code"),
        ({"InvoiceIssuerName": ""}, "no invoice_issuer_name"),
        ({"ChargePeriodEnd": "2026-08-01T00:00:00Z"}, "the charge period ends before it begins"),
    ]
    reading = read(bench, [LINE, *(LINE | fault for fault, _ in wrong)])
    assert (11, 1, 10) == tuple(reading.counts[name] for name in ("read", "requests", "quarantined"))
    kept = pd.read_parquet(bench.params().workspace / "quarantine" / "focus.parquet").sort_values("source_position")
    assert [(place, reason) for place, (_, reason) in enumerate(wrong, start=3)] == list(
        zip(kept["source_position"], kept["reason"], strict=True)
    )
    assert kept["raw_text"].iloc[2].startswith("twelve,acct-1,USD")
    assert {"bill.csv"} == set(kept["source_file"])


def test_small_faults_are_put_right_and_strays_named(bench: Any) -> None:
    """Capitals, blanks, the word NULL, tags that are no JSON, more decimals than can be held; own columns begin x_."""
    line = LINE | {"ChargeCategory": "usage", "ServiceName": " S ", "ResourceName": "NULL", "Tags": "{'a': 1}"}
    reading = read(bench, [line | {"Id": "7", "x_Own": "1", "ListCost": "0.1234567890123456"}])
    assert {
        "blanks around a value taken off": 1,
        "capitals put right": 1,
        "more than 15 decimals rounded": 1,
        "not a JSON object, left out": 1,
        "the word NULL read as empty": 1,
    } == mended(reading)
    assert ["bill.csv: columns that FOCUS does not have are passed over: Id"] == reading.warnings
    (row,) = charges(bench)
    assert ("Usage", "S", None, None) == tuple(
        row[name] for name in ("charge_category", "service_name", "resource_name", "tags")
    )


def test_invoice_details(bench: Any) -> None:
    """FOCUS 1.4 invoice detail has a table of its own."""
    row = {name: LINE[name] for name in LINE if "Charge" not in name or name == "ChargeCategory"}
    row |= {"InvoiceDetailId": "d1", "InvoiceId": "i1", "InvoiceIssueStatus": "Issued", "BilledCost": "12.30"}
    reading = read(bench, [row, row | {"InvoiceDetailId": "d2"}, row | {"InvoiceId": ""}], format="auto")
    assert ("focus-invoice", 2, 1) == (reading.format, reading.counts["requests"], reading.counts["quarantined"])
    found = load_invoice_details(bench.params())
    assert [Decimal("12.30")] * 2 == found["billed_cost"].tolist()
    assert load_charges(bench.params()).empty


@needs_bills
def test_a_real_dirty_bill(bench: Any) -> None:
    """1,000 lines of FOCUS 1.0: nothing is lost, and the total is that of the texts."""
    reading = read_source(Source(path=str(BILLS / "focus_1_0_sample_1000.csv")), bench.params())[0]
    assert (1000, 1000, 0) == tuple(reading.counts[name] for name in ("read", "requests", "quarantined"))
    assert {
        "capitals put right": 7,
        "the word NULL read as empty": 3122,
        "time not written as YYYY-MM-DDTHH:MM:SSZ": 4000,
    } == mended(reading)
    assert reading.warnings[0].endswith("are passed over: Id")
    assert Decimal("20.520226728990000") == load_charges(bench.params())["billed_cost"].sum()


@needs_bills
def test_the_official_examples(bench: Any) -> None:
    """Tokens with caching, prepaid credits, virtual currency and seats, as the specification has them."""
    for name in ("ai_prompt_caching_a", "drawdown_via_prepayment_foundation_model_api", "simple_saas_agreements_a1"):
        read_source(Source(path=str(BILLS / f"{name}.csv")), bench.params())
    found = load_charges(bench.params())
    cached = found[found["sku_id"].str.startswith("solora-reasoning-pro").fillna(False)]
    assert {"uncached_input": "1.5", "cache_write_5m": "7.5", "cache_read": "2.4", "output": "22.5"} == {
        name: str(cost.normalize()) for name, cost in cached.set_index("token_class")["billed_cost"].items()
    }
    assert {"solora-reasoning-pro"} == set(cached["model"])
    prepaid = found[found["sku_id"].str.startswith("TOKEN-COMMITMENT").fillna(False)].iloc[0]
    assert (Decimal(500_000), Decimal(0)) == (prepaid["billed_cost"], prepaid["effective_cost"])
    assert Decimal(10_000) == found.loc[found["sku_id"] == "ACS-001", "billed_cost"].iloc[0]


@needs_bills
@pytest.mark.parametrize(
    ("name", "lines", "cost"),
    [
        ("golden_focus12_llm_rows", 16, "805.32081125"),
        ("golden_focus14_llm_and_split_rows", 8, "753.9"),
        ("virtual_currency_pricing_model_a2", 3, "0"),
        ("simple_saas_agreements_a2", 1, "50000"),
    ],
)
def test_validated_bills(bench: Any, name: str, lines: int, cost: str) -> None:
    """What passes the validators is read whole."""
    reading = read_source(Source(path=str(BILLS / f"{name}.csv")), bench.params())[0]
    assert (lines, lines) == (reading.counts["read"], reading.counts["requests"])
    assert Decimal(cost) == load_charges(bench.params())["billed_cost"].sum()
