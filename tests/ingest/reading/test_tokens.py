"""Counts as received become disjoint classes that add up to the call's total; nothing is clamped."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finops_lib.ingest.engine import connect
from finops_lib.ingest.reading.tokens import ABSURD_TOKENS, RAW, bucket_sql, counted_columns, fault_sql
from finops_lib.schema import TOKEN_CLASSES

SHORT = {column: name for name, column in TOKEN_CLASSES.items()}
Buckets = Callable[..., list[dict[str, Any]]]


@pytest.fixture(scope="module")
def buckets() -> Any:
    """Work the classes of rows out: those that are not 0, with basis and fault."""
    with connect() as connection:

        def run(*rows: dict[str, Any], limit: int | None = ABSURD_TOKENS) -> list[dict[str, Any]]:
            defaults = {"input_basis": "inclusive", "reasoning_basis": "inside", "basis_given": False}
            full = [dict.fromkeys(RAW) | defaults | row for row in rows]
            texts = {"input_basis": pa.string(), "reasoning_basis": pa.string(), "basis_given": pa.bool_()}
            columns = {name: pa.array([row[name] for row in full], texts.get(name, pa.int64())) for name in full[0]}
            connection.register("counted", pa.table(columns | {"n": pa.array(range(len(full)))}))
            sql = f"SELECT *, {fault_sql(limit)} AS fault FROM ({bucket_sql('counted')}) ORDER BY n"
            found = connection.sql(sql).to_arrow_table().to_pylist()
            return [
                {short: row[column] for column, short in SHORT.items() if row[column]}
                | {"basis": row["usage_basis"], "fault": row["fault"]}
                for row in found
            ]

        yield run


def raw(given_in: int, out: int, total: int | None = None, **more: Any) -> dict[str, Any]:
    """Name counts as received."""
    return {"raw_input": given_in, "raw_output": out, "raw_total": total} | {f"raw_{k}": v for k, v in more.items()}


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (raw(100, 20, 120), {"uncached_input": 100, "output": 20}),
        (raw(100, 20), {"uncached_input": 100, "output": 20}),
        # 100 in of which 60 cached: 120 in all
        (raw(100, 20, 120, cache_read=60), {"uncached_input": 40, "cache_read": 60, "output": 20}),
        # the total counts the 60 beside the 100
        (raw(100, 20, 180, cache_read=60), {"uncached_input": 100, "cache_read": 60, "output": 20}),
        # off by one is forgiven, for either form
        (raw(100, 20, 121, cache_read=60), {"uncached_input": 40, "cache_read": 60, "output": 20}),
        (raw(100, 20, 179, cache_read=60), {"uncached_input": 100, "cache_read": 60, "output": 20}),
        # without a total more cached than input can only stand beside it
        (raw(10, 20, cache_read=60), {"uncached_input": 10, "cache_read": 60, "output": 20}),
        # 1,104 of reasoning inside 2,055, as 6 + 2,055 = 2,061
        (raw(6, 2055, 2061, reasoning=1104), {"uncached_input": 6, "output": 951, "reasoning": 1104}),
        # 901 of thoughts beside 29, as 3 + 29 + 901 = 933
        (raw(3, 29, 933, reasoning=901), {"uncached_input": 3, "output": 29, "reasoning": 901}),
        # off by one is forgiven for reasoning too
        (raw(3, 29, 934, reasoning=901), {"uncached_input": 3, "output": 29, "reasoning": 901}),
        (raw(3, 29, 33, reasoning=9), {"uncached_input": 3, "output": 20, "reasoning": 9}),
        # without a total more reasoning than output can only stand beside it
        (raw(3, 29, reasoning=901), {"uncached_input": 3, "output": 29, "reasoning": 901}),
        # writes: 600 in all of which 200 for an hour
        (
            raw(5000, 100, 5100, cache_read=4000, cache_write=600, cache_write_1h=200),
            {"uncached_input": 400, "cache_read": 4000, "cache_write_5m": 400, "cache_write_1h": 200, "output": 100},
        ),
        (
            raw(5000, 100, 5100, cache_write_5m=400, cache_write_1h=200),
            {"uncached_input": 4400, "cache_write_5m": 400, "cache_write_1h": 200, "output": 100},
        ),
        # audio in 40 of which 10 from the cache, audio out 5
        (
            raw(100, 20, 120, cache_read=30, audio_input=40, cache_read_audio=10, audio_output=5),
            {
                "uncached_input": 40,
                "cache_read": 20,
                "audio_input": 30,
                "cache_read_audio": 10,
                "output": 15,
                "audio_output": 5,
            },
        ),
        (raw(0, 0, 0), {}),
    ],
)
def test_the_total_decides(buckets: Buckets, row: dict[str, Any], expected: dict[str, int]) -> None:
    """Where it is given; else what the counts allow; else the source's convention."""
    (found,) = buckets(row)
    basis, fault = found.pop("basis"), found.pop("fault")
    assert (expected, None) == (found, fault)
    assert basis in ("inclusive", "exclusive")


def test_the_source_decides_what_the_counts_leave_open(buckets: Buckets) -> None:
    """100 in with 60 cached and 20 out with 5 of reasoning, no total, under four conventions."""
    row = raw(100, 20, cache_read=60, reasoning=5)
    found = buckets(
        row,
        row | {"input_basis": "exclusive"},
        row | {"reasoning_basis": "outside"},
        row | {"input_basis": "exclusive", "reasoning_basis": "outside"},
    )
    assert [(40, 15), (100, 15), (40, 20), (100, 20)] == [(r["uncached_input"], r["output"]) for r in found]
    assert ["inclusive", "exclusive", "inclusive", "exclusive"] == [r["basis"] for r in found]


def test_a_total_no_form_reaches_is_ambiguous(buckets: Buckets) -> None:
    """1,568 is neither 663 + 163 nor anything with the 300 cached: counted by the convention, and marked."""
    (found,) = buckets(raw(663, 163, 1568, cache_read=300))
    assert {"uncached_input": 363, "cache_read": 300, "output": 163, "basis": "ambiguous", "fault": None} == found


def test_a_declared_basis_is_not_guessed_against(buckets: Buckets) -> None:
    """Declared inclusive, 60 cached of 10 is a fault; undeclared it stands beside."""
    row = raw(10, 20, cache_read=60)
    assert ["cached tokens exceed input tokens", None] == [
        r["fault"] for r in buckets(row | {"basis_given": True}, row)
    ]


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        (raw(-1, 20), "negative token count"),
        (raw(100, 20, reasoning=-5), "negative token count"),
        (raw(100, 20, -120), "negative token count"),
        (raw(100_000_001, 20), "absurd token count: over 100,000,000 in one call"),
        (raw(100_000_000, 20), None),
        (raw(50, 20, 70, cache_read=60), "cached tokens exceed input tokens"),
        (raw(100, 20, 120, reasoning=30), "reasoning tokens exceed output tokens"),
        (raw(100, 20, 120, audio_input=10, cache_read_audio=20), "token counts contradict each other"),
        (raw(100, 20, 120, audio_output=30), "token counts contradict each other"),
        (raw(100, 20, 120, audio_input=130), "token counts contradict each other"),
    ],
)
def test_what_cannot_be_is_a_fault(buckets: Buckets, row: dict[str, Any], fault: str | None) -> None:
    """Negative, absurd and contradicting counts are named, never clamped."""
    assert fault == buckets(row)[0]["fault"]


def test_buckets_of_many_calls_may_be_large(buckets: Buckets) -> None:
    """A day of an organisation holds more tokens than any call."""
    assert None is buckets(raw(10**12, 20), limit=None)[0]["fault"]


def test_columns_a_source_counts() -> None:
    """Plain input and output always; the rest where one of its counts is observed."""
    assert ["uncached_input_tokens", "visible_output_tokens"] == counted_columns(set())
    assert list(TOKEN_CLASSES.values()) == counted_columns(set(RAW))


COUNT = st.integers(0, 1_000)


@settings(max_examples=40, deadline=None)
@given(uncached=COUNT, read=COUNT, short=COUNT, long=COUNT, visible=COUNT, reasoning=COUNT, told=st.booleans())
@pytest.mark.parametrize(("basis", "inside"), [("inclusive", True), ("inclusive", False), ("exclusive", True)])
def test_classes_are_found_again_under_the_convention(
    buckets: Buckets,
    basis: str,
    inside: bool,
    uncached: int,
    read: int,
    short: int,
    long: int,
    visible: int,
    reasoning: int,
    told: bool,
) -> None:
    """What a source reports by its declared convention comes back class by class and adds up to the total."""
    cached = read + short + long
    row = raw(
        uncached + (cached if basis == "inclusive" else 0),
        visible + (reasoning if inside else 0),
        uncached + cached + visible + reasoning if told else None,
        cache_read=read,
        cache_write=short + long,
        cache_write_1h=long,
        reasoning=reasoning,
    )
    declared = {"input_basis": basis, "reasoning_basis": "inside" if inside else "outside", "basis_given": True}
    (found,) = buckets(row | declared)
    classes = {
        "uncached_input": uncached,
        "cache_read": read,
        "cache_write_5m": short,
        "cache_write_1h": long,
        "output": visible,
        "reasoning": reasoning,
    }
    assert {k: v for k, v in classes.items() if v} | {"basis": basis, "fault": None} == found


@settings(max_examples=150, deadline=None)
@given(st.fixed_dictionaries(dict.fromkeys(RAW, st.none() | st.integers(0, 50))), st.booleans())
def test_classes_without_a_fault_are_disjoint_and_add_up(buckets: Buckets, row: dict[str, Any], outside: bool) -> None:
    """No class is negative; where the basis is certain they add up to the total given, off by one at most."""
    (found,) = buckets(row | {"reasoning_basis": "outside" if outside else "inside"})
    basis, fault = found.pop("basis"), found.pop("fault")
    if fault is None:
        assert all(count > 0 for count in found.values())
        if row["raw_total"] and basis != "ambiguous":
            assert abs(sum(found.values()) - row["raw_total"]) <= 1
