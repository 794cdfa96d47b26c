"""From alarms to causes: how long an event lasts, what it is called, what belongs together."""

from __future__ import annotations

import numpy as np
import pandas as pd

from finops_lib.operate.anomalies.detectors import Alarms
from finops_lib.operate.anomalies.events import alarm_days, driver_alarms, list_events, merge_causes


def alarms(kinds, sizes, days=60):
    """Alarms on some days, by place."""
    kind, size = np.full(days, "", dtype=object), np.zeros(days)
    for place, name in kinds.items():
        kind[place], size[place] = name, sizes[place]
    flat = np.zeros(days)
    return Alarms(kind, size, np.full(days, 9.0), np.full(days, 100.0), flat, np.ones(days, dtype=int))


def frame(**drivers):
    """Sixty days of 100 requests at one USD, changed where told."""
    days = pd.date_range("2026-06-01", periods=60, unit="s")
    table = pd.DataFrame({"requests": 100.0, "cost": 100.0}, index=days)
    for name, changes in drivers.items():
        table[name] = table.get(name, 0.0)
        for place, value in changes.items():
            table.loc[days[place], name] = value
    return table


def test_an_alarm_that_goes_on_is_told_once():
    """Days 30 to 33 are one alarm, day 50 another; a day half as large again is told anew, a second drop is not."""
    same = alarms(dict.fromkeys((30, 31, 33, 50), "spike"), dict.fromkeys((30, 31, 33, 50), 1.0))
    grown = alarms({30: "spike", 31: "spike"}, {30: 0.6, 31: 1.1})
    gone = alarms({30: "drop", 31: "drop"}, {30: -2.0, 31: -5.0})

    assert [30, 50] == alarm_days("requests", same)
    assert [30, 31] == alarm_days("requests", grown)
    assert [30] == alarm_days("requests", gone)


def test_a_spike_that_stays_is_a_level():
    """Ten days at double the requests: from the first to the last of them, a level; two days are a spike."""
    ten = list_events("requests", frame(requests=dict.fromkeys(range(30, 40), 200.0)), alarms({30: "spike"}, {30: 0.7}))
    two = list_events("requests", frame(requests={30: 200.0, 31: 200.0}), alarms({30: "spike"}, {30: 0.7}))

    assert ("level", 30, 39) == (ten[0].kind, ten[0].start, ten[0].end)
    assert ("spike", 30, 31) == (two[0].kind, two[0].start, two[0].end)


def test_an_event_ends_when_half_of_it_is_gone_and_at_the_new_normal():
    """Half-way back ends it; after eight weeks it is no event any more."""
    fading = frame(requests={30: 200.0, 31: 190.0, 32: 120.0, 33: 120.0})
    event = list_events("requests", fading, alarms({30: "spike"}, {30: 0.7}))[0]
    days = pd.date_range("2026-01-01", periods=150, unit="s")
    forever = pd.DataFrame({"requests": np.where(np.arange(150) < 30, 100.0, 200.0), "cost": 1.0}, index=days)
    lasting = list_events("requests", forever, alarms({30: "level"}, {30: 0.7}, days=150))[0]

    assert 31 == event.end
    assert 30 + 55 == lasting.end


def test_a_symptom_within_an_event_belongs_to_it_and_alone_must_cost():
    """The dearest calls rise with the requests: one row. Alone and for nothing: none."""
    table = frame(requests={30: 300.0, 31: 300.0}, cost={30: 300.0, 31: 300.0}, p99_cost=dict.fromkeys(range(60), 1.0))
    table.iloc[30:32, table.columns.get_loc("p99_cost")] = 3.0
    volume = list_events("requests", table, alarms({30: "spike"}, {30: 1.1}))
    high = alarms({31: "spike"}, {31: 1.0})
    dearest = list_events("p99_cost", table, Alarms(*(getattr(high, n) for n in ("kind", "size", "score")),
                                                    np.ones(60), high.profile, high.days))  # fmt: skip
    rows = merge_causes(table, [*dearest, *volume])

    assert [("requests", "cost of the dearest 1% of calls")] == [(r["driver"], r["also_moved"]) for r in rows]
    assert (600.0, 200.0, 400.0) == tuple(round(rows[0][name], 6) for name in ("actual", "expected", "impact"))
    assert [] == merge_causes(frame(p99_cost={30: 3.0}), dearest)


def test_cost_is_judged_only_as_far_as_its_drivers_are_missing():
    """Alone it is judged itself, with requests per request; with all drivers only calls that cost nothing count."""
    table = frame()
    quiet = np.zeros(60, dtype=bool)
    full = table.assign(tokens_per_request=1.0, rate=1.0)

    assert ["cost"] == list(driver_alarms(table[["cost"]], quiet))
    assert ["requests", "cost_per_request", "cost"] == list(driver_alarms(table, quiet))
    assert ["requests", "tokens_per_request", "rate", "cost"] == list(driver_alarms(full, quiet))
    for changes, kind in ({"cost": 0.0}, "drop"), ({"cost": 0.0, "requests": 19.0}, ""), ({"cost": 900.0}, ""):
        changed = full.copy()
        changed.loc[changed.index[50], list(changes)] = list(changes.values())
        assert kind == driver_alarms(changed, quiet)["cost"].kind[50]
