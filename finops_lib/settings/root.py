"""The two parameter files, and all parameters of one run together."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo, available_timezones

from pydantic import Field, field_validator

from finops_lib.errors import nearest
from finops_lib.settings.allocation import AllocationRules, CostLayerRule, EnvironmentPolicy, ShowbackSettings
from finops_lib.settings.base import ORGANISATION, CaptureLayer, Dimensions, Model, Share, dimension_keys
from finops_lib.settings.bills import ExchangeRate, ReconciliationSettings
from finops_lib.settings.budgets import AlertSettings, AnomalySettings, Budget
from finops_lib.settings.decisions import Decision
from finops_lib.settings.forecast import ForecastSettings, HolidaySettings, Scenario
from finops_lib.settings.promotions import Promotion
from finops_lib.settings.rollout import DEFAULT_RACI, Outcome, Plan, Raci, Rollout, Targets
from finops_lib.settings.routing import AgentLimits, GateSettings, LeverSettings, ModelCatalogue, RoutingPolicy
from finops_lib.settings.sources import PRICE_SCOPES, Attribution, Owners, PriceOverride, Source, Team


class Settings(Model):
    """Values any assistant may set; `settings` of an assistant's file."""

    title: str | None = Field(None, description="name readers know it by")
    assistant_class: str | None = Field(
        None, alias="class", description="kind of assistant: support, extraction, research, knowledge, drafting, coding"
    )
    owners: Owners = Field(Owners(), description="owners of the assistant")
    match: list[str] = Field([], description="names the assistant has in exports, beside its own")
    defaults: Dimensions = Field({}, description="dimension values for its calls that carry none")
    success: Literal["resolved", "accepted", "completed"] | None = Field(
        None, description="what makes a task successful; without it: resolved, else accepted, else completed"
    )
    window_days: int = Field(7, ge=2, le=60, description="days of the moving averages")
    smallest_group: int = Field(5, ge=1, description="people a user group must have to be shown apart")
    coverage_target: Share = Field(0.95, description="share of spend with team, workflow and cost center")
    quarantine_limit: Share = Field(0.01, description="share of rows that may be unusable")
    unpriced_limit: Share = Field(0.01, description="share of tokens that may lack a price")
    ambiguous_limit: Share = Field(0.01, description="share of calls whose token counts may fit no basis")

    environment_policy: dict[str, EnvironmentPolicy] = Field({}, description="environment → what it may cost and do")
    showback: ShowbackSettings = Field(ShowbackSettings(), description="showback or chargeback")
    services: list[str] = Field([], description="services on bills that are wholly its own, where a line names nobody")
    review_hourly_rate: Decimal | None = Field(None, ge=0, description="cost of an hour of human review")
    budgets: list[Budget] = Field([], description="budgets of the assistant and below it")
    anomalies: AnomalySettings = Field(AnomalySettings(), description="what counts as unusual")
    forecast: ForecastSettings = Field(ForecastSettings(), description="how the forecast is made and judged")
    scenarios: list[Scenario] = Field([], description="what-if cases held against today")
    routing: list[RoutingPolicy] = Field([], description="routing policy, a workflow each")
    agent_limits: AgentLimits = Field(AgentLimits(), description="limits of an agent's run")
    gate: GateSettings = Field(GateSettings(), description="what the evaluation gate asks for")
    levers: LeverSettings = Field(LeverSettings(), description="what the levers assume")
    plan: Plan | None = Field(None, description="what the launch was planned with")
    outcome: Outcome | None = Field(None, description="what the business counts, and its value")
    rollout: Rollout = Field(Rollout(), description="start of the 90 days, and what was attested")
    targets: Targets = Field(Targets(), description="what the indicators are held against")


class Organisation(Model):
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
    exchange_rates: list[ExchangeRate] = Field([], description="rates for bills in other currencies")
    reconciliation: ReconciliationSettings = Field(
        ReconciliationSettings(), description="how the ledger is held against the invoices"
    )
    cost_layers: list[CostLayerRule] = Field([], description="which layer of the full cost a charge belongs to")
    allocation: AllocationRules = Field([], description="how charges are split, first match wins")
    budgets: list[Budget] = Field([], description="budgets above the assistant")
    alerts: AlertSettings = Field(AlertSettings(), description="who is told, and where messages go")
    holidays: HolidaySettings = Field(HolidaySettings(), description="public holidays of the company")
    models: ModelCatalogue = Field(ModelCatalogue(), description="tiers of models and classes of tasks")
    raci: Raci = Field(DEFAULT_RACI, description="activity → function → its letters of R, A, C, I")
    rollout: Rollout = Field(Rollout(), description="start of the 90 days for all, and what was attested")
    defaults: dict[str, Any] = Field({}, description="settings for every assistant that sets none")

    @property
    def price_scopes(self) -> list[str]:
        """Whose calls any price in force tells apart."""
        return [scope for scope in PRICE_SCOPES if any(getattr(override, scope) for override in self.prices)]

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        # "localtime" would be another zone on every machine.
        known = available_timezones() - {"localtime"}
        if value not in known:
            raise ValueError("; ".join(filter(None, (f"unknown time zone '{value}'", nearest(value, known)))))
        return value

    @field_validator("virtual_keys")
    @classmethod
    def _known_owner_keys(cls, value: dict[str, dict[str, str]]) -> dict[str, dict[str, str]]:
        for key, owner in value.items():
            dimension_keys(owner, f"virtual_keys.{key}")
        return value


class Params(Model):
    """Everything a notebook or command needs to know."""

    assistant: str
    period: str
    settings: Settings
    organisation: Organisation
    project: Path
    assistants: dict[str, Settings]
    promotions: list[Promotion] = Field([])
    team: str | None = None
    decisions: list[Decision] = Field([])

    @property
    def workspace(self) -> Path:
        """Folder of the ledger."""
        return self.project / self.organisation.workspace

    @property
    def zone(self) -> ZoneInfo:
        """Reporting time zone."""
        return ZoneInfo(self.organisation.time_zone)

    @property
    def environment_policies(self) -> dict[tuple[str, str], EnvironmentPolicy]:
        """Policies in force by assistant and environment, this run's what-if values included."""
        return {
            (name, environment): policy
            for name, settings in self.settings_in_force.items()
            for environment, policy in settings.environment_policy.items()
        }

    @property
    def settings_in_force(self) -> dict[str, Settings]:
        """Settings by assistant, this run's what-if values included."""
        return self.assistants | ({} if self.assistant == ORGANISATION else {self.assistant: self.settings})

    @property
    def routing_policies(self) -> dict[tuple[str, str], RoutingPolicy]:
        """Routing policies in force by assistant and workflow; `*` stands for its other workflows."""
        return {
            (name, policy.workflow): policy
            for name, settings in self.settings_in_force.items()
            for policy in settings.routing
        }

    @property
    def agent_limits(self) -> dict[str, AgentLimits]:
        """Limits of agents' runs in force by assistant."""
        return {name: settings.agent_limits for name, settings in self.settings_in_force.items()}

    @property
    def title(self) -> str:
        """Name for headings."""
        if self.assistant == ORGANISATION:
            return "All assistants"
        return self.settings.title or self.assistant
