"""The names a gateway knows things by."""

from __future__ import annotations

from finops_lib.operate.gateway.form import ENDPOINTS, gateway_names
from finops_lib.schema import TOKEN_CLASSES


def test_names_are_complete():
    """Every provider has a prefix, every file its keys, every price a token class."""
    names = gateway_names()

    assert all(provider["prefix"] for provider in names["providers"].values())
    assert {*ENDPOINTS, "config", "litellm_settings", "router_settings"} == set(names["keys"])
    assert set(names["prices"]) <= set(TOKEN_CLASSES)
