"""Events drawn on their days, with their cause in words."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from finops_lib import report


@pytest.fixture
def daily():
    """Make sixty days of 100 USD, with two spikes."""
    frame = pd.DataFrame({"date": pd.date_range("2026-07-01", periods=60), "cost": 100.0, "requests": 50.0})
    frame.loc[[20, 40], "cost"] = 300.0
    return frame.assign(tokens_per_request=2_000.0, rate=1e-3, retry_rate=np.where(frame.index == 40, 0.5, 0.01))


@pytest.fixture
def events():
    """Make the events of these days, the first one judged."""
    return pd.DataFrame(
        {
            "start": pd.to_datetime(["2026-07-21", "2026-08-10"]),
            "end": pd.to_datetime(["2026-07-21", "2026-08-10"]),
            "driver": ["cost", "retry_rate"],
            "kind": ["spike", "spike"],
            "impact": [200.0, 150.0],
            "likely_cause": ["Cost reached 3 times what was expected", "Retries per call rose by 49 points"],
            "verdict": ["planned", None],
        }
    )


def test_events_stand_on_the_series_with_their_cause(daily, events, parts, inside):
    """The open event is coloured and counted, the judged one only told; both are said in words and in the alt text."""
    figure = report.plot_anomalies(daily, events, subject="Helpdesk")
    texts = [text.get_text() for text in figure.axes[1].texts]

    assert "Helpdesk: One event out of the usual, USD 150.00 more than expected" == parts(figure)["title"]
    assert "spike, 21 Jul, USD 200.00 more than expected (judged: planned)." == texts[0]
    assert "Retries per call rose by 49 points." == texts[3]
    assert "Retries per call rose by 49 points" in report.alt_text(figure)
    assert 1 == sum(bar.get_facecolor()[:3] == (0xD5 / 255, 0x5E / 255, 0) for bar in figure.axes[0].patches)
    assert [] == inside(figure)


def test_a_quiet_series_says_so(daily, events, parts, inside):
    """No event: the bars, and the finding that there is none."""
    figure = report.plot_anomalies(daily, events.head(0))

    assert "All assistants: nothing unusual" == parts(figure)["title"]
    assert [] == inside(figure)


def test_each_driver_that_moved_has_its_panel(daily, events, inside):
    """Cost, requests, tokens and rate always; retries because an event names them."""
    figure = report.plot_driver_events(daily, events)
    labels = [" ".join(axes.get_ylabel().split()) for axes in figure.axes]

    assert [
        "Cost (USD a day)",
        "Requests a day",
        "Tokens per request",
        "USD per million tokens",
        "Retries per call",
    ] == labels
    assert ["spike USD 150.00"] == [text.get_text() for text in figure.axes[4].texts]
    assert [] == inside(figure)


def test_without_days_words_stand_in(daily, events):
    """No day, no chart, and a sentence why."""
    assert "not known" in report.alt_text(report.plot_anomalies(daily.head(0), events))
    assert "not known" in report.alt_text(report.plot_driver_events(daily[["date"]].head(0), events.head(0)))
