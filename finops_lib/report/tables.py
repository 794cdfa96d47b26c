"""Tables: frames with a title, units and a source, readable with and without HTML."""

from __future__ import annotations

import hashlib
import html
import re
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from pandas.io.formats.style import Styler

from finops_lib.report.labels import Label, label_of
from finops_lib.report.text import UNKNOWN, count, is_known, share, unit_price, words

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
    {"selector": ".day", "props": "white-space: nowrap"},
    {"selector": "td.none", "props": "font-style: italic"},
    {"selector": ".total", "props": "font-weight: bold; border-top: 1px solid #999999"},
    {"selector": ".verdict-fail", "props": "font-weight: bold; color: #a3180d"},
]

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
    rows : int, optional
        Rows to show; the others become one, "everything else (n)", that holds the rest of the totals.
    totals : sequence of str
        Columns that add up: a last row says what to.
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
        rows: int | None = None,
        totals: Sequence[str] = (),
    ) -> None:
        self.frame = frame
        self.title = title
        self.source = source
        self.empty = empty
        shown = list(frame.columns) if columns is None else columns
        self._labels = [(labels or {}).get(str(name)) or label_of(frame, str(name)) for name in shown]
        kept = frame if rows is None or len(frame) <= rows + 1 else frame.head(rows)
        self._cells = [
            [label.write(value) if is_present(value) else label.missing for value in kept[name]]
            for name, label in zip(shown, self._labels, strict=True)
        ]
        self._add_sums(frame.iloc[len(kept) :], f"everything else ({len(frame) - len(kept)})", shown, totals)
        self._total_at = len(kept) + (len(kept) < len(frame)) if totals and len(frame) > 1 else None
        if self._total_at is not None:
            self._add_sums(frame, "Total", shown, totals)

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
            {
                place: [self._classes(place, row, text) for row, text in enumerate(column)]
                for place, column in enumerate(self._cells)
            },
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

    def _add_sums(self, frame: pd.DataFrame, name: str, shown: list[str], totals: Sequence[str]) -> None:
        """Add one row for several, with what adds up; none for no rows."""
        if frame.empty:
            return
        for place, (column, label) in enumerate(zip(shown, self._labels, strict=True)):
            summed = frame[column].sum(min_count=1) if column in totals else None
            self._cells[place].append(name if place == 0 else label.write(summed) if is_present(summed) else "")

    def _classes(self, place: int, row: int, text: str) -> str:
        kinds = ["verdict-fail"] if text == "FAIL" else ["number"] if self._labels[place].is_number else []
        kinds += ["day"] if re.fullmatch(r"\d{4}-\d\d-\d\d", text) else []
        return " ".join([*kinds, *(["total"] if row == self._total_at else [])])


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
        One row per check: what, found, required, ``pass``, ``FAIL`` or ``not known`` (which does not pass), comment.
        The check rows themselves are its ``frame``.
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
            "verdict": [
                "pass" if passed else "FAIL" if is_known(found) else UNKNOWN
                for passed, found in zip(checks["passed"], checks["statistic"], strict=True)
            ],
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


def _with_unit(value: float, unit: str) -> str:
    """Write a statistic in its unit."""
    if not is_known(value):
        return UNKNOWN
    if unit == "share":
        return share(value, decimals=1)
    if unit == "USD" or unit.startswith("USD/"):
        return unit_price(value, digits=4) + unit.removeprefix("USD").replace("/", " a ")
    return f"{count(value)} {unit.removesuffix('s') if value == 1 else unit}".rstrip()
