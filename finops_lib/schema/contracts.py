"""Contracts: all tables by name, and the check at the door of a stage."""

from __future__ import annotations

import warnings

import pandas as pd

from finops_lib.errors import SchemaError
from finops_lib.schema.calls import AGENT_RUNS, LEDGER, QUARANTINE, REQUESTS, SPANS, USAGE, USAGE_BUCKETS
from finops_lib.schema.charges import ALLOCATIONS, CHARGES, INVOICE_DETAILS, TRUE_UPS
from finops_lib.schema.columns import Column
from finops_lib.schema.given import CAPACITY, CUSTOMERS, EVALUATIONS, OUTCOMES, SEATS, VOLUMES

TABLES: dict[str, tuple[Column, ...]] = {
    "requests": REQUESTS,
    "quarantine": QUARANTINE,
    "spans": SPANS,
    "usage_buckets": USAGE_BUCKETS,
    "usage": USAGE,
    "ledger": LEDGER,
    "agent_runs": AGENT_RUNS,
    "outcomes": OUTCOMES,
    "evaluations": EVALUATIONS,
    "seats": SEATS,
    "capacity": CAPACITY,
    "customers": CUSTOMERS,
    "volumes": VOLUMES,
    "charges": CHARGES,
    "invoice_details": INVOICE_DETAILS,
    "true_ups": TRUE_UPS,
    "allocations": ALLOCATIONS,
}


def check_frame(frame: pd.DataFrame, table: str) -> pd.DataFrame:
    """Hold a frame against its contract at the door of a stage.

    Parameters
    ----------
    frame : DataFrame
        Any frame that claims to be ``table``; columns beyond the contract are allowed.
    table : str
        A key of ``TABLES``.

    Returns
    -------
    DataFrame
        The same frame.

    Raises
    ------
    SchemaError
        If a required column is missing or holds nulls.
    """
    with warnings.catch_warnings():
        # pandera looks for other frame libraries, whose warnings are none of the reader's business.
        warnings.simplefilter("ignore", FutureWarning)
        import pandera.pandas as pa

        required = [column.name for column in TABLES[table] if column.required]
        contract = pa.DataFrameSchema({name: pa.Column(nullable=False) for name in required})
        try:
            contract.validate(frame, lazy=True)
        except pa.errors.SchemaErrors as error:
            worst, cases = error.failure_cases.iloc[0], len(error.failure_cases)
            column = worst["failure_case"] if worst["check"] == "column_in_dataframe" else worst["column"]
            message = f"Table '{table}': column '{column}' breaks its contract ({worst['check']}, {cases} cases)"
            hint = f"required columns of '{table}' are {', '.join(required)}; none may be empty"
            raise SchemaError(message, hint=hint) from error
    return frame
