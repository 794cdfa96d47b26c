"""When another way of buying is worth a look."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finops_lib.inform import break_even_tokens, economic_triggers
from finops_lib.settings import EconomicTriggers, SelfHosting

_AS_OF = date(2026, 9, 1)


@pytest.fixture
def scope(make_ledger, make_usage):
    """A day of 24,000 output tokens for 1,200 USD (0.05 each), 50% of it in each of two workflows but for 200."""
    rows = [
        ("2026-09-01", "output", n, 50_000, {"model": "m", "workflow": w}) for w, n in (("a", 14_000), ("b", 10_000))
    ]
    return make_ledger(rows), make_usage([("2026-09-01", 10, {"model": "m", "workflow": "a"})])


def row(table, trigger):
    """One trigger."""
    return table.set_index("trigger").loc[trigger]


def test_thresholds_are_reached_near_or_not(scope):
    """Workflow a costs 700 a day, 255,500 a year; 24,000 output tokens a day."""
    for limit, state in ((255_500, "reached"), (300_000, "near"), (500_000, "not reached")):
        found = row(economic_triggers(*scope, _AS_OF, EconomicTriggers(annual_cost=limit)), "cost of one use case")

        assert ("a", 255_500.0, state) == (found["about"], pytest.approx(found["found"]), found["state"])
    found = row(economic_triggers(*scope, _AS_OF, EconomicTriggers()), "output volume")
    assert (24_000.0, 30e6, "not reached") == (pytest.approx(found["found"]), found["limit"], found["state"])


def test_provisioned_throughput_pays_from_its_break_even(scope):
    """A unit for 20 USD an hour against 0.05 a token: 400 tokens an hour; 1,000 are used."""
    offers = [{"model": "m", "hour_price": 20, "tokens_per_hour": size} for size in (2_000, 300)]
    table = economic_triggers(*scope, _AS_OF, EconomicTriggers(provisioned=offers))
    pays, too_small = (table[table["trigger"] == "provisioned throughput"].iloc[place] for place in (0, 1))

    assert (400.0, 1_000.0, "reached") == (pytest.approx(pays["limit"]), pytest.approx(pays["found"]), pays["state"])
    assert "pays from 20% of its 2,000 tokens" in pays["comment"]
    assert "never pays" in too_small["comment"]


def test_inputs_that_are_missing_are_named(scope):
    """Without GPU prices and offers the break-evens are not known, and the comment names the key."""
    table = economic_triggers(*scope, _AS_OF, EconomicTriggers())

    assert "not known" == row(table, "break-even of own GPUs")["state"]
    assert "gpu_hour_price" in row(table, "break-even of own GPUs")["comment"]
    assert "not known" == row(table, "provisioned throughput")["state"]


def test_break_even_within_and_beyond_the_fleet():
    """One GPU: 48 USD a day, 12M tokens; at 10 USD a million 4.8M. With staff more GPUs, or never."""
    own = SelfHosting(gpu_hour_price=2, tokens_per_gpu_hour=1_000_000, utilisation=0.5)
    staffed = own.model_copy(update={"staff_per_month": 7_401.0416667})

    assert 4_800_000 == break_even_tokens(own, 10e-6)
    assert pytest.approx(243.3219178 / 6e-6, rel=1e-6) == break_even_tokens(staffed, 10e-6)
    assert break_even_tokens(staffed, 4e-6) is None
    assert break_even_tokens(SelfHosting(), 1.0) is None


@settings(max_examples=40, deadline=None)
@given(
    st.floats(0.1, 50),
    st.floats(1e4, 1e7),
    st.floats(0.05, 1),
    st.floats(0, 1e5),
    st.integers(1, 20),
    st.floats(1e-6, 1e-3),
)
def test_at_the_break_even_both_cost_the_same(price, speed, busy, staff, fleet, hosted):
    """Hosted and own cost are equal at the break-even, whatever the inputs."""
    own = SelfHosting(
        gpu_hour_price=price, tokens_per_gpu_hour=speed, utilisation=busy, staff_per_month=staff, smallest_fleet=fleet
    )
    tokens = break_even_tokens(own, hosted)
    if tokens is not None:
        gpus = max(fleet, tokens / (24 * speed * busy))
        assert pytest.approx(staff / (365 / 12) + 24 * price * gpus, rel=1e-6) == tokens * hosted
