"""The gateway's spend logs."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from pathlib import Path

import pandas as pd

from finops_lib.sample.gateway import key_hash, reported_cost
from finops_lib.sample.plants import DOUBLE_BILLED, days_between


def _lines(path: Path) -> list[str]:
    return gzip.decompress(path.read_bytes()).decode().splitlines()


def test_litellm_rows_are_the_logged_calls(folder: Path, calls: pd.DataFrame) -> None:
    """P18, P19, P23: what was logged, 12 rows twice, 5 unusable ones and one cut off at the end."""
    lines = [line for path in sorted((folder / "litellm").iterdir()) for line in _lines(path)]
    whole = [json.loads(line) for line in lines[:-1]]
    counts = Counter(row["request_id"] for row in whole)
    good = [row for row in whole if "-broken-" not in row["request_id"]]
    logged = calls[(calls["source"] == "litellm") & calls["logged"]]

    assert len(logged) + 12 + 5 + 1 == len(lines)
    assert 12 == sum(count - 1 for count in counts.values())
    assert 3 == sum(row["prompt_tokens"] < 0 for row in whole)
    assert 2 == sum(row["startTime"].startswith("1970") for row in whole)
    assert not lines[-1].endswith("}")
    assert len(logged) == len({row["request_id"] for row in good})
    assert logged["input"].sum() == sum({row["request_id"]: row["prompt_tokens"] for row in good}.values())


def test_litellm_row_shape(folder: Path) -> None:
    """Metadata is a JSON string, tags are key:value, the key is hashed, times carry no zone."""
    row = json.loads(_lines(folder / "litellm" / "spend_logs_2026-07.jsonl.gz")[300])
    metadata = json.loads(row["metadata"])

    assert isinstance(row["metadata"], str)
    assert all(":" in tag for tag in row["request_tags"])
    assert key_hash(metadata["user_api_key_alias"]) == row["api_key"]
    assert 26 == len(row["startTime"])
    assert row["total_tokens"] == row["prompt_tokens"] + row["completion_tokens"]


def test_gateway_marks_hits_judges_and_keys(folder: Path) -> None:
    """P06, P08, P12: a hit costs nothing, a judge is marked, calls without a team use a shared key without a tag."""
    rows = [json.loads(line) for line in _lines(folder / "litellm" / "spend_logs_2026-07.jsonl.gz")]
    hits = [row for row in rows if row["cache_hit"] == "True"]
    judged = [row for row in rows if json.loads(row["metadata"])["internal_call_origin"]]
    shared = [row for row in rows if json.loads(row["metadata"])["user_api_key_alias"].endswith("-shared")]

    assert hits
    assert {0} == {row["spend"] for row in hits}
    assert all("_cache_hit" in row["request_id"] for row in hits)
    assert {"claude-opus-5"} == {row["model"] for row in judged}
    assert shared
    assert not [row for row in shared if any(tag.startswith("team:") for tag in row["request_tags"])]


def test_gateway_reports_too_much_in_the_window(calls: pd.DataFrame) -> None:
    """P20: reported cost exceeds list cost in the window and equals it elsewhere, but for rounding."""
    own = calls[calls["source"] == "litellm"]
    excess = reported_cost(own) - own["usd"]
    inside = own["day"].isin(days_between(*DOUBLE_BILLED))

    assert excess[~inside].abs().max() < 1e-8
    assert excess[inside].sum() > 0.15 * own.loc[inside, "usd"].sum()
