"""Every record has one fate: a request, a bucket, a duplicate, skipped with a reason, or quarantined with one."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

TOTALS = ("requests", "aggregated", "duplicates", "quarantined", "skipped")

FAULTS: dict[str, tuple[dict[str, Any], str]] = {
    "negative": ({"prompt_tokens": -5, "total_tokens": 15}, "negative token count"),
    "cached-over-input": (
        {"metadata": {"usage_object": {"cache_read_input_tokens": 150}}},
        "cached tokens exceed input tokens",
    ),
    "reasoning-over-output": (
        {"metadata": {"usage_object": {"completion_tokens_details": {"reasoning_tokens": 30}}}},
        "reasoning tokens exceed output tokens",
    ),
    "absurd": ({"prompt_tokens": 200_000_000}, "absurd token count: over 100,000,000 in one call"),
    "fraction": ({"prompt_tokens": 3.7}, "token count is not a whole number"),
    "word": ({"prompt_tokens": "abc"}, "token count is not a whole number"),
    "truth": ({"completion_tokens": True}, "token count is not a whole number"),
    "list": ({"completion_tokens": [20]}, "token count is not a whole number"),
    "beyond-64-bits": ({"completion_tokens": 10**30}, "absurd token count"),
    "64-bits": ({"prompt_tokens": 2**63 - 1}, "absurd token count"),
    "64-bits-below-zero": ({"prompt_tokens": -(2**63)}, "absurd token count"),
    "hexadecimal": ({"prompt_tokens": "0x10"}, "token count is not a whole number"),
    "underscored": ({"prompt_tokens": "1_000"}, "token count is not a whole number"),
    "not-a-number": ({"prompt_tokens": "NaN"}, "token count is not a whole number"),
    "uncounted": ({"prompt_tokens": None, "completion_tokens": None, "total_tokens": None}, "no token counts"),
    "future": ({"startTime": "2030-01-01T00:00:00Z"}, "timestamp in the future"),
    "epoch-zero": ({"startTime": "1970-01-01T00:00:00Z"}, "timestamp before 2015"),
    "zero": ({"startTime": 0}, "timestamp before 2015"),
    "timeless": ({"startTime": None}, "no timestamp"),
    "blank-time": ({"startTime": "  "}, "no timestamp"),
    "unreadable": ({"startTime": "the day before"}, "unreadable timestamp"),
    "no-such-day": ({"startTime": "2026-13-45T10:00:00Z"}, "unreadable timestamp"),
    "time-of-a-list": ({"startTime": ["2026-09-01"]}, "unreadable timestamp"),
    "modelless": ({"model": None}, "no model"),
    "blank-model": ({"model": " "}, "no model"),
}
ACCEPTED: dict[str, tuple[dict[str, Any], tuple[int, int]]] = {
    "plain": ({}, (100, 20)),
    "text": ({"prompt_tokens": "100", "completion_tokens": " 20 "}, (100, 20)),
    "point-zero": ({"prompt_tokens": "12.0", "total_tokens": 32.0}, (12, 20)),
    "exponent": ({"prompt_tokens": 1e3, "total_tokens": "1.02e3"}, (1000, 20)),
    "half-null": ({"prompt_tokens": None, "total_tokens": None}, (0, 20)),
    "total-alone": ({"prompt_tokens": None, "completion_tokens": None}, (120, 0)),
    "zero-tokens": ({"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}, (0, 0)),
    "failed-uncounted": (
        {"prompt_tokens": None, "completion_tokens": None, "total_tokens": None, "status": "failure"},
        (0, 0),
    ),
    "failed-counted": ({"status": "failure"}, (100, 20)),
    "odd-metadata": ({"metadata": 5, "request_tags": "no list"}, (100, 20)),
    "broken-metadata": ({"metadata": "{broken", "request_tags": None}, (100, 20)),
    "null-metadata": ({"metadata": None, "request_tags": [None, 5, {"k": "v"}]}, (100, 20)),
}
MOMENTS: dict[str, Any] = {
    "zulu": "2026-09-01T10:00:00Z",
    "offset": "2026-09-01T12:00:00+02:00",
    "short-offset": "2026-09-01 05:30:00-04:30",
    "naive-is-utc": "2026-09-01 10:00:00",
    "named": "2026-09-01 10:00:00 UTC",
    "seconds": 1788256800,
    "seconds-text": "1788256800",
    "seconds-with-fraction": 1788256800.0,
    "milliseconds": 1788256800000,
    "microseconds": "1788256800000000",
    "nanoseconds": 1788256800000000000,
}


@pytest.fixture(scope="module")
def damaged(new_exports: Any, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """One file with every kind of row, read once."""
    found = new_exports(tmp_path_factory.mktemp("damaged"))
    rows = {name: found.call(name) | values for name, (values, _) in (FAULTS | ACCEPTED).items()}
    rows |= {name: found.call(name, startTime=moment) for name, moment in MOMENTS.items()}
    reading = found.read(list(rows.values()))
    kept = found.rows("quarantine", "source_position", "reason", "raw_text", "source", "source_file")
    columns = ("request_id", "uncached_input_tokens", "visible_output_tokens", "timestamp", "run_status")
    return {
        "rows": rows,
        "reading": reading,
        "quarantine": {json.loads(row[2])["request_id"]: row for row in kept},
        "requests": {row[0]: row[1:] for row in found.rows("requests", *columns)},
    }


@pytest.mark.parametrize("name", FAULTS)
def test_a_bad_row_is_quarantined_with_reason_line_and_text(damaged: dict[str, Any], name: str) -> None:
    """As it stands in the file; it is in no other table."""
    line = list(damaged["rows"]).index(name) + 1
    text = json.dumps(damaged["rows"][name])
    assert (line, FAULTS[name][1], text, "litellm", "log.jsonl") == damaged["quarantine"][f"r{name}"]
    assert f"r{name}" not in damaged["requests"]


@pytest.mark.parametrize("name", ACCEPTED)
def test_an_odd_row_is_read(damaged: dict[str, Any], name: str) -> None:
    """Counts as text, with a zero fraction or an exponent; missing ones are none; details that are nonsense none."""
    assert ACCEPTED[name][1] == damaged["requests"][f"r{name}"][:2]


@pytest.mark.parametrize("name", MOMENTS)
def test_a_time_in_any_form(damaged: dict[str, Any], name: str) -> None:
    """Seconds to nanoseconds, with an offset, without one: all the same moment."""
    assert "2026-09-01T10:00:00+00:00" == damaged["requests"][f"r{name}"][2].isoformat()


def test_all_rows_are_accounted_for(damaged: dict[str, Any]) -> None:
    """Read is the sum of the five fates, and the reasons add up to the quarantined."""
    counts = damaged["reading"].counts
    assert len(FAULTS) + len(ACCEPTED) + len(MOMENTS) == counts["read"] == sum(counts[fate] for fate in TOTALS)
    assert len(FAULTS) == counts["quarantined"] == sum(damaged["reading"].summary()["quarantine_reasons"].values())


def test_failed_calls_with_usage_are_billed(damaged: dict[str, Any]) -> None:
    """They stand among the requests with their status."""
    assert ("error", "error", "ok") == tuple(
        damaged["requests"][f"r{name}"][3] for name in ("failed-counted", "failed-uncounted", "plain")
    )


def test_one_id_is_one_row_and_the_latest_update_wins(exports: Any) -> None:
    """Wherever it stands; without an update the last one does; a row that is quarantined does not count."""
    rows = [
        exports.call(1, updated_at="2026-09-02T00:00:00Z", completion_tokens=30, total_tokens=130),
        exports.call(1, updated_at="2026-09-03T00:00:00Z", completion_tokens=50, total_tokens=150),
        exports.call(1, updated_at="2026-09-01T00:00:00Z", completion_tokens=40, total_tokens=140),
        exports.call(1, updated_at="2026-09-09T00:00:00Z", completion_tokens=-1, total_tokens=99),
        exports.call(2, completion_tokens=1, total_tokens=101),
        exports.call(2, completion_tokens=2, total_tokens=102),
    ]
    reading = exports.read(rows)
    assert {"read": 6, "requests": 2, "aggregated": 0, "duplicates": 3, "quarantined": 1, "skipped": 0} == (
        reading.counts
    )
    assert [("r1", 50), ("r2", 2)] == exports.rows("requests", "request_id", "visible_output_tokens")


def test_twins_of_one_call_are_one_row(exports: Any) -> None:
    """The same call logged under two ids counts once; a retry of it with other counts, or that failed, is its own."""
    rows = [
        exports.call(1, litellm_call_id="call"),
        exports.call(2, litellm_call_id="call"),
        exports.call(3, litellm_call_id="call", completion_tokens=30, total_tokens=130),
        exports.call(4, litellm_call_id="call", status="failure"),
        exports.call(5, litellm_call_id=""),
        exports.call(6, litellm_call_id=""),
    ]
    assert (5, 1) == tuple(exports.read(rows).counts[fate] for fate in ("requests", "duplicates"))
    assert ["r1", "r3", "r4", "r5", "r6"] == exports.rows("requests", "request_id")


def test_rows_without_an_id_are_told_apart_by_content(exports: Any) -> None:
    """Two equal calls of one file are two calls, and reading them again adds none."""
    row = {"timestamp": "2026-09-01T10:00:00Z", "model": "gpt-4o", "input_tokens": 1, "output_tokens": 1}
    first = exports.read([row, row, row | {"input_tokens": 2}], format="mapped")
    ids = exports.rows("requests", "request_id")
    exports.write(exports.lines(row, row, row | {"input_tokens": 2}, row))
    again = exports.again("log.jsonl", format="mapped")
    assert (3, 4, 0) == (first.counts["requests"], again.counts["requests"], again.counts["duplicates"])
    assert 3 == len(set(ids))
    assert set(ids) < set(exports.rows("requests", "request_id"))


def test_a_gateway_cache_hit_costs_nothing_and_keeps_what_it_avoided(exports: Any) -> None:
    """100 tokens at 2.50 and 20 at 10 USD per million are 0.00045 USD, paid once and avoided once."""
    hit = exports.call(2, cache_hit="True", request_id="r1_cache_hit1788256800")
    reading = exports.read([exports.call(1, cache_hit="None"), hit])
    assert (2, 120) == (reading.counts["requests"], reading.figures["tokens"])
    costs = exports.bench.ledger().costs
    assert (Decimal("0.00045"), Decimal("0.00045")) == tuple(
        sum(costs[column]) for column in ("contracted_cost", "avoided_cost")
    )
    assert (240, 120) == (costs["consumed_quantity"].sum(), costs["pricing_quantity"].sum())


def step(number: int, parent: int | None, kind: str, tokens: tuple[int, int] | None = None, **more: Any) -> Any:
    """Make a step of a trace, in the kit's own columns."""
    row = {"span_id": f"s{number}", "parent_id": None if parent is None else f"s{parent}", "kind": kind}
    row |= {"request_id": f"s{number}", "task_id": "t", "timestamp": "2026-09-01T10:00:00Z"}
    if tokens:
        row |= {"model": "gpt-4o", "input_tokens": tokens[0], "output_tokens": tokens[1]}
    return row | more


def mapping(folder: Path) -> str:
    """Write a mapping of a trace's columns."""
    names = ("span_id", "parent_id", "kind", "request_id", "task_id", "timestamp", "model")
    columns = {name: name for name in (*names, "input_tokens", "output_tokens", "environment", "category")}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "steps.yaml").write_text(json.dumps({"columns": columns}))
    return "steps.yaml"


TREES: dict[str, tuple[list[Any], list[int], list[str]]] = {
    "an agent repeats its calls": (
        [step(1, None, "agent", (30, 3)), step(2, 1, "call", (10, 1)), step(3, 1, "call", (20, 2))],
        [2, 3],
        ["agent step: repeats the calls below it"],
    ),
    "an agent counts otherwise": (
        [step(1, None, "agent", (99, 9)), step(2, 1, "call", (10, 1))],
        [2],
        ["agent step: its usage differs from the calls below it"],
    ),
    "an agent with usage and no call below stays visible": (
        [step(1, None, "agent", (30, 3)), step(2, 1, "tool")],
        [],
        ["agent step with usage but no call below it", "tool call"],
    ),
    "an agent without usage": ([step(1, None, "agent"), step(2, 1, "call", (10, 1))], [2], ["agent step"]),
    "a call in a call": (
        [step(1, None, "call", (10, 1)), step(2, 1, "call", (10, 1))],
        [2],
        ["call repeats the calls below it"],
    ),
    "a call in a call that does not add up": (
        [step(1, None, "call", (663, 905)), step(2, 1, "call", (663, 163))],
        [2],
        ["call repeats the calls below it, with other counts"],
    ),
    "through a step without usage": (
        [step(1, None, "call", (10, 1)), step(2, 1, "other"), step(3, 2, "call", (10, 1))],
        [3],
        ["call repeats the calls below it", "no model call"],
    ),
    "over two levels": (
        [step(1, None, "call", (10, 1)), step(2, 1, "call", (10, 1)), step(3, 2, "call", (10, 1))],
        [3],
        ["call repeats the calls below it", "call repeats the calls below it"],
    ),
    "a parent without counts": ([step(1, None, "retrieval"), step(2, 1, "call", (5, 1))], [2], ["retrieval"]),
    "a parent that is not there": ([step(2, 1, "call", (5, 1))], [2], []),
    "a parent of another trace": (
        [step(1, None, "call", (10, 1)), step(2, 1, "call", (10, 1), task_id="other")],
        [1, 2],
        [],
    ),
}


@pytest.fixture(scope="module", params=["as written", "in reverse"])
def trees(request: Any, new_exports: Any, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """All trees in one file, read once: what was kept and what was skipped, by tree."""
    exports = new_exports(tmp_path_factory.mktemp("trees"))
    rows = [
        row | {"task_id": f"{name}|{row['task_id']}", "request_id": f"{name}|{row['request_id']}"}
        for name, (steps, _, _) in TREES.items()
        for row in steps
    ]
    rows = rows if request.param == "as written" else rows[::-1]
    exports.read(rows, format="mapped", mapping=mapping(exports.bench.folder))
    found: dict[str, Any] = {name: ([], []) for name in TREES}
    for request_id in sorted(exports.rows("requests", "request_id")):
        found[request_id.split("|")[0]][0].append(int(request_id[-1]))
    for task_id, reason in sorted(exports.rows("spans", "task_id", "reason")):
        found[task_id.split("|")[0]][1].append(reason)
    return found


@pytest.mark.parametrize("name", TREES)
def test_only_leaves_are_billed(trees: dict[str, Any], name: str) -> None:
    """What repeats the calls below it is kept visible with a reason, in any order of the rows."""
    assert TREES[name][1:] == trees[name]


def test_steps_in_a_circle_do_not_hang(exports: Any) -> None:
    """Two calls that are each other's parent end somewhere."""
    rows = [step(1, 2, "call", (10, 1)), step(2, 1, "call", (10, 1))]
    reading = exports.read(rows, format="mapped", mapping=mapping(exports.bench.folder))
    assert 2 == sum(reading.counts[fate] for fate in TOTALS)


def test_judges_are_a_category_of_their_own(exports: Any) -> None:
    """An evaluator that calls a model, and a whole environment of evaluation, in Langfuse's terms."""
    base = {"traceId": "t", "startTime": "2026-09-01T10:00:00Z", "model": "gpt-4o", "usageDetails": {"input": 1}}
    rows = [
        base | {"id": "plain", "type": "GENERATION"},
        base | {"id": "judge", "type": "EVALUATOR"},
        base | {"id": "env", "type": "GENERATION", "environment": "langfuse-llm-as-a-judge"},
    ]
    exports.read(rows, format="langfuse")
    assert [("plain", "production"), ("judge", "evaluation"), ("env", "evaluation")] == (
        exports.rows("requests", "request_id", "category")
    )


def test_a_count_that_is_none_is_never_taken_for_zero(exports: Any) -> None:
    """In Langfuse's usage too, where parts are added to it."""
    row = {"traceId": "t", "type": "GENERATION", "startTime": "2026-09-01T10:00:00Z", "model": "gpt-4o"}
    rows = [
        row | {"id": str(n), "usageDetails": {"input": count, "output": 5, "input_audio_tokens": 2}}
        for n, count in enumerate(["abc", 3.7, True, 12.0])
    ]
    reading = exports.read(rows, format="langfuse")
    assert {"token count is not a whole number": 3} == reading.summary()["quarantine_reasons"]
    assert [(12, 2, 5)] == exports.rows(
        "requests", "uncached_input_tokens", "audio_input_tokens", "visible_output_tokens"
    )


def test_the_provider_goes_by_its_standard_name(exports: Any) -> None:
    """As spelled by gateways, inferred from the model where it is not given, else as it stands."""
    expected = [
        ("bedrock", "amazon.nova-lite-v1:0", "aws.bedrock"),
        ("Vertex_AI", "gemini-2.5-pro", "gcp.vertex_ai"),
        ("google.generative-ai", "gemini-2.5-pro", "gcp.gemini"),
        ("MyOwn", "house-model", "myown"),
        (None, "claude-sonnet-4-5", "anthropic"),
        (None, "gpt-4o", "openai"),
        (None, "nobody-knows-it", None),
    ]
    exports.read([exports.call(n, custom_llm_provider=own, model=model) for n, (own, model, _) in enumerate(expected)])
    assert [provider for _, _, provider in expected] == exports.rows("requests", "provider")


def test_no_spans_are_no_loss(exports: Any) -> None:
    """A line of OTLP without spans is counted, one that is no list of spans is refused."""
    rows = [{"resourceSpans": []}, {"resourceSpans": "none"}, {"other": 1}, {"resourceSpans": [{"scopeSpans": []}]}]
    reading = exports.read(rows, format="otlp")
    assert {"no timestamp": 2} == reading.summary()["quarantine_reasons"]
    assert (4, 2, 2) == tuple(reading.counts[key] for key in ("read", "quarantined", "skipped"))


@pytest.mark.parametrize(
    ("value", "expected"), [(250, 250.0), (0, 0.0), (-1, None), ("inf", None), ("NaN", None), ("1e400", None)]
)
def test_a_latency_is_a_span_of_time(exports: Any, value: Any, expected: float | None) -> None:
    """Not negative, not without end; an end before the start says nothing either."""
    exports.read([exports.call(1, request_duration_ms=value, endTime="2026-09-01T09:00:00Z")])
    assert [expected] == exports.rows("requests", "latency_ms")
