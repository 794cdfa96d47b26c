"""Sensitivity: what small changes of how an assistant works would cost in a month, from its own measured drivers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from finops_lib.inform.drivers.scenarios import known_days, last_weeks, monthly_pace
from finops_lib.inform.scope import DAYS_A_MONTH, UNATTRIBUTED, dimension_values
from finops_lib.schema import INPUT_CLASSES
from finops_lib.settings import ModelCatalogue

SYSTEM_TOKENS = 600
_RETRIEVED, _RETRIES, _FRONTIER, _STEPS = (8000, 4), (0.25, 5), (0.30, 3), (6, 2)
"""Far end of the usual range (practice), and by which factor that lies above its near end."""
_DEAREST_TIERS = ("reasoning", "frontier")
_TAGGED = "log '{0}' with the calls"


@dataclass(frozen=True)
class _Change:
    driver: str
    unit: str
    start: float | None
    end: float | None
    cost: float | None
    comment: str = ""


def sensitivity(
    costs: pd.DataFrame,
    usage: pd.DataFrame,
    as_of: date | None,
    *,
    models: ModelCatalogue | None = None,
    runs: pd.DataFrame | None = None,
    cache_target: float = 0.5,
) -> pd.DataFrame:
    """Price the inefficiencies that creep in, one at a time, and rank them.

    Parameters
    ----------
    costs, usage : DataFrame
        Ledger and usage of one scope; the last four weeks up to ``as_of`` count.
    as_of : date or None
        Last complete day.
    models : ModelCatalogue, optional
        Tells which models are frontier or reasoning models.
    runs : DataFrame, optional
        Agent runs of any span: ``agent_steps``, ``model_calls``, ``cost`` (USD).
    cache_target : float
        Share of input tokens that should be read from the prompt cache.

    Returns
    -------
    DataFrame
        One row per driver, dearest first, unknown ones last: ``driver``, ``unit``, ``measured`` and ``becomes`` (in
        ``unit``), ``cost_per_month`` (USD more, null when not known), ``share_of_cost``, ``comment`` (what is not
        measured and what would add it).

    Notes
    -----
    Each driver goes to the far end of its usual range; one that is there already goes on by the range's own factor
    (2,000 to 8,000 retrieved tokens is × 4, retries 5 to 25% × 5, frontier share 10 to 30% × 3, steps 3 to 6 × 2).
    Added input is priced at the input's mix of cached and fresh tokens; a retry costs what a call costs; steps cost
    in proportion, which is a lower bound where each step carries the history.

    References
    ----------
    Requirement D5.
    """
    pace = monthly_pace(costs, usage, as_of)
    changes: list[_Change] = []
    total = pace[["input_cost", "output_cost", "other_cost"]].to_numpy(dtype="float64").sum()
    if as_of is not None and total > 0:
        recent, used = last_weeks(costs, as_of), last_weeks(usage, as_of)
        month = DAYS_A_MONTH / known_days(costs, as_of)
        input_price = _over(pace["input_cost"].sum(), pace["input_tokens"].sum())
        changes = [
            _prompt(pace, used, input_price),
            _retrieval(used, month, input_price),
            _retries(used, pace["calls"].sum(), total),
            _frontier(pace, models),
            _steps(runs, recent, month),
            _cache(recent, month, cache_target),
        ]
    columns = {
        "driver": [change.driver for change in changes],
        "unit": [change.unit for change in changes],
        "measured": pd.array([change.start for change in changes], dtype="Float64"),
        "becomes": pd.array([change.end for change in changes], dtype="Float64"),
        "cost_per_month": pd.array([change.cost for change in changes], dtype="Float64"),
        "comment": [change.comment for change in changes],
    }
    table = pd.DataFrame(columns)
    table["share_of_cost"] = table["cost_per_month"] / total if len(table) else pd.array([], dtype="Float64")
    return table.sort_values("cost_per_month", ascending=False, na_position="last", kind="stable", ignore_index=True)


def _prompt(pace: pd.DataFrame, used: pd.DataFrame, input_price: float | None) -> _Change:
    calls, system = pace["calls"].sum(), _sum(used, "system_tokens")
    name, unit = f"{SYSTEM_TOKENS} more tokens of system prompt", "tokens a call"
    if not calls or input_price is None:
        return _Change(name, unit, None, None, None, "calls are not counted: a gateway log or traces count them")
    start = _over(system, _sum(used, "request_count")) if system else None
    end = None if start is None else start + SYSTEM_TOKENS
    return _Change(name, unit, start, end, calls * SYSTEM_TOKENS * input_price)


def _retrieval(used: pd.DataFrame, month: float, input_price: float | None) -> _Change:
    name, unit, (far, factor) = "more retrieved context", "tokens a call with retrieval", _RETRIEVED
    retrieved = used["retrieved_tokens"].astype("float64").fillna(0.0) if "retrieved_tokens" in used else None
    if retrieved is None or not retrieved.sum() or input_price is None:
        return _Change(name, unit, None, None, None, _TAGGED.format("retrieved_tokens"))
    calls = used["request_count"].astype("float64")[(retrieved > 0).to_numpy(bool)].sum()
    start = _over(retrieved.sum(), calls)
    if start is None:
        return _Change(name, unit, None, None, None, "calls are not counted: a gateway log or traces count them")
    end = max(float(far), start * factor)
    return _Change(name, unit, start, end, (end - start) * calls * month * input_price)


def _retries(used: pd.DataFrame, calls: float, total: float) -> _Change:
    name, unit, (far, factor) = "more retries", "retries a call", _RETRIES
    known = "retries" in used and used["retries"].notna().any()
    start = _over(_sum(used, "retries"), _sum(used, "request_count")) if known else None
    if start is None or not calls:
        return _Change(name, unit, None, None, None, _TAGGED.format("retries"))
    end = max(far, start * factor)
    return _Change(name, unit, start, end, (end - start) / (1 + start) * total)


def _frontier(pace: pd.DataFrame, models: ModelCatalogue | None) -> _Change:
    name, unit, (far, factor) = "more calls on frontier models", "share of calls", _FRONTIER
    is_dear = np.array([(models or ModelCatalogue()).tier_of(model) in _DEAREST_TIERS for model in pace["model"]], bool)
    dearest, others = pace[is_dear], pace[~is_dear]
    tokens = ["input_tokens", "output_tokens"]
    if dearest[tokens].to_numpy().sum() == 0 or not pace["calls"].sum():
        comment = "no frontier or reasoning model is in use, so what it would cost here is not measured"
        return _Change(name, unit, 0.0 if len(pace) else None, None, None, comment)
    start = dearest["calls"].sum() / pace["calls"].sum()
    end = min(1.0, max(far, start * factor))
    if others.empty or not others["calls"].sum():
        return _Change(name, unit, start, start, 0.0, "all calls are on frontier models already")
    rates = [
        _over(dearest[f"{part}_cost"].sum(), dearest[f"{part}_tokens"].sum()) or 0.0 for part in ("input", "output")
    ]
    per_call = others[tokens].sum() / others["calls"].sum()
    paid = others[["input_cost", "output_cost"]].to_numpy().sum() / others["calls"].sum()
    dearer = per_call["input_tokens"] * rates[0] + per_call["output_tokens"] * rates[1] - paid
    return _Change(name, unit, start, end, (end - start) * pace["calls"].sum() * dearer)


def _steps(runs: pd.DataFrame | None, recent: pd.DataFrame, month: float) -> _Change:
    name, unit, (far, factor) = "more steps of agents", "model calls a run", _STEPS
    steps = runs["model_calls"].astype("float64") if runs is not None and len(runs) else pd.Series([], dtype="float64")
    if not steps.sum():
        return _Change(name, unit, None, None, None, "no source has the steps of agents: traces add them")
    by_agent = (dimension_values(recent, "agent") != UNATTRIBUTED).to_numpy(bool)
    agents = recent[by_agent]["contracted_cost"].astype("float64").sum()
    start = float(steps.mean())
    end = max(float(far), start * factor)
    cost = agents * month if agents else float(runs["cost"].astype("float64").sum())
    return _Change(name, unit, start, end, (end / start - 1) * cost)


def _cache(recent: pd.DataFrame, month: float, target: float) -> _Change:
    name, unit = "cache hits below target", "share of input tokens"
    inputs = recent[recent["token_class"].isin(list(INPUT_CLASSES)).to_numpy(bool) & recent["contracted_cost"].notna()]
    kind = inputs["token_class"].astype(object).where((inputs["token_class"] == "cache_read").to_numpy(bool), "fresh")
    sums = inputs[["pricing_quantity", "contracted_cost"]].astype("float64").groupby(kind).sum()
    read = sums["pricing_quantity"].get("cache_read", 0.0)
    if not read:
        return _Change(name, unit, 0.0, None, None, "nothing is read from a prompt cache, so its price is not measured")
    prices = sums["contracted_cost"] / sums["pricing_quantity"]
    tokens = sums["pricing_quantity"].sum()
    start, dearer = read / tokens, prices.get("fresh", 0.0) - prices["cache_read"]
    if start < target:
        comment = f"already below the target of {target:.0%}: what is lost against it"
        return _Change(name, unit, start, target, (target - start) * tokens * month * dearer, comment)
    lost = start / 2 * tokens * month * dearer
    return _Change("fewer cache hits", unit, start, start / 2, lost, "the target is met; if half of the hits were lost")


def _sum(frame: pd.DataFrame, name: str) -> float:
    return float(frame[name].astype("float64").sum()) if name in frame.columns else 0.0


def _over(numerator: float, denominator: float) -> float | None:
    return float(numerator / denominator) if denominator else None
