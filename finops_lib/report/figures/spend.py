"""Spend figures: where the money goes."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd
from matplotlib import colormaps

from finops_lib.report.axis_units import count_axis, money_axis
from finops_lib.report.bars import (
    REST,
    UNATTRIBUTED,
    bar_height,
    cost_label,
    draw_bars,
    highlight,
    listing,
    of_period,
)
from finops_lib.report.chart import ACTUAL, INK, MUTED, UNKNOWN, Chart, describe, new_chart, words_only
from finops_lib.report.text import count, month_name, share, two_lines, usd, words

_CENT = 0.01


def plot_spend(spend: pd.DataFrame, *, period: str = "") -> Chart:
    """Draw what each value of a dimension costs.

    Parameters
    ----------
    spend : DataFrame
        One row per value, in the order to draw: the dimension first, ``contracted_cost`` (USD, null
        where nothing has a price), ``share``, ``tokens``, ``unpriced_tokens``.
    period : str
        Month ``YYYY-MM`` the spend is of, for the title.

    Returns
    -------
    Figure
        Horizontal bars with amount and share; in tokens when nothing has a price.
    """
    dimension = str(spend.columns[0])
    if spend.empty:
        return words_only(f"No spend by {words(dimension)}{of_period(period)}", "There is no traffic in this scope.")
    names = spend[dimension].astype(str).tolist()
    unpriced = spend["contracted_cost"].isna().to_numpy()
    if unpriced.all():
        return _plot_unpriced(spend, names, period)
    costs = spend["contracted_cost"].astype("float64").fillna(0.0).to_numpy()
    if not _names_something(names):
        return _unnamed(words(dimension), costs.sum(), period)
    labels = [
        f"no price · {count(tokens, compact=True)} tokens" if missing else cost_label(cost, part)
        for cost, part, tokens, missing in zip(
            spend["contracted_cost"], spend["share"], spend["unpriced_tokens"], unpriced, strict=True
        )
    ]
    figure, (axes,) = new_chart(
        _spend_title(spend, dimension, period),
        subtitle=f"Contracted cost by {words(dimension)}{of_period(period)}",
        height=bar_height(len(names)),
    )
    draw_bars(axes, names, costs, labels, highlight(names, costs))
    money_axis(axes.xaxis)
    axes.set_xlabel("Contracted cost (USD)")
    return describe(figure, f"Horizontal bars of contracted cost by {words(dimension)}. {listing(names, labels)}")


def plot_prompt_composition(composition: pd.DataFrame, *, period: str = "") -> Chart:
    """Draw what the input tokens carry.

    Parameters
    ----------
    composition : DataFrame
        One row per part of the prompt: ``part``, ``tokens``, ``share_of_input``.
    period : str
        Month ``YYYY-MM``, for the title.

    Returns
    -------
    Figure
        Horizontal bars; words where no source itemises its prompts.
    """
    itemised = composition[composition["part"] != "not itemised"]
    if itemised.empty:
        return words_only(
            f"What the input tokens carry is not known{of_period(period)}",
            "No source says how many input tokens are system prompt, history, retrieved context or tool results.",
        )
    names = composition["part"].astype(str).tolist()
    tokens = composition["tokens"].astype("float64").to_numpy()
    labels = [
        f"{count(number, compact=True)} · {share(part, decimals=1)}"
        for number, part in zip(tokens, composition["share_of_input"], strict=True)
    ]
    first = itemised.iloc[0]
    figure, (axes,) = new_chart(
        f"{str(first['part']).capitalize()} is {share(first['share_of_input'])} of the input tokens",
        subtitle=f"Input tokens by part of the prompt{of_period(period)}",
        height=bar_height(len(names)),
    )
    colors = [UNKNOWN if name == "not itemised" else ACTUAL if name == first["part"] else MUTED for name in names]
    draw_bars(axes, names, tokens, labels, colors)
    count_axis(axes.xaxis)
    axes.set_xlabel("Input tokens, cached ones included")
    return describe(figure, f"Horizontal bars of input tokens by part of the prompt. {listing(names, labels)}")


def plot_spend_matrix(matrix: pd.DataFrame, *, period: str = "", cost: str = "Contracted cost") -> Chart:
    """Draw what each pair of two dimensions costs.

    Parameters
    ----------
    matrix : DataFrame
        Cost in USD, null where traffic has no price: index one dimension, columns the other.
    period : str
        Month ``YYYY-MM``, for the title.
    cost : str
        Which cost it is.

    Returns
    -------
    Figure
        A grid, darker where it costs more, the amount written in each cell.
    """
    rows, columns = words(str(matrix.index.name)), words(str(matrix.columns.name))
    if matrix.empty:
        return words_only(f"No spend by {rows} and {columns}{of_period(period)}", "There is no traffic in this scope.")
    cells = matrix.astype("float64").to_numpy()
    if np.isnan(cells).all() or np.nanmax(cells) <= 0:
        return words_only(f"No cost by {rows} and {columns}{of_period(period)}", "Nothing in this scope has a price.")
    at = np.unravel_index(np.nanargmax(cells), cells.shape)
    if not _names_something(matrix.index) or not _names_something(matrix.columns):
        unnamed = columns if _names_something(matrix.index) else rows
        reason = f"No call names its {unnamed}: the spend of {usd(np.nansum(cells))} cannot be split by it."
        return words_only(f"No spend by {rows} and {columns}{of_period(period)}", reason)
    pair = f"{matrix.index[at[0]]} × {matrix.columns[at[1]]}"
    figure, (axes,) = new_chart(
        f"The largest block is {pair}: {usd(matrix.iloc[at], cents=False)}, "
        f"{share(cells[at] / np.nansum(cells))} of the cost",
        subtitle=f"{cost} (USD) by {rows} and {columns}{of_period(period)}",
        height=0.95 + 0.42 * len(matrix),
    )
    axes.grid(visible=False)
    shades = colormaps["Blues"].with_extremes(bad="#EEEEEE")
    axes.imshow(np.ma.masked_invalid(cells), cmap=shades, vmin=0, vmax=np.nanmax(cells) * 1.15, aspect="auto")
    axes.set_xticks(
        range(cells.shape[1]), [two_lines(str(name), 110 // cells.shape[1]) for name in matrix.columns], fontsize=9
    )
    axes.set_yticks(range(cells.shape[0]), [two_lines(str(name), 28) for name in matrix.index])
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    for (row, column), cost in np.ndenumerate(cells):
        written = "no price" if np.isnan(cost) else "–" if cost == 0 else _cell(cost, cells.shape[1])
        color = "white" if cost > 0.6 * np.nanmax(cells) else INK
        axes.text(column, row, written, ha="center", va="center", fontsize=9, color=color)
    axes.set_xlabel(columns.capitalize())
    axes.set_ylabel(rows.capitalize())
    values = [
        ", ".join(
            f"{name} {'no price' if np.isnan(cost) else usd(cost)}"
            for name, cost in zip(matrix, row, strict=True)
            if cost
        )
        for row in cells
    ]
    return describe(figure, f"Grid of cost by {rows} and {columns}. {listing([str(n) for n in matrix.index], values)}")


def _names_something(values: Iterable[object]) -> bool:
    return any(value != UNATTRIBUTED for value in values)


def _unnamed(dimension: str, cost: float, period: str) -> Chart:
    """Say in words that no call names a dimension, and what would."""
    key = dimension.replace(" ", "_").lower()
    return words_only(
        f"No call names its {dimension}{of_period(period)}",
        f"All of it, {usd(cost)}, is unattributed. A tag '{key}' on the calls names it, or "
        f"'defaults: {{{key}: …}}' at a source in parameters/organisation.yaml or in an assistant's file.",
    )


def _plot_unpriced(spend: pd.DataFrame, names: list[str], period: str) -> Chart:
    dimension = words(str(spend.columns[0]))
    tokens = spend["tokens"].astype("float64").to_numpy()
    labels = [count(number, compact=True) for number in tokens]
    figure, (axes,) = new_chart(
        f"Cost by {dimension} is not known: {count(tokens.sum(), compact=True)} tokens have no price",
        subtitle=f"Billed tokens by {dimension}{of_period(period)}",
        height=bar_height(len(names)),
    )
    draw_bars(axes, names, tokens, labels, [UNKNOWN] * len(names))
    count_axis(axes.xaxis)
    axes.set_xlabel("Billed tokens")
    return describe(figure, f"Horizontal bars of tokens by {dimension}. {listing(names, labels)}")


def _spend_title(spend: pd.DataFrame, dimension: str, period: str) -> str:
    priced = spend[spend["contracted_cost"].notna()]
    cost = f"{month_name(period)}'s cost" if period else "the cost"
    amounts = priced["contracted_cost"].astype("float64")
    largest = priced.loc[amounts.idxmax()]
    name, part = str(largest[dimension]), largest["share"]
    if amounts.max() <= 0:
        return f"{month_name(period) if period else 'This scope'} cost nothing"
    if pd.isna(part) or not 0 < part <= 1:
        return f"{name} is the largest part of {cost}: {usd(largest['contracted_cost'])}"
    if name == UNATTRIBUTED:
        return f"{share(part)} of {cost} names no {words(dimension)}"
    if name.startswith(REST):
        named = priced[~priced[dimension].astype(str).str.startswith(REST) & (priced[dimension] != UNATTRIBUTED)]
        if not named.empty:
            first = named.loc[amounts[named.index].idxmax()]
            return f"{first[dimension]} is the largest {words(dimension)}, with {share(first['share'])} of {cost}"
        return f"Many small parts make {cost}: {usd(largest['contracted_cost'])}"
    if len(spend) == 1:
        return f"{name} is all of {cost}: {usd(largest['contracted_cost'])}"
    return f"{name} is {share(part)} of {cost}"


def _cell(cost: float, columns: int) -> str:
    written = usd(cost, cents=False).removeprefix("USD ")
    if columns <= 6 or len(written) <= 6:
        return written
    return count(cost, compact=True) if abs(cost) >= _CENT else "<0.01"
