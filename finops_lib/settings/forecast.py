"""Forecast: how it is made, what-if cases, and the calendar."""

from __future__ import annotations

from datetime import date

from pydantic import Field

from finops_lib.settings.base import Model, Share


class HolidaySettings(Model):
    """Public holidays of the company."""

    country: str | None = Field(None, description="country of the calendar (ISO 3166 code)")
    subdivision: str | None = Field(None, description="state or region of the calendar")


class ForecastSettings(Model):
    """How the forecast is made and judged."""

    horizon_days: int = Field(90, ge=1, le=400, description="days to look ahead")
    accuracy_target: Share = Field(0.10, description="error of the monthly total that is acceptable")


class Scenario(Model):
    """A what-if case."""

    name: str = Field(description="name of the case")
    effective_from: date | None = Field(None, description="first day it holds; without it from today on")
