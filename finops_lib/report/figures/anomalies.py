"""Anomaly figures: what was unusual, on the series it happened in, with its cause in words."""

from __future__ import annotations

from typing import Any

import pandas as pd
from matplotlib.axes import Axes

from finops_lib.report.axis_units import day_axis, money_axis
from finops_lib.report.chart import (
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
        _title(events, subject, by_day.index[0]),
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


def _title(events: pd.DataFrame, subject: str, first: pd.Timestamp) -> str:
    unjudged = events[events["verdict"].isna()] if len(events) else events
    if unjudged.empty:
        return f"{subject}: nothing unusual" + (" that was not judged" if len(events) else "")
    more, less = (unjudged["impact"].mul(sign).clip(lower=0).sum() for sign in (1, -1))
    count = "one event" if len(unjudged) == 1 else f"{len(unjudged)} events"
    amounts = [f"{usd(money)} {side}" for money, side in ((more, "above"), (less, "below")) if money > 0]
    return f"{subject}: {count} since {_day(first)}, {' and '.join(amounts)} what was expected"


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
