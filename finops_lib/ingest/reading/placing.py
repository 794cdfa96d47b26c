"""Placing: how the columns of a table follow from observed rows, tags, key owners, names and defaults."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import duckdb
import pandas as pd

from finops_lib.ingest.engine import fetch, quoted
from finops_lib.ingest.prices.model_names import match_models
from finops_lib.ingest.prices.rows import PriceList
from finops_lib.ingest.readers.base import Reader
from finops_lib.ingest.reading import attribution
from finops_lib.ingest.reading.tokens import counted_columns
from finops_lib.params import Organisation
from finops_lib.schema import COUNTS, FLAGS, TOKEN_CLASSES, Column, names

PROVIDER_NAMES = {
    "openai": "openai",
    "azure": "azure.ai.openai",
    "azure_openai": "azure.ai.openai",
    "azure_ai": "azure.ai.inference",
    "az.ai.openai": "azure.ai.openai",
    "azure.ai.openai": "azure.ai.openai",
    "azure.openai": "azure.ai.openai",
    "aws": "aws.bedrock",
    "bedrock": "aws.bedrock",
    "aws_bedrock": "aws.bedrock",
    "aws.bedrock": "aws.bedrock",
    "bedrock_converse": "aws.bedrock",
    "amazon_bedrock": "aws.bedrock",
    "amazon-bedrock": "aws.bedrock",
    "vertex_ai": "gcp.vertex_ai",
    "vertex_ai_beta": "gcp.vertex_ai",
    "vertexai": "gcp.vertex_ai",
    "gcp.vertex_ai": "gcp.vertex_ai",
    "google_vertex": "gcp.vertex_ai",
    "gemini": "gcp.gemini",
    "gcp.gemini": "gcp.gemini",
    "google": "gcp.gemini",
    "google_genai": "gcp.gemini",
    "google.vertex": "gcp.vertex_ai",
    "google.generative-ai": "gcp.gemini",
    "google_ai_studio": "gcp.gemini",
    "gcp.gen_ai": "gcp.gen_ai",
    "anthropic": "anthropic",
    "mistral": "mistral_ai",
    "mistralai": "mistral_ai",
    "mistral_ai": "mistral_ai",
    "xai": "x_ai",
    "x-ai": "x_ai",
    "x_ai": "x_ai",
    "cohere": "cohere",
    "cohere_chat": "cohere",
    "deepseek": "deepseek",
    "groq": "groq",
    "perplexity": "perplexity",
}
"""Provider as gateways and instrumentations spell it → ``gen_ai.provider.name``; others stay as they are."""

BILLED = ("call", "bucket")
ALWAYS = ("kind", "timestamp", "ended_at", "updated_at", "latency_ms", "tags", "usage_basis")


@dataclass(frozen=True)
class Origin:
    """What is known of a source beyond its records."""

    account: str | None = None
    layer: str | None = None
    defaults: Mapping[str, str] | None = None


def seen(reader: Reader, name: str) -> str:
    """Write the SQL of an observed column; null when the source has no such thing.

    Parameters
    ----------
    reader : Reader
        The format.
    name : str
        A name of ``readers.base.OBSERVED`` or a token class.

    Returns
    -------
    str
        SQL over the alias ``o``.
    """
    held = name in reader.observed or name in ALWAYS or name in counted_columns(reader.observed)
    return f"o.{name}" if held else "CAST(NULL AS VARCHAR)"


def provider_sql(
    connection: duckdb.DuckDBPyConnection, reader: Reader, organisation: Organisation, price_list: PriceList
) -> str:
    """Write the SQL of the provider's standard name, inferred from the model where the source gives none.

    Parameters
    ----------
    connection : DuckDBPyConnection
        Has ``typed``: the rows of the format.
    reader : Reader
        The format.
    organisation : Organisation
        Aliases of models.
    price_list : PriceList
        Knows whose model is whose.

    Returns
    -------
    str
        SQL over the alias ``o``.
    """
    own, model = (seen(reader, name) for name in ("provider", "model"))
    pairs = fetch(
        connection,
        f"SELECT DISTINCT {own} AS provider, {model} AS model FROM typed AS o WHERE kind IN {BILLED} ORDER BY ALL",
    ).to_pandas(types_mapper=pd.ArrowDtype)
    matched = match_models(pairs, price_list, organisation.model_aliases)
    given, inferred = {}, {}
    for provider, name, found in zip(pairs["provider"], pairs["model"], matched["price_provider"], strict=True):
        if not pd.isna(provider):
            given[provider] = PROVIDER_NAMES.get(str(provider).lower(), str(provider).lower())
        elif not pd.isna(found) and not pd.isna(name):
            inferred[name] = PROVIDER_NAMES.get(str(found), str(found))
    return f"CASE WHEN {own} IS NULL THEN {_cases(model, inferred)} ELSE {_cases(own, given)} END"


def _cases(column: str, names_of: Mapping[str, str]) -> str:
    pairs = " ".join(f"WHEN {quoted(key)} THEN {quoted(value)}" for key, value in sorted(names_of.items()))
    return f"CASE {column} {pairs} END" if pairs else "CAST(NULL AS VARCHAR)"


class Placing:
    """How the columns of a table follow from observed rows, tags, key owners, names and defaults.

    Joins that would find nothing are left out: most sources bring only a few of the many columns.
    """

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        reader: Reader,
        origin: Origin,
        provider: str,
        aliases: Mapping[str, str],
    ) -> None:
        def rows(table: str) -> int:
            return connection.execute(f"SELECT count(*) FROM {table}").fetchall()[0][0]

        self.reader, self.origin, self.provider = reader, origin, provider
        model = seen(reader, "model")
        # A deployment or profile shows under its model; what it was called stays as the route.
        self.model = f"coalesce({_cases(model, aliases)}, {model})" if aliases else model
        self.alias = f"CASE WHEN {model} IN ({', '.join(map(quoted, aliases))}) THEN {model} END" if aliases else "NULL"
        self.joined = {
            name: rows(name) > 0
            for name in ("made_ids", "tag_sets", "key_owners", "assistant_names", "assistant_defaults", "team_places")
        }
        self.plain = not (rows("repeats") or rows("duplicates"))

    @property
    def is_direct(self) -> bool:
        """Whether a request follows from its own row alone."""
        return self.plain and not any(self.joined.values())

    def _either(self, table: str, expression: str) -> str:
        return expression if self.joined[table] else "CAST(NULL AS VARCHAR)"

    def _ranked(self, name: str, *, with_default: bool = True) -> str:
        """First the explicit tag, then the key's owner, the span, the source's default."""
        listed = attribution.ranked(name, self.reader, self.joined["tag_sets"], self.joined["key_owners"])
        expressions = [expression for _, expression in listed]
        defaults = self.origin.defaults or {}
        if with_default and name in defaults:
            expressions.append(quoted(defaults[name]))
        return f"coalesce({', '.join(expressions)})" if expressions else "CAST(NULL AS VARCHAR)"

    def _assistant(self) -> str:
        own, defaults = self._ranked("assistant", with_default=False), self.origin.defaults or {}
        fallback = quoted(defaults["assistant"]) if "assistant" in defaults else "CAST(NULL AS VARCHAR)"
        if not self.joined["assistant_names"]:
            return f"coalesce({own}, {fallback})"
        known = "(SELECT min(name) FROM assistant_names WHERE title = lower(%s))"
        return f"coalesce({known % own}, {own}, {known % seen(self.reader, 'assistant_name')}, {fallback})"

    def _column(self, column: Column) -> str:
        name, reader = column.name, self.reader
        tag = self._either("tag_sets", f"g.{name}") if name in attribution.TAG_KEYS else "CAST(NULL AS VARCHAR)"
        observed = seen(reader, name)
        special = {
            "provider": self.provider,
            "provider_account": quoted(self.origin.account) if self.origin.account else observed,
            "model": self.model,
            "route": f"coalesce({self._ranked('route')}, {self.alias})",
            "capture_layer": quoted(self.origin.layer or reader.layer),
            "assistant": self._assistant(),
            "run_status": f"lower(coalesce({tag}, {observed}, 'ok'))",
            "category": f"coalesce({self._ranked('category')}, 'production')",
            "service_tier": f"lower({observed})",
            "cache_hit": f"coalesce(flag({observed}), 'false')",
            "request_id": f"coalesce({observed}, {self._either('made_ids', 'm.made_id')})",
            "bucket_id": f"coalesce({seen(reader, 'request_id')}, {self._either('made_ids', 'm.made_id')})",
            "bucket_start": "o.timestamp",
            "bucket_end": "o.ended_at",
            "request_count": f"whole({observed})",
            "tag_shares": self._either("tag_sets", "g.tag_shares"),
            "attribution_source": self._named_by(),
            "source": quoted(reader.name),
            "reason": "o.fault",
            "name": seen(reader, "span_name"),
            "raw_cache_write_tokens": f"coalesce(TRY_CAST({seen(reader, 'raw_cache_write')} AS BIGINT), "
            f"nullif(coalesce({seen(reader, 'raw_cache_write_5m')}, 0) "
            f"+ coalesce({seen(reader, 'raw_cache_write_1h')}, 0), 0))"
            if {"raw_cache_write_5m", "raw_cache_write_1h"} <= reader.observed
            else seen(reader, "raw_cache_write"),
        }
        if name == "kind":
            return "CASE WHEN o.kind = 'call' THEN 'parent' ELSE o.kind END"
        if name in special:
            return special[name]
        if name in attribution.SHAREABLE and self.joined["tag_sets"]:
            # What several owners share has no single owner.
            return f"CASE WHEN json_exists(g.tag_shares, '$.{name}') THEN NULL ELSE {self._ranked(name)} END"
        if name in attribution.OWNED:
            return self._ranked(name)
        if name in ALWAYS or name in ("source_file", "source_position"):
            return f"o.{name}"
        if name in TOKEN_CLASSES.values():
            return observed
        if name.startswith("raw_"):
            return seen(reader, name.removesuffix("_tokens"))
        either = (
            f"coalesce({observed}, {tag})" if name in attribution.TAG_KEYS and self.joined["tag_sets"] else observed
        )
        if name in names(FLAGS):
            return f"flag({either})"
        if name in names(COUNTS):
            return f"whole({either})"
        return f"TRY_CAST({either} AS {column.type})"

    def _named_by(self) -> str:
        listed = attribution.ranked("team", self.reader, self.joined["tag_sets"], self.joined["key_owners"])
        cases = [f"WHEN {expression} IS NOT NULL THEN '{trust}'" for trust, expression in listed]
        if self.joined["tag_sets"]:
            cases.insert(0, f"WHEN g.tag_shares IS NOT NULL THEN '{self.reader.tag_trust}'")
        if "team" in (self.origin.defaults or {}):
            cases.append("WHEN true THEN 'default'")
        return f"CASE {' '.join(cases)} END" if cases else "CAST(NULL AS VARCHAR)"

    def _from(self, fate: str) -> str:
        """Write the relation of the rows of one fate, with the joins that can find something."""
        if self.plain and fate in ("requests", "aggregated"):
            kind = "call" if fate == "requests" else "bucket"
            rows = f"(SELECT *, rowid AS row_number FROM typed WHERE kind = '{kind}' AND fault IS NULL)"
        else:
            rows = f"(SELECT * FROM fated WHERE fate = '{fate}')"
        joins = [
            ("made_ids", "LEFT JOIN made_ids AS m ON m.row_number = o.row_number"),
            ("tag_sets", "LEFT JOIN tag_sets AS g ON g.tags = o.tags"),
            ("key_owners", f"LEFT JOIN key_owners AS k ON k.owner_key = {seen(self.reader, 'api_key')}"),
        ]
        return f"{rows} AS o {' '.join(join for table, join in joins if self.joined[table])}"

    def table_sql(self, columns: tuple[Column, ...], fate: str) -> str:
        """Write the SQL of a table: its own columns first, then what follows from the assistant and the team."""
        own = {c.name: self._column(c) for c in columns}
        after = {c.name: self._following(c.name, names(columns)) for c in columns}
        # A column that nothing can fill is not written at all.
        kept = [
            c
            for c in columns
            if c.required or after[c.name] != f"r.{c.name}" or re.search(r"\b[ogkm]\.|'", own[c.name])
        ]
        inner = ", ".join(f"{expression} AS {name}" for name, expression in own.items())
        listed = ", ".join(f"CAST({after[c.name]} AS {c.type}) AS {c.name}" for c in kept)
        joins = ""
        if "team" in names(columns):
            if self.joined["assistant_defaults"]:
                joins += " LEFT JOIN assistant_defaults AS d ON d.owner_key = r.assistant"
            if self.joined["team_places"]:
                team = "coalesce(r.team, d.team)" if self.joined["assistant_defaults"] else "r.team"
                joins += f" LEFT JOIN team_places AS p ON p.team = {team}"
        return f"SELECT {listed} FROM (SELECT {inner} FROM {self._from(fate)}) AS r{joins}"

    def _following(self, name: str, present: list[str]) -> str:
        value = f"r.{name}"
        if "team" not in present:
            return value
        defaults, places = self.joined["assistant_defaults"], self.joined["team_places"]
        if name == "attribution_source" and defaults:
            return "coalesce(r.attribution_source, CASE WHEN d.team IS NOT NULL THEN 'default' END)"
        if name not in attribution.OWNED or name in ("provider", "model", "capture_layer", "assistant"):
            return value
        further = []
        if name in ("department", "cost_center") and places:
            further.append(f"p.{name}")
        if defaults:
            further.append(f"d.{name}")
        if further:
            value = f"coalesce({', '.join([value, *further])})"
        if name in attribution.SHAREABLE and self.joined["tag_sets"] and "tag_shares" in present:
            # What several owners share has no single owner, and its place follows from each of them.
            shared = f"json_exists(r.tag_shares, '$.{name}')"
            if name in ("department", "cost_center"):
                shared = f"({shared} OR json_exists(r.tag_shares, '$.team'))"
            return f"CASE WHEN r.tag_shares IS NOT NULL AND {shared} THEN NULL ELSE {value} END"
        return value
