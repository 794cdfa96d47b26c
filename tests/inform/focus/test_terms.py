"""FOCUS terms: exact products, parties and services, SKU properties, tags as JSON."""

from __future__ import annotations

import json
from decimal import Decimal
from fractions import Fraction

import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from finops_lib.errors import SchemaError
from finops_lib.inform.focus.rows import focus_rows
from finops_lib.inform.focus.terms import EXACT, exact_product, json_text


@given(
    st.decimals("-99999999", "99999999", places=12, allow_nan=False),
    st.decimals("0", "99999", places=12, allow_nan=False),
)
@example(Decimal("18446744.070450442719"), Decimal("1e-12"))  # just below 2^64, where Arrow's own cast gives up
def test_a_product_has_every_digit(left, right):
    """Twelve decimals times twelve decimals are twenty-four, and none is rounded."""
    product = exact_product(pd.Series([left], dtype=EXACT), pd.Series([right], dtype=EXACT))[0]
    assert Fraction(left) * Fraction(right) == Fraction(product)


def test_a_product_that_does_not_fit_is_refused_not_rounded():
    """More than 24 decimals cannot be written, and the message says what to do."""
    tiny = pd.Series([Decimal("1e-13")], dtype=EXACT)
    with pytest.raises(SchemaError, match="more digits than a FOCUS row holds") as told:
        exact_product(tiny, tiny)
    assert "larger unit" in told.value.hint


def test_properties_of_a_bill_get_the_prefix_that_versions_before_1_5_ask_for(make_charges):
    """ModelId is a draft's name and becomes x_ModelId; InstanceType is one of the specification's own."""
    details = json.dumps({"ModelId": "saturn", "InstanceType": "p5", "x_Tier": 1})
    row = focus_rows(make_charges({"cost": 1, "sku_id": "s", "sku_price_details": details}), "1.4").iloc[0]
    assert {"x_ModelId": "saturn", "InstanceType": "p5", "x_Tier": 1} == json.loads(row["SkuPriceDetails"])


@pytest.mark.parametrize("text", ["not json", "[1]"])
def test_properties_that_are_no_object_are_left_for_the_checker(make_charges, text):
    """What cannot be read is passed on, not dropped."""
    row = focus_rows(make_charges({"cost": 1, "sku_id": "s", "sku_price_details": text}), "1.4").iloc[0]
    assert text == row["SkuPriceDetails"]


def test_a_service_without_a_name_is_the_one_its_issuer_bills_most(make_charges):
    """Two lines of one service outweigh one of another; an unknown issuer's lines are named after it."""
    search = {"service_name": "Search", "service_category": "Databases", "service_subcategory": "Other (Databases)"}
    chat = {"service_name": "Chat", "service_category": "Web", "service_subcategory": "Other (Web)"}
    rows = focus_rows(
        make_charges(*({"cost": 1} | s for s in (search, chat, search, {}, {"invoice_issuer_name": "New"}))), "1.2"
    )
    named = rows.set_index("x_ChargeId")[["ServiceName", "ServiceCategory"]]
    assert [("Search", "Databases"), ("New", "Other")] == [tuple(named.loc[key]) for key in ("c3", "c4")]


def test_a_service_filed_twice_gets_the_category_of_most_of_its_lines(make_charges):
    """A bill that files one service under storage and compute: FOCUS knows one category for a name."""
    lines = [{"cost": 1, "service_name": "EC2", "service_category": name} for name in ("Storage", "Compute", "Compute")]
    rows = focus_rows(make_charges(*lines), "1.2")
    assert {("Compute", "Other (Compute)")} == set(
        rows[["ServiceCategory", "ServiceSubcategory"]].itertuples(index=False, name=None)
    )


def test_a_model_provider_without_a_service_sells_generative_ai(make_charges):
    """Where no bill names the service, a model provider's is AI and Machine Learning."""
    row = focus_rows(make_charges({"cost": 1, "provider": "openai"}), "1.4").iloc[0]
    assert ("AI and Machine Learning", "Generative AI") == tuple(row[["ServiceCategory", "ServiceSubcategory"]])


def test_json_text_is_sorted_without_nulls_and_readable():
    """Equal tags give equal text, letters stay letters, no tags give nothing."""
    assert '{"a": "é", "b": 1}' == json_text({"b": 1, "a": "é", "c": pd.NA, "d": None})
    assert json_text({"a": None}) is None
