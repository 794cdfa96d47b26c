"""One record per cause, with both recipients, gravest first."""

from __future__ import annotations

from datetime import date
from types import SimpleNamespace

import pandas as pd
import pytest

from finops_lib import operate
from finops_lib.operate import Watch
from finops_lib.settings import AlertSettings, Budget, Owners, Settings

AS_OF = date(2026, 10, 20)
DEFAULTS = AlertSettings(default_technical="platform", default_business="finance")
HELPER = Settings(owners=Owners(business="head-of-help", technical="help-lead"))


@pytest.fixture
def make_alerts(make_costs):
    """Let the helper spend, by default twenty a day from the eleventh on, and list the alerts."""

    def make(*budgets, events=(), drifts=(), amounts=None, as_of=AS_OF, assistants=None, more=None, **chosen):
        costs = make_costs(amounts or [*["0"] * 10, *["20"] * 10], team="front", workflow="chat")
        costs = costs if more is None else pd.concat([costs, more], ignore_index=True)
        burnt = operate.burn(costs, list(budgets), as_of)
        spent = costs.groupby(["assistant", "charge_period_start"])["contracted_cost"].sum().astype("float64")
        daily = spent.rename("cost").reset_index().rename(columns={"charge_period_start": "date"})
        daily["date"] = pd.to_datetime(daily["date"])
        watched = Watch(_events(events), daily, pd.DataFrame(drifts))
        known = {"helper": HELPER} if assistants is None else assistants
        return operate.alerts(burnt, watched, as_of=as_of, settings=DEFAULTS, assistants=known, **chosen)

    return make


def _events(rows):
    """Complete events: an open creep of the helper that costs USD 50 in ten days, unless told otherwise."""
    usual = {
        "assistant": "helper",
        "start": pd.Timestamp("2026-10-11"),
        "end": pd.Timestamp("2026-10-20"),
        "driver": "tokens_per_request",
        "kind": "creep",
        "actual": 150.0,
        "expected": 100.0,
        "impact": 50.0,
        "likely_cause": "Tokens per request grew",
        "found_on": pd.Timestamp("2026-10-14"),
        "is_open": True,
        "verdict": None,
    }
    return pd.DataFrame([usual | row for row in rows], columns=list(usual))


def budget(amount, name="all", **rule):
    """Make a budget with the default thresholds of departments and its own owners."""
    owners = Owners(business="cfo", technical="cto")
    return Budget(**{"name": name, "amount": amount, "thresholds": [0.5, 0.75, 0.9], "owners": owners} | rule)


@pytest.mark.parametrize(
    ("amount", "severity", "kind", "money", "since", "cadence"),
    [
        (160, "critical", "stop reached", 260, "2026-10-20", "daily, weekly, monthly"),
        (175, "high", "over budget", 245, "2026-10-19", "daily, weekly, monthly"),
        (260, "high", "probable overrun", 160, "2026-10-20", "weekly, monthly"),
        (1500, None, None, None, None, None),
    ],
)
def test_a_budget_is_told_by_the_gravest_thing_that_is_true(
    make_alerts, amount, severity, kind, money, since, cadence
) -> None:
    """200 spent and 420 expected: beyond the stop, over, probably over, or nothing to say."""
    found = make_alerts(budget(amount))

    if severity is None:
        assert found.empty
        return
    row = found.iloc[0]
    assert (severity, kind, cadence, "cto", "cfo") == tuple(
        row[["severity", "kind", "cadence", "technical_owner", "budget_owner"]]
    )
    assert money == pytest.approx(row["money"])
    assert since == f"{row['since']:%Y-%m-%d}"


def test_a_threshold_is_told_once_a_period(make_alerts) -> None:
    """The key is that of the highest threshold crossed: the same every day until the next one."""
    days = [date(2026, 10, day) for day in (26, 27, 29, 31)]
    amounts = [*["0"] * 18, *["10"] * 13]
    keys = [make_alerts(budget(160), amounts=amounts, as_of=day)["key"].tolist() for day in days]

    assert [["budget/all/2026-10-01/0.5"]] * 3 + [["budget/all/2026-10-01/0.75"]] == keys


def test_a_hard_cap_asks_for_the_gateway(make_alerts) -> None:
    """A soft one asks for an exception."""
    actions = [make_alerts(budget(160, cap=cap))["action"].item() for cap in ("hard", "soft")]

    assert ["stop it at the gateway", "have an exception approved, or bring the spend down now"] == actions


def test_an_exception_without_limit_silences_until_it_lapses(make_alerts) -> None:
    """Then the overrun is told, and the exception with its cost."""
    exception = {"approver": "ceo", "reason": "launch", "starts": date(2026, 10, 1)}
    held = make_alerts(budget(150, exceptions=[exception | {"expires": date(2026, 10, 20)}]))
    lapsed = make_alerts(budget(150, exceptions=[exception | {"expires": date(2026, 10, 18)}])).set_index("kind")

    assert held.empty
    assert {"stop reached", "exception lapsed"} == set(lapsed.index)
    assert (10.0, "2026-10-19") == (
        lapsed.loc["exception lapsed", "money"],
        f"{lapsed.loc['exception lapsed', 'found_on']:%Y-%m-%d}",
    )


def test_inner_budget_explains_the_outer_ones(make_alerts) -> None:
    """Everything, the team and the workflow are over for one reason: one alert names all three."""
    rules = [("all", {}), ("front", {"team": "front"}), ("chat", {"workflow": "chat", "assistant": "helper"})]
    row = make_alerts(*[budget(160, name=name, match=match) for name, match in rules]).iloc[0]

    assert (1, "chat", {"all", "front"}) == (1, row["subject"], set(row["also"].split(", ")))


def test_an_outer_budget_with_a_cause_of_its_own_is_told(make_alerts, make_costs) -> None:
    """The helper is on the way to 160 beyond it, all together to 970: most of it somebody else's."""
    more = make_costs(["50"] * 10, assistant="other", first=date(2026, 10, 11))
    found = make_alerts(
        budget(500),
        budget(260, name="helper", match={"assistant": "helper"}),
        more=more,
        assistants={"helper": HELPER, "other": HELPER},
    )

    assert ["all", "helper"] == found["subject"].tolist()
    assert found["also"].isna().all()


def test_an_event_that_explains_the_overrun_is_its_cause_and_no_second_alert(make_alerts) -> None:
    """5 a day too much is more than half of the 160 / 31 a day beyond the budget."""
    row = make_alerts(budget(260), events=[{}]).iloc[0]

    assert ("probable overrun", "Tokens per request grew (since 2026-10-11)", "helper") == tuple(
        row[["kind", "cause", "assistant"]]
    )
    assert pd.Timestamp("2026-10-11") == row["since"]


def test_events_are_told_unless_judged_past_or_already_named(make_alerts) -> None:
    """A large one is high and weekly too; a judged one and a closed one of August are silent."""
    spike = {"driver": "retry_rate", "kind": "spike", "impact": 20.0, "is_open": False}
    august = {"is_open": False, "end": pd.Timestamp("2026-08-20"), "found_on": pd.Timestamp("2026-08-14")}
    events = [{}, spike, spike | {"verdict": "planned"}, august | {"driver": "rate"}]
    found = make_alerts(events=events)

    assert [("high", "daily, weekly"), ("medium", "daily")] == list(
        found[["severity", "cadence"]].itertuples(index=False, name=None)
    )
    keys = [f"unusual/helper/{driver}/2026-10-14" for driver in ("tokens_per_request", "retry_rate")]
    assert keys == found["key"].tolist()
    assert "mend what fails and limit the retries" == found["action"].iloc[1]


def test_since_asks_by_the_day_of_finding(make_alerts) -> None:
    """What was found before is left out, what was found long ago is there when asked for."""
    old = {"is_open": False, "end": pd.Timestamp("2026-08-20"), "found_on": pd.Timestamp("2026-08-14")}
    counts = [len(make_alerts(events=[{}, old], since=day)) for day in (date(2026, 8, 1), date(2026, 10, 14), AS_OF)]

    assert [2, 1, 0] == counts


def test_an_assistant_without_owners_alerts_the_default_and_says_so(make_alerts) -> None:
    """Its events go to the organisation's default; that it has none is an alert of its own."""
    found = make_alerts(events=[{}], assistants={}).set_index("kind")

    assert {"unusual", "missing owner"} == set(found.index)
    assert ("platform", "finance") == tuple(found.loc["unusual", ["technical_owner", "budget_owner"]])
    note = "no technical owner: the organisation's default is told; no budget owner: the organisation's default is told"
    assert note == found.loc["unusual", "owner_note"]
    assert "helper has no technical and no budget owner and spent USD 200.00" in found.loc["missing owner", "message"]


def test_digests_and_assistants_choose_their_own(make_alerts) -> None:
    """The monthly digest holds no daily event; another assistant has none of them."""
    budgets = [budget(160, match={"assistant": "helper"})]
    drop = [{"kind": "drop", "impact": -80.0}]

    assert ["stop reached"] == make_alerts(*budgets, events=drop, cadence="monthly")["kind"].tolist()
    assert ["stop reached", "unusual"] == make_alerts(*budgets, events=drop, cadence="daily")["kind"].tolist()
    assert make_alerts(*budgets, events=drop, assistant="other").empty
    assert 2 == len(make_alerts(*budgets, events=drop, assistant="organisation"))


def test_drift_after_a_promotion_reaches_who_answers_for_it(make_alerts) -> None:
    """Beyond the assistant's limit of 10% only; the promotion's owner is told, with the week's money."""
    drift = {"assistant": "helper", "workflow": "chat", "configuration": "small", "owner": "route-lead"}
    drift |= {"promoted_on": date(2026, 9, 20), "drift": 0.25, "money": 28.0}
    found = make_alerts(drifts=[drift, drift | {"drift": 0.1}, drift | {"workflow": None, "money": 5.0}])

    assert ["drift/helper/chat/small", "drift/helper/small"] == found["key"].tolist()
    assert ("route-lead", "head-of-help") == tuple(found.loc[0, ["technical_owner", "budget_owner"]])
    assert (28.0, "weekly") == tuple(found.loc[0, ["money", "cadence"]])
    words = "a request to helper/chat costs 25% more than in the week after small was promoted on 2026-09-20"
    assert words in found.loc[0, "message"]


def test_nothing_is_told_without_data() -> None:
    """No complete day: no alert, all columns."""
    none = SimpleNamespace()
    found = operate.alerts(none, none, as_of=None, settings=DEFAULTS, assistants={})

    assert (0, "cadence") == (len(found), found.columns[-1])
