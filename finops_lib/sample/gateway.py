"""Gateway: calls as LiteLLM's spend logs, with the mistakes such logs have."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pandas as pd

from finops_lib.sample.files import months, stamp, write_lines
from finops_lib.sample.organisation import PRICES, pico_dollars, price_index
from finops_lib.sample.plants import DOUBLE_BILLED, days_between

GATEWAY_PROVIDERS = {"google": "gemini"}
SHARED_KEYS = {
    "support-copilot": "cx-shared",
    "knowledge-bot": "workplace-shared",
    "marketing-drafting": "brand-shared",
}


def key_alias(call: Any) -> str:
    """Name the virtual key a gateway call was made with.

    Parameters
    ----------
    call : namedtuple
        A row of the calls.

    Returns
    -------
    str
        The team's key; the assistant's shared key, which no team owns, for calls without a team.
    """
    return f"{call.team}-key" if call.team else SHARED_KEYS[call.assistant]


def key_hash(alias: str) -> str:
    """Hash a key as the gateway does.

    Parameters
    ----------
    alias : str
        Name of the key.

    Returns
    -------
    str
        64 hexadecimal digits.
    """
    return hashlib.sha256(f"sample {alias}".encode()).hexdigest()


def reported_cost(calls: pd.DataFrame) -> pd.Series:
    """Work out what the gateway claims each call cost, mistakes included.

    Parameters
    ----------
    calls : DataFrame
        Gateway calls.

    Returns
    -------
    Series of float
        USD, to eight decimals; 0 for models the gateway has no price for; in the window of plant P20 cached
        tokens are counted at the full input price as well.
    """
    cost = pico_dollars(calls)
    doubled = calls["day"].isin(days_between(*DOUBLE_BILLED)) & ~calls["cache_hit"]
    per_token = [int(price.usd_per_million["uncached_input"] * 10**6) for price in PRICES] + [0]
    extra = pd.Series(per_token)[price_index(calls) % len(per_token)].to_numpy() * calls["cache_read"]
    return (cost + extra.where(doubled, 0)).map(lambda pico: round(pico / 10**12, 8))


def litellm_row(call: Any) -> dict[str, Any]:
    """Shape a call as a row of LiteLLM's SpendLogs table.

    Parameters
    ----------
    call : namedtuple
        A row of the calls, with ``spend``.

    Returns
    -------
    dict
        Columns of ``LiteLLM_SpendLogs``; ``metadata`` is a JSON string, ``prompt_tokens`` include cached ones.
    """
    alias = key_alias(call)
    prompt = int(call.uncached_input + call.cache_read + call.cache_write_5m)
    completion = int(call.visible_output + call.reasoning)
    identifier = f"chatcmpl-{call.number:06x}" + (f"_cache_hit{call.start_ms // 1000}" if call.cache_hit else "")
    end = call.start_ms + (20 if call.cache_hit else call.latency_ms)
    cached = call.question >= 0 and not call.step
    failed = call.run_status in ("error", "blocked")
    return {
        "request_id": identifier,
        "session_id": call.task,
        "call_type": "acompletion",
        "api_key": key_hash(alias),
        "model": call.model,
        "model_group": f"{call.assistant}-{call.workflow}",
        "custom_llm_provider": GATEWAY_PROVIDERS.get(call.provider, call.provider),
        "startTime": stamp(call.start_ms),
        "endTime": stamp(end),
        "completionStartTime": None,
        "user": f"u{call.user:03d}-{call.assistant}",
        "end_user": "",
        "team_id": "",
        "organization_id": "",
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "spend": call.spend,
        "cache_hit": "True" if call.cache_hit else "False",
        "cache_key": f"q{call.question:04x}{len(call.workflow):02x}" if cached else "Cache OFF",
        "request_tags": _tags(call),
        "metadata": json.dumps(_metadata(call, alias), separators=(",", ":")),
        "status": "failure" if failed else "success",
        "messages": {},
        "response": {},
    }


def _tags(call: Any) -> list[str]:
    tags = [f"assistant:{call.assistant}", f"workflow:{call.workflow}", f"env:{call.environment}"]
    tags += [f"team:{team}" for team in (call.team, call.second_team) if team and call.tagged]
    return tags + ([f"customer:{call.customer}"] if call.customer else [])


def _metadata(call: Any, alias: str) -> dict[str, Any]:
    failed = call.run_status in ("error", "blocked")
    error = {"error_code": "429", "error_class": "RateLimitError"}
    if call.run_status == "blocked":
        error = {"error_code": "400", "error_class": "GuardrailRaisedException"}
    extra: dict[str, Any] = {
        "completion_tokens_details": {"reasoning_tokens": int(call.reasoning)} if call.reasoning else None,
        "prompt_tokens_details": {"cached_tokens": int(call.cache_read)} if call.cache_read else None,
    }
    if call.cache_read or call.cache_write_5m:
        extra["cache_read_input_tokens"] = int(call.cache_read)
        extra["cache_creation_input_tokens"] = int(call.cache_write_5m)
    return {
        "user_api_key_alias": alias,
        "user_api_key_team_id": None,
        "user_api_key_team_alias": None,
        "internal_call_origin": "shadow_eval_judge" if call.category == "evaluation" else None,
        "additional_usage_values": extra,
        "usage_object": None,
        "spend_logs_metadata": _given(call),
        "error_information": error if failed else None,
        "attempted_retries": int(call.retries),
        "max_retries": 3,
        "status": "failure" if failed else "success",
    }


def _given(call: Any) -> dict[str, Any]:
    """Gather what the caller says of the call."""
    flags = {name: getattr(call, name) for name in ("accepted", "resolved", "escalated")}
    given: dict[str, Any] = {"prompt_version": call.prompt_version, "data_class": call.data_class}
    given |= {name: bool(flag) for name, flag in flags.items() if not pd.isna(flag)}
    if not pd.isna(call.satisfaction):
        given["satisfaction"] = int(call.satisfaction)
    if call.retrieval_calls:
        given |= {"retrieval_calls": int(call.retrieval_calls), "retrieved_tokens": int(call.retrieved_tokens)}
    if call.run_status in ("abandoned", "blocked"):
        given["run_status"] = call.run_status
    return given


def write_litellm(folder: Path, calls: pd.DataFrame) -> None:
    """Write the gateway's spend logs, one file a month.

    Parameters
    ----------
    folder : Path
        Folder of the sample data.
    calls : DataFrame
        All calls.
    """
    own = calls[(calls["source"] == "litellm") & calls["logged"]]
    own = own.assign(spend=reported_cost(own))
    for month, part in months(own):
        rows = [litellm_row(call) for call in part.itertuples()]
        cut = 0
        if month == "2026-08":
            rows[40:40] = [_broken(rows[39], n, prompt_tokens=-1 - n) for n in range(3)]
        if month == "2026-09":
            rows[80:80] = [_broken(rows[79], n, startTime="1970-01-01 00:00:00.000000") for n in range(2)]
            rows += rows[100:112]
        if month == "2026-10":
            rows.append(_broken(rows[-1], 0))
            cut = 120
        write_lines(folder / "litellm" / f"spend_logs_{month}.jsonl.gz", rows, cut=cut)


def _broken(row: dict[str, Any], number: int, **values: Any) -> dict[str, Any]:
    """Copy a row under an id of its own, with values no reader can use."""
    return row | {"request_id": f"{row['request_id']}-broken-{number}"} | values
