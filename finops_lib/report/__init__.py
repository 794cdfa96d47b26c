"""Report: draw, tabulate, explore and record what the stages computed."""

from finops_lib.report.chart import Chart, alt_text, show, use_style
from finops_lib.report.figures.allocation import plot_allocation_waterfall, plot_receivers, plot_trace
from finops_lib.report.figures.anomalies import plot_anomalies
from finops_lib.report.figures.budgets import plot_budgets, plot_burn_down
from finops_lib.report.figures.drivers import plot_cost_bridge, plot_drivers, plot_scenarios, plot_sensitivity
from finops_lib.report.figures.forecast import plot_backtest, plot_forecast, plot_projection
from finops_lib.report.figures.full_cost import plot_customer_margin, plot_full_cost, plot_waste
from finops_lib.report.figures.levers import plot_backlog, plot_levers, plot_savings
from finops_lib.report.figures.models import plot_cost_per_success, plot_model_mix, plot_token_classes
from finops_lib.report.figures.months import plot_month_on_month
from finops_lib.report.figures.outcomes import growth_text, plot_cost_and_outcome
from finops_lib.report.figures.portfolio import plot_portfolio, plot_viability
from finops_lib.report.figures.quality import plot_capture_days, plot_coverage, plot_quarantine, plot_rows_read
from finops_lib.report.figures.reconciliation import plot_reconciled_months, plot_variance_bridge
from finops_lib.report.figures.rollout import plot_plan_bridge, plot_rollout
from finops_lib.report.figures.routing import plot_frontier, plot_gate
from finops_lib.report.figures.routing_policy import plot_policy_breaches
from finops_lib.report.figures.spend import plot_prompt_composition, plot_spend, plot_spend_matrix
from finops_lib.report.figures.trend import plot_daily_cost, plot_daily_spend, plot_unit_costs
from finops_lib.report.labels import LEVER_LABELS
from finops_lib.report.sidecar import Sidecar
from finops_lib.report.tables import Label, Table, decision_table
from finops_lib.report.text import count, month_name, share, unit_price, usd, words
from finops_lib.report.widgets import explore
from finops_lib.report.words.allocation import allocation_text
from finops_lib.report.words.budgets import budget_text
from finops_lib.report.words.forecast import forecast_text
from finops_lib.report.words.headline import headline_text
from finops_lib.report.words.portfolio import portfolio_links, portfolio_text
from finops_lib.report.words.reconciliation import reconciliation_text
from finops_lib.report.words.review import review_text, scorecard_table, viability_source
from finops_lib.report.words.rollout import rollout_text
from finops_lib.report.words.savings import gate_reasons, savings_text

__all__ = [
    "LEVER_LABELS", "Chart", "Label", "Sidecar", "Table", "allocation_text", "alt_text", "budget_text", "count",
    "decision_table", "explore", "forecast_text", "gate_reasons", "growth_text", "headline_text", "month_name",
    "plot_allocation_waterfall", "plot_anomalies", "plot_backlog", "plot_backtest", "plot_budgets", "plot_burn_down",
    "plot_capture_days", "plot_cost_and_outcome", "plot_cost_bridge", "plot_cost_per_success", "plot_coverage",
    "plot_customer_margin", "plot_daily_cost", "plot_daily_spend", "plot_drivers", "plot_forecast", "plot_frontier",
    "plot_full_cost", "plot_gate", "plot_levers", "plot_model_mix", "plot_month_on_month", "plot_plan_bridge",
    "plot_policy_breaches", "plot_portfolio", "plot_projection", "plot_prompt_composition", "plot_quarantine",
    "plot_receivers", "plot_reconciled_months", "plot_rollout", "plot_rows_read", "plot_savings", "plot_scenarios",
    "plot_sensitivity", "plot_spend", "plot_spend_matrix", "plot_token_classes", "plot_trace", "plot_unit_costs",
    "plot_variance_bridge", "plot_viability", "plot_waste", "portfolio_links", "portfolio_text", "reconciliation_text",
    "review_text", "rollout_text", "savings_text", "scorecard_table", "share", "show", "unit_price", "usd", "use_style",
    "viability_source", "words",
]  # fmt: skip
