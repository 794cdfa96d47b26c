"""Charge meaning: which model provider, model and token class a line of a bill is about, and whose it is."""

from __future__ import annotations

import re

import duckdb
import pandas as pd
import pyarrow as pa

from finops_lib.ingest.engine import fetch, quoted
from finops_lib.ingest.prices.model_names import match_models
from finops_lib.ingest.prices.rows import read_price_list
from finops_lib.ingest.reading import attribution
from finops_lib.params import Params

VENDORS = (
    ("openai", ".*", "openai"),
    ("anthropic", ".*", "anthropic"),
    ("mistral", ".*", "mistral_ai"),
    ("cohere", ".*", "cohere"),
    ("deepseek", ".*", "deepseek"),
    ("groq", ".*", "groq"),
    ("perplexity", ".*", "perplexity"),
    (r"x\.?ai\b", ".*", "x_ai"),
    ("voyage", ".*", "voyageai"),
    ("amazon|aws", "bedrock", "aws.bedrock"),
    ("microsoft|azure", "openai", "azure.ai.openai"),
    ("microsoft|azure", "foundry|ai inference", "azure.ai.inference"),
    ("google", "gemini", "gcp.gemini"),
    ("google", "vertex", "gcp.vertex_ai"),
)
"""Begin of the issuer's or provider's name, part of the service's name → ``gen_ai.provider.name``, first one wins.

A cloud sells much besides models, so its service has to be named too.
"""

_DETAIL = {
    "model": ("ModelId",),
    "direction": ("TokenDirection",),
    "cache": ("TokenCacheAction",),
    "tier": ("ServiceTier",),
}
"""What the properties of a SKU tell → their keys; up to FOCUS 1.4 with ``x_`` before them, bare from 1.5 on."""

TAGGED = ("assistant", "workflow", "team", "cost_center", "project_code", "environment")


def add_meaning(connection: duckdb.DuckDBPyConnection, params: Params) -> None:
    """Say of each line what it is about and whose it is, where the line tells.

    Parameters
    ----------
    connection : DuckDBPyConnection
        Has ``converted``; gets ``described``: the same lines with provider, model, token class, tier and owners.
    params : Params
        Issuers, tags, teams, assistants, model aliases.

    Notes
    -----
    What a bill gives by itself goes first, then the properties of the SKU, then the words of the meter and the
    description. A token class is only read from words where the line speaks of tokens.
    """
    attribution.register_owners(connection, params.organisation, params.assistants)
    connection.execute(f"CREATE OR REPLACE TABLE placed AS {_placed_sql(params.organisation.reconciliation.issuers)}")
    connection.execute(
        r"""CREATE OR REPLACE TABLE tagged AS SELECT *, list_transform(
            list_filter(json_keys(CAST(tags AS JSON)), lambda k: (CAST(tags AS JSON) ->> pointer(k)) IS NOT NULL),
            lambda k: regexp_replace(k, '^.*[:/]', '') || ':' || (CAST(tags AS JSON) ->> pointer(k))) AS tag_list
        FROM placed"""
    )
    connection.execute("CREATE OR REPLACE VIEW tagged_lists AS SELECT tag_list AS tags FROM tagged")
    attribution.read_tags(connection, "tagged_lists")
    _register_models(connection, params)
    owned = {name: f"coalesce(t.{name}, g.{name}, d.{name})" for name in TAGGED if name != "assistant"}
    team = owned["team"]
    owned["cost_center"] = "coalesce(t.cost_center, g.cost_center, p.cost_center, d.cost_center)"
    listed = ", ".join(f"{value} AS {name}" for name, value in owned.items())
    connection.execute(
        f"""CREATE OR REPLACE TABLE described AS SELECT t.* EXCLUDE (tag_list, words) REPLACE (
            coalesce(a.name, t.assistant, g.assistant) AS assistant, coalesce(t.model, m.model) AS model, {listed}),
            coalesce(g.department, p.department, d.department) AS department
        FROM tagged AS t LEFT JOIN tag_sets AS g ON g.tags = t.tag_list
        LEFT JOIN assistant_names AS a ON a.title = lower(coalesce(t.assistant, g.assistant))
        LEFT JOIN assistant_defaults AS d ON d.owner_key = coalesce(a.name, t.assistant, g.assistant)
        LEFT JOIN team_places AS p ON p.team = {team}
        LEFT JOIN model_words AS m ON m.provider = t.provider AND m.words = t.words"""
    )


def _placed_sql(issuers: dict[str, str]) -> str:
    """Write the SQL of provider, token class, tier and the words a model may be named in."""
    details = {
        name: "coalesce(" + ", ".join(f"details ->> '$.{prefix}{key}'" for key in keys for prefix in ("x_", "")) + ")"
        for name, keys in _DETAIL.items()
    }
    given = " ".join(
        f"WHEN lower(invoice_issuer_name) = {quoted(issuer.lower())} THEN {quoted(provider)}"
        for issuer, provider in issuers.items()
    )
    known = " ".join(
        f"WHEN regexp_matches(seller, '\\b({vendor})') AND regexp_matches(lower(service_name), '{service}') "
        f"THEN '{provider}'"
        for vendor, service, provider in VENDORS
    )
    cached = f"lower({details['cache']})"
    return f"""WITH seen AS (
            SELECT *, CAST(sku_price_details AS JSON) AS details,
                lower(concat_ws(' ', invoice_issuer_name, service_provider_name)) AS seller,
                lower(concat_ws(' ', sku_meter, charge_description)) AS spoken,
                concat_ws(' ', sku_id, sku_meter, charge_description) AS words
            FROM converted),
        named AS (SELECT *, coalesce(provider, CASE {given} {known} END) AS vendor,
            contains(lower(concat_ws(' ', pricing_unit, consumed_unit, spoken)), 'token') AS of_tokens FROM seen)
        SELECT * EXCLUDE (details, seller, spoken, vendor, of_tokens) REPLACE (
            vendor AS provider,
            coalesce(model, {details["model"]}) AS model,
            coalesce(token_class, CASE
                WHEN lower({details["direction"]}) = 'output' THEN {_output("spoken")}
                WHEN lower({details["direction"]}) = 'input' THEN CASE
                    WHEN {cached} = 'read' THEN 'cache_read'
                    WHEN {cached} = 'write' THEN {_written("spoken")}
                    WHEN coalesce({cached}, 'uncached') = 'uncached' THEN {_input("spoken")} END
                WHEN vendor IS NOT NULL AND of_tokens THEN CASE
                    WHEN regexp_matches(spoken, 'cache[ -]?(write|creation)') THEN {_written("spoken")}
                    WHEN regexp_matches(spoken, 'cache[ -]?(read|hit)|cached (input|prompt)') THEN 'cache_read'
                    WHEN regexp_matches(spoken, '\\b(input|prompt)') THEN {_input("spoken")}
                    WHEN regexp_matches(spoken, '\\b(output|completion|response|reasoning)') THEN {_output("spoken")}
                    END
                WHEN vendor IS NOT NULL AND regexp_matches(spoken, 'web[ _]search') THEN 'web_search' END)
                AS token_class,
            lower(coalesce(service_tier, {details["tier"]}, CASE WHEN vendor IS NOT NULL
                THEN nullif(regexp_extract(spoken, '\\b(batch|flex|priority|provisioned)\\b', 1), '') END))
                AS service_tier)
        FROM named"""


def _input(text: str) -> str:
    return f"CASE WHEN contains({text}, 'audio') THEN 'audio_input' ELSE 'uncached_input' END"


def _output(text: str) -> str:
    return (
        f"CASE WHEN contains({text}, 'audio') THEN 'audio_output' "
        f"WHEN contains({text}, 'reasoning tokens') THEN 'reasoning' ELSE 'output' END"
    )


def _written(text: str) -> str:
    return f"CASE WHEN regexp_matches({text}, '(1|one)[ -]?h') THEN 'cache_write_1h' ELSE 'cache_write_5m' END"


def _register_models(connection: duckdb.DuckDBPyConnection, params: Params) -> None:
    """Find the models that lines without properties name in their words: ``model_words``."""
    distinct = fetch(
        connection,
        "SELECT DISTINCT provider, words FROM tagged WHERE provider IS NOT NULL AND model IS NULL AND words <> ''",
    ).to_pylist()
    pairs = [
        (row["provider"], row["words"], word)
        for row in distinct
        for word in dict.fromkeys(re.findall(r"[A-Za-z][\w.:/]*-[\w.:/-]+", row["words"]))
    ]
    frame = pd.DataFrame(pairs, columns=["provider", "words", "model"])
    if len(frame):
        matched = match_models(frame[["provider", "model"]], read_price_list(), params.organisation.model_aliases)
        frame = frame.merge(matched[["provider", "model", "price_model"]], on=["provider", "model"])
        frame = frame.dropna(subset=["price_model"]).drop_duplicates(["provider", "words"])
    table = pa.table({name: pa.array(frame[name].tolist(), pa.string()) for name in ("provider", "words", "model")})
    connection.register("laid_out", table)
    connection.execute("CREATE OR REPLACE TABLE model_words AS SELECT * FROM laid_out")
    connection.unregister("laid_out")
