"""Rates, the end of the period with its range, and when the money is gone."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

from finops_lib import operate
from finops_lib.operate.budgets.burn import spend_history
from finops_lib.settings import Budget


@pytest.fixture
def ten_days(make_costs):
    """Make ten days of October at ten a day."""
    return make_costs(["10"] * 10)


def burnt(costs, *amounts, as_of=date(2026, 10, 10), **rule):
    """Burn budgets of these amounts."""
    return operate.burn(costs, [Budget(name=f"b{amount}", amount=amount, **rule) for amount in amounts], as_of)


def test_rates_projection_and_probability(ten_days) -> None:
    """Ten a day for ten days: 310 by the end; 150 will surely not do, 2,000 surely will; the first stands first."""
    summary = burnt(ten_days, 2000, 150).summary
    row = summary.iloc[0]

    assert ["b150", "b2000"] == summary["budget"].tolist()
    assert [10, 10, 10, 21] == row[["yesterday", "per_day_7", "per_day_28", "days_ahead"]].tolist()
    assert 310 == pytest.approx(row["projected"])
    assert row["lower_80"] < 310 < row["upper_80"]
    assert row["overrun_probability"] > 0.95
    assert summary["overrun_probability"].iloc[1] < 0.05


def test_money_is_gone_on_a_day_or_later_than_the_period(ten_days) -> None:
    """50 are left at ten a day: five days; a hundred times that lasts; what is exceeded is gone."""
    summary = burnt(ten_days, 150, 5000, 90).summary.set_index("budget")

    assert 5 == pytest.approx(summary.loc["b150", "days_until_exhausted"], abs=1)
    assert pd.isna(summary.loc["b5000", "exhausted_on"])
    assert (0, pd.Timestamp("2026-10-10")) == tuple(
        summary.loc["b90", ["days_until_exhausted", "exhausted_on"]].tolist()
    )


def test_the_probability_is_that_of_the_courses(ten_days) -> None:
    """The budget that half of the courses exceed is exceeded with a probability of one half."""
    end = burnt(ten_days, 5000)
    course = end.course[end.course["projected"].notna()]
    middle = round((course["lower_80"].iloc[-1] + course["upper_80"].iloc[-1]) / 2, 2)
    sure = burnt(ten_days, round(course["upper_80"].iloc[-1], 2)).summary["overrun_probability"].item()

    assert 0.1 == pytest.approx(sure, abs=0.005)
    assert 0.2 < burnt(ten_days, middle).summary["overrun_probability"].item() < 0.7


def test_a_period_that_is_over_is_no_question(make_costs) -> None:
    """On the last day the projection is the spend, and the probability 0 or 1."""
    summary = burnt(make_costs(["10"] * 31), 300, 310, as_of=date(2026, 10, 31)).summary

    assert [1.0, 0.0] == summary["overrun_probability"].tolist()
    assert [[310.0] * 3] * 2 == summary[["projected", "lower_80", "upper_80"]].to_numpy().tolist()


def test_what_nobody_ever_spent_on_has_no_forecast(ten_days) -> None:
    """The budget stands there with nothing spent; its end is not known."""
    row = burnt(ten_days, 150, match={"team": "nobody"}).summary.iloc[0]

    assert (0, 0) == (row["spent"], row["used_share"])
    assert row[["projected", "overrun_probability", "days_until_exhausted"]].isna().all()


def test_the_course_runs_on_from_what_is_spent(ten_days) -> None:
    """Ten known days and 21 to come; the allowance falls when an exception lapses."""
    exception = {"approver": "cfo", "reason": "launch", "amount": 30} | {
        "starts": date(2026, 10, 1),
        "expires": date(2026, 10, 15),
    }
    course = burnt(ten_days, 150, exceptions=[exception]).course

    assert np.arange(10.0, 101.0, 10).tolist() == course["spent"].dropna().tolist()
    assert (pd.date_range("2026-10-01", "2026-10-31") == course["day"]).all()
    assert 310 == pytest.approx(course["projected"].iloc[-1])
    assert [180.0] * 15 + [150.0] * 16 == course["allowed"].tolist()


def test_equal_inputs_give_equal_numbers(ten_days) -> None:
    """Courses are drawn with a seed."""
    pd.testing.assert_frame_equal(burnt(ten_days, 150).summary, burnt(ten_days, 150).summary)


def test_history_starts_with_the_first_spend_and_has_no_gaps(make_costs) -> None:
    """Leading nothing is no history; a day without rows is a day of nothing."""
    costs = pd.concat([make_costs(["0", "5"]), make_costs(["7"], first=date(2026, 10, 4))])

    assert [5.0, 0.0, 7.0, 0.0] == spend_history(costs, pd.Timestamp("2026-10-05")).tolist()
    assert spend_history(costs.head(1), pd.Timestamp("2026-10-05")).empty


def test_without_budgets_or_data_the_frames_are_empty(ten_days) -> None:
    """Nothing is in force: no row, and no error."""
    for found in (burnt(ten_days), burnt(ten_days.head(0), 10, as_of=None)):
        assert (0, 0) == (len(found.summary), len(found.course))
        assert "overrun_probability" in found.summary.columns
