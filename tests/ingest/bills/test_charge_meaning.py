"""A line of a bill says which provider, model and token class it is about, and whose it is."""

from __future__ import annotations

import json
from typing import Any

import pandas as pd

from finops_lib.ingest import load_charges
from finops_lib.ingest.reading.exports import read_source
from finops_lib.params import Source

LINE = {
    "billing_account_id": "a",
    "charge_period_start": "2026-09-05",
    "billed_cost": "1",
    "billing_currency": "USD",
    "invoice_issuer_name": "OpenAI",
    "service_name": "API",
}


def told(bench: Any, rows: list[dict[str, str]], *columns: str) -> list[tuple[Any, ...]]:
    """Read lines and give some of their columns, in order."""
    params = bench.params()
    pd.DataFrame([LINE | row | {"resource_id": str(n)} for n, row in enumerate(rows)]).to_csv(
        bench.folder / "bill.csv", index=False
    )
    read_source(Source(path="bill.csv", format="mapped", table="charges"), params)
    found = load_charges(params).sort_values("resource_id", key=lambda ids: ids.astype(int)).astype(object)
    return list(found.where(found.notna(), None)[list(columns)].itertuples(index=False, name=None))


def test_the_provider_is_told_by_issuer_and_service(bench: Any) -> None:
    """A vendor by its name; a cloud only where the service is one of models; the organisation's word goes first."""
    bench.organisation = {"reconciliation": {"issuers": {"Cloud Reseller": "aws.bedrock", "D'Arc's": "d'arc"}}}
    cases = {
        ("OpenAI, LLC", "API"): "openai",
        ("Anthropic", "Claude API"): "anthropic",
        ("Amazon Web Services, Inc.", "Amazon Bedrock"): "aws.bedrock",
        ("Amazon Web Services, Inc.", "Amazon Simple Queue Service"): None,
        ("Microsoft", "Azure OpenAI Service"): "azure.ai.openai",
        ("Google Cloud", "Vertex AI"): "gcp.vertex_ai",
        ("xAI", "API"): "x_ai",
        ("cloud reseller", "anything"): "aws.bedrock",
        ("D'Arc's", "API"): "d'arc",
        ("Maxai Tools", "API"): None,
    }
    rows = [{"invoice_issuer_name": issuer, "service_name": service} for issuer, service in cases]
    assert [(provider,) for provider in cases.values()] == told(bench, rows, "provider")


def test_properties_of_the_sku_tell_model_and_class(bench: Any) -> None:
    """With x_ before them or bare, as from FOCUS 1.5 on."""
    details = [
        {"x_ModelId": "m", "x_TokenDirection": "Input", "x_TokenCacheAction": "Read", "x_ServiceTier": "Batch"},
        {"ModelId": "m", "TokenDirection": "Input", "TokenCacheAction": "Write"},
        {"ModelId": "m", "TokenDirection": "Input"},
        {"ModelId": "m-reasoning", "TokenDirection": "Output"},
    ]
    rows = [{"sku_price_details": json.dumps(d), "sku_meter": "Tokens of m-reasoning"} for d in details]
    assert [
        ("m", "cache_read", "batch"),
        ("m", "cache_write_5m", None),
        ("m", "uncached_input", None),
        ("m-reasoning", "output", None),
    ] == told(bench, rows, "model", "token_class", "service_tier")


def test_words_tell_where_properties_do_not(bench: Any) -> None:
    """Only of lines that speak of tokens, and only models that the price list knows."""
    rows = [
        {"charge_description": "gpt-4o-mini input tokens"},
        {"charge_description": "gpt-4o-mini cached input tokens, batch"},
        {"charge_description": "Cache Write Tokens 1h"},
        {"charge_description": "gpt-4o-mini reasoning tokens"},
        {"charge_description": "Data transfer output"},
        {"charge_description": "web search calls"},
        {"charge_description": "no-such-model output tokens", "invoice_issuer_name": "Hosting"},
    ]
    assert [
        ("gpt-4o-mini", "uncached_input", None),
        ("gpt-4o-mini", "cache_read", "batch"),
        (None, "cache_write_1h", None),
        ("gpt-4o-mini", "reasoning", None),
        (None, None, None),
        (None, "web_search", None),
        (None, None, None),
    ] == told(bench, rows, "model", "token_class", "service_tier")


def test_tags_tell_whose_a_line_is(bench: Any) -> None:
    """In the spellings calls are tagged with, with a scheme before them or not; the team's place follows from it."""
    bench.organisation = {
        "teams": {"care": {"department": "Service", "cost_center": "CC-1"}},
        "attribution": {"tags": {"app-owner": "team"}},
    }
    bench.assistants = {"helper": {"match": ["help bot"], "defaults": {"environment": "production"}}}
    rows = [
        {"tags": json.dumps(tags)}
        for tags in (
            {"Team": "care", "user:env": "dev", "finops/assistant": "Help Bot"},
            {"app-owner": "care", "cost-center": "CC-9"},
            {"squad": "nobody"},
            {"colour": "red"},
        )
    ]
    columns = ("assistant", "team", "department", "cost_center", "environment")
    assert [
        ("helper", "care", "Service", "CC-1", "dev"),
        (None, "care", "Service", "CC-9", None),
        (None, "nobody", None, None, None),
        (None, None, None, None, None),
    ] == told(bench, rows, *columns)
