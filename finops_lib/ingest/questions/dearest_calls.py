"""Dearest calls: from which cost on a call is among the dearest hundredth of its day."""

from __future__ import annotations

from dataclasses import replace

import duckdb
import pandas as pd
import sqlalchemy as sa

from finops_lib.ingest.ledger import Ledger
from finops_lib.ingest.questions.asking import ask_requests
from finops_lib.ingest.questions.request_costs import priced_requests

_COLUMNS = ("charge_period_start", "assistant", "p99_cost")
_MONTHS = 3  # enough to know what is usual, however long the ledger is
_LEAST_CALLS = 100  # on a day: of fewer there is no hundredth


def dearest_calls(ledger: Ledger) -> pd.DataFrame:
    """Return the 99th percentile of cost per call by assistant and day, of the period and two months before it.

    Parameters
    ----------
    ledger : Ledger
        Opened for a month.

    Returns
    -------
    DataFrame
        ``charge_period_start``, ``assistant``, ``p99_cost`` (USD); calls without a price or from the cache do not
        count, and a day with fewer than a hundred has no row. Empty without requests.

    References
    ----------
    Requirement E3.
    """
    months = [month for month in ledger.months if month <= ledger.period][-_MONTHS:]
    found = [_of_month(replace(ledger, period=month)) for month in months]
    return pd.concat(found, ignore_index=True) if found else pd.DataFrame(columns=list(_COLUMNS))


def _of_month(ledger: Ledger) -> pd.DataFrame:
    def ask(requests: sa.TableClause, connection: duckdb.DuckDBPyConnection) -> str:
        priced_requests(requests, connection, ledger)
        zone = ledger.params.organisation.time_zone
        return f"""SELECT CAST(timezone('{zone}', timestamp) AS DATE) AS charge_period_start, assistant,
            quantile_cont(cost, 0.99) AS p99_cost FROM priced WHERE cost > 0 AND assistant IS NOT NULL
            GROUP BY ALL HAVING count(*) >= {_LEAST_CALLS} ORDER BY ALL"""

    return ask_requests(ledger, ask, _COLUMNS, wanted=["timestamp", "assistant"])
