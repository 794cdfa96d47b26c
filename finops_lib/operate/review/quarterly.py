"""Quarterly list: what a quarter's end asks, with what the ledger says on it, and where the tiers of models drift."""

from __future__ import annotations

import pandas as pd

from finops_lib.inform.measures import BUCKETS, ratio, tally, total
from finops_lib.inform.scope import dimension_values, months
from finops_lib.settings import ModelCatalogue

_QUARTERLY = (
    ("prices", "Are list and negotiated prices still the best to be had?", "USD per million tokens"),
    ("providers", "Is each use case served by a provider we can leave?", "share of the largest provider"),
    ("tier policy", "Do premium models serve only what needs them?", "share of cost on premium tiers"),
    ("routing", "Do the routes still hold above the evaluation floor?", None),
    ("cache", "Do caches still hit, and are their answers fresh?", "share of input read from the cache"),
    ("retrieval quality", "Is what is retrieved read and right?", "retrieved tokens a request"),
    ("prompt growth", "Which prompts grew, and why?", "input tokens a request"),
    ("context", "Is history cut where it no longer helps?", "history tokens a request"),
    ("utilisation", "Are seats and capacity in use?", None),
    ("value", "Are outcomes counted, and is their value confirmed?", None),
    ("security", "Do data classes, retention and audits hold?", None),
    ("contracts", "Which commitments end, and what do they save?", "saved against list price"),
)
"""Topic of the quarterly review, its question, and what the ledger says on it; ``None``: a role has to say."""


def tier_drift(now: pd.DataFrame, before: pd.DataFrame) -> pd.DataFrame:
    """Compare which tiers of models the calls of two months went to.

    Parameters
    ----------
    now, before : DataFrame
        As ``optimize.tier_mix`` returns them, of the month and of the one before.

    Returns
    -------
    DataFrame
        One row per ``tier``, cheapest first: ``cost`` (USD), ``share_of_cost`` and ``share_before``, and
        ``share_change`` (difference of the two; null without a month before).
    """
    summed = {name: mix.groupby("tier", sort=False)["cost"].sum() for name, mix in (("now", now), ("before", before))}
    tiers = list(dict.fromkeys([*summed["now"].index, *summed["before"].index]))
    table = pd.DataFrame({"tier": tiers, "cost": summed["now"].reindex(tiers).fillna(0).to_numpy(dtype=float)})
    table["share_of_cost"] = ratio(table["cost"], float(table["cost"].sum()))
    earlier = summed["before"].reindex(tiers).fillna(0).reset_index(drop=True)
    table["share_before"] = ratio(earlier, float(earlier.sum()))
    return table.assign(share_change=table["share_of_cost"] - table["share_before"])


def quarterly_list(
    costs: pd.DataFrame, usage: pd.DataFrame, period: str, catalogue: ModelCatalogue, *, year_start: int = 1
) -> pd.DataFrame:
    """List what a quarter's end asks, with what the ledger says on it.

    Parameters
    ----------
    costs, usage : DataFrame
        Ledger and usage, all months known.
    period : str
        Month ``YYYY-MM``.
    catalogue : ModelCatalogue
        Tiers of models.
    year_start : int
        First month of the financial year.

    Returns
    -------
    DataFrame
        One row per topic: ``topic``, ``question``, ``measure`` (what is measured; null where only a role can say),
        ``last_quarter_month`` and ``now`` (value three months before and in this month) and ``quarter_change`` (share).
        Empty unless the month ends a quarter.

    References
    ----------
    Requirement G5.
    """
    ends = bool(period) and (int(period[5:]) - year_start) % 3 == 2
    if not ends:
        return pd.DataFrame(columns=["topic", "question", "measure", "last_quarter_month", "now", "quarter_change"])
    former = str(pd.Period(period, "M") - 3)
    seen = [
        _quarterly_measures(costs[months(costs) == month], usage[months(usage) == month], catalogue)
        for month in (former, period)
    ]
    table = pd.DataFrame(_QUARTERLY, columns=["topic", "question", "measure"])
    for name, values in zip(("last_quarter_month", "now"), seen, strict=True):
        table[name] = table["topic"].map(values).astype("float64")
    return table.assign(quarter_change=ratio(table["now"], table["last_quarter_month"]) - 1)


def _quarterly_measures(costs: pd.DataFrame, usage: pd.DataFrame, catalogue: ModelCatalogue) -> dict[str, float | None]:
    """Measure what the quarterly topics ask of one month."""
    if costs.empty:
        return {}
    sums = tally(costs, ["provider"])
    spent = sums.set_index("provider")["contracted_cost"].astype("float64").fillna(0)
    cost, tokens, listed = spent.sum(), sums["tokens"].sum(), float(total(sums["list_cost"]) or 0)
    inputs = [name for name in BUCKETS if name not in ("output_tokens", "reasoning_tokens")]
    read, entered = float(sums["cache_read_tokens"].sum()), float(sums[inputs].to_numpy(dtype=float).sum())
    model = dimension_values(costs, "model")
    premium = [name for name in model.unique() if catalogue.is_premium(name)]
    on_premium = costs[model.isin(premium).astype(bool)]["contracted_cost"]
    calls = usage["request_count"].astype("float64").sum()

    def a_request(amount: float) -> float | None:
        return amount / calls if calls else None

    return {
        "prices": cost / tokens * 1e6 if tokens else None,
        "providers": spent.max() / cost if cost else None,
        "tier policy": on_premium.astype("float64").sum() / cost if cost else None,
        "cache": read / entered if entered else None,
        "retrieval quality": a_request(usage["retrieved_tokens"].astype("float64").sum(min_count=1)),
        "prompt growth": a_request(entered),
        "context": a_request(usage["history_tokens"].astype("float64").sum(min_count=1)),
        "contracts": 1 - cost / listed if listed else None,
    }
