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

from finops_lib.operate import viability
from finops_lib.operate.review.viability import block_bootstrap, own_cost_by_day
from finops_lib.settings import Organisation, Params, Settings

LAST = date(2026, 10, 1) + timedelta(days=83)
COLUMNS = ["assistant", "provider", "billed_cost", "charge_period_start", "charge_period_end"]
NO_BILLS = pd.DataFrame(columns=COLUMNS)


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
        request_count=10, resolved_count=resolved, accepted_count=0, review_minutes=0.0
    )


def bill(amount, first="2026-10-01", last="2026-12-24", name="helper", provider=None) -> tuple[object, ...]:
    """Make a line of a bill for days, the last one not included."""
    return name, provider, Decimal(amount), pd.Timestamp(first, tz="UTC"), pd.Timestamp(last, tz="UTC")


SURE = {"name": "ticket", "confidence": "high", "confirmed_by": "head", "confirmed_on": "2026-09-01"}


@pytest.mark.parametrize(
    ("daily", "value", "outcome", "verdict", "because"),
    [
        (["10"] * 84, 30, SURE, "scale", "a dollar brings 3.00 of value (confidence high)"),
        (["5", "15"] * 42, 30, None, "hold", "whether it pays is not sure"),
        (["10"] * 84, 60, None, "scale", "a dollar brings 6.00 of value, of which 2.00 counted (confidence low)"),
        (
            ["10"] * 42 + ["20"] * 42,
            60,
            SURE,
            "fix",
            "an outcome gets dearer (+100% in the second half of the last 84 days)",
        ),
        (["20"] * 42 + ["10"] * 42, 5, SURE, "fix", "does not pay yet, but gets cheaper (-50% in the second half"),
        (["10"] * 84, 5, SURE, "retire", "not even the better end"),
        (["10"] * 84, 20, None, "fix", "confirm the value"),
        (["10"] * 84, None, SURE, "hold", "have no value"),
    ],
)
def test_verdicts(make_costs, daily, value, outcome, verdict, because) -> None:
    """Five outcomes a day against the cost of the day; without spread the intervals are points."""
    costs = make_costs(daily)
    row = viability(params(outcome), costs, usage(costs), outcomes(5, value), LAST, NO_BILLS).iloc[0]

    assert verdict == row["verdict"], row["reason"]
    assert because in row["reason"]


def test_numbers(make_costs) -> None:
    """10 dollars for 5 outcomes worth 6 each; doubled by a bill of 840 dollars for the 84 days."""
    costs, charges = make_costs(["10"] * 84), pd.DataFrame([bill(840)], columns=COLUMNS)
    row = viability(params(SURE), costs, usage(costs), outcomes(5, 30), LAST, charges).iloc[0]

    assert (4.0, 6.0, 1.5, 1.5) == tuple(
        row[["cost_per_outcome", "value_per_outcome", "value_per_cost", "counted_per_cost"]]
    )
    assert (4.0, 4.0, 0.8) == (row["cost_lower_80"], row["cost_upper_80"], row["success_rate"])
    assert "true cost" == row["cost_basis"]
    assert "model cost" == viability(params(SURE), costs, usage(costs), outcomes(5, 30), LAST, NO_BILLS).iloc[0][
        "cost_basis"
    ]  # fmt: skip


def test_money_fixed_for_a_month_does_not_grow_with_the_calls(make_costs) -> None:
    """Calls rise from 10 to 20 dollars a day beside 90 of hosting: an outcome costs 10% more, not twice as much."""
    costs = make_costs(["10"] * 42 + ["20"] * 42)
    row = viability(
        params(SURE), costs, usage(costs), outcomes(5, 900), LAST, pd.DataFrame([bill(90 * 84)], columns=COLUMNS)
    ).iloc[0]

    assert 0.1 == pytest.approx(row["unit_change"])


def test_value_of_the_parameters_stands_in(make_costs) -> None:
    """Where the table gives no value the parameters' counts."""
    costs = make_costs(["10"] * 84)
    row = viability(params(SURE | {"value": 7}), costs, usage(costs), outcomes(5, None), LAST, NO_BILLS).iloc[0]

    assert 7.0 == row["value_per_outcome"]


def test_falling_success_is_mended_first(make_costs) -> None:
    """Calls that solve their task fall from 8 to 5 in 10: it pays, but is not to be scaled."""
    costs = make_costs(["10"] * 84)
    calls = usage(costs, [8] * 39 + [5] * 45)
    row = viability(params(SURE), costs, calls, outcomes(5, 30), LAST, NO_BILLS).iloc[0]

    assert ("fix", True) == (row["verdict"], "succeed less often" in row["reason"])


def test_too_little_to_tell(make_costs) -> None:
    """Few days, few outcomes or none: hold, and say why; no ledger, no rows."""
    costs = make_costs(["10"] * 84)
    few = viability(params(SURE), costs, usage(costs), outcomes(5, 30, days=10), LAST, NO_BILLS).iloc[0]
    none = viability(params(SURE), costs, usage(costs), outcomes(5, 30).head(0), LAST, NO_BILLS).iloc[0]

    assert ("hold", "50 outcomes on 10 days are too few to tell") == (few["verdict"], few["reason"])
    assert ("hold", True) == (none["verdict"], "no outcome is counted" in none["reason"])
    assert viability(params(SURE), costs, usage(costs), outcomes(5, 30), None, NO_BILLS).empty


def test_own_cost_by_day(make_costs) -> None:
    """62 dollars for October are 2 a day, before and after it too; half an hour of review at 10 dollars is 5."""
    costs = make_costs(["10"] * 40, first=date(2026, 9, 25))
    calls = usage(costs).assign(review_minutes=[30.0] + [0.0] * 39)
    lines = [bill(62, last="2026-11-01"), bill(99, provider="openai"), bill(99, name=None), bill(99, name="other")]
    charges = pd.DataFrame(lines, columns=COLUMNS)
    found = own_cost_by_day(params(review_hourly_rate=10), charges, calls, date(2026, 11, 3))

    assert ["helper"] == list(found.columns)
    assert [7.0, *[2.0] * 39] == found["helper"].tolist()
    assert own_cost_by_day(params(), charges.tail(2), calls, date(2026, 11, 3)).empty


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(0.1, 1e3), min_size=7, max_size=60))
def test_drawn_sums_stay_within_the_extremes(values) -> None:
    """No draw is below or above as many of the smallest or largest days."""
    drawn = block_bootstrap(np.array(values)[:, None], draws=50)
    days = len(values)

    assert drawn.shape == (50, 1)
    assert (drawn >= days * min(values) * (1 - 1e-9)).all()
    assert (drawn <= days * max(values) * (1 + 1e-9)).all()
