"""Bill lines: what each is, which nobody has logged, and whether they make up their invoices."""

from __future__ import annotations

from decimal import Decimal

import pandas as pd

from finops_lib.inform.reconciliation.bill_lines import bill_lines, billed_in, match_invoice_details, unlogged_services

UNIT = {"consumed_quantity": None, "consumed_unit": None, "pricing_unit": "1000000 Tokens"}


def test_a_line_belongs_to_the_month_its_billing_period_starts_in(make_bill):
    """A correction of August on September's bill is September's."""
    august = pd.Timestamp("2026-08-01", tz="UTC")
    bill = make_bill([("large", "output", 10, 8), ("large", "output", 20, 8, {"charge_period_start": august})])

    assert [2, 0] == [len(billed_in(bill, month)) for month in ("2026-09", "2026-08")]


def test_quantities_are_single_units(make_bill):
    """1.5 million tokens are 1,500,000, whether as consumed or as priced; nothing is not zero."""
    lines = [
        ("large", "output", 1, 8, {"consumed_quantity": 1_500_000}),
        ("large", "output", 1, 8, UNIT | {"pricing_quantity": Decimal("1.5")}),
        ("large", "output", 1, 8, UNIT),
    ]
    found = bill_lines(make_bill(lines), "2026-09")["quantity"]

    assert [1_500_000, 1_500_000] == found.tolist()[:2]
    assert pd.isna(found[2])


def test_a_bill_that_names_no_model_is_the_model_bill_as_a_whole(make_bill):
    """A line without model and unit is metered alone, and a fee beside lines that name models."""
    bare = (None, None, 1, 8, {"consumed_unit": None})

    alone = bill_lines(make_bill([bare]), "2026-09")["line_kind"]
    beside = bill_lines(make_bill([bare, ("large", "output", 10, 8)]), "2026-09")["line_kind"]

    assert [["metered"], ["fees", "metered"]] == [alone.tolist(), beside.tolist()]


def test_ai_that_nobody_owns_is_unlogged(make_bill):
    """AI by its words or its category counts where no tag or team names it; hosting does not."""
    lines = [
        ("AI meeting notes", {}),
        ("AI writing aid", {"tags": '{"team": "brand"}'}),
        ("AI coding aid", {"team": "web"}),
        ("Hosting in Mainz", {}),
        ("Speech", {"service_category": "AI and Machine Learning"}),
    ]
    bill = make_bill(
        [(None, None, 1, 8, {"provider": None, "charge_description": text} | more) for text, more in lines]
    )

    assert ["AI meeting notes", "Speech"] == unlogged_services(bill, "2026-09")["charge_description"].tolist()


def test_invoices_are_met_without_tax_and_with_it(make_bill):
    """Usage 8.00 of 9.00 invoiced is 1.00 apart; tax of 2.00 is found on the bill only; a voided line is none."""
    tax = {"charge_category": "Tax", "billed_cost": Decimal(2)}
    bills = make_bill([("large", "output", 1_000_000, 8), (None, None, 1, 1, tax)])
    nine = {"billed_cost": Decimal(9)}
    details = make_bill([("", "", 1, 1, nine), ("", "", 1, 1, nine | {"charge_id": "voided"})])
    details["invoice_issue_status"] = ["Issued", "Voided"]

    found = match_invoice_details(bills, details, "2026-09").set_index("is_tax")

    assert {False: Decimal(1), True: Decimal(-2)} == found["variance"].to_dict()
    assert {False: "both", True: "bill only"} == found["found"].to_dict()
