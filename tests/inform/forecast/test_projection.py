"""Month, next quarter and year projected from a partial month."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from finops_lib.errors import SchemaError
from finops_lib.inform import forecast_daily, project, sample_paths
from finops_lib.inform.forecast.daily import running_totals


def flat(days, amount=10.0, start="2026-06-01"):
    """The same amount each day."""
    return pd.Series(amount, index=pd.date_range(start, periods=days))


def month(series, as_of):
    """Project the running month alone."""
    return project(series, as_of, periods=("month",))


def test_a_constant_is_projected_exactly():
    """Ten a day from June: September comes to 300, October to December to 920, June to December to 2,140."""
    found = project(flat(102), pd.Timestamp("2026-09-10")).set_index("period")

    assert [100.0, 0.0, 1020.0] == found["actual"].tolist()
    assert [20, 92, 112] == found["days_ahead"].tolist()
    assert [300.0, 920.0, 2140.0] == found["projected"].round(6).tolist()
    assert [300.0, 920.0, 2140.0] == found["run_rate"].round(6).tolist()


def test_the_projection_is_what_is_spent_and_the_forecast():
    """Actual to date and the days ahead add up, middle and interval both of the same sampled sums."""
    random = np.random.default_rng(3)
    series = pd.Series(random.gamma(20, 5, 200), index=pd.date_range("2026-02-01", periods=200))
    found = month(series, pd.Timestamp("2026-08-12")).iloc[0]
    known = series[:"2026-08-12"]
    sums = known["2026-08"].sum() + running_totals(sample_paths(known, 19, 2001))[:, -1]

    assert known["2026-08"].sum() + forecast_daily(known, 19)["mean"].sum() == pytest.approx(found["projected"])
    assert np.quantile(sums, [0.1, 0.5, 0.9]) == pytest.approx(found[["lower_80", "projected", "upper_80"]].tolist())
    assert found["lower_95"] < found["lower_80"] < found["projected"] < found["upper_80"] < found["upper_95"]


def test_a_complete_month_is_certain():
    """On the last day nothing is ahead: the projection is the actual, without an interval."""
    found = month(flat(92), pd.Timestamp("2026-08-31")).iloc[0]

    assert (0, 310.0, 310.0, 310.0) == tuple(found[["days_ahead", "projected", "lower_95", "upper_95"]])


def test_later_days_are_not_looked_at():
    """What comes after the day asked for changes nothing."""
    series = pd.concat([flat(92), flat(30, 900.0, "2026-09-01")])

    assert month(series, pd.Timestamp("2026-08-20")).equals(month(flat(81), pd.Timestamp("2026-08-20")))


def test_days_not_yet_in_the_data_are_forecast():
    """The data ends two days before the day asked for: those two are forecast too."""
    found = month(flat(79), pd.Timestamp("2026-08-20")).iloc[0]

    assert (18, 13) == (found["days_known"], found["days_ahead"])
    assert 310.0 == pytest.approx(found["projected"])


def test_the_financial_year_sets_quarter_and_year():
    """A year from April: the next quarter after September begins in October, the year ends in March."""
    found = project(flat(110), pd.Timestamp("2026-09-18"), year_start=4).set_index("period")

    assert ["2026-10-01", "2026-12-31"] == found.loc["next_quarter", ["first_day", "last_day"]].astype(str).tolist()
    assert ["2026-04-01", "2027-03-31"] == found.loc["year", ["first_day", "last_day"]].astype(str).tolist()


def test_notes_come_along():
    """A new assistant's projection says on how little it rests."""
    found = month(flat(3, start="2026-09-01"), pd.Timestamp("2026-09-03"))

    assert found.attrs["notes"][0].startswith("The history is short (3 of 14 days needed)")
    assert found["lower_80"].item() < 220 < 380 < found["upper_80"].item()


def test_nothing_before_the_day_is_refused():
    """A series that begins later cannot be projected."""
    with pytest.raises(SchemaError, match="no value up to 2026-05-01"):
        month(flat(10), pd.Timestamp("2026-05-01").date())
