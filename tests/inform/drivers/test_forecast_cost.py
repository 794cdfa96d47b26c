"""The forecast by driver: put together at dated prices, the same each time, sane on any history."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

from finops_lib.inform import forecast_cost
from finops_lib.inform.drivers.forecast_cost import _dependence

_AS_OF = date(2026, 9, 30)


@pytest.fixture
def scope(make_ledger, make_usage):
    """Build so many days up to the end of September: 10 calls of 100 input and 20 output tokens at 1 and 5 USD."""

    def make(days, price=1_000_000):
        when = pd.date_range(end="2026-09-30", periods=days).strftime("%Y-%m-%d")
        model = {"model": "m"}
        rows = [(day, "uncached_input", 1_000, price, model) for day in when]
        rows += [(day, "output", 200, 5 * price, model) for day in when]
        return make_ledger(rows), make_usage([(day, 10, model) for day in when])

    return make


def announced(*rows):
    """Announced prices from (first day, token class, price)."""
    return pd.DataFrame(
        [(pd.Timestamp(day).date(), "m", kind, price, None) for day, kind, price in rows],
        columns=["effective_from", "model", "token_class", "unit_price", "unit_price_before"],
    )


def test_a_steady_past_goes_on(scope, steady_panel):
    """2,000 USD on each of 60 days: 2,000 ahead, 62,000 in October, 30,000 known of September."""
    forecast = forecast_cost(*scope(60), _AS_OF)
    months = forecast.projection.set_index("period")["projected"]

    assert pytest.approx(2_000, rel=0.02) == forecast.daily["mean"].mean()
    assert 60_000 == months["month"]
    assert pytest.approx(62_000, rel=0.02) == months["next_month"]
    assert ["month", "next_month", "quarter", "next_quarter", "year"] == forecast.projection["period"].tolist()
    assert ["calls", "input_tokens_per_call", "output_tokens_per_call", "cache_read_share"] == list(
        forecast.drivers["driver"].unique()
    )


def test_an_announced_price_is_taken_not_forecast(scope, steady_panel):
    """From 11 October output costs half: 2,000 a day before, 1,500 from then on; past prices do not come back."""
    prices = announced(
        ("2026-09-30", "uncached_input", 1.0), ("2026-09-30", "output", 5.0), ("2026-10-11", "output", 2.5)
    )
    daily = forecast_cost(*scope(60), _AS_OF, prices=prices).daily["mean"]

    assert pytest.approx(2_000, rel=0.02) == daily[:10].mean()
    assert pytest.approx(1_500, rel=0.02) == daily[10:].mean()


def test_todays_price_replaces_the_recent_past(scope, steady_panel):
    """A cut to a tenth that holds since today counts in full, however few days of it the history has."""
    prices = announced(("2026-09-30", "uncached_input", 0.1), ("2026-09-30", "output", 0.5))

    assert pytest.approx(200, rel=0.02) == forecast_cost(*scope(60), _AS_OF, prices=prices).daily["mean"].mean()


def test_equal_inputs_give_equal_courses(scope, steady_panel):
    """The simulation is seeded; another seed moves the bounds."""
    first, again = (forecast_cost(*scope(60), _AS_OF, count=50) for _ in range(2))
    other = forecast_cost(*scope(60), _AS_OF, count=50, seed=1)

    assert first.daily.equals(again.daily)
    assert not first.daily.equals(other.daily)


def test_bounds_are_in_order_and_hold_the_drivers_together(scope, steady_panel):
    """95% is wider than 80%, and cost is less sure than the calls alone."""
    forecast = forecast_cost(*scope(60), _AS_OF)
    found = forecast.daily[["lower_95", "lower_80", "mean", "upper_80", "upper_95"]].to_numpy()
    calls = forecast.drivers[(forecast.drivers["driver"] == "calls") & forecast.drivers["mean"].notna()]

    assert (np.diff(found, axis=1) >= 0).all()
    assert (forecast.daily["upper_95"] / forecast.daily["mean"]).mean() > (calls["upper_95"] / calls["mean"]).mean()


@pytest.mark.parametrize("days", [1, 5])
def test_short_histories_say_so(scope, days):
    """A day or five are carried on, with a note that this is a rule."""
    forecast = forecast_cost(*scope(days), _AS_OF)

    assert pytest.approx(2_000, rel=0.25) == forecast.daily["mean"].mean()
    assert f"({days} of 14 days needed)" in forecast.notes[0]


def test_no_data_and_no_spend_are_said_in_words(make_ledger, make_usage):
    """An empty ledger has no forecast; one without prices names the model."""
    empty = forecast_cost(make_ledger([]), make_usage([]), None)
    own = {"model": "own"}
    unpriced = forecast_cost(
        make_ledger([("2026-09-30", "output", 40, None, own)]), make_usage([("2026-09-30", 1, own)]), _AS_OF
    )

    assert (True, True) == (empty.daily.empty, empty.projection.empty)
    assert "nothing to forecast" in empty.notes[0]
    assert ["own"] == unpriced.unpriced["model"].tolist()
    assert unpriced.projection.empty


def test_dependence_finds_drivers_that_move_together():
    """Two drivers with one cause correlate, a third does not; short histories are taken as independent."""
    random = np.random.default_rng(0)
    shared, own = np.exp(random.normal(size=(2, 70)))
    known = pd.DataFrame({"a": shared, "b": 3 * shared, "c": own})
    found = _dependence(known)

    assert found[0, 1] > 0.8
    assert abs(found[0, 2]) < 0.3
    assert np.array_equal(np.eye(3), _dependence(known.head(15)))
