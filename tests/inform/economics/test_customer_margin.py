"""What is left of a customer's revenue after the AI they use."""

from __future__ import annotations

from decimal import Decimal

import pandas as pd

from finops_lib import inform

REVENUE = pd.DataFrame(
    {
        "month": ["2026-09", "2026-09", "2026-09", "2026-08"],
        "customer": ["acme", "globex", "silent", "acme"],
        "revenue": [Decimal("5.00"), Decimal("4.00"), Decimal("9.00"), Decimal("99.00")],
    }
)


def of_customers(make_ledger, *rows):
    """Make a ledger of (customer, USD)."""
    return make_ledger([("2026-09-01", "output", 1_000_000, usd, {"customer": name}) for name, usd in rows])


def test_the_unprofitable_come_first(make_ledger):
    """5.00 - 1.25 = 3.75; 4.00 - 6.50 = -2.50, a loss of 62.5% of the revenue; another month does not count."""
    ledger = of_customers(make_ledger, ("acme", "1.25"), ("globex", "6.5"), (None, 100), ("new", 1))
    found = inform.customer_margin(ledger, REVENUE, "2026-09")

    assert ["globex", "acme", "new"] == found["customer"].tolist()
    assert [Decimal("-2.5"), Decimal("3.75")] == found["margin"].tolist()[:2]
    assert [-0.625, 0.75] == found["margin_rate"].tolist()[:2]
    assert [True, False, False] == found["is_unprofitable"].tolist()
    assert pd.isna(found["margin"].iloc[2])


def test_without_revenue_there_is_no_margin(make_ledger):
    """No table of customers, or no call that names one: no rows."""
    ledger = of_customers(make_ledger, ("acme", 1))

    assert 0 == len(inform.customer_margin(ledger, REVENUE.head(0), "2026-09"))
    assert 0 == len(inform.customer_margin(of_customers(make_ledger, (None, 1)), REVENUE, "2026-09"))
    assert 0 == len(inform.customer_margin(ledger.head(0), REVENUE, "2026-09"))
