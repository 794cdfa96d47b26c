"""Readers: one file per export format, found by name or by what a file looks like."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

from finops_lib.errors import SourceError, nearest
from finops_lib.ingest.readers.base import Reader
from finops_lib.ingest.readers.bill import BillReader
from finops_lib.ingest.reading.containers import first_records, parsed

FORMATS: dict[str, str] = {
    "litellm": "litellm",
    "langfuse": "langfuse",
    "helicone": "helicone",
    "portkey": "portkey",
    "otlp": "otlp",
    "openai-usage": "openai_usage",
    "anthropic-usage": "anthropic_usage",
    "bedrock": "bedrock",
    "azure-apim": "azure_apim",
    "vertex": "vertex",
}
"""Format name → module; ``mapped`` is made from a mapping file instead."""

BILL_FORMATS: dict[str, tuple[str, str]] = {
    "focus": ("focus", "READER"),
    "focus-invoice": ("focus", "INVOICE_READER"),
    "openai-costs": ("openai_costs", "READER"),
    "anthropic-cost": ("anthropic_cost", "READER"),
}
"""Name of a format of bills → module and the reader in it."""


def find_reader(name: str) -> Reader:
    """Find the reader of a format.

    Parameters
    ----------
    name : str
        A key of ``FORMATS``.

    Returns
    -------
    Reader
        The format.

    Raises
    ------
    SourceError
        If there is no such format; the nearest is named.
    """
    if name not in FORMATS:
        known = [*FORMATS, *BILL_FORMATS, "mapped", "auto"]
        message = f"Unknown format '{name}'"
        raise SourceError(message, hint=nearest(name, known, f"formats: {', '.join(known)}"))
    return importlib.import_module(f"{__name__}.{FORMATS[name]}").READER


def find_bill_reader(name: str) -> BillReader:
    """Find the reader of a format of bills: a key of ``BILL_FORMATS``."""
    module, attribute = BILL_FORMATS[name]
    return getattr(importlib.import_module(f"{__name__}.{module}"), attribute)


def recognise(path: Path) -> str | None:
    """Tell the format of a file from the fields of its first records.

    Parameters
    ----------
    path : Path
        A file of any container.

    Returns
    -------
    str or None
        A key of ``FORMATS`` or ``BILL_FORMATS``; ``mapped`` where the columns are the kit's own; ``None`` when
        nothing fits or the file is empty.
    """
    records = _unenveloped(first_records(path))
    fields = {key for record in records if isinstance(record, dict) for key in record}
    if not fields:
        return None
    readers = {name: find_reader(name) for name in FORMATS} | {name: find_bill_reader(name) for name in BILL_FORMATS}
    scores = {
        name: max((len(signature) for signature in reader.signature if signature <= fields), default=0)
        for name, reader in readers.items()
    }
    best = max(scores, key=lambda name: scores[name])
    if scores[best]:
        return best
    if {"timestamp", "model"} <= fields and fields & {"input_tokens", "output_tokens", "uncached_input_tokens"}:
        return "mapped"
    return None


def _unenveloped(records: list[Any]) -> list[Any]:
    """Look inside pages, buckets and log lines: their own fields and those of the first records they hold."""
    opened: list[Any] = []
    for record in records:
        if not isinstance(record, dict):
            continue
        opened.append(record)
        for key in ("data", "results", "events"):
            inner = record.get(key)
            if isinstance(inner, list):
                opened.extend(_unenveloped([part for part in inner[:3] if isinstance(part, dict)]))
        for key in ("message", "@message"):
            inner = record.get(key)
            if isinstance(inner, str) and isinstance(line := parsed(inner), dict):
                opened.append(line)
    return opened


def check_format(path: Path, reader: Reader | BillReader) -> None:
    """Refuse a file that is plainly of another format than the one named.

    Parameters
    ----------
    path : Path
        A file.
    reader : Reader
        The format it was said to be in.

    Raises
    ------
    SourceError
        If the file has none of the format's fields; what it looks like instead is named.
    """
    records = _unenveloped(first_records(path))
    if not records or not reader.signature:
        return
    fields = {key for record in records for key in record}
    if any(signature <= fields for signature in reader.signature):
        return
    looks = recognise(path)
    if looks is None and fields & set(reader.fields):
        return
    if looks is None or looks != reader.name:
        like = f"it looks like '{looks}'" if looks else f"its fields are {', '.join(sorted(fields)[:12])}"
        message = f"{path}: not an export of format '{reader.name}'; {like}"
        hint = f"use --format {looks}" if looks else "use --format mapped with a mapping of its columns"
        raise SourceError(message, hint=hint)
