"""Agent runs: what each task called, retried and where it ended, from the steps that are no model calls."""

from __future__ import annotations

import pandas as pd

from finops_lib.ingest import workspace
from finops_lib.ingest.engine import connect, fetch, quoted
from finops_lib.params import ORGANISATION, Params
from finops_lib.schema import AGENT_RUNS, TOKEN_CLASSES, check_frame, names


def agent_runs(params: Params, period: str | None = None) -> pd.DataFrame:
    """List the tasks that agents worked on.

    Parameters
    ----------
    params : Params
        Project and workspace; for an assistant only its tasks.
    period : str, optional
        Month ``YYYY-MM`` (reporting time zone) in which a task began; all months otherwise.

    Returns
    -------
    DataFrame
        Columns of ``schema.AGENT_RUNS``, most tokens first; empty where no source has steps of agents or tools.

    References
    ----------
    Requirements A6, B9.
    """
    requests = workspace.view_sql("requests", workspace.files_of(params.workspace, "requests"))
    spans = workspace.view_sql("spans", workspace.files_of(params.workspace, "spans"))
    tokens = " + ".join(TOKEN_CLASSES.values())
    chosen = [f"strftime(timezone('{params.organisation.time_zone}', started), '%Y-%m') = '{period}'"] if period else []
    if params.assistant != ORGANISATION:
        chosen.append(f"assistant = {quoted(params.assistant)}")
    with connect() as connection:
        found = fetch(
            connection,
            f"""WITH steps AS (
                SELECT task_id, assistant, coalesce(agent, CASE WHEN kind = 'agent' THEN name END) AS agent, timestamp,
                    latency_ms, kind, name, run_status, 0 AS retries, 0 AS tokens
                FROM ({spans}) WHERE task_id IS NOT NULL AND timestamp IS NOT NULL AND kind <> 'other'
                UNION ALL
                SELECT task_id, assistant, agent, timestamp, latency_ms, 'call', model, run_status,
                    coalesce(retries, 0), {tokens}
                FROM ({requests}) WHERE task_id IN (SELECT task_id FROM ({spans}) WHERE kind IN ('agent', 'tool'))
            ), runs AS (
                SELECT task_id, max(assistant) AS assistant, arg_min(agent, timestamp) AS agent,
                    min(timestamp) AS started,
                    CAST(epoch_us(max(timestamp + coalesce(latency_ms, 0) * INTERVAL 1 MILLISECOND))
                        - epoch_us(min(timestamp)) AS DOUBLE) / 1000 AS duration_ms,
                    count(*) FILTER (kind = 'agent') AS agent_steps, count(*) FILTER (kind = 'call') AS model_calls,
                    count(*) FILTER (kind = 'tool') AS tool_calls,
                    count(*) FILTER (kind = 'tool' AND run_status <> 'ok') AS failed_tools,
                    count(*) FILTER (kind = 'retrieval') AS retrieval_calls,
                    CAST(sum(retries) AS BIGINT) AS retries, CAST(sum(tokens) AS BIGINT) AS tokens,
                    arg_max(name, timestamp) FILTER (kind IN ('tool', 'call', 'retrieval')) AS ended_with,
                    arg_max(run_status, timestamp) FILTER (kind IN ('tool', 'call', 'retrieval')) AS ended_status
                FROM steps GROUP BY task_id HAVING count(*) FILTER (kind IN ('agent', 'tool')) > 0
            )
            SELECT {", ".join(names(AGENT_RUNS))} FROM runs {"WHERE " + " AND ".join(chosen) if chosen else ""}
            ORDER BY tokens DESC, task_id""",
        )
    return check_frame(found.to_pandas(types_mapper=pd.ArrowDtype), "agent_runs")
