"""A team's files become requests; every row is accounted for, and reading anything again changes nothing."""

from __future__ import annotations

import gzip
import json
import os
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from finops_lib.cli import app
from finops_lib.errors import FinOpsError, SourceError
from finops_lib.ingest import read_source, refresh_ledger, workspace
from finops_lib.ingest.reading.sources import FATES, combined
from finops_lib.params import Source

REAL = Path(__file__).parents[4] / "shared" / "data" / "exports"
FIXTURES = Path(__file__).parents[1] / "readers" / "fixtures"
PROMISED = [
    *("read", "requests", "tokens", "aggregated", "quarantined", "duplicates", "ambiguous", "unpriced_tokens"),
    *("list_cost", "contracted_cost", "skipped", "reported_cost", "attribution_coverage"),
    *("first_timestamp", "last_timestamp", "quarantine_reasons"),
]


def ingest(project: Path, *arguments: str) -> dict[str, Any]:
    """Run the command and read the object on its last line."""
    result = CliRunner().invoke(app, ["ingest", *arguments, "--project", str(project), "--json"])
    assert result.exception is None, result.exception
    return json.loads(result.stdout.splitlines()[-1])


def sums_up(summary: dict[str, Any]) -> bool:
    """Whether every row read has one fate, and every quarantined one a reason."""
    return summary["read"] == sum(summary[fate] for fate in FATES) and summary["quarantined"] == sum(
        summary["quarantine_reasons"].values()
    )


def ledger_bytes(folder: Path) -> dict[str, bytes]:
    """Read the ledger's files."""
    files = sorted((folder / "outputs/workspace/ledger").glob("*.parquet"))
    return {path.name: path.read_bytes() for path in files}


@pytest.mark.skipif(not REAL.is_dir(), reason=f"no real exports at {REAL}")
@pytest.mark.parametrize(
    ("path", "format", "expected"),
    [
        ("langfuse", "langfuse", {"read": 23, "requests": 9, "skipped": 14, "tokens": 3378, "quarantined": 0}),
        ("langfuse/microsoft-agent-2025-10-14.json", "langfuse", {"requests": 2, "skipped": 2, "tokens": 761}),
        ("langfuse/google-gemini-2025-08-01.json", "auto", {"read": 1, "requests": 1, "tokens": 2061, "ambiguous": 0}),
        ("langfuse/langgraph-2025-08-22.json", "auto", {"read": 9, "requests": 2, "skipped": 7, "tokens": 234}),
        ("openai", "openai-usage", {"read": 13, "aggregated": 12, "skipped": 1, "requests": 0, "tokens": 15_915_910}),
        ("bedrock", "bedrock", {"read": 1, "requests": 1, "tokens": 42}),
        ("litellm", "litellm", {"read": 1, "requests": 1, "tokens": 30, "reported_cost": 0.000225}),
        ("otlp/*", "otlp", {"read": 15, "requests": 3, "quarantined": 9, "skipped": 3, "tokens": 10_691}),
    ],
)
def test_real_exports(tmp_path: Path, path: str, format: str, expected: dict[str, Any]) -> None:
    """Parents are not billed again, reasoning stands where it stands, and everything promised is said."""
    summary = ingest(tmp_path, "--format", format, str(REAL / path))
    assert expected == {key: summary[key] for key in expected}
    assert set(PROMISED) <= set(summary)
    assert sums_up(summary)


@pytest.mark.skipif(not REAL.is_dir(), reason=f"no real exports at {REAL}")
def test_all_real_exports_at_once(tmp_path: Path) -> None:
    """Each file is taken for what it is; reading them again says and changes nothing new."""
    first = ingest(tmp_path, str(REAL))
    assert "bedrock, langfuse, litellm, openai-usage, otlp" == first["format"]
    assert (53, 14, 12) == (first["read"], first["requests"], first["aggregated"])
    before = ledger_bytes(tmp_path)
    assert first == ingest(tmp_path, str(REAL))
    assert before == ledger_bytes(tmp_path)
    assert sums_up(first)


@pytest.mark.skipif(not REAL.is_dir(), reason=f"no real exports at {REAL}")
def test_reasoning_of_the_real_gemini_trace_is_inside_its_output(exports: Any) -> None:
    """2,061 = 6 in + 951 to be seen + 1,104 of reasoning."""
    exports.again(str(REAL / "langfuse" / "google-gemini-2025-08-01.json"), format="langfuse")
    columns = ("uncached_input_tokens", "visible_output_tokens", "reasoning_output_tokens")
    assert [(6, 951, 1104)] == exports.rows("requests", *columns)


def test_thoughts_of_vertex_stand_beside_the_candidates(exports: Any) -> None:
    """3 + 29 + 901 = 933, in the shape of the public sample."""
    usage = {"prompt_token_count": 3, "candidates_token_count": 29, "thoughts_token_count": 901}
    usage |= {"total_token_count": 933}
    row = {"logging_time": "2026-09-01T10:00:00Z", "request_id": "1", "model": "gemini-2.5-pro", "endpoint": "e"}
    row |= {"api_method": "generateContent", "full_response": {"usage_metadata": usage}}
    reading = exports.read([row], format="vertex")
    columns = ("uncached_input_tokens", "visible_output_tokens", "reasoning_output_tokens")
    assert (933, [(3, 29, 901)]) == (reading.figures["tokens"], exports.rows("requests", *columns))


def test_every_format_goes_all_the_way(exports: Any) -> None:
    """Recognised, read, priced and summed, every row with a fate."""
    readings = read_source(Source(path=str(FIXTURES)), exports.bench.params())
    assert sorted(path.name for path in FIXTURES.iterdir() if path.is_dir()) == [reading.format for reading in readings]
    for reading in readings:
        summary = reading.summary()
        assert sums_up(summary)
        assert summary["requests"] + summary["aggregated"] > 0
    assert sums_up(combined(readings))
    assert refresh_ledger(exports.bench.params())


def logs(exports: Any, *numbers: int, **values: Any) -> str:
    """Write calls whose tokens tell them apart."""
    return exports.lines(
        *(exports.call(n, prompt_tokens=10**n, completion_tokens=0, total_tokens=10**n, **values) for n in numbers)
    )


def test_reading_again_changes_nothing(exports: Any) -> None:
    """Neither unchanged nor touched; the ledger is equal byte by byte."""
    content = logs(exports, 1, 2) + "{broken\n" + exports.lines(exports.call(7, prompt_tokens=-1))
    first = exports.read(content)
    refresh_ledger(exports.bench.params())
    before = ledger_bytes(exports.bench.folder)
    assert first == exports.again("log.jsonl")
    os.utime(exports.bench.folder / "log.jsonl", (1_800_000_000, 1_800_000_000))
    assert first == exports.again("log.jsonl")
    refresh_ledger(exports.bench.params())
    assert before == ledger_bytes(exports.bench.folder)
    assert 2 == len(exports.rows("quarantine", "reason"))


def test_the_overlap_of_two_exports_counts_once(exports: Any) -> None:
    """Two of three rows were there before; the figures are of what was added."""
    exports.read(logs(exports, 1, 2), "b.jsonl")
    second = exports.read(logs(exports, 1, 2, 3), "a.jsonl")
    assert (3, 1, 2, 1_000) == (
        second.counts["read"],
        second.counts["requests"],
        second.counts["duplicates"],
        second.figures["tokens"],
    )
    assert second == exports.again("a.jsonl")
    assert 1_110 == exports.bench.ledger().costs["pricing_quantity"].sum()


@pytest.mark.parametrize("order", ["abc", "bca"])
def test_the_latest_update_wins_in_any_order(exports: Any, order: str) -> None:
    """Of three exports of one call."""
    content = {name: logs(exports, n, request_id="r", updated_at=f"2026-10-0{day}") for name, n, day in
               (("a", 1, 1), ("b", 2, 3), ("c", 3, 2))}  # fmt: skip
    for name in order:
        exports.read(content[name], f"{name}.jsonl")
    assert [100] == exports.rows("requests", "uncached_input_tokens")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=4, deadline=None)
@given(data=st.data())
def test_files_may_be_split_merged_and_shuffled(tmp_path_factory: Any, new_exports: Any, data: st.DataObject) -> None:
    """The same rows in any files, read in any order, in one command or several, give the same ledger."""
    rows = list(range(6)) + data.draw(st.lists(st.integers(0, 5), max_size=3), label="repeated")
    parts = data.draw(st.lists(st.integers(0, 2), min_size=len(rows), max_size=len(rows)), label="parts")
    order = data.draw(st.permutations(rows), label="order")
    together = data.draw(st.booleans(), label="together")
    exports = new_exports(tmp_path_factory.mktemp("split"))
    for part in sorted(set(parts)):
        chosen = [n for n, own in zip(order, parts, strict=True) if own == part]
        content = logs(exports, *chosen).encode()
        name = f"logs/{part}.jsonl"
        exports.write(gzip.compress(content) if part == 1 else content, name + (".gz" if part == 1 else ""))
        if not together:
            exports.again("logs/*")
    exports.again("logs")
    costs = exports.bench.ledger().costs
    assert 111_111 == costs["pricing_quantity"].sum()
    assert set(range(6)) == {int(name[1:]) for name in exports.rows("requests", "request_id")}


def test_files_of_one_command_are_one_reading(exports: Any) -> None:
    """A twin in another file, a parent in another file: known when read together."""
    exports.write(logs(exports, 1, litellm_call_id="call"), "a.jsonl")
    exports.write(logs(exports, 1, request_id="other", litellm_call_id="call"), "b.jsonl")
    assert (1, 1) == tuple(exports.again("*.jsonl").counts[fate] for fate in ("requests", "duplicates"))


def test_a_corrected_file_replaces_its_rows(exports: Any) -> None:
    """A row that was bad is read, one that changed is taken anew, what was set aside goes."""
    exports.read(logs(exports, 1, 2) + "{broken\n")
    exports.read(logs(exports, 1) + logs(exports, 3, request_id="r2") + logs(exports, 4))
    assert [10, 1_000, 10_000] == exports.rows("requests", "uncached_input_tokens")
    assert [] == exports.rows("quarantine", "reason")


def csv_of(*rows: str) -> str:
    """Write calls without ids: time, input tokens and, where given, what else stands in the row."""
    return "timestamp,model,input_tokens,output_tokens\n" + "".join(f"2026-09-{row}\n" for row in rows)


def test_rows_without_ids_are_one_row_in_any_grouping(exports: Any) -> None:
    """The same content in two files is one row, and reading one of them alone takes nothing away."""
    for name in ("a.csv", "b.csv"):
        exports.write(csv_of("01T10:00:00Z,gpt-4o,100,10"), name)
    together = exports.again("*.csv", format="mapped").counts
    assert (1, 1) == (together["requests"], together["duplicates"])
    for name in ("a.csv", "b.csv", "a.csv"):
        exports.again(name, format="mapped")
        assert ["b.csv"] == exports.rows("requests", "source_file")


def test_a_file_read_again_replaces_what_it_held_of_its_time(exports: Any) -> None:
    """A corrected count and a row taken out go; what a rotated log no longer covers stays."""
    exports.read(csv_of("01T10:00:00Z,gpt-4o,5,1", "02T10:00:00Z,gpt-4o,50,1"), "a.csv", format="mapped")
    exports.read(csv_of("02T10:00:00Z,gpt-4o,55,1", "03T10:00:00Z,gpt-4o,6,1"), "a.csv", format="mapped")
    assert [5, 55, 6] == exports.rows("requests", "uncached_input_tokens")[:3]
    exports.read(csv_of("02T10:00:00Z,gpt-4o,55,1", "02T12:00:00Z,gpt-4o,-4,1"), "a.csv", format="mapped")
    exports.read(csv_of("02T09:00:00Z,gpt-4o,7,1", "03T10:00:00Z,gpt-4o,-6,1"), "a.csv", format="mapped")
    assert [5, 7] == sorted(exports.rows("requests", "uncached_input_tokens"))


def test_a_row_that_became_bad_is_in_quarantine_only(exports: Any) -> None:
    """With an id as without one; a time that cannot be right says nothing of what a file covers."""
    exports.read([exports.call(1), exports.call(2, startTime="2026-08-01T10:00:00Z")])
    exports.read([exports.call(1, prompt_tokens=-4), exports.call(3, startTime="1970-01-01T00:00:00Z")])
    assert ["r2"] == exports.rows("requests", "request_id")
    assert ["negative token count", "timestamp before 2015"] == exports.rows("quarantine", "reason")


def test_a_row_that_lost_is_found_again_when_its_rival_goes(exports: Any) -> None:
    """The other file is read anew, although it did not change."""
    exports.read([exports.call(1, prompt_tokens=7, total_tokens=27)], "a.jsonl")
    exports.read([exports.call(1), exports.call(2)], "b.jsonl")
    assert 0 == exports.again("a.jsonl").figures["tokens"] - 27
    assert ["b.jsonl", "b.jsonl"] == exports.rows("requests", "source_file")
    exports.read([exports.call(2), exports.call(3)], "b.jsonl")
    exports.again("a.jsonl")
    assert [("a.jsonl", "r1"), ("b.jsonl", "r2"), ("b.jsonl", "r3")] == exports.rows(
        "requests", "source_file", "request_id"
    )


ROW = st.tuples(
    st.integers(0, 2),  # what tells rows without ids apart
    st.sampled_from([None, None, "r1", "r2"]),
    st.sampled_from([None, "2026-10-01T00:00:00Z", "2026-10-02T00:00:00Z"]),
    st.booleans(),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=12, deadline=None)
@given(
    files=st.lists(st.lists(ROW, max_size=4), min_size=2, max_size=3),
    groups=st.lists(st.sets(st.integers(0, 2), min_size=1), min_size=1, max_size=4),
)
def test_any_grouping_order_and_repetition_gives_the_same_rows(
    tmp_path_factory: Any, new_exports: Any, files: list[Any], groups: list[set[int]]
) -> None:
    """With ids and without, of any version, the bad ones too."""
    found = []
    for steps in ([], [{number % len(files) for number in group} for group in groups]):
        exports = new_exports(tmp_path_factory.mktemp("grouped"))
        for number, rows in enumerate(files):
            lines = [
                {"timestamp": f"2026-09-0{n + 1}T10:00:00Z", "model": "gpt-4o", "request_id": key, "updated_at": moment}
                | {"input_tokens": n + 10 * number * bool(key) if good else -1, "output_tokens": 1}
                for n, key, moment, good in rows
            ]
            exports.write(exports.lines(*lines), f"{number}.jsonl")
        for step in [*steps, set(range(len(files)))]:
            source, params = Source(path="x", format="mapped"), exports.bench.params()
            read_source(source, params, paths=[f"{number}.jsonl" for number in step])
        columns = ("source_file", "source_position", "request_id", "uncached_input_tokens", "updated_at")
        found.append(sorted(map(str, exports.rows("requests", *columns))))
    assert found[0] == found[1]


def test_one_file_by_two_paths_is_one_file(exports: Any) -> None:
    """However it is spelled, inside the project and outside it."""
    outside = exports.bench.folder.parent / "outside"
    for name, spelled in (("a.jsonl", "x/../a.jsonl"), (str(outside / "b.jsonl"), str(outside / "x/../b.jsonl"))):
        path = exports.write(logs(exports, 1) + "{broken\n", name)
        (path.parent / "x").mkdir()
        first = exports.again(name)
        assert first == exports.again(spelled)
    assert 2 == len(exports.rows("quarantine", "reason"))
    assert "a.jsonl" in exports.rows("quarantine", "source_file")


def test_a_file_of_another_format_is_refused(exports: Any) -> None:
    """It says what it looks like instead; nothing is read."""
    with pytest.raises(SourceError, match="not an export of format 'helicone'; it looks like 'litellm'"):
        exports.read(logs(exports, 1), format="helicone")
    with pytest.raises(SourceError, match="Unknown format 'litelm'"):
        exports.again("log.jsonl", format="litelm")
    with pytest.raises(SourceError, match="its format is not recognised"):
        exports.read('{"a": 1}\n', "other.jsonl", format="auto")
    assert [] == workspace.files_of(exports.bench.folder / "outputs/workspace", "requests")


def test_a_mapping_that_names_no_column_of_the_file_is_refused(exports: Any) -> None:
    """With the nearest name where tokens are meant, with a warning where it is about anything else."""
    columns = {"timestamp": "timestamp", "model": "model", "input_tokens": "inputt", "team": "squad"}
    exports.write(json.dumps({"columns": columns}), "map.yaml")
    rows = csv_of("01T10:00:00Z,gpt-4o,100,10")
    with pytest.raises(
        SourceError, match=r"log\.csv: has no column 'inputt', which the mapping names for input_tokens"
    ):
        exports.read(rows, "log.csv", format="mapped", mapping="map.yaml")
    exports.write(json.dumps({"columns": columns | {"input_tokens": "Input_Tokens"}}), "map.yaml")
    reading = exports.read(rows, "log.csv", format="mapped", mapping="map.yaml")
    assert ["log.csv has no column 'squad' for team"] == reading.warnings
    assert reading == exports.again("log.csv", format="mapped", mapping="map.yaml")
    line = {"timestamp": "2026-09-01T10:00:00Z", "model": "gpt-4o", "input_tokens": 1}
    with pytest.raises(SourceError, match="no column 'Input_Tokens'"):
        exports.read([line], format="mapped", mapping="map.yaml")


def test_the_kits_own_columns_are_not_taken_for_granted(exports: Any) -> None:
    """Without a mapping a file of another format is told from one without a time."""
    with pytest.raises(SourceError, match="it looks like 'litellm'"):
        exports.read([exports.call(1)], format="mapped")
    with pytest.raises(SourceError, match="it has model, when"):
        exports.read([{"when": 1, "model": "m"}], format="mapped")


@pytest.mark.parametrize(
    ("name", "lines", "expected"),
    [
        (
            "bedrock",
            [
                {"message": '{"modelId": "m", "input": {"inputTok'},
                {"message": "START RequestId: 5"},
                {"message": '{"a": "cut \\\\ud83d", "b": 1}'},
                {"events": "x"},
                {"events": [5]},
                {"schemaType": "ModelInvocationLog", "timestamp": "2026-09-01T10:00:00Z", "requestId": "r"},
            ],
            {
                "log event of truncated or malformed JSON": 1,
                "log events are no list": 1,
                "log event without a message": 1,
                "no model": 1,
            },
        ),
        (
            "langfuse",
            [
                {"id": "1", "startTime": "2026-09-01T10:00:00Z", "usageDetails": {"input": 5}, "traceId": "t"},
                {"id": "2", "usageDetails": {"input": 5}, "traceId": "t"},
                {"id": "t", "name": "a trace"},
            ],
            {"observation without a type": 2},
        ),
        (
            "openai-usage",
            [
                {"start_time": 1788220800, "end_time": 1788307200, "results": "x"},
                {"start_time": 1788220800, "end_time": 1788307200, "results": [1, "a"]},
                {"start_time": 1788220800, "end_time": 1788307200, "results": []},
                {"start_time": 1788220800, "end_time": 1788307200, "results": [{"input_tokens": None}]},
            ],
            {"a bucket without a list of results": 1, "a result that is no JSON object": 2, "no token counts": 1},
        ),
    ],
)
def test_a_damaged_record_is_set_aside_and_not_passed_over(
    exports: Any, name: str, lines: list[Any], expected: dict[str, int]
) -> None:
    """What is no call at all is skipped; what was one and is damaged is not."""
    exports.write(exports.lines(*records_of(name)[:1], *lines))
    assert expected == exports.again("log.jsonl", format=name).summary()["quarantine_reasons"]


@pytest.mark.parametrize(
    ("content", "format"),
    [
        ("", "auto"),
        ("", "litellm"),
        ("\n \n", "auto"),
        (b"\xef\xbb\xbf", "auto"),
        ("[]", "auto"),
        (gzip.compress(b""), "auto"),
    ],
)
def test_an_empty_file_is_read_as_nothing(exports: Any, content: str | bytes, format: str) -> None:
    """Of no format or any."""
    summary = exports.read(content, format=format).summary()
    assert (0, 0, None, None) == tuple(summary[k] for k in ("read", "tokens", "list_cost", "first_timestamp"))


def test_a_folder_of_several_formats(exports: Any) -> None:
    """Is read format by format, and empty files stop nothing."""
    exports.write(logs(exports, 1), "logs/a.jsonl")
    exports.write((FIXTURES / "vertex" / "log.jsonl").read_bytes(), "logs/b.jsonl")
    exports.write("", "logs/empty.csv")
    readings = read_source(Source(path="logs"), exports.bench.params())
    assert ["litellm", "mapped", "vertex"] == [reading.format for reading in readings]
    assert [["logs/a.jsonl"], ["logs/empty.csv"], ["logs/b.jsonl"]] == [reading.files for reading in readings]


@pytest.mark.parametrize(("rows", "warned"), [(10_000, True), (9_999, False)])
def test_an_export_that_hit_the_row_limit_is_warned_of(exports: Any, rows: int, warned: bool) -> None:
    """LiteLLM cuts off at 10,000 rows."""
    header = "request_id,call_type,startTime,model,prompt_tokens,completion_tokens\n"
    content = header + "".join(f"r{n},acompletion,2026-09-01T10:00:00Z,gpt-4o,1,1\n" for n in range(rows))
    warnings = exports.read(content, "log.csv").warnings
    expected = ["log.csv holds exactly 10,000 rows, the limit of litellm exports: it is probably cut off"]
    assert (expected if warned else []) == warnings


def test_days_without_calls_are_warned_of(exports: Any) -> None:
    """More than three days; a weekend is none."""
    days = ["01", "04", "08"]
    rows = [exports.call(n, startTime=f"2026-09-{day}T23:59:59Z") for n, day in enumerate(days)]
    assert ["no calls between 2026-09-04 and 2026-09-08: are logs missing?"] == exports.read(rows).warnings
    rows = [exports.call(n, startTime=f"2026-{n:02}-01T00:00:00Z") for n in range(1, 9)]
    assert 6 == len(exports.read(rows, "months.jsonl").warnings)
    assert ["2 more gaps of over 3 days"] == exports.again("months.jsonl").warnings[5:]


def test_figures_of_a_reading(exports: Any) -> None:
    """Two calls of 0.00045 USD, one of a model nobody knows: null cost, its tokens counted."""
    rows = [
        exports.call(1, spend=0.001),
        exports.call(2, spend="0.002", startTime="2026-09-02T00:00:00.5Z"),
        exports.call(3, model="unheard-of", custom_llm_provider=None),
    ]
    summary = exports.read(rows).summary()
    assert {
        "tokens": 360,
        "unpriced_tokens": 120,
        "list_cost": 0.0009,
        "contracted_cost": 0.0009,
        "reported_cost": 0.003,
        "attribution_coverage": 0.0,
        "ambiguous": 0,
        "first_timestamp": "2026-09-01T10:00:00.000000Z",
        "last_timestamp": "2026-09-02T00:00:00.500000Z",
    } == {key: summary[key] for key in summary if key in PROMISED and key not in (*FATES, "read", "quarantine_reasons")}


def test_the_command_without_json_says_the_same(tmp_path: Path, exports: Any) -> None:
    """In words: what it took a file for, how many rows, what was set aside and why."""
    path = exports.write(logs(exports, 1, 2) + "{broken\n", "log.jsonl")
    result = CliRunner().invoke(app, ["ingest", str(path), "--project", str(tmp_path / "p")])
    assert 0 == result.exit_code
    for told in ("Taken for litellm", "1 quarantined: truncated or malformed JSON", "requests", "quarantined"):
        assert told in result.stdout


def test_the_command_takes_many_paths_and_a_workspace(tmp_path: Path, exports: Any) -> None:
    """A file, a glob and a folder; the ledger lies where it is told to."""
    paths = [exports.write(logs(exports, n), f"{n}/log.jsonl") for n in (1, 2, 3)]
    arguments = [str(paths[0]), str(paths[1].parent / "*.jsonl"), str(paths[2].parent)]
    there = tmp_path / "there"
    summary = ingest(tmp_path / "p", *arguments, "--format", "litellm", "--workspace", str(there))
    assert (3, 1_110) == (summary["requests"], summary["tokens"])
    assert ["2026-09.parquet"] == [path.name for path in (there / "ledger").iterdir()]
    assert not (tmp_path / "p" / "outputs").exists()


def test_the_command_names_assistant_and_account(tmp_path: Path, exports: Any) -> None:
    """Of calls that name none."""
    path = exports.write(logs(exports, 1))
    ingest(tmp_path / "p", str(path), "--assistant", "bot", "--account", "acc")
    exports.bench.folder = tmp_path / "p"
    assert [("bot", "acc")] == exports.rows("requests", "assistant", "provider_account")


def test_the_command_reads_other_tables(tmp_path: Path, exports: Any) -> None:
    """By a mapping, with the same object."""
    path = exports.write("day,bot,what,n\n2026-09-01,b,resolved,3\n2026-09-01,b,resolved,x\n", "outcomes.csv")
    mapping = exports.write("columns: {date: day, assistant: bot, outcome: what, outcome_count: n}", "map.yaml")
    arguments = [str(path), "--table", "outcomes", "--format", "mapped", "--mapping", str(mapping)]
    summary = ingest(tmp_path / "p", *arguments)
    assert (2, 1, {"outcome_count is not of type BIGINT": 1}) == (
        summary["read"],
        summary["requests"],
        summary["quarantine_reasons"],
    )
    assert set(PROMISED) <= set(summary)


@pytest.mark.parametrize(
    "arguments",
    [["missing.jsonl"], ["*.none"], ["--format", "litelm", "missing.jsonl"], ["--table", "outcome", "missing.jsonl"]],
)
def test_the_command_fails_in_words(tmp_path: Path, arguments: list[str]) -> None:
    """With an error of the kit, not one of a library."""
    result = CliRunner().invoke(app, ["ingest", *arguments, "--project", str(tmp_path)])
    assert isinstance(result.exception, FinOpsError)


def test_a_database_is_read_alone_and_holds_spend_logs(exports: Any) -> None:
    """Anything else beside its URL is refused rather than passed over."""
    params, url = exports.bench.params(), "postgresql://u@h/db"
    with pytest.raises(SourceError, match="read alone, found 2 paths"):
        read_source(Source(path="a"), params, paths=["a.jsonl", url])
    with pytest.raises(SourceError, match="holds spend logs of LiteLLM, not 'langfuse'"):
        read_source(Source(path=url, format="langfuse"), params)


@pytest.mark.parametrize("name", ["bedrock", "vertex", "langfuse", "litellm", "azure-apim", "portkey", "helicone"])
def test_a_prompt_cut_in_the_middle_of_a_character_loses_no_call(exports: Any, name: str) -> None:
    """As an escape and as a byte, in a line on its own and in one the engine cannot cut."""
    good = records_of(name)
    clean = exports.read(good, "a.jsonl", format=name).summary()
    for number, (half, more) in enumerate(((rb'{"cut": "\ud83d", ', b""), (b'{"cut": "\xf0\x9f", ', b"{broken\n"))):
        lines = [half + json.dumps(row).encode()[1:] + b"\n" for row in good]
        found = exports.read(b"".join(lines) + more, f"b{number}.jsonl", format=name).summary()
        assert {"read": clean["read"] + number, "quarantined": clean["quarantined"] + number} == {
            key: found[key] for key in ("read", "quarantined")
        }
        assert clean["requests"] == found["requests"]


@pytest.mark.parametrize("junk", [b"", b"junk"])
def test_a_packed_log_that_breaks_off_is_named(exports: Any, junk: bytes) -> None:
    """However large it is, beside one that is whole."""
    noise = random.Random(0)
    rows = [exports.call(n, user=noise.randbytes(200).hex()) for n in range(4_000)]
    packed = gzip.compress(exports.lines(*rows).encode(), 1)
    exports.write(exports.lines(exports.call(1)), "logs/a.jsonl")
    exports.write(packed + junk if junk else packed[:-2_000], "logs/b.jsonl.gz")
    with pytest.raises(SourceError, match=r"b\.jsonl\.gz: cannot be read"):
        exports.again("logs")


def test_a_name_with_brackets_is_no_pattern(exports: Any) -> None:
    """The file itself is read, and a project folder may be named so too."""
    exports.bench.folder = exports.bench.folder / "a[1]*"
    exports.write(exports.lines(exports.call(1)), "logs1.jsonl")
    exports.write(exports.lines(exports.call(2)), "logs[1].jsonl")
    assert 1 == exports.again("logs[1].jsonl").counts["requests"]
    assert ["r2"] == exports.rows("requests", "request_id")


def test_a_bad_line_is_no_call_where_constants_say_all_a_call_needs(exports: Any) -> None:
    """Time, model and a hit in the cache for every row."""
    constants = {"timestamp": "2026-09-01T10:00:00Z", "model": "gpt-4o", "cache_hit": "true"}
    mapping = json.dumps({"columns": {"request_id": "no"}, "constants": constants})
    exports.write(mapping, "map.yaml")
    counts = exports.read('{"no": "1"}\n{bad\n{"no": "2"}\n', format="mapped", mapping="map.yaml").counts
    assert (2, 1) == (counts["requests"], counts["quarantined"])


BAD: list[Any] = [None, 5, -1, "abc", "", [], {}, [1], {"a": 1}, True, 3.7, "12.0", 1e30, "é\u2028", "2026-13-45"]
PAGES = {"data", "tables", "events", "logEvents"}


def damaged(value: Any, chance: random.Random) -> Any:
    """Put something else somewhere into a JSON value, or leave something out."""
    if isinstance(value, dict | list) and value and chance.random() < 0.8:
        copy = value.copy()
        place = chance.choice(list(copy) if isinstance(copy, dict) else range(len(copy)))
        if isinstance(copy, dict) and chance.random() < 0.2:
            del copy[place]
        else:
            copy[place] = damaged(copy[place], chance)
        return copy
    return chance.choice(BAD)


def records_of(name: str) -> list[Any]:
    """List the JSON records of a format's fixtures."""
    found: list[Any] = []
    for path in sorted((FIXTURES / name).glob("*.json*")):
        text = path.read_text(encoding="utf-8")
        values = [json.loads(line) for line in text.splitlines()] if path.suffix == ".jsonl" else [json.loads(text)]
        found += [part for value in values for part in (value if isinstance(value, list) else [value])]
    return found


@pytest.mark.parametrize("name", sorted(path.name for path in FIXTURES.iterdir() if path.is_dir()))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=2, deadline=None)
@given(chance=st.randoms(use_true_random=False), junk=st.sampled_from(["", "{", "garbage", "[1, 2]", '{"a": "b']))
def test_no_damage_stops_a_reading_or_loses_a_row(
    tmp_path_factory: Any, new_exports: Any, name: str, chance: random.Random, junk: str
) -> None:
    """Whatever happened to some records of a format, each line is accounted for."""
    records = records_of(name)
    rows = [damaged(chance.choice(records), chance) for _ in range(12)]
    rows = [chance.choice(records), *rows, chance.choice(records)]
    exports = new_exports(tmp_path_factory.mktemp("damage"))
    summary = exports.read(exports.lines(*rows) + junk, format=name).summary()
    assert sums_up(summary)
    pages = sum(isinstance(row, dict) and not PAGES.isdisjoint(row) for row in rows)
    assert summary["read"] >= len(rows) + bool(junk) - pages


def counts_replaced(value: Any, by: Any, key: str = "") -> Any:
    """Put something else into every count and latency of a JSON value."""
    if isinstance(value, dict):
        return {name: counts_replaced(part, by, name.lower()) for name, part in value.items()}
    if isinstance(value, list):
        return [counts_replaced(part, by, key) for part in value]
    counts = isinstance(value, int | float) and any(part in key for part in ("token", "usage", "units", "put", "laten"))
    return by if counts else value


@pytest.mark.parametrize("absurd", [2**63 - 1, 2 * 10**18, -(2**63), 10**15, 1e300])
def test_absurd_counts_of_any_format_are_set_aside(exports: Any, absurd: float) -> None:
    """No sum of them runs over, and none comes into a figure."""
    for name in sorted(path.name for path in FIXTURES.iterdir() if path.is_dir()):
        summary = exports.read(counts_replaced(records_of(name), absurd), f"{name}.jsonl", format=name).summary()
        assert sums_up(summary)
        assert summary["tokens"] < 10**6, name
