"""Routing: which model a workflow may use, the limits of agents, the gate, and what levers assume."""

from __future__ import annotations

from pydantic import Field

from finops_lib.settings.base import Model, Share


class ModelCatalogue(Model):
    """Tiers of models and classes of tasks."""

    tiers: dict[str, list[str]] = Field({}, description="tier → patterns of model names")


class RoutingPolicy(Model):
    """What one workflow may use."""

    workflow: str = Field(description="workflow the policy is about; `*` for all others")
    tier: str | None = Field(None, description="tier its models should be of")


class AgentLimits(Model):
    """Limits of an agent's run."""

    steps: int | None = Field(None, ge=1, description="agent steps a run may take")


class GateSettings(Model):
    """What the evaluation gate asks for."""

    margin: Share = Field(0.02, description="loss of pass rate that is accepted (0.02 is two points)")
    alpha: Share = Field(0.05, description="chance of promoting what is worse by the margin")


class LeverSettings(Model):
    """What the levers assume."""

    smallest_saving: float = Field(500, ge=0, description="saving a month below which a lever is not worth the work")
