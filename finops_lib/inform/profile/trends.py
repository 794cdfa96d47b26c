"""Trends: how cost, volume and unit costs move from day to day and month to month."""

from __future__ import annotations

from typing import Any

import pandas as pd

from finops_lib.inform.measures import COUNT_TYPE, MONEY_TYPE, count_requests, ratio, tally, total
from finops_lib.inform.profile.cost_profile import spend_by
from finops_lib.inform.profile.coverage import COVERAGE_DIMENSIONS, attribution_coverage
from finops_lib.inform.scope import DAY, TEXT, UNATTRIBUTED, days, dimension_values, filter_scope, months

_LAYERS = 3
_PER_REQUEST = {"cost_per_request": "contracted_cost", "tokens_per_request": "tokens"}


def daily_trend(
    costs: pd.DataFrame,
    usage: pd.DataFrame,
    *,
    tasks: pd.DataFrame | None = None,
    window_days: int = 7,
) -> pd.DataFrame:
    """Follow cost, tokens, requests and unit costs by day, with trailing moving averages.

    Parameters
    ----------
    costs : DataFrame
        Ledger, one row per day × dimensions × SKU.
    usage : DataFrame
        Usage, one row per day × dimensions.
    tasks : DataFrame, optional
        One row per day: ``charge_period_start`` and ``tasks`` (tasks begun that day).
    window_days : int
        Days of the averages, the day itself included.

    Returns
    -------
    DataFrame
        One row per day from the first to the last with traffic, days without any as zeros.
        ``contracted_cost`` is exact (USD; null on a day with traffic of which nothing has a price);
        ``tokens`` are billed tokens; ``cost_per_request``, ``tokens_per_request`` and
        ``cost_per_task`` are NaN where there is nothing to divide by. Each has an ``…_average``,
        NaN on the first ``window_days - 1`` days.

    Notes
    -----
    The average of a unit cost is the ratio of the sums over the window, so that a day with ten
    requests does not weigh as much as one with ten thousand.

    References
    ----------
    Requirement B7.
    """
    daily = _by_key(costs, usage, days(costs).rename(DAY), days(usage).rename(DAY))
    if tasks is not None:
        counted = tasks["tasks"].groupby(days(tasks).rename(DAY)).sum(min_count=1)
        daily = daily.join(counted.astype("Float64"), how="outer")
    else:
        daily["tasks"] = pd.array([pd.NA] * len(daily), dtype="Float64")
    if len(daily):
        every_day = pd.date_range(daily.index.min(), daily.index.max(), freq="D", unit="s", name=DAY)
        quiet = every_day.difference(daily.index)
        daily = daily.reindex(every_day)
        measured = [name for name in daily.columns if not daily[name].isna().all()]
        daily.loc[quiet, measured] = 0
    daily = daily.reset_index()
    units = _PER_REQUEST | {"cost_per_task": "contracted_cost"}
    sums = daily[["contracted_cost", "tokens", "requests", "tasks"]].astype("float64").rolling(window_days).sum()
    for name, numerator in units.items():
        denominator = "tasks" if name == "cost_per_task" else "requests"
        daily[name] = ratio(daily[numerator], daily[denominator])
        daily[f"{name}_average"] = ratio(sums[numerator], sums[denominator])
    for name in ("contracted_cost", "tokens", "requests"):
        daily[f"{name}_average"] = sums[name] / window_days
    return daily


def daily_spend(costs: pd.DataFrame, *, window_days: int = 7) -> pd.DataFrame:
    """Follow the cost of each model by day.

    Parameters
    ----------
    costs : DataFrame
        Ledger, one row per day × dimensions × SKU.
    window_days : int
        Days of the moving average, the day itself included.

    Returns
    -------
    DataFrame
        One row per day × model, every model on every day from first to last, by day and then in the
        order of ``spend_by``; models beyond the three costliest are one, "everything else (n)". Columns:
        ``charge_period_start``, ``model``, ``contracted_cost`` (exact USD; zero without traffic, null without any
        price), ``contracted_cost_average`` (NaN on the first ``window_days - 1`` days).

    References
    ----------
    Requirement B7.
    """
    order = spend_by(costs, "model", top=_LAYERS)["model"].tolist()
    values = dimension_values(costs, "model")
    named = set(values.unique())
    rest = next((name for name in order if name not in named), None)
    values = values.where(values.isin(order), rest).rename("model")
    summed = tally(costs, [days(costs).rename(DAY), values]).set_index([DAY, "model"])["contracted_cost"]
    seen = summed.index.get_level_values(DAY)
    every_day = pd.date_range(seen.min(), seen.max(), freq="D", unit="s") if len(seen) else seen
    grid = pd.MultiIndex.from_product([every_day, order], names=[DAY, "model"])
    daily = summed.reindex(grid).astype(MONEY_TYPE).mask(~grid.isin(summed.index), 0).reset_index()
    by_value = daily["contracted_cost"].astype("float64").groupby(daily["model"], sort=False)
    daily["contracted_cost_average"] = by_value.transform(lambda cost: cost.rolling(window_days).mean())
    return daily


def month_on_month(costs: pd.DataFrame, usage: pd.DataFrame) -> pd.DataFrame:
    """Set each month against the one before.

    Parameters
    ----------
    costs : DataFrame
        Ledger, one row per day × dimensions × SKU.
    usage : DataFrame
        Usage, one row per day × dimensions.

    Returns
    -------
    DataFrame
        One row per month from the first to the last with traffic. Columns: ``month`` (YYYY-MM),
        ``first_day`` and ``last_day`` covered, ``days`` covered, ``days_in_month``, ``is_partial`` (the
        data begins after the month's first day or ends before its last), ``contracted_cost`` (exact
        USD), ``requests``, ``tokens``, ``unpriced_tokens``, ``cost_per_day``, ``cost_per_request``,
        ``tokens_per_request``, and for each of them but days and unpriced tokens a ``…_change``, the
        change on the month before as a share. The change of a total is NaN when either month is
        partial: compare ``cost_per_day`` and the unit costs then.

    References
    ----------
    Requirement B7.
    """
    seen = pd.concat([days(costs), days(usage)])
    monthly = _by_key(costs, usage, months(costs).rename("month"), months(usage).rename("month"))
    every_month = pd.period_range(seen.min(), seen.max(), freq="M") if len(seen) else pd.PeriodIndex([], freq="M")
    monthly = monthly.reindex(pd.Index(every_month.strftime("%Y-%m"), name="month", dtype=monthly.index.dtype))
    idle = ~monthly.index.isin(months(seen.to_frame(DAY)).unique())
    monthly.loc[idle, :] = 0
    first = pd.Series(every_month.start_time.normalize(), index=monthly.index)
    last = pd.Series(every_month.end_time.normalize(), index=monthly.index)
    monthly.insert(0, "first_day", first.clip(lower=seen.min()) if len(seen) else first)
    monthly.insert(1, "last_day", last.clip(upper=seen.max()) if len(seen) else last)
    monthly.insert(2, "days", (monthly["last_day"] - monthly["first_day"]).dt.days + 1)
    monthly.insert(3, "days_in_month", last.dt.day)
    monthly.insert(4, "is_partial", monthly["days"] < monthly["days_in_month"])
    monthly["cost_per_day"] = ratio(monthly["contracted_cost"], monthly["days"])
    for name, numerator in _PER_REQUEST.items():
        monthly[name] = ratio(monthly[numerator], monthly["requests"])
    comparable = ~(monthly["is_partial"] | monthly["is_partial"].shift(1, fill_value=False))
    for name in ("contracted_cost", "requests", "tokens", "cost_per_day", *_PER_REQUEST):
        before = monthly[name].astype("float64").shift(1)
        change = ratio(monthly[name].astype("float64"), before) - 1
        is_total = name in ("contracted_cost", "requests", "tokens")
        monthly[f"{name}_change"] = change.where(comparable) if is_total else change
    return monthly.reset_index().astype({"month": TEXT})


def headline(costs: pd.DataFrame, usage: pd.DataFrame, period: str = "latest") -> dict[str, Any]:
    """Pick the numbers a reader wants first.

    Parameters
    ----------
    costs : DataFrame
        Ledger of all months known, one row per day × dimensions × SKU.
    usage : DataFrame
        Usage of all months known, one row per day × dimensions.
    period : str
        A month ``YYYY-MM``, or ``latest`` for the last month with traffic.

    Returns
    -------
    dict
        ``period``, ``has_traffic``, ``is_partial``, ``days``, ``days_in_month``, ``cost`` (exact USD,
        ``None`` when nothing has a price), ``previous_period``, ``previous_cost``,
        ``previous_is_partial``, ``cost_change`` (share; null when a month is partial),
        ``cost_per_day_change``, ``requests``, ``tokens``, ``cost_per_request``, ``avoided_cost``,
        ``top_model`` and ``top_workflow`` (``None`` when none is named) with ``…_share``,
        ``coverage`` (share of the cost that names workflow, team and cost center),
        ``unpriced_tokens`` and ``unpriced_share`` of the tokens. Unknown shares are ``None``.

    References
    ----------
    Requirement H1.
    """
    by_month = month_on_month(costs, usage).set_index("month")
    chosen = by_month.index.max() if period == "latest" and len(by_month) else period
    before = str(pd.Period(chosen, freq="M") - 1) if chosen != "latest" else None
    row = by_month.loc[chosen] if chosen in by_month.index else pd.Series(dtype=object)
    previous = by_month.loc[before] if before in by_month.index else pd.Series(dtype=object)
    scope = filter_scope(costs, period=chosen)
    tokens, unpriced = _known(row, "tokens"), _known(row, "unpriced_tokens") or 0
    numbers = {
        "period": chosen,
        "has_traffic": bool(_known(row, "requests") or tokens or len(scope)),
        "is_partial": bool(row.get("is_partial", False)),
        "days": int(row.get("days", 0)),
        "days_in_month": int(row.get("days_in_month", 0)),
        "cost": _known(row, "contracted_cost"),
        "previous_period": before if len(previous) else None,
        "previous_cost": _known(previous, "contracted_cost"),
        "previous_is_partial": bool(previous.get("is_partial", False)),
        "cost_change": _known(row, "contracted_cost_change"),
        "cost_per_day_change": _known(row, "cost_per_day_change"),
        "requests": _known(row, "requests"),
        "tokens": tokens,
        "cost_per_request": _known(row, "cost_per_request"),
        "avoided_cost": total(scope["avoided_cost"].astype(MONEY_TYPE)) if "avoided_cost" in scope else None,
        "unpriced_tokens": unpriced,
        "unpriced_share": unpriced / tokens if tokens else None,
    }
    for dimension in ("model", "workflow"):
        spend = spend_by(scope, dimension)
        named = spend[(spend[dimension] != UNATTRIBUTED) & spend["contracted_cost"].notna()]
        numbers[f"top_{dimension}"] = str(named[dimension].iloc[0]) if len(named) else None
        numbers[f"top_{dimension}_share"] = _known(named.iloc[0], "share") if len(named) else None
    covered = attribution_coverage(scope, dimensions=COVERAGE_DIMENSIONS).iloc[-1]
    numbers["coverage"] = _known(covered, "coverage")
    return numbers


def _known(row: pd.Series, name: str) -> Any:
    """Return a value of a row; ``None`` when it is missing or null."""
    value = row.get(name)
    return None if value is None or pd.isna(value) else value


def _by_key(costs: pd.DataFrame, usage: pd.DataFrame, cost_key: pd.Series, usage_key: pd.Series) -> pd.DataFrame:
    """Sum cost, tokens and requests by a time key of ledger and usage."""
    columns = ["contracted_cost", "tokens", "unpriced_tokens"]
    key = str(cost_key.name)
    summed = tally(costs, [cost_key]).set_index(key)[columns]
    joined = summed.join(count_requests(usage, [usage_key]).set_index(key), how="outer")
    return joined.astype({"tokens": COUNT_TYPE, "unpriced_tokens": COUNT_TYPE, "requests": COUNT_TYPE})
