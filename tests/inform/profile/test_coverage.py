"""How much of the spend is attributed and priced."""

from __future__ import annotations

import pandas as pd
import pytest

from finops_lib import inform


def test_coverage_is_measured_in_money(costs):
    """Workflow is always named, team for 9.50 of 10.00 USD, cost center never; all three together never."""
    coverage = inform.attribution_coverage(costs).set_index("dimension")["coverage"]

    assert {"workflow": 1.0, "team": 0.95, "cost_center": 0.0, "all of them": 0.0} == coverage.to_dict()


def test_without_prices_coverage_is_measured_in_tokens(make_ledger):
    """Nothing priced: the share of tokens stands in."""
    ledger = make_ledger(
        [("2026-09-01", "output", 30, None, {"team": "x"}), ("2026-09-01", "output", 10, None, {"team": None})]
    )

    assert 0.75 == inform.attribution_coverage(ledger, dimensions=("team",))["coverage"].item()


def test_checks_hold_the_profile_to_its_thresholds(costs, usage):
    """Coverage of team is 95%, 300,000 of 8.3 million tokens lack a price, 3 of 100 calls are ambiguous."""
    checks = inform.profile_checks(
        costs, usage, coverage_target=0.95, unpriced_limit=0.01, ambiguous_limit=0.05, dimensions=("team",)
    ).set_index("check")

    assert [True, False, True] == checks["passed"].tolist()
    assert pytest.approx(300_000 / 8_300_000) == checks.loc["unpriced_tokens", "statistic"]
    assert 0.03 == checks.loc["ambiguous_token_counts", "statistic"]


def test_checks_of_nothing_do_not_pass(costs, usage):
    """With no traffic nothing is known, so nothing passes, and the row says so."""
    checks = inform.profile_checks(
        costs.head(0), usage.head(0), coverage_target=0.95, unpriced_limit=0.01, ambiguous_limit=0.01
    )

    assert not checks["passed"].any()
    assert checks["statistic"].isna().all()
    assert "not known" in checks["comment"].iloc[1]
    assert pd.api.types.is_string_dtype(checks["comment"])
