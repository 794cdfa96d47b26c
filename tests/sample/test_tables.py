"""Outcomes, evaluations, seats, capacity, customers and volumes."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pandas as pd
import pytest

from finops_lib.sample.tables import capacity, customers, evaluations, outcomes
from finops_lib.schema import TABLES, check_frame, names


@pytest.mark.parametrize("table", ["outcomes", "evaluations", "seats", "capacity", "customers", "volumes"])
def test_columns_are_the_contract(folder: Path, table: str) -> None:
    """Each file has the columns of its contract, in order, and no empty required value."""
    path = folder / "tables" / table
    frame = pd.read_parquet(f"{path}.parquet") if table == "evaluations" else pd.read_csv(f"{path}.csv")

    assert names(TABLES[table]) == list(frame.columns)
    check_frame(frame, table)


def test_one_assistant_has_no_outcomes(calls: pd.DataFrame) -> None:
    """P36: five assistants count outcomes, and each count is worth its value."""
    table = outcomes(calls)
    tickets = table[table["outcome"] == "ticket_resolved"]

    counting = {"coding-assistant", "contract-extraction", "knowledge-bot", "sales-research-agent", "support-copilot"}
    assert counting == set(table["assistant"])
    assert all(Decimal(row.outcome_value) == row.outcome_count * Decimal("2.60") for row in tickets.itertuples())


def test_outcomes_are_counted_in_local_days(calls: pd.DataFrame) -> None:
    """Resolved production tickets of all days add up, whatever the zone."""
    resolved = calls[(calls["workflow"] == "ticket-answer") & (calls["environment"] == "production")]
    table = outcomes(calls)

    assert resolved["resolved"].sum() == table.loc[table["workflow"] == "ticket-answer", "outcome_count"].sum()


def test_evaluation_candidates() -> None:
    """P35: a good candidate, a trap and an underpowered one beside the baseline, at their costs and pass rates."""
    frame = evaluations().to_pandas()
    support = frame[frame["evaluation_set"] == "support-copilot/ticket-answer"]
    found = support.groupby("configuration").agg(
        items=("passed", "size"), passed=("passed", "sum"), cost=("cost_usd", lambda c: round(c.mean(), 4))
    )
    paired = support.pivot_table(index="item_id", columns="configuration", values="passed", aggfunc="first").dropna(
        subset=["gated-routing"]
    )
    baseline, gated = (paired[name].astype(bool) for name in ("claude-sonnet-5", "gated-routing"))

    assert {
        "claude-sonnet-5": (1000, 950, 0.0336),
        "gated-routing": (1000, 954, 0.0149),
        "aggressive-compression": (1000, 880, 0.0121),
        "small-model": (60, 57, 0.0042),
    } == {row.Index: (row.items, row.passed, row.cost) for row in found.itertuples()}
    assert (28, 32) == ((baseline & ~gated).sum(), (~baseline & gated).sum())
    assert not frame.duplicated(["evaluation_set", "item_id", "configuration"]).any()


def test_trap_fails_in_one_segment_most() -> None:
    """P35: the loss of the trap sits in the technical questions."""
    frame = evaluations().to_pandas().query("configuration == 'aggressive-compression'")
    rates = frame.groupby("segment")["passed"].mean()

    assert "technical" == rates.idxmin()
    assert rates["technical"] < 0.75 < 0.9 < rates.drop("technical").min()


def test_idle_capacity(calls: pd.DataFrame) -> None:
    """P32: two thirds of the provisioned hours are idle."""
    table = capacity(calls)

    assert 61 == len(table)
    assert 0.6 < 1 - table["used_share"].astype(float).mean() < 0.75


def test_unprofitable_customer(calls: pd.DataFrame) -> None:
    """P34: one customer costs more than it pays in every month, the others do not."""
    month = pd.to_datetime(calls["start_ms"], unit="ms").dt.strftime("%Y-%m")
    cost = calls.groupby([month, "customer"])["usd"].sum()
    revenue = customers(calls).set_index(["month", "customer"])["revenue"].astype(float)
    margin = revenue - cost
    losing = margin[margin < 0]

    assert {"customer-07"} == set(losing.index.get_level_values("customer"))
    assert 4 == len(losing)
