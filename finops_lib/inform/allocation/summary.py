"""Allocation summary: whose page it is, and the numbers that stand first on it."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pandas as pd

from finops_lib.checks import check, checklist
from finops_lib.inform.allocation.allocation import UNALLOCATED, Allocation
from finops_lib.inform.allocation.views import spend_by_receiver, unallocated_parts
from finops_lib.inform.measures import total
from finops_lib.inform.reconciliation.invoice_places import BETWEEN
from finops_lib.inform.scope import ALL
from finops_lib.params import ORGANISATION, Params


@dataclass(frozen=True)
class AllocationPage:
    """Whose page an allocation is shown on.

    Parameters
    ----------
    receiver_type : str
        Dimension that receives: ``assistant`` on the page of an assistant, else ``team``.
    receiver : str or None
        Whose statement it is; ``None`` for the organisation.
    receivers : tuple of str or None
        Those that exist; ``None`` where none are given, so that every name counts.
    title : str
        Name for headings.
    """

    receiver_type: str
    receiver: str | None
    receivers: tuple[str, ...] | None
    title: str

    @property
    def assistant(self) -> str:
        """The assistant the page is about, or ``all``."""
        return self.receiver if self.receiver is not None and self.receiver_type == "assistant" else ALL

    def unallocated_limit(self, coverage_target: float) -> float | None:
        """Return the share of cost that may reach nobody; not judged for assistants: seats and platforms have none."""
        return None if self.receiver_type == "assistant" else round(1 - coverage_target, 6)


def allocation_page(params: Params) -> AllocationPage:
    """Tell whose allocation a page shows.

    Parameters
    ----------
    params : Params
        Assistant, or the team that the batch names.

    Returns
    -------
    AllocationPage
        For an assistant, a team or the organisation.
    """
    if params.assistant != ORGANISATION:
        return AllocationPage("assistant", params.assistant, tuple(params.assistants), params.title)
    title = f"Team {params.team}" if params.team else params.title
    return AllocationPage("team", params.team, tuple(params.organisation.teams) or None, title)


def allocation_summary(
    allocation: Allocation, charges: pd.DataFrame, page: AllocationPage, period: str
) -> dict[str, Any]:
    """Work out the numbers a reader of the allocation wants first.

    Parameters
    ----------
    allocation : Allocation
        The month's.
    charges : DataFrame
        The charges that were allocated.
    page : AllocationPage
        Whose page it is.
    period : str
        Month ``YYYY-MM``.

    Returns
    -------
    dict
        ``period``, ``receiver_type``, ``receiver``; ``billed`` and ``unallocated`` (USD) of all; ``bills`` (lines that
        come from bills); ``top`` and ``top_cost``: who carries most; ``own_cost``, ``own_direct``,
        ``own_proportional``, ``own_overhead`` of the page's receiver; ``reason``, ``reason_cost``, ``reason_service``:
        the largest part that reaches nobody; ``moved``: USD that stand between the invoices of one provider. What is
        not known is ``None``.
    """
    spend = spend_by_receiver(allocation).set_index("receiver")
    named = spend[spend.index != UNALLOCATED]
    lost = unallocated_parts(allocation, charges)
    own = named.loc[page.receiver] if page.receiver in named.index else None
    first = lost.iloc[0] if len(lost) else None
    moved = charges.loc[charges["charge_id"].str.startswith(BETWEEN).to_numpy(bool), "billed_cost"]
    return {
        "period": period,
        "receiver_type": page.receiver_type,
        "receiver": page.receiver,
        "billed": total(allocation.allocations["billed_cost"]),
        "unallocated": spend["billed_cost"].get(UNALLOCATED),
        "bills": int((~charges["source"].isin(["ledger", "true_up"])).sum()),
        "top": named.index[0] if len(named) else None,
        "top_cost": named["billed_cost"].iloc[0] if len(named) else None,
        "own_cost": None if own is None else own["billed_cost"],
        **{f"own_{bucket}": None if own is None else own[bucket] for bucket in ("direct", "proportional", "overhead")},
        "reason": None if first is None else first["note"],
        "reason_cost": None if first is None else first["billed_cost"],
        "reason_service": None if first is None else first.get("service_name"),
        "moved": total(moved[moved > 0]),
    }


def allocation_checks(
    allocation: Allocation, charges: pd.DataFrame, *, unallocated_limit: float | None
) -> pd.DataFrame:
    """Judge an allocation: is it exact, is it complete, do all rules and charges meet.

    Parameters
    ----------
    allocation : Allocation
        From ``allocate``.
    charges : DataFrame
        The charges that were allocated.
    unallocated_limit : float or None
        Share of the billed cost that may reach nobody; ``None`` where that is not judged.

    Returns
    -------
    DataFrame
        Check rows.
    """
    parts = allocation.allocations
    billed, kept = total(charges["billed_cost"]), total(parts["billed_cost"])
    apart = None if billed is None or kept is None else float(abs(billed - kept))
    rows = [check("allocated_equals_billed", apart, "==", 0, unit="USD", comment="Parts of all charges and the bills")]
    if unallocated_limit is not None:
        nobody = total(parts.loc[parts["receiver"].isna(), "billed_cost"]) or Decimal(0)
        part = float(nobody) / float(billed) if billed else None
        rows.append(check("unallocated_share", part, "<=", unallocated_limit, unit="share", comment="Of the bills"))
    unused = ", ".join(allocation.unused_rules["rule"])
    lost = allocation.unmatched_charges
    named = ", ".join(sorted(lost["service_name"].dropna().unique())[:5]) if "service_name" in lost else ""
    named = f"USD {total(lost['billed_cost']) or 0:,.2f} in all: {named}" if len(lost) else ""
    rows.append(check("charges_without_a_rule", len(lost), "==", 0, unit="charges", comment=named))
    rows.append(check("rules_without_a_charge", len(allocation.unused_rules), "==", 0, unit="rules", comment=unused))
    return checklist(rows)
