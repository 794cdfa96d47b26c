"""Each lever's share of a month worked out by hand: 1M input for 10.00 USD, 0.1M output for 5.00 USD."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from types import SimpleNamespace

import pandas as pd
import pytest

from finops_lib.optimize import LeverInputs, estimate_levers, hit_rate_curve, lever_cells, replay_at, replay_levers
from finops_lib.schema import TOKEN_CLASSES
from finops_lib.settings import EnvironmentPolicy, LeverSettings
from finops_lib.settings.forecast import EconomicTriggers

PLACE = {"assistant": "a", "workflow": "w", "environment": "production", "model": "large"}
KEYS = {"provider": "house", "category": "production", "service_tier": None}
CALLS = [*PLACE]


def spend(day, token_class, tokens, cost, **more):
    """Make a ledger row at the list price."""
    money = {"contracted_cost": Decimal(str(cost)), "list_cost": Decimal(str(more.pop("list_cost", cost)))}
    days = {"charge_period_start": day, "token_class": token_class, "pricing_quantity": tokens}
    return PLACE | KEYS | days | money | more


def use(day, tokens, requests, **more):
    """Make a usage row of uncached input."""
    counted = dict.fromkeys(TOKEN_CLASSES.values(), 0) | {"uncached_input_tokens": tokens}
    return PLACE | {"charge_period_start": day, "request_count": requests} | counted | more


SEPTEMBER, OCTOBER = date(2026, 9, 15), date(2026, 10, 15)
MONTH = [spend(OCTOBER, "uncached_input", 1_000_000, 10), spend(OCTOBER, "output", 100_000, 5)]
USED = [use(OCTOBER, 1_000_000, 100)]


def frame(columns, *rows):
    """Make a frame of measures of calls."""
    return pd.DataFrame([PLACE | row for row in rows], columns=[*CALLS, *columns])


def month(costs=MONTH, usage=USED, *, routes=(), environments=None, **given):
    """Collect what levers are estimated from; what is not given is empty."""
    empty = {
        "wasted": frame(["call_class", "cost"]),
        "over_output": pd.DataFrame(columns=["assistant", "environment", "tokens_over"]),
        "repeats": frame(["hours", "requests", "repeats", "cost", "repeated_cost"]),
        "over_input": frame(["input_tokens", "retrieved_tokens", "tokens_over"]),
        "prefixes": frame(["missed_tokens"]),
        "breaches": frame(["rule", "exception", "breach_cost"]),
    }
    ledger, used = pd.DataFrame(costs), pd.DataFrame(usage)
    days = pd.to_datetime(ledger["charge_period_start"]).dt.strftime("%Y-%m")
    return LeverInputs(
        lever_cells(ledger[days == "2026-10"]),
        ledger,
        used,
        "2026-10",
        **(empty | given),
        routes=routes,
        environments=environments or {},
        triggers=EconomicTriggers(),
    )


def saved(inputs, lever, settings=None):
    """Replay one lever alone: low, likely and high saving, and how it is known."""
    found = estimate_levers(inputs, settings or LeverSettings())[lever]
    line = replay_levers(inputs.cells, {lever: found}).waterfall
    if line.empty:
        return None
    low, likely, high = (round(line[name].item(), 6) for name in ("saving_low", "saving", "saving_high"))
    return low, likely, high, line["evidence"].item()


def test_retries_are_partly_avoidable():
    """3.00 of 15.00 went into attempts that were repeated: a quarter, half or all of it can be avoided."""
    wasted = frame(["call_class", "cost"], {"call_class": "retried", "cost": 3.0}, {"call_class": "useful", "cost": 12})

    assert (0.75, 1.5, 3.0, "measured replay") == saved(month(wasted=wasted), "policy")


def test_a_lapsed_sandbox_is_saved_whole():
    """4.00 of the sandbox's 10.00 came on or after its last day."""
    sandbox = {"environment": "sandbox"}
    costs = [
        spend(date(2026, 10, 1), "output", 60_000, 6, **sandbox),
        spend(date(2026, 10, 20), "output", 40_000, 4, **sandbox),
    ]
    rules = {("a", "sandbox"): EnvironmentPolicy(expires=date(2026, 10, 20))}

    assert (4.0, 4.0, 4.0, "measured replay") == saved(month(costs, environments=rules), "policy")


def test_output_over_the_limit_is_cut():
    """20,000 of 100,000 output tokens are beyond the limit: a fifth of 5.00."""
    over = pd.DataFrame({"assistant": ["a"], "environment": ["production"], "tokens_over": [20_000]})

    assert (1.0, 1.0, 1.0, "measured replay") == saved(month(over_output=over), "policy")


def test_compression_takes_a_grown_prompt_back():
    """10,000 tokens a call after 8,000 in the first month: a fifth of 10.00 is measured, 30% is the most usual."""
    usage = [use(SEPTEMBER, 800_000, 100), *USED]
    sizes = frame(["input_tokens", "retrieved_tokens", "tokens_over"], {"input_tokens": 1_000_000})

    found = saved(month(usage=usage, over_input=sizes.fillna(0)), "compression")
    assert (2.0, 2.0, 3.0, "measured replay") == found


def test_compression_of_a_prompt_that_did_not_grow_is_an_assumption():
    """Half of the input is retrieved: 20% to 30% of the other half, and nothing at the low end."""
    sizes = frame(
        ["input_tokens", "retrieved_tokens", "tokens_over"],
        {"input_tokens": 1_000_000, "retrieved_tokens": 500_000, "tokens_over": 0},
    )

    assert (0.0, 1.0, 1.5, "assumption") == saved(month(over_input=sizes), "compression")


def test_context_over_the_budget_is_measured_and_not_proven():
    """300,000 of 1M tokens are over, 500,000 retrieved: 3.00 likely, 70% of the retrieved at most, nothing proven."""
    sizes = frame(
        ["input_tokens", "retrieved_tokens", "tokens_over"],
        {"input_tokens": 1_000_000, "retrieved_tokens": 500_000, "tokens_over": 300_000},
    )

    assert (0.0, 3.0, 3.5, "measured replay") == saved(month(over_input=sizes), "context")


def test_routing_follows_the_policy_where_nothing_is_evaluated():
    """6.00 more than the policy's model, of which 1.00 is allowed by an exception in force."""
    breaches = frame(
        ["rule", "exception", "breach_cost"],
        {"rule": "model", "exception": "none", "breach_cost": 5.0},
        {"rule": "model", "exception": "active", "breach_cost": 1.0},
    )

    assert (0.0, 5.0, 5.0, "assumption") == saved(month(breaches=breaches), "routing")


def test_routing_follows_evaluations_first():
    """40% proven and 60% proposed of the baseline's 15.00; what a breach costs there is not counted again."""
    route = SimpleNamespace(assistant="a", workflow="w", baseline="large", saving=(0.4, 0.6, 0.6), measure="m")
    breaches = frame(["rule", "exception", "breach_cost"], {"rule": "model", "exception": "none", "breach_cost": 9.0})

    assert (6.0, 9.0, 9.0, "evaluation") == saved(month(breaches=breaches, routes=[route]), "routing")
    whole = SimpleNamespace(**(vars(route) | {"workflow": None, "saving": (0.0, 0.1, 0.1)}))
    assert (0.0, 1.5, 1.5, "evaluation") == saved(month(routes=[whole]), "routing")
    assert (6.0, 9.0, 9.0, "evaluation") == saved(month(routes=[route, whole]), "routing")  # the workflow's own first


REPEATS = frame(
    ["hours", "requests", "repeats", "cost", "repeated_cost"],
    {"hours": 1, "requests": 100, "repeats": 10, "cost": 15.0, "repeated_cost": 1.5},
    {"hours": 24, "requests": 100, "repeats": 20, "cost": 15.0, "repeated_cost": 3.0},
    {"hours": 168, "requests": 100, "repeats": 40, "cost": 15.0, "repeated_cost": 6.0},
)


def test_the_response_cache_replays_the_repeats():
    """An hour, a day and a week of kept answers: exactly what the repeats cost."""
    assert (1.5, 3.0, 6.0, "measured replay") == saved(month(repeats=REPEATS), "response cache")


def test_the_semantic_cache_is_what_equal_questions_leave():
    """Of 15.00, 20% repeat exactly: nothing more at a usual 15%, a tenth at 30%."""
    assert (0.0, 0.0, 1.5, "assumption") == saved(month(repeats=REPEATS), "semantic cache")


def test_hit_rates_rise_with_the_hours():
    """10, 20 and 40 of 100 calls."""
    assert [0.1, 0.2, 0.4] == hit_rate_curve(REPEATS)["hit_rate"].tolist()


@pytest.mark.parametrize(("read", "likely"), [([], 4.5), ([spend(OCTOBER, "cache_read", 100_000, "0.5")], 2.5)])
def test_a_missed_prefix_is_read_at_the_cached_price(read, likely):
    """Half of the input at 10 USD a million: at a tenth of the price 4.50 are saved, at the ledger's half 2.50."""
    prefixes = frame(["missed_tokens"], {"missed_tokens": 500_000})

    assert (0.0, likely, likely, "measured replay") == saved(month([*MONTH, *read], prefixes=prefixes), "prompt cache")


def test_evaluations_can_wait_and_named_workflows_are_said_to():
    """A judge's 15.00 at half the price; a named workflow is an assumption; what is batched is there already."""
    judged = [row | {"category": "evaluation"} for row in MONTH]
    batched = [row | {"service_tier": "batch"} for row in MONTH]
    named = LeverSettings(batch_workflows=["w"])

    assert (7.5, 7.5, 7.5, "measured replay") == saved(month(judged), "batch")
    assert (0.0, 7.5, 7.5, "assumption") == saved(month(), "batch", named)
    assert saved(month(batched), "batch", named) is None


def test_own_hosting_is_for_the_large():
    """15 USD a month are no case; 50,000 a month are beyond half a million a year: 20% of them, perhaps."""
    assert saved(month(), "self-hosting") is None
    found = saved(month([spend(OCTOBER, "output", 1_000, 50_000)]), "self-hosting")
    assert (0.0, 10_000.0, 20_000.0, "assumption") == found


def test_the_smallest_month_can_be_committed():
    """September had 7.50 of October's 15.00: 5% to 10% of that; what is negotiated already gets no discount."""
    before = spend(SEPTEMBER, "output", 1, "7.5")
    negotiated = [row | {"list_cost": Decimal(20)} for row in MONTH]

    assert (0.0, 0.375, 0.75, "assumption") == saved(month([before, *MONTH]), "contract")
    assert saved(month([before, *negotiated]), "contract") is None


def test_a_control_moves_the_likely_value():
    """A commitment of 20% on 15.00: the high end gives way."""
    values = {"compression": 0.0, "cache_hours": 24, "avoidable_retries": 0.0}
    replay = replay_at(month(), LeverSettings(), (), commitment=0.2, **values)

    assert pytest.approx({"low": 0.0, "likely": 3.0, "high": 3.0}) == replay.combined


def test_no_traffic_no_levers():
    """An empty month has nothing to estimate."""
    nothing = pd.DataFrame(MONTH).iloc[:0]

    assert {} == estimate_levers(month(nothing, pd.DataFrame(USED).iloc[:0]), LeverSettings())
