"""Events of a month: what was unusual on its days, with the money of those days only."""

from __future__ import annotations

import pandas as pd


def events_of_month(events: pd.DataFrame, period: str) -> pd.DataFrame:
    """Keep the unusual events that fall into a month, wholly or in part.

    Parameters
    ----------
    events : DataFrame
        ``events`` of ``watch_assistants``: ``start``, ``end``, ``impact`` (USD), among others.
    period : str
        Month ``YYYY-MM``.

    Returns
    -------
    DataFrame
        The events, those with most money in the month first; ``impact_in_month`` is the impact × the event's days in
        the month / all its days (USD).
    """
    if events.empty or not period:
        return events.head(0).assign(impact_in_month=pd.Series(dtype="float64"))
    first = pd.Timestamp(f"{period}-01")
    start, end = pd.to_datetime(events["start"]), pd.to_datetime(events["end"])
    inside = (end.clip(upper=first + pd.offsets.MonthEnd()) - start.clip(lower=first)).dt.days + 1
    money = events["impact"].astype("float64") * inside / ((end - start).dt.days + 1)
    kept = events.assign(impact_in_month=money)[inside > 0]
    return kept.sort_values("impact_in_month", ascending=False, kind="stable", ignore_index=True)
