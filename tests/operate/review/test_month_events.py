"""What is unusual counts in each month it lasts, with the days it has there."""

from __future__ import annotations

import pandas as pd

from finops_lib.operate import events_of_month

EVENTS = pd.DataFrame({
    "start": pd.to_datetime(["2026-09-27", "2026-09-01", "2026-10-30", "2026-11-01"]),
    "end": pd.to_datetime(["2026-10-06", "2026-09-30", "2026-11-02", "2026-11-01"]),
    "impact": [50.0, 99.0, 80.0, 7.0],
})  # fmt: skip


def test_an_event_counts_in_each_month_it_lasts() -> None:
    """Six of ten days of 50 dollars are October's, and two of four days of 80."""
    assert [40.0, 30.0] == events_of_month(EVENTS, "2026-10")["impact_in_month"].tolist()
    assert [99.0, 20.0] == events_of_month(EVENTS, "2026-09")["impact_in_month"].tolist()


def test_the_months_hold_all_of_it() -> None:
    """No dollar is lost between months."""
    parts = [events_of_month(EVENTS, month)["impact_in_month"].sum() for month in ("2026-09", "2026-10", "2026-11")]

    assert 236.0 == sum(parts)


def test_nothing_without_events_or_month() -> None:
    """An empty ledger has neither."""
    assert events_of_month(EVENTS.head(0), "2026-10").empty
    assert events_of_month(EVENTS, "").empty
