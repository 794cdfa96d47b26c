"""Measures: what cannot be added up (distinct users, percentiles, tasks) is asked of the requests themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import duckdb
import pandas as pd
import sqlalchemy as sa

from finops_lib.ingest.dialects import exact_quantile, local_day
from finops_lib.ingest.engine import run
from finops_lib.ingest.ledger import Ledger
from finops_lib.ingest.questions.asking import (
    SUCCESS,
    ask_requests,
    judged_calls,
    success_definitions,
    task_of,
    user_facing,
)
from finops_lib.ingest.questions.request_costs import priced_requests

_EXACT = sa.Numeric(38, 12)
_QUANTILES = (0.5, 0.95, 0.99)


def distinct_users(ledger: Ledger, by: Sequence[str] = ()) -> pd.DataFrame:
    """Count the users of the period.

    Parameters
    ----------
    ledger : Ledger
        Opened for a month.
    by : sequence of str
        Dimensions to count apart; a user counts once in each.

    Returns
    -------
    DataFrame
        One row per combination: ``users`` and ``requests``.
    """

    def ask(requests: sa.TableClause, connection: duckdb.DuckDBPyConnection) -> pd.DataFrame:
        return run(users_statement(requests, by), connection).to_pandas()

    return ask_requests(ledger, ask, [*by, "users", "requests"])


def users_statement(requests: sa.TableClause, by: Sequence[str] = ()) -> sa.Select[Any]:
    """Say how distinct users are counted.

    Parameters
    ----------
    requests : TableClause
        Requests with ``user_id``.
    by : sequence of str
        Dimensions.

    Returns
    -------
    Select
        ``users`` (exact) and ``requests`` by the dimensions, in their order.
    """
    c = requests.c
    users = sa.func.count(sa.distinct(c.user_id)) if "user_id" in c else sa.literal(0)
    keys = [c[name] for name in by]
    return sa.select(*keys, users.label("users"), sa.func.count().label("requests")).group_by(*keys).order_by(*keys)


def quantiles_statement(
    requests: sa.TableClause, value: str, quantiles: Sequence[float], by: Sequence[str] = ()
) -> sa.Select[Any]:
    """Say how exact quantiles of a column are found.

    Parameters
    ----------
    requests : TableClause
        Requests with the column.
    value : str
        Column, e.g. ``cost`` or ``latency_ms``.
    quantiles : sequence of float
        Such as 0.5, 0.95, 0.99.
    by : sequence of str
        Dimensions.

    Returns
    -------
    Select
        ``p50``, ``p95`` … by the dimensions; engines without an exact quantile raise when it is compiled.
    """
    keys = [requests.c[name] for name in by]
    column = requests.c[value]
    asked = [exact_quantile(column, sa.literal(q)).label(_quantile_name(q)) for q in quantiles]
    return sa.select(*keys, *asked).group_by(*keys).order_by(*keys)


def request_cost_quantiles(ledger: Ledger, by: Sequence[str] = ()) -> pd.DataFrame:
    """Find the quantiles of cost per request in the period.

    Parameters
    ----------
    ledger : Ledger
        Opened for a month.
    by : sequence of str
        Dimensions.

    Returns
    -------
    DataFrame
        ``p50``, ``p95`` and ``p99`` (USD a request) by the dimensions; calls without a price are left out.
    """

    def ask(requests: sa.TableClause, connection: duckdb.DuckDBPyConnection) -> pd.DataFrame:
        priced = priced_requests(requests, connection, ledger)
        return run(quantiles_statement(priced, "cost", _QUANTILES, by), connection).to_pandas()

    return ask_requests(ledger, ask, [*by, *map(_quantile_name, _QUANTILES)])


def _quantile_name(share: float) -> str:
    return f"p{share * 100:g}".replace(".", "_")


def tasks_by(ledger: Ledger, dimension: str = "model") -> pd.DataFrame:
    """Count tasks, and the successful ones, by what served them.

    Parameters
    ----------
    ledger : Ledger
        Opened for a month.
    dimension : str
        What the tasks are split by; a task served by several is split by their share of its cost.

    Returns
    -------
    DataFrame
        One row per value: ``tasks``, ``successful_tasks`` (parts of tasks), ``cost`` (USD),
        ``cost_of_successful_tasks``, ``known_tasks`` and ``known_cost`` (of the tasks that say whether they
        succeeded) and ``success_definition`` (resolved, accepted or completed).

    Notes
    -----
    A task is the trace or task id, without one the request. It is completed when its last call ended ok, accepted
    when the user took the answer, resolved by the source's flag. Each assistant's parameters say which counts;
    without them the first of resolved, accepted, completed that its data holds. A task none of whose calls says so or
    the contrary is no known task: neither a success nor a failure. Evaluation and judge calls serve no
    user's task, nor do embedding and rerank calls that belong to none.
    """

    def ask(requests: sa.TableClause, connection: duckdb.DuckDBPyConnection) -> pd.DataFrame:
        definitions = success_definitions(requests, connection, ledger)
        priced = priced_requests(requests, connection, ledger)
        found = run(tasks_statement(priced, dimension, definitions), connection).to_pandas()
        used = [definition for definition in SUCCESS if definition in definitions.values()]
        whose = ", as each assistant's parameters say" if len(used) > 1 else ""
        return found.assign(success_definition=" or ".join(used) + whose)

    counted = ["tasks", "successful_tasks", "cost", "cost_of_successful_tasks", "known_tasks", "known_cost"]
    return ask_requests(ledger, ask, [dimension, *counted, "success_definition"])


def tasks_by_day(ledger: Ledger) -> pd.DataFrame:
    """Count the tasks begun on each day, in all months up to the period.

    Parameters
    ----------
    ledger : Ledger
        Opened for a month.

    Returns
    -------
    DataFrame
        One row per day: ``charge_period_start`` (reporting time zone), ``tasks``: the same tasks that ``tasks_by``
        counts.
    """

    def ask(requests: sa.TableClause, connection: duckdb.DuckDBPyConnection) -> pd.DataFrame:
        c = requests.c
        task = task_of(c)
        begun = (
            sa.select(task.label("task"), sa.func.min(c.timestamp).label("begun"))
            .where(*user_facing(c))
            .group_by(task)
            .cte("begun")
        )
        span = run(
            sa.select(sa.func.min(begun.c.begun).label("first"), sa.func.max(begun.c.begun).label("last")), connection
        )
        first, last = (moment for moment in span.to_pylist()[0].values())
        if first is None:
            return pd.DataFrame(columns=["charge_period_start", "tasks"])
        zone = ledger.params.organisation.time_zone
        day = local_day(
            begun.c.begun,
            sa.literal(zone),
            sa.literal(int(first.timestamp()) - 1),
            sa.literal(int(last.timestamp()) + 1),
        )
        statement = (
            sa.select(day.label("charge_period_start"), sa.func.count().label("tasks")).group_by(day).order_by(day)
        )
        return run(statement, connection).to_pandas(types_mapper=pd.ArrowDtype)

    return ask_requests(ledger, ask, ["charge_period_start", "tasks"], whole=True)


def users_by_cost(ledger: Ledger, limit: int = 10) -> pd.DataFrame:
    """List the users whose calls cost most in the period.

    Parameters
    ----------
    ledger : Ledger
        Opened for a month.
    limit : int
        Most users to list.

    Returns
    -------
    DataFrame
        One row per user: ``user_id`` as the source names them (pseudonymise it before it is shown), ``requests``,
        ``cost`` (USD), ``share`` of the period's cost.
    """

    def ask(requests: sa.TableClause, connection: duckdb.DuckDBPyConnection) -> pd.DataFrame:
        if "user_id" not in requests.c:
            return pd.DataFrame(columns=["user_id", "requests", "cost", "share"])
        c = priced_requests(requests, connection, ledger).c
        whole = sa.select(_repeatable_sum(c.cost)).scalar_subquery()
        cost = _repeatable_sum(c.cost)
        statement = (
            sa.select(c.user_id, sa.func.count().label("requests"), cost.label("cost"), (cost / whole).label("share"))
            .where(c.user_id.is_not(None))
            .group_by(c.user_id)
            .order_by(cost.desc().nulls_last(), c.user_id)
            .limit(limit)
        )
        return run(statement, connection).to_pandas()

    return ask_requests(ledger, ask, ["user_id", "requests", "cost", "share"])


def tasks_statement(priced: sa.TableClause, dimension: str, success: Mapping[str | None, str]) -> sa.Select[Any]:
    """Say how tasks are counted and split.

    Parameters
    ----------
    priced : TableClause
        Requests with ``cost`` (USD, float).
    dimension : str
        What they are split by.
    success : mapping
        Assistant → ``resolved``, ``accepted`` or ``completed``; ``None`` stands for all others.

    Returns
    -------
    Select
        As ``tasks_by``, without the definition; largest cost first.
    """
    judged = judged_calls(priced, [dimension, "cost"], success).cte("judged")
    calls = sa.select(
        judged.c.task, judged.c[dimension], sa.cast(judged.c.cost, _EXACT).label("cost"), judged.c.good
    ).cte("calls")
    whole = (
        sa.select(
            calls.c.task,
            sa.func.sum(calls.c.cost).label("whole"),
            sa.func.count().label("calls"),
            sa.func.max(calls.c.good).label("good"),
        )
        .group_by(calls.c.task)
        .cte("whole")
    )
    part = (
        sa.select(
            calls.c.task, calls.c[dimension], sa.func.sum(calls.c.cost).label("cost"), sa.func.count().label("calls")
        )
        .group_by(calls.c.task, calls.c[dimension])
        .cte("part")
    )
    # A task that cost nothing (cache hits) is split by calls.
    share = sa.case(
        (
            whole.c.whole > 0,
            sa.cast(sa.func.coalesce(part.c.cost, 0), sa.Double()) / sa.cast(whole.c.whole, sa.Double()),
        ),
        else_=sa.cast(part.c.calls, sa.Double()) / sa.cast(whole.c.calls, sa.Double()),
    )
    good_share = sa.case((whole.c.good == 1, share), else_=0.0)
    good_cost = sa.case((whole.c.good == 1, part.c.cost), else_=0)
    known_share = sa.case((whole.c.good.is_not(None), share), else_=0.0)
    known_cost = sa.case((whole.c.good.is_not(None), part.c.cost))
    return (
        sa.select(
            part.c[dimension],
            _repeatable_sum(share).label("tasks"),
            _repeatable_sum(good_share).label("successful_tasks"),
            _repeatable_sum(part.c.cost).label("cost"),
            _repeatable_sum(good_cost).label("cost_of_successful_tasks"),
            _repeatable_sum(known_share).label("known_tasks"),
            _repeatable_sum(known_cost).label("known_cost"),
        )
        .select_from(part.join(whole, part.c.task == whole.c.task))
        .group_by(part.c[dimension])
        .order_by(sa.func.sum(part.c.cost).desc(), part.c[dimension])
    )


def _repeatable_sum(values: Any) -> Any:
    """Sum that does not depend on the order in which threads add up, unlike one of floats; as a float."""
    return sa.cast(sa.func.sum(sa.cast(values, _EXACT)), sa.Double())
