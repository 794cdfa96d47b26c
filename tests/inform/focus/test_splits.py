"""FOCUS splits: parts replace the charge, are documented, and sum to it in every metric."""

from __future__ import annotations

import json
from decimal import Decimal

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finops_lib.errors import SchemaError
from finops_lib.inform import allocate
from finops_lib.inform.focus.findings import focus_findings
from finops_lib.inform.focus.rows import focus_rows
from finops_lib.schema.focus import SUMMED_METRICS
from finops_lib.settings import AllocationRule

INDEX = {
    **{"charge_id": "index", "cost": 720, "pricing_quantity": 24, "pricing_unit": "Hours", "consumed_quantity": 24},
    **{"consumed_unit": "Hours", "list_unit_price": 30, "contracted_unit_price": 30, "tags": '{"env": "prod"}'},
    **{"sku_id": "vec", "resource_id": "vec-1", "invoice_id": "LS-9"},
}
BY_REQUESTS = AllocationRule(
    name="index", bucket="proportional", method="proportional", driver="requests", receiver="assistant"
)


def use(driver="requests", **values):
    """Use by receiver; ``nobody`` is use that names no receiver."""
    receivers = [None if name == "nobody" else name for name in values]
    return pd.DataFrame(
        {"driver": driver, "receiver": receivers, "value": list(values.values()), "receiver_type": "assistant"}
    )


def elements(row):
    """The one element of the method's details."""
    (element,) = json.loads(row["AllocatedMethodDetails"])["Elements"]
    return element


def test_the_charge_is_replaced_by_its_parts_and_an_unallocated_rest(make_charges):
    """720 USD by 50 : 30 : 15 : 5 requests are 360, 216, 108 and 36 for nobody, at the same unit price."""
    charges = make_charges(INDEX)
    parts = allocate(charges, [BY_REQUESTS], use(hr=5000, it=3000, fin=1500, nobody=500)).allocations
    rows = focus_rows(charges, "1.4", parts, receiver_tags={"hr": {"cost_center": "CC-104"}}).set_index(
        "AllocatedResourceId"
    )
    assert ["fin", "hr", "it", pd.NA] == list(rows.index)
    assert [108, 360, 216, 36] == list(rows["BilledCost"]) == list(rows["ListCost"])
    assert [Decimal("3.6"), 12, Decimal("7.2"), Decimal("1.2")] == list(rows["PricingQuantity"])
    assert {30} == set(rows["ListUnitPrice"])
    assert {("index", 720)} == set(rows[["x_SplitOriginId", "x_SplitOriginCost"]].itertuples(index=False, name=None))
    assert {"finops/assistant": "hr", "finops/cost_center": "CC-104"} == json.loads(rows.loc["hr", "AllocatedTags"])
    assert {"AllocatedRatio": 0.5, "UsageUnit": "Requests", "UsageQuantity": 5000.0, "x_Rule": "index"} == elements(
        rows.loc["hr"]
    )
    rest = rows.iloc[-1]
    assert 0.05 == elements(rest)["AllocatedRatio"]
    assert rest[["AllocatedResourceName", "AllocatedTags"]].isna().all()


def test_a_charge_without_a_rule_stays_an_ordinary_row(make_charges):
    """No rule, no split: the row keeps its id and has no method."""
    charges = make_charges(INDEX)
    row = focus_rows(charges, "1.2", allocate(charges, [], use(hr=1)).allocations).iloc[0]
    assert row[["x_AllocatedMethodId", "x_SplitOriginId", "x_AllocatedTags"]].isna().all()


def test_lines_of_one_row_bring_their_parts_together(make_charges):
    """Three ledger lines of a day, two of them one team's, make one row that two teams share by their money."""
    line = {
        **{"source": "ledger", "provider": "p", "model": "m", "token_class": "output", "pricing_unit": "Tokens"},
        **{"list_unit_price": "0.00001", "contracted_unit_price": "0.00001", "sku_price_id": "m/output"},
    }
    shares = [("cx", 30_000), ("hr", 50_000), ("cx", 20_000)]
    charges = make_charges(
        *(
            line | {"team": t, "pricing_quantity": q, "consumed_quantity": q, "cost": Decimal(q) / 10**5}
            for t, q in shares
        )
    )
    direct = AllocationRule(name="calls", bucket="direct", method="direct", receiver="team")
    rows = focus_rows(charges, "1.2", allocate(charges, [direct], use(cx=1)).allocations)
    assert [("cx", Decimal("0.5"), 50_000), ("hr", Decimal("0.5"), 50_000)] == list(
        rows[["x_AllocatedResourceId", "BilledCost", "ConsumedQuantity"]].itertuples(index=False, name=None)
    )
    assert [1] * 2 == list(rows["x_SplitOriginCost"])
    assert focus_findings(rows, "1.2").empty


def test_a_bill_in_another_currency_is_split_in_that_currency(make_charges):
    """100 EUR among three at 1.1 USD: parts in euro that sum to 100, to the last digit."""
    euro = {"billing_currency": "EUR", "exchange_rate": "1.1", "cost": 100, "charge_id": "euro"}
    charges = make_charges(euro)
    rows = focus_rows(charges, "1.4", allocate(charges, [BY_REQUESTS], use(a=1, b=1, c=1)).allocations)
    assert {"EUR"} == set(rows["BillingCurrency"])
    assert 100 == rows["BilledCost"].sum() == rows["EffectiveCost"].sum()
    assert Decimal("33.333333333334") == rows["BilledCost"].max()


def test_a_credit_of_nothing_is_split_too(make_charges):
    """A charge of 0.00 with a driver has parts of 0.00 whose ratios still sum to one."""
    charges = make_charges({"cost": 0, "charge_category": "Credit", "exchange_rate": "1.1", "billing_currency": "EUR"})
    rows = focus_rows(charges, "1.4", allocate(charges, [BY_REQUESTS], use(a=1, b=3)).allocations)
    assert [0.25, 0.75] == [elements(row)["AllocatedRatio"] for row in rows.to_dict("records")]


def test_allocations_must_be_of_these_charges(make_charges):
    """A part of a charge that is not given, or of one that is given twice, is refused."""
    charges = make_charges(INDEX)
    parts = allocate(charges, [BY_REQUESTS], use(hr=1)).allocations
    with pytest.raises(SchemaError, match="split 1 charges that are not given, the first is 'index'"):
        focus_rows(make_charges(INDEX | {"charge_id": "other"}), "1.4", parts)
    with pytest.raises(SchemaError, match="'index' is there twice"):
        focus_rows(make_charges(INDEX, INDEX), "1.4", parts)
    with pytest.raises(SchemaError, match="'index' is split by two methods"):
        focus_rows(charges, "1.4", pd.concat([parts, parts.assign(method_id="even:v1")]))


@settings(max_examples=20, deadline=None)
@given(
    st.lists(st.decimals("-5000", "5000", places=9), min_size=1, max_size=5),
    st.lists(st.integers(0, 10**6), min_size=1, max_size=6).filter(any),
)
def test_parts_sum_to_their_charge_whatever_it_is(make_charges, costs, weights):
    """For any amounts, signs and weights every metric of the parts sums to the row, and our checker agrees."""
    lines = [
        {"cost": cost, "charge_id": f"c{place}", "pricing_quantity": abs(cost), "pricing_unit": "Units"}
        | {"list_unit_price": 1, "contracted_unit_price": 1, "consumed_quantity": abs(cost), "consumed_unit": "Units"}
        | ({} if cost >= 0 else {"charge_class": "Correction"})
        for place, cost in enumerate(costs)
    ]
    charges = make_charges(*lines)
    parts = allocate(charges, [BY_REQUESTS], use(**{f"r{n}": weight for n, weight in enumerate(weights)})).allocations
    whole, split = focus_rows(charges, "1.4"), focus_rows(charges, "1.4", parts)
    for metric in SUMMED_METRICS:
        assert whole[metric].sum() == split[metric].sum()
    assert focus_findings(split, "1.4").empty
