"""Ingest: exports → requests → ledger; the only stage that talks to an engine."""

from finops_lib.ingest.agent_runs import agent_runs
from finops_lib.ingest.build import build_ledger, close_period, refresh_ledger, reopen_period, repricing
from finops_lib.ingest.exports import read_source
from finops_lib.ingest.ledger import Ledger, open_ledger, pseudonym_key
from finops_lib.ingest.measures import distinct_users, request_cost_quantiles, tasks_by, tasks_by_day, users_by_cost
from finops_lib.ingest.price_list import read_price_list
from finops_lib.ingest.quality import (
    captured_days,
    covered_twice,
    quarantined_rows,
    reading_checks,
    reported_against_ours,
    rows_read,
    rows_set_aside,
    tables_read,
    unpriced_models,
    usage_bases,
)
from finops_lib.ingest.tables import load_table

__all__ = [
    "Ledger",
    "agent_runs",
    "build_ledger",
    "captured_days",
    "close_period",
    "covered_twice",
    "distinct_users",
    "load_table",
    "open_ledger",
    "pseudonym_key",
    "quarantined_rows",
    "read_price_list",
    "read_source",
    "reading_checks",
    "refresh_ledger",
    "reopen_period",
    "reported_against_ours",
    "repricing",
    "request_cost_quantiles",
    "rows_read",
    "rows_set_aside",
    "tables_read",
    "tasks_by",
    "tasks_by_day",
    "unpriced_models",
    "usage_bases",
    "users_by_cost",
]
