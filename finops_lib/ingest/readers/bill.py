"""Bill: what one format of bills calls things; every bill becomes the same table of texts before they are judged."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from finops_lib.ingest.engine import quoted
from finops_lib.ingest.readers.mapped import Mapping, rows_of_page
from finops_lib.schema import CHARGES, INVOICE_DETAILS, names

MADE = (
    *("exchange_rate", "exchange_rate_source", "department", "source", "source_file", "source_position"),
    *(name for name in names(CHARGES) if name.startswith("billing_currency_")),
)
"""Columns the kit works out itself; no bill gives them."""

GIVEN = {
    table: tuple(name for name in names(contract) if name not in MADE)
    for table, contract in (("charges", CHARGES), ("invoice_details", INVOICE_DETAILS))
}
"""What a bill may give for a line, as text; its costs are in the currency of the bill."""


@dataclass(frozen=True)
class BillReader:
    """One format of bills.

    Parameters
    ----------
    name : str
        Name for ``finops ingest --format``.
    fields : dict
        Fields of a record → ``VARCHAR`` or ``JSON``.
    select : dict
        Name of ``GIVEN[table]`` → SQL over the fields, a text.
    table : str
        ``charges`` or ``invoice_details``.
    relation : str
        SQL relation the select reads; has ``source_file`` and ``source_position``.
    signature : tuple of frozenset
        Field names any of which sets marks a record as being of this format.
    constants : dict
        Name → text where the select gives none.
    known : frozenset of str
        Fields the format has and the kit does not keep; others are named as strays. Empty: strays are not looked for.
    unwrap : callable, optional
        Turns a JSON document with an envelope into records.
    exact_lines : bool
        A line is known for certain by what it is charged for: the same line in two files is never two lines.
    """

    name: str
    fields: dict[str, str]
    select: dict[str, str]
    table: str = "charges"
    relation: str = "records"
    signature: tuple[frozenset[str], ...] = ()
    constants: dict[str, str] = field(default_factory=dict)
    known: frozenset[str] = frozenset()
    unwrap: Callable[[Any], Iterable[Any]] | None = None
    exact_lines: bool = False

    def given_sql(self) -> str:
        """Write the SQL that yields one row of ``GIVEN`` texts per record."""
        chosen = []
        for name in GIVEN[self.table]:
            value = self.select.get(name, "CAST(NULL AS VARCHAR)")
            if name in self.constants:
                value = f"coalesce(blank({value}), {quoted(self.constants[name])})"
            chosen.append(f"CAST({value} AS VARCHAR) AS {name}")
        return f"SELECT source_file, source_position, {', '.join(chosen)} FROM {self.relation}"


def cents(value: str) -> str:
    """Write the SQL that turns an amount in cents into whole currency units, exactly; what is no number stays text."""
    return (
        f"coalesce(CAST(TRY_CAST({value} AS DECIMAL(36, 13)) * CAST('0.01' AS DECIMAL(2, 2)) AS VARCHAR), "
        f"'not cents: ' || {value})"
    )


def mapped_bill(mapping: Mapping, table: str) -> BillReader:
    """Make a reader of bills from a mapping of columns.

    Parameters
    ----------
    mapping : Mapping
        Names of the file's columns; costs are in the currency of the bill, in units or cents. Columns that the kit
        works out itself are passed over.
    table : str
        ``charges`` or ``invoice_details``.

    Returns
    -------
    BillReader
        A format like the others.
    """
    columns = {name: column for name, column in mapping.columns.items() if name not in MADE}
    select = {}
    for name, column in columns.items():
        quoted = '"' + column.replace('"', '""') + '"'
        select[name] = cents(quoted) if mapping.cost_unit == "cents" and name.endswith("_cost") else quoted
    return BillReader(
        name=f"mapped-{table.replace('_', '-')}",
        table=table,
        fields=dict.fromkeys(columns.values(), "VARCHAR"),
        select=select,
        constants={name: value for name, value in mapping.constants.items() if name not in MADE},
        unwrap=partial(rows_of_page, columns=frozenset(columns.values())),
    )
