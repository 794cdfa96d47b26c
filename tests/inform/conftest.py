"""A ledger of a few rows, priced by hand."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pandas as pd
import pyarrow as pa
import pytest

from finops_lib.schema import LEDGER, USAGE

_TYPES = {
    "VARCHAR": pa.string(),
    "BIGINT": pa.int64(),
    "DATE": pa.date32(),
    "BOOLEAN": pa.bool_(),
    "TIMESTAMPTZ": pa.timestamp("us", "UTC"),
    "DECIMAL(38,15)": pa.decimal128(38, 15),
    "DECIMAL(20,15)": pa.decimal128(20, 15),
    "DECIMAL(28,12)": pa.decimal128(28, 12),
    "DECIMAL(18,12)": pa.decimal128(18, 12),
    "DECIMAL(18,3)": pa.decimal128(18, 3),
    "DECIMAL(28,3)": pa.decimal128(28, 3),
}


def build(rows, contract):
    """Make an Arrow-backed frame with only the columns that the rows name."""
    named = [column for column in contract if any(column.name in row for row in rows) or column.required]
    return pd.DataFrame(
        {
            column.name: pd.array([row.get(column.name) for row in rows], dtype=pd.ArrowDtype(_TYPES[column.type]))
            for column in named
        }
    )


def ledger_row(day, token_class, quantity, price, **dimensions):
    """One ledger row; ``price`` is USD per million tokens, ``None`` when there is none."""
    unit_price = None if price is None else Decimal(str(price)) / 10**6
    cost = None if unit_price is None else quantity * unit_price
    return {
        "charge_period_start": date.fromisoformat(day),
        "token_class": token_class,
        "consumed_quantity": quantity,
        "pricing_quantity": quantity,
        "contracted_cost": cost,
        "list_cost": cost,
        **dimensions,
    }


@pytest.fixture
def make_ledger():
    """Build a ledger from rows."""

    def make(rows):
        return build([ledger_row(*row[:4], **row[4]) for row in rows], LEDGER)

    return make


@pytest.fixture
def make_usage():
    """Build a usage frame from (day, requests, columns)."""

    def make(rows):
        return build(
            [{"charge_period_start": date.fromisoformat(day), "request_count": n, **more} for day, n, more in rows],
            USAGE,
        )

    return make


@pytest.fixture
def costs(make_ledger):
    """
    Six rows, 10.00 USD priced in all:

    large: 1,000,000 uncached x 2.00 = 2.00; 500,000 output x 8.00 = 4.00; 1,000,000 cache reads x 0.50 = 0.50
    small: 5,000,000 uncached x 0.50 = 2.50; 500,000 reasoning x 2.00 = 1.00; 300,000 output without a price
    """
    return make_ledger(
        [
            ("2026-09-01", "uncached_input", 1_000_000, 2, {"model": "large", "team": "brand", "workflow": "draft"}),
            ("2026-09-01", "output", 500_000, 8, {"model": "large", "team": "brand", "workflow": "draft"}),
            ("2026-09-02", "cache_read", 1_000_000, "0.5", {"model": "large", "team": None, "workflow": "draft"}),
            ("2026-09-02", "uncached_input", 5_000_000, "0.5", {"model": "small", "team": "legal", "workflow": "tag"}),
            ("2026-09-04", "reasoning", 500_000, 2, {"model": "small", "team": "legal", "workflow": "tag"}),
            ("2026-09-04", "output", 300_000, None, {"model": "small", "team": "legal", "workflow": "tag"}),
        ]
    )


@pytest.fixture
def usage(make_usage):
    """Count the calls behind the ledger: 10 and 10 by the large model, 50 and 30 by the small one."""
    return make_usage(
        [
            ("2026-09-01", 10, {"model": "large", "route": "premium", "uncached_input_tokens": 1_000_000}),
            ("2026-09-02", 10, {"model": "large", "route": "default", "cache_read_input_tokens": 1_000_000}),
            ("2026-09-02", 50, {"model": "small", "route": "default", "uncached_input_tokens": 5_000_000}),
            ("2026-09-04", 30, {"model": "small", "route": "default", "ambiguous_count": 3}),
        ]
    )
