"""The workflows' numbers."""

from __future__ import annotations

import pytest

from finops_lib.sample.organisation import PROVIDERS, TEAMS
from finops_lib.sample.workflows import WORKFLOWS, Workflow


def test_six_assistants() -> None:
    """Six assistants, each workflow once."""
    named = [workflow for workflow in WORKFLOWS if workflow.assistant]

    assert 6 == len({workflow.assistant for workflow in named})
    assert len(named) == len({workflow.name for workflow in named})


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda w: w.name or "direct")
def test_numbers_hang_together(workflow: Workflow) -> None:
    """Hours cover the day, shares lie between 0 and 1, teams and models are known."""
    hours, shares = workflow.hours

    assert (0, 24, 0.0, 1.0) == (hours[0], hours[-1], shares[0], shares[-1])
    assert list(shares) == sorted(shares)
    assert 0 <= sum(workflow.environments) <= 1
    assert set(workflow.teams) <= set(TEAMS)
    assert {*workflow.models, *workflow.sandbox_models} <= set(PROVIDERS)
