"""Asking: how a question is put to the requests of a ledger, and which of them count as tasks and as successes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import duckdb
import pandas as pd
import sqlalchemy as sa

from finops_lib.ingest import workspace
from finops_lib.ingest.aggregation import requests_table
from finops_lib.ingest.build import feed
from finops_lib.ingest.dialects import exact_sum
from finops_lib.ingest.engine import connect, fetch, quoted, run
from finops_lib.ingest.ledger import Ledger
from finops_lib.params import ORGANISATION

SUCCESS = ("resolved", "accepted", "completed")
Question = Callable[[sa.TableClause, duckdb.DuckDBPyConnection], pd.DataFrame | str]


def ask_requests(
    ledger: Ledger, ask: Question, columns: Sequence[str], *, wanted: Sequence[str] = (), whole: bool = False
) -> pd.DataFrame:
    """Ask the requests of the ledger's assistant and month, evaluation traffic included.

    Parameters
    ----------
    ledger : Ledger
        Opened for a month.
    ask : callable
        Is handed the requests and the connection they are in; the view ``asked`` has all columns of the contract.
        Answers with a frame, or with SQL that is then fetched.
    columns : sequence of str
        Columns of the answer.
    wanted : sequence of str
        Columns of the requests beside these that are asked for by name: they are there, though no call may carry them.
    whole : bool
        All months up to the period instead of the period alone.

    Returns
    -------
    DataFrame
        The answer; empty with ``columns`` when there are no requests.
    """
    if not workspace.files_of(ledger.params.workspace, "requests") or not ledger.period:
        return pd.DataFrame(columns=list(columns))
    with connect() as connection:
        relation, present, _ = feed(connection, ledger.params.workspace, ledger.params)
        zone = ledger.params.organisation.time_zone
        clauses = [
            f"strftime(timezone('{zone}', timestamp), '%Y-%m') {'<=' if whole else '='} '{ledger.period}'",
            "capture_layer <> 'provider_usage'",
        ]
        if ledger.params.assistant != ORGANISATION:
            clauses.append(f"assistant = {quoted(ledger.params.assistant)}")
        connection.execute(
            f"CREATE OR REPLACE TEMP VIEW asked AS SELECT * FROM {relation} WHERE {' AND '.join(clauses)}"
        )
        held = [*(present or []), "request_id", *columns, *wanted]
        answer = ask(requests_table(held, "asked"), connection)
        if isinstance(answer, str):
            answer = fetch(connection, answer).to_pandas(types_mapper=pd.ArrowDtype)
        return answer[list(columns)]


def task_of(c: Any) -> Any:
    """Name the task of a call: the task id, without one the call itself."""
    return sa.func.coalesce(c.task_id, c.request_id) if "task_id" in c else c.request_id


def user_facing(c: Any) -> list[Any]:
    """List conditions that leave out judge calls and calls for retrieval that belong to no task."""
    conditions = []
    if "category" in c:
        conditions.append(sa.func.coalesce(c.category, "production") == "production")
    if "request_type" in c:
        retrieval = sa.func.coalesce(c.request_type, "chat").in_(["embeddings", "rerank"])
        conditions.append(sa.not_(sa.and_(retrieval, c.task_id.is_(None)) if "task_id" in c else retrieval))
    return conditions


def judged_calls(calls: sa.TableClause, columns: Sequence[str], success: Mapping[str | None, str]) -> sa.Select[Any]:
    """Say which calls serve a user's task, and which of them make it a success.

    Parameters
    ----------
    calls : TableClause
        Requests.
    columns : sequence of str
        Their columns to keep.
    success : mapping
        Assistant → ``resolved``, ``accepted`` or ``completed``; ``None`` stands for all others.

    Returns
    -------
    Select
        The user-facing calls: ``task``, the columns, ``good`` (1 where the call makes its task successful, 0 where it
        says the contrary, null where it does not say).
    """
    c = calls.c
    task = task_of(c)
    last = sa.func.row_number().over(partition_by=task, order_by=[c.timestamp.desc(), c.request_id.desc()])
    status = c.run_status if "run_status" in c else sa.literal("ok")
    completed = sa.case((sa.and_(last == 1, status == "ok"), 1), (sa.and_(last == 1, status.is_not(None)), 0))
    unsaid = sa.cast(sa.null(), sa.Integer())
    good_by = {
        flag: sa.case((c[flag].is_(sa.true()), 1), (c[flag].is_(sa.false()), 0)) if flag in c else unsaid
        for flag in SUCCESS[:2]
    } | {SUCCESS[2]: completed}
    good = good_by[success.get(None, SUCCESS[2])]
    if "assistant" in c:
        named = [(c.assistant == name, good_by[chosen]) for name, chosen in success.items() if name]
        good = sa.case(*named, else_=good) if named else good
    kept = [c[name].label(name) for name in columns]
    return sa.select(task.label("task"), *kept, good.label("good")).where(*user_facing(c))


def success_definitions(
    requests: sa.TableClause, connection: duckdb.DuckDBPyConnection, ledger: Ledger
) -> dict[str | None, str]:
    """Say for each assistant in the data what makes a task successful."""
    c = requests.c
    owner = c.assistant if "assistant" in c else sa.null().label("assistant")
    held = [
        exact_sum(sa.case((c[flag].is_not(None), 1), else_=0) if flag in c else sa.literal(0)).label(flag)
        for flag in SUCCESS[:2]
    ]
    grouped = sa.select(owner, *held).group_by(c.assistant) if "assistant" in c else sa.select(owner, *held)
    found: dict[str | None, str] = {}
    for row in run(grouped.select_from(requests), connection).to_pylist():
        settings = ledger.params.assistants.get(row["assistant"])
        own = settings.success if settings else None
        if row["assistant"] == ledger.params.assistant:
            own = ledger.params.settings.success
        held_flag = next((flag for flag in SUCCESS[:2] if row[flag]), SUCCESS[2])
        found[row["assistant"]] = own or held_flag
    return found or {None: SUCCESS[2]}
