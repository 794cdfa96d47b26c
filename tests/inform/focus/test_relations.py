"""FOCUS relations: cells of a row and rows of a file that must fit together."""

from __future__ import annotations

from decimal import Decimal

import pandas as pd
import pytest

from finops_lib.inform.focus.cells import read_cells
from finops_lib.inform.focus.relations import row_findings, table_findings
from finops_lib.inform.focus.rows import focus_rows

HOURS = {
    **{"pricing_quantity": 3, "pricing_unit": "Hours", "consumed_quantity": 3, "consumed_unit": "Hours"},
    **{"list_unit_price": "0.1", "contracted_unit_price": "0.1", "cost": "0.3", "service_name": "GPU"},
    **{"service_category": "Compute", "sku_id": "gpu", "sku_price_id": "gpu/standard", "invoice_id": "I-1"},
}


def broken(rows, version="1.4", **invoices):
    """Rules and columns that rows break."""
    table = read_cells(rows, version)
    found = [*row_findings(table), *table_findings(table, **invoices)]
    return {pair for findings in found for pair in findings[["rule", "column"]].itertuples(index=False, name=None)}


def test_rows_of_our_own_break_nothing(make_charges):
    """All categories as we write them."""
    seats = HOURS | {"charge_category": "Purchase", "pricing_unit": "Seats"}
    tax, credit = ({"charge_category": kind, "cost": 5} for kind in ("Tax", "Credit"))
    assert set() == broken(focus_rows(make_charges(HOURS, seats, tax, credit), "1.4"))


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"ListCost": "0.30000001"}, ("product", "ListCost")),
        ({"ContractedCost": "0.31"}, ("product", "ContractedCost")),
        ({"ChargePeriodEnd": "2026-08-31T00:00:00Z"}, ("period_order", "ChargePeriodEnd")),
        ({"BillingPeriodEnd": "2026-09-01T00:00:00Z"}, ("period_order", "BillingPeriodEnd")),
        ({"SkuId": None}, ("pricing_missing", "SkuId")),
        ({"PricingCategory": None}, ("pricing_missing", "PricingCategory")),
        ({"ConsumedUnit": None}, ("together", "ConsumedUnit")),
        ({"ResourceType": "Service"}, ("together", "ResourceType")),
        ({"PricingCurrencyEffectiveCost": "0.29"}, ("pricing_currency", "PricingCurrencyEffectiveCost")),
    ],
)
def test_a_broken_relation_is_found_in_its_row_alone(make_charges, changed, expected):
    """One changed cell is the finding of its column."""
    assert {expected} == broken(focus_rows(make_charges(HOURS), "1.4").astype(object).assign(**changed))


def test_what_categories_forbid(make_charges):
    """Tax has no price, only usage is consumed, a purchase is not usage-based."""
    rows = focus_rows(make_charges(HOURS), "1.4").astype(object)
    assert {("pricing_of_tax", "SkuId"), ("consumed_without_usage", "ConsumedQuantity")} <= broken(
        rows.assign(ChargeCategory="Tax")
    )
    assert ("purchase_frequency", "ChargeFrequency") in broken(rows.assign(ChargeCategory="Purchase"))


def test_corrections_may_break_the_product_and_leave_the_price_open(make_charges):
    """A refund of a closed month states what was wrong, not a price list."""
    rows = focus_rows(make_charges(HOURS), "1.4").astype(object)
    assert set() == broken(rows.assign(ChargeClass="Correction", ListCost="9", SkuPriceId=None))


def test_a_third_partys_invoice_bills_nothing_in_1_2(make_charges):
    """Where the issuer is not the provider, the amount is on another's books."""
    rows = focus_rows(make_charges(HOURS), "1.2").astype(object).assign(ProviderName="Maker")
    assert {("third_party", "BilledCost")} == broken(rows, "1.2")
    assert set() == broken(rows.assign(BilledCost="0"), "1.2")


def test_a_name_stands_for_one_category_and_a_price_for_one_sku(make_charges):
    """The same service in two categories makes both rows findings."""
    rows = focus_rows(make_charges(HOURS, HOURS), "1.4").astype(object)
    rows.loc[1, ["ServiceCategory", "SkuId"]] = ["Databases", "other"]
    assert {("one_to_one", "ServiceCategory"), ("one_to_one", "SkuId")} == broken(rows)


def test_prepaid_credits_count_once(make_charges):
    """A purchase whose use carries the effective cost must have none of its own."""
    bought = HOURS | {"charge_category": "Purchase", "cost": "0.3"}
    used = HOURS | {"pricing_category": "Committed", "billed_cost": 0}
    assert {("prepaid_twice", "EffectiveCost")} == broken(focus_rows(make_charges(bought, used), "1.4"))
    assert set() == broken(focus_rows(make_charges(bought | {"effective_cost": 0}, used), "1.4"))


def test_rows_come_to_the_amounts_of_the_invoices(make_charges):
    """A cent too little on an invoice, and an invoice without rows, are findings; nothing else is."""
    charges = make_charges(HOURS, HOURS)
    rows = focus_rows(charges, "1.4")
    assert set() == broken(rows, invoices=charges)
    assert {("invoice_total", "BilledCost")} == broken(rows.iloc[:1], invoices=charges)
    unpaid = make_charges(HOURS | {"invoice_id": "I-2"})
    assert {("invoice_total", "BilledCost")} == broken(rows, invoices=unpaid)
    found = pd.concat(table_findings(read_cells(rows, "1.4"), unpaid))
    assert (0, "0", "0.300000000000000, the amount of invoice I-2 of Solora AI") == tuple(
        found.iloc[0][["row", "found", "expected"]]
    )


def test_products_are_compared_to_the_last_digit(make_charges):
    """1e-24 beside the product is found, though no float could tell it."""
    rows = focus_rows(make_charges(HOURS), "1.4").astype(object)
    exact = {name: Decimal("0.3") for name in ("ListCost", "ContractedCost")}
    assert set() == broken(rows.assign(**exact))
    assert {("product", "ListCost")} == broken(
        rows.assign(**exact | {"ListCost": Decimal("0.300000000000000000000001")})
    )
    assert pd.notna(rows["ListCost"]).all()
