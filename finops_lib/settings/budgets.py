"""Budgets, alerts and anomalies: when somebody is told, and who."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, field_validator, model_validator

from finops_lib.settings.base import Model, Share, dimension_keys
from finops_lib.settings.sources import Owners

Cadence = Literal["daily", "weekly", "monthly"]
Thresholds = Annotated[list[Annotated[float, Field(gt=0)]], AfterValidator(sorted)]


class BudgetException(Model):
    """More than the budget, allowed by somebody until a day; it lapses by itself."""

    approver: str = Field(description="role that allowed it")
    reason: str = Field(description="why it is allowed")
    amount: Decimal | None = Field(
        None, gt=0, description="money allowed beyond the budget in a period; without it as much as is spent"
    )
    starts: date = Field(description="first day of the exception")
    expires: date = Field(description="last day of the exception")


class Budget(Model):
    """Money allowed for a part of the spend."""

    name: str = Field(min_length=1, description="name of the budget, unique")
    match: dict[str, str] = Field(
        {}, description="dimension → value or pattern (`*`, `?`) the budget is about; empty: everything"
    )
    amount: Decimal = Field(gt=0, description="money allowed a period")
    period: Literal["month", "quarter", "year"] = Field("month", description="month, quarter or year")
    starts: date | None = Field(None, description="first day of the budget; the period it stands in is pro-rated")
    ends: date | None = Field(None, description="last day of the budget; the period it stands in is pro-rated")
    cap: Literal["soft", "hard"] = Field("soft", description="whether spending is to stop at `stop_at` (`hard`)")
    stop_at: float = Field(
        1.2, gt=0, description="share of the amount at which a hard cap stops and a soft one is critical"
    )
    thresholds: Thresholds | None = Field(
        None, description="shares of the amount at which somebody is told; without it those of its kind"
    )
    rollover: bool = Field(False, description="whether what the period before left is added, once")
    owners: Owners = Field(Owners(), description="owners of the budget; else those of its assistant or team")
    exceptions: list[BudgetException] = Field([], description="what was allowed beyond the budget")

    @field_validator("match")
    @classmethod
    def _known_dimensions(cls, value: dict[str, str]) -> dict[str, str]:
        return dimension_keys(value, "match")

    @model_validator(mode="after")
    def _in_order(self) -> Budget:
        spans = [("starts", self.starts, "ends", self.ends)]
        spans += [("starts", allowed.starts, "expires", allowed.expires) for allowed in self.exceptions]
        for begins, first, stops, last in spans:
            if first and last and last < first:
                message = f"{stops} is {last}, before {begins} ({first})"
                raise ValueError(message)
        return self


class AlertTarget(Model):
    """Where one audience is told."""

    url_variable: str = Field(description="environment variable with the address")
    format: Literal["webhook", "slack", "teams"] = Field("webhook", description="`webhook`, `slack` or `teams`")
    cadence: Cadence | None = Field(None, description="`daily`, `weekly` or `monthly`; without it all alerts")


class AlertSettings(Model):
    """Who is told, and where messages go."""

    default_technical: str | None = Field(None, description="role told where there is no technical owner")
    default_business: str | None = Field(None, description="role told where there is no budget owner")
    department_thresholds: Thresholds = Field([0.5, 0.75, 0.9], description="thresholds of budgets above assistants")
    assistant_thresholds: Thresholds = Field([0.6, 0.8, 1.0], description="thresholds of assistants and below")
    class_thresholds: dict[str, Thresholds] = Field({}, description="class of assistants → its thresholds")
    overrun_probability: Share = Field(0.5, description="probability from which an overrun is told")
    targets: dict[str, AlertTarget] = Field({}, description="name of an audience → where it is told")
    secret_variable: str = Field("FINOPS_ALERT_SECRET", description="environment variable with the key of signatures")
    timeout_seconds: float = Field(10, gt=0, description="time a receiver has to answer")
    attempts: int = Field(4, ge=1, description="attempts to send in one run")


class Feedback(Model):
    """What was said of an unusual event."""

    driver: str = Field(description="driver of the event")
    start: date = Field(description="first day of the event")
    until: date | None = Field(None, description="last day on which the same cause may begin again; else the one event")
    verdict: Literal["planned", "not an issue"] = Field(description="`planned` or `not an issue`")


class AnomalySettings(Model):
    """When a day is called unusual, and what was said of it."""

    smallest_impact: Share = Field(0.005, description="share of a month's cost below which an event is not shown")
    loop_calls: int = Field(20, ge=2, description="model calls from which an agent's run counts as a loop")
    feedback: list[Feedback] = Field([], description="events that were judged")
