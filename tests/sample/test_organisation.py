"""The sample's prices and places."""

from __future__ import annotations

from datetime import UTC, datetime, time
from decimal import Decimal

import pandas as pd
import pytest

from finops_lib.params import find_project, load_params
from finops_lib.sample.organisation import PRICES, PROVIDERS, TEAMS, UNPRICED_MODEL, Price, pico_dollars, price_index

PUBLIC = [price for price in PRICES if price.model != "rerank-2.5"]


def _calls(**values: object) -> pd.DataFrame:
    row = {
        "model": "gpt-5.6-sol",
        "day": 0,
        "uncached_input": 0,
        "cache_read": 0,
        "cache_write_5m": 0,
        "cache_write_1h": 0,
        "visible_output": 0,
        "reasoning": 0,
        "cache_hit": False,
    }
    return pd.DataFrame([row | values])


@pytest.mark.parametrize("price", PUBLIC, ids=lambda p: f"{p.model}-{p.effective_from}-{p.above}")
def test_invoice_prices_are_the_public_list_prices(price: Price) -> None:
    """The prices on the sample's invoices are those of the genai-prices package on their first day."""
    genai = pytest.importorskip("genai_prices")
    given = price.usd_per_million
    # Above a tier's start all tokens are charged at the tier.
    tokens = price.above + 100_000
    usage = genai.Usage(input_tokens=tokens, output_tokens=100_000 if "output" in given else None)

    found = genai.calc_price(
        usage,
        price.model,
        provider_id={"aws.bedrock": "aws"}.get(price.provider, price.provider),
        genai_request_timestamp=datetime.combine(price.effective_from, time(), UTC),
    )

    assert given["uncached_input"] * tokens / 1_000_000 + given.get("output", Decimal(0)) / 10 == found.total_price


@pytest.mark.parametrize(
    "price",
    [p for p in PUBLIC if "cache_read" in p.usd_per_million and not p.above],
    ids=lambda p: f"{p.model}-{p.effective_from}",
)
def test_cache_prices_are_the_public_list_prices(price: Price) -> None:
    """Cache reads and writes too are priced as the public list has them."""
    genai = pytest.importorskip("genai_prices")
    write = 1000 if "cache_write_5m" in price.usd_per_million else None
    usage = genai.Usage(input_tokens=1000 + (write or 0), cache_read_tokens=1000, cache_write_tokens=write)

    found = genai.calc_price(
        usage,
        price.model,
        provider_id={"aws.bedrock": "aws"}.get(price.provider, price.provider),
        genai_request_timestamp=datetime.combine(price.effective_from, time(), UTC),
    )

    expected = price.usd_per_million["cache_read"] + price.usd_per_million.get("cache_write_5m", Decimal(0))
    assert expected / 1000 == found.total_price


def test_price_changes_on_its_day() -> None:
    """A million output tokens cost 30 USD the day before the cut and 20 USD from it on."""
    before = pico_dollars(_calls(day=50, visible_output=600_000, reasoning=400_000))
    after = pico_dollars(_calls(day=51, visible_output=600_000, reasoning=400_000))

    assert [30 * 10**12, 20 * 10**12] == [int(before[0]), int(after[0])]


def test_context_tier_begins_above_its_size() -> None:
    """272,000 tokens are charged at the base price, one more puts the whole call into the tier."""
    at = pico_dollars(_calls(uncached_input=272_000))
    above = pico_dollars(_calls(uncached_input=272_000, cache_read=1))

    # 272,000 × 5 USD and 272,000 × 10 USD + 1 × 1 USD, each a million.
    assert [1_360_000_000_000, 2_720_001_000_000] == [int(at[0]), int(above[0])]


def test_unknown_model_has_no_price() -> None:
    """The fine-tune has no price; a gateway cache hit costs nothing."""
    assert [-1] == price_index(_calls(model=UNPRICED_MODEL)).tolist()
    assert [0] == pico_dollars(_calls(uncached_input=1000, cache_hit=True)).tolist()


def test_enough_models_of_enough_providers() -> None:
    """At least eight priced models of at least four providers are in use."""
    assert len({p.model for p in PRICES}) >= 8
    assert len(set(PROVIDERS.values())) >= 4


def test_teams_stand_where_the_parameters_put_them() -> None:
    """The generator and parameters/organisation.yaml know the same teams, departments and cost centers."""
    organisation = load_params(project=find_project(__file__.split("/tests/")[0])).organisation

    assert TEAMS == {name: (team.department, team.cost_center) for name, team in organisation.teams.items()}
