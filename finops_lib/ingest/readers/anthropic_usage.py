"""Anthropic usage: an organization's message usage report, buckets of many calls.

``uncached_input_tokens`` exclude cache reads and writes; reasoning is inside the output; calls are not counted. What
prices may depend on besides the tier (context window, region, speed) is kept as tags.
"""

from __future__ import annotations

from finops_lib.ingest.readers.base import Reader, paths
from finops_lib.ingest.readers.openai_usage import bucket_id, bucket_kind, results_sql

_PRICED_BY = ("context_window", "inference_geo", "speed")
_TAGS = ", ".join(f"'{name}:' || (result ->> '$.{name}')" for name in _PRICED_BY)

READER = Reader(
    name="anthropic-usage",
    layer="provider_usage",
    fields={"starting_at": "VARCHAR", "ending_at": "VARCHAR", "results": "JSON", "data": "JSON"},
    relation=results_sql("starting_at", "ending_at"),
    select=bucket_kind("uncached_input_tokens")
    | {
        "request_id": bucket_id(
            "workspace_id", "api_key_id", "account_id", "service_account_id", "model", "service_tier", *_PRICED_BY
        ),
        "started": "bucket_start",
        "ended": "bucket_end",
        "raw_input": "result ->> '$.uncached_input_tokens'",
        "raw_output": "result ->> '$.output_tokens'",
        "raw_cache_read": "result ->> '$.cache_read_input_tokens'",
        "raw_cache_write_5m": paths(
            "result", "$.cache_creation.ephemeral_5m_input_tokens", "$.cache_creation_5m_input_tokens"
        ),
        "raw_cache_write_1h": paths(
            "result", "$.cache_creation.ephemeral_1h_input_tokens", "$.cache_creation_1h_input_tokens"
        ),
        "web_search_requests": "result ->> '$.server_tool_use.web_search_requests'",
        "model": "result ->> '$.model'",
        "workspace": "result ->> '$.workspace_id'",
        "api_key": "result ->> '$.api_key_id'",
        "user_id": paths("result", "$.account_id", "$.service_account_id"),
        "service_tier": "result ->> '$.service_tier'",
        "request_type": "'chat'",
        "tags": f"list_filter([{_TAGS}], lambda t: t IS NOT NULL)",
    },
    input_basis="exclusive",
    basis_given=True,
    signature=(
        frozenset({"starting_at", "ending_at", "results"}),
        frozenset({"starting_at", "ending_at", "results", "amount", "uncached_input_tokens"}),
    ),
    unwrap=lambda document: document["data"] if isinstance(document, dict) and "data" in document else [document],
    aggregated=True,
    column_trust="key",
    constants={"provider": "anthropic"},
)
