"""Bills are read by the same command and build as calls, and only as what they are."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pandas as pd
import pytest
from typer.testing import CliRunner

from finops_lib.cli import app
from finops_lib.errors import SourceError
from finops_lib.ingest import build_ledger, load_charges, load_invoice_details
from finops_lib.ingest.reading.exports import read_source
from finops_lib.params import Source
from finops_lib.schema import CHARGES, INVOICE_DETAILS, check_frame, names

LINE = {
    "BilledCost": "$1,000.50",
    "BillingAccountId": "a",
    "BillingCurrency": "USD",
    "BillingPeriodStart": "2026-09-01T00:00:00Z",
    "BillingPeriodEnd": "2026-10-01T00:00:00Z",
    "ChargeCategory": "Usage",
    "ChargePeriodStart": "2026-09-01T00:00:00Z",
    "ChargePeriodEnd": "2026-10-01T00:00:00Z",
    "InvoiceIssuerName": "Vendor",
}


def lay(bench: Any, rows: list[dict[str, str]], name: str = "bill.csv") -> Any:
    """Write a bill into the project."""
    params = bench.params()
    pd.DataFrame(rows).to_csv(bench.folder / name, index=False)
    return params


def test_the_command_says_what_was_read(bench: Any) -> None:
    """Kept, duplicates and quarantined; what was mended; totals by issuer, month and currency."""
    lay(bench, [LINE, LINE | {"BilledCost": "?"}])
    call = ["ingest", "--project", str(bench.folder), "--format", "focus", str(bench.folder / "bill.csv")]
    said = CliRunner().invoke(app, call).output
    assert "2 read, 1 kept, 0 duplicates, 1 quarantined" in said
    assert "mended: number with currency sign, separators or plus, 1 cells in 1 rows" in said
    assert ["Vendor", "2026-09", "1", "USD", "1,000.50", "1,000.50"] in [line.split() for line in said.splitlines()]
    assert "1 quarantined: billed_cost: not a number" in said
    summary = json.loads(CliRunner().invoke(app, [*call, "--json"]).output.splitlines()[-1])
    assert [("Vendor", "1000.500000000000000")] == [(row["issuer"], row["billed_cost"]) for row in summary["totals"]]
    assert (2, 1, 1) == tuple(summary[name] for name in ("read", "requests", "quarantined"))


def test_the_build_reads_bills_among_the_sources(bench: Any) -> None:
    """As it does calls; again it reads nothing anew."""
    bench.organisation = {"sources": [{"path": "*.csv", "format": "focus", "table": "charges"}]}
    params = lay(bench, [LINE])
    (first,) = build_ledger(params)
    stamp = (params.workspace / "charges" / "2026-09.parquet").stat().st_mtime_ns
    assert [first] == build_ledger(params)
    assert stamp == (params.workspace / "charges" / "2026-09.parquet").stat().st_mtime_ns
    assert [Decimal("1000.50")] == load_charges(params)["billed_cost"].tolist()


def test_months_are_loaded_apart(bench: Any) -> None:
    """By billing month; all columns of the contract are there, filled where they must be."""
    october = {"BillingPeriodStart": "2026-10-01T00:00:00Z", "BillingPeriodEnd": "2026-11-01T00:00:00Z"}
    later = {"ChargePeriodStart": "2026-10-01T00:00:00Z", "ChargePeriodEnd": "2026-10-02T00:00:00Z"}
    params = lay(bench, [LINE, LINE | october | later])
    read_source(Source(path="bill.csv"), params)
    found = load_charges(params, ["2026-10"])
    assert (names(CHARGES), 1, 2) == (list(found.columns), len(found), len(load_charges(params)))
    assert found is check_frame(found, "charges")


def test_without_bills_there_are_no_charges(bench: Any) -> None:
    """Empty frames with their columns."""
    params = bench.params()
    assert (names(CHARGES), True) == (list(load_charges(params).columns), load_charges(params).empty)
    assert names(INVOICE_DETAILS) == list(load_invoice_details(params).columns)


def test_a_file_that_is_no_bill_is_refused(bench: Any) -> None:
    """With what it looks like."""
    params = lay(bench, [{"timestamp": "2026-09-01", "model": "m", "input_tokens": "1"}])
    with pytest.raises(SourceError, match="not an export of format 'focus'; it looks like 'mapped'"):
        read_source(Source(path="bill.csv", format="focus"), params)


def test_a_bill_read_as_another_format_counts_once(bench: Any) -> None:
    """What the first reading left is gone."""
    row = {
        "invoice_issuer_name": "V",
        "billing_account_id": "a",
        "charge_period_start": "2026-09-01",
        "billed_cost": "2",
        "billing_currency": "USD",
    }
    params = lay(bench, [row | LINE])
    read_source(Source(path="bill.csv", format="focus"), params)
    read_source(Source(path="bill.csv", format="mapped", table="charges"), params)
    assert [Decimal(2)] == load_charges(params)["billed_cost"].tolist()


def test_a_service_belongs_to_the_assistant_that_names_it(bench: Any) -> None:
    """A line that names nobody goes by its service, one that names an assistant stays with it."""
    bench.assistants = {"helper": {"services": ["Seats"]}}
    tagged = {"ServiceName": "Seats", "Tags": '{"assistant": "other"}', "SkuId": "tagged"}
    params = lay(bench, [LINE | {"ServiceName": "Seats"}, LINE | tagged, LINE | {"ServiceName": "Hosting"}])
    read_source(Source(path="bill.csv"), params)
    found = load_charges(params)[["service_name", "assistant"]].fillna("nobody")

    expected = [("Hosting", "nobody"), ("Seats", "helper"), ("Seats", "other")]
    assert expected == sorted(found.itertuples(index=False, name=None))
