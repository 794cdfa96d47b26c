"""Variance bridge: from list prices over the estimate to the invoice, a step for each cause."""

from __future__ import annotations

import pandas as pd

from finops_lib.inform.allocation.exact_money import difference
from finops_lib.inform.measures import MONEY_TYPE
from finops_lib.inform.reconciliation.residuals import RESIDUAL_CLASSES
from finops_lib.inform.scope import ALL, TEXT


def variance_bridge(summary: pd.DataFrame, residuals: pd.DataFrame, *, provider: str = ALL) -> pd.DataFrame:
    """Lay out the way from what was logged to what is paid.

    Parameters
    ----------
    summary, residuals : DataFrame
        Of a ``Reconciliation``.
    provider : str
        One provider, or ``all`` of those that sent an invoice.

    Returns
    -------
    DataFrame
        One row per step: ``step``, ``amount`` (exact USD), ``is_total``. The totals are the log at list prices, the
        estimate (at contracted prices) and the invoice; the steps between add up to their difference.

    References
    ----------
    Requirement C5: estimate against invoice, with stated causes.
    """
    invoiced = summary[summary["invoice"].notna().to_numpy(bool)]
    if provider != ALL:
        invoiced = invoiced[(invoiced["provider"] == provider).to_numpy(bool)]
    causes = residuals[residuals["provider"].isin(invoiced["provider"]).to_numpy(bool)]
    by_class = causes.groupby("residual_class")["amount"].sum()
    totals = {name: invoiced[[name]].sum().iloc[0] for name in ("at_list_prices", "estimate", "invoice")}
    negotiated = difference(invoiced["estimate"], invoiced["at_list_prices"]).sum()
    rows = [
        ("at_list_prices", totals["at_list_prices"], True),
        ("negotiated_prices", negotiated, False),
        ("estimate", totals["estimate"], True),
        *((name, by_class[name], False) for name in RESIDUAL_CLASSES if name in by_class.index),
        ("invoice", totals["invoice"], True),
    ]
    kept = [row for row in rows if row[2] or row[1] != 0] if len(invoiced) else []
    steps, amounts, is_total = zip(*kept, strict=True) if kept else ((), (), ())
    return pd.DataFrame(
        {
            "step": pd.array(steps, dtype=TEXT),
            "amount": pd.array(amounts, dtype=MONEY_TYPE),
            "is_total": pd.array(is_total, dtype=bool),
        }
    )
