"""Customer margin: what is left of a customer's revenue after the AI they use."""

from __future__ import annotations

import pandas as pd

from finops_lib.inform.measures import MONEY_TYPE, ratio, tally
from finops_lib.inform.scope import UNATTRIBUTED


def customer_margin(costs: pd.DataFrame, customers: pd.DataFrame, period: str) -> pd.DataFrame:
    """Set what each customer's calls cost against the customer's revenue, unprofitable ones first.

    Parameters
    ----------
    costs : DataFrame
        Ledger of the month, one row per day × dimensions × SKU.
    customers : DataFrame
        Revenue (``schema.CUSTOMERS``) of any months.
    period : str
        Month ``YYYY-MM``.

    Returns
    -------
    DataFrame
        One row per customer, lowest margin first, those without revenue last: ``customer``, ``revenue``, ``cost`` and
        ``margin`` (exact USD; margin null where no revenue is given), ``margin_rate`` (share of the revenue),
        ``is_unprofitable``. Only customers that the calls name, and none where no revenue is given at all.

    Notes
    -----
    margin = revenue − contracted cost of the calls that name the customer; what is shared between customers is in
    nobody's margin.

    References
    ----------
    Requirement C6.
    """
    spend = tally(costs, ["customer"]).set_index("customer")["contracted_cost"].drop(UNATTRIBUTED, errors="ignore")
    own = customers[customers["month"] == period] if len(customers) else customers
    revenue = own["revenue"].astype(MONEY_TYPE).groupby(own["customer"].astype(str)).sum()
    known = sorted(spend.index) if len(revenue) else []
    table = pd.DataFrame({"customer": known})
    table["revenue"] = revenue.reindex(known).astype(MONEY_TYPE).array
    table["cost"] = spend.reindex(known).fillna(0).astype(MONEY_TYPE).array
    # as Python decimals: Arrow has no room for the digits of the difference
    table["margin"] = (table["revenue"].astype(object) - table["cost"].astype(object)).astype(MONEY_TYPE)
    table["margin_rate"] = ratio(table["margin"], table["revenue"])
    table["is_unprofitable"] = (table["margin"] < 0).fillna(False).astype(bool)
    return table.sort_values(["margin", "customer"], na_position="last", ignore_index=True)
