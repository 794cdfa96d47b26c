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

    assert "Helpdesk: one event since 1 Jul, USD 150.00 above what was expected" == parts(figure)["title"]
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


def test_falls_stand_apart_from_what_cost_more(daily, events, parts):
    """150 above and 20 below do not cancel out; the days looked at are named."""
    both = events.assign(verdict=None, impact=[-20.0, 150.0])

    assert (
        "All assistants: 2 events since 1 Jul, USD 150.00 above and USD 20.00 below what was expected"
        == parts(report.plot_anomalies(daily, both))["title"]
    )


def test_without_days_words_stand_in(daily, events):
    """No day, no chart, and a sentence why."""
    assert "not known" in report.alt_text(report.plot_anomalies(daily.head(0), events))
