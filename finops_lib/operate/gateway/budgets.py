"""Gateway budgets: where a gateway can hold a budget, and in which words it is told."""

from __future__ import annotations

from typing import Any

from finops_lib.operate.budgets.rules import MONTHS
from finops_lib.operate.gateway.form import GatewayConfig, gateway_names
from finops_lib.settings import Budget, Params

MONTH = "30d"
"""The gateway's month: it resets on the first, in the time zone of its settings."""

_OF_TEAMS = ("department", "cost_center")
_BODIES = {"team": ("teams", "team_id"), "api_key": ("keys", "key_alias"), "assistant": ("projects", "project_id")}


def place_budget(budget: Budget, gateway: GatewayConfig, params: Params) -> None:
    """Write a budget where the gateway can hold it, or note that it cannot.

    Parameters
    ----------
    budget : Budget
        A hard cap becomes ``max_budget`` at its stop, a soft one ``soft_budget``; quarters and years become months.
    gateway : GatewayConfig
        Is added to.
    params : Params
        Of the organisation: the tag that names a dimension.
    """
    about, dimensions = f"budget '{budget.name}'", list(budget.match)
    value = next(iter(budget.match.values()), "")
    if len(dimensions) > 1 or "*" in value or "?" in value or set(dimensions) & set(_OF_TEAMS):
        spans = " and ".join(f"{name} {wanted}" for name, wanted in budget.match.items())
        gateway.notes.append(("not held", about, f"the gateway has no place for {spans}; `finops alerts` watches it"))
        return
    terms = _terms(budget)
    if _place(dimensions[0] if dimensions else "", value, terms, budget, gateway, params):
        _note_terms(budget, about, terms, gateway)
    else:
        words = "only hard caps are held there; `finops alerts` watches it"
        gateway.notes.append(("not held", about, words))


def _place(
    dimension: str, value: str, terms: dict[str, Any], budget: Budget, gateway: GatewayConfig, params: Params
) -> bool:
    """Write the terms of a budget into its place; false where the place takes hard caps only."""
    settings, hard = gateway.config["litellm_settings"], {k: v for k, v in terms.items() if k != "soft_budget"}
    file, key = _BODIES.get(dimension, ("", ""))
    body = next((body for body in gateway.payloads.get(file, []) if body[key] == value), None)
    if body is not None:
        body |= terms
    elif dimension == "customer":
        gateway.payloads["budgets"].append({"budget_id": budget.name} | terms)
        gateway.payloads["customers"].append({"user_id": value, "budget_id": budget.name})
    elif not dimension or dimension == "provider":
        if "max_budget" not in terms:
            return False
        if not dimension:
            settings |= hard
            return True
        names = gateway_names()["providers"]
        name = names[value]["prefix"] if value in names else value
        limits = gateway.config["router_settings"].setdefault("provider_budget_config", {})
        limits[name] = {"budget_limit": terms["max_budget"], "time_period": MONTH}
    else:
        keys = {named: tag for tag, named in params.organisation.attribution.tags.items()}
        tag = f"{keys.get(dimension, dimension)}:{value}"
        gateway.payloads["tags"].append({"name": tag, "description": budget.name} | terms)
        words = "held by a tag, which counts only where callers send it with each request"
        gateway.notes.append(("differs", f"budget '{budget.name}'", f"{words} ({tag})"))
        if "max_budget" in terms:
            settings.setdefault("tag_budget_config", {})[tag] = hard
            gateway.notes.append(("Enterprise", f"tag_budget_config {tag}", "without it `tags.json` alone holds it"))
    return True


def _terms(budget: Budget) -> dict[str, Any]:
    amount = float(budget.amount) / MONTHS[budget.period]
    stop = {"max_budget": round(amount * budget.stop_at, 2)} if budget.cap == "hard" else {}
    soft = {"soft_budget": round(amount, 2)} if not stop or budget.stop_at > 1 else {}
    return stop | soft | {"budget_duration": MONTH}


def _note_terms(budget: Budget, about: str, terms: dict[str, Any], gateway: GatewayConfig) -> None:
    """Tell where the gateway's form says less than the budget."""
    differs = []
    if budget.period != "month":
        differs.append(f"a {budget.period} is held as equal months")
    if budget.starts or budget.ends:
        differs.append("its first and last day are not known to the gateway")
    if budget.rollover:
        differs.append("nothing rolls over")
    if budget.exceptions:
        differs.append("exceptions are not known to the gateway")
    if differs:
        gateway.notes.append(("differs", about, "; ".join(differs)))
    if "soft_budget" in terms:
        gateway.notes.append(("Enterprise", f"soft_budget of {about}", "its e-mail alerts; `finops alerts` tells too"))
