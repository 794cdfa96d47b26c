"""Launch profile: what an assistant was expected to cost from its plan alone, and why it costs something else."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd

from finops_lib.inform.measures import ratio
from finops_lib.inform.scope import days
from finops_lib.settings import Plan

_RETRIEVAL = ("embeddings", "rerank")
_TOKENS = {
    "prompt": ("uncached_input", "audio_input", "cache_read", "cache_read_audio", "cache_write_5m", "cache_write_1h"),
    "answer": ("output", "audio_output", "reasoning"),
}


def launch_profile(plan: Plan | None, prices: pd.DataFrame) -> pd.DataFrame:
    """Estimate a month from the plan: users × requests × tokens × model mix × price + retrieval + buffers.

    Parameters
    ----------
    plan : Plan or None
        What the launch was planned with; nothing without one.
    prices : DataFrame
        ``model``, ``token_class`` and ``unit_price`` (USD a token) of the planned models.

    Returns
    -------
    DataFrame
        One row per line: ``line``, ``plan`` (value), ``unit``, ``how`` (in words). The costs are the lines in USD a
        month; the last is their sum. Null where a planned model has no price.

    Notes
    -----
    calls = users × requests × working days; prompts = calls × prompt tokens × Σ share·price, answers likewise;
    retrieval = calls × retrieval calls × price; buffer for retrieval = its share × (prompts + retrieval); buffer for
    retries = its share × everything before it.

    References
    ----------
    Requirement B8.

    Examples
    --------
    >>> plan = Plan(users=100, requests_per_user_day=5, working_days=20, prompt_tokens=2000, answer_tokens=500,
    ...             models={"large": 1.0}, retrieval_buffer=0.1, retry_buffer=0.05)
    >>> prices = pd.DataFrame({"model": ["large", "large"], "token_class": ["uncached_input", "output"],
    ...                        "unit_price": [2e-6, 1e-5]})
    >>> float(round(launch_profile(plan, prices)["plan"].iloc[-1], 6))
    98.7
    """
    columns = ["line", "plan", "unit", "how"]
    if plan is None:
        return pd.DataFrame(columns=columns)
    calls = plan.users * plan.requests_per_user_day * plan.working_days
    rate = _planned_rates(plan, prices)
    prompts, answers = calls * plan.prompt_tokens * rate["prompt"], calls * plan.answer_tokens * rate["answer"]
    retrieval = calls * plan.retrieval_calls * float(plan.retrieval_price)
    more_context = plan.retrieval_buffer * (prompts + retrieval)
    repeats = plan.retry_buffer * (prompts + answers + retrieval + more_context)
    mix = ", ".join(f"{model} {part:.0%}" for model, part in plan.models.items())
    unpriced = sorted(set(plan.models) - set(prices["model"]))
    mix += f"; no price: {', '.join(unpriced)}" if unpriced else ""
    needs = f"depends on {', '.join(plan.dependencies)}" if plan.dependencies else "no dependency named"
    sources = ", ".join(plan.retrieval_sources) or "no source named"
    rows = [
        ("users", plan.users, "users", needs),
        ("calls", calls, "calls a month", f"{plan.requests_per_user_day:g} a user on {plan.working_days} working days"),
        ("prompt", plan.prompt_tokens, "tokens a call", "input with context and history"),
        ("answer", plan.answer_tokens, "tokens a call", "output"),
        ("cost of prompts", prompts, "USD a month", mix),
        ("cost of answers", answers, "USD a month", mix),
        ("retrieval", retrieval, "USD a month", f"{plan.retrieval_calls:g} a call; {sources}"),
        ("buffer for retrieval", more_context, "USD a month", f"{plan.retrieval_buffer:.0%} of prompts and retrieval"),
        ("buffer for retries", repeats, "USD a month", f"{plan.retry_buffer:.0%} of all above"),
        ("total", prompts + answers + retrieval + more_context + repeats, "USD a month", "sum of the costs"),
    ]
    return pd.DataFrame(rows, columns=columns).astype({"plan": "float64"})


def plan_against_actual(
    plan: Plan | None,
    prices: pd.DataFrame,
    costs: pd.DataFrame,
    usage: pd.DataFrame,
    *,
    span: tuple[date, date] | None = None,
    users: float | None = None,
) -> pd.DataFrame:
    """Hold the plan against what came, line by line; a span of days counts as the month it would make.

    Parameters
    ----------
    plan : Plan or None
        What the launch was planned with; nothing without one.
    prices : DataFrame
        As for ``launch_profile``.
    costs, usage : DataFrame
        Ledger and usage of the assistant.
    span : (date, date), optional
        First and last day; without it those of the pilot, if there was one.
    users : float, optional
        Distinct users of the span, where they were counted.

    Returns
    -------
    DataFrame
        The lines of ``launch_profile`` with ``actual``, ``over_plan`` and ``against_plan`` (share; null where nothing
        was planned). Buffers have no actual: what they were kept for is in the other lines.
    """
    columns = ["line", "unit", "plan", "actual", "over_plan", "against_plan", "how"]
    span = span or _pilot(plan)
    if plan is None or span is None:
        return pd.DataFrame(columns=columns)
    table, scale, seen = launch_profile(plan, prices), _month_of(plan, *span), _observed(costs, usage, *span)
    calls = seen["calls"]
    actual = {
        "users": users or np.nan,
        "calls": calls * scale,
        "prompt": seen["prompt_tokens"] / calls if calls else np.nan,
        "answer": seen["answer_tokens"] / calls if calls else np.nan,
        "cost of prompts": seen["prompt_cost"] * scale,
        "cost of answers": seen["answer_cost"] * scale,
        "retrieval": seen["retrieval_cost"] * scale,
        "total": seen["cost"] * scale,
    }
    table["actual"] = table["line"].map(actual).astype("float64")
    table["over_plan"] = table["actual"] - table["plan"]
    table["against_plan"] = ratio(table["over_plan"], table["plan"])
    return table[columns]


def plan_bridge(
    plan: Plan | None,
    prices: pd.DataFrame,
    costs: pd.DataFrame,
    usage: pd.DataFrame,
    *,
    span: tuple[date, date] | None = None,
) -> pd.DataFrame:
    """Say what drove the difference between plan and actual; the effects add up to it.

    Parameters
    ----------
    plan, prices, costs, usage, span
        As for ``plan_against_actual``.

    Returns
    -------
    DataFrame
        ``step`` (plan, volume, length, mix, price, retrieval, buffers, actual), ``amount`` (USD a month),
        ``is_total``. Empty when a planned model or none of the calls has a price.

    Notes
    -----
    With N calls, p and a tokens of prompt and answer, and R the planned blended prices, one after the other:
    volume = ΔN · (p·Rp + a·Ra) at the plan; length = N₁ · (Δp·Rp + Δa·Ra); mix = the actual tokens of each model at
    today's list of plan prices less the same tokens at R; price = what they cost less that (discounts, caching,
    tiers; models that were not planned keep their own price, as mix).
    """
    span, nothing = span or _pilot(plan), pd.DataFrame({"step": [], "amount": [], "is_total": []})
    if plan is None or span is None:
        return nothing
    seen, rate, scale = _observed(costs, usage, *span), _planned_rates(plan, prices), _month_of(plan, *span)
    if not seen["calls"] or np.isnan(
        sum(rate.values()) + seen["prompt_cost"] + seen["answer_cost"] + seen["retrieval_cost"]
    ):
        return nothing
    planned = launch_profile(plan, prices).set_index("line")["plan"]
    calls = seen["calls"] * scale
    at_plan = plan.prompt_tokens * rate["prompt"] + plan.answer_tokens * rate["answer"]
    tokens_at_plan = scale * (seen["prompt_tokens"] * rate["prompt"] + seen["answer_tokens"] * rate["answer"])
    tokens_at_list = scale * _at_plan_prices(seen["by_model"], prices)
    models = scale * (seen["prompt_cost"] + seen["answer_cost"])
    steps = {
        "plan": planned["total"],
        "volume": (calls - planned["calls"]) * at_plan,
        "length": tokens_at_plan - calls * at_plan,
        "mix": tokens_at_list - tokens_at_plan,
        "price, cache, discounts": models - tokens_at_list,
        "retrieval and other": scale * seen["cost"] - models - planned["retrieval"],
        "buffers not needed": -(planned["buffer for retrieval"] + planned["buffer for retries"]),
        "actual": scale * seen["cost"],
    }
    table = pd.DataFrame({"step": list(steps), "amount": list(steps.values())})
    return table.assign(is_total=table["step"].isin(["plan", "actual"]))


def _pilot(plan: Plan | None) -> tuple[date, date] | None:
    return (plan.pilot.first_day, plan.pilot.last_day) if plan and plan.pilot else None


def _planned_rates(plan: Plan, prices: pd.DataFrame) -> dict[str, float]:
    """Blend the prices of a prompt and an answer token by the planned mix; NaN where one is not known."""
    units = prices.set_index(["model", "token_class"])["unit_price"].astype("float64")
    return {
        part: float(sum(share * units.get((model, token), np.nan) for model, share in plan.models.items() if share))
        for part, token in (("prompt", "uncached_input"), ("answer", "output"))
    }


def _observed(costs: pd.DataFrame, usage: pd.DataFrame, first_day: date, last_day: date) -> dict[str, object]:
    """Sum the span's calls, tokens and costs, retrieval apart."""
    span = pd.Timestamp(first_day), pd.Timestamp(last_day)
    costs, usage = (frame[days(frame).between(*span)] for frame in (costs, usage))
    retrieving = costs["request_type"].isin(_RETRIEVAL).astype(bool)
    money = costs["contracted_cost"].astype("float64")
    quantity = costs["pricing_quantity"].astype("float64").fillna(0)
    kind = costs["token_class"].astype(str).map({name: part for part, names in _TOKENS.items() for name in names})
    kind = kind.mask(retrieving)
    calls = usage.loc[~usage["request_type"].isin(_RETRIEVAL).astype(bool), "request_count"].astype("float64").sum()
    by_model = quantity.groupby([costs["model"].astype(str), kind]).sum().rename("tokens").reset_index()
    by_model.columns = ["model", "part", "tokens"]
    by_model["cost"] = money.groupby([costs["model"].astype(str), kind]).sum().to_numpy()
    return {
        "calls": float(calls),
        "cost": _known(money),
        "retrieval_cost": _known(money[retrieving]),
        "by_model": by_model,
        **{f"{part}_tokens": float(quantity[kind == part].sum()) for part in _TOKENS},
        **{f"{part}_cost": _known(money[kind == part]) for part in _TOKENS},
    }


def _known(money: pd.Series) -> float:
    """Add up what is priced; NaN where there is something and none of it has a price."""
    return float(money.sum(min_count=1)) if len(money) else 0.0


def _at_plan_prices(by_model: pd.DataFrame, prices: pd.DataFrame) -> float:
    """Price the tokens of each model as the plan would; a model that was not planned at its own cost."""
    token = by_model["part"].map({"prompt": "uncached_input", "answer": "output"})
    keys = pd.MultiIndex.from_arrays([by_model["model"], token])
    units = prices.set_index(["model", "token_class"])["unit_price"].astype("float64").reindex(keys).to_numpy()
    return float(np.where(np.isnan(units), by_model["cost"], by_model["tokens"] * units).sum())


def _month_of(plan: Plan, first_day: date, last_day: date) -> float:
    """Months of working days per span: one for a whole month."""
    held = np.busday_count(first_day, np.datetime64(last_day) + 1)
    whole = pd.Period(first_day, "M")
    if (whole.start_time.date(), whole.end_time.date()) == (first_day, last_day):
        return 1.0
    return plan.working_days / int(held) if held else 1.0
