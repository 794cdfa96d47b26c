"""Viability: whether one outcome is worth more than it costs, how sure that is, and what follows from it."""

from __future__ import annotations

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
    *(
        "value_per_outcome",
        "confidence",
        "value_per_cost",
        "counted_per_cost",
        "ratio_lower_80",
        "ratio_upper_80",
        "unit_change",
    ),
    *("unit_change_lower_80", "unit_change_upper_80", "success_rate", "success_before", "cost_basis", "cost_a_month"),
)


def viability(
    params: Params,
    costs: pd.DataFrame,
    usage: pd.DataFrame,
    outcomes: pd.DataFrame,
    as_of: date | None,
    charges: pd.DataFrame,
    *,
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
    charges : DataFrame
        Lines of bills (``schema.CHARGES``) of any months.
    seed : int
        Seed of the resampling.

    Returns
    -------
    DataFrame
        One row per assistant that spends, costliest first: ``verdict`` (scale, fix, hold, retire), ``reason``,
        ``cost_per_outcome``, ``value_per_outcome`` (USD), ``value_per_cost``, the change of the cost per outcome from
        the first half of the last 91 days to the second, each with its 80% interval; ``confidence`` in the value,
        ``counted_per_cost`` (the part of ``value_per_cost`` that is counted), ``success_rate`` and ``success_before``
        (calls whose answer solved the task, else was accepted, as a share of all calls; second and first half),
        ``cost_basis`` (true cost, or model cost where nothing else is known), ``cost_a_month`` (USD).

    Notes
    -----
    True cost = model calls + own bills + human review, as ``own_cost_by_day`` has them; a lower bound, for what
    assistants share is left out.

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
    beside = own_cost_by_day(params, charges, usage, as_of)
    rows = []
    for name in sorted(set(in_costs.unique()) & {*params.assistants}):
        if params.assistant not in (ORGANISATION, name):
            continue
        settings = params.settings_in_force[name]
        own = costs[(in_costs == name).to_numpy(dtype=bool)]
        spent = own["contracted_cost"].astype("float64").groupby(days(own)).sum()
        counted = outcomes[outcomes["assistant"] == name] if len(outcomes) else outcomes
        daily = _daily(spent, beside.get(name), counted, settings.outcome, as_of)
        row = {"assistant": name, "cost_basis": "true cost" if name in beside else "model cost"}
        row |= _success(usage[(in_usage == name).to_numpy(dtype=bool)], as_of)
        row |= _measured(daily, settings.outcome, seed)
        rows.append(row | dict(zip(("verdict", "reason"), _verdict(row), strict=True)))
    table = pd.DataFrame(rows, columns=list(_COLUMNS))
    words = ("assistant", "verdict", "reason", "confidence", "cost_basis")
    table = table.astype({name: "float64" for name in _COLUMNS if name not in words})
    return table.sort_values(["cost_a_month", "assistant"], ascending=[False, True], ignore_index=True)


def own_cost_by_day(params: Params, charges: pd.DataFrame, usage: pd.DataFrame, as_of: date) -> pd.DataFrame:
    """Lay what an assistant costs beside its model calls on days: bills that name it, and human review.

    Parameters
    ----------
    params : Params
        Assistants, and their hourly rates of review.
    charges : DataFrame
        Lines of bills (``schema.CHARGES``) of any months.
    usage : DataFrame
        Usage, all months known.
    as_of : date
        Last complete day.

    Returns
    -------
    DataFrame
        One column per assistant that has any such cost, one row per day up to ``as_of``; USD.

    Notes
    -----
    A line of a bill is spread evenly over the days it is for, so that money which is fixed for a month stays so
    whatever the number of calls. Days before the first bill, and after the last, cost what the nearest billed day did.
    """
    billed = charges[charges["provider"].isna() & charges["assistant"].isin(list(params.assistants))]
    span = pd.date_range(days(usage).min() if len(usage) else as_of, as_of)
    parts = [_bills_by_day(billed, span)] if len(billed) else []
    rates = {name: float(params.settings_in_force[name].review_hourly_rate or 0) for name in params.assistants}
    hourly = dimension_values(usage, "assistant").map(rates).astype("float64")
    review = usage["review_minutes"].astype("float64") / 60 * hourly
    reviewed = pd.DataFrame({"day": days(usage), "name": dimension_values(usage, "assistant"), "cost": review})
    parts.append(reviewed[review > 0].pivot_table("cost", "day", "name", aggfunc="sum"))
    return pd.concat(parts).groupby(level=0).sum().reindex(span).fillna(0.0)


def _bills_by_day(billed: pd.DataFrame, span: pd.DatetimeIndex) -> pd.DataFrame:
    """Spread lines of bills evenly over the days they are for."""
    periods = {name: pd.to_datetime(billed[f"charge_period_{name}"], utc=True).dt.tz_localize(None).dt.normalize()
               for name in ("start", "end")}  # fmt: skip
    keys = [billed["assistant"].astype(str), periods["start"], periods["end"]]
    summed = billed["billed_cost"].astype("float64").groupby(keys).sum().rename("cost").reset_index()
    last = np.maximum(summed["charge_period_end"] - pd.Timedelta(days=1), summed["charge_period_start"])
    summed["day"] = [pd.date_range(*ends) for ends in zip(summed["charge_period_start"], last, strict=True)]
    summed["cost"] /= summed["day"].map(len)
    known = summed.explode("day").pivot_table("cost", "day", "assistant", aggfunc="sum")
    known = known.reindex(pd.date_range(known.index.min(), known.index.max())).fillna(0.0)
    return known.reindex(span, method="nearest")


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
        Sums over as many days as there are: whole weeks, the last cut short; the end is joined to the beginning.

    Examples
    --------
    >>> block_bootstrap(np.ones((15, 2)), draws=2).tolist()
    [[15.0, 15.0], [15.0, 15.0]]
    """
    length = len(values)
    around = np.concatenate([values, values[: _BLOCK_DAYS - 1]])
    running = np.vstack([np.zeros(values.shape[1]), np.cumsum(around, axis=0)])
    whole, rest = divmod(length, _BLOCK_DAYS)
    starts = np.random.default_rng(seed).integers(length, size=(draws, whole + 1))
    weeks = running[_BLOCK_DAYS:][starts[:, :whole]] - running[starts[:, :whole]]
    return weeks.sum(axis=1) + running[starts[:, whole] + rest] - running[starts[:, whole]]


def _daily(
    spent: pd.Series, beside: pd.Series | None, outcomes: pd.DataFrame, outcome: Outcome | None, as_of: date
) -> pd.DataFrame:
    """Lay cost, outcomes and value on the last 91 days for which there are outcomes at all."""
    last = pd.Timestamp(as_of)
    counts = outcomes["outcome_count"].astype("float64")
    value = outcomes["outcome_value"].astype("float64")
    if outcome and outcome.value is not None:
        value = value.fillna(counts * float(outcome.value))
    dates = pd.to_datetime(outcomes["date"])
    first = max(last - pd.Timedelta(days=_DAYS - 1), spent.index.min() if len(spent) else last)
    span = pd.date_range(first, last)
    spent = spent.reindex(span, fill_value=0.0) + (0.0 if beside is None else beside.reindex(span, fill_value=0.0))
    summed = {"outcomes": counts.groupby(dates).sum(), "value": value.groupby(dates).sum(min_count=1)}
    table = pd.DataFrame({"cost": spent} | {name: series.reindex(span) for name, series in summed.items()}, index=span)
    known = table.index[table["outcomes"].notna()]
    table.attrs["cost_a_month"] = float(table["cost"].iloc[-28:].mean() * DAYS_A_MONTH)
    return table[known.min() : known.max()].fillna({"outcomes": 0.0}) if len(known) else table.head(0)


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
        row["counted_per_cost"] = row["value_per_cost"] * _COUNTED_AT[row["confidence"]]
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
    counted = "" if part == 1 else f", of which {float(row['counted_per_cost']):.2f} counted"
    value = f"a dollar brings {float(row['value_per_cost']):.2f} of value{counted} (confidence {confidence})"
    change = f"{round(float(row['unit_change']), 2) + 0.0:+.0%} in the second half of the last {row['days']} days"
    if lower >= 1:
        if rising:
            return "fix", f"{value}, but an outcome gets dearer ({change})"
        if worse:
            return "fix", f"{value}, but calls succeed less often ({float(before):.0%} before, {float(now):.0%} now)"
        return "scale", f"{value}, and an outcome does not get dearer ({change})"
    if upper >= 1:
        return "hold", f"{value}: whether it pays is not sure"
    if confidence == "low" and float(row["ratio_upper_80"]) >= 1:
        return "fix", f"{value}: let somebody confirm the value before anything else"
    if falling:
        return "fix", f"{value}: it does not pay yet, but gets cheaper ({change})"
    return "retire", f"{value}: not even the better end of what is likely pays"
