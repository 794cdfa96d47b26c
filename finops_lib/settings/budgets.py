"""Budgets, alerts and anomalies: when somebody is told, and who."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from pydantic import Field

from finops_lib.settings.base import Model, Share


class Budget(Model):
    """Money allowed for a part of the spend."""

    name: str = Field(description="name of the budget, unique")
    match: dict[str, str] = Field({}, description="dimension → value the budget is about; empty: everything")
    amount: Decimal = Field(gt=0, description="money allowed a period")


class AlertSettings(Model):
    """Who is told, and where messages go."""

    default_technical: str | None = Field(None, description="role told of an assistant without a technical owner")
    default_business: str | None = Field(None, description="role told of an assistant without a business owner")


class Feedback(Model):
    """What was said of an unusual event."""

    driver: str = Field(description="driver of the event")
    start: date = Field(description="first day of the event")
    verdict: str = Field(description="`planned` or `not an issue`")


class AnomalySettings(Model):
    """When a day is called unusual, and what was said of it."""

    smallest_impact: Share = Field(0.02, description="share of a month's cost below which an event is not shown")
    feedback: list[Feedback] = Field([], description="events that were judged")
