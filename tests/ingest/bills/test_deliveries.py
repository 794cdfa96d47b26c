"""A bill counts once however often, in whatever parts and order its files come; what gives way is told."""

from __future__ import annotations

import tempfile
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from finops_lib.ingest import bills_read, load_charges
from finops_lib.ingest.reading.exports import read_source
from finops_lib.params import Organisation, Params, Settings, Source

LINE = {
    "BillingAccountId": "a",
    "BillingCurrency": "USD",
    "BillingPeriodStart": "2026-09-01T00:00:00Z",
    "BillingPeriodEnd": "2026-10-01T00:00:00Z",
    "ChargeCategory": "Usage",
    "ChargePeriodStart": "2026-09-01T00:00:00Z",
    "ChargePeriodEnd": "2026-10-01T00:00:00Z",
    "InvoiceIssuerName": "Vendor",
}


def bill(**costs: str) -> list[dict[str, str]]:
    """Make a bill: resource → cost."""
    return [LINE | {"ResourceId": name, "BilledCost": cost} for name, cost in costs.items()]


def organisation(folder: Path) -> Params:
    """Make a project without parameter files."""
    return Params(
        assistant="organisation",
        period="latest",
        settings=Settings(),
        organisation=Organisation(),
        project=folder,
        assistants={},
    )


def read(folder: Path, name: str, rows: list[dict[str, str]]) -> Any:
    """Write a bill and read it."""
    pd.DataFrame(rows).to_csv(folder / name, index=False)
    return read_source(Source(path=name, format="focus"), organisation(folder))[0]


def total(folder: Path) -> Decimal:
    """Add up what counts."""
    return sum(load_charges(organisation(folder))["billed_cost"], Decimal(0))


def test_reading_again_changes_nothing(tmp_path: Path) -> None:
    """The same file gives the same reading and leaves the same bytes."""
    first = read(tmp_path, "bill.csv", bill(r1="1.10", r2="2.20"))
    kept = (tmp_path / "outputs/workspace/charges/2026-09.parquet").read_bytes()
    again = read(tmp_path, "bill.csv", bill(r1="1.10", r2="2.20"))
    assert (first.counts, first.figures) == (again.counts, again.figures)
    assert kept == (tmp_path / "outputs/workspace/charges/2026-09.parquet").read_bytes()


def test_the_same_bill_under_another_name_adds_nothing(tmp_path: Path) -> None:
    """Its lines are duplicates, in whatever order they stand."""
    read(tmp_path, "bill.csv", bill(r1="1.10", r2="2.20", r3="3"))
    copy = read(tmp_path, "a copy.csv", bill(r3="3.00", r1="1.10", r2="2.2"))
    assert (3, 0, 3) == tuple(copy.counts[name] for name in ("read", "requests", "duplicates"))
    assert (Decimal("6.30"), []) == (total(tmp_path), copy.warnings)


def test_a_corrected_delivery_replaces_the_earlier_one(tmp_path: Path) -> None:
    """The change of the total is told, and lines only the earlier one has still count and are named."""
    read(tmp_path, "bill.csv", bill(r1="1", r2="2", r3="4"))
    later = read(tmp_path, "b2.csv", bill(r1="1", r2="5"))
    assert Decimal(10) == total(tmp_path)
    assert [
        "Vendor 2026-09: its total was USD 7.00, now it is 10.00",
        "Vendor 2026-09: 1 lines of bill.csv give way to b2.csv, which came later with other amounts: "
        "USD 2.00 become USD 5.00",
        "Vendor 2026-09: 1 lines of bill.csv (USD 4.00) are not in b2.csv, which replaces others of the same account "
        "and day; they still count",
    ] == later.warnings
    shown = bills_read(organisation(tmp_path)).set_index("file")
    assert [(2, 0, 1), (1, 1, 0)] == [
        tuple(shown.loc[name, ["lines", "duplicates", "replaced"]]) for name in ("bill.csv", "b2.csv")
    ]


def test_a_correction_taken_back(tmp_path: Path) -> None:
    """Ten, then twelve, then ten again: ten counts, once."""
    for name, cost in (("1.csv", "10"), ("2.csv", "12"), ("3.csv", "10")):
        read(tmp_path, name, bill(r1=cost))
    assert Decimal(10) == total(tmp_path)


def test_a_file_written_over(tmp_path: Path) -> None:
    """Its lines replace those it had; the total says so."""
    read(tmp_path, "bill.csv", bill(r1="1", r2="2"))
    again = read(tmp_path, "bill.csv", bill(r1="7"))
    assert Decimal(7) == total(tmp_path)
    assert ["Vendor 2026-09: its total was USD 3.00, now it is 7.00"] == again.warnings


def test_parts_of_one_bill_may_hold_lines_that_look_alike(tmp_path: Path) -> None:
    """Files that share one line of five are parts: all of them count, and that is said."""
    read(tmp_path, "part1.csv", bill(r0="1", r1="1", r2="1", r3="1", r4="1"))
    part = read(tmp_path, "part2.csv", bill(r0="2", r5="1", r6="1", r7="1", r8="1"))
    assert Decimal(11) == total(tmp_path)
    assert 1 == sum("1 lines look alike" in text for text in part.warnings)


def test_an_invoice_gets_its_number_later(tmp_path: Path) -> None:
    """A line without an invoice is the line of the invoice that comes; two invoices are two."""
    rows = bill(r1="1")
    read(tmp_path, "open.csv", rows)
    read(tmp_path, "issued.csv", [row | {"InvoiceId": "i1"} for row in rows])
    assert Decimal(1) == total(tmp_path)
    one, other = ([row | {"InvoiceId": name, "ResourceId": "r9"} for row in rows] for name in ("i2", "i3"))
    read(tmp_path, "two.csv", one)
    read(tmp_path, "three.csv", other)
    assert Decimal(3) == total(tmp_path)


def test_a_bill_twice_in_one_file_is_asked_about(tmp_path: Path) -> None:
    """Equal lines of one file are lines of their own, but a whole bill of pairs is suspicious."""
    reading = read(tmp_path, "bill.csv", bill(r1="1", r2="2") * 2)
    assert (4, Decimal(6)) == (reading.counts["requests"], total(tmp_path))
    assert [
        "Vendor 2026-09: each of its 2 lines stands at least twice in bill.csv: is the bill in it twice?"
    ] == reading.warnings
    assert 4 == load_charges(organisation(tmp_path))["charge_id"].nunique()


COSTS = st.decimals(-(10**6), 10**6, places=6, allow_nan=False).map(str)
FAULTY = st.sampled_from(["NULL", "", "x", "1.2.3"])


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
@given(costs=st.lists(st.one_of(COSTS, COSTS, FAULTY), min_size=1, max_size=12), data=st.data())
def test_order_and_parts_of_files_do_not_matter(costs: list[str], data: Any) -> None:
    """No line is lost, what is kept sums to the texts exactly, and any cut into files gives the same charges."""
    rows = [LINE | {"ResourceId": f"r{n}", "BilledCost": cost} for n, cost in enumerate(costs)]
    good = [Decimal(cost) for cost in costs if cost not in ("NULL", "", "x", "1.2.3")]
    results = []
    shuffled = data.draw(st.permutations(rows))
    cut = data.draw(st.integers(0, len(rows)))
    for parts in ([rows], [shuffled[cut:], shuffled[:cut]]):
        with tempfile.TemporaryDirectory() as folder:
            readings = [read(Path(folder), f"{n}.csv", part) for n, part in enumerate(parts) if part]
            counts = [reading.counts for reading in readings]
            assert len(rows) == sum(c["requests"] + c["quarantined"] + c["duplicates"] for c in counts)
            assert len(rows) == sum(c["read"] for c in counts)
            assert len(good) == sum(c["requests"] for c in counts)
            assert sum(good, Decimal(0)) == total(Path(folder))
            found = load_charges(organisation(Path(folder)))
            results.append(found.sort_values("charge_id")[["charge_id", "billed_cost", "resource_id"]].values.tolist())
    assert results[0] == results[1]
