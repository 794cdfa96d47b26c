"""Spend logs come straight from LiteLLM's PostgreSQL table and are what the same rows are from a file."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa

from finops_lib.errors import SourceError
from finops_lib.ingest import workspace
from finops_lib.ingest.engine import connect, fetch
from finops_lib.ingest.reading.database import database_label, fetch_spend_logs, is_database
from finops_lib.schema import REQUESTS, names

# LiteLLM's own columns, as its schema.prisma makes them.
SPEND_LOGS = """CREATE TABLE "LiteLLM_SpendLogs" (
    request_id TEXT PRIMARY KEY, call_type TEXT NOT NULL, api_key TEXT NOT NULL DEFAULT '',
    spend DOUBLE PRECISION NOT NULL DEFAULT 0, total_tokens INTEGER NOT NULL DEFAULT 0,
    prompt_tokens INTEGER NOT NULL DEFAULT 0, completion_tokens INTEGER NOT NULL DEFAULT 0,
    "startTime" TIMESTAMP(3) NOT NULL, "endTime" TIMESTAMP(3) NOT NULL, request_duration_ms INTEGER,
    "completionStartTime" TIMESTAMP(3), model TEXT NOT NULL DEFAULT '', model_id TEXT DEFAULT '',
    model_group TEXT DEFAULT '', custom_llm_provider TEXT DEFAULT '', api_base TEXT DEFAULT '', "user" TEXT DEFAULT '',
    metadata JSONB DEFAULT '{}', cache_hit TEXT DEFAULT '', cache_key TEXT DEFAULT '', request_tags JSONB DEFAULT '[]',
    team_id TEXT, organization_id TEXT, end_user TEXT, requester_ip_address TEXT, messages JSONB DEFAULT '{}',
    response JSONB DEFAULT '{}', session_id TEXT, status TEXT, mcp_namespaced_tool_name TEXT, agent_id TEXT,
    proxy_server_request JSONB DEFAULT '{}', litellm_call_id TEXT, created_at TIMESTAMP(3), updated_at TIMESTAMP(3))"""

CACHED = {
    "usage_object": {"cache_read_input_tokens": 60},
    "user_api_key_alias": "hr-bot",
    "user_api_key_team_alias": "hr",
}


@pytest.fixture
def database(postgres_url: str) -> Iterator[sa.Engine]:
    """Give the proxy's database with an empty table of spend logs, its clock in another zone."""
    engine = sa.create_engine(postgres_url)
    with engine.begin() as connection:
        connection.exec_driver_sql('DROP TABLE IF EXISTS "LiteLLM_SpendLogs"')
        connection.exec_driver_sql(SPEND_LOGS)
        connection.exec_driver_sql("ALTER DATABASE postgres SET timezone TO 'America/New_York'")
    yield engine
    with engine.begin() as connection:
        connection.exec_driver_sql('DROP TABLE IF EXISTS "LiteLLM_SpendLogs"')
        connection.exec_driver_sql("ALTER DATABASE postgres RESET timezone")
    engine.dispose()


def insert(engine: sa.Engine, *rows: dict[str, Any]) -> None:
    """Insert rows as the proxy does: nested values as JSON."""
    with engine.begin() as connection:
        table = sa.Table("LiteLLM_SpendLogs", sa.MetaData(), autoload_with=connection)
        for row in rows:
            connection.execute(table.insert().values(**{k: v for k, v in row.items() if k in table.c}))


def spend_logs(exports: Any) -> list[dict[str, Any]]:
    """Make spend logs of every kind: cached, tagged, failed, a cache hit, a twin, a tool, a bad count."""
    base = {"startTime": "2026-09-01 10:00:00.123", "endTime": "2026-09-01 10:00:01.5", "spend": 0.1 + 0.2}
    own = [
        {"metadata": CACHED, "user": "the user", "request_tags": ["team:people", "app:bot"]},
        {"metadata": {"status": "failure", "error_information": {"error_class": "Timeout"}}, "status": "failure"},
        {"cache_hit": "True", "metadata": None},
        {"litellm_call_id": "twin"},
        {"litellm_call_id": "twin"},
        {"call_type": "call_mcp_tool", "mcp_namespaced_tool_name": "search", "model": ""},
        {"prompt_tokens": -5},
        {"startTime": "1970-01-01 00:00:00", "spend": float("inf")},
        {"custom_llm_provider": "anthropic", "model": "ünïcode 'model'", "end_user": 'q"uote', "team_id": "t"},
        {"updated_at": "2026-09-02 00:00:00", "request_duration_ms": 1377, "request_tags": None, "status": None},
    ]
    return [exports.call(n, **base) | values for n, values in enumerate(own, 1)]


def requests_of(exports: Any) -> list[Any]:
    """List all requests, without where they were read."""
    paths = workspace.files_of(exports.bench.folder / "outputs/workspace", "requests")
    columns = ", ".join(name for name in names(REQUESTS) if name not in ("source_file", "source_position"))
    with connect() as connection:
        return fetch(
            connection, f"SELECT {columns} FROM ({workspace.view_sql('requests', paths)}) ORDER BY request_id"
        ).to_pylist()


@pytest.mark.engines
def test_the_table_is_what_the_same_rows_are_from_a_file(
    exports: Any, new_exports: Any, database: sa.Engine, postgres_url: str, tmp_path: Path
) -> None:
    """Column by column, with every fate; and the ledger is the same."""
    rows = spend_logs(exports)
    insert(database, *rows)
    other = new_exports(tmp_path / "other")
    from_file = other.read([row | {"spend": str(row["spend"])} for row in rows])
    from_table = exports.again(postgres_url, format="auto")
    assert {"read": 10, "requests": 6, "aggregated": 0, "duplicates": 1, "quarantined": 2, "skipped": 1} == (
        from_table.counts
    )
    assert (from_file.counts, from_file.reasons, from_file.figures) == (
        from_table.counts,
        from_table.reasons,
        from_table.figures,
    )
    assert requests_of(other) == requests_of(exports)
    assert other.bench.ledger().costs.equals(exports.bench.ledger().costs)
    first = requests_of(exports)[0]
    assert ("the user", "people", "hr-bot", 40, 60, "2026-09-01T10:00:00.123000+00:00") == (
        first["user_id"],
        first["team"],
        first["api_key"],
        first["uncached_input_tokens"],
        first["cache_read_input_tokens"],
        first["timestamp"].isoformat(),
    )


@pytest.mark.engines
def test_reading_the_table_again_adds_only_what_is_new(exports: Any, database: sa.Engine, postgres_url: str) -> None:
    """A new row wherever it lies; nothing old becomes a duplicate."""
    insert(database, *[exports.call(n) for n in (2, 3, 4)])
    first = exports.again(postgres_url)
    again = exports.again(postgres_url)
    assert (3, first) == (first.counts["requests"], again)
    with database.begin() as connection:
        connection.exec_driver_sql("UPDATE \"LiteLLM_SpendLogs\" SET spend = 1 WHERE request_id = 'r2'")
    insert(database, exports.call(1))
    third = exports.again(postgres_url)
    assert (4, 0) == (third.counts["requests"], third.counts["duplicates"])
    assert 4 == len(requests_of(exports))


@pytest.mark.engines
def test_prompts_stay_in_the_database(database: sa.Engine, postgres_url: str, exports: Any, tmp_path: Path) -> None:
    """Neither messages nor answers are copied, and a large table comes in pieces."""
    insert(database, exports.call(1, messages=[{"content": "secret"}], response={"content": "secret"}))
    (path,) = fetch_spend_logs(postgres_url.replace("postgresql+psycopg", "postgres"), tmp_path)
    assert {"messages", "response", "proxy_server_request"}.isdisjoint(pq.read_schema(path).names)
    assert b"secret" not in path.read_bytes()
    (row,) = pq.read_table(path).to_pylist()
    assert {"request_id": "r1", "user": "", "prompt_tokens": "100"} == {
        key: row[key] for key in ("request_id", "user", "prompt_tokens")
    }


@pytest.mark.engines
def test_a_large_table_comes_in_pieces(
    database: sa.Engine, postgres_url: str, exports: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Five rows in pieces of two are five requests."""
    monkeypatch.setattr("finops_lib.ingest.reading.database.PIECE", 2)
    insert(database, *[exports.call(n) for n in range(5)], exports.call(9, prompt_tokens=-1))
    reading = exports.again(postgres_url)
    assert (5, 1) == (reading.counts["requests"], reading.counts["quarantined"])
    ((source_file, text),) = exports.rows("quarantine", "source_file", "raw_text")
    assert source_file == database_label(postgres_url)
    assert "r9" == json.loads(text)["request_id"]


@pytest.mark.engines
def test_an_empty_or_missing_table_is_an_error(database: sa.Engine, postgres_url: str, tmp_path: Path) -> None:
    """With a hint at where to look."""
    with pytest.raises(SourceError, match="is empty"):
        fetch_spend_logs(postgres_url, tmp_path)
    with database.begin() as connection:
        connection.exec_driver_sql('DROP TABLE "LiteLLM_SpendLogs"')
    with pytest.raises(SourceError, match="has no table 'LiteLLM_SpendLogs'"):
        fetch_spend_logs(postgres_url, tmp_path)


@pytest.mark.parametrize(
    "url",
    ["postgresql://nobody:secret@127.0.0.1:1/none", "postgresql://u:secret@h:port/db", "nosuchdb://u:secret@h/db"],
)
def test_a_database_that_cannot_be_reached_is_told_in_words(tmp_path: Path, url: str) -> None:
    """Without the password."""
    with pytest.raises(SourceError) as caught:
        fetch_spend_logs(url, tmp_path)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("postgresql://u@h/db", True),
        ("postgresql+psycopg://u@h/db", True),
        ("/data/a.jsonl", False),
        ("C:\\data", False),
        ("logs/*.jsonl", False),
    ],
)
def test_a_url_is_told_from_a_path(path: str, expected: bool) -> None:
    """By its scheme."""
    assert expected == is_database(path)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("postgresql://u:secret@host:5432/litellm", "host/litellm"),
        ("postgresql://host/litellm?user=u&password=secret", "host/litellm"),
        ("postgresql+psycopg://postgres@/postgres?host=/run/pg", "/run/pg/postgres"),
        ("postgresql:///litellm", "localhost/litellm"),
    ],
)
def test_a_database_goes_by_host_and_name(url: str, expected: str) -> None:
    """User and password appear nowhere."""
    assert expected == database_label(url)
