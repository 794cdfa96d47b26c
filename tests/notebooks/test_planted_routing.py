"""What is planted in the sample about routing and agents is found by its policies, and the gateway takes them."""

from __future__ import annotations

import pandas as pd
import pytest

from finops_lib import ingest, load_params, operate, optimize


@pytest.fixture(scope="module")
def ledger(sample):
    """October of the sample."""
    return ingest.open_ledger(load_params(period="2026-10", project=sample))


@pytest.fixture(scope="module")
def breaches(ledger):
    """October's traffic held against the policies of the sample."""
    params, costs, usage = ledger.params, ledger.month(ledger.costs), ledger.month(ledger.usage)
    over = ingest.calls_over_routing_limits(ledger)
    prices = ingest.contracted_prices(ledger)
    return optimize.routing_breaches(costs, usage, params.routing_policies, params.organisation.models, prices, over)


def test_premium_models_on_routine_work_are_found(breaches):
    """P14: three workflows, each on its own dear model in production, and nowhere else."""
    routine = breaches[(breaches["breach"] == "premium on routine work") & (breaches["environment"] == "production")]

    assert {
        ("commit-message", "claude-opus-5"),
        ("ticket-summary", "claude-sonnet-5"),
        ("translation", "gpt-5.4"),
    } == set(zip(routine["workflow"], routine["model"], strict=True))
    assert (routine["breach_cost"] > 0.5 * routine["cost"]).all()


def test_a_lapsed_exception_and_long_outputs_are_found(breaches):
    """P13 goes on after its expiry; P16 is over 10% of production's drafts."""
    lapsed = breaches[breaches["exception"] == "lapsed"]
    drafts = breaches[(breaches["rule"] == "output") & (breaches["workflow"] == "copy-draft")]

    assert {("marketing-drafting", "sandbox", "claude-opus-5")} == set(
        lapsed[["assistant", "environment", "model"]].itertuples(index=False, name=None)
    )
    assert 43 == drafts[drafts["environment"] == "production"]["requests"].sum()


def test_looping_agents_are_over_their_limits(ledger):
    """P09: each run of October above twenty steps in production, and the money beyond."""
    runs, costs = ingest.agent_runs(ledger.params, ledger.period), ingest.agent_run_costs(ledger)
    found = operate.agent_limit_breaches(runs, costs, ledger.params.agent_limits)
    steps = found[found["limit"] == "steps"].set_index("assistant")
    production = costs.loc[costs["environment"] == "production", "task_id"]
    long = runs[(runs["model_calls"] > 20) & runs["task_id"].isin(production)]

    assert (len(long), 0) == (
        steps.loc["sales-research-agent", "runs_over"],
        steps.loc["coding-assistant", "runs_over"],
    )
    assert 10 == len(long)
    assert steps.loc["sales-research-agent", "cost_over"] > 10


def test_the_gateway_takes_the_samples_policies(ledger):
    """Nothing is wrong with it, and every production route of the policies is a group."""
    prices = ingest.contracted_prices(ledger)
    gateway = operate.gateway_config(ledger.params, ledger.usage, prices, ledger.as_of)

    assert operate.gateway_findings(gateway).equals(pd.DataFrame(columns=["file", "place", "found", "expected"]))
    assert {"support-copilot-ticket-summary", "knowledge-bot", "gpt-5.4-mini"} <= set(gateway.groups)
