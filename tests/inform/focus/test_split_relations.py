"""FOCUS split relations: every invariant of the split cost allocation, broken once."""

from __future__ import annotations

import json
from decimal import Decimal

import pandas as pd
import pytest

from finops_lib.inform import allocate
from finops_lib.inform.focus.cells import read_cells
from finops_lib.inform.focus.rows import focus_rows
from finops_lib.inform.focus.split_relations import split_findings
from finops_lib.settings import AllocationRule

SHARED = {
    **{"charge_id": "index", "cost": 100, "pricing_quantity": 10, "pricing_unit": "Hours", "consumed_quantity": 10},
    **{"consumed_unit": "Hours", "list_unit_price": 10, "contracted_unit_price": 10, "resource_id": "vec-1"},
    "tags": '{"env": "prod"}',
}
HALF = json.dumps({"Elements": [{"AllocatedRatio": 0.5}]})


@pytest.fixture
def split(make_charges):
    """Rows of a charge split in halves for hr and it, a quarter of it for nobody: 40, 40, 20."""
    use = pd.DataFrame({"driver": "requests", "receiver": ["hr", "it", None], "value": [2, 2, 1]})
    rule = AllocationRule(name="index", bucket="proportional", method="proportional", driver="requests")
    charges = make_charges(SHARED, {"cost": 1})
    rows = focus_rows(
        charges, "1.4", allocate(charges, [rule.model_copy(update={"match": {"charge_id": "index"}})], use).allocations
    )
    rows = rows.astype(object).where(rows.notna(), None)
    return rows.sort_values("x_SplitOriginId", na_position="last", kind="stable").reset_index(drop=True)


def broken(rows, version="1.4"):
    """Rules, columns and rows that are findings."""
    found = pd.concat(split_findings(read_cells(rows, version)))
    return {(rule, column, row) for rule, column, row, *_ in found.itertuples(index=False, name=None)}


def test_the_split_as_we_write_it_breaks_nothing(split):
    """Three parts and an ordinary row, in either version."""
    assert [40, 40, 20, 1] == list(split["BilledCost"])
    assert set() == broken(split)
    renamed = {name: f"x_{name}" for name in split.columns if name.startswith("Allocated")}
    assert set() == broken(split.rename(columns=renamed), "1.2")


@pytest.mark.parametrize(
    ("row", "changed", "expected"),
    [
        (3, {"AllocatedTags": '{"finops/team": "x"}'}, {("split_without_method", "AllocatedTags", 4)}),
        (0, {"AllocatedMethodDetails": '{"Elements": []}'}, {("method_details", "AllocatedMethodDetails", 1)}),
        (0, {"AllocatedResourceName": None}, {("receiver_name", "AllocatedResourceName", 1)}),
        (2, {"AllocatedResourceName": "x"}, {("receiver_name", "AllocatedResourceName", 3)}),
        (2, {"AllocatedTags": '{"finops/team": "x"}'}, {("receiver_tags", "AllocatedTags", 3)}),
        (0, {"AllocatedTags": '{"env": "prod"}'}, {("repeated_tags", "AllocatedTags", 1)}),
        (1, {"AllocatedResourceId": "hr"}, {("receiver_twice", "AllocatedResourceId", 2)}),
        (1, {"ResourceId": "vec-2"}, {("same_as_origin", "ResourceId", n) for n in (1, 2, 3)}),
        (1, {"AllocatedMethodId": "even:v1"}, {("one_method", "AllocatedMethodId", n) for n in (1, 2, 3)}),
        (1, {"EffectiveCost": Decimal("39.99")}, {("split_sum", "EffectiveCost", n) for n in (1, 2, 3)}),
        (2, {"ConsumedQuantity": Decimal(3)}, {("split_sum", "ConsumedQuantity", n) for n in (1, 2, 3)}),
    ],
)
def test_each_broken_invariant_is_found(split, row, changed, expected):
    """One changed cell breaks its rule, on its row or on all parts of the charge."""
    for column, value in changed.items():
        split.loc[row, column] = value
    found = broken(split)
    assert expected == {one for one in found if one[0] != "ratio_sum"}
    assert ("ratio_sum" in {one[0] for one in found}) == ("AllocatedMethodDetails" in changed)


@pytest.mark.parametrize(
    "element",
    [{}, {"AllocatedRatio": 1.5}, {"AllocatedRatio": "0.5"}, {"AllocatedRatio": 0.4, "UsageQuantity": 5}],
)
def test_method_details_follow_their_schema(split, element):
    """A ratio from 0 to 1, and a unit beside every quantity."""
    split.loc[0, "AllocatedMethodDetails"] = json.dumps({"Elements": [element]})
    assert ("method_details", "AllocatedMethodDetails", 1) in broken(split)


def test_parts_lost_from_a_file_are_missed(split):
    """Without the remainder the ratios do not come to one, nor any metric to its origin."""
    rules = {rule for rule, *_ in broken(split.drop(index=2))}
    assert {"ratio_sum", "split_sum"} == rules


def test_where_no_origin_is_told_each_part_is_held_to_its_ratio(split):
    """A file of another tool has no origin columns: then a part that is not its ratio of the sum is found."""
    others = split.drop(columns=[name for name in split.columns if name.startswith("x_")])
    assert set() == broken(others)
    others.loc[0, "EffectiveCost"] = Decimal(50)
    assert {("split_part", "EffectiveCost", n) for n in (1, 2, 3)} == broken(others)
