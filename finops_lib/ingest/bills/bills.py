"""Bills: files of invoices and costs become charges, each line once, with what was mended and what was refused."""

from __future__ import annotations

import hashlib
import json
import tempfile
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd

from finops_lib import __version__
from finops_lib.errors import SourceError
from finops_lib.ingest import workspace
from finops_lib.ingest.bills.charge_meaning import add_meaning
from finops_lib.ingest.bills.currencies import converted_sql, register_rates
from finops_lib.ingest.bills.deliveries import STAGES, identified_sql, settle
from finops_lib.ingest.bills.record import changes, record, totals
from finops_lib.ingest.bills.values import type_lines
from finops_lib.ingest.engine import connect, fetch, quoted
from finops_lib.ingest.readers import check_format, find_bill_reader
from finops_lib.ingest.readers.base import MACROS
from finops_lib.ingest.readers.bill import BillReader, mapped_bill
from finops_lib.ingest.readers.mapped import Mapping, read_mapping
from finops_lib.ingest.reading.containers import container_of, first_records
from finops_lib.ingest.reading.originals import keep_raw_text
from finops_lib.ingest.reading.records import load_records
from finops_lib.ingest.reading.sources import Reading, label_of
from finops_lib.params import Params, Source
from finops_lib.schema import TABLES, names


def read_bills(files: list[Path], name: str, source: Source, params: Params) -> Reading:
    """Read files of one format of bills into the workspace.

    Parameters
    ----------
    files : list of Path
        Files to read, in the order in which they count as having come.
    name : str
        A key of ``readers.BILL_FORMATS``, or ``mapped``.
    source : Source
        Names the account, the table and, where columns differ, the mapping.
    params : Params
        Project, workspace, exchange rates, owners.

    Returns
    -------
    Reading
        Rows read = kept (``requests``) + duplicates + quarantined; figures hold what was ``mended`` (kind, rows) and
        the ``totals`` by issuer, month and currency; warnings what changed. Files that were read before and have not
        changed are not read again.

    Raises
    ------
    SourceError
        If a file cannot be read or is no bill of that format.
    """
    mapping = None
    if name == "mapped":
        mapping = read_mapping(params.project / source.mapping if source.mapping else None, source.table)
    reader = mapped_bill(mapping, source.table) if mapping else find_bill_reader(name)
    labels = [label_of(path, params.project) for path in files]
    place = f"{reader.name}:{'|'.join(labels)}"
    key = _reading_key(files, labels, mapping, source, params)
    with workspace.locked(params.workspace):
        known = workspace.read_json(params.workspace / "reads.json", {})
        keys = workspace.read_json(params.workspace / ".reading_keys.json", {})
        if keys.get(place) != key or place not in known:
            for path in files:
                _check_columns(path, reader)
            known = _read_anew(dict(zip(files, labels, strict=True)), place, reader, source, params)
            workspace.write_json(params.workspace / ".reading_keys.json", keys | {place: key})
    return Reading(**known[place]["reading"])


def _reading_key(files: list[Path], labels: list[str], mapping: Mapping | None, source: Source, params: Params) -> str:
    """Hash what a reading rests on: the files and the rules they are read by."""
    used = {"currency", "exchange_rates", "reconciliation", "attribution", "teams", "model_aliases"}
    rules = params.organisation.model_dump(mode="json", include=used)
    others = {
        n: s.model_dump(mode="json", include={"match", "title", "defaults"}) for n, s in params.assistants.items()
    }
    stats = [(path.stat().st_size, path.stat().st_mtime_ns) for path in files]
    mapped = mapping.model_dump() if mapping else None
    parts = [workspace.LAYOUT, __version__, stats, labels, mapped, rules, others, source.model_dump(exclude={"path"})]
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()


def _check_columns(path: Path, reader: BillReader) -> None:
    """Refuse a file that is plainly no bill of the format."""
    if reader.signature:
        check_format(path, reader)
        return
    found = {str(key).strip() for row in first_records(path) if isinstance(row, dict) for key in row}
    wanted = [reader.select[c.name].strip('"') for c in TABLES[reader.table] if c.required and c.name in reader.select]
    held = {name.lower() for name in found} | {
        str(key).lower()
        for row in first_records(path, 1)
        if isinstance(row, dict)
        for part in row.values()
        if isinstance(part, list) and part and isinstance(part[0], dict)
        for key in part[0]
    }
    if found and wanted and held.isdisjoint(name.lower() for name in wanted):
        message = f"{path}: has none of the columns {', '.join(wanted)}; it has {', '.join(sorted(found)[:12])}"
        raise SourceError(message, hint="name its columns with --mapping FILE.yaml")


def _read_anew(
    labels: dict[Path, str], place: str, reader: BillReader, source: Source, params: Params
) -> dict[str, Any]:
    """Read files, settle which lines of all bills count, and record what became of them."""
    folder, files = params.workspace, list(labels.values())
    with tempfile.TemporaryDirectory() as scratch, connect(scratch=Path(scratch)) as connection:
        connection.execute(MACROS)
        load_records(
            connection, list(labels), reader.fields, unwrap=reader.unwrap, scratch=Path(scratch), labels=labels
        )
        text = [label for path, label in labels.items() if container_of(path) != ".parquet"]
        type_lines(connection, reader, source.account, text)
        _make_lines(connection, reader, params)
        keep_raw_text(connection, "refusals")
        before = totals(connection, folder)
        stage = STAGES[reader.table]
        _forget_elsewhere(connection, folder, stage, reader.name, files)
        workspace.replace_rows(connection, folder, stage, "fresh", reader.name, files)
        workspace.replace_rows(connection, folder, "quarantine", "refusals", reader.name, files)
        order = _arrivals(labels, folder)
        findings = settle(connection, folder, reader.table, order)
        notes = {"strays": _strays(labels, reader), "changes": changes(before, totals(connection, folder))}
        return record(connection, folder, place, reader, files, notes, findings)


def _make_lines(connection: duckdb.DuckDBPyConnection, reader: BillReader, params: Params) -> None:
    """Make ``fresh`` (the lines that can be used) and ``refusals`` of the typed lines."""
    contract = names(TABLES[reader.table])
    costs = [name for name in contract if f"billing_currency_{name}" in contract]
    register_rates(connection, params.organisation)
    connection.execute(f"CREATE OR REPLACE TABLE in_one_money AS {converted_sql('typed', costs)}")
    connection.execute("CREATE OR REPLACE TABLE converted AS SELECT * FROM in_one_money WHERE fault IS NULL")
    if reader.table == "charges":
        add_meaning(connection, params)
    relation = "described" if reader.table == "charges" else "converted"
    listed = ", ".join(f"'{reader.name}' AS source" if name == "source" else name for name in contract)
    connection.execute(f"CREATE OR REPLACE TABLE usable AS SELECT {listed}, mended FROM {relation}")
    identified = identified_sql(reader.table, "usable", exact=reader.exact_lines)
    connection.execute(f"CREATE OR REPLACE TABLE fresh AS {identified}")
    connection.execute(
        f"""CREATE OR REPLACE TABLE refusals AS SELECT '{reader.name}' AS source, source_file, source_position,
            fault AS reason, CAST(NULL AS VARCHAR) AS raw_text FROM in_one_money WHERE fault IS NOT NULL
        UNION ALL SELECT '{reader.name}', source_file, source_position, reason, raw_text FROM refused"""
    )


def _forget_elsewhere(
    connection: duckdb.DuckDBPyConnection, folder: Path, stage: str, name: str, files: list[str]
) -> None:
    """Drop what an earlier reading of the same files as another format left."""
    for path in [path for other in STAGES.values() for path in workspace.files_of(folder, other)]:
        if (path.parent.name, path.stem) != (stage, name):
            listed = ", ".join(map(quoted, files))
            kept = f"SELECT * FROM {workspace.scan([path])} WHERE source_file NOT IN ({listed})"
            workspace.write_query(connection, path, kept)


def _arrivals(labels: dict[Path, str], folder: Path) -> dict[str, int]:
    """Count the files in the order in which they came; a file whose content changed comes anew."""
    known = workspace.read_json(folder / "bills.json", {})
    for path, label in labels.items():
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        if known.get(label, {}).get("content") != content:
            known[label] = {"content": content, "arrival": 1 + max((e["arrival"] for e in known.values()), default=0)}
    workspace.write_json(folder / "bills.json", known)
    return {label: entry["arrival"] for label, entry in known.items()}


def _strays(labels: dict[Path, str], reader: BillReader) -> list[str]:
    """Name the columns that the format does not have; custom ones begin with ``x_``."""
    known = {name.lower() for name in reader.known}
    found = []
    for path, label in labels.items():
        fields = dict.fromkeys(key for row in first_records(path, 1) if isinstance(row, dict) for key in row)
        strays = [name for name in fields if name and name.lower() not in known and not name.startswith("x_")]
        if known and strays:
            found.append(f"{label}: columns that FOCUS does not have are passed over: {', '.join(strays)}")
    return found


def load_charges(params: Params, months: list[str] | None = None) -> pd.DataFrame:
    """Load the lines of all bills that count.

    Parameters
    ----------
    params : Params
        Project and workspace. Bills are the organisation's: an assistant gets all lines, whoever they name.
    months : list of str, optional
        Billing months ``YYYY-MM`` (UTC); all of them otherwise.

    Returns
    -------
    DataFrame
        Columns of ``schema.CHARGES``, money as exact decimals; empty when there are no bills. Lines that name no
        assistant belong to the one whose ``services`` hold theirs.
    """
    charges = _load(params, "charges", months)
    owners = {service: name for name, settings in params.settings_in_force.items() for service in settings.services}
    named = charges["service_name"].map(owners).astype(charges["assistant"].dtype)
    return charges.assign(assistant=charges["assistant"].fillna(named))


def load_invoice_details(params: Params) -> pd.DataFrame:
    """Load the lines of invoices.

    Parameters
    ----------
    params : Params
        Project and workspace.

    Returns
    -------
    DataFrame
        Columns of ``schema.INVOICE_DETAILS``; empty when none were given.
    """
    return _load(params, "invoice_details", None)


def _load(params: Params, table: str, months: list[str] | None) -> pd.DataFrame:
    paths = [p for p in workspace.files_of(params.workspace, table) if months is None or p.stem in months]
    with connect() as connection:
        return fetch(connection, workspace.view_sql(table, paths)).to_pandas(types_mapper=pd.ArrowDtype)
