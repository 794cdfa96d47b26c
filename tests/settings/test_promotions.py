"""Promotions are complete, and each stands once."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from finops_lib.settings import Promotion, Promotions

RECORD = {
    "assistant": "bot",
    "configuration": "good",
    "lever": "routing",
    "promoted_on": "2026-10-01",
    "owner": "platform-lead",
    "expected_saving": "60",
}


def test_one_configuration_may_be_promoted_in_two_workflows():
    """A record is known by assistant, workflow and configuration."""
    found = Promotions(promotions=[RECORD, RECORD | {"workflow": "answer"}])

    assert [("bot", None, "good"), ("bot", "answer", "good")] == [record.key for record in found.promotions]
    with pytest.raises(ValidationError, match="'bot/good' is on record already"):
        Promotions(promotions=[RECORD, RECORD])


@pytest.mark.parametrize(
    "wrong", [{"lever": "hope"}, {"verdict": "maybe"}, {"expected_saving": 0}, {"owner": ""}, {"savings": 1}]
)
def test_what_is_no_record_is_refused(wrong):
    """Unknown lever, verdict or key, no owner, nothing expected."""
    with pytest.raises(ValidationError):
        Promotion(**(RECORD | wrong))
