"""Trend figures: how cost and unit costs move from day to day."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from finops_lib.report.axis_units import count_axis, day_axis, money_axis
from finops_lib.report.bars import REST, UNATTRIBUTED, listing, spread
from finops_lib.report.chart import (
    ACTUAL,
    CATEGORIES,
    MUTED,
    QUIET,
    UNKNOWN,
    Chart,
    describe,
    new_chart,
    words_only,
)
from finops_lib.report.text import count, month_name, more_or_less, share, shorten, unit_price, usd, words

_DAY = "charge_period_start"
_COMPARED_DAYS = 28
_LITTLE = 0.02  # of the whole: a smaller move is no news


def plot_daily_cost(daily: pd.DataFrame, *, window_days: int = 7) -> Chart:
    """Draw the cost of each day and its moving average.

    Parameters
    ----------
    daily : DataFrame
        One row per day without gaps: ``charge_period_start``, ``contracted_cost`` (USD, null where
        traffic has no price), ``contracted_cost_average``.
    window_days : int
        Days of the average, for the title.

    Returns
    -------
    Figure
        Bars by day, a line for the average.
    """
    costs = daily["contracted_cost"].astype("float64").to_numpy()
    if not len(costs) or np.isnan(costs).all():
        reason = "There is no traffic in this scope." if not len(costs) else "None of the traffic has a price."
        return words_only("The cost per day is not known", reason)
    days, average = daily[_DAY], daily["contracted_cost_average"].astype("float64").to_numpy()
    title = _average_title("Cost", average, lambda cost: f"{usd(cost)} a day", window_days)
    if not title:
        highest = int(np.nanargmax(costs))
        title = f"Cost was highest on {_day(days.iloc[highest])}: {usd(costs[highest])}"
    averaged = f", and its {window_days}-day average" if np.isfinite(average).any() else ""
    figure, (axes,) = new_chart(title, subtitle=f"Contracted cost by day{averaged}", height=3.2)
    axes.bar(days, np.nan_to_num(costs), width=0.8, color=MUTED)
    axes.plot(days, average, color=ACTUAL)
    _end_label(axes, days, average, f"{window_days}-day average\n{{}}", usd)
    axes.set_ylabel("Contracted cost (USD a day)")
    axes.set_ylim(bottom=min(0.0, float(np.nanmin(costs))))
    money_axis(axes.yaxis)
    _finish_days(axes, days)
    missing = int(np.isnan(costs).sum())
    if missing:
        _note(axes, f"{missing} days of traffic without any price")
    return describe(
        figure,
        f"Bars of cost by day from {_day(days.iloc[0])} to {_day(days.iloc[-1])}, between "
        f"{usd(np.nanmin(costs))} and {usd(np.nanmax(costs))}, with a line for the average.",
    )


def plot_daily_spend(daily: pd.DataFrame, *, window_days: int = 7) -> Chart:
    """Draw how the cost of each value of a dimension moves, stacked to the whole.

    Parameters
    ----------
    daily : DataFrame
        One row per day × value, without gaps, in the order to stack: ``charge_period_start``, the
        dimension, ``contracted_cost``, ``contracted_cost_average`` (USD).
    window_days : int
        Days of the average; with fewer days in the frame, the days themselves are drawn.

    Returns
    -------
    Figure
        Stacked areas of the moving average, each named at its right end.
    """
    dimension = str(daily.columns[1])
    averaged = daily["contracted_cost_average"].notna().any()
    drawn = daily["contracted_cost_average" if averaged else "contracted_cost"].astype("float64")
    if daily.empty or drawn.isna().all():
        return words_only(f"The cost per day by {words(dimension)} is not known", "Nothing in this scope has a price.")
    names = daily[dimension].drop_duplicates().astype(str).tolist()
    layers = [drawn[daily[dimension] == name].to_numpy() for name in names]
    # values that never had a price take no room and would crowd the labels
    kept = [place for place, layer in enumerate(layers) if np.nansum(np.abs(layer)) > 0] or [0]
    names, layers = [names[place] for place in kept], [layers[place] for place in kept]
    # an average begins once its window is full: before that nothing is known, which is not nothing
    start = int(np.argmax(np.isfinite(layers).any(axis=0)))
    days, layers = pd.Series(daily[_DAY].unique())[start:], [layer[start:] for layer in layers]
    missing, known = int(np.isnan(layers).any(axis=0).sum()), layers
    layers = [np.nan_to_num(layer) for layer in layers]
    kind = f"{window_days}-day average" if averaged else "by day"
    figure, (axes,) = new_chart(
        _mover_title(names, layers, dimension),
        subtitle=f"Contracted cost by {words(dimension)}, {kind}",
        height=3.4,
    )
    colors = _category_colors(names)
    ends = _draw_layers(axes, days, known, colors, as_bars=not averaged)
    labels = [f"{shorten(name, 26)} {usd(layer[-1], cents=False)}" for name, layer in zip(names, layers, strict=True)]
    low, high = axes.get_ylim()
    for label, place, wanted, color in zip(labels, spread(ends, (high - low) * 0.075), ends, colors, strict=True):
        _side_label(axes, days.iloc[-1], wanted, place, label, color)
    axes.set_ylabel("Contracted cost (USD a day)")
    money_axis(axes.yaxis)
    _finish_days(axes, days)
    if missing:
        _note(axes, f"On {missing} days a part has no price and is not drawn")
    return describe(
        figure,
        f"Stacked areas of cost by day and {words(dimension)} from {_day(days.iloc[0])} to {_day(days.iloc[-1])}. "
        f"At the end: {listing(names, [usd(layer[-1]) for layer in layers])}",
    )


def plot_unit_costs(daily: pd.DataFrame, *, window_days: int = 7) -> Chart:
    """Draw the tokens of a day, what a request costs and takes, and what a task costs where that is known.

    Parameters
    ----------
    daily : DataFrame
        One row per day without gaps: ``charge_period_start`` and, each with its ``…_average``, ``tokens``,
        ``cost_per_request`` (USD), ``tokens_per_request``, ``cost_per_task`` (USD).
    window_days : int
        Days of the averages.

    Returns
    -------
    Figure
        One panel for each: days as dots, the average as a line.
    """
    panels = {
        "cost_per_request": ("Cost per request (USD)", unit_price),
        "tokens_per_request": ("Tokens per request", _whole),
        "cost_per_task": ("Cost per task (USD)", unit_price),
    }
    panels = {name: panel for name, panel in panels.items() if daily[name].notna().any()}
    if not panels:
        return words_only("Cost and tokens per request are not known", "The sources count no requests in this scope.")
    days, title = daily[_DAY], _unit_title(daily, panels)
    if "tokens_average" in daily.columns:
        panels["tokens"] = ("Billed tokens a day", _compact)
    figure, axes = new_chart(
        title,
        subtitle=f"Dots are days, lines {window_days}-day averages (sums over sums)",
        height=0.5 + 1.75 * len(panels),
        panels=len(panels),
    )
    for panel, (name, (label, written)) in zip(axes, panels.items(), strict=True):
        values = daily[name].astype("float64").to_numpy()
        average = daily[f"{name}_average"].astype("float64").to_numpy()
        averaged = bool(np.isfinite(average).any())
        panel.plot(days, values, "o" if averaged else "o-", color=MUTED, markersize=3.5, linewidth=1)
        panel.plot(days, average, color=ACTUAL)
        _end_label(panel, days, average if averaged else values, "{}", written)
        panel.set_ylabel(label)
        panel.set_ylim(0, np.nanmax(values) * 1.12 or 1)
        (count_axis if "tokens" in name else money_axis)(panel.yaxis)
        _finish_days(panel, days)
    for panel in axes[:-1]:
        panel.set_xlabel("")
    return describe(figure, f"Panels by day from {_day(days.iloc[0])} to {_day(days.iloc[-1])}: {', '.join(panels)}.")


def _unit_title(daily: pd.DataFrame, panels: dict[str, tuple[str, Callable[[float], str]]]) -> str:
    """Say for each unit cost how it changed in four weeks, or where it stands."""
    statements, compared = [], False
    for name, (label, written) in panels.items():
        average = daily[f"{name}_average"].astype("float64").to_numpy()
        change, subject = _change(average), label.split(" (")[0]
        if change is None:
            latest = _last(average)
            latest = _last(daily[name].astype("float64").to_numpy()) if latest is None else latest
            statements.append(f"{subject}: {written(latest)}")
        else:
            compared = True
            moved = (
                "is unchanged" if abs(change) < 0.005 else f"{'rose' if change > 0 else 'fell'} {share(abs(change))}"
            )
            statements.append(f"{subject} {moved}")
    sentence = "; ".join([statements[0], *(text[0].lower() + text[1:] for text in statements[1:])])
    return sentence + (" in four weeks" if compared else "")


def _average_title(subject: str, average: np.ndarray, written: Callable[[float], str], window_days: int) -> str:
    """Say where the average stands, and against four weeks earlier; nothing without an average."""
    last = _last(average)
    if last is None:
        return ""
    change = _change(average)
    against = "" if change is None else f", {more_or_less(change)} four weeks earlier"
    return f"{subject} averages {written(last)} over the last {window_days} days{against}"


def _mover_title(names: list[str], layers: list[np.ndarray], dimension: str) -> str:
    """Name the value whose cost moved the most since four weeks before, else the largest."""
    named = [place for place, name in enumerate(names) if name != UNATTRIBUTED and not name.startswith(REST)]
    last = [layer[-1] for layer in layers]
    if not named:
        return f"No {words(dimension)} is named: {usd(sum(last))} a day"
    back = _COMPARED_DAYS if len(layers[0]) > _COMPARED_DAYS else len(layers[0]) - 1
    moves = {place: layers[place][-1] - layers[place][-1 - back] for place in named}
    mover = max(moves, key=lambda place: abs(moves[place]))
    since = "four weeks" if back == _COMPARED_DAYS else f"{back} days"
    if back and abs(moves[mover]) >= max(_LITTLE * sum(last), 0.005):
        verb = "more" if moves[mover] > 0 else "less"
        return f"{names[mover]} moved most: {usd(abs(moves[mover]))} a day {verb} than {since} earlier"
    largest = max(named, key=lambda place: last[place])
    steady = f"; none moved much in {since}" if back and len(named) > 1 else ""
    return f"{names[largest]} is the largest {words(dimension)}, at {usd(last[largest])} a day{steady}"


def _whole(number: float) -> str:
    return count(round(number))


def _compact(number: float) -> str:
    return count(round(number), compact=True)


def _last(values: np.ndarray) -> float | None:
    known = values[~np.isnan(values)]
    return float(known[-1]) if len(known) else None


def _change(average: np.ndarray) -> float | None:
    """Change of an average on four weeks earlier, as a share."""
    if len(average) <= _COMPARED_DAYS:
        return None
    now, then = average[-1], average[-1 - _COMPARED_DAYS]
    return None if np.isnan(now) or np.isnan(then) or then == 0 else float(now / then - 1)


def _draw_layers(
    axes: Axes, days: pd.Series, layers: list[np.ndarray], colors: list[str], *, as_bars: bool
) -> list[float]:
    """Stack the layers, or draw them as lines where a credit forbids stacking; return where each ends."""
    if np.nanmin(layers) < 0:
        for layer, color in zip(layers, colors, strict=True):
            axes.plot(days, layer, color=color, marker="o" if len(days) == 1 else None)
        return [float(np.nan_to_num(layer[-1])) for layer in layers]
    layers = [np.nan_to_num(layer) for layer in layers]
    tops = np.cumsum(layers, axis=0)
    if as_bars:
        for layer, top, color in zip(layers, tops, colors, strict=True):
            axes.bar(days, layer, bottom=top - layer, color=color, width=0.8, edgecolor="white", linewidth=0.6)
    else:
        axes.stackplot(days, layers, colors=colors, edgecolor="white", linewidth=0.6)
    axes.set_ylim(0, max(tops[-1].max() * 1.05, 1e-9))
    return [float(top[-1] - layer[-1] / 2) for top, layer in zip(tops, layers, strict=True)]


def _category_colors(names: list[str]) -> list[str]:
    palette = iter(CATEGORIES * (1 + len(names) // len(CATEGORIES)))
    return [
        UNKNOWN if name == UNATTRIBUTED else "#D9D9D9" if name.startswith(REST) else next(palette) for name in names
    ]


def _day(day: pd.Timestamp) -> str:
    return f"{day.day} {month_name(f'{day:%Y-%m}')}"


def _end_label(
    axes: Axes, days: pd.Series, average: np.ndarray, template: str, written: Callable[[float], str]
) -> None:
    last = _last(average)
    if last is not None:
        at = days[~np.isnan(average)].iloc[-1]
        axes.annotate(
            template.format(written(last)),
            (at, last),
            xytext=(8, 0),
            textcoords="offset points",
            va="center",
            color=ACTUAL,
            fontweight="bold",
            annotation_clip=False,
        )


def _side_label(axes: Axes, day: pd.Timestamp, wanted: float, place: float, label: str, color: str) -> None:
    """Write a label right of the last day, tied to its layer by a short line in the layer's colour."""
    axes.annotate(
        label,
        (day, wanted),
        xytext=(1.02, place),
        textcoords=axes.get_yaxis_transform(),
        va="center",
        fontsize=9,
        annotation_clip=False,
        arrowprops={"arrowstyle": "-", "color": color, "linewidth": 2, "shrinkA": 2, "shrinkB": 0, "relpos": (0, 0.5)},
    )


def _finish_days(axes: Axes, days: pd.Series) -> None:
    day_axis(axes, days)
    edge = pd.Timedelta(hours=14)
    # a few days stand at the right end, where the labels are, and not as wide slabs
    first = min(days.iloc[0], days.iloc[-1] - pd.Timedelta(days=6))
    axes.set_xlim(first - edge, days.iloc[-1] + edge)


def _note(axes: Axes, text: str) -> None:
    axes.text(0.005, 0.98, text, transform=axes.transAxes, va="top", fontsize=9, color=QUIET)
