"""LiteLLM: spend logs, as file or PostgreSQL table, and the standard logging payload.

``prompt_tokens`` include cache reads and writes for every provider; ``cache_hit`` is the gateway's own response
cache, not the provider's prompt cache; ``spend`` is 0 for unknown models and is only kept beside our price.
"""

from __future__ import annotations

from finops_lib.ingest.readers.base import Reader, first, paths

META = "parsed(metadata)"
# Older rows have their status in the metadata only.
STATUS = first("blank(status)", paths(META, "$.status"))
TABLE = '"LiteLLM_SpendLogs"'


def _texts(*fields: str) -> dict[str, str]:
    return dict.fromkeys(fields, "VARCHAR")


READER = Reader(
    name="litellm",
    layer="gateway",
    fields=_texts(
        "request_id",
        "id",
        "litellm_call_id",
        "call_type",
        "api_key",
        "spend",
        "response_cost",
        "total_tokens",
        "prompt_tokens",
        "completion_tokens",
        "startTime",
        "endTime",
        "request_duration_ms",
        "model",
        "model_group",
        "custom_llm_provider",
        "user",
        "cache_hit",
        "cache_key",
        "team_id",
        "organization_id",
        "end_user",
        "session_id",
        "trace_id",
        "status",
        "agent_id",
        "mcp_namespaced_tool_name",
        "updated_at",
    )
    | {"metadata": "JSON", "request_tags": "JSON", "error_information": "JSON"},
    select={
        "kind": "CASE WHEN blank(mcp_namespaced_tool_name) IS NOT NULL OR call_type LIKE '%mcp_tool%' THEN 'tool' "
        "WHEN call_type LIKE '%vector_store_search%' THEN 'retrieval' "
        # A call that failed before a model was reached: no model, no tokens, nothing to bill.
        f"WHEN blank(model) IS NULL AND {STATUS} = 'failure' AND coalesce(TRY_CAST(total_tokens AS BIGINT), 0) = 0 "
        "THEN 'other' ELSE 'call' END",
        "span_name": "coalesce(blank(mcp_namespaced_tool_name), call_type)",
        "request_id": first("blank(request_id)", "blank(id)"),
        # The same call is logged twice for some endpoints, under two request ids.
        "twin_key": "CASE WHEN blank(litellm_call_id) IS NOT NULL THEN concat_ws('|', litellm_call_id, "
        "coalesce(status, ''), model, prompt_tokens, completion_tokens, cache_hit) END",
        "provider_response_id": "regexp_replace(coalesce(blank(request_id), blank(id)), '_cache_hit.*$', '')",
        "task_id": first("blank(trace_id)", "blank(session_id)"),
        "user_id": first("blank(end_user)", 'blank("user")', paths(META, "$.user_api_key_user_id")),
        "started": '"startTime"',
        "ended": '"endTime"',
        "updated": "updated_at",
        "latency": "request_duration_ms",
        "raw_input": "prompt_tokens",
        "raw_output": "completion_tokens",
        "raw_total": "total_tokens",
        "raw_cache_read": paths(
            META,
            "$.additional_usage_values.cache_read_input_tokens",
            "$.usage_object.cache_read_input_tokens",
            "$.usage_object.prompt_tokens_details.cached_tokens",
            "$.additional_usage_values.prompt_tokens_details.cached_tokens",
        ),
        "raw_cache_write": paths(
            META,
            "$.additional_usage_values.cache_creation_input_tokens",
            "$.usage_object.cache_creation_input_tokens",
            "$.usage_object.prompt_tokens_details.cache_creation_tokens",
        ),
        "raw_cache_write_1h": paths(
            META,
            "$.usage_object.prompt_tokens_details.cache_creation_token_details.ephemeral_1h_input_tokens",
            "$.usage_object.cache_creation.ephemeral_1h_input_tokens",
            "$.additional_usage_values.cache_creation.ephemeral_1h_input_tokens",
        ),
        "raw_reasoning": paths(
            META,
            "$.usage_object.completion_tokens_details.reasoning_tokens",
            "$.additional_usage_values.completion_tokens_details.reasoning_tokens",
        ),
        "raw_audio_input": paths(META, "$.usage_object.prompt_tokens_details.audio_tokens"),
        "raw_audio_output": paths(META, "$.usage_object.completion_tokens_details.audio_tokens"),
        "web_search_requests": paths(META, "$.usage_object.server_tool_use.web_search_requests"),
        "cache_hit": "cache_hit",
        # LiteLLM's words for a call that the cache was not asked for.
        "cache_key": "nullif(blank(cache_key), 'Cache OFF')",
        "provider": "blank(custom_llm_provider)",
        "model": "blank(model)",
        "route": "blank(model_group)",
        "request_type": "CASE WHEN regexp_matches(call_type, 'embedding') THEN 'embeddings' "
        "WHEN regexp_matches(call_type, 'rerank') THEN 'rerank' "
        "WHEN regexp_matches(call_type, 'completion|responses|messages') THEN 'chat' ELSE blank(call_type) END",
        "api_key": first(paths(META, "$.user_api_key_alias"), "blank(api_key)"),
        "team": first(paths(META, "$.user_api_key_team_alias"), "blank(team_id)"),
        "project_code": paths(META, "$.user_api_key_project_alias", "$.user_api_key_project_id"),
        "workspace": first(paths(META, "$.user_api_key_org_alias", "$.user_api_key_org_id"), "blank(organization_id)"),
        "agent": "blank(agent_id)",
        "service_tier": paths(META, "$.cost_breakdown.service_tier", "$.usage_object.service_tier"),
        "fallback_model": f"CASE WHEN TRY_CAST({paths(META, '$.attempted_fallbacks')} AS BIGINT) > 0 "
        f"THEN {paths(META, '$.original_model_group')} END",
        "retries": paths(META, "$.attempted_retries"),
        "category": f"CASE WHEN {paths(META, '$.internal_call_origin')} IS NOT NULL THEN 'evaluation' END",
        "run_status": f"""CASE
            WHEN regexp_matches(coalesce({paths(META, "$.error_information.error_class")},
                error_information ->> '$.error_class', ''), 'Guardrail|ContentPolicy|Blocked') THEN 'blocked'
            WHEN regexp_matches(coalesce({paths(META, "$.error_information.error_class")},
                error_information ->> '$.error_class', ''), 'Cancel|Disconnect') THEN 'abandoned'
            WHEN lower({STATUS}) IN ('failure', 'error', 'failed') THEN 'error'
            WHEN lower({STATUS}) IN ('blocked', 'abandoned') THEN lower({STATUS}) ELSE 'ok' END""",
        "redacted": f"CASE WHEN {paths(META, '$.guardrail_information[0].guardrail_status')} "
        "LIKE '%intervened%' THEN 'true' END",
        "reported_cost": first("blank(spend)", "blank(response_cost)"),
        "tags": f"array_tags(parsed(request_tags)) || object_tags({META} -> '$.spend_logs_metadata')",
    },
    signature=(
        frozenset({"request_id", "call_type", "startTime"}),
        frozenset({"litellm_call_id", "call_type"}),
        frozenset({"model_group", "response_cost", "startTime"}),
    ),
    unwrap=lambda document: document["data"] if isinstance(document, dict) and "data" in document else [document],
    column_trust="key",
    row_limit=10_000,
)
