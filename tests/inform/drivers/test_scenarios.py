"""Scenarios against today: the published table, and what must hold for any case."""

from __future__ import annotations

from datetime import date

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finops_lib.inform import monthly_pace, scenario_table, switched_models, what_if
from finops_lib.settings import Scenario

_NAMES = ["model", "calls", "input_tokens", "output_tokens", "input_cost", "output_cost", "other_cost"]


def pace(*rows):
    """A month's pace by model."""
    return pd.DataFrame(rows, columns=_NAMES)


_COPILOT = pace(("mix", 1_240_000, 1_240_000 * 6_800, 1_240_000 * 210, 1_240_000 * 32.64e-3, 1_240_000 * 1.008e-3, 0.0))
_TWO = pace(("large", 100, 10_000, 1_000, 20.0, 10.0, 1.0), ("small", 300, 30_000, 3_000, 6.0, 3.0, 0.0))


def test_published_table():
    """1,240,000 calls × 7,010 tokens × 0.0048: exact products, and within 0.3% of the published roundings."""
    cases = [
        Scenario(name="adoption", adoption=0.4),
        Scenario(name="unmanaged", adoption=0.4, tokens_per_call=9_100),
        Scenario(name="levers", adoption=0.4, tokens_per_call=3_900, rate_per_1k=0.0042),
    ]
    table = scenario_table(_COPILOT, cases, date(2026, 10, 31))
    found = table["cost_per_month"].tolist()

    assert pytest.approx([41_723.52, 58_412.928, 75_828.48, 28_435.68]) == found
    assert pytest.approx([41_800, 58_500, 75_900, 28_400], rel=0.003) == found
    assert pytest.approx([0.4, 0.82, -0.32], abs=0.003) == table["change"].tolist()[1:]
    assert pytest.approx(47_392.8) == table.attrs["addressable_swing"]
    assert pytest.approx(47_500, rel=0.003) == table.attrs["addressable_swing"]


def test_capacity_is_no_output(make_ledger, make_usage):
    """Input for 1, output for 4 and a provisioned hour for 500 USD: twice the output costs 4 more, not twice all."""
    kinds = (("uncached_input", 1_000_000, 1), ("output", 1_000_000, 4), ("provisioned_hours", 1, 500_000_000))
    costs = make_ledger([("2026-09-30", *kind, {"model": "gpt"}) for kind in kinds])
    pace = monthly_pace(costs, make_usage([("2026-09-30", 10, {"model": "gpt"})]), date(2026, 9, 30))
    change = scenario_table(pace, [Scenario(name="long", output_growth=1.0)])["change"].iloc[1]

    assert pytest.approx(4 / 505) == change
    assert pace["output_tokens"].tolist() == pace["input_tokens"].tolist()


def test_swing_needs_equal_demand():
    """More adoption is no lever: two cases at different demand have no swing between them."""
    table = scenario_table(_TWO, [Scenario(name="a", adoption=1), Scenario(name="b")])

    assert table.attrs["addressable_swing"] is None


def test_a_model_switch_takes_the_prices_of_its_target():
    """Half of the large model's calls (5,000 in, 500 out) go to the small one for 1.5, not 15."""
    switch = {"from_model": "large", "to_model": "small", "share": 0.5}
    row = scenario_table(_TWO, [Scenario(name="s", model_switches=[switch])]).iloc[1]

    assert pytest.approx(40 - 15 + 1.5) == row["cost_per_month"]
    assert 400 == row["calls"]


def test_a_target_nobody_uses_needs_a_listed_price():
    """With a price of 0.001 in and 0.002 out, 10,000 and 1,000 tokens cost 12, searches 1 as before."""
    case = Scenario(name="s", model_switches=[{"from_model": "large", "to_model": "new"}])
    prices = pd.DataFrame(
        {"model": ["new", "new"], "token_class": ["uncached_input", "output"], "unit_price": [0.001, 0.002]}
    )

    assert ["new"] == switched_models([case])
    assert pytest.approx(9 + 12 + 1) == scenario_table(_TWO, [case], prices=prices)["cost_per_month"].iloc[1]
    unknown = scenario_table(_TWO, [case]).iloc[1]
    assert pd.isna(unknown["cost_per_month"])
    assert "the price of new is not known" == unknown["comment"]


def test_levers_compose():
    """30% and 50% leave 35%, not 20%."""
    table = scenario_table(_TWO, [Scenario(name="l", levers={"a": 0.3, "b": 0.5})])

    assert pytest.approx(40 * 0.35) == table["cost_per_month"].iloc[1]


def test_a_case_counts_from_its_date_to_the_end_of_the_year():
    """Twice the cost from 2 December on: 30 days of 40 USD a month more; a year that ends in March has 120."""
    case = [Scenario(name="double", adoption=1, effective_from=date(2026, 12, 2))]
    day = 40 / (365 / 12)

    assert pytest.approx(30 * day) == scenario_table(_TWO, case, date(2026, 10, 31))["by_year_end"].iloc[1]
    found = scenario_table(_TWO, case, date(2026, 10, 31), year_start=4)["by_year_end"].iloc[1]
    assert pytest.approx(120 * day) == found


_COUNTS = st.floats(1, 1e9)


_PACE = st.tuples(st.sampled_from("abc"), *[_COUNTS] * 6)


@settings(max_examples=20, deadline=None)
@given(st.lists(_PACE, min_size=1, max_size=3, unique_by=lambda row: row[0]))
def test_a_case_without_change_is_today(rows):
    """A scenario that names nothing equals today, in every figure."""
    table = what_if(pace(*rows))

    assert table.iloc[0][["calls", "tokens_per_call", "cost_per_month"]].tolist() == pytest.approx(
        table.iloc[1][["calls", "tokens_per_call", "cost_per_month"]].tolist()
    )


@settings(max_examples=20, deadline=None)
@given(st.floats(-0.9, 3), st.floats(-0.9, 3), st.floats(0, 1))
def test_demand_price_and_levers_multiply(adoption, price, lever):
    """Adoption, price and levers each scale the whole cost."""
    table = what_if(_TWO, adoption=adoption, price_change=price, levers=lever)

    assert pytest.approx(40 * (1 + adoption) * (1 + price) * (1 - lever)) == table["cost_per_month"].iloc[1]


def test_pace_is_a_month_of_the_last_weeks(costs, usage):
    """Four days hold 20 calls of the large model for 6.50; a month of 30.4 days has 7.6 times as much."""
    found = monthly_pace(costs, usage, date(2026, 9, 4)).set_index("model").loc["large"]
    factor = 365 / 12 / 4

    assert pytest.approx(20 * factor) == found["calls"]
    assert pytest.approx([2.5 * factor, 4 * factor]) == found[["input_cost", "output_cost"]].tolist()


def test_without_traffic_there_is_only_an_empty_today(costs, usage):
    """No traffic gives one row of zeros and no case."""
    empty = monthly_pace(costs.head(0), usage.head(0), None)

    assert [0.0] == scenario_table(empty, [Scenario(name="a")])["cost_per_month"].tolist()
