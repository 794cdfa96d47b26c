"""The first sentences of the allocation."""

from __future__ import annotations

from decimal import Decimal

import pytest

from finops_lib.report import allocation_text

WHOLE = {
    "period": "2026-09",
    "receiver_type": "team",
    "receiver": None,
    "billed": Decimal(200),
    "unallocated": Decimal(10),
    "bills": 3,
    "top": "support_team",
    "top_cost": Decimal(80),
    "own_cost": None,
    "own_direct": None,
    "own_proportional": None,
    "own_overhead": None,
    "reason": "no rule matches the charge",
    "reason_cost": Decimal(7),
    "reason_service": "Notes",
    "moved": None,
}
OWN = {
    "receiver": "brand",
    "own_cost": Decimal(50),
    "own_direct": Decimal(30),
    "own_proportional": Decimal(15),
    "own_overhead": Decimal(5),
}


@pytest.mark.parametrize(
    ("changed", "sentences"),
    [
        (
            {},
            [
                "**September 2026 cost USD 200.00, and 95% of it reaches a team.**",
                "carries the most: USD 80.00 (40%).",
                "USD 10.00 (5.0% of the bills) reaches no team.",
                "The largest part is Notes, USD 7.00: no rule matches the charge.",
            ],
        ),
        (
            OWN,
            [
                "**The team brand carries USD 50.00 of September 2026's USD 200.00:**",
                "USD 30.00 it caused alone, USD 15.00 of what is shared by use,",
                "and USD 5.00 of what is shared by agreement",
            ],
        ),
        (OWN | {"receiver_type": "assistant"}, ["Here its parts of shared cost come on top"]),
        ({"moved": Decimal("1.5")}, ["USD 1.50 moves between invoices of one provider (lines `between-…`)"]),
        ({"receiver": "brand"}, ["**The team brand carries nothing in September 2026.**"]),
        ({"unallocated": None}, ["100% of it reaches a team.", "Every cent reaches a team."]),
        ({"bills": 0}, ["No bill of this month is in the workspace", "`format: focus`"]),
        ({"billed": Decimal(-5)}, ["credits exceed it"]),
        ({"billed": None, "period": ""}, ["**Nothing is there to allocate in this period.**"]),
    ],
)
def test_what_the_reader_wants_first(changed: dict[str, object], sentences: list[str]) -> None:
    """Who carries what, what reaches nobody and why, which bills are missing."""
    text = allocation_text(WHOLE | changed).data

    assert [] == [sentence for sentence in sentences if sentence not in text]
