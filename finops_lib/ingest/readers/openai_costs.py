"""OpenAI costs: an organization's daily cost buckets, by project and line item.

An amount is a JSON number in whole currency units; read and written again it keeps all digits it was printed with.
"""

from __future__ import annotations

from finops_lib.ingest.readers.bill import BillReader
from finops_lib.ingest.readers.openai_usage import results_sql

_ITEM = "(result ->> '$.line_item')"
_PART = f"lower(trim(regexp_extract({_ITEM}, ', ([a-z ]+)$', 1)))"
_CLASSES = {
    "input": "uncached_input",
    "cached input": "cache_read",
    "output": "output",
    "audio input": "audio_input",
    "cached audio input": "cache_read_audio",
    "audio output": "audio_output",
}
_AMOUNT = "(result ->> '$.amount.value')"

READER = BillReader(
    name="openai-costs",
    fields={"start_time": "VARCHAR", "end_time": "VARCHAR", "results": "JSON", "data": "JSON"},
    relation=f"(SELECT * FROM {results_sql('start_time', 'end_time')} WHERE result IS NOT NULL)",
    select={
        "billing_account_id": "result ->> '$.organization_id'",
        "billing_account_name": "result ->> '$.organization_name'",
        "sub_account_id": "result ->> '$.project_id'",
        "sub_account_name": "result ->> '$.project_name'",
        "charge_period_start": "bucket_start",
        "charge_period_end": "bucket_end",
        "charge_category": f"CASE WHEN starts_with({_AMOUNT}, '-') THEN 'Credit' ELSE 'Usage' END",
        "charge_description": _ITEM,
        "sku_meter": _ITEM,
        "model": f"CASE WHEN contains({_ITEM}, ', ') THEN trim(split_part({_ITEM}, ', ', 1)) END",
        "token_class": "CASE "
        + " ".join(f"WHEN {_PART} = '{part}' THEN '{c}'" for part, c in _CLASSES.items())
        + " END",
        "billing_currency": "upper(result ->> '$.amount.currency')",
        "billed_cost": _AMOUNT,
    },
    constants={
        "invoice_issuer_name": "OpenAI",
        "service_provider_name": "OpenAI",
        "service_name": "OpenAI API",
        "service_category": "AI and Machine Learning",
        "service_subcategory": "Generative AI",
        "sub_account_type": "Project",
    },
    signature=(frozenset({"start_time", "end_time", "results", "amount"}),),
    unwrap=lambda document: document["data"] if isinstance(document, dict) and "data" in document else [document],
    exact_lines=True,
)
