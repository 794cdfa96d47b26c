"""What cannot be added up is asked of the requests, and agrees with the ledger."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

from finops_lib.ingest import (
    distinct_users,
    request_cost_quantiles,
    tasks_by,
    tasks_by_day,
    users_by_cost,
)

NOON = "2026-09-10T12:00:00Z"


def rows_of(frame):
    """List a frame's rows."""
    return [
        tuple(None if value is None or value != value else value for value in row)
        for row in frame.itertuples(index=False)
    ]


def test_users_are_counted_once(bench):
    """Three users in all, though two teams know one of them; calls without a user count as calls."""
    owners = [("a", "u1"), ("a", "u1"), ("a", "u2"), ("b", "u1"), ("b", "u3"), (None, None)]
    rows = [bench.call(n, NOON, team=team, user_id=user) for n, (team, user) in enumerate(owners)]

    ledger = bench.lay([*rows, bench.call(9, "2026-08-10T12:00:00Z", user_id="u9")])

    assert [(3, 6)] == rows_of(distinct_users(ledger))
    assert {("a", 2, 3), ("b", 2, 2), (None, 0, 1)} == set(rows_of(distinct_users(ledger, ["team"])))


def test_users_nobody_named_are_none(bench):
    """Exports without users have no users, and no users to list."""
    ledger = bench.lay([bench.call(1, NOON)])

    assert [(0, 1)] == rows_of(distinct_users(ledger))
    assert ([], ["user_id", "requests", "cost", "share"]) == (
        rows_of(users_by_cost(ledger)),
        list(users_by_cost(ledger).columns),
    )


@pytest.mark.parametrize("dimension", ["team", "workflow", "customer"])
def test_dimensions_nobody_named_are_one_group(bench, dimension):
    """A dimension that no call carries is null for all of them: shown as missing, never a crash."""
    ledger = bench.lay([bench.call(1, NOON, user_id="u1"), bench.call(2, NOON, user_id="u2")])

    assert [(None, 2, 2)] == rows_of(distinct_users(ledger, [dimension]))
    assert [(None, 2.0)] == rows_of(tasks_by(ledger, dimension)[[dimension, "tasks"]])
    assert [(None, 0.0045)] == rows_of(request_cost_quantiles(ledger, [dimension])[[dimension, "p50"]].round(9))


def test_quantiles_are_interpolated_exactly(bench):
    """Costs of 3, 6, … 300 micro-dollars: the median is 151.5, the 95th percentile 285.15."""
    rows = [bench.call(n, NOON, input_tokens=n + 1, output_tokens=0) for n in range(100)]

    found = request_cost_quantiles(bench.lay(rows))

    assert ["p50", "p95", "p99"] == list(found.columns)
    assert pytest.approx([151.5e-6, 285.15e-6, np.quantile(np.arange(3, 303, 3), 0.99) * 1e-6], abs=1e-12) == list(
        found.iloc[0]
    )


def test_quantiles_leave_unpriced_calls_out(bench):
    """A call whose price is not known is not a call that cost nothing; a cache hit is."""
    rows = [bench.call(1, NOON), bench.call(2, NOON, model="unheard-of"), bench.call(3, NOON, cache_hit=True)]

    found = request_cost_quantiles(bench.lay(rows), ["model"])[["model", "p50"]]

    assert {("large", 0.00225), ("unheard-of", None)} == {
        (m, None if v is None else round(v, 9)) for m, v in rows_of(found)
    }


def test_empty_ledgers_answer_with_empty_frames(bench):
    """Every question has its columns."""
    ledger = bench.ledger()

    assert ["team", "users", "requests"] == list(distinct_users(ledger, ["team"]).columns)
    assert ["model", "p50", "p95", "p99"] == list(request_cost_quantiles(ledger, ["model"]).columns)
    assert "success_definition" == tasks_by(ledger).columns[-1]
    assert ["charge_period_start", "tasks"] == list(tasks_by_day(ledger).columns)
    assert 0 == len(distinct_users(ledger)) == len(tasks_by(ledger)) == len(tasks_by_day(ledger))


def test_a_shared_task_is_split_by_cost(bench):
    """One task, three quarters of its 0.006 USD at the large model; the other model's own task is whole."""
    bench.organisation["prices"] += [
        {"kind": "absolute", "provider": "house", "model": "small", "prices": {"output": 15}}
    ]
    rows = [
        bench.call(1, NOON, task_id="t1", input_tokens=0, output_tokens=300),
        bench.call(2, NOON, task_id="t1", model="small", input_tokens=0, output_tokens=100),
        bench.call(3, NOON, task_id="t2", model="small", input_tokens=0, output_tokens=100, run_status="error"),
    ]

    found = tasks_by(bench.lay(rows)).set_index("model")

    assert pytest.approx([0.75, 0.75, 0.0045, 0.0045]) == list(found.loc["large"].iloc[:4])
    assert pytest.approx([1.25, 0.25, 0.003, 0.0015]) == list(found.loc["small"].iloc[:4])
    assert {"completed"} == set(found["success_definition"])


def test_a_task_that_cost_nothing_is_split_by_calls(bench):
    """Cache hits, or models without a price: two calls to one."""
    rows = [
        bench.call(n, NOON, task_id="t1", model=model, cache_hit=True)
        for n, model in enumerate(("large", "large", "small"))
    ]

    found = tasks_by(bench.lay(rows)).set_index("model")

    assert pytest.approx([2 / 3, 1 / 3]) == [found.loc[model, "tasks"] for model in ("large", "small")]


def test_calls_without_a_task_are_tasks(bench):
    """The request is the task; completed when it ended ok."""
    rows = [bench.call(1, NOON), bench.call(2, NOON, run_status="error"), bench.call(3, NOON, run_status="abandoned")]

    found = tasks_by(bench.lay(rows))

    assert [("large", 3.0, 1.0)] == rows_of(found[["model", "tasks", "successful_tasks"]])


def test_a_task_is_completed_when_its_last_call_ended_well(bench):
    """An error on the way does not matter, one at the end does."""
    rows = [
        bench.call(1, "2026-09-10T12:00:00Z", task_id="a", run_status="error"),
        bench.call(2, "2026-09-10T12:00:01Z", task_id="a"),
        bench.call(3, "2026-09-10T12:00:00Z", task_id="b"),
        bench.call(4, "2026-09-10T12:00:01Z", task_id="b", run_status="error"),
    ]

    assert [(2.0, 1.0)] == rows_of(tasks_by(bench.lay(rows))[["tasks", "successful_tasks"]])


@pytest.mark.parametrize(
    ("settings", "expected", "definition"),
    [
        ({}, 1.0, "resolved"),
        ({"success": "accepted"}, 2.0, "accepted"),
        ({"success": "completed"}, 3.0, "completed"),
    ],
)
def test_success_is_what_the_assistant_says_it_is(bench, settings, expected, definition):
    """Resolved where the data says so, unless the parameters choose another word."""
    bench.assistants = {"bot": settings}
    rows = [
        bench.call(1, NOON, assistant="bot", resolved=True, accepted=True),
        bench.call(2, NOON, assistant="bot", resolved=False, accepted=True),
        bench.call(3, NOON, assistant="bot"),
    ]
    bench.lay(rows)

    for name in ("bot", "organisation"):
        found = tasks_by(bench.ledger(name))
        assert [(3.0, expected, definition)] == rows_of(found[["tasks", "successful_tasks", "success_definition"]])


def test_a_task_that_does_not_say_is_no_failure(bench):
    """Of three tasks of 0.0045 USD one is resolved, one is not, one of two calls never says: two known, 0.009 USD."""
    rows = [
        bench.call(1, NOON, resolved=True),
        bench.call(2, NOON, resolved=False),
        bench.call(3, NOON, task_id="t", input_tokens=500, output_tokens=50),
        bench.call(4, NOON, task_id="t", input_tokens=500, output_tokens=50),
    ]

    row = tasks_by(bench.lay(rows)).iloc[0]

    assert pytest.approx([3.0, 1.0, 0.0135, 0.0045, 2.0, 0.009]) == row["tasks":"known_cost"].tolist()


def test_a_definition_that_no_call_speaks_of_is_known_of_no_task(bench):
    """Accepted is asked for, and no export says it: nothing is known, which is not that all failed."""
    bench.assistants = {"bot": {"success": "accepted"}}

    row = tasks_by(bench.lay([bench.call(1, NOON, assistant="bot")])).iloc[0]

    assert [1.0, 0.0, 0.0] == row[["tasks", "successful_tasks", "known_tasks"]].tolist()
    assert pd.isna(row["known_cost"])


def test_each_assistant_keeps_its_own_definition(bench):
    """One marks tasks as resolved, another never does: the first by its flag, the second by its calls' end."""
    rows = [bench.call(n, NOON, assistant="bot", resolved=n == 0) for n in range(4)]
    rows += [bench.call(n, NOON, assistant="50% desk", model="small") for n in range(4, 6)]
    rows += [bench.call(6, NOON, model="none")]

    found = tasks_by(bench.lay(rows)).set_index("model")

    assert (4.0, 1.0) == tuple(found.loc["large", ["tasks", "successful_tasks"]])
    assert (2.0, 2.0) == tuple(found.loc["small", ["tasks", "successful_tasks"]])
    assert (1.0, 1.0) == tuple(found.loc["none", ["tasks", "successful_tasks"]])
    assert {"resolved or completed, as each assistant's parameters say"} == set(found["success_definition"])


def test_what_serves_no_user_is_no_task(bench):
    """Judge calls, and embeddings that belong to no task."""
    rows = [
        bench.call(1, NOON),
        bench.call(2, NOON, category="evaluation"),
        bench.call(3, NOON, request_type="embeddings"),
        bench.call(4, NOON, request_type="embeddings", task_id="t"),
        bench.call(5, NOON, request_type="chat", task_id="t"),
    ]

    assert [2.0] == list(tasks_by(bench.lay(rows))["tasks"])


def test_tasks_are_counted_on_the_day_they_began(bench):
    """In the reporting zone, in all months up to the period."""
    bench.organisation["time_zone"] = "Asia/Kolkata"
    rows = [
        bench.call(1, "2026-08-31T12:00:00Z", task_id="a"),
        bench.call(2, "2026-09-10T18:29:59Z", task_id="b"),
        bench.call(3, "2026-09-10T18:30:00Z", task_id="b"),
        bench.call(4, "2026-09-10T18:30:00Z", task_id="c"),
        bench.call(5, "2026-10-10T18:30:00Z", task_id="d"),
    ]
    bench.lay(rows)

    found = tasks_by_day(bench.ledger(period="2026-09"))

    assert [(date(2026, 8, 31), 1), (date(2026, 9, 10), 1), (date(2026, 9, 11), 1)] == rows_of(found)


def test_the_costliest_users_come_first(bench):
    """With their share of all cost, calls without a user included."""
    rows = [
        bench.call(n, NOON, user_id=user) for n, user in enumerate(["u1", "u2", "u2", "u2", None, None, None, None])
    ]

    found = users_by_cost(bench.lay(rows), limit=1)

    assert [("u2", 3)] == rows_of(found[["user_id", "requests"]])
    assert pytest.approx([0.0135, 0.375]) == list(found.iloc[0][["cost", "share"]])


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin"])
def test_costs_of_requests_add_up_to_the_ledger(bench, zone):
    """Tiers, price changes, scoped overrides, cache hits, searches, unpriced models: the month's cost to 1e-9."""
    bench.organisation |= {
        "time_zone": zone,
        "prices": [
            *bench.organisation["prices"],
            {"kind": "discount", "provider": "openai", "share": "0.07", "effective_from": date(2026, 9, 11)},
            {"kind": "multiplier", "team": "cx", "factor": "0.5"},
            {"kind": "markup", "assistant": "bot", "share": "0.1"},
        ],
    }
    rows = []
    models = [
        ("openai", "gpt-5.4"),
        ("openai", "gpt-4o"),
        ("anthropic", "claude-sonnet-4-5"),
        ("house", "large"),
        ("x", "unheard-of"),
    ]
    for n in range(150):
        provider, model = models[n % 5]
        moment = f"2026-09-{8 + n % 6:02}T{(n * 7) % 24:02}:59:59.999Z" if n % 9 else "2026-08-31T23:30:00Z"
        rows.append(
            bench.call(
                n,
                moment,
                provider=provider,
                model=model,
                input_tokens=[1_000, 199_999, 272_001, 300_000][n % 4],
                cache_read_input_tokens=[0, 900][n % 2],
                output_tokens=n * 13,
                reasoning_output_tokens=n * 3,
                web_search_requests=n % 3 if provider == "house" else None,
                service_tier=[None, "batch"][n % 7 == 0],
                team=["cx", "it", None][n % 3],
                assistant=["bot", None][n % 2],
                cache_hit=n % 11 == 0,
                user_id="everyone",
            )
        )
    ledger = bench.lay(rows)

    month = ledger.month(ledger.costs)
    assert {"2026-09"} == {ledger.period}
    assert float(month["contracted_cost"].sum()) == pytest.approx(users_by_cost(ledger)["cost"].sum(), abs=1e-9)
    by_model = tasks_by(ledger).set_index("model")["cost"]
    for model, cost in bench.by(month, "model").items():
        assert (None if cost is None else pytest.approx(float(cost), abs=1e-9)) == (
            None if cost is None else by_model[model]
        )
