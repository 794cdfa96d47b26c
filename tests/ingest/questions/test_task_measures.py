"""What tasks cost and how good they were, and how few carry the cost."""

from __future__ import annotations

from decimal import Decimal

import pytest

from finops_lib.ingest import agent_run_costs, spend_concentration, task_quality, tasks_by_month

CALL = 0.0045  # 1,000 tokens in at 3.00 and 100 out at 15.00 USD a million


def at(minute, month=9):
    """Name a moment of the tenth."""
    return f"2026-{month:02d}-10T12:{minute:02d}:00Z"


@pytest.fixture
def tasks(bench):
    """Three tasks: refused then resolved; failed, tried again and handed over; one nobody judged."""
    return bench.lay(
        [
            bench.call(1, at(1), task_id="t1", workflow="w", accepted=False, satisfaction=2.0),
            bench.call(2, at(2), task_id="t1", workflow="v", accepted=True, resolved=True, satisfaction=4.0),
            bench.call(3, at(1), task_id="t2", workflow="w", run_status="error"),
            bench.call(4, at(2), task_id="t2", workflow="w", resolved=False, escalated=True, review_minutes=Decimal(6)),
            bench.call(5, at(1), workflow="v"),
            bench.call(6, at(1), category="evaluation", workflow="judge"),
        ]
    )


def test_tasks_are_counted_with_their_quality(tasks):
    """The judge serves no task; flags are counted with those that say the contrary; a mean of means is no vote."""
    row = task_quality(tasks).iloc[0]

    assert [2, pytest.approx(4 * CALL)] == row[["known_tasks", "known_cost"]].tolist()
    assert [3, 4, 1, 3] == row[["tasks", "workflow_runs", "successful_tasks", "completed_tasks"]].tolist()
    assert [1, 1, 1, 2, 1, 1] == row["accepted_tasks":"escalated_known"].tolist()
    assert [2, 5, 1, 6.0, 1] == row["reworked_tasks":"reviewed_tasks"].tolist()
    assert [3.0, 1] == row[["satisfaction", "rated_tasks"]].tolist()
    assert pytest.approx([5 * CALL, 2 * CALL]) == row[["cost", "p50"]].tolist()


def test_a_task_counts_for_its_first_workflow(tasks):
    """The task that went on to another workflow is not counted twice; the costliest workflow stands first."""
    found = task_quality(tasks, ["workflow"])

    assert ["w", "v"] == found["workflow"].tolist()
    assert [2, 1] == found["tasks"].tolist()
    assert [3, 1] == found["workflow_runs"].tolist()


def test_tasks_belong_to_the_month_they_began_in(bench):
    """A task of August that went on in September is August's, with the success it had later."""
    ledger = bench.lay(
        [
            bench.call(1, at(1, 8), task_id="t1"),
            bench.call(2, at(1), task_id="t1", resolved=True),
            bench.call(3, at(1), task_id="t2", resolved=False),
            bench.call(4, at(1), task_id="t3", resolved=True),
            bench.call(5, at(1), task_id="t4"),
        ]
    )

    # t1 goes on in September and is known there: three of September's four calls are of tasks that say
    expected = [("2026-08", 1, 1, 1, 1.0), ("2026-09", 3, 2, 1, 0.75)]
    assert expected == list(tasks_by_month(ledger).itertuples(index=False, name=None))


def test_a_few_carry_the_cost(bench):
    """Of ten users one made 91 of 100 calls; a customer is named by four of them; the judge's call is no task."""
    rows = [bench.call(n, at(1), user_id=f"u{max(0, n - 90)}", customer="acme" if n < 4 else None) for n in range(100)]
    found = spend_concentration(bench.lay([*rows, bench.call(100, at(1), category="evaluation")])).set_index("kind")

    assert (10, pytest.approx(0.91)) == tuple(found.loc["users", ["members", "share_of_top_10_percent"]])
    assert (1, 1.0) == tuple(found.loc["customers", ["members", "share_of_first"]])
    assert pytest.approx(4 * CALL) == found.loc["customers", "cost"]
    assert [100, 101] == found.loc[["tasks", "requests"], "members"].tolist()
    assert pytest.approx(0.01) == found.loc["tasks", "share_of_top_1_percent"]
    assert "workflows" not in found.index


def test_empty_ledgers_answer_with_their_columns(bench):
    """No calls, no rows, no crash."""
    ledger = bench.ledger()
    answers = [task_quality(ledger, ["workflow"]), tasks_by_month(ledger), spend_concentration(ledger)]

    assert [0, 0, 0, 0] == [len(frame) for frame in [*answers, agent_run_costs(ledger)]]
    assert ["workflow", "tasks"] == answers[0].columns[:2].tolist()
    assert ["task_id", "workflow", "environment", "cost"] == agent_run_costs(ledger).columns.tolist()


def test_runs_are_tasks_with_steps_of_agents(exports):
    """A trace with an agent and two calls costs what its calls cost; a call alone is no run."""

    def step(span, kind, second, **more):
        moment = f"2026-09-01T10:00:{second:02d}Z"
        row = {"id": span, "trace_id": "t1", "type": kind, "name": span, "start_time": moment, "end_time": moment}
        return row | more

    usage = {"provided_model_name": "large", "usage_details": {"input": 1000, "output": 100}}
    rows = [
        step("a", "AGENT", 0),
        step("c1", "GENERATION", 1, parent_observation_id="a", **usage),
        step("c2", "GENERATION", 2, parent_observation_id="a", **usage),
        step("alone", "GENERATION", 3, **usage) | {"trace_id": "t2"},
    ]
    exports.bench.organisation["prices"] = [
        {"kind": "absolute", "model": "large", "prices": {"uncached_input": "3.00", "output": "15.00"}}
    ]
    exports.read(rows, format="langfuse", defaults={"workflow": "w", "environment": "staging"})
    (run,) = agent_run_costs(exports.bench.ledger()).itertuples(index=False, name=None)

    assert ("t1", "w", "staging", pytest.approx(2 * CALL)) == run
