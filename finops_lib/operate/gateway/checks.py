"""Gateway checks: what a gateway would ignore without a word, or refuse, is found before it is written."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pandas as pd

from finops_lib.operate.gateway.form import GatewayConfig, gateway_names

_DURATION = re.compile(r"[1-9]\d*(s|m|h|d|w|mo)")
_IDS = {"teams": "team_id", "projects": "project_id", "budgets": "budget_id", "keys": "key_alias"}
_SECRETS = ("api_key", "api_base")
_CENT = 0.005


def gateway_findings(gateway: GatewayConfig) -> pd.DataFrame:
    """List what is wrong with a gateway's configuration.

    Parameters
    ----------
    gateway : GatewayConfig
        Before it is written.

    Returns
    -------
    DataFrame
        One row per finding: ``file``, ``place``, ``found``, ``expected``; empty when it may be written.

    References
    ----------
    Requirement E6; LiteLLM ignores keys it does not know, accepts a fallback to a group that does not exist, and
    reads durations as a number with s, m, h, d, w or mo.
    """
    rows = [*_unknown_keys(gateway), *_durations(gateway), *_references(gateway), *_money(gateway)]
    for entry in gateway.config["model_list"]:
        for key, value in entry["litellm_params"].items():
            if key in _SECRETS and not str(value).startswith("os.environ/"):
                rows.append(("config.yaml", f"{entry['model_name']}.{key}", "a value", "os.environ/NAME"))
    return pd.DataFrame(rows, columns=["file", "place", "found", "expected"])


Finding = tuple[str, str, str, str]


def _unknown_keys(gateway: GatewayConfig) -> Iterator[Finding]:
    known = gateway_names()["keys"]
    nested = {name: gateway.config.get(name, {}) for name in ("litellm_settings", "router_settings")}
    parts = [("config.yaml", name, body) for name, body in ({"config": gateway.config} | nested).items()]
    parts += [(f"{name}.json", name, body) for name, bodies in gateway.payloads.items() for body in bodies]
    for file, name, body in parts:
        for key in body:
            if key not in known[name]:
                yield file, name, key, f"one of {', '.join(known[name])}"


def _durations(gateway: GatewayConfig) -> Iterator[Finding]:
    def walk(file: str, node: Any) -> Iterator[Finding]:
        for key, value in node.items() if isinstance(node, dict) else enumerate(node if isinstance(node, list) else []):
            if key in ("budget_duration", "time_period") and not _DURATION.fullmatch(str(value)):
                yield file, str(key), str(value), "a number with s, m, h, d, w or mo, e.g. 30d"
            yield from walk(file, value)

    yield from walk("config.yaml", gateway.config)
    for name, bodies in gateway.payloads.items():
        yield from walk(f"{name}.json", bodies)


def _references(gateway: GatewayConfig) -> Iterator[Finding]:
    groups = {entry["model_name"] for entry in gateway.config["model_list"]}
    for step in gateway.config["router_settings"]["fallbacks"]:
        if len(step) != 1:
            yield "config.yaml", "fallbacks", ", ".join(step), "one group an element"
        for name in [*step, *(name for names in step.values() for name in names)]:
            if name not in groups:
                yield "config.yaml", "fallbacks", name, "a model group"
    ids = {name: [body[key] for body in gateway.payloads[name]] for name, key in _IDS.items()}
    for name, held in ids.items():
        for repeated in sorted({one for one in held if held.count(one) > 1}):
            yield f"{name}.json", _IDS[name], repeated, "a name that stands once"
    for name, bodies in gateway.payloads.items():
        for body in bodies:
            for key, known in (("team_id", ids["teams"]), ("budget_id", ids["budgets"])):
                if key in body and body[key] not in known:
                    yield f"{name}.json", key, body[key], f"one of {', '.join(known) or 'none'}"
            for model in body.get("models", []):
                if model not in groups:
                    yield f"{name}.json", "models", model, "a model group"


def _money(gateway: GatewayConfig) -> Iterator[Finding]:
    """Hold soft limits against hard ones, and what parts may spend against the whole."""
    for name, bodies in gateway.payloads.items():
        for body in bodies:
            soft, hard = body.get("soft_budget"), body.get("max_budget")
            if soft is not None and hard is not None and soft >= hard:
                yield f"{name}.json", "soft_budget", f"{soft:.2f}", f"less than max_budget {hard:.2f}"
    whole = gateway.config["litellm_settings"].get("max_budget")
    teams = {body["team_id"]: body for body in gateway.payloads["teams"]}
    yield from _parts("teams", gateway.payloads["teams"], whole, "the gateway's max_budget")
    for file in ("projects", "keys"):
        for team, body in teams.items():
            own = [part for part in gateway.payloads[file] if part.get("team_id") == team]
            yield from _parts(file, own, body.get("max_budget"), f"max_budget of team {team}")


def _parts(file: str, bodies: list[dict[str, Any]], whole: float | None, called: str) -> Iterator[Finding]:
    spent = sum(body.get("max_budget", 0.0) for body in bodies)
    if whole is not None and spent > whole + _CENT:
        yield f"{file}.json", "max_budget", f"{spent:.2f} together", f"at most {called}, {whole:.2f}"
