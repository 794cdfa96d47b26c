"""Amazon Bedrock: model-invocation logs from S3 or CloudWatch.

Input excludes cache reads and writes; Converse's total includes them. Bodies may be missing, text, a list of stream
chunks, or moved to S3; the counts of the log itself come first. An application inference profile hides the model,
and is often how a caller is told apart.
"""

from __future__ import annotations

from finops_lib.ingest.readers.base import Reader, first, paths

_FIELDS = (
    "schemaType",
    "timestamp",
    "accountId",
    "identity",
    "region",
    "inferenceRegion",
    "requestId",
    "operation",
    "modelId",
    "requestMetadata",
    "errorCode",
    "serviceTier",
    "input",
    "output",
)
_ALONE = """json_type(coalesce(events, "logEvents")) IS DISTINCT FROM 'ARRAY'"""
_RELATION = f"""(
    WITH events AS (
        SELECT source_file, source_position, unnest(from_json(coalesce(events, "logEvents"), '["JSON"]')) AS event
        FROM records WHERE json_type(coalesce(events, "logEvents")) = 'ARRAY'
    ), messages AS (
        SELECT source_file, source_position, event ->> '$.message' AS text FROM events
        UNION ALL
        SELECT source_file, source_position, coalesce(message, "@message") FROM records
        WHERE {_ALONE} AND coalesce(message, "@message") IS NOT NULL
    ), invocations AS (
        SELECT source_file, source_position, {", ".join(f'"{name}"' for name in _FIELDS)},
            CASE WHEN coalesce(events, "logEvents") IS NOT NULL THEN 'log events are no list' END AS unreadable
        FROM records WHERE {_ALONE} AND coalesce(message, "@message") IS NULL
        UNION ALL
        SELECT source_file, source_position, {", ".join(f"line ->> '$.{name}'" for name in _FIELDS)},
            CASE WHEN text IS NULL THEN 'log event without a message'
                WHEN line IS NULL AND (starts_with(trim(text), '{{') OR contains(text, 'modelId'))
                THEN 'log event of truncated or malformed JSON' END
        FROM (SELECT *, readable(text) AS line FROM messages)
    )
    SELECT *, TRY_CAST(input AS JSON) AS sent, TRY_CAST(output AS JSON) AS answer,
        parsed(TRY_CAST(output AS JSON) -> '$.outputBodyJson') AS body
    FROM invocations)"""
_FOREIGN = "unreadable IS NULL AND modelId IS NULL AND \"schemaType\" IS DISTINCT FROM 'ModelInvocationLog'"
# Where a stream of InvokeModel is kept, its last chunk carries the counts.
_CHUNK = '$[#-1]."amazon-bedrock-invocationMetrics"'
_PROFILE = "modelId LIKE 'arn:%:application-inference-profile/%'"
_LONG_WRITES = """CAST(list_sum(list_transform(list_filter(from_json(body -> '$.usage.cacheDetails', '["JSON"]'),
    lambda d: d ->> '$.ttl' = '1h'), lambda d: whole(d ->> '$.inputTokens'))) AS VARCHAR)"""

READER = Reader(
    name="bedrock",
    layer="provider_log",
    fields=dict.fromkeys((*_FIELDS, "message", "@message"), "VARCHAR") | {"events": "JSON", "logEvents": "JSON"},
    relation=_RELATION,
    select={
        "kind": f"CASE WHEN {_FOREIGN} THEN 'other' ELSE 'call' END",
        "unreadable": "unreadable",
        "span_name": f"CASE WHEN {_FOREIGN} THEN 'not an invocation' ELSE operation END",
        "request_id": "blank(requestId)",
        "provider_response_id": paths("body", "$.id", "$[0].message.id"),
        "user_id": "TRY_CAST(identity AS JSON) ->> '$.arn'",
        "started": "timestamp",
        "latency": paths("body", "$.metrics.latencyMs", f"{_CHUNK}.invocationLatency"),
        "raw_input": first(
            paths("sent", "$.inputTokenCount"),
            paths("body", "$.usage.inputTokens", "$.usage.input_tokens", f"{_CHUNK}.inputTokenCount"),
        ),
        "raw_output": first(
            paths("answer", "$.outputTokenCount"),
            paths("body", "$.usage.outputTokens", "$.usage.output_tokens", f"{_CHUNK}.outputTokenCount"),
        ),
        "raw_total": paths("body", "$.usage.totalTokens"),
        "raw_cache_read": first(
            paths("sent", "$.cacheReadInputTokenCount"),
            paths(
                "body",
                "$.usage.cacheReadInputTokens",
                "$.usage.cache_read_input_tokens",
                f"{_CHUNK}.cacheReadInputTokenCount",
            ),
        ),
        "raw_cache_write": first(
            paths("sent", "$.cacheWriteInputTokenCount"),
            paths(
                "body",
                "$.usage.cacheWriteInputTokens",
                "$.usage.cache_creation_input_tokens",
                f"{_CHUNK}.cacheWriteInputTokenCount",
            ),
        ),
        "raw_cache_write_1h": first(paths("body", "$.usage.cache_creation.ephemeral_1h_input_tokens"), _LONG_WRITES),
        "provider_account": "blank(accountId)",
        "model": f"CASE WHEN {_PROFILE} THEN coalesce(body ->> '$.model', modelId) ELSE blank(modelId) END",
        "route": f"CASE WHEN {_PROFILE} THEN modelId END",
        "request_type": "CASE WHEN modelId LIKE '%embed%' THEN 'embeddings' WHEN modelId LIKE '%rerank%' THEN 'rerank' "
        "ELSE 'chat' END",
        "service_tier": first(
            "TRY_CAST(serviceTier AS JSON) ->> '$.type'",
            "blank(serviceTier)",
            paths("body", "$.serviceTier.type", "$.usage.service_tier"),
        ),
        "run_status": """CASE
            WHEN body ->> '$.stopReason' = 'guardrail_intervened'
                OR body ->> '$."amazon-bedrock-guardrailAction"' = 'INTERVENED' THEN 'blocked'
            WHEN blank(errorCode) IS NOT NULL THEN 'error' ELSE 'ok' END""",
        "tags": """object_tags(TRY_CAST(requestMetadata AS JSON)) || list_filter(
            ['region:' || region, 'inference_region:' || "inferenceRegion"], lambda t: t IS NOT NULL)""",
    },
    input_basis="exclusive",
    signature=(
        frozenset({"schemaType", "modelId", "requestId"}),
        frozenset({"accountId", "modelId", "operation"}),
        frozenset({"events"}),
        frozenset({"logEvents"}),
        frozenset({"@message"}),
    ),
    column_trust="key",
    constants={"provider": "aws.bedrock"},
)
