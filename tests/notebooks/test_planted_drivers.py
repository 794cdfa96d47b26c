"""What is planted in the sample stands in the bridge under its own cause, and in the sensitivity and the forecast."""

from __future__ import annotations

from pathlib import Path

import pytest

from finops_lib import inform, ingest
from finops_lib.params import load_params


def bridge(sample, assistant, period):
    """Sum what each driver added to an assistant's month, beside the two months' cost."""
    ledger = ingest.open_ledger(load_params(assistant, period, project=sample))
    steps = inform.bridge_steps(inform.bridge_months(ledger.costs, ledger.usage, period, ledger.as_of))
    return steps.set_index("step")


@pytest.mark.parametrize(
    ("assistant", "period", "step", "rises", "workflow"),
    [
        ("knowledge-bot", "2026-09", "model_mix", True, "policy-question"),  # P01
        ("support-copilot", "2026-10", "context_length", True, "ticket-answer"),  # P02
        ("contract-extraction", "2026-10", "volume", True, "clause-review"),  # P05
        ("contract-extraction", "2026-09", "price", False, "clause-review"),  # P24
        ("coding-assistant", "2026-09", "price", False, "pair-programming"),  # P24
    ],
)
def test_each_drift_is_the_largest_step_of_its_month(sample: Path, assistant, period, step, rises, workflow) -> None:
    """The drift's own driver carries it, in the workflow it was planted in."""
    steps = bridge(sample, assistant, period)
    moved = steps.drop(["before", "after"])["amount"].astype("float64")
    alike = moved[(moved > 0) == rises]

    assert step == alike.abs().idxmax()
    assert workflow == steps.loc[step, "carried_by"]
    assert moved.sum() == pytest.approx(float(steps.loc["after", "amount"] - steps.loc["before", "amount"]), abs=0.05)


def test_the_price_cut_was_announced(sample: Path) -> None:
    """P24: seen from two days before, output of gpt-5.6-sol falls by a third on 21 August."""
    params = load_params("coding-assistant", "2026-08", project=sample)
    ledger = ingest.open_ledger(params)
    day = ledger.as_of.replace(month=8, day=19)
    prices = ingest.announced_prices(params, ledger.costs, day)
    cut = prices[prices["unit_price_before"].notna() & (prices["model"] == "gpt-5.6-sol")].set_index("token_class")

    assert {day.replace(day=21)} == set(cut["effective_from"])
    assert pytest.approx(2 / 3) == (cut["unit_price"] / cut["unit_price_before"])["output"]
