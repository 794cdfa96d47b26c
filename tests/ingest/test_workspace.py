"""The workspace is written beside and then replaced, one id is one row, and one writer writes at a time."""

from __future__ import annotations

import json
import os
import shutil
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from finops_lib.errors import SourceError
from finops_lib.files import replace_file
from finops_lib.ingest import workspace
from finops_lib.ingest.engine import connect
from finops_lib.schema import TOKENS, names

TABLE = pa.table({"n": [1, 2]})


def test_a_file_is_replaced_as_a_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A write that is interrupted leaves the old file, of text, of a table and of a query."""
    text, table, query = tmp_path / "a.json", tmp_path / "deep" / "a.parquet", tmp_path / "q.parquet"
    replace_file(text, "old")
    workspace.write_table(table, TABLE)
    with connect() as connection:
        workspace.write_query(connection, query, "SELECT 1 AS n")

        def interrupted(*_: Any) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr(os, "replace", interrupted)
        for write in (
            lambda: replace_file(text, "new"),
            lambda: workspace.write_table(table, TABLE.slice(0, 1)),
            lambda: workspace.write_query(connection, query, "SELECT 2 AS n"),
        ):
            with pytest.raises(KeyboardInterrupt):
                write()
        assert "old" == text.read_text()
        assert [(1,), (2,)] == connection.execute(f"SELECT * FROM {workspace.scan([table])}").fetchall()
        assert [(1,)] == connection.execute(f"SELECT * FROM {workspace.scan([query])}").fetchall()
    # what was left beside is no file of the table
    assert [query.name, table.name] == sorted((p.name for p in workspace.files_of(tmp_path, ".")), reverse=True)


def test_an_interrupted_reading_is_read_again(exports: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The ledger is what it was, and the next reading reads everything."""
    exports.read([exports.call(1)])
    before = exports.bench.ledger().costs["pricing_quantity"].sum()
    replace, done = os.replace, []

    def interrupted(source: Any, target: Any) -> None:
        if "reads.json" in str(target):
            raise KeyboardInterrupt
        done.append(target)
        replace(source, target)

    monkeypatch.setattr(os, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        exports.read([exports.call(1), exports.call(2)])
    monkeypatch.undo()
    assert done
    assert (120, 2) == (before, exports.again("log.jsonl").counts["requests"])
    assert 240 == exports.bench.ledger().costs["pricing_quantity"].sum()


def test_a_query_without_rows_leaves_no_file(tmp_path: Path) -> None:
    """An empty month is no month."""
    path = tmp_path / "it's" / "2026-09.parquet"
    with connect() as connection:
        workspace.write_query(connection, path, "SELECT 1 AS n")
        assert path.is_file()
        workspace.write_query(connection, path, "SELECT 1 AS n WHERE false")
    assert [] == list(path.parent.iterdir())


def test_json_is_written_alike(tmp_path: Path) -> None:
    """Keys sorted, so that equal content is equal bytes."""
    workspace.write_json(tmp_path / "a.json", {"b": 1, "a": datetime(2026, 9, 1, tzinfo=UTC)})
    workspace.write_json(tmp_path / "b.json", {"a": datetime(2026, 9, 1, tzinfo=UTC), "b": 1})
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()
    assert {"a": "2026-09-01 00:00:00+00:00", "b": 1} == workspace.read_json(tmp_path / "a.json", None)
    assert "none" == workspace.read_json(tmp_path / "c.json", "none")


def test_a_second_writer_waits_and_then_gives_up(tmp_path: Path) -> None:
    """With words, not for ever; when the first is done the second goes on."""
    held, free = threading.Event(), threading.Event()

    def first() -> None:
        with workspace.locked(tmp_path):
            held.set()
            free.wait(10)

    thread = threading.Thread(target=first)
    thread.start()
    held.wait(10)
    with pytest.raises(SourceError, match="Another run has been writing"), workspace.locked(tmp_path, timeout=0.05):
        pytest.fail("two writers at a time")
    free.set()
    thread.join()
    with workspace.locked(tmp_path, timeout=0.05):
        pass


def request(number: int, day: int = 1, **values: Any) -> dict[str, Any]:
    """Make a row of requests."""
    row = {"timestamp": datetime(2026, 9, day, tzinfo=UTC), "request_id": f"r{number}", "updated_at": None}
    row |= {"source": "s", "source_file": "a", "source_position": number, "uncached_input_tokens": 1}
    return row | values


INSTANT = pa.timestamp("us", "UTC")
SCHEMA = pa.schema(
    {
        "timestamp": INSTANT,
        "request_id": pa.string(),
        "updated_at": INSTANT,
        "source": pa.string(),
        "source_file": pa.string(),
        "source_position": pa.int64(),
        "uncached_input_tokens": pa.int64(),
    }
)


def merge(folder: Path, *rows: dict[str, Any], schema: pa.Schema = SCHEMA) -> int:
    """Merge rows into the requests of a workspace."""
    with connect() as connection:
        connection.register("given", pa.Table.from_pylist(list(rows), schema=schema))
        connection.execute("CREATE TABLE fresh AS SELECT * FROM given")
        return workspace.merge_new(connection, folder, "requests", "fresh", "s")[0]


def held(folder: Path, *columns: str) -> list[Any]:
    """List what the workspace holds."""
    listed = ", ".join(columns or ("request_id", "uncached_input_tokens"))
    with connect() as connection:
        view = workspace.view_sql("requests", workspace.files_of(folder, "requests"))
        return connection.execute(f"SELECT {listed} FROM ({view}) ORDER BY request_id").fetchall()


def moment(day: int) -> datetime:
    """Give a time of updating."""
    return datetime(2026, 10, day, tzinfo=UTC)


@pytest.mark.parametrize(
    ("first", "second", "lost", "kept"),
    [
        # the same file again: the row replaces itself, wherever it stands and whatever its version
        ({}, {"uncached_input_tokens": 2}, 0, 2),
        ({}, {"uncached_input_tokens": 2, "source_position": 9}, 0, 2),
        ({"updated_at": moment(2)}, {"uncached_input_tokens": 2, "updated_at": moment(2)}, 0, 2),
        ({"updated_at": moment(2)}, {"uncached_input_tokens": 2, "updated_at": moment(1)}, 0, 2),
        # another file: a later update replaces, at a tie that of the file whose name comes last
        ({}, {"uncached_input_tokens": 2, "source_file": "b"}, 0, 2),
        ({}, {"uncached_input_tokens": 2, "source_file": "A"}, 1, 1),
        ({"updated_at": moment(2)}, {"uncached_input_tokens": 2, "source_file": "b", "updated_at": moment(2)}, 0, 2),
        ({"updated_at": moment(2)}, {"uncached_input_tokens": 2, "source_file": "A", "updated_at": moment(2)}, 1, 1),
        ({"updated_at": moment(2)}, {"uncached_input_tokens": 2, "source_file": "b", "updated_at": moment(1)}, 1, 1),
        ({"updated_at": moment(2)}, {"uncached_input_tokens": 2, "source_file": "A", "updated_at": moment(3)}, 0, 2),
        ({"updated_at": moment(2)}, {"uncached_input_tokens": 2, "source_file": "b"}, 1, 1),
        ({}, {"uncached_input_tokens": 2, "source_file": "A", "updated_at": moment(1)}, 0, 2),
    ],
)
def test_one_id_is_one_row(tmp_path: Path, first: dict[str, Any], second: dict[str, Any], lost: int, kept: int) -> None:
    """The latest update stays, in whatever order the files are read."""
    assert 0 == merge(tmp_path, request(1, **first))
    assert lost == merge(tmp_path, request(1, **second))
    assert [("r1", kept)] == held(tmp_path)


def test_a_row_that_loses_takes_nothing_with_it(tmp_path: Path) -> None:
    """Of two rows of one id that stand in a workspace already, the one that beats a third stays as it is."""
    path = tmp_path / "requests" / "s" / "2026-09.parquet"
    path.parent.mkdir(parents=True)
    rows = [request(1), request(1, source_file="c", uncached_input_tokens=3)]
    pq.write_table(pa.Table.from_pylist(rows, schema=SCHEMA), path)
    assert 1 == merge(tmp_path, request(1, source_file="b", uncached_input_tokens=2))
    assert [("r1", 1), ("r1", 3)] == sorted(held(tmp_path))


def test_a_row_may_move_to_another_month(tmp_path: Path) -> None:
    """It leaves the old one, whose file goes when nothing is left in it."""
    merge(tmp_path, request(1), request(2, timestamp=datetime(2026, 10, 1, tzinfo=UTC)))
    assert ["2026-09.parquet", "2026-10.parquet"] == [p.name for p in workspace.files_of(tmp_path, "requests", "s")]
    merge(tmp_path, request(1, timestamp=datetime(2026, 9, 30, 23, 59, 59, 999_999, tzinfo=UTC)))
    assert [("r1", 1), ("r2", 1)] == held(tmp_path)
    merge(tmp_path, request(1, timestamp=datetime(2026, 10, 1, tzinfo=UTC)))
    assert ["2026-10.parquet"] == [p.name for p in workspace.files_of(tmp_path, "requests")]
    assert [("r1", 1), ("r2", 1)] == held(tmp_path)


def test_token_classes_only_some_files_count_are_zero(tmp_path: Path) -> None:
    """Files with other columns lie in one table; what nobody counted is none, what is not known is null."""
    wider = SCHEMA.append(pa.field("reasoning_output_tokens", pa.int64())).append(pa.field("team", pa.string()))
    merge(tmp_path, request(1))
    merge(tmp_path, request(2, reasoning_output_tokens=7, team="t"), schema=wider)
    merge(tmp_path, request(3, day=2))
    merge(tmp_path, request(4, timestamp=datetime(2026, 10, 1, tzinfo=UTC)))
    columns = ("request_id", "reasoning_output_tokens", "audio_output_tokens", "team", "customer")
    assert [
        ("r1", 0, 0, None, None),
        ("r2", 7, 0, "t", None),
        ("r3", 0, 0, None, None),
        ("r4", 0, 0, None, None),
    ] == held(tmp_path, *columns)


def test_an_empty_table_has_all_columns(tmp_path: Path) -> None:
    """And no rows."""
    with connect() as connection:
        found = connection.execute(workspace.view_sql("requests", []))
        assert [] == found.fetchall()
        connection.execute("CREATE TABLE few AS SELECT 'r' AS request_id")
        row = dict(connection.sql(workspace.completed_sql(connection, "few")).to_arrow_table().to_pylist()[0])
    assert {"request_id": "r"} | dict.fromkeys(names(TOKENS), 0) == {k: v for k, v in row.items() if v is not None}


def test_columns_that_hold_anything(tmp_path: Path) -> None:
    """By the statistics of the files; without files all may."""
    merge(tmp_path, request(1))
    with connect() as connection:
        filled = workspace.filled_columns(connection, workspace.files_of(tmp_path, "requests"))
        assert [
            "request_id",
            "source",
            "source_file",
            "source_position",
            "timestamp",
            "uncached_input_tokens",
        ] == filled
        assert len(workspace.filled_columns(connection, [])) > 50


def test_rows_of_files_read_again_are_replaced(tmp_path: Path) -> None:
    """Those of other files stay; what a file no longer holds goes."""
    with connect() as connection:
        connection.execute("CREATE TABLE fresh AS SELECT 'a' AS source_file, 1 AS n UNION ALL SELECT 'b', 2")
        workspace.replace_rows(connection, tmp_path, "quarantine", "fresh", "s", ["a", "b"])
        connection.execute("CREATE OR REPLACE TABLE fresh AS SELECT 'a' AS source_file, 3 AS n")
        workspace.replace_rows(connection, tmp_path, "quarantine", "fresh", "s", ["a"])
        paths = workspace.files_of(tmp_path, "quarantine")
        assert [("a", 3), ("b", 2)] == connection.execute(f"FROM {workspace.scan(paths)} ORDER BY 1").fetchall()
        connection.execute("DELETE FROM fresh")
        workspace.replace_rows(connection, tmp_path, "quarantine", "fresh", "s", ["a", "b"])
    assert [] == workspace.files_of(tmp_path, "quarantine")


def bucket(tokens: int) -> str:
    """Write a page of OpenAI's usage report of one day, as it stood when it was exported."""
    result = {"input_tokens": tokens, "output_tokens": 0, "num_model_requests": 1, "model": "gpt-4o"}
    return json.dumps({"start_time": 1788220800, "end_time": 1788307200, "results": [result]})


@pytest.mark.parametrize("order", [("half.json", "whole.json"), ("whole.json", "half.json")])
def test_a_day_exported_while_it_was_going_on_is_the_fuller_one(exports: Any, order: tuple[str, str]) -> None:
    """500 at noon, 900 at night: 900, whatever is read first, and in one file too."""
    content = {"half.json": bucket(500), "whole.json": bucket(900)}
    for name in order:
        exports.read(content[name], name, format="openai-usage")
    assert [900] == exports.rows("usage_buckets", "uncached_input_tokens")
    shutil.rmtree(exports.bench.folder / "outputs/workspace")
    both = exports.read("\n".join(content[name] for name in order), "both.jsonl", format="openai-usage")
    assert (1, 1) == (both.counts["aggregated"], both.counts["duplicates"])
    assert [900] == exports.rows("usage_buckets", "uncached_input_tokens")
