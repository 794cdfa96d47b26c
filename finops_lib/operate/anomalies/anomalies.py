"""Anomalies: which days are unusual, in which driver, for how much money."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from finops_lib.errors import SchemaError
from finops_lib.inform.scope import DAYS_A_MONTH
from finops_lib.operate.anomalies.baseline import quiet_days
from finops_lib.operate.anomalies.events import DRIVERS, Event, alarm_days, driver_alarms, list_events, merge_causes
from finops_lib.settings import Feedback

EVENT_COLUMNS = (
    "start",
    "end",
    "driver",
    "kind",
    "actual",
    "expected",
    "impact",
    "score",
    "likely_cause",
    "found_on",
    "is_open",
    "also_moved",
    "verdict",
)
_SAME_EVENT_DAYS = 3


def flag_days(daily: pd.DataFrame, *, country: str | None = None, subdivision: str | None = None) -> pd.Series:
    """Flag the days on which something unusual is first seen; a day is judged by itself and the days before it.

    Parameters
    ----------
    daily : DataFrame
        One row a day, with a column ``date`` or a DatetimeIndex: ``cost`` (USD) and, as far as known,
        ``requests``, ``tokens_per_request``, ``rate`` (USD per token) and the further drivers of
        ``daily_drivers``. Days that are left out count as days without traffic.
    country, subdivision : str, optional
        Calendar of public holidays (ISO 3166 codes); an unknown country has a calendar of its own.

    Returns
    -------
    Series of bool
        On the index of ``daily``. One cause is flagged once, when it is first seen, and again only when it
        grows by half or comes back after a week of quiet.

    Raises
    ------
    SchemaError
        If a row has no date, a day stands twice, or no known driver is given.

    References
    ----------
    Requirement E3.
    """
    frame = _by_day(daily)
    quiet = quiet_days(frame.index, country, subdivision)
    flagged = np.zeros(len(frame), dtype=bool)
    for name, alarms in driver_alarms(frame, quiet).items():
        flagged[alarm_days(name, alarms)] = True
    found = pd.Series(flagged, index=frame.index)
    return pd.Series(found.reindex(_dates(daily)).to_numpy(), index=daily.index, name="unusual", dtype=bool)


def find_anomalies(
    daily: pd.DataFrame,
    *,
    country: str | None = None,
    subdivision: str | None = None,
    feedback: Iterable[Feedback] = (),
    smallest_impact: float = 0.005,
) -> pd.DataFrame:
    """List what was unusual: one row an event, with its first and last day, its driver and its size in money.

    Parameters
    ----------
    daily : DataFrame
        As ``flag_days`` takes it.
    country, subdivision : str, optional
        Calendar of public holidays (ISO 3166 codes).
    feedback : iterable of Feedback
        Verdicts on events. A judged event stays listed, with its ``verdict``; the detector goes on.
    smallest_impact : float
        Share of an average month's cost below which an event is left out.

    Returns
    -------
    DataFrame
        One row per cause, by first day: ``start``, ``end`` (days), ``driver`` (the one that explains the
        others that moved with it, which are named in ``also_moved``), ``kind`` (spike, level, creep, drop, mix,
        weekend), ``actual``, ``expected`` and ``impact`` (USD of all its days, impact = actual − expected),
        ``score`` (distance from what was expected, in usual distances), ``likely_cause`` in words,
        ``found_on`` (the day it could first be known), ``is_open`` (it lasts to the end of the data),
        ``verdict`` (null, ``planned`` or ``not an issue``).

    Raises
    ------
    SchemaError
        If a row has no date, a day stands twice, or there is no cost.

    Notes
    -----
    What was expected of a driver is frozen at the event's first day, the weekdays going on; the cost expected
    is the cost with the driver (and those that moved with it) where it was expected. An event lasts until the
    driver has come back half of the way, at most eight weeks: then it is the new normal.

    References
    ----------
    Requirement E3; impact as in the AWS Cost Anomaly Detection record (total actual, expected, impact).
    """
    frame = _by_day(daily)
    if "cost" not in frame:
        message = f"find_anomalies: no column 'cost', found {', '.join(map(str, daily.columns)) or 'none'}"
        raise SchemaError(message, hint="give the cost of each day in USD")
    quiet = quiet_days(frame.index, country, subdivision)
    events: list[Event] = []
    for name, alarms in driver_alarms(frame, quiet).items():
        events += list_events(name, frame, alarms)
    rows = merge_causes(frame, events)
    table = pd.DataFrame(rows, columns=list(EVENT_COLUMNS))
    dates = {"start": "datetime64[s]", "end": "datetime64[s]", "found_on": "datetime64[s]"}
    table = table.astype(dates | dict.fromkeys(("actual", "expected", "impact", "score"), "float64"))
    month = float(frame["cost"].mean()) * DAYS_A_MONTH if len(frame) else 0.0
    table = table[table["impact"].abs() >= smallest_impact * month]
    return _judged(table, list(feedback)).reset_index(drop=True)


def _judged(events: pd.DataFrame, feedback: list[Feedback]) -> pd.DataFrame:
    """Write each verdict beside the events it is about: same driver, begun in the time it names."""
    verdicts = pd.Series([None] * len(events), index=events.index, dtype=object)
    near = pd.Timedelta(days=_SAME_EVENT_DAYS)
    for said in feedback:
        first = pd.Timestamp(said.start)
        last = pd.Timestamp(said.until or said.start)
        begun = events["start"].between(first - near, last + near)
        verdicts[begun & (events["driver"] == said.driver)] = said.verdict
    return events.assign(verdict=verdicts)


def _dates(daily: pd.DataFrame) -> pd.DatetimeIndex:
    given = daily["date"] if "date" in daily.columns else daily.index
    if "date" not in daily.columns and not isinstance(given, pd.DatetimeIndex):
        message = f"No dates: found columns {', '.join(map(str, daily.columns)) or 'none'}, expected one named 'date'"
        raise SchemaError(message, hint="add a column 'date', or make the days the index")
    try:
        dates = pd.DatetimeIndex(pd.to_datetime(given))
    except (ValueError, TypeError) as error:
        message = f"The days cannot be read as dates: {error}"
        raise SchemaError(message, hint="give timestamps, dates, or text like 2026-03-31") from error
    if dates.hasnans:
        message = f"{int(dates.isna().sum())} of {len(dates)} rows have no date, expected a day on every row"
        raise SchemaError(message, hint="leave rows without a day out")
    return (dates.tz_localize(None) if dates.tz is not None else dates).normalize().as_unit("s")


def _by_day(daily: pd.DataFrame) -> pd.DataFrame:
    """Bring the frame to one row for every day from first to last, as floats."""
    dates = _dates(daily)
    if dates.has_duplicates:
        message = f"{dates[dates.duplicated()][0]:%Y-%m-%d} stands more than once, expected one row a day"
        raise SchemaError(message, hint="add up the rows of a day first, e.g. one assistant at a time")
    known = [n for n in daily.columns if n != "date" and (n in DRIVERS or pd.api.types.is_numeric_dtype(daily[n]))]
    frame = daily[known].astype("float64").replace([np.inf, -np.inf], np.nan).set_axis(dates, axis=0).sort_index()
    if not len(set(known) & set(DRIVERS)):
        message = f"No driver found among the columns {', '.join(map(str, daily.columns)) or '(none)'}"
        raise SchemaError(message, hint="give at least the cost of each day in a column 'cost' (USD)")
    if len(frame):
        every_day = pd.date_range(frame.index[0], frame.index[-1], freq="D", unit="s")
        absent = every_day.difference(frame.index)
        frame = frame.reindex(every_day)
        totals = [name for name in ("cost", "requests") if name in frame]
        frame.loc[absent, totals] = 0.0
    return frame
