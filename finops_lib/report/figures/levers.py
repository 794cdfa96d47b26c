"""Lever figures: what the levers save together and apart, what to do first, and what was saved in the end."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.patches import Patch

from finops_lib.report.axis_units import money_axis
from finops_lib.report.bars import bar_height, draw_waterfall, listing, of_period
from finops_lib.report.chart import (
    ACTUAL,
    ANOMALY,
    FORECAST,
    INK,
    MUTED,
    QUIET,
    SAVING,
    SECONDARY,
    UNKNOWN,
    Chart,
    describe,
    new_chart,
    words_only,
)
from finops_lib.report.text import share, two_lines, usd

_EVIDENCE = {
    "measured replay": ACTUAL,
    "evaluation": SAVING,
    "assumption": UNKNOWN,
    "on record": MUTED,
    "expected, not yet shown": FORECAST,
}
_STATUS = {"realised": SAVING, "still uncertain": FORECAST, "costs more": ANOMALY, "unproven": UNKNOWN}


def plot_levers(replay: Any) -> Chart:
    """Draw what each lever takes off the month, one after the other, beside what it would save alone.

    Parameters
    ----------
    replay : LeverReplay
        ``cost``, ``waterfall`` (``lever``, ``alone``, ``saving``, ``remaining``, ``evidence``), ``combined``, ``left``
        and ``naive``, ``period`` (month ``YYYY-MM``).

    Returns
    -------
    Figure
        A waterfall from the month as it was to what is left; a tick marks the saving alone, a line the naive rest.
    """
    steps, cost = replay.waterfall, float(replay.cost)
    if steps.empty:
        return words_only(
            f"No lever applies{of_period(replay.period)}", "There is no priced traffic to replay levers on."
        )
    likely, (most, least) = replay.combined["likely"], (replay.left["low"], replay.left["high"])
    figure, (axes,) = new_chart(
        f"Together the levers would have saved {usd(likely, cents=False)} ({share(likely / cost)}); "
        f"added up they promise {usd(replay.naive, cents=False)}",
        subtitle=f"Replayed on the ledger in the order of work{of_period(replay.period)}; range of all together "
        f"{usd(replay.combined['low'], cents=False)} to {usd(replay.combined['high'], cents=False)}",
        height=bar_height(len(steps) + 2) + 0.4,
    )
    names = ["the month as it was", *steps["lever"], "what is left"]
    rest = float(steps["remaining"].iloc[-1])
    amounts = np.array([cost, *-steps["saving"].to_numpy(dtype="float64"), rest])
    colors = [INK, *(_color(text) for text in steps["evidence"]), INK]
    labels = [usd(cost), *(f"−{usd(value)}" for value in steps["saving"])]
    labels.append(f"{usd(rest)} ({usd(least).removeprefix('USD ')} to {usd(most).removeprefix('USD ')})")
    place = np.arange(len(names))
    draw_waterfall(axes, names, amounts, (place == 0) | (place == place[-1]), labels, colors)
    ends = (steps["remaining"] + steps["saving"]).to_numpy(dtype="float64")
    axes.hlines(place[1:-1] + 0.4, ends - steps["alone"].to_numpy(dtype="float64"), ends, color=QUIET, linewidth=1.6)
    naive_rest = rest + likely - replay.naive
    axes.axvline(naive_rest, color=QUIET, linewidth=1, linestyle="--")
    axes.set_xlim(left=min(naive_rest, 0) * 1.02)
    axes.set_xlabel("Cost of the month (USD)")
    keys = [Patch(color=color, label=name) for name, color in _EVIDENCE.items() if color in colors]
    keys += [Patch(color=SECONDARY, label="mixed evidence")] * (SECONDARY in colors)
    keys.append(axes.plot([], [], color=QUIET, linewidth=1.6, label="saving alone (dashed: all of them added up)")[0])
    figure.legend(handles=keys, loc="outside lower right", ncols=3, handlelength=1.0, handleheight=1.0)
    return describe(figure, f"Waterfall of the month's cost. {listing(names, labels, limit=len(names))}")


def plot_backlog(backlog: pd.DataFrame, *, period: str = "", top: int = 10) -> Chart:
    """Draw what there is to do, most money first, with its range and how it is known.

    Parameters
    ----------
    backlog : DataFrame
        One row a line by rank: ``lever``, ``assistant``, ``workflow``, ``saving_low``, ``saving``, ``saving_high``
        (USD a month), ``evidence``, ``advice``.
    period : str
        Month ``YYYY-MM``, for the subtitle.
    top : int
        Lines to draw; the subtitle tells of the others.

    Returns
    -------
    Figure
        A bar a line with a whisker for its range.
    """
    worth = backlog[~backlog["advice"].isin(["too small", "on record"])]
    if worth.empty:
        return words_only(
            f"No lever is worth the work{of_period(period)}",
            f"{len(backlog)} lines, {usd(backlog['saving'].sum())} together, are each below the smallest saving.",
        )
    shown, small = worth.head(top), backlog[backlog["advice"] == "too small"]
    first = shown[shown["advice"] == "first"]
    rest = f"; {len(small)} lines of {usd(small['saving'].sum())} together are too small" if len(small) else ""
    done = int((backlog["advice"] == "on record").sum())
    rest += f"; {done} promoted already" if done else ""
    more = f"; {len(worth) - top} more in the table" if len(worth) > top else ""
    figure, (axes,) = new_chart(
        f"The first {len(first)} of {len(backlog) - done} lines are worth {usd(first['saving'].sum())} a month "
        f"of {usd(backlog.loc[backlog['advice'] != 'on record', 'saving'].sum())}",
        subtitle=f"Likely saving after the levers before it, whisker its range{of_period(period)}{more}{rest}",
        height=0.75 + 0.46 * len(shown),
    )
    names = [f"{row.lever}\n{row.assistant} · {row.workflow}" for row in shown.itertuples(index=False)]
    low, likely, high = (shown[f"saving{end}"].to_numpy(dtype="float64") for end in ("_low", "", "_high"))
    colors = [_color(text) for text in shown["evidence"]]
    _bars_with_range(axes, names, (low, likely, high), colors, [usd(value) for value in likely])
    axes.set_xlabel("Saving a month (USD)")
    keys = [Patch(color=color, label=name) for name, color in _EVIDENCE.items() if color in colors]
    figure.legend(handles=keys, loc="outside lower right", ncols=3, handlelength=1.0, handleheight=1.0)
    labels = [f"{usd(value)} ({text})" for value, text in zip(likely, shown["evidence"], strict=True)]
    return describe(figure, f"Horizontal bars of savings. {listing([n.replace(chr(10), ' ') for n in names], labels)}")


def plot_savings(savings: pd.DataFrame) -> Chart:
    """Draw what each promoted change saved against what it was promoted for.

    Parameters
    ----------
    savings : DataFrame
        One row a promotion: ``assistant``, ``configuration``, ``status``, ``days``, ``expected``, ``realised``,
        ``realised_low``, ``realised_high`` (USD since it was promoted, null where not known).

    Returns
    -------
    Figure
        A bar a promotion with its 95% interval, a mark where it should be.
    """
    if savings.empty:
        return words_only("No change is on record", "finops promote records one; its saving is measured from then on.")
    known = savings["status"].isin(["realised", "costs more"])
    proven = savings.loc[known, "realised"].astype("float64").sum()
    title = f"{usd(proven)} of savings are shown so far" if known.any() else "No saving is shown so far"
    open_ones, claims = (int((savings["status"] == name).sum()) for name in ("still uncertain", "unproven"))
    figure, (axes,) = new_chart(
        f"{title}; {open_ones} still uncertain, {claims} claimed without the gate",
        subtitle="Forecast without the change less actual cost, at the volume that came, whisker 95%",
        height=0.85 + 0.55 * len(savings),
    )
    names = [
        f"{two_lines(row.configuration)}\n{row.assistant}, {row.days} days" for row in savings.itertuples(index=False)
    ]
    low, realised, high = (
        savings[name].astype("float64").fillna(0).to_numpy() for name in ("realised_low", "realised", "realised_high")
    )
    colors = [_STATUS[status] for status in savings["status"]]
    labels = [
        f"{status}: {usd(value)}" if value is not None and value == value else f"{status}: not known"
        for status, value in zip(savings["status"], savings["realised"], strict=True)
    ]
    expected, place = savings["expected"].to_numpy(dtype="float64"), np.arange(len(names))
    _bars_with_range(axes, names, (low, realised, high), colors, labels, beyond=expected)
    axes.scatter(expected, place, marker="|", s=340, color=INK, linewidths=2, label="expected by now", zorder=4)
    axes.set_xlabel("Saving since it was promoted (USD)")
    figure.legend(loc="outside lower right", handlelength=1.0)
    return describe(figure, f"Horizontal bars of savings. {listing([n.replace(chr(10), ' ') for n in names], labels)}")


def _color(evidence: str) -> str:
    return _EVIDENCE.get(evidence, SECONDARY)


def _bars_with_range(
    axes: Any,
    names: list[str],
    ends: tuple[np.ndarray, np.ndarray, np.ndarray],
    colors: list[str],
    labels: list[str],
    beyond: np.ndarray | float = 0.0,
) -> None:
    """Draw bars from the top down, a whisker over each, its label at the right of both."""
    low, middle, high = ends
    place = np.arange(len(names))
    axes.barh(place, middle, height=0.6, color=colors)
    axes.hlines(place, low, high, color=INK, linewidth=1.4)
    for ends_at in (low, high):
        axes.vlines(ends_at, place - 0.12, place + 0.12, color=INK, linewidth=1.4)
    tips = np.maximum(np.maximum(high, middle), beyond)
    for row, (end, label) in enumerate(zip(tips, labels, strict=True)):
        axes.annotate(label, (end, row), xytext=(7, 0), textcoords="offset points", va="center")
    axes.set_yticks(place, names, linespacing=1.05)
    axes.set_ylim(len(names) - 0.4, -0.6)
    left, right = min(low.min(), middle.min(), 0.0), max(tips.max(), 0.0)
    span = (right - left) or 1.0
    axes.set_xlim(left - 0.03 * span * (left < 0), right + span * (0.02 + 0.014 * max(map(len, labels))))
    if left < 0:
        axes.axvline(0, color="#999999", linewidth=0.8)
    axes.grid(visible=False, axis="y")
    axes.grid(visible=True, axis="x")
    money_axis(axes.xaxis)
