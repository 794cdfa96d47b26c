"""Allocation views: who pays what and why, from the invoice down to one line of a statement."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Literal

import numpy as np
import pandas as pd

from finops_lib.inform.allocation.allocation import UNALLOCATED, Allocation
from finops_lib.inform.allocation.methods import IDLE, sentence_of
from finops_lib.inform.measures import COUNT_TYPE, MONEY_TYPE, ratio, total
from finops_lib.inform.reconciliation.charge_matching import every_match
from finops_lib.inform.scope import TEXT, dimension_values
from finops_lib.schema import ALLOCATIONS, names
from finops_lib.settings import AllocationRule

BUCKETS = ("direct", "proportional", "overhead")
_ACCOUNTS = 6
_LINE = ("bucket", "rule", "invoice_issuer_name", "service_name", "assistant", "model", "resource_name")


def spend_by_receiver(allocation: Allocation, *, basis: Literal["billed", "used"] = "billed") -> pd.DataFrame:
    """Add up what each receiver carries, by bucket.

    Parameters
    ----------
    allocation : Allocation
        From ``allocate``.
    basis : {"billed", "used"}
        ``billed`` reconciles with the bill; ``used`` leaves the idle parts of capacity out, and does not.

    Returns
    -------
    DataFrame
        One row per receiver, costliest first, what is unallocated last; receivers of another kind than asked for are
        one row ("teams, by name"): ``receiver``, ``direct``, ``proportional``,
        ``overhead``, ``billed_cost`` (exact USD), ``share`` of the total.

    References
    ----------
    Requirement C1; the two bases are those of OpenCost's specification (allocation and usage).
    """
    parts = allocation.allocations
    if basis == "used":
        parts = parts[(parts["driver"] != IDLE).fillna(True)]
    named = parts[["billed_cost"]].assign(
        receiver=_named_receiver(parts, allocation.receiver_type),
        bucket=parts["bucket"].where(parts["receiver"].notna(), UNALLOCATED),
    )
    spend = named.pivot_table("billed_cost", "receiver", "bucket", aggfunc="sum").reindex(columns=list(BUCKETS))
    spend = spend.astype(MONEY_TYPE).fillna(Decimal(0))
    spend["billed_cost"] = named.groupby("receiver")["billed_cost"].sum().astype(MONEY_TYPE)
    spend = spend.rename_axis("receiver", axis=0).rename_axis(None, axis=1).reset_index()
    spend["share"] = ratio(spend["billed_cost"], total(spend["billed_cost"]))
    spend["last"] = spend["receiver"] == UNALLOCATED
    spend = spend.sort_values(["last", "billed_cost", "receiver"], ascending=[True, False, True], ignore_index=True)
    return spend.drop(columns="last")


def allocation_waterfall(allocation: Allocation) -> pd.DataFrame:
    """Follow the money from the bills to the receivers and to what nobody gets.

    Parameters
    ----------
    allocation : Allocation
        From ``allocate``.

    Returns
    -------
    DataFrame
        One row per step: ``step`` (billed, direct, proportional, overhead, unallocated), ``billed_cost``, ``charges``
        (how many have a part in it). The steps after the first sum to the first.
    """
    parts = allocation.allocations
    step = parts["bucket"].where(parts["receiver"].notna(), UNALLOCATED)
    groups = parts.groupby(step)
    steps = [*BUCKETS, UNALLOCATED]
    costs = groups["billed_cost"].sum().reindex(steps).astype(MONEY_TYPE).fillna(Decimal(0))
    charges = groups["origin_id"].nunique().reindex(steps).fillna(0).astype("int64")
    billed = total(parts["billed_cost"]) or Decimal(0)
    return pd.DataFrame(
        {
            "step": pd.array(["billed", *steps], dtype=TEXT),
            "billed_cost": pd.array([billed, *costs], dtype=MONEY_TYPE),
            "charges": pd.array([parts["origin_id"].nunique(), *charges], dtype=COUNT_TYPE),
        }
    )


def statement(allocation: Allocation, charges: pd.DataFrame, receiver: str | None = None) -> pd.DataFrame:
    """Write the statement of one receiver: every line with its rule, and the part of the bill it is.

    Parameters
    ----------
    allocation : Allocation
        From ``allocate``.
    charges : DataFrame
        The charges that were allocated.
    receiver : str, optional
        Whose statement; without it that of all together.

    Returns
    -------
    DataFrame
        One row per bucket, rule, issuer, service, assistant, model and resource, costliest first: these columns,
        ``whole_cost`` (the charges' own total), ``ratio`` (the receiver's part of it), ``billed_cost``.
    """
    parts = allocation.allocations
    mine = parts[parts["receiver"].notna() if receiver is None else (parts["receiver"] == receiver).fillna(False)]
    lines = _with_charge(mine, charges)
    keys = [name for name in _LINE if name in lines.columns]
    lines[keys] = lines[keys].astype(TEXT).fillna("")
    summed = lines.groupby(keys)["billed_cost"].sum().reset_index()
    # a charge with several parts here (used and idle) is whole once
    whole = lines.drop_duplicates(["origin_id", "rule"]).groupby(keys)["whole_cost"].sum().reset_index()
    summed = summed.merge(whole, on=keys, how="left")
    summed["ratio"] = ratio(summed["billed_cost"], summed["whole_cost"])
    ordered = summed.sort_values(["billed_cost", *keys], ascending=[False, *[True] * len(keys)], ignore_index=True)
    return ordered[[*keys, "whole_cost", "ratio", "billed_cost"]]


def trace_charge(allocation: Allocation, charges: pd.DataFrame, rules: Sequence[AllocationRule]) -> pd.DataFrame:
    """Follow the largest of the charges with most receivers down to them.

    Parameters
    ----------
    allocation : Allocation
        From ``allocate``.
    charges : DataFrame
        The charges that were allocated.
    rules : sequence of AllocationRule
        As they were given to ``allocate``.

    Returns
    -------
    DataFrame
        One row per part: ``origin_id``, issuer, service, description, ``whole_cost``, ``rule``, ``also_matched`` (the
        later rules whose conditions the charge meets too), ``method_id``, ``driver``, ``driver_value``, ``ratio``,
        ``receiver`` (null: unallocated), ``billed_cost``, ``note``.

    References
    ----------
    Requirement C4.
    """
    parts = allocation.allocations
    counted = parts.groupby("origin_id").agg(parts=("rule", "size"), cost=("billed_cost", "sum")).reset_index()
    ordered = counted.sort_values(["parts", "cost", "origin_id"], ascending=[False, False, True])
    chosen = ordered["origin_id"].head(1)
    of_charge = _with_charge(parts[parts["origin_id"].isin(chosen)], charges)
    one = charges[charges["charge_id"].isin(chosen)]
    fitting = [rule.name for rule, fits in zip(rules, every_match(one, rules), strict=True) if fits.any()]
    of_charge["also_matched"] = pd.array([", ".join(fitting[1:])] * len(of_charge), dtype=TEXT)
    shown = ["origin_id", "invoice_issuer_name", "service_name", "charge_description", "whole_cost", "rule"]
    shown += ["also_matched", "method_id", "driver", "driver_value", "ratio", "receiver", "billed_cost", "note"]
    return of_charge[[name for name in shown if name in of_charge.columns]].reset_index(drop=True)


def unallocated_parts(allocation: Allocation, charges: pd.DataFrame) -> pd.DataFrame:
    """List what nobody gets, with the reason.

    Parameters
    ----------
    allocation : Allocation
        From ``allocate``.
    charges : DataFrame
        The charges that were allocated.

    Returns
    -------
    DataFrame
        One row per reason, rule, issuer and service, costliest first: ``note``, ``rule``, issuer, service,
        ``charges``, ``billed_cost``.
    """
    parts = _with_charge(allocation.allocations[allocation.allocations["receiver"].isna()], charges)
    keys = [name for name in ("note", "rule", "invoice_issuer_name", "service_name") if name in parts.columns]
    parts[keys] = parts[keys].astype(TEXT).fillna("")
    summed = parts.groupby(keys).agg(charges=("origin_id", "nunique"), billed_cost=("billed_cost", "sum"))
    size = summed["billed_cost"].abs()
    ordered = (
        summed.assign(size=size).reset_index().sort_values(["size", *keys], ascending=[False, *[True] * len(keys)])
    )
    return ordered.drop(columns="size").reset_index(drop=True)


def payers_and_consumers(allocation: Allocation, charges: pd.DataFrame) -> pd.DataFrame:
    """Hold the account that pays against the receiver that asked.

    Parameters
    ----------
    allocation : Allocation
        From ``allocate``.
    charges : DataFrame
        The charges that were allocated.

    Returns
    -------
    DataFrame
        Billed cost (USD): index ``receiver`` (what nobody gets last), columns ``paying_account``: the sub-account,
        else the billed account, of the charge; the six costliest, then the others as one.

    References
    ----------
    Requirement C6: the consumer sees the cost, not only the payer.
    """
    lines = _with_charge(allocation.allocations, charges)
    account = dimension_values(lines, "billing_account_id")
    for finer in ("provider_account", "sub_account_name"):
        if finer in lines.columns:
            account = lines[finer].astype(TEXT).fillna(account)
    lines = lines[["billed_cost"]].assign(
        receiver=_named_receiver(lines, allocation.receiver_type), paying_account=account
    )
    sizes = lines.groupby("paying_account")["billed_cost"].sum().astype("float64").sort_values(ascending=False)
    named, rest = sizes.index[:_ACCOUNTS], f"everything else ({len(sizes) - _ACCOUNTS})"
    if len(sizes) > _ACCOUNTS + 1:
        lines["paying_account"] = lines["paying_account"].where(lines["paying_account"].isin(named), rest)
        sizes = pd.Series(0, index=[*named, rest])
    summed = lines.pivot_table("billed_cost", "receiver", "paying_account", aggfunc="sum")
    rows = lines.groupby("receiver")["billed_cost"].sum().astype("float64").sort_values(ascending=False).index
    rows = [name for name in rows if name != UNALLOCATED] + [name for name in rows if name == UNALLOCATED]
    ordered = summed.loc[rows, list(sizes.index)].rename_axis(index="receiver", columns="paying_account")
    return ordered.astype(MONEY_TYPE).fillna(Decimal(0))


def rules_in_words(rules: Sequence[AllocationRule], allocation: Allocation, charges: pd.DataFrame) -> pd.DataFrame:
    """List the rules in their order, with what each decided on and how.

    Parameters
    ----------
    rules : sequence of AllocationRule
        As they were given to ``allocate``.
    allocation : Allocation
        From ``allocate``.
    charges : DataFrame
        The charges that were allocated.

    Returns
    -------
    DataFrame
        One row per rule: ``rule``, ``bucket``, ``charges``, ``billed_cost`` (USD), ``allocated_share`` (part of it that
        reached a receiver), ``also_matched`` (later rules that would have taken some of its charges, and how many),
        ``sentence``; rules that matched nothing have 0 charges.
    """
    listed = pd.DataFrame(
        [(rule.name, rule.bucket, sentence_of(rule)) for rule in rules], columns=["rule", "bucket", "sentence"]
    )
    parts = allocation.allocations
    groups = parts.groupby("rule")
    listed["charges"] = listed["rule"].map(groups["origin_id"].nunique()).fillna(0).astype(COUNT_TYPE)
    listed["billed_cost"] = listed["rule"].map(groups["billed_cost"].sum()).astype(MONEY_TYPE).fillna(Decimal(0))
    # sizes: a credit that reaches a team takes nothing off what reached it
    sizes = parts["billed_cost"].abs().astype("float64")
    reached = sizes.where(parts["receiver"].notna(), 0.0).groupby(parts["rule"]).sum()
    listed["allocated_share"] = ratio(
        listed["rule"].map(reached), listed["rule"].map(sizes.groupby(parts["rule"]).sum())
    )
    listed["also_matched"] = pd.array(_also_matched(rules, charges), dtype=TEXT)
    return listed[["rule", "bucket", "charges", "billed_cost", "allocated_share", "also_matched", "sentence"]]


def _also_matched(rules: Sequence[AllocationRule], charges: pd.DataFrame) -> list[str]:
    """List for each rule the later ones that fit charges it decided on, and how many of them."""
    fitting, taken, written = list(every_match(charges, rules)), np.zeros(len(charges), dtype=bool), []
    for place, fits in enumerate(fitting):
        own, taken = fits & ~taken, taken | fits
        shared = {rule.name: int((own & other).sum()) for rule, other in zip(rules, fitting, strict=True)}
        later = [f"{rule.name} ({shared[rule.name]:,})" for rule in rules[place + 1 :] if shared[rule.name]]
        written.append(", ".join(later))
    return written


def _named_receiver(parts: pd.DataFrame, receiver_type: str) -> pd.Series:
    others = parts["receiver_type"].str.replace("_", " ") + "s, by name"
    named = parts["receiver"].where(parts["receiver_type"] == receiver_type, others)
    return named.where(parts["receiver"].notna(), UNALLOCATED)


def _with_charge(parts: pd.DataFrame, charges: pd.DataFrame) -> pd.DataFrame:
    """Put what the charge says beside each of its parts; its own cost as ``whole_cost``."""
    said = [name for name in charges.columns if name not in names(ALLOCATIONS)]
    origin = charges[said].assign(whole_cost=charges["billed_cost"]).set_index("charge_id")
    place = pd.Index(origin.index).get_indexer(parts["origin_id"])
    beside = origin.take(place).reset_index(drop=True)
    return pd.concat([parts.reset_index(drop=True), beside], axis=1)
