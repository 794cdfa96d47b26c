"""Every table has a contract, and a frame that breaks it is refused at the door."""

from __future__ import annotations

from datetime import UTC, datetime

import duckdb
import pandas as pd
import pytest

from finops_lib.errors import SchemaError
from finops_lib.ingest.engine import arrow_type
from finops_lib.schema import (
    DIMENSIONS,
    INPUT_CLASSES,
    LEDGER,
    OUTPUT_CLASSES,
    QUANTITIES,
    REQUESTS,
    TABLES,
    TOKEN_CLASSES,
    TOKENS,
    USAGE,
    check_frame,
    names,
)


@pytest.mark.parametrize("table", TABLES)
def test_every_column_has_a_type_an_engine_knows_and_a_meaning(table):
    """Names stand once; each type makes a column in DuckDB and in Arrow."""
    columns = TABLES[table]

    assert len(columns) == len(set(names(columns)))
    assert all(column.meaning for column in columns)
    listed = ", ".join(f'"{column.name}" {column.type}' for column in columns)
    with duckdb.connect() as connection:
        connection.execute(f"CREATE TABLE t ({listed})")
        made = connection.sql("SELECT * FROM t").to_arrow_table().schema
    assert [arrow_type(c.type) for c in columns if c.type != "TIMESTAMPTZ"] == [
        made.field(c.name).type for c in columns if c.type != "TIMESTAMPTZ"
    ]


@pytest.mark.parametrize("table", TABLES)
def test_numbers_have_a_unit(table):
    """A quantity without a unit is a riddle."""
    without = [c.name for c in TABLES[table] if c.type.startswith(("BIGINT", "DECIMAL", "DOUBLE")) and not c.unit]

    assert [] == [name for name in without if name != "source_position"]


def test_what_a_request_needs_is_little():
    """Time, id and where it was read; tokens are counted or zero; all else may be missing."""
    expected = ["timestamp", "request_id", "source", "source_file", "source_position"]
    assert expected == [column.name for column in REQUESTS if column.required]


def test_token_classes_are_disjoint_and_whole():
    """Each counts one column; input and output together are all of them."""
    assert list(TOKEN_CLASSES) == [*INPUT_CLASSES, *OUTPUT_CLASSES]
    assert names(TOKENS) == list(TOKEN_CLASSES.values())
    assert {"web_search"} == set(QUANTITIES) - set(TOKEN_CLASSES)


def test_usage_and_ledger_share_the_dimensions():
    """What is summed can be priced, and keeps its owners; users stay in the requests."""
    for table in (USAGE, LEDGER):
        assert set(names(DIMENSIONS)) < set(names(table))
        assert "user_id" not in names(table)
    assert len(DIMENSIONS) >= 9


def test_a_whole_frame_is_handed_on():
    """The very same frame, columns beyond the contract and all."""
    frame = pd.DataFrame({"month": ["2026-09"], "customer": ["c"], "revenue": [1.0], "more": [None]})

    assert frame is check_frame(frame, "customers")


def test_a_missing_column_is_named():
    """With all that is required in the hint."""
    with pytest.raises(SchemaError, match=r"Table 'customers': column 'revenue' breaks its contract") as caught:
        check_frame(pd.DataFrame({"month": ["2026-09"], "customer": ["c"]}), "customers")

    assert "month, customer, revenue" in caught.value.hint


def test_a_null_where_none_may_be_is_named():
    """Column and number of cases."""
    frame = pd.DataFrame({"month": ["2026-09", None, None], "customer": ["c"] * 3, "revenue": [1.0, 2.0, 3.0]})

    with pytest.raises(SchemaError, match=r"column 'month' breaks its contract \(not_nullable, 2 cases\)"):
        check_frame(frame, "customers")


def test_empty_frames_keep_their_contract():
    """No rows, no nulls."""
    frame = pd.DataFrame({column.name: [] for column in TABLES["outcomes"]})

    assert 0 == len(check_frame(frame, "outcomes"))


def test_arrow_frames_are_checked_as_well():
    """Frames come from the workspace as Arrow types."""
    frame = pd.DataFrame({name: [None] for name in names(LEDGER)}).convert_dtypes(dtype_backend="pyarrow")
    frame["charge_period_start"] = pd.Series([datetime(2026, 9, 1, tzinfo=UTC).date()], dtype="date32[day][pyarrow]")
    frame["token_class"] = pd.Series(["output"], dtype="string[pyarrow]")

    with pytest.raises(SchemaError, match="pricing_quantity"):
        check_frame(frame, "ledger")
