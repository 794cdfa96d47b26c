"""Build: the workspace's requests become its ledger, month by month; closed months keep the prices they had."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from finops_lib.errors import ParamsError
from finops_lib.ingest import capture, workspace
from finops_lib.ingest.aggregation import bucket_union, build_rows
from finops_lib.ingest.engine import connect, fetch, open_engine, table_columns
from finops_lib.ingest.prices.rows import PriceList, read_price_list
from finops_lib.ingest.pricing import capacity_rows
from finops_lib.ingest.reading.exports import read_source
from finops_lib.ingest.reading.sources import Reading
from finops_lib.params import Params
from finops_lib.schema import TABLES, check_frame

WAREHOUSE_TABLE = "requests"
"""Table of the team's own warehouse, with columns as in ``schema.REQUESTS``; any of them but the required may lack."""


def build_ledger(params: Params) -> list[Reading]:
    """Read the sources that ``organisation.yaml`` lists and bring the ledger up to date.

    Parameters
    ----------
    params : Params
        Project, sources, rules.

    Returns
    -------
    list of Reading
        One a source and format; what has not changed is not read again.

    Raises
    ------
    SourceError
        If a source cannot be read.
    """
    prices = read_price_list()
    readings = [r for source in params.organisation.sources for r in read_source(source, params, prices=prices)]
    refresh_ledger(params, prices)
    return readings


def refresh_ledger(params: Params, prices: PriceList | None = None) -> bool:
    """Build usage and ledger from the requests in the workspace, unless they are up to date.

    Parameters
    ----------
    params : Params
        Project, workspace, rules.
    prices : PriceList, optional
        The packaged one otherwise. Closed months are not touched.

    Returns
    -------
    bool
        Whether anything was built.
    """
    prices = prices or read_price_list()
    folder = params.workspace
    with workspace.locked(folder):
        files = [f for table in ("requests", "usage_buckets") for f in workspace.files_of(folder, table)]
        key = _build_key(files, params, prices)
        # What a warehouse holds may have changed without a trace here.
        if not params.organisation.engine_url and workspace.read_json(folder / ".built.json", {}).get("key") == key:
            return False
        closed = workspace.read_json(folder / "periods.json", {})
        with connect() as connection:
            overlaps, usage, ledger = _rows(connection, folder, params, prices)
        for table, rows in (("usage", usage), ("ledger", ledger)):
            required = [column.name for column in TABLES[table] if column.required]
            check_frame(rows.select(required).to_pandas(types_mapper=pd.ArrowDtype), table)
            _write_months(folder / table, rows, closed)
        workspace.write_table(folder / "coverage.parquet", pa.Table.from_pandas(overlaps, preserve_index=False))
        days = pc.max(usage["charge_period_start"]).as_py()
        built = {"key": key, "price_version": prices.version, "tokens": _tokens(ledger), "last_day": days}
        workspace.write_json(folder / ".built.json", built)
    return True


def _build_key(files: list[Path], params: Params, prices: PriceList) -> str:
    stats = [(str(f.relative_to(params.workspace)), f.stat().st_size, f.stat().st_mtime_ns) for f in files]
    rules = params.organisation.model_dump(mode="json", exclude={"sources", "company", "defaults"})
    text = json.dumps([workspace.LAYOUT, stats, rules, prices.version], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def _rows(
    connection: duckdb.DuckDBPyConnection, folder: Path, params: Params, prices: PriceList
) -> tuple[pd.DataFrame, pa.Table, pa.Table]:
    relation, columns, overlaps = feed(connection, folder, params, anew=True)
    url, source = params.organisation.engine_url, None
    if url:
        source = open_engine(url)
        hint = "make a table or view of that name with the columns of schema.REQUESTS"
        relation, columns = WAREHOUSE_TABLE, table_columns(source, WAREHOUSE_TABLE, hint)
    usage, ledger = build_rows(connection, relation, params.organisation, prices, columns, source=source)
    if usage.num_rows:
        days = pc.min_max(usage["charge_period_start"]).as_py()
        ledger = _with_capacity(ledger, capacity_rows(params.organisation, prices, days["min"], days["max"]))
    return overlaps, usage, ledger


def _with_capacity(ledger: pa.Table, capacity: pa.Table) -> pa.Table:
    return pa.concat_tables([ledger, capacity.cast(ledger.schema)]) if capacity.num_rows else ledger


def feed(
    connection: duckdb.DuckDBPyConnection, folder: Path, params: Params, *, anew: bool = False
) -> tuple[str, list[str] | None, pd.DataFrame]:
    """Lay out the requests that feed the ledger: one capture layer a provider account and day.

    Parameters
    ----------
    connection : DuckDBPyConnection
        Gets the view ``fed``.
    folder : Path
        The workspace.
    params : Params
        Order of the layers, time zone.
    anew : bool
        Work out what each layer covers; else it is what the last build found, if there was one.

    Returns
    -------
    tuple
        Name of the relation, its columns that hold something, and what each layer covers with ``covered_by``
        where another one feeds the ledger.
    """
    requests, buckets = workspace.files_of(folder, "requests"), workspace.files_of(folder, "usage_buckets")
    for name, files in (("requests", requests), ("usage_buckets", buckets)):
        connection.execute(f"CREATE OR REPLACE VIEW {name} AS {workspace.view_sql(name, files)}")
    zone = params.organisation.time_zone
    union = bucket_union("requests", "usage_buckets", zone) if buckets else "SELECT * FROM requests"
    built = folder / "coverage.parquet"
    found = built.is_file() and not anew
    overlaps = pd.read_parquet(built, dtype_backend="pyarrow") if found else _coverage(connection, params)
    beaten = overlaps.dropna(subset=["covered_by"])
    where = ""
    if len(beaten):
        connection.register("beaten_rows", beaten)
        connection.execute("CREATE OR REPLACE TABLE beaten AS SELECT provider, account, day, layer FROM beaten_rows")
        connection.unregister("beaten_rows")
        where = """ AS r WHERE NOT EXISTS (SELECT 1 FROM beaten AS b WHERE b.provider = coalesce(r.provider, '')
            AND b.account IS NOT DISTINCT FROM r.provider_account AND b.day = CAST(r.timestamp AS DATE)
            AND b.layer = r.capture_layer)"""
    connection.execute(f"CREATE OR REPLACE VIEW fed AS SELECT * FROM ({union}){where}")
    filled = workspace.filled_columns(connection, requests + buckets)
    return "fed", ["timestamp", "request_id", "model", *filled, *(["calls"] if buckets else [])], overlaps


def _coverage(connection: duckdb.DuckDBPyConnection, params: Params) -> pd.DataFrame:
    """Find what each layer saw, with the layer that feeds the ledger in its place where there is one."""
    counted = bucket_union("requests", "usage_buckets", params.organisation.time_zone)
    seen = fetch(connection, capture.COVERAGE_SQL.format(relation=f"({counted})"))
    coverage = seen.to_pandas(types_mapper=pd.ArrowDtype)
    beaten = capture.superseded(coverage, params.organisation.capture_layers)
    if beaten.empty:
        return coverage.assign(covered_by=pd.Series([None] * len(coverage), dtype="string[pyarrow]"))
    return coverage.join(beaten["covered_by"].astype("string[pyarrow]"))


def _tokens(ledger: pa.Table) -> dict[str, int]:
    """Sum the billed quantity of each month, to see what comes after a month was closed."""
    if not ledger.num_rows:
        return {}
    months = pc.strftime(ledger["charge_period_start"], format="%Y-%m")
    summed = (
        pa.table({"month": months, "tokens": ledger["pricing_quantity"]})
        .group_by("month")
        .aggregate([("tokens", "sum")])
    )
    return dict(zip(summed["month"].to_pylist(), summed["tokens_sum"].to_pylist(), strict=True))


def _write_months(folder: Path, rows: pa.Table, closed: dict[str, Any]) -> None:
    """Write one file a month; months that are gone are removed, closed months stay as they are."""
    months = pc.strftime(rows["charge_period_start"], format="%Y-%m")
    present = sorted(pc.unique(months).to_pylist())
    for month in present:
        if month not in closed:
            workspace.write_table(folder / f"{month}.parquet", rows.filter(pc.equal(months, month)))
    for path in folder.glob("*.parquet"):
        if path.stem not in present and path.stem not in closed:
            path.unlink()


def repricing(params: Params, period: str) -> pd.DataFrame:
    """Price a month again with the current price list and compare, changing nothing.

    Parameters
    ----------
    params : Params
        Project and workspace.
    period : str
        Month, ``YYYY-MM``.

    Returns
    -------
    DataFrame
        One row per model: ``old_cost``, ``new_cost``, ``change`` (USD, contracted), largest change first.

    Raises
    ------
    ParamsError
        If the ledger does not hold the month.
    """
    path = params.workspace / "ledger" / f"{period}.parquet"
    if not path.is_file():
        message = f"The ledger holds no {period}"
        raise ParamsError(message, hint=f"it holds {', '.join(months_of(params.workspace)) or 'nothing yet'}")
    with connect() as connection:
        _, _, fresh = _rows(connection, params.workspace, params, read_price_list())
        connection.register("fresh", fresh)
        table = fetch(
            connection,
            f"""WITH old AS (SELECT model, sum(contracted_cost) AS cost FROM {workspace.scan([path])} GROUP BY 1),
            new AS (SELECT model, sum(contracted_cost) AS cost FROM fresh
                WHERE strftime(charge_period_start, '%Y-%m') = '{period}' GROUP BY 1)
            SELECT coalesce(o.model, n.model) AS model, o.cost AS old_cost, n.cost AS new_cost,
                coalesce(n.cost, 0) - coalesce(o.cost, 0) AS change
            FROM old AS o FULL JOIN new AS n ON n.model IS NOT DISTINCT FROM o.model
            ORDER BY abs(coalesce(n.cost, 0) - coalesce(o.cost, 0)) DESC, model""",
        )
    return table.to_pandas(types_mapper=pd.ArrowDtype)


def months_of(folder: Path) -> list[str]:
    """List the months a workspace's ledger holds."""
    return sorted(path.stem for path in (folder / "ledger").glob("*.parquet"))
