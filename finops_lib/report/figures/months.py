"""Month figures: what each month cost, against the month before."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from finops_lib.report.axis_units import MANY_MONTHS, money_axis, month_ticks
from finops_lib.report.bars import listing
from finops_lib.report.chart import ACTUAL, INK, MUTED, QUIET, Chart, describe, new_chart, words_only
from finops_lib.report.text import count, month_name, more_or_less, share, usd


def plot_month_on_month(months: pd.DataFrame) -> Chart:
    """Draw the cost of each month and its change on the month before.

    Parameters
    ----------
    months : DataFrame
        One row per month: ``month`` (YYYY-MM), ``days``, ``days_in_month``, ``is_partial``,
        ``contracted_cost`` (USD), ``tokens``, ``contracted_cost_change``, ``cost_per_day_change`` (shares).

    Returns
    -------
    Figure
        A bar a month; a month that is covered only in part is hatched and says so.
    """
    costs = months["contracted_cost"].astype("float64").to_numpy()
    if not len(costs) or np.isnan(costs).all():
        return words_only("The cost per month is not known", "Nothing in this scope has a price.")
    figure, (axes,) = new_chart(
        _month_title(months.iloc[-1], months.iloc[-2] if len(months) > 1 else None),
        subtitle="Contracted cost by month"
        + ("; hatched months are covered only in part: compare their days" if months["is_partial"].any() else ""),
        height=3.2,
    )
    place = np.arange(len(months))
    bars = axes.bar(place, np.nan_to_num(costs), width=0.62, color=[MUTED] * (len(months) - 1) + [ACTUAL])
    labels = []
    crowded = len(months) > MANY_MONTHS
    for bar, row in zip(bars, months.to_dict("records"), strict=True):
        if row["is_partial"]:
            bar.set(hatch="///", hatchcolor="white")
        label = "\n".join(_month_label(row))
        labels.append(label.replace("USD ", "") if crowded else label)
    size = 8 if crowded else 10
    for at, (cost, label) in enumerate(zip(costs, labels, strict=True)):
        axes.annotate(
            label,
            (at, max(np.nan_to_num(cost), 0)),
            xytext=(0, 4),
            textcoords="offset points",
            ha="center",
            fontsize=size,
            color=QUIET if np.isnan(cost) else INK,
        )
    axes.set_xticks(place, month_ticks(list(months["month"])), fontsize=size)
    side = 0.7 + max(4 - len(months), 0) / 2
    axes.set_xlim(-side, len(months) - 1 + side)
    axes.set_ylim(min(0.0, np.nanmin(costs)), max(np.nanmax(costs), 0.0) * 1.3 or 1)
    axes.set_ylabel("Contracted cost (USD a month)")
    money_axis(axes.yaxis)
    return describe(
        figure,
        "Bars of cost by month. "
        + listing([month_name(month) for month in months["month"]], [label.replace("\n", ", ") for label in labels]),
    )


def _month_label(row: dict[str, Any]) -> list[str]:
    if pd.isna(row["contracted_cost"]):
        return ["no price"]
    if not row["contracted_cost"] and not row["tokens"]:
        return ["no calls"]
    lines = [usd(row["contracted_cost"], cents=False)]
    if not pd.isna(row["contracted_cost_change"]):
        lines.append(_change(row["contracted_cost_change"]))
    elif not pd.isna(row["cost_per_day_change"]):
        lines.append(f"{_change(row['cost_per_day_change'])} a day")
    if row["is_partial"]:
        lines.append(f"{row['days']} of {row['days_in_month']} days")
    return lines


def _change(change: float) -> str:
    """Write a change; what grew more than tenfold as a multiple."""
    return share(change, signed=True) if change < 9.995 else f"× {count(round(change + 1))}"


def _month_title(last: pd.Series, before: pd.Series | None) -> str:
    month = month_name(last["month"])
    if pd.isna(last["contracted_cost"]):
        return f"What {month} cost is not known: nothing has a price"
    cost = usd(last["contracted_cost"])
    so_far = f" on {last['days']} of {last['days_in_month']} days" if last["is_partial"] else ""
    if before is None:
        return f"{month} cost {cost}{so_far}"
    former = month_name(before["month"])
    if not pd.isna(last["contracted_cost_change"]):
        return f"{month} cost {cost}, {more_or_less(last['contracted_cost_change'])} {former}"
    if not pd.isna(last["cost_per_day_change"]):
        return f"{month} cost {cost}{so_far}; a day cost {more_or_less(last['cost_per_day_change'])} in {former}"
    return f"{month} cost {cost}{so_far}"
