"""Any table is read by a small mapping of its columns; a mapping that cannot be meant is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from finops_lib.errors import ParamsError
from finops_lib.ingest.readers.mapped import ACCEPTED, Mapping, mapped_reader, read_mapping
from finops_lib.params import Source

COLUMNS = {"timestamp": "when", "model": "engine", "input_tokens": "in", "output_tokens": "out", "request_id": "no"}
ROW = {"when": "2026-09-01T10:00:00Z", "engine": "gpt-4o", "in": 100, "out": 20, "no": "1"}


def written(folder: Path, mapping: Any) -> Path:
    """Write a mapping file."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "columns.yaml"
    path.write_text(mapping if isinstance(mapping, str) else yaml.safe_dump(mapping))
    return path


@pytest.fixture
def read(exports: Any) -> Callable[..., Any]:
    """Read a file by a mapping: the reading, and columns of its requests."""

    def run(content: str | list[Any], mapping: dict[str, Any], *columns: str, name: str = "log.jsonl") -> Any:
        written(exports.bench.folder, mapping)
        reading = exports.read(content, name, format="mapped", mapping="columns.yaml")
        return reading, exports.rows("requests", *columns) if columns else None

    return run


def test_without_a_file_every_column_keeps_its_name() -> None:
    """The kit's own names are accepted."""
    mapping = read_mapping(None)
    assert {name: name for name in ACCEPTED} == mapping.columns
    assert {"timestamp", "team", "tags", "parent_id", "reported_cost", "resolved"} <= set(ACCEPTED)


@pytest.mark.parametrize(
    ("mapping", "told"),
    [
        ("columns: [", "no mapping of columns"),
        ("just text", "no mapping of columns"),
        ({"colums": {}}, "colums"),
        ({"usage_basis": "maybe"}, "usage_basis"),
        ({"columns": {"input_token": "in"}}, "did you mean 'input_tokens'"),
        ({"constants": {"tem": "x"}}, "did you mean 'team'"),
        ({"columns": {"zzzzzz": "in"}}, "known: accepted"),
    ],
)
def test_a_mapping_that_cannot_be_meant_is_refused(tmp_path: Path, mapping: Any, told: str) -> None:
    """Unknown keys and columns are named, with the nearest known one."""
    with pytest.raises(ParamsError) as caught:
        read_mapping(written(tmp_path, mapping))
    assert told in str(caught.value)
    assert "columns.yaml" in caught.value.message


def test_a_missing_mapping_is_an_error(tmp_path: Path) -> None:
    """The file is named."""
    with pytest.raises(ParamsError, match=r"none\.yaml"):
        read_mapping(tmp_path / "none.yaml")


def test_an_empty_mapping_maps_nothing(tmp_path: Path) -> None:
    """And other tables have columns of their own."""
    assert {} == read_mapping(written(tmp_path, "")).columns
    path = written(tmp_path, {"columns": {"outcome_count": "n"}})
    assert {"outcome_count": "n"} == read_mapping(path, "outcomes").columns
    with pytest.raises(ParamsError, match="table 'requests' has no column 'outcome_count'"):
        read_mapping(path)


def test_the_reader_follows_the_mapping() -> None:
    """A format like the others, with the declared conventions."""
    reader = mapped_reader(Mapping(columns=COLUMNS, usage_basis="exclusive", reasoning="outside", layer="provider_log"))
    assert ("provider_log", "exclusive", "outside", True, False) == (
        reader.layer,
        reader.input_basis,
        reader.reasoning_basis,
        reader.basis_given,
        reader.shares_tasks,
    )
    assert {"started", "model", "raw_input", "raw_output", "request_id"} == reader.observed
    assert mapped_reader(Mapping(columns=COLUMNS | {"parent_id": "above"})).shares_tasks


@pytest.mark.parametrize(
    "columns", [{"model": "source_file"}, {"model": "Source_Position"}, {"model": "Model", "team": "model"}]
)
def test_columns_the_engine_cannot_tell_apart_are_refused(tmp_path: Path, columns: dict[str, str]) -> None:
    """From one another or from those the kit adds, capital letters aside."""
    with pytest.raises(ParamsError, match="cannot be told from"):
        read_mapping(written(tmp_path, {"columns": columns}))


def test_csv_json_and_parquet_read_alike(exports: Any, read: Any) -> None:
    """The same two calls from five containers: 240 tokens each time."""
    rows = [ROW, ROW | {"no": "2"}]
    header = "when,engine,in,out,no\n"
    lines = "".join(",".join(str(value) for value in row.values()) + "\n" for row in rows)
    exports.bench.folder.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(rows), exports.bench.folder / "a.parquet")
    written(exports.bench.folder, {"columns": COLUMNS})
    found = [
        read(content, {"columns": COLUMNS}, name=name)[0].figures["tokens"]
        for name, content in (
            ("a.csv", header + lines),
            ("b.csv", (header + lines).replace(",", ";")),
            ("a.jsonl", rows),
            ("a.json", json.dumps(rows)),
            ("page.json", json.dumps({"rows": rows})),
        )
    ]
    found.append(exports.again("a.parquet", format="mapped", mapping="columns.yaml").figures["tokens"])
    # one id is one row, that of the file whose name comes last so far
    assert [240, 240, 0, 0, 240, 0] == found
    assert ["1", "2"] == exports.rows("requests", "request_id")


def test_a_row_with_a_list_of_its_own_is_no_page(read: Any) -> None:
    """Messages kept beside the counts are left alone, in lines and in an array."""
    rows = [ROW | {"messages": [{"role": "user"}, {"role": "assistant"}]}, ROW | {"no": "2"}]
    for name, content in (("a.jsonl", rows), ("a.json", json.dumps(rows)), ("b.json", json.dumps(rows[:1], indent=1))):
        reading, ids = read(content, {"columns": COLUMNS}, "request_id", name=name)
        assert {} == reading.summary()["quarantine_reasons"]
    assert ["1", "2"] == sorted(ids)


def test_constants_fill_what_is_missing(read: Any) -> None:
    """Of the rows that give nothing; quotes in them are text."""
    rows = [ROW | {"squad": "a"}, ROW | {"no": "2", "squad": " "}]
    mapping = {"columns": COLUMNS | {"team": "squad"}, "constants": {"team": "it's us", "environment": "production"}}
    assert [("a", "production"), ("it's us", "production")] == read(rows, mapping, "team", "environment")[1]


def test_columns_may_be_called_anything(read: Any) -> None:
    """Quotes and blanks in a name, the same column twice, and in another case."""
    columns = COLUMNS | {"input_tokens": 'the "in"', "team": "Owner", "customer": "Owner"}
    csv = 'when,engine,"the ""in""",out,no,OWNER\n2026-09-01T10:00:00Z,gpt-4o,7,1,1,us\n'
    expected = [(7, "us", "us")]
    assert expected == read(csv, {"columns": columns}, "uncached_input_tokens", "team", "customer", name="a.csv")[1]


@pytest.mark.parametrize(("unit", "expected"), [("USD", "0.250000000000"), ("cents", "0.002500000000")])
def test_costs_in_cents_or_dollars(read: Any, unit: str, expected: str) -> None:
    """A quarter of a dollar or of a cent."""
    mapping = {"columns": COLUMNS | {"reported_cost": "paid"}, "cost_unit": unit}
    assert [expected] == [str(cost) for cost in read([ROW | {"paid": "0.25"}], mapping, "reported_cost")[1]]


@pytest.mark.parametrize(
    ("basis", "expected"),
    [({}, [(40, 60)]), ({"usage_basis": "inclusive"}, [(40, 60)]), ({"usage_basis": "exclusive"}, [(100, 60)])],
)
def test_the_declared_basis_holds(read: Any, basis: dict[str, str], expected: list[Any]) -> None:
    """100 in with 60 cached: inside or beside, as the mapping says."""
    mapping = {"columns": COLUMNS | {"cache_read_input_tokens": "hit"}} | basis
    columns = ("uncached_input_tokens", "cache_read_input_tokens")
    assert expected == read([ROW | {"hit": 60}], mapping, *columns)[1]


def test_without_a_declared_basis_the_total_decides(read: Any) -> None:
    """180 = 100 + 60 + 20: the cached stand beside; 120: they are inside; declared inclusive 180 is ambiguous."""
    columns = COLUMNS | {"cache_read_input_tokens": "hit", "total_tokens": "all"}
    rows = [ROW | {"hit": 60, "all": 180}, ROW | {"no": "2", "hit": 60, "all": 120}]
    wanted = ("uncached_input_tokens", "usage_basis")
    assert [(100, "exclusive"), (40, "inclusive")] == read(rows, {"columns": columns}, *wanted)[1]
    declared = {"columns": columns, "usage_basis": "inclusive"}
    assert 1 == read([rows[0] | {"no": "3"}], declared, name="b.jsonl")[0].figures["ambiguous"]


def test_tags_flags_and_counts(read: Any) -> None:
    """Tags as a list, an object or text of either; flags in words; counts of the kit's own."""
    columns = COLUMNS | {"tags": "labels", "resolved": "done", "retries": "again", "latency_ms": "took"}
    rows = [
        ROW | {"labels": ["team:a"], "done": "Yes", "again": 2, "took": 1.5},
        ROW | {"no": "2", "labels": {"team": "b"}, "done": 0, "again": "x"},
        ROW | {"no": "3", "labels": '{"team": "c"}', "done": "perhaps"},
        ROW | {"no": "4", "labels": "none"},
    ]
    assert [("a", True, 2, 1.5), ("b", False, None, None), ("c", None, None, None), (None, None, None, None)] == (
        read(rows, {"columns": columns}, "team", "resolved", "retries", "latency_ms")[1]
    )


def test_the_same_columns_by_source(exports: Any) -> None:
    """A source of organisation.yaml names the mapping relative to the exports."""
    written(exports.bench.folder / "maps", {"columns": COLUMNS})
    source = Source(path="log.jsonl", format="mapped", mapping="maps/columns.yaml", account="acc-1", layer="trace")
    reading = exports.read([ROW], **source.model_dump(exclude={"path"}))
    assert 1 == reading.counts["requests"]
    assert [("acc-1", "trace")] == exports.rows("requests", "provider_account", "capture_layer")
