"""Prices that are dated ahead, at the recent mix of calls."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pytest

from finops_lib.ingest import announced_prices, model_prices
from finops_lib.settings import Organisation, Params, PriceOverride, Settings

_AS_OF = date(2026, 9, 30)


@pytest.fixture
def params(tmp_path: Path) -> Params:
    """A company whose model has an agreed price, and a lower one from December on, batch at half of it."""
    agreed = {"kind": "absolute", "provider": "house", "model": "m"}
    prices = [
        agreed | {"prices": {"output": "4"}, "effective_to": "2026-12-01"},
        agreed | {"prices": {"output": "3"}, "effective_from": "2026-12-01"},
        {"kind": "multiplier", "provider": "house", "service_tier": "batch", "factor": "0.5"},
    ]
    organisation = Organisation(prices=[PriceOverride.model_validate(price) for price in prices])
    return Params(
        assistant="organisation", period="latest", settings=Settings(), organisation=organisation, project=tmp_path,
        assistants={},
    )  # fmt: skip


def ledger(*rows):
    """Ledger rows from (day, model, service tier, output tokens)."""
    return pd.DataFrame(
        [
            {
                "charge_period_start": date.fromisoformat(day),
                "provider": "house",
                "model": model,
                "service_tier": tier,
                "context_tier": 0,
                "token_class": "output",
                "pricing_quantity": Decimal(quantity),
            }
            for day, model, tier, quantity in rows
        ]
    )


def test_todays_price_and_the_announced_one_at_the_mix_of_tiers(params):
    """3 of 4 tokens standard at 4 and one batch at 2: 3.50 a million today, 2.625 from December on."""
    costs = ledger(
        ("2026-09-29", "m", "standard", 300), ("2026-09-30", "m", "batch", 100), ("2026-09-30", "own", "standard", 9)
    )
    found = announced_prices(params, costs, _AS_OF)

    assert [_AS_OF, date(2026, 12, 1)] == found["effective_from"].tolist()
    assert pytest.approx([3.5e-6, 2.625e-6]) == found["unit_price"].tolist()
    assert pytest.approx(3.5e-6) == found["unit_price_before"].iloc[1]
    assert {"m"} == set(found["model"])


def test_only_the_last_four_weeks_count(params):
    """Batch calls of July do not weigh today's price; an empty ledger has no prices."""
    costs = ledger(("2026-07-01", "m", "batch", 900), ("2026-09-30", "m", "standard", 100))

    assert pytest.approx(4e-6) == announced_prices(params, costs, _AS_OF)["unit_price"].iloc[0]
    assert announced_prices(params, costs.head(0), None).empty


def test_prices_of_models_nobody_has_called(params):
    """A model of the public list has a price, an unknown one has none, and no name asks for nothing."""
    found = model_prices(params, ["gpt-5.4-mini", "no-such-model"], _AS_OF)
    prices = found.set_index(["model", "token_class"])["unit_price"]

    assert {"gpt-5.4-mini"} == set(found["model"])
    assert prices["gpt-5.4-mini", "output"] > prices["gpt-5.4-mini", "uncached_input"] > 0
    assert model_prices(params, [], _AS_OF).empty
