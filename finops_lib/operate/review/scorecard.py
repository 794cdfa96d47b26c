"""Scorecard: each indicator with its target, what it is, where it goes, who owns it and how often it is looked at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from finops_lib.inform.forecast.backtest import backtest_summary
from finops_lib.inform.measures import BUCKETS, tally, total
from finops_lib.inform.profile.coverage import attribution_coverage
from finops_lib.inform.scope import months
from finops_lib.operate.review.month_events import events_of_month
from finops_lib.settings import ORGANISATION, Params, Promotion
from finops_lib.settings.base import Model

_COLUMNS = (
    *("kpi", "formula", "unit", "comparison", "target", "actual", "previous", "change", "trend", "state"),
    *("cadence", "owner", "what_adds_it"),
)
_FLAT = 0.02
_INPUT = ("uncached_input_tokens", "cache_read_tokens", "cache_write_tokens")
_INPUT_CLASSES = [name for bucket in _INPUT for name in BUCKETS[bucket]]


@dataclass(frozen=True)
class Indicator:
    """How an indicator is measured and held; names and formulas as the FinOps Foundation's KPI library has them.

    Attributes
    ----------
    kpi, formula, unit : str
        Name, definition, and ``USD`` or ``share``.
    comparison : str
        ``at most``, ``at least``, ``within`` (either side of zero) or ``tracked``.
    accountable : str
        ``business`` or ``technical``.
    what_adds_it : str
        What has to be given for it to be known.
    cadence : str
        How often it is looked at.
    """

    kpi: str
    formula: str
    unit: str
    comparison: str
    accountable: str
    what_adds_it: str
    cadence: str = "monthly"


_OUTCOMES = "the table of outcomes, two quarters of it"
INDICATORS = {
    "cost_per_outcome_change": Indicator(
        "Cost per successful outcome, quarter so far",
        "model cost / outcomes of the quarter so far, against the quarter before",
        "share", "at most", "business", _OUTCOMES),
    "cost_per_outcome": Indicator(
        "Cost per successful outcome", "model cost of the assistants that count outcomes / outcomes",
        "USD", "tracked", "business", "the table of outcomes"),
    "gated_promotions": Indicator(
        "Promotions with the gate's verdict", "changes promoted by the gate / changes promoted",
        "share", "at least", "technical", "evaluations, and finops promote", "per change"),
    "coverage": Indicator(
        "Allocation Accuracy Index", "cost that names team, workflow and cost center / total cost",
        "share", "at least", "technical", "tags on requests, or virtual keys"),
    "forecast_error": Indicator(
        "Forecast error", "|forecast - actual| / actual of past windows of 30 days, by driver",
        "share", "at most", "business", "58 days of data"),
    "budget_variance": Indicator(
        "Variance budgeted vs forecasted", "(budget - forecast) / budget, of the widest budget",
        "share", "within", "business", "budgets in parameters/"),
    "within_budget": Indicator(
        "Budgets within forecast", "budgets whose forecast stays within / budgets in force",
        "share", "at least", "business", "budgets in parameters/"),
    "cost_per_successful_task": Indicator(
        "Cost per successful task", "cost / successful tasks",
        "USD", "tracked", "business", "task ids, or a status on calls"),
    "cost_per_call": Indicator("Cost per API Call", "cost / calls", "USD", "tracked", "technical", "calls in the logs"),
    "input_share": Indicator(
        "Input share of spend", "cost of input tokens / cost", "share", "tracked", "technical", "token classes"),
    "prompt_cache_share": Indicator(
        "Cache Hit Rate (tokens)", "input tokens read from the prompt cache / input tokens",
        "share", "at least", "technical", "token classes"),
    "cache_hit_rate": Indicator(
        "Cache hit rate (answers)", "calls answered by the gateway's cache / calls of workflows that use it",
        "share", "tracked", "technical", "the cache flag in the gateway's log"),
    "error_rate": Indicator("LLM Error Rate", "failed calls / calls",
        "share", "tracked", "technical", "a status on calls"),
    "anomaly_rate": Indicator(
        "Anomaly Detection Rate (AI)", "cost beyond what was expected on unusual days / AI spend",
        "share", "at most", "technical", "four weeks of data"),
    "effective_savings_rate": Indicator(
        "Effective Savings Rate", "1 - contracted cost / list cost", "share", "tracked", "business", "prices"),
}  # fmt: skip
"""Measure → its indicator."""


def scorecard(
    params: Params,
    costs: pd.DataFrame,
    usage: pd.DataFrame,
    *,
    period: str,
    results: pd.DataFrame,
    budgets: pd.DataFrame,
    events: pd.DataFrame,
    windows: pd.DataFrame,
    promotions: Sequence[Promotion] = (),
) -> pd.DataFrame:
    """Hold each indicator against its target and against the month before.

    Parameters
    ----------
    params : Params
        Targets and owners.
    costs, usage : DataFrame
        Ledger and usage of the scope, all months known.
    period : str
        Month ``YYYY-MM``.
    results : DataFrame
        As ``inform.unit_costs_by_month`` returns it.
    budgets : DataFrame
        ``summary`` of ``burn``.
    events : DataFrame
        ``events`` of ``watch_assistants`` that concern the scope.
    windows : DataFrame
        As ``inform.backtest_cost`` returns them.
    promotions : sequence of Promotion
        Of the scope, on record.

    Returns
    -------
    DataFrame
        One row per indicator: ``kpi``, ``formula``, ``unit`` (USD or share), ``comparison`` with ``target``,
        ``actual``, ``previous`` (of the month before; of the forecast, without its last window), ``change`` (of a
        share in points, else relative), ``trend`` (up, down, flat, not known), ``state`` (met, missed, tracked, not
        known), ``cadence``, ``owner`` (role), ``what_adds_it`` (where it is not known).

    References
    ----------
    Requirement G4; FinOps Foundation, KPI library (CC BY 4.0).
    """
    before = str(pd.Period(period, "M") - 1) if period else ""
    now, then = (
        _of_month(costs[months(costs) == month], usage[months(usage) == month])
        | _of_results(results, month)
        | _unusual(costs[months(costs) == month], events, month)
        for month in (period, before)
    )
    now |= _per_quarter(results, period, params.settings.forecast.year_start) | _of_budgets(budgets)
    by_driver = windows[windows["method"] == "by driver"]
    for known, seen in ((now, by_driver), (then, by_driver.iloc[:-1])):
        known["forecast_error"] = backtest_summary(seen)["wape"] if len(seen) else None
    now["gated_promotions"] = (
        sum(one.verdict == "promote" for one in promotions) / len(promotions) if promotions else None
    )
    targets = _targets(params.settings)
    rows = [_row(params, name, targets.get(name), now.get(name), then.get(name)) for name in INDICATORS]
    numbers = dict.fromkeys(("target", "actual", "previous", "change"), "float64")
    return pd.DataFrame(rows, columns=list(_COLUMNS)).astype(numbers)


def _targets(settings: Model) -> dict[str, float | None]:
    held = settings.targets
    return {
        "cost_per_outcome_change": held.cost_per_outcome_change,
        "gated_promotions": 1.0,
        "coverage": settings.coverage_target,
        "forecast_error": settings.forecast.accuracy_target,
        "budget_variance": held.budget_variance,
        "within_budget": held.budgets_within_forecast,
        "prompt_cache_share": settings.forecast.cache_target,
        "anomaly_rate": held.unusual_cost,
        "input_share": held.input_share,
    }


def _row(
    params: Params, name: str, target: float | None, actual: float | None, previous: float | None
) -> dict[str, object]:
    indicator = INDICATORS[name]
    comparison = "at most" if name == "input_share" and target is not None else indicator.comparison
    known, compared = actual is not None and not pd.isna(actual), previous is not None and not pd.isna(previous)
    change, trend = None, "not known"
    if known and compared:
        relative = indicator.unit == "USD"
        change = (actual / previous - 1 if previous else None) if relative else actual - previous
        trend = "flat" if change is None or abs(change) <= _FLAT else "up" if change > 0 else "down"
    return {
        **{key: getattr(indicator, key) for key in ("kpi", "formula", "unit", "cadence")},
        "comparison": comparison,
        "target": None if comparison == "tracked" else target,
        "actual": actual,
        "previous": previous,
        "change": change,
        "trend": trend,
        "state": _state(comparison, actual, target) if known else "not known",
        "owner": _owner(params, indicator.accountable),
        "what_adds_it": None if known else indicator.what_adds_it,
    }


def _state(comparison: str, actual: float, target: float | None) -> str:
    """Say whether a target is met.

    Examples
    --------
    >>> _state("within", -0.04, 0.05), _state("at least", 0.9, 0.95), _state("tracked", 3.0, None)
    ('met', 'missed', 'tracked')
    """
    if comparison == "tracked" or target is None:
        return "tracked"
    met = {"at most": actual <= target, "at least": actual >= target, "within": abs(actual) <= target}[comparison]
    return "met" if met else "missed"


def _owner(params: Params, accountable: str) -> str | None:
    own = getattr(params.settings.owners, accountable) if params.assistant != ORGANISATION else None
    return own or getattr(params.organisation.alerts, f"default_{accountable}")


def _of_month(costs: pd.DataFrame, usage: pd.DataFrame) -> dict[str, float | None]:
    """Measure what ledger and usage of one month hold."""
    if costs.empty:
        return {}
    covered = attribution_coverage(costs).iloc[-1]["coverage"]
    sums = tally(costs, ["token_class"]).set_index("token_class")
    cost, listed = (float(total(sums[name]) or 0) for name in ("contracted_cost", "list_cost"))
    entered = sums[sums.index.isin(_INPUT_CLASSES)]
    tokens, read = entered["tokens"].sum(), entered["cache_read_tokens"].sum()
    calls = usage.assign(n=usage["request_count"].astype("float64").fillna(0))
    cached = calls["cache_hit"].fillna(False).astype(bool)
    cacheable = calls["workflow"].isin(calls.loc[cached, "workflow"].dropna().unique())
    counted = float(calls["n"].sum())
    failed = calls.loc[(calls["run_status"] == "error").fillna(False).astype(bool), "n"].sum()
    return {
        "coverage": covered,
        "cost_per_call": cost / counted if counted else None,
        "input_share": float(total(entered["contracted_cost"]) or 0) / cost if cost else None,
        "prompt_cache_share": read / tokens if tokens else None,
        "cache_hit_rate": calls.loc[cached, "n"].sum() / calls.loc[cacheable, "n"].sum() if cached.any() else None,
        "error_rate": failed / counted if counted and calls["run_status"].notna().any() else None,
        "effective_savings_rate": 1 - cost / listed if listed else None,
    }


def _of_results(results: pd.DataFrame, month: str) -> dict[str, float | None]:
    row = results[results["month"] == month]
    names = ("cost_per_outcome", "cost_per_successful_task")
    return {name: float(row[name].iloc[0]) for name in names if len(row) and pd.notna(row[name].iloc[0])}


def _per_quarter(results: pd.DataFrame, period: str, year_start: int) -> dict[str, float | None]:
    """Compare the cost per outcome of the quarter so far with that of the one before."""
    counted = results[results["outcomes"].fillna(0) > 0] if len(results) else results
    if not len(counted) or not period:
        return {}
    month = pd.PeriodIndex(counted["month"].astype(str), freq="M")
    quarter = pd.Series((month.year * 12 + month.month - year_start) // 3, index=counted.index)
    outcomes = counted["outcomes"].astype("float64")
    cost = (counted["cost_per_outcome"].astype("float64") * outcomes).groupby(quarter).sum()
    each = cost / outcomes.groupby(quarter).sum()
    last = pd.Period(period, "M")
    this = (last.year * 12 + last.month - year_start) // 3
    if this not in each.index or this - 1 not in each.index:
        return {}
    return {"cost_per_outcome_change": float(each[this] / each[this - 1] - 1)}


def _unusual(costs: pd.DataFrame, events: pd.DataFrame, month: str) -> dict[str, float | None]:
    spent = float(total(costs["contracted_cost"]) or 0) if len(costs) else 0.0
    beyond = float(events_of_month(events, month)["impact_in_month"].clip(lower=0).sum())
    return {"anomaly_rate": beyond / spent if spent else None}


def _of_budgets(budgets: pd.DataFrame) -> dict[str, float | None]:
    held = budgets[budgets["projected"].notna()]
    if held.empty:
        return {}
    allowed, projected = held["allowed"].astype("float64"), held["projected"].astype("float64")
    whole = held["about"] == "everything"
    widest = allowed[whole if whole.any() else held.index].idxmax()
    variance = (allowed[widest] - projected[widest]) / allowed[widest]
    return {"budget_variance": variance, "within_budget": float((projected <= allowed).mean())}
