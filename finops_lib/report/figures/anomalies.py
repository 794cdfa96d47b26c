"""Anomaly figures: what was unusual, on the series it happened in, with its cause in words."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.dates import date2num

from finops_lib.report.axis_units import count_axis, day_axis, money_axis, share_axis
from finops_lib.report.chart import (
    ACTUAL,
    ANOMALY,
    INK,
    MUTED,
    SECONDARY,
    Chart,
    describe,
    new_chart,
    words_only,
)
from finops_lib.report.text import month_name, shorten, usd

_LABELS = {
    "cost": "Cost\n(USD a day)",
    "requests": "Requests\na day",
    "tokens_per_request": "Tokens per\nrequest",
    "rate": "USD per million\ntokens",
    "cost_per_request": "Cost per\nrequest (USD)",
    "retry_rate": "Retries\nper call",
    "failed_share": "Calls that\nfail",
    "premium_share": "Calls on\npremium models",
    "cache_hit_share": "Served from\nthe cache",
    "cache_read_share": "Input read\nfrom the cache",
    "unaccepted_share": "Output not\naccepted",
    "output_ratio": "Output per\ninput token",
    "loops": "Runs that\nloop, a day",
    "p99_cost": "Dearest 1% of\ncalls (USD)",
}
_COUNTED = ("requests", "tokens_per_request", "loops")
_MONEY = ("cost", "cost_per_request", "p99_cost")
_MAIN = ("cost", "requests", "tokens_per_request", "rate")
_MOST = 6  # events told on one figure
_LANE = 0.62  # inches
_BRIEF = 7  # days
_CHARACTERS = 125  # of nine points that fit the width


def plot_anomalies(daily: pd.DataFrame, events: pd.DataFrame, *, subject: str = "All assistants") -> Chart:
    """Draw the cost of each day with the unusual events on it, each with its money and its cause.

    Parameters
    ----------
    daily : DataFrame
        One row a day and, where there are several, assistant: ``date``, ``cost`` (USD).
    events : DataFrame
        Events as ``operate.find_anomalies`` lists them; ``assistant`` is told where it is given.
    subject : str
        Whose days they are.

    Returns
    -------
    Figure
        Bars by day, the days of brief events in the warning colour, and below each of the costliest events with its
        days as a bar and its cause in words. An event that was judged has another colour.
    """
    if daily.empty:
        return words_only("What was unusual is not known", "There is no day with cost in this scope.")
    by_day = daily.groupby("date")["cost"].sum().astype("float64")
    told = events.loc[events["impact"].abs().sort_values(ascending=False, kind="stable").index].head(_MOST)
    left_out = f"; the {_MOST} costliest of {len(events)} are told" if len(events) > _MOST else ""
    figure, (axes, lanes) = new_chart(
        _title(events, subject),
        subtitle="Contracted cost by day" + (f", and below it the days of each event{left_out}" if len(told) else ""),
        height=2.6 + _LANE * max(len(told), 0.2),
        panels=2,
    )
    axes.get_gridspec().set_height_ratios([2.4, _LANE * max(len(told), 0.2)])
    axes.bar(by_day.index, by_day.to_numpy(), width=0.8, color=_colors(by_day, told))
    axes.set_ylabel("Contracted cost\n(USD a day)")
    axes.set_ylim(min(0.0, float(by_day.min())), max(float(by_day.max()) * 1.08, 1e-9))
    money_axis(axes.yaxis)
    day_axis(axes, pd.Series(by_day.index))
    axes.tick_params(labelbottom=True)
    lanes.set_axis_off()
    lanes.set_ylim(len(told) or 1, 0)
    for lane, event in enumerate(told.itertuples()):
        _draw_lane(lanes, lane, event)
    dates = f"{_day(by_day.index[0])} to {_day(by_day.index[-1])}"
    said = " ".join(" ".join(_sentences(event)) for event in told.itertuples())
    return describe(figure, f"Bars of cost by day from {dates}. {said}")


def plot_driver_events(daily: pd.DataFrame, events: pd.DataFrame, *, subject: str = "All assistants") -> Chart:
    """Draw what the cost is made of, a small panel for each driver, with the events on the driver that moved.

    Parameters
    ----------
    daily : DataFrame
        Daily drivers of one scope: ``date``, ``cost`` and the drivers.
    events : DataFrame
        Events of the same scope.
    subject : str
        Whose days they are.

    Returns
    -------
    Figure
        One panel for cost, requests, tokens per request and rate, and for each other driver that an event names.
    """
    named = [*_MAIN, *(name for name in _LABELS if name in set(events["driver"]) and name not in _MAIN)]
    names = [name for name in named if name in daily.columns and daily[name].notna().any()]
    if not names:
        return words_only("What moves the cost is not known", "There is no day with traffic in this scope.")
    title = _title(events, subject)
    figure, panels = new_chart(title, subtitle="Drivers of cost by day", height=1.05 * len(names), panels=len(names))
    for axes, name in zip(panels, names, strict=True):
        values = daily[name].astype("float64") * (1e6 if name == "rate" else 1)
        axes.plot(daily["date"], values, color=ACTUAL, linewidth=1.2)
        for event in events[events["driver"] == name].itertuples():
            color = ANOMALY if pd.isna(event.verdict) else SECONDARY
            half = pd.Timedelta(hours=12)
            axes.axvspan(event.start - half, event.end + half, color=color, alpha=0.2, linewidth=0)
            inside = daily["date"].between(event.start, event.end)
            axes.plot(daily["date"][inside], values[inside], color=color, marker=".", linewidth=1.6)
            _tag(axes, daily, event, color)
        axes.set_ylabel(_LABELS[name], rotation=0, ha="right", va="center", fontsize=9)
        axes.set_ylim(bottom=0, top=max(float(np.nanmax(values)) * 1.4, 1e-9))
        _scale(axes, name)
    day_axis(panels[-1], daily["date"])
    told = " ".join(" ".join(_sentences(event)) for event in events.itertuples())
    return describe(figure, f"A line by day for {', '.join(n.replace('_', ' ') for n in names)}. {told}")


def _scale(axes: Axes, name: str) -> None:
    if name in _COUNTED:
        count_axis(axes.yaxis)
    elif name in _MONEY:
        money_axis(axes.yaxis)
    elif name not in ("rate", "output_ratio", "retry_rate"):
        share_axis(axes.yaxis)
    axes.locator_params(axis="y", nbins=3)


def _tag(axes: Axes, daily: pd.DataFrame, event: Any, color: str) -> None:
    """Write the kind and the money at the event, on the side that has room."""
    first, last = daily["date"].iloc[0], daily["date"].iloc[-1]
    after = event.end < first + (last - first) * 0.8
    axes.annotate(
        f"{event.kind} {usd(event.impact)}",
        (date2num(event.end if after else event.start), 0.95),
        xycoords=axes.get_xaxis_transform(),
        xytext=(6 if after else -6, 0),
        textcoords="offset points",
        ha="left" if after else "right",
        va="top",
        fontsize=9,
        color=color,
        fontweight="bold",
    )


def _title(events: pd.DataFrame, subject: str) -> str:
    unjudged = events[events["verdict"].isna()] if len(events) else events
    if unjudged.empty:
        return f"{subject}: nothing unusual" + (" that was not judged" if len(events) else "")
    more = unjudged["impact"].clip(lower=0).sum()
    count = "One event" if len(unjudged) == 1 else f"{len(unjudged)} events"
    return f"{subject}: {count} out of the usual, {usd(more)} more than expected"


def _colors(by_day: pd.Series, told: pd.DataFrame) -> list[str]:
    """Colour the days of brief events; a long one would colour everything and show nothing."""
    brief = told[(told["end"] - told["start"] < pd.Timedelta(days=_BRIEF)) & told["verdict"].isna()]
    unusual = [((brief["start"] <= day) & (day <= brief["end"])).any() for day in by_day.index]
    return [ANOMALY if found else MUTED for found in unusual]


def _draw_lane(axes: Axes, lane: int, event: Any) -> None:
    """Draw the days of one event as a bar, under what happened and why."""
    color, half = ANOMALY if pd.isna(event.verdict) else SECONDARY, pd.Timedelta(hours=12)
    axes.plot(
        [event.start - half, event.end + half], [lane + 0.72] * 2, color=color, linewidth=6, solid_capstyle="butt"
    )
    what, why = _sentences(event)
    across = axes.get_yaxis_transform()
    kept = {"transform": across, "va": "top", "fontsize": 9, "color": INK, "in_layout": False}
    axes.text(0, lane, what, fontweight="bold", **kept)
    axes.text(0, lane + 0.3, shorten(why, _CHARACTERS), **kept)


def _sentences(event: Any) -> tuple[str, str]:
    """Say what happened, with its money, and why."""
    whose = f"{event.assistant}: " if hasattr(event, "assistant") else ""
    days = _day(event.start) if event.start == event.end else f"{_day(event.start)} to {_day(event.end)}"
    amount = f"{usd(abs(event.impact))} {'more' if event.impact >= 0 else 'less'} than expected"
    judged = "" if pd.isna(event.verdict) else f" (judged: {event.verdict})"
    return f"{whose}{event.kind}, {days}, {amount}{judged}.", f"{event.likely_cause}."


def _day(day: pd.Timestamp) -> str:
    return f"{day.day} {month_name(f'{day:%Y-%m}').split()[0][:3]}"
