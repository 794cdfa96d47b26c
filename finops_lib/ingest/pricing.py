"""Pricing: usage × unit prices, joined once on the small result, in exact decimals."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa

from finops_lib.ingest.engine import arrow_type, fetch
from finops_lib.ingest.prices import price_list as prices
from finops_lib.ingest.prices.price_list import PriceList
from finops_lib.params import Organisation
from finops_lib.schema import COST_TYPE, LEDGER, QUANTITIES, UNIT_PRICE_TYPE

PRICE_KEYS = ("provider", "model", "service_tier", "context_tier", "price_period_start")
SCOPES = ("team", "api_key", "assistant")
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
    scopes = [s for s in SCOPES if any(getattr(override, s) for override in organisation.prices)]
    keys = [*PRICE_KEYS, *scopes]
    numbered = usage.append_column("usage_row", pa.array(range(usage.num_rows), pa.int64()))
    connection.register("usage_rows", numbered)
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE price_keys AS SELECT {", ".join(keys)}, row_number() OVER () - 1 AS price_key
        FROM (SELECT DISTINCT {", ".join(keys)} FROM usage_rows ORDER BY ALL)"""
    )
    distinct = fetch(connection, "SELECT * FROM price_keys ORDER BY price_key").to_pandas(types_mapper=pd.ArrowDtype)
    units = prices.unit_prices(distinct, price_list, organisation.prices, matched)
    connection.register("unit_price_rows", _price_arrow(units))
    same = " AND ".join(f"k.{key} IS NOT DISTINCT FROM u.{key}" for key in keys)
    classes = ", ".join(f'{column} AS "{place}"' for place, column in enumerate(QUANTITIES.values()))
    billed = "CAST(u.quantity AS DECIMAL(18,0))"
    avoided = "CAST(CASE WHEN u.cache_hit THEN u.quantity ELSE 0 END AS DECIMAL(18,0))"
    # A cache hit costs nothing, whether its model has a price or not.
    costs = ", ".join(
        f"CAST(CASE WHEN u.cache_hit THEN 0 ELSE {billed} * p.{name}_unit_price END AS {COST_TYPE}) AS {name}_cost"
        for name in COSTS
    )
    # Names stay out of the join: it carries row numbers, and every name is looked up once afterwards.
    priced = fetch(
        connection,
        f"""WITH narrow AS (
            SELECT u.usage_row, u.cache_hit, k.price_key, {", ".join(f"u.{c}" for c in QUANTITIES.values())}
            FROM usage_rows AS u JOIN price_keys AS k ON {same}
        )
        SELECT u.usage_row, CAST(u.class_place AS TINYINT) AS class_place, u.quantity AS consumed_quantity,
            CASE WHEN u.cache_hit THEN 0 ELSE u.quantity END AS pricing_quantity, p.price_row, p.list_unit_price,
            p.contracted_unit_price, {costs}, CAST({avoided} * p.contracted_unit_price AS {COST_TYPE}) AS avoided_cost
        FROM (UNPIVOT narrow ON {classes} INTO NAME class_place VALUE quantity) AS u
        LEFT JOIN unit_price_rows AS p ON p.class_place = CAST(u.class_place AS TINYINT) AND p.price_key = u.price_key
        WHERE u.quantity <> 0""",
    )
    connection.unregister("usage_rows")
    connection.unregister("unit_price_rows")
    # The engine returns rows in any order: equal calls shall make equal files.
    order = np.lexsort((priced["class_place"].to_numpy(), priced["usage_row"].to_numpy()))
    priced = priced.take(pa.array(order))
    return _assemble(priced, usage, units, price_list.version)


def _price_arrow(units: pd.DataFrame) -> pa.Table:
    place = {name: number for number, name in enumerate(QUANTITIES)}
    columns = {
        "price_row": pa.array(range(len(units)), pa.int32()),
        "price_key": pa.array(list(units["price_key"]), pa.int64()),
        "class_place": pa.array([place[name] for name in units["token_class"]], pa.int8()),
    }
    kind = arrow_type(UNIT_PRICE_TYPE)
    for name in COSTS:
        column = f"{name}_unit_price"
        columns[column] = pa.array(list(units[column]), kind, from_pandas=True)
    return pa.table(columns)


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
    found = prices.provisioned_capacity(organisation.prices, since, until)
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
