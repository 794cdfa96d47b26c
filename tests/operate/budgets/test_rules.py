"""Which budgets there are, what each is about, and what it allows."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pytest

from finops_lib import load_params, operate
from finops_lib.errors import ParamsError
from finops_lib.operate.budgets.rules import matched, term_of
from finops_lib.settings import Budget

ORGANISATION = """
teams:
  front: {department: Care, owners: {business: head-of-care, technical: care-lead}}
  back: {department: Care, owners: {business: head-of-care, technical: other-lead}}
budgets:
  - {name: all, amount: 1000}
  - {name: care, match: {department: Care}, amount: 500}
  - {name: front, match: {team: front}, amount: 200, owners: {business: front-desk}}
alerts: {class_thresholds: {support: [0.9, 0.7]}}
"""
HELPER = """
assistant: helper
settings:
  class: support
  owners: {business: head-of-help, technical: help-lead}
  budgets: [{name: helper, amount: 50}, {name: chats, match: {workflow: chat}, amount: 30, thresholds: [0.5]}]
"""
OTHER = "assistant: other\nsettings: {budgets: [{name: other, amount: 5}]}\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Make an organisation with two assistants."""
    (tmp_path / "parameters").mkdir()
    for name, text in (("organisation", ORGANISATION), ("helper", HELPER), ("other", OTHER)):
        (tmp_path / "parameters" / f"{name}.yaml").write_text(text)
    return tmp_path


def test_budgets_are_completed_from_their_assistant_team_and_class(project: Path) -> None:
    """An assistant's budget is about it alone; owners come from the nearest who has them, where they agree."""
    found = {budget.name: budget for budget in operate.budgets_of(load_params(project=project))}

    assert ["all", "care", "front", "helper", "chats", "other"] == list(found)
    assert {"workflow": "chat", "assistant": "helper"} == found["chats"].match
    assert [[0.5, 0.75, 0.9], [0.7, 0.9], [0.5], [0.6, 0.8, 1.0]] == [
        found[name].thresholds for name in ("care", "helper", "chats", "other")
    ]
    assert [(None, None), ("head-of-care", None), ("front-desk", "care-lead"), ("head-of-help", "help-lead")] == [
        (found[name].owners.business, found[name].owners.technical) for name in ("all", "care", "front", "helper")
    ]


def test_what_if_budgets_stand_in_for_those_of_the_file(project: Path) -> None:
    """A page with settings of its own is about these."""
    params = load_params("other", settings={"budgets": [{"name": "tried", "amount": 7}]}, project=project)

    assert ["helper", "chats", "tried"] == [budget.name for budget in operate.budgets_of(params)][3:]


def test_two_budgets_of_one_name_are_refused(project: Path) -> None:
    """Alerts name budgets, so a name is one budget's."""
    (project / "parameters" / "other.yaml").write_text(OTHER.replace("name: other", "name: care"))
    with pytest.raises(ParamsError, match="two budgets are named 'care'"):
        operate.budgets_of(load_params(project=project))


def test_a_budget_of_the_defaults_is_each_assistants_own(project: Path) -> None:
    """The same line for all assistants makes a budget for each."""
    with (project / "parameters" / "organisation.yaml").open("a") as file:
        file.write("defaults: {budgets: [{name: trial, amount: 9}]}\n")
    (project / "parameters" / "other.yaml").write_text("assistant: other\n")
    (project / "parameters" / "helper.yaml").write_text("assistant: helper\n")
    found = operate.budgets_of(load_params(project=project))

    assert ["trial: helper", "trial: other"] == [budget.name for budget in found[3:]]


@pytest.mark.parametrize(
    ("rule", "day", "year_start", "expected"),
    [
        ({}, "2026-02-10", 1, ("2026-02-01", "2026-02-28", "280")),
        ({"starts": date(2026, 2, 15)}, "2026-02-15", 1, ("2026-02-15", "2026-02-28", "140.00")),
        ({"ends": date(2026, 2, 1)}, "2026-02-01", 1, ("2026-02-01", "2026-02-01", "10.00")),
        ({"period": "quarter"}, "2026-05-10", 1, ("2026-04-01", "2026-06-30", "280")),
        ({"period": "quarter"}, "2026-05-10", 2, ("2026-05-01", "2026-07-31", "280")),
        ({"period": "year"}, "2026-01-31", 2, ("2025-02-01", "2026-01-31", "280")),
    ],
)
def test_a_period_is_cut_and_pro_rated_to_the_days_it_holds(rule, day, year_start, expected) -> None:
    """280 for February is 10 a day; quarters and years follow the financial year."""
    term = term_of(Budget(name="b", amount=280, **rule), pd.Timestamp(day), year_start)

    assert expected == (f"{term.first:%Y-%m-%d}", f"{term.last:%Y-%m-%d}", str(term.amount))


def test_a_budget_is_not_in_force_before_and_after_its_days() -> None:
    """The day before it starts and the day after it ends have none."""
    budget = Budget(name="b", amount=280, starts=date(2026, 2, 15), ends=date(2026, 2, 20))
    days = [pd.Timestamp(2026, 2, day) for day in (14, 15, 20, 21)]

    assert [None, Decimal("60.00"), Decimal("60.00"), None] == [
        (term := term_of(budget, day, 1)) and term.amount for day in days
    ]


def test_patterns_match_values_and_never_what_is_unattributed() -> None:
    """A row without a value belongs to no budget about that dimension, even to one about any value."""
    costs = pd.DataFrame({"route": ["chat-eu", "chat-us", "search", None], "team": ["a", "b", "a", "a"]})

    assert [True, True, False, False] == matched(costs, {"route": "chat-*"}).tolist()
    assert [True, False, False, False] == matched(costs, {"route": "chat-*", "team": "a"}).tolist()
    assert [True, True, True, False] == matched(costs, {"route": "*"}).tolist()
    assert [True] * 4 == matched(costs, {}).tolist()
