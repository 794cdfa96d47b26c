"""Bars: horizontal bars with their values written beside them, and how labels find room."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes

from finops_lib.report.axis_units import money_axis, share_axis
from finops_lib.report.chart import ACTUAL, INK, MUTED, QUIET, SECONDARY, UNKNOWN, Chart, new_chart
from finops_lib.report.text import month_name, share, two_lines, usd

UNATTRIBUTED = "unattributed"
REST = "everything else ("
_THIN = "#999999"


def spread(positions: list[float], gap: float) -> list[float]:
    """Move label positions apart so that no two are closer than ``gap``, keeping their order.

    Parameters
    ----------
    positions : list of float
        Wanted positions.
    gap : float
        Least distance.

    Returns
    -------
    list of float
        Positions in the order given, moved as little as need be around their own centre.

    Examples
    --------
    >>> spread([1.0, 1.0, 5.0], 1.0)
    [0.5, 1.5, 5.0]
    """
    order = sorted(range(len(positions)), key=lambda place: positions[place])
    clusters: list[tuple[list[int], float]] = []
    for place in order:
        members, centre = [place], positions[place]
        while clusters and centre - gap * (len(members) - 1) / 2 < (
            clusters[-1][1] + gap * (len(clusters[-1][0]) - 1) / 2 + gap
        ):
            before, middle = clusters.pop()
            weight = len(before) + len(members)
            centre = (middle * len(before) + centre * len(members)) / weight
            members = before + members
        clusters.append((members, centre))
    moved = [0.0] * len(positions)
    for members, centre in clusters:
        for step, place in enumerate(members):
            moved[place] = centre + gap * (step - (len(members) - 1) / 2)
    return moved


def listing(names: list[str], values: list[str], limit: int = 12) -> str:
    """Write names with their values as one sentence for alternative text.

    Parameters
    ----------
    names, values : list of str
        Of the same length.
    limit : int
        Most pairs to write out.

    Returns
    -------
    str
        E.g. ``a: 1; b: 2; and 3 more.``
    """
    pairs = [f"{name}: {value}" for name, value in zip(names, values, strict=True)]
    rest = len(pairs) - limit
    return "; ".join(pairs[:limit]) + (f"; and {rest} more." if rest > 0 else ".")


def cost_label(amount: Any, part: float | None) -> str:
    """Write the label of a bar: money, and its share where that is a part of a whole.

    Parameters
    ----------
    amount : Decimal or float
        USD.
    part : float or None
        Share of the total.

    Returns
    -------
    str
        E.g. ``USD 1,235 · 61.2%``.
    """
    of_total = f" · {share(part, decimals=1)}" if part is not None and part == part and 0 <= part <= 1 else ""
    return f"{usd(amount, cents=False)}{of_total}"


def of_period(period: str) -> str:
    """Write the month a subtitle is of, after a comma; nothing without one."""
    return f", {month_name(period)}" if period else ""


def bar_height(rows: int) -> float:
    """Return the inches that so many horizontal bars need."""
    return 0.62 + 0.38 * rows


def highlight(names: list[str], values: np.ndarray) -> list[str]:
    """Colour the largest named bar, mute the others, grey what has no name.

    Parameters
    ----------
    names : list of str
        From the top down.
    values : ndarray
        Lengths of the bars.

    Returns
    -------
    list of str
        A colour for each bar.
    """
    named = [
        value if name != UNATTRIBUTED and not name.startswith(REST) else -np.inf
        for name, value in zip(names, values, strict=True)
    ]
    largest = int(np.argmax(named))
    return [
        UNKNOWN if name == UNATTRIBUTED or name.startswith(REST) else ACTUAL if place == largest else MUTED
        for place, name in enumerate(names)
    ]


def draw_bars(axes: Axes, names: list[str], values: np.ndarray, labels: list[str], colors: list[str]) -> None:
    """Draw horizontal bars from the top down, each with its label beside it.

    Parameters
    ----------
    axes : Axes
        Where to draw.
    names, labels, colors : list of str
        One for each bar; a label that says "no …" is set back.
    values : ndarray
        Lengths; negative ones (credits) go to the left.
    """
    bars = axes.barh(range(len(names)), values, color=colors, height=0.68)
    for bar, name in zip(bars, names, strict=True):
        if name == UNATTRIBUTED:
            bar.set_hatch("///")
    low, high = min(values.min(), 0.0), max(values.max(), 0.0)
    rows_axis(axes, names)
    end_labels(axes, np.maximum(values, 0), labels)
    axes.set_xlim(low - (0.02 * (high - low) if low < 0 else 0), high + _room(labels) * (high - low or 1.0))
    axes.spines["left"].set_visible(low == 0)
    if low < 0:
        axes.axvline(0, color=_THIN, linewidth=0.8)


def draw_waterfall(
    axes: Axes,
    names: list[str],
    amounts: np.ndarray,
    totals: np.ndarray,
    labels: list[str],
    colors: list[str],
    *,
    low: float = 0.0,
) -> None:
    """Draw steps from the top down, each beginning where the one above it ended; the horizontal axis carries money.

    Parameters
    ----------
    axes : Axes
        Where to draw.
    names, labels, colors : list of str
        One for each step.
    amounts : ndarray
        What each step adds (USD); of a total, where it stands.
    totals : ndarray of bool
        Which steps are totals: their bars begin at the axis.
    low : float
        Where the axis begins, e.g. ``cut_of`` the same steps.
    """
    ends = waterfall_ends(amounts, totals)
    starts = np.where(totals, low, ends - amounts)
    left, right = np.minimum(starts, ends), np.maximum(starts, ends)
    axes.barh(range(len(names)), right - left, left=left, color=colors, height=0.68)
    for place, end in enumerate(ends[:-1]):
        axes.plot([end] * 2, [place + 0.34, place + 0.66], color=_THIN, linewidth=0.8)
    rows_axis(axes, names)
    end_labels(axes, right, labels)
    least, most = min(low, float(left.min())), float(right.max())
    axes.set_xlim(least, most + _room(labels) * (most - least or 1.0))
    money_axis(axes.xaxis)


def waterfall_ends(amounts: np.ndarray, totals: np.ndarray) -> np.ndarray:
    """Tell where each step of a waterfall ends: a total at its amount, a step that much further than the one above.

    Examples
    --------
    >>> waterfall_ends(np.array([10.0, -3.0, 2.0, 9.0]), np.array([True, False, False, True])).tolist()
    [10.0, 7.0, 9.0, 9.0]
    """
    steps = np.where(totals, 0.0, amounts).cumsum()
    last = np.maximum.accumulate(np.where(totals, np.arange(len(amounts)), 0))
    return amounts[last] + steps - steps[last] if len(amounts) else amounts


def cut_of(amounts: np.ndarray, totals: np.ndarray) -> float:
    """Begin the axis near the lowest step where the steps would be hairlines beside the totals; else at zero."""
    ends = waterfall_ends(amounts, totals)
    lowest, highest = float(ends.min()), float(ends.max())
    span = highest - lowest
    return 0.0 if lowest <= 0 or not 0 < span <= 0.3 * highest else max(lowest - 0.6 * span, 0.0)


def rows_axis(axes: Axes, names: list[str]) -> None:
    """Name the rows of a chart from the top down, with guides for the values and none for the names."""
    axes.set_yticks(range(len(names)), [two_lines(name) for name in names], linespacing=1.0)
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.grid(visible=False, axis="y")
    axes.grid(visible=True, axis="x")


def end_labels(axes: Axes, ends: np.ndarray, labels: list[str]) -> None:
    """Write a label right of each row's end; one that says "no …" is set back."""
    for row, (end, label) in enumerate(zip(ends, labels, strict=True)):
        color = QUIET if label.startswith("no ") else INK
        axes.annotate(label, (end, row), xytext=(5, 0), textcoords="offset points", va="center", color=color)


def legend_above(figure: Chart, ncols: int) -> None:
    """Put the legend beside the titles, where it takes no room from the axes."""
    legend = figure.legend(
        loc="upper right", bbox_to_anchor=(0.995, figure.header), ncols=ncols, handlelength=1.0, handleheight=1.0,
        borderpad=0, columnspacing=1.2,
    )  # fmt: skip
    legend.set_in_layout(False)


def _room(labels: list[str]) -> float:
    """Return the part of the axis that labels right of the longest bar take."""
    return min(0.55, 0.016 * max(len(label) for label in labels) + 0.02)


def paired_bars(title: str, names: list[str], series: dict[str, np.ndarray], subtitle: str) -> Chart:
    """Draw two shares for each name.

    Parameters
    ----------
    title, subtitle : str
        As for ``new_chart``.
    names : list of str
        From the top down.
    series : dict of str to ndarray
        Two shares by what they are a share of; NaN is written as not known.

    Returns
    -------
    Chart
        The chart, without alternative text for its values.
    """
    row = 0.56 if max(name.count("\n") for name in names) < 2 else 0.64
    figure, (axes,) = new_chart(title, subtitle=subtitle, height=0.66 + row * len(names))
    place = np.arange(len(names))
    widest = max(float(np.nanmax(values, initial=0.0)) for values in series.values())
    for (label, values), color, shift in zip(series.items(), (SECONDARY, ACTUAL), (-0.19, 0.19), strict=True):
        axes.barh(place + shift, np.nan_to_num(values), height=0.34, color=color, label=label)
        for row, value in enumerate(values):
            text = "not known" if np.isnan(value) else share(value, decimals=1)
            axes.annotate(
                text,
                (max(np.nan_to_num(value), 0), row + shift),
                xytext=(4, 0),
                textcoords="offset points",
                va="center",
                fontsize=9,
                color=QUIET if np.isnan(value) else INK,
            )
    axes.set_yticks(place, names, linespacing=1.05)
    axes.set_ylim(len(names) - 0.45, -0.55)
    axes.set_xlim(0, (widest or 1.0) * 1.12)
    axes.grid(visible=False, axis="y")
    axes.grid(visible=True, axis="x")
    share_axis(axes.xaxis)
    axes.set_xlabel("Share (%)")
    legend_above(figure, 2)
    return figure
