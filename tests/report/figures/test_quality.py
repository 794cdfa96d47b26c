"""What was read and how far it can be relied on, drawn."""

from __future__ import annotations

from datetime import date, timedelta

import pandas as pd
import pytest

from finops_lib import report

READS = pd.DataFrame(
    {
        "source": ["litellm", "openai-usage"],
        "requests": [900, 0],
        "aggregated": [0, 31],
        "duplicates": [60, 0],
        "quarantined": [40, 0],
        "skipped": [0, 0],
    }
)


def test_rows_are_split_by_what_became_of_them(parts, inside):
    """40 of 1,031 rows were refused; a fate that no row met is not drawn."""
    figure = report.plot_rows_read(READS)
    found = parts(figure)

    assert "40 of 1,031 rows read (3.9%) could not be used" == found["title"]
    assert ["1,000 · 40 quarantined", "31"] == found["labels"]
    assert 8 == found["bars"]
    assert "Rows read" == found["xlabel"]
    assert [] == inside(figure)


def test_clean_and_missing_sources(parts):
    """Nothing refused and nothing read are both said."""
    clean = report.plot_rows_read(READS.assign(quarantined=0))

    assert "All 991 rows read could be used; 931 carry usage" == parts(clean)["title"]
    assert "No rows were read" == parts(report.plot_rows_read(READS.head(0)))["title"]


@pytest.mark.parametrize(
    ("shares", "title"),
    [
        ([1.0, 0.97, 0.97], "Every dimension names at least 95% of the spend"),
        ([1.0, 0.8, 0.8], "20% of the spend does not name its team; at most 5.0% allowed"),
        ([None, None, None], "Attribution coverage is not known"),
    ],
)
def test_coverage_is_held_against_its_target(shares, title, parts, inside):
    """The worst dimension is in the title, verdicts are words."""
    coverage = pd.DataFrame({"dimension": ["workflow", "team", "all of them"], "coverage": shares})
    figure = report.plot_coverage(coverage, target=0.95)

    assert title == parts(figure)["title"]
    assert [] == inside(figure)


def test_coverage_verdicts_are_words(parts):
    """A reader who sees no colour reads below and reaches."""
    coverage = pd.DataFrame({"dimension": ["workflow", "cost_center"], "coverage": [1.0, 0.5]})

    assert ["100.0%, target reached", "50.0%, target missed", "target 95%"] == parts(
        report.plot_coverage(coverage, target=0.95)
    )["labels"]


def captured(source, first, days, **more):
    """Days of one source, from an offset."""
    start = date(2026, 9, 1)
    return pd.DataFrame(
        {"source": source, "charge_period_start": [start + timedelta(days=first + day) for day in range(days)], **more}
    )


def test_gaps_between_captured_days_are_counted(parts, inside):
    """Two of ten days have no row in any source."""
    figure = report.plot_capture_days(pd.concat([captured("a", 0, 3), captured("a", 5, 5)], ignore_index=True))

    assert "2 of 10 days have no model calls in the ledger" == parts(figure)["title"]
    assert "a: 8 days, 2 missing in between." in report.alt_text(figure)
    assert [] == inside(figure)


def test_layers_that_only_reconcile_do_not_fill_the_ledger(parts):
    """A day seen only by a layer that does not feed the ledger is still a gap."""
    days = pd.concat(
        [captured("a", 0, 2, feeds_ledger=True), captured("b", 0, 3, feeds_ledger=False)], ignore_index=True
    )
    found = parts(report.plot_capture_days(days))

    assert "1 of 3 days have no model calls in the ledger" == found["title"]
    assert "only reconcile" in found["subtitle"]


def test_a_log_that_misses_days_is_named(parts):
    """Every day is covered by some source; the busy one that lacks two of forty is named, the one that rests is not."""
    log = captured("gateway", 0, 40, calls=100).drop(index=[20, 21])
    resting = captured("weekly", 0, 40, calls=900).iloc[::7]
    days = pd.concat([log, resting, captured("report", 0, 40, calls=1)], ignore_index=True)

    assert (
        "All of the 40 days are covered; gateway has no calls on 2 of its days"
        == parts(report.plot_capture_days(days))["title"]
    )


def test_one_day_and_no_day(parts):
    """A single day and an empty workspace are said plainly."""
    assert "One day is covered" == parts(report.plot_capture_days(captured("a", 0, 1)))["title"]
    assert "No day is covered" == parts(report.plot_capture_days(captured("a", 0, 0)))["title"]


def test_reasons_are_ranked(parts):
    """The commonest reason is in the title."""
    reasons = pd.DataFrame({"reason": ["no model", "negative tokens"], "rows": [1, 3]})
    found = parts(report.plot_quarantine(reasons))

    assert "4 rows were refused, most often: negative tokens" == found["title"]
    assert ["3 · 75.0%", "1 · 25.0%"] == found["labels"]
    assert "No row was refused" == parts(report.plot_quarantine(reasons.head(0)))["title"]
