"""The infrastructure bill."""

from __future__ import annotations

import json
from decimal import Decimal

from finops_lib.sample.infrastructure import infrastructure_lines
from finops_lib.sample.tables import seats


def test_shared_overhead_and_direct_lines() -> None:
    """The bill has lines for everyone, for the platform and for single assistants."""
    tags = [json.loads(line["Tags"]) for line in infrastructure_lines() if line["Tags"]]

    assert {"shared", "overhead"} == {tag["scope"] for tag in tags if "scope" in tag}
    assert 4 == len({tag["assistant"] for tag in tags if "assistant" in tag})


def test_seats_are_those_of_the_table() -> None:
    """P33: what is billed is what seats.csv says was bought, and not all of it is used."""
    billed = {
        (line["BillingPeriodStart"][:7], json.loads(line["Tags"])["product"]): line["BilledCost"]
        for line in infrastructure_lines()
        if line["PricingUnit"] == "Seats" and line["Tags"]
    }
    table = seats()

    assert billed == {(row.month, row.product): row.purchased * Decimal(row.unit_price) for row in table.itertuples()}
    assert ((1 - table["active"] / table["purchased"]).between(0.15, 0.36)).all()


def test_unregistered_subscription() -> None:
    """P31: from September on somebody pays 96 USD a month for a tool no table knows."""
    found = [line for line in infrastructure_lines() if line["ServiceName"] == "AI meeting notes"]

    assert [("2026-09", Decimal(96)), ("2026-10", Decimal(96))] == [
        (line["BillingPeriodStart"][:7], line["BilledCost"]) for line in found
    ]
