"""Forecast figures: where spend is heading, how sure that is, and how wrong it has been."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from finops_lib.report.axis_units import day_axis, money_axis
from finops_lib.report.bars import listing
from finops_lib.report.chart import (
    ACTUAL,
    ANOMALY,
    BUDGET,
    FORECAST,
    MUTED,
    QUIET,
    Chart,
    describe,
    new_chart,
    words_only,
)
from finops_lib.report.text import month_name, more_or_less, share, usd, words

_RECENT_DAYS = 28
_SHOWN_DAYS = 120


def plot_forecast(history: pd.Series, forecast: pd.DataFrame) -> Chart:
    """Draw the days so far and the fan of the days ahead.

    Parameters
    ----------
    history : Series
        Cost a day (USD) with a DatetimeIndex.
    forecast : DataFrame
        Indexed by the days ahead: ``mean`` and ``lower_…``, ``upper_…`` of each level.

    Returns
    -------
    Figure
        Line of the history, line and shaded intervals of the forecast.
    """
    known = history.astype("float64").dropna()
    if known.empty or forecast.empty:
        return words_only("Cost cannot be forecast", "There is no day with a known value in this scope.")
    shown, ahead = known.iloc[-_SHOWN_DAYS:], forecast["mean"]
    pace, before = ahead.mean(), known.iloc[-_RECENT_DAYS:].mean()
    days_before = min(len(known), _RECENT_DAYS)
    since = f"the last {days_before} days" if days_before > 1 else "the last day"
    against = f", {more_or_less(pace / before - 1)} {since}" if before > 0 else ""
    levels = sorted((name.removeprefix("lower_") for name in forecast if name.startswith("lower_")), key=float)
    bands = " and ".join(f"{level}%" for level in levels)
    figure, (axes,) = new_chart(
        f"Cost is forecast at {_whole(pace)} a day over the next {len(ahead)} days{against}",
        subtitle=f"Cost by day; shaded: where {bands} of the days are expected to be",
        height=3.4,
    )
    axes.plot(shown.index, shown, color=ACTUAL, linewidth=1.3, marker="o" if len(shown) == 1 else None)
    for depth, level in enumerate(reversed(levels)):
        shade = 0.22 + 0.2 * depth
        axes.fill_between(
            ahead.index, forecast[f"lower_{level}"], forecast[f"upper_{level}"], color=FORECAST, alpha=shade, lw=0
        )
    axes.plot(ahead.index, ahead, color=ACTUAL, linewidth=1.6, linestyle=(0, (4, 1.5)))
    axes.axvline(known.index[-1] + pd.Timedelta(hours=12), color=QUIET, linewidth=0.8)
    axes.set_ylim(bottom=min(0.0, float(forecast.min().min()), float(shown.min())))
    axes.set_ylabel("Cost (USD a day)")
    money_axis(axes.yaxis)
    day_axis(axes, pd.Series([shown.index[0], ahead.index[-1]]))
    axes.set_xlim(shown.index[0], ahead.index[-1])
    axes.text(known.index[-1], 1.01, "so far ", transform=axes.get_xaxis_transform(), ha="right", color=QUIET, size=9)
    axes.text(ahead.index[0], 1.01, " forecast", transform=axes.get_xaxis_transform(), ha="left", color=QUIET, size=9)
    last = forecast.iloc[-1]
    ranges = [
        f"{level}% between {_whole(last[f'lower_{level}'])} and {_whole(last[f'upper_{level}'])}" for level in levels
    ]
    return describe(
        figure,
        f"Line of the days from {shown.index[0]:%Y-%m-%d} to {known.index[-1]:%Y-%m-%d}, then the forecast until "
        f"{ahead.index[-1]:%Y-%m-%d}, which ends at {_whole(last['mean'])} a day ({'; '.join(ranges)}).",
    )


def plot_backtest(windows: pd.DataFrame) -> Chart:
    """Draw what was forecast for windows of the past against what came.

    Parameters
    ----------
    windows : DataFrame
        One row a window: ``origin``, ``last_day``, ``actual``, ``forecast`` (totals, USD), ``error`` (share).

    Returns
    -------
    Figure
        A bar a window for what came, a mark for the forecast, its error written above.
    """
    if windows.empty:
        reason = "The history is too short to forecast a part of it from the days before."
        return words_only("The forecast could not be tested on the past", reason)
    actual, forecast = windows["actual"].to_numpy(), windows["forecast"].to_numpy()
    wrong = np.abs(forecast - actual).sum() / actual.sum() if actual.sum() > 0 else np.nan
    near = int(windows["error"].abs().le(0.10).sum())
    figure, (axes,) = new_chart(
        f"Forecasts of the past were {share(wrong)} off the total; {near} of {len(windows)} within 10%"
        if np.isfinite(wrong)
        else "There was no spend to test the forecast on",
        subtitle="Totals of windows of the past: what came, and what was forecast from the days before",
        height=3.0,
    )
    place = np.arange(len(windows))
    axes.bar(place, actual, width=0.6, color=MUTED, label="what came")
    axes.plot(place, forecast, "D", color=ACTUAL, markersize=8, markeredgecolor="white", label="forecast")
    for at, top, error in zip(place, np.maximum(actual, forecast), windows["error"], strict=True):
        text = "" if pd.isna(error) else share(error, signed=True)
        color = ANOMALY if abs(error) > 0.10 else QUIET
        axes.annotate(text, (at, top), xytext=(0, 8), textcoords="offset points", ha="center", color=color)
    labels = [
        f"{first + pd.Timedelta(days=1):%Y-%m-%d}\nto {last:%Y-%m-%d}"
        for first, last in zip(windows["origin"], windows["last_day"], strict=True)
    ]
    axes.set_xticks(place, labels)
    axes.set_xlim(-0.7, max(len(windows), 3) - 0.3)
    axes.set_ylim(0, max(actual.max(), forecast.max(), 1e-9) * 1.18)
    axes.set_ylabel("Total (USD)")
    money_axis(axes.yaxis)
    figure.legend(loc="outside lower right", ncols=2, frameon=False)
    pairs = [f"{_whole(said)} forecast, {_whole(came)} came" for said, came in zip(forecast, actual, strict=True)]
    return describe(figure, f"A bar a window with its forecast. {listing(labels, pairs)}".replace("\n", " "))


def plot_projection(projection: pd.DataFrame, *, budgets: Mapping[str, float] | None = None) -> Chart:
    """Draw what each period has cost so far, what is still to come, and how sure that is.

    Parameters
    ----------
    projection : DataFrame
        One row a period, from ``project``: ``period``, ``first_day``, ``last_day``, ``actual``, ``projected``,
        ``lower_80``, ``upper_80`` (USD).
    budgets : mapping of str to float, optional
        Budget of a ``period`` (USD), drawn as a line.

    Returns
    -------
    Figure
        A bar a period, with the interval as a line.
    """
    if projection.empty:
        return words_only("There is no projection", "There is no day with a known cost in this scope.")
    lead, limits = projection.iloc[0], dict(budgets or {})
    within = f"{_whole(lead['lower_80'])} to {_whole(lead['upper_80'])} in 8 of 10 cases"
    title = f"{_named(lead)} is heading for {_whole(lead['projected'])}: {within}"
    if lead["lower_80"] == lead["upper_80"]:
        title = f"{_named(lead)} has cost {_whole(lead['projected'])}"
    figure, (axes,) = new_chart(
        title,
        subtitle="Spent so far (dark) and forecast (light); the line spans 8 of 10 cases",
        height=0.6 + 0.62 * len(projection),
    )
    names = [_named(row) for _, row in projection.iterrows()]
    for place, (_, row) in enumerate(projection.iterrows()):
        axes.barh(place, row["actual"], height=0.55, color=ACTUAL)
        axes.barh(place, row["projected"] - row["actual"], left=row["actual"], height=0.55, color=FORECAST)
        axes.plot([row["lower_80"], row["upper_80"]], [place, place], color=BUDGET, linewidth=2, solid_capstyle="butt")
        edge, label = max(row["upper_80"], row["projected"]), _whole(row["projected"])
        if row["period"] in limits:
            budget = limits[row["period"]]
            axes.plot([budget, budget], [place - 0.38, place + 0.38], color=ANOMALY, linewidth=2)
            edge, label = max(edge, budget), f"{label}, budget {_whole(budget)}"
        axes.annotate(
            label, (edge, place), xytext=(8, 0), textcoords="offset points", va="center", annotation_clip=False
        )
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    axes.grid(visible=False, axis="y")
    axes.set_xlim(0, max(float(projection["upper_80"].max()), *limits.values(), 1e-9) * 1.3)
    axes.set_xlabel("Cost of the period (USD)")
    money_axis(axes.xaxis)
    said = [f"{_whole(row['actual'])} so far, {_whole(row['projected'])} projected" for _, row in projection.iterrows()]
    return describe(figure, f"A bar a period. {listing(names, said)}".replace("\n", " "))


def _named(row: pd.Series) -> str:
    first, last = row["first_day"], row["last_day"]
    if row["period"] in ("month", "next_month"):
        return month_name(f"{first:%Y-%m}")
    return f"{words(row['period']).capitalize()}\n{first:%b %Y} to {last:%b %Y}"


def _whole(amount: float) -> str:
    """Write an amount without the cents that no projection knows."""
    return usd(amount, cents=False)
