"""Agreements change what is paid, never what is public."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finops_lib.errors import PriceError
from finops_lib.ingest.prices.overrides import (
    check_overrides,
    names_match,
    normalise_tier,
    price_classes,
    provisioned_capacity,
)
from finops_lib.params import PriceOverride

PUBLIC = {"uncached_input": Decimal("2.5"), "cache_read": Decimal("1.25"), "output": Decimal(10)}
SHARES = st.decimals(min_value="0.01", max_value="1", places=2)


@pytest.mark.parametrize(
    ("given_name", "expected"),
    [
        (None, "standard"), ("", "standard"), ("auto", "standard"), ("Default", "standard"), ("on-demand", "standard"),
        ("BATCH", "batch"), ("batches", "batch"), ("flex", "flex"), ("priority", "priority"), ("fast", "fast"),
        ("Scale", "scale"),
    ],
)  # fmt: skip
def test_service_tiers_are_spelled_one_way(given_name, expected):
    """What sources call the standard tier is one tier."""
    assert expected == normalise_tier(given_name)


def test_patterns_fit_any_name_of_a_model():
    """A pattern may mean the name in the export or the one in the price list; case does not matter."""
    override = PriceOverride(kind="free", provider="AZURE*", model="gpt-4o")

    assert names_match(override, ["azure_openai", None], ["hr-bot", "GPT-4o"])
    assert not names_match(override, ["openai", None], ["gpt-4o"])
    assert not names_match(override, ["azure"], [None, "gpt-4o-mini"])


def test_unknown_token_class_is_refused():
    """A misspelt token class would silently leave the public price."""
    override = PriceOverride(kind="absolute", prices={"input": Decimal(1)})

    with pytest.raises(PriceError, match="override 1 .absolute.: 'input' is no token class"):
        check_overrides([override], [])


def test_classes_left_out_of_an_absolute_price():
    """A class left out is charged at list; where nothing is public, at its parent's agreed price."""
    override = PriceOverride(kind="absolute", prices={"uncached_input": Decimal(2), "cache_write_5m": Decimal(3)})
    known = price_classes(PUBLIC, "list", [(1, override)])
    unknown = price_classes({}, "", [(1, override)])

    assert Decimal("0.00000125") == known["cache_read"].contracted
    assert Decimal("0.000003") == unknown["cache_write_1h"].contracted
    assert Decimal("0.000002") == unknown["cache_read_audio"].contracted == unknown["cache_read_audio"].list
    assert "output" not in unknown


def test_prices_are_rounded_half_even_at_fifteen_decimals():
    """A third of a price has to end somewhere; it ends where the ledger's columns do."""
    override = PriceOverride(kind="multiplier", factor=Decimal("0.0000000002"))

    assert Decimal("0.000000000000000") == price_classes(PUBLIC, "list", [(1, override)])["uncached_input"].contracted
    assert Decimal("0.000000000000002") == price_classes(PUBLIC, "list", [(1, override)])["output"].contracted


@given(SHARES, SHARES, SHARES)
def test_discounts_never_raise_and_markups_never_touch_what_is_paid(first, second, markup):
    """However shares are chosen: contracted at most list, billed at least contracted, list unmoved."""
    overrides = [
        PriceOverride(kind="discount", share=first),
        PriceOverride(kind="markup", share=markup),
        PriceOverride(kind="discount", share=second),
    ]
    for name, unit in price_classes(PUBLIC, "list", list(enumerate(overrides, start=1))).items():
        exact = PUBLIC[name] / 1_000_000 * (1 - first) * (1 - second)

        assert PUBLIC[name] / 1_000_000 == unit.list
        assert abs(unit.contracted - exact) <= Decimal("5e-16")
        assert unit.contracted <= unit.list
        assert unit.contracted <= unit.billed


def test_capacity_is_paid_by_the_hour():
    """Fifty units at 2 USD from the 30th to the 2nd: two days of 24 hours in the period asked for."""
    override = PriceOverride(
        kind="provisioned", provider="azure", model="gpt-4o", units=Decimal(50), unit_price=Decimal(2), team="search",
        effective_from=date(2026, 9, 30), effective_to=date(2026, 10, 3),
    )  # fmt: skip
    start, end = datetime(2026, 9, 1, tzinfo=UTC), datetime(2026, 10, 2, tzinfo=UTC)
    rows = provisioned_capacity([PriceOverride(kind="free"), override], start, end)

    assert [
        (date(2026, 9, 30), "azure", "gpt-4o", 24, 50, 2, "search", None),
        (date(2026, 10, 1), "azure", "gpt-4o", 24, 50, 2, "search", None),
    ] == list(rows.itertuples(index=False, name=None))
    assert rows.equals(provisioned_capacity([override], start.date(), date(2026, 10, 1)))
    assert provisioned_capacity([override], end, start).empty


def test_capacity_days_follow_the_clock_of_the_place():
    """The day on which clocks go back has 25 hours, and a month has as many hours as it really has."""
    zone = ZoneInfo("Europe/Berlin")
    override = PriceOverride(kind="provisioned", units=Decimal(1), unit_price=Decimal(1))
    rows = provisioned_capacity([override], datetime(2026, 10, 1, tzinfo=zone), datetime(2026, 11, 1, tzinfo=zone))

    assert 25 == rows.set_index("day").loc[date(2026, 10, 25), "hours"]
    assert 31 * 24 + 1 == rows["hours"].sum()
