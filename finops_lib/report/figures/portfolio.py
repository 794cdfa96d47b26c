"""Portfolio figures: assistants side by side, and the value of their outcomes against what they cost."""

from __future__ import annotations

import textwrap

import numpy as np
import pandas as pd
from matplotlib.ticker import FuncFormatter

from finops_lib.report.bars import listing
from finops_lib.report.chart import ACTUAL, ANOMALY, INK, MUTED, QUIET, Chart, describe, new_chart, words_only
from finops_lib.report.text import is_known, share, two_lines, usd

_ROW = 0.62
_DAYS = 91
_WINDOW_DAYS = 7
_WIDEST, _LINE = 96, 48


def plot_portfolio(rows: pd.DataFrame, daily: pd.DataFrame) -> Chart:
    """Draw the course of each assistant's cost on a line of its own, beside where it stands in words.

    Parameters
    ----------
    rows : DataFrame
        One row per assistant from the top down: ``assistant``, ``title``, ``state``, ``why``, ``cost`` (USD),
        ``cost_per_day_change`` (share).
    daily : DataFrame
        One column per assistant, one row per day (USD).

    Returns
    -------
    Figure
        A row per assistant: average of seven days over the last 91, each on its own scale, with a dot on the last day.
    """
    if not len(rows) or not len(daily):
        return words_only("There is no assistant to show", "No model call of an assistant is in the ledger.")
    smooth = daily.rolling(_WINDOW_DAYS, min_periods=1).mean().iloc[-_DAYS:]
    acting = int((rows["state"] == "act").sum())
    needs = "needs" if acting == 1 else "need"
    title = (
        f"{acting} of {len(rows)} assistants {needs} somebody to act" if acting else "No assistant needs anybody to act"
    )
    figure, (axes,) = new_chart(
        title,
        subtitle=f"Cost a day, average of {_WINDOW_DAYS} days over the last {len(smooth)}, each line on its own scale; "
        "beside it the month",
        height=_ROW * len(rows) + 0.1,
    )
    across = np.linspace(0, 1, len(smooth)) if len(smooth) > 1 else np.array([1.0])
    for place, row in enumerate(rows.to_dict("records")):
        known = row["assistant"] in smooth
        values = smooth[row["assistant"]].to_numpy(dtype=float) if known else np.zeros(len(smooth))
        heights = place + 0.35 - 0.7 * values / (values.max() or 1.0)
        color = ANOMALY if row["state"] == "act" else ACTUAL
        axes.hlines(place + 0.35, 0, 1, color=MUTED, linewidth=0.6)
        axes.plot(across, heights, color=color, linewidth=1.4)
        axes.plot(across[-1:], heights[-1:], "o", color=color, markersize=4)
        change = row["cost_per_day_change"]
        grown = f"\n{share(change, signed=True)} a day" if is_known(change) else ""
        axes.text(1.05, place, f"{usd(row['cost'], cents=False)}{grown}", va="center", linespacing=1.1)
        why = textwrap.shorten(f"{row['state']}: {row['why']}", _WIDEST, placeholder=" …")
        axes.text(1.55, place, "\n".join(textwrap.wrap(why, _LINE)), va="center", fontsize=9, linespacing=1.1)
    axes.set_yticks(range(len(rows)), [two_lines(title) for title in rows["title"]], linespacing=1.0)
    axes.set(xlim=(-0.03, 3.1), ylim=(len(rows) - 0.5, -0.5), xticks=[])
    axes.grid(visible=False)
    axes.spines[["left", "bottom"]].set_visible(False)
    told = [f"{usd(row['cost'])}, {row['state']}: {row['why']}" for row in rows.to_dict("records")]
    return describe(figure, f"Lines of cost a day by assistant. {listing(rows['title'].tolist(), told)}")


def plot_viability(viable: pd.DataFrame) -> Chart:
    """Draw what a dollar brings, with its range, for each assistant.

    Parameters
    ----------
    viable : DataFrame
        One row per assistant: ``assistant``, ``verdict``, ``value_per_cost`` with ``ratio_lower_80`` and
        ``ratio_upper_80``, ``counted_per_cost``, ``confidence``, ``cost_basis``.

    Returns
    -------
    Figure
        A dot with its 80% interval per assistant on a logarithmic axis, and a line at one: below it an outcome costs
        more than it is worth.
    """
    known = viable[viable["value_per_cost"].notna()]
    if known.empty:
        explanation = "It takes outcomes and what they are worth: add outcome_value to the table of outcomes."
        return words_only("Whether the assistants pay is not known", explanation)
    compared = known[known["cost_basis"] == "true cost"]
    least = (compared if len(compared) else known).nsmallest(1, "value_per_cost").iloc[0]
    figure, (axes,) = new_chart(
        f"A dollar brings least in {least['assistant']}: {usd(least['value_per_cost'])} of value",
        subtitle="Value for a dollar of cost, with the range of 8 in 10 cases; true cost is a lower bound, without "
        "what is shared",
        height=0.9 + 0.42 * len(known),
    )
    place = np.arange(len(known))
    value, low, high = (
        known[name].to_numpy(dtype=float) for name in ("value_per_cost", "ratio_lower_80", "ratio_upper_80")
    )
    colors = [ANOMALY if verdict == "retire" else ACTUAL for verdict in known["verdict"]]
    axes.hlines(place, low, high, color=colors, linewidth=3)
    axes.scatter(value, place, color=colors, zorder=3)
    for at, row in enumerate(known.to_dict("records")):
        counted = "" if row["confidence"] == "high" else f", {row['counted_per_cost']:.1f} counted"
        beside = ", model cost only" if row["cost_basis"] == "model cost" else ""
        words = f"{row['value_per_cost']:.1f}{counted} · {row['verdict']}{beside}"
        axes.annotate(words, (high[at], at), xytext=(8, 0), textcoords="offset points", va="center", color=INK)
    axes.axvline(1, color=QUIET, linewidth=1)
    axes.annotate("pays for itself", (1, len(known) - 0.45), xytext=(4, 0), textcoords="offset points", color=QUIET)
    axes.set_xscale("log")
    axes.set_xlim(min(0.5, low.min() * 0.7), high.max() * 12)
    axes.set_ylim(len(known) - 0.3, -0.6)
    axes.set_yticks(place, known["assistant"])
    axes.grid(visible=False, axis="y")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda tick, _: f"{tick:g}"))
    axes.set_xlabel("Value for a dollar of cost (USD)")
    ranges = [f"{middle:.2f} ({least:.2f} to {most:.2f})" for middle, least, most in zip(value, low, high, strict=True)]
    texts = [f"{words}, {verdict}" for words, verdict in zip(ranges, known["verdict"], strict=True)]
    return describe(figure, f"Dots with intervals of value per dollar. {listing(known['assistant'].tolist(), texts)}")
