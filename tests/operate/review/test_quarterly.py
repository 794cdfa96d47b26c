"""A quarter's end asks twelve questions; tiers of models are held against the month before."""

from __future__ import annotations

import pandas as pd

from finops_lib.operate import quarterly_list, tier_drift
from finops_lib.settings import ModelCatalogue


def test_tier_drift() -> None:
    """Premium went from a quarter to half of the cost."""
    now = pd.DataFrame({"tier": ["low_cost", "premium"], "cost": [50.0, 50.0]})
    before = pd.DataFrame({"tier": ["low_cost", "premium"], "cost": [30.0, 10.0]})
    found = tier_drift(now, before)

    assert [-0.25, 0.25] == found["share_change"].tolist()
    assert tier_drift(now, before.head(0))["share_change"].isna().all()


def test_quarterly_list_only_at_a_quarters_end() -> None:
    """September ends a calendar quarter, October one that began in August."""
    columns = ["charge_period_start", "provider", "model", "token_class", "pricing_quantity", "contracted_cost"]
    nothing = pd.DataFrame(columns=[*columns, "list_cost", "request_count"])

    assert 12 == len(quarterly_list(nothing, nothing, "2026-09", ModelCatalogue()))
    assert quarterly_list(nothing, nothing, "2026-10", ModelCatalogue()).empty
    assert 12 == len(quarterly_list(nothing, nothing, "2026-10", ModelCatalogue(), year_start=2))
    assert quarterly_list(nothing, nothing, "", ModelCatalogue()).empty
