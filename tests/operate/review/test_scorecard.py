"""The scorecard holds hand-made months against their targets."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pytest

from finops_lib.inform.measures import COUNT_TYPE, MONEY_TYPE
from finops_lib.operate import scorecard
from finops_lib.settings import Organisation, Params, Promotion, Settings

NO_BUDGETS = pd.DataFrame(columns=["about", "allowed", "projected"])
NO_EVENTS = pd.DataFrame(columns=["start", "impact"])
NO_RESULTS = pd.DataFrame(columns=["month", "outcomes", "cost_per_outcome", "cost_per_successful_task"])


@pytest.fixture
def params() -> Params:
    """Make an organisation with default owners."""
    alerts = {"default_business": "cfo", "default_technical": "cto"}
    return Params(assistant="organisation", period="latest", settings=Settings(), project=Path(),
                  organisation=Organisation(alerts=alerts), assistants={})  # fmt: skip


def month(first: str, parts, calls=100, **extra) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Make a month of one day: token class → tokens, contracted cost, list cost; and its calls."""
    tags = {"charge_period_start": date.fromisoformat(first), "team": "a", "workflow": "w", "cost_center": "c"}
    rows = [
        tags
        | {"token_class": kind, "pricing_quantity": n, "contracted_cost": Decimal(paid), "list_cost": Decimal(listed)}
        for kind, (n, paid, listed) in parts.items()
    ]
    money = {"contracted_cost": MONEY_TYPE, "list_cost": MONEY_TYPE, "pricing_quantity": COUNT_TYPE}
    usage = [
        tags | {"request_count": calls - 10, "run_status": "ok", "cache_hit": False},
        tags | {"request_count": 10, "run_status": "error", "cache_hit": True},
    ]
    return pd.DataFrame(rows).astype(money).assign(**extra), pd.DataFrame(usage)


def card(params, months, **given) -> pd.DataFrame:
    """Make the card of October."""
    costs, usage = (pd.concat(frames, ignore_index=True) for frames in zip(*months, strict=True))
    known = {"results": NO_RESULTS, "budgets": NO_BUDGETS, "events": NO_EVENTS, "as_of": date(2026, 10, 1)}
    return scorecard(params, costs, usage, period="2026-10", **(known | given)).set_index("kpi")


OCTOBER = month(
    "2026-10-01", {"uncached_input": (600, "6", "8"), "cache_read": (400, "1", "2"), "output": (100, "3", "10")}
)
SEPTEMBER = month("2026-09-01", {"uncached_input": (500, "4", "4"), "output": (100, "4", "4")})


@pytest.mark.parametrize(
    ("kpi", "actual", "previous", "state"),
    [
        ("Input share of spend", 0.7, 0.5, "tracked"),
        ("Cache Hit Rate (tokens)", 0.4, 0.0, "missed"),
        ("Effective Savings Rate", 0.5, 0.0, "tracked"),
        ("Cost per API Call", 0.1, 0.08, "tracked"),
        ("LLM Error Rate", 0.1, 0.1, "tracked"),
        ("Cache hit rate (answers)", 0.1, 0.1, "tracked"),
        ("Allocation Accuracy Index", 1.0, 1.0, "met"),
        ("Anomaly Detection Rate (AI)", 0.0, 0.0, "met"),
    ],
)
def test_measures_of_the_ledger(params, kpi, actual, previous, state) -> None:
    """October cost 10 dollars, 7 of them for 1,000 tokens of input; September 8."""
    row = card(params, [SEPTEMBER, OCTOBER]).loc[kpi]

    assert (actual, previous, state) == (round(row["actual"], 6), round(row["previous"], 6), row["state"])


def test_trend_and_change(params) -> None:
    """Shares change in points, money relative; the owner is the role the parameters name."""
    found = card(params, [SEPTEMBER, OCTOBER])

    assert ("up", 0.2) == (
        found.loc["Input share of spend", "trend"],
        round(found.loc["Input share of spend", "change"], 6),
    )
    assert ("up", 0.25) == (found.loc["Cost per API Call", "trend"], round(found.loc["Cost per API Call", "change"], 6))
    assert "flat" == found.loc["LLM Error Rate", "trend"]
    assert ("cto", "cfo") == (found.loc["LLM Error Rate", "owner"], found.loc["Effective Savings Rate", "owner"])


def test_cost_per_outcome_by_quarter(params) -> None:
    """Two months of 10 and 20 dollars for 30 outcomes are a dollar each; October's 1.10 is 10% more."""
    results = pd.DataFrame({
        "month": ["2026-08", "2026-09", "2026-10"],
        "outcomes": [20, 10, 10],
        "cost_per_outcome": [0.5, 2.0, 1.1],
        "cost_per_successful_task": [1.0, 1.0, None],
    })  # fmt: skip
    found = card(params, [OCTOBER], results=results)

    row = found.loc["Cost per successful outcome, quarter on quarter"]
    assert (0.1, "missed") == (round(row["actual"], 6), row["state"])
    assert ("not known", "task ids, or a status on calls") == tuple(
        found.loc["Cost per completed workflow", ["state", "what_adds_it"]]
    )


def test_budgets_events_and_promotions(params) -> None:
    """The widest budget ends 4% below; one of two is kept; one dollar in ten unusual; one promotion of two gated."""
    budgets = pd.DataFrame({"about": ["route a", "everything"], "allowed": [10.0, 100.0], "projected": [12.0, 96.0]})
    events = pd.DataFrame({"start": ["2026-10-01", "2026-09-01"], "impact": [1.0, 99.0]})
    change = {"assistant": "a", "lever": "batch", "promoted_on": "2026-10-01", "owner": "o", "expected_saving": 1}
    promotions = [Promotion(configuration="x", verdict="promote", **change), Promotion(configuration="y", **change)]
    found = card(params, [OCTOBER], budgets=budgets, events=events, promotions=promotions)
    shown = {name: (round(row["actual"], 6), row["state"]) for name, row in found.iterrows()}

    assert (0.04, "met") == shown["Variance budgeted vs forecasted"]
    assert (0.5, "missed") == shown["Teams within budget"]
    assert (0.1, "missed") == shown["Anomaly Detection Rate (AI)"]
    assert (0.5, "missed") == shown["Pass rate at promotion"]


def test_forecast_accuracy_needs_history(params, make_costs) -> None:
    """Ninety even days are forecast without error; one day says nothing."""
    even = make_costs(["10"] * 90, first=date(2026, 8, 1)).assign(
        token_class="output", pricing_quantity=1, list_cost=None
    )
    usage = even[["charge_period_start"]].assign(request_count=1, run_status=None, cache_hit=None, workflow=None)
    found = card(params, [(even, usage)], as_of=date(2026, 10, 29)).loc["Forecast Accuracy Rate (Spend)"]

    assert (0.0, "met") == (round(found["actual"], 6), found["state"])
    assert "not known" == card(params, [OCTOBER]).loc["Forecast Accuracy Rate (Spend)", "state"]


def test_empty_ledger_says_what_would_tell(params) -> None:
    """Nothing is known, and each row names what adds it."""
    empty = (OCTOBER[0].head(0), OCTOBER[1].head(0))
    found = card(params, [empty], as_of=None)

    assert {"not known"} == set(found["state"])
    assert found["what_adds_it"].notna().all()
