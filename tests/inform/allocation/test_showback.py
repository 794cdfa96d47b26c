"""Who is shown their cost, who is charged, and who could be."""

from __future__ import annotations

from datetime import date

import pandas as pd
import pytest

from finops_lib import inform
from finops_lib.settings import Settings

READY = {"owners": {"business": "head-of-it"}, "showback": {"since": date(2026, 7, 1)}}
MONTHS = ["2026-07", "2026-08", "2026-09"]
LAST = date(2026, 9, 30)


@pytest.fixture
def three_months(make_ledger, make_usage):
    """Two whole months of 100 calls and one of 110, all attributed."""
    days = [("2026-07-01", 50), ("2026-07-31", 50), ("2026-08-15", 100), ("2026-09-01", 60), ("2026-09-30", 50)]
    names = {"assistant": "bot", "team": "it", "workflow": "chat", "cost_center": "C1", "environment": "production"}
    costs = make_ledger([(day, "output", calls, 1, names) for day, calls in days])
    return costs, make_usage([(day, calls, names) for day, calls in days])


def ready(frames, settings, reconciled=MONTHS, as_of=LAST):
    """Judge one assistant."""
    rules = {"bot": Settings(**settings)}
    return inform.chargeback_readiness(*frames, rules, reconciled=reconciled, as_of=as_of).iloc[0]


def test_an_assistant_that_has_everything_is_ready(three_months):
    """Covered, stable (+10%), three months reconciled and three shown, with an owner: no reason against it."""
    row = ready(three_months, READY)

    assert (True, 1.0, 3, 3, "head-of-it", "", "") == (
        row["is_ready"],
        row["coverage"],
        row["reconciled_months"],
        row["months_of_showback"],
        row["owner"],
        row["why_not"],
        row["what_to_do"],
    )
    assert pytest.approx(0.1) == row["volume_change"]


@pytest.mark.parametrize(
    ("change", "why", "todo"),
    [
        ({"owners": {}}, "no role answers for the money", "owners.business"),
        ({"showback": {}}, "first shown their cost is not said", "showback.since"),
        ({"showback": {"since": date(2026, 7, 2)}}, "2 of 3 months of showback", "statements"),
        ({"showback": {"since": date(2026, 7, 1), "stable_within": 0.05}}, "volume changed by +10%, 5%", "settles"),
    ],
)
def test_each_thing_missing_is_said(three_months, change, why, todo):
    """One reason in words, and what would mend it."""
    row = ready(three_months, READY | change)

    assert not row["is_ready"]
    assert why in row["why_not"]
    assert todo in row["what_to_do"]


def test_open_months_are_not_reconciled(three_months):
    """Two closed months of three that are asked for."""
    assert "2 of 3 closed months tie to the invoice" == ready(three_months, READY, MONTHS[:2])["why_not"]


def test_spend_without_a_team_is_not_charged(three_months):
    """Half of the last month's cost names no team: 54.5% of it is covered."""
    costs, usage = three_months
    half = costs.assign(team=costs["team"].mask(costs.index == 4))

    assert "attribution covers 54.5% of the cost, 95% is asked for" == ready((half, usage), READY)["why_not"]


def test_an_assistant_nobody_called_lacks_all(three_months):
    """Without calls neither coverage nor volume is known; that is said, not judged as zero."""
    row = ready(tuple(frame.head(0) for frame in three_months), READY)

    assert "attribution covers not known" in row["why_not"]
    assert "two whole months of volume are not there" in row["why_not"]
    assert pd.isna(row["volume_change"])


def test_the_nearest_rule_sets_the_mode(make_ledger):
    """Environment over team over assistant; what names no team, or has no settings, is shown only."""
    keys = [("bot", "it", "production"), ("bot", "it", "sandbox"), ("bot", "hr", "production")]
    keys += [("bot", None, "production"), ("other", "it", "production")]
    ledger = make_ledger(
        [
            ("2026-09-01", "output", 1_000_000, 1, dict(zip(("assistant", "team", "environment"), key, strict=True)))
            for key in keys
        ]
    )
    rules = {"mode": "chargeback", "teams": {"hr": "showback"}, "environments": {"sandbox": "showback"}}
    found = inform.showback_modes(ledger, {"bot": Settings(showback=rules)})
    modes = {tuple(row[:3]): row[3] for row in found.itertuples(index=False)}

    assert {
        ("bot", "it", "production"): "chargeback",
        ("bot", "it", "sandbox"): "showback",
        ("bot", "hr", "production"): "showback",
        ("bot", "unattributed", "production"): "showback",
        ("other", "it", "production"): "showback",
    } == modes
