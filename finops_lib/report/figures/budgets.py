"""Budget figures: what is spent of what was allowed, where the period will end, and when thresholds were crossed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from finops_lib.report.axis_units import day_axis, money_axis, share_axis
from finops_lib.report.bars import listing
from finops_lib.report.chart import (
    ACTUAL,
    ANOMALY,
    BUDGET,
    FORECAST,
    QUIET,
    Chart,
    describe,
    new_chart,
    words_only,
)
from finops_lib.report.text import share, two_lines, usd

_PANEL = 2.5  # inches
_LONGEST = 2.4  # of what is allowed: a bar beyond is cut, its label tells the amount


def plot_burn_down(course: pd.DataFrame, summary: pd.DataFrame, crossings: pd.DataFrame, *, most: int = 3) -> Chart:
    """Draw what budgets have been spent day by day, and the fan of where their periods end.

    Parameters
    ----------
    course : DataFrame
        One row per budget × day: ``spent``, or ``projected``, ``lower_80``, ``upper_80`` (running totals, USD).
    summary : DataFrame
        One row per budget, in the order to draw: ``allowed``, ``projected``, ``overrun_probability``, days.
    crossings : DataFrame
        One row per budget × threshold: ``level``, ``crossed_on``.
    most : int
        Budgets to draw.

    Returns
    -------
    Figure
        A panel a budget: the running total, what is allowed as a line, thresholds dashed, crossings as dots.
    """
    told = summary.head(most)
    if told.empty:
        return words_only("There is no burn to draw", "No budget is in force in this scope.")
    figure, (first,) = new_chart(
        _title(summary),
        subtitle="Running total of the period (USD): spent, then expected, with 8 of 10 cases shaded; lines: budget "
        "and thresholds"
        + (f"; the {len(told)} of {len(summary)} nearest to an overrun" if len(told) < len(summary) else ""),
        height=_PANEL * len(told),
    )
    first.remove()
    panels = np.ravel(figure.subplots(len(told), 1))
    for axes, row in zip(panels, told.to_dict("records"), strict=True):
        own = course[course["budget"] == row["budget"]]
        _draw_panel(axes, row, own, crossings[crossings["budget"] == row["budget"]])
    said = [_sentence(row) for row in told.to_dict("records")]
    return describe(figure, f"A panel a budget. {listing(told['budget'].tolist(), said)}")


def plot_budgets(summary: pd.DataFrame) -> Chart:
    """Draw each budget as a bar: the share spent, the share expected by the end of its period, and its range.

    Parameters
    ----------
    summary : DataFrame
        One row per budget: ``allowed``, ``spent``, ``projected``, ``lower_80``, ``upper_80`` (USD),
        ``overrun_probability``.

    Returns
    -------
    Figure
        Bars by budget in shares of what is allowed, the probability of an overrun written beside.
    """
    if summary.empty:
        return words_only("There are no budgets to compare", "No budget is in force in this scope.")
    figure, (axes,) = new_chart(
        _title(summary),
        subtitle="Share of the budget: spent (dark) and expected by the end of its period (light); the line spans "
        "8 of 10 cases",
        height=0.7 + 0.5 * len(summary),
    )
    allowed = summary["allowed"].astype("float64")
    columns = ("spent", "projected", "lower_80", "upper_80")
    shares = {name: (summary[name].astype("float64") / allowed).clip(upper=_LONGEST).tolist() for name in columns}
    for place, row in enumerate(summary.to_dict("records")):
        spent, projected, lower, upper = (shares[name][place] for name in columns)
        axes.barh(place, spent, height=0.6, color=ANOMALY if row["used_share"] > 1 else ACTUAL)
        if projected > spent:
            axes.barh(place, projected - spent, left=spent, height=0.6, color=FORECAST)
        if upper > lower:
            axes.plot([lower, upper], [place, place], color=BUDGET, linewidth=2, solid_capstyle="butt")
        edge = np.nanmax([spent, projected, upper, 1.0])
        axes.annotate(_sentence(row), (edge, place), xytext=(7, 0), textcoords="offset points", va="center", fontsize=9,
                      annotation_clip=False)  # fmt: skip
    axes.axvline(1, color=BUDGET, linewidth=1.2, linestyle="--")
    axes.grid(visible=False, axis="y")
    axes.set_yticks(range(len(summary)), [two_lines(name, 22) for name in summary["budget"]])
    axes.invert_yaxis()
    axes.set_xlim(0, max(np.nanmax(np.concatenate([shares["upper_80"], shares["spent"]])), 1.0) * 1.75)
    axes.set_xlabel("Share of what is allowed in the period")
    share_axis(axes.xaxis)
    said = [_sentence(row) for row in summary.to_dict("records")]
    return describe(figure, f"A bar a budget. {listing(summary['budget'].tolist(), said)}")


def _draw_panel(axes: Axes, row: dict[str, Any], course: pd.DataFrame, crossings: pd.DataFrame) -> None:
    allowed = float(row["allowed"])
    past, ahead = course[course["spent"].notna()], course[course["projected"].notna()]
    axes.plot(past["day"], past["spent"], color=ACTUAL, linewidth=1.8, marker="o" if len(past) == 1 else None)
    if len(ahead):
        joint = past.tail(1).assign(**{name: past["spent"].iloc[-1:] for name in ("projected", "lower_80", "upper_80")})
        ahead = pd.concat([joint, ahead])
        axes.fill_between(ahead["day"], ahead["lower_80"], ahead["upper_80"], color=FORECAST, alpha=0.4, lw=0)
        axes.plot(ahead["day"], ahead["projected"], color=ACTUAL, linewidth=1.4, linestyle=(0, (4, 1.5)))
    top = float(np.nanmax([allowed, *course[["spent", "upper_80", "allowed"]].max()])) * 1.12
    for line in crossings.to_dict("records"):
        height = allowed * line["threshold"]
        if height > top:
            continue
        color = ANOMALY if line["level"] == "stop" else BUDGET if line["threshold"] == 1 else QUIET
        if line["threshold"] != 1:
            axes.axhline(height, color=color, linewidth=0.7, linestyle="--")
        axes.annotate(share(line["threshold"]), (1, height), xycoords=("axes fraction", "data"), xytext=(4, 0),
                      textcoords="offset points", va="center", fontsize=8.5, color=color)  # fmt: skip
        reached = past[past["day"] == line["crossed_on"]]
        axes.plot(reached["day"], reached["spent"], "o", color=color, markersize=5)
    axes.plot(course["day"], course["allowed"], color=BUDGET, linewidth=1.4, drawstyle="steps-mid")
    axes.set_ylim(0, top)
    axes.set_xlim(row["first_day"], row["last_day"])
    axes.set_title(f"{row['budget']}: {_sentence(row)}", loc="left", fontsize=10, color=BUDGET)
    axes.set_ylabel("Spent (USD)")
    money_axis(axes.yaxis)
    day_axis(axes, pd.Series([row["first_day"], row["last_day"]]))


def _sentence(row: dict[str, Any]) -> str:
    """Say where a budget stands, in a few words."""
    allowed = usd(row["allowed"], cents=False)
    if row["used_share"] > 1:
        return f"{usd(row['spent'], cents=False)} of {allowed}: exceeded"
    if pd.isna(row["projected"]):
        return f"nothing spent yet of {allowed}"
    if not row["days_ahead"]:
        return f"{usd(row['spent'], cents=False)} of {allowed}: kept"
    return f"{usd(row['projected'], cents=False)} of {allowed} expected; overrun {share(row['overrun_probability'])}"


def _title(summary: pd.DataFrame) -> str:
    over = int((summary["used_share"] > 1).sum())
    likely = int(((summary["overrun_probability"] >= 0.5) & (summary["used_share"] <= 1)).sum())
    if len(summary) == 1:
        return "The only budget " + (
            "is exceeded" if over else "will probably be exceeded" if likely else "should last"
        )
    if not over and not likely:
        return f"All {len(summary)} budgets should last"
    exceeded = f"{over} {'is' if over == 1 else 'are'} exceeded" if over else ""
    coming = f"{likely} probably will be" + ("" if over else " exceeded") if likely else ""
    return f"Of {len(summary)} budgets {' and '.join(filter(None, (exceeded, coming)))}"
