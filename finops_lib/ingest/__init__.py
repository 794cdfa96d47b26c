"""Ingest: exports → requests → ledger; the only stage that talks to an engine."""

from finops_lib.ingest.bills.billing_usage import billing_usage
from finops_lib.ingest.bills.bills import load_charges, load_invoice_details
from finops_lib.ingest.bills.record import bill_checks, bill_findings, bills_read
from finops_lib.ingest.build import build_ledger, refresh_ledger, repricing
from finops_lib.ingest.closing import close_period, closed_months, closed_true_ups, reopen_period
from finops_lib.ingest.kept import made_once
from finops_lib.ingest.ledger import Ledger, open_ledger, pseudonym_key
from finops_lib.ingest.prices.announced import announced_prices, model_prices
from finops_lib.ingest.prices.rows import read_price_list
from finops_lib.ingest.questions.agent_runs import agent_runs
from finops_lib.ingest.questions.dearest_calls import dearest_calls
from finops_lib.ingest.questions.lever_measures import (
    input_over_budget,
    missed_prefixes,
    repeated_calls,
    successful_tasks_by_day,
)
from finops_lib.ingest.questions.measures import (
    distinct_users,
    request_cost_quantiles,
    tasks_by,
    tasks_by_day,
    users_by_cost,
)
from finops_lib.ingest.questions.quality import reading_checks, reported_against_ours, unpriced_models, usage_bases
from finops_lib.ingest.questions.readings import (
    captured_days,
    covered_twice,
    quarantined_rows,
    rows_read,
    rows_set_aside,
    tables_read,
)
from finops_lib.ingest.questions.routed_calls import calls_over_routing_limits, contracted_prices
from finops_lib.ingest.questions.task_measures import agent_run_costs, spend_concentration, task_quality, tasks_by_month
from finops_lib.ingest.questions.wasted_requests import calls_over_output_limit, wasted_requests
from finops_lib.ingest.reading.exports import read_source
from finops_lib.ingest.tables import load_table

__all__ = [
    "Ledger",
    "agent_run_costs",
    "agent_runs",
    "announced_prices",
    "bill_checks",
    "bill_findings",
    "billing_usage",
    "bills_read",
    "build_ledger",
    "calls_over_output_limit",
    "calls_over_routing_limits",
    "captured_days",
    "close_period",
    "closed_months",
    "closed_true_ups",
    "contracted_prices",
    "covered_twice",
    "dearest_calls",
    "distinct_users",
    "input_over_budget",
    "load_charges",
    "load_invoice_details",
    "load_table",
    "made_once",
    "missed_prefixes",
    "model_prices",
    "open_ledger",
    "pseudonym_key",
    "quarantined_rows",
    "read_price_list",
    "read_source",
    "reading_checks",
    "refresh_ledger",
    "reopen_period",
    "repeated_calls",
    "reported_against_ours",
    "repricing",
    "request_cost_quantiles",
    "rows_read",
    "rows_set_aside",
    "spend_concentration",
    "successful_tasks_by_day",
    "tables_read",
    "task_quality",
    "tasks_by",
    "tasks_by_day",
    "tasks_by_month",
    "unpriced_models",
    "usage_bases",
    "users_by_cost",
    "wasted_requests",
]
