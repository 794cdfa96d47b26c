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
NO_EVENTS = pd.DataFrame(columns=["start", "end", "impact"])
NO_WINDOWS = pd.DataFrame(columns=["method", "actual", "forecast", "error", "mae", "naive_mae"])
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
    known = {"results": NO_RESULTS, "budgets": NO_BUDGETS, "events": NO_EVENTS, "windows": NO_WINDOWS}
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

    row = found.loc["Cost per successful outcome, quarter so far"]
    assert (0.1, "missed") == (round(row["actual"], 6), row["state"])
    assert ("not known", "task ids, or a status on calls") == tuple(
        found.loc["Cost per successful task", ["state", "what_adds_it"]]
    )


def test_budgets_events_and_promotions(params) -> None:
    """The widest budget ends 4% below; one of two is kept; one dollar in ten unusual; one promotion of two gated."""
    budgets = pd.DataFrame({"about": ["route a", "route b"], "allowed": [10.0, 100.0], "projected": [12.0, 96.0]})
    starts, ends = ["2026-09-30", "2026-09-01"], ["2026-10-01", "2026-09-30"]
    events = pd.DataFrame({"start": starts, "end": ends, "impact": [2.0, 99.0]})
    change = {"assistant": "a", "lever": "batch", "promoted_on": "2026-10-01", "owner": "o", "expected_saving": 1}
    promotions = [Promotion(configuration="x", verdict="promote", **change), Promotion(configuration="y", **change)]
    found = card(params, [OCTOBER], budgets=budgets, events=events, promotions=promotions)
    shown = {name: (round(row["actual"], 6), row["state"]) for name, row in found.iterrows()}

    assert (0.04, "met") == shown["Variance budgeted vs forecasted"]
    assert (0.5, "missed") == shown["Budgets within forecast"]
    assert (0.1, "missed") == shown["Anomaly Detection Rate (AI)"]
    assert (0.5, "missed") == shown["Promotions with the gate's verdict"]


def test_the_budget_of_everything_is_the_widest(params) -> None:
    """Whatever it allows, it is the one that all others are part of."""
    budgets = pd.DataFrame({"about": ["route a", "everything"], "allowed": [900.0, 100.0], "projected": [9.0, 96.0]})

    assert 0.04 == round(card(params, [OCTOBER], budgets=budgets).loc["Variance budgeted vs forecasted", "actual"], 6)


def test_forecast_error_is_that_of_the_forecast_by_driver(params) -> None:
    """10 of 100 and 30 of 100 are a fifth together, a tenth without the last window; without windows nobody knows."""
    windows = pd.DataFrame({"method": ["by driver", "by driver", "total alone"], "actual": 100.0,
                            "forecast": [110.0, 70.0, 500.0], "error": 0.1, "mae": 1.0, "naive_mae": 1.0})  # fmt: skip
    found = card(params, [OCTOBER], windows=windows).loc["Forecast error"]

    assert (0.2, 0.1, "missed") == (round(found["actual"], 6), round(found["previous"], 6), found["state"])
    assert "not known" == card(params, [OCTOBER]).loc["Forecast error", "state"]


def test_empty_ledger_says_what_would_tell(params) -> None:
    """Nothing is known, and each row names what adds it."""
    empty = (OCTOBER[0].head(0), OCTOBER[1].head(0))
    found = card(params, [empty])

    assert {"not known"} == set(found["state"])
    assert found["what_adds_it"].notna().all()
