"""The agents' traces."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pandas as pd


def _rows(folder: Path) -> list[dict]:
    return [json.loads(line) for path in sorted(folder.iterdir()) for line in gzip.open(path, "rt")]


def test_langfuse_generations_are_the_calls(folder: Path, calls: pd.DataFrame) -> None:
    """P18: each call is one GENERATION; 15 were exported before with an older updated_at and without output."""
    rows = [row for row in _rows(folder / "langfuse") if row["type"] == "GENERATION"]
    newest = {row["id"]: row for row in sorted(rows, key=lambda row: row["updated_at"])}
    own = calls[calls["source"] == "langfuse"]
    total = own[["input", "visible_output", "reasoning"]].to_numpy().sum()

    assert (len(own), len(own) + 15) == (len(newest), len(rows))
    assert total == sum(row["usage_details"]["total"] for row in newest.values())
    for row in rows:
        usage = dict(row["usage_details"])
        assert usage.pop("total") == sum(usage.values())


def test_langfuse_parents_repeat_their_children(folder: Path) -> None:
    """Each run has one AGENT row without a model whose total is that of its generations; tools hang below them."""
    rows = [row for row in _rows(folder / "langfuse") if row["updated_at"] != row["start_time"]]
    agents = {row["id"]: row for row in rows if row["type"] == "AGENT"}
    children = (
        pd.DataFrame(
            [
                (row["parent_observation_id"], row["usage_details"]["total"])
                for row in rows
                if row["type"] == "GENERATION"
            ],
            columns=["parent", "total"],
        )
        .groupby("parent")["total"]
        .sum()
    )
    ids = {row["id"] for row in rows}

    assert children.to_dict() == {key: row["usage_details"]["total"] for key, row in agents.items()}
    assert {None} == {row["provided_model_name"] for row in agents.values()}
    assert all(row["parent_observation_id"] in ids for row in rows if row["type"] == "TOOL")


def _attributes(span: dict) -> dict:
    return {a["key"]: next(iter(a["value"].values())) for a in span["attributes"]}


def test_otlp_spans_are_the_calls(folder: Path, calls: pd.DataFrame) -> None:
    """Chat spans hold every call once, cached tokens inside the input, reasoning inside the output."""
    spans = [span for row in _rows(folder / "otlp") for span in row["resourceSpans"][0]["scopeSpans"][0]["spans"]]
    named = [_attributes(span) for span in spans]
    chat = [a for a in named if a["gen_ai.operation.name"] == "chat"]
    agents = [a for a in named if a["gen_ai.operation.name"] == "invoke_agent"]
    own = calls[calls["source"] == "otlp"]

    assert len(own) == len(chat)
    assert own["input"].sum() == sum(int(a["gen_ai.usage.input_tokens"]) for a in chat)
    assert (own["visible_output"] + own["reasoning"]).sum() == sum(int(a["gen_ai.usage.output_tokens"]) for a in chat)
    assert own["reasoning"].sum() == sum(int(a.get("gen_ai.usage.reasoning.output_tokens", 0)) for a in chat)
    runs = own[own["agent"].notna()]
    assert runs["input"].sum() == sum(int(a["gen_ai.usage.input_tokens"]) for a in agents)


def test_otlp_span_ids_are_unique(folder: Path) -> None:
    """No two spans share an id."""
    spans = [span for row in _rows(folder / "otlp") for span in row["resourceSpans"][0]["scopeSpans"][0]["spans"]]

    assert len(spans) == len({span["spanId"] for span in spans})
