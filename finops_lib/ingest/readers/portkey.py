"""Portkey: exported logs, one call a line.

``cost`` is in US cents although ``cost_currency`` says USD, and 0 where the model has no price there. Cached and
reasoning tokens are only in the response, when it is kept; its own usage then also decides whether cached tokens
are inside the input, as the columns follow whatever the provider returned.
"""

from __future__ import annotations

from finops_lib.ingest.readers.base import Reader, first, paths

_RELATION = """(
    SELECT *,
        coalesce(body -> '$.usage', body -> '$.body.usage', body -> '$.response.usage') AS usage,
        -- Keys and values of the metadata as two lists; a map refuses keys that stand twice.
        CASE WHEN len(keys) = len(texts) AND len(keys) = len(list_distinct(keys)) THEN to_json(map(keys, texts))
            ELSE given END AS meta
    FROM (
        SELECT *,
            TRY_CAST(coalesce(TRY_CAST("metadata.key" AS JSON), given -> '$.key') AS VARCHAR[]) AS keys,
            TRY_CAST(coalesce(TRY_CAST("metadata.value" AS JSON), given -> '$.value') AS VARCHAR[]) AS texts
        FROM (
            SELECT *, TRY_CAST(coalesce("response.body", response) AS JSON) AS body, TRY_CAST(metadata AS JSON) AS given
            FROM records)))"""
# JavaScript prints a time as "Tue Nov 03 2026 09:15:00 GMT+0000 (Coordinated Universal Time)".
_PRINTED = "regexp_extract(created_at, '^[A-Z][a-z]+ ([A-Z][a-z]+ [0-9]+ [0-9]+ [0-9:]+) GMT.0000', 1)"
_STATUS = "TRY_CAST(response_status_code AS BIGINT)"
_FAILED = f"(lower(is_success) IN ('false', '0') OR {_STATUS} >= 400)"
# Anthropic's own shape, with cached tokens beside the input, has no total.
_ANTHROPIC = """json_exists(usage, '$.input_tokens') AND json_exists(usage, '$.cache_read_input_tokens')
    AND NOT json_exists(usage, '$.total_tokens')"""

READER = Reader(
    name="portkey",
    layer="gateway",
    fields=dict.fromkeys(
        (
            "id",
            "trace_id",
            "created_at",
            "is_success",
            "ai_org",
            "ai_model",
            "req_units",
            "res_units",
            "total_units",
            "cost",
            "response_time",
            "response_status_code",
            "request_url",
            "config",
            "prompt_slug",
            "prompt_version",
            "cache_status",
            "retry_success_count",
            "virtual_key",
            "api_key_id",
            "workspace_slug",
            "workspace_id",
            "metadata",
            "metadata.key",
            "metadata.value",
            "response",
            "response.body",
        ),
        "VARCHAR",
    ),
    relation=_RELATION,
    select={
        "kind": f"""CASE WHEN blank(ai_model) IS NULL AND {_FAILED} AND coalesce(TRY_CAST(total_units AS BIGINT), 0) = 0
            THEN 'other' ELSE 'call' END""",
        "span_name": "blank(request_url)",
        "request_id": "blank(id)",
        "provider_response_id": paths("body", "$.id", "$.body.id"),
        "task_id": "blank(trace_id)",
        "user_id": "blank(meta ->> '$._user')",
        "started": f"coalesce(CAST(try_strptime({_PRINTED}, '%b %d %Y %H:%M:%S') AS VARCHAR), created_at)",
        "latency": "response_time",
        "raw_input": first(paths("usage", "$.prompt_tokens", "$.input_tokens"), "req_units"),
        "raw_output": first(paths("usage", "$.completion_tokens", "$.output_tokens"), "res_units"),
        "raw_total": f"CASE WHEN {_ANTHROPIC} THEN NULL ELSE coalesce(usage ->> '$.total_tokens', total_units) END",
        "raw_cache_read": paths(
            "usage",
            "$.cache_read_input_tokens",
            "$.prompt_tokens_details.cached_tokens",
            "$.input_tokens_details.cached_tokens",
        ),
        "raw_cache_write": paths("usage", "$.cache_creation_input_tokens"),
        "raw_cache_write_1h": paths("usage", "$.cache_creation.ephemeral_1h_input_tokens"),
        "raw_reasoning": paths(
            "usage", "$.completion_tokens_details.reasoning_tokens", "$.output_tokens_details.reasoning_tokens"
        ),
        "raw_audio_input": paths("usage", "$.prompt_tokens_details.audio_tokens"),
        "raw_audio_output": paths("usage", "$.completion_tokens_details.audio_tokens"),
        "web_search_requests": paths("usage", "$.server_tool_use.web_search_requests"),
        "input_basis": f"CASE WHEN {_ANTHROPIC} THEN 'exclusive' ELSE 'inclusive' END",
        "cache_hit": "CAST(upper(cache_status) IN ('HIT', 'SEMANTIC HIT', 'SEMANTIC_HIT') AS VARCHAR)",
        "provider": "replace(lower(blank(ai_org)), '-', '_')",
        "model": "blank(ai_model)",
        "route": "blank(config)",
        "request_type": """CASE WHEN request_url LIKE '%embeddings%' THEN 'embeddings' WHEN request_url LIKE '%rerank%'
            THEN 'rerank' ELSE 'chat' END""",
        "api_key": first("blank(virtual_key)", "blank(api_key_id)"),
        "workspace": first("blank(workspace_slug)", "blank(workspace_id)"),
        "prompt_version": first("blank(prompt_version)", "blank(prompt_slug)"),
        "service_tier": paths("body", "$.service_tier", "$.body.service_tier", "$.usage.service_tier"),
        "retries": "CASE WHEN TRY_CAST(retry_success_count AS BIGINT) >= 0 THEN retry_success_count END",
        # 446: a guardrail denied the call; 246: one failed, and the call went through.
        "run_status": f"""CASE WHEN {_STATUS} = 446 THEN 'blocked' WHEN {_STATUS} = 499 THEN 'abandoned'
            WHEN {_FAILED} THEN 'error' ELSE 'ok' END""",
        "redacted": f"CASE WHEN {_STATUS} = 446 THEN 'true' END",
        "reported_cost": "CAST(TRY_CAST(cost AS DECIMAL(24, 12)) * CAST('0.01' AS DECIMAL(3, 2)) AS VARCHAR)",
        "tags": "object_tags(meta)",
    },
    signature=(frozenset({"ai_org", "ai_model"}), frozenset({"req_units", "res_units"})),
    unwrap=lambda document: document["data"] if isinstance(document, dict) and "data" in document else [document],
    column_trust="key",
    row_limit=50_000,
)
