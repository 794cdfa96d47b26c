"""Further answers: what a review of all assistants asks beyond the first four questions."""

from __future__ import annotations

import pandas as pd

from finops_lib.inform.scope import dimension_values
from finops_lib.optimize.routing.policy import ROUTINE

_FURTHER = ("question", "answer", "how_much", "unit", "what_adds_it")


def further_answers(
    usage: pd.DataFrame, wasted: pd.DataFrame, breaches: pd.DataFrame, tasks: pd.DataFrame
) -> pd.DataFrame:
    """Answer what a review of all assistants asks beyond the first four questions.

    Parameters
    ----------
    usage : DataFrame
        Usage of the month.
    wasted : DataFrame
        As ``ingest.wasted_requests`` returns it.
    breaches : DataFrame
        As ``optimize.routing_breaches`` returns it.
    tasks : DataFrame
        As ``ingest.task_quality`` returns it, by workflow.

    Returns
    -------
    DataFrame
        One row per question: ``question``, ``answer`` (null where it is not known), ``how_much``, ``unit``,
        ``what_adds_it`` (where the answer is not known).

    References
    ----------
    Requirement H1.
    """
    abandoned = wasted[(wasted["call_class"] == "abandoned") & wasted["workflow"].notna()]
    cost = abandoned["cost"].astype("float64").groupby(abandoned["workflow"]).sum()
    dear = breaches[(breaches["breach"] == ROUTINE) & (breaches["exception"] != "active")]
    calls = usage.assign(n=usage["request_count"].astype("float64").fillna(0))
    blocked = calls[(calls["run_status"] == "blocked").fillna(False).astype(bool)]
    known = calls[calls["user_group"].notna()]
    again = known[known["retries"].fillna(0) > 0].groupby("user_group")["retries"].sum().astype("float64")
    retried = (again / known.groupby("user_group")["n"].sum()).dropna()
    answers = [
        ("Which workflow has the highest abandoned cost?", *_top(cost), "USD in the month", "a run status on calls"),
        ("Which department uses premium models for routine work?", *_top(_of_department(usage, dear)),
         "USD a month too much", "a routing policy in the assistant's parameters"),
        ("Which route has the most blocked calls?", *_top(blocked.groupby("route")["n"].sum()), "calls",
         "blocked calls in the gateway's log"),
        ("Which group's retries call for training?", *_top(retried), "retries a call",
         "user groups and retries on calls"),
        ("Which retrieval workflow costs much and is accepted seldom?", *_seldom_accepted(usage, tasks),
         "% of its answers accepted", "retrieved tokens, and what users accepted"),
    ]  # fmt: skip
    table = pd.DataFrame(answers, columns=list(_FURTHER)).astype({"how_much": "float64"})
    table["what_adds_it"] = table["what_adds_it"].where(table["answer"].isna(), None)
    return table


def _of_department(usage: pd.DataFrame, dear: pd.DataFrame) -> pd.Series:
    """Give what a dear model cost too much to the departments by their calls of that workflow and model."""
    if dear.empty:
        return pd.Series(dtype="float64")
    calls = usage["request_count"].astype("float64").fillna(0)
    by = [dimension_values(usage, name).rename(name) for name in ("assistant", "workflow", "model", "department")]
    made = calls.groupby(by).sum().rename("calls").reset_index()
    made["part"] = made["calls"] / made.groupby(["assistant", "workflow", "model"])["calls"].transform("sum")
    lost = dear.groupby(["assistant", "workflow", "model"], as_index=False)["breach_cost"].sum()
    joined = made.astype(dict.fromkeys(["assistant", "workflow", "model"], str)).merge(
        lost.astype(dict.fromkeys(["assistant", "workflow", "model"], str)), on=["assistant", "workflow", "model"]
    )
    return (joined["part"] * joined["breach_cost"]).groupby(joined["department"]).sum()


def _seldom_accepted(usage: pd.DataFrame, tasks: pd.DataFrame) -> tuple[str | None, float | None]:
    """Choose, among the workflows that retrieve and cost more than the middle one, the one accepted least."""
    retrieving = usage.loc[usage["retrieved_tokens"].fillna(0) > 0, "workflow"].dropna().unique()
    found = tasks[tasks["workflow"].isin(retrieving) & (tasks["accepted_known"].fillna(0) > 0)]
    if found.empty:
        return None, None
    cost = found["cost"].astype("float64")
    found = found[cost >= cost.median()]
    rate = found["accepted_tasks"].astype("float64") / found["accepted_known"].astype("float64")
    return str(found.loc[rate.idxmin(), "workflow"]), 100 * float(rate.min())


def _top(values: pd.Series) -> tuple[str | None, float | None]:
    """Name the largest value above zero."""
    numbers = values.astype("float64")
    if not len(numbers) or not numbers.max() > 0:
        return None, None
    return str(numbers.idxmax()), float(numbers.max())
