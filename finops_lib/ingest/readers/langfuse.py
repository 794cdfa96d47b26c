"""Langfuse: observations, from a trace download, a batch export or a blob-storage export.

``usage_details`` are disjoint in newer rows and inclusive in older ones, so each row is decided by its total.
AGENT and other parents repeat what their generations used. Latency is given in ms or s depending on the export,
so it is always taken from start and end.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from finops_lib.ingest.readers.base import Reader, first, paths

_TRACE_KEPT = ("id", "name", "userId", "sessionId", "tags", "metadata", "environment", "release", "version")


def _unwrap(document: Any) -> Iterable[Any]:
    if isinstance(document, list):
        for part in document:
            yield from _unwrap(part)
    elif isinstance(document, dict) and isinstance(document.get("observations"), list):
        trace = document["trace"] if isinstance(document.get("trace"), dict) else document
        kept = {key: trace.get(key) for key in _TRACE_KEPT}
        for observation in document["observations"]:
            yield {**observation, "trace": kept} if isinstance(observation, dict) else observation
    elif isinstance(document, dict) and isinstance(document.get("data"), list):
        yield from document["data"]
    else:
        yield document


_NAMES = {
    "start_time": "startTime",
    "end_time": "endTime",
    "updated_at": "updatedAt",
    "trace_id": "traceId",
    "parent_observation_id": "parentObservationId",
    "provided_model_name": "providedModelName",
    "prompt_version": "promptVersion",
    "total_cost": "totalCost",
    "user_id": "userId",
    "session_id": "sessionId",
    "trace_name": "traceName",
    "service_name": "serviceName",
    "prompt_tokens": "promptTokens",
    "completion_tokens": "completionTokens",
    "total_tokens": "totalTokens",
}
_NESTED = {"usage_details": "usageDetails", "trace_tags": "traceTags"}
_PLAIN = (
    "id",
    "type",
    "name",
    "model",
    "level",
    "environment",
    "timestamp",
    "inputUsage",
    "outputUsage",
    "totalUsage",
    "userProps",
)
_U = "parsed(usage)"
_IN_AUDIO = ("$.input_audio_tokens", "$.input_audio", '$."prompt_details.audio"')
_OUT_AUDIO = ("$.output_audio_tokens", "$.output_audio", '$."completion_details.audio"')


def _sum(*keys: str) -> str:
    listed = ", ".join(f"'{key}'" for key in keys)
    counts = f"list_transform(json_extract_string({_U}, [{listed}]), lambda x: whole(x))"
    return f"coalesce(list_sum({counts}), 0)"


# Ingestion takes every detail out of input and output; those that are no class of their own are put back.
_IN_PARTS = _sum(*_IN_AUDIO, "$.input_text_tokens", "$.input_image_tokens")
_OUT_PARTS = _sum(
    *_OUT_AUDIO,
    "$.output_text_tokens",
    "$.output_image_tokens",
    "$.output_accepted_prediction_tokens",
    "$.output_rejected_prediction_tokens",
    "$.accepted_prediction_tokens",
    "$.rejected_prediction_tokens",
)
_TOTAL = f"whole({paths(_U, '$.total', '$.total_tokens')})"
# Older rows left the details inside; parts cannot come to more than the total.
_TAKEN_OUT = f"""({_TOTAL} IS NULL OR ({_TOTAL} <> {_sum("$.input", "$.output")}
    AND {_TOTAL} >= {_sum("$.input", "$.output")} + {_IN_PARTS} + {_OUT_PARTS}))"""


def _with_parts(counts: str, parts: str) -> str:
    """Put parts back; a count that is no whole number stays as it is, to be refused as such."""
    added = f"CAST(whole({counts}) + {parts} AS VARCHAR)"
    return f"coalesce(CASE WHEN {_TAKEN_OUT} THEN {added} END, {counts})"


_RELATION = """(
    SELECT o.*, parsed(o.metadata) AS meta, parsed(coalesce(o.trace -> '$.metadata', t.metadata)) AS trace_meta,
        coalesce(o.usage_details, o."usageDetails") AS usage,
        coalesce(o.trace_id, o."traceId") AS trace_key,
        coalesce(o.tags, o.trace_tags, o."traceTags", o.trace -> '$.tags', t.tags) AS all_tags,
        coalesce(o.user_id, o."userId", o.trace ->> '$.userId', t.user_id, t."userId") AS who,
        coalesce(o.trace_name, o."traceName", o.trace ->> '$.name', t.name) AS trace_title
    FROM records AS o LEFT JOIN (
        SELECT * FROM records WHERE type IS NULL AND start_time IS NULL AND "startTime" IS NULL
        QUALIFY row_number() OVER (PARTITION BY id ORDER BY source_position DESC) = 1
    ) AS t ON t.id = coalesce(o.trace_id, o."traceId") AND o.type IS NOT NULL
)"""

# A trace has neither a type nor a start nor usage.
_UNTYPED = """(blank(type) IS NULL AND (coalesce(start_time, "startTime") IS NOT NULL OR usage IS NOT NULL))"""

READER = Reader(
    name="langfuse",
    layer="trace",
    fields=dict.fromkeys([*_PLAIN, *_NAMES, *_NAMES.values()], "VARCHAR")
    | dict.fromkeys([*_NESTED, *_NESTED.values(), "metadata", "trace", "tags", "tool_calls", "toolCalls"], "JSON"),
    relation=_RELATION,
    select={
        "kind": f"""CASE
            WHEN {_UNTYPED} THEN 'call'
            WHEN type IS NULL THEN 'other'
            WHEN upper(type) IN ('GENERATION', 'EMBEDDING') THEN 'call'
            WHEN upper(type) = 'EVALUATOR' AND coalesce(provided_model_name, "providedModelName", model) IS NOT NULL
                THEN 'call'
            WHEN upper(type) IN ('AGENT', 'CHAIN') THEN 'agent'
            WHEN upper(type) = 'TOOL' THEN 'tool'
            WHEN upper(type) = 'RETRIEVER' THEN 'retrieval'
            ELSE 'other' END""",
        "unreadable": f"CASE WHEN {_UNTYPED} THEN 'observation without a type' END",
        "span_id": "id",
        "parent_id": first("blank(parent_observation_id)", 'blank("parentObservationId")'),
        "span_name": "name",
        "request_id": "id",
        "task_id": "trace_key",
        "user_id": "blank(who)",
        "started": first("start_time", '"startTime"'),
        "ended": first("end_time", '"endTime"'),
        "updated": first("updated_at", '"updatedAt"'),
        "raw_input": _with_parts(
            first(paths(_U, "$.input", "$.prompt_tokens"), '"inputUsage"', "prompt_tokens", '"promptTokens"'), _IN_PARTS
        ),
        "raw_output": _with_parts(
            first(
                paths(_U, "$.output", "$.completion_tokens"), '"outputUsage"', "completion_tokens", '"completionTokens"'
            ),
            _OUT_PARTS,
        ),
        "raw_total": first(paths(_U, "$.total", "$.total_tokens"), '"totalUsage"', "total_tokens", '"totalTokens"'),
        "raw_cache_read": paths(
            _U,
            "$.input_cached_tokens",
            "$.input_cache_read",
            "$.cache_read_input_tokens",
            '$."prompt_details.cache_read"',
            "$.input_cached",
            "$.cache_read",
        ),
        "raw_cache_write": paths(
            _U,
            "$.input_cache_creation",
            "$.cache_creation_input_tokens",
            '$."prompt_details.cache_write"',
            "$.input_cache_write",
            "$.cache_write_input_tokens",
        ),
        "raw_cache_write_5m": paths(_U, "$.input_cache_creation_5m"),
        "raw_cache_write_1h": paths(_U, "$.input_cache_creation_1h"),
        "raw_reasoning": paths(
            _U,
            "$.output_reasoning_tokens",
            "$.output_reasoning",
            '$."completion_details.reasoning"',
            "$.reasoning_tokens",
        ),
        "raw_audio_input": paths(_U, *_IN_AUDIO),
        "raw_audio_output": paths(_U, *_OUT_AUDIO),
        "model": """nullif(blank(coalesce(provided_model_name, "providedModelName", model)), 'unknown')""",
        "request_type": "CASE upper(type) WHEN 'EMBEDDING' THEN 'embeddings' WHEN 'GENERATION' THEN 'chat' END",
        "environment": "nullif(blank(environment), 'default')",
        "prompt_version": first("prompt_version", '"promptVersion"'),
        "category": "CASE WHEN upper(type) = 'EVALUATOR' OR environment LIKE '%evaluat%' OR environment LIKE '%judge%' "
        "THEN 'evaluation' WHEN environment LIKE '%experiment%' THEN 'experiment' END",
        "agent": paths("meta", '$.attributes."gen_ai.agent.name"', '$."gen_ai.agent.name"', "$.agent"),
        "provider": paths(
            "meta", '$.attributes."gen_ai.provider.name"', '$.attributes."gen_ai.system"', "$.ls_provider"
        ),
        "provider_response_id": paths("meta", '$.attributes."gen_ai.response.id"'),
        "service_tier": paths("meta", '$.attributes."gen_ai.response.service_tier"', "$.service_tier"),
        "run_status": "CASE WHEN upper(level) = 'ERROR' THEN 'error' ELSE 'ok' END",
        "reported_cost": first("total_cost", '"totalCost"'),
        "assistant_name": """coalesce(
            nullif(regexp_replace(coalesce(service_name, "serviceName",
                meta ->> '$.resourceAttributes."service.name"'), '^unknown_service.*$', ''), ''), trace_title)""",
        "tags": "array_tags(parsed(all_tags)) || object_tags(meta) || object_tags(trace_meta)",
    },
    input_basis="exclusive",
    reasoning_basis="outside",
    signature=(
        frozenset({"trace", "observations"}),
        frozenset({"usageDetails", "traceId"}),
        frozenset({"usage_details", "trace_id"}),
        frozenset({"session_id", "user_id", "bookmarked"}),
        frozenset({"parentObservationId", "startTime", "type"}),
        frozenset({"parent_observation_id", "start_time", "type"}),
    ),
    unwrap=_unwrap,
    row_limit=1_500_000,
    shares_tasks=True,
)
