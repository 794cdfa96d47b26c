"""The bridge between two months: every cent has a cause."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from finops_lib.inform import bridge_months, bridge_quantities, bridge_steps, cost_bridge
from finops_lib.inform.drivers.cost_bridge import STEPS
from finops_lib.inform.measures import MONEY_TYPE

_COLUMNS = [
    *("assistant", "workflow", "model", "token_class", "service_tier", "context_tier"),
    *("quantity", "contracted_cost", "calls", "billed_calls"),
]


def side(*rows):
    """Quantities of one period from (workflow, model, token class, quantity, cost, calls, billed calls)."""
    full = [
        ("bot", w, m, c, "standard", "0", q, Decimal(cost), calls, billed) for w, m, c, q, cost, calls, billed in rows
    ]
    return pd.DataFrame(full, columns=_COLUMNS).astype({"contracted_cost": MONEY_TYPE})


def amounts(bridge):
    """Sum the steps that changed anything."""
    return {row.step: float(row.amount) for row in bridge_steps(bridge).itertuples() if not row.is_total}


def test_published_worked_numbers():
    """40,000 at 0.20 and 60,000 at 0.25 against 55,000 and 50,000 at 0.26: +1,150 volume, −650 mix, +500 price."""
    before = side(
        ("w", "a", "output", 40_000, 8_000, 40_000, 40_000), ("w", "b", "output", 60_000, 15_000, 60_000, 60_000)
    )
    after = side(
        ("w", "a", "output", 55_000, 11_000, 55_000, 55_000), ("w", "b", "output", 50_000, 13_000, 50_000, 50_000)
    )

    assert {"volume": 1150.0, "model_mix": -650.0, "price": 500.0} == amounts(cost_bridge(before, after))


def test_each_driver_alone():
    """10 calls of 100 input and 10 output tokens at 1 and 5: each driver moved alone carries the whole change."""
    before = side(("w", "m", "uncached_input", 1000, 1000, 10, 10), ("w", "m", "output", 100, 500, 10, 10))
    cases = {
        "volume": (("uncached_input", 2000, 2000, 20, 20), ("output", 200, 1000, 20, 20)),
        "context_length": (("uncached_input", 3000, 3000, 10, 10), ("output", 100, 500, 10, 10)),
        "output_length": (("uncached_input", 1000, 1000, 10, 10), ("output", 200, 1000, 10, 10)),
        "price": (("uncached_input", 1000, 800, 10, 10), ("output", 100, 500, 10, 10)),
    }
    found = {
        name: amounts(cost_bridge(before, side(*(("w", "m", *row) for row in rows)))) for name, rows in cases.items()
    }

    assert {
        "volume": {"volume": 1500.0},
        "context_length": {"context_length": 2000.0},
        "output_length": {"output_length": 500.0},
        "price": {"price": -200.0},
    } == found


def test_cache_counts_prompt_cache_and_gateway_cache():
    """Half of the input read at a tenth of the price, and half of the calls answered by the gateway: both are cache."""
    before = side(("w", "m", "uncached_input", 1000, 1000, 10, 10), ("w", "m", "cache_read", 0, 0, 10, 10))
    prompt = side(("w", "m", "uncached_input", 500, 500, 10, 10), ("w", "m", "cache_read", 500, 50, 10, 10))
    gateway = side(("w", "m", "uncached_input", 500, 500, 10, 5))

    assert {"cache": -450.0} == amounts(cost_bridge(before, prompt))
    assert {"cache": -500.0} == amounts(cost_bridge(before, gateway))


def test_new_and_ended_workflows_are_volume():
    """What exists on one side only has no other driver than that it is there."""
    before = side(("old", "m", "output", 100, 70, 5, 5))
    after = side(("new", "m", "output", 300, 90, 5, 5))

    assert {"volume": 20.0} == amounts(cost_bridge(before, after))


def test_a_new_model_is_mix():
    """The same calls on a model three times as dear: all of it is mix."""
    before, after = side(("w", "small", "output", 100, 10, 5, 5)), side(("w", "large", "output", 100, 30, 5, 5))

    assert {"model_mix": 20.0} == amounts(cost_bridge(before, after))


def test_volume_is_tokens_where_calls_are_not_counted():
    """Twice the tokens at the same price are volume, not context."""
    before, after = side(("w", "m", "output", 100, 10, None, None)), side(("w", "m", "output", 200, 20, None, None))

    assert {"volume": 10.0} == amounts(cost_bridge(before, after))


_ROW = st.tuples(
    st.sampled_from(["v", "w"]),
    st.sampled_from(["m", "n"]),
    st.sampled_from(["uncached_input", "cache_read", "output", "web_search"]),
    st.integers(0, 10**9),
    st.decimals(0, 10**6, places=15),
    st.sampled_from([None, 0, 1, 77]),
)


_SIDE = st.lists(_ROW, max_size=6, unique_by=lambda row: row[:3])


@settings(max_examples=25, deadline=None)
@given(_SIDE, _SIDE)
def test_parts_sum_exactly(old, new):
    """Whatever the two sides hold, the steps add up to their difference to the last digit."""
    before, after = (side(*((*row, row[5]) for row in rows)) for rows in (old, new))
    bridge = cost_bridge(before, after)
    by_step = {step: sum(part["amount"].tolist(), Decimal(0)) for step, part in bridge.groupby("step")}

    whole = sum((row[4] for row in new), Decimal(0)) - sum((row[4] for row in old), Decimal(0))
    assert whole == sum((by_step.get(step, Decimal(0)) for step in STEPS), Decimal(0))


def test_quantities_leave_out_what_has_no_price(costs, usage):
    """Six rows, one without a price; the large model has 20 calls on both of its workflows' rows."""
    found = bridge_quantities(costs, usage.assign(workflow=usage["model"].map({"large": "draft", "small": "tag"})))

    assert [20, 20, 20, 80, 80] == found["calls"].tolist()
    assert Decimal(10) == found["contracted_cost"].sum()


def test_a_running_month_is_held_against_the_same_days(make_ledger, make_usage):
    """Until 2 October only the first two days of September count: 2 calls for 2.00 against 3 for 3.00."""
    rows = [("2026-09-01", 2), ("2026-09-15", 50), ("2026-10-01", 3), ("2026-10-03", 40)]
    costs = make_ledger([(day, "output", n * 1_000_000, 1, {"model": "m", "workflow": "w"}) for day, n in rows])
    usage = make_usage([(day, n, {"model": "m", "workflow": "w"}) for day, n in rows])
    bridge = bridge_months(costs, usage, "2026-10", date(2026, 10, 2))

    assert ("days 1 to 2", {"volume": 1.0}) == (bridge.attrs["days"], amounts(bridge))
    assert bridge_months(costs, usage, "2026-09", date(2026, 10, 2)).empty
    assert bridge_steps(bridge_months(costs.head(0), usage.head(0), "", None)).empty
