"""Normalise: raw fields of any format become requests, spans, usage buckets and quarantine, each row once.

Every record has exactly one fate (request, aggregated, duplicate, quarantined, skipped), so that what was read
is always the sum of the five.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import duckdb
import pandas as pd

from finops_lib.ingest import attribution
from finops_lib.ingest.engine import fetch
from finops_lib.ingest.price_list import PriceList, match_models
from finops_lib.ingest.readers.base import MACROS, Reader
from finops_lib.ingest.tokens import RAW, bucket_sql, counted_columns, fault_sql
from finops_lib.params import Organisation
from finops_lib.schema import (
    COUNTS,
    FLAGS,
    REQUESTS,
    SPANS,
    TOKEN_CLASSES,
    USAGE_BUCKETS,
    Column,
    names,
)

EARLIEST = datetime(2015, 1, 1)  # noqa: DTZ001 - only its date is written, as UTC
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
SKIP_REASONS = (
    "empty bucket",
    "part of a split message",
    "costs, not usage",
    "usage that is not counted in tokens",
    "gateway request without a model",
    "not an invocation",
)
"""Reasons a reader may give, as the name of the step, for a record that is no model call."""

_FLAG_TRUE = "('true', '1', 'yes', 't', 'y')"
_FLAG_FALSE = "('false', '0', 'no', 'f', 'n')"


@dataclass(frozen=True)
class Origin:
    """What is known of a source beyond its records."""

    account: str | None = None
    layer: str | None = None
    defaults: Mapping[str, str] | None = None


def normalise(
    connection: duckdb.DuckDBPyConnection,
    reader: Reader,
    organisation: Organisation,
    price_list: PriceList,
    origin: Origin,
    *,
    first: bool = False,
) -> None:
    """Turn the loaded records of one format into the tables of the workspace.

    Parameters
    ----------
    connection : DuckDBPyConnection
        Has ``records``, ``refused`` and ``file_times`` (``source_file``, ``latest``: no record of a file can be
        younger), and the tables of ``attribution.register_owners``. Gets ``new_requests``, ``new_buckets``,
        ``new_spans``, ``new_quarantine`` and ``fates`` (``fate``, ``reason``, ``rows``).
    reader : Reader
        The format.
    organisation : Organisation
        Names and rules.
    price_list : PriceList
        Used to infer the provider of a model where the source does not give it.
    origin : Origin
        Account, layer and defaults of the source.
    first : bool
        Whether the workspace holds nothing of this format yet: then nothing has to be compared, and requests that
        need no join are worked out while they are written.

    References
    ----------
    Requirements A1, A3, A5.
    """
    connection.execute(MACROS)
    connection.execute(_HELPERS)
    connection.execute(f"CREATE OR REPLACE TABLE typed AS {_typed_sql(reader)}")
    _name_unnamed(connection, reader)
    _find_repeats(connection, reader)
    _find_duplicates(connection, reader)
    _decide_fates(connection)
    connection.execute(
        """CREATE OR REPLACE TABLE new_quarantine AS
        SELECT ? AS source, source_file, source_position, reason, raw_text FROM refused
        UNION ALL SELECT ?, source_file, source_position, fault, NULL FROM fated WHERE fate = 'quarantined'""",
        [reader.name, reader.name],
    )
    connection.execute(
        """CREATE OR REPLACE TABLE fates AS
        SELECT fate, fault AS reason, count(*) AS rows FROM fated GROUP BY ALL
        UNION ALL SELECT 'quarantined', reason, count(*) FROM refused GROUP BY ALL"""
    )
    attribution.read_tags(connection, "typed")
    placing = _Placing(
        connection,
        reader,
        origin,
        _provider_sql(connection, reader, organisation, price_list),
        organisation.model_aliases,
    )
    for table, columns, fate in (
        ("new_requests", REQUESTS, "requests"),
        ("new_buckets", USAGE_BUCKETS, "aggregated"),
        ("new_spans", SPANS, "skipped"),
    ):
        kind = "VIEW" if first and placing.is_direct and table == "new_requests" else "TABLE"
        connection.execute(f"CREATE OR REPLACE {kind} {table} AS {placing.table_sql(columns, fate)}")


_HELPERS = f"""
CREATE OR REPLACE MACRO whole(value) AS CASE
    WHEN contains(value, '.') OR contains(value, 'e') OR contains(value, 'E') THEN
        CASE WHEN TRY_CAST(value AS DOUBLE) = TRY_CAST(value AS BIGINT) THEN TRY_CAST(value AS BIGINT) END
    ELSE TRY_CAST(value AS BIGINT) END;
CREATE OR REPLACE MACRO flag(value) AS CASE
    WHEN value IN {_FLAG_TRUE} THEN true WHEN value IN {_FLAG_FALSE} THEN false
    WHEN lower(trim(value)) IN {_FLAG_TRUE} THEN true WHEN lower(trim(value)) IN {_FLAG_FALSE} THEN false END;
"""
_ALWAYS = ("kind", "timestamp", "ended_at", "updated_at", "latency_ms", "tags", "usage_basis")
_TEXT_ROLES = {"started", "ended", "updated", "latency", "input_basis", "reasoning_basis", "basis_given"}


def _typed_sql(reader: Reader) -> str:
    """Write the SQL of all rows with times, counts and faults; columns the source has nothing for are left out."""
    raw = ", ".join(f"{name} AS {name}_text, whole({name}) AS {name}" for name in RAW)
    unreadable = (
        " OR ".join(f"({name} IS NULL AND blank({name}_text) IS NOT NULL)" for name in RAW if name in reader.observed)
        or "false"
    )
    kept = [*_ALWAYS, *counted_columns(reader.observed)] + [
        name if name in RAW else f"blank({name}) AS {name}"
        for name in sorted(reader.observed - _TEXT_ROLES - set(_ALWAYS))
    ]
    counted = f"""
        SELECT o.* EXCLUDE ({", ".join(RAW)}), {raw}, instant(started) AS timestamp, instant(updated) AS updated_at,
            instant(ended) AS ended_at, f.latest
        FROM ({reader.observations_sql()}) AS o LEFT JOIN file_times AS f USING (source_file)"""
    filled = f"""
        SELECT * REPLACE (CASE WHEN raw_input IS NULL AND raw_output IS NULL AND raw_reasoning IS NULL
            THEN raw_total ELSE raw_input END AS raw_input), raw_input IS NULL AND raw_output IS NULL
            AND raw_reasoning IS NULL AND raw_total IS NULL AS uncounted,
            coalesce(epoch_ms(ended_at) - epoch_ms(timestamp), TRY_CAST(latency AS DOUBLE)) AS latency_ms
        FROM ({counted})"""
    return f"""
    SELECT source_file, source_position, {", ".join(kept)}, CASE
            WHEN kind NOT IN {BILLED} THEN NULL
            WHEN blank(started) IS NULL THEN 'no timestamp'
            WHEN timestamp IS NULL THEN 'unreadable timestamp'
            WHEN timestamp < TIMESTAMPTZ '{EARLIEST:%Y-%m-%d}' THEN 'timestamp before {EARLIEST:%Y}'
            WHEN timestamp > latest THEN 'timestamp in the future'
            WHEN blank(model) IS NULL AND kind = 'call' THEN 'no model'
            WHEN {unreadable} THEN 'token count is not a whole number'
            WHEN uncounted AND NOT coalesce(flag(cache_hit), false) AND coalesce(lower(run_status), 'ok') = 'ok'
                THEN 'no token counts'
            ELSE CASE kind WHEN 'bucket' THEN {fault_sql(None)} ELSE {fault_sql()} END
        END AS fault
    FROM ({bucket_sql(f"({filled})")})"""


def _seen(reader: Reader, name: str) -> str:
    """Write the SQL of an observed column; null when the source has no such thing."""
    held = name in reader.observed or name in _ALWAYS or name in counted_columns(reader.observed)
    return f"o.{name}" if held else "CAST(NULL AS VARCHAR)"


def _name_unnamed(connection: duckdb.DuckDBPyConnection, reader: Reader) -> None:
    """Give rows without an id one made of their content, so that reading them again finds them again."""
    made = [
        n
        for n in ("model", "user_id", "task_id", "span_name", "assistant", "workflow", "team", "api_key", *RAW)
        if n in reader.observed
    ]
    content = ", ".join(["timestamp", "ended_at", "CAST(tags AS VARCHAR)", *made])
    named = "request_id IS NULL" if "request_id" in reader.observed else "true"
    connection.execute(
        f"""CREATE OR REPLACE TABLE made_ids AS
        WITH unnamed AS (
            SELECT rowid AS row_number, source_file, md5(concat_ws('|', {content})) AS content
            FROM typed WHERE {named} AND kind IN {BILLED}
        )
        SELECT row_number, content || '#' || row_number() OVER (PARTITION BY source_file, content ORDER BY row_number)
            AS made_id
        FROM unnamed"""
    )


def _find_repeats(connection: duckdb.DuckDBPyConnection, reader: Reader) -> None:
    """Find calls and agent steps whose usage is that of calls below them."""
    connection.execute("CREATE OR REPLACE TABLE repeats (row_number BIGINT, same BOOLEAN)")
    if not reader.shares_tasks:
        return
    tokens = " + ".join(counted_columns(reader.observed))
    connection.execute(
        f"""INSERT INTO repeats
        WITH RECURSIVE steps AS (
            SELECT rowid AS row_number, coalesce(task_id, '') AS task, span_id, parent_id, kind,
                model IS NOT NULL AS named, {tokens} AS tokens
            FROM typed WHERE span_id IS NOT NULL
        ), above AS (
            SELECT row_number AS leaf, task, parent_id AS ancestor, 1 AS depth
            FROM steps WHERE kind = 'call' AND named AND tokens > 0 AND parent_id IS NOT NULL
            UNION ALL
            SELECT a.leaf, a.task, s.parent_id, a.depth + 1
            FROM above AS a JOIN steps AS s ON s.task = a.task AND s.span_id = a.ancestor
            WHERE s.parent_id IS NOT NULL AND a.depth < 100
        ), parents AS (
            SELECT s.row_number, s.tokens, a.leaf
            FROM above AS a JOIN steps AS s ON s.task = a.task AND s.span_id = a.ancestor
            WHERE s.tokens > 0 AND s.row_number <> a.leaf
        ), leaves AS (
            SELECT p.row_number, p.tokens,
                sum(s.tokens) FILTER (p.leaf NOT IN (SELECT row_number FROM parents)) AS below
            FROM parents AS p JOIN steps AS s ON s.row_number = p.leaf GROUP BY ALL
        )
        SELECT row_number, tokens = below FROM leaves"""
    )


def _find_duplicates(connection: duckdb.DuckDBPyConnection, reader: Reader) -> None:
    """Find rows that stand twice: of one id the latest update counts, of one call logged twice the first."""
    connection.execute("CREATE OR REPLACE TABLE duplicates (row_number BIGINT)")
    billed = f"kind IN {BILLED} AND fault IS NULL AND rowid NOT IN (SELECT row_number FROM repeats)"
    # Of a bucket exported while it was still filling, the fuller one is the later.
    later = " + ".join(counted_columns(reader.observed)) if reader.aggregated else "updated_at"
    orders = {"request_id": f"{later} DESC NULLS LAST, rowid DESC", "twin_key": "rowid"}
    for key, order in orders.items():
        if key not in reader.observed:
            continue
        # Hashes find the few candidates; only those are compared in full.
        connection.execute(
            f"""INSERT INTO duplicates
            WITH suspects AS (
                SELECT hash({key}) AS h FROM typed WHERE {key} IS NOT NULL AND {billed} GROUP BY 1 HAVING count(*) > 1)
            SELECT rowid FROM typed
            WHERE hash({key}) IN (SELECT h FROM suspects) AND {key} IS NOT NULL AND {billed}
                AND rowid NOT IN (SELECT row_number FROM duplicates)
            QUALIFY row_number() OVER (PARTITION BY {key} ORDER BY {order}) > 1"""
        )


def _decide_fates(connection: duckdb.DuckDBPyConnection) -> None:
    """Give every row its fate; ``fated`` holds those that are not plain requests or buckets, with the reason."""
    has_name = "span_name" in {row[0] for row in connection.execute("DESCRIBE typed").fetchall()}
    name = "t.span_name" if has_name else "CAST(NULL AS VARCHAR)"
    connection.execute(
        f"""CREATE OR REPLACE VIEW fated AS
        SELECT t.* EXCLUDE (fault), t.rowid AS row_number,
            CASE WHEN t.kind NOT IN {BILLED} THEN 'skipped'
                WHEN t.fault IS NOT NULL THEN 'quarantined'
                WHEN r.row_number IS NOT NULL THEN 'skipped'
                WHEN d.row_number IS NOT NULL THEN 'duplicates'
                WHEN t.kind = 'bucket' THEN 'aggregated' ELSE 'requests' END AS fate,
            CASE WHEN t.kind NOT IN {BILLED} THEN CASE t.kind
                    WHEN 'agent' THEN CASE WHEN r.row_number IS NOT NULL AND NOT r.same
                        THEN 'agent step: its usage differs from the calls below it'
                        WHEN r.row_number IS NOT NULL THEN 'agent step: repeats the calls below it'
                        WHEN t.uncached_input_tokens + t.visible_output_tokens > 0
                        THEN 'agent step with usage but no call below it' ELSE 'agent step' END
                    WHEN 'tool' THEN 'tool call' WHEN 'retrieval' THEN 'retrieval'
                    ELSE CASE WHEN {name} IN {SKIP_REASONS} THEN {name} ELSE 'no model call' END END
                WHEN t.fault IS NOT NULL THEN t.fault
                WHEN r.row_number IS NOT NULL THEN CASE WHEN r.same THEN 'call repeats the calls below it'
                    ELSE 'call repeats the calls below it, with other counts' END
                WHEN d.row_number IS NOT NULL THEN 'same id' END AS fault
        FROM typed AS t LEFT JOIN repeats AS r ON r.row_number = t.rowid
            LEFT JOIN duplicates AS d ON d.row_number = t.rowid"""
    )


def _provider_sql(
    connection: duckdb.DuckDBPyConnection, reader: Reader, organisation: Organisation, price_list: PriceList
) -> str:
    """Write the SQL of the provider's standard name, inferred from the model where the source gives none."""
    own, model = (_seen(reader, name) for name in ("provider", "model"))
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
    pairs = " ".join(f"WHEN {_text(key)} THEN {_text(value)}" for key, value in sorted(names_of.items()))
    return f"CASE {column} {pairs} END" if pairs else "CAST(NULL AS VARCHAR)"


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


class _Placing:
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
        model = _seen(reader, "model")
        # A deployment or profile shows under its model; what it was called stays as the route.
        self.model = f"coalesce({_cases(model, aliases)}, {model})" if aliases else model
        self.alias = f"CASE WHEN {model} IN ({', '.join(map(_text, aliases))}) THEN {model} END" if aliases else "NULL"
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
            expressions.append(_text(defaults[name]))
        return f"coalesce({', '.join(expressions)})" if expressions else "CAST(NULL AS VARCHAR)"

    def _assistant(self) -> str:
        own, defaults = self._ranked("assistant", with_default=False), self.origin.defaults or {}
        fallback = _text(defaults["assistant"]) if "assistant" in defaults else "CAST(NULL AS VARCHAR)"
        if not self.joined["assistant_names"]:
            return f"coalesce({own}, {fallback})"
        known = "(SELECT min(name) FROM assistant_names WHERE title = lower(%s))"
        return f"coalesce({known % own}, {own}, {known % _seen(self.reader, 'assistant_name')}, {fallback})"

    def _column(self, column: Column) -> str:
        name, reader = column.name, self.reader
        tag = self._either("tag_sets", f"g.{name}") if name in attribution.TAG_KEYS else "CAST(NULL AS VARCHAR)"
        observed = _seen(reader, name)
        special = {
            "provider": self.provider,
            "provider_account": _text(self.origin.account) if self.origin.account else observed,
            "model": self.model,
            "route": f"coalesce({self._ranked('route')}, {self.alias})",
            "capture_layer": _text(self.origin.layer or reader.layer),
            "assistant": self._assistant(),
            "run_status": f"lower(coalesce({tag}, {observed}, 'ok'))",
            "category": f"coalesce({self._ranked('category')}, 'production')",
            "service_tier": f"lower({observed})",
            "cache_hit": f"coalesce(flag({observed}), 'false')",
            "request_id": f"coalesce({observed}, {self._either('made_ids', 'm.made_id')})",
            "bucket_id": f"coalesce({_seen(reader, 'request_id')}, {self._either('made_ids', 'm.made_id')})",
            "bucket_start": "o.timestamp",
            "bucket_end": "o.ended_at",
            "request_count": f"whole({observed})",
            "tag_shares": self._either("tag_sets", "g.tag_shares"),
            "attribution_source": self._named_by(),
            "source": _text(reader.name),
            "reason": "o.fault",
            "name": _seen(reader, "span_name"),
            "raw_cache_write_tokens": f"coalesce(TRY_CAST({_seen(reader, 'raw_cache_write')} AS BIGINT), "
            f"nullif(coalesce({_seen(reader, 'raw_cache_write_5m')}, 0) "
            f"+ coalesce({_seen(reader, 'raw_cache_write_1h')}, 0), 0))"
            if {"raw_cache_write_5m", "raw_cache_write_1h"} <= reader.observed
            else _seen(reader, "raw_cache_write"),
        }
        if name == "kind":
            return "CASE WHEN o.kind = 'call' THEN 'parent' ELSE o.kind END"
        if name in special:
            return special[name]
        if name in attribution.OWNED:
            return self._ranked(name)
        if name in _ALWAYS or name in ("source_file", "source_position"):
            return f"o.{name}"
        if name in TOKEN_CLASSES.values():
            return observed
        if name.startswith("raw_"):
            return _seen(reader, name.removesuffix("_tokens"))
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
            ("key_owners", f"LEFT JOIN key_owners AS k ON k.owner_key = {_seen(self.reader, 'api_key')}"),
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
