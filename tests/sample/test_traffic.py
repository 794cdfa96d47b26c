"""Every plant in the traffic is measurably there."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from finops_lib.sample.organisation import day_number
from finops_lib.sample.plants import BURST, DOUBLE_BILLED, DRIFT, LEVEL, LOOPS, MIGRATION, MISSING, STORM, days_between
from finops_lib.sample.traffic import generate_calls, pick, spread


def _of(calls: pd.DataFrame, name: str) -> pd.DataFrame:
    return calls[(calls["assistant"] == name) | (calls["workflow"] == name)]


def test_size_of_the_sample(calls: pd.DataFrame) -> None:
    """Between 60 and 110 thousand calls, a few hundred users, four whole months, in order of time."""
    assert 60_000 <= len(calls) <= 110_000
    assert list(range(123)) == sorted(calls["day"].unique())
    assert calls["start_ms"].is_monotonic_increasing
    assert 200 <= calls.groupby("assistant")["user"].nunique().sum() <= 600


def test_tokens_are_never_negative(calls: pd.DataFrame) -> None:
    """Token classes are disjoint counts, so none is below zero."""
    classes = ["uncached_input", "cache_read", "cache_write_5m", "cache_write_1h", "visible_output", "reasoning"]

    assert (calls[classes] >= 0).all().all()


def test_weekdays_and_growth(calls: pd.DataFrame) -> None:
    """Weekends are quieter than weekdays, October is busier than July."""
    daily = calls[calls["assistant"] != "coding-assistant"].groupby("day").size()
    weekend = (date(2026, 7, 1).weekday() + daily.index) % 7 >= 5

    assert daily[weekend].mean() < 0.4 * daily[~weekend].mean()
    assert daily.loc[93:].mean() > 1.1 * daily.loc[:29].mean()


def test_migration(calls: pd.DataFrame) -> None:
    """P01: one model before the day, the other after it, at more than twice the cost a call."""
    first = day_number(MIGRATION[0])
    billed = _of(calls, "knowledge-bot").query("source == 'litellm' and not cache_hit")
    before, after = billed[billed["day"] < first], billed[billed["day"] >= first]

    assert ({MIGRATION[1]}, {MIGRATION[2]}) == (set(before["model"]), set(after["model"]))
    assert 2.4 < after["usd"].mean() / before["usd"].mean() < 3.0


def test_drift(calls: pd.DataFrame) -> None:
    """P02: input per call grows by about 2% a day from the day of prompt version v8."""
    answers = _of(calls, "ticket-answer").query("run_status == 'ok'")
    first = day_number(DRIFT[0])
    size = answers.groupby("day")["input"].mean()
    growth = np.polyfit(np.arange(123 - first), np.log(size.loc[first:]), 1)[0]
    before = np.polyfit(np.arange(first), np.log(size.loc[: first - 1]), 1)[0]

    assert 0.017 < growth < 0.023
    assert abs(before) < 0.001
    assert {"v8"} == set(answers.loc[answers["day"] >= first, "prompt_version"])


def test_storm(calls: pd.DataFrame) -> None:
    """P03: nearly half of all attempts fail on the two days, hardly any on others."""
    answers = _of(calls, "ticket-answer")
    stormy = answers["day"].isin(days_between(*STORM))
    failed = answers["run_status"] == "error"

    assert 0.35 < failed[stormy].mean() < 0.55
    assert failed[~stormy].mean() < 0.03
    assert answers.loc[stormy, "retries"].max() == 3


def test_burst(calls: pd.DataFrame) -> None:
    """P04: the weekend carries ten times the calls of other weekends."""
    daily = _of(calls, "coding-assistant").groupby("day").size().reindex(range(123), fill_value=0)
    weekend = pd.Series((date(2026, 7, 1).weekday() + daily.index) % 7 >= 5, daily.index)
    burst = daily.index.isin(days_between(*BURST))

    assert daily[burst].min() > 8 * daily[weekend & ~burst].mean()


def test_level_shift(calls: pd.DataFrame) -> None:
    """P05: volume steps up by about 60%."""
    daily = _of(calls, "contract-extraction").groupby("day").size()
    first = day_number(LEVEL[0])

    assert 1.4 < daily.loc[first : first + 27].mean() / daily.loc[first - 28 : first - 1].mean() < 1.85


def test_unattributed(calls: pd.DataFrame) -> None:
    """P06: coverage is below 95% for the knowledge bot alone."""
    owned = calls["usd"].where(calls["team"].notna(), 0).groupby(calls["assistant"]).sum()
    coverage = owned / calls.groupby("assistant")["usd"].sum()

    assert ["knowledge-bot"] == coverage.index[coverage < 0.95].tolist()
    assert 0.88 < coverage["knowledge-bot"] < 0.94


def test_unpriced(calls: pd.DataFrame) -> None:
    """P07: the fine-tune serves a tenth of the copilot's calls and over 1% of its tokens."""
    copilot = _of(calls, "support-copilot")
    own = copilot["model"] == "cx-intent-ft-3"

    assert 0.07 < own.mean() < 0.12
    assert 0.01 < copilot.loc[own, "input"].sum() / copilot["input"].sum() < 0.03


def test_gateway_cache(calls: pd.DataFrame) -> None:
    """P08 and P15: hits only where the gateway caches, and repeats it missed."""
    hits = calls[calls["cache_hit"]]
    chat = _of(calls, "knowledge-bot").query("source == 'litellm'")
    asked = chat[~chat["cache_hit"] & (chat["step"] == 0) & (chat["run_status"] == "ok")]
    since = asked["start_ms"] - asked.groupby(["workflow", "question"])["start_ms"].shift()

    assert {"knowledge-bot"} == set(hits["assistant"])
    assert 0.15 < chat["cache_hit"].mean() < 0.24
    assert 0.08 < (since < 86_400_000).mean() < 0.15


def test_loops(calls: pd.DataFrame) -> None:
    """P09: fourteen runs of twenty and more steps, all within the week, none resolved."""
    steps = calls.groupby("task")["step"].max() + 1
    loops = calls[calls["task"].isin(steps.index[steps >= 20])]

    assert 14 == loops["task"].nunique()
    assert set(loops["day"]) <= set(days_between(*LOOPS))
    assert not loops["resolved"].any()


def test_failed_abandoned_blocked(calls: pd.DataFrame) -> None:
    """P10 and P11: failed attempts burn input tokens; blocked calls occur in one workflow only."""
    chat = calls[calls["request_type"] == "chat"]
    status = chat["run_status"].value_counts(normalize=True)

    assert 0.015 < status["error"] < 0.04
    assert 0.004 < status["abandoned"] < 0.02
    assert chat.loc[chat["run_status"] == "error", "input"].min() > 0
    assert {"ticket-answer"} == set(chat.loc[chat["run_status"] == "blocked", "workflow"])


def test_judge(calls: pd.DataFrame) -> None:
    """P12: evaluation traffic is one workflow on one premium model."""
    judged = calls[calls["category"] == "evaluation"]

    assert ({"answer-judge"}, {"claude-opus-5"}) == (set(judged["workflow"]), set(judged["model"]))
    assert 3 < len(judged) / 123 < 7


def test_sandbox(calls: pd.DataFrame) -> None:
    """P13: the sandbox runs on the premium model, also after its expiry."""
    sandbox = _of(calls, "marketing-drafting").query("environment == 'sandbox'")

    assert {"claude-opus-5"} == set(sandbox["model"])
    assert (sandbox["day"] > day_number(date(2026, 9, 30))).sum() > 40


def test_premium_on_routine(calls: pd.DataFrame) -> None:
    """P14: three routine workflows are served by models above their need."""
    assert {"claude-opus-5"} == set(_of(calls, "commit-message")["model"])
    assert (_of(calls, "translation")["model"] == "gpt-5.4").mean() > 0.4
    assert (_of(calls, "ticket-summary")["model"] == "claude-sonnet-5").mean() > 0.4


def test_long_outputs(calls: pd.DataFrame) -> None:
    """P16: over a tenth of the drafts exceed 2,000 tokens."""
    assert 0.1 < (_of(calls, "copy-draft")["visible_output"] > 2000).mean() < 0.2


def test_two_teams(calls: pd.DataFrame) -> None:
    """P17: about one call in a hundred belongs to two teams."""
    assert 0.007 < _of(calls, "ticket-answer")["second_team"].notna().mean() < 0.02


def test_missing_log(calls: pd.DataFrame) -> None:
    """P23: all gateway calls of two days, and only those, were never logged."""
    lost = calls[~calls["logged"]]

    assert {"litellm"} == set(lost["source"])
    assert set(days_between(*MISSING)) == set(lost["day"])
    assert calls[(calls["source"] == "litellm") & calls["day"].isin(days_between(*MISSING))]["logged"].sum() == 0


def test_context_tiers(calls: pd.DataFrame) -> None:
    """P25: some reviews and some briefs exceed their model's context tier."""
    reviews = _of(calls, "clause-review")
    briefs = _of(calls, "account-brief").query("model == 'gemini-2.5-pro'")

    assert 0.05 < (reviews["input"] > 272_000).mean() < 0.15
    assert 0.03 < (briefs["input"] > 200_000).mean() < 0.2


def test_clean_assistant(calls: pd.DataFrame) -> None:
    """P36: the small assistant's weeks are all alike."""
    days = _of(calls, "marketing-drafting").query("day < 119")["day"]
    weekly = (days // 7).value_counts()

    assert weekly.max() < 1.4 * weekly.median()
    assert weekly.min() > 0.7 * weekly.median()


def test_a_smaller_sample_has_the_same_shape() -> None:
    """A tenth of the tasks gives about a tenth of the calls, and equal seeds give equal calls."""
    small, again = generate_calls(scale=0.1), generate_calls(scale=0.1)

    pd.testing.assert_frame_equal(small, again)
    assert 6_000 < len(small) < 12_000
    assert not generate_calls(seed=8, scale=0.1)["start_ms"].equals(small["start_ms"])


@given(st.lists(st.floats(0, 0.999999), min_size=1), st.sampled_from(["narrow", "wide"]))
def test_spread_grows_with_its_number(u: list[float], shape: str) -> None:
    """Sizes follow the order of the numbers and keep within the tails."""
    numbers = np.sort(np.array(u))
    sizes = spread(numbers, 1000, shape)

    assert (np.diff(sizes) >= 0).all()
    assert sizes.min() >= 150
    assert sizes.max() <= 6000


def test_pick_follows_the_weights() -> None:
    """Three quarters of the numbers choose the name with three quarters of the weight."""
    assert ["a", "a", "a", "b"] == pick(np.array([0.0, 0.3, 0.74, 0.76]), {"a": 3.0, "b": 1.0}).tolist()


@pytest.mark.parametrize("window", [STORM, BURST, LOOPS, MISSING, DOUBLE_BILLED])
def test_windows_lie_in_the_sample(window: tuple[date, date]) -> None:
    """Every window begins and ends within the four months."""
    assert 0 <= day_number(window[0]) <= day_number(window[1]) < 123
