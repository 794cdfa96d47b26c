"""What the cost of a day is made of, from ledger and usage."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pandas as pd
import pyarrow as pa
import pytest

from finops_lib.operate import daily_drivers

MONEY = pd.ArrowDtype(pa.decimal128(38, 15))


@pytest.fixture
def costs():
    """Make two days: 1,000 tokens for 2 USD; 3,000 tokens for 3 USD and 1,000 without a price."""
    rows = [
        (date(2026, 9, 1), "uncached_input", 800, Decimal("1.2")),
        (date(2026, 9, 1), "output", 200, Decimal("0.8")),
        (date(2026, 9, 3), "uncached_input", 3_000, Decimal(3)),
        (date(2026, 9, 3), "output", 1_000, None),
    ]
    frame = pd.DataFrame(rows, columns=["charge_period_start", "token_class", "pricing_quantity", "contracted_cost"])
    return frame.astype({"contracted_cost": MONEY})


@pytest.fixture
def usage():
    """Make ten calls on the first day, two of them failed and one a cache hit, and four on the third."""
    columns = ["charge_period_start", "workflow", "model", "run_status", "cache_hit", "request_count", "retries"]
    counted = ["accepted_count", "uncached_input_tokens", "cache_read_input_tokens", "visible_output_tokens"]
    rows = [
        (date(2026, 9, 1), "draft", "opus-1", "ok", False, 7, 0, 6, 600, 200, 150),
        (date(2026, 9, 1), "draft", "opus-1", "error", False, 2, 3, 0, 100, 0, 0),
        (date(2026, 9, 1), "judge", "mini", "ok", True, 1, 0, 0, 100, 0, 50),
        (date(2026, 9, 3), "judge", "mini", "ok", False, 4, 0, 0, 3_000, 0, 1_000),
    ]
    return pd.DataFrame(rows, columns=[*columns, *counted])


def test_cost_is_requests_times_tokens_times_rate(costs, usage):
    """Every day has its row; the rate is of priced tokens only; a day of nothing has no ratio."""
    daily = daily_drivers(costs, usage).set_index("date")

    assert ["2026-09-01", "2026-09-02", "2026-09-03"] == daily.index.strftime("%Y-%m-%d").tolist()
    assert [2.0, 0.0, 3.0] == daily["cost"].tolist()
    assert [10.0, 0.0, 4.0] == daily["requests"].tolist()
    assert [100.0, 1_000.0] == daily["tokens_per_request"].dropna().tolist()
    assert [0.002, 0.001] == daily["rate"].dropna().tolist()


def test_checks_are_ratios_of_what_the_usage_counts(costs, usage):
    """Two of ten calls failed, three retries, one hit; acceptance counts where it is ever recorded."""
    day = daily_drivers(costs, usage, premium_models=["opus-*"]).iloc[0]

    assert (0.3, 0.2, 0.1, 0.9) == tuple(
        day[n] for n in ("retry_rate", "failed_share", "cache_hit_share", "premium_share")
    )
    assert (0.2, 0.2) == (day["cache_read_share"], day["output_ratio"])
    assert pytest.approx(1 - 6 / 9) == day["unaccepted_share"]


def test_what_the_data_never_holds_is_left_out(costs, usage):
    """No retries, no hits, no acceptance: no such columns."""
    bare = usage.drop(columns=["retries", "cache_hit", "accepted_count", "cache_read_input_tokens"])
    columns = set(daily_drivers(costs, bare))

    assert set() == columns & {"retry_rate", "cache_hit_share", "unaccepted_share", "cache_read_share", "premium_share"}


def test_loops_are_counted_on_their_day_in_the_reporting_zone(costs, usage):
    """A run of 20 calls begun at 22:30 UTC is one of the next day in Berlin; a shorter one is no loop."""
    started = pd.to_datetime(["2026-09-01T22:30Z", "2026-09-01T09:00Z"])
    runs = pd.DataFrame({"started": started, "model_calls": [20, 19]})

    assert [0, 1, 0] == daily_drivers(costs, usage, runs=runs, zone="Europe/Berlin")["loops"].tolist()
    assert [1, 0, 0] == daily_drivers(costs, usage, runs=runs)["loops"].tolist()


def test_the_dearest_calls_stand_on_their_day(costs, usage):
    """A percentile of the third day, and none of the others."""
    dearest = pd.DataFrame({"charge_period_start": [date(2026, 9, 3)], "p99_cost": [0.9]})
    found = daily_drivers(costs, usage, dearest=dearest)["p99_cost"]

    assert [True, True, False] == found.isna().tolist()
    assert 0.9 == found.iloc[2]


def test_days_run_to_the_last_complete_one(costs, usage):
    """Silence up to the last complete day is shown, and what comes after it is not."""
    later = daily_drivers(costs, usage, until=date(2026, 9, 5))
    earlier = daily_drivers(costs, usage, until=date(2026, 9, 2))

    assert [2.0, 0.0, 3.0, 0.0, 0.0] == later["cost"].tolist()
    assert [2.0, 0.0] == earlier["cost"].tolist()
    assert ["date", "cost", "requests"] == list(daily_drivers(costs.head(0), usage.head(0)))
