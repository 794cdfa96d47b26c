"""Viability is told from hand-made days: what an outcome costs, what it brings, and how sure that is."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finops_lib.operate import full_cost_factors, viability
from finops_lib.operate.review.viability import block_bootstrap
from finops_lib.settings import Organisation, Params, Settings

LAST = date(2026, 10, 1) + timedelta(days=83)


def params(outcome=None, **extra) -> Params:
    """Make the parameters of one assistant."""
    chosen = {"helper": Settings.model_validate({"outcome": outcome} | extra)}
    return Params(assistant="organisation", period="latest", settings=Settings(), organisation=Organisation(),
                  project=Path(), assistants=chosen)  # fmt: skip


def outcomes(count, value, days=84) -> pd.DataFrame:
    """Count as many outcomes every day."""
    dates = [date(2026, 10, 1) + timedelta(days=place) for place in range(days)]
    return pd.DataFrame({"date": dates, "assistant": "helper", "outcome_count": count, "outcome_value": value})


def usage(costs, resolved=8) -> pd.DataFrame:
    """Make ten calls a day, of which some solve their task."""
    return costs[["charge_period_start", "assistant"]].assign(
        request_count=10, resolved_count=resolved, accepted_count=0
    )


SURE = {"name": "ticket", "confidence": "high", "confirmed_by": "head", "confirmed_on": "2026-09-01"}


@pytest.mark.parametrize(
    ("daily", "value", "outcome", "verdict", "because"),
    [
        (["10"] * 84, 30, SURE, "scale", "a dollar brings 3.00 of value (confidence high)"),
        (["5", "15"] * 42, 30, None, "hold", "whether it pays is not sure"),
        (["10"] * 84, 60, None, "scale", "a dollar brings 6.00"),
        (["10"] * 42 + ["20"] * 42, 60, SURE, "fix", "an outcome gets dearer (+100% in a quarter)"),
        (["20"] * 42 + ["10"] * 42, 5, SURE, "fix", "does not pay yet, but gets cheaper (-50% in a quarter)"),
        (["10"] * 84, 5, SURE, "retire", "not even the better end"),
        (["10"] * 84, 20, None, "fix", "confirm the value"),
        (["10"] * 84, None, SURE, "hold", "have no value"),
    ],
)
def test_verdicts(make_costs, daily, value, outcome, verdict, because) -> None:
    """Five outcomes a day against the cost of the day; without spread the intervals are points."""
    costs = make_costs(daily)
    row = viability(params(outcome), costs, usage(costs), outcomes(5, value), LAST).iloc[0]

    assert verdict == row["verdict"], row["reason"]
    assert because in row["reason"]


def test_numbers(make_costs) -> None:
    """10 dollars for 5 outcomes worth 6 each; doubled by what stands around the model."""
    costs = make_costs(["10"] * 84)
    row = viability(params(SURE), costs, usage(costs), outcomes(5, 30), LAST, full_cost_factor={"helper": 2.0}).iloc[0]

    assert (4.0, 6.0, 1.5) == (row["cost_per_outcome"], row["value_per_outcome"], row["value_per_cost"])
    assert (4.0, 4.0, 0.8) == (row["cost_lower_80"], row["cost_upper_80"], row["success_rate"])
    assert "true cost" == row["cost_basis"]


def test_value_of_the_parameters_stands_in(make_costs) -> None:
    """Where the table gives no value the parameters' counts."""
    costs = make_costs(["10"] * 84)
    row = viability(params(SURE | {"value": 7}), costs, usage(costs), outcomes(5, None), LAST).iloc[0]

    assert 7.0 == row["value_per_outcome"]


def test_falling_success_is_mended_first(make_costs) -> None:
    """Calls that solve their task fall from 8 to 5 in 10: it pays, but is not to be scaled."""
    costs = make_costs(["10"] * 84)
    calls = usage(costs, [8] * 39 + [5] * 45)
    row = viability(params(SURE), costs, calls, outcomes(5, 30), LAST).iloc[0]

    assert ("fix", True) == (row["verdict"], "succeed less often" in row["reason"])


def test_too_little_to_tell(make_costs) -> None:
    """Few days, few outcomes or none: hold, and say why; no ledger, no rows."""
    costs = make_costs(["10"] * 84)
    few = viability(params(SURE), costs, usage(costs), outcomes(5, 30, days=10), LAST).iloc[0]
    none = viability(params(SURE), costs, usage(costs), outcomes(5, 30).head(0), LAST).iloc[0]

    assert ("hold", "50 outcomes on 10 days are too few to tell") == (few["verdict"], few["reason"])
    assert ("hold", True) == (none["verdict"], "no outcome is counted" in none["reason"])
    assert viability(params(SURE), costs, usage(costs), outcomes(5, 30), None).empty


def test_full_cost_factors(make_costs) -> None:
    """30 dollars of calls, 15 of a database and an hour and a half of review at 10 dollars are twice the calls."""
    costs = make_costs(["10"] * 3)
    calls = usage(costs).assign(review_minutes=[30.0, 30.0, 30.0])
    charges = pd.DataFrame({"assistant": ["helper", "helper", None], "provider": ["openai", None, None],
                            "billed_cost": [Decimal(30), Decimal(15), Decimal(99)]})  # fmt: skip
    given_rate = params(review_hourly_rate=10)

    assert {"helper": 2.0} == full_cost_factors(given_rate, charges, costs, calls)
    assert {} == full_cost_factors(given_rate, charges.head(1), costs, calls)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(0.1, 1e3), min_size=7, max_size=60))
def test_drawn_sums_stay_within_the_extremes(values) -> None:
    """No draw is below or above as many of the smallest or largest days."""
    drawn = block_bootstrap(np.array(values)[:, None], draws=50)
    days = -(-len(values) // 7) * 7

    assert drawn.shape == (50, 1)
    assert (drawn >= days * min(values) * (1 - 1e-9)).all()
    assert (drawn <= days * max(values) * (1 + 1e-9)).all()
