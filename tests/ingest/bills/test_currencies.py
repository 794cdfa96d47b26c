"""A bill in another currency is converted at the rate of its period's end, and refused where there is none."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pandas as pd
import pytest

from finops_lib.errors import ParamsError
from finops_lib.ingest import load_charges
from finops_lib.ingest.reading.exports import read_source
from finops_lib.params import Source

LINE = {
    "invoice_issuer_name": "Vendor",
    "billing_account_id": "a",
    "charge_period_start": "2026-09-05",
    "billed_cost": "10.01",
    "billing_currency": "EUR",
}


def rate(rate: str, day: str, currency: str = "EUR") -> dict[str, str]:
    """Make an exchange rate."""
    return {"currency": currency, "rate": rate, "effective_from": day, "source": "a bank"}


def read(bench: Any, rows: list[dict[str, str]], rates: list[dict[str, str]]) -> Any:
    """Write a bill and read it with the rates."""
    bench.organisation = {"exchange_rates": rates}
    params = bench.params()
    pd.DataFrame(rows).to_csv(bench.folder / "bill.csv", index=False)
    return read_source(Source(path="bill.csv", format="mapped", table="charges"), params)[0]


def test_the_rate_of_the_last_day_holds(bench: Any) -> None:
    """September's bill takes the rate in force on the 30th, for all of its days; both amounts are kept."""
    rates = [rate("1.20", "2026-09-30"), rate("1.10", "2026-08-01"), rate("1.30", "2026-10-01")]
    reading = read(bench, [LINE, LINE | {"billing_currency": "USD"}], rates)
    euro, dollar = load_charges(bench.params()).sort_values("billing_currency").to_dict("records")
    assert (Decimal("10.01"), Decimal("12.012"), Decimal("1.2")) == (
        euro["billing_currency_billed_cost"],
        euro["billed_cost"],
        euro["exchange_rate"],
    )
    assert "a bank, from 2026-09-30" == euro["exchange_rate_source"]
    assert (Decimal("10.01"), Decimal(1)) == (dollar["billed_cost"], dollar["exchange_rate"])
    assert [("EUR", "10.010000000000000"), ("USD", "10.010000000000000")] == [
        (row["currency"], row["billed_cost"]) for row in reading.figures["totals"]
    ]


def test_a_currency_without_a_rate_is_set_aside_until_it_has_one(bench: Any) -> None:
    """The reason names currency, day and where the rate belongs; with it the line comes in by itself."""
    reading = read(bench, [LINE], [rate("1.2", "2026-10-01"), rate("0.006", "2026-01-01", "JPY")])
    assert {
        "no exchange rate for EUR on 2026-09-30: add it under exchange_rates in parameters/organisation.yaml": 1
    } == reading.summary()["quarantine_reasons"]
    assert load_charges(bench.params()).empty
    assert 1 == read(bench, [LINE], [rate("1.2", "2026-01-01")]).counts["requests"]


def test_two_rates_of_one_day_are_refused(bench: Any) -> None:
    """Which of them holds is not for the kit to say."""
    with pytest.raises(ParamsError, match="two rates for EUR from 2026-09-01"):
        read(bench, [LINE], [rate("1.2", "2026-09-01"), rate("1.3", "2026-09-01")])
