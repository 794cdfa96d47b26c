"""Outcome figures: what is spent, beside what one of its results costs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from IPython.display import Markdown

from finops_lib.report.axis_units import MANY_MONTHS, money_axis, month_ticks
from finops_lib.report.bars import listing
from finops_lib.report.chart import ACTUAL, MUTED, Chart, describe, new_chart, words_only
from finops_lib.report.text import month_name, more_or_less, share, unit_price, usd

_VERDICTS = {
    "success": "That is success: more is spent because more is done, and each {unit} costs less.",
    "growing with the work": "Spend grows with the work: each {unit} costs what it did.",
    "growing dearer": "That is not growth alone: each {unit} costs more than before.",
    "improving": "The same money now buys more.",
    "steady": "Nothing has moved much: neither the spend nor what each {unit} costs.",
    "failing quietly": "That is failing quietly: the bill does not show it, but each {unit} costs more than before.",
    "saving": "Less is spent, and each {unit} costs less.",
    "shrinking with the work": "Less is spent because less is done: each {unit} costs what it did.",
}


def growth_text(reading: Mapping[str, Any]) -> Markdown:
    """Say in words whether the change of the spend is good news.

    Parameters
    ----------
    reading : mapping
        ``period``, ``previous_period``, ``unit``, ``cost_per_unit`` and ``previous_cost_per_unit`` (USD),
        ``spend_change``, ``unit_change`` (shares) and ``reading``.

    Returns
    -------
    Markdown
        One paragraph.
    """
    if reading["reading"] == "not known":
        return Markdown(
            "**Whether the spend is well spent is not known.** It takes two months with cost and with outcomes or "
            "successful tasks."
        )
    unit = reading["unit"]
    before = month_name(reading["previous_period"])
    then, now = unit_price(reading["previous_cost_per_unit"]), unit_price(reading["cost_per_unit"])
    verdict = _VERDICTS[reading["reading"]].format(unit=unit)
    day = f"A day of {month_name(reading['period'])} cost {more_or_less(reading['spend_change'])} in {before}"
    change = share(reading["unit_change"], signed=True)
    return Markdown(f"{day}; one {unit} cost {now} instead of {then} ({change}). **{verdict}**")


def plot_cost_and_outcome(by_month: pd.DataFrame) -> Chart:
    """Draw the spend of each month above what one of its results costs.

    Parameters
    ----------
    by_month : DataFrame
        One row per ``month``: ``contracted_cost``, ``cost_per_outcome`` and ``cost_per_successful_task`` (USD),
        ``is_partial``.

    Returns
    -------
    Figure
        Two rows of bars over the same months: cost, and cost of one outcome (of one successful task where no
        outcomes are counted).
    """
    unit = "outcome" if by_month["cost_per_outcome"].notna().any() else "successful task"
    column = f"cost_per_{unit.replace(' ', '_')}"
    cost, per_unit = (by_month[name].astype("float64").to_numpy() for name in ("contracted_cost", column))
    if not len(by_month) or np.isnan(per_unit).all() or np.isnan(cost).all():
        return words_only("Cost per outcome is not known", "No month has both a cost and outcomes or successful tasks.")
    names = [month_name(month) for month in by_month["month"]]
    known = np.flatnonzero(~np.isnan(per_unit))
    first, last = known[0], known[-1]
    change = f", {more_or_less(per_unit[last] / per_unit[first] - 1)} in {names[first]}" if per_unit[first] > 0 else ""
    alone = first == last
    figure, (above, below) = new_chart(
        f"One {unit} cost {unit_price(per_unit[last])} in {names[last]}{'' if alone else change}",
        subtitle=f"Contracted cost by month, and cost of one {unit}",
        height=4.2,
        panels=2,
    )
    place, crowded = np.arange(len(names)), len(names) > MANY_MONTHS
    colors = [MUTED] * (len(names) - 1) + [ACTUAL]
    for axes, values, write in ((above, cost, lambda v: usd(v, cents=False)), (below, per_unit, unit_price)):
        axes.bar(place, np.nan_to_num(values), width=0.6, color=colors)
        for at, value in enumerate(values):
            text = "not known" if np.isnan(value) else write(value).removeprefix("USD " if crowded else "")
            axes.annotate(text.replace(" ", "\n") if crowded else text, (at, np.nan_to_num(value)), xytext=(0, 3),
                          textcoords="offset points", ha="center", fontsize=8 if crowded else 10)  # fmt: skip
        axes.set_ylim(0, (np.nanmax(values) or 1) * 1.22)
        money_axis(axes.yaxis)
    above.set_ylabel("Cost (USD)")
    below.set_ylabel(f"Cost of one {unit} (USD)")
    partial = by_month["is_partial"].to_numpy(dtype=bool)
    under = month_ticks(list(by_month["month"]))
    ticks = [f"{name}\n(in part)" if part else name for name, part in zip(under, partial, strict=True)]
    below.set_xticks(place, ticks, fontsize=8 if crowded else None)
    side = 0.7 + max(4 - len(names), 0) / 2
    below.set_xlim(-side, len(names) - 1 + side)
    values = [f"{usd(c, cents=False)}, {unit_price(u)} a {unit}" for c, u in zip(cost, per_unit, strict=True)]
    return describe(figure, f"Bars of cost by month above bars of the cost of one {unit}. {listing(names, values)}")
