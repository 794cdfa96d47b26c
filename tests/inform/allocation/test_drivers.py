"""Drivers of allocation: what each receiver used of everything that shared cost may follow."""

from __future__ import annotations

import pandas as pd

from finops_lib.inform import allocation_drivers


def values(drivers: pd.DataFrame, driver: str, by: str = "receiver") -> dict[object, float]:
    """Sum a driver by one of its columns; nulls as ``None``."""
    rows = drivers[drivers["driver"] == driver]
    summed = rows.groupby(by, dropna=False)["value"].sum()
    return {None if pd.isna(name) else name: round(value, 9) for name, value in summed.items()}


def test_usage_and_cost_by_team(make_ledger, make_usage) -> None:
    """Requests, tokens, cost and every other measure of the usage; use without a team is kept as such."""
    costs = make_ledger([("2026-09-01", "output", 1_000_000, 8, {"team": "a", "assistant": "x"})])
    usage = make_usage(
        [
            (
                "2026-09-01",
                10,
                {"team": "a", "assistant": "x", "model": "m", "uncached_input_tokens": 100, "retries": 2},
            ),
            ("2026-09-02", 5, {"team": None, "assistant": "x", "model": "m", "uncached_input_tokens": 50}),
        ]
    )
    users = pd.DataFrame({"team": ["a", None], "users": [4, 1]})
    drivers = allocation_drivers(costs, usage, receiver="team", users=users)

    assert {"a": 10.0, None: 5.0} == values(drivers, "requests")
    assert {"a": 100.0, None: 50.0} == values(drivers, "tokens")
    assert {"a": 8.0} == values(drivers, "cost")
    assert {"a": 4.0, None: 1.0} == values(drivers, "active_users")
    assert {"a": 2.0} == values(drivers, "retries")
    assert {"m": 15.0} == values(drivers, "requests", by="model")
    assert {"team"} == set(drivers["receiver_type"])


def test_volumes_are_passed_on_by_requests(make_ledger, make_usage) -> None:
    """90 GB of an assistant used 2 : 1 are 60 and 30; other months do not count, an idle assistant keeps its own."""
    usage = make_usage(
        [
            ("2026-09-01", 20, {"team": "a", "assistant": "x"}),
            ("2026-09-01", 10, {"team": "b", "assistant": "x"}),
        ]
    )
    volumes = pd.DataFrame(
        {
            "date": ["2026-09-01", "2026-09-02", "2026-08-31", "2026-09-01"],
            "assistant": ["x", "x", "x", "idle"],
            "measure": "log_gb",
            "quantity": [50, 40, 1000, 7],
        }
    )
    drivers = allocation_drivers(make_ledger([]), usage, receiver="team", volumes=volumes)
    by_assistant = allocation_drivers(make_ledger([]), usage, receiver="assistant", volumes=volumes)

    assert {"a": 60.0, "b": 30.0, None: 7.0} == values(drivers, "log_gb")
    assert {"x": 90.0, "idle": 7.0} == values(by_assistant, "log_gb")


def test_used_share_of_capacity_weighs_units_and_hours(make_ledger, make_usage) -> None:
    """One unit half used for an hour and one unused for three hours are an eighth in use."""
    usage = make_usage([("2026-09-01", 1, {"team": "a"})])
    capacity = pd.DataFrame(
        {
            "timestamp": ["2026-09-01T00:00:00Z", "2026-09-01T01:00:00Z"],
            "model": "m",
            "units": [1, 1],
            "hours": [1, 3],
            "used_share": [0.5, None],
            "team": "owner",
        }
    )
    drivers = allocation_drivers(make_ledger([]), usage, receiver="team", capacity=capacity)

    assert {"owner": 0.125} == values(drivers, "used_share")
    assert {"m": 0.125} == values(drivers, "used_share", by="model")
