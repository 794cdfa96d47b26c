"""The sample's budgets: what is planted is what somebody is told, once, with its cause."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from finops_lib import ingest, load_params, operate


@pytest.fixture(scope="module")
def told(sample: Path):
    """List the alerts of the sample on its last day, and its budgets."""
    params = load_params(project=sample)
    ledger = ingest.open_ledger(params)
    runs = ingest.agent_runs(params)
    watched, burnt = operate.watch_and_burn(params, ledger.costs, ledger.usage, ledger.as_of, runs)
    rules = {"settings": params.organisation.alerts, "assistants": params.assistants}
    return operate.alerts(burnt, watched, as_of=ledger.as_of, **rules).set_index("subject"), burnt


def test_the_migration_takes_the_knowledge_bot_over_its_budget(told) -> None:
    """P01: beyond the stop, because of the dearer model; the exception given for it has lapsed, with its cost."""
    alerts, burnt = told
    own = alerts.loc["knowledge-bot"].set_index("kind")
    exception = burnt.state.exceptions.iloc[0]

    assert {"stop reached", "exception lapsed"} == set(own.index)
    assert "gpt-5.6-terra" in own.loc["stop reached", "cause"]
    assert ("lapsed", True) == (exception["status"], 0 < exception["cost"] <= exception["amount"])


def test_prompt_growth_is_one_alert_for_three_budgets(told) -> None:
    """P02: route, assistant and department will probably be exceeded for one reason, which is named."""
    alerts, _ = told
    row = alerts.loc["ticket-answer"]

    assert ("probable overrun", {"support-copilot", "Customer Experience"}) == (
        row["kind"],
        set(row["also"].split(", ")),
    )
    assert "prompt version v8" in row["cause"]
    assert pd.Timestamp("2026-09-21") == row["since"]
    assert {"support-copilot", "Customer Experience"}.isdisjoint(alerts.index)


def test_most_budgets_are_on_track_and_all_alerts_have_owners(told) -> None:
    """Seven of eleven give nobody reason to act; nobody's alert goes astray."""
    alerts, burnt = told
    grave = set(alerts.index[alerts["severity"].isin(["critical", "high"]) & (alerts["kind"] != "unusual")])

    assert (11, {"knowledge-bot", "ticket-answer"}) == (len(burnt.summary), grave)
    assert alerts[["technical_owner", "budget_owner"]].notna().all(axis=None)
    assert alerts["key"].is_unique
