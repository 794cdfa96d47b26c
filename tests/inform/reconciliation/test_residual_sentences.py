"""Residual sentences: a controller can check what they say."""

from __future__ import annotations

import pandas as pd
import pytest

from finops_lib.inform.reconciliation.residual_sentences import how_told

ROW = {
    **{"service_tier": "batch", "token_class": "cache_read", "region_id": "eu-1", "billing_currency": "EUR"},
    **{"logged_quantity": 80, "billed_quantity": 100, "unpriced_quantity": 80, "silent_days": "", "unit_price": 3e-6},
    **{"expected_unit_price": 2e-6, "uncached_unit_price": 9e-6, "volume_effect": 1, "price_effect": 1},
    **{"billed_cost": 3, "estimate": 2},
}


@pytest.mark.parametrize(
    ("cause", "change", "sentence"),
    [
        (
            "missing_logs",
            {},
            "no day is silent, and 20.0% of the tokens billed are in no log, alike in every token class",
        ),
        ("unpriced_models", {}, "80 logged tokens have no price in the ledger; the bill has one"),
        (
            "cache_basis",
            {},
            "the same input is counted as cached by one side only: cache read 80 logged, 100 billed",
        ),
        ("tier_or_batch", {}, "both sides count the same tokens, each under another service tier (batch)"),
        (
            "channel_or_region",
            {},
            "every token class in eu-1 is billed at 1.5 times our price, as for a regional endpoint",
        ),
        ("currency", {}, "billed in EUR: every line is 1.5 times our price at the exchange rate given"),
        ("unexplained", {"billed_quantity": 0, "billed_cost": 0}, "logged and priced, but on no line of the bill"),
    ],
)
def test_says_how_it_was_told(cause, change, sentence):
    """The numbers of the row are in its sentence."""
    assert sentence == how_told(pd.DataFrame([ROW | change | {"residual_class": cause}]))
