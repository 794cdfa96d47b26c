"""FOCUS splits: a row is replaced by its receivers' parts, which sum to it in every metric."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd

from finops_lib.errors import SchemaError
from finops_lib.inform.allocation.exact_split import split_decimals, whole_weights
from finops_lib.inform.focus.terms import EXACT, exact_product, json_text
from finops_lib.inform.measures import MONEY_TYPE
from finops_lib.inform.scope import TEXT

_SHARES = 10**12
_COSTS = ("billed_cost", "effective_cost")
_QUANTITIES = ("pricing_quantity", "consumed_quantity")
_UNITS = {"active_users": "Users", "retrieval_calls": "Calls", "storage_gb": "GB", "log_gb": "GB", "cost": "USD"}

ReceiverTags = Mapping[str, Mapping[str, str]]


def split_lines(allocations: pd.DataFrame, charges: pd.DataFrame) -> pd.DataFrame:
    """Choose the parts that split a charge and say which charge each is of.

    Parameters
    ----------
    allocations : DataFrame
        ``schema.ALLOCATIONS``; rows without a rule split nothing.
    charges : DataFrame
        ``schema.CHARGES``, the origins.

    Returns
    -------
    DataFrame
        The parts with ``line``, the origin's position among the charges.

    Raises
    ------
    SchemaError
        If a charge is there twice, a part's origin is not there, or a charge is split by two methods.
    """
    parts = allocations[allocations["rule"].fillna("") != ""].reset_index(drop=True)
    position = pd.Series(np.arange(len(charges)), index=charges["charge_id"].astype(str))
    twice = position.index[position.index.duplicated()].intersection(parts["origin_id"].astype(str))
    if len(twice):
        message = f"Charge '{twice[0]}' is there twice: its parts cannot be told apart"
        raise SchemaError(message, hint="give every charge an id of its own")
    lines = parts["origin_id"].astype(str).map(position[~position.index.duplicated()])
    lost = parts.loc[lines.isna(), "origin_id"].unique()
    if len(lost):
        message = f"Allocations split {len(lost):,} charges that are not given, the first is '{lost[0]}'"
        raise SchemaError(message, hint="give the charges that the allocations were made of")
    parts["line"] = lines.astype(np.int64)
    methods = parts.groupby("line")[["rule", "method_id"]].nunique().max(axis=1)
    if (methods > 1).any():
        message = f"Charge '{charges['charge_id'].iloc[methods.idxmax()]}' is split by two methods"
        raise SchemaError(message, hint="split a charge once, by one rule")
    return parts


def split_rows(rows: pd.DataFrame, parts: pd.DataFrame, receiver_tags: ReceiverTags) -> pd.DataFrame:
    """Replace each row that is split by one row a receiver.

    Parameters
    ----------
    rows : DataFrame
        FOCUS rows in snake_case, indexed by their number; ``rule`` is null where a row is not split.
    parts : DataFrame
        Parts of the charges the rows are made of: ``row``, ``weight`` (size of the part's origin), quantities
        in the units of the row, costs in USD.
    receiver_tags : mapping
        Receiver → further tags of it, e.g. its cost center.

    Returns
    -------
    DataFrame
        Rows with the columns of the split cost allocation; the unallocated remainder has no receiver.

    References
    ----------
    FOCUS 1.3, split cost allocation: the origin is replaced, every summable metric sums to it, all else stays.
    """
    given = _by_receiver(parts)
    origins = rows.loc[given["row"]].reset_index(drop=True)
    split = origins.copy()
    shares = pd.Series([Decimal(int(share)).scaleb(-12) for share in given["share"]], dtype=EXACT)
    for name in _QUANTITIES:
        # a quantity that was not split follows the money
        parts_of = given[name].astype(EXACT).fillna(exact_product(shares, origins[name]))
        split[name] = parts_of.where(origins[name].notna())
    foreign = _foreign_parts(given, origins)
    for name in _COSTS:
        split[name] = given[name].astype(EXACT).mask(foreign[name].notna(), foreign[name])
    for name in ("list", "contracted"):
        product = exact_product(split["pricing_quantity"], origins[f"{name}_unit_price"])
        rest = given[f"{name}_cost"].astype(EXACT).fillna(split["billed_cost"])
        split[f"{name}_cost"] = product.where(origins[f"{name}_is_product"], rest)
    split["split_origin_id"], split["split_origin_cost"] = origins["charge_id"], origins["billed_cost"]
    for name in ("effective_cost", "list_cost", "contracted_cost", "pricing_quantity", "consumed_quantity"):
        split[f"split_origin_{name}"] = origins[name]
    split["allocated_method_id"] = origins["method_id"]
    split["allocated_resource_id"] = split["allocated_resource_name"] = given["receiver"]
    told = [
        _told(part, rule, receiver_tags) for part, rule in zip(given.to_dict("records"), origins["rule"], strict=True)
    ]
    for place, name in enumerate(("allocated_method_details", "allocated_tags")):
        split[name] = pd.Series([pair[place] for pair in told], dtype=TEXT)
    return pd.concat([rows[rows["rule"].isna()], split], ignore_index=True)


def _by_receiver(parts: pd.DataFrame) -> pd.DataFrame:
    """Put a receiver's parts of all charges in a row together, with its share of the row in units of 1e-12."""
    parts = parts.copy()
    parts["share"] = parts["ratio"].astype("float64").fillna(0) * parts["weight"]
    nothing = parts.groupby("row")["share"].transform("sum") == 0
    parts["share"] = parts["share"].mask(nothing, parts["ratio"].astype("float64").fillna(0))
    summed = ["share", *_COSTS, "list_cost", "contracted_cost", *_QUANTITIES]
    groups = parts.groupby(["row", "receiver"], dropna=False, sort=True)
    given = groups[summed].sum(min_count=1).join(groups[["receiver_type", "driver", "note"]].first())
    drivers = groups["driver_value"].agg(["min", "max"])
    # the amounts of several months cannot be added up: they are not the same people
    given["driver_value"] = drivers["min"].where(drivers["min"] == drivers["max"])
    given = given.reset_index()
    whole = given.groupby("row")["share"].transform("sum")
    given["share"] = np.rint(given["share"] / whole.where(whole != 0, 1) * _SHARES).astype(np.int64)
    largest = given.groupby("row")["share"].idxmax()
    given.loc[largest, "share"] += _SHARES - given.groupby("row")["share"].sum().to_numpy()
    return given


def _foreign_parts(given: pd.DataFrame, origins: pd.DataFrame) -> pd.DataFrame:
    """Split costs of bills in another currency in that currency, in proportion to the converted parts."""
    found = pd.DataFrame({name: pd.Series(pd.NA, index=given.index, dtype=EXACT) for name in _COSTS})
    rows = given.loc[origins["exchange_rate"].fillna(1) != 1, "row"]
    for places in rows.groupby(rows).groups.values():
        for name in _COSTS:
            total = origins.loc[places[:1], name].astype(MONEY_TYPE)
            weights = whole_weights([abs(part) for part in given.loc[places, name]])
            exact = split_decimals(total, weights if any(weights) else [1] + [0] * (len(places) - 1))
            found.loc[places, name] = pd.array(exact.cast(EXACT.pyarrow_dtype), dtype=EXACT)
    return found


def _told(part: Mapping[str, Any], rule: str, receiver_tags: ReceiverTags) -> tuple[str, str | None]:
    """Write how a part was worked out, and whose it is, as JSON."""
    element: dict[str, Any] = {"AllocatedRatio": part["share"] / _SHARES}
    if not pd.isna(part["driver"]) and not pd.isna(part["driver_value"]):
        driver = str(part["driver"]).removeprefix("column:")
        element["UsageUnit"] = _UNITS.get(driver, driver.replace("_", " ").title())
        element["UsageQuantity"] = part["driver_value"]
    element["x_Rule"] = rule
    if not pd.isna(part["note"]):
        element["x_Note"] = part["note"]
    details = json.dumps({"Elements": [element]}, ensure_ascii=False)
    if pd.isna(part["receiver"]):
        return details, None
    own = {part["receiver_type"]: part["receiver"]} | dict(receiver_tags.get(part["receiver"], {}))
    # prefixed, so that no key of the charge's own tags comes twice
    return details, json_text({f"finops/{key}": value for key, value in own.items()})
