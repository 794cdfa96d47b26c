"""Bill record: what every file of bills came to, kept beside the charges and the same whatever order files came in."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd

from finops_lib.checks import check, checklist
from finops_lib.ingest import workspace
from finops_lib.ingest.engine import connect, fetch, quoted
from finops_lib.ingest.readers.bill import BillReader
from finops_lib.ingest.reading.sources import FATES, Reading
from finops_lib.params import Params

BILL_READINGS = ("focus", "focus-invoice", "openai-costs", "anthropic-cost", "mapped-charges", "mapped-invoice-details")
"""Formats of readings that are bills, not calls."""

REPLACED = "replaced by a later delivery with other amounts"


def totals(connection: duckdb.DuckDBPyConnection, folder: Path) -> dict[tuple[str, str, str], Decimal]:
    """Sum what is billed: (issuer, month, currency) → amount in that currency."""
    paths = workspace.files_of(folder, "charges")
    if not paths:
        return {}
    table = fetch(
        connection,
        f"""SELECT invoice_issuer_name, strftime(billing_period_start, '%Y-%m'), billing_currency,
            sum(billing_currency_billed_cost) FROM {workspace.scan(paths)} GROUP BY ALL ORDER BY ALL""",
    )
    return {
        (issuer, month, currency): cost
        for issuer, month, currency, cost in zip(*table.to_pydict().values(), strict=True)
    }


def changes(before: Mapping[tuple[str, str, str], Decimal], after: Mapping[tuple[str, str, str], Decimal]) -> list[str]:
    """Say which totals that were there before are others now.

    Parameters
    ----------
    before, after : mapping
        From ``totals``.

    Returns
    -------
    list of str
        A sentence for each issuer, month and currency.

    Examples
    --------
    >>> place = ("Vendor", "2026-09", "USD")
    >>> changes({place: Decimal(10)}, {place: Decimal(12)})
    ['Vendor 2026-09: its total was USD 10.00, now it is 12.00']
    """
    return [
        f"{place[0]} {place[1]}: its total was {place[2]} {was:,.2f}, now it is {after.get(place, Decimal(0)):,.2f}"
        for place, was in before.items()
        if after.get(place) != was
    ]


def changes_since_closing(folder: Path) -> dict[str, list[str]]:
    """Say which totals of closed months are others now than when the month was closed.

    Parameters
    ----------
    folder : Path
        The workspace.

    Returns
    -------
    dict
        Closed month → sentences; a bill that came for the first time counts as a total that was nothing.
    """
    closed = workspace.read_json(folder / "periods.json", {})
    if not closed:
        return {}
    with connect() as connection:
        now = totals(connection, folder)
    found = {}
    for month, kept in closed.items():
        held = {place: cost for place, cost in now.items() if place[1] == month}
        billed = {(issuer, month, currency): Decimal(cost) for issuer, currency, cost in kept.get("billed", ())}
        # a record of an earlier version does not say what was billed
        before = dict.fromkeys(held, Decimal(0)) | billed if "billed" in kept else held
        found[month] = [f"{text}, after the month was closed" for text in changes(before, held)]
    return found


def record(
    connection: duckdb.DuckDBPyConnection,
    folder: Path,
    place: str,
    reader: BillReader,
    files: list[str],
    notes: dict[str, list[str]],
    findings: list[str],
) -> dict[str, Any]:
    """Record what became of the lines of all bills of a table.

    Parameters
    ----------
    connection : DuckDBPyConnection
        Has ``settled``, and ``refusals`` of the files read now.
    folder : Path
        The workspace.
    place : str
        Key of the reading in ``reads.json``.
    reader : BillReader
        Format of the files read now.
    files : list of str
        Files read now.
    notes : dict
        What is to be said of them: ``strays`` and ``changes``.
    findings : list of str
        What is to be said of all bills.

    Returns
    -------
    dict
        ``reads.json`` as written: other readings of bills are brought up to date, since a line of theirs may have
        given way.
    """
    _write_summary(connection, folder, reader.table)
    known = workspace.read_json(folder / "reads.json", {})
    # The same files read under another format or in another company of files.
    known = {
        p: entry
        for p, entry in known.items()
        if entry["reading"]["format"] not in BILL_READINGS or not set(entry["reading"]["files"]) <= set(files)
    }
    refused = fetch(connection, "SELECT reason, count(*) AS rows FROM refusals GROUP BY ALL ORDER BY ALL").to_pylist()
    reasons = [{"fate": "quarantined", **row} for row in refused]
    figures = {"table": reader.table, **notes}
    known[place] = {"reading": Reading(reader.name, files, {}, reasons, figures).__dict__}
    for entry in known.values():
        if entry["reading"]["figures"].get("table") == reader.table:
            _bring_up_to_date(connection, entry["reading"], findings)
    workspace.write_json(folder / "reads.json", known)
    return workspace.read_json(folder / "reads.json", {})


def _bring_up_to_date(connection: duckdb.DuckDBPyConnection, reading: dict[str, Any], findings: list[str]) -> None:
    listed = ", ".join(map(quoted, reading["files"]))
    own = f"FROM settled WHERE source_file IN ({listed})"
    fates = dict(connection.execute(f"SELECT fate, count(*) {own} GROUP BY 1").fetchall())
    refused = [row for row in reading["reasons"] if row["fate"] == "quarantined"]
    same, replaced = fates.get("duplicates", 0), fates.get("replaced", 0)
    counts = dict.fromkeys(FATES, 0) | {
        "requests": fates.get("kept", 0),
        "duplicates": same + replaced,
        "quarantined": sum(row["rows"] for row in refused),
    }
    reading["counts"] = {"read": sum(counts.values()), **counts}
    repeated = [("same line in a bill read before", same), (REPLACED, replaced)]
    reading["reasons"] = refused + [{"fate": "duplicates", "reason": why, "rows": n} for why, n in repeated if n]
    mended = fetch(
        connection,
        f"""SELECT split_part(kind, ': ', 1) AS kind, count(*) AS cells, count(DISTINCT id) AS rows
        FROM (SELECT id, unnest(mended) AS kind {own}) GROUP BY 1 ORDER BY 1""",
    ).to_pylist()
    summed = fetch(
        connection,
        f"""SELECT invoice_issuer_name AS issuer, month, billing_currency AS currency, count(*) AS lines,
            CAST(sum(billing_currency_billed_cost) AS VARCHAR) AS billed_cost,
            CAST(sum(billed_cost) AS VARCHAR) AS reporting_cost
        {own} AND fate = 'kept' GROUP BY ALL ORDER BY ALL""",
    ).to_pylist()
    reading["figures"] |= {"mended": mended, "totals": summed}
    reading["figures"]["findings"] = [*reading["figures"]["changes"], *findings]
    reading["warnings"] = [*reading["figures"]["strays"], *reading["figures"]["findings"]]


def _write_summary(connection: duckdb.DuckDBPyConnection, folder: Path, table: str) -> None:
    summary = fetch(
        connection,
        """SELECT source_file AS file, source AS format, invoice_issuer_name AS issuer, month,
            count(*) FILTER (fate = 'kept') AS lines, billing_currency AS currency,
            coalesce(sum(billing_currency_billed_cost) FILTER (fate = 'kept'), 0) AS billed_cost_in_currency,
            coalesce(sum(billed_cost) FILTER (fate = 'kept'), 0) AS billed_cost,
            count(*) FILTER (len(mended) > 0) AS mended, count(*) FILTER (fate = 'duplicates') AS duplicates,
            count(*) FILTER (fate = 'replaced') AS replaced
        FROM settled GROUP BY ALL ORDER BY ALL""",
    )
    workspace.write_table(folder / "bills" / f"{table}.parquet", summary)


def bills_read(params: Params) -> pd.DataFrame:
    """List what every file of bills came to.

    Parameters
    ----------
    params : Params
        Project and workspace.

    Returns
    -------
    DataFrame
        One row per file, issuer, billing month and currency, and one per file with unusable lines (which name no
        issuer for certain): ``file``, ``format``, ``issuer``, ``month``, ``lines`` that count, ``currency``,
        ``billed_cost_in_currency``, ``billed_cost`` (USD), and the lines ``mended``, ``duplicates``, ``replaced``
        (by a later delivery) and ``quarantined``.
    """
    columns = "file format issuer month lines currency billed_cost_in_currency billed_cost mended duplicates replaced"
    paths = workspace.files_of(params.workspace, "bills")
    if not paths:
        return pd.DataFrame(columns=[*columns.split(), "quarantined"])
    quarantine = workspace.view_sql("quarantine", workspace.files_of(params.workspace, "quarantine"))
    formats = ", ".join(map(quoted, BILL_READINGS))
    with connect() as connection:
        return fetch(
            connection,
            f"""SELECT {", ".join(columns.split())}, 0 AS quarantined FROM {workspace.scan(paths)}
            UNION ALL BY NAME SELECT source_file AS file, source AS format, 0 AS lines, 0 AS mended, 0 AS duplicates,
                0 AS replaced, count(*) AS quarantined FROM ({quarantine}) WHERE source IN ({formats}) GROUP BY ALL
            ORDER BY file, format, issuer NULLS LAST, month, currency""",
        ).to_pandas(types_mapper=pd.ArrowDtype)


def bill_findings(params: Params) -> list[str]:
    """List what is to be said of the bills: totals that changed, lines that gave way, look alike or stand twice.

    What changed after a month was closed comes first.

    Parameters
    ----------
    params : Params
        Project and workspace.

    Returns
    -------
    list of str
        Sentences, each once.
    """
    entries = workspace.read_json(params.workspace / "reads.json", {}).values()
    readings = [entry["reading"] for entry in entries if entry["reading"]["format"] in BILL_READINGS]
    said = [text for reading in readings for text in reading["figures"]["findings"]]
    late = [text for texts in changes_since_closing(params.workspace).values() for text in texts]
    return list(dict.fromkeys(late + said))


def bill_checks(params: Params) -> pd.DataFrame:
    """Decide whether the bills were read whole and without contradiction.

    Parameters
    ----------
    params : Params
        Project and workspace.

    Returns
    -------
    DataFrame
        Check rows: lines that could not be used, and findings; none without bills.
    """
    read, findings = bills_read(params), bill_findings(params)
    if read.empty and not findings:
        return checklist([])
    refused = int(read["quarantined"].sum())
    said = "; ".join(findings[:2]) + (f"; and {len(findings) - 2} more" if len(findings) > 2 else "")
    return checklist(
        [
            check("bill_lines_unusable", refused, "<=", 0, unit="lines", comment="lines whose cost is in no total"),
            check("bill_findings", len(findings), "<=", 0, unit="findings", comment=said),
        ]
    )
