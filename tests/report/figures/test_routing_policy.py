"""Breaches of the routing policy, drawn."""

from __future__ import annotations

import pandas as pd

from finops_lib import report

BREACHES = pd.DataFrame(
    [
        ("premium on routine work", "none", 40, 12.0, 9.0),
        ("output over the limit", "none", 5, 3.0, 1.0),
        ("output over the limit", "none", 5, 3.0, 0.5),
        ("data class on the wrong model", "active", 7, 20.0, None),
        ("dearer tier", "lapsed", 3, 6.0, 2.0),
    ],
    columns=["breach", "exception", "requests", "cost", "breach_cost"],
)


def test_breaches_are_ranked_by_what_they_cost(parts, inside):
    """The dearest kind is the title; exceptions are told apart; data where it must not be has no extra cost."""
    figure = report.plot_policy_breaches(BREACHES, period="2026-09")
    found = parts(figure)

    assert "Premium on routine work: 40 calls, USD 9.00 too much" == found["title"]
    assert "3 calls whose exception has lapsed stand apart here" in found["subtitle"]
    assert [
        "USD 9.00 · 40 calls that cost USD 12.00",
        "USD 2.00 · 3 calls that cost USD 6.00",
        "USD 1.50 · 10 calls that cost USD 6.00",
        "no extra cost · 7 calls that cost USD 20.00",
    ] == found["labels"]
    assert "exception lapsed: USD 2.00" in report.alt_text(figure)
    assert [] == inside(figure)


def test_no_breach_and_only_exceptions(parts):
    """Both are said in words."""
    assert "No call broke its routing policy" == parts(report.plot_policy_breaches(BREACHES.head(0)))["title"]
    assert (
        "Exceptions allow all of the 7 calls outside their routing policy"
        == parts(report.plot_policy_breaches(BREACHES.iloc[[3]]))["title"]
    )
