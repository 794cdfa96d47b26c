"""Tables: frames with a title, units and a source, readable with and without HTML."""

from __future__ import annotations

import hashlib
import html
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd
from pandas.io.formats.style import Styler

from finops_lib.report.text import UNKNOWN, count, is_known, share, unit_price, usd, words

_STYLES = [
    # as wide as the page, not as the table: a narrow table does not fold its title, a wide one does not hide it
    {
        "selector": "caption",
        "props": "caption-side: top; text-align: left; font-weight: bold; padding-bottom: 0.4em; width: max-content; "
        "max-width: min(46rem, calc(100vw - 2.5rem))",
    },
    {"selector": "th, td", "props": "text-align: left; vertical-align: top"},
    {"selector": "tbody th", "props": "min-width: 8em; overflow-wrap: break-word"},
    {"selector": "thead th", "props": "vertical-align: bottom"},
    {"selector": ".number", "props": "text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums"},
    {"selector": "thead th.number", "props": "white-space: normal"},
    {"selector": "td.none", "props": "font-style: italic"},
    {"selector": ".verdict-fail", "props": "font-weight: bold; color: #a3180d"},
]


@dataclass(frozen=True)
class Label:
    """How a column is headed and written.

    Parameters
    ----------
    title : str
        Words over the column.
    unit : str
        Unit, written in brackets after the title; empty for names.
    write : callable
        Value → text, without the unit; not asked for nulls.
    missing : str
        What stands for a null.
    is_number : bool
        Whether the column is aligned to the right.
    """

    title: str
    unit: str = ""
    write: Callable[[Any], str] = str
    missing: str = "–"
    is_number: bool = False

    @property
    def heading(self) -> str:
        """Title with unit."""
        return f"{self.title} ({self.unit})" if self.unit else self.title


def _money(value: Any) -> str:
    return usd(value).removeprefix("USD ")


def _price(value: Any) -> str:
    return unit_price(value, digits=4).removeprefix("USD ")


def _change(value: Any) -> str:
    return share(value, signed=True)


def _percent(value: Any) -> str:
    return share(value, decimals=1)


def _rounded(value: Any) -> str:
    return count(round(float(value)))


def _day(value: Any) -> str:
    return str(value)[:10]


def _yes_no(value: Any) -> str:
    return "yes" if value else "no"


def _words_of(value: Any) -> str:
    return words(str(value))


COLUMNS: dict[str, Label] = {
    "contracted_cost": Label("Contracted cost", "USD", _money, "no price", is_number=True),
    "list_cost": Label("List cost", "USD", _money, "no price", is_number=True),
    "avoided_cost": Label("Avoided by cache", "USD", _money, is_number=True),
    "attributed_cost": Label("Attributed cost", "USD", _money, is_number=True),
    "cost_of_successful_tasks": Label("Cost of successful tasks", "USD", _money, is_number=True),
    "cost_without_result": Label("Cost without result", "USD", _money, is_number=True),
    "cost": Label("Cost", "USD", _money, "no price", is_number=True),
    "cost_per_day": Label("Cost per day", "USD", _money, is_number=True),
    "cost_per_request": Label("Cost per request", "USD", _price, is_number=True),
    "cost_per_task": Label("Cost per task", "USD", _price, is_number=True),
    "cost_per_successful_task": Label("Cost per successful task", "USD", _price, "no success", is_number=True),
    "usd_per_million": Label("Effective price", "USD per million", _price, "no price", is_number=True),
    "share": Label("Share of cost", "", _percent, is_number=True),
    "share_of_cost": Label("Share of cost", "", _percent, is_number=True),
    "share_of_tokens": Label("Share of tokens", "", _percent, is_number=True),
    "share_of_requests": Label("Share of requests", "", _percent, is_number=True),
    "share_of_input": Label("Share of input", "", _percent, is_number=True),
    "success_rate": Label("Tasks that succeed", "", _percent, is_number=True),
    "useful_share": Label("Share of cost spent on successes", "", _percent, is_number=True),
    "coverage": Label("Share of cost attributed", "", _percent, UNKNOWN, is_number=True),
    "coverage_of_tokens": Label("Share of tokens attributed", "", _percent, UNKNOWN, is_number=True),
    "reported_cost": Label("Reported cost", "USD", _money, "not reported", is_number=True),
    "difference": Label("Difference", "", _change, is_number=True),
    "requests": Label("Requests", "", count, UNKNOWN, is_number=True),
    "user_id": Label("User"),
    "source_position": Label("Line or row", "", count, is_number=True),
    "layer": Label("Seen by", "", _words_of),
    "covered_by": Label("Ledger takes", "", _words_of),
    "capture_layer": Label("Seen by", "", _words_of),
    "nearest_known_name": Label("Nearest name with a price", "", str, "none"),
    "how_to_add": Label("What adds it"),
    "own_rows": Label("Of them for this page", "", count, is_number=True),
    "month": Label("Month"),
    "first_day": Label("First day", "", _day),
    "last_day": Label("Last day", "", _day),
    "charge_period_start": Label("Day", "", _day),
    "is_partial": Label("Covered in part", "", _yes_no),
    "token_class": Label("Token class", "", _words_of),
    "api_key": Label("API key"),
    "success_definition": Label("Successful means"),
}
"""Columns whose heading or format cannot be told from their name and type."""

_ENDINGS: dict[str, Label] = {
    "_change": Label("", "", _change, is_number=True),
    "_per_request": Label("", "", _rounded, is_number=True),
    "_average": Label("", "", count, is_number=True),
}


_COMPARED = {"<=": "at most", "<": "less than", ">=": "at least", ">": "more than", "==": "exactly"}


class Table:
    """A frame as readers see it: titled, with units and a source; the frame itself is kept.

    Parameters
    ----------
    frame : DataFrame
        The data, unrounded; its index is not shown.
    title : str
        What the table shows.
    source : str, optional
        Where the numbers come from, written below.
    labels : mapping of str to Label, optional
        Headings and formats of columns that ``COLUMNS`` does not know, or not so.
    columns : list of str, optional
        Columns to show, in order; all when not given.
    empty : str
        What a table without rows says in their place.
    """

    def __init__(
        self,
        frame: pd.DataFrame,
        title: str,
        *,
        source: str = "",
        labels: Mapping[str, Label] | None = None,
        columns: list[str] | None = None,
        empty: str = "none",
    ) -> None:
        self.frame = frame
        self.title = title
        self.source = source
        self.empty = empty
        shown = list(frame.columns) if columns is None else columns
        self._labels = [(labels or {}).get(str(name)) or _label(frame, str(name)) for name in shown]
        self._cells = [
            [label.write(value) if is_present(value) else label.missing for value in frame[name]]
            for name, label in zip(shown, self._labels, strict=True)
        ]

    @property
    def headings(self) -> list[str]:
        """Column headings with units."""
        return [label.heading for label in self._labels]

    @property
    def rows(self) -> list[list[str]]:
        """Cells as written, row by row."""
        return [list(row) for row in zip(*self._cells, strict=True)] if self._cells else []

    def to_html(self) -> str:
        """Write the table as accessible HTML; text from the data is escaped.

        Returns
        -------
        str
            A ``table`` with caption, header cells with scope, and the source below.
        """
        # numbered columns: two headings may read the same
        cells = pd.DataFrame(
            {place: [html.escape(text) for text in column] for place, column in enumerate(self._cells)}, dtype=object
        )
        classes = pd.DataFrame(
            {place: [self._classes(place, text) for text in column] for place, column in enumerate(self._cells)},
            dtype=object,
        )
        digest = hashlib.sha256(f"{self.title}{self.headings}{self.rows}".encode()).hexdigest()[:8]
        styler = Styler(cells, uuid=digest, cell_ids=False).hide(axis="index").set_td_classes(classes)
        styler = styler.set_caption(html.escape(self.title)).set_table_styles(_STYLES)
        markup = styler.to_html()
        for place, label in enumerate(self._labels):
            kind = " number" if label.is_number else ""
            head = rf'<th [^>]*class="col_heading level0 col{place}"[^>]*>{place}</th>'
            cell = f'<th scope="col" class="col_heading{kind}">{html.escape(label.heading)}</th>'
            markup = re.sub(head, lambda _, cell=cell: cell, markup, count=1)
        # the first cell of a row names it
        markup = re.sub(
            r'(<tr>\s*)<td class="data row(\d+) col0([^"]*)" >(.*?)</td>',
            r'\1<th scope="row" class="data row\2 col0\3">\4</th>',
            markup,
            flags=re.DOTALL,
        )
        if not self.rows:
            none = f'<tr><td class="none" colspan="{len(self._labels)}">{html.escape(self.empty)}</td></tr>'
            markup = re.sub(r"<tbody>\s*</tbody>", lambda _: f"<tbody>{none}</tbody>", markup, count=1)
        source = f'<p class="source"><small>Source: {html.escape(self.source)}</small></p>' if self.source else ""
        return markup.rstrip() + "\n" + source

    def to_text(self) -> str:
        """Write the table as aligned plain text.

        Returns
        -------
        str
            Title, table and source on lines of their own.
        """
        plain = [[" ".join(cell.split()) for cell in row] for row in [self.headings, *self.rows]]
        widths = [max(len(row[place]) for row in plain) for place in range(len(self._labels))]
        lines = [
            "  ".join(
                cell.rjust(width) if label.is_number else cell.ljust(width)
                for cell, width, label in zip(row, widths, self._labels, strict=True)
            ).rstrip()
            for row in plain
        ]
        none = [f"({self.empty})"] if not self.rows else []
        return "\n".join([self.title, *lines, *none, *([f"Source: {self.source}"] if self.source else [])])

    def __repr__(self) -> str:
        """Return the plain text."""
        return self.to_text()

    def _repr_html_(self) -> str:
        return self.to_html()

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/html": self.to_html(), "text/plain": self.to_text()}

    def _classes(self, place: int, text: str) -> str:
        if text == "FAIL":
            return "verdict-fail"
        return "number" if self._labels[place].is_number else ""


def decision_table(checks: pd.DataFrame, title: str, source: str = "") -> Table:
    """Show checks as decisions, in words.

    Parameters
    ----------
    checks : DataFrame
        Check rows.
    title : str
        What was decided on.
    source : str, optional
        Where the numbers come from.

    Returns
    -------
    Table
        One row per check: what, found, required, ``pass`` or ``FAIL``, comment. The check rows
        themselves are its ``frame``.
    """
    decisions = pd.DataFrame(
        {
            "check": [words(str(name)).capitalize() for name in checks["check"]],
            "found": [_with_unit(*pair) for pair in zip(checks["statistic"], checks["unit"], strict=True)],
            "required": [
                f"{_COMPARED.get(comparison, comparison)} {_with_unit(threshold, unit)}"
                for comparison, threshold, unit in zip(
                    checks["operator"], checks["threshold"], checks["unit"], strict=True
                )
            ],
            "verdict": ["pass" if passed else "FAIL" for passed in checks["passed"]],
            "comment": checks["comment"].tolist(),
        },
        dtype=object,
    )
    labels = {name: Label(name.capitalize()) for name in decisions.columns}
    table = Table(decisions, title, source=source, labels=labels)
    table.frame = checks
    return table


def is_present(value: Any) -> bool:
    """Tell whether a cell holds something to write.

    Parameters
    ----------
    value : object
        A cell.

    Returns
    -------
    bool
        False for ``None``, NaN, NaT and NA.
    """
    return bool(pd.notna(value)) if pd.api.types.is_scalar(value) else True


def _label(frame: pd.DataFrame, name: str) -> Label:
    """Find how to head and write a column from its name, else from its type."""
    if name in COLUMNS:
        return COLUMNS[name]
    title = words(name)
    title = title[:1].upper() + title[1:]
    ending = next((label for end, label in _ENDINGS.items() if name.endswith(end)), None)
    if ending is not None:
        return Label(title.removesuffix(" change") + (" change" if name.endswith("_change") else ""), ending.unit,
                     ending.write, ending.missing, ending.is_number)  # fmt: skip
    kind = frame[name].dtype
    if pd.api.types.is_bool_dtype(kind):
        return Label(title, "", _yes_no)
    if pd.api.types.is_numeric_dtype(kind):
        return Label(title, "", count, is_number=True)
    if pd.api.types.is_datetime64_any_dtype(kind):
        return Label(title, "", _day)
    return Label(title)


def _with_unit(value: float, unit: str) -> str:
    """Write a statistic in its unit."""
    if not is_known(value):
        return UNKNOWN
    if unit == "share":
        return share(value, decimals=1)
    if unit == "USD" or unit.startswith("USD/"):
        return unit_price(value, digits=4) + unit.removeprefix("USD").replace("/", " a ")
    return f"{count(value)} {unit}".rstrip()
