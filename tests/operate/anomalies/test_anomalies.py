"""Unusual days and events: each kind is found once, with its money; a clean series stays quiet."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finops_lib.errors import SchemaError
from finops_lib.operate import find_anomalies, flag_days
from finops_lib.settings import Feedback

PLANTS = {
    "spike": {"requests": (80, [3.0])},
    "level": {"requests": (80, [1.4] * 40)},
    "creep": {"tokens_per_request": (80, 1.02 ** np.arange(1, 41))},
    "weekend": {"requests": (82, [2.5, 2.5])},  # 2026-06-27 is a Saturday
    "drop": {"requests": (80, [0.0, 0.0])},
    "mix": {"rate": (80, [1.5] * 40)},
}


@pytest.mark.parametrize("kind", PLANTS)
def test_each_kind_is_one_event_of_its_driver(make_daily, kind):
    """One planted cause, one row: the right kind, driver, first day and a score."""
    (driver, (start, factors)), *_ = PLANTS[kind].items()
    daily = make_daily(**PLANTS[kind])
    events = find_anomalies(daily)
    event = events.iloc[0]

    assert [kind] == events["kind"].tolist()
    assert driver == event["driver"]
    assert abs((event["start"] - daily["date"][start]).days) <= (4 if kind == "creep" else 0)
    assert (daily["date"][start + len(factors) - 1] - event["end"]).days <= 1
    assert event["score"] > 3
    assert flag_days(daily)[daily["date"] == event["found_on"]].item()


@pytest.mark.parametrize("kind", ["spike", "level", "weekend", "mix"])
def test_impact_is_actual_less_expected_in_money(make_daily, kind):
    """What was planted on top of a day is what the event costs, within a tenth."""
    (start, factors) = next(iter(PLANTS[kind].values()))
    daily = make_daily(**PLANTS[kind])
    without = make_daily()
    planted = (daily["cost"] - without["cost"]).iloc[start : start + len(factors)].sum()
    event = find_anomalies(daily).iloc[0]

    assert pytest.approx(planted, rel=0.1) == event["impact"]
    assert pytest.approx(event["actual"] - event["expected"]) == event["impact"]


def test_a_drop_is_money_that_was_not_spent(make_daily):
    """Two days of nothing: actual zero, expected what two such days cost."""
    event = find_anomalies(make_daily(**PLANTS["drop"])).iloc[0]
    usual = make_daily()["cost"].iloc[80:82].sum()

    assert 0 == event["actual"]
    assert pytest.approx(-usual, rel=0.15) == event["impact"]
    assert "missing" in event["likely_cause"]


def test_clean_series_are_quiet(make_daily):
    """Twenty clean series of a year: under 0.15 flagged days a series and month."""
    flagged = sum(int(flag_days(make_daily(days=365, seed=seed, first="2025-09-01")).sum()) for seed in range(20))

    assert flagged / (20 * 365 / 30) < 0.15


def test_drivers_that_move_together_are_one_cause(make_daily):
    """A retry storm raises requests, retries and failures: one event, told as retries, costing what all cost."""
    daily = make_daily(requests=(80, [2.0, 2.0])).assign(retry_rate=0.01, failed_share=0.02)
    daily.loc[80:81, ["retry_rate", "failed_share"]] = 0.4
    events = find_anomalies(daily)

    assert ["retry_rate"] == events["driver"].tolist()
    assert "share of calls that fail, requests" == events["also_moved"].item()
    assert pytest.approx(daily["cost"].iloc[80:82].sum() / 2, rel=0.15) == events["impact"].item()


def test_cost_alone_is_enough(make_daily):
    """With date and cost only, or the date as index, a spike is found in the cost."""
    daily = make_daily(**PLANTS["spike"])[["date", "cost"]]
    event = find_anomalies(daily).iloc[0]

    assert ("cost", "spike") == (event["driver"], event["kind"])
    assert flag_days(daily).tolist() == flag_days(daily.set_index("date")).tolist()


@pytest.mark.parametrize(
    "written",
    [
        lambda daily: daily.assign(date=daily["date"].dt.strftime("%Y-%m-%d")),
        lambda daily: daily.assign(date=daily["date"].dt.date),
        lambda daily: daily.assign(date=daily["date"].dt.tz_localize("UTC")),
        lambda daily: daily.set_index("date").rename_axis(None),
        lambda daily: daily.assign(requests=daily["requests"].round().astype(int), team="any"),
    ],
)
def test_the_form_of_the_days_does_not_matter(make_daily, written):
    """Days as text, dates, with a time zone or as the index: the same one event and flag."""
    columns = ["date", "cost", "requests", "tokens_per_request", "rate"]
    daily = make_daily(**PLANTS["spike"])[columns]
    event, plain = find_anomalies(written(daily)), find_anomalies(daily)

    assert plain[["start", "end", "kind"]].equals(event[["start", "end", "kind"]])
    assert flag_days(daily).tolist() == flag_days(written(daily)).tolist()


def test_a_value_without_end_is_unknown(make_daily):
    """A cost that was divided by zero hides no event on other days."""
    daily = make_daily(**PLANTS["spike"])
    daily.loc[40, "cost"] = np.inf

    assert ["spike"] == find_anomalies(daily)["kind"].tolist()


def test_the_index_and_order_of_the_rows_are_kept(make_daily):
    """Flags come on the index that was given, whatever the order of the days."""
    daily = make_daily(**PLANTS["spike"])
    turned = daily.iloc[::-1].set_axis([f"row {n}" for n in range(len(daily))], axis=0)
    flags = flag_days(turned)

    assert turned.index.equals(flags.index)
    assert flag_days(daily).tolist()[::-1] == flags.tolist()


def test_days_left_out_are_days_of_nothing(make_daily):
    """A log that lacks two days is a drop on them."""
    events = find_anomalies(make_daily().drop(index=[80, 81]))

    assert [("drop", "requests")] == list(zip(events["kind"], events["driver"], strict=True))
    assert pd.Timestamp("2026-06-25") == events["start"].item()


@pytest.mark.parametrize(
    "daily",
    [
        pd.DataFrame({"date": pd.date_range("2026-01-01", periods=n), "cost": cost})
        for n, cost in [(0, []), (1, [3.0]), (90, 5.0), (90, 0.0), (90, np.nan), (90, Decimal("1.5"))]
    ],
)
def test_little_or_nothing_to_see_is_nothing_unusual(daily):
    """No rows, one day, constants, zeros, unknown cost and exact money give no event and the same columns."""
    events = find_anomalies(daily)

    assert 0 == len(events)
    assert 0 == flag_days(daily).sum()
    assert ["start", "end", "driver", "kind", "actual", "expected", "impact", "score", "likely_cause"] == list(
        events.columns[:9]
    )


def test_what_cannot_be_judged_is_refused(make_daily):
    """No date, no cost, a day that stands twice: an error that says what to do."""
    daily = make_daily()
    with pytest.raises(SchemaError, match="add a column 'date'"):
        flag_days(daily.drop(columns="date"))
    with pytest.raises(SchemaError, match="no column 'cost'"):
        find_anomalies(daily.drop(columns="cost"))
    with pytest.raises(SchemaError, match="2026-04-06 stands more than once"):
        flag_days(pd.concat([daily, daily.head(1)]))
    with pytest.raises(SchemaError, match="1 of 120 rows have no date"):
        flag_days(daily.assign(date=daily["date"].where(daily.index != 3)))
    with pytest.raises(SchemaError, match="cannot be read as dates"):
        flag_days(daily.assign(date="a day"))
    with pytest.raises(SchemaError, match="No driver found"):
        flag_days(daily[["date"]])


def test_a_verdict_silences_the_cause_and_not_the_detector(make_daily):
    """The judged event stays with its verdict; another driver, and the same one later, have none."""
    daily = make_daily(requests=(60, [3.0]), rate=(90, [1.5] * 30))
    daily.loc[110, ["requests", "cost"]] *= 4
    said = Feedback(driver="requests", start=date(2026, 6, 5), verdict="planned")
    events = find_anomalies(daily, feedback=[said])
    always = find_anomalies(daily, feedback=[said.model_copy(update={"until": date(2026, 8, 31)})])

    assert ["requests", "rate", "requests"] == events["driver"].tolist()
    assert ["planned", None, None] == events["verdict"].tolist()
    assert ["planned", None, "planned"] == always["verdict"].tolist()
    assert events.drop(columns="verdict").equals(find_anomalies(daily).drop(columns="verdict"))


def test_small_events_can_be_left_out(make_daily):
    """A spike of two days' cost is 8% of a month: shown from 5% on, not from 20% on."""
    daily = make_daily(**PLANTS["spike"])

    assert 1 == len(find_anomalies(daily, smallest_impact=0.05))
    assert 0 == len(find_anomalies(daily, smallest_impact=0.2))


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 10**6), kind=st.sampled_from(list(PLANTS)), cut=st.integers(30, 119))
def test_flags_never_know_the_future(seed, kind, cut):
    """The flags of the days up to any day stay as they were when more days come."""
    daily = _daily(seed, kind)

    assert flag_days(daily).tolist()[:cut] == flag_days(daily.head(cut)).tolist()


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 10**6), kind=st.sampled_from(list(PLANTS)), scale=st.sampled_from([1e-4, 0.37, 8.0, 1e6]))
def test_the_unit_of_money_does_not_matter(seed, kind, scale):
    """Cost in cents, or a thousand times the price: the same days are flagged, with and without drivers."""
    daily = _daily(seed, kind)
    scaled = daily.assign(cost=daily["cost"] * scale, rate=daily["rate"] * scale)

    assert flag_days(daily).tolist() == flag_days(scaled).tolist()
    assert flag_days(daily[["date", "cost"]]).tolist() == flag_days(scaled[["date", "cost"]]).tolist()


def _daily(seed, kind):
    random = np.random.default_rng(seed)
    frame = pd.DataFrame({"date": pd.date_range("2026-01-05", periods=120)})
    frame["requests"] = np.round(500 * np.exp(random.normal(0, 0.15, 120)))
    frame["tokens_per_request"] = 2_000 * np.exp(random.normal(0, 0.05, 120))
    frame["rate"] = 3e-6 * np.exp(random.normal(0, 0.02, 120))
    ((driver, (start, factors)),) = PLANTS[kind].items()
    frame.loc[start : start + len(factors) - 1, driver] *= np.asarray(factors, dtype=float)
    return frame.assign(cost=frame["requests"] * frame["tokens_per_request"] * frame["rate"])
