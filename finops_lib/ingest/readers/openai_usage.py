"""OpenAI usage: an organization's buckets of many calls, of completions, embeddings and moderations.

Input tokens include cached, cache-write and audio tokens. The first bucket begins at the second asked for and may be
part of a day; a bucket without results is kept as read; what is not grouped by is null, and that is no fault.
"""

from __future__ import annotations

from finops_lib.ingest.readers.base import Reader

_DIMENSIONS = ("project_id", "user_id", "api_key_id", "model", "batch", "service_tier")


def results_sql(start: str, end: str) -> str:
    """Write the relation of one row per result of a usage bucket, and one per bucket without results.

    Parameters
    ----------
    start, end : str
        Fields of a bucket that hold its start and end.

    Returns
    -------
    str
        A relation with ``bucket_start``, ``bucket_end``, ``result`` (JSON, null for an empty bucket) and
        ``unreadable``; records may be pages or buckets.
    """
    return f"""(
    WITH buckets AS (
        SELECT source_file, source_position, unnest(from_json(data, '["JSON"]')) AS bucket
        FROM records WHERE json_type(data) = 'ARRAY'
        UNION ALL
        SELECT source_file, source_position, json_object('{start}', {start}, '{end}', {end}, 'results', results)
        FROM records WHERE json_type(data) IS DISTINCT FROM 'ARRAY'
    )
    SELECT *, CASE WHEN NOT listed THEN 'a bucket without a list of results'
        WHEN json_type(result) <> 'OBJECT' THEN 'a result that is no JSON object' END AS unreadable
    FROM (
        SELECT source_file, source_position, bucket ->> '$.{start}' AS bucket_start, bucket ->> '$.{end}' AS bucket_end,
            json_type(bucket -> '$.results') IS NOT DISTINCT FROM 'ARRAY' AS listed,
            unnest(CASE WHEN listed AND json_array_length(bucket -> '$.results') > 0
                THEN from_json(bucket -> '$.results', '["JSON"]') ELSE [CAST(NULL AS JSON)] END) AS result
        FROM buckets))"""


def bucket_kind(tokens: str) -> dict[str, str]:
    """Write the SQL that tells buckets of tokens from what else a usage API returns.

    Parameters
    ----------
    tokens : str
        The field of a result that holds its input tokens.

    Returns
    -------
    dict
        ``kind``, ``unreadable`` and ``span_name`` of a reader's ``select``.
    """
    return {
        "kind": f"CASE WHEN unreadable IS NULL AND NOT coalesce(json_exists(result, '$.{tokens}'), false) "
        "THEN 'other' ELSE 'bucket' END",
        "unreadable": "unreadable",
        "span_name": f"""CASE WHEN result IS NULL THEN 'empty bucket'
            WHEN json_exists(result, '$.amount') THEN 'costs, not usage'
            WHEN NOT json_exists(result, '$.{tokens}') THEN 'usage that is not counted in tokens' END""",
    }


def bucket_id(*fields: str) -> str:
    """Write the SQL of an id made of a bucket's time and dimensions, so that a later export of it replaces it."""
    parts = ", ".join(f"coalesce(result ->> '$.{field}', '-')" for field in fields)
    return f"concat_ws('|', bucket_start, bucket_end, {parts})"


READER = Reader(
    name="openai-usage",
    layer="provider_usage",
    fields={"start_time": "VARCHAR", "end_time": "VARCHAR", "results": "JSON", "data": "JSON"},
    relation=results_sql("start_time", "end_time"),
    select=bucket_kind("input_tokens")
    | {
        "request_id": bucket_id("object", *_DIMENSIONS),
        "started": "bucket_start",
        "ended": "bucket_end",
        "request_count": "result ->> '$.num_model_requests'",
        "raw_input": "result ->> '$.input_tokens'",
        "raw_output": "result ->> '$.output_tokens'",
        "raw_cache_read": "result ->> '$.input_cached_tokens'",
        "raw_cache_write": "result ->> '$.input_cache_write_tokens'",
        "raw_audio_input": "result ->> '$.input_audio_tokens'",
        "raw_cache_read_audio": "result ->> '$.input_cached_audio_tokens'",
        "raw_audio_output": "result ->> '$.output_audio_tokens'",
        "model": "result ->> '$.model'",
        "provider_account": "result ->> '$.project_id'",
        "user_id": "result ->> '$.user_id'",
        "api_key": "result ->> '$.api_key_id'",
        "request_type": "CASE regexp_extract(result ->> '$.object', '^organization.usage.(.+).result$', 1) "
        "WHEN '' THEN NULL WHEN 'completions' THEN 'chat' "
        "ELSE regexp_extract(result ->> '$.object', '^organization.usage.(.+).result$', 1) END",
        "service_tier": "CASE WHEN result ->> '$.batch' = 'true' THEN 'batch' "
        "WHEN result ->> '$.service_tier' = 'default' THEN 'standard' ELSE result ->> '$.service_tier' END",
    },
    basis_given=True,
    signature=(
        frozenset({"start_time", "end_time", "results"}),
        # a file that holds costs too is one of usage: its costs are passed over, and said so
        frozenset({"start_time", "end_time", "results", "amount", "num_model_requests"}),
    ),
    unwrap=lambda document: document["data"] if isinstance(document, dict) and "data" in document else [document],
    aggregated=True,
    column_trust="key",
    constants={"provider": "openai"},
)
