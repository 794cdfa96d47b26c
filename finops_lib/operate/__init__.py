"""Operate: budgets, anomalies, alerts, and who answers for them."""

from finops_lib.operate.agent_limits import agent_limit_breaches
from finops_lib.operate.alert_delivery import alert_records, format_alerts, send_alerts
from finops_lib.operate.alerts import AUDIENCES, alerts
from finops_lib.operate.anomalies import find_anomalies, flag_days
from finops_lib.operate.anomaly_causes import contributions, likely_causes
from finops_lib.operate.budget_review import (
    budget_checks,
    concerning,
    leading_budget,
    of_assistant,
    propose_budgets,
    watch_and_burn,
)
from finops_lib.operate.budget_rules import budgets_of, last_day_reported
from finops_lib.operate.budgets import BudgetState, budget_state
from finops_lib.operate.burn import Burn, burn
from finops_lib.operate.daily_drivers import daily_drivers
from finops_lib.operate.decision_record import append_record, record_decision
from finops_lib.operate.decisions_held import decisions_held, exceptions_held
from finops_lib.operate.evidence import Evidence, keep_proofs, read_evidence
from finops_lib.operate.gateway_checks import gateway_findings
from finops_lib.operate.gateway_config import gateway_config, gateway_files
from finops_lib.operate.gateway_form import GatewayConfig
from finops_lib.operate.governance import raci_table
from finops_lib.operate.portfolio import (
    begun_in,
    daily_by,
    four_answers,
    further_answers,
    portfolio,
    portfolio_checks,
    spend_spikes,
)
from finops_lib.operate.review import propose_decisions, quarterly_list, review_checks, tier_drift
from finops_lib.operate.rollout import RolloutReport, follow_rollout
from finops_lib.operate.scale_advice import scale_advice
from finops_lib.operate.scorecard import scorecard
from finops_lib.operate.viability import full_cost_factors, viability
from finops_lib.operate.watch import Watch, watch_assistants

__all__ = [
    "AUDIENCES",
    "BudgetState",
    "Burn",
    "Evidence",
    "GatewayConfig",
    "RolloutReport",
    "Watch",
    "agent_limit_breaches",
    "alert_records",
    "alerts",
    "append_record",
    "begun_in",
    "budget_checks",
    "budget_state",
    "budgets_of",
    "burn",
    "concerning",
    "contributions",
    "daily_by",
    "daily_drivers",
    "decisions_held",
    "exceptions_held",
    "find_anomalies",
    "flag_days",
    "follow_rollout",
    "format_alerts",
    "four_answers",
    "full_cost_factors",
    "further_answers",
    "gateway_config",
    "gateway_files",
    "gateway_findings",
    "keep_proofs",
    "last_day_reported",
    "leading_budget",
    "likely_causes",
    "of_assistant",
    "portfolio",
    "portfolio_checks",
    "propose_budgets",
    "propose_decisions",
    "quarterly_list",
    "raci_table",
    "read_evidence",
    "record_decision",
    "review_checks",
    "scale_advice",
    "scorecard",
    "send_alerts",
    "spend_spikes",
    "tier_drift",
    "viability",
    "watch_and_burn",
    "watch_assistants",
]
