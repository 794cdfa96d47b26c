"""Bedrock's, OpenAI's and the search service's files."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq


def _lines(path: Path) -> list[str]:
    return gzip.decompress(path.read_bytes()).decode().splitlines()


def test_bedrock_counts_exclude_cached_tokens(folder: Path, calls: pd.DataFrame) -> None:
    """Every Bedrock call is there once; batch and provisioned calls say so; models hide behind two ARNs."""
    rows = [json.loads(line) for path in sorted((folder / "bedrock").iterdir()) for line in _lines(path)]
    own = calls[calls["source"] == "bedrock"]
    tiers = Counter(row.get("serviceTier", {}).get("type", "standard") for row in rows)

    assert own["uncached_input"].sum() == sum(row["input"]["inputTokenCount"] for row in rows)
    assert own["service_tier"].value_counts().to_dict() == dict(tiers)
    assert 2 == len({row["modelId"] for row in rows if row["modelId"].startswith("arn:")})


def test_usage_report_sees_all_openai_chat_calls(folder: Path, calls: pd.DataFrame) -> None:
    """P21, P22, P23: lost logs and direct use are in the buckets, gateway cache hits are not."""
    pages = [json.loads(gzip.decompress(path.read_bytes())) for path in sorted((folder / "openai_usage").iterdir())]
    results = [result for page in pages for bucket in page["data"] for result in bucket["results"]]
    served = calls[(calls["provider"] == "openai") & (calls["request_type"] == "chat") & ~calls["cache_hit"]]

    assert 123 == sum(len(page["data"]) for page in pages)
    assert served["input"].sum() == sum(result["input_tokens"] for result in results)
    assert len(served) == sum(result["num_model_requests"] for result in results)
    assert "proj_experiments" in {result["project_id"] for result in results}


def test_search_log_has_columns_of_its_own(folder: Path, calls: pd.DataFrame) -> None:
    """The mapped file holds the embeddings and reranking calls."""
    table = pq.read_table(folder / "mapped" / "knowledge_search.parquet")

    assert (calls["source"] == "mapped").sum() == table.num_rows
    assert {"text-embedding-3-small", "rerank-2.5"} == set(table["engine"].to_pylist())
