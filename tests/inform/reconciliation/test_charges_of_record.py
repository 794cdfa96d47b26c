"""Charges of record: one list, every cent of finance's and none twice."""

from __future__ import annotations

from decimal import Decimal

import pandas as pd

from finops_lib import inform
from finops_lib.schema import check_frame
from finops_lib.settings import ReconciliationSettings

TAX = (None, None, 1, 1, {"charge_category": "Tax", "billed_cost": Decimal("1.52"), "charge_description": "VAT"})
HOSTING = (None, None, 1, 1, {"provider": None, "invoice_issuer_name": "Host", "billed_cost": Decimal(40)})


def record(log, bill):
    """Reconcile September and list its charges."""
    return inform.reconciled_charges(log, bill, month="2026-09", settings=ReconciliationSettings())


def test_the_ledger_stands_for_the_lines_it_itemises(tied, make_bill):
    """Twenty ledger rows of 8.00 for two token lines; tax and hosting stay as they are."""
    log, _ = tied
    bill = make_bill([("large", "uncached_input", 1_000_000, 2), ("large", "output", 750_000, 8), TAX, HOSTING])

    charges = check_frame(record(log, bill), "charges")

    assert {"ledger": 20, "focus": 2} == charges["source"].value_counts().to_dict()
    assert Decimal("49.52") == charges["billed_cost"].sum()
    assert {"ACME-9"} == set(charges.loc[charges["source"] == "ledger", "invoice_id"])
    assert charges["charge_id"].is_unique


def test_a_difference_is_a_line_of_its_own(tied, make_bill):
    """Output at 10 instead of 8 adds 1.50 as an adjustment that says why."""
    log, _ = tied
    bill = make_bill([("large", "uncached_input", 1_000_000, 2), ("large", "output", 750_000, 10)])

    extra = record(log, bill).query("source == 'true_up'")

    assert [("Adjustment", Decimal("1.5"))] == list(zip(extra["charge_category"], extra["billed_cost"], strict=True))
    assert extra["charge_description"].str.startswith("price difference: output billed at USD 10 a million").all()


def test_without_a_bill_the_estimate_is_the_record(tied):
    """No invoice: the ledger's 8.00, sent by nobody but the provider's name."""
    log, bill = tied

    charges = record(log, bill.head(0))

    assert Decimal(8) == charges["billed_cost"].sum()
    assert {"acme"} == set(charges["invoice_issuer_name"])


def test_ids_depend_on_content_alone(tied):
    """The order of the rows does not matter, and dimensions that bills do not know are kept."""
    log, bill = tied
    log["workflow"] = pd.array(["answer"] * len(log), dtype=log["workflow"].dtype)

    first, second = record(log, bill), record(log.iloc[::-1].reset_index(drop=True), bill)

    assert sorted(first["charge_id"]) == sorted(second["charge_id"])
    assert {"answer"} == set(first["workflow"])


def test_a_row_without_a_price_is_no_charge_but_its_bill_is(make_log, make_bill):
    """An unpriced million comes in with the 3.00 that the bill says."""
    log = make_log([("2026-09-01", "tuned", "output", 1_000_000, None)])

    charges = record(log, make_bill([("tuned", "output", 1_000_000, 3)]))

    assert [("true_up", Decimal(3))] == list(zip(charges["source"], charges["billed_cost"], strict=True))
