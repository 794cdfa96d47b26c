"""Bills that no format fits are read by a mapping of their columns."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from finops_lib.errors import SourceError
from finops_lib.ingest import load_charges
from finops_lib.ingest.reading.exports import read_source
from finops_lib.params import Source

MAPPING = {
    "columns": {"charge_period_start": "day", "billed_cost": "amount", "service_name": "what", "charge_id": "no"},
    "constants": {"invoice_issuer_name": "Vendor", "billing_account_id": "a", "billing_currency": "USD"},
}


def read(folder: Path, params: Any, content: str, name: str, **mapping: Any) -> Any:
    """Write a file and its mapping, and read it."""
    (folder / name).write_text(content)
    (folder / "map.yaml").write_text(yaml.safe_dump(MAPPING | mapping))
    return read_source(Source(path=name, format="mapped", table="charges", mapping="map.yaml"), params)[0]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("b.csv", "no,day,amount,what\n7,2026-09-03,12.30,Search\n"),
        ("b.json", '{"page": [{"no": 7, "day": "2026-09-03", "amount": "12.30", "what": "Search"}]}'),
    ],
)
def test_a_mapped_bill(bench: Any, name: str, content: str) -> None:
    """Few columns are enough: category, periods and effective cost follow; the bill's own id is kept in the line's."""
    params = bench.params()
    reading = read(bench.folder, params, content, name)
    assert ("mapped-charges", 1, []) == (reading.format, reading.counts["requests"], reading.warnings)
    (line,) = load_charges(params).to_dict("records")
    assert ("Usage", Decimal("12.30"), "Search") == (
        line["charge_category"],
        line["effective_cost"],
        line["service_name"],
    )
    assert line["charge_id"].startswith("7@")
    assert ["2026-09-01", "2026-10-01", "2026-09-04"] == [
        str(line[column].date()) for column in ("billing_period_start", "billing_period_end", "charge_period_end")
    ]


def test_cents_and_a_wrong_file(bench: Any) -> None:
    """Amounts in cents are divided exactly; a file without any of the columns is refused with what it has."""
    params = bench.params()
    read(bench.folder, params, "no,day,amount\n1,2026-09-03,1230.5\n", "b.csv", cost_unit="cents")
    assert Decimal("12.305") == load_charges(params)["billed_cost"].sum()
    with pytest.raises(SourceError, match="has none of the columns"):
        read(bench.folder, params, "x,y\n1,2\n", "c.csv")


def test_the_kits_own_names_need_no_mapping(bench: Any) -> None:
    """A table whose columns are named as the kit names them is read as it is."""
    row = MAPPING["constants"] | {"charge_period_start": "2026-09-03", "billed_cost": "1", "team": "own"}
    params = bench.params()
    pd.DataFrame([row]).to_csv(bench.folder / "b.csv", index=False)
    reading = read_source(Source(path="b.csv", table="charges"), params)[0]
    assert ("mapped-charges", 1) == (reading.format, reading.counts["requests"])
    assert ["own"] == load_charges(params)["team"].tolist()
