"""Settings: what parameter files may hold, as typed models that refuse what they do not know."""

from finops_lib.settings.allocation import AllocationRule, CostLayerRule, EnvironmentPolicy, ShowbackSettings
from finops_lib.settings.base import ORGANISATION, CaptureLayer
from finops_lib.settings.bills import ExchangeRate, ReconciliationSettings
from finops_lib.settings.budgets import (
    AlertSettings,
    AlertTarget,
    AnomalySettings,
    Budget,
    BudgetException,
    Feedback,
)
from finops_lib.settings.decisions import Decision, DecisionKind, Decisions
from finops_lib.settings.forecast import (
    EconomicTriggers,
    ForecastSettings,
    HolidaySettings,
    ModelSwitch,
    ProvisionedThroughput,
    Scenario,
    SelfHosting,
)
from finops_lib.settings.promotions import Promotion, Promotions
from finops_lib.settings.rollout import (
    Attestation,
    Outcome,
    Pilot,
    Plan,
    Raci,
    Rollout,
    RolloutItem,
    Targets,
)
from finops_lib.settings.root import Organisation, Params, Settings
from finops_lib.settings.routing import (
    TIERS,
    AgentLimits,
    GateSettings,
    LeverSettings,
    ModelCatalogue,
    RoutingException,
    RoutingPolicy,
    check_routing,
    model_fits,
)
from finops_lib.settings.sources import PRICE_SCOPES, Attribution, Owners, PriceOverride, Source, Team

__all__ = [
    "ORGANISATION",
    "PRICE_SCOPES",
    "TIERS",
    "AgentLimits",
    "AlertSettings",
    "AlertTarget",
    "AllocationRule",
    "AnomalySettings",
    "Attestation",
    "Attribution",
    "Budget",
    "BudgetException",
    "CaptureLayer",
    "CostLayerRule",
    "Decision",
    "DecisionKind",
    "Decisions",
    "EconomicTriggers",
    "EnvironmentPolicy",
    "ExchangeRate",
    "Feedback",
    "ForecastSettings",
    "GateSettings",
    "HolidaySettings",
    "LeverSettings",
    "ModelCatalogue",
    "ModelSwitch",
    "Organisation",
    "Outcome",
    "Owners",
    "Params",
    "Pilot",
    "Plan",
    "PriceOverride",
    "Promotion",
    "Promotions",
    "ProvisionedThroughput",
    "Raci",
    "ReconciliationSettings",
    "Rollout",
    "RolloutItem",
    "RoutingException",
    "RoutingPolicy",
    "Scenario",
    "SelfHosting",
    "Settings",
    "ShowbackSettings",
    "Source",
    "Targets",
    "Team",
    "check_routing",
    "model_fits",
]
