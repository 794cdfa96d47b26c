"""Traffic held against the routing policy, on a month priced by hand."""

from __future__ import annotations

from datetime import date

import pandas as pd
import pytest

from finops_lib.optimize import routing_breaches, routing_measures, tier_mix
from finops_lib.settings import ModelCatalogue, RoutingPolicy

CATALOGUE = ModelCatalogue(data_classes={"confidential": ["gpt-*", "claude-*"]})
PRICES = pd.DataFrame(
    [
        ("openai", "gpt-5-mini", "uncached_input", 1e-6),
        ("openai", "gpt-5-mini", "output", 2e-6),
        ("openai", "gpt-5-nano", "uncached_input", 0.5e-6),
        ("openai", "gpt-5-nano", "output", 1e-6),
        ("google", "gemini-2.5-flash", "uncached_input", 0.1e-6),
        ("google", "gemini-2.5-flash", "output", 0.1e-6),
        ("anthropic", "claude-opus-5", "uncached_input", 10e-6),
        ("anthropic", "claude-opus-5", "output", 50e-6),
    ],
    columns=["provider", "model", "token_class", "unit_price"],
)
PLACE = ["charge_period_start", "assistant", "workflow", "environment", "provider", "model"]
OVER = pd.DataFrame(columns=[*PLACE, "rule", "requests", "tokens_over", "cost"])
DIMENSIONS = {"assistant": "a", "environment": "production", "data_class": "confidential", "request_type": "chat"}


def month(*calls):
    """Make costs and usage of calls: (day, workflow, model, requests, million tokens in, million out), and more."""
    usage, costs = [], []
    unit = PRICES.set_index(["model", "token_class"])["unit_price"].to_dict()
    providers = dict(zip(PRICES["model"], PRICES["provider"], strict=True))
    for day, workflow, model, requests, tokens_in, tokens_out, *more in calls:
        row = DIMENSIONS | {"charge_period_start": date(2026, 9, day), "workflow": workflow, "model": model}
        row |= {"provider": providers[model], "cache_hit": False, **(more[0] if more else {})}
        usage.append(row | {"request_count": requests})
        for token_class, millions in (("uncached_input", tokens_in), ("output", tokens_out)):
            quantity = millions * 1_000_000
            spent = {"pricing_quantity": quantity, "contracted_cost": quantity * unit[model, token_class]}
            costs.append(row | {"token_class": token_class} | spent)
    return pd.DataFrame(costs), pd.DataFrame(usage)


def policies(**own):
    """Make the policy of assistant a's workflow tag."""
    return {("a", own.get("workflow", "tag")): RoutingPolicy(**({"workflow": "tag"} | own))}


def breaches(calls, held, over=OVER):
    """List the breaches of a month."""
    return routing_breaches(*month(*calls), held, CATALOGUE, PRICES, over)


def test_premium_on_routine_work_costs_the_difference_to_the_cheapest_allowed_model():
    """1M in and 0.1M out cost 15.00 on the frontier model, 1.20 on the mini one: gemini may not see the data."""
    held = policies(task="tagging", models=["gpt-5-mini", "gemini-*"])
    (row,) = breaches([(1, "tag", "claude-opus-5", 7, 1, 0.1)], held).to_dict("records")

    assert ("premium on routine work", "none", 7) == (row["breach"], row["exception"], row["requests"])
    assert (pytest.approx(15.00), pytest.approx(13.80)) == (row["cost"], row["breach_cost"])
    assert "openai/gpt-5-mini" == row["instead"]
    assert "route it to openai/gpt-5-mini, behind an evaluation, or record an exception" == row["what_to_do"]


@pytest.mark.parametrize(
    ("own", "model", "breach"),
    [
        ({"tier": "mid"}, "claude-opus-5", "dearer tier"),
        ({"tier": "premium"}, "gpt-5-mini", "cheaper tier"),
        ({"tier": "low_cost", "models": ["gpt-5-nano"]}, "gpt-5-mini", "model not allowed"),
        ({"task": "intent"}, "claude-opus-5", "premium on routine work"),
    ],
)
def test_a_wrong_model_is_named_by_its_tier(own, model, breach):
    """Tiers say in which direction a call was misrouted; a cheaper model costs nothing more."""
    (row,) = breaches([(1, "tag", model, 1, 1, 0)], policies(**own)).to_dict("records")

    assert breach == row["breach"]


def test_what_the_policy_allows_is_no_breach():
    """Listed models decide whatever their tier, a tier allows all its models, others have no policy."""
    calls = [(1, "tag", "claude-opus-5", 1, 1, 0), (1, "else", "gpt-5-mini", 1, 1, 0)]

    assert breaches(calls, policies(task="tagging", models=["claude-opus-*"])).empty
    assert breaches(calls[1:], policies(workflow="*", tier="low_cost")).empty
    assert breaches(calls, {}).empty


def test_exceptions_hold_until_their_last_day():
    """Two calls on the last day are allowed, three the day after are not; production never was."""
    allowed = {"approver": "head", "reason": "pilot", "models": ["claude-*"], "expires": date(2026, 9, 30)}
    held = policies(tier="low_cost", exceptions=[allowed | {"environments": ["sandbox"], "expires": date(2026, 9, 10)}])
    sandbox = {"environment": "sandbox"}
    calls = [
        (10, "tag", "claude-opus-5", 2, 1, 0, sandbox),
        (11, "tag", "claude-opus-5", 3, 1, 0, sandbox),
        (11, "tag", "claude-opus-5", 5, 1, 0),
    ]
    found = breaches(calls, held)

    assert {"active": 2, "lapsed": 3, "none": 5} == found.set_index("exception")["requests"].to_dict()
    assert {"active": "head", "lapsed": "head", "none": ""} == found.set_index("exception")["approver"].to_dict()


def test_data_on_a_model_that_may_not_see_it():
    """The catalogue forbids gemini the class, the policy the workflow; calls that name no class are not judged."""
    held = policies(tier="low_cost", data_classes=["internal", "confidential"])
    secret = {"data_class": "secret"}
    calls = [
        (1, "tag", "gemini-2.5-flash", 2, 1, 0),
        (1, "tag", "gpt-5-mini", 3, 1, 0),
        (1, "tag", "gpt-5-mini", 4, 1, 0, secret),
        (1, "tag", "gpt-5-mini", 5, 1, 0, {"data_class": None}),
    ]
    found = breaches(calls, held).sort_values("requests")

    assert [2, 4] == found["requests"].tolist()
    assert {"data class on the wrong model"} == set(found["breach"])
    assert found["breach_cost"].isna().all()


def test_tokens_beyond_a_limit_cost_what_the_route_pays():
    """200,000 output tokens too many at 2.00 a million are 0.40."""
    row = {"charge_period_start": date(2026, 9, 1), "assistant": "a", "workflow": "tag", "environment": "production"}
    row |= {"provider": "openai", "model": "gpt-5-mini", "rule": "output", "requests": 4, "tokens_over": 200_000}
    over = pd.DataFrame([row | {"cost": 3.0}, row | {"rule": "fallback", "requests": 9, "cost": 1.0}])
    held = policies(tier="low_cost", output_limit=10)
    found = breaches([(1, "tag", "gpt-5-mini", 90, 1, 1)], held, over)
    measures = routing_measures(tier_mix(*month((1, "tag", "gpt-5-mini", 90, 1, 1)), held, CATALOGUE), found, over)

    assert ["output over the limit"] == found["breach"].tolist()
    assert [pytest.approx(0.40)] == found["breach_cost"].tolist()
    assert (9, pytest.approx(0.1)) == tuple(
        measures.set_index("measure").loc["answered by a fallback", ["requests", "share"]]
    )


def test_mix_and_measures_count_what_a_router_decides():
    """Cache hits, embeddings and reranking are left out; ten of forty routine calls went to a frontier model."""
    calls = [
        (1, "tag", "claude-opus-5", 10, 1, 0),
        (1, "tag", "gpt-5-mini", 30, 1, 0),
        (1, "free", "gpt-5-mini", 60, 1, 0),
        (1, "tag", "gpt-5-mini", 500, 0, 0, {"cache_hit": True}),
        (1, "tag", "gpt-5-mini", 500, 0, 0, {"request_type": "embeddings"}),
    ]
    held = policies(task="tagging")
    mix = tier_mix(*month(*calls), held, CATALOGUE)
    measures = routing_measures(mix, breaches(calls, held), OVER).set_index("measure")

    assert [("tag", "low_cost", 30, 0.75, "low_cost"), ("tag", "frontier", 10, 0.25, "low_cost")] == [
        tuple(row) for row in mix[["workflow", "tier", "requests", "share", "policy_tier"]].head(2).to_numpy()
    ]
    assert {"without a policy": 60, "misrouted": 10, "premium on routine work": 10} == {
        name: measures.loc[name, "requests"] for name in measures.index[:3]
    }
    assert [0.6, 0.25, 0.25] == measures["share"].head(3).tolist()
    assert pytest.approx(10.0 - 0.5) == measures.loc["misrouted", "breach_cost"]


def test_a_month_without_calls_has_no_breaches():
    """Empty frames keep their columns, through all three."""
    costs, usage = (frame.head(0) for frame in month((1, "tag", "gpt-5-mini", 1, 1, 0)))
    mix = tier_mix(costs, usage, policies(), CATALOGUE)
    found = routing_breaches(costs, usage, policies(), CATALOGUE, PRICES, OVER)

    assert (0, 0) == (len(mix), len(found))
    assert [0] * 9 == routing_measures(mix, found, OVER)["requests"].tolist()
