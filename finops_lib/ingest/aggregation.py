"""Aggregation: requests are summed by one expression, whatever engine holds them; prices come afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from finops_lib.ingest.dialects import exact_sum, local_day, utc
from finops_lib.ingest.engine import arrow_type, run
from finops_lib.ingest.prices.model_names import match_models
from finops_lib.ingest.prices.price_list import context_thresholds, price_changes
from finops_lib.ingest.prices.rows import PriceList
from finops_lib.ingest.pricing import price_usage
from finops_lib.ingest.row_keys import row_keys
from finops_lib.ingest.shares import split_shared
from finops_lib.params import Organisation
from finops_lib.schema import (
    AMOUNTS,
    COUNTS,
    DIMENSIONS,
    FLAGS,
    INPUT_CLASSES,
    LEDGER,
    REQUESTS,
    TOKEN_CLASSES,
    TOKENS,
    USAGE,
    names,
)

_TYPES = {
    "BIGINT": sa.BigInteger(),
    "BOOLEAN": sa.Boolean(),
    "TIMESTAMPTZ": sa.TIMESTAMP(timezone=True),
    "DOUBLE": sa.Double(),
    "VARCHAR": sa.String(),
}


def requests_table(columns: Sequence[str], name: str = "requests") -> sa.TableClause:
    """Describe the requests to SQLAlchemy, with only the columns that hold something.

    Parameters
    ----------
    columns : sequence of str
        Columns present.
    name : str
        Table or view.

    Returns
    -------
    TableClause
        For ``usage_statement`` and the questions of ``measures``.
    """
    known = [column for column in REQUESTS if column.name in set(columns)]
    described = [sa.column(c.name, _TYPES.get(c.type, sa.Numeric(28, 12))) for c in known]
    if "calls" in columns:
        described.append(sa.column("calls", sa.BigInteger()))
    return sa.table(name, *described)


def usage_statement(
    requests: sa.TableClause,
    *,
    zone: str,
    since: datetime,
    until: datetime,
    thresholds: Sequence[int] = (),
    changes: Sequence[datetime] = (),
) -> sa.Select[Any]:
    """Say how requests become the usage table: sums by day and every dimension.

    Parameters
    ----------
    requests : TableClause
        From ``requests_table``.
    zone : str
        Reporting time zone; days are cut in it.
    since, until : datetime
        First and last timestamp of the requests (UTC).
    thresholds : sequence of int
        Input sizes (tokens) from which a model in use charges other prices.
    changes : sequence of datetime
        Instants (UTC) at which a price in use changes.

    Returns
    -------
    Select
        One row per day × dimensions × context tier × price period; sums of integers and decimals only, so that
        they do not depend on order, files or machine.

    References
    ----------
    Requirement A1; FOCUS 1.4, ChargePeriodStart.
    """
    c = requests.c
    seconds = (int(since.timestamp()) - 1, int(until.timestamp()) + 1)
    day = local_day(c.timestamp, sa.literal(zone), sa.literal(seconds[0]), sa.literal(seconds[1]))
    grain: list[Any] = [day.label("charge_period_start")]
    grain += [c[name] for name in (*names(DIMENSIONS), "cache_hit", "tag_shares") if name in c]
    if thresholds:
        size = sum((c[TOKEN_CLASSES[k]] for k in INPUT_CLASSES if TOKEN_CLASSES[k] in c), start=sa.literal(0))
        # A bucket of many calls says nothing of how long each of them was.
        single = c.calls == 1 if "calls" in c else sa.true()
        tiers = [(sa.and_(single, size > limit), sa.literal(limit)) for limit in sorted(thresholds, reverse=True)]
        grain.append(sa.case(*tiers, else_=sa.literal(0)).label("context_tier"))
    if changes:
        periods = [
            (c.timestamp >= utc(sa.literal(moment)), sa.literal(i))
            for i, moment in reversed(list(enumerate(sorted(changes), start=1)))
        ]
        grain.append(sa.case(*periods, else_=sa.literal(0)).label("price_period"))
    counted = exact_sum(c.calls) if "calls" in c else sa.func.count()
    sums: list[Any] = [counted.label("request_count")]
    if "usage_basis" in c:
        sums.append(exact_sum(sa.case((c.usage_basis == "ambiguous", 1), else_=0)).label("ambiguous_count"))
    sums += [exact_sum(c[name]).label(name) for name in names(TOKENS + COUNTS) if name in c]
    sums += [exact_sum(sa.case((c[name], 1), else_=0)).label(f"{name}_count") for name in names(FLAGS) if name in c]
    sums += [sa.func.sum(c[name]).label(name) for name in names(AMOUNTS) if name in c]
    keys = [element.element if isinstance(element, sa.Label) else element for element in grain]
    return sa.select(*grain, *sums).group_by(*keys)


def price_setting(
    connection: duckdb.DuckDBPyConnection | sa.Engine,
    requests: sa.TableClause,
    organisation: Organisation,
    price_list: PriceList,
) -> tuple[datetime, datetime, pd.DataFrame, list[int], list[datetime]] | None:
    """Find what the grain of the usage table depends on: span of time, models, tiers and price changes.

    Parameters
    ----------
    connection : DuckDBPyConnection or Engine
        Where the requests are.
    requests : TableClause
        From ``requests_table``.
    organisation : Organisation
        Model aliases and price overrides.
    price_list : PriceList
        Prices.

    Returns
    -------
    tuple or None
        First and last timestamp, models matched to prices, thresholds, changes; ``None`` without requests.
    """
    c = requests.c
    pair = ("provider", "model")
    named = [c[name] if name in c else sa.null().label(name) for name in pair]
    asked = sa.select(*named, sa.func.min(c.timestamp).label("first"), sa.func.max(c.timestamp).label("last"))
    found = run(asked.group_by(*(c[name] for name in pair if name in c)).having(sa.func.count() > 0), connection)
    if not found.num_rows:
        return None
    since, until = (
        moment.astimezone(UTC) for moment in (pc.min(found["first"]).as_py(), pc.max(found["last"]).as_py())
    )
    pairs = found.select(["provider", "model"]).to_pandas().astype("string[pyarrow]")
    pairs = pairs.sort_values(["provider", "model"], ignore_index=True)
    matched = match_models(pairs, price_list, organisation.model_aliases)
    thresholds = context_thresholds(price_list, matched)
    changes = price_changes(price_list, organisation.prices, matched, since, until + timedelta(microseconds=1))
    return since, until, matched, thresholds, changes


def complete_usage(usage: pa.Table, since: datetime, changes: Sequence[datetime]) -> pa.Table:
    """Bring the result of ``usage_statement`` to the full columns of the usage table.

    Parameters
    ----------
    usage : Table
        As the engine returned it.
    since : datetime
        First timestamp: start of the first price period.
    changes : sequence of datetime
        As given to the statement.

    Returns
    -------
    Table
        All columns of ``schema.USAGE`` and ``tag_shares``; what the requests lack is null. Engines return groups in
        any order: here they stand by day and dimension, so that equal calls make equal files.
    """
    grain = ["charge_period_start", *names(DIMENSIONS), "cache_hit", "context_tier", "price_period", "tag_shares"]
    usage = usage.take(np.argsort(row_keys(usage, [name for name in grain if name in usage.column_names])))
    starts = pa.array([since, *sorted(changes)], pa.timestamp("us", tz="UTC"))
    rows = usage.num_rows
    period = (
        usage["price_period"].cast(pa.int64())
        if "price_period" in usage.column_names
        else pa.array(np.zeros(rows), pa.int64())
    )
    columns = {
        "price_period_start": starts.take(period.combine_chunks() if isinstance(period, pa.ChunkedArray) else period)
    }
    for column in (*names(USAGE), "tag_shares"):
        if column in columns:
            continue
        kind = arrow_type(next((c.type for c in USAGE if c.name == column), "VARCHAR"))
        if column in usage.column_names:
            columns[column] = usage[column].cast(kind)
        elif column in ("context_tier", "ambiguous_count", *TOKEN_CLASSES.values()):
            columns[column] = pa.array(np.zeros(rows), pa.int64())
        elif column == "cache_hit":
            columns[column] = pa.array(np.zeros(rows, bool))
        else:
            columns[column] = pa.nulls(rows, kind)
    return pa.table({name: columns[name] for name in (*names(USAGE), "tag_shares")})


def bucket_union(requests: str, buckets: str, zone: str) -> str:
    """Write the SQL that lays requests and aggregated usage side by side, as one relation of calls.

    Parameters
    ----------
    requests, buckets : str
        Relations with the columns of ``schema.REQUESTS`` and ``schema.USAGE_BUCKETS``.
    zone : str
        Reporting time zone.

    Returns
    -------
    str
        SQL; a bucket counts as ``request_count`` calls. Providers cut days in UTC: a day's bucket stands halfway
        between noon in UTC and noon in the reporting zone, which is the same date in both; shorter ones at their start.
    """
    noon = "date_trunc('day', timezone('UTC', bucket_start)) + INTERVAL 12 HOUR"
    noons = f"epoch_us(timezone('UTC', {noon})) + epoch_us(timezone('{zone}', {noon}))"
    whole_day = f"bucket_end - bucket_start > INTERVAL 1 HOUR THEN make_timestamptz(({noons}) // 2)"
    return f"""SELECT *, 1 AS calls FROM {requests} UNION ALL BY NAME
        SELECT * EXCLUDE (bucket_start, bucket_end, bucket_id, request_count),
            CASE WHEN {whole_day} ELSE bucket_start END AS timestamp,
            bucket_id AS request_id, coalesce(request_count, 0) AS calls FROM {buckets}"""


def build_rows(
    connection: duckdb.DuckDBPyConnection,
    relation: str,
    organisation: Organisation,
    price_list: PriceList,
    columns: Sequence[str] | None = None,
    *,
    source: duckdb.DuckDBPyConnection | sa.Engine | None = None,
    between: tuple[datetime, datetime] | None = None,
) -> tuple[pa.Table, pa.Table]:
    """Build usage and ledger of a relation of requests.

    Parameters
    ----------
    connection : DuckDBPyConnection
        Has the relation.
    relation : str
        Table or view with columns of ``schema.REQUESTS``.
    organisation : Organisation
        Time zone, aliases, overrides, teams.
    price_list : PriceList
        Prices.
    columns : sequence of str, optional
        Columns of the relation that hold something; all it has otherwise.
    source : Engine, optional
        The warehouse that holds the relation, where it is not ``connection``: the sums are made there, prices are
        joined to their small result here.
    between : tuple of datetime, optional
        Only requests from the first (included) to the second moment (excluded), UTC; all otherwise.

    Returns
    -------
    tuple of Table
        ``schema.USAGE`` and ``schema.LEDGER``.
    """
    source = source or connection
    present = columns or [row[0] for row in connection.execute(f"DESCRIBE {relation}").fetchall()]
    requests = requests_table(present, relation)
    setting = price_setting(source, requests, organisation, price_list)
    if setting is None:
        empty = pa.schema([(c.name, arrow_type(c.type)) for c in USAGE])
        return empty.empty_table(), pa.schema([(c.name, arrow_type(c.type)) for c in LEDGER]).empty_table()
    since, until, matched, thresholds, changes = setting
    statement = usage_statement(
        requests, zone=organisation.time_zone, since=since, until=until, thresholds=thresholds, changes=changes
    )
    if between is not None:
        first, end = (utc(sa.literal(moment)) for moment in between)
        statement = statement.where(requests.c.timestamp >= first, requests.c.timestamp < end)
    usage = split_shared(complete_usage(run(statement, source), since, changes), organisation)
    return usage, price_usage(connection, usage, matched, organisation, price_list)
