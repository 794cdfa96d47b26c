"""Table contracts: every column of every table with its type, unit and meaning."""

from finops_lib.schema.calls import (
    AGENT_RUNS,
    AMOUNTS,
    COUNTS,
    DIMENSIONS,
    FLAGS,
    INPUT_CLASSES,
    LEDGER,
    OUTPUT_CLASSES,
    QUANTITIES,
    QUARANTINE,
    REQUESTS,
    SPANS,
    TOKEN_CLASSES,
    TOKENS,
    USAGE,
    USAGE_BUCKETS,
)
from finops_lib.schema.charges import ALLOCATIONS, CHARGES, INVOICE_DETAILS, TRUE_UPS
from finops_lib.schema.columns import COST_TYPE, UNIT_PRICE_TYPE, Column, names
from finops_lib.schema.contracts import TABLES, check_frame
from finops_lib.schema.given import CAPACITY, CUSTOMERS, EVALUATIONS, OUTCOMES, SEATS, VOLUMES

__all__ = [
    "AGENT_RUNS",
    "ALLOCATIONS",
    "AMOUNTS",
    "CAPACITY",
    "CHARGES",
    "COST_TYPE",
    "COUNTS",
    "CUSTOMERS",
    "DIMENSIONS",
    "EVALUATIONS",
    "FLAGS",
    "INPUT_CLASSES",
    "INVOICE_DETAILS",
    "LEDGER",
    "OUTCOMES",
    "OUTPUT_CLASSES",
    "QUANTITIES",
    "QUARANTINE",
    "REQUESTS",
    "SEATS",
    "SPANS",
    "TABLES",
    "TOKENS",
    "TOKEN_CLASSES",
    "TRUE_UPS",
    "UNIT_PRICE_TYPE",
    "USAGE",
    "USAGE_BUCKETS",
    "VOLUMES",
    "Column",
    "check_frame",
    "names",
]
