"""Decisions go on record whole and valid, or not at all."""

from __future__ import annotations

from datetime import date

import pytest

from finops_lib.errors import ParamsError
from finops_lib.operate import append_record, record_decision
from finops_lib.params import load_params
from finops_lib.settings import Decisions

DECISION = {
    "decided": date(2026, 10, 5),
    "kind": "routing",
    "assistant": "helper",
    "decision": "summaries: the small model",
    "owner": "platform-lead",
    "effect": "-12.30",
    "review": "2026-11-05",
}


@pytest.fixture
def project(tmp_path):
    """Make a project without any assistant."""
    (tmp_path / "parameters").mkdir()
    (tmp_path / "parameters" / "organisation.yaml").write_text("{}")
    return tmp_path


def test_first_record_makes_the_file(project) -> None:
    """What is written is what the parameters hold afterwards."""
    recorded = record_decision(load_params(project=project), DECISION)

    assert [recorded] == load_params(project=project).decisions
    assert "-12.3" == str(recorded.effect.normalize())


def test_comments_and_former_records_stay(project) -> None:
    """A record is appended below the others, indented as they are."""
    path = project / "parameters" / "decisions.yaml"
    former = (
        "# the record\ndecisions:\n    - decided: 2026-09-01  # why not\n      kind: budget\n      decision: raise it\n"
        "      owner: head\n      review: 2026-10-01\n"
    )
    path.write_text(former)
    record_decision(load_params(project=project), DECISION)

    assert path.read_text().startswith(former + "    - decided: 2026-10-05\n      kind: routing\n")
    assert ["raise it", DECISION["decision"]] == [one.decision for one in load_params(project=project).decisions]


@pytest.mark.parametrize("former", ["decisions: []\n", "# nothing yet\n", ""])
def test_an_empty_list_is_begun(project, former) -> None:
    """However an empty record is written, the first one can be added."""
    (project / "parameters" / "decisions.yaml").write_text(former)
    record_decision(load_params(project=project), DECISION)

    assert 1 == len(load_params(project=project).decisions)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"kind": "routin"}, "kind: Input should be"),
        ({"owner": None}, "owner: Field required"),
        ({"review": "2026-10-01"}, "before the day of the decision"),
        ({"kind": "exception"}, "an exception names its approver, reason, expires"),
        ({"approver": "head"}, "only an exception has"),
        ({"effekt": 3}, "effekt: Extra inputs are not permitted"),
    ],
)
def test_what_is_wrong_is_not_recorded(project, change, words) -> None:
    """The message names the key; the file stays away."""
    with pytest.raises(ParamsError, match=words):
        record_decision(load_params(project=project), DECISION | change)

    assert not (project / "parameters" / "decisions.yaml").exists()


def test_repeating_an_open_decision_is_refused(project) -> None:
    """The same may be decided again only after its review."""
    record_decision(load_params(project=project), DECISION)
    again = DECISION | {"decided": date(2026, 10, 20), "decision": "SUMMARIES: the small model"}
    with pytest.raises(ParamsError, match="is on record since 2026-10-05"):
        record_decision(load_params(project=project), again)
    record_decision(load_params(project=project), again | {"decided": date(2026, 11, 6), "review": "2026-12-06"})

    assert 2 == len(load_params(project=project).decisions)


def test_unknown_key_of_the_file_is_refused_with_its_line(project) -> None:
    """A reader of the message finds the line and the nearest known key."""
    record_decision(load_params(project=project), DECISION)
    path = project / "parameters" / "decisions.yaml"
    path.write_text(path.read_text() + "    ownr: head\n")
    with pytest.raises(ParamsError) as error:
        load_params(project=project)

    assert "decisions.yaml, line 9: unknown key 'decisions.0.ownr'" in error.value.message
    assert "did you mean 'owner'?" == error.value.hint


def test_a_list_that_is_not_last_is_refused(tmp_path) -> None:
    """Nothing is written where the record would land under another key."""
    path = tmp_path / "decisions.yaml"
    text = "decisions:\n  - {decided: 2026-09-01, kind: budget, decision: a, owner: b, review: 2026-10-01}\nx: 1\n"
    path.write_text(text)
    with pytest.raises(ParamsError):
        append_record(path, "decisions", DECISION, Decisions)

    assert text == path.read_text()
