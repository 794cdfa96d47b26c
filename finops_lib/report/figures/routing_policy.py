"""Routing policy figures: what traffic outside the policy cost, by kind of breach."""

from __future__ import annotations

import pandas as pd

from finops_lib.report.axis_units import money_axis
from finops_lib.report.bars import bar_height, draw_bars, listing, of_period
from finops_lib.report.chart import ACTUAL, MUTED, UNKNOWN, Chart, describe, new_chart, words_only
from finops_lib.report.text import count, usd


def plot_policy_breaches(breaches: pd.DataFrame, *, period: str = "") -> Chart:
    """Draw what the calls outside the routing policy cost, by kind of breach, exceptions apart.

    Parameters
    ----------
    breaches : DataFrame
        One row per place × breach: ``breach``, ``exception`` (none, active, lapsed), ``requests``, ``cost`` and
        ``breach_cost`` (USD; null where money is not what is wrong).
    period : str
        Month ``YYYY-MM`` for the subtitle.

    Returns
    -------
    Figure
        A bar a kind: what it cost more than the policy allows; words when nothing broke the policy.
    """
    if breaches.empty:
        return words_only("No call broke its routing policy", "Or no policy is set: `routing` in parameters/.")
    kind = breaches["breach"].where(breaches["exception"] == "none", "exception " + breaches["exception"])
    measured = breaches[["requests", "cost", "breach_cost"]].astype("float64")
    sums = measured.groupby(kind).sum(min_count=1)
    sums = sums.sort_values(["breach_cost", "cost"], ascending=False, na_position="last")
    extra, names = sums["breach_cost"].fillna(0.0).to_numpy(), sums.index.tolist()
    labels = [
        f"{usd(row.breach_cost) if row.breach_cost == row.breach_cost else 'no extra cost'}"
        f" · {count(row.requests)} calls that cost {usd(row.cost)}"
        for row in sums.itertuples()
    ]
    broken = sums[~sums.index.str.startswith("exception")]
    title = f"Exceptions allow all of the {count(sums['requests'].sum())} calls outside their routing policy"
    if len(broken):
        worst = broken.iloc[0]
        money = f", USD {worst['breach_cost']:,.2f} too much" if worst["breach_cost"] > 0 else ""
        title = f"{broken.index[0].capitalize()}: {count(worst['requests'])} calls{money}"
    lapsed = breaches.loc[breaches["exception"] == "lapsed", "requests"].sum()
    apart = f"; {count(lapsed)} calls whose exception has lapsed stand apart here" if lapsed else ""
    figure, (axes,) = new_chart(
        title,
        subtitle=f"Cost beyond what the routing policy allows, by kind of breach{of_period(period)}{apart}",
        height=bar_height(len(names)),
    )
    colors = [
        UNKNOWN if name.startswith("exception") else ACTUAL if name == broken.index[0] else MUTED for name in names
    ]
    draw_bars(axes, names, extra, labels, colors)
    axes.set_xlim(0, (extra.max() or 1.0) * 2.0)
    money_axis(axes.xaxis)
    axes.set_xlabel("Cost beyond the policy (USD)")
    return describe(
        figure, f"Horizontal bars of cost by kind of breach; a call may break several. {listing(names, labels)}"
    )
