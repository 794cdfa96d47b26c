"""Tables: outcomes, evaluations, seats and the like, from any CSV, JSON or Parquet, each row checked."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pandas as pd

from finops_lib.errors import SourceError
from finops_lib.ingest import workspace
from finops_lib.ingest.engine import connect, fetch, quoted
from finops_lib.ingest.readers.base import MACROS
from finops_lib.ingest.readers.mapped import Mapping, read_mapping
from finops_lib.ingest.reading.containers import first_records
from finops_lib.ingest.reading.json_lines import column_name
from finops_lib.ingest.reading.originals import keep_raw_text
from finops_lib.ingest.reading.records import load_records
from finops_lib.ingest.reading.sources import FATES, Reading, covers, label_of
from finops_lib.params import Params, Source
from finops_lib.schema import TABLES, Column, names

GIVEN = ("outcomes", "evaluations", "seats", "capacity", "customers", "volumes")
"""Tables a company may give beside its calls."""

FIRST, LAST = "2000-01-01", "2100-01-01"
_FAR = f"is not between {FIRST[:4]} and {LAST[:4]}"


def read_table(files: list[Path], source: Source, params: Params) -> Reading:
    """Read files of one of the other tables into the workspace.

    Parameters
    ----------
    files : list of Path
        Files to read.
    source : Source
        Names the table and, where columns differ, the mapping.
    params : Params
        Project and workspace.

    Returns
    -------
    Reading
        Rows read, kept and quarantined; reading a file again replaces its rows.

    Raises
    ------
    SourceError
        If there is no such table, or the file has none of its required columns.
    """
    if source.table not in GIVEN:
        message = f"Unknown table '{source.table}'"
        raise SourceError(message, hint=f"tables: requests, {', '.join(GIVEN)}")
    contract = TABLES[source.table]
    mapping = read_mapping(params.project / source.mapping if source.mapping else None, source.table)
    _check_columns(files, mapping, contract)
    labels = [label_of(path, params.project) for path in files]
    with tempfile.TemporaryDirectory() as folder, connect() as connection, workspace.locked(params.workspace):
        connection.execute(MACROS)
        load_records(
            connection,
            files,
            dict.fromkeys(mapping.columns.values(), "VARCHAR"),
            scratch=Path(folder),
            labels=dict(zip(files, labels, strict=True)),
        )
        connection.execute(f"CREATE TABLE checked AS {_checked_sql(contract, mapping.columns, mapping.constants)}")
        kept = ", ".join(names(contract))
        connection.execute(
            f"CREATE TABLE fresh AS SELECT source_file, source_position, {kept} FROM checked WHERE fault IS NULL"
        )
        connection.execute(
            f"""CREATE TABLE refusals AS SELECT '{source.table}' AS source, source_file, source_position,
                fault AS reason, CAST(NULL AS VARCHAR) AS raw_text FROM checked WHERE fault IS NOT NULL
            UNION ALL SELECT '{source.table}', source_file, source_position, reason, raw_text FROM refused"""
        )
        keep_raw_text(connection, "refusals")
        workspace.replace_rows(connection, params.workspace, source.table, "fresh", "given", labels)
        workspace.replace_rows(connection, params.workspace, "quarantine", "refusals", source.table, labels)
        rows = connection.execute("SELECT count(*) FROM fresh").fetchall()[0][0]
        reasons = fetch(
            connection, "SELECT 'quarantined' AS fate, reason, count(*) AS rows FROM refusals GROUP BY ALL ORDER BY ALL"
        ).to_pylist()
        counts = dict.fromkeys(FATES, 0) | {"requests": rows, "quarantined": sum(r["rows"] for r in reasons)}
        reading = Reading(source.table, labels, {"read": sum(counts.values()), **counts}, reasons)
        known = workspace.read_json(params.workspace / "reads.json", {})
        known = {place: entry for place, entry in known.items() if not covers(reading, entry["reading"])}
        known[f"{source.table}:{'|'.join(labels)}"] = {"reading": reading.__dict__}
        workspace.write_json(params.workspace / "reads.json", known)
    return reading


def _check_columns(files: list[Path], mapping: Mapping, contract: tuple[Column, ...]) -> None:
    """Refuse a file that has none of the columns every row needs."""
    wanted = [mapping.columns[c.name] for c in contract if c.required and c.name in mapping.columns]
    for path in files:
        found = {str(key).strip() for record in first_records(path) if isinstance(record, dict) for key in record}
        if found and wanted and {name.lower() for name in wanted}.isdisjoint(name.lower() for name in found):
            message = f"{path}: has none of the columns {', '.join(wanted)}; it has {', '.join(sorted(found)[:12])}"
            raise SourceError(message, hint="name its columns with --mapping FILE.yaml")


def _checked_sql(contract: tuple[Column, ...], columns: dict[str, str], constants: dict[str, str]) -> str:
    values, faults = [], []
    for column in contract:
        given = "CAST(NULL AS VARCHAR)"
        if column.name in columns:
            given = f"blank({column_name(columns[column.name])})"
        if column.name in constants:
            given = f"coalesce({given}, {quoted(constants[column.name])})"
        reads = {"TIMESTAMPTZ": f"instant({given})", "BIGINT": f"whole({given})"}
        cast = reads.get(column.type, f"TRY_CAST({given} AS {column.type})")
        values.append(f"{cast} AS {column.name}")
        if column.required:
            faults.append(f"WHEN {given} IS NULL THEN 'no {column.name}'")
        faults.append(f"WHEN {given} IS NOT NULL AND {cast} IS NULL THEN '{column.name} is not of type {column.type}'")
        if column.type in ("DATE", "TIMESTAMPTZ"):
            faults.append(f"WHEN NOT {cast} BETWEEN '{FIRST}' AND '{LAST}' THEN '{column.name} {_FAR}'")
        if column.type == "DOUBLE":
            faults.append(f"WHEN NOT isfinite({cast}) THEN '{column.name} is no finite number'")
        if column.type == "BIGINT":
            faults.append(f"WHEN {cast} < 0 THEN '{column.name} is negative'")
    return (
        f"SELECT source_file, source_position, {', '.join(values)}, CASE {' '.join(faults)} END AS fault FROM records"
    )


def load_table(params: Params, table: str) -> pd.DataFrame:
    """Load one of the other tables from the workspace.

    Parameters
    ----------
    params : Params
        Project and workspace; for an assistant only its rows, where the table names assistants.
    table : str
        A name of ``GIVEN``.

    Returns
    -------
    DataFrame
        Columns of its contract; empty when nothing was given.
    """
    contract = TABLES[table]
    paths = workspace.files_of(params.workspace, table)
    if not paths:
        return pd.DataFrame({name: pd.Series(dtype="object") for name in names(contract)})
    with connect() as connection:
        frame = fetch(
            connection,
            f"SELECT {', '.join(names(contract))} FROM {workspace.scan(paths)} ORDER BY source_file, source_position",
        ).to_pandas(types_mapper=pd.ArrowDtype)
    if params.assistant in params.assistants and "assistant" in frame:
        frame = frame[frame["assistant"] == params.assistant].reset_index(drop=True)
    return frame
