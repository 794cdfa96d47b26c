"""Routing: which model a workflow may use, the limits of agents, the gate, and what levers assume."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from fnmatch import fnmatchcase
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Literal

import yaml
from pydantic import Field, model_validator

from finops_lib.errors import ParamsError
from finops_lib.settings.base import ORGANISATION, Model, Share

if TYPE_CHECKING:
    from finops_lib.settings.root import Settings

Tier = Literal["low_cost", "mid", "premium", "reasoning", "frontier"]
TIERS: tuple[Tier, ...] = ("low_cost", "mid", "premium", "reasoning", "frontier")
"""Tiers of models, cheapest first."""

Range = tuple[Share, Share, Share]
Rule = Literal["model", "data class", "context", "output"]


def model_fits(patterns: Iterable[str], provider: str | None, model: str) -> bool:
    """Say whether a model is named by any of the patterns, alone or as ``provider/model``.

    Examples
    --------
    >>> model_fits(["aws.bedrock/*"], "aws.bedrock", "nova-pro"), model_fits(["*-mini"], "openai", "gpt-5")
    (True, False)
    """
    names = (model.lower(), f"{provider}/{model}".lower())
    return any(fnmatchcase(name, pattern.lower()) for pattern in patterns for name in names)


class ModelCatalogue(Model):
    """Tiers of models, classes of tasks, and which models may see which data."""

    tiers: dict[Tier, list[str]] = Field(
        {}, description="tier → patterns of model names; tried before the shipped ones"
    )
    tasks: dict[str, Tier] = Field({}, description="class of tasks → tier; stands before the shipped ones")
    data_classes: dict[str, list[str]] = Field(
        {}, description="data class → models that may see it, `model` or `provider/model`; a class not named: all"
    )

    def tier_of(self, model: str, provider: str | None = None) -> Tier | None:
        """Name the tier of the longest pattern that fits; the company's own patterns come first."""
        for tiers in (self.tiers, _shipped().tiers):
            fits = [
                (len(p), tier) for tier, patterns in tiers.items() for p in patterns if model_fits([p], provider, model)
            ]
            if fits:
                return max(fits, key=lambda fit: fit[0])[1]
        return None

    def is_premium(self, model: str) -> bool:
        """Say whether a model is of the premium tier or above."""
        tier = self.tier_of(model)
        return tier is not None and TIERS.index(tier) >= TIERS.index("premium")

    def tier_of_task(self, task: str) -> Tier | None:
        """Name the tier a class of tasks is served by."""
        return (_shipped().tasks | self.tasks).get(task)

    def may_see(self, model: str, provider: str | None, data_class: str | None) -> bool:
        """Say whether a model may see data of a class."""
        return model_fits(self.data_classes.get(data_class or "", ["*"]), provider, model)


@cache
def _shipped() -> ModelCatalogue:
    text = (resources.files("finops_lib.settings") / "model_tiers.yaml").read_text(encoding="utf-8")
    return ModelCatalogue.model_validate(yaml.safe_load(text))


class RoutingException(Model):
    """What is allowed beside the policy by somebody until a day; it lapses by itself."""

    approver: str = Field(min_length=1, description="role that approved it")
    reason: str = Field(min_length=1, description="why the policy does not hold")
    rules: list[Rule] = Field(["model"], description="rules it lifts: `model`, `data class`, `context`, `output`")
    models: list[str] = Field([], description="models or patterns it is for; empty: any")
    environments: list[str] = Field([], description="environments it is for; empty: any")
    expires: date = Field(description="last day it holds")


class RoutingPolicy(Model):
    """What one workflow may use."""

    workflow: str = Field(min_length=1, description="workflow the policy is about; `*` for all others")
    task: str | None = Field(None, description="class of its tasks, which gives the tier")
    tier: Tier | None = Field(None, description="tier its models are of; without it that of its task")
    models: list[str] = Field(
        [], description="models or patterns it may use, the first is its standard; empty: any of the tier"
    )
    data_classes: list[str] = Field([], description="data classes it may handle; empty: any")
    context_limit: int | None = Field(None, ge=1, description="largest input of a call")
    output_limit: int | None = Field(None, ge=1, description="largest output of a call")
    fallback: dict[str, str] = Field({}, description="model → model asked when it fails")
    review: Literal["none", "sample", "always"] = Field("none", description="human review of answers")
    budget_owner: str | None = Field(None, description="role that pays; else the assistant's business owner")
    exceptions: list[RoutingException] = Field([], description="what is allowed beside the policy, for a time")

    @model_validator(mode="after")
    def _falls_back_well(self) -> RoutingPolicy:
        for model, other in self.fallback.items():
            for name in (model, other):
                if "*" in name or "?" in name:
                    message = f"a fallback names models, not patterns: '{name}'"
                    raise ValueError(message)
                if self.models and not model_fits(self.models, None, name):
                    message = f"'{name}' of the fallback is not among the models of '{self.workflow}'"
                    raise ValueError(message)
            self.fallbacks_of(model)
        return self

    @property
    def standard(self) -> str | None:
        """The model that serves the workflow: the first that is named in full."""
        return next(iter(self.named_models), None)

    @property
    def named_models(self) -> list[str]:
        """The models it names in full, not by a pattern."""
        names = dict.fromkeys([*self.models, *self.fallback, *self.fallback.values()])
        return [name for name in names if "*" not in name and "?" not in name]

    def fallbacks_of(self, model: str) -> list[str]:
        """List the models asked one after the other when a model fails.

        Raises
        ------
        ValueError
            If they lead back to one that failed.
        """
        chain = [model]
        while chain[-1] in self.fallback:
            chain.append(self.fallback[chain[-1]])
            if chain[-1] in chain[:-1]:
                message = f"the fallback of '{self.workflow}' loops: {' → '.join(chain)}"
                raise ValueError(message)
        return chain[1:]


class AgentLimits(Model):
    """Limits of an agent's run."""

    steps: int | None = Field(None, ge=1, description="model calls (iterations) a run may take")
    tool_calls: int | None = Field(None, ge=1, description="tools a run may call")
    tokens: int | None = Field(None, ge=1, description="tokens a run may use")
    timeout_seconds: int | None = Field(None, ge=1, description="time a run may take")
    retries: int | None = Field(None, ge=0, description="attempts a run may repeat")
    budget: Decimal | None = Field(None, gt=0, description="money a run may cost")


def check_routing(catalogue: ModelCatalogue, assistants: Mapping[str, Settings]) -> None:
    """Refuse routing policies that contradict the catalogue or each other.

    Parameters
    ----------
    catalogue : ModelCatalogue
        Tiers, tasks, and the models that may see each data class.
    assistants : mapping
        Assistant → its settings.

    Raises
    ------
    ParamsError
        If a workflow has two policies, a task or a model named in full is in no tier, or a fallback may not see
        the data of its workflow.
    """
    for assistant, settings in assistants.items():
        workflows = [policy.workflow for policy in settings.routing]
        for place, policy in enumerate(settings.routing):
            wrong, hint = None, ""
            if policy.workflow in workflows[:place]:
                wrong, hint = "the workflow has a policy already", "keep one policy a workflow"
            elif policy.task and not catalogue.tier_of_task(policy.task):
                wrong = f"task '{policy.task}' has no tier"
                hint = f"known: {', '.join(sorted(_shipped().tasks | catalogue.tasks))}; models.tasks adds others"
            for name in dict.fromkeys([*policy.fallback, *policy.fallback.values()]):
                wrong, hint = (wrong, hint) if wrong else _wrong_fallback(catalogue, policy, name)
            if wrong:
                message = f"parameters/{assistant}.yaml: settings.routing.{place} ({policy.workflow}): {wrong}"
                raise ParamsError(message, hint=hint)


def _wrong_fallback(catalogue: ModelCatalogue, policy: RoutingPolicy, name: str) -> tuple[str | None, str]:
    provider, _, model = name.rpartition("/")
    if not catalogue.tier_of(model, provider):
        hint = f"mend the name, or put it under models.tiers in parameters/{ORGANISATION}.yaml"
        return f"fallback '{name}' is no model of any tier", hint
    for data_class in policy.data_classes:
        if not catalogue.may_see(model, provider, data_class):
            hint = f"choose one of models.data_classes.{data_class}"
            return f"fallback '{name}' may not see data of class '{data_class}'", hint
    return None, ""


class GateSettings(Model):
    """What the evaluation gate asks for."""

    baseline: str | None = Field(None, description="configuration that serves today, as the evaluations name it")
    margin: float = Field(0.02, gt=0, lt=0.5, description="loss of pass rate that is accepted (0.02 is two points)")
    alpha: float = Field(0.05, gt=0, lt=0.5, description="chance of promoting what is worse by the margin")
    quality_floor: Share = Field(0.95, gt=0, description="share of the baseline's pass rate that routes must keep")
    minimum_samples: int = Field(
        20, ge=1, description="evaluated items a configuration needs in a segment to be sent there"
    )


class LeverSettings(Model):
    """What the levers assume where the ledger cannot tell; three shares are low, likely and high."""

    smallest_saving: float = Field(500, ge=0, description="saving a month below which a lever is not worth the work")
    compression: Range = Field(
        (0, 0.2, 0.3), description="part of the prompt, retrieval apart, that compression removes"
    )
    retrieved_tokens: int = Field(8000, ge=0, description="retrieved context a call may carry")
    context_multiple: float = Field(
        2.0, ge=1, description="times the median input of its workflow that a call may have"
    )
    retrieval_cut: Share = Field(0.7, description="part of the retrieved context that may go at most")
    cache_hours: tuple[int, int, int] = Field(
        (1, 24, 168), description="hours a response cache keeps answers: low, likely, high"
    )
    semantic_cache: Range = Field(
        (0, 0.15, 0.3), description="part of cacheable calls a semantic cache answers, equal ones included"
    )
    cached_price: Share = Field(0.1, description="price of cached input beside uncached, where the ledger has none")
    avoidable_retries: Range = Field((0.25, 0.5, 1), description="part of the billed retries that can be avoided")
    batch_price: Share = Field(0.5, description="price of a batch beside the usual one")
    batch_workflows: list[str] = Field(
        [], description="workflows whose answers can wait, beside evaluations and those partly in batches"
    )
    self_hosting: Range = Field(
        (0, 0.2, 0.4), description="part saved by own hosting, of workflows beyond `forecast.triggers`"
    )
    commitment: Range = Field((0, 0.05, 0.1), description="discount on spend that is committed")
    days_to_judge: int = Field(14, ge=2, description="days before and after a promotion needed to judge its saving")
    drift_limit: Share = Field(0.1, description="rise of the cost per request after a promotion that is alerted")

    @model_validator(mode="after")
    def _in_order(self) -> LeverSettings:
        for name in ("compression", "cache_hours", "semantic_cache", "avoidable_retries", "self_hosting", "commitment"):
            if list(getattr(self, name)) != sorted(getattr(self, name)):
                message = f"{name}: low, likely and high have to rise"
                raise ValueError(message)
        return self
