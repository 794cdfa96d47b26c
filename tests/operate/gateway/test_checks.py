"""What a gateway would ignore or refuse is found before it is written."""

from __future__ import annotations

import pytest

from finops_lib.operate import GatewayConfig, gateway_findings


def gateway(config=None, **payloads):
    """Make a configuration of one group that is right, but for what is given."""
    entry = {"model_name": "mini", "litellm_params": {"model": "openai/mini", "api_key": "os.environ/KEY"}}
    right = {"model_list": [entry], "litellm_settings": {}, "router_settings": {"fallbacks": []}}
    empty = {name: [] for name in ("budgets", "teams", "projects", "keys", "customers", "tags")}
    return GatewayConfig(right | (config or {}), empty | payloads, [])


SECRET = {"model_name": "mini", "litellm_params": {"model": "openai/mini", "api_key": "sk-1"}}
TEAM = {"team_id": "t", "max_budget": 10.0}


@pytest.mark.parametrize(
    ("made", "file", "found"),
    [
        (gateway({"router_setings": {}}), "config.yaml", "router_setings"),
        (gateway(teams=[{"team_id": "t", "max_budgett": 5}]), "teams.json", "max_budgett"),
        (gateway(teams=[{"team_id": "t", "budget_duration": "1 month"}]), "teams.json", "1 month"),
        (gateway({"litellm_settings": {"budget_duration": "30"}}), "config.yaml", "30"),
        (gateway({"router_settings": {"fallbacks": [{"mini": ["large"]}]}}), "config.yaml", "large"),
        (gateway({"router_settings": {"fallbacks": [{"mini": [], "other": []}]}}), "config.yaml", "mini, other"),
        (gateway(keys=[{"key_alias": "k", "models": ["large"]}]), "keys.json", "large"),
        (gateway(keys=[{"key_alias": "k", "team_id": "t"}]), "keys.json", "t"),
        (gateway(teams=[TEAM, TEAM]), "teams.json", "t"),
        (gateway(customers=[{"user_id": "c", "budget_id": "b"}]), "customers.json", "b"),
        (gateway(teams=[TEAM | {"soft_budget": 10.0}]), "teams.json", "10.00"),
        (gateway({"litellm_settings": {"max_budget": 9.0}}, teams=[TEAM]), "teams.json", "10.00 together"),
        (
            gateway(teams=[TEAM], keys=[{"key_alias": "k", "team_id": "t", "max_budget": 11.0}]),
            "keys.json",
            "11.00 together",
        ),
        (gateway({"model_list": [SECRET]}), "config.yaml", "a value"),
    ],
)
def test_what_is_wrong_is_named(made, file, found):
    """The file and what stands there; a secret is never repeated."""
    findings = gateway_findings(made)

    assert (file, found) in list(zip(findings["file"], findings["found"], strict=True))
    assert not findings["found"].str.contains("sk-1").any()


@pytest.mark.parametrize("duration", ["30s", "1m", "1h", "1d", "7d", "30d", "1w", "1mo"])
def test_what_is_right_is_not(duration):
    """Every duration of the grammar passes, and so does the rest."""
    assert gateway_findings(gateway(teams=[TEAM | {"budget_duration": duration, "soft_budget": 9.0}])).empty
