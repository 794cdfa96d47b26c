"""Cost bridge: what each driver added between two months, or between plan and actual, without a remainder."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import numpy as np
import pandas as pd

from finops_lib.inform.drivers.history import served_from_cache
from finops_lib.inform.measures import COUNT_TYPE, MONEY_TYPE
from finops_lib.inform.scope import TEXT, days, dimension_values, filter_scope
from finops_lib.schema import INPUT_CLASSES, OUTPUT_CLASSES

STEPS = ("volume", "model_mix", "context_length", "output_length", "tool_use", "cache", "tiers", "price")
_ITEM = ["assistant", "workflow"]
_CELL = [*_ITEM, "model"]
_SKU = [*_CELL, "token_class", "service_tier", "context_tier"]
_GROUPS = dict.fromkeys(INPUT_CLASSES, "input") | dict.fromkeys(OUTPUT_CLASSES, "output")
_ORDER: dict[str, tuple[tuple[str, str | None], ...]] = {
    "volume": (("calls", None),),
    "model_mix": (("mix", None),),
    "context_length": (("length", "input"),),
    "output_length": (("length", "output"), ("composition", "output")),
    "tool_use": (("length", "other"), ("composition", "other")),
    "cache": (("billed", None), ("composition", "input")),
    "tiers": (("tier", None),),
    "price": (("price", None),),
}
"""Which factor takes its new value at which step, and for which quantities."""
_QUANTUM = Decimal("1e-15")


def bridge_quantities(costs: pd.DataFrame, usage: pd.DataFrame) -> pd.DataFrame:
    """Add up what a cost bridge compares.

    Parameters
    ----------
    costs : DataFrame
        Ledger of one period, one row per day × dimensions × SKU.
    usage : DataFrame
        Usage of the same period, one row per day × dimensions.

    Returns
    -------
    DataFrame
        One row per assistant × workflow × model × token class × service tier × context tier that has a price:
        ``quantity`` (billed tokens or searches), ``contracted_cost`` (exact USD), and ``calls`` and
        ``billed_calls`` (without answers of the gateway's cache) of the whole workflow × model, null where the
        source does not count them. What has no price is left out.
    """
    priced = costs[costs["contracted_cost"].notna().to_numpy(bool)]
    keys = [dimension_values(priced, name).rename(name) for name in _SKU]
    amounts = priced[["pricing_quantity", "contracted_cost"]]
    skus = amounts.astype({"pricing_quantity": COUNT_TYPE, "contracted_cost": MONEY_TYPE}).groupby(keys).sum()
    skus = skus.rename(columns={"pricing_quantity": "quantity"}).reset_index()
    calls = usage["request_count"].astype(COUNT_TYPE)
    billed = calls.mask(served_from_cache(usage), 0)
    cells = [dimension_values(usage, name).rename(name) for name in _CELL]
    counted = pd.DataFrame({"calls": calls, "billed_calls": billed}).groupby(cells).sum(min_count=1)
    return skus.merge(counted.reset_index(), how="left", on=_CELL)


def cost_bridge(before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """Split the change of cost into what each driver added.

    Parameters
    ----------
    before, after : DataFrame
        From ``bridge_quantities``, or of that form: a plan may name fewer rows and tiers.

    Returns
    -------
    DataFrame
        One row per assistant × workflow × step: ``step`` (``before``, the ``STEPS``, ``after``), ``amount`` (exact
        USD). The steps of every workflow, and so of all, add up to after − before to the last digit.

    Notes
    -----
    A workflow's cost is Σ calls × share of the model × share of calls billed × tokens a billed call × share of the
    token class × share of the tier × price. The factors take their new values one after the other in the order of
    ``STEPS``, each step counted at the new values of those before it: volume at the old average cost of a call,
    price at the new quantities. What exists on one side only (a new model, a workflow that ended) lends its factors
    to the other side, so that its whole cost is model mix or volume. Where calls are not counted, volume is tokens.

    References
    ----------
    Requirement D1. Price, volume and mix variance as FinOps practice defines them (reference: rate = Σ (Pₐ − P_f) Qₐ,
    volume = (Qₐ − Q_f) · mean P_f, mix = Σ Qₐ P_f − Qₐ · mean P_f).
    """
    sides = [_aligned(own, other) for own, other in ((before, after), (after, before))]
    old, new = (_factors(side) for side in _counted_alike(*sides))
    old, new = old.fillna(new).fillna(0.0), new.fillna(old).fillna(0.0)
    groups = sides[0].index.get_level_values("token_class").map(lambda name: _GROUPS.get(name, "other"))
    exact = [side["contracted_cost"].groupby(level=_ITEM).sum() for side in sides]
    reached = [_decimals(exact[0])]
    for changes in _ORDER.values():
        for factor, group in changes:
            chosen = np.ones(len(old), dtype=bool) if group is None else np.asarray(groups == group)
            old.loc[chosen, factor] = new.loc[chosen, factor]
        reached.append(_decimals(old.prod(axis=1).groupby(level=_ITEM).sum()))
    reached[-1] = _decimals(exact[1])
    steps = {"before": reached[0]}
    steps |= {name: reached[place + 1] - reached[place] for place, name in enumerate(STEPS)}
    steps["after"] = reached[-1]
    long = pd.concat(steps, names=["step"]).rename("amount").reset_index()
    return long.astype({"amount": MONEY_TYPE, "step": TEXT})[[*_ITEM, "step", "amount"]]


def bridge_months(costs: pd.DataFrame, usage: pd.DataFrame, period: str, as_of: date | None = None) -> pd.DataFrame:
    """Split the change on the month before; a month that has not ended is held against the same days before.

    Parameters
    ----------
    costs, usage : DataFrame
        Ledger and usage of all months known.
    period : str
        Month ``YYYY-MM``.
    as_of : date, optional
        Last complete day.

    Returns
    -------
    DataFrame
        As ``cost_bridge``; empty without a month before. ``attrs["days"]`` names the days compared,
        ``attrs["periods"]`` the two months.
    """
    month = pd.Period(period or "1970-01", freq="M")
    until = month.end_time.date() if as_of is None else min(month.end_time.date(), as_of)
    seen = days(costs)
    begun = seen.min().date() if len(seen) else until
    start = (month - 1).start_time.date()
    first_day = begun.day if start < begun <= (month - 1).end_time.date() else 1
    last_day = until.day if until < month.end_time.date() else 31
    spans = []
    for each in (month - 1, month):
        first, last = (
            each.start_time.date().replace(day=min(day, each.days_in_month)) for day in (first_day, last_day)
        )
        spans.append([filter_scope(frame, period=(first, last)) for frame in (costs, usage)])
    if any(cut[0].empty for cut in spans):
        bridge = pd.DataFrame({name: pd.array([], dtype=TEXT) for name in [*_ITEM, "step"]})
        bridge["amount"] = pd.array([], dtype=MONEY_TYPE)
    else:
        bridge = cost_bridge(bridge_quantities(*spans[0]), bridge_quantities(*spans[1]))
    bridge.attrs["periods"] = (str(month - 1), str(month))
    bridge.attrs["days"] = "" if (first_day, last_day) == (1, 31) else f"days {first_day} to {min(last_day, until.day)}"
    return bridge


def bridge_steps(bridge: pd.DataFrame) -> pd.DataFrame:
    """Add a bridge up over all workflows.

    Parameters
    ----------
    bridge : DataFrame
        From ``cost_bridge``.

    Returns
    -------
    DataFrame
        One row per step, ``before`` and ``after`` first and last: ``step``, ``amount`` (exact USD), ``is_total``,
        ``carried_by`` (the workflow behind most of the step; on an organisation's page with its assistant) and
        ``carried_amount`` (exact USD). Steps that changed nothing are left out.
    """
    rows = []
    several = len(bridge["assistant"].unique()) > 1
    for step in ("before", *STEPS, "after") if len(bridge) else ():
        part = bridge[(bridge["step"] == step).to_numpy(bool)]
        amount, is_total = part["amount"].sum(), step in ("before", "after")
        if not is_total and abs(amount) < Decimal("0.005"):
            continue
        largest = part.iloc[(part["amount"].astype("float64") * (1 if amount > 0 else -1)).to_numpy().argmax()]
        named = f"{largest['assistant']}, {largest['workflow']}" if several else str(largest["workflow"])
        carried = (None, None) if is_total else (named, largest["amount"])
        rows.append((step, amount, is_total, *carried))
    columns = list(zip(*rows, strict=True)) or [()] * 5
    kinds = [TEXT, MONEY_TYPE, bool, TEXT, MONEY_TYPE]
    names = ["step", "amount", "is_total", "carried_by", "carried_amount"]
    return pd.DataFrame({n: pd.array(list(c), dtype=k) for n, c, k in zip(names, columns, kinds, strict=True)})


def _aligned(own: pd.DataFrame, other: pd.DataFrame) -> pd.DataFrame:
    """Give both sides the same rows; calls are known of a workflow × model even where a SKU is not used."""
    skus = pd.concat([own[_SKU], other[_SKU]]).drop_duplicates().sort_values(_SKU)
    side = skus.merge(own.drop(columns=["calls", "billed_calls"]), how="left", on=_SKU)
    side = side.merge(own[[*_CELL, "calls", "billed_calls"]].drop_duplicates(_CELL), how="left", on=_CELL)
    known = set(own[_CELL].itertuples(index=False, name=None))
    absent = [cell not in known for cell in side[_CELL].itertuples(index=False, name=None)]
    side = side.set_index(_SKU)
    return side.assign(
        calls=side["calls"].astype("float64").mask(np.array(absent, dtype=bool), 0.0),
        billed_calls=side["billed_calls"].astype("float64").mask(np.array(absent, dtype=bool), 0.0),
        quantity=side["quantity"].astype("float64").fillna(0.0),
        contracted_cost=side["contracted_cost"].astype(MONEY_TYPE).fillna(Decimal(0)),
    )


def _counted_alike(before: pd.DataFrame, after: pd.DataFrame) -> list[pd.DataFrame]:
    """Count volume in tokens on both sides where one of them does not count the calls."""
    uncounted = np.zeros(len(before), dtype=bool)
    for side in (before, after):
        used = side.groupby(level=_CELL)["quantity"].transform("sum") > 0
        uncounted |= (used & ~(side["billed_calls"] > 0)).to_numpy(bool)
    in_tokens = pd.Series(uncounted, index=before.index).groupby(level=_ITEM).transform("any")
    sides = []
    for side in (before, after):
        tokens = side.groupby(level=_CELL)["quantity"].transform("sum")
        sides.append(side.assign(**{name: side[name].where(~in_tokens, tokens) for name in ("calls", "billed_calls")}))
    return sides


def _factors(side: pd.DataFrame) -> pd.DataFrame:
    """Take a side apart into the factors whose product is the cost of each row; null where there is nothing."""
    classes = side.index.get_level_values("token_class")
    group = pd.Index([_GROUPS.get(name, "other") for name in classes], name="group")
    keys = [side.index.get_level_values(name) for name in _CELL]
    by_group = side.groupby([*keys, group])["quantity"].transform("sum")
    by_class = side.groupby([*keys, classes])["quantity"].transform("sum")
    of_item = side.groupby(level=_CELL)["calls"].first().groupby(level=_ITEM).sum()
    calls = pd.Series(of_item.reindex(pd.MultiIndex.from_arrays(keys[:2])).to_numpy(dtype="float64"), index=side.index)
    parts = {
        "calls": calls,
        "mix": _over(side["calls"], calls),
        "billed": _over(side["billed_calls"], side["calls"]),
        "length": _over(by_group, side["billed_calls"]),
        "composition": _over(by_class, by_group),
        "tier": _over(side["quantity"], by_class),
        "price": _over(side["contracted_cost"].astype("float64"), side["quantity"]),
    }
    return pd.DataFrame(parts)


def _over(numerator: pd.Series, denominator: pd.Series) -> pd.Series:
    return numerator / denominator.where(denominator > 0)


def _decimals(amounts: pd.Series) -> pd.Series:
    # Python's decimals: Arrow's difference of two 38-digit decimals would need 39
    exact = [Decimal(str(amount)).quantize(_QUANTUM) for amount in amounts]
    return pd.Series(exact, index=amounts.index, dtype=object)
