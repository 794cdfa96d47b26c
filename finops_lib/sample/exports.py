"""Exports: calls as a provider's log, a provider's usage report and a service's own log."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from finops_lib.sample.files import months, write_gzip, write_lines, write_parquet
from finops_lib.sample.organisation import ACCOUNTS


def write_bedrock(folder: Path, calls: pd.DataFrame) -> None:
    """Write Bedrock's model invocation log, one file a month.

    Parameters
    ----------
    folder : Path
        Folder of the sample data.
    calls : DataFrame
        All calls.
    """
    for month, part in months(calls[calls["source"] == "bedrock"]):
        rows = [_bedrock_row(call) for call in part.itertuples()]
        write_lines(folder / "bedrock" / f"model_invocations_{month}.jsonl.gz", rows)


_PROFILE = f"arn:aws:bedrock:eu-central-1:{ACCOUNTS['bedrock']}:application-inference-profile/contracts-long"
_PROVISIONED = f"arn:aws:bedrock:eu-central-1:{ACCOUNTS['bedrock']}:provisioned-model/contracts-classifier"


def _bedrock_row(call: Any) -> dict[str, Any]:
    model = _PROFILE if "openai" in call.model else call.model
    model = _PROVISIONED if call.service_tier == "provisioned" else model
    tags = {
        "assistant": call.assistant,
        "workflow": call.workflow,
        "team": call.team,
        "environment": call.environment,
        "data_class": call.data_class,
        "prompt_version": call.prompt_version,
        "task_id": call.task,
    }
    for flag in ("resolved", "accepted"):
        if not pd.isna(getattr(call, flag)):
            tags[flag] = str(getattr(call, flag)).lower()
    if call.review_minutes == call.review_minutes:
        tags["review_minutes"] = str(int(call.review_minutes))
    if call.run_status == "abandoned":
        tags["run_status"] = "abandoned"
    if call.retries:
        tags["retries"] = str(call.retries)
    row = {
        "schemaType": "ModelInvocationLog",
        "schemaVersion": "1.0",
        "timestamp": pd.Timestamp(call.start_ms // 1000, unit="s").strftime("%Y-%m-%dT%H:%M:%SZ"),
        "accountId": ACCOUNTS["bedrock"],
        "identity": {"arn": f"arn:aws:sts::{ACCOUNTS['bedrock']}:assumed-role/contract-extraction/u{call.user:03d}"},
        "region": "eu-central-1",
        "requestId": f"b-{call.number:06x}",
        "operation": "Converse",
        "modelId": model,
        "requestMetadata": tags,
    }
    if call.service_tier != "standard":
        row["serviceTier"] = {"type": call.service_tier}
    if call.run_status == "error":
        row["errorCode"] = "ModelTimeoutException"
    output = int(call.visible_output + call.reasoning)
    row["input"] = {
        "inputContentType": "application/json",
        "inputTokenCount": int(call.uncached_input),
        "cacheReadInputTokenCount": int(call.cache_read),
        "cacheWriteInputTokenCount": int(call.cache_write_5m),
    }
    row["output"] = {
        "outputContentType": "application/json",
        "outputBodyJson": {"metrics": {"latencyMs": int(call.latency_ms)}},
        "outputTokenCount": output,
    }
    return row


def write_usage(folder: Path, calls: pd.DataFrame) -> None:
    """Write OpenAI's usage report of the whole organisation: day buckets by project and model, one file a month.

    Parameters
    ----------
    folder : Path
        Folder of the sample data.
    calls : DataFrame
        All calls; the provider counts those that the gateway's log lost, and no gateway cache hits.
    """
    served = calls[(calls["provider"] == "openai") & (calls["request_type"] == "chat") & ~calls["cache_hit"]]
    served = served.assign(
        input_tokens=served["uncached_input"] + served["cache_read"],
        output_tokens=served["visible_output"] + served["reasoning"],
    )
    for month, part in months(served):
        buckets = []
        for start in pd.date_range(f"{month}-01", periods=pd.Period(month).days_in_month, tz="UTC"):
            of_day = part[pd.to_datetime(part["start_ms"], unit="ms", utc=True).dt.floor("D") == start]
            second = int(start.timestamp())
            buckets.append(
                {
                    "object": "bucket",
                    "start_time": second,
                    "end_time": second + 86_400,
                    "results": [_usage_result(*group) for group in of_day.groupby(["account", "model"])],
                }
            )
        page = {"object": "page", "data": buckets, "has_more": False, "next_page": None}
        write_gzip(folder / "openai_usage" / f"completions_{month}.json.gz", json.dumps(page, indent=1) + "\n")


def _usage_result(key: tuple[str, str], group: pd.DataFrame) -> dict[str, Any]:
    return {
        "object": "organization.usage.completions.result",
        "input_tokens": int(group["input_tokens"].sum()),
        "output_tokens": int(group["output_tokens"].sum()),
        "input_cached_tokens": int(group["cache_read"].sum()),
        "input_audio_tokens": 0,
        "output_audio_tokens": 0,
        "num_model_requests": len(group),
        "project_id": key[0],
        "user_id": None,
        "api_key_id": None,
        "model": key[1],
        "batch": False,
        "service_tier": "default",
    }


def write_mapped(folder: Path, calls: pd.DataFrame) -> None:
    """Write the search service's own log: embeddings and reranking, in columns only it uses.

    Parameters
    ----------
    folder : Path
        Folder of the sample data.
    calls : DataFrame
        All calls.
    """
    own = calls[calls["source"] == "mapped"]
    table = pa.table(
        {
            "called_at": pa.array(own["start_ms"].to_numpy(), pa.timestamp("ms", tz="UTC")),
            "call_id": pa.array(own["number"].to_numpy(), pa.int32()),
            "vendor": pa.array(own["provider"], pa.string()),
            "engine": pa.array(own["model"], pa.string()),
            "operation": pa.array(own["request_type"], pa.string()),
            "use_case": pa.array(own["workflow"], pa.string()),
            "asked_by": pa.array([f"u{user:03d}-knowledge-bot" for user in own["user"]], pa.string()),
            "group": pa.array(own["team"], pa.string()),
            "tokens_in": pa.array(own["uncached_input"].to_numpy(), pa.int32()),
            "took_ms": pa.array(own["latency_ms"].to_numpy(), pa.int32()),
        }
    )
    write_parquet(folder / "mapped" / "knowledge_search.parquet", table)
