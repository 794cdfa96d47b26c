"""Figures of what drives cost: drivers apart, the bridge between months, scenarios, sensitivity."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from finops_lib.report.axis_units import count_axis, day_axis, money_axis, share_axis
from finops_lib.report.bars import bar_height, cut_of, draw_bars, draw_waterfall, listing
from finops_lib.report.chart import (
    ACTUAL,
    ANOMALY,
    CATEGORIES,
    FORECAST,
    MUTED,
    QUIET,
    SAVING,
    UNKNOWN,
    Chart,
    describe,
    new_chart,
    words_only,
)
from finops_lib.report.text import count, is_known, month_name, more_or_less, share, two_lines, usd, words

_SHOWN_DAYS = 120
_MIX = "share of "
_LEGIBLE = 0.05  # of the calls
_NAMES = {
    "calls": "Calls a day",
    "input_tokens_per_call": "Input tokens\na call",
    "output_tokens_per_call": "Output tokens\na call",
    "cache_read_share": "Cached\ninput (%)",
}
STEP_NAMES = {
    "volume": "Volume (calls)",
    "model_mix": "Model mix",
    "context_length": "Context length",
    "output_length": "Output length",
    "tool_use": "Searches",
    "cache": "Cache",
    "tiers": "Service and context tiers",
    "price": "Prices",
}


def plot_drivers(drivers: pd.DataFrame) -> Chart:
    """Draw each driver of the cost with its own forecast.

    Parameters
    ----------
    drivers : DataFrame
        One row per driver × day: ``driver``, ``day``, ``actual`` (past), ``mean``, ``lower_80``, ``upper_80`` (ahead).

    Returns
    -------
    Chart
        A panel a driver, and one with the models' shares of the calls.
    """
    if drivers.empty:
        return words_only("No driver can be forecast", "There are no model calls in this scope.")
    used = drivers[(drivers["actual"].fillna(0) > 0) | drivers["driver"].eq("calls")]
    names = [name for name in used["driver"].unique() if not name.startswith(_MIX)]
    mix = [name for name in drivers["driver"].unique() if name.startswith(_MIX)]
    begins = drivers.loc[drivers["actual"].notna(), "day"].max() - pd.Timedelta(days=_SHOWN_DAYS)
    shown = drivers[drivers["day"] > begins]
    last = shown.loc[shown["mean"].isna(), "day"].max()
    changes = {name: _change(shown[shown["driver"] == name]) for name in names}
    moving = max(names, key=lambda name: abs(changes[name]))
    figure, panels = new_chart(
        f"Moving most: {_flat(moving).lower()}, {more_or_less(changes[moving])} the last four weeks over the days ahead"
        if abs(changes[moving]) >= 0.005
        else "Every driver of the cost is forecast to stay as it is",
        subtitle="So far, then the forecast (dashed) with the range of 8 of 10 days",
        height=1.25 * len(names) + (1.5 if mix else 0),
        panels=len(names) + bool(mix),
    )
    for axes, name in zip(panels, names, strict=False):
        _fan(axes, shown[shown["driver"] == name], ACTUAL)
        axes.set_ylabel(_NAMES.get(name, words(name)))
        (share_axis if "share" in name else count_axis)(axes.yaxis)
        axes.set_ylim(bottom=0)
    if mix:
        shares = _legible(shown[shown["driver"].isin(mix)])
        for color, name in zip(CATEGORIES, shares["driver"].unique(), strict=False):
            _fan(panels[-1], shares[shares["driver"] == name], color, label=name.removeprefix(_MIX))
        panels[-1].set_ylabel("Share of\ncalls (%)")
        panels[-1].set_ylim(0, 1)
        share_axis(panels[-1].yaxis)
        figure.legend(loc="outside lower center", ncols=3, frameon=False)
    for axes in panels:
        axes.axvline(last + pd.Timedelta(hours=12), color=QUIET, linewidth=0.8)
    day_axis(panels[-1], shown["day"])
    panels[-1].set_xlim(shown["day"].min(), shown["day"].max())
    figure.align_ylabels(panels)
    said = [more_or_less(changes[name]) + " the last four weeks" for name in names]
    return describe(figure, f"A line a driver with its forecast range. {listing([_flat(n) for n in names], said)}")


def plot_cost_bridge(steps: pd.DataFrame, *, periods: Sequence[str] = ("", ""), days: str = "") -> Chart:
    """Draw what each driver added between two periods.

    Parameters
    ----------
    steps : DataFrame
        One row per step: ``step``, ``amount`` (USD), ``is_total``, ``carried_by``.
    periods : sequence of str
        The two months, ``YYYY-MM``.
    days : str
        Days of the months that are compared, in words; empty for whole months.

    Returns
    -------
    Chart
        A waterfall from the earlier to the later cost.
    """
    if steps.empty:
        return words_only("There is no month before to compare with", "A bridge needs two months with priced calls.")
    amounts, totals = steps["amount"].astype("float64").to_numpy(), steps["is_total"].to_numpy(bool)
    before, after = (month_name(period) for period in periods)
    names = [STEP_NAMES.get(step, {"before": before, "after": after}.get(step, step)) for step in steps["step"]]
    labels = [usd(a, cents=False) if total else f"{a:+,.2f}" for a, total in zip(amounts, totals, strict=True)]
    largest = largest_step(steps)
    figure, (axes,) = new_chart(
        f"{after} cost {more_or_less(amounts[-1] / amounts[0] - 1)} {before}"
        + (f", above all through {STEP_NAMES[largest['step']].lower()}" if largest is not None else "")
        if amounts[0] > 0
        else f"{after} cost {usd(amounts[-1])}, and {before} nothing",
        subtitle="What each driver added (USD), one after the other" + (f"; {days} of both months" if days else ""),
        height=bar_height(len(names)),
    )
    colors = [ACTUAL if total else ANOMALY if a > 0 else SAVING for a, total in zip(amounts, totals, strict=True)]
    low = cut_of(amounts, totals)
    draw_waterfall(axes, names, amounts, totals, labels, colors, low=low)
    axes.set_xlabel("Cost (USD)" + ("; the axis does not begin at zero" if low else ""))
    return describe(figure, f"Waterfall. {listing(names, labels, 20)}")


def plot_scenarios(table: pd.DataFrame) -> Chart:
    """Draw what a month costs in each scenario, against today.

    Parameters
    ----------
    table : DataFrame
        One row per scenario, today first: ``scenario``, ``cost_per_month`` (USD), ``change`` (share);
        ``attrs["addressable_swing"]`` (USD a month).

    Returns
    -------
    Chart
        A bar a scenario, with today as a line.
    """
    known = table[table["cost_per_month"].notna()]
    if known.empty or not known["cost_per_month"].iloc[0]:
        return words_only("No scenario can be held against today", "There is no priced call in the last four weeks.")
    today, swing = known["cost_per_month"].iloc[0], table.attrs.get("addressable_swing")
    if len(table) == 1:
        return words_only(
            f"Today's pace is {usd(today, cents=False)} a month; no scenario is set",
            "Cases to hold against it go under 'scenarios: […]' in the settings of a file in parameters/.",
        )
    costs = known["cost_per_month"].to_numpy()
    if swing:
        title = f"Between the dearest and the cheapest course lie {usd(swing, cents=False)} a month"
    elif len(known) > 1:
        dearest = known.iloc[1:].sort_values("change", key=abs).iloc[-1]
        title = f"“{dearest['scenario']}” would cost {usd(dearest['cost_per_month'], cents=False)} a month, "
        title += f"{more_or_less(dearest['change'])} today"
    else:
        title = f"Today's pace is {usd(today, cents=False)} a month; what the scenarios would cost is not known"
    figure, (axes,) = new_chart(title, subtitle="Cost of an average month (USD)", height=bar_height(len(known)))
    labels = [
        usd(cost, cents=False) + (f" · {share(change, signed=True)}" if is_known(change) else "")
        for cost, change in zip(costs, known["change"], strict=True)
    ]
    colors = [
        MUTED,
        *(ANOMALY if cost > today * 1.005 else SAVING if cost < today * 0.995 else MUTED for cost in costs[1:]),
    ]
    draw_bars(axes, known["scenario"].tolist(), costs, labels, colors)
    money_axis(axes.xaxis)
    axes.set_xlabel("Cost a month (USD)")
    return describe(figure, f"A bar a scenario. {listing(known['scenario'].tolist(), labels)}")


def plot_sensitivity(table: pd.DataFrame) -> Chart:
    """Draw what each inefficiency would add to a month, the dearest first.

    Parameters
    ----------
    table : DataFrame
        One row per driver: ``driver``, ``unit``, ``measured``, ``becomes``, ``cost_per_month`` (USD more, null: not
        known), ``share_of_cost``.

    Returns
    -------
    Chart
        Ranked bars; what is not known has none and says so.
    """
    if table.empty:
        return words_only("What changes would cost is not known", "There is no priced call in the last four weeks.")
    values = table["cost_per_month"].astype("float64").to_numpy()
    names = [f"{row.driver}\n{_from_to(row)}".strip() for row in table.itertuples()]
    labels = [
        "not known" if np.isnan(value) else f"+{usd(value, cents=False)} · {share(part, signed=True)}"
        for value, part in zip(values, table["share_of_cost"].astype("float64"), strict=True)
    ]
    first = table.iloc[0]
    figure, (axes,) = new_chart(
        f"What would cost most: {first['driver']}, {usd(values[0], cents=False)} a month"
        if is_known(values[0])
        else "What changes would cost is not known: nothing is measured",
        subtitle="Each change alone, added to a month at today's pace; share of the whole cost",
        height=0.62 + 0.52 * len(names),
    )
    colors = [UNKNOWN if np.isnan(value) else ANOMALY if place == 0 else MUTED for place, value in enumerate(values)]
    draw_bars(axes, names, np.nan_to_num(values), labels, colors)
    axes.set_yticks(range(len(names)), names, linespacing=1.1)
    money_axis(axes.xaxis)
    axes.set_xlabel("Added cost a month (USD)")
    return describe(figure, f"Ranked bars. {listing([name.replace(chr(10), ', ') for name in names], labels)}")


def largest_step(steps: pd.DataFrame) -> pd.Series | None:
    """Return the step of a bridge that moved most money; ``None`` without any."""
    between = steps[~steps["is_total"].to_numpy(bool)] if len(steps) else steps
    return between.iloc[int(between["amount"].astype("float64").abs().to_numpy().argmax())] if len(between) else None


def _fan(axes: Axes, rows: pd.DataFrame, color: str, label: str | None = None) -> None:
    past, ahead = rows[rows["mean"].isna()], rows[rows["mean"].notna()]
    marker = "o" if len(past) == 1 else None
    axes.plot(past["day"], past["actual"], color=color, linewidth=1.2, marker=marker, label=label)
    shade = FORECAST if color == ACTUAL and label is None else color
    alpha = 0.3 if label is None else 0.12
    axes.fill_between(ahead["day"], ahead["lower_80"], ahead["upper_80"], color=shade, alpha=alpha, lw=0)
    axes.plot(ahead["day"], ahead["mean"], color=color, linewidth=1.5, linestyle=(0, (4, 1.5)))


def _legible(shares: pd.DataFrame) -> pd.DataFrame:
    """Keep the models whose share can be told apart, the largest first; the others become one, without a range."""
    usual = shares.groupby("driver")["actual"].apply(lambda known: known.dropna().iloc[-28:].mean())
    large = usual[usual >= _LEGIBLE].sort_values(ascending=False, kind="stable").index[: len(CATEGORIES) - 1]
    small = usual.index.difference(large)
    if len(small) < 2:
        large, small = [*large, *small], []
    parts = [shares[shares["driver"] == name] for name in large]
    together = shares[shares["driver"].isin(small)].groupby("day", as_index=False)[["actual", "mean"]].sum(min_count=1)
    parts.append(together.assign(driver=f"{_MIX}{len(small)} below 5% each"))
    return pd.concat([part for part in parts if len(part)], ignore_index=True).reindex(columns=shares.columns)


def _change(rows: pd.DataFrame) -> float:
    """Compare the days ahead with the last four weeks."""
    before, ahead = rows["actual"].dropna().iloc[-28:].mean(), rows["mean"].dropna().mean()
    return ahead / before - 1 if before and is_known(before) else 0.0


def _flat(name: str) -> str:
    return _NAMES.get(name, words(name)).replace("\n", " ").removesuffix(" (%)")


def _from_to(row: Any) -> str:
    """Write what a driver is and what it would become, in its unit."""
    if not is_known(row.measured) or not is_known(row.becomes):
        return ""
    is_share = "share" in row.unit or row.unit == "retries a call"
    ends = [
        share(end) if is_share else count(round(end, 0 if end >= 100 else 1)) for end in (row.measured, row.becomes)
    ]
    return two_lines(f"{ends[0]} → {ends[1]} {row.unit.removeprefix('share ')}", 44)
