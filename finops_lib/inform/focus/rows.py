"""FOCUS out: the charges of record as a Cost and Usage dataset, one row a day, assistant, model and token class."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa

from finops_lib.inform.focus.lines import focus_lines, scaled, typed
from finops_lib.inform.focus.splits import split_lines, split_rows
from finops_lib.inform.focus.terms import EXACT, exact_product, json_text, name_parties, name_skus
from finops_lib.inform.scope import TEXT
from finops_lib.schema import ALLOCATIONS, check_frame
from finops_lib.schema.focus import FocusColumn, focus_columns

_KINDS = {
    "DateTime": pd.ArrowDtype(pa.timestamp("s", "UTC")),
    "Decimal": EXACT,
    "Price": EXACT,
}
_HALF_CENT = 0.005_000_1
_TAGS = (*("assistant", "workflow", "team", "department", "cost_center", "project_code", "environment", "category"),)
_GRAIN = [
    *("invoice_issuer_name", "billing_account_id", "billing_account_name", "billing_period_start"),
    *("billing_period_end", "charge_period_start", "charge_period_end", "charge_category", "charge_class"),
    *("charge_frequency", "service_category", "service_subcategory", "service_name", "service_provider_name"),
    *("host_provider_name", "invoice_id", "invoice_detail_id", "sub_account_id", "sub_account_name"),
    *("sub_account_type", "region_id", "sku_id", "sku_price_id", "pricing_category", "pricing_currency"),
    *("pricing_unit", "list_unit_price", "contracted_unit_price", "billing_currency", "exchange_rate", "flat"),
    *("provider", "model", "token_class", "service_tier", "assistant", "source", "rule", "method_id"),
]
_QUANTITIES = ("pricing_quantity", "consumed_quantity")
_COSTS = tuple(f"billing_currency_{name}_cost" for name in ("billed", "effective", "list", "contracted"))


def focus_rows(
    charges: pd.DataFrame,
    version: str,
    allocations: pd.DataFrame | None = None,
    *,
    receiver_tags: Mapping[str, Mapping[str, str]] | None = None,
) -> pd.DataFrame:
    """Write charges as FOCUS Cost and Usage rows.

    Parameters
    ----------
    charges : DataFrame
        ``schema.CHARGES`` and any ledger dimensions: the charges of record. Lines whose ``source`` is ``ledger`` are
        added up to one row a day, assistant, model, token class and price; all others stay one row each.
    version : {"1.2", "1.4"}
        FOCUS version.
    allocations : DataFrame, optional
        ``schema.ALLOCATIONS`` of these charges: a charge that a rule splits is replaced by its parts.
    receiver_tags : mapping, optional
        Receiver → further tags of it, e.g. ``{"cx": {"cost_center": "CC-104"}}``.

    Returns
    -------
    DataFrame
        The columns of ``schema.focus.focus_columns(version)``: text, UTC timestamps, exact decimals. Costs
        are in the billing currency; ``ListCost`` and ``ContractedCost`` are quantity × unit price to the last
        digit. ``x_ChargeId`` names the row, ``x_SplitOriginId`` the row that parts replace. A tag on which the lines
        of a row differ is left out.

    Raises
    ------
    SchemaError
        If a frame breaks its contract, the version is unknown, or allocations do not belong to the charges.

    References
    ----------
    FOCUS 1.2 and 1.4, Cost and Usage; requirement C7.
    """
    columns = focus_columns(version)
    lines = focus_lines(check_frame(charges, "charges"))
    given = pd.DataFrame() if allocations is None else check_frame(allocations, "allocations")
    parts = split_lines(typed(given, ALLOCATIONS), lines)
    split_by = parts.drop_duplicates("line").set_index("line")
    for name in ("rule", "method_id"):
        lines[name] = split_by[name].reindex(lines.index).astype(TEXT)
    rows, row_of_line = _rows(lines)
    if len(parts):
        rows = split_rows(rows, _in_units_of_rows(parts, lines, row_of_line), receiver_tags or {})
    return _focus_frame(rows, columns)


def _rows(lines: pd.DataFrame) -> tuple[pd.DataFrame, pd.Series]:
    """Add the ledger's lines up to rows; also say which row each line went to."""
    ours = lines["source"] == "ledger"
    own = pd.Series(np.arange(len(lines)), index=lines.index).mask(ours, -1).rename("own")
    keys = [*(lines[name] for name in _GRAIN), own]
    row_of_line = lines.groupby(keys, dropna=False, sort=False, observed=True).ngroup()
    by_row = lines.groupby(row_of_line, sort=True)
    summed = [*_QUANTITIES, *_COSTS]
    first = ~row_of_line.duplicated()
    rows = lines[first].drop(columns=summed).set_index(row_of_line[first]).sort_index()
    rows = rows.join(by_row[summed].sum(min_count=1))
    ours = rows["source"] == "ledger"
    hashes = pd.util.hash_pandas_object(rows[_GRAIN].astype(str), index=False)
    rows["charge_id"] = rows["charge_id"].mask(ours, hashes.map("ledger-day-{:016x}".format).astype(TEXT))
    rows["tags"] = rows["tags"].mask(ours, _shared_tags(lines, row_of_line))
    return _costs(name_skus(name_parties(rows))), row_of_line


def _costs(rows: pd.DataFrame) -> pd.DataFrame:
    """Put the costs in: products exact where the bill's figure is the product, rounded to the cent at most."""
    for name in ("billed", "effective", "list", "contracted"):
        rows[f"{name}_cost"] = rows[f"billing_currency_{name}_cost"].astype(EXACT)
    for name in ("list", "contracted"):
        product = exact_product(rows["pricing_quantity"], rows[f"{name}_unit_price"])
        # a bill that differs by more is left as it is, for the checker to tell
        near = (product.astype("float64") - rows[f"{name}_cost"].astype("float64")).abs() <= _HALF_CENT
        is_product = rows[f"{name}_is_product"] = (near & rows["charge_class"].isna()).fillna(False).astype(bool)
        rows[f"{name}_cost"] = rows[f"{name}_cost"].mask(is_product, product)
    return rows


def _shared_tags(lines: pd.DataFrame, row_of_line: pd.Series) -> pd.Series:
    """Write the dimensions that all lines of a row have in common as tags."""
    held = lines[[name for name in _TAGS if name in lines]]
    groups = held.groupby(row_of_line, sort=True)
    differs = groups.nunique(dropna=False).gt(1)
    shared = groups.first().mask(differs)
    return pd.Series([json_text(tags) for tags in shared.to_dict("records")], index=shared.index, dtype=TEXT)


def _in_units_of_rows(parts: pd.DataFrame, lines: pd.DataFrame, row_of_line: pd.Series) -> pd.DataFrame:
    """Bring the parts' quantities into the units of their rows; weigh each by the size of its charge."""
    origins = lines.loc[parts["line"]].reset_index(drop=True)
    ours, flat = origins["source"] == "ledger", origins["flat"]
    quantity = scaled(parts["pricing_quantity"], origins["per_token"], Decimal("0.000001"))
    in_tokens = ours & (origins["consumed_unit"] == "Tokens")
    consumed = parts["consumed_quantity"].astype(EXACT)
    parts["consumed_quantity"] = consumed.mask(ours, scaled(quantity, in_tokens, Decimal(10**6)))
    parts["pricing_quantity"] = quantity.mask(flat, pd.NA)
    parts["row"] = row_of_line.loc[parts["line"]].to_numpy()
    size = origins["billing_currency_effective_cost"].abs().astype("float64")
    served = origins["pricing_quantity"].abs().astype("float64").fillna(0)
    row = parts["row"]
    weight = size.mask(size.groupby(row).transform("sum") == 0, served)
    parts["weight"] = weight.mask(weight.groupby(row).transform("sum") == 0, 1.0)
    return parts


def _focus_frame(rows: pd.DataFrame, columns: tuple[FocusColumn, ...]) -> pd.DataFrame:
    """Name the columns as the specification does, in its order."""
    for name in ("list_unit_price", "contracted_unit_price", "effective_cost"):
        rows[f"pricing_currency_{name}"] = rows[name]
    rows["charge_source"] = rows["source"]
    order = ["charge_period_start", "invoice_issuer_name", "resource_id", "sku_price_id", "charge_id"]
    order += [name for name in ("allocated_resource_id",) if name in rows]
    rows = rows.sort_values(order, kind="stable", na_position="last").reset_index(drop=True)
    nothing = pd.Series(pd.NA, index=rows.index)
    made = {
        column.name: rows.get(_snake_case(column.name), nothing).astype(_KINDS.get(column.kind, TEXT))
        for column in columns
    }
    return pd.DataFrame(made, index=rows.index)


def _snake_case(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name.removeprefix("x_")).lower()
