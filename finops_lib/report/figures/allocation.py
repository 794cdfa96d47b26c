"""Allocation figures: from the bills to the teams, and who carries what."""

from __future__ import annotations

import numpy as np
import pandas as pd

from finops_lib.report.axis_units import money_axis
from finops_lib.report.bars import bar_height, cost_label, draw_bars, draw_waterfall, legend_above, listing, of_period
from finops_lib.report.chart import ACTUAL, FORECAST, INK, SECONDARY, UNKNOWN, Chart, describe, new_chart, words_only
from finops_lib.report.text import month_name, share, usd, words

UNALLOCATED = "unallocated"
_BUCKETS = {"direct": ACTUAL, "proportional": FORECAST, "overhead": SECONDARY}
_STEPS = {
    "billed": "All bills",
    "direct": "Direct: one receiver",
    "proportional": "Proportional: by use",
    "overhead": "Overhead: by agreement",
    UNALLOCATED: "Unallocated",
}


def plot_allocation_waterfall(waterfall: pd.DataFrame, *, period: str = "", receiver: str = "team") -> Chart:
    """Draw how the bills of a month come apart into what is direct, proportional, overhead and nobody's.

    Parameters
    ----------
    waterfall : DataFrame
        One row per step, the whole first: ``step``, ``billed_cost`` (USD), ``charges``.
    period : str
        Month ``YYYY-MM``, for the title.
    receiver : str
        Who receives: ``team`` or ``assistant``.

    Returns
    -------
    Chart
        Horizontal bars, each beginning where the one above it ended.
    """
    costs = waterfall["billed_cost"].astype("float64").to_numpy()
    if not costs.any():
        return words_only(f"Nothing was allocated{of_period(period)}", "No bill and no priced call is in this scope.")
    names = [_STEPS.get(step, step) for step in waterfall["step"]]
    parts = costs / costs[0] if costs[0] > 0 else np.full(len(costs), np.nan)
    labels = [
        f"{usd(cost, cents=False)} · {share(part, decimals=1)}" if place and part == part else usd(cost, cents=False)
        for place, (cost, part) in enumerate(zip(costs, parts, strict=True))
    ]
    nobody = float(parts[-1])
    reached = "All" if costs[-1] == 0 else share(1 - nobody)
    whose = f"{month_name(period)}'s" if period else "the"
    title = f"{reached} of {whose} bills reach {'an' if receiver[:1] in 'aeiou' else 'a'} {words(receiver)}"
    figure, (axes,) = new_chart(
        title if nobody == nobody else "More was credited than charged",
        subtitle=f"Billed cost by how it is allocated{of_period(period)}",
        height=bar_height(len(names)),
    )
    colors = [INK, *_BUCKETS.values(), UNKNOWN]
    signed, is_total = np.concatenate([costs[:1], -costs[1:]]), np.arange(len(costs)) == 0
    draw_waterfall(axes, names, signed, is_total, labels, colors)
    axes.set_xlabel("Billed cost (USD)")
    return describe(figure, f"Waterfall of billed cost. {listing(names, labels)}")


def plot_receivers(spend: pd.DataFrame, *, period: str = "", top: int = 12) -> Chart:
    """Draw what each receiver carries, stacked by bucket.

    Parameters
    ----------
    spend : DataFrame
        One row per receiver in the order to draw: ``receiver``, ``direct``, ``proportional``, ``overhead``,
        ``billed_cost`` (USD), ``share``; what is unallocated last.
    period : str
        Month ``YYYY-MM``, for the title.
    top : int
        Receivers to name; the others become one bar.

    Returns
    -------
    Chart
        Stacked horizontal bars with amount and share.
    """
    if spend.empty:
        return words_only(f"Nobody carries a cost{of_period(period)}", "No bill and no priced call is in this scope.")
    spend = _folded(spend, top)
    names = spend["receiver"].astype(str).tolist()
    costs = spend["billed_cost"].astype("float64").to_numpy()
    labels = [cost_label(cost, part) for cost, part in zip(costs, spend["share"], strict=True)]
    named = [name for name in names if name != UNALLOCATED]
    title = f"{named[0]} carries {share(spend['share'].iloc[0])} of the bills" if named else "Nobody carries the bills"
    figure, (axes,) = new_chart(
        title, subtitle=f"Billed cost by receiver and kind of cost{of_period(period)}", height=bar_height(len(names))
    )
    draw_bars(axes, names, costs, labels, [UNKNOWN if name == UNALLOCATED else "none" for name in names])
    gone_up, gone_down = np.zeros(len(names)), np.zeros(len(names))
    for bucket, color in _BUCKETS.items():
        part = spend[bucket].astype("float64").to_numpy()
        left = np.where(part >= 0, gone_up, gone_down)
        axes.barh(range(len(names)), part, left=left, height=0.68, color=color, label=bucket)
        gone_up, gone_down = gone_up + np.maximum(part, 0), gone_down + np.minimum(part, 0)
    money_axis(axes.xaxis)
    axes.set_xlabel("Billed cost (USD)")
    legend_above(figure, 3)
    return describe(figure, f"Stacked bars of billed cost by receiver. {listing(names, labels)}")


def plot_trace(trace: pd.DataFrame) -> Chart:
    """Draw one charge and the parts it becomes.

    Parameters
    ----------
    trace : DataFrame
        One row per part of one charge: ``charge_description``, ``whole_cost``, ``rule``, ``receiver`` (null:
        unallocated), ``driver``, ``driver_value``, ``ratio``, ``billed_cost``.

    Returns
    -------
    Chart
        Horizontal bars, largest first.
    """
    if trace.empty:
        return words_only("No charge to follow", "No bill and no priced call is in this scope.")
    trace = trace.assign(size=trace["billed_cost"].astype("float64").abs(), nobody=trace["receiver"].isna())
    trace = trace.sort_values(["nobody", "size"], ascending=[True, False], kind="stable")
    names = [
        f"{UNALLOCATED if nobody else name}{' (idle)' if driver == 'idle' else ''}"
        for name, nobody, driver in zip(trace["receiver"], trace["nobody"], trace["driver"].fillna(""), strict=True)
    ]
    costs = trace["billed_cost"].astype("float64").to_numpy()
    labels = [f"{usd(cost)} · {share(part, decimals=1)}" for cost, part in zip(costs, trace["ratio"], strict=True)]
    first = trace.iloc[0]
    drivers = [words(str(name)) for name in trace["driver"].dropna().unique() if name != "idle"]
    by = f" by {drivers[0]}" if drivers else ""
    receivers, also = trace["receiver"].nunique(), ""
    if first.get("also_matched"):
        also = f"; {first['also_matched']} would match it too"
    figure, (axes,) = new_chart(
        f"{_what(first)}: {usd(first['whole_cost'])} for {receivers} receivers{by}",
        subtitle=f"Parts of one charge, by the rule '{first['rule']}'{also}",
        height=bar_height(len(names)),
    )
    colors = [UNKNOWN if nobody else ACTUAL for nobody in trace["nobody"]]
    draw_bars(axes, names, costs, labels, colors)
    money_axis(axes.xaxis)
    axes.set_xlabel("Billed cost (USD)")
    return describe(figure, f"Horizontal bars of the parts of one charge. {listing(names, labels)}")


def _what(charge: pd.Series) -> str:
    for name in ("charge_description", "service_name", "origin_id"):
        if name in charge.index and pd.notna(charge[name]) and charge[name]:
            return str(charge[name])
    return "One charge"


def _folded(spend: pd.DataFrame, top: int) -> pd.DataFrame:
    """Fold the receivers beyond the costliest into one row."""
    named = spend[spend["receiver"] != UNALLOCATED]
    rest = named.iloc[top:]
    if len(rest) < 2:
        return spend
    sums = rest.drop(columns="receiver").sum().to_frame().T
    folded = sums.assign(receiver=f"everything else ({len(rest)})")
    return pd.concat([named.iloc[:top], folded, spend[spend["receiver"] == UNALLOCATED]], ignore_index=True)
