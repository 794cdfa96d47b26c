"""The review proposes what the month asks for, with the money and the command."""

from __future__ import annotations

import shlex
from datetime import date
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from finops_lib.cli import app
from finops_lib.operate import overrun_budgets, propose_decisions, review_checks
from finops_lib.settings import Organisation, Params, Settings

AS_OF = date(2026, 10, 31)
BUDGET = {
    "budget": "all",
    "assistant": None,
    "overrun_probability": 0.9,
    "used_share": 0.4,
    "allowed": 100.0,
    "projected": 192.0,
    "first_day": pd.Timestamp("2026-10-01"),
    "last_day": pd.Timestamp("2026-12-31"),
    "budget_owner": "cfo",
}
ALERTS = pd.DataFrame([("probable overrun", "all", "part, other")], columns=["kind", "subject", "also"])
SEATS = {"waste": "unused seats", "cost": 60.0, "quantity": 3.0, "unit": "seats", "largest_part": "chat"}
BREACH = {
    "assistant": "helper",
    "workflow": "draft",
    "exception": "none",
    "breach_cost": 40.0,
    "what_to_do": "route it to small",
    "breach": "dearer tier",
    "requests": 10,
    "cost": 50.0,
    "model": "large",
}
EXCEPTIONS = ["about", "status", "approver", "reason", "expires", "cost_since_lapse"]


def wasted(**changes) -> pd.DataFrame:
    """Make one class of calls of the month."""
    row = {"assistant": "helper", "workflow": "draft", "call_class": "abandoned", "requests": 4, "cost": 20.0}
    useful = row | {"call_class": "useful", "cost": 980.0}
    return pd.DataFrame([row | changes, useful])


def proposals(params: Params, **given) -> pd.DataFrame:
    """Propose on hand-made findings; what is not given holds nothing."""
    empty = {
        "budgets": pd.DataFrame([BUDGET]).head(0),
        "alerts": ALERTS,
        "proposals": pd.DataFrame(),
        "breaches": pd.DataFrame([BREACH]).head(0),
        "waste": pd.DataFrame(columns=["waste", "cost", "quantity", "unit", "largest_part"]),
        "wasted": wasted().head(0),
        "exceptions": pd.DataFrame(columns=EXCEPTIONS),
    }
    return propose_decisions(params, AS_OF, **(empty | given))


@pytest.fixture
def params() -> Params:
    """Make an organisation with one assistant and its owners."""
    owners = {"owners": {"business": "head", "technical": "lead"}}
    return Params(assistant="organisation", period="latest", settings=Settings(), project=Path(),
                  organisation=Organisation(alerts={"default_business": "cfo", "default_technical": "cto"}),
                  assistants={"helper": Settings.model_validate(owners)})  # fmt: skip


def test_five_outputs(params) -> None:
    """Each finding becomes a decision of its kind, with its owner, the most money first."""
    lapsed = ("helper / draft", "lapsed", "head", "launch", date(2026, 9, 30), 8.0)
    found = proposals(
        params,
        budgets=pd.DataFrame([BUDGET]),
        proposals=pd.DataFrame([{"assistant": "helper", "projected": 26.0, "proposed": 26.0}]),
        breaches=pd.DataFrame([BREACH]),
        waste=pd.DataFrame([SEATS]),
        wasted=wasted(),
        exceptions=pd.DataFrame([lapsed], columns=EXCEPTIONS),
    )
    shown = list(zip(found["kind"], found["owner"], found["effect"].round(2).fillna(0), strict=True))

    assert [
        ("retirement", "cfo", -60.0),
        ("routing", "lead", -40.0),
        ("budget", "cfo", -30.42),  # 92 dollars over on 92 days, a month of 30.42 days
        ("workflow", "lead", -20.0),
        ("budget", "head", 0.0),
        ("exception", "head", 0.0),
    ] == shown
    assert {date(2026, 11, 30)} == set(found["review"])


def test_small_money_is_left_alone(params) -> None:
    """Half a percent of the month's 1,000 dollars is the least."""
    found = proposals(params, wasted=wasted(cost=4.9), breaches=pd.DataFrame([BREACH | {"breach_cost": 4.9}]))

    assert found.empty


def test_nested_budgets_ask_once(params) -> None:
    """Of three budgets that one overrun concerns, the one told by the alerts is decided on and names the others."""
    budgets = [BUDGET, BUDGET | {"budget": "part"}, BUDGET | {"budget": "other"}]
    found = proposals(params, budgets=pd.DataFrame(budgets))

    assert ["budget all: spend less, or raise it to USD 192"] == found["decision"].tolist()
    assert "an overrun is 90% probable; the same overrun in part, other" in found["evidence"].iloc[0]


def test_overrun_budgets_are_those_an_alert_is_about() -> None:
    """A threshold is no overrun; what the overrun concerns too stands beside it."""
    budgets = pd.DataFrame({"budget": ["all", "part", "quiet"]})
    told = pd.concat([ALERTS, pd.DataFrame([("threshold", "part", None)], columns=ALERTS.columns)])

    assert [{"budget": "all", "also": "part, other"}] == overrun_budgets(budgets, told).to_dict("records")


def test_budgets_without_an_alert_of_their_own_are_left_alone(params) -> None:
    """A threshold crossed asks for nothing; a budget that is used up says so."""
    crossed, over = ALERTS.assign(kind="threshold", also=None), ALERTS.assign(kind="over budget", also=None)
    budgets = pd.DataFrame([BUDGET | {"used_share": 1.2}])

    assert proposals(params, budgets=budgets, alerts=crossed).empty
    assert proposals(params, budgets=budgets, alerts=over)["evidence"].iloc[0].endswith("it is exceeded")


def test_a_retirement_on_record_ends_its_own_waste_only(params) -> None:
    """Two of three seats were decided on: the third is proposed, and idle capacity is not taken for seats."""
    record = {"decided": "2026-10-05", "kind": "retirement", "decision": "return 2 seats", "owner": "cfo",
              "review": "2026-11-05", "waste": "unused seats", "quantity": 2}  # fmt: skip
    known = Params.model_validate(params.model_dump(by_alias=True) | {"decisions": [record]})
    idle = SEATS | {"waste": "idle provisioned throughput", "cost": 50.0, "unit": "unit-hours"}
    found = proposals(known, waste=pd.DataFrame([SEATS, idle]))

    assert [-50.0, -20.0] == found["effect"].tolist()
    assert "return the unused seats: 1 beyond the 2 decided on 2026-10-05" == found["decision"].iloc[1]
    assert found["on_record"].isna().all()
    assert "--waste 'unused seats' --quantity 1 " in found["command"].iloc[1]


def test_what_is_on_record_comes_last(params) -> None:
    """An open decision on the same place is named."""
    record = {"decided": "2026-10-10", "kind": "routing", "assistant": "helper", "workflow": "draft",
              "decision": "small model", "owner": "lead", "review": "2026-11-10"}  # fmt: skip
    known = Params.model_validate(params.model_dump(by_alias=True) | {"decisions": [record]})
    found = proposals(known, breaches=pd.DataFrame([BREACH]), wasted=wasted(workflow="other"))

    assert ["workflow", "routing"] == found["kind"].tolist()
    assert "2026-10-10: small model" == found["on_record"].iloc[1]


def test_the_command_records_the_proposal(params, tmp_path) -> None:
    """What the page says to type is taken as it is."""
    (tmp_path / "parameters").mkdir()
    (tmp_path / "parameters" / "organisation.yaml").write_text("{}")
    (tmp_path / "parameters" / "helper.yaml").write_text("assistant: helper\nsettings: {}\n")
    command = proposals(params, breaches=pd.DataFrame([BREACH]))["command"].iloc[0]
    arguments = [*shlex.split(command)[1:], "--on", "2026-10-31", "--project", str(tmp_path)]
    result = CliRunner().invoke(app, arguments)

    assert 0 == result.exit_code, result.output
    assert "effect: -40.0" in (tmp_path / "parameters" / "decisions.yaml").read_text()


def test_nothing_without_a_day(params) -> None:
    """An empty ledger proposes nothing."""
    found = ("budgets", "alerts", "proposals", "breaches", "waste", "wasted", "exceptions")

    assert propose_decisions(params, None, **dict.fromkeys(found)).empty


def test_review_checks() -> None:
    """A review that is due, and money after a lapsed exception, fail."""
    held = pd.DataFrame({"decided": [date(2026, 10, 1)], "decision": ["a"], "state": ["review due"], "verdict": ["x"]})
    exceptions = pd.DataFrame([("helper", "lapsed", "head", "r", None, 3.5)], columns=EXCEPTIONS)
    found = review_checks(held, exceptions, "2026-10").set_index("check")["passed"].to_dict()

    assert {
        "decisions_recorded_this_month": True,
        "reviews_overdue": False,
        "decisions_that_went_wrong": True,
        "cost_after_lapsed_exceptions": False,
    } == found
