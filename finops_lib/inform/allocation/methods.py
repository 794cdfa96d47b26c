"""Allocation methods: how a rule turns use, weights or names into the shares of a charge."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pandas as pd

from finops_lib.errors import SchemaError
from finops_lib.inform.allocation.exact_split import whole_weights
from finops_lib.settings import AllocationRule

IDLE = "idle"
"""Driver of the part of a capacity that nobody used."""

_METHODS = {
    "direct": ("direct:{receiver}:v1", "The whole charge goes to whom it names; what names nobody stays unallocated."),
    "even": ("even:v1", "Everyone on the list gets the same part."),
    "fixed": ("fixed:v1", "Each gets the part that was agreed, by the weights in the rule."),
    "proportional": (
        "proportional:{driver}:v1",
        "Each gets the part of the charge that is its part of all {measure}; what of them names nobody stays "
        "unallocated.",
    ),
    "weighted": (
        "weighted:{driver}:v1",
        "Each gets the part of the charge that is its part of all {measure}, those of each environment times the "
        "factor agreed for it.",
    ),
    "capacity": (
        "capacity:{driver}:v1",
        "The part of the capacity in use goes to those who used it, by {measure}; the idle part is kept apart and goes "
        "where the rule says: to the owner, to the users, or nowhere.",
    ),
    "unallocated": ("unallocated:v1", "No rule matches the charge: it stays with the payer, in sight."),
}


@dataclass(frozen=True)
class Share:
    """One receiver's share of every charge of a group; the receiver ``None`` is the remainder."""

    receiver: str | None
    weight: Any
    driver: str | None = None
    driver_value: float | None = None
    note: str | None = None


@dataclass(frozen=True)
class Use:
    """What the shares of a rule are worked out from.

    Parameters
    ----------
    drivers : DataFrame
        Frame of ``allocation_drivers``.
    receiver_type : str
        Dimension that receives.
    known : collection of str or None
        Receivers that exist; ``None`` when that is not known.
    """

    drivers: pd.DataFrame
    receiver_type: str
    known: Collection[str] | None


def allocation_methods() -> pd.DataFrame:
    """List the methods of allocation, each with its documented id, version and meaning.

    Returns
    -------
    DataFrame
        One row per method: ``method``, ``method_id`` (``{driver}`` and ``{receiver}`` stand for what a rule names),
        ``version``, ``sentence``.

    References
    ----------
    FOCUS 1.4, AllocatedMethodId: every id is documented. Requirement C4.
    """
    rows = [
        (name, pattern, pattern.rpartition(":v")[2], text.format(measure="measured use"))
        for name, (pattern, text) in _METHODS.items()
    ]
    return pd.DataFrame(rows, columns=["method", "method_id", "version", "sentence"])


def method_id(rule: AllocationRule | None, receiver_type: str) -> str:
    """Return the documented id of the method of a rule; of no rule, that of what stays unallocated."""
    pattern, _ = _METHODS["unallocated" if rule is None else rule.method]
    return pattern.format(receiver=receiver_type, driver="" if rule is None else measure_of(rule))


def sentence_of(rule: AllocationRule) -> str:
    """Say in a sentence how a rule splits."""
    return _METHODS[rule.method][1].format(measure=measure_of(rule).replace("_", " ").replace(" gb", " gigabytes"))


def measure_of(rule: AllocationRule) -> str:
    """Return the measure a rule follows; empty for methods that follow none."""
    return (rule.driver or "").removeprefix("column:")


def shares_of(rule: AllocationRule, charge: Mapping[str, str], use: Use) -> list[Share]:
    """Work out who gets which share of the charges that a rule matches.

    Parameters
    ----------
    rule : AllocationRule
        The rule.
    charge : mapping
        What the charges say in the columns of ``named_columns``; empty text for nothing.
    use : Use
        Drivers and receivers.

    Returns
    -------
    list of Share
        By the receiver's name, the remainder last; weights are whole and never all zero.
    """
    if rule.method == "direct":
        shares = [_named(charge[use.receiver_type], use.receiver_type)]
    elif rule.method == "even":
        shares = [Share(name, 1) for name in rule.receivers or _everyone(use)]
    elif rule.method == "fixed":
        shares = [Share(name, weight, "weight", float(weight)) for name, weight in rule.weights.items()]
    elif rule.method == "capacity":
        shares = _capacity(rule, charge, use)
    else:
        shares = _by_use(rule, charge, use)
    shares = [_checked(share, use) for share in shares if share.weight > 0]
    if not shares:
        measure = measure_of(rule)
        note = f"no {measure.replace('_', ' ')} to split by" if measure else "no receiver has a weight"
        return [Share(None, 1, measure or None, 0.0 if measure else None, note)]
    shares.sort(key=lambda share: (share.receiver is None, share.receiver or "", share.driver or "", share.note or ""))
    whole = whole_weights([share.weight for share in shares])
    return [replace(share, weight=weight) for share, weight in zip(shares, whole, strict=True)]


def named_columns(rule: AllocationRule, receiver_type: str) -> list[str]:
    """List the columns of a charge that the shares of a rule depend on."""
    columns = [dimension for dimension, value in rule.among.items() if value == "same"]
    if rule.method == "direct" or (rule.idle == "owner" and rule.owner is None):
        columns.append(receiver_type)
    return list(dict.fromkeys(columns))


def _named(name: str, receiver_type: str) -> Share:
    return Share(name, 1) if name else Share(None, 1, note=f"the charge names no {receiver_type.replace('_', ' ')}")


def _everyone(use: Use) -> Iterable[str]:
    if use.known is not None:
        return sorted(use.known)
    return sorted(use.drivers.loc[use.drivers["receiver_type"] == use.receiver_type, "receiver"].dropna().unique())


def _checked(share: Share, use: Use) -> Share:
    """Keep the part of a receiver that does not exist (any more) apart, in sight."""
    if share.receiver is None or use.known is None or share.receiver in use.known:
        return share
    kind = use.receiver_type.replace("_", " ")
    return replace(share, receiver=None, note=f"'{share.receiver}' is no known {kind}")


def _by_use(rule: AllocationRule, charge: Mapping[str, str], use: Use) -> list[Share]:
    measure = measure_of(rule)
    rows = _rows(measure, rule, charge, use)
    factors = rows["environment"].map(lambda name: float(rule.multipliers.get(name, Decimal(1)))).astype("float64")
    counted = pd.DataFrame({"receiver": rows["receiver"], "value": rows["value"], "weight": rows["value"] * factors})
    summed = counted.groupby("receiver", dropna=False).sum()
    if (summed["value"] < 0).any():
        message = f"Driver '{measure}' is negative for {summed.index[summed['value'] < 0][0]}"
        raise SchemaError(message, hint="use is never negative; look for a correction in the volumes or usage")
    unnamed = f"use that names no {use.receiver_type.replace('_', ' ')}"
    shares = [
        Share(None, weight, measure, value, unnamed) if pd.isna(name) else Share(str(name), weight, measure, value)
        for name, value, weight in zip(summed.index, summed["value"], summed["weight"], strict=True)
    ]
    return [share for share in shares if not rule.receivers or share.receiver in rule.receivers]


def _capacity(rule: AllocationRule, charge: Mapping[str, str], use: Use) -> list[Share]:
    used, owner = _used_share(rule, charge, use)
    if used is None:
        return [Share(None, 1, "used_share", None, "the part of the capacity in use is not known")]
    users = [share for share in _by_use(rule, charge, use) if share.weight > 0]
    whole = sum((Fraction(str(share.weight)) for share in users), Fraction(0))
    shares = [replace(share, weight=used * Fraction(str(share.weight)) / whole) for share in users]
    if not users:
        shares = [Share(None, used, measure_of(rule), 0.0, f"no {measure_of(rule).replace('_', ' ')} to split by")]
    idle = 1 - used
    if rule.idle == "shared" and users:
        return shares + [
            Share(share.receiver, idle * share.weight / used if used else idle / len(users), IDLE, float(idle), "idle")
            for share in shares
        ]
    receiver = (rule.owner or charge.get(use.receiver_type) or owner) if rule.idle == "owner" else None
    return [*shares, Share(receiver, idle, IDLE, float(idle), "idle capacity")]


def _used_share(rule: AllocationRule, charge: Mapping[str, str], use: Use) -> tuple[Fraction | None, str | None]:
    """Return the part in use and whom the capacity was bought for."""
    if rule.used_share is not None:
        return Fraction(str(rule.used_share)), None
    model = {name: value for name, value in rule.among.items() if name == "model"}
    rows = _rows("used_share", rule.model_copy(update={"among": model}), charge, use)
    if len(rows) != 1:
        return None, None
    owner = rows["receiver"].iloc[0]
    return Fraction(str(rows["value"].iloc[0])), None if pd.isna(owner) else str(owner)


def _rows(measure: str, rule: AllocationRule, charge: Mapping[str, str], use: Use) -> pd.DataFrame:
    """Keep the rows of a driver that count for a rule."""
    drivers = use.drivers
    kept = (drivers["driver"] == measure) & (drivers["receiver_type"] == use.receiver_type)
    for dimension, value in rule.among.items():
        kept &= (drivers[dimension] == (charge[dimension] if value == "same" else value)).fillna(False)
    return drivers[kept.astype(bool)]
