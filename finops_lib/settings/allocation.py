"""Allocation: which layer a charge belongs to, who gets which part, and what environments may cost."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, field_validator, model_validator

from finops_lib.errors import nearest
from finops_lib.schema import CHARGES, DIMENSIONS, names
from finops_lib.settings.base import Model, Share, dimension_keys

Layer = Literal[
    "model",
    "application logic",
    "retrieval",
    "infrastructure",
    "evaluation",
    "safety and compliance",
    "observability",
    "human review",
    "enablement",
]
Mode = Literal["showback", "chargeback"]


def _refuse_unknown(value: str, known: Sequence[str], kind: str) -> None:
    if value not in known:
        raise ValueError("; ".join(filter(None, (f"'{value}' is no {kind}", nearest(value, known)))))


def _known_columns(value: dict[str, str]) -> dict[str, str]:
    known = list(dict.fromkeys([*names(CHARGES), *names(DIMENSIONS)]))
    for key in value:
        if not key.startswith("tags."):
            _refuse_unknown(key, known, "column of a charge")
    return value


Match = Annotated[dict[str, str], AfterValidator(_known_columns)]


class CostLayerRule(Model):
    """Which layer of the full cost the charges it matches belong to."""

    layer: Layer = Field(description="layer of the full cost")
    match: Match = Field({}, description="column or `tags.<key>` of the charge → value or pattern (`*`, `?`)")


DRIVERS = ("requests", "tokens", "cost", "active_users", "retrieval_calls", "storage_gb", "log_gb")
"""Measures that proportional parts may follow; ``column:<name>`` is any other measure of usage or volumes."""

_FOLLOWED = ("proportional", "weighted", "capacity")


class AllocationRule(Model):
    """How the charges it matches are split."""

    name: str = Field(min_length=1, description="name of the rule, unique")
    match: Match = Field({}, description="column or `tags.<key>` of the charge → value or pattern (`*`, `?`)")
    bucket: Literal["direct", "proportional", "overhead"] = Field(description="kind of cost")
    method: Literal["direct", "even", "fixed", "proportional", "weighted", "capacity"] = Field(
        description="how parts are made"
    )
    receiver: str | None = Field(
        None, description="dimension whose values receive parts; without it the page's: team or assistant"
    )
    receivers: list[str] = Field([], description="who may receive parts; without it everyone with a weight")
    weights: dict[str, Annotated[Decimal, Field(ge=0)]] = Field({}, description="for `fixed`: receiver → weight")
    driver: str | None = Field(None, description="for `proportional`, `weighted`, `capacity`: measure the parts follow")
    among: dict[str, str] = Field(
        {}, description="assistant, provider, model, environment → value whose use counts; `same`: as the charge says"
    )
    multipliers: dict[str, Annotated[Decimal, Field(ge=0)]] = Field(
        {}, description="for `weighted`: environment → factor of its use; 1 for those not named"
    )
    used_share: Share | None = Field(
        None, description="for `capacity`: part in use; without it from the capacity table, by the model of `among`"
    )
    idle: Literal["owner", "shared", "unallocated"] = Field(
        "unallocated", description="for `capacity`: who gets the idle part; shared follows use"
    )
    owner: str | None = Field(None, description="for `capacity`: owner of the idle part; else whom the charge names")

    @field_validator("receiver")
    @classmethod
    def _known_receiver(cls, value: str | None) -> str | None:
        if value is not None:
            _refuse_unknown(value, names(DIMENSIONS), "dimension")
        return value

    @field_validator("driver")
    @classmethod
    def _known_driver(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith("column:"):
            _refuse_unknown(value, DRIVERS, "driver; another measure is written 'column:<name>'")
        return value

    @field_validator("among")
    @classmethod
    def _known_use(cls, value: dict[str, str]) -> dict[str, str]:
        for key in value:
            _refuse_unknown(key, ("assistant", "provider", "model", "environment"), "dimension use is known by")
        return value

    @model_validator(mode="after")
    def _complete(self) -> AllocationRule:
        needed = {"fixed": ("weights",)} | dict.fromkeys(_FOLLOWED, ("driver",))
        taken = {
            "weights": ("fixed",),
            "driver": _FOLLOWED,
            "among": _FOLLOWED,
            "multipliers": ("weighted",),
            "used_share": ("capacity",),
            "owner": ("capacity",),
        }
        for key in needed.get(self.method, ()):
            if not getattr(self, key):
                message = f"method '{self.method}' needs '{key}'"
                raise ValueError(message)
        for key, methods in taken.items():
            if getattr(self, key) and self.method not in methods:
                message = f"'{key}' is for method {' or '.join(methods)}, and the method is '{self.method}'"
                raise ValueError(message)
        return self

    def receiver_in(self, page: str) -> str:
        """Return the dimension that receives parts; names of receivers in the rule itself are teams."""
        named = self.receivers or self.weights or self.owner
        return self.receiver or ("team" if named else page)


def reachable_in_order(rules: list[AllocationRule]) -> list[AllocationRule]:
    """Refuse rules of one name, and rules that an earlier one leaves nothing to match.

    Raises
    ------
    ValueError
        If two rules are in conflict.
    """
    for place, rule in enumerate(rules):
        for earlier in rules[:place]:
            if earlier.name == rule.name:
                message = f"two rules are named '{rule.name}'"
                raise ValueError(message)
            if earlier.match.items() <= rule.match.items():
                message = f"rule '{rule.name}' is never reached: '{earlier.name}' before it matches all that it matches"
                raise ValueError(message)
    return rules


AllocationRules = Annotated[list[AllocationRule], AfterValidator(reachable_in_order)]


class ShowbackSettings(Model):
    """Showback or chargeback, and what readiness for chargeback takes."""

    mode: Mode = Field("showback", description="whether the amounts are charged or shown")
    teams: dict[str, Mode] = Field({}, description="team → mode, where it differs")
    environments: dict[str, Mode] = Field(
        {}, description="environment → mode, where it differs; stands above the team's"
    )
    since: date | None = Field(None, description="first day that teams were shown their cost")
    months_of_showback: int = Field(3, ge=0, description="months of showback before chargeback")
    reconciled_months: int = Field(3, ge=0, description="closed months that tie to the invoice before chargeback")
    stable_within: Share = Field(0.25, description="change of monthly volume that still counts as stable")


class EnvironmentPolicy(Model):
    """What an environment may cost and do."""

    budget: Decimal | None = Field(None, ge=0, description="budget a month")
    models: list[str] = Field([], description="models or patterns (`*`, `?`) it may use; empty: any")
    output_limit: int | None = Field(None, ge=1, description="output tokens a call may have")
    expires: date | None = Field(None, description="last day it is allowed")
    required: list[str] = Field([], description="dimensions that every call must name")

    @field_validator("required")
    @classmethod
    def _known_dimensions(cls, value: list[str]) -> list[str]:
        dimension_keys(dict.fromkeys(value, ""), "required")
        return value
