"""FOCUS: bills in the open cost and usage format, versions 1.0 to 1.4, and the invoice detail of 1.4.

The version is told by the columns: up to 1.2 ``ProviderName`` names who provides the service, from 1.3 on
``ServiceProviderName`` and ``HostProviderName``. Labels of model and token class stand in ``SkuPriceDetails``.

References
----------
FOCUS specification 1.0 to 1.4, Cost and Usage; 1.4, Invoice Detail.
"""

from __future__ import annotations

from finops_lib.ingest.readers.bill import GIVEN, BillReader

_OLDER = {
    "charge_id": ("x_ChargeId",),
    "service_provider_name": ("ProviderName", "PublisherName", "Provider"),
    "invoice_issuer_name": ("InvoiceIssuer",),
}
"""Columns whose value earlier versions, or other names, may hold."""

_UNUSED = """
AllocatedMethodDetails AllocatedMethodId AllocatedResourceId AllocatedResourceName AllocatedTags AvailabilityZone
BillingAccountType CapacityReservationId CapacityReservationStatus CommitmentDiscountCategory CommitmentDiscountId
CommitmentDiscountName CommitmentDiscountQuantity CommitmentDiscountStatus CommitmentDiscountType
CommitmentDiscountUnit CommitmentProgramEligibilityDetails ConsumerId ContractApplied
PricingCurrencyContractedUnitPrice PricingCurrencyEffectiveCost PricingCurrencyListUnitPrice PrincipalId RegionName
InvoiceDetailCreated InvoiceDetailGrain InvoiceDetailLastUpdated PaymentCurrency PaymentCurrencyBilledCost
PaymentCurrencyInvoiceDetailId PaymentTerms PurchaseOrderNumber ReferenceInvoiceId ChargeType Region
"""
_DERIVED = {"provider", "model", "token_class", "service_tier", "assistant", "workflow", "team", "cost_center"} | {
    "project_code",
    "environment",
}


def _pascal(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))


def _reader(name: str, table: str, signature: tuple[frozenset[str], ...]) -> BillReader:
    sources = {column: (_pascal(column), *_OLDER.get(column, ())) for column in GIVEN[table] if column not in _DERIVED}
    fields = {given: "VARCHAR" for listed in sources.values() for given in listed}
    return BillReader(
        name=name,
        table=table,
        fields=fields,
        select={
            column: "coalesce(" + ", ".join(f'filled("{given}")' for given in listed) + ")"
            if len(listed) > 1
            else f'"{listed[0]}"'
            for column, listed in sources.items()
        },
        signature=signature,
        known=frozenset(fields) | frozenset(_UNUSED.split()),
    )


READER = _reader(
    "focus", "charges", (frozenset({"BilledCost", "ChargeCategory", "ChargePeriodStart", "BillingCurrency"}),)
)
INVOICE_READER = _reader(
    "focus-invoice", "invoice_details", (frozenset({"InvoiceDetailId", "InvoiceIssueStatus", "BilledCost"}),)
)
