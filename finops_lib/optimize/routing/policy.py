"""Routing policy: the month's traffic held against what each workflow may use, and what the difference costs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import numpy as np
import pandas as pd

from finops_lib.inform.scope import UNATTRIBUTED, days, dimension_values
from finops_lib.schema import INPUT_CLASSES, OUTPUT_CLASSES
from finops_lib.settings import TIERS, ModelCatalogue, RoutingException, RoutingPolicy, model_fits

Policies = Mapping[tuple[str, str], RoutingPolicy]

ROUTINE = "premium on routine work"
_DAY = "charge_period_start"
_PLACE = ["assistant", "workflow", "environment", "provider", "model"]
_KEYS = [*_PLACE, "data_class"]
_ALLOWED = ["exception", "approver"]
_COLUMNS = [*_PLACE, "rule", "breach", *_ALLOWED, "requests", "cost", "breach_cost", "instead", "what_to_do"]
_OTHERS = {
    "data class": "data class on the wrong model",
    "context": "context over the limit",
    "output": "output over the limit",
}
_TODO = {
    "model": "route it to {instead}, behind an evaluation, or record an exception",
    "data class": "refuse the data class on this route, or approve it in models.data_classes",
    "context": "trim history and retrieved context, or raise context_limit",
    "output": "cap the output at the gateway, or raise output_limit",
}


def policy_of(policies: Policies, assistant: str, workflow: str) -> RoutingPolicy | None:
    """Find the policy of a workflow: its own, else the one for all others of its assistant."""
    return policies.get((assistant, workflow)) or policies.get((assistant, "*"))


def may_serve(
    policy: RoutingPolicy | None, catalogue: ModelCatalogue, provider: str, model: str, data_classes: Iterable[str]
) -> bool:
    """Say whether a model may serve a workflow: by its policy, and for all data it may handle or is seen to."""
    handled = {*data_classes, *(policy.data_classes if policy else ())}
    permitted = policy is None or _allowed(policy, catalogue, provider, model)
    return permitted and all(catalogue.may_see(model, provider, name) for name in handled)


def tier_mix(costs: pd.DataFrame, usage: pd.DataFrame, policies: Policies, catalogue: ModelCatalogue) -> pd.DataFrame:
    """Show which tiers of models serve each workflow, beside the tier its policy names.

    Parameters
    ----------
    costs : DataFrame
        Ledger of the month, one row per day × dimensions × SKU.
    usage : DataFrame
        Usage of the month, one row per day × dimensions.
    policies : mapping
        Policy by (assistant, workflow); workflow ``*`` stands for the assistant's others.
    catalogue : ModelCatalogue
        Tiers and task classes.

    Returns
    -------
    DataFrame
        One row per ``assistant`` × ``workflow`` × ``tier``, costliest workflow first, cheapest tier first; ``tier``
        is "no tier" for models of none: ``requests``, ``cost`` (USD), ``share`` of the workflow's requests,
        ``has_policy``, ``policy_tier`` (null where the policy names models only). Calls served from the cache,
        embeddings and reranking are left out.

    References
    ----------
    Requirement F1.
    """
    found = []
    for frame, measure in ((usage, "request_count"), (costs, "contracted_cost")):
        keys = _routed(frame)
        pairs = keys[["provider", "model"]].drop_duplicates().itertuples(index=False, name=None)
        tiers = {(provider, model): catalogue.tier_of(model, provider) or "no tier" for provider, model in pairs}
        keys["tier"] = [tiers[pair] for pair in zip(keys["provider"], keys["model"], strict=True)]
        keys[measure] = frame[measure].astype("float64")
        found.append(keys.groupby(["assistant", "workflow", "tier"])[measure].sum())
    mix = pd.concat(found, axis=1).reset_index()
    mix.columns = ["assistant", "workflow", "tier", "requests", "cost"]
    of_workflow = mix.groupby(["assistant", "workflow"])
    mix["share"] = mix["requests"] / of_workflow["requests"].transform("sum")
    chosen = [policy_of(policies, *pair) for pair in zip(mix["assistant"], mix["workflow"], strict=True)]
    mix["has_policy"] = [own is not None for own in chosen]
    mix["policy_tier"] = pd.Series([policy_tier(own, catalogue) if own else None for own in chosen], dtype=object)
    mix["spent"], mix["rank"] = of_workflow["cost"].transform("sum"), mix["tier"].map(_rank)
    order = mix.sort_values(["spent", "assistant", "workflow", "rank"], ascending=[False, True, True, True])
    return order.drop(columns=["spent", "rank"]).reset_index(drop=True).astype({"requests": "int64"})


def policy_tier(policy: RoutingPolicy, catalogue: ModelCatalogue) -> str | None:
    """Name the tier a policy asks for: its own, else that of its task."""
    return policy.tier or (catalogue.tier_of_task(policy.task) if policy.task else None)


def routing_breaches(
    costs: pd.DataFrame,
    usage: pd.DataFrame,
    policies: Policies,
    catalogue: ModelCatalogue,
    prices: pd.DataFrame,
    over_limits: pd.DataFrame,
) -> pd.DataFrame:
    """List where the month's traffic left its routing policy, and what that cost.

    Parameters
    ----------
    costs : DataFrame
        Ledger of the month, one row per day × dimensions × SKU.
    usage : DataFrame
        Usage of the month, one row per day × dimensions.
    policies : mapping
        Policy by (assistant, workflow); workflow ``*`` stands for the assistant's others.
    catalogue : ModelCatalogue
        Tiers, task classes, and the models that may see each data class.
    prices : DataFrame
        As ``ingest.contracted_prices`` returns it.
    over_limits : DataFrame
        As ``ingest.calls_over_routing_limits`` returns it.

    Returns
    -------
    DataFrame
        One row per workflow × environment × model × breach, costliest first: the place, ``rule`` (model, data class,
        context, output), ``breach`` in the field's words, ``exception`` (none, active, lapsed) and its ``approver``,
        ``requests``, ``cost`` (USD of these calls), ``breach_cost`` (USD), ``instead`` (``provider/model``),
        ``what_to_do``. A call may break several rules: the rows do not add up.

    Notes
    -----
    The cost of a wrong model is what the same tokens would have saved on the cheapest model the policy allows for
    the data class, at contracted prices and never below zero; other models use other tokens, so the gate has the
    last word. Tokens beyond a limit count at what the route paid for a token of their side. For a data class there
    is no such cost (null).

    References
    ----------
    Requirement F1.
    """
    verdicts = _verdicts(usage, policies, catalogue)
    calls = _routed(usage).assign(requests=usage["request_count"].astype("float64"))
    tokens = _routed(costs).assign(
        token_class=costs["token_class"].astype(str),
        quantity=costs["pricing_quantity"].astype("float64"),
        cost=costs["contracted_cost"].astype("float64"),
    )
    per_breach = [*_KEYS, "rule", "breach", *_ALLOWED]
    found = _excepted(calls.merge(verdicts, on=_KEYS)).groupby(per_breach)[["requests"]].sum()
    used = _excepted(tokens.merge(verdicts, on=_KEYS))
    spent = used.groupby(per_breach)["cost"].sum(min_count=1)
    quantities = used.pivot_table(index=per_breach, columns="token_class", values="quantity", aggfunc="sum")
    cheapest = _cheapest(quantities[quantities.index.get_level_values("rule") == "model"], policies, catalogue, prices)
    rows = found.join(spent).join(cheapest).reset_index()
    rows["breach_cost"] = (rows["cost"] - rows["reference"]).clip(lower=0)
    sized = _over_limits(over_limits, tokens, policies)
    rows = pd.concat([rows[rows["requests"] > 0], sized], ignore_index=True).reindex(columns=_COLUMNS)
    rows["what_to_do"] = [
        _TODO[rule].format(instead=instead if isinstance(instead, str) else "a model of the policy")
        for rule, instead in zip(rows["rule"], rows["instead"], strict=True)
    ]
    rows = rows.astype({"requests": "int64", "cost": "float64", "breach_cost": "float64"})
    order = ["breach_cost", "cost", *_PLACE, "rule"]
    return rows.sort_values(order, ascending=[False, False, *[True] * 6], ignore_index=True)


def routing_measures(mix: pd.DataFrame, breaches: pd.DataFrame, over_limits: pd.DataFrame) -> pd.DataFrame:
    """Sum the traffic's standing to its policy up to a few measures.

    Parameters
    ----------
    mix : DataFrame
        As ``tier_mix`` returns it.
    breaches : DataFrame
        As ``routing_breaches`` returns it.
    over_limits : DataFrame
        As ``ingest.calls_over_routing_limits`` returns it; its fallbacks are counted.

    Returns
    -------
    DataFrame
        One row per ``measure``: ``requests``, ``of_requests`` (what they are a share of), ``share``, ``cost`` (USD of
        these requests), ``breach_cost`` (USD). Measures: without a policy, misrouted (a model the policy does not
        allow), premium on routine work (share of routine calls), data class on the wrong model, context over the
        limit, output over the limit, answered by a fallback, exceptions in force, exceptions lapsed.

    References
    ----------
    Requirement F1.
    """
    calls, cost = mix["requests"], mix["cost"]
    under = mix["has_policy"].astype(bool)
    broken = breaches[breaches["exception"] != "active"]
    excepted = breaches["exception"]
    fallback = over_limits[over_limits["rule"] == "fallback"]
    routine, governed = calls[mix["policy_tier"] == TIERS[0]].sum(), calls[under].sum()
    rows = [("without a policy", calls[~under].sum(), "all calls", calls.sum(), cost[~under].sum(), None)]
    for measure, of, whole, chosen in (
        ("misrouted", "calls under a policy", governed, broken[broken["rule"] == "model"]),
        (ROUTINE, "routine calls", routine, broken[broken["breach"] == ROUTINE]),
        *((kind, "calls under a policy", governed, broken[broken["rule"] == rule]) for rule, kind in _OTHERS.items()),
        ("answered by a fallback", "calls under a policy", governed, fallback),
        ("exceptions in force", "calls under a policy", governed, breaches[excepted == "active"]),
        ("exceptions lapsed", "calls under a policy", governed, breaches[excepted == "lapsed"]),
    ):
        extra = chosen["breach_cost"].sum(min_count=1) if "breach_cost" in chosen else None
        rows.append((measure, chosen["requests"].sum(), of, whole, chosen["cost"].sum(), extra))
    found = pd.DataFrame(rows, columns=["measure", "requests", "of_requests", "whole", "cost", "breach_cost"])
    found["share"] = found["requests"].astype("float64") / found["whole"].astype("float64").replace(0, np.nan)
    kinds = {"requests": "int64", "cost": "float64", "breach_cost": "float64"}
    return found.astype(kinds)[["measure", "requests", "share", "of_requests", "cost", "breach_cost"]]


def _rank(tier: str | None) -> int:
    return TIERS.index(tier) if tier in TIERS else len(TIERS)


def _routed(frame: pd.DataFrame) -> pd.DataFrame:
    """Keep what a router decides on: calls of a model that were not served from the cache; day and place as text."""
    asked = frame["model"].notna() & ~frame["cache_hit"].astype("boolean").fillna(False)
    frame = frame[asked & ~dimension_values(frame, "request_type").isin(["embeddings", "rerank"])]
    return pd.DataFrame({_DAY: days(frame)} | {name: dimension_values(frame, name).astype(object) for name in _KEYS})


def _breaches(
    policy: RoutingPolicy, catalogue: ModelCatalogue, provider: str, model: str, data_class: str
) -> Iterator[tuple[str, str]]:
    """Name the rules a model breaks in a workflow, by what is known of it."""
    if not _allowed(policy, catalogue, provider, model):
        own, asked = catalogue.tier_of(model, provider), policy_tier(policy, catalogue)
        if not own or not asked or own == asked:
            yield "model", "model not allowed"
        elif _rank(own) < _rank(asked):
            yield "model", "cheaper tier"
        else:
            yield "model", ROUTINE if asked == TIERS[0] and _rank(own) >= TIERS.index("premium") else "dearer tier"
    if data_class != UNATTRIBUTED:
        permitted = not policy.data_classes or data_class in policy.data_classes
        if not permitted or not catalogue.may_see(model, provider, data_class):
            yield "data class", _OTHERS["data class"]


def _allowed(policy: RoutingPolicy, catalogue: ModelCatalogue, provider: str, model: str) -> bool:
    if policy.models:
        return model_fits(policy.models, provider, model)
    asked = policy_tier(policy, catalogue)
    return not asked or catalogue.tier_of(model, provider) == asked or model in policy.fallback.values()


def _verdicts(usage: pd.DataFrame, policies: Policies, catalogue: ModelCatalogue) -> pd.DataFrame:
    """Judge each combination of workflow, environment, model and data class once."""
    rows = []
    for key in _routed(usage)[_KEYS].drop_duplicates().itertuples(index=False):
        policy = policy_of(policies, key.assistant, key.workflow)
        for rule, breach in _breaches(policy, catalogue, *key[3:]) if policy else ():
            rows.append((*key, rule, breach, *_exception(policy, rule, key.environment, key.provider, key.model)))
    kinds = {"expires": "datetime64[s]"}
    return pd.DataFrame(rows, columns=[*_KEYS, "rule", "breach", "approver", "expires"]).astype(kinds)


def _exception(
    policy: RoutingPolicy, rule: str, environment: str, provider: str, model: str
) -> tuple[str, pd.Timestamp]:
    """Find the approver and last day of the exception that holds longest; the first of all days where none does."""

    def covers(one: RoutingException) -> bool:
        in_place = not one.environments or environment in one.environments
        return in_place and rule in one.rules and (not one.models or model_fits(one.models, provider, model))

    found = max(filter(covers, policy.exceptions), key=lambda one: one.expires, default=None)
    return (found.approver, pd.Timestamp(found.expires)) if found else ("", pd.NaT)


def _excepted(judged: pd.DataFrame) -> pd.DataFrame:
    """Say for each row by its day whether an exception allows it."""
    lapsed = judged["expires"].notna() & (judged[_DAY] > judged["expires"])
    named = np.select([judged["expires"].isna(), lapsed], ["none", "lapsed"], "active")
    return judged.assign(exception=named.astype(object))


def _cheapest(
    quantities: pd.DataFrame, policies: Policies, catalogue: ModelCatalogue, prices: pd.DataFrame
) -> pd.DataFrame:
    """Price the same tokens on every model that is allowed, and keep the cheapest."""
    table = prices.assign(unit_price=prices["unit_price"].astype("float64"))
    table = table.pivot_table(index=["provider", "model"], columns="token_class", values="unit_price", aggfunc="first")
    table = table.reindex(columns=[*INPUT_CLASSES, *OUTPUT_CLASSES]).dropna(subset=["uncached_input", "output"])
    for side, parent in ((INPUT_CLASSES, "uncached_input"), (OUTPUT_CLASSES, "output")):
        table[list(side)] = table[list(side)].apply(lambda column, own=table[parent]: column.fillna(own))
    used = quantities.reindex(columns=table.columns).fillna(0.0)
    found = pd.DataFrame(index=quantities.index, columns=["reference", "instead"], dtype=object)
    for key, rows in used.groupby(["assistant", "workflow", "data_class"]):
        policy = policy_of(policies, *key[:2])
        fits = [
            _allowed(policy, catalogue, *pair) and catalogue.may_see(pair[1], pair[0], key[2]) for pair in table.index
        ]
        if any(fits):
            offers = rows.to_numpy() @ table[fits].to_numpy().T
            best = offers.argmin(axis=1)
            found.loc[rows.index, "reference"] = offers.min(axis=1)
            found.loc[rows.index, "instead"] = np.array(["/".join(pair) for pair in table[fits].index], object)[best]
    return found.astype({"reference": "float64"})


def _over_limits(over_limits: pd.DataFrame, tokens: pd.DataFrame, policies: Policies) -> pd.DataFrame:
    """Bring calls over a limit to rows of breaches; the tokens beyond it at what the route paid for their side."""
    found = over_limits[over_limits["rule"] != "fallback"]
    place = {name: dimension_values(found, name).astype(object) for name in _PLACE}
    found = pd.DataFrame({_DAY: days(found), **place, "rule": found["rule"].astype(object)}).join(
        found[["requests", "tokens_over", "cost"]].astype("float64")
    )
    sides = dict.fromkeys(INPUT_CLASSES, "context") | dict.fromkeys(OUTPUT_CLASSES, "output")
    paid = tokens.assign(rule=tokens["token_class"].map(sides)).groupby([*_PLACE, "rule"])[["cost", "quantity"]].sum()
    found = found.join((paid["cost"] / paid["quantity"]).rename("unit"), on=[*_PLACE, "rule"])
    found["breach_cost"], found["breach"] = found["tokens_over"] * found["unit"], found["rule"].map(_OTHERS)
    keys = found[[*_PLACE, "rule"]].drop_duplicates()
    told = [
        _exception(policy_of(policies, key.assistant, key.workflow), key.rule, *key[2:5])
        for key in keys.itertuples(index=False)
    ]
    keys[["approver", "expires"]] = pd.DataFrame(told, index=keys.index, columns=["approver", "expires"])
    judged = _excepted(found.merge(keys.astype({"expires": "datetime64[s]"}), on=[*_PLACE, "rule"]))
    measured = ["requests", "cost", "breach_cost"]
    return judged.groupby([*_PLACE, "rule", "breach", *_ALLOWED])[measured].sum().reset_index()
