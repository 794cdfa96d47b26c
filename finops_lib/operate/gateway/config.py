"""Gateway configuration: budgets, routing policy and agent limits in the form a LiteLLM gateway enforces."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from typing import Any

import pandas as pd
import yaml

from finops_lib.errors import ParamsError
from finops_lib.operate.budgets.rules import budgets_of
from finops_lib.operate.gateway.agent_limits import HELD_BY_GATEWAY
from finops_lib.operate.gateway.budgets import place_budget
from finops_lib.operate.gateway.form import ENDPOINTS, GatewayConfig, Payloads, gateway_names
from finops_lib.settings import Params, RoutingPolicy, model_fits


def gateway_config(params: Params, usage: pd.DataFrame, prices: pd.DataFrame, as_of: date | None) -> GatewayConfig:
    """Turn routing policies, budgets and agent limits into a gateway's configuration.

    Parameters
    ----------
    params : Params
        Of the whole organisation.
    usage : DataFrame
        Usage: its ``provider`` and ``model`` say who serves a model.
    prices : DataFrame
        As ``ingest.contracted_prices`` returns it, the models of the policies included.
    as_of : date or None
        Budgets that ended before this day are left out.

    Returns
    -------
    GatewayConfig
        A model group for each model that a policy names or whose pattern fits one in use, and one for each workflow
        with a policy (``assistant-workflow``): its standard model with its limits and fallbacks. Keys and addresses
        of providers are references to environment variables.

    Raises
    ------
    ParamsError
        If a policy names a model whose provider is not known, or not to the gateway.

    References
    ----------
    Requirements E5, E6; LiteLLM 1.106: ``ConfigYAML``, ``Router`` and its management requests.
    """
    models, notes = _deployments(params, usage, prices)
    notes.append(("differs", "output limits", "they are defaults of the routes: a caller may ask for more"))
    words = "one price a model: long contexts, service tiers and rates of one team, key or assistant are not in it"
    notes.append(("differs", "prices", words))
    groups, fallbacks = _workflow_groups(params, models, notes)
    entries = [{"model_name": name, "litellm_params": own} for name, all_own in models.items() for own in all_own]
    config: dict[str, Any] = {
        "model_list": entries + groups,
        "litellm_settings": {"timezone": params.organisation.time_zone},
        "router_settings": {"fallbacks": fallbacks, "enable_pre_call_checks": True},
    }
    gateway = GatewayConfig(config, _bodies(params, groups, notes), notes)
    for budget in budgets_of(params):
        if not (budget.ends and as_of and budget.ends < as_of):
            place_budget(budget, gateway, params)
    return gateway


def gateway_files(gateway: GatewayConfig) -> dict[str, str]:
    """Write a gateway's configuration out.

    Parameters
    ----------
    gateway : GatewayConfig
        Checked by ``gateway_findings``.

    Returns
    -------
    dict
        File name → text: ``config.yaml``, a JSON file of request bodies for each endpoint, ``README.md``.
    """
    text = yaml.safe_dump(gateway.config, sort_keys=False, allow_unicode=True, width=120)
    files = {"config.yaml": text}
    files |= {f"{name}.json": json.dumps(bodies, indent=2) + "\n" for name, bodies in gateway.payloads.items()}
    named = sorted(_variables(gateway.config))
    lines = ["# Gateway configuration", "", "Written by `finops export litellm` from `parameters/`; change it there."]
    lines += ["", "Start the gateway with `config.yaml`. Then send each element of these files, in this order:", ""]
    lines += [f"- `{name}.json` → `POST {path}` ({len(gateway.payloads[name])})" for name, path in ENDPOINTS.items()]
    lines += ["", f"Environment variables to set: {', '.join(f'`{name}`' for name in named) or 'none'}.", ""]
    for kind, heading in _HEADINGS.items():
        told = [f"- {about}: {words}" for each, about, words in gateway.notes if each == kind]
        lines += [f"## {heading}", "", *(told or ["- nothing"]), ""]
    files["README.md"] = "\n".join(lines)
    return files


_HEADINGS = {
    "Enterprise": "Needs the gateway's Enterprise licence",
    "differs": "Held in another form than the parameters say",
    "not held": "Not held by the gateway: reported from the ledger",
}


def _variables(node: Any) -> set[str]:
    """List the environment variables a configuration refers to."""
    if isinstance(node, str):
        return {node.removeprefix("os.environ/")} if node.startswith("os.environ/") else set()
    values = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    return set().union(*(_variables(value) for value in values))


def _group_names(params: Params) -> dict[str, tuple[str, str]]:
    """Name the model group of each policy; the one for an assistant's other workflows has the assistant's name."""
    return {
        assistant if workflow == "*" else f"{assistant}-{workflow}": (assistant, workflow)
        for assistant, workflow in params.routing_policies
    }


def _deployments(
    params: Params, usage: pd.DataFrame, prices: pd.DataFrame
) -> tuple[dict[str, list[dict[str, Any]]], list[tuple[str, str, str]]]:
    """Make the parameters of every model that a policy allows, and note those without a price."""
    pairs = pd.concat([frame[["provider", "model"]].dropna() for frame in (usage, prices)]).drop_duplicates()
    known = sorted(pairs.itertuples(index=False, name=None), key=lambda pair: (pair[1], pair[0]))
    policies = params.routing_policies.values()
    patterns = [name for policy in policies for name in (*policy.models, *policy.named_models)]
    found: dict[str, list[dict[str, Any]]] = {}
    notes = []
    for provider, model in known:
        if not model_fits(patterns, provider, model):
            continue
        own = prices[(prices["provider"] == provider) & (prices["model"] == model)]
        found.setdefault(model, []).append(_litellm_params(provider, model, own))
        if own.empty:
            notes.append(("not held", f"price of {model}", "the price list and the overrides have none"))
    for name in (name for policy in policies for name in policy.named_models):
        if name.rpartition("/")[2] not in found:
            message = f"parameters: routing names model '{name}', and nothing says which provider serves it"
            raise ParamsError(message, hint="write it as provider/model, as the ledger names providers")
    return found, notes


def _litellm_params(provider: str, model: str, prices: pd.DataFrame) -> dict[str, Any]:
    names = gateway_names()
    if provider not in names["providers"]:
        message = f"parameters: routing allows '{provider}/{model}', and the gateway is not known to reach '{provider}'"
        raise ParamsError(message, hint=f"known providers: {', '.join(names['providers'])}")
    place = dict(names["providers"][provider])
    own = {"model": f"{place.pop('prefix')}/{model}"} | {key: f"os.environ/{name}" for key, name in place.items()}
    unit = dict(zip(prices["token_class"], prices["unit_price"], strict=True))
    return own | {key: float(unit[name]) for name, key in names["prices"].items() if name in unit}


def _workflow_groups(
    params: Params, models: Mapping[str, list[dict[str, Any]]], notes: list[tuple[str, str, str]]
) -> tuple[list[dict[str, Any]], list[dict[str, list[str]]]]:
    """Make a model group for each policy: its standard model under its limits, and whom it falls back to."""
    groups, fallbacks = [], []
    for name, key in _group_names(params).items():
        policy, limits = params.routing_policies[key], params.agent_limits[key[0]]
        standard = _served(policy, models)
        if standard is None:
            notes.append(("not held", f"routing of {' '.join(key)}", "its policy names no model that is in use"))
            continue
        limited = {"max_tokens": policy.output_limit, "timeout": limits.timeout_seconds, "max_retries": limits.retries}
        limited = {key: value for key, value in limited.items() if value is not None}
        info = {"model_info": {"max_input_tokens": policy.context_limit}} if policy.context_limit else {}
        groups += [{"model_name": name, "litellm_params": own | limited} | info for own in models[standard]]
        chain = [model.rpartition("/")[2] for model in policy.fallbacks_of(policy.standard or standard)]
        fallbacks += [{name: chain}] if chain else []
    return groups, fallbacks


def _served(policy: RoutingPolicy, models: Mapping[str, Any]) -> str | None:
    """Name the model a workflow's group is served by: the standard one, else the first in use that fits."""
    if policy.standard:
        return policy.standard.rpartition("/")[2]
    return next((model for model in models if model_fits(policy.models, None, model)), None)


def _bodies(params: Params, groups: list[dict[str, Any]], notes: list[tuple[str, str, str]]) -> Payloads:
    """Make the teams, the projects of assistants that one team owns, the virtual keys and the keys of agents."""
    organisation, made = params.organisation, {entry["model_name"] for entry in groups}
    routes: dict[str, list[str]] = {}
    for name, (assistant, _) in _group_names(params).items():
        routes.setdefault(assistant, []).extend([name] if name in made else [])
    allowed = {assistant: {"models": names} for assistant, names in routes.items() if names}
    bodies: Payloads = {name: [] for name in ENDPOINTS}
    for name, team in organisation.teams.items():
        owned = {"department": team.department, "cost_center": team.cost_center}
        bodies["teams"].append({"team_id": name, "team_alias": name, "metadata": owned})
    for alias, owner in organisation.virtual_keys.items():
        team = {"team_id": owner["team"]} if owner.get("team") in organisation.teams else {}
        bodies["keys"].append(
            {"key_alias": alias} | team | allowed.get(owner.get("assistant", ""), {}) | {"metadata": dict(owner)}
        )
    for name, settings in params.settings_in_force.items():
        own, team = allowed.get(name, {}), settings.defaults.get("team")
        if team in organisation.teams:
            title = settings.title or name
            bodies["projects"].append({"project_id": name, "project_alias": title, "team_id": team} | own)
        for limit, most in settings.agent_limits.model_dump(exclude_none=True).items():
            about = f"{limit} of {name}: {most}"
            if limit == "steps":
                metadata = {"assistant": name, "max_iterations": most}
                bodies["keys"].append({"key_alias": f"{name}-agent"} | own | {"metadata": metadata})
                notes.append(("differs", about, "counted for each session_id that the agent sends with its calls"))
            elif limit in HELD_BY_GATEWAY:
                notes.append(("differs", about, "held for each call of the assistant's routes, not for the whole run"))
            else:
                notes.append(("not held", about, "notebook 06_routing_savings lists the runs over it with their cost"))
    return bodies
