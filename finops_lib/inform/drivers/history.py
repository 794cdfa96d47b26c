"""Driver history: what cost is made of on each day, by model, ready to be forecast apart."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from finops_lib.inform.scope import days, dimension_values
from finops_lib.schema import INPUT_CLASSES, OUTPUT_CLASSES

RECENT_DAYS = 28
REST, UNPRICED = "other models", "models without a price"
_READ = ("cache_read", "cache_read_audio")
_BUCKETS = (
    dict.fromkeys(INPUT_CLASSES, "fresh_input")
    | dict.fromkeys(_READ, "cache_read")
    | dict.fromkeys(OUTPUT_CLASSES, "output")
)
BUCKETS = ("fresh_input", "cache_read", "output", "other")
_NAMED = 4  # models whose share of the calls is followed apart


@dataclass(frozen=True)
class DriverHistory:
    """Daily quantities of a scope.

    Attributes
    ----------
    calls : DataFrame, days × model groups
        Billed calls a day; groups are the costliest models, the other models, and models without a price.
    tokens : DataFrame, days × (model group, bucket)
        Billed quantity a day (tokens; searches in the bucket ``other``).
    recent : DataFrame
        The last four weeks by ``group``, ``bucket``, ``model``, ``token_class``: ``quantity``, ``cost`` (USD).
    cost : Series
        Contracted cost a day (USD).
    unpriced : Series
        Tokens a day over the last four weeks of each model without a price.
    counted : bool
        Whether calls are counted; else a thousand tokens stand for a call.
    """

    calls: pd.DataFrame
    tokens: pd.DataFrame
    recent: pd.DataFrame
    cost: pd.Series
    unpriced: pd.Series
    counted: bool

    def drivers(self) -> pd.DataFrame:
        """Take the days apart into drivers; NaN where a day has nothing to divide by."""
        total = self.calls.sum(axis=1)
        per_call = total.where(total > 0)
        by_bucket = self.tokens.T.groupby(level="bucket").sum().T.reindex(columns=list(BUCKETS), fill_value=0.0)
        served = by_bucket["fresh_input"] + by_bucket["cache_read"]
        frame = pd.DataFrame(
            {
                "calls": total,
                "input_tokens_per_call": served / per_call,
                "output_tokens_per_call": by_bucket["output"] / per_call,
                "cache_read_share": by_bucket["cache_read"] / served.where(served > 0),
            }
        )
        return (
            frame.join(self.calls.div(per_call, axis=0).add_prefix("share of ")) if self.calls.shape[1] > 1 else frame
        )


def driver_history(costs: pd.DataFrame, usage: pd.DataFrame, as_of: date) -> DriverHistory:
    """Add the ledger up by day, model and bucket, as far as it is forecast apart.

    Parameters
    ----------
    costs : DataFrame
        Ledger of one scope, one row per day × dimensions × SKU.
    usage : DataFrame
        Usage of the same scope, one row per day × dimensions.
    as_of : date
        Last complete day; later days are left out.

    Returns
    -------
    DriverHistory
        Every day from the first with traffic to ``as_of``; days without traffic are zeros.
    """
    # calls of a day that is not over yet are no history
    first = min([pd.Timestamp(as_of), *(days(frame).min() for frame in (costs, usage) if len(frame))])
    every_day = pd.date_range(first, pd.Timestamp(as_of), freq="D", unit="s")
    rows = _rows(costs, every_day)
    priced = set(rows.loc[rows["cost"].notna(), "model"])
    is_recent = rows["day"] > every_day[-1] - pd.Timedelta(days=RECENT_DAYS)
    by_cost = rows[is_recent].groupby("model")["cost"].sum().sort_values(ascending=False, kind="stable")
    named = set(by_cost.index[:_NAMED] if len(by_cost[by_cost > 0]) > _NAMED + 1 else by_cost.index)
    group = {model: model if model in named else REST for model in priced}
    rows["group"] = [group.get(model, UNPRICED) for model in rows["model"]]
    calls = pd.DataFrame(
        {
            "day": days(usage),
            "group": dimension_values(usage, "model").astype(object).map(lambda model: group.get(model, UNPRICED)),
            "calls": usage["request_count"].astype("float64").where(~served_from_cache(usage), 0.0),
        }
    )
    tables = (calls, "group", "calls"), (rows, ["group", "bucket"], "quantity")
    by_day, tokens = (
        frame.pivot_table(index="day", columns=by, values=value, aggfunc="sum", fill_value=0.0)
        .reindex(every_day, fill_value=0.0)
        .astype("float64")
        for frame, by, value in tables
    )
    counted = bool(by_day.iloc[-RECENT_DAYS:].to_numpy().sum() > 0) or not len(rows)
    if not counted:
        by_day = tokens.T.groupby(level="group").sum().T / 1000
    recent = rows[is_recent & rows["cost"].notna()]
    recent = recent.groupby(["group", "bucket", "model", "token_class"])[["quantity", "cost"]].sum().reset_index()
    unpriced = rows[is_recent & rows["cost"].isna() & (rows["bucket"] != "other")].groupby("model")["quantity"].sum()
    cost = rows.groupby("day")["cost"].sum().reindex(every_day, fill_value=0.0)
    return DriverHistory(by_day, tokens, recent, cost, unpriced / min(RECENT_DAYS, len(every_day)), counted)


def _rows(costs: pd.DataFrame, every_day: pd.DatetimeIndex) -> pd.DataFrame:
    """Sum quantity and cost by day, model and token class; the cost is null without a price."""
    keys = [days(costs).rename("day"), dimension_values(costs, "model").rename("model")]
    keys.append(dimension_values(costs, "token_class").rename("token_class"))
    amounts = costs[["pricing_quantity", "contracted_cost"]].astype("float64")
    amounts.columns = ["quantity", "cost"]
    rows = amounts.groupby(keys).sum(min_count=1).reset_index().astype({"model": object, "token_class": object})
    rows["bucket"] = rows["token_class"].map(_BUCKETS).fillna("other")
    return rows[(rows["day"] <= every_day[-1]) & (rows["quantity"] > 0)].reset_index(drop=True)


def served_from_cache(usage: pd.DataFrame) -> np.ndarray:
    """Mark the rows that the gateway's response cache answered: they cost nothing."""
    if "cache_hit" not in usage.columns:
        return np.zeros(len(usage), dtype=bool)
    return usage["cache_hit"].astype("boolean").fillna(False).to_numpy(bool)
