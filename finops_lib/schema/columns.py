"""Columns: what a table contract is made of."""

from __future__ import annotations

from dataclasses import dataclass

COST_TYPE = "DECIMAL(38,15)"
UNIT_PRICE_TYPE = "DECIMAL(20,15)"


@dataclass(frozen=True)
class Column:
    """One column of a table contract.

    Parameters
    ----------
    name : str
        Column name.
    type : str
        SQL type (DuckDB spelling).
    unit : str
        Unit of the values; empty for names and categories.
    meaning : str
        One line for the reader.
    required : bool
        Whether a row without it cannot be used.
    """

    name: str
    type: str
    unit: str
    meaning: str
    required: bool = False


def columns(text: str) -> tuple[Column, ...]:
    """Parse ``name | type | unit | meaning`` lines; a leading ``!`` marks a required column."""
    found = []
    for line in text.strip().splitlines():
        name, kind, unit, meaning = (part.strip() for part in line.split("|"))
        found.append(Column(name.lstrip("!"), kind, unit, meaning, name.startswith("!")))
    return tuple(found)


def names(columns: tuple[Column, ...]) -> list[str]:
    """List the column names of a contract, in order."""
    return [column.name for column in columns]
