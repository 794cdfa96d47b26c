"""Rollout: what an assistant was planned to cost and to bring, what was attested, who answers for which activity."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field, model_validator

from finops_lib.settings.base import Model, Share

Letters = Annotated[str, Field(pattern="^[RACI]*$")]
Raci = dict[str, dict[str, Letters]]
"""Activity → function → its letters: Responsible, Accountable, Consulted, Informed."""

DEFAULT_RACI: Raci = {
    activity: dict(zip(("Finance", "Engineering", "Governance", "Product"), letters.split(), strict=True))
    for activity, letters in {
        "budget and forecast": "A C I C",
        "attribute spend": "C AR I I",
        "apply levers": "I A C C",
        "define the outcome": "C C I A",
        "run the gate": "I A C C",
        "cost policy and limits": "C R A C",
        "review KPIs": "A R C C",
    }.items()
}


class Pilot(Model):
    """Days on which few tried what many shall use."""

    first_day: date = Field(description="first day of the pilot")
    last_day: date = Field(description="last day of the pilot")

    @model_validator(mode="after")
    def _in_order(self) -> Pilot:
        if self.last_day < self.first_day:
            message = f"last_day is {self.last_day}, before first_day ({self.first_day})"
            raise ValueError(message)
        return self


class Plan(Model):
    """What the launch was planned with; an estimate before any log exists."""

    users: int = Field(ge=1, description="people who use it")
    requests_per_user_day: float = Field(gt=0, description="model calls a user makes on a working day")
    working_days: int = Field(21, ge=1, le=31, description="days a month on which it is used")
    prompt_tokens: int = Field(ge=1, description="input tokens of a call")
    answer_tokens: int = Field(ge=0, description="output tokens of a call")
    models: dict[str, Share] = Field(min_length=1, description="model → share of the calls; together 1")
    retrieval_calls: float = Field(0, ge=0, description="retrieval calls for one model call")
    retrieval_price: Decimal = Field(Decimal(0), ge=0, description="price of a retrieval call")
    retrieval_buffer: float = Field(0.1, ge=0, description="share added to prompts and retrieval for more context")
    retry_buffer: float = Field(0.05, ge=0, description="share added to everything for calls that are repeated")
    retrieval_sources: list[str] = Field([], description="sources it retrieves from")
    dependencies: list[str] = Field([], description="services it cannot run without")
    pilot: Pilot | None = Field(None, description="days of the pilot, held against the plan")

    @model_validator(mode="after")
    def _whole_mix(self) -> Plan:
        whole = sum(self.models.values())
        if abs(whole - 1) > 0.001:
            message = f"the shares of the models come to {whole:g}, not to 1"
            raise ValueError(message)
        return self


class Outcome(Model):
    """What the business counts, and what one is worth."""

    name: str = Field(min_length=1, description="what is counted, as in the table of outcomes")
    value: Decimal | None = Field(None, ge=0, description="what one outcome is worth")
    confirmed_by: str | None = Field(None, description="role that confirmed the value")
    confirmed_on: date | None = Field(None, description="day on which the value was confirmed")
    confidence: Literal["low", "medium", "high"] = Field("low", description="how sure the value is")


class Attestation(Model):
    """What no data can prove, said by a role on a day."""

    item: str = Field(description="id of the item of the rollout")
    role: str = Field(min_length=1, description="role that says so")
    day: date = Field(description="day on which it was said")
    note: str = Field("", description="what it rests on")


class Rollout(Model):
    """The 90 days: when they began, and what was attested since."""

    start: date | None = Field(None, description="first day of the 90; without it nothing is ever overdue")
    attested: list[Attestation] = Field([], description="items that a role answers for")


class Targets(Model):
    """What the indicators are held against; coverage, forecast and cache targets stand with their topics."""

    cost_per_outcome_change: float = Field(0.0, description="largest change of the cost per outcome in a quarter")
    budget_variance: Share = Field(0.05, description="largest distance of spend from budget")
    input_share: Share | None = Field(None, description="largest share of spend on input; without it only tracked")
    budgets_within_forecast: Share = Field(0.9, description="share of budgets that the forecast keeps within")
    unusual_cost: Share = Field(0.02, description="largest share of the cost that comes of unusual days")


class RolloutItem(Model):
    """One item of the 90-day checklist."""

    id: str = Field(pattern="^[a-z0-9-]+$", description="name of the item, unique")
    step: int = Field(ge=1, le=5, description="step: 1 observe, 2 attribute, 3 forecast, 4 levers, 5 operationalise")
    day: int = Field(ge=1, le=90, description="day of the 90 on which it is due")
    scope: Literal["assistant", "organisation"] = Field(
        "assistant", description="`assistant`: each assistant's own; `organisation`: done once for all"
    )
    what: str = Field(description="what is to be done")
    why: str = Field(description="what goes wrong without it")
    responsible: str = Field(description="role that does it")
    accountable: str = Field(description="role that answers for it")
    proof: str = Field("attestation", description="named check that proves it from the data, or `attestation`")
    limit: float | None = Field(None, ge=0, description="days or share its check allows, one for all items it proves")

    @property
    def phase(self) -> str:
        """Phase the due day lies in."""
        return "visibility" if self.day <= 30 else "control" if self.day <= 60 else "governance"
