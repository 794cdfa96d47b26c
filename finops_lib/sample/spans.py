"""Spans: agent runs as traces, with the parents, tools and repeated totals that real traces have."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from finops_lib.sample.files import months, stamp, write_lines

_TOOLS = ("web_search", "crm_lookup", "news_feed", "company_register")
_CODE_TOOLS = ("read_file", "run_tests", "search_code")
_SEMCONV_PROVIDERS = {"mistral": "mistral_ai"}
_REEXPORTED = 15


def write_langfuse(folder: Path, calls: pd.DataFrame) -> None:
    """Write Langfuse's observations (events export), one file a month.

    Parameters
    ----------
    folder : Path
        Folder of the sample data.
    calls : DataFrame
        All calls.
    """
    for month, part in months(calls[calls["source"] == "langfuse"]):
        rows = [row for run in _runs(part) for row in _observations(run)]
        if month == "2026-09":
            generations = [row for row in rows if row["type"] == "GENERATION" and row["level"] == "DEFAULT"]
            rows[:0] = [_unfinished(row) for row in generations[:_REEXPORTED]]
        write_lines(folder / "langfuse" / f"observations_{month}.jsonl.gz", rows)


def _unfinished(row: dict[str, Any]) -> dict[str, Any]:
    """Go back to an observation as it was exported before its answer had come in."""
    usage = {"input": row["usage_details"]["input"], "output": 0, "total": row["usage_details"]["input"]}
    return row | {"usage_details": usage, "end_time": None, "updated_at": row["start_time"]}


def _runs(calls: pd.DataFrame) -> Iterable[list[Any]]:
    """Gather the calls of each task, in order of their beginning."""
    runs: dict[str, list[Any]] = {}
    for call in calls.itertuples():
        runs.setdefault(call.task, []).append(call)
    return runs.values()


def _given(call: Any) -> dict[str, Any]:
    """Tell how a task ended, as its last call has it."""
    flags = {name: getattr(call, name) for name in ("accepted", "resolved")}
    given: dict[str, Any] = {name: bool(flag) for name, flag in flags.items() if not pd.isna(flag)}
    return given | ({"run_status": "abandoned"} if call.run_status == "abandoned" else {})


def _observations(run: list[Any]) -> Iterator[dict[str, Any]]:
    first = run[0]
    trace = f"{first.number + 1:032x}"
    root = f"{first.number + 1:010x}000000"
    end = max(call.start_ms + call.latency_ms for call in run)
    team = [f"team:{first.team}"] if first.team else []
    shared = {
        "trace_id": trace,
        "project_id": "sales-research",
        "environment": first.environment,
        "user_id": f"u{first.user:03d}-sales",
        "session_id": None,
        "trace_name": first.workflow,
        "tags": [f"assistant:{first.assistant}", f"workflow:{first.workflow}", *team],
        "updated_at": stamp((end // 86_400_000) * 86_400_000 + 86_399_000),
    }
    total = {"input": 0, "output": 0, "total": 0}
    children = []
    for call in run:
        usage = _usage(call)
        for name in total:
            total[name] += usage[name] if name == "total" else sum(v for k, v in usage.items() if k.startswith(name))
        children.append(_generation(call, root, shared, usage, _given(call) if call is run[-1] else {}))
        children += _tool_rows(call, shared)
    yield _observation(
        "AGENT",
        root,
        None,
        "sales-research-agent",
        first.start_ms,
        end,
        shared,
        usage_details=total,
        metadata={},
        is_root_observation=True,
    )
    yield from children


def _usage(call: Any) -> dict[str, int]:
    """Count tokens the way Langfuse keeps them: every key apart from the others."""
    usage = {"input": int(call.uncached_input), "output": int(call.visible_output)}
    if call.cache_read:
        usage["input_cached_tokens" if call.provider == "openai" else "input_cache_read"] = int(call.cache_read)
    if call.cache_write_5m:
        usage["input_cache_creation_5m"] = int(call.cache_write_5m)
    if call.cache_write_1h:
        usage["input_cache_creation_1h"] = int(call.cache_write_1h)
    if call.reasoning:
        usage["output_reasoning_tokens"] = int(call.reasoning)
    return usage | {"total": sum(usage.values())}


def _observation(
    kind: str,
    identifier: str,
    parent: str | None,
    name: str,
    start: int,
    end: int,
    shared: dict[str, Any],
    **values: Any,
) -> dict[str, Any]:
    empty = {
        "level": "DEFAULT",
        "status_message": None,
        "provided_model_name": None,
        "usage_details": {},
        "cost_details": {},
        "prompt_name": None,
        "prompt_version": None,
        "metadata": {},
        "tool_call_names": [],
        "is_root_observation": False,
    }
    return (
        {
            "id": identifier,
            "type": kind,
            "parent_observation_id": parent,
            "name": name,
            "start_time": stamp(start),
            "end_time": stamp(end),
        }
        | empty
        | values
        | shared
    )


def _generation(
    call: Any, root: str, shared: dict[str, Any], usage: dict[str, int], given: dict[str, Any]
) -> dict[str, Any]:
    failed = call.run_status == "error"
    metadata = {"data_class": call.data_class, "agent_steps": 1, "retries": int(call.retries)} | given
    return _observation(
        "GENERATION",
        f"{call.number + 1:010x}000001",
        root,
        "plan-next-step",
        call.start_ms,
        call.start_ms + call.latency_ms,
        shared,
        provided_model_name=call.model,
        usage_details=usage,
        level="ERROR" if failed else "DEFAULT",
        status_message="429 rate limited" if failed else None,
        prompt_name=call.workflow,
        prompt_version=int(call.prompt_version[1:]),
        metadata=metadata,
        tool_call_names=[_tool(call, n) for n in range(call.tool_calls)],
    )


def _tool(call: Any, number: int) -> str:
    # A looping run asks the same tool again and again.
    return "company_register" if call.steps >= 20 else _TOOLS[(call.number + number) % len(_TOOLS)]


def _tool_rows(call: Any, shared: dict[str, Any]) -> list[dict[str, Any]]:
    rows = []
    for number in range(call.tool_calls):
        start = call.start_ms + call.latency_ms + 50 * number
        failed = number < call.tool_failures
        rows.append(
            _observation(
                "TOOL",
                f"{call.number + 1:010x}{number + 16:06x}",
                f"{call.number + 1:010x}000001",
                _tool(call, number),
                start,
                start + 400,
                shared,
                level="ERROR" if failed else "DEFAULT",
                status_message="no result" if failed else None,
            )
        )
    return rows


def write_otlp(folder: Path, calls: pd.DataFrame) -> None:
    """Write OpenTelemetry GenAI spans as OTLP/JSON lines, one trace a line, one file a month.

    Parameters
    ----------
    folder : Path
        Folder of the sample data.
    calls : DataFrame
        All calls.
    """
    for month, part in months(calls[calls["source"] == "otlp"]):
        rows = [_trace(run) for run in _runs(part)]
        write_lines(folder / "otlp" / f"genai_spans_{month}.jsonl.gz", rows)


def _attributes(values: dict[str, Any]) -> list[dict[str, Any]]:
    listed = []
    for key, value in values.items():
        if value is None:
            continue
        kind = {bool: "boolValue", int: "intValue"}.get(type(value), "stringValue")
        listed.append({"key": key, "value": {kind: str(value) if kind == "intValue" else value}})
    return listed


def _span(
    name: str,
    trace: str,
    identifier: str,
    parent: str | None,
    start: int,
    end: int,
    attributes: dict[str, Any],
    *,
    failed: bool = False,
) -> dict[str, Any]:
    span = {
        "traceId": trace,
        "spanId": identifier,
        "name": name,
        "kind": 3,
        "startTimeUnixNano": f"{start}000000",
        "endTimeUnixNano": f"{end}000000",
        "attributes": _attributes(attributes),
        "status": {"code": 2} if failed else {},
    }
    return span if parent is None else span | {"parentSpanId": parent}


def _trace(run: list[Any]) -> str:
    first = run[0]
    trace = f"{first.number + 1:032x}"
    agent = first.agent
    root = f"{first.number + 1:010x}000000" if agent else None
    owner = {"user.id": f"u{first.user:03d}-engineering", "workflow": first.workflow, "team": first.team}
    spans = []
    for call in run:
        spans += _call_spans(call, trace, root, owner, _given(call) if call is run[-1] else {})
    if agent:
        end = max(call.start_ms + call.latency_ms for call in run)
        spans.append(
            _span(
                f"invoke_agent {agent}",
                trace,
                root,
                None,
                first.start_ms,
                end,
                {
                    "gen_ai.operation.name": "invoke_agent",
                    "gen_ai.agent.name": agent,
                    "gen_ai.conversation.id": first.task,
                    "gen_ai.usage.input_tokens": sum(c.uncached_input + c.cache_read + c.cache_write_5m for c in run),
                    "gen_ai.usage.output_tokens": sum(c.visible_output + c.reasoning for c in run),
                    **owner,
                },
            )
        )
    resource = {"service.name": "coding-assistant", "deployment.environment.name": first.environment}
    scope = {"name": "sample.genai", "version": "1.0.0"}
    return json.dumps(
        {
            "resourceSpans": [
                {"resource": {"attributes": _attributes(resource)}, "scopeSpans": [{"scope": scope, "spans": spans}]}
            ]
        },
        separators=(",", ":"),
    )


def _call_spans(
    call: Any, trace: str, root: str | None, owner: dict[str, Any], given: dict[str, Any]
) -> list[dict[str, Any]]:
    own = f"{call.number + 1:010x}000001"
    failed = call.run_status == "error"
    attributes = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": _SEMCONV_PROVIDERS.get(call.provider, call.provider),
        "gen_ai.request.model": call.model,
        "gen_ai.response.model": call.model,
        "gen_ai.response.id": f"resp-{call.number:06x}",
        "gen_ai.conversation.id": call.task,
        "gen_ai.usage.input_tokens": int(call.uncached_input + call.cache_read + call.cache_write_5m),
        "gen_ai.usage.output_tokens": int(call.visible_output + call.reasoning),
        "gen_ai.usage.cache_read.input_tokens": int(call.cache_read) or None,
        "gen_ai.usage.cache_write.input_tokens": int(call.cache_write_5m) or None,
        "gen_ai.usage.reasoning.output_tokens": int(call.reasoning) or None,
        "gen_ai.agent.name": call.agent,
        "gen_ai.prompt.version": call.prompt_version,
        "data_class": call.data_class,
        "retries": int(call.retries) or None,
        "error.type": "rate_limit" if failed else None,
        **owner,
        **given,
    }
    spans = [
        _span(
            f"chat {call.model}",
            trace,
            own,
            root,
            call.start_ms,
            call.start_ms + call.latency_ms,
            attributes,
            failed=failed,
        )
    ]
    for number in range(call.tool_calls):
        start = call.start_ms + call.latency_ms + 50 * number
        broken = number < call.tool_failures
        tool = _CODE_TOOLS[(call.number + number) % len(_CODE_TOOLS)]
        identifier = f"{call.number + 1:010x}{number + 16:06x}"
        attributes = {
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": tool,
            "error.type": "tool_error" if broken else None,
        }
        spans.append(
            _span(f"execute_tool {tool}", trace, identifier, root or own, start, start + 300, attributes, failed=broken)
        )
    return spans
