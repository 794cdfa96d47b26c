"""FOCUS: the columns of the Cost and Usage dataset, version by version, and the kit's own columns beside them."""

from __future__ import annotations

from dataclasses import dataclass

from finops_lib.errors import SchemaError

FOCUS_VERSIONS = ("1.2", "1.4")

SERVICE_CATEGORIES = (
    *("AI and Machine Learning", "Analytics", "Business Applications", "Compute", "Databases", "Developer Tools"),
    *("Multicloud", "Identity", "Integration", "Internet of Things", "Management and Governance", "Media"),
    *("Migration", "Mobile", "Networking", "Security", "Storage", "Web", "Other"),
)
ALLOWED_VALUES: dict[str, tuple[str, ...]] = {
    "CapacityReservationStatus": ("Used", "Unused"),
    "ChargeCategory": ("Usage", "Purchase", "Tax", "Credit", "Adjustment"),
    "ChargeClass": ("Correction",),
    "ChargeFrequency": ("One-Time", "Recurring", "Usage-Based"),
    "CommitmentDiscountCategory": ("Spend", "Usage"),
    "CommitmentDiscountStatus": ("Used", "Unused"),
    "PricingCategory": ("Standard", "Dynamic", "Committed", "Other"),
    "ServiceCategory": SERVICE_CATEGORIES,
}
SKU_PRICE_DETAILS = (
    *("CoreCount", "DiskMaxIops", "DiskSpace", "DiskType", "GpuCount", "InstanceType", "InstanceSeries"),
    *("MemorySize", "NetworkMaxIops", "NetworkMaxThroughput", "OperatingSystem", "Redundancy", "StorageClass"),
)
"""Properties a SKU may have without the prefix of custom ones."""

SUMMED_METRICS = ("BilledCost", "EffectiveCost", "ListCost", "ContractedCost", "PricingQuantity", "ConsumedQuantity")
"""Metrics whose split parts sum to the charge they came from."""


@dataclass(frozen=True)
class FocusColumn:
    """One column of a FOCUS dataset.

    Parameters
    ----------
    name : str
        Column ID.
    kind : str
        String, Unit, Decimal, Price (a decimal that is not negative), DateTime, KeyValue or Object (JSON).
    required : bool
        Whether it may not be null.
    """

    name: str
    kind: str
    required: bool = False


_COLUMNS = """
AllocatedMethodDetails | Object | 1.4
AllocatedMethodId | String | 1.4
AllocatedResourceId | String | 1.4
AllocatedResourceName | String | 1.4
AllocatedTags | KeyValue | 1.4
AvailabilityZone | String | 1.2 1.4
!BilledCost | Decimal | 1.2 1.4
!BillingAccountId | String | 1.2 1.4
BillingAccountName | String | 1.2 1.4
!BillingAccountType | String | 1.2 1.4
!BillingCurrency | String | 1.2 1.4
!BillingPeriodEnd | DateTime | 1.2 1.4
!BillingPeriodStart | DateTime | 1.2 1.4
CapacityReservationId | String | 1.2 1.4
CapacityReservationStatus | String | 1.2 1.4
!ChargeCategory | String | 1.2 1.4
ChargeClass | String | 1.2 1.4
ChargeDescription | String | 1.2 1.4
!ChargeFrequency | String | 1.2 1.4
!ChargePeriodEnd | DateTime | 1.2 1.4
!ChargePeriodStart | DateTime | 1.2 1.4
CommitmentDiscountCategory | String | 1.2 1.4
CommitmentDiscountId | String | 1.2 1.4
CommitmentDiscountName | String | 1.2 1.4
CommitmentDiscountQuantity | Decimal | 1.2 1.4
CommitmentDiscountStatus | String | 1.2 1.4
CommitmentDiscountType | String | 1.2 1.4
CommitmentDiscountUnit | Unit | 1.2 1.4
CommitmentProgramEligibilityDetails | Object | 1.4
ConsumedQuantity | Decimal | 1.2 1.4
ConsumedUnit | Unit | 1.2 1.4
ContractApplied | Object | 1.4
!ContractedCost | Decimal | 1.2 1.4
ContractedUnitPrice | Price | 1.2 1.4
!EffectiveCost | Decimal | 1.2 1.4
HostProviderName | String | 1.4
InvoiceDetailId | String | 1.4
InvoiceId | String | 1.2 1.4
!InvoiceIssuerName | String | 1.2 1.4
!ListCost | Decimal | 1.2 1.4
ListUnitPrice | Price | 1.2 1.4
PricingCategory | String | 1.2 1.4
!PricingCurrency | String | 1.2 1.4
PricingCurrencyContractedUnitPrice | Price | 1.2 1.4
!PricingCurrencyEffectiveCost | Decimal | 1.2 1.4
PricingCurrencyListUnitPrice | Price | 1.2 1.4
PricingQuantity | Decimal | 1.2 1.4
PricingUnit | Unit | 1.2 1.4
!ProviderName | String | 1.2
!PublisherName | String | 1.2
RegionId | String | 1.2 1.4
RegionName | String | 1.2 1.4
ResourceId | String | 1.2 1.4
ResourceName | String | 1.2 1.4
ResourceType | String | 1.2 1.4
!ServiceCategory | String | 1.2 1.4
!ServiceName | String | 1.2 1.4
!ServiceProviderName | String | 1.4
!ServiceSubcategory | String | 1.2 1.4
SkuId | String | 1.2 1.4
SkuMeter | String | 1.2 1.4
SkuPriceDetails | KeyValue | 1.2 1.4
SkuPriceId | String | 1.2 1.4
SubAccountId | String | 1.2 1.4
SubAccountName | String | 1.2 1.4
SubAccountType | String | 1.2 1.4
Tags | KeyValue | 1.2 1.4
"""
_OWN = (
    FocusColumn("x_ChargeId", "String"),
    FocusColumn("x_ChargeSource", "String"),
    FocusColumn("x_SplitOriginId", "String"),
    FocusColumn("x_SplitOriginCost", "Decimal"),
    *(FocusColumn(f"x_SplitOrigin{name}", "Decimal") for name in SUMMED_METRICS[1:]),
)


def split_name(name: str, version: str) -> str:
    """Name a column of the split cost allocation: native since FOCUS 1.3, custom before.

    Parameters
    ----------
    name : str
        Column ID, e.g. ``AllocatedTags``.
    version : str
        FOCUS version.

    Returns
    -------
    str
        The name in that version.

    Examples
    --------
    >>> split_name("AllocatedTags", "1.2")
    'x_AllocatedTags'
    """
    return f"x_{name}" if version == "1.2" else name


def focus_columns(version: str) -> tuple[FocusColumn, ...]:
    """List the columns of a Cost and Usage file: those of the specification, then the kit's own.

    Parameters
    ----------
    version : {"1.2", "1.4"}
        FOCUS version.

    Returns
    -------
    tuple of FocusColumn
        Columns of the specification in alphabetical order, then ``x_`` columns.

    Raises
    ------
    SchemaError
        If the version is not written here.

    References
    ----------
    FOCUS 1.2 and 1.4, Cost and Usage; the names ``x_SplitOriginId`` and ``x_SplitOriginCost`` are those
    that focus-data-toolkit reads.

    Examples
    --------
    >>> sum(not column.name.startswith("x_") for column in focus_columns("1.4"))
    65
    """
    if version not in FOCUS_VERSIONS:
        message = f"FOCUS version '{version}' is not written"
        raise SchemaError(message, hint=f"known versions: {', '.join(FOCUS_VERSIONS)}")
    found, splits = [], []
    for line in _COLUMNS.strip().splitlines():
        name, kind, versions = (part.strip() for part in line.split("|"))
        column = FocusColumn(name.lstrip("!"), kind, name.startswith("!"))
        if version in versions.split():
            found.append(column)
        elif name.startswith("Allocated"):
            splits.append(FocusColumn(split_name(name, version), kind))
    return (*found, *_OWN, *splits)
