"""Azure API Management: the gateway's LLM log, with the gateway log joined or read beside it.

A long message is split into several rows of one ``CorrelationId``; all may repeat the counts, so the largest is
taken and never the sum, and one row stands for the call. There are no cached or reasoning counts.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from finops_lib.ingest.readers.base import Reader, first


def _unwrap(document: Any) -> Iterable[Any]:
    """Turn Log Analytics' tables of columns and rows into records."""
    if not isinstance(document, dict) or not isinstance(document.get("tables"), list):
        return [document]
    return [
        dict(zip([column["name"] for column in table["columns"]], row, strict=False))
        for table in document["tables"]
        for row in table["rows"]
    ]


_TEXTS = (
    "DeploymentName",
    "ModelName",
    "RequestId",
    "Region",
    "ApiId",
    "ApimSubscriptionId",
    "ProductId",
    "UserId",
    "LastErrorReason",
    "Cache",
)
_NUMBERS = ("PromptTokens", "CompletionTokens", "TotalTokens", "ResponseCode", "TotalTime")
_TIME = '"TimeGenerated", "TimeGenerated [UTC]"'
_LARGEST = [f'max(blank("{name}")) OVER correlation AS "{name}"' for name in _TEXTS] + [
    f'coalesce(CAST(max(TRY_CAST("{name}" AS DOUBLE)) OVER correlation AS VARCHAR), '
    f'max(blank("{name}")) OVER correlation) AS "{name}"'
    for name in _NUMBERS
]
_RELATION = f"""(
    SELECT source_file, source_position, "CorrelationId", {", ".join(_LARGEST)},
        min(moment) OVER correlation AS moment,
        row_number() OVER (PARTITION BY correlation_key
            ORDER BY TRY_CAST("TotalTokens" AS DOUBLE) DESC NULLS LAST, blank("ModelName") IS NULL, "SequenceNumber",
                source_file, source_position) = 1 AS stands
    FROM (
        -- The portal writes its CSV in the reader's own way of writing times.
        SELECT *, coalesce("CorrelationId", source_file || '#' || source_position) AS correlation_key,
            coalesce(instant(coalesce({_TIME})), try_strptime(coalesce({_TIME}),
                ['%m/%d/%Y, %I:%M:%S.%g %p', '%m/%d/%Y, %I:%M:%S %p']) AT TIME ZONE 'UTC') AS moment
        FROM records)
    WINDOW correlation AS (PARTITION BY correlation_key))"""
_NAMED = first("blank(ModelName)", "blank(DeploymentName)")
_CODE = "TRY_CAST(ResponseCode AS DOUBLE)"

READER = Reader(
    name="azure-apim",
    layer="gateway",
    fields=dict.fromkeys(
        (*_TEXTS, *_NUMBERS, "TimeGenerated", "TimeGenerated [UTC]", "CorrelationId", "SequenceNumber"), "VARCHAR"
    ),
    relation=_RELATION,
    select={
        "kind": f"CASE WHEN stands AND {_NAMED} IS NOT NULL THEN 'call' ELSE 'other' END",
        "span_name": f"CASE WHEN {_NAMED} IS NULL THEN 'gateway request without a model' "
        "WHEN NOT stands THEN 'part of a split message' ELSE 'model call' END",
        "request_id": "blank(CorrelationId)",
        "provider_response_id": "RequestId",
        "user_id": "UserId",
        "started": "CAST(moment AS VARCHAR)",
        "latency": "TotalTime",
        "raw_input": "PromptTokens",
        "raw_output": "CompletionTokens",
        "raw_total": "TotalTokens",
        "cache_hit": "CASE WHEN lower(Cache) = 'hit' THEN 'true' END",
        "model": _NAMED,
        "route": "DeploymentName",
        "request_type": f"CASE WHEN lower({_NAMED}) LIKE '%embed%' THEN 'embeddings' ELSE 'chat' END",
        "api_key": "ApimSubscriptionId",
        "run_status": f"""CASE
            WHEN {_CODE} = 499 OR LastErrorReason = 'ClientConnectionFailure' THEN 'abandoned'
            WHEN regexp_matches(LastErrorReason, '(?i)content_?(safety|filter)') THEN 'blocked'
            WHEN {_CODE} >= 400 THEN 'error' ELSE 'ok' END""",
        "tags": "list_filter(['product:' || ProductId, 'api:' || ApiId, 'region:' || Region], lambda t: t IS NOT NULL)",
    },
    signature=(
        frozenset({"CorrelationId", "DeploymentName"}),
        frozenset({"CorrelationId", "PromptTokens"}),
        frozenset({"CorrelationId", "ApimSubscriptionId"}),
        frozenset({"tables"}),
    ),
    unwrap=_unwrap,
    column_trust="key",
    constants={"provider": "azure.ai.openai"},
)
