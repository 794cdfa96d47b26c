"""Watch: the anomalies of every assistant, with who carries them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

import pandas as pd

from finops_lib.inform.scope import UNATTRIBUTED, dimension_values
from finops_lib.operate.anomalies.anomalies import EVENT_COLUMNS, find_anomalies
from finops_lib.operate.anomalies.causes import contributions, likely_causes
from finops_lib.operate.anomalies.daily_drivers import daily_drivers
from finops_lib.settings import AnomalySettings, HolidaySettings


@dataclass(frozen=True)
class Watch:
    """What was unusual, and what it rests on.

    Attributes
    ----------
    events : DataFrame
        As ``find_anomalies`` lists them, with ``assistant`` before all; the costliest first.
    daily : DataFrame
        As ``daily_drivers`` makes them, with ``assistant`` before all.
    drifts : DataFrame
        As ``optimize.drift_after_promotion`` tells them; empty where nothing is on record.
    """

    events: pd.DataFrame
    daily: pd.DataFrame
    drifts: pd.DataFrame = field(default_factory=pd.DataFrame)


def watch_assistants(
    costs: pd.DataFrame,
    usage: pd.DataFrame,
    *,
    settings: Mapping[str, AnomalySettings] | None = None,
    holidays: HolidaySettings | None = None,
    runs: pd.DataFrame | None = None,
    dearest: pd.DataFrame | None = None,
    premium_models: Sequence[str] = (),
    until: date | None = None,
    zone: str = "UTC",
) -> Watch:
    """Find what is unusual in each assistant's days, and say who carries it.

    Parameters
    ----------
    costs : DataFrame
        Ledger of all months known, one row per day × dimensions × SKU.
    usage : DataFrame
        Usage of all months known, one row per day × dimensions.
    settings : mapping of str to AnomalySettings, optional
        By assistant: the smallest impact shown, the verdicts given, what a loop is. Defaults for others.
    holidays : HolidaySettings, optional
        Calendar of the company.
    runs : DataFrame, optional
        Agent runs, all months.
    dearest : DataFrame, optional
        As ``ingest.dearest_calls`` returns it.
    premium_models : sequence of str
        Patterns of premium models.
    until : date, optional
        Last complete day.
    zone : str
        Reporting time zone.

    Returns
    -------
    Watch
        Events, and the daily drivers. Rows that name no assistant are not watched.

    References
    ----------
    Requirement E3.
    """
    calendar = holidays or HolidaySettings()
    in_costs, in_usage = dimension_values(costs, "assistant"), dimension_values(usage, "assistant")
    names = sorted({*in_costs.unique(), *in_usage.unique()} - {UNATTRIBUTED})
    found, drivers = [], []
    for name in names:
        chosen = (settings or {}).get(name, AnomalySettings())
        own = costs[in_costs == name]
        own_runs, own_dearest = (None if each is None else each[each["assistant"] == name] for each in (runs, dearest))
        daily = daily_drivers(
            own,
            usage[in_usage == name],
            runs=own_runs,
            dearest=own_dearest,
            loop_calls=chosen.loop_calls,
            premium_models=premium_models,
            until=until,
            zone=zone,
        )
        events = find_anomalies(
            daily,
            country=calendar.country,
            subdivision=calendar.subdivision,
            feedback=chosen.feedback,
            smallest_impact=chosen.smallest_impact,
        )
        events["likely_cause"] = likely_causes(events, contributions(events, own))
        found.append(events.set_index(events.index + sum(map(len, found))).assign(assistant=name))
        drivers.append(daily.assign(assistant=name))
    return Watch(
        _ranked(_stacked(found, ["assistant", *EVENT_COLUMNS])),
        _stacked(drivers, ["assistant", "date", "cost", "requests"]).reset_index(drop=True),
    )


def _ranked(events: pd.DataFrame) -> pd.DataFrame:
    """Order by money; the index goes on naming the event."""
    order = events["impact"].astype("float64").abs().sort_values(ascending=False, kind="stable").index
    return events.loc[order]


def _stacked(frames: list[pd.DataFrame], leading: list[str]) -> pd.DataFrame:
    kept = [frame for frame in frames if len(frame)]
    if not kept:
        return pd.DataFrame(columns=leading)
    stacked = pd.concat(kept)
    return stacked[[*leading, *(name for name in stacked.columns if name not in leading)]]
