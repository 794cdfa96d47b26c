"""What quality costs and what the gate says, drawn."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from finops_lib import report

COLUMNS = ["plan", "cost_per_call", "quality", "quality_lower", "quality_upper", "saving"]
FRONTIER = pd.DataFrame({"cost_per_call": [0.01, 0.02, 0.03], "quality": [0.8, 0.9, 0.92]}).assign(
    quality_lower=lambda frame: frame["quality"] - 0.02, quality_upper=lambda frame: frame["quality"] + 0.02
)


def plans(*rows):
    """Plans with an interval of two points either side."""
    full = [(name, cost, quality, quality - 0.02, quality + 0.02, None) for name, cost, quality in rows]
    return pd.DataFrame(full, columns=COLUMNS)


def verdicts(*rows):
    """Gate rows from (candidate, verdict, difference)."""
    frame = pd.DataFrame(rows, columns=["candidate", "verdict", "difference"])
    undecided = frame["verdict"] == "not enough evidence"
    return frame.assign(
        lower=frame["difference"] - 0.01,
        upper=frame["difference"] + 0.01,
        margin=0.02,
        pairs=60,
        pairs_to_decide=np.where(undecided, 1546, np.nan),
        saving=0.558,
    )


def route(plans=None, gated=None):
    """An evaluated workflow as the figures see it."""
    routes = SimpleNamespace(frontier=FRONTIER, plans=plans)
    return SimpleNamespace(assistant="bot", workflow="tickets", routes=routes, verdicts=gated, floor=0.9025)


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (
            [("baseline", 0.04, 0.95), ("today", 0.03, 0.92), ("proposal", 0.015, 0.92)],
            "Routing by segment would save 50% a call, at the pass rate of today",
        ),
        (
            [("baseline", 0.04, 0.95), ("proposal", 0.01, 0.938)],
            "Routing by segment would save 75% a call, 1.2 points of pass rate below the baseline",
        ),
        (
            [("baseline", 0.04, 0.95), ("proposal", 0.04, 0.95)],
            "No cheaper assignment is shown to keep the quality asked for",
        ),
        ([], "What quality costs is not known"),
    ],
)
def test_the_title_says_what_routing_saves(rows, expected, parts, inside):
    """Against today where today is known, else against the baseline."""
    figure = report.plot_frontier(route(plans(*rows)))

    assert expected == parts(figure)["title"]
    assert [] == inside(figure)


def test_the_plans_are_in_the_legend_and_the_words():
    """Each plan with its quality and cost."""
    figure = report.plot_frontier(route(plans(("baseline", 0.04, 0.95), ("proposal", 0.015, 0.9))))
    legend = [text.get_text() for text in figure.legends[0].get_texts()]

    assert ["baseline: 95.0% at USD 0.04 a call", "proposal: 90.0% at USD 0.015 a call"] == [
        text.replace("USD 0.0150", "USD 0.015") for text in legend
    ]
    assert legend[0] in report.alt_text(figure)


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (
            [("trap", "reject", -0.07), ("routed", "promote", 0.004), ("small", "not enough evidence", 0.0)],
            "routed passes the gate, 1 rejected, 1 lacking evidence",
        ),
        ([("trap", "reject", -0.07)], "No candidate passes the gate, 1 rejected"),
        ([("a", "promote", 0.0), ("b", "promote", 0.0), ("c", "promote", 0.0)], "3 pass the gate"),
        ([], "No candidate to judge"),
    ],
)
def test_the_title_says_who_passed_the_gate(rows, expected, parts, inside):
    """Promoted candidates by name, the others counted."""
    figure = report.plot_gate(route(gated=verdicts(*rows)))

    assert expected == parts(figure)["title"]
    assert [] == inside(figure)


def test_each_verdict_stands_beside_its_interval(parts):
    """In words: what was saved, or how many items would decide."""
    rows = [("trap", "reject", -0.07), ("routed", "promote", 0.004), ("small", "not enough evidence", 0.0)]
    shown = parts(report.plot_gate(route(gated=verdicts(*rows))))

    assert ["trap", "routed", "small"] == shown["names"]
    assert [
        "reject",
        "promote: a successful\ntask costs 56% less",
        "not enough evidence:\n60 of about 1,546 items",
        "margin 2 points",
    ] == shown["labels"]
