"""Operate: budgets, anomalies, alerts, and who answers for them."""

from finops_lib.operate.alerting.alerts import AUDIENCES, alerts
from finops_lib.operate.alerting.delivery import alert_records, format_alerts, send_alerts
from finops_lib.operate.anomalies.anomalies import find_anomalies, flag_days
from finops_lib.operate.anomalies.causes import contributions, likely_causes
from finops_lib.operate.anomalies.daily_drivers import daily_drivers
from finops_lib.operate.anomalies.watch import Watch, watch_assistants
from finops_lib.operate.budgets.budgets import BudgetState, budget_state
from finops_lib.operate.budgets.burn import Burn, burn
from finops_lib.operate.budgets.review import (
    budget_checks,
    concerning,
    leading_budget,
    of_assistant,
    propose_budgets,
    watch_and_burn,
)
from finops_lib.operate.budgets.rules import budgets_of, last_day_reported
from finops_lib.operate.gateway.agent_limits import agent_limit_breaches
from finops_lib.operate.gateway.checks import gateway_findings
from finops_lib.operate.gateway.config import gateway_config, gateway_files
from finops_lib.operate.gateway.form import GatewayConfig
from finops_lib.operate.review.decision_record import append_record, record_decision
from finops_lib.operate.review.decisions_held import decisions_held, exceptions_held
from finops_lib.operate.review.further_answers import further_answers
from finops_lib.operate.review.month_events import events_of_month
from finops_lib.operate.review.month_review import MonthReview, review_month
from finops_lib.operate.review.portfolio import (
    daily_by,
    four_answers,
    portfolio,
    portfolio_checks,
    spend_spikes,
)
from finops_lib.operate.review.quarterly import quarterly_list, tier_drift
from finops_lib.operate.review.review import overrun_budgets, propose_decisions, review_checks
from finops_lib.operate.review.scale_advice import scale_advice
from finops_lib.operate.review.scorecard import scorecard
from finops_lib.operate.review.viability import viability
from finops_lib.operate.rollout.evidence import Evidence, keep_proofs, read_evidence
from finops_lib.operate.rollout.governance import raci_table
from finops_lib.operate.rollout.rollout import RolloutReport, follow_rollout

__all__ = [
    "AUDIENCES",
    "BudgetState",
    "Burn",
    "Evidence",
    "GatewayConfig",
    "MonthReview",
    "RolloutReport",
    "Watch",
    "agent_limit_breaches",
    "alert_records",
    "alerts",
    "append_record",
    "budget_checks",
    "budget_state",
    "budgets_of",
    "burn",
    "concerning",
    "contributions",
    "daily_by",
    "daily_drivers",
    "decisions_held",
    "events_of_month",
    "exceptions_held",
    "find_anomalies",
    "flag_days",
    "follow_rollout",
    "format_alerts",
    "four_answers",
    "further_answers",
    "gateway_config",
    "gateway_files",
    "gateway_findings",
    "keep_proofs",
    "last_day_reported",
    "leading_budget",
    "likely_causes",
    "of_assistant",
    "overrun_budgets",
    "portfolio",
    "portfolio_checks",
    "propose_budgets",
    "propose_decisions",
    "quarterly_list",
    "raci_table",
    "read_evidence",
    "record_decision",
    "review_checks",
    "review_month",
    "scale_advice",
    "scorecard",
    "send_alerts",
    "spend_spikes",
    "tier_drift",
    "viability",
    "watch_and_burn",
    "watch_assistants",
]
