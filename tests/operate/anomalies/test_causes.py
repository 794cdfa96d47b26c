"""Who carries an event: the change in cost split by dimension."""

from __future__ import annotations

from datetime import date, timedelta

import pandas as pd
import pytest

from finops_lib.operate import contributions, likely_causes

FIRST = date(2026, 6, 1)  # a Monday


def ledger(extra):
    """Eight weeks: draft on large 10 USD a day, tag on small 30; ``extra`` adds rows (day, workflow, model, USD)."""
    rows = [(day, "draft", "large", 10.0) for day in range(56)] + [(day, "tag", "small", 30.0) for day in range(56)]
    frame = pd.DataFrame([*rows, *extra], columns=["day", "workflow", "model", "contracted_cost"])
    return frame.assign(charge_period_start=[FIRST + timedelta(days=day) for day in frame["day"]])


def event(start, end, impact):
    """One event on some days."""
    first, last = (pd.Timestamp(FIRST) + pd.Timedelta(days=day) for day in (start, end))
    return pd.DataFrame({"start": [first], "end": [last], "impact": [impact], "likely_cause": ["Requests rose"]})


def test_the_change_is_split_by_each_dimension():
    """Draft grows from 10 to 40 on two days: all of the change, a quarter of the cost before."""
    costs = ledger([(day, "draft", "large", 30.0) for day in (40, 41)])
    split = contributions(event(40, 41, 60.0), costs).set_index(["dimension", "value"])
    draft = split.loc[("workflow", "draft")]

    assert [20.0, 80.0, 60.0] == [draft[name] for name in ("before", "during", "change")]
    assert [1.0, 0.25] == [draft["share_of_change"], draft["share_before"]]
    assert 0.0 == split.loc[("workflow", "tag"), "share_of_change"]
    assert {"workflow", "model"} == set(split.index.get_level_values("dimension"))


def test_causes_are_named_with_their_share():
    """A model that was not there before carries it; of what always was most of it nothing is said."""
    new = ledger([(day, "tag", "premium", 50.0) for day in (40, 41)])
    all_over = ledger([row for day in (40, 41) for row in ((day, "draft", "large", 10.0), (day, "tag", "small", 30.0))])
    named, spread = (
        likely_causes(event(40, 41, 80.0), contributions(event(40, 41, 80.0), costs)).item()
        for costs in (new, all_over)
    )

    assert "Requests rose; carried by workflow tag (100%) and model premium (100%)" == named
    assert "Requests rose; spread over workflows and models as before" == spread


def test_a_fall_is_carried_by_what_fell():
    """With less cost than expected the sign turns: what is gone carries it."""
    costs = ledger([])
    costs = costs[~((costs["workflow"] == "draft") & costs["day"].isin([40, 41]))]
    split = contributions(event(40, 41, -20.0), costs)

    assert ("draft", 1.0) == tuple(split[split["dimension"] == "workflow"].iloc[0][["value", "share_of_change"]])


def test_days_are_held_against_the_same_weekdays():
    """A Saturday that always costs double is no change."""
    saturdays = [(day, "draft", "large", 40.0) for day in range(5, 56, 7)]
    split = contributions(event(40, 40, 1.0), ledger(saturdays))

    assert [0.0] == split["change"].unique().tolist()


@pytest.mark.parametrize("rows", [0, 112])
def test_without_events_there_is_no_split(rows):
    """No event or no ledger: no rows, the same columns, the words as they were."""
    none = event(40, 41, 1.0).head(0 if rows else 1)
    split = contributions(none, ledger([]).head(rows))

    assert 0 == len(split)
    assert none["likely_cause"].tolist() == likely_causes(none, split).tolist()
