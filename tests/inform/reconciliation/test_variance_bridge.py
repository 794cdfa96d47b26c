"""Variance bridge: the steps lead from the list price to the invoice."""

from __future__ import annotations

from decimal import Decimal

from finops_lib import inform
from finops_lib.settings import ReconciliationSettings


def test_the_steps_add_up(make_log, make_bill):
    """List 10.00, a fifth negotiated away, 1.00 of tax: 8.00 and 9.00."""
    log = make_log([("2026-09-01", "large", "output", 1_000_000, 8, {"list_cost": Decimal(10)})])
    tax = {"charge_category": "Tax", "billed_cost": Decimal(1), "charge_description": "VAT"}
    bill = make_bill([("large", "output", 1_000_000, 8), (None, None, 1, 1, tax)])
    found = inform.reconcile(log, bill, month="2026-09", settings=ReconciliationSettings())

    bridge = inform.variance_bridge(found.summary, found.residuals, provider="acme")

    steps = {"at_list_prices": 10, "negotiated_prices": -2, "estimate": 8, "tax": 1, "invoice": 9}
    assert steps == bridge.set_index("step")["amount"].astype(int).to_dict()
    assert bridge.equals(inform.variance_bridge(found.summary, found.residuals))
    assert inform.variance_bridge(found.summary, found.residuals, provider="other").empty
