"""Reconciliation figures: the way from estimate to invoice, and which months and providers tie."""

from __future__ import annotations

from typing import Any

import pandas as pd
from matplotlib.patches import Rectangle

from finops_lib.report.bars import bar_height, cut_of, draw_waterfall, listing, of_period
from finops_lib.report.chart import (
    ACTUAL,
    ANOMALY,
    INK,
    MUTED,
    SAVING,
    SECONDARY,
    Chart,
    describe,
    new_chart,
    words_only,
)
from finops_lib.report.text import month_name, share, two_lines, usd, words

_TOTALS = {"at_list_prices": "log at list prices", "estimate": "estimate: log at our prices", "invoice": "invoice"}
_SHADES = {
    "ties exactly": "#D7EBDF",
    "explained": "#D7EBDF",
    "within tolerance": "#EAF3D9",
    "outside tolerance": "#F6D5C3",
    "billed, not logged": "#FBE7C2",
    "no log": "#F6D5C3",
    "no invoice": "#FBE7C2",
}
"""A tint behind the word; the word says it."""


def plot_variance_bridge(bridge: pd.DataFrame, *, period: str = "") -> Chart:
    """Draw the way from what was logged to what is paid.

    Parameters
    ----------
    bridge : DataFrame
        One row per step: ``step``, ``amount`` (USD), ``is_total``.
    period : str
        Month ``YYYY-MM``, for the title.

    Returns
    -------
    Chart
        Horizontal bars; each step begins where the one above it ended. The axis begins where the steps can be seen.
    """
    if bridge.empty:
        reason = "No bill of a model provider was read for it. A source with 'format: focus' adds one."
        return words_only(f"There is no invoice to hold the log against{of_period(period)}", reason)
    amounts = bridge["amount"].astype("float64").to_numpy()
    totals = bridge["is_total"].to_numpy(bool)
    low = cut_of(amounts, totals)
    names = [_TOTALS.get(step, words(step)) for step in bridge["step"]]
    labels = [
        usd(amount) if total else f"{'+' if amount > 0 else ''}{usd(amount).removeprefix('USD ')}"
        for amount, total in zip(bridge["amount"], totals, strict=True)
    ]
    figure, (axes,) = new_chart(
        _bridge_title(bridge, period),
        subtitle=f"From the log to the invoice, by cause (USD){of_period(period)}"
        + ("; the axis does not begin at zero" if low else ""),
        height=bar_height(len(names)),
    )
    colors = [_color(step, amount, total) for step, amount, total in zip(bridge["step"], amounts, totals, strict=True)]
    draw_waterfall(axes, names, amounts, totals, labels, colors, low=low)
    axes.set_xlabel("Cost (USD)")
    return describe(figure, f"Waterfall from log to invoice. {listing(names, labels, 20)}")


def plot_reconciled_months(months: pd.DataFrame) -> Chart:
    """Draw which provider's invoice met the ledger in which month, in words.

    Parameters
    ----------
    months : DataFrame
        One row per ``month`` and ``provider``: ``state`` (words), ``variance`` (USD), ``variance_share``.

    Returns
    -------
    Chart
        A grid with the state and the variance in each cell.
    """
    shown = months[~months["state"].str.startswith("no invoice and").to_numpy(bool)] if len(months) else months
    if shown.empty:
        reason = "No bill of a model provider was read. A source with 'format: focus' adds one."
        return words_only("No month can be reconciled", reason)
    columns, rows = sorted(shown["month"].unique()), sorted(shown["provider"].unique())
    doubtful = shown["state"].isin(["outside tolerance", "billed, not logged", "no invoice", "no log"])
    title = f"{int(doubtful.sum())} of {len(shown)} invoices are missing, not logged or not explained"
    figure, (axes,) = new_chart(
        title if doubtful.any() else f"All {len(shown)} invoices tie to the log, or their difference has a name",
        subtitle="State of each provider's invoice, and its variance on the estimate (USD and share of the invoice)",
        height=0.75 + 0.55 * len(rows),
    )
    axes.grid(visible=False)
    said = []
    for cell in shown.to_dict("records"):
        column, row = columns.index(cell["month"]), rows.index(cell["provider"])
        amount = "" if pd.isna(cell["variance"]) or not cell["variance"] else _variance(cell)
        axes.add_patch(_tile(column, row, _SHADES.get(cell["state"], "#EEEEEE")))
        text = f"{cell['state']}\n{amount}" if amount else cell["state"]
        axes.text(column, row, text, ha="center", va="center", fontsize=9, color=INK, linespacing=1.3)
        said.append(f"{cell['provider']} {month_name(cell['month'])}: {text.replace(chr(10), ', ')}")
    axes.set_xticks(range(len(columns)), [month_name(month) for month in columns])
    axes.set_yticks(range(len(rows)), [two_lines(name, 24) for name in rows])
    axes.set_xlim(-0.5, len(columns) - 0.5)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.tick_params(length=0)
    axes.xaxis.tick_top()
    axes.spines[:].set_visible(False)
    return describe(figure, f"Grid of months and providers. {'; '.join(said[:40])}.")


def _variance(cell: dict[str, Any]) -> str:
    return f"{usd(cell['variance'])} ({share(cell['variance_share'], signed=True)})"


def _tile(column: int, row: int, color: str) -> Rectangle:
    return Rectangle((column - 0.48, row - 0.44), 0.96, 0.88, color=color, linewidth=0)


def _color(step: str, amount: float, total: bool) -> str:
    if total:
        return ACTUAL if step == "invoice" else MUTED
    if step == "unexplained":
        return ANOMALY
    return SECONDARY if amount > 0 else SAVING


def _bridge_title(bridge: pd.DataFrame, period: str) -> str:
    amounts = bridge.set_index("step")["amount"].astype("float64")
    variance = amounts["invoice"] - amounts["estimate"]
    whose = f"{month_name(period)}'s invoices" if period else "The invoices"
    if abs(variance) < 0.005:
        return f"{whose} meet the estimate"
    direction = "above" if variance > 0 else "below"
    causes = amounts.drop(["at_list_prices", "estimate", "invoice", "negotiated_prices"], errors="ignore")
    largest = words(str(causes.abs().idxmax()))
    return f"{whose} are {usd(abs(variance))} {direction} the estimate; the largest cause is {largest}"
