"""Forecast: how it is made, what-if cases, and the calendar."""

from __future__ import annotations

from datetime import date

from pydantic import Field, model_validator

from finops_lib.errors import nearest
from finops_lib.settings.base import Model, Share


class HolidaySettings(Model):
    """Public holidays of the company."""

    country: str | None = Field(None, description="country of the calendar (ISO 3166 code)")
    subdivision: str | None = Field(None, description="state or region of the calendar")

    @model_validator(mode="after")
    def _known_calendar(self) -> HolidaySettings:
        if self.country is None:
            if self.subdivision is not None:
                message = f"subdivision '{self.subdivision}' stands without a country"
                raise ValueError(message)
            return self
        from holidays import list_supported_countries  # slow to load, and most commands need no calendar

        calendars = list_supported_countries()
        if self.country not in calendars:
            message = f"no holiday calendar for '{self.country}'"
            raise ValueError("; ".join(filter(None, (message, nearest(self.country.upper(), calendars)))))
        regions = calendars[self.country]
        if self.subdivision is not None and self.subdivision not in regions:
            known = ", ".join(regions) or "none"
            message = f"'{self.country}' has no holiday calendar for '{self.subdivision}'; it has: {known}"
            raise ValueError(message)
        return self


class SelfHosting(Model):
    """What serving an open-weight model on own GPUs would cost."""

    gpu_hour_price: float | None = Field(None, gt=0, description="price of a GPU hour; without it no break-even")
    tokens_per_gpu_hour: float | None = Field(None, gt=0, description="output tokens a GPU serves in an hour when busy")
    utilisation: float = Field(0.4, gt=0, le=1, description="share of its hours a GPU is busy")
    smallest_fleet: int = Field(1, ge=1, description="GPUs that run day and night whatever is asked")
    staff_per_month: float = Field(0, ge=0, description="people who run it")


class ProvisionedThroughput(Model):
    """An offer of capacity by the hour in place of calls by the token."""

    model: str = Field(description="model it serves, as the ledger names it")
    hour_price: float = Field(gt=0, description="price of a unit for an hour")
    tokens_per_hour: float = Field(gt=0, description="tokens, input and output, a unit serves in an hour")


class EconomicTriggers(Model):
    """When to ask whether to host or commit, and what such a choice would cost."""

    annual_cost: float = Field(500_000, gt=0, description="cost a year of one workflow from which hosting is reviewed")
    output_tokens_per_day: float = Field(30e6, gt=0, description="output tokens a day from which it is reviewed")
    near: Share = Field(0.8, description="share of a threshold that counts as near it")
    self_hosting: SelfHosting = Field(SelfHosting(), description="inputs of the break-even with own GPUs")
    provisioned: list[ProvisionedThroughput] = Field([], description="offers of capacity by the hour")


class ForecastSettings(Model):
    """How the forecast is made and judged."""

    horizon_days: int = Field(90, ge=1, le=366, description="days to look ahead")
    accuracy_target: Share = Field(0.10, description="error of the monthly total that is acceptable")
    backtest_windows: int = Field(6, ge=1, le=24, description="30-day windows of the past the forecast is tested on")
    year_start: int = Field(1, ge=1, le=12, description="first month of the financial year")
    cache_target: Share = Field(0.5, description="share of input tokens that should be read from the prompt cache")
    triggers: EconomicTriggers = Field(EconomicTriggers(), description="when hosting and commitments are reviewed")


class ModelSwitch(Model):
    """Calls moved from one model to another."""

    from_model: str = Field(description="model the calls leave, as the ledger names it")
    to_model: str = Field(description="model they go to")
    share: Share = Field(1.0, description="share of its calls that move")


class Scenario(Model):
    """A what-if case; what it does not name stays as it is today."""

    name: str = Field(description="name of the case")
    effective_from: date | None = Field(None, description="first day it holds; without it from today on")
    adoption: float = Field(0, ge=-1, description="change of what users ask for, as a share")
    fan_out: float = Field(0, ge=-1, description="change of model calls for one thing asked, as a share")
    context_growth: float = Field(0, ge=-1, description="change of input tokens a call, as a share")
    output_growth: float = Field(0, ge=-1, description="change of output tokens a call, as a share")
    tokens_per_call: float | None = Field(None, gt=0, description="tokens a call, input and output, in place of growth")
    model_switches: list[ModelSwitch] = Field([], description="calls moved to another model, one after the other")
    price_change: float = Field(0, ge=-1, description="change of all prices, as a share")
    rate_per_1k: float | None = Field(None, ge=0, description="blended price of 1,000 tokens in place of today's")
    levers: dict[str, Share] = Field({}, description="lever → share of the cost it saves; they compose, not add")
