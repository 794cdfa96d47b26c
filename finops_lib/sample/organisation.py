"""Who and what: the sample company, its teams, accounts, prices and assistants.

Nothing here is real: names are roles, keys and ids are counters, and amounts follow from public list prices.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import numpy as np
import pandas as pd

START = date(2026, 7, 1)
END = date(2026, 11, 1)
"""First day after the sample period."""
DAYS = (END - START).days
SEED = 7

TEAMS: dict[str, tuple[str, str]] = {
    "cx-frontline": ("Customer Experience", "CC-310"),
    "cx-backoffice": ("Customer Experience", "CC-311"),
    "legal-operations": ("Legal", "CC-420"),
    "sales-emea": ("Revenue", "CC-510"),
    "sales-americas": ("Revenue", "CC-511"),
    "it-workplace": ("IT", "CC-610"),
    "people-operations": ("People", "CC-710"),
    "finance-operations": ("Finance", "CC-720"),
    "brand-content": ("Marketing", "CC-810"),
    "platform-engineering": ("Engineering", "CC-910"),
    "product-engineering": ("Engineering", "CC-911"),
}
"""Team → department, cost center."""

ACCOUNTS = {
    "litellm": "proj_ai_gateway",
    "langfuse": "proj_sales_research",
    "otlp": "proj_engineering",
    "bedrock": "111122223333",
    "mapped": "proj_search",
    "openai_usage": "proj_experiments",
}
"""Source → account or project its calls are billed to, at every provider it uses."""

INVOICE_ISSUERS = {
    "openai": ("OpenAI", "OpenAI API"),
    "anthropic": ("Anthropic", "Claude API"),
    "google": ("Google Cloud", "Gemini API"),
    "aws.bedrock": ("Amazon Web Services", "Amazon Bedrock"),
    "mistral": ("Mistral AI", "Mistral API"),
    "voyageai": ("Voyage AI", "Voyage API"),
}
"""Provider → who sends the invoice, name of the service on it."""

CUSTOMERS = tuple(f"customer-{number:02d}" for number in range(1, 13))

_PRICES = """
openai      | gpt-5.4-mini           | 2026-07-01 |      0 | 0.75  | 0.075  |       |    | 4.5
openai      | gpt-5.4                | 2026-07-01 |      0 | 2.5   | 0.25   |       |    | 15
openai      | gpt-5-mini             | 2026-07-01 |      0 | 0.25  | 0.025  |       |    | 2
openai      | gpt-5.6-terra          | 2026-07-01 |      0 | 2.5   | 0.25   |       |    | 15
openai      | gpt-5.6-terra          | 2026-07-30 |      0 | 2     | 0.2    |       |    | 12
openai      | gpt-5.6-sol            | 2026-07-01 |      0 | 5     | 0.5    |       |    | 30
openai      | gpt-5.6-sol            | 2026-08-21 |      0 | 4     | 0.4    |       |    | 20
openai      | gpt-5.6-sol            | 2026-07-01 | 272000 | 10    | 1      |       |    | 45
openai      | gpt-5.6-sol            | 2026-08-21 | 272000 | 8     | 0.8    |       |    | 30
openai      | text-embedding-3-small | 2026-07-01 |      0 | 0.02  |        |       |    |
anthropic   | claude-sonnet-5        | 2026-07-01 |      0 | 2     | 0.2    | 2.5   | 4  | 10
anthropic   | claude-haiku-4-5       | 2026-07-01 |      0 | 1     | 0.1    | 1.25  | 2  | 5
anthropic   | claude-opus-5          | 2026-07-01 |      0 | 5     | 0.5    | 6.25  | 10 | 25
google      | gemini-2.5-pro         | 2026-07-01 |      0 | 1.25  | 0.125  |       |    | 10
google      | gemini-2.5-pro         | 2026-07-01 | 200000 | 2.5   | 0.25   |       |    | 15
google      | gemini-2.5-flash       | 2026-07-01 |      0 | 0.3   | 0.03   |       |    | 2.5
aws.bedrock | global.anthropic.claude-haiku-4-5-20251001-v1:0 | 2026-07-01 | 0 | 1 | 0.1 | 1.25 | 2 | 5
aws.bedrock | global.openai.gpt-5.6-sol | 2026-07-01 |      0 | 5   | 0.5    |       |    | 30
aws.bedrock | global.openai.gpt-5.6-sol | 2026-08-21 |      0 | 4   | 0.4    |       |    | 20
aws.bedrock | global.openai.gpt-5.6-sol | 2026-07-01 | 272000 | 10  | 1      |       |    | 45
aws.bedrock | global.openai.gpt-5.6-sol | 2026-08-21 | 272000 | 8   | 0.8    |       |    | 30
aws.bedrock | amazon.nova-pro-v1:0   | 2026-07-01 |      0 | 0.8   | 0.2    |       |    | 3.2
mistral     | codestral-2508         | 2026-07-01 |      0 | 0.3   | 0.03   |       |    | 0.9
mistral     | mistral-medium-3-5     | 2026-07-01 |      0 | 1.5   | 0.15   |       |    | 7.5
voyageai    | rerank-2.5             | 2026-07-01 |      0 | 0.05  |        |       |    |
voyageai    | rerank-2.5             | 2026-10-01 |      0 | 0.04  |        |       |    |
"""
"""Invoice prices, USD per million tokens: public list prices as in genai-prices 0.2.3, but for rerank-2.5, whose
price is the sample company's own (as in parameters/organisation.yaml)."""

PRICE_CLASSES = ("uncached_input", "cache_read", "cache_write_5m", "cache_write_1h", "output")
UNPRICED_MODEL = "cx-intent-ft-3"
PROVISIONED_MODEL = "amazon.nova-pro-v1:0"
PROVISIONED_FROM = date(2026, 9, 1)
BATCH_FACTOR = Decimal("0.5")
DISCOUNT = ("anthropic", date(2026, 9, 1), Decimal("0.08"))
"""Negotiated: provider, first day, share off the list price."""


@dataclass(frozen=True)
class Price:
    """Unit prices of one model, from a day on, for inputs above a size."""

    provider: str
    model: str
    effective_from: date
    above: int
    usd_per_million: dict[str, Decimal]


def _parse_prices() -> tuple[Price, ...]:
    prices = []
    for line in _PRICES.strip().splitlines():
        provider, model, start, above, *amounts = (part.strip() for part in line.split("|"))
        given = {name: Decimal(text) for name, text in zip(PRICE_CLASSES, amounts, strict=True) if text}
        prices.append(Price(provider, model, date.fromisoformat(start), int(above), given))
    return tuple(prices)


PRICES = _parse_prices()
PROVIDERS = {price.model: price.provider for price in PRICES} | {UNPRICED_MODEL: "hosted_vllm"}
"""Model → provider."""


def price_index(calls: pd.DataFrame) -> np.ndarray:
    """Give each call the position of its price in ``PRICES``.

    Parameters
    ----------
    calls : DataFrame
        One row per call with ``model``, ``day`` (days since ``START``) and the input token classes.

    Returns
    -------
    ndarray of int
        Position in ``PRICES``; -1 where the model has no price.
    """
    found = np.full(len(calls), -1)
    models, days = calls["model"].to_numpy(dtype=object), calls["day"].to_numpy()
    tokens = calls[["uncached_input", "cache_read", "cache_write_5m", "cache_write_1h"]].to_numpy().sum(axis=1)
    # Ascending tiers and dates: the last price that fits wins.
    order = sorted(range(len(PRICES)), key=lambda i: (PRICES[i].above, PRICES[i].effective_from))
    for position in order:
        price = PRICES[position]
        since = (price.effective_from - START).days
        above = tokens > price.above if price.above else True
        found[(models == price.model) & (days >= since) & above] = position
    return found


def pico_dollars(calls: pd.DataFrame) -> np.ndarray:
    """Price calls at list prices, exactly, in 10⁻¹² USD.

    Parameters
    ----------
    calls : DataFrame
        One row per call with model, day and token classes.

    Returns
    -------
    ndarray of int64
        Cost of each call; 0 for gateway cache hits and for models without a price.
    """
    index = price_index(calls)
    cost = np.zeros(len(calls), dtype=np.int64)
    for name in PRICE_CLASSES:
        per_token = np.array([int(p.usd_per_million.get(name, Decimal(0)) * 10**6) for p in PRICES] + [0])
        tokens = calls["visible_output"] + calls["reasoning"] if name == "output" else calls[name]
        cost += per_token[index] * tokens.to_numpy()
    cost[calls["cache_hit"].to_numpy()] = 0
    return cost


def day_number(day: date) -> int:
    """Count days since the first day of the sample.

    Parameters
    ----------
    day : date
        Any day.

    Returns
    -------
    int
        0 for ``START``.

    Examples
    --------
    >>> from datetime import date
    >>> day_number(date(2026, 8, 1))
    31
    """
    return (day - START).days
