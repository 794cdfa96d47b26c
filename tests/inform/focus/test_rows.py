"""FOCUS rows: the ledger a day, assistant, model and token class, bills as they came, to the last digit."""

from __future__ import annotations

import json
from decimal import Decimal

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finops_lib.errors import SchemaError
from finops_lib.inform.focus.rows import focus_rows
from finops_lib.schema.focus import focus_columns

LEDGER = {
    **{"source": "ledger", "provider": "solora", "model": "solora-pro", "token_class": "cache_read"},
    **{"pricing_unit": "Tokens", "assistant": "hr-bot", "sku_id": "solora-pro/cache_read"},
    **{"sku_price_id": "solora-pro/cache_read/standard", "sub_account_id": "proj-1", "invoice_id": "INV-9"},
}


def tokens(quantity, price="0.30", **more):
    """A ledger line; the price is USD per million tokens."""
    unit = Decimal(price) / 10**6
    line = {"list_unit_price": unit, "contracted_unit_price": unit, "cost": quantity * unit}
    return LEDGER | {"pricing_quantity": quantity, "consumed_quantity": quantity} | line | more


def only(rows):
    """The single row, as a mapping."""
    assert 1 == len(rows)
    return rows.iloc[0]


def test_ledger_lines_of_a_day_assistant_model_and_token_class_become_one_row(make_charges):
    """8 million cache reads at 0.30 a million are 2.40, however many lines the ledger has for them."""
    lines = make_charges(tokens(5_000_000, team="people"), tokens(3_000_000, team="travel"))
    row = only(focus_rows(lines, "1.4"))
    assert ("1000000 Tokens", Decimal(8), Decimal("0.30")) == tuple(
        row[["PricingUnit", "PricingQuantity", "ListUnitPrice"]]
    )
    assert ("Tokens", Decimal(8_000_000)) == tuple(row[["ConsumedUnit", "ConsumedQuantity"]])
    costs = {row[f"{name}Cost"] for name in ("List", "Contracted", "Effective", "Billed")}
    assert {Decimal("2.4")} == costs
    assert ("hr-bot", "hr-bot", "Assistant") == tuple(row[["ResourceId", "ResourceName", "ResourceType"]])
    assert pd.Timestamp("2026-09-02", tz="UTC") == row["ChargePeriodEnd"]
    assert "Cache Read Input Tokens for solora-pro" == row["ChargeDescription"]


def test_a_row_keeps_only_the_tags_its_lines_share(make_charges):
    """Lines of two teams in one cost center keep the cost center as a tag, not a team."""
    shared = {"cost_center": "CC-104", "workflow": "answer"}
    lines = make_charges(tokens(1, team="people", **shared), tokens(2, team="travel", **shared))
    tags = json.loads(only(focus_rows(lines, "1.2"))["Tags"])
    assert {"assistant": "hr-bot", "cost_center": "CC-104", "workflow": "answer"} == tags


def test_a_price_change_within_a_day_makes_two_rows(make_charges):
    """Rows of two prices are never added up: quantity times price would no longer be the cost."""
    lines = make_charges(tokens(10, "0.30"), tokens(10, "0.25", sku_price_id="solora-pro/cache_read/noon"))
    assert [Decimal("0.25"), Decimal("0.30")] == sorted(focus_rows(lines, "1.2")["ListUnitPrice"])


def test_what_the_gateway_answered_itself_is_not_consumed(make_charges):
    """Tokens served by the gateway's own cache are billed by nobody, so they are no consumption of the model."""
    row = only(focus_rows(make_charges(tokens(300), tokens(0, consumed_quantity=700)), "1.4"))
    assert 300 == row["ConsumedQuantity"]


@pytest.mark.parametrize(
    ("token_class", "expected"),
    [
        ("uncached_input", {"x_TokenDirection": "Input", "x_TokenCacheAction": "Uncached"}),
        ("cache_write_1h", {"x_TokenDirection": "Input", "x_TokenCacheAction": "Write"}),
        ("reasoning", {"x_TokenDirection": "Output"}),
        ("web_search", {}),
    ],
)
def test_sku_properties_tell_model_direction_and_cache_action(make_charges, token_class, expected):
    """The cache action is told of input tokens only, and every property of our own begins with x_."""
    row = only(focus_rows(make_charges(tokens(1, token_class=token_class, service_tier="batch")), "1.4"))
    common = {"x_ModelId": "solora-pro", "x_TokenClass": token_class, "x_ServiceTier": "batch"}
    assert common | expected == json.loads(row["SkuPriceDetails"])


def test_bill_lines_stay_one_row_each_as_they_came(make_charges):
    """Two equal lines of a bill are two rows, with the bill's own id, tags and units."""
    line = {
        **{"pricing_quantity": 12, "pricing_unit": "Hours", "consumed_quantity": 12, "consumed_unit": "Hours"},
        **{"list_unit_price": 30, "contracted_unit_price": 30, "cost": 360, "tags": '{"env": "prod"}'},
        **{"resource_id": "vec-1", "service_name": "Vector search", "service_category": "Databases"},
    }
    rows = focus_rows(make_charges(line, line), "1.4")
    assert [["c0", "c1"], ["Hours"] * 2, ['{"env": "prod"}'] * 2] == [
        list(rows[n]) for n in ("x_ChargeId", "PricingUnit", "Tags")
    ]
    assert ["Other (Databases)"] * 2 == list(rows["ServiceSubcategory"])


def test_tax_and_credits_have_neither_quantity_nor_sku(make_charges):
    """What a bill puts on a tax line beside its amount is left out; the amount stays."""
    beside = {
        "pricing_quantity": 1,
        "pricing_unit": "Units",
        "list_unit_price": 19,
        "sku_id": "vat",
        "consumed_quantity": 1,
    }
    rows = focus_rows(
        make_charges(
            {"charge_category": "Tax", "cost": 19} | beside, {"charge_category": "Credit", "cost": -25} | beside
        ),
        "1.2",
    )
    empty = rows[
        ["PricingQuantity", "PricingUnit", "ListUnitPrice", "SkuId", "SkuPriceId", "ConsumedQuantity", "ConsumedUnit"]
    ]
    assert empty.isna().all(axis=None)
    assert [Decimal(-25), Decimal(19)] == sorted(rows["BilledCost"])


def test_true_ups_are_adjustments_of_the_issuers_service(make_charges):
    """A true-up names no service: it takes the one its issuer bills, so that one name stays one category."""
    service = {
        "service_name": "Solora API",
        "service_category": "AI and Machine Learning",
        "service_subcategory": "Generative AI",
    }
    true_up = {"charge_category": "Adjustment", "cost": "-0.01", "source": "true_up", "charge_description": "rounding"}
    rows = focus_rows(make_charges(tokens(10, **service), true_up), "1.4")
    assert {("Solora API", "AI and Machine Learning", "Generative AI")} == set(
        rows[["ServiceName", "ServiceCategory", "ServiceSubcategory"]].itertuples(index=False, name=None)
    )
    assert ["rounding"] == list(rows.loc[rows["ChargeCategory"] == "Adjustment", "ChargeDescription"])


def test_a_bill_without_quantities_is_one_unit_at_its_cost(make_charges):
    """Usage that a bill states only in money is priced as one unit; a refund as minus one."""
    rows = focus_rows(make_charges({"cost": "4.31"}, {"cost": "-4.31"}), "1.2")
    shown = rows[["PricingQuantity", "PricingUnit", "ListUnitPrice", "ListCost"]].itertuples(index=False, name=None)
    price = Decimal("4.31")
    assert [(Decimal(1), "Units", price, price), (Decimal(-1), "Units", price, -price)] == list(shown)


def test_costs_rounded_by_a_bill_become_the_exact_product_and_others_stay(make_charges):
    """3 × 0.333 billed as 1.00 is listed as 0.999, billed as it was; a cost that is off by a dollar is not touched."""
    line = {
        "pricing_quantity": 3,
        "pricing_unit": "Hours",
        "list_unit_price": "0.333",
        "contracted_unit_price": "0.333",
    }
    rows = focus_rows(make_charges(line | {"cost": "1.00"}, line | {"cost": "2.00"}), "1.2").set_index("x_ChargeId")
    assert [Decimal("0.999"), Decimal(2)] == list(rows["ListCost"])
    assert [Decimal(1), Decimal(2)] == list(rows["BilledCost"])


def test_what_a_third_party_invoices_is_sold_by_it_in_1_2(make_charges):
    """A marketplace that invoices is the provider, the maker the publisher; what it bills nothing for keeps both."""
    via = {"invoice_issuer_name": "Cloud Market", "service_provider_name": "Solora AI"}
    rows = focus_rows(make_charges(via | {"cost": 5}, via | {"cost": 0}), "1.2").set_index("x_ChargeId")
    assert ["Cloud Market", "Solora AI"] == list(rows["ProviderName"])
    assert ["Solora AI", "Solora AI"] == list(rows["PublisherName"])


def test_names_and_types_stand_only_beside_their_ids(make_charges):
    """A name without an id is left out, an id without a name is its own name."""
    row = only(
        focus_rows(
            make_charges({"cost": 1, "resource_type": "Service", "sub_account_id": "p1", "region_id": "eu"}), "1.2"
        )
    )
    assert ("p1", "Project", "eu") == tuple(row[["SubAccountName", "SubAccountType", "RegionName"]])
    assert row[["ResourceId", "ResourceName", "ResourceType"]].isna().all()


def test_the_columns_are_those_of_the_version(make_charges):
    """1.2 names provider and publisher and carries the split columns as its own; 1.4 has them natively."""
    for version in ("1.2", "1.4"):
        assert [column.name for column in focus_columns(version)] == list(
            focus_rows(make_charges({"cost": 1}), version)
        )
    with pytest.raises(SchemaError, match="version '1.0' is not written"):
        focus_rows(make_charges({"cost": 1}), "1.0")


def test_no_charges_make_no_rows(make_charges):
    """A month without charges is a file with a header."""
    rows = focus_rows(make_charges(), "1.2")
    assert (0, len(focus_columns("1.2"))) == rows.shape


@settings(max_examples=20, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 10**12),
            st.decimals("0.000001", "100", places=6),
            st.sampled_from(["a", "b", None]),
            st.sampled_from(["output", "cache_read"]),
        ),
        max_size=12,
    )
)
def test_rows_hold_every_cost_and_every_token_of_the_lines(make_charges, lines):
    """Whatever the lines are, costs and tokens of the rows sum to theirs, and quantity × price is the cost."""
    charges = make_charges(
        *(
            tokens(quantity, str(price), assistant=who, token_class=kind, sku_price_id=f"{kind}/{price}")
            for quantity, price, who, kind in lines
        )
    )
    rows = focus_rows(charges, "1.4")
    assert sum((q * p / 10**6 for q, p, *_ in lines), Decimal(0)) == sum(rows["BilledCost"], Decimal(0))
    assert sum(q for q, *_ in lines) == sum(rows["ConsumedQuantity"], Decimal(0))
    for row in rows.to_dict("records"):
        assert row["PricingQuantity"] * row["ListUnitPrice"] == row["ListCost"]
    assert len({(p, who, kind) for _, p, who, kind in lines}) == len(rows)
