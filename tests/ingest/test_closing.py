"""Closing: the record holds whether the month met the invoices, until it is reopened."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pandas as pd

from finops_lib.ingest import close_period, closed_months, closed_true_ups, reopen_period
from finops_lib.ingest.engine import arrow_type
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


def test_without_bills_a_month_is_closed_and_not_reconciled(bench):
    """No invoice is known, and no true-up kept."""
    bench.build([bench.call(1, "2026-09-01T12:00:00Z")])

    close_period(bench.params(), "2026-09", ON)

    assert [(False, None)] == [
        tuple(row) for row in closed_months(bench.params())[["reconciled", "invoice"]].to_numpy()
    ]
    assert closed_true_ups(bench.params(), "2026-09").empty


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
