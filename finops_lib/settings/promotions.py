"""Promotions: changes put into production to save money, on record from their first day."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Literal

from pydantic import Field, model_validator

from finops_lib.settings.base import Model

Lever = Literal[
    "policy",
    "compression",
    "routing",
    "context",
    "response cache",
    "semantic cache",
    "prompt cache",
    "batch",
    "self-hosting",
    "contract",
]


class Promotion(Model):
    """One change: what, since when, by which verdict, and what it should save."""

    assistant: str = Field(min_length=1, description="assistant it changed")
    workflow: str | None = Field(None, description="workflow it changed; without it the whole assistant")
    configuration: str = Field(min_length=1, description="what serves since then, as the evaluations name it")
    lever: Lever = Field(description="lever it pulls")
    verdict: Literal["promote", "reject", "not enough evidence"] | None = Field(
        None, description="what the gate said; without `promote` the saving is a claim"
    )
    reason: str = Field("", description="the gate's reason, or why it was done without one")
    promoted_on: date = Field(description="first day in production")
    owner: str = Field(min_length=1, description="role that answers for it")
    expected_saving: Decimal = Field(gt=0, description="saving a month it was promoted for")

    @property
    def key(self) -> tuple[str, str | None, str]:
        """What one promotion is known by."""
        return self.assistant, self.workflow, self.configuration


class Promotions(Model):
    """`promotions.yaml`: all changes on record, each once."""

    promotions: list[Promotion] = Field([], description="changes in production")

    @model_validator(mode="after")
    def _each_once(self) -> Promotions:
        keys = [record.key for record in self.promotions]
        for place, key in enumerate(keys):
            if key in keys[:place]:
                named = "/".join(filter(None, key))
                message = f"'{named}' is on record already"
                raise ValueError(message)
        return self
