"""Every call of the month is in exactly one class, from blocked to useful."""

from __future__ import annotations

from datetime import date

import pytest

from finops_lib.ingest import calls_over_output_limit, wasted_requests


def at(minute, day=10, hour=12):
    """Name a moment of September."""
    return f"2026-09-{day:02d}T{hour:02d}:{minute:02d}:00Z"


def classes(ledger, **more):
    """Count the calls of each class."""
    found = wasted_requests(ledger, **more)
    return found.groupby("call_class")["requests"].sum().to_dict()


def test_a_failed_call_was_tried_again_or_was_the_end(bench):
    """Of two failures in one task the last, of a single failed call the only one, has nothing after it."""
    rows = [
        bench.call(1, at(1), task_id="t1", run_status="error"),
        bench.call(2, at(2), task_id="t1", run_status="ok"),
        bench.call(3, at(1), task_id="t2", run_status="error"),
        bench.call(4, at(2), task_id="t2", run_status="error"),
        bench.call(5, at(1), run_status="error"),
    ]

    assert {"retried": 2, "failed": 2, "useful": 1} == classes(bench.lay(rows))


def test_blocked_stands_above_abandoned_above_without_result(bench):
    """A call is counted once, in the first class that holds."""
    rows = [
        bench.call(1, at(1), task_id="t1", run_status="blocked", resolved=False),
        bench.call(2, at(1), task_id="t2", run_status="abandoned", resolved=False),
        bench.call(3, at(1), task_id="t3", resolved=False),
        bench.call(4, at(1), task_id="t4", resolved=True),
        bench.call(5, at(1), task_id="t5"),
    ]

    assert {"blocked": 1, "abandoned": 1, "without result": 1, "useful": 2} == classes(bench.lay(rows))


@pytest.mark.parametrize(("hours", "repeats"), [(24, 2), (1, 1)])
def test_a_repeat_is_asked_again_while_the_answer_is_fresh(bench, hours, repeats):
    """Asked at 8:00, 8:30 and 20:00: one repeat within the hour, two within the day; a hit and another key are none."""
    rows = [
        bench.call(1, at(0, hour=8), cache_key="k", workflow="w"),
        bench.call(2, at(30, hour=8), cache_key="k", workflow="w"),
        bench.call(3, at(0, hour=20), cache_key="k", workflow="w"),
        bench.call(4, at(1, hour=20), cache_key="k", workflow="w", cache_hit=True),
        bench.call(5, at(2, hour=20), cache_key="other", workflow="w"),
        bench.call(6, at(3, hour=20), cache_key="k", workflow="elsewhere"),
    ]

    assert repeats == classes(bench.lay(rows), repeat_hours=hours)["repeated"]


def test_a_question_whose_answer_failed_is_no_repeat(bench):
    """Nothing could have been cached: the first call with the key had no answer."""
    rows = [
        bench.call(1, at(1), cache_key="k", task_id="t", run_status="error"),
        bench.call(2, at(2), cache_key="k", task_id="t"),
    ]

    assert {"retried": 1, "useful": 1} == classes(bench.lay(rows))


def test_classes_add_up_to_the_ledger(bench):
    """Five calls at 0.0045 USD, one without a price: 0.0225 USD in six calls, by local day and model."""
    bench.organisation["time_zone"] = "Europe/Berlin"
    rows = [bench.call(n, at(1), assistant="a", workflow="w", environment="sandbox") for n in range(4)]
    rows += [bench.call(8, at(30, hour=23)), bench.call(9, at(1), model="unheard-of")]
    found = wasted_requests(bench.lay(rows))

    assert 6 == found["requests"].sum()
    assert pytest.approx(0.0225) == found["cost"].sum()
    assert date(2026, 9, 11) in found["charge_period_start"].tolist()
    assert [4] == found.loc[found["environment"] == "sandbox", "requests"].tolist()


def test_long_outputs_are_counted_where_a_policy_limits_them(bench):
    """Two calls of 150 and 250 tokens above a limit of 100 in the sandbox: 200 tokens too many; elsewhere no limit."""
    bench.assistants = {"a": {"environment_policy": {"sandbox": {"output_limit": 100}}}, "b": {}}
    rows = [
        bench.call(n, at(1), assistant=name, environment=environment, output_tokens=tokens, input_tokens=0)
        for n, (name, environment, tokens) in enumerate(
            [
                ("a", "sandbox", 150),
                ("a", "sandbox", 250),
                ("a", "sandbox", 100),
                ("a", "production", 900),
                ("b", "sandbox", 900),
            ]
        )
    ]
    (row,) = calls_over_output_limit(bench.lay(rows)).itertuples(index=False, name=None)

    assert ("a", "sandbox", 100, 2, 200) == row[:5]
    assert pytest.approx(400 * 15e-6) == row[5]


def test_without_calls_or_limits_there_is_nothing(bench):
    """Columns, no rows."""
    assert [0, 0] == [len(ask(bench.ledger())) for ask in (wasted_requests, calls_over_output_limit)]
    assert "call_class" in wasted_requests(bench.ledger()).columns
