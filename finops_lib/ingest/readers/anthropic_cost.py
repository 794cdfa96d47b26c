"""Anthropic cost report: an organization's daily costs, in cents."""

from __future__ import annotations

from finops_lib.ingest.readers.bill import BillReader, cents
from finops_lib.ingest.readers.openai_usage import results_sql

_CLASSES = {
    "uncached_input_tokens": "uncached_input",
    "cache_read_input_tokens": "cache_read",
    "cache_creation.ephemeral_5m_input_tokens": "cache_write_5m",
    "cache_creation.ephemeral_1h_input_tokens": "cache_write_1h",
    "output_tokens": "output",
}
_TOKEN_CASES = " ".join(f"WHEN result ->> '$.token_type' = '{given}' THEN '{c}'" for given, c in _CLASSES.items())

READER = BillReader(
    name="anthropic-cost",
    fields={"starting_at": "VARCHAR", "ending_at": "VARCHAR", "results": "JSON", "data": "JSON"},
    relation=f"(SELECT * FROM {results_sql('starting_at', 'ending_at')} WHERE result IS NOT NULL)",
    select={
        "billing_account_id": "result ->> '$.organization_id'",
        # no workspace: the default one
        "sub_account_id": "coalesce(result ->> '$.workspace_id', 'default')",
        "charge_period_start": "bucket_start",
        "charge_period_end": "bucket_end",
        "charge_category": "CASE WHEN starts_with(result ->> '$.amount', '-') THEN 'Credit' ELSE 'Usage' END",
        "charge_description": "result ->> '$.description'",
        "sku_meter": "concat_ws(' ', result ->> '$.cost_type', result ->> '$.token_type', "
        "result ->> '$.context_window', result ->> '$.inference_geo')",
        "model": "result ->> '$.model'",
        "token_class": f"CASE WHEN result ->> '$.cost_type' = 'web_search' THEN 'web_search' {_TOKEN_CASES} END",
        "service_tier": "result ->> '$.service_tier'",
        "billing_currency": "upper(result ->> '$.currency')",
        "billed_cost": cents("(result ->> '$.amount')"),
    },
    constants={
        "invoice_issuer_name": "Anthropic",
        "service_provider_name": "Anthropic",
        "service_name": "Claude API",
        "service_category": "AI and Machine Learning",
        "service_subcategory": "Generative AI",
        "sub_account_type": "Workspace",
    },
    signature=(frozenset({"starting_at", "ending_at", "results", "amount"}),),
    unwrap=lambda document: document["data"] if isinstance(document, dict) and "data" in document else [document],
    exact_lines=True,
)
