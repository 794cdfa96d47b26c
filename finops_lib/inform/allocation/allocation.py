"""Allocation: every charge is split by the first rule that matches it, and its parts sum to it exactly."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa

from finops_lib.errors import SchemaError
from finops_lib.inform.allocation.drivers import GRAIN
from finops_lib.inform.allocation.exact_split import split_decimals
from finops_lib.inform.allocation.methods import Share, Use, method_id, named_columns, shares_of
from finops_lib.inform.measures import MONEY_TYPE
from finops_lib.inform.reconciliation.charge_matching import first_match
from finops_lib.inform.scope import TEXT
from finops_lib.schema import ALLOCATIONS, names
from finops_lib.settings import AllocationRule

METRICS = ("list_cost", "contracted_cost", "effective_cost", "billed_cost", "pricing_quantity", "consumed_quantity")
"""What a charge can be added up by; each is split on its own."""

UNALLOCATED = "unallocated"
_SPLIT_MARKS = ("origin_id", "allocated_method_id", "split_origin_id")
_SHOWN = ("charge_id", "invoice_issuer_name", "service_name", "charge_category", "charge_description", "billed_cost")


@dataclass(frozen=True)
class Allocation:
    """Who gets which part of every charge.

    Parameters
    ----------
    allocations : DataFrame
        Columns of ``schema.ALLOCATIONS``: one row per charge and receiver; in the order of the charges, receivers by
        name, what stays unallocated last. The parts of a charge sum to it in every metric.
    unused_rules : DataFrame
        Rules that decided on nothing: ``rule``, ``bucket``, ``method``, ``match``.
    unmatched_charges : DataFrame
        Charges that no rule matches, with their billed cost.
    receiver_type : str
        Dimension that receives where a rule names no other.
    """

    allocations: pd.DataFrame
    unused_rules: pd.DataFrame
    unmatched_charges: pd.DataFrame
    receiver_type: str = "team"


@dataclass(frozen=True)
class _Group:
    """Charges that are split in the same shares."""

    rule: AllocationRule | None
    receiver_type: str
    places: np.ndarray
    shares: list[Share]


def allocate(
    charges: pd.DataFrame,
    rules: Sequence[AllocationRule],
    drivers: pd.DataFrame,
    *,
    receivers: Iterable[str] | None = None,
    receiver: str = "team",
) -> Allocation:
    """Split charges among receivers, exactly.

    Parameters
    ----------
    charges : DataFrame
        Columns of ``schema.CHARGES`` (and dimensions of the ledger); each charge once, unsplit.
    rules : sequence of AllocationRule
        The first one that matches a charge decides.
    drivers : DataFrame
        Use by receiver, as made by ``allocation_drivers``; of these only ``driver``, ``receiver`` and ``value`` are
        required.
    receivers : iterable of str, optional
        Names of the receivers that exist; a part of any other is left unallocated, with a note.
    receiver : str
        Dimension that receives where a rule names none.

    Returns
    -------
    Allocation
        Parts, rules without charges, charges without a rule.

    Raises
    ------
    SchemaError
        If a charge stands twice or is itself a part of a split, or a driver is negative.

    Notes
    -----
    Every metric is split by the method of the largest remainder on integers, at 1e-12 of its unit, ties going to the
    receiver whose name comes first: nothing is lost or invented for any weights, signs and sizes, and the order of
    charges and drivers does not matter. A charge without any use to follow stays as one unallocated row.

    References
    ----------
    FOCUS 1.4, split cost allocation: the parts of an origin sum to it in every summable metric. Requirements C1, C4.

    Examples
    --------
    >>> bill = pd.DataFrame({"charge_id": ["a"], "billed_cost": pd.array(["10.00"], dtype=MONEY_TYPE)})
    >>> use = pd.DataFrame({"driver": "tokens", "receiver": ["brand", "legal", "sales"], "value": [1, 1, 1]})
    >>> rule = AllocationRule(name="shared", bucket="proportional", method="proportional", driver="tokens")
    >>> parts = allocate(bill, [rule], use).allocations
    >>> [(name, f"{cost:.12f}") for name, cost in zip(parts["receiver"], parts["billed_cost"])]
    [('brand', '3.333333333334'), ('legal', '3.333333333333'), ('sales', '3.333333333333')]
    """
    _refuse_twice(charges)
    drivers = drivers.assign(**{name: None for name in GRAIN if name not in drivers.columns})
    if "receiver_type" not in drivers.columns:
        drivers = drivers.assign(receiver_type=receiver)
    known = None if receivers is None else frozenset(receivers)
    matched = first_match(charges, rules).to_numpy()
    groups = list(_groups(charges, rules, matched, drivers, known, receiver))
    unused = [rule for place, rule in enumerate(rules) if not (matched == place).any()]
    shown = [name for name in _SHOWN if name in charges.columns]
    return Allocation(
        allocations=_assemble(charges, groups),
        unused_rules=pd.DataFrame(
            [(rule.name, rule.bucket, rule.method, _written(rule)) for rule in unused],
            columns=["rule", "bucket", "method", "match"],
            dtype=TEXT,
        ),
        unmatched_charges=charges.loc[matched < 0, shown].reset_index(drop=True),
        receiver_type=receiver,
    )


def _refuse_twice(charges: pd.DataFrame) -> None:
    for mark in _SPLIT_MARKS:
        if mark in charges.columns and charges[mark].notna().any():
            split = charges.loc[charges[mark].notna(), mark].iloc[0]
            message = f"The charges hold parts of a split already ({mark} '{split}')"
            raise SchemaError(message, hint="allocate the charges themselves; a part is never split again")
    repeated = charges.loc[charges["charge_id"].duplicated(), "charge_id"]
    if len(repeated):
        message = f"The charge '{repeated.iloc[0]}' stands twice ({len(repeated)} charges do)"
        raise SchemaError(message, hint="the same bill was given twice; allocate each charge once")


def _groups(
    charges: pd.DataFrame,
    rules: Sequence[AllocationRule],
    matched: np.ndarray,
    drivers: pd.DataFrame,
    known: frozenset[str] | None,
    receiver: str,
) -> Iterator[_Group]:
    for place, rule in enumerate(rules):
        rows = np.flatnonzero(matched == place)
        receiver_type = rule.receiver_in(receiver)
        use = Use(drivers, receiver_type, known if receiver_type == receiver else None)
        columns = named_columns(rule, receiver_type)
        for values, of_group in _alike(charges, rows, columns):
            shares = shares_of(rule, dict(zip(columns, values, strict=True)), use)
            yield _Group(rule, receiver_type, of_group, shares)
    rows = np.flatnonzero(matched < 0)
    if len(rows):
        yield _Group(None, receiver, rows, [Share(None, 1, note="no rule matches the charge")])


def _alike(charges: pd.DataFrame, rows: np.ndarray, columns: list[str]) -> Iterator[tuple[tuple[str, ...], np.ndarray]]:
    """Group rows by what the charges say in some columns."""
    if not len(rows) or not columns:
        yield from [((), rows)] if len(rows) else []
        return
    empty = pd.Series("", index=charges.index)
    said = pd.DataFrame({name: charges.get(name, empty).iloc[rows].fillna("").astype(str) for name in columns})
    for values, places in said.groupby(columns, sort=False).indices.items():
        yield values if isinstance(values, tuple) else (values,), rows[places]


def _assemble(charges: pd.DataFrame, groups: list[_Group]) -> pd.DataFrame:
    """Split the metrics of all groups and lay the parts out in the order of the charges."""
    described = [_described(group, share) for group in groups for share in group.shares]
    first = np.cumsum([0, *(len(group.shares) for group in groups)])
    size = [(len(group.places), len(group.shares)) for group in groups]
    places = np.concatenate([np.zeros(0, int), *(np.repeat(g.places, len(g.shares)) for g in groups)])
    numbers = [at + np.tile(np.arange(k), n) for at, (n, k) in zip(first[:-1], size, strict=True)]
    shares = np.concatenate([np.zeros(0, int), *numbers])
    order = np.argsort(places, kind="stable")
    columns = {"origin_id": pa.array(charges["charge_id"].astype(TEXT)).take(pa.array(places[order]))}
    listed = pa.Table.from_pylist(described, schema=_DESCRIBED).take(pa.array(shares[order]))
    columns |= dict(zip(listed.column_names, listed.columns, strict=True))
    for metric in METRICS:
        parts = [_split(charges, metric, group) for group in groups]
        together = pa.concat_arrays(parts) if parts else pa.array([], MONEY_TYPE.pyarrow_dtype)
        columns[metric] = together.take(pa.array(order))
    table = pa.table(columns).select(names(ALLOCATIONS))
    return table.to_pandas(types_mapper=pd.ArrowDtype)


_DESCRIBED = pa.schema(
    [(name, pa.string()) for name in ("rule", "bucket", "method_id", "receiver", "receiver_type", "driver", "note")]
    + [(name, pa.float64()) for name in ("driver_value", "ratio")]
)


def _described(group: _Group, share: Share) -> dict[str, object]:
    rule = group.rule
    return {
        "rule": "" if rule is None else rule.name,
        "bucket": UNALLOCATED if rule is None else rule.bucket,
        "method_id": method_id(rule, group.receiver_type),
        "receiver": share.receiver,
        "receiver_type": group.receiver_type,
        "driver": share.driver,
        "driver_value": share.driver_value,
        "ratio": share.weight / sum(one.weight for one in group.shares),
        "note": share.note,
    }


def _split(charges: pd.DataFrame, metric: str, group: _Group) -> pa.Array:
    if metric not in charges.columns:
        return pa.nulls(len(group.places) * len(group.shares), MONEY_TYPE.pyarrow_dtype)
    return split_decimals(charges[metric].iloc[group.places], [share.weight for share in group.shares])


def _written(rule: AllocationRule) -> str:
    return ", ".join(f"{key}: {value}" for key, value in rule.match.items()) or "everything"
