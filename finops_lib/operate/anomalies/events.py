"""Events: alarms of all drivers become one row per cause, with its days, its driver and its money."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import pandas as pd

from finops_lib.operate.anomalies.detectors import (
    Alarms,
    count_alarms,
    rate_alarms,
    share_alarms,
    unit_alarms,
    volume_alarms,
)

QUIET_DAYS_BETWEEN = 7
NEW_NORMAL_DAYS = 56
_TOGETHER_DAYS = 3
_LASTING_DAYS = 5
_MANY_REQUESTS = 20  # of which not all are cheap by chance
_GROWN = 0.4  # log ratio, about half as much again
_WEEKEND = 5
_SYMPTOM = 1.75  # times what was expected: a symptom is noisier than a driver


@dataclass(frozen=True)
class Driver:
    """How a driver is judged and told, and before which others it explains an event (lowest rank first)."""

    label: str
    judged_as: Literal["volume", "unit", "rate", "share", "count"]
    rank: int
    falls: bool = False
    kind: str = "level"
    is_symptom: bool = False

    @property
    def multiplies(self) -> bool:
        """Whether cost is proportional to it."""
        return self.judged_as in ("volume", "unit", "rate") and not self.is_symptom


DRIVERS = {
    "loops": Driver("agent runs that loop", "count", 0),
    "retry_rate": Driver("retries per call", "share", 1, kind="spike"),
    "failed_share": Driver("share of calls that fail", "share", 2),
    "premium_share": Driver("share of calls on premium models", "share", 3, kind="mix"),
    "cache_hit_share": Driver("share of calls served from the cache", "share", 4, falls=True),
    "cache_read_share": Driver("share of input read from the prompt cache", "share", 5, falls=True),
    "rate": Driver("cost per token", "rate", 6),
    "tokens_per_request": Driver("tokens per request", "unit", 7),
    "cost_per_request": Driver("cost per request", "unit", 8),
    "requests": Driver("requests", "volume", 9),
    "cost": Driver("cost", "volume", 10),
    "output_ratio": Driver("output per input token", "unit", 11, is_symptom=True),
    "unaccepted_share": Driver("share of calls whose output was not accepted", "share", 12, is_symptom=True),
    "p99_cost": Driver("cost of the dearest 1% of calls", "unit", 13, is_symptom=True),
}
"""Drivers that are known by name. Any other numeric column is judged as something per request."""

_OTHER = Driver("", "unit", 14, is_symptom=True)


@dataclass(frozen=True)
class Event:
    """Something unusual in one driver: places of its days in the frame, and what was expected of it."""

    driver: str
    kind: str
    start: int
    end: int
    found: int
    score: float
    change: float
    excess: np.ndarray
    expected: np.ndarray


def driver_alarms(frame: pd.DataFrame, quiet: np.ndarray) -> dict[str, Alarms]:
    """Run each driver's detector.

    Parameters
    ----------
    frame : DataFrame
        One row for every day, as floats.
    quiet : array of bool
        Holidays.

    Returns
    -------
    dict of str to Alarms
        By driver. Cost itself is judged only as far as its drivers are not given: where requests are known,
        as cost per request, and where tokens and rate are known too, only where many calls cost nearly nothing.
    """
    requests = frame["requests"].to_numpy() if "requests" in frame else np.full(len(frame), np.nan)
    given = frame.drop(columns="cost", errors="ignore") if "requests" in frame else frame
    if {"requests", "cost"} <= set(frame) and not {"tokens_per_request", "rate"} <= set(frame):
        served = frame["requests"].where(frame["requests"] > 0)
        given = given.assign(cost_per_request=frame["cost"] / served)
    found = {str(name): _alarms(str(name), given[name].to_numpy(), quiet, requests) for name in given}
    if {"requests", "cost"} <= set(frame):
        found["cost"] = _free_calls(frame["cost"].to_numpy(), quiet, requests)
    return found


def _free_calls(cost: np.ndarray, quiet: np.ndarray, requests: np.ndarray) -> Alarms:
    """Keep the drops of cost on days with calls: part of a log is missing, or prices are."""
    alarms = volume_alarms(cost, quiet, counted=False)
    kept = (alarms.kind == "drop") & (requests >= _MANY_REQUESTS)
    return replace(alarms, kind=np.where(kept, alarms.kind, ""))


def _alarms(name: str, values: np.ndarray, quiet: np.ndarray, requests: np.ndarray) -> Alarms:
    driver = DRIVERS.get(name, _OTHER)
    weight = np.nan_to_num(requests, nan=1.0)
    if driver.judged_as == "volume":
        return volume_alarms(values, quiet, counted=name == "requests")
    if driver.judged_as == "rate":
        return rate_alarms(values, weight)
    if driver.judged_as == "share":
        return share_alarms(values, weight, falls=driver.falls, kind=driver.kind)
    if driver.judged_as == "count":
        return count_alarms(values)
    return unit_alarms(values, quiet, weight, smallest=_SYMPTOM if driver.is_symptom else 1.3)


def alarm_days(name: str, alarms: Alarms) -> list[int]:
    """Return the days a cause is first seen: an alarm goes on while it is repeated and does not grow by half."""
    rises = (alarms.kind != "") & (alarms.kind != "drop")
    grown = _GROWN if DRIVERS.get(name, _OTHER).multiplies else np.inf
    return sorted(_first_days(rises, alarms.size, grown) + _first_days(alarms.kind == "drop", alarms.size, np.inf))


def _first_days(alarm: np.ndarray, sizes: np.ndarray, grown: float) -> list[int]:
    first, last, peak = [], -np.inf, 0.0
    for day in np.flatnonzero(alarm):
        if day - last > QUIET_DAYS_BETWEEN or abs(sizes[day]) > peak + grown:
            first.append(int(day))
            peak = 0.0
        last, peak = day, max(peak, abs(sizes[day]))
    return first


def list_events(name: str, frame: pd.DataFrame, alarms: Alarms) -> list[Event]:
    """Turn a driver's alarms into events with first and last day; an alarm within an event belongs to it."""
    events: list[Event] = []
    values = frame[name].to_numpy() if name in frame else (frame["cost"] / frame["requests"]).to_numpy()
    for found in alarm_days(name, alarms):
        event = _event(name, values, frame.index, alarms, found)
        inside = events and event.start <= events[-1].end and (event.change > 0) == (events[-1].change > 0)
        if not inside:
            events.append(event)
    return events


def _event(name: str, values: np.ndarray, days: pd.DatetimeIndex, alarms: Alarms, found: int) -> Event:
    """Freeze what was expected at the first day and follow the driver until it has come back half of the way."""
    driver, kind, size = DRIVERS.get(name, _OTHER), alarms.kind[found], alarms.size[found]
    start = max(found - int(alarms.days[found]) + 1, 0)
    expected = _frozen(driver, alarms, start)
    excess = _distance(driver, values, expected)
    sign = np.sign(size) * (-1 if driver.falls else 1)
    beyond = sign * np.nan_to_num(excess) > abs(size) / 2
    if kind != "creep":
        while start < found and not beyond[start]:
            start += 1
    end = _last_day(beyond, found, brief=kind == "drop")
    kind = _shape(driver, kind, sign * excess[start : end + 1], days[start : end + 1])
    known = excess[start : end + 1][~np.isnan(excess[start : end + 1])]
    change = float(known.mean() if len(known) else size)
    return Event(name, kind, start, end, found, float(alarms.score[found]), change, excess, expected)


def _frozen(driver: Driver, alarms: Alarms, start: int) -> np.ndarray:
    """Carry on what was expected at the first day, weekday by weekday."""
    if driver.judged_as in ("share", "count"):
        return np.full(len(alarms.expected), alarms.expected[start])
    return alarms.expected[start] * np.exp(alarms.profile - alarms.profile[start])


def _distance(driver: Driver, values: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """Distance from what was expected: a log ratio, or a difference of shares or counts."""
    if driver.judged_as in ("share", "count"):
        return values - expected
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.log(np.maximum(values, 0) / expected)


def _last_day(beyond: np.ndarray, found: int, *, brief: bool) -> int:
    """Last day before the driver stayed back for two days; one day back ends what is brief."""
    limit = min(found + NEW_NORMAL_DAYS, len(beyond))
    back = np.flatnonzero(~beyond[found:limit])
    if not brief:
        back = back[np.diff(back, append=limit - found) == 1]
    end = found + (int(back[0]) if len(back) else limit - found) - 1
    while end > found and not beyond[end]:
        end -= 1
    return max(end, found)


def _shape(driver: Driver, kind: str, excess: np.ndarray, days: pd.DatetimeIndex) -> str:
    """Name the event by what it became: a spike that stays is a level, one over a weekend is a weekend."""
    if kind in ("mix", "drop"):
        return kind
    if len(days) <= 2 and (days.day_of_week >= _WEEKEND).all() and driver.judged_as == "volume":
        return "weekend" if len(days) == 2 else "spike"
    if len(days) < _LASTING_DAYS:
        return "creep" if kind == "creep" else "spike"
    if len(days) >= 9 and driver.judged_as == "unit":
        third = len(days) // 3
        grows = np.nanmean(excess[:third]) < 0.5 * np.nanmean(excess[-third:])
        return "creep" if grows else "level"
    return "creep" if kind == "creep" else "level"


def merge_causes(frame: pd.DataFrame, events: list[Event]) -> list[dict[str, Any]]:
    """Join what began together into one row per cause, told by the driver that explains the others.

    Parameters
    ----------
    frame : DataFrame
        One row for every day, with ``cost`` in USD.
    events : list of Event
        Events of all drivers.

    Returns
    -------
    list of dict
        One per cause, by first day.
    """
    causes: list[list[Event]] = []
    for event in sorted(events, key=lambda e: (_driver(e).is_symptom, e.start, _driver(e).rank)):
        cause = next((c for c in causes if any(_together(other, event) for other in c)), None)
        if cause is None:
            causes.append([event])
        else:
            cause.append(event)
    rows = [_row(frame, sorted(cause, key=lambda e: _driver(e).rank)) for cause in causes]
    # a symptom that costs nothing is none
    rows = [row for row in rows if row["impact"] > 0 or not DRIVERS.get(row["driver"], _OTHER).is_symptom]
    return sorted(rows, key=lambda row: (row["start"], row["driver"]))


def _driver(event: Event) -> Driver:
    return DRIVERS.get(event.driver, _OTHER)


def _together(one: Event, other: Event) -> bool:
    if "drop" in (one.kind, other.kind) and one.kind != other.kind:
        return False
    overlap = one.start <= other.end and other.start <= one.end
    return overlap and (abs(one.start - other.start) <= _TOGETHER_DAYS or _driver(other).is_symptom)


def _row(frame: pd.DataFrame, cause: list[Event]) -> dict[str, Any]:
    leading = cause[0]
    span = slice(leading.start, leading.end + 1)
    actual = frame["cost"].to_numpy()[span]
    expected = _expected_cost(frame, cause, span)
    others = [_label(event.driver) for event in cause[1:]]
    return {
        "start": frame.index[leading.start],
        "end": frame.index[leading.end],
        "driver": leading.driver,
        "kind": leading.kind,
        "actual": float(np.nansum(actual)),
        "expected": float(np.nansum(expected)),
        "impact": float(np.nansum(actual) - np.nansum(expected)),
        "score": leading.score,
        "likely_cause": _words(leading),
        "found_on": frame.index[min(event.found for event in cause)],
        "is_open": leading.end >= len(frame) - _LASTING_DAYS // 2,
        "also_moved": ", ".join(others),
    }


def _expected_cost(frame: pd.DataFrame, cause: list[Event], span: slice) -> np.ndarray:
    """Cost had the drivers stayed where they were expected; without a driver of cost, requests at their old cost."""
    cost = frame["cost"].to_numpy()
    served = frame["requests"].to_numpy() if "requests" in frame else np.ones(len(frame))
    with np.errstate(divide="ignore", invalid="ignore"):
        per_request = pd.Series(np.where(served > 0, cost / served, np.nan))
    usual = per_request.iloc[max(span.start - 28, 0) : span.start].median()
    drivers = [event for event in cause if _driver(event).multiplies]
    if not drivers:
        return usual * served[span]
    excess = np.sum([event.excess[span] for event in drivers], axis=0)
    with np.errstate(over="ignore", invalid="ignore"):
        expected = cost[span] * np.exp(-excess)
    # nothing was served: what would have been, at its old cost
    volume = next((event for event in drivers if _driver(event).judged_as == "volume"), None)
    if volume is None:
        return expected
    idle = volume.expected[span] * (usual if volume.driver == "requests" else 1.0)
    return np.where(np.isfinite(expected), expected, idle)


def _label(name: str) -> str:
    return DRIVERS[name].label if name in DRIVERS else name.replace("_", " ")


def _words(event: Event) -> str:
    """Say in words what the driver did."""
    driver, label = _driver(event), _label(event.driver)
    label = label[0].upper() + label[1:]
    if event.kind == "drop":
        return f"{label} fell to nearly nothing: an outage, or a log that is missing"
    if driver.judged_as == "count":
        return f"{label}: {event.change:.1f} a day more than usual"
    if driver.judged_as == "share":
        return f"{label} {'fell' if event.change < 0 else 'rose'} by {abs(event.change) * 100:.0f} points"
    if event.kind == "creep":
        days = event.end - event.start
        pace = np.expm1(2 * event.change / max(days, 1))
        return f"{label} grew by about {pace * 100:.1f}% a day"
    if event.change > np.log(3):
        return f"{label} reached {np.exp(event.change):.0f} times what was expected"
    return f"{label} rose {np.expm1(event.change) * 100:.0f}%"
