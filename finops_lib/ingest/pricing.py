"""Pricing: usage × unit prices, joined once on the small result, in exact decimals."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

import duckdb
import pandas as pd
import pyarrow as pa

from finops_lib.ingest import price_list as prices
from finops_lib.ingest.engine import arrow_type, fetch
from finops_lib.ingest.price_list import PriceList
from finops_lib.params import Organisation
from finops_lib.schema import COST_TYPE, DIMENSIONS, LEDGER, QUANTITIES, UNIT_PRICE_TYPE, names

PRICE_KEYS = ("provider", "model", "service_tier", "context_tier", "price_period_start")
SCOPES = ("team", "api_key", "assistant")


def price_usage(
    connection: duckdb.DuckDBPyConnection, usage: pa.Table, matched: pd.DataFrame, organisation: Organisation,
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
    connection.register("usage_rows", usage)
    scopes = [s for s in SCOPES if any(getattr(override, s) for override in organisation.prices)]
    keys = [*PRICE_KEYS, *scopes]
    distinct = fetch(connection, f"SELECT DISTINCT {', '.join(keys)} FROM usage_rows ORDER BY ALL")
    units = prices.unit_prices(
        distinct.to_pandas(types_mapper=pd.ArrowDtype), price_list, organisation.prices, matched
    )
    connection.register("unit_price_rows", _price_arrow(units, keys))
    same = " AND ".join(f"p.{key} IS NOT DISTINCT FROM u.{key}" for key in keys)
    classes = ", ".join(f"{column} AS {name}" for name, column in QUANTITIES.items())
    held = ", ".join(f"u.{name}" for name in names(DIMENSIONS))
    cost = f"CAST(CAST(CASE WHEN u.cache_hit THEN 0 ELSE u.quantity END AS DECIMAL(18,0)) * p.%s AS {COST_TYPE})"
    priced = fetch(connection, f"""SELECT u.charge_period_start, {held}, u.cache_hit, u.context_tier, u.price_period_start,
            u.token_class, u.quantity AS consumed_quantity,
            CASE WHEN u.cache_hit THEN 0 ELSE u.quantity END AS pricing_quantity,
            CASE u.token_class WHEN 'web_search' THEN 'Requests' ELSE 'Tokens' END AS pricing_unit,
            p.list_unit_price, p.contracted_unit_price,
            {cost % "list_unit_price"} AS list_cost, {cost % "contracted_unit_price"} AS contracted_cost,
            {cost % "effective_unit_price"} AS effective_cost, {cost % "billed_unit_price"} AS billed_cost,
            CAST(CAST(CASE WHEN u.cache_hit THEN u.quantity ELSE 0 END AS DECIMAL(18,0)) * p.contracted_unit_price
                AS {COST_TYPE}) AS avoided_cost,
            p.sku_id, p.sku_price_id, p.price_source, '{price_list.version}' AS price_version
        FROM (UNPIVOT usage_rows ON {classes} INTO NAME token_class VALUE quantity) AS u
        LEFT JOIN unit_price_rows AS p ON p.token_class = u.token_class AND {same}
        WHERE u.quantity <> 0""")
    connection.unregister("usage_rows")
    connection.unregister("unit_price_rows")
    return priced.cast(pa.schema([(c.name, arrow_type(c.type)) for c in LEDGER]))


def _price_arrow(units: pd.DataFrame, keys: Sequence[str]) -> pa.Table:
    amounts = ("list_unit_price", "contracted_unit_price", "effective_unit_price", "billed_unit_price")
    kinds = {key: pa.string() for key in (*keys, "token_class", "sku_id", "sku_price_id", "price_source")}
    kinds |= {"context_tier": pa.int64(), "price_period_start": pa.timestamp("us", tz="UTC")}
    kinds |= dict.fromkeys(amounts, arrow_type(UNIT_PRICE_TYPE))
    return pa.table({name: pa.array(list(units[name]), kind, from_pandas=True) for name, kind in kinds.items()})


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
        hours = int(row["hours"])
        costs = dict.fromkeys(("list_cost", "contracted_cost", "effective_cost", "billed_cost"), hours * unit)
        rows.append({
            "charge_period_start": row["day"], "token_class": "provisioned_hours", "consumed_quantity": hours,
            "pricing_quantity": hours, "pricing_unit": "Hours", "list_unit_price": unit, "contracted_unit_price": unit,
            "category": "production", "cache_hit": False, "price_version": price_list.version, **costs,
            "sku_id": f"{row['provider']}/{row['model']}/provisioned_hours", "price_source": "override",
        } | {k: row.get(k) for k in ("provider", "model", "team", "assistant") if row.get(k) not in (None, "*")})
    return pa.Table.from_pylist(rows, schema=schema)
