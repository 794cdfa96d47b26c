"""Bills: what the providers and the infrastructure cost, in FOCUS 1.2 columns, from the very same calls.

Every model line is exact tokens times price; what does not tie to the logs is planted, see ``plants``.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd

from finops_lib.sample.organisation import (
    ACCOUNTS,
    BATCH_FACTOR,
    DISCOUNT,
    INVOICE_ISSUERS,
    PRICE_CLASSES,
    PRICES,
    PROVISIONED_FROM,
    START,
    price_index,
)

COLUMNS = (
    "BilledCost",
    "BillingAccountId",
    "BillingAccountName",
    "BillingCurrency",
    "BillingPeriodEnd",
    "BillingPeriodStart",
    "ChargeCategory",
    "ChargeClass",
    "ChargeDescription",
    "ChargeFrequency",
    "ChargePeriodEnd",
    "ChargePeriodStart",
    "ConsumedQuantity",
    "ConsumedUnit",
    "ContractedCost",
    "ContractedUnitPrice",
    "EffectiveCost",
    "InvoiceId",
    "InvoiceIssuerName",
    "ListCost",
    "ListUnitPrice",
    "PricingCategory",
    "PricingCurrency",
    "PricingQuantity",
    "PricingUnit",
    "ProviderName",
    "PublisherName",
    "ResourceId",
    "ResourceName",
    "ResourceType",
    "ServiceCategory",
    "ServiceName",
    "ServiceSubcategory",
    "SkuId",
    "SkuMeter",
    "SkuPriceDetails",
    "SkuPriceId",
    "SubAccountId",
    "SubAccountName",
    "SubAccountType",
    "Tags",
)
_MILLION = Decimal(1_000_000)
_METERS = {
    "uncached_input": ("Input Tokens", "Input", "Uncached"),
    "cache_read": ("Cache Read Input Tokens", "Input", "Read"),
    "cache_write_5m": ("Cache Write Input Tokens", "Input", "Write"),
    "cache_write_1h": ("Cache Write Input Tokens, one hour", "Input", "Write"),
    "output": ("Output Tokens", "Output", None),
}
_OUTPUT_AT_LIST = ("2026-09", "claude-sonnet-5", "output")
UNIT_HOUR = Decimal("0.28")
"""USD per unit and hour of provisioned throughput."""
_SHADOW = {"2026-09": 41, "2026-10": 53}


def period(month: str) -> tuple[str, str]:
    """Bound a month as FOCUS does: UTC, its end exclusive.

    Parameters
    ----------
    month : str
        ``YYYY-MM``.

    Returns
    -------
    tuple of str
        Start and end.

    Examples
    --------
    >>> period("2026-10")
    ('2026-10-01T00:00:00Z', '2026-11-01T00:00:00Z')
    """
    start = pd.Timestamp(f"{month}-01")
    return tuple(day.strftime("%Y-%m-%dT00:00:00Z") for day in (start, start + pd.offsets.MonthBegin()))


def charge(month: str, issuer: str, **values: Any) -> dict[str, Any]:
    """Make one bill line; cost columns follow from ``BilledCost`` where not given.

    Parameters
    ----------
    month : str
        ``YYYY-MM``.
    issuer : str
        Who sends the invoice; also provider and publisher.
    **values
        FOCUS columns that differ from those of an ordinary monthly usage line.

    Returns
    -------
    dict
        A value for each of ``COLUMNS``.
    """
    start, end = period(month)
    short = issuer.split()[0].upper()
    line = (
        dict.fromkeys(COLUMNS, "")
        | {
            "BillingAccountId": f"{short}-SAMPLE",
            "BillingAccountName": "Sample Company",
            "BillingCurrency": "USD",
            "BillingPeriodStart": start,
            "BillingPeriodEnd": end,
            "ChargePeriodStart": start,
            "ChargePeriodEnd": end,
            "ChargeCategory": "Usage",
            "ChargeFrequency": "Usage-Based",
            "InvoiceId": f"{short}-{month}",
            "InvoiceIssuerName": issuer,
            "ProviderName": issuer,
            "PublisherName": issuer,
            "PricingCurrency": "USD",
        }
        | values
    )
    for name in ("ContractedCost", "EffectiveCost", "ListCost"):
        line[name] = line["BilledCost"] if line[name] == "" else line[name]
    return line


def priced_quantities(calls: pd.DataFrame) -> pd.DataFrame:
    """Add up the billed tokens by month, account, tier and price.

    Parameters
    ----------
    calls : DataFrame
        All calls, those that no log kept included.

    Returns
    -------
    DataFrame
        One row per month × account × service tier × price (position in ``PRICES``) with tokens by price class;
        without gateway cache hits, provisioned capacity and models that nobody bills by token.
    """
    billed = calls[~calls["cache_hit"] & (calls["service_tier"] != "provisioned")]
    index = price_index(billed)
    billed = billed.assign(
        price=index,
        output=billed["visible_output"] + billed["reasoning"],
        month=pd.to_datetime(billed["start_ms"], unit="ms").dt.strftime("%Y-%m"),
        discounted=(billed["provider"] == DISCOUNT[0]) & (billed["day"] >= (DISCOUNT[1] - START).days),
    )[index >= 0]
    keys = ["month", "provider", "account", "service_tier", "price", "discounted"]
    return billed.groupby(keys, as_index=False)[list(PRICE_CLASSES)].sum()


def model_lines(calls: pd.DataFrame) -> list[dict[str, Any]]:
    """Write the token lines of all provider invoices.

    Parameters
    ----------
    calls : DataFrame
        All calls.

    Returns
    -------
    list of dict
        One line per month, account, model, tier, price period and token class; quantity × price = cost, exactly.
    """
    return [
        _token_line(row, name)
        for row in priced_quantities(calls).itertuples()
        for name in PRICE_CLASSES
        if getattr(row, name)
    ]


def _token_line(row: Any, name: str) -> dict[str, Any]:
    price = PRICES[row.price]
    issuer, service = INVOICE_ISSUERS[row.provider]
    factor = BATCH_FACTOR if row.service_tier == "batch" else Decimal(1)
    listed = price.usd_per_million[name] * factor
    contracted = listed * (1 - DISCOUNT[2]) if row.discounted else listed
    if (row.month, price.model, name) == _OUTPUT_AT_LIST:
        contracted = listed
    quantity = Decimal(int(getattr(row, name))) / _MILLION
    meter, direction, cache = _METERS[name]
    tier = f"-above-{price.above}" if price.above else ""
    details = {"x_ModelId": price.model, "x_TokenDirection": direction, "x_ServiceTier": row.service_tier}
    start, end = _price_period(price, row.month)
    return charge(
        row.month,
        issuer,
        ServiceName=service,
        ServiceCategory="AI and Machine Learning",
        ServiceSubcategory="Generative AI",
        ChargeDescription=f"{meter} for {price.model}{tier}",
        ChargePeriodStart=start,
        ChargePeriodEnd=end,
        ConsumedQuantity=int(getattr(row, name)),
        ConsumedUnit="Tokens",
        PricingQuantity=quantity,
        PricingUnit="1000000 Tokens",
        PricingCategory="Standard",
        ListUnitPrice=listed,
        ContractedUnitPrice=contracted,
        ListCost=quantity * listed,
        ContractedCost=quantity * contracted,
        EffectiveCost=quantity * contracted,
        BilledCost=quantity * contracted,
        SkuId=f"{price.model}-{name}",
        SkuPriceId=f"{price.model}-{name}-{row.service_tier}{tier}",
        SkuMeter=meter,
        SkuPriceDetails=json.dumps(details | ({"x_TokenCacheAction": cache} if cache else {})),
        SubAccountId=row.account,
        SubAccountName=row.account,
        SubAccountType="Project",
    )


def _price_period(price: Any, month: str) -> tuple[str, str]:
    """Cut the month where the price changed."""
    start, end = period(month)
    rivals = [p.effective_from for p in PRICES if (p.model, p.above) == (price.model, price.above)]
    changes = sorted(f"{day.isoformat()}T00:00:00Z" for day in rivals)
    later = [day for day in changes if f"{price.effective_from.isoformat()}T00:00:00Z" < day < end]
    return max(start, f"{price.effective_from.isoformat()}T00:00:00Z"), later[0] if later else end


def extra_lines(month: str, lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Write the planted lines of a month's provider invoices.

    Parameters
    ----------
    month : str
        ``YYYY-MM``.
    lines : list of dict
        The month's token lines.

    Returns
    -------
    list of dict
        Provisioned capacity, guardrail fee and tax (AWS), credit (OpenAI), rounding (Google), shadow use (Mistral).
    """
    aws = {
        "ServiceName": "Amazon Bedrock",
        "ServiceCategory": "AI and Machine Learning",
        "ServiceSubcategory": "Generative AI",
        "SubAccountId": ACCOUNTS["bedrock"],
        "SubAccountName": ACCOUNTS["bedrock"],
        "SubAccountType": "Account",
    }
    units = Decimal(15_900 + 900 * (int(month[-2:]) - 7)) / 1000
    fee = Decimal("0.75")
    extra = [_metered(month, "Amazon Web Services", "Guardrail text units", units, "1000 Units", fee, **aws)]
    if month >= PROVISIONED_FROM.isoformat()[:7]:
        hours = Decimal(pd.Period(month).days_in_month * 24)
        meter = "Provisioned throughput amazon.nova-pro-v1:0"
        extra.append(_metered(month, "Amazon Web Services", meter, hours, "Hours", UNIT_HOUR, **aws))
    own = [line for line in [*lines, *extra] if line["InvoiceIssuerName"] == "Amazon Web Services"]
    tax = (sum(line["BilledCost"] for line in own) * Decimal("0.19")).quantize(Decimal("0.01"))
    extra.append(
        charge(month, "Amazon Web Services", ChargeCategory="Tax", ChargeDescription="VAT 19%", BilledCost=tax, **aws)
    )
    if month == "2026-08":
        extra.append(
            charge(
                month,
                "OpenAI",
                ChargeCategory="Credit",
                ChargeDescription="Service credit",
                ChargeFrequency="One-Time",
                BilledCost=Decimal("-25.00"),
                ServiceName="OpenAI API",
                ServiceCategory="AI and Machine Learning",
                ServiceSubcategory="Generative AI",
            )
        )
    google = sum(line["BilledCost"] for line in lines if line["InvoiceIssuerName"] == "Google Cloud")
    extra.append(
        charge(
            month,
            "Google Cloud",
            ChargeCategory="Adjustment",
            ChargeDescription="Rounding to whole cents",
            BilledCost=google.quantize(Decimal("0.01")) - google,
            ServiceName="Gemini API",
            ServiceCategory="AI and Machine Learning",
            ServiceSubcategory="Generative AI",
        )
    )
    if month in _SHADOW:
        extra.append(
            _metered(
                month,
                "Mistral AI",
                "Tokens for mistral-medium-3-5",
                Decimal(_SHADOW[month]) / Decimal("2.5"),
                "1000000 Tokens",
                Decimal("2.5"),
                ServiceName="Mistral API",
                ServiceCategory="AI and Machine Learning",
                ServiceSubcategory="Generative AI",
                SubAccountId="proj_unknown",
                SubAccountName="proj_unknown",
                SubAccountType="Project",
                SkuPriceDetails=json.dumps({"x_ModelId": "mistral-medium-3-5"}),
            )
        )
    return extra


def _metered(
    month: str, issuer: str, meter: str, quantity: Decimal, unit: str, price: Decimal, **values: Any
) -> dict[str, Any]:
    identifier = meter.lower().replace(" ", "-")
    return charge(
        month,
        issuer,
        ChargeDescription=meter,
        SkuMeter=meter,
        SkuId=identifier,
        SkuPriceId=f"{identifier}-standard",
        PricingCategory="Standard",
        PricingQuantity=quantity,
        PricingUnit=unit,
        ConsumedQuantity=quantity,
        ConsumedUnit=unit,
        ListUnitPrice=price,
        ContractedUnitPrice=price,
        BilledCost=quantity * price,
        **values,
    )


def write_bills(folder: Path, calls: pd.DataFrame, infrastructure: Iterable[dict[str, Any]]) -> None:
    """Write invoices and infrastructure bills, one file each a month.

    Parameters
    ----------
    folder : Path
        Folder of the sample data.
    calls : DataFrame
        All calls.
    infrastructure : iterable of dict
        Lines of the infrastructure bill, of all months.
    """
    lines, others = model_lines(calls), list(infrastructure)
    for month in sorted({line["BillingPeriodStart"][:7] for line in lines}):
        own = [line for line in lines if line["BillingPeriodStart"].startswith(month)]
        own.sort(
            key=lambda line: (
                line["InvoiceIssuerName"],
                line["SubAccountId"],
                line["SkuPriceId"],
                line["ChargePeriodStart"],
            )
        )
        _write_csv(folder / "bills" / f"providers_{month}.csv", [*own, *extra_lines(month, own)])
        of_month = [line for line in others if line["BillingPeriodStart"].startswith(month)]
        _write_csv(folder / "bills" / f"infrastructure_{month}.csv", of_month)


def _write_csv(path: Path, lines: list[dict[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows({name: _text(value) for name, value in line.items()} for line in lines)


def _text(value: Any) -> Any:
    """Write decimals plainly: no exponent, no trailing zeros, always a decimal point."""
    if not isinstance(value, Decimal):
        return value
    text = format(value, "f")
    text = text.rstrip("0") if "." in text else text + ".0"
    return text + "0" if text.endswith(".") else text
