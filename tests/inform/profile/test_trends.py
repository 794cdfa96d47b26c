"""How cost, volume and unit costs move."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pandas as pd
import pytest

from finops_lib import inform


def test_days_without_traffic_are_zero_rows(costs, usage):
    """The third of September has no traffic and is there all the same."""
    daily = inform.daily_trend(costs, usage, window_days=2)

    assert [6.0, 3.0, 0.0, 1.0] == daily["contracted_cost"].astype(float).tolist()
    assert [10, 60, 0, 30] == daily["requests"].tolist()
    assert [1_500_000, 6_000_000, 0, 800_000] == daily["tokens"].tolist()
    assert pd.isna(daily["cost_per_request"].iloc[2])
    assert Decimal(10) == daily["contracted_cost"].sum()


def test_averages_are_ratios_of_windowed_sums(costs, usage):
    """Over two days: (6 + 3) / (10 + 60), (3 + 0) / 60, (0 + 1) / 30; the first day has no average."""
    daily = inform.daily_trend(costs, usage, window_days=2)

    assert pd.isna(daily["cost_per_request_average"].iloc[0])
    assert pytest.approx([9 / 70, 3 / 60, 1 / 30]) == daily["cost_per_request_average"].tolist()[1:]
    assert [4.5, 1.5, 0.5] == daily["contracted_cost_average"].tolist()[1:]
    assert [35.0, 30.0, 15.0] == daily["requests_average"].tolist()[1:]


def test_tasks_give_the_cost_of_a_task(costs, usage):
    """Six dollars over four tasks on the first day; unknown without tasks."""
    tasks = pd.DataFrame({"charge_period_start": [date(2026, 9, 1), date(2026, 9, 2)], "tasks": [4.0, 5.0]})
    daily = inform.daily_trend(costs, usage, tasks=tasks, window_days=2)

    assert [1.5, 0.6] == daily["cost_per_task"].tolist()[:2]
    assert 1.0 == daily["cost_per_task_average"].iloc[1]
    assert inform.daily_trend(costs, usage)["cost_per_task"].isna().all()


def test_one_day_and_no_day(costs, usage):
    """A single day is a row without averages; nothing is no row."""
    one = inform.daily_trend(costs.head(2), usage.head(1))

    assert 1 == len(one)
    assert one["contracted_cost_average"].isna().all()
    assert 0 == len(inform.daily_trend(costs.head(0), usage.head(0)))
    assert 0 == len(inform.daily_spend(costs.head(0)))


def test_a_day_of_unpriced_traffic_has_no_cost(make_ledger, make_usage):
    """Traffic without a price is unknown cost; no traffic is zero cost."""
    ledger = make_ledger(
        [("2026-09-01", "output", 5, 1, {}), ("2026-09-02", "output", 5, None, {}), ("2026-09-04", "output", 5, 1, {})]
    )
    daily = inform.daily_trend(ledger, make_usage([("2026-09-01", 1, {})]))

    assert [False, True, False, False] == daily["contracted_cost"].isna().tolist()
    assert 0 == daily["contracted_cost"].iloc[2]


def test_spend_by_day_has_every_value_every_day(costs):
    """Two models over four days are eight rows, zero where a model rested."""
    daily = inform.daily_spend(costs)
    large = daily[daily["model"] == "large"]

    assert 8 == len(daily)
    assert [6.0, 0.5, 0.0, 0.0] == large["contracted_cost"].astype(float).tolist()


def month_rows(make_ledger, make_usage):
    """July from the 10th 2.20 USD, August complete 3.10, September to the 10th 2.00; 100 calls each."""
    days = [("2026-07-10", 1), ("2026-07-31", "1.2"), ("2026-08-01", 1), ("2026-08-31", "2.1"), ("2026-09-10", 2)]
    ledger = make_ledger([(day, "output", 1_000_000, price, {"model": "m"}) for day, price in days])
    return ledger, make_usage([(day, 100, {}) for day in ("2026-07-10", "2026-08-01", "2026-09-10")])


def test_partial_months_are_flagged_and_compared_by_the_day(make_ledger, make_usage):
    """July and September are partial: their totals are not compared, their daily averages are."""
    months = inform.month_on_month(*month_rows(make_ledger, make_usage)).set_index("month")

    assert [True, False, True] == months["is_partial"].tolist()
    assert [22, 31, 10] == months["days"].tolist()
    assert pytest.approx([0.1, 0.1, 0.2]) == months["cost_per_day"].tolist()
    assert months["contracted_cost_change"].isna().all()
    assert pytest.approx(1.0) == months.loc["2026-09", "cost_per_day_change"]
    assert pytest.approx(2.0 / 3.1 - 1) == months.loc["2026-09", "cost_per_request_change"]


def test_complete_months_are_compared_by_their_totals(make_ledger, make_usage):
    """3.00 after 2.00 USD is half as much again; a month without traffic in between is a zero row."""
    days = [("2026-06-01", 1), ("2026-06-30", 1), ("2026-08-01", 1), ("2026-08-31", 2)]
    ledger = make_ledger([(day, "output", 1_000_000, price, {}) for day, price in days])
    months = inform.month_on_month(ledger, make_usage([])).set_index("month")

    assert ["2026-06", "2026-07", "2026-08"] == months.index.tolist()
    assert [2.0, 0.0, 3.0] == months["contracted_cost"].astype(float).tolist()
    assert -1.0 == months.loc["2026-07", "contracted_cost_change"]
    assert pd.isna(months.loc["2026-08", "contracted_cost_change"])


def test_headline_holds_the_first_screen(costs, usage):
    """September to the 4th: 10.00 USD, 100 requests, large at 65%, nothing covered in all three dimensions."""
    numbers = inform.headline(costs, usage, "2026-09")

    assert Decimal(10) == numbers["cost"]
    assert (True, 4, 30) == (numbers["is_partial"], numbers["days"], numbers["days_in_month"])
    assert (100, 8_300_000, 0.1) == (numbers["requests"], numbers["tokens"], numbers["cost_per_request"])
    assert ("large", 0.65) == (numbers["top_model"], numbers["top_model_share"])
    assert ("draft", 0.65) == (numbers["top_workflow"], numbers["top_workflow_share"])
    assert (0.0, 300_000) == (numbers["coverage"], numbers["unpriced_tokens"])
    assert numbers["previous_cost"] is None
    assert numbers == inform.headline(costs, usage)


def test_headline_of_nothing_knows_nothing(costs, usage):
    """Without traffic every number is unknown and nothing fails."""
    for numbers in (
        inform.headline(costs.head(0), usage.head(0)),
        inform.headline(costs, usage, "2030-01"),
    ):
        assert not numbers["has_traffic"]
        assert numbers["cost"] is None
        assert numbers["top_model"] is None
        assert numbers["coverage"] is None
