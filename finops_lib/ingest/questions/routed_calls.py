"""Routed calls: what the routing policy asks of single calls, and what the models it names cost."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime

import duckdb
import pandas as pd
import sqlalchemy as sa

from finops_lib.ingest.ledger import Ledger
from finops_lib.ingest.prices.model_names import match_models
from finops_lib.ingest.prices.price_list import unit_prices
from finops_lib.ingest.prices.rows import read_price_list
from finops_lib.ingest.questions.asking import ask_requests
from finops_lib.ingest.questions.request_costs import priced_requests
from finops_lib.schema import INPUT_CLASSES, OUTPUT_CLASSES, TOKEN_CLASSES

_KEYS = ("assistant", "workflow", "environment", "provider", "model")
_COLUMNS = ("charge_period_start", *_KEYS, "rule", "requests", "tokens_over", "cost")


def calls_over_routing_limits(ledger: Ledger) -> pd.DataFrame:
    """Count the month's calls that are larger than their routing policy allows, and those a fallback answered.

    Parameters
    ----------
    ledger : Ledger
        Opened for a month; its parameters hold the policies.

    Returns
    -------
    DataFrame
        One row per day × assistant × workflow × environment × provider × model × ``rule`` (context, output,
        fallback) with such calls: ``requests``, ``tokens_over`` (tokens beyond the limit; 0 for a fallback),
        ``cost`` (USD of those calls). Calls served from the cache are left out.

    References
    ----------
    Requirement F1.
    """
    policies = ledger.params.routing_policies
    wanted = ["timestamp", "cache_hit", "fallback_model"]

    def ask(requests: sa.TableClause, connection: duckdb.DuckDBPyConnection) -> str:
        priced_requests(requests, connection, ledger)
        served = connection.execute("SELECT DISTINCT assistant, workflow FROM priced ORDER BY ALL").fetchall()
        found = {(a, w): policies.get((a, w)) or policies.get((a, "*")) for a, w in served}
        limits = [(*pair, own.context_limit, own.output_limit) for pair, own in found.items() if own]
        kinds = {"assistant": "string", "workflow": "string", "context": "Int64", "output": "Int64"}
        connection.register("limits", pd.DataFrame(limits, columns=list(kinds)).astype(kinds))
        sides = {"context": INPUT_CLASSES, "output": OUTPUT_CLASSES}
        over = {rule: " + ".join(TOKEN_CLASSES[name] for name in side) for rule, side in sides.items()}
        rules = {rule: f"greatest({tokens} - {rule}, 0)" for rule, tokens in over.items()}
        rules["fallback"] = "CASE WHEN fallback_model IS NULL THEN 0 ELSE 1 END"
        keys = ", ".join(_KEYS)
        asked = " UNION ALL ".join(
            f"""SELECT CAST(timezone('{ledger.params.organisation.time_zone}', timestamp) AS DATE)
                AS charge_period_start, {keys}, '{rule}' AS rule, {over} AS tokens_over, cost
            FROM priced JOIN limits USING (assistant, workflow) WHERE NOT cache_hit AND {over} > 0"""
            for rule, over in rules.items()
        )
        return f"""SELECT charge_period_start, {keys}, rule, count(*) AS requests,
            CAST(sum(tokens_over) FILTER (rule <> 'fallback') AS BIGINT) AS tokens_over,
            CAST(sum(CAST(cost AS DECIMAL(38,12))) AS DOUBLE) AS cost
        FROM ({asked}) GROUP BY ALL ORDER BY ALL"""

    if not policies:
        return pd.DataFrame(columns=list(_COLUMNS))
    return ask_requests(ledger, ask, _COLUMNS, wanted=wanted)


def contracted_prices(ledger: Ledger, models: Iterable[str] | None = None) -> pd.DataFrame:
    """Price the models in use, and others by name, on the last day of the ledger.

    Parameters
    ----------
    ledger : Ledger
        Opened for a month.
    models : iterable of str, optional
        Further models, as ``model`` or ``provider/model``; those that the routing policies name in full, if not given.

    Returns
    -------
    DataFrame
        One row per ``provider`` × ``model`` × ``token_class``: ``unit_price`` (Decimal, USD per token), at standard
        tier and short context, negotiated rates included unless they are one team's, key's or assistant's. Models
        without a price have no row; without a ledger the newest prices count. A model named without its provider has
        the provider its name is known by.

    References
    ----------
    Requirements A4, F1, E6.
    """
    if models is None:
        models = {name for policy in ledger.params.routing_policies.values() for name in policy.named_models}
    listed = read_price_list()
    usage, aliases = ledger.usage, ledger.params.organisation.model_aliases
    used = usage[["provider", "model"]].dropna().drop_duplicates().astype(object)
    known = set(used["model"])
    named = [name.rpartition("/") for name in sorted(set(models) - known)]
    missing = pd.DataFrame([(provider or None, model) for provider, _, model in named], columns=["provider", "model"])
    guessed = match_models(missing.astype(object), listed, aliases)
    guessed["provider"] = guessed["provider"].where(guessed["provider"].notna(), guessed["price_provider"])
    pairs = pd.concat([used, guessed[["provider", "model"]]], ignore_index=True)
    pairs = pairs.dropna().drop_duplicates().sort_values(["provider", "model"], ignore_index=True)
    last = usage["charge_period_start"].max() if len(usage) else date.max
    if pairs.empty:
        return pd.DataFrame(columns=["provider", "model", "token_class", "unit_price"])
    scope = {"service_tier": None, "context_tier": 0, "team": None, "api_key": None, "assistant": None}
    keys = pairs.assign(**scope, price_period_start=datetime(last.year, last.month, last.day, tzinfo=UTC))
    matched = match_models(pairs, listed, aliases)
    found = unit_prices(keys, listed, ledger.params.organisation.prices, matched)
    found = found[found["token_class"].isin(list(TOKEN_CLASSES))].rename(
        columns={"contracted_unit_price": "unit_price"}
    )
    return found[["provider", "model", "token_class", "unit_price"]].reset_index(drop=True)
