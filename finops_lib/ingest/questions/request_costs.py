"""Request costs: each call priced as a float, from the very unit prices the ledger used; for percentiles and tasks."""

from __future__ import annotations

import duckdb
import sqlalchemy as sa

from finops_lib.ingest import workspace
from finops_lib.ingest.ledger import Ledger
from finops_lib.schema import INPUT_CLASSES, QUANTITIES, TOKEN_CLASSES


def priced_requests(requests: sa.TableClause, connection: duckdb.DuckDBPyConnection, ledger: Ledger) -> sa.TableClause:
    """Give every request its cost as a float, from the very unit prices the ledger used.

    Parameters
    ----------
    requests : TableClause
        Requests of one month, in the connection.
    connection : DuckDBPyConnection
        Gets the table ``priced``.
    ledger : Ledger
        Opened for that month.

    Returns
    -------
    TableClause
        ``priced``: the requests with ``cost`` (USD); null where there is no price, 0 for cache hits. Their sum is the
        ledger's contracted cost but for rounding of floats.
    """
    names_present = [column.name for column in requests.c]
    if not connection.execute(f"SELECT 1 FROM {requests.name} LIMIT 1").fetchall():
        connection.execute(f"CREATE OR REPLACE TEMP VIEW priced AS SELECT *, 0.0 AS cost FROM {requests.name}")
        return sa.table("priced", *(sa.column(c.name, c.type) for c in requests.c), sa.column("cost", sa.Double()))
    paths = [ledger.params.workspace / "ledger" / f"{ledger.period}.parquet"]
    keys = [
        k for k in ("provider", "model", "service_tier", *ledger.params.organisation.price_scopes) if k in names_present
    ]
    changes = [
        row[0]
        for row in connection.execute(
            f"SELECT DISTINCT epoch_us(price_period_start) FROM {workspace.scan(paths)} "
            "WHERE price_period_start IS NOT NULL ORDER BY 1"
        ).fetchall()
    ]
    tiers = [
        row[0]
        for row in connection.execute(
            f"SELECT DISTINCT context_tier FROM {workspace.scan(paths)} WHERE context_tier > 0 ORDER BY 1 DESC"
        ).fetchall()
    ]
    size = " + ".join(TOKEN_CLASSES[k] for k in INPUT_CLASSES if TOKEN_CLASSES[k] in names_present) or "0"
    tier = f"CASE {' '.join(f'WHEN {size} > {t} THEN {t}' for t in tiers)} ELSE 0 END" if tiers else "0"
    period = " ".join(f"WHEN epoch_us(timestamp) >= {moment} THEN {moment}" for moment in reversed(changes[1:]))
    started = f"CASE {period} ELSE {changes[0]} END" if period else str(changes[0] if changes else 0)
    wide = ", ".join(
        f"max(CAST(contracted_unit_price AS DOUBLE)) FILTER (token_class = '{k}') AS price_{k}" for k in QUANTITIES
    )
    priced = {name: column for name, column in QUANTITIES.items() if column in names_present}
    terms = " + ".join(f"coalesce(r.{column} * p.price_{name}, 0)" for name, column in priced.items())
    # As in the ledger, a class without a price adds nothing; a call without any has no cost.
    used = ", ".join(f"CASE WHEN r.{column} > 0 THEN p.price_{name} END" for name, column in priced.items())
    known = f"coalesce({used}) IS NOT NULL OR {' + '.join(f'coalesce(r.{c}, 0)' for c in priced.values())} = 0"
    same = " AND ".join(f"p.{key} IS NOT DISTINCT FROM r.{key}" for key in keys)
    hit = "r.cache_hit" if "cache_hit" in names_present else "false"
    grouped = ", ".join(keys)
    connection.execute(
        f"""CREATE OR REPLACE TEMP VIEW priced AS
        WITH p AS (SELECT {grouped}, context_tier, epoch_us(price_period_start) AS started, {wide}
            FROM {workspace.scan(paths)} GROUP BY {grouped}, context_tier, started),
        r AS (SELECT *, {tier} AS tier, {started} AS started FROM {requests.name})
        SELECT r.* EXCLUDE (tier, started), CASE WHEN {hit} THEN 0 WHEN {known} THEN {terms} END AS cost
        FROM r LEFT JOIN p ON {same} AND p.context_tier = r.tier AND p.started = r.started"""
    )
    return sa.table("priced", *(sa.column(c.name, c.type) for c in requests.c), sa.column("cost", sa.Double()))
