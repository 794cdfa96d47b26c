"""Launch profile: the estimate by hand, and causes that add up to the difference."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from finops_lib.inform.measures import COUNT_TYPE, MONEY_TYPE
from finops_lib.inform.profile.launch_profile import launch_profile, plan_against_actual, plan_bridge
from finops_lib.settings import Plan

PRICES = pd.DataFrame(
    {
        "model": ["large", "large", "small", "small"],
        "token_class": ["uncached_input", "output"] * 2,
        "unit_price": [2e-6, 1e-5, 2e-7, 1e-6],
    }
)
OCTOBER = (date(2026, 10, 1), date(2026, 10, 31))


def plan(**changed):
    """100 users × 5 calls × 20 days = 10,000 calls of 2,000 and 500 tokens; half of them on each model."""
    kept = {"users": 100, "requests_per_user_day": 5, "working_days": 20, "prompt_tokens": 2000, "answer_tokens": 500}
    kept |= {"models": {"large": 0.5, "small": 0.5}, "retrieval_calls": 2, "retrieval_price": Decimal("0.0005")}
    return Plan.model_validate(kept | {"retrieval_buffer": 0.2, "retry_buffer": 0.1} | changed)


def month(*calls):
    """Ledger and usage of (day, model, calls, tokens in, tokens out, USD in, USD out)."""
    costs, usage = [], []
    for day, model, count, into, out, cost_in, cost_out in calls:
        names = {"charge_period_start": date(2026, 10, day), "model": model}
        names["request_type"] = "rerank" if model == "rerank" else "chat"
        for kind, tokens, cost in (("uncached_input", into, cost_in), ("output", out, cost_out)):
            costs.append(
                names | {"token_class": kind, "pricing_quantity": tokens, "contracted_cost": Decimal(str(cost))}
            )
        usage.append(names | {"request_count": count})
    columns = ["charge_period_start", "model", "request_type"]
    ledger = pd.DataFrame(costs, columns=[*columns, "token_class", "pricing_quantity", "contracted_cost"])
    ledger = ledger.astype({"pricing_quantity": COUNT_TYPE, "contracted_cost": MONEY_TYPE})
    return ledger, pd.DataFrame(usage, columns=[*columns, "request_count"]).astype({"request_count": COUNT_TYPE})


def test_the_estimate_is_what_the_plan_multiplies_to() -> None:
    """Blended prices 1.1 and 5.5 a million: 22 + 27.5 + 10 of retrieval, 20% of 32 and 10% of all that."""
    lines = launch_profile(plan(), PRICES).set_index("line")["plan"]

    assert 10_000 == lines["calls"]
    expected = {
        "cost of prompts": 22.0,
        "cost of answers": 27.5,
        "retrieval": 10.0,
        "buffer for retrieval": 6.4,
        "buffer for retries": 6.59,
        "total": 72.49,
    }
    assert expected == {name: round(lines[name], 9) for name in expected}


def test_a_planned_model_without_a_price_leaves_the_cost_open() -> None:
    """Volume is known, cost is not, and no zero pretends to be one."""
    lines = launch_profile(plan(models={"unheard-of": 1}), PRICES).set_index("line")["plan"]

    assert 10_000 == lines["calls"]
    assert np.isnan(lines["total"])


def test_without_a_plan_there_are_no_lines() -> None:
    """Empty frames, with their columns, for a page that says what is missing."""
    costs, usage = month()

    assert launch_profile(None, PRICES).empty
    assert plan_against_actual(None, PRICES, costs, usage, span=OCTOBER).empty
    assert plan_bridge(None, PRICES, costs, usage, span=OCTOBER).empty


def test_each_cause_is_told_apart() -> None:
    """Twice the calls, all on the large model at a fifth off: volume and mix raise it, price lowers it."""
    costs, usage = month((5, "large", 20_000, 40_000_000, 10_000_000, 64, 80))
    steps = plan_bridge(plan(), PRICES, costs, usage, span=OCTOBER).set_index("step")["amount"].round(9)

    expected = {
        "plan": 72.49,
        "volume": 49.5,
        "length": 0.0,
        "mix": 81.0,
        "price, cache, discounts": -36.0,
        "retrieval and other": -10.0,
        "buffers not needed": -12.99,
        "actual": 144.0,
    }
    assert expected == {name: steps[name] + 0.0 for name in expected}


def test_actual_stands_beside_the_plan() -> None:
    """Half the calls, twice the prompt, retrieval on its own line; the pilot's two weeks count as a month."""
    calls = ((1, "large", 4_000, 16_000_000, 2_000_000, 32, 20), (14, "rerank", 8_000, 900, 0, 3, 0))
    costs, usage = month(*calls)
    whole = plan_against_actual(plan(), PRICES, costs, usage, span=OCTOBER, users=80).set_index("line")
    pilot = plan(pilot={"first_day": OCTOBER[0], "last_day": date(2026, 10, 14)})  # ten working days
    tried = plan_against_actual(pilot, PRICES, costs, usage).set_index("line")

    assert {"users": 80, "calls": 4_000, "prompt": 4_000, "answer": 500, "retrieval": 3, "total": 55} == whole[
        "actual"
    ].drop(["cost of prompts", "cost of answers", "buffer for retrieval", "buffer for retries"]).to_dict()
    assert (-0.6, 1.0) == (whole.loc["calls", "against_plan"], whole.loc["prompt", "against_plan"])
    assert (8_000, 110) == (tried.loc["calls", "actual"], tried.loc["total", "actual"])


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(1, 31),
            st.sampled_from(["large", "small", "other", "rerank"]),
            st.integers(1, 10**5),
            st.integers(0, 10**9),
            st.integers(0, 10**9),
            st.integers(0, 10**4),
            st.integers(0, 10**4),
        ),
        min_size=1,
    )
)
def test_the_causes_always_add_up(calls) -> None:
    """Plan and causes together are the actual cost, whatever was called."""
    bridge = plan_bridge(plan(), PRICES, *month(*calls), span=OCTOBER)
    if len(bridge):
        amounts = bridge["amount"].to_numpy()
        assert amounts[:-1].sum() == pytest.approx(amounts[-1], rel=1e-9, abs=1e-6)


def test_a_mix_that_is_no_whole_is_refused() -> None:
    """Shares of 0.5 and 0.4 leave calls without a model."""
    with pytest.raises(ValidationError, match=r"come to 0\.9, not to 1"):
        plan(models={"large": 0.5, "small": 0.4})


def test_calls_without_a_price_cost_no_zero() -> None:
    """What is not priced is not known: no actual cost, no bridge; users nobody counted are no zero either."""
    costs, usage = month((5, "large", 10, 100, 100, 1, 1))
    costs["contracted_cost"] = pd.array([None, None], dtype=MONEY_TYPE)
    actual = plan_against_actual(plan(), PRICES, costs, usage, span=OCTOBER, users=0).set_index("line")["actual"]

    assert actual[["total", "cost of prompts", "users"]].isna().all()
    assert 10 == actual["calls"]
    assert plan_bridge(plan(), PRICES, costs, usage, span=OCTOBER).empty
