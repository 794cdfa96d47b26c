"""A ledger of a few rows, priced by hand."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from finops_lib.inform import PanelModel
from finops_lib.inform.forecast import model as forecast_model
from finops_lib.schema import CHARGES, LEDGER, USAGE

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


def log_row(day, model, token_class, quantity, price, **more):
    """One ledger row of provider acme, account p1; ``price`` is USD per million, ``None`` when there is none."""
    where = {"provider": "acme", "provider_account": "p1", "capture_layer": "gateway", "model": model}
    row = ledger_row(day, token_class, quantity, price, **where) | more
    unit = None if price is None else Decimal(str(price)) / 10**6
    return {"list_unit_price": unit, "contracted_unit_price": unit, "service_tier": None} | row


@pytest.fixture
def make_log():
    """Build a ledger of provider acme from (day, model, token class, quantity, USD per million, columns)."""
    return lambda rows: build_whole([log_row(*row[:5], **(row[5] if len(row) > 5 else {})) for row in rows], LEDGER)


def bill_row(place, model, token_class, quantity, price, **more):
    """One bill line of provider acme for September 2026, account p1; quantity × price = cost, exactly."""
    start, end = pd.Timestamp("2026-09-01", tz="UTC"), pd.Timestamp("2026-10-01", tz="UTC")
    cost = None if quantity is None else quantity * Decimal(str(price)) / 10**6
    period = {"billing_period_start": start, "billing_period_end": end, "charge_period_start": start}
    row = period | {"charge_period_end": end, "charge_id": f"line-{place}", "charge_category": "Usage"}
    row |= {"invoice_issuer_name": "Acme", "billing_account_id": "A", "invoice_id": "ACME-9", "sub_account_id": "p1"}
    row |= {"provider": "acme", "model": model, "token_class": token_class, "service_tier": "standard"}
    row |= {"consumed_quantity": quantity, "consumed_unit": "Tokens", "billing_currency": "USD", "exchange_rate": 1}
    row |= {"billed_cost": cost, "contracted_cost": cost, "list_cost": cost, "effective_cost": cost} | more
    row |= {"billing_currency_billed_cost": row["billed_cost"], "source": "focus", "source_file": "b"}
    return row | {"source_position": place}


@pytest.fixture
def make_bill():
    """Build bill lines of provider acme from (model, token class, quantity, USD per million, columns)."""

    def make(rows):
        lines = [bill_row(n, *row[:4], **(row[4] if len(row) > 4 else {})) for n, row in enumerate(rows, start=1)]
        return build_whole(lines, CHARGES)

    return make


def build_whole(rows, contract):
    """Make an Arrow-backed frame with all columns of a contract."""
    types = _TYPES | {"DECIMAL(20,10)": pa.decimal128(20, 10)}
    return pd.DataFrame(
        {c.name: pd.array([row.get(c.name) for row in rows], dtype=pd.ArrowDtype(types[c.type])) for c in contract}
    )


@pytest.fixture
def tied(make_log, make_bill):
    """
    A month of one model that ties, 8.00 USD: on each of the days 1 to 10 of September 100,000 tokens in at 2.00 a
    million (2.00 in all) and 75,000 out at 8.00 (6.00 in all); on the other days nothing was called.
    """
    days = [f"2026-09-{day:02d}" for day in range(1, 11)]
    log = make_log(
        [(day, "large", *kind) for day in days for kind in (("uncached_input", 100_000, 2), ("output", 75_000, 8))]
    )
    bill = make_bill([("large", "uncached_input", 1_000_000, 2), ("large", "output", 750_000, 8)])
    return log, bill


class _Steady:
    """A regressor that expects the last four weeks to go on."""

    def __init__(self, log_ratio):
        self.log_ratio = log_ratio

    def predict(self, rows):
        return np.full(len(rows), self.log_ratio)


@pytest.fixture
def steady_panel(monkeypatch):
    """Adopt a model without any trend, so that levels can be worked out by hand."""
    members = (tuple(_Steady(each) for each in (-0.2, -0.1, 0.0, 0.1, 0.2)),)
    monkeypatch.setattr(forecast_model, "_adopted", PanelModel(members))
