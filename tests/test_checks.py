"""A check is one row: statistic, operator, threshold, verdict."""

from __future__ import annotations

import math

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from finops_lib.checks import COLUMNS, check, checklist

BELOW, EQUAL, ABOVE = 0.94, 0.95, 0.96


@pytest.mark.parametrize(
    ("comparison", "expected"),
    [
        ("<=", (True, True, False)),
        ("<", (True, False, False)),
        (">=", (False, True, True)),
        (">", (False, False, True)),
        ("==", (False, True, False)),
    ],
)
def test_the_operator_decides(comparison, expected):
    """Below, at and above the threshold."""
    rows = [check("coverage", value, comparison, EQUAL, unit="share") for value in (BELOW, EQUAL, ABOVE)]

    assert expected == tuple(row["passed"].item() for row in rows)


def test_a_row_holds_all_that_a_reader_needs():
    """Name, numbers, unit, verdict and a sentence, in this order."""
    row = check("budget", 4310, "<=", 4000, unit="USD/month", comment="over by 310")

    assert ("check", "statistic", "operator", "threshold", "unit", "passed", "comment") == COLUMNS
    assert [("budget", 4310.0, "<=", 4000.0, "USD/month", False, "over by 310")] == list(
        row.itertuples(index=False, name=None)
    )


@pytest.mark.parametrize("unknown", [None, float("nan"), pd.NA])
@pytest.mark.parametrize("comparison", ["<=", ">="])
def test_what_is_not_known_does_not_pass(unknown, comparison):
    """And says so, unless something better is said."""
    row = check("coverage", unknown, comparison, 0.95, unit="share")

    assert (False, "not known: the data does not hold it") == (row["passed"].item(), row["comment"].item())
    assert math.isnan(row["statistic"].item())
    told = check("coverage", unknown, comparison, 0.95, unit="share", comment="no teams given")
    assert "no teams given" == told["comment"].item()


def test_an_unknown_operator_is_refused():
    """There are five."""
    with pytest.raises(KeyError):
        check("coverage", 1, "=>", 0, unit="share")


def test_checks_are_stacked_in_order():
    """One table, numbered anew."""
    table = checklist(check(name, 1, "<=", 2, unit="x") for name in ("b", "a"))

    assert (["b", "a"], [0, 1], list(COLUMNS)) == (list(table["check"]), list(table.index), list(table.columns))


def test_no_checks_are_an_empty_table():
    """With the columns all the same."""
    assert (0, list(COLUMNS)) == (len(checklist([])), list(checklist([]).columns))


def test_a_name_stands_once():
    """Two checks of one name would hide each other."""
    with pytest.raises(ValueError, match="Checks named more than once: a"):
        checklist([check("a", 1, "<=", 2, unit="x")] * 2)


@given(st.floats(allow_nan=False), st.floats(allow_nan=False))
def test_opposite_operators_never_agree(statistic, threshold):
    """Exactly one of <= and > holds, and exactly one of >= and <."""
    passed = {
        op: check("x", statistic, op, threshold, unit="y")["passed"].item() for op in ("<=", ">", ">=", "<", "==")
    }

    assert passed["<="] is not passed[">"]
    assert passed[">="] is not passed["<"]
    assert passed["=="] is (passed["<="] and passed[">="])
