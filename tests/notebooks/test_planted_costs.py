"""What is planted in the sample is found with its money: waste, sandbox, loops, margin, full cost."""

from __future__ import annotations

from pathlib import Path

import pytest

from finops_lib import inform, ingest
from finops_lib.params import load_params

SEATS_AND_HOURS = ["unused seats", "idle provisioned throughput"]


def opened(sample, period="2026-10"):
    """Open the organisation's ledger of a month."""
    return ingest.open_ledger(load_params(period=period, project=sample))


def wasted(ledger):
    """List the month's waste by its name."""
    params = ledger.params
    tables = (ingest.load_table(params, name) for name in ("seats", "capacity"))
    calls = ingest.wasted_requests(ledger)
    found = inform.waste(calls, *tables, period=ledger.period, policies=params.environment_policies)
    return calls, found.set_index("waste")


def test_the_retry_storm_is_the_largest_part_of_august(sample: Path) -> None:
    """P03, P10: failed attempts of two days in August are most of what the support copilot's retries cost."""
    calls, found = wasted(opened(sample, "2026-08"))
    retried = calls[(calls["call_class"] == "retried") & (calls["assistant"] == "support-copilot")]
    storm = retried[retried["charge_period_start"].astype(str).isin(["2026-08-26", "2026-08-27"])]

    assert storm["cost"].sum() > 0.5 * retried["cost"].sum() > 0
    assert retried["cost"].sum() < found.loc["failed attempts, tried again", "cost"]
    assert storm["requests"].sum() > 100


def test_every_kind_of_waste_has_its_money(sample: Path) -> None:
    """P11, P15, P32, P33: (64 + 40) seats less 80 in use cost 540 USD; 65% of 744 hours at 0.28 USD stand idle."""
    _, found = wasted(opened(sample))
    capacity = ingest.load_table(load_params(project=sample), "capacity")
    october = capacity[capacity["timestamp"].dt.strftime("%Y-%m") == "2026-10"]
    idle = ((1 - october["used_share"]) * 24 * 0.28).sum()

    assert (found.drop("failed runs")["cost"] > 0).all()
    assert 540.0 == found.loc["unused seats", "cost"]
    assert pytest.approx(idle) == found.loc["idle provisioned throughput", "cost"]
    assert 0.6 < idle / (744 * 0.28) < 0.7
    assert "knowledge-bot" in found.loc["cacheable repeats", "largest_part"]


def test_lines_of_waste_stay_below_the_cost_of_all_calls(sample: Path) -> None:
    """No call is in two lines: the classes add up to the requests' cost, so the lines are a part of it."""
    ledger = opened(sample)
    calls, found = wasted(ledger)
    shown = ledger.month(ledger.costs).query("capture_layer != 'provider_usage'")["contracted_cost"].sum()

    assert pytest.approx(float(shown)) == calls["cost"].sum()
    assert 0 < found.drop(SEATS_AND_HOURS)["cost"].sum() < 0.1 * float(shown)


def test_the_sandbox_goes_on_after_its_expiry(sample: Path) -> None:
    """P13: October came after the end, on a model that is not allowed; in August only the model is wrong."""
    for period, rules in (("2026-10", {"expiry", "models", "budget", "output limit"}), ("2026-08", {"models"})):
        ledger = opened(sample, period)
        costs, usage = ledger.month(ledger.costs), ledger.month(ledger.usage)
        over = ingest.calls_over_output_limit(ledger)
        found = inform.environment_violations(costs, usage, ledger.params.environment_policies, over)
        own = found[found["assistant"] == "marketing-drafting"].set_index("rule")

        assert rules <= set(own.index)
        assert (own["cost"] > 0).all()
        assert ("expiry" in own.index) == (period == "2026-10")


def test_loops_are_among_the_costliest_runs(sample: Path) -> None:
    """P09: seven of the ten costliest runs of October are the looping agent's, of more than twenty model calls."""
    ledger = opened(sample)
    runs = inform.costliest_runs(ingest.agent_runs(ledger.params, "2026-10"), ingest.agent_run_costs(ledger)).head(10)
    loops = runs[(runs["workflow"] == "account-brief") & (runs["model_calls"] > 20)]

    assert len(loops) >= 7
    assert (
        "account-brief"
        == inform.cost_tails(
            ingest.request_cost_quantiles(ledger, ["workflow"]), ingest.task_quality(ledger, ["workflow"])
        )["workflow"].iloc[0]
    )


def test_one_customer_costs_more_than_it_pays(sample: Path) -> None:
    """P34: customer-07, and nobody else, in every month."""
    for period in ("2026-07", "2026-08", "2026-09", "2026-10"):
        ledger = opened(sample, period)
        customers = ingest.load_table(ledger.params, "customers")
        found = inform.customer_margin(ledger.month(ledger.costs), customers, period)

        assert ["customer-07"] == found.loc[found["is_unprofitable"], "customer"].tolist()


def test_the_model_bill_is_the_smaller_part(sample: Path) -> None:
    """Bills, ledger and review together: the layers add up, and only the subscription nobody owns (P31) is unplaced."""
    ledger = opened(sample)
    params, costs, usage = ledger.params, ledger.month(ledger.costs), ledger.month(ledger.usage)
    bills, tolerances = ingest.load_charges(params), params.organisation.reconciliation
    tie = inform.reconcile(ledger.costs, bills, month="2026-10", settings=tolerances)
    charges = inform.charges_of_record(ledger.costs, bills, tie.true_ups, "2026-10")
    full = inform.full_cost(charges, usage, params.organisation.cost_layers, params.settings.review_hourly_rate)
    found = inform.full_cost_summary(full)

    assert charges["billed_cost"].sum() + found["not_billed"] == found["true_cost"]
    assert 0.2 < found["model_bill_share"] < 0.5
    assert ["AI meeting notes"] == full.loc[full["layer"] == "unplaced", "item"].tolist()
    assert [] == found["empty_layers"]
    assert found["model_bill"] > costs["contracted_cost"].sum()
