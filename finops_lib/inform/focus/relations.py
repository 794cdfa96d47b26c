"""FOCUS relations: cells of a row that must fit each other, and rows that must fit together."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal, localcontext

import pandas as pd

from finops_lib.inform.focus.cells import FocusTable, findings_where
from finops_lib.inform.focus.terms import PRICED

_DIGITS = 120
_PRODUCTS = (("ListCost", "ListUnitPrice"), ("ContractedCost", "ContractedUnitPrice"))
_PRICING = (
    "ListUnitPrice",
    "ContractedUnitPrice",
    "PricingQuantity",
    "PricingUnit",
    "PricingCategory",
    "SkuId",
    "SkuPriceId",
)
_TOGETHER = (
    *(("PricingQuantity", "PricingUnit"), ("ConsumedQuantity", "ConsumedUnit"), ("SubAccountId", "SubAccountName")),
    *(("SubAccountId", "SubAccountType"), ("ResourceId", "ResourceType"), ("RegionId", "RegionName")),
)
_ONE_OF = (("ServiceName", "ServiceCategory"), ("ServiceName", "ServiceSubcategory"), ("SkuPriceId", "SkuId"))


def row_findings(table: FocusTable) -> Iterator[pd.DataFrame]:
    """Check what the cells of one row say of each other.

    Parameters
    ----------
    table : FocusTable
        The file.

    Yields
    ------
    DataFrame
        Findings: products, periods, what a charge category asks for and forbids, parties.

    References
    ----------
    FOCUS 1.2 and 1.4: ListCost, ContractedCost, BilledCost (third parties), nullability of the pricing columns.
    """
    category, corrected = table.column("ChargeCategory"), table.column("ChargeClass") == "Correction"
    yield from _product_findings(table, ~corrected)
    for period in ("BillingPeriod", "ChargePeriod"):
        start, end = table.column(f"{period}Start"), table.column(f"{period}End")
        backwards = start.notna() & end.notna() & (start.fillna("") >= end.fillna(""))
        yield findings_where("period_order", f"{period}End", backwards, end, "after " + start)
    for name in [name for name in _PRICING if name in table.text]:
        cell = table.column(name)
        asked = category.isin(PRICED) & ~corrected & cell.isna()
        yield findings_where("pricing_missing", name, asked, cell, "a value: it is usage or a purchase")
        yield findings_where("pricing_of_tax", name, (category == "Tax") & cell.notna(), cell, "nothing: it is tax")
    consumed = table.column("ConsumedQuantity")
    yield findings_where(
        "consumed_without_usage", "ConsumedQuantity", (category != "Usage") & consumed.notna(), consumed, "nothing"
    )
    for one, other in _TOGETHER:
        first, second = table.column(one), table.column(other)
        apart = first.isna() != second.isna()
        if one in table.text and other in table.text:
            yield findings_where("together", other, apart, second, f"a value where {one} has one, and only there")
    frequency = table.column("ChargeFrequency")
    repeated = (category == "Purchase") & (frequency == "Usage-Based")
    yield findings_where("purchase_frequency", "ChargeFrequency", repeated, frequency, "One-Time or Recurring")
    yield from _party_findings(table)


def table_findings(table: FocusTable, invoices: pd.DataFrame | None = None) -> Iterator[pd.DataFrame]:
    """Check what the rows together must come to.

    Parameters
    ----------
    table : FocusTable
        The file.
    invoices : DataFrame, optional
        Lines of the invoices, ``schema.CHARGES`` or ``schema.INVOICE_DETAILS``: their amounts per invoice are
        those the file must come to.

    Yields
    ------
    DataFrame
        Findings: one category a service, one SKU a price, prepaid cover counted once, invoice totals.
    """
    for key, value in _ONE_OF:
        many = table.column(value).groupby(table.column(key)).transform("nunique") > 1
        yield findings_where("one_to_one", value, many, table.column(value), f"one {value} for each {key}")
    committed = (table.column("PricingCategory") == "Committed") & (table.column("ChargeCategory") == "Usage")
    covered = committed & (_zero(table, "BilledCost")) & ~_zero(table, "EffectiveCost")
    service, effective = table.column("ServiceName"), table.column("EffectiveCost")
    twice = (table.column("ChargeCategory") == "Purchase") & service.isin(service[covered])
    counted = twice & ~_zero(table, "EffectiveCost")
    yield findings_where("prepaid_twice", "EffectiveCost", counted, effective, "0: its use carries the cost")
    if invoices is not None:
        yield from _invoice_findings(table, invoices)


def _product_findings(table: FocusTable, checked: pd.Series) -> Iterator[pd.DataFrame]:
    quantity = table.number("PricingQuantity")
    with localcontext(prec=_DIGITS):
        for cost, price in _PRODUCTS:
            frame = pd.DataFrame({"price": table.number(price), "quantity": quantity, "cost": table.number(cost)})
            known = frame.notna().all(axis=1) & checked
            given = frame[known]
            product = given["price"] * given["quantity"]
            wrong = (product != given["cost"]).reindex(frame.index, fill_value=False)
            expected = product.map(lambda value: f"{value.normalize():f}").reindex(frame.index)
            yield findings_where("product", cost, wrong, table.column(cost), expected)


def _party_findings(table: FocusTable) -> Iterator[pd.DataFrame]:
    billed = table.column("BilledCost")
    if table.version == "1.2":
        third = table.column("ProviderName") != table.column("InvoiceIssuerName")
        yield findings_where(
            "third_party", "BilledCost", third & ~_zero(table, "BilledCost"), billed, "0: paid elsewhere"
        )
    same = table.column("PricingCurrency") == table.column("BillingCurrency")
    for name in ("ListUnitPrice", "ContractedUnitPrice", "EffectiveCost"):
        own, priced = table.number(name), table.number(f"PricingCurrency{name}")
        differs = same & own.notna() & priced.notna() & (own != priced)
        yield findings_where("pricing_currency", f"PricingCurrency{name}", differs, priced, own)


def _invoice_findings(table: FocusTable, invoices: pd.DataFrame) -> Iterator[pd.DataFrame]:
    keys = ["invoice_issuer_name", "invoice_id"]
    asked = invoices.dropna(subset=keys)
    payable = asked.groupby(keys)["billing_currency_billed_cost"].sum()
    issuer, invoice = table.column("InvoiceIssuerName"), table.column("InvoiceId")
    with localcontext(prec=_DIGITS):
        billed = table.number("BilledCost").dropna().groupby([issuer, invoice]).sum()
    rows = pd.Series(table.text.index, index=table.text.index).groupby([issuer, invoice]).first()
    for key, amount in payable.items():
        total = billed.get(key, Decimal(0))
        if total != amount:
            told = {"rule": "invoice_total", "column": "BilledCost", "row": rows.get(key, 0), "found": f"{total:f}"}
            yield pd.DataFrame([told | {"expected": f"{amount:f}, the amount of invoice {key[1]} of {key[0]}"}])


def _zero(table: FocusTable, name: str) -> pd.Series:
    return table.number(name).map(lambda value: value is None or value == 0, na_action=None).astype(bool)
