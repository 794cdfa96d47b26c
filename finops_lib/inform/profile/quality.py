"""Quality beside cost: what a task costs means nothing without how good it was."""

from __future__ import annotations

import pandas as pd

from finops_lib.inform.measures import ratio


def quality_beside_cost(tasks: pd.DataFrame) -> pd.DataFrame:
    """Set the quality of tasks beside what they cost.

    Parameters
    ----------
    tasks : DataFrame
        One row per value of its first column, e.g. ``workflow``: ``tasks``, ``calls``, ``cost`` and ``known_cost`` (of
        the tasks that say whether they succeeded; USD), the counts ``completed_tasks``, ``successful_tasks``,
        ``accepted_tasks``, ``resolved_tasks`` and ``escalated_tasks`` (the last three with ``…_known``, the tasks that
        say so or the contrary), ``reworked_tasks``, ``failed_calls``, ``review_minutes``, ``satisfaction``,
        ``rated_tasks``.

    Returns
    -------
    DataFrame
        The same rows in their order: the first column, ``tasks``, ``cost``, ``cost_per_task`` and
        ``cost_per_successful_task`` (USD), then shares of the tasks: ``completion_rate``, ``acceptance_rate``,
        ``resolution_rate`` and ``escalation_rate`` (of those that say so or the contrary), ``rework_rate`` (a failed
        call or a refused answer was followed by another call); ``error_rate`` (share of the calls);
        ``review_minutes_per_task``, ``satisfaction`` (mean score), ``rated_tasks``. Null where nothing is known.

    References
    ----------
    Requirement B5.
    """
    found = tasks[[str(tasks.columns[0]), "tasks", "cost"]].copy()
    found["cost_per_task"] = ratio(tasks["cost"], tasks["tasks"])
    found["cost_per_successful_task"] = ratio(tasks["known_cost"], tasks["successful_tasks"])
    for rate, numerator, denominator in (
        ("completion_rate", "completed_tasks", "tasks"),
        ("acceptance_rate", "accepted_tasks", "accepted_known"),
        ("resolution_rate", "resolved_tasks", "resolved_known"),
        ("escalation_rate", "escalated_tasks", "escalated_known"),
        ("rework_rate", "reworked_tasks", "tasks"),
        ("error_rate", "failed_calls", "calls"),
        ("review_minutes_per_task", "review_minutes", "tasks"),
    ):
        found[rate] = ratio(tasks[numerator], tasks[denominator])
    return found.assign(satisfaction=tasks["satisfaction"].astype("float64"), rated_tasks=tasks["rated_tasks"])
