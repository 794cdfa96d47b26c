"""The gateway's configuration: what it says, that its schemas accept it, and that the gateway loads it."""

from __future__ import annotations

import copy
import inspect
import json
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from finops_lib import load_params
from finops_lib.errors import ParamsError
from finops_lib.operate import gateway_config, gateway_files, gateway_findings

SCHEMAS = Path(__file__).parents[3] / ".." / "shared" / "data" / "litellm_schemas"
REQUESTS = {
    "budgets": "BudgetNewRequest",
    "teams": "NewTeamRequest",
    "projects": "NewProjectRequest",
    "keys": "GenerateKeyRequest",
    "customers": "NewCustomerRequest",
    "tags": "TagNewRequest",
}
ORGANISATION = {
    "time_zone": "Europe/Paris",
    "teams": {"brand": {"department": "Marketing", "cost_center": "CC-1"}},
    "virtual_keys": {"brand-key": {"team": "brand"}, "bot-key": {"assistant": "bot"}},
    "budgets": [
        {"name": "all", "amount": 1200, "period": "year", "cap": "hard", "stop_at": 1.5},
        {"name": "openai", "match": {"provider": "openai"}, "amount": 90, "cap": "hard", "stop_at": 1},
        {"name": "brand", "match": {"team": "brand"}, "amount": 50, "cap": "hard"},
        {"name": "acme", "match": {"customer": "acme"}, "amount": 20},
        {"name": "over", "match": {"team": "brand"}, "amount": 1, "ends": date(2026, 8, 31)},
        {"name": "department", "match": {"department": "Marketing"}, "amount": 70},
    ],
}
BOT = {
    "defaults": {"team": "brand"},
    "routing": [
        {
            "workflow": "tag",
            "models": ["gpt-5-mini", "claude-haiku-4-5"],
            "context_limit": 9_000,
            "output_limit": 300,
            "fallback": {"gpt-5-mini": "claude-haiku-4-5"},
        },
        {"workflow": "*", "models": ["claude-*"]},
    ],
    "agent_limits": {"steps": 12, "retries": 2, "budget": 3},
    "budgets": [{"name": "bot", "amount": 30}],
}
HELPER = {"budgets": [{"name": "helper", "amount": 30, "cap": "hard"}]}
USAGE = pd.DataFrame({"provider": ["anthropic", "house"], "model": ["claude-haiku-4-5", "large"]})
PRICES = pd.DataFrame(
    [("openai", "gpt-5-mini", "uncached_input", 2.25e-7), ("openai", "gpt-5-mini", "output", 1.8e-6)],
    columns=["provider", "model", "token_class", "unit_price"],
)


@pytest.fixture
def make(tmp_path):
    """Write parameters and make the configuration of them."""

    def build(organisation: dict[str, Any] = ORGANISATION, bot: dict[str, Any] = BOT) -> Any:
        folder = tmp_path / "parameters"
        folder.mkdir(exist_ok=True)
        (folder / "organisation.yaml").write_text(yaml.safe_dump(organisation))
        for name, settings in (("bot", bot), ("helper", HELPER)):
            (folder / f"{name}.yaml").write_text(yaml.safe_dump({"assistant": name, "settings": settings}))
        return gateway_config(load_params(project=tmp_path), USAGE, PRICES, date(2026, 9, 30))

    return build


def test_each_workflow_is_a_group_under_its_limits(make):
    """Its standard model at negotiated prices, the limits of calls, retries, and whom it falls back to."""
    gateway = make()
    entry = next(one for one in gateway.config["model_list"] if one["model_name"] == "bot-tag")

    assert ["claude-haiku-4-5", "gpt-5-mini", "bot-tag", "bot"] == gateway.groups
    assert {
        "model": "openai/gpt-5-mini",
        "api_key": "os.environ/OPENAI_API_KEY",
        "input_cost_per_token": 2.25e-7,
        "output_cost_per_token": 1.8e-6,
        "max_tokens": 300,
        "max_retries": 2,
    } == entry["litellm_params"]
    assert {"max_input_tokens": 9_000} == entry["model_info"]
    assert [{"bot-tag": ["claude-haiku-4-5"]}] == gateway.config["router_settings"]["fallbacks"]
    assert "Europe/Paris" == gateway.config["litellm_settings"]["timezone"]
    assert gateway_findings(gateway).empty


def test_budgets_stand_where_the_gateway_enforces_them(make):
    """Year and stop by hand: 1200 / 12 × 1.5 = 150; what it cannot hold is said, what has ended is gone."""
    gateway = make()
    settings, bodies = gateway.config["litellm_settings"], gateway.payloads
    told = {about: (kind, words) for kind, about, words in gateway.notes}

    assert (150.0, "30d") == (settings["max_budget"], settings["budget_duration"])
    assert {"openai": {"budget_limit": 90.0, "time_period": "30d"}} == gateway.config["router_settings"][
        "provider_budget_config"
    ]
    assert (60.0, 50.0) == (bodies["teams"][0]["max_budget"], bodies["teams"][0]["soft_budget"])
    assert [{"user_id": "acme", "budget_id": "acme"}] == bodies["customers"]
    assert (30.0, "brand") == (bodies["projects"][0]["soft_budget"], bodies["projects"][0]["team_id"])
    assert [("assistant:helper", 36.0)] == [(tag["name"], tag["max_budget"]) for tag in bodies["tags"]]
    assert {"assistant:helper": {"max_budget": 36.0, "budget_duration": "30d"}} == settings["tag_budget_config"]
    assert "Enterprise" == told["tag_budget_config assistant:helper"][0]
    assert "not held" == told["budget 'department'"][0]
    assert "budget 'over'" not in told


def test_agent_limits_go_where_the_gateway_counts(make):
    """Steps are counted by session on the agent's key; the budget of a run is reported from the ledger."""
    gateway = make()
    keys = {key["key_alias"]: key for key in gateway.payloads["keys"]}

    assert 12 == keys["bot-agent"]["metadata"]["max_iterations"]
    assert ["bot-tag", "bot"] == keys["bot-key"]["models"]
    assert "brand" == keys["brand-key"]["team_id"]
    assert ("not held", "budget of bot: 3") in [note[:2] for note in gateway.notes]


@pytest.mark.parametrize(
    ("model", "message"), [("gpt-5", "'gpt-5', and nothing says which"), ("large", "not known to reach 'house'")]
)
def test_a_model_the_gateway_cannot_reach_is_refused(make, model, message):
    """Nothing says who serves it, or it is someone the gateway does not know."""
    with pytest.raises(ParamsError, match=message):
        make(bot={"routing": [{"workflow": "tag", "models": [model]}]})


def test_files_hold_references_instead_of_secrets(make):
    """Every file reads back; the README names variables, endpoints and what is not held."""
    gateway = make()
    files = gateway_files(gateway)

    assert gateway.config == yaml.safe_load(files["config.yaml"])
    assert gateway.payloads == {name: json.loads(files[f"{name}.json"]) for name in REQUESTS}
    assert "`ANTHROPIC_API_KEY`, `OPENAI_API_KEY`" in files["README.md"]
    assert "`teams.json` → `POST /team/new` (1)" in files["README.md"]
    assert files == gateway_files(make())


@pytest.mark.skipif(not SCHEMAS.exists(), reason="the gateway's schemas are not on this machine")
def test_the_gateways_schemas_accept_every_body(make):
    """No key that the gateway does not know, all that it needs."""
    jsonschema = pytest.importorskip("jsonschema")
    for name, bodies in make().payloads.items():
        schema = json.loads((SCHEMAS / f"{REQUESTS[name]}.schema.json").read_text())
        assert bodies, name
        for body in bodies:
            jsonschema.validate(body, schema)


def test_the_gateway_itself_loads_it(make, monkeypatch):
    """The real package takes every body whole, builds the router, and reads every duration."""
    monkeypatch.setenv("LITELLM_LOCAL_MODEL_COST_MAP", "True")  # or it asks the network for prices
    for variable in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY"):
        monkeypatch.setenv(variable, "not-a-key")
    litellm = pytest.importorskip("litellm", reason="install litellm[proxy] in an environment of its own to run this")
    from litellm.litellm_core_utils.duration_parser import duration_in_seconds
    from litellm.proxy import _types as types
    from litellm.types.tag_management import TagNewRequest

    gateway = make()
    for name, bodies in gateway.payloads.items():
        request = TagNewRequest if name == "tags" else getattr(types, REQUESTS[name])
        for body in bodies:
            assert set(body) <= set(request.model_fields)
            request.model_validate(body)
    types.ConfigYAML.model_validate(copy.deepcopy(gateway.config))
    router_settings = copy.deepcopy(gateway.config["router_settings"])
    assert set(router_settings) <= set(inspect.signature(litellm.Router).parameters)
    router_settings.pop("provider_budget_config")  # wants a running event loop
    router = litellm.Router(model_list=copy.deepcopy(gateway.config["model_list"]), **router_settings)

    assert set(gateway.groups) == set(router.get_model_names())
    assert 30 * 24 * 3600 == duration_in_seconds("30d")
