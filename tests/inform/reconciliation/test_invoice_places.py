"""Invoice places: several invoices of one provider, each met to the last digit."""

from __future__ import annotations

from decimal import Decimal

import pandas as pd
import pytest

from finops_lib import inform
from finops_lib.inform.measures import MONEY_TYPE
from finops_lib.inform.reconciliation import invoice_places
from finops_lib.inform.reconciliation.bill_lines import billed_account
from finops_lib.settings import ReconciliationSettings


@pytest.fixture
def two_accounts(make_log):
    """Log 3.00 of account p1 and 5.00 of p2."""
    day = "2026-09-01"
    return make_log(
        [
            (day, "large", "output", 1_000_000, 3),
            (day, "large", "output", 1_000_000, 5, {"provider_account": "p2"}),
        ]
    )


def by_invoice(log, bill):
    """Add September's charges of record up by invoice."""
    found = inform.reconcile(log, bill, month="2026-09", settings=ReconciliationSettings())
    charges = inform.charges_of_record(log, bill, found.true_ups, "2026-09")
    assert charges["charge_id"].is_unique
    return charges, charges.groupby("invoice_id")["billed_cost"].sum().to_dict()


@pytest.mark.parametrize("named", ["sub_account_id", "billing_account_id"])
def test_each_account_is_on_its_own_invoice(two_accounts, make_bill, named):
    """The account is known as a sub-account or as a billing account; no line is needed to move anything."""
    rows = [
        ("large", "output", 1_000_000, price, {"sub_account_id": None, "invoice_id": invoice} | {named: account})
        for price, invoice, account in ((3, "I-1", "p1"), (5, "I-2", "p2"))
    ]

    charges, totals = by_invoice(two_accounts, make_bill(rows))

    assert {"I-1": Decimal(3), "I-2": Decimal(5)} == totals
    assert {"ledger"} == set(charges["source"])


def test_what_cannot_be_placed_is_moved_in_sight(two_accounts, make_bill):
    """Neither invoice names an account: 8.00 fall on the first, 5.00 of them move to the second."""
    rows = [
        ("large", "output", 1_000_000, price, {"sub_account_id": None, "invoice_id": invoice})
        for price, invoice in ((3, "I-1"), (5, "I-2"))
    ]

    charges, totals = by_invoice(two_accounts, make_bill(rows))
    moved = charges[charges["charge_id"].str.startswith("between-")]

    assert {"I-1": Decimal(3), "I-2": Decimal(5)} == totals
    assert [Decimal(-5), Decimal(5)] == sorted(moved["billed_cost"])
    assert moved["charge_description"].str.startswith("between invoices of one provider").all()


def test_a_provider_that_does_not_come_to_its_invoices_is_not_patched(two_accounts, make_bill):
    """True-ups of another month's end are missing: the 1.00 stays apart for the checks to tell."""
    bill = make_bill([("large", "output", 2_000_000, "4.5", {"sub_account_id": None})])
    listed = inform.charges_of_record(two_accounts, bill, _no_true_ups(two_accounts, bill), "2026-09")

    assert 0 == len(invoice_places.between_invoices(listed, bill))
    assert Decimal(8) == listed["billed_cost"].sum()


def _no_true_ups(log, bill):
    return inform.reconcile(log, bill, month="2026-09", settings=ReconciliationSettings()).true_ups.head(0)


def test_costs_and_prices_are_stated_in_the_currency_of_the_invoice():
    """USD 3.00 at 1.50 USD a euro are EUR 2.00; a line without a rate stays in dollars."""
    money = pd.Series([Decimal(3), Decimal(3)], dtype=MONEY_TYPE)
    lines = pd.DataFrame({name: money for name in (*invoice_places.COSTS, "list_unit_price")})
    lines["billing_currency"] = ["EUR", None]
    lines["exchange_rate"] = pd.Series([Decimal("1.5"), None], dtype=MONEY_TYPE)

    stated = invoice_places.in_billing_currency(lines)

    assert [Decimal(2), Decimal(3)] == stated["billing_currency_billed_cost"].tolist()
    assert [Decimal(2), Decimal(3)] == stated["list_unit_price"].tolist()
    assert ["EUR", "USD"] == stated["billing_currency"].tolist()
    assert [Decimal(3), Decimal(3)] == stated["billed_cost"].tolist()


def test_the_account_is_named_as_the_log_names_it():
    """A sub-account that is logged comes first, then the billing account, else the sub-account."""
    bill = pd.DataFrame({"sub_account_id": ["s"], "billing_account_id": ["b"]})
    logs = (["s", "b"], ["b"], ["x"])

    assert ["s", "b", "s"] == [billed_account(bill, pd.Series(log)).item() for log in logs]
