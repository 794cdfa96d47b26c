"""Inform: where the money goes, and where it is heading."""

from finops_lib.inform.allocation.allocation import Allocation, allocate
from finops_lib.inform.allocation.drivers import allocation_drivers
from finops_lib.inform.allocation.environment_policy import environment_violations
from finops_lib.inform.allocation.journal import journal, journal_totals
from finops_lib.inform.allocation.methods import allocation_methods
from finops_lib.inform.allocation.showback import chargeback_readiness, showback_modes
from finops_lib.inform.allocation.summary import allocation_checks, allocation_page, allocation_summary
from finops_lib.inform.allocation.views import (
    allocation_waterfall,
    payers_and_consumers,
    rules_in_words,
    spend_by_receiver,
    statement,
    trace_charge,
    unallocated_parts,
)
from finops_lib.inform.drivers.cost_bridge import bridge_months, bridge_quantities, bridge_steps, cost_bridge
from finops_lib.inform.drivers.forecast_cost import CostForecast, forecast_by_driver, forecast_cost
from finops_lib.inform.drivers.scenarios import monthly_pace, scenario_table, switched_models, what_if
from finops_lib.inform.drivers.sensitivity import sensitivity
from finops_lib.inform.drivers.triggers import break_even_tokens, economic_triggers
from finops_lib.inform.economics.customer_margin import customer_margin
from finops_lib.inform.economics.full_cost import cost_by_layer, full_cost, full_cost_summary
from finops_lib.inform.economics.unit_economics import (
    cost_tails,
    costliest_runs,
    growth_reading,
    unit_costs_by_month,
    unit_ladder,
)
from finops_lib.inform.economics.waste import waste
from finops_lib.inform.focus.findings import focus_findings
from finops_lib.inform.focus.rows import focus_rows
from finops_lib.inform.forecast.backtest import accuracy, backtest, backtest_summary, forecast_checks
from finops_lib.inform.forecast.daily import forecast_daily, sample_paths
from finops_lib.inform.forecast.holiday_effect import public_holidays
from finops_lib.inform.forecast.model import PanelModel, adopt_model, fit_panel
from finops_lib.inform.forecast.projection import project
from finops_lib.inform.forecast.review import (
    accuracy_by_method,
    against_budget,
    backtest_cost,
    headline_projection,
    outlook_checks,
)
from finops_lib.inform.privacy import fold_small_groups, pseudonymise
from finops_lib.inform.profile.cost_profile import (
    prompt_composition,
    spend_by,
    spend_in_scope,
    spend_matrix,
    token_classes,
)
from finops_lib.inform.profile.coverage import attribution_coverage, profile_checks
from finops_lib.inform.profile.gaps import what_is_missing
from finops_lib.inform.profile.launch_profile import launch_profile, plan_against_actual, plan_bridge
from finops_lib.inform.profile.model_use import cost_per_successful_task, model_mix
from finops_lib.inform.profile.onboarding import (
    assistant_file,
    baseline_settings,
    found_assistants,
    nameless_calls,
    organisation_file,
)
from finops_lib.inform.profile.quality import quality_beside_cost
from finops_lib.inform.profile.trends import daily_spend, daily_trend, headline, month_on_month
from finops_lib.inform.reconciliation.bill_comparison import largest_differences
from finops_lib.inform.reconciliation.bill_lines import billed_in
from finops_lib.inform.reconciliation.charges_of_record import charges_of_record, reconciled_charges
from finops_lib.inform.reconciliation.reconciliation import Reconciliation, reconcile, reconcile_months
from finops_lib.inform.reconciliation.variance_bridge import variance_bridge
from finops_lib.inform.scope import filter_scope

__all__ = [
    "Allocation",
    "CostForecast",
    "PanelModel",
    "Reconciliation",
    "accuracy",
    "accuracy_by_method",
    "adopt_model",
    "against_budget",
    "allocate",
    "allocation_checks",
    "allocation_drivers",
    "allocation_methods",
    "allocation_page",
    "allocation_summary",
    "allocation_waterfall",
    "assistant_file",
    "attribution_coverage",
    "backtest",
    "backtest_cost",
    "backtest_summary",
    "baseline_settings",
    "billed_in",
    "break_even_tokens",
    "bridge_months",
    "bridge_quantities",
    "bridge_steps",
    "chargeback_readiness",
    "charges_of_record",
    "cost_bridge",
    "cost_by_layer",
    "cost_per_successful_task",
    "cost_tails",
    "costliest_runs",
    "customer_margin",
    "daily_spend",
    "daily_trend",
    "economic_triggers",
    "environment_violations",
    "filter_scope",
    "fit_panel",
    "focus_findings",
    "focus_rows",
    "fold_small_groups",
    "forecast_by_driver",
    "forecast_checks",
    "forecast_cost",
    "forecast_daily",
    "found_assistants",
    "full_cost",
    "full_cost_summary",
    "growth_reading",
    "headline",
    "headline_projection",
    "journal",
    "journal_totals",
    "largest_differences",
    "launch_profile",
    "model_mix",
    "month_on_month",
    "monthly_pace",
    "nameless_calls",
    "organisation_file",
    "outlook_checks",
    "payers_and_consumers",
    "plan_against_actual",
    "plan_bridge",
    "profile_checks",
    "project",
    "prompt_composition",
    "pseudonymise",
    "public_holidays",
    "quality_beside_cost",
    "reconcile",
    "reconcile_months",
    "reconciled_charges",
    "rules_in_words",
    "sample_paths",
    "scenario_table",
    "sensitivity",
    "showback_modes",
    "spend_by",
    "spend_by_receiver",
    "spend_in_scope",
    "spend_matrix",
    "statement",
    "switched_models",
    "token_classes",
    "trace_charge",
    "unallocated_parts",
    "unit_costs_by_month",
    "unit_ladder",
    "variance_bridge",
    "waste",
    "what_if",
    "what_is_missing",
]
