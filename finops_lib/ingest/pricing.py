"""Pricing: usage × unit prices, joined once on the small result, in exact decimals."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa

from finops_lib.ingest.engine import arrow_type, fetch
from finops_lib.ingest.prices.overrides import provisioned_capacity
from finops_lib.ingest.prices.price_list import unit_prices
from finops_lib.ingest.prices.rows import PriceList
from finops_lib.ingest.row_keys import row_keys
from finops_lib.params import Organisation
from finops_lib.schema import COST_TYPE, LEDGER, QUANTITIES, UNIT_PRICE_TYPE

PRICE_KEYS = ("provider", "model", "service_tier", "context_tier", "price_period_start")
COSTS = ("list", "contracted", "effective", "billed")


def price_usage(
    connection: duckdb.DuckDBPyConnection,
    usage: pa.Table,
    matched: pd.DataFrame,
    organisation: Organisation,
    price_list: PriceList,
) -> pa.Table:
    """Price usage: one row a token class, exact decimals, null where there is no price.

    Parameters
    ----------
    connection : DuckDBPyConnection
        Does the join.
    usage : Table
        Columns of ``schema.USAGE``.
    matched : DataFrame
        Models matched to prices.
    organisation : Organisation
        Price overrides.
    price_list : PriceList
        Public prices.

    Returns
    -------
    Table
        Columns of ``schema.LEDGER``; classes with no quantity have no row.

    References
    ----------
    FOCUS 1.4: ListCost = ListUnitPrice × PricingQuantity, ContractedCost likewise; requirement A4.
    """
    keys = [*PRICE_KEYS, *organisation.price_scopes]
    _, first, price_keys = np.unique(row_keys(usage, keys), return_index=True, return_inverse=True)
    distinct = usage.select(keys).take(first).to_pandas(types_mapper=pd.ArrowDtype)
    distinct["price_key"] = np.arange(len(distinct))
    units = unit_prices(distinct, price_list, organisation.prices, matched)
    connection.register("quantities", _quantities(usage, price_keys, units))
    quantity = "CAST(consumed_quantity AS DECIMAL(18,0))"
    # A cache hit costs nothing, whether its model has a price or not.
    costs = ", ".join(
        f"CAST(CASE WHEN cache_hit THEN 0 ELSE {quantity} * {name}_unit_price END AS {COST_TYPE}) AS {name}_cost"
        for name in COSTS
    )
    avoided = f"CASE WHEN cache_hit THEN {quantity} ELSE 0 END"
    # A mere projection: rows come back in the order in which they were laid out.
    priced = fetch(
        connection,
        f"""SELECT usage_row, class_place, price_row, consumed_quantity,
            CASE WHEN cache_hit THEN 0 ELSE consumed_quantity END AS pricing_quantity,
            list_unit_price, contracted_unit_price, {costs},
            CAST(CAST({avoided} AS DECIMAL(18,0)) * contracted_unit_price AS {COST_TYPE}) AS avoided_cost
        FROM quantities""",
    )
    connection.unregister("quantities")
    return _assemble(priced, usage, units, price_list.version)


def _quantities(usage: pa.Table, price_keys: np.ndarray, units: pd.DataFrame) -> pa.Table:
    """Lay the quantities of usage out, one row a token class that has any, each with its unit prices.

    Names stay out of it: it carries row numbers, and every name is looked up once afterwards.
    """
    place = {name: number for number, name in enumerate(QUANTITIES)}
    priced = np.full((price_keys.max(initial=0) + 1, len(place)), -1)
    priced[units["price_key"].to_numpy(int), [place[name] for name in units["token_class"]]] = np.arange(len(units))
    wide = np.column_stack([usage[name].fill_null(0).to_numpy() for name in QUANTITIES.values()])
    rows, classes = np.nonzero(wide)
    found = priced[price_keys[rows], classes]
    price_rows = pa.array(found, pa.int32(), mask=found < 0)
    kind = arrow_type(UNIT_PRICE_TYPE)
    per_unit = {
        name: pa.array(list(units[name]), kind, from_pandas=True) for name in (f"{c}_unit_price" for c in COSTS)
    }
    return pa.table(
        {
            "usage_row": rows,
            "class_place": classes.astype(np.int8),
            "price_row": price_rows,
            "consumed_quantity": wide[rows, classes],
            "cache_hit": usage["cache_hit"].take(rows),
        }
        | {name: values.take(price_rows) for name, values in per_unit.items()}
    )


def _assemble(priced: pa.Table, usage: pa.Table, units: pd.DataFrame, version: str) -> pa.Table:
    """Give priced rows their names back, each name held once."""
    rows, classes, price_rows = (priced[name].combine_chunks() for name in ("usage_row", "class_place", "price_row"))
    looked_up = {"token_class": (classes, list(QUANTITIES))}
    looked_up["pricing_unit"] = (classes, ["Requests" if name == "web_search" else "Tokens" for name in QUANTITIES])
    for name in ("sku_id", "sku_price_id", "price_source"):
        looked_up[name] = (price_rows, list(units[name]))
    columns = {}
    for column in LEDGER:
        name, kind = column.name, arrow_type(column.type)
        if name in looked_up:
            places, values = looked_up[name]
            columns[name] = _dictionary(places, pa.array(values, pa.string()))
        elif name == "price_version":
            columns[name] = _dictionary(pa.array(np.zeros(len(rows), np.int32)), pa.array([version]))
        elif name in priced.column_names:
            columns[name] = priced[name].cast(kind)
        elif usage[name].null_count == usage.num_rows:
            columns[name] = pa.nulls(len(rows), kind)
        elif column.type == "VARCHAR":
            columns[name] = usage[name].combine_chunks().dictionary_encode().take(rows)
        else:
            columns[name] = usage[name].take(rows)
    return pa.table(columns)


def _dictionary(places: pa.Array, values: pa.Array) -> pa.DictionaryArray:
    """Point to names by their place; a name that stands twice is held once."""
    encoded = values.dictionary_encode()
    return pa.DictionaryArray.from_arrays(encoded.indices.take(places), encoded.dictionary)


def capacity_rows(organisation: Organisation, price_list: PriceList, since: date, until: date) -> pa.Table:
    """Make the ledger rows of capacity that is paid by the hour, used or not.

    Parameters
    ----------
    organisation : Organisation
        Overrides of kind ``provisioned``.
    price_list : PriceList
        For its version.
    since, until : date
        First and last day.

    Returns
    -------
    Table
        Columns of ``schema.LEDGER``, one row a day and capacity; token class ``provisioned_hours``.
    """
    schema = pa.schema([(c.name, arrow_type(c.type)) for c in LEDGER])
    found = provisioned_capacity(organisation.prices, since, until)
    rows = []
    for row in found.to_dict("records"):
        unit = Decimal(str(row["units"])) * Decimal(str(row["unit_price"]))
        hours = round(Decimal(str(row["hours"])))
        costs = dict.fromkeys(("list_cost", "contracted_cost", "effective_cost", "billed_cost"), hours * unit)
        rows.append(
            {
                "charge_period_start": row["day"],
                "token_class": "provisioned_hours",
                "consumed_quantity": hours,
                "pricing_quantity": hours,
                "pricing_unit": "Hours",
                "list_unit_price": unit,
                "contracted_unit_price": unit,
                "category": "production",
                "cache_hit": False,
                "price_version": price_list.version,
                **costs,
                "sku_id": f"{row['provider']}/{row['model']}/provisioned_hours",
                "price_source": "override",
            }
            | {k: row.get(k) for k in ("provider", "model", "team", "assistant") if row.get(k) not in (None, "*")}
        )
    return pa.Table.from_pylist(rows, schema=schema)
