"""Advice to scale is given only where all its conditions hold."""

from __future__ import annotations

from datetime import date

import pandas as pd
import pytest

from finops_lib.operate import scale_advice
from finops_lib.settings import Promotion, RoutingPolicy

AS_OF = date(2026, 10, 28)
NO_TRIGGERS = pd.DataFrame(columns=["trigger", "about", "found", "limit", "unit", "state", "comment"])
TUNED = Promotion(assistant="helper", workflow="draft", configuration="short", lever="compression",
                  promoted_on=date(2026, 9, 1), owner="lead", expected_saving=5)  # fmt: skip


@pytest.fixture
def calls(make_costs):
    """Make 28 days of 4,000 short, accepted answers a day at 25 dollars."""
    costs = make_costs(["25"] * 28, workflow="draft", provider="openai")
    names = costs[["charge_period_start", "assistant", "workflow"]]
    return costs, names.assign(request_count=4000, visible_output_tokens=400_000, reasoning_output_tokens=0,
                               accepted_count=100)  # fmt: skip


def advised(found: pd.DataFrame) -> set[str]:
    """Name the advice given."""
    return set(found[found["advised"]]["advice"])


def test_fine_tuning_only_after_prompts_were_tuned(calls) -> None:
    """Volume, length and examples hold; without a promoted prompt change there is no advice."""
    without = scale_advice(NO_TRIGGERS, *calls, AS_OF, policies={})
    tuned = scale_advice(NO_TRIGGERS, *calls, AS_OF, policies={}, promotions=[TUNED])

    assert ["yes", "yes", "yes", "no"] == without[without["advice"].str.startswith("fine")]["holds"].tolist()
    assert {"test a second provider"} == advised(without)
    assert {"test a second provider", "fine-tune a small model"} == advised(tuned)


def test_second_provider_only_where_there_is_none(calls) -> None:
    """760 dollars a month on one provider: not advised with a fallback, nor for small money."""
    policy = RoutingPolicy(workflow="*", models=["a", "b"], fallback={"a": "b"})
    found = scale_advice(NO_TRIGGERS, *calls, AS_OF, policies={("helper", "*"): policy})
    small = scale_advice(NO_TRIGGERS, calls[0].head(10), calls[1], AS_OF, policies={})

    assert 760 == round(found[found["condition"] == "material cost"]["found"].item())
    assert set() == advised(found)
    assert small[small["advice"] == "test a second provider"].empty


@pytest.mark.parametrize(
    ("size", "even", "expected"),
    [("near", "reached", True), ("reached", "not reached", False), ("not reached", "reached", False),
     ("reached", "not known", False)],
)  # fmt: skip
def test_own_hosting(size, even, expected) -> None:
    """Size near its threshold, and beyond the break-even: both, or no advice."""
    rows = [("cost of one use case", "all", 9.0, 10.0, "USD a year", size, ""),
            ("output volume", "all", 1.0, 10.0, "tokens", "not reached", ""),
            ("break-even of own GPUs", "all", 9.0, 5.0, "tokens", even, "")]  # fmt: skip
    triggers = pd.DataFrame(rows, columns=NO_TRIGGERS.columns)
    found = scale_advice(triggers, pd.DataFrame(), pd.DataFrame(), None, policies={})

    assert expected == found["advised"].all()
    assert ["cost of one use case", "break-even of own GPUs"] == found["condition"].tolist()
