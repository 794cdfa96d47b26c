"""Closing: a month that no longer changes, with the prices it had and whether it met the invoices."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from finops_lib.errors import ParamsError
from finops_lib.files import written_beside
from finops_lib.ingest import workspace
from finops_lib.ingest.bills.record import changes_since_closing, totals
from finops_lib.ingest.build import months_of, refresh_ledger
from finops_lib.ingest.engine import arrow_type, connect
from finops_lib.ingest.prices.rows import PACKAGED, read_price_list
from finops_lib.params import Params
from finops_lib.schema import TRUE_UPS, check_frame, names

_MONEY = ("contracted_cost", "invoice", "variance", "unexplained")


def close_period(
    params: Params,
    period: str,
    on: date,
    reconciliation: Mapping[str, Any] | None = None,
    true_ups: pd.DataFrame | None = None,
) -> dict[str, Any]:
    """Close a month: its ledger and the price list it was priced with are kept as they are.

    Parameters
    ----------
    params : Params
        Project and workspace.
    period : str
        Month, ``YYYY-MM``.
    on : date
        Day of closing, for the record.
    reconciliation : mapping, optional
        What the invoices said on that day: ``reconciled`` (bool), ``invoice``, ``variance``, ``unexplained`` (USD),
        ``states`` (provider → state in words). Without it the month is closed and not reconciled.
    true_ups : DataFrame, optional
        Columns of ``schema.TRUE_UPS``; kept beside the ledger.

    Returns
    -------
    dict
        The record: price version, contracted cost, rows, day, what the invoices said.

    Raises
    ------
    ParamsError
        If the ledger does not hold the month or it is closed already.
    """
    refresh_ledger(params)
    folder, prices = params.workspace, read_price_list()
    with workspace.locked(folder):
        closed = workspace.read_json(folder / "periods.json", {})
        path = folder / "ledger" / f"{period}.parquet"
        if period in closed:
            message = f"{period} is closed already, with prices '{closed[period]['price_version']}'"
            raise ParamsError(message, hint=f"reopen it first: finops reopen --period {period}")
        if not path.is_file():
            message = f"The ledger holds no {period}"
            raise ParamsError(message, hint=f"it holds {', '.join(months_of(folder)) or 'nothing yet'}")
        with connect() as connection:
            billed = [
                [issuer, currency, str(cost)]
                for (issuer, month, currency), cost in totals(connection, folder).items()
                if month == period
            ]
            row = connection.execute(
                f"SELECT count(*), sum(contracted_cost), sum(pricing_quantity) FROM {workspace.scan([path])}"
            ).fetchall()[0]
        kept = folder / "prices" / hashlib.sha256(prices.version.encode()).hexdigest()[:12]
        if not kept.exists():
            with written_beside(kept) as part:
                shutil.copytree(
                    PACKAGED, part, ignore=shutil.ignore_patterns("*.py", "__pycache__"), dirs_exist_ok=True
                )
        if true_ups is not None:
            _write_true_ups(folder, period, true_ups)
        closed[period] = {
            "price_version": prices.version,
            "prices": kept.name,
            "rows": row[0],
            "closed_on": on.isoformat(),
            "contracted_cost": None if row[1] is None else str(row[1]),
            "tokens": int(row[2] or 0),
            "billed": billed,
            "reconciled": False,
            **(reconciliation or {}),
        }
        workspace.write_json(folder / "periods.json", closed)
    return closed[period]


def reopen_period(params: Params, period: str) -> None:
    """Open a closed month again; the next build prices it with the current list.

    Parameters
    ----------
    params : Params
        Project and workspace.
    period : str
        Month, ``YYYY-MM``. Its record goes to the history, its true-ups are dropped.

    Raises
    ------
    ParamsError
        If the month is not closed.
    """
    with workspace.locked(params.workspace):
        closed = workspace.read_json(params.workspace / "periods.json", {})
        if period not in closed:
            message = f"{period} is not closed"
            raise ParamsError(message, hint=f"closed months: {', '.join(sorted(closed)) or 'none'}")
        history = workspace.read_json(params.workspace / "reopened.json", [])
        workspace.write_json(params.workspace / "reopened.json", [*history, {"period": period, **closed.pop(period)}])
        workspace.write_json(params.workspace / "periods.json", closed)
        _true_up_file(params.workspace, period).unlink(missing_ok=True)
        (params.workspace / ".built.json").unlink(missing_ok=True)


def closed_months(params: Params) -> pd.DataFrame:
    """List the months that are closed, and whether they met the invoices when they were.

    Parameters
    ----------
    params : Params
        Project and workspace.

    Returns
    -------
    DataFrame
        One row per closed ``month``, in order: ``closed_on`` (day), ``price_version``, ``reconciled`` (bool),
        ``contracted_cost`` of the ledger, ``invoice``, ``variance`` and ``unexplained`` (Decimal USD; null where no
        bill was read), ``changed_since`` (what was billed for it after it was closed, in words; null where nothing).
    """
    late = changes_since_closing(params.workspace)
    records = workspace.read_json(params.workspace / "periods.json", {})
    rows = [
        {
            "month": month,
            "closed_on": date.fromisoformat(record["closed_on"]),
            "price_version": record["price_version"],
            "reconciled": bool(record.get("reconciled")),
            **{name: Decimal(record[name]) if record.get(name) is not None else None for name in _MONEY},
            "changed_since": "; ".join(late[month]) or None,
        }
        for month, record in sorted(records.items())
    ]
    return pd.DataFrame(rows, columns=["month", "closed_on", "price_version", "reconciled", *_MONEY, "changed_since"])


def closed_true_ups(params: Params, month: str) -> pd.DataFrame:
    """Read the true-ups that a month was closed with.

    Parameters
    ----------
    params : Params
        Project and workspace.
    month : str
        ``YYYY-MM``.

    Returns
    -------
    DataFrame
        Columns of ``schema.TRUE_UPS``; no rows where the month is open or was closed without any.
    """
    path = _true_up_file(params.workspace, month)
    schema = pa.schema([(c.name, arrow_type(c.type)) for c in TRUE_UPS])
    table = pq.read_table(path).cast(schema) if path.is_file() else schema.empty_table()
    return table.to_pandas(types_mapper=pd.ArrowDtype)


def _write_true_ups(folder: Path, month: str, true_ups: pd.DataFrame) -> None:
    frame = check_frame(true_ups, "true_ups")[names(TRUE_UPS)]
    schema = pa.schema([(c.name, arrow_type(c.type)) for c in TRUE_UPS])
    workspace.write_table(
        _true_up_file(folder, month), pa.Table.from_pandas(frame, schema=schema, preserve_index=False)
    )


def _true_up_file(folder: Path, month: str) -> Path:
    return folder / "true_ups" / f"{month}.parquet"
