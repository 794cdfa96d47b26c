"""FOCUS file: no digit lost, no id turned into a number, whole or not at all."""

from __future__ import annotations

from decimal import Decimal

import pandas as pd
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from finops_lib.errors import ParamsError
from finops_lib.inform.focus.rows import focus_rows
from finops_lib.report.focus_file import columns_of_digits, focus_text, write_focus


@given(st.decimals("-1e13", "1e13", places=15, allow_nan=False))
def test_decimals_are_written_in_full_without_an_exponent(value):
    """The text is the number, has a point and digits on both sides of it, and no exponent."""
    (written,) = focus_text(pd.DataFrame({"BilledCost": [value]}))["BilledCost"]
    assert value == Decimal(written)
    whole, point, rest = written.removeprefix("-").partition(".")
    assert whole.isdigit()
    assert (".", True, False) == (point, rest.isdigit(), rest.endswith("0") and len(rest) > 1)


def test_csv_holds_what_the_rows_hold(make_charges, tmp_path):
    """Dates in UTC with Z, whole costs with a point, nulls empty, formulas inert."""
    charges = make_charges({"cost": 3, "resource_id": "=HYPERLINK(1)", "sub_account_id": "-dev"})
    write_focus(focus_rows(charges, "1.2"), tmp_path / "new" / "focus.csv")
    (row,) = pd.read_csv(tmp_path / "new" / "focus.csv", dtype=str, keep_default_na=False).to_dict("records")
    assert ("3.0", "2026-09-02T00:00:00Z", "", "'=HYPERLINK(1)", "'-dev") == tuple(
        row[name] for name in ("BilledCost", "ChargePeriodEnd", "RegionId", "ResourceId", "SubAccountId")
    )


def test_parquet_keeps_types_and_text_as_it_was(make_charges, tmp_path):
    """Exact decimals and UTC timestamps; nothing is defused where nothing is run."""
    write_focus(focus_rows(make_charges({"cost": "0.1", "resource_id": "=1"}), "1.4"), tmp_path / "focus.parquet")
    table = pq.read_table(tmp_path / "focus.parquet")
    assert ("decimal128(38, 24)", "UTC") == (
        str(table.schema.field("BilledCost").type),
        table["ChargePeriodStart"].type.tz,
    )
    assert (Decimal("0.1"), "=1") == (table["BilledCost"][0].as_py(), table["ResourceId"][0].as_py())


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_equal_rows_make_equal_bytes(make_charges, tmp_path, ending):
    """Two runs give the same file."""
    for name in "ab":
        write_focus(focus_rows(make_charges({"cost": 1}), "1.4"), tmp_path / f"{name}.{ending}")
    assert (tmp_path / f"a.{ending}").read_bytes() == (tmp_path / f"b.{ending}").read_bytes()


def test_another_ending_is_refused_and_the_old_file_stays(make_charges, tmp_path):
    """Nothing is written under a name that says nothing."""
    (tmp_path / "focus.xlsx").write_text("old")
    with pytest.raises(ParamsError, match="found 'focus.xlsx', expected a name that ends with .csv or .parquet"):
        write_focus(focus_rows(make_charges({"cost": 1}), "1.2"), tmp_path / "focus.xlsx")
    assert "old" == (tmp_path / "focus.xlsx").read_text()


def test_ids_of_digits_are_told():
    """A column of account numbers is one that readers of CSV turn into integers; one letter is enough to stop them."""
    text = pd.DataFrame({"a": ["0123", None], "b": ["0123", "x"], "c": [None, None], "d": ["1.0", "2.0"]}, dtype=object)
    assert ["a"] == columns_of_digits(text)
