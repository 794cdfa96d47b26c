"""Wasted requests: every call of the month put in exactly one class, from blocked to useful."""

from __future__ import annotations

import duckdb
import pandas as pd
import sqlalchemy as sa

from finops_lib.ingest.dialects import DuckDBDialect, to_sql
from finops_lib.ingest.ledger import Ledger
from finops_lib.ingest.questions.asking import ask_requests, judged_calls, success_definitions
from finops_lib.ingest.questions.request_costs import priced_requests

_KEYS = ("assistant", "workflow", "environment", "model")
_COLUMNS = ("charge_period_start", *_KEYS, "call_class", "requests", "cost", "status_known", "cache_key_known")


def wasted_requests(ledger: Ledger, repeat_hours: int = 24) -> pd.DataFrame:
    """Sum the month's calls by what became of them.

    Parameters
    ----------
    ledger : Ledger
        Opened for a month.
    repeat_hours : int
        How long an answer could have been served from a cache.

    Returns
    -------
    DataFrame
        One row per day × assistant × workflow × environment × model × ``call_class``: ``requests``, ``cost`` (USD),
        ``status_known`` and ``cache_key_known`` (calls that say how they ended, and that carry a cache key).
        Every call is in one class, the first that holds: ``blocked``; ``retried`` (failed, and its task went on);
        ``failed`` (and nothing came after it); ``abandoned``; ``repeated`` (its cache key was answered in the same
        workflow up to ``repeat_hours`` before, and it was not served from the cache); ``without result`` (its task
        did not succeed, and is said to be refused or unresolved); ``useful``.

    Notes
    -----
    A repeat is looked for within the month: the first hours of a month may lack a few. Calls that serve no user's
    task (judges, embeddings), or one that nobody judged, count as useful when they ended well.

    References
    ----------
    Requirement B6.
    """
    wanted = ["timestamp", "task_id", "run_status", "cache_hit", "cache_key", "accepted", "resolved"]

    def ask(requests: sa.TableClause, connection: duckdb.DuckDBPyConnection) -> str:
        definitions = success_definitions(requests, connection, ledger)
        priced = priced_requests(requests, connection, ledger)
        judged = to_sql(judged_calls(priced, ["accepted", "resolved"], definitions), DuckDBDialect())
        keys = ", ".join(_KEYS)
        zone = ledger.params.organisation.time_zone
        return f"""WITH judged AS (
            SELECT task, max(good) IS DISTINCT FROM 1
                AND (bool_or(accepted IS FALSE) OR bool_or(resolved IS FALSE)) AS is_poor
            FROM ({judged}) GROUP BY task
        ),
        calls AS (
            SELECT *, coalesce(task_id, request_id) AS task,
                lead(request_id) OVER (PARTITION BY coalesce(task_id, request_id)
                    ORDER BY timestamp, request_id) IS NOT NULL AS went_on,
                max(CASE WHEN run_status = 'ok' THEN timestamp END) OVER (
                    PARTITION BY assistant, workflow, cache_key ORDER BY timestamp, request_id
                    ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS answered
            FROM priced
        ), classed AS (
            SELECT calls.*, CASE
                WHEN run_status = 'blocked' THEN 'blocked'
                WHEN run_status = 'error' THEN CASE WHEN went_on THEN 'retried' ELSE 'failed' END
                WHEN run_status = 'abandoned' THEN 'abandoned'
                WHEN NOT cache_hit AND cache_key IS NOT NULL
                    AND answered >= timestamp - INTERVAL {int(repeat_hours)} HOUR THEN 'repeated'
                WHEN is_poor THEN 'without result' ELSE 'useful' END AS call_class
            FROM calls LEFT JOIN judged USING (task)
        )
        SELECT CAST(timezone('{zone}', timestamp) AS DATE) AS charge_period_start, {keys}, call_class,
            count(*) AS requests, CAST(sum(CAST(cost AS DECIMAL(38,12))) AS DOUBLE) AS cost,
            count(run_status) AS status_known, count(cache_key) AS cache_key_known
        FROM classed GROUP BY ALL ORDER BY ALL"""

    return ask_requests(ledger, ask, _COLUMNS, wanted=wanted)


def calls_over_output_limit(ledger: Ledger) -> pd.DataFrame:
    """Count the calls whose output is longer than the policy of their environment allows.

    Parameters
    ----------
    ledger : Ledger
        Opened for a month; its parameters hold the policies.

    Returns
    -------
    DataFrame
        One row per ``assistant`` × ``environment`` with such calls: ``output_limit`` (tokens a call), ``requests``,
        ``tokens_over`` (output tokens beyond the limit), ``cost`` (USD of those calls).

    References
    ----------
    Requirement C3.
    """
    columns = ["assistant", "environment", "output_limit", "requests", "tokens_over", "cost"]
    limits = [
        {"assistant": assistant, "environment": environment, "output_limit": policy.output_limit}
        for (assistant, environment), policy in ledger.params.environment_policies.items()
        if policy.output_limit
    ]

    def ask(requests: sa.TableClause, connection: duckdb.DuckDBPyConnection) -> str:
        priced_requests(requests, connection, ledger)
        connection.register("limits", pd.DataFrame(limits))
        return """SELECT assistant, environment, output_limit, count(*) AS requests,
            CAST(sum(output - output_limit) AS BIGINT) AS tokens_over,
            CAST(sum(CAST(cost AS DECIMAL(38,12))) AS DOUBLE) AS cost
        FROM (SELECT *, visible_output_tokens + reasoning_output_tokens + audio_output_tokens AS output
            FROM priced WHERE NOT cache_hit) JOIN limits USING (assistant, environment)
        WHERE output > output_limit GROUP BY ALL ORDER BY ALL"""

    if not limits:
        return pd.DataFrame(columns=columns)
    return ask_requests(ledger, ask, columns, wanted=["cache_hit"])
