"""Bills: currencies they come in, and how closely the ledger must meet them."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from pydantic import Field

from finops_lib.settings.base import Model, Share


class ExchangeRate(Model):
    """What one unit of a currency is worth in the reporting currency, from a day on."""

    currency: str = Field(pattern="^[A-Z]{3}$", description="currency of the bill (ISO 4217)")
    rate: Decimal = Field(gt=0, description="reporting currency for one unit of it")
    effective_from: date = Field(description="first day the rate holds (UTC)")
    source: str = Field(description="who published the rate")


class ReconciliationSettings(Model):
    """How the ledger is held against the invoices."""

    tolerance: Share = Field(0.05, description="share of the invoice that may stay unexplained")
    tolerances: dict[str, Share] = Field({}, description="provider → tolerance, where it differs")
    issuers: dict[str, str] = Field({}, description="invoice issuer → model provider it stands for")
