"""How a question reaches the requests of a ledger, and which calls serve a task."""

from __future__ import annotations

import pandas as pd

from finops_lib.ingest.engine import run
from finops_lib.ingest.questions.asking import ask_requests, judged_calls, success_definitions

NOON = "2026-09-10T12:00:00Z"


def count(requests, connection):
    """Count the requests asked."""
    return pd.DataFrame({"n": [connection.execute("SELECT count(*) FROM asked").fetchone()[0]]})


def test_a_question_is_asked_of_the_month(bench):
    """One call in September, one before it: the month has one, all months up to it two."""
    ledger = bench.lay([bench.call(1, NOON), bench.call(2, "2026-08-10T12:00:00Z")])

    assert [1] == ask_requests(ledger, count, ["n"])["n"].tolist()
    assert [2] == ask_requests(ledger, count, ["n"], whole=True)["n"].tolist()


def test_a_question_is_asked_of_the_assistant(bench):
    """An assistant's ledger sees its own calls only."""
    bench.assistants = {"a": {}, "b": {}}
    bench.lay([bench.call(n, NOON, assistant=name) for n, name in enumerate("aab")])

    assert [2] == ask_requests(bench.ledger("a"), count, ["n"])["n"].tolist()


def test_an_answer_may_be_sql_and_is_cut_to_its_columns(bench):
    """It is fetched; what was only asked for by name is no part of the answer, and null where no call has it."""
    ledger = bench.lay([bench.call(1, NOON)])

    def ask(requests, _connection):
        return f"SELECT customer, model, count(*) AS n FROM {requests.name} WHERE customer IS NULL GROUP BY ALL"

    found = ask_requests(ledger, ask, ["model", "n"], wanted=["customer"])

    assert [("large", 1)] == list(found.itertuples(index=False, name=None))
    assert ["model", "n"] == list(found.columns)


def test_an_empty_workspace_answers_with_columns(bench):
    """The question is not even put."""
    assert ["n"] == list(ask_requests(bench.ledger(), count, ["n"]).columns)


def test_calls_that_serve_no_user_are_no_task(bench):
    """Judges, and embeddings without a task, are left out; an embedding within a task is part of it."""
    rows = [
        bench.call(1, NOON, task_id="t1", resolved=True),
        bench.call(2, NOON, task_id="t1", request_type="embeddings"),
        bench.call(3, NOON, request_type="embeddings"),
        bench.call(4, NOON, category="evaluation"),
    ]

    def judge(requests, connection):
        definitions = success_definitions(requests, connection, ledger)
        return run(judged_calls(requests, ["request_id"], definitions), connection).to_pandas()

    ledger = bench.lay(rows)
    wanted = ["task_id", "timestamp", "request_id", "resolved", "request_type", "category"]
    found = ask_requests(ledger, judge, ["task", "request_id", "good"], wanted=wanted)

    found["good"] = found["good"].astype(object).where(found["good"].notna(), None)
    assert {("t1", "r1", 1), ("t1", "r2", None)} == set(found.itertuples(index=False, name=None))
