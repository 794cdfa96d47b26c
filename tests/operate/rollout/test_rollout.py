"""Rollout: an item is done because data prove it or a role attested it, and late from the day after it is due."""

from __future__ import annotations

from collections import Counter
from datetime import date

import pandas as pd
import pytest

from finops_lib.errors import ParamsError
from finops_lib.operate.rollout.rollout import (
    day_90,
    follow_rollout,
    limits_of,
    next_actions,
    read_rollout,
    rollout_state,
)
from finops_lib.settings import RolloutItem

WORDS = {"what": "Do it", "why": "Or else", "responsible": "technical owner", "accountable": "finance"}
PROVED = RolloutItem(id="owners", step=2, day=18, proof="both_owners", **WORDS)
SAID = RolloutItem(id="prompt-audit", step=4, day=55, **WORDS)


def _proofs(*answers, check="both_owners"):
    names = ["a", "b", "c"]
    rows = [(check, names[place], passed, f"found {place}", "mend it") for place, passed in enumerate(answers)]
    return pd.DataFrame(rows, columns=["check", "assistant", "passed", "found", "remedy"]).astype({"passed": object})


def _state(evidence, item, proofs, history=None):
    known = type(evidence)(**{**vars(evidence), "history": history or {}})
    return rollout_state([item], proofs, known).iloc[0]


def _started(start, attested=()):
    return {"rollout": {"start": start, "attested": list(attested)}}


@pytest.mark.parametrize(
    ("answers", "start", "history", "state", "slip"),
    [
        ((True,), date(2026, 10, 1), {}, "proved", 0),
        ((True,), date(2026, 10, 1), {"owners": "2026-10-21"}, "proved", 0),
        ((False,), date(2026, 10, 14), {}, "open", 0),  # due on the 31st, which is today
        ((False,), date(2026, 10, 13), {}, "overdue", 1),
        ((None,), date(2026, 10, 13), {}, "overdue", 1),
        ((False,), date(2026, 10, 14), {"owners": "2026-10-20"}, "regressed", 0),
        ((False,), None, {}, "open", 0),
        ((True, False), date(2026, 10, 13), {}, "overdue", 1),
        ((True, True), date(2026, 10, 13), {}, "proved", 0),
    ],
)
def test_state_follows_proof_and_day(make_evidence, answers, start, history, state, slip) -> None:
    """Item due on day 18; today is the 31st of October."""
    found = _state(make_evidence({"a": {}}, organisation=_started(start)), PROVED, _proofs(*answers), history)

    assert (state, slip) == (found["state"], found["slip_days"])


def test_an_earlier_page_knows_nothing_of_later_proofs(make_evidence) -> None:
    """Seen proved on the 20th, a page of the 10th is not of something lost."""
    evidence = make_evidence({"a": {}}, days=10, organisation=_started(date(2026, 10, 1)))

    assert "open" == _state(evidence, PROVED, _proofs(False), {"owners": "2026-10-20"})["state"]


def test_attested_is_what_was_said_by_that_day(make_evidence) -> None:
    """Tomorrow's word does not count; a late word shows how late it was."""
    said = {"item": "prompt-audit", "role": "lead", "day": date(2026, 10, 30), "note": "three turns"}
    held = _state(make_evidence({"a": {}}, organisation=_started(date(2026, 9, 1), [said])), SAID, _proofs())
    early = make_evidence({"a": {}}, days=20, organisation=_started(date(2026, 9, 1), [said]))

    assert ("attested", "lead on 2026-10-30: three turns", 5) == (held["state"], held["evidence"], held["slip_days"])
    assert "open" == _state(early, SAID, _proofs())["state"]


def test_what_data_speak_against_cannot_be_attested(make_evidence) -> None:
    """An attestation stands in for what is not known, never for what is wrong."""
    said = {"item": "owners", "role": "lead", "day": date(2026, 10, 2)}
    evidence = make_evidence({"a": {}}, organisation=_started(date(2026, 10, 1), [said]))

    assert ["overdue", "attested"] == [_state(evidence, PROVED, _proofs(known))["state"] for known in (False, None)]


def test_all_assistants_must_attest_for_the_organisation(make_evidence) -> None:
    """One is silent: not attested; the last word of all is the day it was done."""

    def settings(*days):
        return {
            name: {"rollout": {"attested": [{"item": "prompt-audit", "role": "lead", "day": day}]} if day else {}}
            for name, day in zip("ab", days, strict=True)
        }

    one = make_evidence(settings(date(2026, 10, 2), None))
    both = make_evidence(settings(date(2026, 10, 2), date(2026, 10, 9)))

    assert "open" == _state(one, SAID, _proofs())["state"]
    assert date(2026, 10, 9) == _state(both, SAID, _proofs())["done_on"]


def test_an_assistants_page_names_its_owner_and_leaves_the_organisation_out(make_evidence) -> None:
    """Roles become those of the file; what is done once for all stands on the organisation's page."""
    evidence = make_evidence({"a": {"owners": {"technical": "search-lead"}}}, of="a")
    own = _state(evidence, PROVED, _proofs(True))
    for_all = SAID.model_copy(update={"scope": "organisation"})

    assert ("search-lead", "finance") == (own["responsible"], own["accountable"])
    assert rollout_state([for_all], _proofs(), evidence).empty


def test_the_shipped_list_is_what_was_promised(tmp_path) -> None:
    """Forty items and more, twenty-five and more proved from data, each due within its step."""
    items, criteria = read_rollout(tmp_path)
    spans = {1: (1, 15), 2: (16, 30), 3: (31, 45), 4: (46, 70), 5: (71, 90)}

    assert len(items) >= 40
    assert sum(item.proof != "attestation" for item in items) >= 25
    assert all(spans[item.step][0] <= item.day <= spans[item.step][1] for item in items)
    assert {"visibility", "control", "governance"} == {item.phase for item in items}
    assert 10 == len(criteria)
    for name in ("prompt-audit", "prompt-caching", "batch", "retries"):
        assert next(item for item in items if item.id == name).day <= 60


def test_a_company_overrides_and_adds(tmp_path) -> None:
    """A key of a shipped item, an item of its own, a criterion of its own."""
    (tmp_path / "parameters").mkdir()
    text = """
items:
  - {id: owners, day: 5, step: 1}
  - {id: baseline, limit: 28}
  - {id: works-council, step: 5, day: 80, what: It agrees, why: It must, responsible: HR, accountable: HR}
day_90: {agreement: [works-council]}
"""
    (tmp_path / "parameters" / "rollout_items.yaml").write_text(text, encoding="utf-8")
    items, criteria = read_rollout(tmp_path)
    by_id = {item.id: item for item in items}

    assert (5, "both_owners") == (by_id["owners"].day, by_id["owners"].proof)
    assert 28 == limits_of(items)["baseline_covers"]
    assert ["works-council"] == criteria["agreement"]
    assert "attestation" == by_id["works-council"].proof


@pytest.mark.parametrize(
    "text",
    [
        "items: [{id: new, step: 1}]",
        "items: [{id: owners, proof: wishful_thinking}]",
        "day_90: {luck: [no-such-item]}",
        "items: [{id: baseline, limit: null}]",
        "items: [{id: owners, limit: 3}]",
        "items: nonsense",
        "just words",
    ],
)
def test_a_list_that_cannot_be_used_is_refused(tmp_path, text) -> None:
    """The file is named, and what is wrong in it."""
    (tmp_path / "parameters").mkdir()
    (tmp_path / "parameters" / "rollout_items.yaml").write_text(text, encoding="utf-8")

    with pytest.raises(ParamsError, match=r"rollout_items\.yaml"):
        read_rollout(tmp_path)


def test_next_actions_begin_with_what_was_lost() -> None:
    """Then what is overdue the longest, then what is due next; what is done is left out."""
    state = pd.DataFrame(
        {
            "what": list("abcde"),
            "state": ["open", "overdue", "proved", "regressed", "overdue"],
            "due": [date(2026, 11, 1), date(2026, 10, 9), date(2026, 9, 1), date(2026, 10, 20), date(2026, 10, 2)],
            **dict.fromkeys(("responsible", "accountable", "remedy"), "x"),
        }
    )

    assert ["d", "e", "b"] == next_actions(state, 3)["what"].tolist()


def test_criteria_are_met_by_all_their_items() -> None:
    """Items outside the scope do not count, and a criterion without any is left out."""
    state = pd.DataFrame({"item": ["a", "b"], "state": ["attested", "open"], "what": ["do a", "do b"]})
    found = day_90(state, {"one": ["a", "z"], "both": ["a", "b"], "none": ["z"]})

    assert [("one", True, ""), ("both", False, "do b")] == list(
        found[["criterion", "is_met", "missing"]].itertuples(index=False, name=None)
    )


def test_an_organisation_with_nothing_gets_an_honest_report(make_evidence) -> None:
    """No assistant, no call, no file: nothing is done but the shipped RACI, and five actions say where to begin."""
    report = follow_rollout(make_evidence())

    assert Counter(report.state["state"]) == {"open": len(report.state) - 1, "proved": 1}
    assert 5 == len(report.actions)
    assert not report.checks["passed"].all()


def test_one_assistant_without_outcomes_or_bills_is_told_what_to_do(make_evidence) -> None:
    """What its calls prove is proved; the rest is overdue with a remedy each."""
    report = follow_rollout(make_evidence({"bot": {}}, of="bot", organisation=_started(date(2026, 7, 1))))
    late = report.state[report.state["state"] == "overdue"]

    assert {"baseline", "team-tag", "coverage"} <= set(report.state.loc[report.state["state"] == "proved", "item"])
    assert {"outcome", "first-budget", "deployment-gate"} <= set(late["item"])
    assert (late["remedy"] != "").all()
    assert report.done + len(late) == len(report.state)
