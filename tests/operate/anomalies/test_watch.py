"""Every drift planted in the sample is found with its cause, and none is invented."""

from __future__ import annotations

from datetime import date

import pandas as pd
import pytest

from finops_lib.ingest import agent_runs, dearest_calls, open_ledger
from finops_lib.operate import watch_assistants
from finops_lib.params import load_params
from finops_lib.settings import AnomalySettings, Feedback

PLANTED = {  # plant → assistant, driver, kind, first day, last day, what carries it
    "P01": ("knowledge-bot", "rate", "mix", "2026-09-14", "2026-10-31", "model gpt-5.6-terra"),
    "P02": ("support-copilot", "tokens_per_request", "creep", "2026-09-21", "2026-10-31", "prompt version v8"),
    "P03": ("support-copilot", "retry_rate", "spike", "2026-08-26", "2026-08-27", "workflow ticket-answer"),
    "P04": ("coding-assistant", "requests", "weekend", "2026-10-10", "2026-10-11", "spread over"),
    "P05": ("contract-extraction", "requests", "level", "2026-09-22", "2026-10-31", "spread over"),
    "P09": ("sales-research-agent", "loops", "spike", "2026-10-05", "2026-10-09", "workflow account-brief"),
    "P23": ("support-copilot", "requests", "drop", "2026-08-15", "2026-08-16", "missing"),
    "P23, seen in the cost": ("knowledge-bot", "cost", "drop", "2026-08-15", "2026-08-16", "missing"),
}


@pytest.fixture(scope="module")
def ledger(sample):
    """Open the sample's ledger and usage, with its agent runs and dearest calls."""
    ledger = open_ledger(load_params(project=sample, period="2026-10"))
    return ledger.costs, ledger.usage, agent_runs(ledger.params), dearest_calls(ledger)


@pytest.fixture(scope="module")
def watched(ledger):
    """Watch the sample's assistants to the end of October."""
    costs, usage, runs, dearest = ledger
    return watch_assistants(costs, usage, runs=runs, dearest=dearest, until=date(2026, 10, 31), zone="Europe/Berlin")


@pytest.mark.parametrize("plant", PLANTED)
def test_planted_drifts_are_found_with_their_cause(watched, plant):
    """Right assistant, driver and kind, within two days of its first and last day, with who carries it."""
    assistant, driver, kind, first, last, carrier = PLANTED[plant]
    events = watched.events
    event = events[(events["assistant"] == assistant) & (events["driver"] == driver) & (events["kind"] == kind)]

    assert 1 == len(event)
    assert abs((event["start"].item() - pd.Timestamp(first)).days) <= 1
    assert abs((event["end"].item() - pd.Timestamp(last)).days) <= 2
    assert carrier in event["likely_cause"].item()


def test_nothing_is_invented(watched):
    """As many events as plants; the clean assistant and July have none."""
    assert len(PLANTED) == len(watched.events)
    assert "marketing-drafting" not in set(watched.events["assistant"])
    assert watched.events["start"].min() == pd.Timestamp("2026-08-15")


def test_events_are_ranked(watched):
    """The costliest first; each has an index of its own."""
    sizes = watched.events["impact"].abs().tolist()

    assert sizes == sorted(sizes, reverse=True)
    assert watched.events.index.is_unique
    assert {"date", "cost", "assistant"} <= set(watched.daily)


def test_dear_calls_stand_with_what_made_them_dear(watched):
    """The model mix and the longer context raise the dearest hundredth too: told beside them, not apart."""
    dear = watched.events[watched.events["also_moved"].str.contains("dearest 1% of calls", regex=False)]

    assert {("knowledge-bot", "rate"), ("support-copilot", "tokens_per_request")} == set(
        dear[["assistant", "driver"]].itertuples(index=False, name=None)
    )


def test_verdicts_are_the_assistants_own(ledger):
    """A verdict of one assistant's parameters judges its event and no other's."""
    costs, usage, *_ = ledger
    said = AnomalySettings(feedback=[Feedback(driver="requests", start=date(2026, 9, 22), verdict="planned")])
    few = [frame[frame["assistant"].isin(["contract-extraction", "support-copilot"])] for frame in (costs, usage)]
    events = watch_assistants(*few, settings={"contract-extraction": said}, until=date(2026, 10, 31)).events

    assert ["contract-extraction"] == events[events["verdict"] == "planned"]["assistant"].tolist()


def test_without_calls_there_is_nothing_to_watch(ledger):
    """Empty frames give empty frames with their columns."""
    costs, usage, *_ = ledger
    nothing = watch_assistants(costs.head(0), usage.head(0))

    assert (0, 0) == (len(nothing.events), len(nothing.daily))
    assert {"assistant", "start", "impact", "verdict"} <= set(nothing.events)
