"""The portfolio answers from hand-made days who has to act."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from finops_lib.operate import daily_by, four_answers, portfolio, portfolio_checks, spend_spikes
from finops_lib.settings import Organisation, Params, Settings

AS_OF = date(2026, 10, 28)
NO_EVENTS = pd.DataFrame(columns=["assistant", "start", "end", "impact", "likely_cause", "driver"])
BUDGETS = pd.DataFrame([
    {"budget": "b", "assistant": "helper", "projected": 9.0, "allowed": 5.0, "overrun_probability": 0.9,
     "used_share": 0.8},
    {"budget": "c", "assistant": "coder", "projected": 4.0, "allowed": 5.0, "overrun_probability": 0.1,
     "used_share": 0.4},
])  # fmt: skip
MODELS = pd.DataFrame({"model": ["small", "large"], "cost_per_successful_task": [0.1, 0.9]})
OUTCOMES = pd.DataFrame({"date": ["2026-10-02"], "assistant": ["helper"], "outcome_count": [50]})
VIABLE = pd.DataFrame({"assistant": ["coder"], "verdict": ["scale"]})


@pytest.fixture
def costs(make_costs) -> pd.DataFrame:
    """Make a month of two assistants: one steady, one that rises from 1 to 12 dollars a day in the last week."""
    steady = make_costs(["4"] * 28, assistant="coder", team="legal", workflow="code")
    rising = make_costs(["1"] * 21 + ["12"] * 7, assistant="helper", team="brand", workflow="draft")
    return pd.concat([steady, rising], ignore_index=True)


def test_four_answers(costs) -> None:
    """Yesterday 16 dollars against 5 on the weekdays before; the brand team added 77 in a week."""
    found = four_answers(costs, BUDGETS, MODELS, NO_EVENTS, AS_OF)

    assert (16.0, 5.0) == (found["yesterday"], found["usual"])
    assert ["b", "c"] == [row["budget"] for row in found["over"]]
    assert ("large", 0.9) == (found["model"], found["model_cost"])
    assert ("brand", 84.0, 7.0, True) == tuple(
        found[name] for name in ("spike_team", "spike_now", "spike_before", "is_spike")
    )
    assert found["spike_cause"] is None


def test_four_answers_without_anything(costs) -> None:
    """An empty ledger answers nothing; a day alone has nothing to compare with."""
    assert four_answers(costs, BUDGETS, MODELS, NO_EVENTS, None)["yesterday"] is None
    nothing = (BUDGETS.head(0), MODELS.head(0), NO_EVENTS, date(2026, 10, 1))
    one = four_answers(costs.head(1), *nothing)

    assert (4.0, None, [], None, None) == tuple(
        one[key] for key in ("yesterday", "usual", "over", "model", "spike_team")
    )


def test_the_cause_of_the_largest_event_that_goes_on(costs) -> None:
    """An event of the last two weeks with more cost than expected is named; an older one is not."""
    events = pd.DataFrame([
        {"assistant": "helper", "end": "2026-10-01", "impact": 90.0, "likely_cause": "old", "driver": "requests"},
        {"assistant": "helper", "end": "2026-10-28", "impact": 70.0, "likely_cause": "a loop", "driver": "requests"},
    ])  # fmt: skip

    found = four_answers(costs, BUDGETS, MODELS, events, AS_OF)

    assert "helper: a loop" == found["spike_cause"]


def test_rows_and_states(costs) -> None:
    """Who will exceed a budget acts; who has no outcomes is watched; who never called is idle."""
    chosen = {"coder": Settings(title="Coder"), "helper": Settings(), "sleeper": Settings()}
    params = Params(assistant="organisation", period="latest", settings=Settings(), organisation=Organisation(),
                    project=Path(), assistants=chosen)  # fmt: skip
    rows = portfolio(params, costs, OUTCOMES, period="2026-10", budgets=BUDGETS, events=NO_EVENTS, viable=VIABLE)

    assert [("helper", "act"), ("Coder", "watch"), ("sleeper", "idle")] == list(
        zip(rows["title"], rows["state"], strict=True)
    )
    assert [105.0, 112.0, 0.0] == rows["cost"].tolist()
    assert 2.1 == rows["cost_per_outcome"].iloc[0]
    assert "no outcomes are counted" in rows["why"].iloc[1]


def test_what_goes_on_in_the_month_is_unusual_in_it(costs) -> None:
    """An event that began the month before and lasts is one of this month; the file says which overrun counts."""
    params = Params(assistant="organisation", period="latest", settings=Settings(), project=Path(),
                    organisation=Organisation(alerts={"overrun_probability": 0.95}),
                    assistants={"helper": Settings(), "coder": Settings()})  # fmt: skip
    events = NO_EVENTS.copy()
    events.loc[0] = ["helper", "2026-09-20", "2026-10-02", 5.0, "a loop", "requests"]
    budgets = BUDGETS.assign(used_share=[0.8, 1.2])
    rows = portfolio(params, costs, OUTCOMES, period="2026-10", budgets=budgets, events=events, viable=VIABLE)

    assert [("coder", "budget c is exceeded"), ("helper", "1 unusual event this month")] == list(
        zip(rows["assistant"], rows["why"], strict=True)
    )


def test_tenfold_rises(costs) -> None:
    """From 7 to 84 dollars is twelvefold."""
    found = spend_spikes(costs, AS_OF)

    assert [("draft", 12.0, True), ("code", 1.0, False)] == list(
        zip(found["workflow"], found["times"], found["is_spike"], strict=True)
    )
    assert spend_spikes(costs, None).empty


def test_checks(costs) -> None:
    """One assistant to act on, one without outcomes, one tenfold rise."""
    rows = pd.DataFrame(
        {"state": ["act", "watch"], "cost_per_outcome": [1.0, None], "cost": [1.0, 1.0], "title": ["A", "B"]}
    )
    found = portfolio_checks(rows, spend_spikes(costs, AS_OF))

    assert [1.0, 1.0, 1.0] == found["statistic"].tolist()
    assert ["A", "B", "draft"] == found["comment"].tolist()


def test_days_add_up(costs) -> None:
    """Every dollar is on one day and under one value, the costliest first."""
    daily = daily_by(costs, AS_OF)

    assert ["coder", "helper"] == list(daily.columns)
    assert 217.0 == daily.to_numpy().sum()
    assert 28 == len(daily)
