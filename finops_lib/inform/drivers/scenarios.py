"""Scenarios: what a month would cost if adoption, context, prices or levers were others than today."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from math import prod
from typing import Any

import pandas as pd

from finops_lib.inform.drivers.history import RECENT_DAYS, served_from_cache
from finops_lib.inform.measures import count_requests, tally
from finops_lib.inform.scope import DAY, DAYS_A_MONTH, filter_scope
from finops_lib.schema import INPUT_CLASSES, OUTPUT_CLASSES
from finops_lib.settings import Scenario

_PARTS = ("input", "output", "other")
_PART_OF = dict.fromkeys(INPUT_CLASSES, "input") | dict.fromkeys(OUTPUT_CLASSES, "output")


def monthly_pace(costs: pd.DataFrame, usage: pd.DataFrame, as_of: date | None) -> pd.DataFrame:
    """Bring the last four weeks to a month of average length: what scenarios and sensitivities start from.

    Parameters
    ----------
    costs, usage : DataFrame
        Ledger and usage of one scope.
    as_of : date or None
        Last complete day; fewer than 28 days of data count as they are.

    Returns
    -------
    DataFrame
        One row per model with a price: ``model``, ``calls`` (billed), ``input_tokens``, ``output_tokens`` and
        ``input_cost``, ``output_cost``, ``other_cost`` (USD) a month.
    """
    names = ["calls", "input_tokens", "output_tokens", "input_cost", "output_cost", "other_cost"]
    if as_of is None or costs.empty:
        return pd.DataFrame({"model": pd.Series([], dtype=object)} | {name: [] for name in names})
    recent, used = (last_weeks(frame, as_of) for frame in (costs, usage))
    part = recent["token_class"].astype(object).map(_PART_OF).fillna("other").rename("part")
    summed = tally(recent, ["model", part])
    priced = summed[summed["contracted_cost"].notna()].astype({"tokens": "float64", "contracted_cost": "float64"})
    wide = priced.pivot_table(
        index="model", columns="part", values=["tokens", "contracted_cost"], aggfunc="sum", fill_value=0.0
    ).reindex(columns=pd.MultiIndex.from_product([["tokens", "contracted_cost"], _PARTS]), fill_value=0.0)
    served = used[~served_from_cache(used)]
    calls = count_requests(served, ["model"]).astype({"model": object}).set_index("model")["requests"].astype("float64")
    pace = pd.DataFrame({"calls": calls.reindex(wide.index).fillna(0.0)})
    pace["input_tokens"], pace["output_tokens"] = wide["tokens", "input"], wide["tokens", "output"]
    for name in _PARTS:
        pace[f"{name}_cost"] = wide["contracted_cost", name]
    pace *= DAYS_A_MONTH / known_days(costs, as_of)
    return pace.rename_axis("model").reset_index()


def last_weeks(frame: pd.DataFrame, as_of: date) -> pd.DataFrame:
    """Keep the last four weeks up to a day."""
    return filter_scope(frame, period=(as_of - timedelta(days=RECENT_DAYS - 1), as_of))


def known_days(costs: pd.DataFrame, as_of: date) -> int:
    """Count the days, at most four weeks, that the data covers up to ``as_of``; at least one."""
    first = pd.to_datetime(costs[DAY]).min().date()
    return max(1, min(RECENT_DAYS, (as_of - first).days + 1))


def scenario_table(
    pace: pd.DataFrame,
    scenarios: Sequence[Scenario],
    as_of: date | None = None,
    *,
    prices: pd.DataFrame | None = None,
    year_start: int = 1,
) -> pd.DataFrame:
    """Hold what-if cases against today.

    Parameters
    ----------
    pace : DataFrame
        From ``monthly_pace``.
    scenarios : sequence of Scenario
        The cases, in order.
    as_of : date, optional
        Last complete day: a case without a date begins the day after.
    prices : DataFrame, optional
        ``model``, ``token_class``, ``unit_price`` (USD per token) of models that calls move to and nobody uses yet.
    year_start : int
        First month of the financial year.

    Returns
    -------
    DataFrame
        The row ``today``, then one row a case: ``scenario``, ``effective_from``, ``calls`` a month,
        ``tokens_per_call``, ``rate_per_1k`` (USD per 1,000 tokens), ``cost_per_month`` (USD), ``change`` against
        today (share), ``by_year_end`` (USD more or less until then), ``swing`` (USD a month: what is between the
        dearest case and this one at the same number of calls, so what can be done about it), ``comment``. A switch
        to a model whose price is not known leaves the money null and says so. ``attrs["addressable_swing"]`` is
        the largest of them (USD a month; null with fewer than two such cases).

    Notes
    -----
    calls × (1 + adoption) × (1 + fan-out); tokens × (1 + growth), or scaled to ``tokens_per_call``; cost follows the
    tokens, × (1 + price change), or tokens × ``rate_per_1k``; then × Π (1 − saving of each lever).

    References
    ----------
    Requirement D2.
    """
    rows = [_row("today", pace, None, "")]
    today = rows[0]["cost_per_month"]
    for scenario in scenarios if len(pace) else ():
        changed, comment = _applied(pace, scenario, prices)
        row = _row(scenario.name, changed, scenario.effective_from, comment)
        if comment:
            row |= {"cost_per_month": None, "rate_per_1k": None}
        elif as_of:
            month = pd.Period(as_of, freq="M")
            last = (month + (year_start - 1 - month.month) % 12).end_time.date()
            begins = max(scenario.effective_from or as_of, as_of + timedelta(days=1))
            days_left = max((last - begins).days + 1, 0)
            row["by_year_end"] = (row["cost_per_month"] - today) / DAYS_A_MONTH * days_left
        row["change"] = row["cost_per_month"] / today - 1 if today and not comment else None
        rows.append(row)
    table = pd.DataFrame(rows)
    floats = ["calls", "tokens_per_call", "rate_per_1k", "cost_per_month", "change", "by_year_end"]
    table = table.astype(dict.fromkeys(floats, "float64"))
    cases = table.iloc[1:].assign(at=table["calls"].round(6))
    alike = cases.groupby("at")["cost_per_month"]
    swing = (alike.transform("max") - cases["cost_per_month"]).where(alike.transform("count") > 1)
    table["swing"] = swing.reindex(table.index)
    table.attrs["addressable_swing"] = None if table["swing"].isna().all() else float(table["swing"].max())
    return table


def what_if(pace: pd.DataFrame, as_of: date | None = None, **values: Any) -> pd.DataFrame:
    """Hold one case against today, as interactive controls ask for it.

    Parameters
    ----------
    pace : DataFrame
        From ``monthly_pace``.
    as_of : date, optional
        Last complete day.
    **values
        Fields of ``Scenario``; ``levers`` may be a number: the share of the cost that they save together.

    Returns
    -------
    DataFrame
        As ``scenario_table``.
    """
    saving = values.pop("levers", 0.0)
    levers = saving if isinstance(saving, dict) else {"levers": saving}
    return scenario_table(pace, [Scenario(name="what if", levers=levers, **values)], as_of)


def switched_models(scenarios: Sequence[Scenario]) -> list[str]:
    """List the models that scenarios move calls to.

    Parameters
    ----------
    scenarios : sequence of Scenario
        From the parameters.

    Returns
    -------
    list of str
        Names, sorted, each once.
    """
    return sorted({switch.to_model for scenario in scenarios for switch in scenario.model_switches})


def _row(name: str, pace: pd.DataFrame, since: date | None, comment: str) -> dict[str, Any]:
    calls = pace["calls"].sum()
    tokens = pace["input_tokens"].sum() + pace["output_tokens"].sum()
    cost = pace[[f"{part}_cost" for part in _PARTS]].to_numpy(dtype="float64").sum()
    return {
        "scenario": name,
        "effective_from": since,
        "calls": calls,
        "tokens_per_call": tokens / calls if calls else None,
        "rate_per_1k": cost / tokens * 1000 if tokens else None,
        "cost_per_month": cost,
        "change": None,
        "by_year_end": None,
        "comment": comment,
    }


def _applied(pace: pd.DataFrame, scenario: Scenario, prices: pd.DataFrame | None) -> tuple[pd.DataFrame, str]:
    """Return the pace under a scenario, and what is not known of it."""
    frame = pace.set_index("model").astype("float64")
    for switch in scenario.model_switches:
        moved = frame.reindex([switch.from_model]).iloc[0].fillna(0.0) * switch.share
        rate = _token_prices(pace, switch.to_model, prices)
        if rate is None and moved["calls"] > 0:
            return pace, f"the price of {switch.to_model} is not known"
        if not moved.any() or rate is None:
            continue
        frame.loc[switch.from_model] -= moved
        moved["input_cost"] = moved["input_tokens"] * rate[0]
        moved["output_cost"] = moved["output_tokens"] * rate[1]
        frame = frame.reindex(frame.index.union([switch.to_model])).fillna(0.0)
        frame.loc[switch.to_model] += moved
    frame *= (1 + scenario.adoption) * (1 + scenario.fan_out)
    tokens = frame["input_tokens"].sum() + frame["output_tokens"].sum()
    growth = (1 + scenario.context_growth, 1 + scenario.output_growth)
    if scenario.tokens_per_call is not None and tokens:
        growth = (scenario.tokens_per_call * frame["calls"].sum() / tokens,) * 2
    for part, factor in zip(("input", "output"), growth, strict=True):
        frame[[f"{part}_tokens", f"{part}_cost"]] *= factor
    money = [f"{part}_cost" for part in _PARTS]
    factor = 1 + scenario.price_change
    if scenario.rate_per_1k is not None and frame[money].to_numpy().sum():
        tokens = frame["input_tokens"].sum() + frame["output_tokens"].sum()
        factor = tokens / 1000 * scenario.rate_per_1k / frame[money].to_numpy().sum()
    frame[money] *= factor * prod(1 - saving for saving in scenario.levers.values())
    return frame.reset_index(), ""


def _token_prices(pace: pd.DataFrame, model: str, prices: pd.DataFrame | None) -> tuple[float, float] | None:
    """Return the price of an input and an output token: as paid where the model is in use, else from the list."""
    used = pace[pace["model"] == model]
    if len(used) and used["input_tokens"].iloc[0] and used["output_tokens"].iloc[0]:
        row = used.iloc[0]
        return row["input_cost"] / row["input_tokens"], row["output_cost"] / row["output_tokens"]
    listed = prices[prices["model"] == model].set_index("token_class")["unit_price"] if prices is not None else {}
    if "uncached_input" not in listed or "output" not in listed:
        return None
    return float(listed["uncached_input"]), float(listed["output"])
