"""The days of a ledger, taken apart into drivers."""

from __future__ import annotations

from datetime import date

import pytest

from finops_lib.inform.drivers.history import UNPRICED, driver_history


def test_drivers_of_a_day_by_hand(make_ledger, make_usage):
    """4 calls, one of them answered by the gateway: 3 billed; 600 of 2,400 input tokens read, 300 output."""
    model = {"model": "m"}
    costs = make_ledger(
        [
            ("2026-09-01", "uncached_input", 1_800, 1, model),
            ("2026-09-01", "cache_read", 600, "0.1", model),
            ("2026-09-01", "output", 300, 5, model),
        ]
    )
    usage = make_usage(
        [("2026-09-01", 3, model | {"cache_hit": False}), ("2026-09-01", 1, model | {"cache_hit": True})]
    )
    drivers = driver_history(costs, usage, date(2026, 9, 2)).drivers()

    assert ["calls", "input_tokens_per_call", "output_tokens_per_call", "cache_read_share"] == drivers.columns.tolist()
    assert [3.0, 800.0, 100.0, 0.25] == drivers.iloc[0].tolist()
    assert 0.0 == drivers["calls"].iloc[1]
    assert drivers["input_tokens_per_call"].isna().tolist() == [False, True]


def test_models_without_a_price_are_named_and_keep_their_share(costs, usage, make_ledger, make_usage):
    """A fine-tune nobody priced has half of the calls, 40 tokens over 2 days, and no money."""
    ledger = make_ledger(
        [("2026-09-01", "output", 100, 5, {"model": "m"}), ("2026-09-02", "output", 40, None, {"model": "own"})]
    )
    calls = make_usage([("2026-09-01", 2, {"model": "m"}), ("2026-09-02", 2, {"model": "own"})])
    history = driver_history(ledger, calls, date(2026, 9, 2))

    assert {"own": 20.0} == history.unpriced.to_dict()
    assert [2.0, 2.0] == history.calls[[UNPRICED, "m"]].sum().tolist()
    assert pytest.approx(0.0005) == history.cost.sum()


def test_days_after_the_last_complete_one_do_not_count(costs, usage):
    """Until 2 September there are two days and 9 of the 10 USD less the reasoning of 1 USD."""
    history = driver_history(costs, usage, date(2026, 9, 2))

    assert 2 == len(history.cost)
    assert pytest.approx(9.0) == history.cost.sum()


def test_tokens_stand_for_calls_that_nobody_counts(make_ledger, make_usage):
    """2,000 tokens without a count of calls are two."""
    ledger = make_ledger([("2026-09-01", "output", 2_000, 5, {"model": "m"})])
    history = driver_history(ledger, make_usage([("2026-09-01", None, {"model": "m"})]), date(2026, 9, 1))

    assert (False, 2.0) == (history.counted, history.calls.to_numpy().sum())


def test_a_first_day_that_is_not_over_is_no_history(costs, usage):
    """Calls of today alone: the last complete day had none, and there is nothing to go by."""
    history = driver_history(costs, usage, date(2026, 8, 31))

    assert [0.0] == history.cost.tolist()
    assert history.recent.empty
