"""The sentences read first."""

from __future__ import annotations

import pandas as pd

from finops_lib import inform
from finops_lib.report import headline_text


def test_a_full_month_is_compared_with_the_month_before(costs, usage):
    """August is complete, July is not: the day is compared, and the page says why.

    August: 2 x 13 + 7 x (14 + 15 + 16 + 17) + 18 = 478 calls a pair, three teams, 0.0028 by large and 0.00035 by small.
    """
    page = headline_text(inform.headline(costs, usage, "2026-08")).data

    assert page.startswith("**August 2026 cost USD 4.52**")
    assert "July 2026, which is covered only in part" in page
    assert "the model large is 89%" in page
    assert "tokens (33%) have no price" in page
    assert "100% of the cost does not name its workflow, team and cost center" in page


def test_a_partial_month_says_so(costs, usage):
    """September is covered to the 13th."""
    page = headline_text(inform.headline(costs, usage)).data

    assert page.startswith("**September 2026 cost USD")
    assert "on the 13 of 30 days covered" in page


def test_nothing_is_said_plainly(costs, usage):
    """Without a ledger the page says what is missing."""
    assert "The ledger is empty" in headline_text(inform.headline(costs.head(0), usage.head(0))).data
    assert "The ledger is empty" in headline_text(inform.headline(costs.head(0), usage.head(0), "")).data
    assert "No traffic in January 2030" in headline_text(inform.headline(costs, usage, "2030-01")).data


def test_without_prices_the_cost_is_not_known(costs, usage):
    """Unpriced traffic is not called free."""
    scope = inform.filter_scope(costs, model="in-house"), inform.filter_scope(usage, model="in-house")
    page = headline_text(inform.headline(*scope, "2026-08")).data

    assert "What August 2026 cost is not known" in page
    assert "USD 0" not in page


def test_names_cannot_write_html(costs, usage):
    """A model named like a tag stays text."""
    named = costs.assign(model="<script>alert(1)</script>")

    assert "<script>" not in headline_text(inform.headline(named, usage)).data


def test_what_the_data_does_not_hold_is_said_first(costs, usage):
    """With traffic the missing things are named, six of them at most; without, the way to some is."""
    missing = pd.DataFrame({"missing": [f"thing {n}" for n in range(8)], "how_to_add": ["set 'match'"] * 8})
    page = headline_text(inform.headline(costs, usage), missing).data
    empty = headline_text(inform.headline(costs.head(0), usage.head(0)), missing).data

    assert page.endswith("The data does not hold: thing 0; thing 1; thing 2; thing 3; thing 4; thing 5; and 2 more, "
                         "listed on this page.")  # fmt: skip
    assert empty.endswith("To change that: set 'match'.")
    assert "does not hold" not in headline_text(inform.headline(costs, usage), missing.head(0)).data
