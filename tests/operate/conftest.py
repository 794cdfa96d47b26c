"""Days made by hand: quiet drivers, into which a test plants what it looks for."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from finops_lib.inform.measures import COUNT_TYPE, MONEY_TYPE
from finops_lib.operate import Evidence, budget_state, budgets_of
from finops_lib.settings import Organisation, Params, Settings


@pytest.fixture
def make_daily():
    """Build days of requests, tokens per request and rate; ``plant`` maps a driver to days × factor."""

    def make(days=120, seed=5, first="2026-04-06", **plant):
        random = np.random.default_rng(seed)
        date = pd.date_range(first, periods=days)
        weekly = np.where(date.day_of_week < 5, 1.0, 0.4)
        daily = pd.DataFrame(
            {
                "date": date,
                "requests": 10_000 * weekly * np.exp(random.normal(0, 0.05, days)),
                "tokens_per_request": 2_000 * np.exp(random.normal(0, 0.03, days)),
                "rate": 3e-6 * np.exp(random.normal(0, 0.01, days)),
            }
        )
        for driver, (start, factors) in plant.items():
            factors = np.asarray(factors, dtype=float)
            daily.loc[start : start + len(factors) - 1, driver] *= factors
        daily["cost"] = daily["requests"] * daily["tokens_per_request"] * daily["rate"]
        return daily

    return make


@pytest.fixture(scope="session")
def make_costs():
    """Build a ledger of one row a day from amounts in USD; further dimensions are the same on all rows."""

    def make(amounts, first=date(2026, 10, 1), assistant="helper", **dimensions):
        days = [first + timedelta(days=place) for place in range(len(amounts))]
        frame = pd.DataFrame({"charge_period_start": days, "assistant": assistant, "model": "small", **dimensions})
        exact = pd.array([Decimal(amount) for amount in amounts], dtype=pd.ArrowDtype(pa.decimal128(38, 15)))
        return frame.assign(contracted_cost=exact)

    return make


@pytest.fixture
def make_evidence(tmp_path):
    """Build the evidence of days without a gap in October: one call a day and assistant, a dollar each, all tagged."""

    def make(assistants=None, *, of="organisation", days=31, organisation=None, tables=None, **columns):
        chosen = {name: Settings.model_validate(given) for name, given in (assistants or {}).items()}
        params = Params(
            assistant=of,
            period="latest",
            settings=chosen.get(of, Settings()),
            organisation=Organisation.model_validate(organisation or {}),
            project=tmp_path,
            assistants=chosen,
        )
        tags = {"team": "brand", "cost_center": "CC-1", "workflow": "draft", "environment": "production"}
        tags |= {"data_class": "internal", "model": "gpt-5.4-mini", "request_type": "chat", "agent": None}
        seen = [
            {"charge_period_start": day.date(), "assistant": name, **tags}
            for day in pd.date_range("2026-10-01", periods=days)
            for name in chosen
        ]
        calls = pd.DataFrame(seen, columns=["charge_period_start", "assistant", *tags]).assign(**columns)
        costs = calls.assign(token_class="output", pricing_quantity=1000, contracted_cost=Decimal(1))
        costs = costs.astype({"pricing_quantity": COUNT_TYPE, "contracted_cost": MONEY_TYPE})
        usage = calls.assign(request_count=1, run_status="success", retries=0, uncached_input_tokens=1000)
        as_of = date(2026, 10, days) if seen else None
        empty = {
            "outcomes": ["date", "assistant", "outcome_count"],
            "evaluations": ["evaluation_set"],
            "seats": ["month"],
            "charges": ["provider"],
            "closed": ["month", "reconciled"],
            "users": ["assistant", "users"],
            "prices": ["model", "token_class", "unit_price"],
            "violations": ["assistant", "environment", "rule", "what_to_do"],
        }
        frames = {name: pd.DataFrame(columns=columns) for name, columns in empty.items()} | (tables or {})
        budgets = budget_state(costs, budgets_of(params), as_of)
        return Evidence(params=params, as_of=as_of, costs=costs, usage=usage, budgets=budgets, history={}, **frames)

    return make
