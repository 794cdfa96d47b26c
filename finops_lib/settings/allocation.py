"""Allocation: which layer a charge belongs to, who gets which part, and what environments may cost."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Literal

from pydantic import Field

from finops_lib.settings.base import Model, Share


class CostLayerRule(Model):
    """Which layer of the full cost the charges it matches belong to."""

    layer: str = Field(description="layer of the full cost")
    match: dict[str, str] = Field({}, description="column or `tags.<key>` of the charge → value or pattern")


class AllocationRule(Model):
    """How the charges it matches are split."""

    name: str = Field(description="name of the rule, unique")
    match: dict[str, str] = Field({}, description="column or `tags.<key>` of the charge → value or pattern")
    bucket: Literal["direct", "proportional", "overhead"] = Field(description="kind of cost")
    method: Literal["direct", "even", "fixed", "proportional", "weighted", "capacity"] = Field(
        description="how parts are made"
    )
    receiver: str = Field("team", description="dimension whose values receive parts")


class ShowbackSettings(Model):
    """Showback or chargeback, and what readiness for chargeback takes."""

    mode: Literal["showback", "chargeback"] = Field("showback", description="whether the amounts are charged or shown")
    stable_within: Share = Field(0.25, description="change of monthly volume that still counts as stable")


class EnvironmentPolicy(Model):
    """What an environment may cost and do."""

    budget: Decimal | None = Field(None, ge=0, description="budget a month")
    expires: date | None = Field(None, description="first day it is no longer allowed")
