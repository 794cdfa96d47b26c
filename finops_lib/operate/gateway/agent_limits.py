"""Agent limits: each production agent's runs held against what a run may take, with the cost beyond it."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from finops_lib.settings import AgentLimits

MEASURED = {
    "steps": "model_calls",
    "tool_calls": "tool_calls",
    "tokens": "tokens",
    "timeout_seconds": "seconds",
    "retries": "retries",
    "budget": "cost",
}
"""Limit → what of a run is held against it."""

HELD_BY_GATEWAY = ("steps", "timeout_seconds", "retries")
"""Limits that `finops export litellm` writes into the gateway; the others are seen here only."""

_PRODUCTION = "production"
_WHO = ["assistant", "agent"]
_COLUMNS = (*_WHO, "limit", "allowed", "runs", "runs_over", "largest", "cost", "cost_over", "held_by")


def agent_limit_breaches(runs: pd.DataFrame, costs: pd.DataFrame, limits: Mapping[str, AgentLimits]) -> pd.DataFrame:
    """Hold agents' runs in production against their limits; a run that names no environment counts too.

    Parameters
    ----------
    runs : DataFrame
        ``schema.AGENT_RUNS`` of the month.
    costs : DataFrame
        As ``ingest.agent_run_costs`` returns it: ``task_id``, ``environment``, ``cost`` (USD).
    limits : mapping
        Assistant → its limits.

    Returns
    -------
    DataFrame
        One row per agent × limit that is set, most money over first: ``assistant``, ``agent``, ``limit``,
        ``allowed``, ``runs`` (of the agent), ``runs_over``, ``largest`` (found in a run), ``cost`` (USD of the runs
        over), ``cost_over`` (USD beyond the limit), ``held_by`` (gateway, or ledger where no gateway setting exists
        and the runs are only reported). Agents without limits have one row with ``limit`` "none set".

    Notes
    -----
    The cost beyond a limit is ``cost × (1 − allowed / found)``: exact for the budget; for the others as if each
    unit cost alike. Later steps carry a longer context and cost more, so that is the least it can be. A run may be
    over several limits: the rows do not add up.

    References
    ----------
    Requirement E5.
    """
    found = runs.merge(costs[["task_id", "environment", "cost"]], on="task_id")
    found = found[found["environment"].fillna(_PRODUCTION) == _PRODUCTION]
    measured = found[[*_WHO, "model_calls", "tool_calls", "tokens", "retries", "cost"]].copy()
    measured["seconds"] = found["duration_ms"].astype("float64") / 1000
    rows = []
    for (assistant, agent), own in measured.groupby(_WHO, dropna=False):
        allowed = limits.get(assistant, AgentLimits()).model_dump(exclude_none=True)
        if not allowed:
            rows.append((assistant, agent, "none set", None, len(own), 0, None, 0.0, 0.0, None))
        for limit, most in allowed.items():
            values, cost = (own[name].astype("float64").fillna(0) for name in (MEASURED[limit], "cost"))
            over = values > float(most)
            beyond = (cost * (1 - float(most) / values))[over].sum()
            held_by = "gateway" if limit in HELD_BY_GATEWAY else "ledger"
            counted = (len(own), int(over.sum()), values.max(), cost[over].sum(), beyond)
            rows.append((assistant, agent, limit, float(most), *counted, held_by))
    kinds = dict.fromkeys(["allowed", "largest", "cost", "cost_over"], "float64")
    breaches = pd.DataFrame(rows, columns=list(_COLUMNS)).astype(kinds)
    order = ["cost_over", "assistant", "agent", "limit"]
    return breaches.sort_values(order, ascending=[False, True, True, True], ignore_index=True)
