"""Currencies: the costs of a bill in the reporting currency, beside those of the bill.

All lines of a bill are converted at the rate that holds on the last day of its billing period: the invoice is drawn up
then, its lines and its total convert alike, and a rate published later changes nothing.
"""

from __future__ import annotations

from collections import Counter

import duckdb
import pyarrow as pa

from finops_lib.errors import ParamsError
from finops_lib.params import Organisation
from finops_lib.schema import COST_TYPE


def register_rates(connection: duckdb.DuckDBPyConnection, organisation: Organisation) -> None:
    """Lay the exchange rates out as a table the engine can join.

    Parameters
    ----------
    connection : DuckDBPyConnection
        Gets ``rates``: ``currency``, ``rate``, ``effective_from``, ``rate_source``.
    organisation : Organisation
        Its reporting currency and exchange rates.

    Raises
    ------
    ParamsError
        If a currency has two rates from the same day on.
    """
    rates = organisation.exchange_rates
    twice = [pair for pair, count in Counter((r.currency, r.effective_from) for r in rates).items() if count > 1]
    if twice:
        message = f"exchange_rates: two rates for {twice[0][0]} from {twice[0][1]} on"
        raise ParamsError(message, hint="keep one of them in parameters/organisation.yaml")
    columns = {
        "currency": pa.array([r.currency for r in rates], pa.string()),
        "rate": pa.array([str(r.rate) for r in rates], pa.string()),
        "effective_from": pa.array([r.effective_from for r in rates], pa.date32()),
        "rate_source": pa.array([f"{r.source}, from {r.effective_from}" for r in rates], pa.string()),
    }
    connection.register("laid_out", pa.table(columns))
    connection.execute(
        f"""CREATE OR REPLACE TABLE rates AS
        SELECT * REPLACE (CAST(rate AS DECIMAL(20, 10)) AS rate) FROM laid_out
        WHERE currency <> '{organisation.currency}'
        UNION ALL SELECT '{organisation.currency}', 1, DATE '0001-01-01', NULL"""
    )
    connection.unregister("laid_out")


def converted_sql(relation: str, costs: list[str]) -> str:
    """Write the SQL that adds the costs in the reporting currency; a line without a rate gets a fault.

    Parameters
    ----------
    relation : str
        Typed lines with ``billing_currency``, ``billing_period_end`` and ``fault``.
    costs : list of str
        Columns that hold costs as billed; they become ``billing_currency_*``.

    Returns
    -------
    str
        The lines with ``exchange_rate`` and ``exchange_rate_source``; converted costs are rounded at 15 decimals.
    """
    kept = ", ".join(f"l.{name} AS billing_currency_{name}" for name in costs)
    converted = ", ".join(
        f"CASE WHEN r.rate = 1 THEN l.{name} ELSE CAST(TRY(l.{name} * r.rate) AS {COST_TYPE}) END AS {name}"
        for name in costs
    )
    return f"""SELECT l.* REPLACE ({converted}, coalesce(l.fault, CASE
            WHEN r.rate IS NULL THEN 'no exchange rate for ' || l.billing_currency || ' on '
                || strftime(l.billing_period_end - INTERVAL 1 DAY, '%Y-%m-%d')
                || ': add it under exchange_rates in parameters/organisation.yaml' END) AS fault),
            {kept}, r.rate AS exchange_rate, r.rate_source AS exchange_rate_source
        FROM {relation} AS l ASOF LEFT JOIN rates AS r
            ON l.billing_currency = r.currency AND l.billing_period_end > r.effective_from"""
