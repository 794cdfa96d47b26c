"""What every file of bills came to can be looked up, and judged."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pandas as pd

from finops_lib.ingest import bill_checks, bill_findings, bills_read, rows_read, tables_read
from finops_lib.ingest.bills.record import BILL_READINGS, changes
from finops_lib.ingest.readers import BILL_FORMATS
from finops_lib.ingest.reading.exports import read_source
from finops_lib.params import Source

LINE = {
    "invoice_issuer_name": "Vendor",
    "billing_account_id": "a",
    "charge_period_start": "2026-09-05",
    "billed_cost": "10",
    "billing_currency": "EUR",
}


def read(bench: Any, name: str, rows: list[dict[str, str]]) -> Any:
    """Write a bill and read it; the euro is worth 1.10."""
    rate = {"currency": "EUR", "rate": "1.10", "effective_from": "2026-01-01", "source": "a bank"}
    bench.organisation = {"exchange_rates": [rate]}
    params = bench.params()
    pd.DataFrame(rows).to_csv(bench.folder / name, index=False)
    read_source(Source(path=name, format="mapped", table="charges"), params)
    return params


def test_a_row_a_file_issuer_and_month(bench: Any) -> None:
    """Amounts in the bill's currency and in dollars; lines that cannot be used name no issuer."""
    params = read(bench, "b.csv", [LINE, LINE | {"billed_cost": "$5"}, LINE | {"billed_cost": "?"}])
    shown = bills_read(params).astype(object)
    shown = shown.where(shown.notna(), None).drop(columns=["format", "replaced"])
    assert [
        ("b.csv", "Vendor", "2026-09", 2, "EUR", Decimal(15), Decimal("16.5"), 1, 0, 0),
        ("b.csv", None, None, 0, None, None, None, 0, 0, 1),
    ] == list(shown.itertuples(index=False, name=None))
    assert [False, True] == bill_checks(params)["passed"].tolist()


def test_findings_stay_until_they_are_settled(bench: Any) -> None:
    """A line that gave way is a finding of every later look."""
    read(bench, "b.csv", [LINE])
    params = read(bench, "c.csv", [LINE | {"billed_cost": "12"}])
    assert 2 == len(bill_findings(params))
    assert [True, False] == bill_checks(params)["passed"].tolist()
    assert (0, 1) == tuple(bills_read(params).query("file == 'b.csv'")[["lines", "replaced"]].iloc[0])


def test_bills_are_no_calls(bench: Any) -> None:
    """They stand among what else was given, not among the sources of calls."""
    params = read(bench, "b.csv", [LINE])
    assert rows_read(params).empty
    assert 1 == tables_read(params).set_index("table").loc["charges", "rows"]


def test_without_bills() -> None:
    """All formats of bills are known as such; nothing changed where nothing was."""
    assert set(BILL_FORMATS) <= set(BILL_READINGS)
    assert [] == changes({}, {("Vendor", "2026-09", "USD"): Decimal(1)})


def test_no_bills_no_checks(bench: Any) -> None:
    """Nothing to judge."""
    params = bench.params()
    assert (True, True, []) == (bills_read(params).empty, bill_checks(params).empty, bill_findings(params))
