"""Mapped: any CSV, JSON or Parquet, by a small YAML that names its columns."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from finops_lib.errors import ParamsError, SourceError, nearest
from finops_lib.ingest.readers.base import OBSERVED, Reader
from finops_lib.ingest.reading.containers import container_of, first_records
from finops_lib.schema import REQUESTS, TABLES, names

_TOKENS = {
    "input_tokens": "raw_input",
    "output_tokens": "raw_output",
    "total_tokens": "raw_total",
    "cache_read_input_tokens": "raw_cache_read",
    "cache_write_input_tokens": "raw_cache_write",
    "cache_write_5m_input_tokens": "raw_cache_write_5m",
    "cache_write_1h_input_tokens": "raw_cache_write_1h",
    "reasoning_output_tokens": "raw_reasoning",
    "audio_input_tokens": "raw_audio_input",
    "cache_read_audio_input_tokens": "raw_cache_read_audio",
    "audio_output_tokens": "raw_audio_output",
}
_RENAMED = _TOKENS | {
    "timestamp": "started",
    "end_timestamp": "ended",
    "updated_at": "updated",
    "latency_ms": "latency",
}
_NEEDED = {"timestamp", "model", "input_tokens", "output_tokens", "total_tokens"}
ACCEPTED = sorted(
    {*_RENAMED, *(name for name in names(REQUESTS) if name in OBSERVED), "tags", "span_id", "parent_id", "kind"}
)
"""Names a mapping of ``requests`` may give a column."""


class Mapping(BaseModel):
    """A mapping file.

    Attributes
    ----------
    columns : dict
        The kit's column → the file's column.
    constants : dict
        The kit's column → a value all rows get, where the file's is missing.
    usage_basis : str
        ``inclusive`` when cached tokens are part of the input column, ``exclusive`` when they are not.
    reasoning : str
        ``inside`` when reasoning tokens are part of the output column, else ``outside``.
    layer : str
        Capture layer of the file.
    cost_unit : str
        ``USD`` or ``cents``: unit of ``reported_cost``.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    columns: dict[str, str] = Field({})
    constants: dict[str, str] = Field({})
    usage_basis: Literal["inclusive", "exclusive"] = "inclusive"
    reasoning: Literal["inside", "outside"] = "inside"
    layer: Literal["gateway", "trace", "provider_log", "provider_usage"] = "gateway"
    cost_unit: Literal["USD", "cents"] = "USD"


def read_mapping(path: Path | None, table: str = "requests") -> Mapping:
    """Read a mapping file; without one every column keeps its name.

    Parameters
    ----------
    path : Path or None
        YAML file.
    table : str
        Table it maps to.

    Returns
    -------
    Mapping
        Validated.

    Raises
    ------
    ParamsError
        If the file cannot be read or names a column the table does not have.
    """
    accepted = ACCEPTED if table == "requests" else names(TABLES[table])
    if path is None:
        return Mapping(columns={name: name for name in accepted})
    try:
        mapping = Mapping.model_validate(yaml.safe_load(path.read_text(encoding="utf-8-sig")) or {})
    except (OSError, yaml.YAMLError, ValidationError) as error:
        message = f"{path}: no mapping of columns: {error}"
        raise ParamsError(message, hint="write 'columns:' with lines 'timestamp: created_at'") from error
    spelled: dict[str, str] = {"source_file": "", "source_position": ""}
    for column in mapping.columns.values():
        if spelled.setdefault(column.lower(), column) != column:
            other = spelled[column.lower()] or "one of the kit's own"
            message = f"{path}: column '{column}' cannot be told from {other}"
            raise ParamsError(message, hint="rename it in the file; capital letters do not tell columns apart")
    for name in (*mapping.columns, *mapping.constants):
        if name not in accepted:
            message = f"{path}: table '{table}' has no column '{name}'"
            raise ParamsError(message, hint=nearest(name, accepted, f"known: {', '.join(accepted)}"))
    return mapping


def check_columns(path: Path, mapping: Mapping) -> list[str]:
    """Compare the columns a mapping names with those of a file's first records.

    Parameters
    ----------
    path : Path
        An export.
    mapping : Mapping
        Names of its columns.

    Returns
    -------
    list of str
        A warning for each column the file does not have.

    Raises
    ------
    SourceError
        If it is one of time, model or tokens, and no constant stands in for it.
    """
    tabular = container_of(path) in (".csv", ".tsv", ".parquet")
    records = first_records(path) if tabular else first_records(path, limit=10_000)
    rows = [row for record in records for row in rows_of_page(record, frozenset(mapping.columns.values()))]
    found = sorted({str(key).strip() for row in rows if isinstance(row, dict) for key in row})
    known = {name.lower() for name in found} if tabular else set(found)
    absent = {n: c for n, c in mapping.columns.items() if found and (c.lower() if tabular else c) not in known}
    # Of lines of JSON the first need not have all that later ones have.
    needed = {*_NEEDED, *_TOKENS} if tabular else _NEEDED
    for name, column in absent.items():
        if name in needed and name not in mapping.constants:
            same = [other for other in found if other.lower() == column.lower()]
            message = f"{path}: has no column '{column}', which the mapping names for {name}"
            raise SourceError(message, hint=nearest(column, same or found))
    return [f"{path.name} has no column '{column}' for {name}" for name, column in absent.items()]


def mapped_reader(mapping: Mapping) -> Reader:
    """Make a reader of a mapping.

    Parameters
    ----------
    mapping : Mapping
        Names of the file's columns and how its counts are meant.

    Returns
    -------
    Reader
        A format like the others; counts that contradict the declared basis are faults.
    """
    fields = {column: "JSON" if name == "tags" else "VARCHAR" for name, column in mapping.columns.items()}
    select = {}
    for name, column in mapping.columns.items():
        quoted = '"' + column.replace('"', '""') + '"'
        expression = quoted
        if name == "tags":
            expression = f"array_tags(parsed({quoted})) || object_tags(parsed({quoted}))"
        elif name == "reported_cost" and mapping.cost_unit == "cents":
            expression = f"CAST(TRY_CAST({quoted} AS DECIMAL(28, 12)) / 100 AS VARCHAR)"
        elif name == "kind":
            expression = f"coalesce(blank({quoted}), 'call')"
        select[_RENAMED.get(name, name)] = expression
    if "usage_basis" not in mapping.model_fields_set and "total_tokens" in mapping.columns:
        # Nothing declared: a row that gives its total is decided by it.
        select["basis_given"] = f"blank({select['raw_total']}) IS NULL"
    return Reader(
        name="mapped",
        layer=mapping.layer,
        fields=fields,
        select=select,
        constants={_RENAMED.get(name, name): value for name, value in mapping.constants.items()},
        input_basis=mapping.usage_basis,
        reasoning_basis=mapping.reasoning,
        basis_given=True,
        shares_tasks="parent_id" in mapping.columns,
        unwrap=partial(rows_of_page, columns=frozenset(mapping.columns.values())),
    )


def rows_of_page(document: object, columns: frozenset[str]) -> list[object]:
    """Open a page of an API: the first list of objects it holds, else the document itself; a row is no page.

    Parameters
    ----------
    document : object
        Parsed JSON.
    columns : frozenset of str
        Columns a row has.

    Returns
    -------
    list
        Rows.
    """
    if isinstance(document, dict) and columns.isdisjoint(document):
        for part in document.values():
            if isinstance(part, list) and part and isinstance(part[0], dict):
                return part
    return document if isinstance(document, list) else [document]
