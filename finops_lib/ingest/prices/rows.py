"""Price rows: the stored form of a price list, read strictly and found by date, time of day and input size."""

from __future__ import annotations

import csv
import functools
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import pandas as pd

from finops_lib.errors import PriceError
from finops_lib.schema import QUANTITIES

PACKAGED = Path(__file__).parent
KEY = ("provider", "model", "service_tier", "effective_from", "time_from", "context_from")
PRICED = (*QUANTITIES, "request")
COLUMNS = (*KEY, *PRICED, "price_source", "verified_on")
SOURCE = "genai-prices"


@dataclass(frozen=True)
class PriceRow:
    """Prices of one model and tier, from a date, a time of day and an input size on."""

    provider: str
    model: str
    service_tier: str
    effective_from: date
    time_from: time
    context_from: int
    prices: Mapping[str, Decimal]
    source: str
    verified_on: date | None

    @property
    def place(self) -> tuple[date, time, int]:
        """Where the row stands among those of its model and tier."""
        return self.effective_from, self.time_from, self.context_from


@dataclass(frozen=True, eq=False)
class PriceList:
    """A versioned price list.

    Parameters
    ----------
    version : str
        Package version and corrections it was made from.
    prices : DataFrame
        One row per provider × model × service tier × ``effective_from`` (UTC date, null = always) × ``time_from``
        (UTC time of day) × ``context_from`` (tokens: holds for calls with more input than this); one column per token
        class in USD per million tokens (Decimal, null = no price), ``web_search`` and ``request`` in USD each.
    models : mapping
        Match rules of providers and models.
    generated_on : date
        Day it was made.
    verified_on : date or None
        Day all of it was last held against the vendors' own pages, where known; corrected rows carry their own.
    """

    version: str
    prices: pd.DataFrame = field(repr=False)
    models: Mapping[str, Any] = field(repr=False)
    generated_on: date
    verified_on: date | None
    index: Mapping[tuple[str, str], Mapping[str, Sequence[PriceRow]]] = field(repr=False)


def read_price_list(folder: Path | str | None = None) -> PriceList:
    """Read a price list; the packaged one when no folder is given.

    Parameters
    ----------
    folder : path, optional
        Folder with ``price_list.csv``, ``models.json`` and ``lock.json``.

    Returns
    -------
    PriceList
        Checked; read once as long as the files do not change.

    Raises
    ------
    PriceError
        If a file is missing or a cell cannot be used; the message names file, row and column.
    """
    folder = Path(folder or PACKAGED).resolve()
    files = [folder / name for name in ("price_list.csv", "models.json", "lock.json")]
    missing = [file for file in files if not file.is_file()]
    if missing:
        message = f"No file {missing[0]}"
        raise PriceError(message, hint="run `finops prices refresh`, or name a folder that holds a price list")
    return _read(folder, tuple(file.stat().st_mtime_ns for file in files))


@functools.lru_cache(maxsize=4)
def _read(folder: Path, _changed: tuple[int, ...]) -> PriceList:
    lock, models = (_read_json(folder / name) for name in ("lock.json", "models.json"))
    for file, content, key in (("lock.json", lock, "version"), ("models.json", models, "providers")):
        if not isinstance(content, dict) or key not in content:
            message = f"{folder / file}: no key '{key}'"
            raise PriceError(message, hint="the file is not what `finops prices refresh` writes; run it again")
    try:
        generated_on = date.fromisoformat(lock["generated_on"])
        verified_on = date.fromisoformat(lock["verified_on"]) if lock.get("verified_on") else None
    except (KeyError, TypeError, ValueError) as error:
        message = f"{folder / 'lock.json'}: generated_on or verified_on is no date"
        raise PriceError(message, hint="run `finops prices refresh` again") from error
    release = f"{SOURCE} {lock.get('genai_prices_version', '')}".strip()
    rows = _read_rows(folder / "price_list.csv", release)
    index: dict[tuple[str, str], dict[str, list[PriceRow]]] = {}
    for row in rows:
        index.setdefault((row.provider, row.model), {}).setdefault(row.service_tier, []).append(row)
    return PriceList(lock["version"], rows_frame(rows), models, generated_on, verified_on, index)


def _read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        message = f"{path}: not readable as JSON: {error}"
        raise PriceError(message, hint="run `finops prices refresh` again") from error


def _read_rows(path: Path, release: str) -> list[PriceRow]:
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.reader(file)
        header = next(reader, [])
        if tuple(header) != COLUMNS:
            wrong = next((name for name in COLUMNS if name not in header), None) or "their order"
            message = f"{path}, row 1: found columns {', '.join(header) or 'none'}; wrong: {wrong}"
            raise PriceError(message, hint=f"expected {', '.join(COLUMNS)}")
        rows = [_parse(cells, reader.line_num, path, release) for cells in reader]
    seen: dict[tuple[Any, ...], int] = {}
    for number, row in enumerate(rows, start=2):
        key = (row.provider, row.model, row.service_tier, row.place)
        if key in seen:
            message = f"{path}, row {number}, column provider: the key of row {seen[key]} a second time ({row.model})"
            raise PriceError(message, hint="one of the two has to go; `finops prices refresh` writes none twice")
        seen[key] = number
    return rows


def _parse(cells: list[str], number: int, path: Path, release: str) -> PriceRow:
    column = ""
    try:
        if len(cells) != len(COLUMNS):
            message = f"{len(cells)} cells, expected {len(COLUMNS)}"
            raise ValueError(message)
        value = dict(zip(COLUMNS, cells, strict=True))
        for column in ("provider", "model", "service_tier", "price_source"):
            if not value[column]:
                raise ValueError
        prices = {}
        for column in PRICED:
            if value[column]:
                prices[column] = _price(value[column])
        column = "effective_from"
        effective_from = date.fromisoformat(value[column]) if value[column] else date.min
        column = "time_from"
        time_from = time.fromisoformat(value[column])
        column = "context_from"
        context_from = int(value[column])
        column = "verified_on"
        verified_on = date.fromisoformat(value[column]) if value[column] else None
    except (ValueError, InvalidOperation) as error:
        found = f"'{value[column]}'" if column else str(error)
        message = f"{path}, row {number}, column {column or 'all'}: found {found}"
        hint = "a price is a number of USD, zero or more; dates are YYYY-MM-DD, times HH:MM"
        raise PriceError(message, hint=hint) from error
    source = release if value["price_source"] == SOURCE else value["price_source"]
    names = (value["provider"], value["model"], value["service_tier"])
    return PriceRow(*names, effective_from, time_from, context_from, prices, source, verified_on)


def _price(text: str) -> Decimal:
    price = Decimal(text)
    if not price.is_finite() or price < 0:
        raise InvalidOperation
    return price


def rows_frame(rows: Iterable[PriceRow]) -> pd.DataFrame:
    """Lay rows out as a frame.

    Parameters
    ----------
    rows : iterable of PriceRow
        In the order wanted.

    Returns
    -------
    DataFrame
        As ``PriceList.prices``.
    """
    records = [
        (
            *(row.provider, row.model, row.service_tier),
            *(None if row.effective_from == date.min else row.effective_from, row.time_from, row.context_from),
            *(row.prices.get(name) for name in PRICED),
            *(row.source, row.verified_on),
        )
        for row in rows
    ]
    return pd.DataFrame(records, columns=list(COLUMNS), dtype=object).astype({"context_from": "int64"})


def row_at(rows: Sequence[PriceRow], moment: datetime, context: int) -> PriceRow | None:
    """Find the row in force: the latest date, within it the latest time of day, within that the largest context.

    Parameters
    ----------
    rows : sequence of PriceRow
        Rows of one model and tier.
    moment : datetime
        In UTC.
    context : int
        The largest threshold that the call's input exceeded, else 0; tokens.

    Returns
    -------
    PriceRow or None
        ``None`` before the first row.
    """
    day, clock = moment.date(), moment.time()
    open_rows = (r for r in rows if r.effective_from <= day and r.time_from <= clock and r.context_from <= context)
    return max(open_rows, key=lambda row: row.place, default=None)
