"""What was paid for and of no use: each dollar in one line."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pandas as pd
import pytest

from finops_lib import inform
from finops_lib.settings import EnvironmentPolicy

NO_SEATS = pd.DataFrame(columns=["month", "product", "purchased", "active", "unit_price"])
NO_CAPACITY = pd.DataFrame(columns=["timestamp", "model", "units", "hours", "unit_price", "used_share"])
SEATS = pd.DataFrame(
    {
        "month": ["2026-09", "2026-10", "2026-10"],
        "product": ["editor", "editor", "chat"],
        "purchased": [50, 64, 40],
        "active": [1, 49, None],
        "unit_price": [Decimal("19"), Decimal("19"), Decimal("25")],
    }
)
CAPACITY = pd.DataFrame(
    {
        "timestamp": ["2026-10-01T00:00:00Z", "2026-10-02T00:00:00Z", "2026-11-01T00:00:00Z"],
        "model": ["nova"] * 3,
        "units": [Decimal(2)] * 3,
        "hours": [Decimal(24)] * 3,
        "unit_price": [Decimal("0.5")] * 3,
        "used_share": [0.25, 0.75, 0.0],
    }
)


def calls(*rows):
    """Make classed calls of (day, environment, class, requests, cost)."""
    frame = pd.DataFrame(rows, columns=["charge_period_start", "environment", "call_class", "requests", "cost"])
    return frame.assign(
        assistant="bot",
        workflow="chat",
        model="m",
        charge_period_start=pd.to_datetime(frame.iloc[:, 0]),
        status_known=frame["requests"],
        cache_key_known=frame["requests"],
    )


def cost_of(found):
    """Map each line to its cost."""
    return dict(zip(found["waste"], found["cost"], strict=True))


DAY, LATER = "2026-10-01", "2026-10-20"
MIXED = calls(
    (DAY, "production", "blocked", 1, 1.0),
    (DAY, "production", "retried", 2, 2.0),
    (DAY, "sandbox", "retried", 1, 0.5),
    (DAY, "production", "failed", 1, 4.0),
    (DAY, "production", "abandoned", 1, 8.0),
    (DAY, "production", "repeated", 4, 16.0),
    (DAY, "production", "without result", 1, 100.0),
    (DAY, "sandbox", "without result", 3, 32.0),
    (DAY, "sandbox", "useful", 3, 64.0),
    (LATER, "sandbox", "useful", 5, 128.0),
)
POLICIES = {("bot", "sandbox"): EnvironmentPolicy(expires=date(2026, 10, 19))}


def test_each_class_of_calls_is_a_line():
    """Sandbox calls count when refused (32) or after the expiry (128); poor production answers are no waste line."""
    found = inform.waste(MIXED, NO_SEATS, NO_CAPACITY, period="2026-10", policies=POLICIES, assistant="bot")

    assert {
        "sandbox traffic of low value": 160.0,
        "cacheable repeats": 16.0,
        "abandoned runs": 8.0,
        "failed runs": 4.0,
        "failed attempts, tried again": 2.5,
        "blocked runs": 1.0,
    } == cost_of(found)
    assert [8, 4, 1, 1, 3, 1] == found["quantity"].tolist()


def test_lines_never_count_a_dollar_twice():
    """With everything in the sandbox and expired, all lines together are what all calls cost."""
    everything = MIXED.assign(environment="sandbox", charge_period_start=pd.Timestamp(LATER))
    found = inform.waste(everything, NO_SEATS, NO_CAPACITY, period="2026-10", policies=POLICIES, assistant="bot")

    assert MIXED["cost"].sum() == found["cost"].sum() == 355.5
    assert pytest.approx(1.0) == found["share_of_cost"].sum()


def test_without_a_policy_a_sandbox_never_expires():
    """Only the refused part of the sandbox is waste."""
    found = inform.waste(MIXED, NO_SEATS, NO_CAPACITY, period="2026-10", assistant="bot")

    assert 32.0 == cost_of(found)["sandbox traffic of low value"]


def test_idle_capacity_and_unused_seats():
    """October: 2 units x 24 h x 0.50 x (75% + 25% idle) = 24 USD; (64 - 49) x 19 = 285 USD, one product unmeasured."""
    found = inform.waste(MIXED, SEATS, CAPACITY, period="2026-10").set_index("waste")

    assert (24.0, 48.0, "nova") == tuple(found.loc["idle provisioned throughput", ["cost", "quantity", "largest_part"]])
    assert (285.0, 15.0, "editor") == tuple(found.loc["unused seats", ["cost", "quantity", "largest_part"]])
    assert "1 products do not say" in found.loc["unused seats", "how_measured"]
    assert found.loc["unused seats", ["share_of_cost"]].isna().all()


def test_one_product_does_not_make_up_for_another():
    """40 of 100 seats at 30 are free though 50 use the 10 of another; a quarter idles though the next day overruns."""
    seats = pd.DataFrame(
        {
            "month": ["2026-10"] * 4,
            "product": ["a", "b", "shared", "shared"],
            "purchased": [100, 10, 10, 10],
            "active": [60, 50, 12, 8],
            "unit_price": [Decimal(30)] * 4,
        }
    )
    found = inform.waste(MIXED, seats, CAPACITY.assign(used_share=[0.75, 1.5, 0.0]), period="2026-10").set_index(
        "waste"
    )

    assert (1200.0, 40.0, "a") == tuple(found.loc["unused seats", ["cost", "quantity", "largest_part"]])
    assert (6.0, 12.0) == tuple(found.loc["idle provisioned throughput", ["cost", "quantity"]])


def test_what_is_not_given_is_not_known():
    """Without tables of seats and capacity their waste is no zero, and the line says which table would tell."""
    found = inform.waste(MIXED, NO_SEATS, NO_CAPACITY, period="2026-10").set_index("waste")

    assert pd.isna(found.loc["unused seats", "cost"])
    assert "no table 'seats'" in found.loc["unused seats", "how_measured"]
    assert ["idle provisioned throughput", "unused seats"] == found.index[-2:].tolist()


@pytest.mark.parametrize(
    ("silent", "lines", "why"),
    [
        ({"cache_key_known": 0}, ["cacheable repeats"], "not known: no call says its cache key"),
        (
            {"status_known": 0},
            ["abandoned runs", "blocked runs", "failed attempts, tried again", "failed runs"],
            "not known: no call says how it ended",
        ),
        ({"environment": None}, ["sandbox traffic of low value"], "not known: no call names its environment"),
    ],
)
def test_what_no_call_tells_is_no_zero(silent, lines, why):
    """Without a cache key on any call a repeat cannot be seen: that is not that there was none."""
    useful = calls((DAY, "production", "useful", 3, 64.0)).assign(**silent)
    found = inform.waste(useful, NO_SEATS, NO_CAPACITY, period="2026-10", assistant="bot")
    unknown = found[found["cost"].isna()]

    assert lines == unknown["waste"].tolist()
    assert {why} == set(unknown["how_measured"])


def test_tables_without_the_month_tell_nothing_of_it():
    """Seats and capacity of other months, or that do not say what was used."""
    silent = SEATS.assign(active=None), CAPACITY.assign(used_share=None)
    for seats, capacity, period in ((SEATS, CAPACITY, "2027-01"), (*silent, "2026-10")):
        found = inform.waste(MIXED, seats, capacity, period=period).set_index("waste")
        assert found.loc[["unused seats", "idle provisioned throughput"], "cost"].isna().all()


def test_an_assistant_owns_no_seats():
    """Licences and capacity are bought for teams: they are on the organisation's page."""
    found = inform.waste(MIXED, SEATS, CAPACITY, period="2026-10", assistant="bot")

    assert {"unused seats", "idle provisioned throughput"}.isdisjoint(found["waste"])


def test_a_month_without_calls_wastes_nothing():
    """Every line is there, with zero."""
    found = inform.waste(MIXED.head(0), NO_SEATS, NO_CAPACITY, period="2026-10", assistant="bot")

    assert [0.0] * 6 == found["cost"].tolist()
    assert found["largest_part"].isna().all()
