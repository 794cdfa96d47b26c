"""What is read, who owns it, and what it costs by contract."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from finops_lib.settings.base import CaptureLayer, Dimensions, Model, dimension_keys


class Owners(Model):
    """Who answers for something; roles, not people."""

    business: str | None = Field(None, description="role that answers for the money")
    technical: str | None = Field(None, description="role that answers for the running of it")


class Team(Model):
    """Where a team stands in the organisation."""

    department: str | None = Field(None, description="department of the team")
    cost_center: str | None = Field(None, description="cost center that pays")
    owners: Owners = Field(Owners(), description="owners of the team's spend")


class Source(Model):
    """One export to read."""

    path: str = Field(description="file, folder, glob or database URL; relative to the project folder")
    format: str = Field("auto", description="format name as in `finops ingest --format`")
    table: str = Field("requests", description="table the rows belong to")
    mapping: str | None = Field(None, description="YAML of column names, for format `mapped`")
    account: str | None = Field(None, description="provider account all its calls are billed to")
    layer: CaptureLayer | None = Field(None, description="capture layer, where the format's own is wrong")
    defaults: Dimensions = Field({}, description="dimension values for rows that carry none")


PRICE_SCOPES = ("team", "api_key", "assistant")
"""Whose calls alone a price may hold for."""


class PriceOverride(Model):
    """A negotiated rate, discount, markup or free model, scoped and dated."""

    kind: Literal["absolute", "discount", "multiplier", "markup", "provisioned", "free"] = Field(
        description="what it does: `absolute` sets prices; `discount` takes a share off; `multiplier` scales; "
        "`markup` adds a share to what consumers are billed; `provisioned` is capacity paid by the hour; "
        "`free` costs nothing (self-hosted)"
    )
    provider: str = Field("*", description="provider name or pattern")
    model: str = Field("*", description="model name or pattern")
    api_key: str | None = Field(None, description="only calls with this virtual key")
    team: str | None = Field(None, description="only calls of this team")
    assistant: str | None = Field(None, description="only calls of this assistant")
    service_tier: str | None = Field(None, description="only calls in this tier: standard, batch, flex, priority")
    prices: dict[str, Decimal] = Field(
        {}, description="for `absolute`: USD per million tokens by token class (web_search: USD per search)"
    )
    share: Decimal | None = Field(None, description="for `discount` and `markup`: 0.10 is ten percent")
    factor: Decimal | None = Field(None, description="for `multiplier`: 0.5 halves the price")
    units: Decimal | None = Field(None, description="for `provisioned`: capacity units")
    unit_price: Decimal | None = Field(None, description="for `provisioned`: USD per unit and hour")
    effective_from: date | None = Field(None, description="first day it holds (UTC)")
    effective_to: date | None = Field(None, description="first day it no longer holds (UTC)")
    reference: str = Field("", description="contract or note it rests on")

    @model_validator(mode="after")
    def _complete(self) -> PriceOverride:
        needs = {
            "absolute": ("prices",),
            "discount": ("share",),
            "markup": ("share",),
            "multiplier": ("factor",),
            "provisioned": ("units", "unit_price"),
            "free": (),
        }[self.kind]
        missing = [name for name in needs if getattr(self, name) in (None, {})]
        if missing:
            message = f"an override of kind '{self.kind}' needs {' and '.join(missing)}"
            raise ValueError(message)
        if self.kind == "discount" and self.share is not None and not 0 <= self.share <= 1:
            message = f"a discount is a share between 0 and 1, found {self.share}"
            raise ValueError(message)
        numbers = [*self.prices.values(), self.share, self.factor, self.units, self.unit_price]
        if any(number is not None and number < 0 for number in numbers):
            message = "a price, share, factor or unit count is never negative"
            raise ValueError(message)
        if self.effective_from and self.effective_to and self.effective_from >= self.effective_to:
            message = f"it ends on {self.effective_to}, before it begins on {self.effective_from}"
            raise ValueError(message)
        return self


class Attribution(Model):
    """How calls are given to teams and workflows when their columns do not say so."""

    tags: dict[str, str] = Field({}, description="tag or metadata key → dimension it names")
    weights: dict[str, dict[str, Annotated[int, Field(ge=1)]]] = Field(
        {}, description="dimension → value → weight, for calls tagged with several values (default: equal)"
    )

    @field_validator("tags")
    @classmethod
    def _known_targets(cls, value: dict[str, str]) -> dict[str, str]:
        dimension_keys(dict.fromkeys(value.values(), ""), "attribution.tags", extra=("user_id", "task_id"))
        return value

    @field_validator("weights")
    @classmethod
    def _known_shared(cls, value: dict[str, dict[str, int]]) -> dict[str, dict[str, int]]:
        dimension_keys(dict.fromkeys(value, ""), "attribution.weights")
        return value
