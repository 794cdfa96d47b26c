"""What a record of decisions may hold."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from finops_lib.settings import Decision, Decisions

RECORD = {"decided": "2026-10-05", "kind": "budget", "decision": "Raise it", "owner": "head", "review": "2026-11-05"}
EXCEPTION = {"kind": "exception", "approver": "cfo", "reason": "launch", "expires": "2026-11-30"}


def test_least_record() -> None:
    """Without an assistant a decision is about the organisation."""
    assert "organisation" == Decision.model_validate(RECORD).assistant
    assert "cfo" == Decision.model_validate(RECORD | EXCEPTION).approver
    seats = {"kind": "retirement", "waste": "unused seats", "quantity": 3}
    assert 3 == Decision.model_validate(RECORD | seats).quantity


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"kind": "exception"}, "an exception names its approver, reason, expires"),
        ({"reason": "why not"}, "only an exception has"),
        ({"review": "2026-10-04"}, "review is 2026-10-04, before the day of the decision"),
        (EXCEPTION | {"expires": "2026-10-01"}, "expires is 2026-10-01, before"),
        ({"owner": ""}, "at least 1 character"),
        ({"kind": "other"}, "Input should be"),
        ({"waste": "unused seats"}, "only a retirement has waste and quantity"),
        ({"quantity": 3}, "only a retirement has waste and quantity"),
        ({"kind": "retirement", "waste": "idle hands"}, "unused seats"),
    ],
)
def test_inconsistent_records_are_refused(changes: dict[str, Any], words: str) -> None:
    """The message names what does not fit."""
    with pytest.raises(ValidationError, match=words):
        Decision.model_validate(RECORD | changes)


@pytest.mark.parametrize(
    ("changes", "refused"),
    [
        ({}, True),
        ({"decided": "2026-10-20", "decision": "raise IT"}, True),
        ({"decided": "2026-11-06", "review": "2026-12-01"}, False),
        ({"assistant": "bot"}, False),
        ({"workflow": "draft"}, False),
        ({"decision": "lower it"}, False),
    ],
)
def test_the_same_again_only_after_its_review(changes: dict[str, Any], refused: bool) -> None:
    """Kind, place and words make a decision the same."""
    records = {"decisions": [RECORD, RECORD | changes]}
    if refused:
        with pytest.raises(ValidationError, match="is on record since 2026-10-05"):
            Decisions.model_validate(records)
    else:
        assert 2 == len(Decisions.model_validate(records).decisions)
