"""What every ledger row adds to any grouping."""

from __future__ import annotations

from decimal import Decimal

from finops_lib.inform.measures import BUCKETS, MEASURES, measure, tally, total
from finops_lib.schema import TOKEN_CLASSES


def test_every_token_class_is_in_exactly_one_bucket():
    """No class is counted twice or forgotten."""
    members = [name for names in BUCKETS.values() for name in names]

    assert sorted(TOKEN_CLASSES) == sorted(members)


def test_measures_of_a_row_without_price(costs):
    """A row without a price has tokens and no cost."""
    row = measure(costs).iloc[5]

    assert list(MEASURES) == row.index.tolist()
    assert 300_000 == row["tokens"] == row["unpriced_tokens"]
    assert row.isna()["contracted_cost"]


def test_tally_sums_exactly(make_ledger):
    """Ten times a tenth of a cent is a cent, exactly."""
    ledger = make_ledger([("2026-09-01", "output", 1, 1000, {"model": "m"})] * 10)

    assert Decimal("0.01") == tally(ledger, ["model"])["contracted_cost"].item()


def test_total_of_nothing_known_is_none(costs):
    """No values, no total."""
    assert total(costs["contracted_cost"].head(0)) is None
    assert total(costs["contracted_cost"].tail(1)) is None
