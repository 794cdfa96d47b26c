"""What repeats, what is too long, what a prompt cache misses, and which tasks succeed, counted by hand."""

from __future__ import annotations

import pytest

from finops_lib.ingest import input_over_budget, missed_prefixes, repeated_calls, successful_tasks_by_day


def at(minute, day=10, hour=12):
    """Name a moment of September."""
    return f"2026-09-{day:02d}T{hour:02d}:{minute:02d}:00Z"


def test_the_hit_rate_grows_with_the_hours_an_answer_is_kept(bench):
    """Asked at 8:00, 8:30 and 20:00 for 0.0045 USD each: a cache of an hour answers one, of a day two, a hit none."""
    rows = [
        bench.call(1, at(0, hour=8), cache_key="k", workflow="w"),
        bench.call(2, at(30, hour=8), cache_key="k", workflow="w"),
        bench.call(3, at(0, hour=20), cache_key="k", workflow="w"),
        bench.call(4, at(1, hour=20), cache_key="k", workflow="w", cache_hit=True),
        bench.call(5, at(1, hour=20), workflow="w"),
    ]
    found = repeated_calls(bench.lay(rows)).set_index("hours")

    found = found.loc[[1, 24]]
    assert {1: 1, 24: 2} == found["repeats"].to_dict()
    assert {1: 3, 24: 3} == found["requests"].to_dict()
    assert pytest.approx({1: 0.0045, 24: 0.009}) == found["repeated_cost"].to_dict()


def test_input_over_the_budget_is_the_larger_of_two_excesses(bench):
    """Median input 1,000: a call of 5,000 is 3,000 over twice that; one with 700 retrieved is 200 over 500."""
    rows = [
        bench.call(1, at(1), workflow="w"),
        bench.call(2, at(2), workflow="w", retrieved_tokens=700),
        bench.call(3, at(3), workflow="w", input_tokens=5_000),
    ]
    found = input_over_budget(bench.lay(rows), 500, 2.0).iloc[0]

    assert (7_000, 700, 3_200) == tuple(found[["input_tokens", "retrieved_tokens", "tokens_over"]])


def test_a_warm_prefix_that_is_not_cached_is_missed(bench):
    """A prefix of 2,000 tokens: the second call comes within five minutes, the third too late, the fourth reads it."""
    long = {"workflow": "w", "input_tokens": 10_000, "system_tokens": 1_500, "tool_schema_tokens": 500}
    rows = [
        bench.call(1, at(0), **long),
        bench.call(2, at(4), **long),
        bench.call(3, at(30), **long),
        bench.call(4, at(31), **(long | {"cache_read_input_tokens": 2_000})),
    ]
    found = missed_prefixes(bench.lay(rows)).iloc[0]

    assert (2_000, 1, 2_000) == tuple(found[["prefix_tokens", "missed_calls", "missed_tokens"]])


def test_a_short_prefix_or_none_is_not_counted(bench):
    """Providers cache from 1,024 tokens on, and without a prefix that is known nothing is claimed."""
    rows = [bench.call(1, at(0), workflow="w"), bench.call(2, at(1), workflow="short", system_tokens=1_023)]

    assert missed_prefixes(bench.lay(rows)).empty


def test_tasks_succeed_on_the_day_they_begin(bench):
    """Two tasks of the workflow that began on the 10th, one of them resolved on its second call."""
    rows = [
        bench.call(1, at(1), task_id="a", assistant="x", workflow="w", resolved=False),
        bench.call(2, at(2, day=11), task_id="a", assistant="x", workflow="w", resolved=True),
        bench.call(3, at(3), task_id="b", assistant="x", workflow="w", resolved=False),
    ]
    found = successful_tasks_by_day(bench.lay(rows))

    assert [("2026-09-10", "w", 2, 1)] == [
        (str(r.charge_period_start)[:10], r.workflow, r.tasks, r.successful_tasks) for r in found.itertuples()
    ]


@pytest.mark.parametrize("ask", [repeated_calls, lambda ledger: input_over_budget(ledger, 1, 1), missed_prefixes])
def test_an_empty_project_answers_with_columns(bench, ask):
    """Nothing read: no row, and every column."""
    found = ask(bench.ledger())

    assert found.empty
    assert {"assistant", "workflow", "environment", "model"} <= set(found.columns)
