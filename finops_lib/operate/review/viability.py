"""Viability: whether one outcome is worth more than it costs, how sure that is, and what follows from it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import numpy as np
import pandas as pd

from finops_lib.inform.scope import days, dimension_values
from finops_lib.operate.review.decisions_held import DAYS_A_MONTH
from finops_lib.settings import ORGANISATION, Outcome, Params

_DAYS = 91
_LEAST_DAYS = 28
_LEAST_OUTCOMES = 20
_BLOCK_DAYS = 7
_DRAWS = 2000
_STEADY = 0.05
_COUNTED_AT = {"low": 1 / 3, "medium": 2 / 3, "high": 1.0}
"""Part of a value that is counted on, by the confidence in it."""
_COLUMNS = (
    *("assistant", "verdict", "reason", "outcomes", "cost_per_outcome", "cost_lower_80", "cost_upper_80"),
    *("value_per_outcome", "confidence", "value_per_cost", "ratio_lower_80", "ratio_upper_80", "unit_change"),
    *("unit_change_lower_80", "unit_change_upper_80", "success_rate", "success_before", "cost_basis", "cost_a_month"),
)


def viability(
    params: Params,
    costs: pd.DataFrame,
    usage: pd.DataFrame,
    outcomes: pd.DataFrame,
    as_of: date | None,
    *,
    full_cost_factor: Mapping[str, float] | None = None,
    seed: int = 0,
) -> pd.DataFrame:
    """Hold the value of an outcome against its cost, assistant by assistant, and say what follows.

    Parameters
    ----------
    params : Params
        Values of outcomes, with the confidence in them.
    costs, usage : DataFrame
        Ledger and usage, all months known.
    outcomes : DataFrame
        Outcomes (``schema.OUTCOMES``) of any months.
    as_of : date or None
        Last complete day.
    full_cost_factor : mapping of str to float, optional
        Assistant → true cost / model cost, where its bills are known.
    seed : int
        Seed of the resampling.

    Returns
    -------
    DataFrame
        One row per assistant that spends, costliest first: ``verdict`` (scale, fix, hold, retire), ``reason``,
        ``cost_per_outcome``, ``value_per_outcome`` (USD), ``value_per_cost``, the change of the cost per outcome from
        the first half of the last 91 days to the second, each with its 80% interval; ``confidence`` in the value,
        ``success_rate`` and ``success_before`` (calls whose answer solved the task, else was accepted, as a share of
        all calls; second and first half), ``cost_basis`` (model cost, true cost), ``cost_a_month`` (USD).

    Notes
    -----
    Cost and outcomes of whole weeks are drawn together (circular block bootstrap, blocks of seven days, 2,000
    draws), so weekdays and days that hang together stay so. Of a value that is less than sure only a part is counted:
    a third at low confidence, two thirds at medium. Scale: even the lower bound pays, the cost of an outcome is not
    surely rising, and the share of calls that succeed has not fallen by more than 5 points. Fix: it pays, but one of
    these fails; or it does not pay, but gets cheaper or its value is unsure. Retire: not even the upper bound pays.
    Hold: not known, or undecided.

    References
    ----------
    Requirement G6; D. N. Politis and J. P. Romano, A circular block-resampling procedure for stationary data (1992).
    """
    if as_of is None:
        return pd.DataFrame(columns=list(_COLUMNS))
    in_costs, in_usage = (dimension_values(frame, "assistant") for frame in (costs, usage))
    rows = []
    for name in sorted(set(in_costs.unique()) & {*params.assistants}):
        if params.assistant not in (ORGANISATION, name):
            continue
        settings = params.settings_in_force[name]
        factor = (full_cost_factor or {}).get(name)
        counted = outcomes[outcomes["assistant"] == name] if len(outcomes) else outcomes
        daily = _daily(costs[(in_costs == name).to_numpy(dtype=bool)], counted, settings.outcome, as_of, factor or 1.0)
        row = {"assistant": name, "cost_basis": "true cost" if factor else "model cost"}
        row |= _success(usage[(in_usage == name).to_numpy(dtype=bool)], as_of)
        row |= _measured(daily, settings.outcome, seed)
        rows.append(row | dict(zip(("verdict", "reason"), _verdict(row), strict=True)))
    table = pd.DataFrame(rows, columns=list(_COLUMNS))
    words = ("assistant", "verdict", "reason", "confidence", "cost_basis")
    table = table.astype({name: "float64" for name in _COLUMNS if name not in words})
    return table.sort_values(["cost_a_month", "assistant"], ascending=[False, True], ignore_index=True)


def block_bootstrap(values: np.ndarray, draws: int = _DRAWS, seed: int = 0) -> np.ndarray:
    """Draw sums of days in whole weeks, with days of all columns together.

    Parameters
    ----------
    values : array, day × measure
        What to sum.
    draws : int
        Samples.
    seed : int
        Seed.

    Returns
    -------
    array, draw × measure
        Sums over as many weeks as the days make up, the end joined to the beginning.

    Examples
    --------
    >>> block_bootstrap(np.ones((14, 2)), draws=3).tolist()
    [[14.0, 14.0], [14.0, 14.0], [14.0, 14.0]]
    """
    length = len(values)
    around = np.concatenate([values, values[: _BLOCK_DAYS - 1]])
    summed = np.vstack([np.zeros(values.shape[1]), np.cumsum(around, axis=0)])
    weeks = summed[_BLOCK_DAYS:] - summed[:-_BLOCK_DAYS]
    starts = np.random.default_rng(seed).integers(length, size=(draws, -(-length // _BLOCK_DAYS)))
    return weeks[starts].sum(axis=1)


def _daily(
    costs: pd.DataFrame, outcomes: pd.DataFrame, outcome: Outcome | None, as_of: date, factor: float
) -> pd.DataFrame:
    """Lay cost, outcomes and value on the last 91 days for which there are outcomes at all."""
    last = pd.Timestamp(as_of)
    counts = outcomes["outcome_count"].astype("float64")
    value = outcomes["outcome_value"].astype("float64")
    if outcome and outcome.value is not None:
        value = value.fillna(counts * float(outcome.value))
    dates = pd.to_datetime(outcomes["date"])
    spent = costs["contracted_cost"].astype("float64").groupby(days(costs)).sum() * factor
    first = max(last - pd.Timedelta(days=_DAYS - 1), spent.index.min() if len(spent) else last)
    span = pd.date_range(first, last)
    summed = {"cost": spent, "outcomes": counts.groupby(dates).sum(), "value": value.groupby(dates).sum(min_count=1)}
    table = pd.DataFrame({name: series.reindex(span) for name, series in summed.items()}, index=span)
    known = table.index[table["outcomes"].notna()]
    table.attrs["cost_a_month"] = float(table["cost"].fillna(0).iloc[-28:].mean() * DAYS_A_MONTH)
    return table[known.min() : known.max()].fillna({"cost": 0.0, "outcomes": 0.0}) if len(known) else table.head(0)


def _measured(daily: pd.DataFrame, outcome: Outcome | None, seed: int) -> dict[str, object]:
    counted = float(daily["outcomes"].sum())
    row: dict[str, object] = {"outcomes": counted, "cost_a_month": daily.attrs["cost_a_month"], "days": len(daily)}
    if len(daily) < _LEAST_DAYS or counted < _LEAST_OUTCOMES:
        return row
    table = daily[["cost", "outcomes", "value"]].to_numpy(dtype=float)
    valued = bool(daily["value"].notna().any())
    drawn = block_bootstrap(np.nan_to_num(table), seed=seed)
    with np.errstate(divide="ignore", invalid="ignore"):
        each, worth = drawn[:, 0] / drawn[:, 1], drawn[:, 2] / drawn[:, 0]
    row["cost_per_outcome"] = table[:, 0].sum() / counted
    row["cost_lower_80"], row["cost_upper_80"] = np.quantile(each, [0.1, 0.9])
    half = len(table) // 2
    halves = [
        block_bootstrap(part[:, :2], seed=seed + place) for place, part in enumerate((table[:half], table[half:]), 1)
    ]
    with np.errstate(divide="ignore", invalid="ignore"):
        early, late = (sums[:, 0] / sums[:, 1] for sums in halves)
        sums = [part[:, :2].sum(axis=0) for part in (table[:half], table[half:])]
        row["unit_change"] = (sums[1][0] / sums[1][1]) / (sums[0][0] / sums[0][1]) - 1
        row["unit_change_lower_80"], row["unit_change_upper_80"] = np.nanquantile(late / early - 1, [0.1, 0.9])
    if valued:
        row["value_per_outcome"] = np.nansum(table[:, 2]) / counted
        row["value_per_cost"] = np.nansum(table[:, 2]) / table[:, 0].sum()
        row["ratio_lower_80"], row["ratio_upper_80"] = np.quantile(worth, [0.1, 0.9])
        confirmed = outcome is not None and outcome.confirmed_by
        row["confidence"] = outcome.confidence if confirmed else "low"
    return row


def _success(usage: pd.DataFrame, as_of: date) -> dict[str, float | None]:
    """Measure the share of calls whose answer solved the task, else was accepted, in both halves of the window."""
    solved = "resolved_count" if usage["resolved_count"].fillna(0).sum() else "accepted_count"
    found: dict[str, float | None] = {}
    last = pd.Timestamp(as_of)
    for name, until in (("success_rate", last), ("success_before", last - pd.Timedelta(days=_DAYS // 2))):
        own = usage[days(usage).between(until - pd.Timedelta(days=_DAYS // 2 - 1), until)]
        good, calls = (float(own[column].astype("float64").sum()) for column in (solved, "request_count"))
        found[name] = good / calls if good and calls else None
    return found


def _verdict(row: dict[str, object]) -> tuple[str, str]:
    """Decide, and say why in one sentence."""
    if not row["outcomes"]:
        return "hold", "no outcome is counted: a cost without measurable value is a question of governance"
    if "cost_per_outcome" not in row:
        return "hold", f"{row['outcomes']:.0f} outcomes on {row['days']} days are too few to tell"
    if "value_per_cost" not in row:
        return "hold", "its outcomes have no value: give outcome_value, or outcome.value in its parameters"
    confidence = str(row["confidence"])
    part = _COUNTED_AT[confidence]
    lower, upper = float(row["ratio_lower_80"]) * part, float(row["ratio_upper_80"]) * part
    rising = float(row["unit_change"]) > _STEADY and float(row["unit_change_lower_80"]) > 0
    falling = float(row["unit_change"]) < -_STEADY and float(row["unit_change_upper_80"]) < 0
    now, before = row["success_rate"], row["success_before"]
    worse = now is not None and before is not None and float(before) - float(now) > _STEADY
    counted = "" if part == 1 else f", {'a third' if confidence == 'low' else 'two thirds'} of it counted"
    value = f"a dollar brings {float(row['value_per_cost']):.2f} of value (confidence {confidence}{counted})"
    change = f"{float(row['unit_change']):+.0%} in a quarter"
    if lower >= 1:
        if rising:
            return "fix", f"{value}, but an outcome gets dearer ({change})"
        if worse:
            return "fix", f"{value}, but calls succeed less often ({float(before):.0%} before, {float(now):.0%} now)"
        return "scale", f"{value}, and an outcome does not get dearer ({change})"
    if upper >= 1:
        return "hold", f"{value}: whether it pays is not sure"
    if falling:
        return "fix", f"{value}: it does not pay yet, but gets cheaper ({change})"
    if confidence == "low" and float(row["ratio_upper_80"]) >= 1:
        return "fix", f"{value}: let somebody confirm the value before anything else"
    return "retire", f"{value}: not even the better end of what is likely pays"


def full_cost_factors(
    params: Params, charges: pd.DataFrame, costs: pd.DataFrame, usage: pd.DataFrame
) -> dict[str, float]:
    """Say how many times its model cost each assistant really costs, as far as its own bills tell.

    Parameters
    ----------
    params : Params
        Hourly rates of review.
    charges : DataFrame
        Charges of a month, as ``inform.charges_of_record`` returns them.
    costs, usage : DataFrame
        Ledger and usage of the same month.

    Returns
    -------
    dict
        Assistant → (billed charges that name it + review minutes × hourly rate) / contracted cost of its calls; only
        where a bill other than the models' names it. What is shared is left out: the factor is a lower bound.
    """
    named = charges[charges["assistant"].notna()] if len(charges) else charges
    others = named[named["provider"].isna()]["assistant"].unique() if len(named) else []
    spent = costs["contracted_cost"].astype("float64").groupby(dimension_values(costs, "assistant")).sum()
    minutes = usage["review_minutes"].astype("float64").groupby(dimension_values(usage, "assistant")).sum()
    factors = {}
    for name in sorted(set(others) & set(spent[spent > 0].index) & {*params.assistants}):
        billed = float(named.loc[(named["assistant"] == name), "billed_cost"].astype("float64").sum())
        rate = params.settings_in_force[name].review_hourly_rate or 0
        factors[name] = (billed + float(minutes.get(name, 0.0)) * float(rate) / 60) / float(spent[name])
    return factors
