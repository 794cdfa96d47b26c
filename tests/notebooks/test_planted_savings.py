"""What is planted in the sample to save on is found, the trap is rejected, and a claim stays a claim."""

from __future__ import annotations

from pathlib import Path

import pytest

from finops_lib import ingest, optimize
from finops_lib.params import load_params


@pytest.fixture(scope="module")
def october(sample: Path):
    """Open October's ledger for all assistants."""
    return ingest.open_ledger(load_params(period="2026-10", project=sample))


def test_the_gate_tells_the_good_candidate_from_the_trap(october):
    """P35: promoted, rejected though cheaper, too few items; nothing of the trap is proposed."""
    params = october.params
    evaluations = ingest.load_table(params, "evaluations")
    prices = ingest.contracted_prices(october, evaluations["configuration"].unique())
    rules = params.settings.gate, params.routing_policies, params.organisation.models, prices
    routes = optimize.evaluated_routes(evaluations, october.month(october.costs), *rules)
    found = optimize.gate_verdicts(routes, params.promotions).set_index("candidate")
    verdicts = found["verdict"]

    assert "promote" == verdicts["gated-routing"]
    assert "reject" == verdicts["aggressive-compression"]
    assert "not enough evidence" == verdicts["small-model"]
    assert "aggressive-compression" not in set(optimize.proposed_routes(routes)["configuration"])
    assert ["amazon.nova-pro"] == found.index[~found["is_allowed"].astype(bool)].tolist()
    assert ["gated-routing"] == found.index[found["promoted_on"].notna()].tolist()


def test_repeats_a_cache_could_answer_are_found(october):
    """P15: about 11% of the knowledge bot's billed chat calls within a day, more the longer answers are kept."""
    curve = optimize.hit_rate_curve(ingest.repeated_calls(october)).set_index("hours")["hit_rate"]

    assert 0.08 < curve[24] < 0.16
    assert curve.is_monotonic_increasing


def test_premium_models_on_routine_work_are_found(october):
    """P14: commit messages, translations and ticket summaries, each with what the policy's model would save."""
    costs, usage, params = october.month(october.costs), october.month(october.usage), october.params
    over, prices = ingest.calls_over_routing_limits(october), ingest.contracted_prices(october)
    rules = (params.routing_policies, params.organisation.models)
    breaches = optimize.routing_breaches(costs, usage, *rules, prices, over)
    routine = breaches[breaches["breach"] == "premium on routine work"]

    assert {"commit-message", "translation", "ticket-summary"} <= set(routine["workflow"])
    assert routine["breach_cost"].sum() > 5


def test_the_promotions_on_record_are_open_or_unproven(october):
    """P01: the migration that was claimed to save costs more; the gated routing is too young to be judged."""
    tasks = ingest.successful_tasks_by_day(october)
    on_record = october.params.promotions
    found = optimize.realised_savings(on_record, october.costs, october.usage, tasks, october.as_of)
    by_name = found.set_index("configuration")

    assert {"gpt-5.6-terra": "unproven", "gated-routing": "still uncertain"} == by_name["status"].to_dict()
    assert by_name.loc["gpt-5.6-terra", "realised_high"] < 0
