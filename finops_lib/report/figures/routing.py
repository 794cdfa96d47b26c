"""Routing figures: what quality costs, where traffic could go, and what the gate says."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from finops_lib.report.axis_units import money_axis, share_axis
from finops_lib.report.bars import bar_height, listing
from finops_lib.report.chart import (
    ACTUAL,
    ANOMALY,
    BUDGET,
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
from finops_lib.report.text import count, share, two_lines, unit_price

_VERDICTS = {"promote": SAVING, "reject": ANOMALY, "not enough evidence": QUIET}
_PLANS = {"today": (BUDGET, "s"), "baseline": (SECONDARY, "D"), "proposal": (SAVING, "o")}


def plot_frontier(found: Any) -> Chart:
    """Draw what each level of quality costs at least, with today's point and the proposal.

    Parameters
    ----------
    found : EvaluatedRoute
        ``workflow`` and ``routes``: its ``frontier``, cheapest point first, and ``plans`` (``baseline``, ``today``,
        ``proposal``), both with ``cost_per_call`` (USD), ``quality`` (pass rate), ``quality_lower``,
        ``quality_upper``; ``floor``: the pass rate to keep.

    Returns
    -------
    Figure
        A line with a band of 95% and a mark for each plan; words without evaluations.
    """
    frontier, plans = found.routes.frontier, found.routes.plans
    about = _about(found)
    if plans.empty:
        return words_only(
            "What quality costs is not known",
            "It takes evaluation results: items by segment, each run on two configurations or more.",
        )
    figure, (axes,) = new_chart(
        _frontier_title(plans),
        subtitle=f"Least cost of each pass rate over all assignments{about}; {_floor(found)}",
        height=4.1,
    )
    if len(frontier):
        cost = frontier["cost_per_call"].to_numpy(float)
        ends = [frontier[name].to_numpy(float) for name in ("quality_lower", "quality_upper")]
        axes.fill_between(cost, *ends, color=MUTED, alpha=0.35, linewidth=0)
        axes.plot(cost, frontier["quality"].to_numpy(float), color=ACTUAL, linewidth=2)
    for row in plans.to_dict("records"):
        _mark_plan(axes, row)
    figure.legend(loc="outside lower right", ncols=3, frameon=False, fontsize=9.5, handletextpad=0.2, columnspacing=1)
    money_axis(axes.xaxis)
    share_axis(axes.yaxis)
    axes.set_xlim(left=0)
    axes.margins(y=0.12)
    axes.set_xlabel("Cost per call (USD)")
    axes.set_ylabel("Pass rate")
    values = [_plan_value(row) for row in plans.to_dict("records")]
    drawn = listing(plans["plan"].tolist(), values)
    return describe(figure, f"Line of pass rate against cost per call, with its 95% band. {drawn}")


def plot_gate(found: Any) -> Chart:
    """Draw each candidate's difference in pass rate with its interval against the margin.

    Parameters
    ----------
    found : EvaluatedRoute
        ``workflow`` and ``verdicts``, one row a candidate: ``candidate``, ``verdict``, ``difference``, ``lower``,
        ``upper``, ``margin`` (fractions), ``pairs``, ``pairs_to_decide``, ``saving``.

    Returns
    -------
    Figure
        A point and a line a candidate, the margin as a dashed line; words without candidates.
    """
    verdicts = found.verdicts
    about = _about(found)
    if verdicts.empty:
        return words_only("No candidate to judge", "The evaluations hold one configuration, or none.")
    names = verdicts["candidate"].astype(str).tolist()
    margin = float(verdicts["margin"].iloc[0])
    figure, (axes,) = new_chart(
        _gate_title(verdicts),
        subtitle=f"Pass rate, candidate less baseline, paired by item, with the interval of the test{about}",
        height=bar_height(len(names)) + 0.35,
    )
    rows = np.arange(len(names))
    colors = [_VERDICTS[verdict] for verdict in verdicts["verdict"]]
    axes.axvspan(-1, -margin, color=ANOMALY, alpha=0.06, linewidth=0)
    axes.axvline(0, color=QUIET, linewidth=0.8)
    axes.axvline(-margin, color=BUDGET, linewidth=1.2, linestyle=(0, (4, 3)))
    axes.hlines(rows, verdicts["lower"].astype(float), verdicts["upper"].astype(float), colors=colors, linewidth=3)
    axes.scatter(verdicts["difference"].astype(float), rows, c=colors, s=55, zorder=3)
    labels = [_verdict_label(row) for row in verdicts.to_dict("records")]
    for row, label, color in zip(rows, labels, colors, strict=True):
        axes.annotate(label, (1.01, row), xycoords=("axes fraction", "data"), va="center", color=color, fontsize=9)
    axes.set_yticks(rows, [two_lines(name, 26) for name in names])
    axes.set_ylim(len(names) - 0.4, -0.8)
    axes.annotate(
        f"margin {margin * 100:g} points", (-margin, -0.75), xytext=(-4, 0), textcoords="offset points",
        ha="right", va="top", color=INK, fontsize=8.5,
    )  # fmt: skip
    low, high = min(verdicts["lower"].min(), -2 * margin), max(verdicts["upper"].max(), margin)
    axes.set_xlim(low - 0.04 * (high - low), high + 0.04 * (high - low))
    axes.xaxis.set_major_formatter(lambda value, _: f"{value * 100:+g}" if abs(value) > 1e-12 else "0")
    axes.set_xlabel("Points of pass rate")
    axes.grid(axis="y", visible=False)
    drawn = listing(names, [label.replace("\n", " ") for label in labels])
    return describe(figure, f"Points with intervals against a margin of {margin * 100:g} points. {drawn}")


def _about(found: Any) -> str:
    name = found.workflow or found.assistant
    return f", {name}" if name else ""


def _floor(found: Any) -> str:
    before = found.routes.plans.set_index("plan").loc["baseline", "quality"]
    part = share(found.floor / before) if before else "a part"
    return f"to keep: {part} of the baseline's pass rate = {share(found.floor, decimals=1)}"


def _mark_plan(axes: Axes, row: dict[str, Any]) -> None:
    color, marker = _PLANS[row["plan"]]
    axes.vlines(row["cost_per_call"], row["quality_lower"], row["quality_upper"], color=color, linewidth=1.2)
    label = f"{row['plan']}: {_plan_value(row)}"
    axes.scatter(row["cost_per_call"], row["quality"], color=color, marker=marker, s=70, zorder=4, label=label)


def _plan_value(row: dict[str, Any]) -> str:
    return f"{share(row['quality'], decimals=1)} at {unit_price(row['cost_per_call'])} a call"


def _frontier_title(plans: pd.DataFrame) -> str:
    rows = plans.set_index("plan")
    now = "today" if "today" in rows.index else "baseline"
    before, after = rows.loc[now], rows.loc["proposal"]
    saved = 1 - after["cost_per_call"] / before["cost_per_call"] if before["cost_per_call"] else 0.0
    if saved < 0.001:
        return "No cheaper assignment is shown to keep the quality asked for"
    points = round((after["quality"] - before["quality"]) * 100, 1)
    side = "above" if points > 0 else "below"
    change = f"{abs(points):g} points of pass rate {side}" if points else "at the pass rate of"
    return f"Routing by segment would save {share(saved)} a call, {change} {_name(now)}"


def _name(plan: str) -> str:
    return "today" if plan == "today" else "the baseline"


def _gate_title(verdicts: pd.DataFrame) -> str:
    promoted = verdicts.loc[verdicts["verdict"] == "promote", "candidate"].tolist()
    rejected = (verdicts["verdict"] == "reject").sum()
    undecided = (verdicts["verdict"] == "not enough evidence").sum()
    first = f"{len(promoted)} pass the gate"
    if 0 < len(promoted) < 3:
        first = f"{' and '.join(promoted)} pass{'' if len(promoted) > 1 else 'es'} the gate"
    parts = [first if promoted else "No candidate passes the gate"]
    parts += [f"{rejected} rejected"] * bool(rejected) + [f"{undecided} lacking evidence"] * bool(undecided)
    return ", ".join(parts)


def _verdict_label(row: dict[str, Any]) -> str:
    if row["verdict"] == "not enough evidence" and not pd.isna(row["pairs_to_decide"]):
        return f"not enough evidence:\n{count(row['pairs'])} of about {count(row['pairs_to_decide'])} items"
    if row["verdict"] == "promote" and not pd.isna(row["saving"]):
        change = f"{share(abs(row['saving']))} {'less' if row['saving'] >= 0 else 'more'}"
        return f"promote: a successful\ntask costs {change}"
    return str(row["verdict"])
