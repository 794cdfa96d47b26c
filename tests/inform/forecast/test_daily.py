"""The forecast of a daily series: shape, order, scale, and histories of every kind."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finops_lib.errors import SchemaError
from finops_lib.inform import PanelModel, forecast_daily, public_holidays, sample_paths
from finops_lib.inform.forecast.daily import path_scores
from finops_lib.inform.profile.usage_shapes import usage_shapes
from finops_lib.settings import HolidaySettings

_SERIES = Path(__file__).parents[3] / ".." / "shared" / "data" / "series" / "daily.parquet"
_BOUNDS = ["lower_95", "lower_80", "mean", "upper_80", "upper_95"]


def daily(values, start="2026-01-05"):
    """Put values on days from a Monday on."""
    return pd.Series(values, index=pd.date_range(start, periods=len(values)))


def usage(days, seed=0, size=1000.0):
    """One artificial series."""
    return daily(size * usage_shapes(4, days, seed=seed)[0][0])


def in_order(forecast):
    """Tell whether bounds enclose the middle on every day and nothing is missing or negative."""
    found = forecast[_BOUNDS].to_numpy()
    return bool(np.isfinite(found).all() and (np.diff(found, axis=1) >= 0).all() and (found >= 0).all())


def test_days_follow_the_history():
    """One row a day after the last one, with the columns of the levels asked for."""
    forecast = forecast_daily(usage(100), 3, levels=(50, 99.5))

    assert ["mean", "lower_50", "upper_50", "lower_99.5", "upper_99.5"] == forecast.columns.tolist()
    assert ["2026-04-15", "2026-04-16", "2026-04-17"] == forecast.index.strftime("%Y-%m-%d").tolist()
    assert [] == forecast.attrs["notes"]


@settings(max_examples=12, deadline=None)
@given(
    values=st.lists(st.one_of(st.just(0.0), st.just(np.nan), st.floats(0, 1e9)), min_size=1, max_size=80),
    horizon=st.integers(1, 60),
)
def test_any_history_gives_sane_numbers(values, horizon):
    """Zeros, gaps and jumps of any size: bounds in order, none negative, none beyond all proportion."""
    if np.isnan(values).all():
        return
    forecast = forecast_daily(daily(values), horizon)

    assert horizon == len(forecast)
    assert in_order(forecast)
    assert forecast["mean"].max() <= 10 * np.nanmax(values)


@settings(max_examples=6, deadline=None)
@given(factor=st.floats(1e-6, 1e6), seed=st.integers(0, 50))
def test_the_unit_does_not_matter(factor, seed):
    """A series in other units is forecast in those units."""
    series = usage(120, seed)
    expected, found = (forecast_daily(each, 30) for each in (series * factor, series))

    assert np.allclose(expected, found * factor, rtol=0.02)


def test_a_shift_by_whole_weeks_changes_only_the_dates():
    """The same days, 70 days later."""
    series = usage(150)
    later = series.set_axis(series.index + pd.Timedelta(days=70))

    assert np.array_equal(forecast_daily(series, 40), forecast_daily(later, 40))


def test_equal_inputs_give_equal_forecasts():
    """Nothing is random, whatever type the values have."""
    series = usage(90).round(2)
    arrow = series.astype(pd.ArrowDtype(pa.float64()))

    assert forecast_daily(series, 20).equals(forecast_daily(arrow, 20))


@pytest.mark.parametrize("days", [1, 5, 13, 14, 20, 40, 400])
def test_a_constant_is_its_own_forecast(days):
    """A series that never moved stays, on any length of history."""
    forecast = forecast_daily(daily([7.0] * days), 60)

    assert np.allclose(7.0, forecast["mean"])
    assert in_order(forecast)


def test_a_repeating_week_is_repeated():
    """A series that repeats itself exactly is forecast exactly, with narrow intervals."""
    week = [100.0, 110.0, 120.0, 110.0, 90.0, 20.0, 10.0]
    forecast = forecast_daily(daily(week * 20), 14)

    assert np.allclose(week * 2, forecast["mean"], rtol=1e-6)
    assert bool((forecast["upper_80"] < 1.15 * forecast["mean"]).all())


@pytest.mark.parametrize(
    ("values", "note", "low", "high"),
    [
        ([5.0], "The history is short (1 of 14 days needed)", 5, 5),
        ([0.0] * 60 + [4.0, 6.0, 5.0], "The history is short (3 of 14 days needed)", 5, 5),
        ([0.0] * 50, "Nothing was spent on any of the 50 days", 0, 0),
        ([9.0] * 60 + [0.0] * 20, "Nothing was spent on the last 20 days", 0, 0),
        ([30.0, 0, 0, 0, 0, 0, 0] * 12, "Most days are zero", 30 / 7, 30 / 7),
        ([1.0, -3.0] * 30, "Many days are negative", -1.2, -0.8),
        ([10.0] * 40 + [-500.0] + [10.0] * 40, "Negative days (credits) are left out: 1", 9.9, 10.1),
        ([10.0, 11.0] * 40 + [31.0, 33.0], "The last two days are +19", 10, 33),
        ([8.0, 9.0] * 15, "Only 30 days with spend", 7.5, 9.5),
        ([8.0, 9.0] * 40 + [0.0] * 5, "Nothing was spent on the last 5 days: the forecast follows in part", 0.1, 9.5),
        ([8.0, 9.0, np.nan] * 30, "No value on 30 of the last 90 days", 7.5, 9.5),
    ],
)
def test_odd_histories_say_so_and_stay_sane(values, note, low, high):
    """Each gives a plausible average day and a note that names what is odd."""
    forecast = forecast_daily(daily(values), 28)

    assert any(note in said for said in forecast.attrs["notes"]), forecast.attrs["notes"]
    assert low - 1e-9 <= forecast["mean"].mean() <= high + 1e-9


def test_short_histories_have_wide_intervals():
    """Five days give an 80% interval that spans more than half to one and a half of the average."""
    forecast = forecast_daily(daily([10.0, 12, 8, 11, 9]), 30).iloc[-1]

    assert forecast["lower_80"] < 5
    assert forecast["upper_80"] > 15


def test_fast_growth_is_not_carried_on_for_ever():
    """Two percent a day would be 1,400 times in a year: the forecast stays within a few times the last day."""
    series = daily(np.exp(0.02 * np.arange(200)))
    forecast = forecast_daily(series, 365)

    assert series.iloc[-1] < forecast["mean"].iloc[29] < forecast["mean"].max() < 4 * series.iloc[-1]


def test_holidays_lower_the_day():
    """Christmas Day falls by more than a quarter, the days before stay."""
    series = daily([100.0, 100, 100, 100, 100, 20, 20] * 49)
    days = public_holidays(HolidaySettings(country="DE"), series.index[0].date(), pd.Timestamp("2026-12-31").date())
    plain, known = forecast_daily(series, 30), forecast_daily(series, 30, holidays=days)

    assert known.loc["2026-12-25", "mean"] < 0.75 * plain.loc["2026-12-25", "mean"]
    assert known.loc["2026-12-23", "mean"] == pytest.approx(plain.loc["2026-12-23", "mean"], rel=0.05)


def test_sums_are_surer_than_their_days_and_less_sure_than_independent_ones():
    """Sampled courses keep the days' distributions and their dependence, and repeat with the seed."""
    series = usage(365, seed=5)
    forecast, paths = forecast_daily(series, 30), sample_paths(series, 30, 4000)
    spread = paths.sum(axis=1).std()

    assert (4000, 30) == paths.shape
    assert np.array_equal(paths[:9], sample_paths(series, 30, 4000)[:9])
    assert np.allclose(
        0.8,
        ((paths > forecast["lower_80"].to_numpy()) & (paths < forecast["upper_80"].to_numpy())).mean(axis=0),
        atol=0.03,
    )
    assert np.sqrt((paths.std(axis=0) ** 2).sum()) * 1.3 < spread < paths.std(axis=0).sum()


@pytest.mark.parametrize(
    ("horizon", "levels", "words"),
    [(0, (80,), "horizon_days is 0"), (400, (80,), "horizon_days is 400"), (9, (0.8, 100), "levels holds 100")],
)
def test_questions_out_of_range_are_refused(horizon, levels, words):
    """No day ahead, more than a year, an interval of everything."""
    with pytest.raises(SchemaError, match=words):
        forecast_daily(usage(30), horizon, levels)


@pytest.mark.skipif(not _SERIES.exists(), reason="the shared series are not on this machine")
def test_real_series_are_forecast_better_than_by_repetition():
    """On the last 30 days of ten real series the error is clearly below the weekday naive's."""
    frame = pd.read_parquet(_SERIES)
    errors, inside = [], []
    for name in sorted(set(frame["series_id"]) - {"m5_3"})[::3]:
        series = frame[frame["series_id"] == name].set_index("ds")["y"]
        known, came = series.iloc[-455:-30], series.iloc[-30:].to_numpy()
        forecast = forecast_daily(known, 30)
        naive = np.resize(known.iloc[-7:].to_numpy(), 30)
        errors.append(np.abs(forecast["mean"] - came).sum() / np.abs(naive - came).sum())
        inside.append(((came >= forecast["lower_80"]) & (came <= forecast["upper_80"])).mean())

    assert np.mean(errors) < 0.95
    assert 0.65 < np.mean(inside) < 0.95


def test_a_model_of_its_own_takes_the_place_of_the_shared_one():
    """A model that expects twice the last four weeks says twice as much, on this call only."""
    twice = PanelModel((tuple(SimpleNamespace(predict=lambda rows: np.full(len(rows), np.log(2))) for _ in range(5)),))
    series = usage(100, seed=3)
    shared, own = forecast_daily(series, 10), forecast_daily(series, 10, (80, 95), twice)

    assert own["mean"].sum() > 1.1 * shared["mean"].sum()
    assert shared.equals(forecast_daily(series, 10))


def test_courses_go_on_over_a_longer_horizon():
    """The first ten of thirty days are those of ten; one course stays in the middle, others have mirror images."""
    longer = path_scores(30, 9, [1, 2])

    assert np.array_equal(path_scores(10, 9, [1, 2]), longer[:, :10])
    assert not longer[0].any()
    assert np.array_equal(longer[1:5], -longer[5:])


@pytest.mark.parametrize(
    "same",
    [
        lambda series: series.sample(frac=1, random_state=0),
        lambda series: series.astype("Int64"),
        lambda series: series.tz_localize("America/New_York"),
        lambda series: series.set_axis(pd.DatetimeIndex(list(series.index)).as_unit("s")).rename("cost"),
    ],
)
def test_the_form_of_the_series_does_not_matter(same):
    """Order, type, time zone, unit of time and a frequency or none change nothing."""
    series = usage(60).round()

    pd.testing.assert_frame_equal(forecast_daily(series, 5), forecast_daily(same(series), 5))
