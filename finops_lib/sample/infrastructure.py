"""Infrastructure: the costs around the models, shared and direct, as lines of a FOCUS bill."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from finops_lib.sample.bills import charge

MONTHS = ("2026-07", "2026-08", "2026-09", "2026-10")

_SERVICES = {
    "Vector database": ("Sample Vector Store", "Databases", "NoSQL Databases"),
    "Container hosting": ("Sample Cloud Hosting", "Compute", "Containers"),
    "GPU hosting": ("Sample GPU Hosting", "Compute", "Virtual Machines"),
    "Logs and traces": ("Sample Observability", "Management and Governance", "Observability"),
    "Scanning and review": ("Sample Security", "Security", "Threat Detection and Response"),
    "Evaluation platform": ("Sample Evaluation", "Developer Tools", "Developer Platforms"),
}
"""Service → issuer, FOCUS category and subcategory."""

_LINES = """
Vector database     | GB-Hours | 74400 | 0.0031 | 0.05 | vector-production    | scope=shared
Vector database     | GB-Hours | 9300  | 0.0031 | 0    | vector-staging       | scope=shared environment=staging
Container hosting   | Hours    | 1488  | 0.118  | 0    | support-copilot      | assistant team=cx-frontline
Container hosting   | Hours    | 744   | 0.118  | 0    | knowledge-bot        | assistant team=it-workplace
Container hosting   | Hours    | 744   | 0.118  | 0    | contract-extraction  | assistant team=legal-operations
Container hosting   | Hours    | 372   | 0.118  | 0.04 | sales-research-agent | assistant team=sales-emea
Container hosting   | Hours    | 744   | 0.118  | 0    | staging-cluster      | environment=staging
Container hosting   | Hours    | 744   | 0.236  | 0    | ai-gateway           | scope=shared
GPU hosting         | Hours    | 744   | 0.42   | 0    | intent-model         | assistant=support-copilot
Logs and traces     | GB       | 310   | 0.55   | 0.09 | traces               | scope=shared
Scanning and review | Hours    | 744   | 0.21   | 0    | ai-controls          | scope=overhead
Evaluation platform | Hours    | 744   | 0.16   | 0    | evaluation           | scope=shared
"""
"""Service | unit | quantity of July | price | growth a month | resource | tags."""

_SEATS = (
    (
        "Sample Coding Tools",
        "Coding assistant seats",
        "Developer Tools",
        "Developer Platforms",
        64,
        "19.00",
        {"team": "product-engineering", "product": "coding-assistant-ide"},
    ),
    (
        "Sample Office Suite",
        "Chat workspace seats",
        "Business Applications",
        "Productivity and Collaboration",
        40,
        "25.00",
        {"team": "it-workplace", "product": "chat-workspace"},
    ),
)
_SHADOW_SUBSCRIPTION = (
    "Sample Meeting Notes",
    "AI meeting notes",
    "Business Applications",
    "Productivity and Collaboration",
    8,
    "12.00",
    {},
)


def infrastructure_lines() -> Iterator[dict[str, Any]]:
    """Write the infrastructure bill of every month.

    Yields
    ------
    dict
        A FOCUS line: usage by hour or gigabyte with shared, direct and overhead tags; seats as purchases; from
        September on a subscription that nobody registered (plant P31).
    """
    for number, month in enumerate(MONTHS):
        for text in _LINES.strip().splitlines():
            yield _usage(month, number, [part.strip() for part in text.split("|")])
        for seat in _SEATS:
            yield _subscription(month, *seat)
        if month >= "2026-09":
            yield _subscription(month, *_SHADOW_SUBSCRIPTION)


def _usage(month: str, number: int, parts: list[str]) -> dict[str, Any]:
    service, unit, first, rate, growth, resource, text = parts
    issuer, category, subcategory = _SERVICES[service]
    price = Decimal(rate)
    quantity = (Decimal(first) * (1 + Decimal(growth) * number)).quantize(Decimal("0.001"))
    identifier = f"{resource}-{unit.lower()}"
    return charge(
        month,
        issuer,
        ServiceName=service,
        ServiceCategory=category,
        ServiceSubcategory=subcategory,
        ChargeDescription=f"{service}: {resource}",
        PricingCategory="Standard",
        PricingQuantity=quantity,
        PricingUnit=unit,
        ConsumedQuantity=quantity,
        ConsumedUnit=unit,
        ListUnitPrice=price,
        ContractedUnitPrice=price,
        BilledCost=quantity * price,
        ResourceId=resource,
        ResourceName=resource,
        ResourceType="Service",
        SkuId=identifier,
        SkuPriceId=f"{identifier}-standard",
        SkuMeter=f"{service} {unit}",
        Tags=json.dumps(_tags(text, resource)),
    )


def _tags(text: str, resource: str) -> dict[str, str]:
    """Read ``key=value`` tags; a bare ``assistant`` is the resource itself, in production."""
    tags = dict(part.partition("=")[::2] for part in text.split())
    if "assistant" in tags:
        tags = tags | {"assistant": tags["assistant"] or resource, "environment": "production"}
    return tags


def _subscription(
    month: str, issuer: str, service: str, category: str, subcategory: str, seats: int, price: str, tags: dict[str, str]
) -> dict[str, Any]:
    quantity, rate = Decimal(seats), Decimal(price)
    identifier = service.lower().replace(" ", "-")
    return charge(
        month,
        issuer,
        ChargeCategory="Purchase",
        ChargeFrequency="Recurring",
        ServiceName=service,
        ServiceCategory=category,
        ServiceSubcategory=subcategory,
        ChargeDescription=f"{service}, one month",
        PricingCategory="Standard",
        PricingQuantity=quantity,
        PricingUnit="Seats",
        ListUnitPrice=rate,
        ContractedUnitPrice=rate,
        BilledCost=quantity * rate,
        SkuId=identifier,
        SkuPriceId=f"{identifier}-monthly",
        SkuMeter="Seats",
        Tags=json.dumps(tags) if tags else "",
    )
