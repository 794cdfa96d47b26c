"""Readings: what was read, what was set aside, and what other layers saw of the same days."""

from __future__ import annotations

from typing import Any

import pandas as pd

from finops_lib.ingest import workspace
from finops_lib.ingest.bills.record import BILL_READINGS
from finops_lib.ingest.engine import connect, fetch
from finops_lib.ingest.reading.sources import FATES
from finops_lib.ingest.tables import GIVEN
from finops_lib.params import ORGANISATION, Params
from finops_lib.schema import TABLES, names

_COSTS = ("list_cost", "reported_cost")


COUNTED = ("read", *FATES)
_ROWS_SHOWN = 20
_READ = ("source", "files", *COUNTED, "tokens", *_COSTS, "first_timestamp", "last_timestamp", "warnings")


def rows_read(params: Params) -> pd.DataFrame:
    """List what became of the rows of each source.

    Parameters
    ----------
    params : Params
        Project and workspace.

    Returns
    -------
    DataFrame
        One row per format: ``source``, ``files``, ``read`` and the five fates (rows), ``tokens``, ``list_cost`` and
        ``reported_cost`` (USD), ``first_timestamp``, ``last_timestamp``, ``warnings`` (text), most rows first.
    """
    rows: dict[str, dict[str, Any]] = {}
    empty = dict.fromkeys(("files", *COUNTED, "tokens"), 0) | {"warnings": ""}
    for entry in workspace.read_json(params.workspace / "reads.json", {}).values():
        reading, figures = entry["reading"], entry["reading"]["figures"]
        if reading["format"] in (*GIVEN, *BILL_READINGS):
            continue
        row = rows.setdefault(reading["format"], dict.fromkeys(_READ) | empty | {"source": reading["format"]})
        row["files"] += len(reading["files"])
        for name in COUNTED:
            row[name] += reading["counts"][name]
        for name in ("tokens", *_COSTS):
            if figures.get(name) is not None:
                row[name] = (row[name] or 0) + figures[name]
        first, last = figures.get("first_timestamp"), figures.get("last_timestamp")
        row["first_timestamp"] = min(filter(None, (row["first_timestamp"], first)), default=None)
        row["last_timestamp"] = max(filter(None, (row["last_timestamp"], last)), default=None)
        row["warnings"] = "; ".join(filter(None, (row["warnings"], *reading["warnings"])))
    frame = pd.DataFrame(list(rows.values()), columns=_READ)
    return frame.sort_values(["read", "source"], ascending=[False, True], ignore_index=True)


def tables_read(params: Params) -> pd.DataFrame:
    """List what else was given beside calls: bills, outcomes, evaluations, seats and the like, or that it was not.

    Parameters
    ----------
    params : Params
        Project and workspace.

    Returns
    -------
    DataFrame
        One row per table the kit can use: ``table``, ``rows`` kept, ``own_rows`` (those about the parameters'
        assistant; all of them for the organisation and for tables that name no assistant), ``quarantined``.
    """
    found = {name: [0, 0] for name in ("charges", *GIVEN)}
    for entry in workspace.read_json(params.workspace / "reads.json", {}).values():
        reading = entry["reading"]
        table = reading["figures"].get("table", reading["format"])
        if table in found:
            found[table][0] += reading["counts"]["requests"]
            found[table][1] += reading["counts"]["quarantined"]
    rows = [(name, kept, _own_rows(params, name, kept), refused) for name, (kept, refused) in found.items()]
    return pd.DataFrame(rows, columns=["table", "rows", "own_rows", "quarantined"])


def _own_rows(params: Params, table: str, kept: int) -> int:
    if not kept or params.assistant == ORGANISATION or "assistant" not in names(TABLES[table]):
        return kept
    files = workspace.files_of(params.workspace, table)
    with connect() as connection:
        counted = f"SELECT count(*) FROM ({workspace.view_sql(table, files)}) WHERE assistant = ?"
        return int(connection.execute(counted, [params.assistant]).fetchone()[0])


def rows_set_aside(params: Params) -> pd.DataFrame:
    """List why rows are not in the ledger.

    Parameters
    ----------
    params : Params
        Project and workspace.

    Returns
    -------
    DataFrame
        One row per source, fate and reason: ``source``, ``fate`` (quarantined, duplicates, skipped), ``reason``,
        ``rows``; most rows first.
    """
    found = [
        {"source": entry["reading"]["format"], **reason}
        for entry in workspace.read_json(params.workspace / "reads.json", {}).values()
        for reason in entry["reading"]["reasons"]
    ]
    frame = pd.DataFrame(found, columns=["source", "fate", "reason", "rows"])
    summed = frame.groupby(["source", "fate", "reason"], as_index=False)["rows"].sum()
    return summed.sort_values(["rows", "source", "reason"], ascending=[False, True, True], ignore_index=True)


def quarantined_rows(params: Params) -> pd.DataFrame:
    """Show quarantined rows with the place where they stand.

    Parameters
    ----------
    params : Params
        Project and workspace.

    Returns
    -------
    DataFrame
        ``source``, ``source_file``, ``source_position``, ``reason`` of 20 rows, the first of every reason before
        others. Their text stays in the workspace, since it may hold what users wrote.
    """
    files = workspace.files_of(params.workspace, "quarantine")
    with connect() as connection:
        return fetch(
            connection,
            f"""SELECT source, CASE WHEN source_file LIKE '/%' THEN parse_filename(source_file) ELSE source_file END
                AS source_file, source_position, reason FROM ({workspace.view_sql("quarantine", files)})
            ORDER BY row_number() OVER (PARTITION BY reason ORDER BY source_file, source_position), reason, source_file
            LIMIT {_ROWS_SHOWN}""",
        ).to_pandas()


def captured_days(params: Params) -> pd.DataFrame:
    """List which capture layer saw which days, and which one feeds the ledger.

    Parameters
    ----------
    params : Params
        Project and workspace.

    Returns
    -------
    DataFrame
        One row per provider account (the provider, where the source names no account), layer and day: ``source``
        (``account (layer)``), ``charge_period_start``, ``calls``, ``tokens``, ``feeds_ledger``.
    """
    path = params.workspace / "coverage.parquet"
    columns = ["source", "charge_period_start", "calls", "tokens", "feeds_ledger"]
    if not path.is_file():
        return pd.DataFrame(columns=columns)
    seen = pd.read_parquet(path, dtype_backend="pyarrow")
    provider = seen["provider"].where(seen["provider"] != "", "provider not known")
    account = seen["account"].astype("string[pyarrow]").fillna(provider.astype("string[pyarrow]"))
    named = pd.DataFrame(
        {
            "source": account + " (" + seen["layer"].str.replace("_", " ") + ")",
            "charge_period_start": seen["day"],
            "calls": seen["calls"],
            "tokens": seen["tokens"],
            "feeds_ledger": seen["covered_by"].isna(),
        }
    )
    keys = ["source", "charge_period_start", "feeds_ledger"]
    return named.groupby(keys, as_index=False)[["calls", "tokens"]].sum()[columns]


def covered_twice(params: Params) -> pd.DataFrame:
    """Sum what a second capture layer saw and does not add to the ledger.

    Parameters
    ----------
    params : Params
        Project and workspace.

    Returns
    -------
    DataFrame
        One row per provider and layer: ``days``, ``calls``, ``tokens``, ``covered_by``.
    """
    path = params.workspace / "coverage.parquet"
    columns = ["provider", "layer", "covered_by", "days", "calls", "tokens"]
    if not path.is_file():
        return pd.DataFrame(columns=columns)
    seen = pd.read_parquet(path, dtype_backend="pyarrow").dropna(subset=["covered_by"])
    grouped = seen.groupby(["provider", "layer", "covered_by"], as_index=False)
    return grouped.agg(days=("day", "nunique"), calls=("calls", "sum"), tokens=("tokens", "sum"))[columns]
