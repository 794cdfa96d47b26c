"""What several owners share is split to the last token and the last cent."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from finops_lib.ingest.engine import arrow_type
from finops_lib.ingest.shares import split_shared
from finops_lib.params import Organisation
from finops_lib.schema import USAGE, names

TEAMS = Organisation(teams={"a": {"department": "D1", "cost_center": "C1"}, "b": {"department": "D2"}})


def usage(*rows: dict[str, Any]) -> pa.Table:
    """Make usage rows; what is not given is null."""
    kinds = {c.name: arrow_type(c.type) for c in USAGE} | {"tag_shares": pa.string()}
    return pa.table({name: pa.array([row.get(name) for row in rows], kind) for name, kind in kinds.items()})


def test_the_largest_fraction_gets_what_is_left():
    """10 tokens at 2 to 1 to 1 are 5, 2.5 and 2.5: of equal fractions the first name gets the odd one."""
    table = usage({"visible_output_tokens": 10, "request_count": 1, "tag_shares": '{"team":{"c":1,"b":1,"a":2}}'})

    found = split_shared(table, TEAMS).to_pylist()

    expected = [("a", 5, 1), ("b", 3, 0), ("c", 2, 0)]
    assert expected == [(row["team"], row["visible_output_tokens"], row["request_count"]) for row in found]


def test_amounts_are_split_in_their_smallest_unit():
    """0.000000000001 USD cannot be halved: one owner gets it, the other nothing; minutes are split in thousandths."""
    table = usage(
        {
            "reported_cost": Decimal("0.000000000001"),
            "review_minutes": Decimal("1.001"),
            "tag_shares": '{"team":{"a":1,"b":1}}',
        }
    )

    found = split_shared(table, TEAMS).to_pylist()

    assert [Decimal("0.000000000001"), Decimal(0)] == [row["reported_cost"] for row in found]
    assert [Decimal("0.501"), Decimal("0.500")] == [row["review_minutes"] for row in found]


def test_each_team_brings_its_department_and_cost_center():
    """Where the call names none itself; an owner nobody knows has none."""
    shares = '{"team":{"a":1,"b":1,"z":1}}'
    table = usage(
        {"request_count": 3, "tag_shares": shares}, {"request_count": 3, "department": "D9", "tag_shares": shares}
    )

    found = split_shared(table, TEAMS).to_pylist()

    assert [("D1", "C1"), ("D2", None), (None, None)] == [(r["department"], r["cost_center"]) for r in found[:3]]
    assert [("D9", "C1"), ("D9", None), ("D9", None)] == [(r["department"], r["cost_center"]) for r in found[3:]]


def test_customers_and_projects_are_split_too():
    """The dimension is the one the tags name; everything else of the row stays."""
    table = usage({"request_count": 4, "model": "m", "tag_shares": '{"customer":{"x":3,"y":1}}'})

    found = split_shared(table, TEAMS).to_pylist()

    assert [("x", "m", 3), ("y", "m", 1)] == [(r["customer"], r["model"], r["request_count"]) for r in found]


def test_rows_of_one_owner_are_left_alone():
    """Nothing shared, nothing changed, and the column of shares is gone."""
    table = usage({"team": "a", "request_count": 5, "reported_cost": Decimal("0.1")})

    found = split_shared(table, TEAMS)

    assert names(USAGE) == found.column_names
    assert table.drop_columns(["tag_shares"]) == found


def test_nulls_stay_null():
    """What is not known of the whole is not known of its parts."""
    table = usage({"request_count": None, "reported_cost": None, "tag_shares": '{"team":{"a":1,"b":1}}'})

    found = split_shared(table, TEAMS).to_pylist()

    assert [(None, None)] * 2 == [(row["request_count"], row["reported_cost"]) for row in found]


owners = st.dictionaries(st.text("abcxyz", min_size=1, max_size=3), st.integers(1, 10**6), min_size=2, max_size=9)
tokens = st.integers(0, 2**62)
amounts = st.decimals(0, Decimal("9999999999999999"), places=12, allow_nan=False)


@given(st.lists(st.tuples(owners, tokens, st.integers(0, 9), amounts), min_size=1, max_size=5))
@settings(max_examples=60, deadline=None)
def test_every_sum_is_what_it_was(rows):
    """Whatever the weights and sizes; nobody's share is off by a whole unit."""
    table = usage(
        *(
            {
                "uncached_input_tokens": size,
                "request_count": calls,
                "reported_cost": cost,
                "model": str(place),
                "tag_shares": '{"team":{' + ",".join(f'"{name}":{weight}' for name, weight in weights.items()) + "}}",
            }
            for place, (weights, size, calls, cost) in enumerate(rows)
        )
    )

    found = split_shared(table, TEAMS).to_pylist()

    for place, (weights, size, calls, cost) in enumerate(rows):
        parts = [row for row in found if row["model"] == str(place)]
        assert sorted(weights) == [row["team"] for row in parts]
        assert (size, calls, cost) == tuple(
            sum(row[name] for row in parts) for name in ("uncached_input_tokens", "request_count", "reported_cost")
        )
        for row in parts:
            exact = size * weights[row["team"]]
            assert 0 <= row["uncached_input_tokens"]
            assert abs(row["uncached_input_tokens"] * sum(weights.values()) - exact) < sum(weights.values())
