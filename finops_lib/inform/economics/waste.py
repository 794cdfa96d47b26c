"""Waste: what was paid for and of no use, each dollar counted once."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from finops_lib.inform.allocation.environment_policy import SANDBOX
from finops_lib.inform.measures import ratio
from finops_lib.inform.scope import days
from finops_lib.params import ORGANISATION
from finops_lib.settings import EnvironmentPolicy

_CALLS = {
    "retried": ("failed attempts, tried again", "status", "failed calls whose task went on with another call"),
    "failed": ("failed runs", "status", "failed calls that nothing came after"),
    "blocked": ("blocked runs", "status", "calls stopped by a guardrail"),
    "abandoned": ("abandoned runs", "status", "calls whose user left before the answer"),
    "repeated": (
        "cacheable repeats",
        "cache_key",
        "calls whose cache key had been answered, served by the model again",
    ),
}
"""Class of calls → its line, what tells it, and how."""
_TELLING = {"status": "how it ended", "cache_key": "its cache key"}

_COLUMNS = ("waste", "cost", "share_of_cost", "quantity", "unit", "largest_part", "how_measured")


def waste(
    calls: pd.DataFrame,
    seats: pd.DataFrame,
    capacity: pd.DataFrame,
    *,
    period: str,
    policies: Mapping[tuple[str, str], EnvironmentPolicy] | None = None,
    assistant: str = ORGANISATION,
) -> pd.DataFrame:
    """List what was paid for without use, with the money.

    Parameters
    ----------
    calls : DataFrame
        One row per day × assistant × workflow × environment × model × ``call_class``: ``requests``, ``cost`` (USD),
        ``status_known`` and ``cache_key_known`` (calls that say how they ended, and that carry a cache key); every
        call is in one class, the first that holds of blocked, retried, failed, abandoned, repeated, without result,
        useful.
    seats : DataFrame
        Licences (``schema.SEATS``) of any months; empty when not given.
    capacity : DataFrame
        Provisioned capacity (``schema.CAPACITY``) of any months; empty when not given.
    period : str
        Month ``YYYY-MM``.
    policies : mapping, optional
        Policy by (assistant, environment).
    assistant : str
        Whose page it is; licences and capacity belong to no single assistant and are left out of its page.

    Returns
    -------
    DataFrame
        One row per line of waste, costliest first: ``waste``, ``cost`` (USD; null where the data that would tell is
        not given), ``share_of_cost`` (of what the calls cost together; null for licences and capacity, which are
        paid beside them), ``quantity``, ``unit``, ``largest_part`` (where most of it is), ``how_measured``.

    Notes
    -----
    No dollar stands in two lines: a call counts in the first class that holds, sandbox traffic only where its calls
    are in none of the others, and licences and idle hours are not paid by the call.

    References
    ----------
    Requirement B6.
    """
    lines = [
        _line(calls[calls["call_class"] == kind], name, how)
        if calls[f"{told_by}_known"].sum() or calls.empty
        else _unknown(name, "calls", f"not known: no call says {_TELLING[told_by]}")
        for kind, (name, told_by, how) in _CALLS.items()
    ]
    lines.append(_sandbox(calls, policies or {}))
    if assistant == ORGANISATION:
        lines += [_idle_capacity(capacity, period), _unused_seats(seats, period)]
    found = pd.DataFrame(lines)
    per_call = found["unit"] == "calls"
    found["share_of_cost"] = ratio(found["cost"], float(calls["cost"].sum())).where(per_call)
    return found.sort_values(["cost", "waste"], ascending=[False, True], ignore_index=True)[list(_COLUMNS)]


def _line(calls: pd.DataFrame, name: str, how: str) -> dict[str, object]:
    """Sum one line of waste that is paid by the call."""
    where = calls.groupby(["assistant", "workflow"], dropna=False)["cost"].sum().astype("float64")
    largest = " · ".join(str(part) for part in where.idxmax() if pd.notna(part)) if where.sum() > 0 else None
    return {
        "waste": name,
        "cost": float(calls["cost"].fillna(0).sum()),
        "quantity": int(calls["requests"].sum()),
        "unit": "calls",
        "largest_part": largest,
        "how_measured": how,
    }


def _sandbox(calls: pd.DataFrame, policies: Mapping[tuple[str, str], EnvironmentPolicy]) -> dict[str, object]:
    """Sum sandbox traffic after its expiry or of tasks without a result, unless another line has it."""
    name = "sandbox traffic of low value"
    if len(calls) and calls["environment"].isna().all():
        return _unknown(name, "calls", "not known: no call names its environment")
    own = calls[(calls["environment"] == SANDBOX) & calls["call_class"].isin(["useful", "without result"])]
    keys = zip(own["assistant"], own["environment"], strict=True)
    ends = pd.Series([policies[key].expires if key in policies else None for key in keys], index=own.index)
    expired = days(own) > pd.to_datetime(ends)
    low = own[expired | (own["call_class"] == "without result")]
    how = "sandbox calls after the expiry, or of tasks refused or unresolved, that stand in no other line"
    return _line(low, name, how)


def _idle_capacity(capacity: pd.DataFrame, period: str) -> dict[str, object]:
    name, how = "idle provisioned throughput", "units × hours × price × (1 − share in use)"
    if capacity.empty:
        return _unknown(name, "unit-hours", "not known: no table 'capacity' is given")
    months = pd.to_datetime(capacity["timestamp"], utc=True).dt.strftime("%Y-%m")
    own = capacity[months == period]
    if own.empty or own["used_share"].isna().all():
        return _unknown(name, "unit-hours", "not known: table 'capacity' does not say what was in use this month")
    # more than bought in one hour or of one product does not make up for what stands idle in another
    part = (1 - own["used_share"].astype("float64")).clip(lower=0)
    idle = own["units"].astype("float64") * own["hours"].astype("float64") * part
    cost = idle * own["unit_price"].astype("float64")
    unmeasured = int(own["used_share"].isna().sum())
    how += f"; {unmeasured} rows do not say what was in use" if unmeasured else ""
    return _beside(name, cost, idle, "unit-hours", own["model"], how)


def _unused_seats(seats: pd.DataFrame, period: str) -> dict[str, object]:
    name, how = "unused seats", "licences purchased and not active in the month × price"
    if seats.empty:
        return _unknown(name, "seats", "not known: no table 'seats' is given")
    own = seats[seats["month"] == period]
    if own.empty or own["active"].isna().all():
        return _unknown(name, "seats", "not known: table 'seats' does not say how many were active this month")
    free = (own["purchased"] - own["active"]).astype("float64")
    unmeasured = int(free.isna().sum())
    how += f"; {unmeasured} products do not say how many were active" if unmeasured else ""
    # teams share the licences of a product, products do not
    each = free.groupby([own["product"], own["unit_price"].astype("float64")]).sum().clip(lower=0)
    unused = each.rename("seats").reset_index()
    return _beside(name, unused["seats"] * unused["unit_price"], unused["seats"], "seats", unused["product"], how)


def _beside(
    name: str, cost: pd.Series, quantity: pd.Series, unit: str, parts: pd.Series, how: str
) -> dict[str, object]:
    where = cost.groupby(parts.astype(str)).sum()
    return {
        "waste": name,
        "cost": float(cost.sum()),
        "quantity": round(float(quantity.sum()), 1),
        "unit": unit,
        "largest_part": str(where.idxmax()) if where.sum() > 0 else None,
        "how_measured": how,
    }


def _unknown(name: str, unit: str, why: str) -> dict[str, object]:
    unknown = float("nan")
    return {
        "waste": name,
        "cost": unknown,
        "quantity": unknown,
        "unit": unit,
        "largest_part": None,
        "how_measured": why,
    }
