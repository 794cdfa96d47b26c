"""Billing usage: the ledger by the clock of the invoices, since providers cut days and months in UTC."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import duckdb
import pandas as pd
import pyarrow as pa

from finops_lib.ingest import workspace
from finops_lib.ingest.aggregation import build_rows
from finops_lib.ingest.build import WAREHOUSE_TABLE, feed, months_of
from finops_lib.ingest.engine import arrow_type, connect, open_engine, table_columns
from finops_lib.ingest.prices.rows import PriceList, read_price_list
from finops_lib.ingest.pricing import PRICE_KEYS, capacity_rows
from finops_lib.params import Params
from finops_lib.schema import LEDGER, QUANTITIES

_KEPT = ("timestamp", *PRICE_KEYS, "provider_account", "capture_layer", "cache_hit", "calls")


def billing_usage(params: Params, months: Sequence[str] | None = None) -> pd.DataFrame:
    """Sum and price the calls by UTC day, provider, account, model and tier: what an invoice is held against.

    Parameters
    ----------
    params : Params
        Project, workspace, rules.
    months : sequence of str, optional
        Billing months ``YYYY-MM`` (UTC); all that the ledger holds otherwise.

    Returns
    -------
    DataFrame
        Columns of ``schema.LEDGER``, ``charge_period_start`` in UTC; dimensions an invoice does not know are null.

    Notes
    -----
    The ledger's days and months are those of the reporting time zone, an invoice's are UTC: the first and last hours
    of a month would stand as a difference that is none. The same expression and prices as the ledger's are asked
    again with UTC as the zone. A closed month is priced with the list it was closed with.
    """
    folder = params.workspace
    organisation = params.organisation.model_copy(update={"time_zone": "UTC"})
    utc = params.model_copy(update={"organisation": organisation})
    schema = pa.schema([(c.name, arrow_type(c.type)) for c in LEDGER])
    found = [schema.empty_table()]
    with connect() as connection:
        relation, _, _ = feed(connection, folder, utc)
        for month in months_of(folder) if months is None else months:
            found.append(_month(connection, relation, utc, month).cast(schema))
    return pa.concat_tables(found).to_pandas(types_mapper=pd.ArrowDtype)


def _month(connection: duckdb.DuckDBPyConnection, relation: str, utc: Params, month: str) -> pa.Table:
    start = datetime.strptime(f"{month}-01", "%Y-%m-%d").replace(tzinfo=UTC)
    end = start.replace(year=start.year + start.month // 12, month=start.month % 12 + 1)
    wanted = [*_KEPT, *utc.organisation.price_scopes, *QUANTITIES.values()]
    url, source = utc.organisation.engine_url, None
    if url:
        source = open_engine(url)
        relation, wanted = WAREHOUSE_TABLE, [c for c in table_columns(source, WAREHOUSE_TABLE, "") if c in wanted]
    else:
        held = {row[0] for row in connection.execute(f"DESCRIBE {relation}").fetchall()}
        wanted = [name for name in wanted if name in held]
    prices = _prices_of(utc, month)
    organisation = utc.organisation
    _, ledger = build_rows(connection, relation, organisation, prices, wanted, source=source, between=(start, end))
    if not ledger.num_rows:
        return ledger
    last = max(ledger["charge_period_start"].to_pylist())
    capacity = capacity_rows(organisation, prices, start.date(), last)
    return pa.concat_tables([ledger, capacity.cast(ledger.schema)]) if capacity.num_rows else ledger


def _prices_of(params: Params, month: str) -> PriceList:
    """Read the price list that the ledger's month was priced with."""
    closed = workspace.read_json(params.workspace / "periods.json", {}).get(month)
    return read_price_list(params.workspace / "prices" / closed["prices"]) if closed else read_price_list()
