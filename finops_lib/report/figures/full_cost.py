"""Full cost figures: what stands around the model bill, what is wasted, and what customers leave."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from finops_lib.params import ORGANISATION
from finops_lib.report.axis_units import money_axis
from finops_lib.report.bars import bar_height, cost_label, draw_bars, listing, of_period
from finops_lib.report.chart import (
    ACTUAL,
    ANOMALY,
    MUTED,
    SAVING,
    SECONDARY,
    UNKNOWN,
    Chart,
    describe,
    new_chart,
    words_only,
)
from finops_lib.report.text import month_name, share, usd

_PARTS = {
    "model_bill": ("billed by model providers", ACTUAL),
    "other_bills": ("on other bills", SECONDARY),
    "not_billed": ("on no bill", SAVING),
}


def plot_full_cost(
    layers: pd.DataFrame, summary: Mapping[str, Any], *, period: str = "", assistant: str = ORGANISATION
) -> Chart:
    """Draw the layers of the true cost, and say how much of it the model providers bill.

    Parameters
    ----------
    layers : DataFrame
        One row per ``layer``: ``model_bill``, ``other_bills``, ``not_billed``, ``true_cost`` (USD, null where nothing
        was placed) and ``share``.
    summary : mapping
        ``cost``, ``model_bill_share`` (``None`` when the true cost is not known), ``empty_layers``, ``bills_read``
        (false where all charges are the ledger's).
    period : str
        Month ``YYYY-MM``.
    assistant : str
        Whose page it is: an assistant's holds no part of what is shared, and says so.

    Returns
    -------
    Figure
        A bar a layer, parted by who bills it.
    """
    if not summary["cost"]:
        return words_only(f"No charges{of_period(period)}", "Neither the ledger nor a bill holds a charge.")
    if summary["model_bill_share"] is None:
        title = f"{usd(summary['cost'])} is known; what stands around the models is not"
        subtitle = "No bill but the model providers' names it: read the bills of hosting, storage, tools and seats"
        if not summary["bills_read"]:
            subtitle = "The ledger, at contracted prices; no bill was read, of model providers or of anything else"
    else:
        whole = f"the true cost of {usd(summary['cost'])}"
        if assistant != ORGANISATION:
            whole = f"the {usd(summary['cost'])} that is its own; its parts of shared cost are on page 04"
        title = f"Model providers bill {share(summary['model_bill_share'])} of {whole}"
        empty = f"; nothing is placed in {', '.join(summary['empty_layers'])}" if summary["empty_layers"] else ""
        own = layers.loc[(layers["layer"] == "model").to_numpy(bool), "other_bills"].sum()
        hosted = "; the layer 'model' also holds models that others host" if own else ""
        subtitle = f"Cost by layer{of_period(period)}{hosted}{empty}"
    shown = layers[layers["true_cost"].notna()]
    names = shown["layer"].tolist()
    figure, (axes,) = new_chart(title, subtitle=subtitle, height=bar_height(len(names)) + 0.35)
    labels = [cost_label(cost, part) for cost, part in zip(shown["true_cost"], shown["share"], strict=True)]
    totals = shown["true_cost"].astype("float64").to_numpy()
    draw_bars(axes, names, totals, labels, [UNKNOWN] * len(names))
    place, start = np.arange(len(names)), np.zeros(len(names))
    for column, (label, color) in _PARTS.items():
        part = shown[column].astype("float64").to_numpy()
        if part.any():
            if column == "model_bill" and not summary["bills_read"]:
                label = "ledger, at contracted prices"
            axes.barh(place, part, left=start, height=0.68, color=color, label=label)
        start = start + part
    # below the axes: the subtitle may be as wide as the figure
    figure.legend(loc="outside lower right", ncols=3, handlelength=1.0, handleheight=1.0)
    money_axis(axes.xaxis)
    axes.set_xlabel("Cost (USD)")
    return describe(figure, f"Horizontal bars of cost by layer. {listing(names, labels)}")


def plot_waste(waste: pd.DataFrame, *, period: str = "") -> Chart:
    """Draw what was paid for and of no use.

    Parameters
    ----------
    waste : DataFrame
        One row per line: ``waste``, ``cost`` (USD, null where it is not known), ``share_of_cost``, ``largest_part``.
    period : str
        Month ``YYYY-MM``.

    Returns
    -------
    Figure
        A bar a line, longest first.
    """
    known = waste[waste["cost"] > 0]
    if known.empty:
        unknown = waste.loc[waste["cost"].isna(), "waste"].astype(str).tolist()
        if unknown:
            title = "No waste in what is known" if len(unknown) < len(waste) else "Waste is not known"
            return words_only(f"{title}{of_period(period)}", f"Nothing tells of {', '.join(unknown)}.")
        return words_only(f"No waste was found{of_period(period)}", "No call, seat or idle hour was paid for in vain.")
    first = known.iloc[0]
    when = f" in {month_name(period)}" if period else ""
    names, costs = known["waste"].tolist(), known["cost"].to_numpy(dtype="float64")
    figure, (axes,) = new_chart(
        f"{usd(costs.sum())} bought nothing{when}; most of it is {first['waste']}, {usd(first['cost'])}",
        subtitle="Each dollar in one line only; beside it, where most of the line is",
        height=bar_height(len(names)),
    )
    labels = [
        usd(cost) + (f" · {part}" if isinstance(part, str) else "")
        for cost, part in zip(known["cost"], known["largest_part"], strict=True)
    ]
    draw_bars(axes, names, costs, labels, [ACTUAL, *[MUTED] * (len(names) - 1)])
    money_axis(axes.xaxis)
    axes.set_xlabel("Cost (USD)")
    return describe(figure, f"Horizontal bars of waste. {listing(names, labels)}")


def plot_customer_margin(margins: pd.DataFrame, *, period: str = "", top: int = 15) -> Chart:
    """Draw what is left of each customer's revenue after the AI they use.

    Parameters
    ----------
    margins : DataFrame
        One row per ``customer``, lowest margin first: ``revenue``, ``cost``, ``margin`` (USD), ``margin_rate``.
    period : str
        Month ``YYYY-MM``.
    top : int
        Customers to draw.

    Returns
    -------
    Figure
        A bar a customer, losses to the left.
    """
    known = margins[margins["margin"].notna()].head(top)
    if known.empty:
        return words_only(
            f"The margin per customer is not known{of_period(period)}",
            "It takes calls that name their customer, and a table 'customers' with revenue by month.",
        )
    losing = known[known["is_unprofitable"]]
    title = f"All {len(margins)} customers with calls pay more than their AI costs"
    if len(losing):
        names = ", ".join(losing["customer"].head(3)) + (" …" if len(losing) > 3 else "")
        verbs = ("costs", "it pays") if len(losing) == 1 else ("cost", "they pay")
        loss = usd(-losing["margin"].astype("float64").sum())
        title = f"{names} {verbs[0]} {loss} more in AI than {verbs[1]}"
    figure, (axes,) = new_chart(
        title,
        subtitle=f"Revenue less model cost by customer{of_period(period)}; lowest margin first",
        height=bar_height(len(known)),
    )
    values = known["margin"].astype("float64").to_numpy()
    labels = [
        f"{usd(margin)} · {usd(cost)} of {usd(revenue)}"
        for margin, cost, revenue in zip(known["margin"], known["cost"], known["revenue"], strict=True)
    ]
    colors = [ANOMALY if value < 0 else MUTED for value in values]
    draw_bars(axes, known["customer"].tolist(), values, labels, colors)
    money_axis(axes.xaxis)
    axes.set_xlabel("Margin (USD); beside it, cost of revenue")
    return describe(figure, f"Horizontal bars of margin by customer. {listing(known['customer'].tolist(), labels)}")
