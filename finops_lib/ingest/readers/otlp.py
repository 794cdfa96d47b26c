"""OpenTelemetry: GenAI and OpenInference spans as OTLP/JSON, in every spelling that is still written.

Input includes cached tokens and output includes reasoning by convention. Only inference spans are calls: agent
and workflow spans repeat what their children used. Where a dotted and a flat spelling stand on one span, the
dotted one is taken and neither is added.
"""

from __future__ import annotations

from finops_lib.ingest.readers.base import Reader

_ATTRIBUTES = (
    '[{"key": "VARCHAR", "value": {"stringValue": "VARCHAR", "intValue": "VARCHAR", "doubleValue": "VARCHAR", '
    '"boolValue": "VARCHAR", "arrayValue": {"values": "JSON"}}}]'
)
_SPAN_NAMES = {
    "trace_id": "traceId",
    "span_id": "spanId",
    "parent_span_id": "parentSpanId",
    "name": "name",
    "start_time_unix_nano": "startTimeUnixNano",
    "end_time_unix_nano": "endTimeUnixNano",
}
_SPANS = (
    "[{"
    + ", ".join(f'"{name}": "VARCHAR"' for name in dict.fromkeys([*_SPAN_NAMES, *_SPAN_NAMES.values()]))
    + f', "attributes": {_ATTRIBUTES}, "status": {{"code": "VARCHAR"}}}}]'
)
_SCOPES = f'[{{"spans": {_SPANS}}}]'
# One parse of a line, into structures: JSON is parsed anew by every operator on it.
_RESOURCES = (
    f'[{{"resource": {{"attributes": {_ATTRIBUTES}}}, "scopeSpans": {_SCOPES}, "scope_spans": {_SCOPES}, '
    f'"instrumentationLibrarySpans": {_SCOPES}}}]'
)


def _map(attributes: str) -> str:
    """Write SQL of a map of attributes; of a key that stands twice the first value is taken."""
    value = (
        "coalesce(a.value.stringValue, a.value.intValue, a.value.doubleValue, a.value.boolValue, "
        "CAST(a.value.arrayValue.values AS VARCHAR))"
    )
    keys = f"list_transform({attributes}, lambda a: a.key)"
    once = f"list_filter({attributes}, lambda a, i: a.key IS NOT NULL AND list_position({keys}, a.key) = i)"
    return f"coalesce(map_from_entries(list_transform({once}, lambda a: {{'k': a.key, 'v': {value}}})), MAP {{}})"


def _some(values: str) -> str:
    """Write SQL of a list that is never empty: a line without spans stays one row, so that it is counted."""
    return f"CASE WHEN len({values}) > 0 THEN {values} ELSE [NULL] END"


_RELATION = f"""(
    WITH parts AS (
        SELECT source_file, source_position, coalesce("resourceSpans", resource_spans) AS given,
            from_json(given, '{_RESOURCES}') AS resources
        FROM records
    ), resources AS (
        SELECT source_file, source_position, json_type(given) IS NOT DISTINCT FROM 'ARRAY' AS readable,
            unnest({_some("resources")}) AS r
        FROM parts
    ), scopes AS (
        SELECT source_file, source_position, readable, {_map("r.resource.attributes")} AS res,
            coalesce(r.scopeSpans, r.scope_spans, r.instrumentationLibrarySpans) AS scopes,
            unnest({_some("scopes")}) AS s
        FROM resources
    ), spans AS (
        SELECT source_file, source_position, readable, res, unnest({_some("s.spans")}) AS span FROM scopes
    ), attributed AS (
        SELECT source_file, source_position, readable, res, {_map("span.attributes")} AS att,
            span IS NULL AS nothing, span.status.code AS status_code,
            {
    ", ".join(f"nullif(coalesce(span.{camel}, span.{snake}), '') AS {snake}" for snake, camel in _SPAN_NAMES.items())
}
        FROM spans
    )
    SELECT *, TRY_CAST(att['ai.response.providerMetadata'] AS JSON) AS vendor,
        lower(coalesce(att['gen_ai.operation.name'], att['llm.request.type'])) AS operation,
        upper(coalesce(att['openinference.span.kind'], att['traceloop.span.kind'])) AS span_kind
    FROM attributed
)"""


def _att(*keys: str) -> str:
    return "coalesce(" + ", ".join(f"nullif(att['{key}'], '')" for key in keys) + ", NULL)"


def _either(*keys: str) -> str:
    return "coalesce(" + ", ".join(f"nullif(att['{k}'], ''), nullif(res['{k}'], '')" for k in keys) + ")"


def _vendor(*routes: str) -> str:
    return ", ".join(f"vendor ->> '{route}'" for route in routes)


_INPUT = _att(
    "gen_ai.usage.input_tokens",
    "gen_ai.usage.prompt_tokens",
    "llm.token_count.prompt",
    "ai.usage.inputTokens",
    "ai.usage.promptTokens",
    "llm.usage.prompt_tokens",
)
_OUTPUT = _att(
    "gen_ai.usage.output_tokens",
    "gen_ai.usage.completion_tokens",
    "llm.token_count.completion",
    "ai.usage.outputTokens",
    "ai.usage.completionTokens",
    "llm.usage.completion_tokens",
)
_READ = f"""coalesce({
    _att(
        "gen_ai.usage.cache_read.input_tokens",
        "gen_ai.usage.cache_read_input_tokens",
        "gen_ai.usage.cached_tokens",
        "gen_ai.usage.details.cache_read_input_tokens",
        "llm.token_count.prompt_details.cache_read",
        "llm.usage.cache_read_input_tokens",
        "ai.usage.cachedInputTokens",
        "ai.usage.inputTokenDetails.cacheReadTokens",
        "llm.token_count.prompt_details.cache_input",
    )
}, {
    _vendor(
        "$.anthropic.usage.cache_read_input_tokens",
        "$.anthropic.cacheReadInputTokens",
        "$.bedrock.usage.cacheReadInputTokens",
        "$.openai.cachedPromptTokens",
    )
})"""
_WRITE = f"""coalesce({
    _att(
        "gen_ai.usage.cache_write.input_tokens",
        "gen_ai.usage.cache_creation.input_tokens",
        "gen_ai.usage.cache_write_input_tokens",
        "gen_ai.usage.cache_creation_input_tokens",
        "gen_ai.usage.details.cache_creation_input_tokens",
        "llm.token_count.prompt_details.cache_write",
        "llm.usage.cache_creation_input_tokens",
        "ai.usage.inputTokenDetails.cacheWriteTokens",
    )
}, {
    _vendor(
        "$.anthropic.usage.cache_creation_input_tokens",
        "$.anthropic.cacheCreationInputTokens",
        "$.bedrock.usage.cacheWriteInputTokens",
    )
})"""
_REASONING = f"""coalesce({
    _att(
        "gen_ai.usage.reasoning.output_tokens",
        "gen_ai.usage.reasoning_tokens",
        "gen_ai.usage.output_tokens.reasoning",
        "gen_ai.usage.details.reasoning_tokens",
        "llm.token_count.completion_details.reasoning",
        "ai.usage.reasoningTokens",
        "ai.usage.outputTokenDetails.reasoningTokens",
    )
}, {_vendor("$.openai.reasoningTokens")})"""
_TOTAL = f"""coalesce({
    _att(
        "gen_ai.usage.total_tokens",
        "llm.usage.total_tokens",
        "llm.token_count.total",
        "ai.usage.totalTokens",
        "ai.usage.tokens",
    )
}, {_vendor("$.bedrock.usage.totalTokens")})"""
# Anthropic's own usage excludes cached tokens; where it stands beside the span's count it settles the matter.
_ANTHROPIC = "whole(vendor ->> '$.anthropic.usage.input_tokens')"
_SETTLED_INPUT = f"""CASE WHEN {_ANTHROPIC} IS NOT NULL THEN CAST({_ANTHROPIC}
    + coalesce(whole(vendor ->> '$.anthropic.usage.cache_read_input_tokens'), 0)
    + coalesce(whole(vendor ->> '$.anthropic.usage.cache_creation_input_tokens'), 0) AS VARCHAR)
    ELSE {_INPUT} END"""
_MODEL = _att(
    "gen_ai.response.model",
    "gen_ai.request.model",
    "llm.response.model_name",
    "llm.model_name",
    "llm.request.model_name",
    "ai.response.model",
    "ai.model.id",
    "embedding.model_name",
    "reranker.model_name",
)
# Counts, ids, prompts and answers say nothing of owners, and would make each span's tags a set of their own.
_OWN = (
    "^(gen_ai[.](usage|request|response|prompt|completion|input|output|tool)|input[.]|output[.]|ai[.](usage|response|prompt)"
    "|llm[.](token_count|usage|cost|input|output|invocation|prompts|completions))"
)
_USED = f"coalesce({_INPUT}, {_OUTPUT}, {_REASONING}) IS NOT NULL"

READER = Reader(
    name="otlp",
    layer="trace",
    fields={"resourceSpans": "JSON", "resource_spans": "JSON"},
    relation=_RELATION,
    select={
        # A line that is no list of spans at all has no time either, and is refused for it.
        "kind": f"""CASE WHEN nothing THEN CASE WHEN readable THEN 'other' ELSE 'call' END
            WHEN operation IN ('execute_tool') OR span_kind = 'TOOL' THEN 'tool'
            WHEN operation IN ('retrieval') OR span_kind = 'RETRIEVER' THEN 'retrieval'
            WHEN operation IN ('invoke_agent', 'create_agent', 'invoke_workflow', 'plan')
                OR span_kind IN ('AGENT', 'CHAIN', 'WORKFLOW', 'TASK') THEN 'agent'
            WHEN operation IN ('chat', 'generate_content', 'text_completion', 'completion', 'embeddings', 'embedding',
                'rerank', 'responses', 'message', 'messages') OR span_kind IN ('LLM', 'EMBEDDING', 'RERANKER')
                THEN 'call'
            WHEN span_kind = 'EVALUATOR' AND {_MODEL} IS NOT NULL AND {_USED} THEN 'call'
            WHEN operation IS NULL AND span_kind IS NULL AND {_USED} THEN
                CASE WHEN {_MODEL} IS NULL AND {_att("gen_ai.agent.name", "agent.name")} IS NOT NULL
                    THEN 'agent' ELSE 'call' END
            ELSE 'other' END""",
        "span_id": "span_id",
        "parent_id": "parent_span_id",
        "span_name": f"coalesce({_att('gen_ai.tool.name', 'tool.name')}, name)",
        # A span id is only unique within its trace.
        "request_id": "lower(trace_id) || '/' || lower(span_id)",
        "provider_response_id": _att("gen_ai.response.id", "ai.response.id"),
        "task_id": "trace_id",
        "user_id": _either("user.id", "enduser.id", "gen_ai.request.user"),
        "started": "start_time_unix_nano",
        "ended": "end_time_unix_nano",
        "raw_input": _SETTLED_INPUT,
        "raw_output": _OUTPUT,
        "raw_total": _TOTAL,
        "raw_cache_read": _READ,
        "raw_cache_write": _WRITE,
        "raw_cache_write_1h": "vendor ->> '$.anthropic.usage.cache_creation.ephemeral_1h_input_tokens'",
        "raw_reasoning": _REASONING,
        "raw_audio_input": _att(
            "gen_ai.usage.audio.input_tokens",
            "gen_ai.usage.details.input_audio_tokens",
            "llm.token_count.prompt_details.audio",
        ),
        "raw_cache_read_audio": _att(
            "gen_ai.usage.audio.cache_read.input_tokens", "gen_ai.usage.details.cache_audio_read_tokens"
        ),
        "raw_audio_output": _att(
            "gen_ai.usage.audio.output_tokens",
            "gen_ai.usage.details.output_audio_tokens",
            "llm.token_count.completion_details.audio",
        ),
        "basis_given": f"{_ANTHROPIC} IS NOT NULL",
        "input_basis": "'inclusive'",
        # Vercel's SDK names the API behind the provider: anthropic.messages, openai.responses.
        "provider": "regexp_replace("
        + _att("gen_ai.provider.name", "gen_ai.system", "llm.provider", "llm.system", "ai.model.provider")
        + ", '[.](chat|responses|messages|completion|embedding|generative-ai)$', '')",
        "model": f"nullif({_MODEL}, 'unknown')",
        "agent": _att("gen_ai.agent.name", "agent.name", "agent_name"),
        "workflow": _either("gen_ai.workflow.name", "traceloop.workflow.name"),
        "prompt_version": _att("gen_ai.prompt.version", "prompt.version", "llm.prompt_template.version"),
        "service_tier": _att(
            "gen_ai.openai.response.service_tier",
            "openai.response.service_tier",
            "gen_ai.response.service_tier",
            "gen_ai.request.service_tier",
            "openai.request.service_tier",
            "service_tier",
        ),
        "environment": "nullif("
        f"{_either('deployment.environment.name', 'deployment.environment', 'gen_ai.environment')}, 'default')",
        "request_type": "CASE WHEN operation IN ('embeddings', 'embedding') OR span_kind = 'EMBEDDING' "
        "THEN 'embeddings' WHEN operation = 'rerank' OR span_kind = 'RERANKER' THEN 'rerank' "
        "ELSE coalesce(operation, 'chat') END",
        "category": "CASE WHEN span_kind = 'EVALUATOR' THEN 'evaluation' END",
        "run_status": "CASE WHEN status_code IN ('2', 'STATUS_CODE_ERROR') "
        f"OR {_att('error.type')} IS NOT NULL THEN 'error' ELSE 'ok' END",
        "reported_cost": _att("gen_ai.usage.cost", "llm.cost.total", "gen_ai.usage.total_cost"),
        "assistant_name": "nullif(nullif(regexp_replace(coalesce(res['service.name'], ''), "
        "'^unknown_service.*$', ''), ''), 'default')",
        "tags": "list_transform(list_filter(list_concat(map_entries(att), map_entries(res)), "
        f"lambda e: len(e.value) <= 200 AND NOT regexp_matches(e.key, '{_OWN}')), "
        "lambda e: regexp_replace(e.key, '^traceloop.association.properties.', '') || ':' || e.value)"
        " || object_tags(TRY_CAST(att['metadata'] AS JSON)) || array_tags(TRY_CAST(att['tag.tags'] AS JSON))",
    },
    signature=(frozenset({"resourceSpans"}), frozenset({"resource_spans"})),
    tag_trust="span",
    column_trust="span",
    shares_tasks=True,
)
