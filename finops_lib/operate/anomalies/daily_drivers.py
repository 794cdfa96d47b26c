"""Daily drivers: what cost is made of, and the contract checks, by day, from ledger and usage."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from fnmatch import fnmatch

import pandas as pd

from finops_lib.inform.drivers.history import served_from_cache
from finops_lib.inform.measures import count_requests, ratio, tally
from finops_lib.inform.scope import DAY, UNATTRIBUTED, days, dimension_values
from finops_lib.schema import INPUT_CLASSES, OUTPUT_CLASSES, TOKEN_CLASSES

_FAILED = "error"


def daily_drivers(
    costs: pd.DataFrame,
    usage: pd.DataFrame,
    *,
    runs: pd.DataFrame | None = None,
    loop_calls: int = 20,
    premium_models: Sequence[str] = (),
    dearest: pd.DataFrame | None = None,
    until: date | None = None,
    zone: str = "UTC",
) -> pd.DataFrame:
    """Split the cost of each day into what drives it, beside the checks that a good day keeps.

    Parameters
    ----------
    costs : DataFrame
        Ledger of one scope, one row per day × dimensions × SKU.
    usage : DataFrame
        Usage of the same scope, one row per day × dimensions.
    runs : DataFrame, optional
        Agent runs (``schema.AGENT_RUNS``): a run of ``loop_calls`` model calls or more is a loop.
    loop_calls : int
        Model calls from which a run is a loop.
    premium_models : sequence of str
        Patterns of the models that are premium, such as ``claude-opus-*``.
    dearest : DataFrame, optional
        ``charge_period_start`` and ``p99_cost``, the 99th percentile of cost per request (USD) on it.
    until : date, optional
        Last complete day; later days are left out, and days before it without calls are days of nothing.
    zone : str
        Reporting time zone, in which the days of ``runs`` are cut.

    Returns
    -------
    DataFrame
        One row for every day: ``date``, ``cost`` (USD), ``requests``, ``tokens_per_request``, ``rate`` (USD per
        priced token), ``output_ratio`` (output per input token), ``retry_rate`` (retries per request),
        ``failed_share``, ``cache_hit_share`` (response cache), ``cache_read_share`` (of input tokens, prompt
        cache), ``unaccepted_share`` (requests of workflows that record acceptance), and as far as given
        ``premium_share``, ``loops`` (runs) and ``p99_cost`` (USD). A check that the data never fills is left out.

    References
    ----------
    Requirement E3.
    """
    summed = tally(costs, [days(costs).rename(DAY)]).set_index(DAY)
    requests = count_requests(usage, [days(usage).rename(DAY)]).set_index(DAY)["requests"]
    seen = summed.index.union(requests.index)
    if until is not None:
        seen = seen[seen <= pd.Timestamp(until)]
    if not len(seen):
        return pd.DataFrame({"date": pd.DatetimeIndex([], dtype="datetime64[s]"), "cost": [], "requests": []})
    last = seen.max() if until is None else pd.Timestamp(until)
    every_day = pd.date_range(seen.min(), last, freq="D", unit="s")
    money = summed.reindex(every_day).astype("float64")
    served = requests.reindex(every_day).astype("float64").fillna(0)
    frame = pd.DataFrame({"cost": money["contracted_cost"].fillna(0), "requests": served})
    frame["tokens_per_request"] = ratio(money["tokens"], served)
    frame["rate"] = ratio(money["contracted_cost"], money["tokens"] - money["unpriced_tokens"])
    checks = _checks(usage, premium_models).reindex(every_day)
    frame = frame.join(checks.dropna(axis=1, how="all"))
    if runs is not None and len(runs):
        frame["loops"] = _loops(runs, loop_calls, zone).reindex(every_day).fillna(0).astype("float64")
    if dearest is not None and len(dearest):
        frame["p99_cost"] = dearest["p99_cost"].astype("float64").set_axis(days(dearest)).reindex(every_day)
    return frame.rename_axis("date").reset_index()


def _checks(usage: pd.DataFrame, premium_models: Sequence[str]) -> pd.DataFrame:
    """Ratios by day of what the usage counts."""
    served = _count(usage, "request_count")
    accepting = _count(usage, "accepted_count").groupby(dimension_values(usage, "workflow")).transform("sum") > 0
    parts = {
        "requests": served,
        "retries": _count(usage, "retries"),
        "failed": served.where(dimension_values(usage, "run_status") == _FAILED, 0),
        "hits": served.where(served_from_cache(usage), 0),
        "answerable": served.where(accepting, 0),
        "accepted": _count(usage, "accepted_count"),
        "input": sum(_count(usage, TOKEN_CLASSES[name]) for name in INPUT_CLASSES),
        "read": _count(usage, TOKEN_CLASSES["cache_read"]),
        "output": sum(_count(usage, TOKEN_CLASSES[name]) for name in OUTPUT_CLASSES),
        "premium": served.where(_is_premium(usage, premium_models), 0),
    }
    by_day = pd.DataFrame(parts).groupby(days(usage).rename(DAY)).sum()
    checks = pd.DataFrame(index=by_day.index)
    checks["output_ratio"] = ratio(by_day["output"], by_day["input"])
    for name, part, whole in (
        ("retry_rate", "retries", "requests"),
        ("failed_share", "failed", "requests"),
        ("cache_hit_share", "hits", "requests"),
        ("cache_read_share", "read", "input"),
        ("premium_share", "premium", "requests"),
    ):
        if by_day[part].any():
            checks[name] = ratio(by_day[part], by_day[whole])
    checks["unaccepted_share"] = 1 - ratio(by_day["accepted"], by_day["answerable"])
    return checks


def _count(usage: pd.DataFrame, name: str) -> pd.Series:
    if name not in usage.columns:
        return pd.Series(0.0, index=usage.index)
    return usage[name].astype("float64").fillna(0)


def _is_premium(usage: pd.DataFrame, patterns: Sequence[str]) -> pd.Series:
    models = dimension_values(usage, "model")
    named = [name for name in models.unique() if name != UNATTRIBUTED and any(fnmatch(name, p) for p in patterns)]
    return models.isin(named)


def _loops(runs: pd.DataFrame, loop_calls: int, zone: str) -> pd.Series:
    """Count by day the runs that went round and round."""
    started = pd.to_datetime(runs["started"], utc=True)
    begun = pd.DatetimeIndex(started).tz_convert(zone).tz_localize(None).normalize().as_unit("s")
    looping = (runs["model_calls"].astype("float64").fillna(0) >= loop_calls).astype("int64")
    return pd.Series(looping.to_numpy(), index=begun).groupby(level=0).sum()
