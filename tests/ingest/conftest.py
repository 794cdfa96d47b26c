"""A project made for a test: calls are written to a file, read, and become a ledger."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from finops_lib.ingest import Ledger, open_ledger, read_source, refresh_ledger, workspace
from finops_lib.ingest.engine import arrow_type, connect, fetch
from finops_lib.ingest.reading.sources import Reading
from finops_lib.params import Params, Source, load_params
from finops_lib.schema import REQUESTS, TOKENS, names

WRITTEN = datetime(2040, 1, 1, tzinfo=UTC).timestamp()
HOUSE = {
    "kind": "absolute",
    "provider": "house",
    "model": "large",
    "prices": {
        "uncached_input": "3.00",
        "cache_read": "0.30",
        "cache_write_5m": "3.75",
        "cache_write_1h": "6.00",
        "output": "15.00",
        "web_search": "0.01",
    },
}
"""Prices of the tests' own model, USD per million tokens."""


@dataclass
class Workbench:
    """A project folder with an organisation, and what can be done with it."""

    folder: Path
    organisation: dict[str, Any] = field(default_factory=lambda: {"prices": [HOUSE]})
    assistants: dict[str, dict[str, Any]] = field(default_factory=dict)
    writes: int = 0

    @staticmethod
    def call(number: int, moment: str, **values: Any) -> dict[str, Any]:
        """Make a call of the tests' own model: 1,000 tokens in, 100 out, unless told otherwise."""
        row = {"request_id": f"r{number}", "timestamp": moment, "provider": "house", "model": "large"}
        return row | {"input_tokens": 1_000, "output_tokens": 100} | values

    @staticmethod
    def total(column: pd.Series) -> Decimal | None:
        """Add decimals up exactly; null where all are null."""
        known = [Decimal(str(value)) for value in column if value is not None and not pd.isna(value)]
        return sum(known, Decimal(0)) if known else None

    def by(self, frame: pd.DataFrame, key: str, column: str = "contracted_cost") -> dict[Any, Decimal | None]:
        """Add a column up by another."""
        groups = frame.groupby(key, dropna=False)[column]
        return {None if pd.isna(name) else name: self.total(part) for name, part in groups}

    def params(self, assistant: str = "organisation", period: str = "latest", **settings: Any) -> Params:
        """Write the parameter files and load them."""
        parameters = self.folder / "parameters"
        parameters.mkdir(parents=True, exist_ok=True)
        (parameters / "organisation.yaml").write_text(yaml.safe_dump(self.organisation), encoding="utf-8")
        for name, own in self.assistants.items():
            content = {"assistant": name, "settings": own}
            (parameters / f"{name}.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
        return load_params(assistant, period, settings, project=self.folder)

    def write(self, rows: list[dict[str, Any]], name: str = "calls.jsonl") -> Path:
        """Write calls as JSON Lines, on a day after all of them."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        self.writes += 1
        os.utime(path, (WRITTEN + self.writes, WRITTEN + self.writes))
        return path

    def read(self, rows: list[dict[str, Any]], name: str = "calls.jsonl", **source: Any) -> Reading:
        """Write calls and read them in; columns are named as the kit names them."""
        self.write(rows, name)
        return read_source(Source(**({"path": name, "format": "mapped"} | source)), self.params())[0]

    def build(self, rows: list[dict[str, Any]], name: str = "calls.jsonl", **source: Any) -> Ledger:
        """Read calls and bring the ledger up to date."""
        self.read(rows, name, **source)
        return self.ledger()

    def lay(self, rows: list[dict[str, Any]]) -> Ledger:
        """Lay calls into the workspace as a reader leaves them, and bring the ledger up to date."""
        path = self.params().workspace / "requests" / "mapped" / "calls.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(requests_of([as_read(row) for row in rows]), path)
        return self.ledger()

    def ledger(self, assistant: str = "organisation", period: str = "latest", **settings: Any) -> Ledger:
        """Bring the ledger up to date and open it."""
        params = self.params(assistant, period, **settings)
        refresh_ledger(params)
        return open_ledger(params)


@pytest.fixture
def bench(tmp_path: Path) -> Workbench:
    """Give an empty project."""
    return Workbench(tmp_path / "project")


def as_read(row: dict[str, Any]) -> dict[str, Any]:
    """Bring a call to the columns of requests: cached tokens are inside its input, reasoning inside its output."""
    counted = {name: row.get(name) or 0 for name in row if name.endswith("_tokens")}
    cached = {name: count for name, count in counted.items() if name.startswith("cache_")}
    reasoning = counted.get("reasoning_output_tokens", 0)
    read = {"run_status": "ok", "category": "production", "cache_hit": False, "capture_layer": "gateway"} | row
    return (
        read
        | cached
        | {
            "timestamp": datetime.fromisoformat(row["timestamp"]),
            "uncached_input_tokens": counted["input_tokens"] - sum(cached.values()),
            "visible_output_tokens": counted["output_tokens"] - reasoning,
            "reasoning_output_tokens": reasoning,
        }
    )


def requests_of(rows: list[dict[str, Any]]) -> pa.Table:
    """Make a table of requests as the workspace holds them; tokens not given are none."""
    held = [c for c in REQUESTS if any(c.name in row for row in rows) or c.required or c.name in names(TOKENS)]
    filled = [
        dict.fromkeys(names(TOKENS), 0) | {"source": "t", "source_file": "t", "source_position": 1} | r for r in rows
    ]
    return pa.table({c.name: pa.array([row.get(c.name) for row in filled], arrow_type(c.type)) for c in held})


@pytest.fixture(scope="session")
def requests_table_of() -> Any:
    """Give ``requests_of`` to tests that need no project."""
    return requests_of


@dataclass
class Exports:
    """Exports written into a project and read from it."""

    bench: Workbench
    written: float = datetime(2027, 1, 1, tzinfo=UTC).timestamp()

    @staticmethod
    def call(number: int, **values: Any) -> dict[str, Any]:
        """Make a row of LiteLLM's spend logs: 100 tokens in, 20 out, on 1 September 2026."""
        row = {"request_id": f"r{number}", "call_type": "acompletion", "startTime": "2026-09-01T10:00:00Z"}
        row |= {"endTime": "2026-09-01T10:00:01Z", "model": "gpt-4o", "custom_llm_provider": "openai"}
        row |= {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120, "status": "success"}
        return row | values

    @staticmethod
    def lines(*rows: Any) -> str:
        """Write rows as JSON Lines."""
        return "".join(json.dumps(row) + "\n" for row in rows)

    def write(self, content: str | bytes, name: str = "log.jsonl") -> Path:
        """Write a file into the project, on a day after all calls."""
        path = self.bench.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        self.written += 1
        os.utime(path, (self.written, self.written))
        return path

    def read(self, content: Any, name: str = "log.jsonl", **source: Any) -> Reading:
        """Write a file (rows become JSON Lines) and read it."""
        self.write(self.lines(*content) if isinstance(content, list) else content, name)
        return self.again(name, **source)

    def again(self, path: str, **source: Any) -> Reading:
        """Read what was written."""
        return read_source(Source(**({"path": path, "format": "litellm"} | source)), self.bench.params())[0]

    def rows(self, table: str, *columns: str) -> list[Any]:
        """List a table of the workspace in order of its positions: tuples of columns, or values of one column."""
        paths = workspace.files_of(self.bench.folder / "outputs/workspace", table)
        with connect() as connection:
            view = f"({workspace.view_sql(table, paths)})"
            ordered = f"SELECT {', '.join(columns)} FROM {view} ORDER BY source_file, source_position"
            found = fetch(connection, ordered).to_pylist()
        return [tuple(row.values()) if len(columns) > 1 else row[columns[0]] for row in found]


@pytest.fixture
def exports(bench: Workbench) -> Exports:
    """Give an empty project to read exports in."""
    return Exports(bench)


@pytest.fixture(scope="session")
def new_exports() -> Any:
    """Give empty projects to tests that share what was read."""
    return lambda folder: Exports(Workbench(folder))
