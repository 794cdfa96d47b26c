"""Helicone: rows of its ClickHouse table, of its query API, and of the export command line.

Counts are disjoint: cached tokens, audio and reasoning stand beside prompt and completion, and the API's total is
prompt + completion + reasoning, without cached tokens, so that it decides nothing and is not read. A hit in the
gateway's response cache points at the answer it repeats and keeps that answer's counts in ``ref_`` columns.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from finops_lib.ingest.readers.base import Reader, first


def _unwrap(document: Any) -> Iterable[Any]:
    if isinstance(document, dict) and "data" in document and "request_id" not in document:
        data = document["data"]
        return data if isinstance(data, list) else [data]
    return [document]


NO_REFERENCE = "00000000-0000-0000-0000-000000000000"
_HIT = f"(nullif(blank(cache_reference_id), '{NO_REFERENCE}') IS NOT NULL)"
# ClickHouse prints a map with single quotes.
_PROPERTIES = """coalesce(TRY_CAST(coalesce(blank(properties), blank(request_properties)) AS JSON),
    TRY_CAST(replace(coalesce(blank(properties), blank(request_properties)), '''', '"') AS JSON))"""
_BODY = "TRY_CAST(response_body AS JSON)"
_STATUS = "TRY_CAST(coalesce(blank(response_status), blank(status)) AS BIGINT)"
_MODEL = first("blank(model_override)", "blank(response_model)", "blank(request_model)", "blank(model)")


def _count(name: str) -> str:
    return f"CASE WHEN {_HIT} AND coalesce({name}, '0') = '0' THEN coalesce(ref_{name}, {name}) ELSE {name} END"


def _with_audio(name: str, audio: str) -> str:
    own, added = _count(name), f"whole({_count(audio)})"
    # A count that is no number stays as it is, to be refused as such.
    both = f"CAST(whole({own}) + {added} AS VARCHAR)"
    return f"CASE WHEN {added} > 0 THEN coalesce({both}, {own}) ELSE {own} END"


_REFERENCED = (
    "prompt_tokens",
    "completion_tokens",
    "prompt_cache_read_tokens",
    "prompt_cache_write_tokens",
    "prompt_audio_tokens",
    "completion_audio_tokens",
)

READER = Reader(
    name="helicone",
    layer="gateway",
    fields=dict.fromkeys(
        (
            "request_id",
            "request_created_at",
            "updated_at",
            "model_override",
            "response_model",
            "request_model",
            "model",
            "provider",
            "delay_ms",
            "latency",
            "response_status",
            "status",
            *_REFERENCED,
            *(f"ref_{name}" for name in _REFERENCED),
            "prompt_cache_write_5m",
            "prompt_cache_write_1h",
            "reasoning_tokens",
            "cost",
            "costUSD",
            "cost_usd",
            "request_user_id",
            "user_id",
            "helicone_user",
            "organization_id",
            "proxy_key_id",
            "cache_reference_id",
            "gateway_router_id",
            "prompt_version",
            "threat",
            "request_path",
            "target_url",
            "properties",
            "request_properties",
            "response_body",
        ),
        "VARCHAR",
    ),
    select={
        "kind": f"""CASE WHEN {_MODEL} LIKE 'tool:%' THEN 'tool' WHEN {_MODEL} LIKE 'vector_db%' THEN 'retrieval'
            WHEN {_MODEL} IS NULL AND ({_STATUS} < 200 OR {_STATUS} >= 400)
                AND coalesce(TRY_CAST(prompt_tokens AS BIGINT), 0) = 0 THEN 'other' ELSE 'call' END""",
        "span_name": first("blank(request_path)", "blank(target_url)"),
        "request_id": "blank(request_id)",
        "provider_response_id": f"{_BODY} ->> '$.id'",
        "task_id": f"blank({_PROPERTIES} ->> '$.\"Helicone-Session-Id\"')",
        "user_id": first("blank(request_user_id)", "blank(user_id)", "blank(helicone_user)"),
        "started": "request_created_at",
        "updated": "updated_at",
        "latency": first("blank(delay_ms)", "blank(latency)"),
        "raw_input": _with_audio("prompt_tokens", "prompt_audio_tokens"),
        "raw_output": _with_audio("completion_tokens", "completion_audio_tokens"),
        "raw_cache_read": _count("prompt_cache_read_tokens"),
        "raw_cache_write": _count("prompt_cache_write_tokens"),
        "raw_cache_write_5m": "prompt_cache_write_5m",
        "raw_cache_write_1h": "prompt_cache_write_1h",
        "raw_reasoning": "reasoning_tokens",
        "raw_audio_input": _count("prompt_audio_tokens"),
        "raw_audio_output": _count("completion_audio_tokens"),
        "cache_hit": f"CAST({_HIT} AS VARCHAR)",
        "provider": "CASE lower(provider) WHEN 'vertex' THEN 'vertex_ai' WHEN 'x' THEN 'xai' "
        "ELSE replace(lower(blank(provider)), '-', '_') END",
        "model": f"nullif({_MODEL}, 'unknown')",
        "route": "blank(gateway_router_id)",
        "request_type": "CASE WHEN coalesce(request_path, target_url) LIKE '%embeddings%' THEN 'embeddings' "
        "ELSE 'chat' END",
        "api_key": "blank(proxy_key_id)",
        "workspace": "blank(organization_id)",
        "prompt_version": "blank(prompt_version)",
        # 499 is the provider's or a proxy's word for it, -3 Helicone's own (INTERNAL_ERRORS.Cancelled).
        "run_status": f"""CASE
            WHEN {_STATUS} IN (499, -3) THEN 'abandoned'
            WHEN lower(threat) IN ('true', '1') OR ({_STATUS} BETWEEN 400 AND 499 AND regexp_matches(concat_ws(' ',
                {_BODY} ->> '$.error.code', {_BODY} ->> '$.error.innererror.code', {_BODY} ->> '$.error.type'),
                '(?i)content_?filter|content_?policy|ResponsibleAI')) THEN 'blocked'
            WHEN {_STATUS} IS NULL OR {_STATUS} BETWEEN 200 AND 399 THEN 'ok' ELSE 'error' END""",
        # In the table, cost is USD × COST_PRECISION_MULTIPLIER (1,000,000,000); the API has divided it already.
        "reported_cost": """coalesce(blank("costUSD"), blank(cost_usd), CASE
            WHEN blank(delay_ms) IS NULL AND (blank(organization_id) IS NOT NULL OR blank(latency) IS NOT NULL)
                AND regexp_full_match(trim(cost), '[0-9]+')
            THEN CAST(TRY_CAST(cost AS DECIMAL(20, 0)) * CAST('0.000000001' AS DECIMAL(10, 9)) AS VARCHAR)
            ELSE blank(cost) END)""",
        "tags": f"object_tags({_PROPERTIES})",
    },
    input_basis="exclusive",
    reasoning_basis="outside",
    signature=(frozenset({"request_id", "request_created_at"}), frozenset({"request_model", "delay_ms"})),
    unwrap=_unwrap,
    column_trust="key",
)
