"""Bill comparison: both sides are brought to the grain that both know."""

from __future__ import annotations

from decimal import Decimal

from finops_lib.inform.reconciliation.bill_comparison import EFFECTS, compare_with_bill, largest_differences
from finops_lib.inform.reconciliation.bill_lines import bill_lines

DAY = "2026-09-01"


def compare(log, bill):
    """Compare September."""
    return compare_with_bill(bill_lines(bill, "2026-09"), log, "2026-09")[0]


def test_the_effects_add_up_to_the_difference(make_log, make_bill):
    """100 tokens more at 8, all 1,100 at 1 more, and 0.001 taken off by the bill."""
    log = make_log([(DAY, "large", "output", 1_000, 8)])
    bill = make_bill([("large", "output", 1_100, 9, {"billed_cost": Decimal("0.0089")})])

    row = compare(log, bill).iloc[0]

    assert [Decimal("0.0008"), Decimal("0.0011"), Decimal("-0.001")] == row[list(EFFECTS)].tolist()
    assert Decimal("0.0089") - Decimal("0.008") == row["billed_cost"] - row["estimate"]


def test_reasoning_and_long_writes_join_the_class_a_bill_lists(make_log, make_bill):
    """A bill without reasoning has it in its output; a bill with one kind of cache write has both in it."""
    log = make_log(
        [
            (DAY, "large", "output", 60, 8),
            (DAY, "large", "reasoning", 40, 8),
            (DAY, "large", "cache_write_1h", 10, 4),
            (DAY, "large", "cache_write_5m", 10, "2.5"),
        ]
    )
    bill = make_bill(
        [("large", "output", 100, 8), ("large", "cache_write_5m", 10, 4), ("large", "cache_write_5m", 10, "2.5")]
    )

    found = compare(log, bill)

    assert {"output": 100, "cache_write_5m": 20} == found.set_index("token_class")["logged_quantity"].to_dict()
    assert 0 == len(largest_differences(found))


def test_what_one_side_does_not_know_is_left_out(make_log, make_bill):
    """A bill without accounts, tiers and classes is compared by model; a snapshot of a model is the model."""
    log = make_log([(DAY, "large-2026-03-17", "output", 60, 8), (DAY, "large-2026-03-17", "uncached_input", 40, 8)])
    bill = make_bill([("large", None, 100, 8, {"sub_account_id": None, "service_tier": None})])

    found = compare(log, bill)

    assert [("", "large", "", "")] == [
        tuple(row) for row in found[["account", "model", "service_tier", "token_class"]].to_numpy()
    ]
    assert [100, 100] == found[["logged_quantity", "billed_quantity"]].iloc[0].tolist()


def test_free_and_cached_calls_are_on_no_bill(make_log, make_bill):
    """What costs nothing, or is answered from the gateway's cache, is not missed on the bill."""
    rows = [(DAY, "large", "output", 100, 8), (DAY, "own", "output", 100, 0), (DAY, "large", "output", 0, 8)]

    assert ["large"] == compare(make_log(rows), make_bill([("large", "output", 100, 8)]))["model"].tolist()


def test_largest_differences_come_first(make_log, make_bill):
    """By size, whatever the sign; keys that neither side knows are not shown."""
    log = make_log([(DAY, "a", "output", 100, 8), (DAY, "b", "output", 100, 8)])
    bill = make_bill([("a", "output", 110, 8), ("b", "output", 50, 8)])

    found = largest_differences(compare(log, bill))

    assert ["b", "a"] == found["model"].tolist()
    assert "day" not in found
