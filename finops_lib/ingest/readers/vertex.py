"""Vertex AI: rows of the request-response log in BigQuery.

Prompt tokens include cached content; thoughts usually stand beside the candidates (the total decides); tokens of tool
use are input. Claude on Vertex answers in Anthropic's own shape, with cached tokens beside the input. The row is
written when the call has ended. The log may be a sample: ``sampling_rate``, where the row carries it, becomes a tag.
"""

from __future__ import annotations

from finops_lib.ingest.readers.base import Reader, first, paths

_RELATION = """(
    SELECT *, coalesce(answer -> '$.usage_metadata', answer -> '$.usageMetadata', answer -> '$[#-1].usage_metadata',
            answer -> '$[#-1].usageMetadata', answer -> '$.usage', answer -> '$.message.usage') AS used,
        coalesce(answer -> '$[#-1]', answer) AS last
    FROM (
        SELECT *, readable(full_response) AS answer, TRY_CAST(full_request AS JSON) AS asked,
            TRY_CAST(metadata AS JSON) AS meta
        FROM records))"""
_CLAUDE = "json_exists(used, '$.input_tokens')"
_LATENCY = paths("meta", "$.request_latency", "$.requestLatency")
_PROMPT = paths("used", "$.prompt_token_count", "$.promptTokenCount")
_TOOL_USE = paths("used", "$.tool_use_prompt_token_count", "$.toolUsePromptTokenCount")
_CREATED = paths("last", "$.create_time", "$.createTime")
_STOP = paths("last", "$.candidates[0].finish_reason", "$.candidates[0].finishReason")
_BLOCK = paths("last", "$.prompt_feedback.block_reason", "$.promptFeedback.blockReason")
_TRAFFIC = paths("used", "$.traffic_type", "$.trafficType")


def _audio(snake: str, camel: str) -> str:
    details = f"from_json(coalesce(used -> '$.{snake}', used -> '$.{camel}'), '[\"JSON\"]')"
    counts = "whole(coalesce(d ->> '$.token_count', d ->> '$.tokenCount'))"
    chosen = f"list_filter({details}, lambda d: d ->> '$.modality' = 'AUDIO')"
    return f"CAST(list_sum(list_transform({chosen}, lambda d: {counts})) AS VARCHAR)"


READER = Reader(
    name="vertex",
    layer="provider_log",
    fields=dict.fromkeys(
        (
            "logging_time",
            "request_id",
            "endpoint",
            "api_method",
            "model",
            "model_version",
            "deployed_model_id",
            "full_request",
            "full_response",
            "metadata",
            "sampling_rate",
        ),
        "VARCHAR",
    ),
    relation=_RELATION,
    select={
        "span_name": "blank(api_method)",
        "request_id": "blank(request_id)",
        "provider_response_id": paths("last", "$.response_id", "$.responseId", "$.id"),
        "started": f"""coalesce({_CREATED}, CAST(instant(logging_time)
            - to_microseconds(CAST(CASE WHEN TRY_CAST({_LATENCY} AS DOUBLE) BETWEEN 0 AND 1e9
                THEN CAST({_LATENCY} AS DOUBLE) * 1000 ELSE 0 END AS BIGINT)) AS VARCHAR))""",
        "latency": _LATENCY,
        "raw_input": f"""CASE WHEN {_CLAUDE} THEN used ->> '$.input_tokens' WHEN {_TOOL_USE} IS NULL THEN {_PROMPT}
            ELSE coalesce(CAST(whole({_PROMPT}) + whole({_TOOL_USE}) AS VARCHAR),
                CASE WHEN whole({_PROMPT}) IS NULL THEN {_PROMPT} ELSE {_TOOL_USE} END) END""",
        "raw_output": paths("used", "$.candidates_token_count", "$.candidatesTokenCount", "$.output_tokens"),
        "raw_total": paths("used", "$.total_token_count", "$.totalTokenCount"),
        "raw_cache_read": paths(
            "used", "$.cached_content_token_count", "$.cachedContentTokenCount", "$.cache_read_input_tokens"
        ),
        "raw_cache_write": paths("used", "$.cache_creation_input_tokens"),
        "raw_cache_write_1h": paths("used", "$.cache_creation.ephemeral_1h_input_tokens"),
        "raw_reasoning": paths("used", "$.thoughts_token_count", "$.thoughtsTokenCount"),
        "raw_audio_input": _audio("prompt_tokens_details", "promptTokensDetails"),
        "raw_cache_read_audio": _audio("cache_tokens_details", "cacheTokensDetails"),
        "raw_audio_output": _audio("candidates_tokens_details", "candidatesTokensDetails"),
        "input_basis": f"CASE WHEN {_CLAUDE} THEN 'exclusive' ELSE 'inclusive' END",
        "provider_account": "nullif(regexp_extract(concat_ws(' ', endpoint, model, asked ->> '$.model'), "
        "'projects/([^/ ]+)/', 1), '')",
        "model": first(
            paths("last", "$.model_version", "$.modelVersion"),
            "nullif(regexp_extract(model, '([^/]+)/*$', 1), '')",
            "blank(deployed_model_id)",
        ),
        "route": "nullif(regexp_extract(endpoint, 'endpoints/([^/]+)', 1), '')",
        "request_type": "CASE WHEN concat_ws(' ', lower(api_method), model) LIKE '%embed%' THEN 'embeddings' "
        "ELSE 'chat' END",
        "service_tier": f"""CASE WHEN {_TRAFFIC} LIKE '%PROVISIONED%' THEN 'provisioned'
            WHEN {_TRAFFIC} LIKE '%PRIORITY%' THEN 'priority' WHEN {_TRAFFIC} LIKE '%FLEX%' THEN 'flex'
            WHEN {_TRAFFIC} LIKE 'ON_DEMAND%' THEN 'standard' END""",
        "run_status": f"""CASE
            WHEN {_BLOCK} IS NOT NULL
                OR {_STOP} IN ('SAFETY', 'BLOCKLIST', 'PROHIBITED_CONTENT', 'SPII', 'MODEL_ARMOR', 'IMAGE_SAFETY')
            THEN 'blocked'
            WHEN json_exists(last, '$.error') THEN 'error' ELSE 'ok' END""",
        "tags": "object_tags(asked -> '$.labels') || list_filter(['sampling_rate:' || blank(sampling_rate)], "
        "lambda t: t IS NOT NULL)",
    },
    reasoning_basis="outside",
    signature=(frozenset({"logging_time", "full_response"}), frozenset({"logging_time", "request_id", "api_method"})),
    column_trust="key",
    constants={"provider": "gcp.vertex_ai"},
)
