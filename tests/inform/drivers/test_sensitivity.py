"""What small inefficiencies would cost, from measured drivers only."""

from __future__ import annotations

from datetime import date

import pandas as pd
import pytest

from finops_lib.inform import sensitivity
from finops_lib.settings import ModelCatalogue

_MONTH = 365 / 12
_AS_OF = date(2026, 9, 1)


@pytest.fixture
def scope(make_ledger, make_usage):
    """A day: 10 calls for 1,000 input (200 of them cached) and 100 output tokens; 800 + 20 + 500 = 1,320 USD."""
    model = {"model": "plain"}

    def make(**columns):
        costs = make_ledger(
            [
                ("2026-09-01", "uncached_input", 800, 1_000_000, model),
                ("2026-09-01", "cache_read", 200, 100_000, model),
                ("2026-09-01", "output", 100, 5_000_000, model),
            ]
        )
        return costs, make_usage([("2026-09-01", 10, model | columns)])

    return make


def cost_of(table, driver):
    """Money of one driver a month."""
    return table.set_index("driver").loc[driver, "cost_per_month"]


def test_prompt_tokens_cost_what_input_costs(scope):
    """10 calls × 600 tokens × (820 / 1,000) USD, on each day of a month."""
    found = cost_of(sensitivity(*scope(), _AS_OF), "600 more tokens of system prompt")

    assert pytest.approx(10 * 600 * 0.82 * _MONTH) == found


def test_retries_and_retrieval_go_to_the_far_end(scope):
    """1 retry in 10 calls becomes 5 (× 5): + 0.4 / 1.1 of the cost; 30 retrieved tokens a call become 8,000."""
    table = sensitivity(*scope(retries=1, retrieved_tokens=300), _AS_OF)

    assert pytest.approx(0.4 / 1.1 * 1_320 * _MONTH) == cost_of(table, "more retries")
    assert pytest.approx(7_970 * 10 * 0.82 * _MONTH) == cost_of(table, "more retrieved context")


def test_lost_cache_hits(scope):
    """20% of the input is cached and 50% wanted: 300 tokens at 0.90 lost; with a target of 10%, half of 20%."""
    below, above = (sensitivity(*scope(), _AS_OF, cache_target=target) for target in (0.5, 0.1))

    assert pytest.approx(300 * 0.9 * _MONTH) == cost_of(below, "cache hits below target")
    assert pytest.approx(100 * 0.9 * _MONTH) == cost_of(above, "fewer cache hits")


def test_frontier_share_from_own_calls(make_ledger, make_usage):
    """1 call in 10 on a frontier model at 10 times the price: to 30%, 2 more calls at 9 USD more each."""
    catalogue = ModelCatalogue(tiers={"frontier": ["big*"], "low_cost": ["plain"]})
    rows = [
        ("2026-09-01", "output", 9, 1_000_000, {"model": "plain"}),
        ("2026-09-01", "output", 1, 10_000_000, {"model": "big"}),
    ]
    usage = make_usage([("2026-09-01", 9, {"model": "plain"}), ("2026-09-01", 1, {"model": "big"})])
    table = sensitivity(make_ledger(rows), usage, _AS_OF, models=catalogue)

    assert pytest.approx(2 * 9 * _MONTH) == cost_of(table, "more calls on frontier models")


def test_agent_steps_double(scope):
    """Runs of 4 and 8 calls (mean 6) that cost 30 become 12 calls: 30 more."""
    runs = pd.DataFrame({"model_calls": [4, 8], "cost": [10.0, 20.0]})

    assert 30.0 == cost_of(sensitivity(*scope(), _AS_OF, runs=runs), "more steps of agents")


def test_what_is_not_measured_is_not_known(scope):
    """No retries, retrieval, frontier model or agents: no figure, a reason each, and the known ones rank first."""
    table = sensitivity(*scope(), _AS_OF)
    unknown = table[table["cost_per_month"].isna()]

    assert {"more retries", "more retrieved context", "more calls on frontier models", "more steps of agents"} == set(
        unknown["driver"]
    )
    assert (unknown["comment"] != "").all()
    assert table["cost_per_month"].dropna().is_monotonic_decreasing
    assert [0, 1] == table.index[table["cost_per_month"].notna()].tolist()


def test_without_traffic_there_are_no_rows(scope):
    """An empty ledger has no drivers."""
    costs, usage = scope()

    assert sensitivity(costs.head(0), usage.head(0), None).empty
