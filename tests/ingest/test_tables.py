"""What a company gives beside its calls is read row by row, and a row that breaks the contract is set aside."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from finops_lib.errors import ParamsError, SourceError
from finops_lib.ingest import load_table
from finops_lib.ingest.tables import GIVEN
from finops_lib.schema import TABLES, names

OUTCOME = {"date": "2026-09-01", "assistant": "bot", "outcome": "resolved", "outcome_count": 3, "outcome_value": "4.50"}


def test_outcomes_are_read(exports: Any) -> None:
    """With their types; what a file does not give is null."""
    reading = exports.read([OUTCOME, OUTCOME | {"workflow": "w", "outcome_value": None}], table="outcomes")
    assert {"read": 2, "requests": 2, "aggregated": 0, "duplicates": 0, "quarantined": 0, "skipped": 0} == (
        reading.counts
    )
    found = load_table(exports.bench.params(), "outcomes")
    assert names(TABLES["outcomes"]) == list(found.columns)
    assert [
        (date(2026, 9, 1), "bot", None, "resolved", 3, Decimal("4.50")),
        (date(2026, 9, 1), "bot", "w", "resolved", 3, None),
    ] == [tuple(row) for row in found.astype(object).where(found.notna(), None).itertuples(index=False)]


@pytest.mark.parametrize(
    ("table", "row"),
    [
        ("outcomes", OUTCOME),
        ("evaluations", {"evaluation_set": "s", "item_id": "1", "configuration": "c", "passed": "true"}),
        ("seats", {"month": "2026-09", "product": "p", "purchased": 5, "unit_price": 20}),
        (
            "capacity",
            {"timestamp": 1788256800, "provider": "p", "model": "m", "units": 2, "hours": 1, "unit_price": "1.5"},
        ),
        ("customers", {"month": "2026-09", "customer": "c", "revenue": "1e3"}),
        ("volumes", {"date": "2026-09-01", "assistant": "bot", "measure": "storage_gb", "quantity": 0.5}),
    ],
)
def test_every_table_is_read_and_checked(exports: Any, table: str, row: dict[str, Any]) -> None:
    """A row with all required columns stays; without one of them it is set aside with the column's name."""
    required = [column.name for column in TABLES[table] if column.required]
    rows = [row] + [{key: value for key, value in row.items() if key != name} for name in required]
    reading = exports.read(rows, table=table)
    assert (1, len(required)) == (reading.counts["requests"], reading.counts["quarantined"])
    assert {f"no {name}": 1 for name in required} == reading.summary()["quarantine_reasons"]
    assert 1 == len(load_table(exports.bench.params(), table))
    assert table in GIVEN


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"outcome_count": -1}, "outcome_count is negative"),
        ({"outcome_count": "many"}, "outcome_count is not of type BIGINT"),
        ({"date": "2026-13-01"}, "date is not of type DATE"),
        ({"date": " "}, "no date"),
        ({"outcome_value": "a lot"}, "outcome_value is not of type DECIMAL(18,2)"),
    ],
)
def test_a_bad_row_keeps_its_line_and_text(exports: Any, values: dict[str, Any], reason: str) -> None:
    """Beside the good ones."""
    exports.read(exports.lines(OUTCOME) + "\n" + exports.lines(OUTCOME | values), table="outcomes")
    assert [("outcomes", 3, reason, json.dumps(OUTCOME | values))] == exports.rows(
        "quarantine", "source", "source_position", "reason", "raw_text"
    )


def test_a_line_that_is_no_row_is_set_aside(exports: Any) -> None:
    """A CSV row of another width, and a broken line."""
    header = "date,assistant,outcome,outcome_count\n"
    first = exports.read(header + "2026-09-01,bot,resolved,3\n2026-09-02,bot\n", "a.csv", table="outcomes")
    second = exports.read(exports.lines(OUTCOME) + "{broken\n", "b.jsonl", table="outcomes")
    assert {"not a row of this CSV: missing columns": 1} == first.summary()["quarantine_reasons"]
    assert {"truncated or malformed JSON": 1} == second.summary()["quarantine_reasons"]
    assert 2 == len(load_table(exports.bench.params(), "outcomes"))


def test_columns_are_mapped_and_constants_fill(exports: Any) -> None:
    """Other names, quotes in them and in constants."""
    mapping = {
        "columns": {"date": "Day", "outcome": 'the "what"', "outcome_count": "n", "workflow": "flow"},
        "constants": {"assistant": "it's bot", "workflow": "none"},
    }
    exports.bench.folder.mkdir()
    (exports.bench.folder / "map.yaml").write_text(yaml.safe_dump(mapping))
    rows = [
        {"Day": "2026-09-01", 'the "what"': "x", "n": 1, "flow": "f"},
        {"Day": "2026-09-02", 'the "what"': "y", "n": 2},
    ]
    exports.read(rows, table="outcomes", mapping="map.yaml")
    found = load_table(exports.bench.params(), "outcomes")
    assert [("it's bot", "f", "x", 1), ("it's bot", "none", "y", 2)] == [
        tuple(row) for row in found[["assistant", "workflow", "outcome", "outcome_count"]].itertuples(index=False)
    ]


def test_a_file_read_again_replaces_its_rows(exports: Any) -> None:
    """Reading twice changes nothing, what is no longer in it goes, other files stay."""
    first = exports.read([OUTCOME, OUTCOME | {"outcome_count": -1}], table="outcomes")
    assert first == exports.again("log.jsonl", table="outcomes")
    assert 1 == len(load_table(exports.bench.params(), "outcomes"))
    exports.read([OUTCOME], "more.jsonl", table="outcomes")
    exports.read([OUTCOME | {"outcome": "other"}], table="outcomes")
    assert ["other", "resolved"] == sorted(load_table(exports.bench.params(), "outcomes")["outcome"])
    assert [] == exports.rows("quarantine", "reason")


def test_an_assistant_sees_its_own_rows(exports: Any) -> None:
    """The organisation all of them."""
    exports.bench.assistants = {"bot": {}, "other": {}}
    exports.read([OUTCOME, OUTCOME | {"assistant": "other"}], table="outcomes")
    counts = [len(load_table(exports.bench.params(name), "outcomes")) for name in ("bot", "other", "organisation")]
    assert [1, 1, 2] == counts


def test_a_table_nobody_gave_is_empty(exports: Any) -> None:
    """With all its columns."""
    found = load_table(exports.bench.params(), "seats")
    assert (0, names(TABLES["seats"])) == (len(found), list(found.columns))


def test_what_is_no_such_table_is_refused(exports: Any, tmp_path: Path) -> None:
    """An unknown table, a file with none of its columns, a mapping of columns it does not have."""
    with pytest.raises(SourceError, match="Unknown table 'outcome'"):
        exports.read([OUTCOME], table="outcome")
    with pytest.raises(SourceError, match="has none of the columns month, customer, revenue"):
        exports.read([OUTCOME], table="customers")
    (tmp_path / "map.yaml").write_text("columns: {outcomes: n}")
    with pytest.raises(ParamsError, match="table 'outcomes' has no column 'outcomes'"):
        exports.read([OUTCOME], table="outcomes", mapping=str(tmp_path / "map.yaml"))


def test_an_empty_file_gives_no_rows(exports: Any) -> None:
    """And no error."""
    assert 0 == exports.read("", table="outcomes").counts["read"]


def test_numbers_and_days_that_cannot_be_meant_are_set_aside(exports: Any) -> None:
    """A count with a fraction or in another notation, a day without end or long before computers."""
    days = ["2026-09-01", "infinity", "0001-01-01", "9999-01-01"]
    counts = ["2", "3.7", "0x10", "1e3"]
    rows = [f"{day},b,resolved,1" for day in days] + [f"2026-09-02,b,resolved,{count}" for count in counts]
    reading = exports.read("date,assistant,outcome,outcome_count\n" + "\n".join(rows), "o.csv", table="outcomes")
    assert {
        "date is not between 2000 and 2100": 3,
        "outcome_count is not of type BIGINT": 2,
    } == reading.summary()["quarantine_reasons"]
    assert [1, 2, 1_000] == load_table(exports.bench.params(), "outcomes")["outcome_count"].tolist()
