"""Decisions: what a review decided, who answers for it, what it shall bring, and when it is looked at again."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Literal

from pydantic import Field, model_validator

from finops_lib.settings.base import ORGANISATION, Model

DecisionKind = Literal["budget", "routing", "retirement", "workflow", "exception"]
RetiredWaste = Literal["unused seats", "idle provisioned throughput"]


class Decision(Model):
    """One of the five outputs of a review: budget, routing, retirement, workflow, exception."""

    decided: date = Field(description="day of the decision")
    kind: DecisionKind = Field(description="`budget`, `routing`, `retirement`, `workflow` or `exception`")
    assistant: str = Field(ORGANISATION, min_length=1, description="assistant it is about; else the organisation")
    workflow: str | None = Field(None, description="workflow it is about; without it the whole assistant")
    decision: str = Field(min_length=1, description="what was decided, in one sentence")
    owner: str = Field(min_length=1, description="role that answers for it")
    effect: Decimal | None = Field(None, description="expected change of the cost a month; a saving is negative")
    review: date = Field(description="day on which it is looked at again")
    waste: RetiredWaste | None = Field(
        None, description="what a retirement ends: `unused seats` or `idle provisioned throughput`"
    )
    quantity: float | None = Field(None, gt=0, description="how much of that waste; without it all of it")
    approver: str | None = Field(None, min_length=1, description="role that approved an exception")
    reason: str | None = Field(None, min_length=1, description="why there is an exception")
    expires: date | None = Field(None, description="last day of an exception")

    @model_validator(mode="after")
    def _consistent(self) -> Decision:
        about = {"approver": self.approver, "reason": self.reason, "expires": self.expires}
        missing = [name for name, value in about.items() if value is None]
        if self.kind == "exception" and missing:
            message = f"an exception names its {', '.join(missing)}"
            raise ValueError(message)
        if self.kind != "exception" and len(missing) < len(about):
            message = "only an exception has approver, reason and expires"
            raise ValueError(message)
        if self.kind != "retirement" and (self.waste or self.quantity):
            message = "only a retirement has waste and quantity"
            raise ValueError(message)
        for name, day in (("review", self.review), ("expires", self.expires)):
            if day and day < self.decided:
                message = f"{name} is {day}, before the day of the decision ({self.decided})"
                raise ValueError(message)
        return self

    def repeats(self, other: Decision) -> bool:
        """Tell whether the same was decided before, and not yet looked at again."""
        same = all(getattr(self, name) == getattr(other, name) for name in ("kind", "assistant", "workflow", "waste"))
        return same and self.decision.casefold() == other.decision.casefold() and self.decided <= other.review


class Decisions(Model):
    """`decisions.yaml`: the record of decisions, the oldest first."""

    decisions: list[Decision] = Field([], description="what was decided, a record each")

    @model_validator(mode="after")
    def _each_once(self) -> Decisions:
        for place, later in enumerate(self.decisions):
            for earlier in self.decisions[:place]:
                if later.repeats(earlier):
                    message = (
                        f"'{later.decision}' is on record since {earlier.decided}, to be reviewed {earlier.review}"
                    )
                    raise ValueError(message)
        return self
