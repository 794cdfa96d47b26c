"""Onboarding: the assistants found in exports, and first parameter files that are taken as they stand."""

from __future__ import annotations

from datetime import date

import pandas as pd
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from finops_lib.inform import (
    assistant_file,
    baseline_settings,
    found_assistants,
    nameless_calls,
    organisation_file,
)
from finops_lib.inform.profile.onboarding import file_name
from finops_lib.params import Organisation, Settings, load_params

AS_OF = date(2026, 9, 28)
_TOKENS = ("uncached_input_tokens", "visible_output_tokens")


@pytest.fixture
def calls(make_ledger, make_usage):
    """Bot: 280 calls of 1,000 + 100 tokens on two models in four weeks; a name with blanks; calls of nobody."""
    bot = {"assistant": "bot", "provider": "house"}
    costs = make_ledger(
        [
            ("2026-09-01", "uncached_input", 210_000, 100, {**bot, "model": "large"}),
            ("2026-09-28", "uncached_input", 70_000, 100, {**bot, "model": "small"}),
            ("2026-08-01", "uncached_input", 9_000_000, 100, {**bot, "model": "large"}),
            ("2026-09-28", "output", 1_000, None, {"assistant": "Sales Bot", "provider": "house", "model": "own"}),
            ("2026-09-28", "output", 500, 2, {"assistant": None, "provider": "house", "model": "own", "api_key": "k1"}),
        ]
    )
    tokens = {"uncached_input_tokens": 210_000, "visible_output_tokens": 21_000, "resolved_count": 3}
    usage = make_usage(
        [
            ("2026-09-01", 210, {**bot, "model": "large", **tokens}),
            (
                "2026-09-28",
                70,
                {**bot, "model": "small", "uncached_input_tokens": 70_000, "visible_output_tokens": 7_000},
            ),
            ("2026-08-01", 5, {**bot, "model": "large", "uncached_input_tokens": 9_000_000}),
            ("2026-09-28", 4, {"assistant": "Sales Bot", "model": "own", "visible_output_tokens": 1_000}),
            ("2026-09-28", 2, {"assistant": None, "model": "own", "api_key": "k1", "visible_output_tokens": 500}),
        ]
    )
    users = pd.DataFrame({"assistant": ["bot", None], "users": [4, 1], "requests": [280, 2]})
    return costs, usage, users


def test_assistants_are_listed_by_cost_and_those_of_nobody_last(calls) -> None:
    """28 USD in four weeks are 30.42 in a month; what has no price has no cost, not none; August is too long ago."""
    costs, usage, users = calls

    found = found_assistants(costs, usage, users, as_of=AS_OF, known=["bot"])

    assert ["bot", "Sales Bot", "unattributed"] == found["assistant"].tolist()
    assert ["bot", "sales-bot", None] == found["file"].astype(object).where(found["file"].notna(), None).tolist()
    assert [285, 4, 2] == found["requests"].tolist()
    assert [4, 0, 1] == found["users"].tolist()
    assert pytest.approx(28 * 365 / 12 / 28) == found["monthly_cost"][0]
    assert [False, True, False] == found["monthly_cost"].isna().tolist()
    assert [0.0, 1.0, 0.0] == found["unpriced"].tolist()
    assert [True, False, False] == found["known"].tolist()


def test_calls_of_nobody_say_what_is_known_of_them(calls) -> None:
    """Their key is what a rule can be made of."""
    costs, usage, _ = calls

    rows = nameless_calls(costs, usage).to_dict("records")

    told = [(row["dimension"], row["value"], row["requests"], row["cost"]) for row in rows]
    assert [("api_key", "k1", 2.0, 0.001), ("model", "own", 2.0, 0.001)] == told


def test_baseline_is_what_the_last_weeks_were(calls) -> None:
    """280 calls of 4 people in 28 days: 3.6 a person and working day; 1,000 tokens in, 100 out; three to one."""
    costs, usage, _ = calls

    settings = baseline_settings(costs, usage, "bot", users=4, as_of=AS_OF)

    assert "resolved" == settings["success"]
    plan = settings["plan"]
    assert (4, 3.6, 21, 1000, 100) == tuple(
        plan[k] for k in ("users", "requests_per_user_day", "working_days", "prompt_tokens", "answer_tokens")
    )
    assert {"large": 0.75, "small": 0.25} == plan["models"]
    assert [{"name": "bot", "amount": 34, "period": "month"}] == settings["budgets"]  # 30.42 and a tenth


def test_without_users_or_prices_nothing_is_made_up(calls) -> None:
    """No plan without people, no budget without cost; the name in exports is kept."""
    costs, usage, _ = calls

    settings = baseline_settings(costs, usage, "Sales Bot", users=0, as_of=AS_OF)

    assert {"title": "Sales bot", "match": ["Sales Bot"]} == settings


def test_files_are_taken_as_they_stand(calls, tmp_path) -> None:
    """What is written loads, and the baseline is in it."""
    costs, usage, _ = calls
    folder = tmp_path / "parameters"
    folder.mkdir()
    written = organisation_file(
        [{"path": "exports/*.jsonl", "format": "litellm", "defaults": {"assistant": "bot"}}],
        time_zone="Europe/Berlin",
        teams=["cx: front", "null"],
        keys=["sk-…1", "#2"],
    )
    (folder / "organisation.yaml").write_text(written, encoding="utf-8")
    settings = baseline_settings(costs, usage, "bot", users=4, as_of=AS_OF)
    (folder / "bot.yaml").write_text(assistant_file("bot", settings, as_of=AS_OF), encoding="utf-8")

    params = load_params("bot", project=tmp_path)

    assert 1000 == params.settings.plan.prompt_tokens
    assert ["cx: front", "null"] == list(params.organisation.teams)
    assert ("exports/*.jsonl", "litellm") == (
        params.organisation.sources[0].path,
        params.organisation.sources[0].format,
    )


def test_a_day_that_is_not_over_is_taken_where_there_is_no_other(calls) -> None:
    """An export of this morning has a cost and a baseline, not none."""
    costs, usage, users = calls
    yesterday = date(2026, 7, 31)

    found = found_assistants(costs, usage, users, as_of=yesterday).set_index("assistant")

    assert found.loc["bot", "monthly_cost"] > 0
    assert 0.25 == baseline_settings(costs, usage, "bot", users=4, as_of=yesterday)["plan"]["models"]["small"]


def test_an_empty_ledger_has_no_assistants(calls) -> None:
    """Nothing was read yet."""
    costs, usage, users = calls

    assert found_assistants(costs[:0], usage[:0], users[:0], as_of=None).empty
    assert nameless_calls(costs[:0], usage[:0]).empty


@given(st.text(min_size=1, max_size=30))
def test_every_name_makes_a_file(name: str) -> None:
    """Whatever an export calls an assistant, its file has a name the kit takes, and its text is YAML."""
    content = yaml.safe_load(assistant_file(name, {"title": name, "match": [name]}, as_of=AS_OF))

    assert content["assistant"] == file_name(name)
    assert content["assistant"] not in ("organisation", "promotions", "decisions", "")
    assert [name] == Settings(**content["settings"]).match


@given(st.lists(st.text(min_size=1, max_size=20), max_size=4, unique=True))
def test_every_team_makes_a_key(teams: list[str]) -> None:
    """Names with colons, quotes or line breaks are keys all the same."""
    content = yaml.safe_load(organisation_file([], time_zone="UTC", teams=teams, keys=teams))

    assert set(teams) == set(Organisation(**content).teams)
