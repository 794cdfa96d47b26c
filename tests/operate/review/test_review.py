"""The review proposes what the month asks for, with the money and the command."""

from __future__ import annotations

import shlex
from datetime import date
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from finops_lib.cli import app
from finops_lib.operate import propose_decisions, quarterly_list, review_checks, tier_drift
from finops_lib.settings import ModelCatalogue, Organisation, Params, Settings

AS_OF = date(2026, 10, 31)
BUDGET = {
    "budget": "all",
    "assistant": None,
    "is_excepted": False,
    "overrun_probability": 0.9,
    "allowed": 100.0,
    "projected": 192.0,
    "first_day": pd.Timestamp("2026-10-01"),
    "last_day": pd.Timestamp("2026-12-31"),
    "budget_owner": "cfo",
}
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
    seats = {"waste": "unused seats", "cost": 60.0, "quantity": 3.0, "unit": "seats", "largest_part": "chat"}
    lapsed = ("helper / draft", "lapsed", "head", "launch", date(2026, 9, 30), 8.0)
    found = proposals(
        params,
        budgets=pd.DataFrame([BUDGET]),
        proposals=pd.DataFrame([{"assistant": "helper", "projected": 26.0, "proposed": 26.0}]),
        breaches=pd.DataFrame([BREACH]),
        waste=pd.DataFrame([seats]),
        wasted=wasted(),
        exceptions=pd.DataFrame([lapsed], columns=EXCEPTIONS),
    )
    shown = list(zip(found["kind"], found["owner"], found["effect"].round(2).fillna(0), strict=True))

    assert [
        ("retirement", "cfo", -60.0),
        ("routing", "lead", -40.0),
        ("budget", "cfo", -30.44),  # 92 dollars over on 92 days, a month of 30.44 days
        ("workflow", "lead", -20.0),
        ("budget", "head", 0.0),
        ("exception", "head", 0.0),
    ] == shown
    assert {date(2026, 11, 30)} == set(found["review"])


def test_small_money_is_left_alone(params) -> None:
    """Half a percent of the month's 1,000 dollars is the least."""
    found = proposals(params, wasted=wasted(cost=4.9), breaches=pd.DataFrame([BREACH | {"breach_cost": 4.9}]))

    assert found.empty


def test_excepted_and_unlikely_budgets_are_left_alone(params) -> None:
    """What is allowed, or will probably be kept, asks for nothing."""
    budgets = [BUDGET | {"is_excepted": True}, BUDGET | {"overrun_probability": 0.2}]

    assert proposals(params, budgets=pd.DataFrame(budgets)).empty


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
    assert propose_decisions(params, None, budgets=None, proposals=None, breaches=None, waste=None, wasted=None,
                             exceptions=None).empty  # fmt: skip


def test_tier_drift() -> None:
    """Premium went from a quarter to half of the cost."""
    now = pd.DataFrame({"tier": ["low_cost", "premium"], "cost": [50.0, 50.0]})
    before = pd.DataFrame({"tier": ["low_cost", "premium"], "cost": [30.0, 10.0]})
    found = tier_drift(now, before)

    assert [-0.25, 0.25] == found["share_change"].tolist()
    assert tier_drift(now, before.head(0))["share_change"].isna().all()


def test_quarterly_list_only_at_a_quarters_end() -> None:
    """September ends a calendar quarter, October one that began in August."""
    columns = ["charge_period_start", "provider", "model", "token_class", "pricing_quantity", "contracted_cost"]
    nothing = pd.DataFrame(columns=[*columns, "list_cost", "request_count"])

    assert 12 == len(quarterly_list(nothing, nothing, "2026-09", ModelCatalogue()))
    assert quarterly_list(nothing, nothing, "2026-10", ModelCatalogue()).empty
    assert 12 == len(quarterly_list(nothing, nothing, "2026-10", ModelCatalogue(), year_start=2))
    assert quarterly_list(nothing, nothing, "", ModelCatalogue()).empty


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
