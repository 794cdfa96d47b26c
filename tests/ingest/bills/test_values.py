"""Each file tells how its numbers and dates are written; what follows from the rest of a line is filled in."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pandas as pd

from finops_lib.ingest import load_charges
from finops_lib.ingest.reading.exports import read_source
from finops_lib.params import Source

LINE = {
    "BilledCost": "1,234",
    "BillingAccountId": "a",
    "BillingCurrency": "usd",
    "ChargeCategory": "Usage",
    "ChargePeriodStart": "2026-09-05T00:00:00Z",
    "ProviderName": "Vendor",
}


def test_files_read_together_keep_their_own_conventions(bench: Any) -> None:
    """The comma is decimal in one file and a separator in the other."""
    params = bench.params()
    for name, other in (("comma.csv", "0,5"), ("point.csv", "0.5")):
        rows = [LINE | {"SkuId": name}, LINE | {"SkuId": name, "BilledCost": other}]
        pd.DataFrame(rows).to_csv(bench.folder / name, index=False)
    (reading,) = read_source(Source(path="*.csv", format="focus"), params)
    found = load_charges(params)
    assert {"comma.csv": Decimal("1.734"), "point.csv": Decimal("1234.5")} == (
        found.groupby("sku_id")["billed_cost"].sum().to_dict()
    )
    assert {
        "capitals put right": 4,
        "missing, billing period or day taken": 4,
        "missing, month of the charge taken": 8,
        "missing, provider taken": 4,
        "number with currency sign, separators or plus": 3,
    } == {row["kind"]: row["cells"] for row in reading.figures["mended"]}
    assert {("Vendor", "2026-09-01", "2026-10-01")} == set(
        zip(
            found["invoice_issuer_name"],
            found["billing_period_start"].dt.strftime("%Y-%m-%d"),
            found["billing_period_end"].dt.strftime("%Y-%m-%d"),
            strict=True,
        )
    )


def test_the_source_names_an_account_where_lines_do_not(bench: Any) -> None:
    """Without either the line is refused."""
    params = bench.params()
    pd.DataFrame([LINE | {"BilledCost": "1", "BillingAccountId": ""}]).to_csv(bench.folder / "bill.csv", index=False)
    (reading,) = read_source(Source(path="bill.csv", format="focus"), params)
    assert {"no billing_account_id": 1} == reading.summary()["quarantine_reasons"]
    read_source(Source(path="bill.csv", format="focus", account="it's ours"), params)
    assert ["it's ours"] == load_charges(params)["billing_account_id"].tolist()
