"""FOCUS cells: the text of a file, and what each cell alone must look like."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pandas as pd

from finops_lib.schema.focus import ALLOWED_VALUES, SKU_PRICE_DETAILS, FocusColumn, focus_columns

_DATE = re.compile(r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])T([01]\d|2[0-3]):[0-5]\d:[0-5]\dZ")
_NUMBER = re.compile(r"-?\d+(\.\d+)?([Ee]-?\d+)?")
_WORD = r"[A-Z][A-Za-z]*"
_UNIT = re.compile(rf"([1-9]\d* )?(?P<counted>{_WORD}([ -]{_WORD})*)(/([1-9]\d* )?{_WORD}(-{_WORD})*)?")
_OWN_NAME = re.compile(r"x_[A-Z][A-Za-z0-9]*")
_CURRENCIES = ("BillingCurrency",)
_NULLABLE_BUT_THERE = (
    *("BillingAccountName", "ChargeClass", "ChargeDescription", "HostProviderName", "PricingQuantity", "PricingUnit"),
)
_DEEPEST = 3


@dataclass(frozen=True)
class FocusTable:
    """A FOCUS file as text and numbers.

    Parameters
    ----------
    version : str
        FOCUS version.
    text : DataFrame
        Every cell as text, ``None`` where it is empty; rows counted from 1.
    numbers : DataFrame
        Decimals of the numeric columns, ``None`` where a cell is empty or no number.
    """

    version: str
    text: pd.DataFrame
    numbers: pd.DataFrame

    def column(self, name: str) -> pd.Series:
        """Text of a column; empty when the file lacks it."""
        return self.text[name] if name in self.text else self._nothing()

    def number(self, name: str) -> pd.Series:
        """Decimals of a column; empty when the file lacks it."""
        return self.numbers[name] if name in self.numbers else self._nothing()

    def _nothing(self) -> pd.Series:
        return pd.Series([None] * len(self.text), index=self.text.index, dtype=object)


def read_cells(frame: pd.DataFrame, version: str) -> FocusTable:
    """Take a FOCUS frame as the text a file of it holds.

    Parameters
    ----------
    frame : DataFrame
        Read from a CSV file as text, or typed (decimals, timestamps).
    version : str
        FOCUS version.

    Returns
    -------
    FocusTable
        Values as text and numbers.
    """
    index = pd.RangeIndex(1, len(frame) + 1)
    made = {str(name): each_value(frame[name], _text).set_axis(index) for name in frame.columns}
    text = pd.DataFrame(made, index=index, dtype=object)
    numeric = [column.name for column in focus_columns(version) if column.kind in ("Decimal", "Price")]
    numbers = {name: each_value(text[name], _decimal) for name in numeric if name in text}
    return FocusTable(version, text, pd.DataFrame(numbers, index=index, dtype=object))


def findings_where(
    rule: str, column: str, wrong: pd.Series, found: pd.Series, expected: str | pd.Series
) -> pd.DataFrame:
    """Make one finding of every row that breaks a rule.

    Parameters
    ----------
    rule : str
        Name of the rule, in snake_case.
    column : str
        Column it is about.
    wrong : Series of bool
        On the file's rows.
    found : Series
        Values of the column.
    expected : str or Series
        What should stand there.

    Returns
    -------
    DataFrame
        ``rule, column, row, found, expected``; empty when nothing is wrong.
    """
    wrong = wrong.fillna(False).astype(bool)
    told = expected[wrong].astype(str) if isinstance(expected, pd.Series) else expected
    shown = found[wrong].map(lambda value: "nothing" if pd.isna(value) else str(value), na_action=None)
    return pd.DataFrame(
        {"rule": rule, "column": column, "row": wrong.index[wrong], "found": shown.to_numpy(), "expected": told}
    ).reset_index(drop=True)


def column_findings(table: FocusTable) -> Iterator[pd.DataFrame]:
    """Check which columns there are: none missing, none unknown, own ones last.

    Parameters
    ----------
    table : FocusTable
        The file.

    Yields
    ------
    DataFrame
        Findings of the whole file: row 0.
    """
    known = [column for column in focus_columns(table.version) if not column.name.startswith("x_")]
    names = {column.name for column in known}
    held = list(table.text.columns)
    wanted = [column.name for column in known if column.required or column.name in _NULLABLE_BUT_THERE]
    for name in [name for name in wanted if name not in held]:
        yield _of_file("column_missing", name, "no such column", f"a column of FOCUS {table.version}")
    own = [name for name in held if name not in names]
    for name in [name for name in own if not _OWN_NAME.fullmatch(name)]:
        yield _of_file("column_unknown", name, name, "a column of the specification, or x_ and PascalCase")
    first_own = min((held.index(name) for name in own), default=len(held))
    for name in [name for name in held[first_own:] if name in names]:
        yield _of_file("column_order", name, f"after {held[first_own]}", "before all x_ columns")


def cell_findings(table: FocusTable) -> Iterator[pd.DataFrame]:
    """Check every cell by the kind of its column.

    Parameters
    ----------
    table : FocusTable
        The file.

    Yields
    ------
    DataFrame
        Findings: nulls, dates, numbers, units, JSON, allowed values.
    """
    for column in focus_columns(table.version):
        if column.name in table.text:
            yield from _cells_of(table, column)


def _cells_of(table: FocusTable, column: FocusColumn) -> Iterator[pd.DataFrame]:
    text = table.text[column.name]
    there = text.notna()

    def wrong(rule: str, right: Callable[[str], bool], expected: str) -> pd.DataFrame:
        return findings_where(rule, column.name, there & ~each_value(text, right, True).astype(bool), text, expected)

    if column.required:
        yield findings_where("null", column.name, ~there, text, "a value")
    if column.kind == "DateTime":
        yield wrong("date_format", lambda cell: bool(_DATE.fullmatch(cell)), "YYYY-MM-DDTHH:mm:ssZ, in UTC")
    elif column.kind in ("Decimal", "Price"):
        yield wrong("number_format", lambda cell: bool(_NUMBER.fullmatch(cell)), "digits, e.g. 1234.5 or 5E-7")
        if column.kind == "Price":
            negative = table.numbers[column.name].map(lambda price: price is not None and price < 0, na_action=None)
            yield findings_where("negative_price", column.name, negative, text, "0 or more")
    elif column.kind == "Unit":
        yield wrong("unit_format", _is_unit, "capitals and plural, e.g. 1000000 Tokens")
    elif column.kind == "KeyValue":
        yield wrong("key_value_format", _is_flat, "a JSON object of plain values")
    elif column.kind == "Object":
        yield wrong("object_format", _is_object, f"a JSON object of at most {_DEEPEST} levels")
    if column.name in ALLOWED_VALUES:
        allowed = ALLOWED_VALUES[column.name]
        yield wrong("allowed_values", lambda cell: cell in allowed, " or ".join(allowed))
    if column.name in _CURRENCIES:
        yield wrong("currency", lambda cell: bool(re.fullmatch("[A-Z]{3}", cell)), "a code of ISO 4217")
    if column.name == "SkuPriceDetails":
        yield wrong("sku_property_name", _has_named_properties, "properties of FOCUS, or names that begin with x_")


def parsed(text: str | None) -> Any:
    """Read JSON with exact numbers.

    Parameters
    ----------
    text : str or None
        A cell.

    Returns
    -------
    Any
        ``None`` where there is none, or the text is no JSON.
    """
    try:
        return json.loads(text, parse_float=Decimal, parse_int=Decimal) if text else None
    except ValueError:
        return None


def each_value(values: pd.Series, change: Callable[[Any], Any], empty: Any = None) -> pd.Series:
    """Work each different value out once; empty cells stay empty."""
    codes, distinct = pd.factorize(values)
    changed = pd.Series([*(change(value) for value in distinct), empty], dtype=object)
    return pd.Series(changed.to_numpy()[codes], index=values.index, dtype=object)


def _text(value: Any) -> str | None:
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, pd.Timestamp):
        return value.strftime("%Y-%m-%dT%H:%M:%S") + ("Z" if value.tzinfo and not value.utcoffset() else "")
    return str(value) or None


def _decimal(text: str) -> Decimal | None:
    return Decimal(text) if _NUMBER.fullmatch(text) else None


def _is_unit(text: str) -> bool:
    matched = _UNIT.fullmatch(text)
    return bool(matched) and (matched["counted"].isupper() or matched["counted"][-1] in "sB")


def _is_flat(text: str) -> bool:
    value = parsed(text)
    return isinstance(value, dict) and not any(isinstance(held, dict | list) for held in value.values())


def _is_object(text: str) -> bool:
    value = parsed(text)
    return isinstance(value, dict) and _depth(value) <= _DEEPEST


def _depth(value: Any) -> int:
    if isinstance(value, dict):
        return 1 + max(map(_depth, value.values()), default=0)
    return max(map(_depth, value), default=0) if isinstance(value, list) else 0


def _has_named_properties(text: str) -> bool:
    value = parsed(text)
    return not isinstance(value, dict) or all(key in SKU_PRICE_DETAILS or _OWN_NAME.fullmatch(key) for key in value)


def _of_file(rule: str, column: str, found: str, expected: str) -> pd.DataFrame:
    return pd.DataFrame({"rule": [rule], "column": column, "row": 0, "found": found, "expected": expected})
