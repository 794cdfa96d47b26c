"""Summary: what one reading added, and what its rows give cause to doubt."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pyarrow.compute as pc

from finops_lib.ingest import aggregation, workspace
from finops_lib.ingest.prices.rows import PriceList
from finops_lib.ingest.pricing import PRICE_KEYS
from finops_lib.ingest.readers.base import Reader
from finops_lib.params import Organisation
from finops_lib.schema import QUANTITIES, TOKEN_CLASSES
from finops_lib.settings import PRICE_SCOPES

_DAY_US = 86_400_000_000
GAP_DAYS = 3
_MOMENT = "%Y-%m-%dT%H:%M:%S.%fZ"


def reading_warnings(connection: duckdb.DuckDBPyConnection, reader: Reader) -> list[str]:
    """Say what makes an export doubtful though each of its rows is sound.

    Parameters
    ----------
    connection : DuckDBPyConnection
        Has ``typed`` and ``new_requests``.
    reader : Reader
        The format, which may have a row limit.

    Returns
    -------
    list of str
        An export cut off at the tool's limit, a log that holds only a sample, days without calls.
    """
    return _limit_warnings(connection, reader) + _sampling_warnings(connection) + _gap_warnings(connection)


def _limit_warnings(connection: duckdb.DuckDBPyConnection, reader: Reader) -> list[str]:
    if not reader.row_limit:
        return []
    full = connection.execute(
        "SELECT source_file, count(*) FROM typed GROUP BY 1 HAVING count(*) = ? ORDER BY 1", [reader.row_limit]
    ).fetchall()
    return [
        f"{Path(path).name} holds exactly {rows:,} rows, the limit of {reader.name} exports: it is probably cut off"
        for path, rows in full
    ]


def _sampling_warnings(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Warn of logs that hold only a sample of the calls: no bill can be made from them."""
    rate = "list_filter(tags, lambda t: starts_with(t, 'sampling_rate:'))[1]"
    (lowest,) = connection.execute(
        f"SELECT min(TRY_CAST(split_part({rate}, ':', 2) AS DOUBLE)) FROM typed WHERE len(tags) > 0"
    ).fetchall()[0]
    if lowest is None or lowest >= 1:
        return []
    return [f"the log was sampled at a rate of {lowest:g}: most calls are missing, so its cost is far too low"]


def _gap_warnings(connection: duckdb.DuckDBPyConnection) -> list[str]:
    gaps = connection.execute(
        f"""WITH days AS (SELECT DATE '1970-01-01' + CAST(number AS INTEGER) AS day
            FROM (SELECT DISTINCT epoch_us(timestamp) // {_DAY_US} AS number FROM new_requests)),
        next_days AS (SELECT day, lead(day) OVER (ORDER BY day) AS following FROM days)
        SELECT day, following FROM next_days WHERE following - day > ? ORDER BY day""",
        [GAP_DAYS],
    ).fetchall()
    shown = [f"no calls between {day} and {following}: are logs missing?" for day, following in gaps[:5]]
    return shown + ([f"{len(gaps) - 5} more gaps of over {GAP_DAYS} days"] if len(gaps) > 5 else [])


def reading_figures(
    connection: duckdb.DuckDBPyConnection, organisation: Organisation, prices: PriceList
) -> dict[str, Any]:
    """Work out tokens, cost, coverage and span of what a reading added.

    Parameters
    ----------
    connection : DuckDBPyConnection
        Has ``new_requests`` and ``new_buckets``.
    organisation : Organisation
        Time zone, aliases, overrides, teams.
    prices : PriceList
        Prices.

    Returns
    -------
    dict
        As ``finops ingest --json`` prints them; costs in USD, null where nothing has a price.
    """
    zone = organisation.time_zone
    for table in ("new_requests", "new_buckets"):
        connection.execute(f"CREATE OR REPLACE VIEW all_{table} AS {workspace.completed_sql(connection, table)}")
    connection.execute(
        f"""CREATE OR REPLACE VIEW counted AS SELECT * REPLACE (
            CASE WHEN (team IS NOT NULL OR tag_shares IS NOT NULL) AND workflow IS NOT NULL
                AND (cost_center IS NOT NULL OR tag_shares IS NOT NULL) THEN 'attributed' END AS workflow)
        FROM ({aggregation.bucket_union("all_new_requests", "all_new_buckets", zone)})"""
    )
    columns = ["timestamp", *PRICE_KEYS, *PRICE_SCOPES, "workflow", "cache_hit", "calls", *QUANTITIES.values()]
    _, priced = aggregation.build_rows(connection, "counted", organisation, prices, columns)
    costs = priced.filter(pc.is_valid(priced["contracted_cost"]))
    total = pc.sum(costs["contracted_cost"]).as_py()
    owned = pc.sum(costs.filter(pc.is_valid(costs["workflow"]))["contracted_cost"]).as_py() or 0
    unpriced = priced.filter(pc.is_null(priced["contracted_cost"]))
    tokens = " + ".join(TOKEN_CLASSES.values())
    row = connection.execute(
        f"""WITH spans_of_time AS (
            SELECT min(timestamp) AS first, max(timestamp) AS last FROM new_requests
            UNION ALL SELECT min(bucket_start), max(bucket_start) FROM new_buckets)
        SELECT coalesce(sum({tokens}) FILTER (NOT cache_hit), 0), count(*) FILTER (usage_basis = 'ambiguous'),
            sum(reported_cost), (SELECT strftime(min(first), '{_MOMENT}') FROM spans_of_time),
            (SELECT strftime(max(last), '{_MOMENT}') FROM spans_of_time)
        FROM counted"""
    ).fetchall()[0]
    return {
        "tokens": int(row[0]),
        "ambiguous": int(row[1]),
        "unpriced_tokens": int(pc.sum(unpriced["pricing_quantity"]).as_py() or 0),
        "list_cost": _number(pc.sum(costs["list_cost"]).as_py()),
        "contracted_cost": _number(total),
        "reported_cost": _number(row[2]),
        "attribution_coverage": float(owned / total) if total else None,
        "first_timestamp": row[3],
        "last_timestamp": row[4],
    }


def _number(value: Any) -> float | None:
    return None if value is None else float(value)
