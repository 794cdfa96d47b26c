"""FOCUS cells: what a cell alone must look like, as text or typed."""

from __future__ import annotations

from decimal import Decimal

import pandas as pd
import pytest

from finops_lib.inform.focus.cells import cell_findings, column_findings, findings_where, parsed, read_cells
from finops_lib.schema.focus import focus_columns


def rules(column, value):
    """Rules that one value of one column breaks."""
    table = read_cells(pd.DataFrame({column: [value]}), "1.4")
    return [rule for findings in cell_findings(table) for rule in findings["rule"]]


@pytest.mark.parametrize(
    ("column", "good"),
    [
        ("ChargePeriodStart", "2026-09-01T00:00:00Z"),
        ("ChargePeriodStart", pd.Timestamp("2026-09-01", tz="UTC")),
        ("BilledCost", "-12.5"),
        ("BilledCost", "5E-7"),
        ("BilledCost", Decimal("1E-15")),
        ("ListUnitPrice", None),
        ("PricingUnit", "1000000 Tokens"),
        ("PricingUnit", "GB-Hours"),
        ("PricingUnit", "USD"),
        ("PricingUnit", "Requests/Second"),
        ("Tags", '{"team": "cx", "shared": true, "seats": 3}'),
        ("SkuPriceDetails", '{"InstanceType": "p5", "x_ModelId": "m"}'),
        ("AllocatedMethodDetails", '{"Elements": [{"AllocatedRatio": 1}]}'),
    ],
)
def test_right_cells_have_no_findings(column, good):
    """What the specification allows is let through."""
    assert [] == rules(column, good)


@pytest.mark.parametrize(
    ("column", "bad", "rule"),
    [
        ("ChargePeriodStart", "2026-09-01 00:00:00", "date_format"),
        ("ChargePeriodStart", "2026-09-01T00:00:00", "date_format"),
        ("ChargePeriodStart", "2026-13-01T00:00:00Z", "date_format"),
        ("ChargePeriodStart", pd.Timestamp("2026-09-01"), "date_format"),
        ("ChargePeriodStart", pd.Timestamp("2026-09-01", tz="Europe/Berlin"), "date_format"),
        ("BilledCost", "", "null"),
        ("BilledCost", None, "null"),
        ("BilledCost", "1,234.50", "number_format"),
        ("BilledCost", "$5", "number_format"),
        ("BilledCost", "+5", "number_format"),
        ("BilledCost", "1E+7", "number_format"),
        ("ListUnitPrice", "-0.1", "negative_price"),
        ("PricingUnit", "tokens", "unit_format"),
        ("PricingUnit", "1M tokens", "unit_format"),
        ("PricingUnit", "Token", "unit_format"),
        ("Tags", '{"team": {"name": "cx"}}', "key_value_format"),
        ("Tags", '{"team": ["cx"]}', "key_value_format"),
        ("Tags", "team=cx", "key_value_format"),
        ("SkuPriceDetails", '{"ModelId": "m"}', "sku_property_name"),
        ("SkuPriceDetails", '{"x_modelId": "m"}', "sku_property_name"),
        ("ContractApplied", '{"a": {"b": {"c": {"d": 1}}}}', "object_format"),
        ("ChargeCategory", "usage", "allowed_values"),
        ("BillingCurrency", "US$", "currency"),
    ],
)
def test_a_wrong_cell_is_one_finding(column, bad, rule):
    """Every rule is broken by its example, and no other rule is."""
    assert [rule] == rules(column, bad)


def test_findings_name_row_value_and_what_was_expected():
    """Rows count from 1; an empty cell is shown as nothing."""
    found = pd.Series(["a", None], index=[1, 2], dtype=object)
    made = findings_where("null", "Tags", found.isna(), found, "a value")
    assert [("null", "Tags", 2, "nothing", "a value")] == list(made.itertuples(index=False, name=None))


def test_columns_are_known_complete_and_own_ones_last():
    """A missing, an unknown and a misplaced column are findings of the whole file."""
    names = [column.name for column in focus_columns("1.2") if not column.name.startswith("x_")]
    frame = pd.DataFrame(columns=["x_Own", "Provider", *names]).drop(columns="ServiceName")
    found = pd.concat(column_findings(read_cells(frame, "1.2")))
    assert {0} == set(found["row"])
    by_rule = found.groupby("rule")["column"].agg(list)
    assert (["ServiceName"], ["Provider"]) == (by_rule["column_missing"], by_rule["column_unknown"])
    assert len(names) - 1 == len(by_rule["column_order"])


def test_typed_and_written_cells_are_read_alike():
    """Decimals and UTC timestamps are the text of the file they would be written to."""
    typed = pd.DataFrame({"BilledCost": [Decimal("1E+2")], "ChargePeriodEnd": pd.to_datetime(["2026-09-02"], utc=True)})
    table = read_cells(typed, "1.2")
    assert ["100", "2026-09-02T00:00:00Z"] == table.text.loc[1].tolist()
    assert (Decimal(100), None) == (table.number("BilledCost")[1], table.column("Tags")[1])


def test_json_is_read_with_exact_numbers():
    """A ratio of 0.1 is a tenth, and what is no JSON is nothing."""
    assert {"r": Decimal("0.1")} == parsed('{"r": 0.1}')
    assert (None, None) == (parsed("{"), parsed(None))
