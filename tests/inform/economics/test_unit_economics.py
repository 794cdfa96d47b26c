"""What one of anything costs, and whether its change is good news."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pandas as pd
import pytest

from finops_lib import inform
from finops_lib.inform.economics.unit_economics import STEADY

TASKS = pd.DataFrame(
    {"tasks": [8], "workflow_runs": [10], "successful_tasks": [5], "accepted_tasks": [4], "known_tasks": [8]}
    | {"cost": [9.0], "known_cost": [9.0]}
)
OUTCOMES = pd.DataFrame(
    {
        "date": [date(2026, 8, 31), date(2026, 9, 2)],
        "assistant": ["bot", "bot"],
        "outcome_count": [7, 4],
        "outcome_value": [Decimal(70), Decimal(36)],
    }
)
RUNS = pd.DataFrame(
    {
        "task_id": ["t1", "t2", "t3"],
        "assistant": ["bot"] * 3,
        "model_calls": [3, 9, 1],
        "tool_calls": [4, 8, 0],
        "failed_tools": [1, 3, 0],
        "retries": [0, 2, 0],
        "tokens": [10, 90, 1],
        "duration_ms": [1e3, 9e3, 1.0],
        "ended_with": ["search", "write", "m"],
        "ended_status": ["ok", "error", "ok"],
    }
)
RUN_COSTS = pd.DataFrame({"task_id": ["t1", "t2", "t3"], "workflow": ["w"] * 3, "cost": [1.0, 3.0, 0.5]})


def ladder(costs, usage, **more):
    """Climb the ladder of September."""
    given = {"period": "2026-09", "users": 2, "outcomes": OUTCOMES} | more
    return inform.unit_ladder(costs, usage, TASKS, **given).set_index("rung")


def test_every_rung_shows_its_denominator(costs, usage):
    """10.00 USD: 8,300,000 tokens, 100 requests, 2 users, 10 runs, 8 tasks, 4 accepted, 5 successes."""
    found = ladder(costs, usage)
    rungs = ["1,000 tokens", "request", "active user", "workflow run", "task", "accepted output", "successful task"]

    assert [8300, 100, 2, 10, 8, 4, 5] == found.loc[rungs, "units"].tolist()
    assert pytest.approx([10 / 8300, 0.1, 5.0, 1.0, 1.25, 2.5, 2.0]) == found.loc[rungs, "cost_per_unit"].tolist()
    assert found["full_cost_per_unit"].isna().all()


def test_tasks_that_do_not_say_are_left_out_with_their_cost(costs, usage):
    """Two of eight tasks with a third of the cost: 6 / 9 of 10.00 USD, and of the true 40.00, over five successes."""
    unsaid = TASKS.assign(known_tasks=6, known_cost=6.0)
    row = inform.unit_ladder(costs, usage, unsaid, period="2026-09", users=2, outcomes=OUTCOMES, full=Decimal(40))
    row = row.set_index("rung").loc["successful task"]

    costed = ["cost", "cost_per_unit", "full_cost_per_unit"]
    assert pytest.approx([60 / 9, 12 / 9, 48 / 9]) == row[costed].tolist()
    assert row["counted_as"].endswith("; 2 tasks that do not say are left out with their part of the cost")


def test_outcomes_are_set_against_the_assistants_that_count_them(costs, usage):
    """The large model's 6.50 USD belong to the bot, which counts 4 outcomes in September; August's do not matter."""
    owned = costs.assign(assistant=costs["model"].map({"large": "bot", "small": "other"}))
    row = ladder(owned, usage, full=Decimal(40)).loc["outcome"]

    assert (4, 6.5, 1.625) == (row["units"], row["cost"], row["cost_per_unit"])
    assert pd.isna(row["full_cost_per_unit"])


def test_the_true_cost_climbs_beside_the_model_cost(costs, usage):
    """40.00 USD in all: 20 a user, 8 a success."""
    found = ladder(costs, usage, full=Decimal(40))["full_cost_per_unit"]

    assert (20.0, 8.0) == (found["active user"], found["successful task"])


def test_tool_calls_are_divided_into_the_runs_that_made_them(costs, usage):
    """12 tool calls less 4 failures in two runs of 4.00 USD: half a dollar each; the run without tools is left out."""
    runs = inform.costliest_runs(RUNS, RUN_COSTS)
    row = ladder(costs, usage, runs=runs).loc["successful tool call"]

    assert (8, 4.0, 0.5) == (row["units"], row["cost"], row["cost_per_unit"])


def test_what_nobody_counts_is_not_known(costs, usage):
    """No users, no outcomes, no tasks: no denominator of zero, no price of infinity."""
    bare = inform.unit_ladder(costs, usage, TASKS.head(0), period="2026-09", users=0, outcomes=OUTCOMES.head(0))
    known = bare.set_index("rung")["units"].notna()

    assert ["1,000 tokens", "request"] == known[known].index.tolist()
    assert bare["cost_per_unit"].notna().tolist() == known.tolist()


def test_an_empty_month_has_an_empty_ladder(costs, usage):
    """Nothing called: nine rungs, nothing known."""
    found = inform.unit_ladder(
        costs.head(0), usage.head(0), TASKS.head(0), period="", users=0, outcomes=OUTCOMES.head(0)
    )

    assert 9 == len(found)
    assert found[["units", "cost_per_unit"]].isna().all(axis=None)


def test_runs_are_ranked_by_cost():
    """The second run cost two thirds of all three, and ended with a tool that failed."""
    found = inform.costliest_runs(RUNS, RUN_COSTS)

    assert ["t2", "t1", "t3"] == found["task_id"].tolist()
    assert pytest.approx(3 / 4.5) == found["share_of_runs"].iloc[0]
    assert ("write", "error") == tuple(found.loc[0, ["ended_with", "ended_status"]])


def test_months_stand_beside_what_they_bought(make_ledger, make_usage):
    """August 7.00 USD for 7 outcomes and 2 successes, September 8.00 for 4 and 5; a quiet assistant counts none."""
    rows = [("2026-08-31", 3, "bot"), ("2026-08-31", 4, "bot"), ("2026-09-02", 6, "bot"), ("2026-09-02", 2, "quiet")]
    ledger = make_ledger([(day, "output", 1_000_000, usd, {"assistant": name}) for day, usd, name in rows])
    usage = make_usage([("2026-08-31", 1, {}), ("2026-09-02", 1, {})])
    counted = pd.DataFrame({"month": ["2026-08", "2026-09"], "tasks": [4, 8], "successful_tasks": [2, 5]})
    counted["known_share"] = [1.0, 1.0]
    found = inform.unit_costs_by_month(inform.month_on_month(ledger, usage), ledger, counted, OUTCOMES)

    assert [7, 4] == found["outcomes"].tolist()
    assert [70.0, 36.0] == found["outcome_value"].tolist()
    assert [1.0, 1.5] == found["cost_per_outcome"].tolist()
    assert [3.5, 1.6] == found["cost_per_successful_task"].tolist()
    assert [1.75, 1.0] == found["cost_per_task"].tolist()


def by_month(spend, per_outcome, per_task=(1.0, 1.0)):
    """Make two months."""
    return pd.DataFrame(
        {
            "month": ["2026-08", "2026-09"],
            "cost_per_day": spend,
            "cost_per_outcome": per_outcome,
            "cost_per_successful_task": per_task,
        }
    )


@pytest.mark.parametrize(
    ("spend", "per_outcome", "reading"),
    [
        ((10, 20), (2.0, 1.6), "success"),
        ((10, 20), (2.0, 2.0), "growing with the work"),
        ((10, 20), (2.0, 2.4), "growing dearer"),
        ((10, 10), (2.0, 1.6), "improving"),
        ((10, 10), (2.0, 2.0), "steady"),
        ((10, 10.4), (2.0, 2.4), "failing quietly"),
        ((10, 8), (2.0, 1.6), "saving"),
        ((10, 8), (2.0, 2.0), "shrinking with the work"),
        ((10, 8), (2.0, 2.4), "failing quietly"),
    ],
)
def test_more_spend_can_be_success_and_flat_spend_failure(spend, per_outcome, reading):
    """Doubled spend with cheaper outcomes is success; flat spend with dearer ones fails quietly."""
    assert reading == inform.growth_reading(by_month(spend, per_outcome), "2026-09")["reading"]


def test_without_outcomes_successful_tasks_tell():
    """A success that was 1.00 and is 0.50, at the same spend: more for the same money."""
    found = inform.growth_reading(by_month((10, 10), (None, None), (1.0, 0.5)), "2026-09")

    assert ("successful task", "improving", -0.5) == (found["unit"], found["reading"], found["unit_change"])


@pytest.mark.parametrize("period", ["2026-08", "2026-11", ""])
def test_one_month_tells_nothing(period):
    """Without the month before, or without the month itself, nothing is said."""
    found = inform.growth_reading(by_month((10, 10), (2.0, 2.0)), period)

    assert ("not known", None) == (found["reading"], found["spend_change"])


def test_small_changes_are_steady():
    """Five percent either way is no change."""
    rise = 10 * (1 + STEADY)

    assert "steady" == inform.growth_reading(by_month((10, rise - 0.01), (2.0, 2.09)), "2026-09")["reading"]


def test_tails_of_requests_and_tasks_stand_side_by_side():
    """The dearest tasks come first; calls without a workflow keep their row."""
    requests = pd.DataFrame({"workflow": ["a", None], "p50": [1.0, 2.0], "p95": [3.0, 4.0], "p99": [5.0, 6.0]})
    tasks = pd.DataFrame({"workflow": ["a", "b"], "p50": [1.0, 7.0], "p95": [1.0, 8.0], "p99": [1.0, 9.0]})
    found = inform.cost_tails(requests, tasks)

    assert ["b", "a", "unattributed"] == found["workflow"].tolist()
    assert [9.0, 1.0] == found["task_p99"].tolist()[:2]
    assert [5.0, 6.0] == found["request_p99"].tolist()[1:]
