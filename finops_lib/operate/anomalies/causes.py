"""Causes: which workflow, model, prompt version, group, customer or team carries an event's change in cost."""

from __future__ import annotations

import numpy as np
import pandas as pd

from finops_lib.inform.scope import TEXT, UNATTRIBUTED, days, dimension_values

DIMENSIONS = (
    "workflow",
    "model",
    "prompt_version",
    "agent",
    "user_group",
    "customer",
    "team",
    "api_key",
)
COLUMNS = ("event", "dimension", "value", "before", "during", "change", "share_of_change", "share_before")
_BASELINE_DAYS = 28
_NAMED = 2  # values of one event
_CARRIES = 0.5
_WHOLE = 0.95
_STANDS_OUT = 0.6  # of the cost it did not have before


def contributions(events: pd.DataFrame, costs: pd.DataFrame) -> pd.DataFrame:
    """Split the change in cost of each event by dimension: its days against the same weekdays of four weeks before.

    Parameters
    ----------
    events : DataFrame
        Events with ``start``, ``end`` and ``impact``, as ``find_anomalies`` lists them.
    costs : DataFrame
        Ledger of the same scope, one row per day × dimensions × SKU.

    Returns
    -------
    DataFrame
        One row per event × dimension × value that moved: ``event`` (index of the event), ``dimension``, ``value``,
        ``before`` and ``during`` (USD of as many days), ``change``, ``share_of_change`` (of all that moved in the
        event's direction) and ``share_before`` (of the cost before); by event, largest share first.

    References
    ----------
    Requirement E3.
    """
    if events.empty or costs.empty:
        return pd.DataFrame(columns=list(COLUMNS))
    day, money = days(costs), costs["contracted_cost"].astype("float64").fillna(0).to_numpy()
    first = day.min()
    place = (day - first).dt.days.to_numpy()
    parts = []
    for dimension in DIMENSIONS:
        codes, values = pd.factorize(dimension_values(costs, dimension), sort=True)
        if values.tolist() == [UNATTRIBUTED]:
            continue
        shape = (int(place.max()) + 1, len(values))
        cells = np.bincount(place * len(values) + codes, weights=money, minlength=shape[0] * shape[1])
        by_day = cells.reshape(shape)
        for label, event in events.iterrows():
            span = ((event["start"] - first).days, (event["end"] - first).days + 1)
            split = _split(by_day, span, 1.0 if event["impact"] >= 0 else -1.0)
            parts.append(split.assign(value=values, event=label, dimension=dimension))
    table = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=list(COLUMNS))
    table = table[(table["before"] != 0) | (table["during"] != 0)]
    order = ["event", "share_of_change", "dimension", "value"]
    table = table.sort_values(order, ascending=[True, False, True, True])
    return table[list(COLUMNS)].astype({"dimension": TEXT, "value": TEXT}).reset_index(drop=True)


def likely_causes(events: pd.DataFrame, split: pd.DataFrame) -> pd.Series:
    """Say in words who carries each event: values with half of the change that had much less of the cost before.

    Parameters
    ----------
    events : DataFrame
        Events, with what the driver did as ``likely_cause``.
    split : DataFrame
        What ``contributions`` made of them.

    Returns
    -------
    Series of str
        On the index of ``events``: the driver's words, then who carries the change with its share.
    """
    before = split["share_before"].astype("float64").fillna(0)
    lift = (split["share_of_change"] - before) / (1 - before).where(before < 1)
    place = split["dimension"].map({name: place for place, name in enumerate(DIMENSIONS)}).astype("float64")
    named = split.assign(lift=lift.round(1), place=place.fillna(len(DIMENSIONS)))
    carries = (lift >= _STANDS_OUT) & (before < _WHOLE)
    named = named[carries & (split["share_of_change"] >= _CARRIES) & (split["value"] != UNATTRIBUTED)]
    named = named.sort_values(["event", "lift", "place", "value"], ascending=[True, False, True, True])
    said = {label: _words(group.head(_NAMED)) for label, group in named.groupby("event")}
    known = set(split["event"])
    texts = []
    for label, words in events["likely_cause"].items():
        spread = "spread over workflows and models as before" if label in known else ""
        told = said.get(label, spread)
        texts.append(f"{words}; {told}" if told else str(words))
    return pd.Series(texts, index=events.index, dtype=object)


def _words(rows: pd.DataFrame) -> str:
    told = [
        f"{row.dimension.replace('_', ' ')} {row.value} ({row.share_of_change * 100:.0f}%)" for row in rows.itertuples()
    ]
    return "carried by " + " and ".join(told)


def _split(by_day: np.ndarray, span: tuple[int, int], sign: float) -> pd.DataFrame:
    """Hold the days of ``span`` against the same weekdays of the four weeks before, value by value (columns)."""
    start, end = span
    during = by_day[start:end].sum(axis=0)
    earlier = np.arange(max(start - _BASELINE_DAYS, 0), start)
    before = np.zeros(by_day.shape[1])
    for weekday in range(7):
        wanted = int((np.arange(start, end) % 7 == weekday).sum())
        same = earlier[earlier % 7 == weekday]
        usual = same if len(same) else earlier
        if wanted and len(usual):
            before += wanted * by_day[usual].mean(axis=0)
    moved = np.clip(sign * (during - before), 0, None)
    table = pd.DataFrame({"before": before, "during": during, "change": during - before})
    table["share_of_change"] = moved / moved.sum() if moved.sum() > 0 else np.nan
    table["share_before"] = before / before.sum() if before.sum() > 0 else np.nan
    return table
