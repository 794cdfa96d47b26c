"""Settings: what parameter files may hold, as typed models that refuse what they do not know."""

from __future__ import annotations

import difflib
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, available_timezones

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from finops_lib.schema import DIMENSIONS

ORGANISATION = "organisation"
CaptureLayer = Literal["gateway", "trace", "provider_log", "provider_usage"]
Share = Annotated[float, Field(ge=0, le=1)]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Owners(_Model):
    """Who answers for something; roles, not people."""

    business: str | None = Field(None, description="role that answers for the money")
    technical: str | None = Field(None, description="role that answers for the running of it")


class Team(_Model):
    """Where a team stands in the organisation."""

    department: str | None = Field(None, description="department of the team")
    cost_center: str | None = Field(None, description="cost center that pays")
    owners: Owners = Field(Owners(), description="owners of the team's spend")


class Source(_Model):
    """One export to read."""

    path: str = Field(description="file, folder, glob or database URL; relative to the project folder")
    format: str = Field("auto", description="format name as in `finops ingest --format`")
    table: str = Field("requests", description="table the rows belong to")
    mapping: str | None = Field(None, description="YAML of column names, for format `mapped`")
    account: str | None = Field(None, description="provider account all its calls are billed to")
    layer: CaptureLayer | None = Field(None, description="capture layer, where the format's own is wrong")
    defaults: dict[str, str] = Field({}, description="dimension values for rows that carry none")

    @field_validator("defaults")
    @classmethod
    def _known_dimensions(cls, value: dict[str, str]) -> dict[str, str]:
        return _dimension_keys(value, "defaults")


class PriceOverride(_Model):
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


class Attribution(_Model):
    """How calls are given to teams and workflows when their columns do not say so."""

    tags: dict[str, str] = Field({}, description="tag or metadata key → dimension it names")
    weights: dict[str, dict[str, Annotated[int, Field(ge=1)]]] = Field(
        {}, description="dimension → value → weight, for calls tagged with several values (default: equal)"
    )

    @field_validator("tags")
    @classmethod
    def _known_targets(cls, value: dict[str, str]) -> dict[str, str]:
        _dimension_keys(dict.fromkeys(value.values(), ""), "attribution.tags", extra=("user_id", "task_id"))
        return value

    @field_validator("weights")
    @classmethod
    def _known_shared(cls, value: dict[str, dict[str, int]]) -> dict[str, dict[str, int]]:
        _dimension_keys(dict.fromkeys(value, ""), "attribution.weights")
        return value


class Settings(_Model):
    """Values any assistant may set; `settings` of an assistant's file."""

    title: str | None = Field(None, description="name readers know it by")
    assistant_class: str | None = Field(
        None, alias="class", description="kind of assistant: support, extraction, research, knowledge, drafting, coding"
    )
    owners: Owners = Field(Owners(), description="owners of the assistant")
    match: list[str] = Field([], description="names the assistant has in exports, beside its own")
    defaults: dict[str, str] = Field({}, description="dimension values for its calls that carry none")
    success: Literal["resolved", "accepted", "completed"] | None = Field(
        None, description="what makes a task successful; without it: resolved, else accepted, else completed"
    )
    window_days: int = Field(7, ge=2, le=60, description="days of the moving averages")
    smallest_group: int = Field(5, ge=1, description="people a user group must have to be shown apart")
    coverage_target: Share = Field(0.95, description="share of spend with team, workflow and cost center")
    quarantine_limit: Share = Field(0.01, description="share of rows that may be unusable")
    unpriced_limit: Share = Field(0.01, description="share of tokens that may lack a price")
    ambiguous_limit: Share = Field(0.01, description="share of calls whose token counts may fit no basis")

    @field_validator("defaults")
    @classmethod
    def _known_dimensions(cls, value: dict[str, str]) -> dict[str, str]:
        return _dimension_keys(value, "defaults")


class Organisation(_Model):
    """`organisation.yaml`: who owns what, and the rules that hold for all assistants."""

    company: str = Field("", description="name on the reports")
    currency: Literal["USD"] = Field("USD", description="currency of the price list and the reports")
    time_zone: str = Field("UTC", description="reporting time zone (IANA name); days and months are cut in it")
    engine_url: str | None = Field(
        None, description="SQLAlchemy URL of a warehouse that holds the requests; without it DuckDB on this machine"
    )
    workspace: str = Field("outputs/workspace", description="folder of the ledger, relative to the project")
    sources: list[Source] = Field([], description="exports to read")
    teams: dict[str, Team] = Field({}, description="team → department, cost center, owners")
    virtual_keys: dict[str, dict[str, str]] = Field({}, description="virtual key → dimension values of its owner")
    attribution: Attribution = Field(Attribution(), description="tags that name dimensions, weights of shared tags")
    model_aliases: dict[str, str] = Field({}, description="deployment or route name → model in the price list")
    prices: list[PriceOverride] = Field([], description="negotiated rates, discounts, markups, free models")
    capture_layers: list[CaptureLayer] = Field(
        ["gateway", "trace", "provider_log", "provider_usage"],
        description="which layer feeds the ledger where several cover the same account and day, first one wins",
    )
    pseudonym_key_variable: str = Field(
        "FINOPS_PSEUDONYM_KEY", description="environment variable with the key of the user pseudonyms"
    )
    price_age_limit_days: int = Field(30, description="days after which the price list is called old")
    defaults: dict[str, Any] = Field({}, description="settings for every assistant that sets none")

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        # "localtime" would be another zone on every machine.
        known = available_timezones() - {"localtime"}
        if value not in known:
            close = difflib.get_close_matches(value, known, n=1)
            message = f"unknown time zone '{value}'" + (f"; did you mean '{close[0]}'?" if close else "")
            raise ValueError(message)
        return value

    @field_validator("virtual_keys")
    @classmethod
    def _known_owner_keys(cls, value: dict[str, dict[str, str]]) -> dict[str, dict[str, str]]:
        for key, owner in value.items():
            _dimension_keys(owner, f"virtual_keys.{key}")
        return value


class Params(_Model):
    """Everything a notebook or command needs to know."""

    assistant: str
    period: str
    settings: Settings
    organisation: Organisation
    project: Path
    assistants: dict[str, Settings]

    @property
    def workspace(self) -> Path:
        """Folder of the ledger."""
        return self.project / self.organisation.workspace

    @property
    def zone(self) -> ZoneInfo:
        """Reporting time zone."""
        return ZoneInfo(self.organisation.time_zone)

    @property
    def title(self) -> str:
        """Name for headings."""
        if self.assistant == ORGANISATION:
            return "All assistants"
        return self.settings.title or self.assistant


def _dimension_keys(value: dict[str, str], where: str, extra: tuple[str, ...] = ()) -> dict[str, str]:
    known = [column.name for column in DIMENSIONS] + list(extra)
    for key in value:
        if key not in known:
            close = difflib.get_close_matches(key, known, n=1)
            message = f"{where}: '{key}' is no dimension" + (f"; did you mean '{close[0]}'?" if close else "")
            raise ValueError(message)
    return value
