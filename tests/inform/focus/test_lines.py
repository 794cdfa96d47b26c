"""FOCUS lines: units of a price list, exact scaling, and what a charge category allows."""

from __future__ import annotations

from decimal import Decimal

import pandas as pd
import pytest

from finops_lib.inform.focus.lines import focus_lines, scaled, typed
from finops_lib.schema import CHARGES, names


def test_tokens_of_the_ledger_are_priced_per_million_and_those_of_bills_as_billed(make_charges):
    """2,000 tokens at 0.000003 are 0.002 million at 3; a bill that prices single tokens keeps doing so."""
    priced = {"pricing_quantity": 2000, "pricing_unit": "Tokens", "list_unit_price": "0.000003", "cost": "0.006"}
    lines = focus_lines(
        make_charges(*(priced | {"contracted_unit_price": "0.000003", "source": s} for s in ("ledger", "focus")))
    )
    assert ["1000000 Tokens", "Tokens"] == list(lines["pricing_unit"])
    assert [Decimal("0.002"), Decimal(2000)] == list(lines["pricing_quantity"])
    assert [Decimal(3), Decimal("0.000003")] == list(lines["contracted_unit_price"])


def test_a_cost_that_a_line_does_not_tell_is_the_billed_one(make_charges):
    """A true-up has an amount and nothing else: all four costs are that amount."""
    line = focus_lines(make_charges({"billed_cost": "-1.5", "charge_category": "Adjustment"})).iloc[0]
    costs = {line[f"billing_currency_{name}_cost"] for name in ("list", "contracted", "effective", "billed")}
    assert {Decimal("-1.5")} == costs


def test_only_usage_is_consumed_and_a_unit_needs_a_quantity(make_charges):
    """Seats are bought, not consumed; what has no quantity has no unit."""
    seats = {"charge_category": "Purchase", "pricing_quantity": 3, "pricing_unit": "Seats", "consumed_quantity": 3}
    prices = {"list_unit_price": 19, "contracted_unit_price": 19, "consumed_unit": "Seats", "cost": 57}
    adjustment = {"charge_category": "Adjustment", "pricing_unit": "Hours", "cost": 1}
    lines = focus_lines(make_charges(seats | prices, adjustment))
    assert lines[["consumed_quantity", "consumed_unit"]].isna().all(axis=None)
    assert ["Seats", None] == [None if unit is pd.NA else unit for unit in lines["pricing_unit"]]
    assert ["One-Time", "One-Time"] == list(lines["charge_frequency"])


def test_a_correction_without_a_quantity_is_not_made_a_unit(make_charges):
    """A refund of a closed month may leave quantity and price open."""
    line = focus_lines(make_charges({"charge_class": "Correction", "cost": -5})).iloc[0]
    assert line[["pricing_quantity", "list_unit_price"]].isna().all()


@pytest.mark.parametrize(
    ("billed", "written"),
    [
        ("1M tokens", "1000000 Tokens"),
        ("10K Requests", "10000 Requests"),
        ("Workflow operation", "Workflow Operations"),
        ("Count", "Counts"),
        ("GB", "GB"),
        ("GB-Hours", "GB-Hours"),
        ("request/Second", "Requests/Second"),
        ("7", "7"),
    ],
)
def test_units_are_spelled_as_focus_spells_them(make_charges, billed, written):
    """Capitals, plural and figures in full; the quantity is not touched, and what is no unit is left."""
    line = {"pricing_quantity": 2, "pricing_unit": billed, "list_unit_price": 1, "contracted_unit_price": 1, "cost": 2}
    made = focus_lines(make_charges(line)).iloc[0]
    assert (written, 2) == (made["pricing_unit"], made["pricing_quantity"])


def test_prices_are_in_the_billing_currency_whatever_a_bill_counts_in(make_charges):
    """A bill in a vendor's credits also states money: the row's prices are that money."""
    line = focus_lines(make_charges({"cost": 1, "pricing_currency": "Token"})).iloc[0]
    assert "USD" == line["pricing_currency"]


def test_typed_adds_what_is_missing_and_keeps_what_is_more():
    """A frame of one column gets all of the contract's, as nulls of the right type."""
    frame = typed(pd.DataFrame({"charge_id": ["a"], "colour": ["red"]}, index=[7]), CHARGES)
    assert {"colour", *names(CHARGES)} == set(frame.columns)
    assert (0, "decimal128(38, 15)[pyarrow]") == (frame.index[0], str(frame["billed_cost"].dtype))


def test_scaling_is_exact_and_touches_only_what_is_chosen():
    """A third of a million tokens, to twelve digits, keeps every one of them."""
    values = pd.Series([Decimal("333333.333333333333"), Decimal(2), None])
    made = scaled(values, pd.Series([True, False, True]), Decimal("0.000001"))
    assert [Decimal("0.333333333333333333"), Decimal(2)] == list(made[:2])
    assert made.isna()[2]
