"""Model use: what each model serves, what it costs, and what comes of it."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from finops_lib.inform.measures import count_requests, ratio, tally, total


def model_mix(costs: pd.DataFrame, usage: pd.DataFrame, *, by: Sequence[str] = ("model",)) -> pd.DataFrame:
    """Hold each model's share of the traffic against its share of the cost.

    Parameters
    ----------
    costs : DataFrame
        Ledger, one row per day × dimensions × SKU.
    usage : DataFrame
        Usage, one row per day × dimensions.
    by : sequence of str
        Dimensions of a row: ``("model",)`` or ``("model", "route")``.

    Returns
    -------
    DataFrame
        One row per combination, costliest first. Columns: the dimensions, ``requests`` (null where the
        source gives tokens only), ``share_of_requests``, ``input_tokens_per_request`` and
        ``output_tokens_per_request`` (billed tokens; input with cache, output with reasoning),
        ``contracted_cost`` (exact USD), ``share_of_cost``, ``cost_per_request`` (USD),
        ``unpriced_tokens``. Calls answered by the gateway's cache count as requests: they lower the
        cost of a request, which is what they are for.

    Raises
    ------
    SchemaError
        If a dimension is unknown.

    References
    ----------
    Requirement B2.
    """
    keys = list(by)
    mix = tally(costs, keys).merge(count_requests(usage, keys), on=keys, how="outer")
    inputs = mix["uncached_input_tokens"] + mix["cache_read_tokens"] + mix["cache_write_tokens"]
    mix["share_of_requests"] = ratio(mix["requests"], total(mix["requests"]))
    mix["input_tokens_per_request"] = ratio(inputs, mix["requests"])
    mix["output_tokens_per_request"] = ratio(mix["output_tokens"] + mix["reasoning_tokens"], mix["requests"])
    mix["share_of_cost"] = ratio(mix["contracted_cost"], total(mix["contracted_cost"]))
    mix["cost_per_request"] = ratio(mix["contracted_cost"], mix["requests"])
    mix = mix.sort_values(
        ["contracted_cost", "requests", *keys], ascending=[False, False, *[True] * len(keys)]
    ).reset_index(drop=True)
    return mix[
        [
            *keys,
            "requests",
            "share_of_requests",
            "input_tokens_per_request",
            "output_tokens_per_request",
            "contracted_cost",
            "share_of_cost",
            "cost_per_request",
            "unpriced_tokens",
        ]
    ]


def cost_per_successful_task(tasks: pd.DataFrame) -> pd.DataFrame:
    """Rank models, or workflows, by what a successful task costs with them.

    Parameters
    ----------
    tasks : DataFrame
        One row per value of its first column, e.g. ``model``: ``tasks`` and ``successful_tasks`` (tasks
        served by several are split by cost, so both may be fractions), ``cost`` and
        ``cost_of_successful_tasks`` (USD), ``known_tasks`` and ``known_cost`` (of the tasks that say whether they
        succeeded), ``success_definition`` (what made a task count as successful).

    Returns
    -------
    DataFrame
        The same rows, costliest success first, those without a success last. Adds
        ``unknown_tasks`` (that do not say), ``success_rate`` (of those that do), ``cost_per_task``,
        ``cost_per_successful_task`` (USD, failed tasks paid for), ``useful_share`` (share of the known cost spent
        on tasks that succeeded) and ``cost_without_result`` (USD of tasks that failed).

    Notes
    -----
    cost_per_successful_task = known_cost / successful_tasks: a task that does not say whether it succeeded is in
    neither.

    References
    ----------
    Requirement B2.

    Examples
    --------
    >>> row = {"model": "m", "tasks": 10.0, "successful_tasks": 8.0, "cost": 4.0,
    ...        "cost_of_successful_tasks": 3.0, "known_tasks": 10.0, "known_cost": 4.0,
    ...        "success_definition": "resolved"}
    >>> ranked = cost_per_successful_task(pd.DataFrame([row]))
    >>> ranked["cost_per_successful_task"].item(), ranked["useful_share"].item()
    (0.5, 0.75)
    """
    numbers = {
        name: tasks[name].astype("float64")
        for name in ("tasks", "successful_tasks", "cost", "cost_of_successful_tasks", "known_tasks", "known_cost")
    }
    ranked = tasks.assign(
        # sums of parts of tasks: what is left below a millionth is rounding
        unknown_tasks=(numbers["tasks"] - numbers["known_tasks"]).round(6),
        success_rate=ratio(numbers["successful_tasks"], numbers["known_tasks"]),
        cost_per_task=ratio(numbers["cost"], numbers["tasks"]),
        cost_per_successful_task=ratio(numbers["known_cost"], numbers["successful_tasks"]),
        useful_share=ratio(numbers["cost_of_successful_tasks"], numbers["known_cost"]),
        cost_without_result=numbers["known_cost"] - numbers["cost_of_successful_tasks"],
    )
    return ranked.sort_values(
        ["cost_per_successful_task", str(tasks.columns[0])], ascending=[False, True], na_position="last"
    ).reset_index(drop=True)
