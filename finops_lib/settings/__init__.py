"""Settings: what parameter files may hold, as typed models that refuse what they do not know."""

from finops_lib.settings.allocation import AllocationRule, CostLayerRule, EnvironmentPolicy, ShowbackSettings
from finops_lib.settings.base import ORGANISATION, CaptureLayer
from finops_lib.settings.bills import ExchangeRate, ReconciliationSettings
from finops_lib.settings.budgets import AlertSettings, AnomalySettings, Budget, Feedback
from finops_lib.settings.forecast import ForecastSettings, HolidaySettings, Scenario
from finops_lib.settings.root import Organisation, Params, Settings
from finops_lib.settings.routing import AgentLimits, GateSettings, LeverSettings, ModelCatalogue, RoutingPolicy
from finops_lib.settings.sources import Attribution, Owners, PriceOverride, Source, Team

__all__ = [
    "ORGANISATION",
    "AgentLimits",
    "AlertSettings",
    "AllocationRule",
    "AnomalySettings",
    "Attribution",
    "Budget",
    "CaptureLayer",
    "CostLayerRule",
    "EnvironmentPolicy",
    "ExchangeRate",
    "Feedback",
    "ForecastSettings",
    "GateSettings",
    "HolidaySettings",
    "LeverSettings",
    "ModelCatalogue",
    "Organisation",
    "Owners",
    "Params",
    "PriceOverride",
    "ReconciliationSettings",
    "RoutingPolicy",
    "Scenario",
    "Settings",
    "ShowbackSettings",
    "Source",
    "Team",
]
