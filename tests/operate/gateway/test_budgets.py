"""Budgets in the gateway's terms."""

from __future__ import annotations

from pathlib import Path

import pytest

from finops_lib.operate import GatewayConfig
from finops_lib.operate.gateway.budgets import place_budget
from finops_lib.settings import Attribution, Budget, Organisation, Params, Settings


def placed(**budget):
    """Place one budget in an empty gateway whose callers tag the environment as `env`."""
    gateway = GatewayConfig(
        {"litellm_settings": {}, "router_settings": {}},
        {name: [] for name in ("teams", "keys", "projects", "tags")},
        [],
    )
    organisation = Organisation(attribution=Attribution(tags={"env": "environment"}))
    own = {"assistant": "organisation", "period": "latest", "settings": Settings(), "assistants": {}}
    params = Params(organisation=organisation, project=Path(), **own)
    place_budget(Budget(name="b", amount=90, **budget), gateway, params)
    return gateway


def test_a_tag_has_the_name_that_callers_send():
    """The ledger's environment is the callers' env; a soft quarter of 90 is a soft month of 30."""
    gateway = placed(match={"environment": "sandbox"}, period="quarter")

    assert [{"name": "env:sandbox", "description": "b", "soft_budget": 30.0, "budget_duration": "30d"}] == (
        gateway.payloads["tags"]
    )
    assert {"differs", "Enterprise"} == {kind for kind, _, _ in gateway.notes}


def test_a_hard_cap_stops_where_it_says():
    """At 80% there is no softer limit left to tell."""
    (tag,) = placed(match={"workflow": "w"}, cap="hard", stop_at=0.8).payloads["tags"]

    assert 72.0 == tag["max_budget"]
    assert "soft_budget" not in tag


@pytest.mark.parametrize(
    "match", [{}, {"provider": "openai"}, {"team": "cx-*"}, {"team": "a", "model": "b"}, {"department": "IT"}]
)
def test_what_has_no_place_is_noted(match):
    """Soft caps of the whole or a provider, patterns, several dimensions, what is above teams."""
    gateway = placed(match=match)

    assert ["not held"] == [kind for kind, _, _ in gateway.notes]
    assert {"litellm_settings": {}, "router_settings": {}} == gateway.config
