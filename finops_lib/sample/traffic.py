"""Traffic: workflows become calls, one row each, from uniform random numbers and plain arithmetic only.

Powers, logarithms and library distributions are left out on purpose: they differ in the last digit between
machines, and the same seed must give the same calls everywhere.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from finops_lib.sample.organisation import (
    ACCOUNTS,
    CUSTOMERS,
    DAYS,
    PROVIDERS,
    PROVISIONED_FROM,
    PROVISIONED_MODEL,
    SEED,
    START,
    day_number,
)
from finops_lib.sample.plants import BURST, DRIFT, LEVEL, LOOPS, MIGRATION, MISSING, STORM, days_between
from finops_lib.sample.workflows import WORKFLOWS, Workflow

_SHARES = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 0.995, 1.0)
_SPREADS = {
    "narrow": (0.55, 0.72, 0.88, 1.0, 1.14, 1.4, 1.8, 2.2),
    "wide": (0.15, 0.28, 0.6, 1.0, 1.55, 2.9, 4.6, 6.0),
}
_DAY_MS = 86_400_000
_FIRST_MS = int(pd.Timestamp(START, tz="UTC").timestamp()) * 1000
_TAGGED_TWICE = 0.025
_CACHE_HOURS = 24


def spread(u: np.ndarray, median: float | np.ndarray, shape: str) -> np.ndarray:
    """Draw sizes around a median by a piecewise linear quantile function.

    Parameters
    ----------
    u : ndarray
        Uniform random numbers in [0, 1).
    median : float or ndarray
        Median size.
    shape : {"narrow", "wide"}
        Tails: the 95% quantile lies at 1.4 or 2.9 medians.

    Returns
    -------
    ndarray of int
        Sizes, rounded down.

    Examples
    --------
    >>> spread(np.array([0.5, 0.95]), 100, "wide").tolist()
    [100, 290]
    """
    return np.floor(np.interp(u, _SHARES, _SPREADS[shape]) * median + 1e-9).astype(np.int64)


def pick(u: np.ndarray, weights: dict[str, float]) -> np.ndarray:
    """Choose names by their weights.

    Parameters
    ----------
    u : ndarray
        Uniform random numbers in [0, 1).
    weights : dict
        Name → weight.

    Returns
    -------
    ndarray of str
        A name for each number.
    """
    steps = np.add.accumulate(np.array(list(weights.values())))
    position = np.searchsorted(steps, u * steps[-1], side="right")
    return np.array(list(weights), dtype=object)[np.minimum(position, len(weights) - 1)]


def generate_calls(seed: int = SEED, scale: float = 1.0) -> pd.DataFrame:
    """Generate every model call of the sample organisation.

    Parameters
    ----------
    seed : int
        Seed of the random numbers; each workflow has a stream of its own.
    scale : float
        Share of the tasks to make, for quick tests.

    Returns
    -------
    DataFrame
        One row per call or billed attempt, in order of time: what was done (``assistant`` … ``agent``), the
        disjoint token classes, ``start_ms`` and ``latency_ms``, the flags (null where not given), and ``logged``
        (false where the log has a gap).
    """
    frames = []
    for number, workflow in enumerate(WORKFLOWS):
        random = np.random.Generator(np.random.PCG64([seed, number])).random
        tasks = _tasks(workflow, random, scale)
        calls = _calls(workflow, tasks, random)
        calls["task"] = [f"{number:02d}{task:05x}" for task in calls["task_number"]]
        frames.append(_attempts(workflow, calls, random))
    calls = pd.concat(frames, ignore_index=True).sort_values(["start_ms", "task", "step", "retries"], kind="stable")
    # A run may go on after midnight; past the last day there is no sample.
    calls["day"] = (calls["start_ms"] - _FIRST_MS) // _DAY_MS
    calls = calls[calls["day"] < DAYS].reset_index(drop=True)
    calls["number"] = np.arange(len(calls))
    for name in ("assistant", "workflow", "team", "second_team", "customer", "agent"):
        calls[name] = calls[name].astype(object).where(calls[name].notna(), None)
    calls["cache_hit"] = _gateway_hits(calls, np.random.Generator(np.random.PCG64([seed, 999])).random)
    gap = calls["day"].isin(days_between(*MISSING))
    calls["logged"] = ~((calls["source"] == "litellm") & gap)
    return calls


def _tasks(workflow: Workflow, random: object, scale: float) -> pd.DataFrame:
    days = np.arange(DAYS)
    weekday = (START.weekday() + days) % 7
    rhythm = np.where(weekday >= 5, workflow.weekend, np.array([1.0, 1.06, 1.05, 1.0, 0.88, 0.0, 0.0])[weekday])
    mean = workflow.tasks_per_day * rhythm * (1 + workflow.growth * days / DAYS) * scale
    if workflow.assistant == "coding-assistant":
        mean[list(days_between(*BURST))] *= 14
    if workflow.assistant == "contract-extraction":
        mean[day_number(LEVEL[0]) :] *= LEVEL[1]
    count = np.floor(mean * (0.85 + 0.3 * random(DAYS)) + random(DAYS)).astype(int)
    day, total = np.repeat(days, count), int(count.sum())
    user = np.floor(random(total) * random(total) * workflow.users).astype(int)
    owner = user * 7919 % 997 / 997
    team = pick(owner, workflow.teams)
    staging, sandbox = workflow.environments
    environments = {"production": 1 - staging - sandbox, "staging": staging, "sandbox": sandbox}
    tasks = pd.DataFrame(
        {
            "task_number": np.arange(total),
            "day": day,
            "user": user,
            "team": np.where(random(total) < workflow.unattributed, None, team),
            "environment": pick(random(total), environments),
            "tagged": random(total) >= workflow.untagged,
            "steps": spread(random(total), workflow.steps + 0.5, "narrow" if workflow.steps < 3 else "wide").clip(
                1, 15
            ),
        }
    )
    twice = random(total) < (_TAGGED_TWICE if workflow.name == "ticket-answer" else 0)
    tasks["second_team"] = np.where(twice & (tasks["team"] == "cx-frontline"), "cx-backoffice", None)
    weights = {name: 4.0 if name == "customer-07" else 1.0 for name in CUSTOMERS}
    customer = pick(random(total), weights)
    tasks["customer"] = customer if workflow.customers else None
    hours, shares = workflow.hours
    tasks["begin_ms"] = np.floor(np.interp(random(total), shares, hours) * 3_600_000).astype(np.int64) + day * _DAY_MS
    if workflow.name == "account-brief":
        chosen = tasks.index[tasks["day"].isin(days_between(*LOOPS))][:14]
        tasks.loc[chosen, "steps"] = 20 + np.arange(len(chosen))
    # Some questions are asked again and again, the first ones most; the others only once.
    question = random(total)
    popular = np.floor(question * question * workflow.repeats).astype(int)
    asked = np.where(random(total) < 0.7, popular, 10_000 + tasks["task_number"])
    tasks["question"] = asked if workflow.repeats else -1
    return tasks


def _calls(workflow: Workflow, tasks: pd.DataFrame, random: object) -> pd.DataFrame:
    calls = tasks.loc[tasks.index.repeat(tasks["steps"])].reset_index(drop=True)
    total = len(calls)
    calls["step"] = calls.groupby("task_number").cumcount()
    last = calls["step"] == calls["steps"] - 1
    model = pick(random(total), workflow.models)
    if workflow.sandbox_models:
        model = np.where(calls["environment"] == "sandbox", pick(random(total), workflow.sandbox_models), model)
    if workflow.assistant == "knowledge-bot":
        model = np.where((calls["day"] >= day_number(MIGRATION[0])) & (model == MIGRATION[1]), MIGRATION[2], model)
    drifting = workflow.name == "ticket-answer"
    sizes = _tokens(workflow, calls, model, _drift() if drifting else np.ones(DAYS), random)
    calls = calls.assign(
        assistant=workflow.assistant or None,
        workflow=workflow.name or None,
        source=workflow.source,
        model=model,
        provider=pd.Series(model).map(PROVIDERS),
        account=ACCOUNTS[workflow.source],
        data_class=workflow.data_class,
        category=workflow.category,
        request_type=np.where(model == "rerank-2.5", "rerank", workflow.request_type),
        service_tier=workflow.service_tier,
        **sizes,
        retrieval_calls=workflow.retrievals,
        agent=workflow.assistant if workflow.tools else None,
    )
    late = calls["day"] >= day_number(DRIFT[0])
    calls["prompt_version"] = np.where(late & drifting, DRIFT[2], workflow.prompt_version)
    provisioned = (calls["model"] == PROVISIONED_MODEL) & (calls["day"] >= day_number(PROVISIONED_FROM))
    calls["service_tier"] = np.where(provisioned, "provisioned", calls["service_tier"])
    calls["tool_calls"] = np.where(last, 0, np.ceil(random(total) * 2 * workflow.tools)).astype(int)
    looping = (calls["steps"] >= 20) & (workflow.name == "account-brief")
    calls["tool_failures"] = np.minimum(calls["tool_calls"], random(total) < np.where(looping, 0.7, 0.06)).astype(int)
    inputs = calls[["uncached_input", "cache_read", "cache_write_5m", "cache_write_1h"]].sum(axis=1)
    work = 400 + 0.02 * inputs + 7 * (calls["visible_output"] + calls["reasoning"])
    calls["latency_ms"] = (np.floor(work * (0.4 + 0.6 * random(total)) / 100) * 100).astype(int)
    calls["start_ms"] = _FIRST_MS + calls["begin_ms"] + _waited(calls)
    return _flags(workflow, calls, last.to_numpy(), random)


def _tokens(
    workflow: Workflow, calls: pd.DataFrame, model: np.ndarray, factor: np.ndarray, random: object
) -> dict[str, np.ndarray]:
    """Draw the token classes of each call, input grown by its day's factor."""
    total, grown = len(calls), factor[calls["day"]]
    system = np.floor(workflow.system * grown).astype(np.int64)
    retrieved = np.floor(spread(random(total), workflow.context, workflow.context_shape) * grown).astype(np.int64)
    history = np.floor(spread(random(total), workflow.history, "narrow") * calls["step"] * grown).astype(np.int64)
    question = spread(random(total), workflow.question, "wide")
    cacheable = system + history + (retrieved // 2 if workflow.steps >= 3 else 0)
    # A conversation's later steps find its own prefix; a first step only what others left there.
    found = random(total) < np.where(calls["step"] > 0, min(1.0, workflow.cached + 0.1), workflow.cached)
    claude = pd.Series(model).str.contains("claude").to_numpy()
    read = np.where(found & (workflow.cached > 0), cacheable, 0)
    write = np.where(~found & claude & (workflow.cached > 0), cacheable, 0)
    output = np.maximum(1, spread(random(total), workflow.output, workflow.output_shape)) if workflow.output else 0
    thinks = ~pd.Series(model).str.contains("claude|gemini-2.5-flash|5.4-mini").to_numpy()
    return {
        "uncached_input": system + retrieved + history + question - read - write,
        "cache_read": read,
        "cache_write_5m": write if workflow.cache_lifetime == "5m" else 0 * write,
        "cache_write_1h": write if workflow.cache_lifetime == "1h" else 0 * write,
        "visible_output": output,
        "reasoning": np.where(thinks, spread(random(total), workflow.output * workflow.reasoning * 1.6, "wide"), 0),
        "retrieved_tokens": retrieved,
        "history_tokens": history,
    }


def _drift() -> np.ndarray:
    """Multiply by the daily growth from its first day on; repeated products, no powers."""
    growth = np.ones(DAYS)
    for day in range(day_number(DRIFT[0]), DAYS):
        growth[day] = growth[day - 1] * DRIFT[1]
    return growth


def _waited(calls: pd.DataFrame) -> pd.Series:
    """Let each step begin after the ones before it, with a moment in between."""
    spent = calls["latency_ms"] + 900
    return spent.groupby(calls["task_number"]).cumsum() - spent


def _flags(workflow: Workflow, calls: pd.DataFrame, last: np.ndarray, random: object) -> pd.DataFrame:
    total = len(calls)
    u = random(total)
    ended = np.where(u < workflow.abandoned, "abandoned", np.where(u > 1 - workflow.blocked, "blocked", "ok"))
    calls["run_status"] = np.where(last, ended, "ok")
    fine = last & (calls["run_status"] == "ok").to_numpy() & (workflow.category == "production")
    looping = ((calls["steps"] >= 20) & (workflow.name == "account-brief")).to_numpy()
    resolved = (random(total) < (workflow.resolved or 0)) & ~looping
    calls["resolved"] = _given(fine & (workflow.resolved is not None), resolved)
    agreed = random(total) < (workflow.accepted or 0)
    calls["accepted"] = _given(fine & (workflow.accepted is not None), agreed & ~looping)
    handed = ~resolved & (random(total) < (workflow.escalated or 0))
    calls["escalated"] = _given(fine & (workflow.escalated is not None), handed)
    rated = fine & workflow.satisfaction & (random(total) < 0.2)
    calls["satisfaction"] = np.where(rated, np.ceil(random(total) * 2) + np.where(resolved, 3, 1), np.nan)
    reviewed = fine & (random(total) < 0.35) & (workflow.review_minutes > 0)
    minutes = spread(random(total), workflow.review_minutes, "wide")
    calls["review_minutes"] = np.where(reviewed, np.maximum(1, minutes), np.nan)
    calls.loc[(calls["run_status"] == "blocked"), ["visible_output", "reasoning"]] = 0
    return calls


def _given(known: np.ndarray, value: np.ndarray) -> pd.array:
    """Keep a flag only where it is known."""
    return pd.array(np.where(known, value, None), dtype="boolean")


def _attempts(workflow: Workflow, calls: pd.DataFrame, random: object) -> pd.DataFrame:
    """Put failed attempts, with the tokens they burnt, before the calls they belong to."""
    total = len(calls)
    storm = calls["day"].isin(days_between(*STORM)).to_numpy() & (workflow.name == "ticket-answer")
    failed = random(total) < np.where(storm, 0.45, workflow.failures)
    times = np.where(failed, np.where(storm, 1 + np.floor(random(total) * 3), 1), 0).astype(int)
    repeated = calls.loc[calls.index.repeat(times + 1)].reset_index(drop=True)
    attempt = repeated.groupby(["task_number", "step"]).cumcount()
    is_last = attempt.to_numpy() == np.repeat(times, times + 1)
    repeated["retries"] = attempt
    repeated["start_ms"] += attempt * 250
    repeated["run_status"] = np.where(is_last, repeated["run_status"], "error")
    cut = ~is_last
    repeated.loc[cut, "visible_output"] = repeated.loc[cut, "visible_output"] // 12
    repeated.loc[cut, "reasoning"] = 0
    repeated.loc[cut, ["tool_calls", "tool_failures"]] = 0
    for flag in ("resolved", "accepted", "escalated"):
        repeated.loc[cut, flag] = pd.NA
    repeated.loc[cut, ["satisfaction", "review_minutes"]] = np.nan
    return repeated


def _gateway_hits(calls: pd.DataFrame, random: object) -> np.ndarray:
    """Answer a question from the gateway's cache when it was asked within hours before, mostly."""
    asked = calls.loc[(calls["question"] >= 0) & (calls["step"] == 0) & (calls["run_status"] == "ok")]
    since = asked["start_ms"] - asked.groupby(["workflow", "question"])["start_ms"].shift()
    hit = (since < _CACHE_HOURS * 3_600_000) & (random(len(asked)) < 0.7) & (asked["retries"] == 0)
    hits = np.zeros(len(calls), dtype=bool)
    hits[asked.index[hit]] = True
    return hits
