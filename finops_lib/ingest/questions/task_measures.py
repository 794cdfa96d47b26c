"""Task measures: what tasks cost and how good they were, and how few of them, or of the users, carry the cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import duckdb
import pandas as pd
import sqlalchemy as sa

from finops_lib.ingest import workspace
from finops_lib.ingest.dialects import DuckDBDialect, to_sql
from finops_lib.ingest.ledger import Ledger
from finops_lib.ingest.questions.asking import ask_requests, judged_calls, success_definitions
from finops_lib.ingest.questions.request_costs import priced_requests

_JUDGED = ("timestamp", "request_id", "workflow", "run_status", "accepted", "resolved", "escalated")
_FLAGS = ("accepted", "resolved", "escalated")
_EXACT_COST = "CAST(sum(CAST(cost AS DECIMAL(38,12))) AS DOUBLE)"
_KNOWN_COST = "CAST(sum(CAST(cost AS DECIMAL(38,12))) FILTER (good IS NOT NULL) AS DOUBLE)"


def task_quality(ledger: Ledger, by: Sequence[str] = ()) -> pd.DataFrame:
    """Count the month's tasks with what they cost and how good they were.

    Parameters
    ----------
    ledger : Ledger
        Opened for a month.
    by : sequence of str
        Dimensions; a task counts for the value its first call names.

    Returns
    -------
    DataFrame
        One row per combination, costliest first: ``tasks``, ``workflow_runs`` (a task counts in each workflow it
        ran through), ``known_tasks`` (that say whether they succeeded, by each assistant's own definition),
        ``successful_tasks``, ``completed_tasks`` (last call ended ok), ``accepted_tasks``, ``resolved_tasks`` and
        ``escalated_tasks``, each with the tasks that say so or the contrary in ``…_known``; ``reworked_tasks`` (a
        failed call or a refused answer was followed by another call), ``calls``, ``failed_calls``, ``review_minutes``,
        ``reviewed_tasks``, ``satisfaction`` (mean score), ``rated_tasks``,
        ``cost`` and ``known_cost`` (of the known tasks; USD), and ``p50``,
        ``p95``, ``p99`` of the cost per task (USD; tasks without a price left out).

    References
    ----------
    Requirements B5, B9.
    """
    flags = [f"{flag}{end}" for flag in _FLAGS for end in ("_tasks", "_known")]
    counted = ["tasks", "workflow_runs", "known_tasks", "successful_tasks", "completed_tasks", *flags]
    rated = [
        "reworked_tasks",
        "calls",
        "failed_calls",
        "review_minutes",
        "reviewed_tasks",
        "satisfaction",
        "rated_tasks",
    ]
    columns = [*by, *counted, *rated, "cost", "known_cost", "p50", "p95", "p99"]
    kept = list(dict.fromkeys([*_JUDGED, "review_minutes", "satisfaction", "cost", *by]))

    def ask(requests: sa.TableClause, connection: duckdb.DuckDBPyConnection) -> str:
        definitions = success_definitions(requests, connection, ledger)
        priced = priced_requests(requests, connection, ledger)
        judged = to_sql(judged_calls(priced, kept, definitions), DuckDBDialect())
        first = "".join(f", arg_min({name}, timestamp) AS {name}_of_task" for name in by)
        said = "".join(f", bool_or({flag}) AS {flag}" for flag in _FLAGS)
        summed = ", ".join(
            f"count(*) FILTER ({flag}) AS {flag}_tasks, count({flag}) AS {flag}_known" for flag in _FLAGS
        )
        named = "".join(f"{name}_of_task AS {name}, " for name in by)
        return f"""WITH calls AS (
            SELECT *, lead(request_id) OVER (PARTITION BY task ORDER BY timestamp, request_id) AS next
            FROM ({judged})
        ), tasks AS (
            SELECT task, count(DISTINCT workflow) AS runs, max(good) = 1 AS good,
                bool_or(next IS NULL AND run_status = 'ok') AS completed, count(*) AS calls,
                count(*) FILTER (run_status = 'error') AS failed,
                coalesce(bool_or(next IS NOT NULL AND (run_status = 'error' OR accepted IS FALSE)), false) AS again,
                sum(review_minutes) AS minutes, avg(satisfaction) AS score, {_EXACT_COST} AS cost{said}{first}
            FROM calls GROUP BY task
        )
        SELECT {named}count(*) AS tasks, CAST(sum(runs) AS BIGINT) AS workflow_runs,
            count(good) AS known_tasks, count(*) FILTER (good) AS successful_tasks,
            count(*) FILTER (completed) AS completed_tasks, {summed},
            count(*) FILTER (again) AS reworked_tasks, CAST(sum(calls) AS BIGINT) AS calls,
            CAST(sum(failed) AS BIGINT) AS failed_calls, CAST(sum(minutes) AS DOUBLE) AS review_minutes,
            count(*) FILTER (minutes > 0) AS reviewed_tasks, avg(score) AS satisfaction,
            count(score) AS rated_tasks, {_EXACT_COST} AS cost,
            {_KNOWN_COST} AS known_cost, quantile_cont(cost, 0.5) AS p50,
            quantile_cont(cost, 0.95) AS p95, quantile_cont(cost, 0.99) AS p99
        FROM tasks GROUP BY ALL HAVING count(*) > 0 ORDER BY {", ".join(["cost DESC NULLS LAST", *by])}"""

    return ask_requests(ledger, ask, columns, wanted=[*kept, "task_id", "assistant"])


def tasks_by_month(ledger: Ledger) -> pd.DataFrame:
    """Count the tasks, and the successful ones, begun in each month up to the period.

    Parameters
    ----------
    ledger : Ledger
        Opened for a month.

    Returns
    -------
    DataFrame
        One row per ``month`` (YYYY-MM, reporting time zone): ``tasks``, ``known_tasks`` (that say whether they
        succeeded), ``successful_tasks`` and ``known_share`` (share of the cost of tasks that is the known ones').

    References
    ----------
    Requirement B4.
    """

    def ask(requests: sa.TableClause, connection: duckdb.DuckDBPyConnection) -> str:
        definitions = success_definitions(requests, connection, ledger)
        judged = to_sql(judged_calls(requests, ["timestamp"], definitions), DuckDBDialect())
        return f"""SELECT strftime(timezone('{ledger.params.organisation.time_zone}', begun), '%Y-%m') AS month,
            count(*) AS tasks, count(good) AS known_tasks, count(*) FILTER (good = 1) AS successful_tasks
        FROM (SELECT min(timestamp) AS begun, max(good) AS good FROM ({judged}) GROUP BY task)
        GROUP BY ALL ORDER BY month"""

    columns = ["month", "tasks", "known_tasks", "successful_tasks"]
    found = ask_requests(ledger, ask, columns, wanted=[*_JUDGED, "task_id", "assistant"], whole=True)
    # calls are priced month by month: only where some task does not say
    shares = [
        1.0 if known == tasks else _known_share(replace(ledger, period=month))
        for month, tasks, known in zip(found["month"], found["tasks"], found["known_tasks"], strict=True)
    ]
    return found.assign(known_share=pd.Series(shares, index=found.index, dtype="float64"))


def _known_share(ledger: Ledger) -> float:
    """Find which part of the month's cost of tasks is of those that say whether they succeeded."""
    found = task_quality(ledger)
    whole, known = (float(found[name].astype("float64").sum()) for name in ("cost", "known_cost"))
    return known / whole if whole else float("nan")


def spend_concentration(ledger: Ledger) -> pd.DataFrame:
    """Find how much of the cost the few costliest users, customers, workflows, tasks and requests carry.

    Parameters
    ----------
    ledger : Ledger
        Opened for a month.

    Returns
    -------
    DataFrame
        One row for each kind that the calls name: ``kind``, ``members``, ``cost`` (USD of the calls that name one),
        and the shares of it by ``share_of_first`` (the costliest one), ``share_of_top_1_percent`` and
        ``share_of_top_10_percent`` (rounded up to whole members).

    References
    ----------
    Requirement B9.
    """
    kinds = {
        "users": "user_id",
        "customers": "customer",
        "workflows": "workflow",
        "tasks": "task",
        "requests": "request_id",
    }

    def ask(requests: sa.TableClause, connection: duckdb.DuckDBPyConnection) -> str:
        priced = priced_requests(requests, connection, ledger)
        user_facing = to_sql(judged_calls(priced, ["source", "request_id"], {}), DuckDBDialect())
        ranked = " UNION ALL ".join(
            f"""SELECT {place} AS place, '{kind}' AS kind, CAST(sum(cost) AS DECIMAL(38,12)) AS cost,
                row_number() OVER (ORDER BY sum(cost) DESC, {key}) AS rank, count(*) OVER () AS members
            FROM calls WHERE {key} IS NOT NULL AND cost IS NOT NULL GROUP BY {key}"""
            for place, (kind, key) in enumerate(kinds.items())
        )
        part = "CAST(sum(cost) FILTER (rank <= ceil(members * {0})) AS DOUBLE) / nullif(CAST(sum(cost) AS DOUBLE), 0)"
        return f"""WITH calls AS (
            SELECT * REPLACE (CAST(cost AS DECIMAL(38,12)) AS cost)
            FROM priced LEFT JOIN (SELECT task, source, request_id FROM ({user_facing})) USING (source, request_id)
        )
        SELECT kind, max(members) AS members, CAST(sum(cost) AS DOUBLE) AS cost,
            CAST(max(cost) AS DOUBLE) / nullif(CAST(sum(cost) AS DOUBLE), 0) AS share_of_first,
            {part.format("0.01")} AS share_of_top_1_percent, {part.format("0.1")} AS share_of_top_10_percent
        FROM ({ranked}) GROUP BY place, kind ORDER BY place"""

    columns = ["kind", "members", "cost", "share_of_first", "share_of_top_1_percent", "share_of_top_10_percent"]
    wanted = ["user_id", "customer", "workflow", "task_id", "timestamp", "source"]
    return ask_requests(ledger, ask, columns, wanted=wanted)


def agent_run_costs(ledger: Ledger) -> pd.DataFrame:
    """Sum what the tasks that agents worked on cost.

    Parameters
    ----------
    ledger : Ledger
        Opened for a month.

    Returns
    -------
    DataFrame
        One row per task with steps of an agent or tool: ``task_id``, ``workflow`` and ``environment`` (of its
        first call), ``cost`` (USD).
    """
    spans = workspace.view_sql("spans", workspace.files_of(ledger.params.workspace, "spans"))

    def ask(requests: sa.TableClause, connection: duckdb.DuckDBPyConnection) -> str:
        priced_requests(requests, connection, ledger)
        return f"""SELECT task_id, arg_min(workflow, timestamp) AS workflow,
            arg_min(environment, timestamp) AS environment, {_EXACT_COST} AS cost
        FROM priced WHERE task_id IN (SELECT task_id FROM ({spans}) WHERE kind IN ('agent', 'tool'))
        GROUP BY task_id ORDER BY task_id"""

    columns = ["task_id", "workflow", "environment", "cost"]
    return ask_requests(ledger, ask, columns, wanted=["timestamp"])
