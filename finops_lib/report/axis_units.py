"""Axis units: money, counts, shares and days are written the same way on every axis."""

from __future__ import annotations

import calendar
from collections.abc import Sequence
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.dates import date2num
from matplotlib.ticker import FuncFormatter, MaxNLocator

from finops_lib.report.text import count, month_name, share, usd

MANY_MONTHS = 7
_STEPS = [1, 2, 2.5, 5, 10]


def money_axis(axis: Any) -> None:
    """Write an axis in USD with as many digits as its steps need.

    Parameters
    ----------
    axis : matplotlib Axis
        The axis that carries money; its label says USD.
    """

    def written(value: float, _: int | None = None) -> str:
        if value == 0:
            return "0"
        if abs(value) >= 1e6:
            return count(value, compact=True)
        step = min((abs(tick) for tick in axis.get_majorticklocs() if tick), default=abs(value))
        text = usd(value).removeprefix("USD ") if 0.1 <= step < 10 and step % 1 else f"{value:,.10g}"
        return text.replace("-", "−")

    axis.set_major_locator(MaxNLocator(5, steps=_STEPS))
    axis.set_major_formatter(FuncFormatter(written))


def count_axis(axis: Any) -> None:
    """Write an axis of counts with k, M, B.

    Parameters
    ----------
    axis : matplotlib Axis
        The axis that carries counts.
    """
    axis.set_major_locator(MaxNLocator(5, steps=_STEPS, min_n_ticks=2))
    axis.set_major_formatter(FuncFormatter(lambda value, _: count(round(value, 9), compact=True)))


def share_axis(axis: Any) -> None:
    """Write an axis of shares in percent.

    Parameters
    ----------
    axis : matplotlib Axis
        The axis that carries shares.
    """
    axis.set_major_locator(MaxNLocator(5, steps=_STEPS))
    axis.set_major_formatter(FuncFormatter(lambda value, _: share(round(value, 9))))


def day_axis(axes: Axes, days: pd.Series) -> None:
    """Write the horizontal axis in days, with the year below.

    Parameters
    ----------
    axes : Axes
        Its horizontal axis carries time.
    days : Series of datetime64
        The days drawn, at least one.
    """
    first, last = pd.Timestamp(days.min()), pd.Timestamp(days.max())
    span = (last - first).days + 1
    if span <= 16:
        ticks = pd.date_range(first, last, freq="D" if span <= 9 else "2D")
    elif span <= 70:
        ticks = pd.date_range(first, last, freq="W-MON")
    else:
        ticks = pd.date_range(first, last, freq="MS" if span <= 400 else "QS")
    axes.set_xticks(date2num(ticks.to_pydatetime()), [f"{day.day} {calendar.month_abbr[day.month]}" for day in ticks])
    years = str(first.year) if first.year == last.year else f"{first.year} to {last.year}"
    axes.set_xlabel(f"Day, {years}")


def month_ticks(months: Sequence[str]) -> list[str]:
    r"""Write months under bars, the year below; many of them by their first three letters.

    Parameters
    ----------
    months : sequence of str
        ``YYYY-MM``.

    Returns
    -------
    list of str
        One a month.

    Examples
    --------
    >>> month_ticks(["2026-08", "2026-09"])
    ['August\n2026', 'September\n2026']
    """
    names = [month_name(month).split(" ") for month in months]
    return ["\n".join([name[:3] if len(names) > MANY_MONTHS else name, *year]) for name, *year in names]
