"""Lever measures: what repeats, what is too long and what a prompt cache misses, asked of the month's requests."""

from __future__ import annotations

import duckdb
import pandas as pd
import sqlalchemy as sa

from finops_lib.ingest.dialects import DuckDBDialect, to_sql
from finops_lib.ingest.ledger import Ledger
from finops_lib.ingest.questions.asking import ask_requests, judged_calls, success_definitions
from finops_lib.ingest.questions.request_costs import priced_requests
from finops_lib.schema import INPUT_CLASSES, TOKEN_CLASSES

_KEYS = ("assistant", "workflow", "environment", "model")
_INPUT = " + ".join(TOKEN_CLASSES[name] for name in INPUT_CLASSES)
_CACHED = "cache_read_input_tokens + cache_write_5m_input_tokens + cache_write_1h_input_tokens"
_PREFIX_MINUTES = 5
_SHORTEST_PREFIX = 1024
_HOURS_KEPT = [1, 6, 24, 72, 168]


def repeated_calls(ledger: Ledger) -> pd.DataFrame:
    """Count what a response cache could have answered, by how long it keeps answers.

    Parameters
    ----------
    ledger : Ledger
        Opened for a month.

    Returns
    -------
    DataFrame
        One row per ``hours`` × assistant × workflow × environment × model with cacheable calls: ``requests`` (billed
        calls with a cache key), ``cost`` (USD of them), ``repeats`` and ``repeated_cost``: those whose key was
        answered in the same workflow so many hours before.

    References
    ----------
    Requirement F3.
    """
    keys = ", ".join(_KEYS)

    def ask(requests: sa.TableClause, connection: duckdb.DuckDBPyConnection) -> str:
        priced_requests(requests, connection, ledger)
        return f"""WITH calls AS (
            SELECT {keys}, cost, cache_hit, cache_key, run_status,
                timestamp - max(CASE WHEN run_status = 'ok' THEN timestamp END) OVER (
                    PARTITION BY assistant, workflow, cache_key ORDER BY timestamp, request_id
                    ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS since
            FROM priced WHERE cache_key IS NOT NULL
        ), windows AS (SELECT unnest({_HOURS_KEPT}) AS hours)
        SELECT hours, {keys}, count(*) AS requests, {_sum_cost()} AS cost,
            count(*) FILTER (since <= to_hours(hours)) AS repeats,
            {_sum_cost("FILTER (since <= to_hours(hours))")} AS repeated_cost
        FROM calls, windows WHERE NOT coalesce(cache_hit, false) AND run_status = 'ok'
        GROUP BY ALL ORDER BY ALL"""

    columns = ["hours", *_KEYS, "requests", "cost", "repeats", "repeated_cost"]
    wanted = ["timestamp", "run_status", "cache_hit", "cache_key"]
    return ask_requests(ledger, ask, columns, wanted=wanted)


def input_over_budget(ledger: Ledger, retrieved_tokens: int, multiple: float) -> pd.DataFrame:
    """Count input tokens beyond what a call needs.

    Parameters
    ----------
    ledger : Ledger
        Opened for a month.
    retrieved_tokens : int
        Retrieved context a call may carry.
    multiple : float
        Times the median input of its workflow and model that a call's input may have.

    Returns
    -------
    DataFrame
        One row per assistant × workflow × environment × model: ``input_tokens``, ``retrieved_tokens`` (0 where no
        source gives them), ``tokens_over``: of each call the larger of the two excesses.

    References
    ----------
    Requirement F3.
    """
    keys = ", ".join(_KEYS)

    def ask(requests: sa.TableClause, connection: duckdb.DuckDBPyConnection) -> str:
        return f"""WITH calls AS (
            SELECT {keys}, {_INPUT} AS input, coalesce(retrieved_tokens, 0) AS retrieved
            FROM {requests.name} WHERE NOT coalesce(cache_hit, false)
        ), held AS (
            SELECT *, median(input) OVER (PARTITION BY assistant, workflow, model) AS usual FROM calls
        )
        SELECT {keys}, CAST(sum(input) AS BIGINT) AS input_tokens,
            CAST(sum(retrieved) AS BIGINT) AS retrieved_tokens,
            CAST(sum(least(input, greatest(
                retrieved - {int(retrieved_tokens)}, input - {float(multiple)} * usual, 0
            ))) AS BIGINT) AS tokens_over
        FROM held GROUP BY ALL ORDER BY ALL"""

    columns = [*_KEYS, "input_tokens", "retrieved_tokens", "tokens_over"]
    wanted = [*TOKEN_CLASSES.values(), "cache_hit"]
    return ask_requests(ledger, ask, columns, wanted=wanted)


def missed_prefixes(ledger: Ledger) -> pd.DataFrame:
    """Count uncached input that a prompt cache could have served as a stable prefix.

    Parameters
    ----------
    ledger : Ledger
        Opened for a month.

    Returns
    -------
    DataFrame
        One row per assistant × workflow × environment × model whose prefix is known: ``prefix_tokens`` (a call),
        ``missed_calls`` (billed calls without cached input, up to five minutes after one of the same workflow, model
        and prompt version), ``missed_tokens`` (of their uncached input, at most the prefix each).

    Notes
    -----
    The prefix is system prompt and tool definitions where the source gives them, else what nine tenths of the
    workflow's cached calls had cached at least. Caches keep five minutes and take prefixes from 1,024 tokens on.

    References
    ----------
    Requirement F3.
    """
    keys = ", ".join(_KEYS)

    def ask(requests: sa.TableClause, connection: duckdb.DuckDBPyConnection) -> str:
        return f"""WITH calls AS (
            SELECT {keys}, {_CACHED} AS cached, uncached_input_tokens AS uncached,
                coalesce(system_tokens, 0) + coalesce(tool_schema_tokens, 0) AS fixed,
                timestamp - lag(timestamp) OVER (PARTITION BY assistant, workflow, model, prompt_version
                    ORDER BY timestamp, request_id) <= INTERVAL {_PREFIX_MINUTES} MINUTE AS is_warm
            FROM {requests.name} WHERE NOT coalesce(cache_hit, false)
        ), ranked AS (
            SELECT *, coalesce(
                quantile_disc(CASE WHEN fixed > 0 THEN fixed END, 0.1) OVER (PARTITION BY assistant, workflow),
                quantile_disc(CASE WHEN cached > 0 THEN cached END, 0.1) OVER (PARTITION BY assistant, workflow)
            ) AS prefix FROM calls
        )
        SELECT {keys}, CAST(any_value(prefix) AS BIGINT) AS prefix_tokens,
            count(*) FILTER (is_warm AND cached = 0) AS missed_calls,
            CAST(coalesce(sum(least(prefix, uncached)) FILTER (is_warm AND cached = 0), 0) AS BIGINT)
                AS missed_tokens
        FROM ranked WHERE prefix >= {_SHORTEST_PREFIX} GROUP BY ALL ORDER BY ALL"""

    columns = [*_KEYS, "prefix_tokens", "missed_calls", "missed_tokens"]
    wanted = ["timestamp", *TOKEN_CLASSES.values(), "system_tokens", "tool_schema_tokens", "prompt_version"]
    return ask_requests(ledger, ask, columns, wanted=[*wanted, "cache_hit"])


def successful_tasks_by_day(ledger: Ledger) -> pd.DataFrame:
    """Count tasks, and the successful ones, by the day they began, in all months up to the period.

    Parameters
    ----------
    ledger : Ledger
        Opened for a month.

    Returns
    -------
    DataFrame
        One row per ``charge_period_start`` (reporting time zone) × assistant × workflow (of the task's first call):
        ``tasks``, ``successful_tasks``, as ``tasks_by`` counts them.

    References
    ----------
    Requirement F6.
    """

    def ask(requests: sa.TableClause, connection: duckdb.DuckDBPyConnection) -> str:
        definitions = success_definitions(requests, connection, ledger)
        judged = to_sql(judged_calls(requests, ["timestamp", *_KEYS[:2]], definitions), DuckDBDialect())
        zone = ledger.params.organisation.time_zone
        return f"""SELECT CAST(timezone('{zone}', begun) AS DATE) AS charge_period_start, assistant, workflow,
            count(*) AS tasks, count(*) FILTER (good = 1) AS successful_tasks
        FROM (SELECT min(timestamp) AS begun, arg_min(assistant, timestamp) AS assistant,
            arg_min(workflow, timestamp) AS workflow, max(good) AS good FROM ({judged}) GROUP BY task)
        GROUP BY ALL ORDER BY ALL"""

    columns = ["charge_period_start", *_KEYS[:2], "tasks", "successful_tasks"]
    wanted = ["timestamp", "run_status", "accepted", "resolved", "task_id", "category", "request_type"]
    return ask_requests(ledger, ask, columns, wanted=wanted, whole=True)


def _sum_cost(kept: str = "") -> str:
    """Sum costs so that the order of rows changes no digit."""
    return f"coalesce(CAST(sum(CAST(cost AS DECIMAL(38,12))) {kept} AS DOUBLE), 0)"
