"""Journal: what each cost center owes the central account, as balanced entries in whole cents."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import pandas as pd

from finops_lib.errors import SchemaError
from finops_lib.inform.allocation.allocation import UNALLOCATED, Allocation
from finops_lib.inform.allocation.exact_split import round_parts
from finops_lib.settings import Team

COLUMNS = ("entry", "period", "status", "cost_center", "account", "debit", "credit", "currency", "description")
_DECIMALS = 2  # cents
PROVISIONAL, FINAL = "PROVISIONAL", "final"
COST_ACCOUNT, CENTRAL_ACCOUNT = "AI cost", "AI central clearing"


def journal(
    allocation: Allocation,
    teams: Mapping[str, Team],
    *,
    period: str,
    currency: str,
    provisional: bool = False,
) -> pd.DataFrame:
    """Write the entries that charge a month to the cost centers, balanced to the smallest unit.

    Parameters
    ----------
    allocation : Allocation
        The month's charges given to teams.
    teams : mapping
        Team → cost center.
    period : str
        Month ``YYYY-MM``.
    currency : str
        ISO 4217 code of the amounts.
    provisional : bool
        Whether the month may still change; then every row says so.

    Returns
    -------
    DataFrame
        One entry per cost center, by its name, of two rows: its own and that of the central account, where the
        bills were booked. ``debit`` and ``credit`` are never negative: a cost center that gets money back is credited.
        What reaches no cost center is an entry of the central account with itself, last, so that all entries sum to
        the bills.

    Raises
    ------
    SchemaError
        If parts went to something else than teams.

    Notes
    -----
    Cost centers are rounded together by the largest remainder: the sum of the posted amounts is the rounded sum of
    the bills.

    References
    ----------
    Requirement C7.
    """
    parts = allocation.allocations
    others = parts.loc[(parts["receiver_type"] != "team") & parts["receiver"].notna(), "receiver_type"]
    if len(others):
        message = f"Parts of the month went to {others.iloc[0]}s, and only teams have a cost center"
        raise SchemaError(message, hint="allocate with receiver 'team' to write a journal")
    centers = {name: team.cost_center for name, team in teams.items() if team.cost_center}
    center = parts["receiver"].map(centers).fillna(UNALLOCATED)
    exact = parts["billed_cost"].groupby(center).sum().sort_index()
    named = [name for name in exact.index if name != UNALLOCATED]
    order = [*named, *([UNALLOCATED] if UNALLOCATED in exact.index else [])]
    posted = round_parts([exact[name] for name in order], _DECIMALS)
    unit = f".{_DECIMALS}f"
    rows = []
    for number, (name, amount) in enumerate(zip(order, posted, strict=True), start=1):
        said = f"AI cost of {period}" if name != UNALLOCATED else f"AI cost of {period} that no cost center carries"
        entry = {
            "entry": f"AI-{period}-{number:03d}",
            "period": period,
            "status": PROVISIONAL if provisional else FINAL,
            "currency": currency,
            "description": f"{PROVISIONAL}: {said}" if provisional else said,
        }
        own = {"cost_center": name if name != UNALLOCATED else "central", "account": COST_ACCOUNT}
        central = {"cost_center": "central", "account": CENTRAL_ACCOUNT}
        debit, credit = (own, central) if amount >= 0 else (central, own)
        rows.append(entry | debit | {"debit": format(abs(amount), unit), "credit": ""})
        rows.append(entry | credit | {"debit": "", "credit": format(abs(amount), unit)})
    return pd.DataFrame(rows, columns=list(COLUMNS), dtype=object)


def journal_totals(entries: pd.DataFrame) -> tuple[Decimal, Decimal]:
    """Add up both sides of a journal.

    Parameters
    ----------
    entries : DataFrame
        From ``journal``.

    Returns
    -------
    tuple of Decimal
        Debits and credits; equal, or the journal is wrong.
    """
    debits, credits = (sum(map(Decimal, filter(None, entries[side])), Decimal(0)) for side in ("debit", "credit"))
    return debits, credits
