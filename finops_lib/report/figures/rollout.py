"""Rollout figures: the 90 days with today, what is done, what slipped, and where plan and actual part."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.dates import DayLocator, date2num, num2date
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter

from finops_lib.report.axis_units import money_axis
from finops_lib.report.bars import bar_height, draw_bars, listing
from finops_lib.report.chart import (
    ACTUAL,
    ANOMALY,
    FORECAST,
    INK,
    MUTED,
    QUIET,
    SAVING,
    SECONDARY,
    Chart,
    describe,
    new_chart,
    words_only,
)
from finops_lib.report.text import shorten, usd, words

_STATES = {
    "proved": ("o", SAVING, SAVING),
    "attested": ("D", FORECAST, FORECAST),
    "open": ("o", "white", QUIET),
    "overdue": ("X", ANOMALY, ANOMALY),
    "regressed": ("v", ANOMALY, INK),
}
"""State → marker, fill, edge: told apart by shape as well as by colour."""

_ROW, _LENGTH = 0.185, 90


def plot_rollout(state: pd.DataFrame, *, start: date | None, as_of: date | None) -> Chart:
    """Draw the 90 days: each item on its due day, by step, with what slipped.

    Parameters
    ----------
    state : DataFrame
        Items: ``step_name``, ``what``, ``due``, ``state``, ``done_on``, ``slip_days``.
    start, as_of : date or None
        First day of the 90, and the day looked from.

    Returns
    -------
    Chart
        One row an item; the line behind a marker runs from the due day to the day it was done, or to today.
    """
    if start is None:
        reason = (
            "'rollout: {start: …}' in parameters/organisation.yaml, or in the assistant's file, starts the 90 days."
        )
        return words_only("The 90 days have no first day, so nothing is due", reason)
    rows = _rows(state)
    figure, (axes,) = new_chart(
        _title(state, start, as_of),
        subtitle="Items of the rollout on their due day, by step; a line shows how far one slipped",
        height=0.75 + _ROW * len(rows),
    )
    labels = []
    for place, (step, item) in enumerate(rows):
        labels.append(step if item is None else shorten(item["what"], 60))
        if item is None:
            continue
        due = date2num(item["due"])
        marker, fill, edge = _STATES[item["state"]]
        if item["slip_days"]:
            axes.plot([due, due + item["slip_days"]], [place] * 2, color=fill, linewidth=1.6, alpha=0.6, zorder=1)
        axes.plot([due], [place], marker, color=fill, markeredgecolor=edge, markersize=6, zorder=2)
    _frame(axes, labels, [item is None for _, item in rows], start, as_of)
    handles = [
        Line2D([], [], linestyle="", marker=marker, color=fill, markeredgecolor=edge, markersize=6, label=name)
        for name, (marker, fill, edge) in _STATES.items()
        if (state["state"] == name).any()
    ]
    axes.legend(handles=handles, loc="lower left", bbox_to_anchor=(0, 1.0), ncols=5, fontsize=9, handletextpad=0.2,
                borderaxespad=1.8)  # fmt: skip
    said = [f"{item['what']} (due {item['due']})" for _, item in rows if item is not None]
    return describe(figure, f"Timeline. {listing(said, [i['state'] for _, i in rows if i is not None], 60)}")


def plot_plan_bridge(bridge: pd.DataFrame) -> Chart:
    """Draw what drove the cost of a month away from its plan.

    Parameters
    ----------
    bridge : DataFrame
        One row per step: ``step``, ``amount`` (USD a month), ``is_total``.

    Returns
    -------
    Chart
        Horizontal bars: plan and actual, and each cause with its sign.
    """
    if bridge.empty:
        reason = "It takes a plan whose models have a price ('plan' in the assistant's file), and a month with calls."
        return words_only("Plan and actual cannot be compared", reason)
    amounts = bridge["amount"].astype("float64").to_numpy()
    names = [words(str(step)) for step in bridge["step"]]
    labels = [
        usd(amount) if total else f"{'+' if amount > 0 else '−' if amount < 0 else ''}{usd(abs(amount))}"
        for amount, total in zip(amounts, bridge["is_total"], strict=True)
    ]
    planned, actual = amounts[0], amounts[-1]
    causes = bridge[~bridge["is_total"]].set_index("step")["amount"].astype("float64")
    largest = words(str((causes if actual >= planned else -causes).idxmax()))
    title = f"A month costs {usd(actual)} where {usd(planned)} was planned; what moved it most is {largest}"
    figure, (axes,) = new_chart(title, subtitle="Plan, causes of the difference, actual (USD a month)",
                                height=bar_height(len(names)))  # fmt: skip
    colors = [
        (ACTUAL if place else MUTED) if total else (SECONDARY if amount > 0 else SAVING)
        for place, (amount, total) in enumerate(zip(amounts, bridge["is_total"], strict=True))
    ]
    draw_bars(axes, names, amounts, labels, colors)
    money_axis(axes.xaxis)
    axes.set_xlabel("Cost (USD a month)")
    return describe(figure, f"Bars. {listing(names, labels, 20)}")


def _rows(state: pd.DataFrame) -> list[tuple[str, dict[str, Any] | None]]:
    """List a heading for each step, then its items."""
    found: list[tuple[str, dict[str, Any] | None]] = []
    for step, own in state.groupby("step_name", sort=False):
        found += [(str(step), None), *((str(step), item) for item in own.to_dict("records"))]
    return found


def _frame(axes: Axes, labels: list[str], heads: list[bool], start: date, as_of: date | None) -> None:
    """Set the axes of the timeline: names at the left, days below, a line for today."""
    end = start + timedelta(days=_LENGTH - 1)
    last = max([end, as_of or end])
    axes.set_yticks(range(len(labels)), labels, fontsize=8.5)
    for tick, is_head in zip(axes.get_yticklabels(), heads, strict=True):
        tick.set_fontweight("bold" if is_head else "normal")
    for place, is_head in enumerate(heads):
        if is_head:
            axes.axhline(place, color="#DDDDDD", linewidth=0.8, zorder=0)
    axes.set_ylim(len(labels) - 0.4, -0.8)
    axes.set_xlim(date2num(start) - 2, date2num(last) + 3)
    axes.grid(visible=False, axis="y")
    axes.grid(visible=True, axis="x")
    axes.tick_params(axis="y", length=0)
    axes.xaxis.set_major_locator(DayLocator(bymonthday=(1, 15)))
    axes.xaxis.set_major_formatter(FuncFormatter(_day_of))
    axes.set_xlabel(f"Day an item is due ({start} to {end})")
    axes.axvline(date2num(end), color=QUIET, linewidth=0.8, linestyle=":")
    note = {"xytext": (0, 3), "textcoords": "offset points", "va": "bottom", "fontsize": 9}
    if as_of and as_of >= start:
        axes.axvline(date2num(as_of), color=INK, linewidth=1)
        axes.annotate(f"today, day {(as_of - start).days + 1}", (date2num(as_of), -0.8), ha="right", color=INK, **note)


def _day_of(place: float, _: int) -> str:
    # strftime has no day without a leading zero that works everywhere
    day = num2date(place)
    return f"{day.day} {day:%b}"


def _title(state: pd.DataFrame, start: date, as_of: date | None) -> str:
    counts = state["state"].value_counts()
    done = int(counts.get("proved", 0) + counts.get("attested", 0))
    late = int(counts.get("overdue", 0))
    day = (as_of - start).days + 1 if as_of else 0
    when = f"Day {day}" if 0 < day <= _LENGTH else f"{day - _LENGTH} days after day 90" if day > 0 else "Before day 1"
    lost = f", {counts['regressed']} lost again" if counts.get("regressed", 0) else ""
    return f"{when}: {done} of {len(state)} items are done, {late or 'none'} overdue{lost}"
