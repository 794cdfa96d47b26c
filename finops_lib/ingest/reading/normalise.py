"""Normalise: raw fields of any format become requests, spans, usage buckets and quarantine, each row once.

Every record has exactly one fate (request, aggregated, duplicate, quarantined, skipped), so that what was read
is always the sum of the five.
"""

from __future__ import annotations

from datetime import datetime

import duckdb

from finops_lib.ingest.prices.rows import PriceList
from finops_lib.ingest.readers.base import MACROS, Reader
from finops_lib.ingest.reading import attribution
from finops_lib.ingest.reading.placing import ALWAYS, BILLED, Origin, Placing, provider_sql
from finops_lib.ingest.reading.tokens import RAW, bucket_sql, counted_columns, fault_sql
from finops_lib.params import Organisation
from finops_lib.schema import (
    REQUESTS,
    SPANS,
    USAGE_BUCKETS,
)

EARLIEST = datetime(2015, 1, 1)  # noqa: DTZ001 - only its date is written, as UTC

SKIP_REASONS = (
    "empty bucket",
    "part of a split message",
    "costs, not usage",
    "usage that is not counted in tokens",
    "gateway request without a model",
    "not an invocation",
)
"""Reasons a reader may give, as the name of the step, for a record that is no model call."""

_FLAGS = {"true": ("true", "1", "yes", "t", "y"), "false": ("false", "0", "no", "f", "n")}
# A list of values (IN) is made a join by the engine, which costs far more than to compare one by one.
_FLAG_CASES = " ".join(f"WHEN '{word}' THEN {flag}" for flag, words in _FLAGS.items() for word in words)


def type_records(connection: duckdb.DuckDBPyConnection, reader: Reader) -> None:
    """Read times, counts and faults out of the raw fields: ``records`` becomes ``typed``.

    Parameters
    ----------
    connection : DuckDBPyConnection
        Has ``records``, and ``file_times`` (``source_file``, ``latest``: no record of a file can be younger).
    reader : Reader
        The format.
    """
    connection.execute(MACROS)
    connection.execute(_HELPERS)
    connection.execute(f"CREATE OR REPLACE TABLE typed AS {_typed_sql(reader)}")


def normalise(
    connection: duckdb.DuckDBPyConnection,
    reader: Reader,
    organisation: Organisation,
    price_list: PriceList,
    origin: Origin,
    *,
    first: bool = False,
) -> None:
    """Turn the typed records of one format into the tables of the workspace.

    Parameters
    ----------
    connection : DuckDBPyConnection
        Has ``typed``, ``refused`` and the tables of ``attribution.register_owners``. Gets ``new_requests``,
        ``new_buckets``, ``new_spans``, ``new_quarantine`` and ``fates`` (``fate``, ``reason``, ``rows``).
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
    placing = Placing(
        connection,
        reader,
        origin,
        provider_sql(connection, reader, organisation, price_list),
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
CREATE OR REPLACE MACRO flag(value) AS CASE
    WHEN value = 'true' THEN true WHEN value = 'false' THEN false ELSE CASE lower(trim(value)) {_FLAG_CASES} END END;
"""
_TEXT_ROLES = {"unreadable", "started", "ended", "updated", "latency", "input_basis", "reasoning_basis", "basis_given"}


def _typed_sql(reader: Reader) -> str:
    """Write the SQL of all rows with times, counts and faults; columns the source has nothing for are left out."""
    raw = ", ".join(f"{name} AS {name}_text, whole({name}) AS {name}" for name in RAW)
    counts = [name for name in RAW if name in reader.observed]
    unreadable = " OR ".join(f"({name} IS NULL AND blank({name}_text) IS NOT NULL)" for name in counts) or "false"
    absurd = " OR ".join(f"(size({name}_text) BETWEEN 1e15 AND 1e300)" for name in counts) or "false"
    kept = [*ALWAYS, *counted_columns(reader.observed)] + [
        name if name in RAW else f"blank({name}) AS {name}"
        for name in sorted(reader.observed - _TEXT_ROLES - set(ALWAYS))
    ]
    counted = f"""
        SELECT o.* EXCLUDE ({", ".join(RAW)}), {raw}, instant(started) AS timestamp, instant(updated) AS updated_at,
            instant(ended) AS ended_at, f.latest
        FROM ({reader.observations_sql()}) AS o LEFT JOIN file_times AS f USING (source_file)"""
    filled = f"""
        SELECT * REPLACE (CASE WHEN raw_input IS NULL AND raw_output IS NULL AND raw_reasoning IS NULL
            THEN raw_total ELSE raw_input END AS raw_input), raw_input IS NULL AND raw_output IS NULL
            AND raw_reasoning IS NULL AND raw_total IS NULL AS uncounted,
            coalesce(duration(epoch_ms(ended_at) - epoch_ms(timestamp)), duration(TRY_CAST(latency AS DOUBLE)))
                AS latency_ms
        FROM ({counted})"""
    return f"""
    SELECT source_file, source_position, {", ".join(kept)}, CASE
            WHEN kind NOT IN {BILLED} THEN NULL
            {"WHEN unreadable IS NOT NULL THEN unreadable" if "unreadable" in reader.observed else ""}
            WHEN blank(started) IS NULL THEN 'no timestamp'
            WHEN timestamp IS NULL THEN 'unreadable timestamp'
            WHEN timestamp < TIMESTAMPTZ '{EARLIEST:%Y-%m-%d}' THEN 'timestamp before {EARLIEST:%Y}'
            WHEN timestamp > latest THEN 'timestamp in the future'
            WHEN blank(model) IS NULL AND kind = 'call' THEN 'no model'
            WHEN {unreadable}
            THEN CASE WHEN {absurd} THEN 'absurd token count' ELSE 'token count is not a whole number' END
            WHEN uncounted AND NOT coalesce(flag(cache_hit), false) AND coalesce(lower(run_status), 'ok') = 'ok'
                THEN 'no token counts'
            ELSE CASE kind WHEN 'bucket' THEN {fault_sql(None)} ELSE {fault_sql()} END
        END AS fault
    FROM ({bucket_sql(f"({filled})")})"""


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
            FROM typed WHERE {named} AND kind IN {BILLED} AND fault IS NULL
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
    """Find rows that stand twice: of one id, given or made, the latest update counts, of a call logged twice the first.

    At a tie the row of the file whose name comes last counts, in a file the last, as ``workspace.merge_new`` has it.
    """
    connection.execute("CREATE OR REPLACE TABLE duplicates (row_number BIGINT)")
    billed = f"kind IN {BILLED} AND fault IS NULL AND rowid NOT IN (SELECT row_number FROM repeats)"
    # Of a bucket exported while it was still filling, the fuller one is the later.
    later = " + ".join(counted_columns(reader.observed)) if reader.aggregated else "updated_at"
    order = f"{later} DESC NULLS LAST, source_file DESC, rowid DESC"
    # Made ids are numbered in each file, so they can stand twice only in several.
    many = "made_id" if len(connection.execute("SELECT DISTINCT source_file FROM typed LIMIT 2").fetchall()) > 1 else ""
    named = "(SELECT t.*, t.rowid, m.made_id FROM made_ids AS m JOIN typed AS t ON t.rowid = m.row_number)"
    for key, rows, by in (
        ("request_id", "typed", order),
        (many, named, order),
        ("twin_key", "typed", "source_file, rowid"),
    ):
        if key not in reader.observed | {"made_id"}:
            continue
        # Hashes find the few candidates; only those are compared in full.
        connection.execute(
            f"""INSERT INTO duplicates
            WITH suspects AS (
                SELECT hash({key}) AS h FROM {rows} WHERE {key} IS NOT NULL AND {billed} GROUP BY 1 HAVING count(*) > 1)
            SELECT rowid FROM {rows}
            WHERE hash({key}) IN (SELECT h FROM suspects) AND {key} IS NOT NULL AND {billed}
                AND rowid NOT IN (SELECT row_number FROM duplicates)
            QUALIFY row_number() OVER (PARTITION BY {key} ORDER BY {by}) > 1"""
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
