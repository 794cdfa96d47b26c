"""Evidence: the last 31 days of each assistant, and what was proved before."""

from __future__ import annotations

from datetime import date

import pandas as pd

from finops_lib import inform
from finops_lib.ingest.workspace import read_json
from finops_lib.operate.rollout.evidence import keep_proofs
from finops_lib.settings import Decision


def test_recent_days_are_thirty_one_and_end_with_the_last(make_evidence) -> None:
    """A call of the first of October is in, one of the thirtieth of September is not."""
    evidence = make_evidence({"bot": {}})
    usage = evidence.usage.copy()
    usage.loc[0, "charge_period_start"] = date(2026, 9, 30)
    moved = type(evidence)(**{**vars(evidence), "usage": usage}).assistants["bot"]

    assert (31, 30) == (evidence.assistants["bot"].counted("request_count"), moved.counted("request_count"))
    assert 31.0 == evidence.assistants["bot"].spent


def test_a_page_is_about_one_assistant_or_all_with_a_file(make_evidence) -> None:
    """Scope follows the parameters."""
    assert ["a", "b"] == list(make_evidence({"b": {}, "a": {}}).assistants)
    assert ["b"] == list(make_evidence({"b": {}, "a": {}}, of="b").assistants)


def test_reviews_are_those_of_the_assistant_itself(make_evidence) -> None:
    """What was decided on all or on another says nothing of it; decisions to come and reviews past do not count."""

    def decided(day, review, assistant):
        return Decision(
            decided=day, kind="budget", assistant=assistant, decision=f"as {day}", owner="head", review=review
        )

    record = [
        decided(date(2026, 10, 2), date(2026, 10, 9), "bot"),
        decided(date(2026, 10, 5), date(2026, 11, 20), "bot"),
        decided(date(2026, 10, 20), date(2026, 11, 5), "organisation"),
        decided(date(2026, 10, 30), date(2026, 11, 5), "other"),
        decided(date(2026, 11, 3), date(2026, 11, 4), "bot"),
    ]
    evidence = make_evidence({"bot": {}})
    held = type(evidence)(**{**vars(evidence), "params": evidence.params.model_copy(update={"decisions": record})})

    assert (date(2026, 10, 5), date(2026, 11, 20)) == held.reviews("bot")
    assert (None, None) == evidence.reviews("bot")


def test_evaluation_sets_are_those_below_the_name(make_evidence) -> None:
    """The sets of chat-eu are not those of chat."""
    sets = pd.DataFrame({"evaluation_set": ["chat-eu/faq", "chat/faq", "chat/faq", "chat", "chatter"]})

    assert ["chat", "chat/faq"] == make_evidence({"chat": {}}, tables={"evaluations": sets}).evaluation_sets("chat")
    assert [] == make_evidence({"chat": {}}).evaluation_sets("chat")


def test_the_forecast_is_tested_as_on_its_own_page(make_evidence, monkeypatch) -> None:
    """By driver, over the windows and with the calendar of the parameters."""

    def backtest_cost(costs, usage, as_of, *, origins, calendar):
        tested = (len(costs), len(usage), as_of, origins, calendar.country)
        return pd.DataFrame([("by driver", *tested), ("total alone", *tested)], columns=["method", *"abcde"])

    monkeypatch.setattr(inform, "backtest_cost", backtest_cost)
    evidence = make_evidence({"bot": {}}, organisation={"holidays": {"country": "DE"}})

    assert [["by driver", 31, 31, date(2026, 10, 31), 6, "DE"]] == evidence.windows.values.tolist()


def test_proofs_are_kept_since_the_first_day_they_were_seen(make_evidence) -> None:
    """A later run does not move the day, an earlier one does; what is lost stays on record."""
    state = pd.DataFrame({"item": ["owners", "budget"], "state": ["proved", "open"]})
    keep_proofs(make_evidence({"bot": {}}, days=20), state)
    keep_proofs(make_evidence({"bot": {}}, days=31), state.assign(state=["regressed", "proved"]))
    keep_proofs(make_evidence({"bot": {}}, days=10), state.assign(state=["proved", "proved"]))
    path = make_evidence({"bot": {}}).params.workspace / "rollout.json"

    assert {"organisation": {"owners": "2026-10-10", "budget": "2026-10-10"}} == read_json(path, {})


def test_an_empty_ledger_keeps_nothing(make_evidence) -> None:
    """Without a day there is nothing to date a proof with."""
    evidence = make_evidence()
    keep_proofs(evidence, pd.DataFrame({"item": ["raci"], "state": ["proved"]}))

    assert not (evidence.params.workspace / "rollout.json").exists()
    assert evidence.windows.empty
