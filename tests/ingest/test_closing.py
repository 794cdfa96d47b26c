"""Closing: the record holds whether the month met the invoices, until it is reopened."""

from __future__ import annotations

import shutil
from datetime import date
from decimal import Decimal

import pandas as pd
import pytest

from finops_lib.ingest import (
    bill_findings,
    close_period,
    closed_months,
    closed_true_ups,
    read_price_list,
    read_source,
    reopen_period,
)
from finops_lib.ingest.engine import arrow_type
from finops_lib.params import Source
from finops_lib.schema import TRUE_UPS

ON = date(2026, 10, 5)
RECORD = {
    "reconciled": True,
    "invoice": "0.0050",
    "variance": "0.0005",
    "unexplained": "0",
    "states": {"house": "explained"},
}
TRUE_UP = {
    **{"true_up_id": "t1", "month": "2026-09", "provider": "house", "invoice_issuer_name": "House"},
    **{"residual_class": "rounding", "billed_cost": Decimal("0.0005"), "how_told": "cents"},
}


def true_ups():
    """Make the true-ups of the record."""
    columns = {c.name: pd.array([TRUE_UP.get(c.name)], dtype=pd.ArrowDtype(arrow_type(c.type))) for c in TRUE_UPS}
    return pd.DataFrame(columns)


def test_a_month_is_closed_with_what_the_invoices_said(bench):
    """One call of 0.0045; the record and the true-ups come back as they were."""
    bench.build([bench.call(1, "2026-09-01T12:00:00Z")])

    close_period(bench.params(), "2026-09", ON, RECORD, true_ups())
    (row,) = closed_months(bench.params()).to_dict("records")

    assert ("2026-09", ON, True) == tuple(row[name] for name in ("month", "closed_on", "reconciled"))
    assert [Decimal("0.0045"), Decimal("0.005"), Decimal("0.0005")] == [
        row[name] for name in ("contracted_cost", "invoice", "variance")
    ]
    assert [("t1", Decimal("0.0005"))] == list(
        closed_true_ups(bench.params(), "2026-09")[["true_up_id", "billed_cost"]].itertuples(index=False, name=None)
    )


def test_a_price_list_kept_by_half_is_not_taken_for_the_months(bench, monkeypatch):
    """The copy is interrupted; the next closing makes it anew, and it can be read."""
    bench.build([bench.call(1, "2026-09-01T12:00:00Z")])

    def interrupted(_from, to, **_):
        (to / "half").mkdir(parents=True)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(shutil, "copytree", interrupted)
        with pytest.raises(KeyboardInterrupt):
            close_period(bench.params(), "2026-09", ON)
    closed = close_period(bench.params(), "2026-09", ON)

    kept = bench.params().workspace / "prices" / closed["prices"]
    assert closed["price_version"] == read_price_list(kept).version
    assert [kept] == [*kept.parent.iterdir()]


def test_without_bills_a_month_is_closed_and_not_reconciled(bench):
    """No invoice is known, and no true-up kept."""
    bench.build([bench.call(1, "2026-09-01T12:00:00Z")])

    close_period(bench.params(), "2026-09", ON)

    assert [(False, None)] == [
        tuple(row) for row in closed_months(bench.params())[["reconciled", "invoice"]].to_numpy()
    ]
    assert closed_true_ups(bench.params(), "2026-09").empty


def test_a_bill_that_comes_after_closing_is_told_and_changes_nothing_closed(bench):
    """The record and the ledger stay; a new bill and a corrected one are told until the month is opened again."""
    bench.build([bench.call(1, "2026-09-01T12:00:00Z")])
    _bill(bench, "a.csv", "House", "10")
    record = close_period(bench.params(), "2026-09", ON)
    assert [("House", "USD", 10)] == [(*place, Decimal(cost)) for *place, cost in record["billed"]]
    assert [None] == closed_months(bench.params())["changed_since"].tolist()
    before = closed_months(bench.params()).drop(columns="changed_since").to_dict("records")

    _bill(bench, "b.csv", "House", "12")
    _bill(bench, "c.csv", "Cloud", "3")
    found = closed_months(bench.params())

    late = [
        "Cloud 2026-09: its total was USD 0.00, now it is 3.00, after the month was closed",
        "House 2026-09: its total was USD 10.00, now it is 12.00, after the month was closed",
    ]
    assert ["; ".join(late)] == found["changed_since"].tolist()
    assert late == bill_findings(bench.params())[:2]
    assert before == found.drop(columns="changed_since").to_dict("records")
    assert Decimal("0.0045") == bench.total(bench.ledger().costs["contracted_cost"])
    reopen_period(bench.params(), "2026-09")
    close_period(bench.params(), "2026-09", ON)
    assert [None] == closed_months(bench.params())["changed_since"].tolist()


def _bill(bench, name, issuer, cost):
    """Read a bill of one line."""
    header = "invoice_issuer_name,billing_account_id,charge_period_start,billed_cost,billing_currency"
    (bench.folder / name).write_text(f"{header}\n{issuer},a,2026-09-05,{cost},USD\n")
    read_source(Source(path=name, format="mapped", table="charges"), bench.params())


def test_reopening_takes_the_true_ups_away_and_keeps_the_record(bench):
    """An open month has none; its record stands in the history."""
    bench.build([bench.call(1, "2026-09-01T12:00:00Z")])
    close_period(bench.params(), "2026-09", ON, RECORD, true_ups())

    reopen_period(bench.params(), "2026-09")

    assert closed_months(bench.params()).empty
    assert closed_true_ups(bench.params(), "2026-09").empty
    assert '"reconciled": true' in (bench.params().workspace / "reopened.json").read_text(encoding="utf-8")


def test_an_empty_workspace_has_no_closed_month(bench):
    """Nothing was closed."""
    assert ["month", "closed_on"] == closed_months(bench.params()).columns[:2].tolist()
