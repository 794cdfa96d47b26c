"""Residuals: the difference between log and bill, each part with the cause it has and how that was told."""

from __future__ import annotations

import numpy as np
import pandas as pd

from finops_lib.inform.allocation.exact_money import difference
from finops_lib.inform.measures import MONEY_TYPE
from finops_lib.inform.reconciliation.bill_comparison import EFFECTS, HALF_CENT, KEYS
from finops_lib.inform.scope import DAY, TEXT, days, months
from finops_lib.schema import INPUT_CLASSES

RESIDUAL_CLASSES = (
    "missing_logs",
    "duplicates",
    "unpriced_models",
    "price_difference",
    "cache_basis",
    "tier_or_batch",
    "channel_or_region",
    "discount",
    "currency",
    "shadow_use",
    "capacity",
    "fees",
    "tax",
    "credits",
    "rounding",
    "unexplained",
)
"""Named causes, in the order of the bridge from estimate to invoice."""

_TRAFFIC = ["provider", "account", "model", "service_tier", "day"]
_OWNER = ["provider", "account", "model"]
_EQUAL = 0.005
"""Quantities that differ by less (share) are the same quantity in two countings."""
_ALIKE = 0.10
"""Spread of the shortfall between token classes below which it is one of whole calls."""
_SAME_FACTOR = 1e-6
_REGIONAL_FACTOR = 1.1
"""Regional endpoints of the large channels cost a tenth more than global ones."""


def silent_days(billing: pd.DataFrame, month: str) -> pd.DataFrame:
    """List the days on which what logs an account holds nothing at all, of any provider.

    Parameters
    ----------
    billing : DataFrame
        Columns of ``schema.LEDGER``, days in UTC.
    month : str
        ``YYYY-MM``.

    Returns
    -------
    DataFrame
        One row per ``provider``, ``account`` (empty: not named) and silent ``day`` (``YYYY-MM-DD``).
    """
    rows = billing[(months(billing) == month).to_numpy(bool)]
    seen = pd.DataFrame(
        {
            "provider": rows["provider"].astype(TEXT),
            "account": rows["provider_account"].astype(TEXT).fillna(""),
            "layer": rows["capture_layer"].astype(TEXT).fillna(""),
            "day": days(rows).dt.strftime("%Y-%m-%d").to_numpy(),
        }
    ).drop_duplicates()
    calendar = pd.DataFrame({"day": pd.period_range(f"{month}-01", periods=pd.Period(month).days_in_month).astype(str)})
    owners = seen[["provider", "account", "layer"]].drop_duplicates()
    heard = owners.merge(seen[["account", "layer", "day"]].drop_duplicates(), on=["account", "layer"])
    every = owners[["provider", "account"]].drop_duplicates().merge(calendar, how="cross")
    left = every.merge(heard[["provider", "account", "day"]].drop_duplicates(), how="left", indicator=True)
    return left.loc[left["_merge"] == "left_only", ["provider", "account", "day"]].reset_index(drop=True)


def name_residuals(compared: pd.DataFrame, billing: pd.DataFrame, month: str) -> pd.DataFrame:
    """Give each difference between log and bill its cause.

    Parameters
    ----------
    compared : DataFrame
        From ``compare_with_bill``.
    billing : DataFrame
        The same frame that was compared: tells the days without a log and the busiest day.
    month : str
        ``YYYY-MM``.

    Returns
    -------
    DataFrame
        The rows of ``compared`` that differ, once for each cause: ``residual_class``, ``amount`` (exact USD) and
        ``silent_days``. The amounts of a provider add up to its three effects.
    """
    if compared.empty or not (compared[list(EFFECTS)] != 0).any(axis=None):
        return compared.head(0).assign(residual_class="", amount=pd.Series(dtype=MONEY_TYPE), silent_days="")
    rows = _with_silence(compared.reset_index(drop=True), billing, month)
    rows = _as_volume_or_price(rows)
    pieces = []
    for effect, name in (("volume_effect", _volume_classes), ("price_effect", _price_classes), ("bill_effect", _own)):
        named = rows.assign(residual_class=name(rows), amount=rows[effect])
        pieces.append(named[(named["amount"] != 0).to_numpy(bool)])
    found = pd.concat(pieces, ignore_index=True)
    return _capped(found, billing, month)


def _with_silence(rows: pd.DataFrame, billing: pd.DataFrame, month: str) -> pd.DataFrame:
    silent = silent_days(billing, month)
    listed = silent.groupby(["provider", "account"], as_index=False)["day"].agg(", ".join)
    anywhere = silent.drop_duplicates(["provider", "day"]).groupby("provider", as_index=False)["day"].agg(", ".join)
    own = rows[["provider", "account"]].merge(listed, on=["provider", "account"], how="left")["day"]
    whole = rows[["provider"]].merge(anywhere, on="provider", how="left")["day"]
    gaps = own.where((rows["account"] != "").to_numpy(bool), whole).astype(TEXT).fillna("")
    # where the bill goes by day, only a silent day itself is one
    hit = [day == "" or day in found for day, found in zip(rows["day"], gaps, strict=True)]
    return rows.assign(silent_days=gaps.where(np.array(hit, bool), "").to_numpy())


def _as_volume_or_price(rows: pd.DataFrame) -> pd.DataFrame:
    """Decide for lines too coarse to tell tokens from prices which of the two their difference is."""
    whole = difference(rows["billed_cost"], rows["bill_effect"])
    whole = difference(whole, rows["estimate"])
    log, bill = rows["logged_quantity"], rows["billed_quantity"]
    coarse = (rows["token_class"] == "") & (bill > 0) & (bill != log)
    bare = ~rows["counted"] & (rows["estimate"] != 0) & (rows["billed_cost"] != 0)
    price_like = (bare & (rows["silent_days"] == "")).to_numpy(bool)
    volume_like = ((coarse | bare).to_numpy(bool)) & ~price_like
    return rows.assign(
        is_bare=bare.to_numpy(bool),
        volume_effect=rows["volume_effect"].mask(volume_like, whole).mask(price_like, 0),
        price_effect=rows["price_effect"].mask(price_like, whole).mask(volume_like, 0),
    )


def _volume_classes(rows: pd.DataFrame) -> np.ndarray:
    """Name the tokens that one side has and the other has not."""
    log, bill = rows["logged_quantity"].astype("float64"), rows["billed_quantity"].astype("float64")
    short = log / bill.where(bill > 0)
    group = [rows[k] for k in _TRAFFIC]
    spread = short.groupby(group).transform("max") - short.groupby(group).transform("min")
    alike = (spread <= _ALIKE) & (bill > 0) & (log > 0)
    absent = (log == 0) & (bill.groupby(group).transform("sum") > 0) & (log.groupby(group).transform("sum") == 0)
    effect = rows["volume_effect"].astype("float64")
    # the same tokens at another mix of our own prices: lifetimes of the cache, sizes of the context
    mixed = (log == bill) & (rows["unpriced_quantity"] == 0)
    cached = rows["token_class"].astype(TEXT).fillna("").str.startswith("cache_")
    conditions = {
        "unpriced_models": (rows["unpriced_quantity"] > 0) & (rows["unpriced_quantity"] == rows["logged_quantity"]),
        "price_difference": mixed & ~cached,
        "tier_or_batch": _moved_between_tiers(rows),
        "cache_basis": _cached_otherwise(rows) | (mixed & cached).to_numpy(bool),
        "missing_logs": (effect > 0)
        & ((rows["silent_days"] != "") | (alike & (short < 1)) | (absent & (rows["day"] != ""))),
        "duplicates": (effect < 0) & alike & (short > 1),
    }
    masks = [np.asarray(mask, dtype=bool) for mask in conditions.values()]
    return np.select(masks, list(conditions), default="unexplained")


def _moved_between_tiers(rows: pd.DataFrame) -> np.ndarray:
    """Find tokens that both sides count alike, each under another service tier."""
    keys = [rows[k] for k in KEYS if k != "service_tier"]
    log, bill = (
        rows[name].astype("float64").groupby(keys).transform("sum") for name in ("logged_quantity", "billed_quantity")
    )
    tiers = rows["service_tier"].groupby(keys).transform("nunique")
    return ((tiers > 1) & (log > 0) & ((bill - log).abs() <= _EQUAL * bill)).to_numpy(bool)


def _cached_otherwise(rows: pd.DataFrame) -> np.ndarray:
    """Find input whose total agrees while its cached part does not, or whose plain part holds the cached tokens too."""
    ours = rows["token_class"].isin(INPUT_CLASSES)
    group = [rows[k] for k in _TRAFFIC]

    def summed(values: pd.Series, kept: pd.Series) -> pd.Series:
        return values.where(kept, 0.0).groupby(group).transform("sum")

    log, bill = rows["logged_quantity"].astype("float64"), rows["billed_quantity"].astype("float64")
    gap = bill - log
    total = summed(bill, ours)
    same_total = (summed(gap, ours).abs() <= _EQUAL * total) & (summed(gap.abs(), ours) > 2 * _EQUAL * total)
    plain = rows["token_class"] == "uncached_input"
    cached = summed(np.maximum(log, bill), ours & ~plain)
    twice = plain & (cached > 0) & ((gap.abs() - cached).abs() <= 2 * _EQUAL * cached)
    return (ours & (same_total | twice)).to_numpy(bool)


def _price_classes(rows: pd.DataFrame) -> np.ndarray:
    """Name the difference of the same tokens at another price."""
    reference = rows["expected_cost"].where(~rows["is_bare"], rows["estimate"]).astype("float64")
    paid = difference(rows["billed_cost"], rows["bill_effect"]).astype("float64")
    factor = (paid / reference.where(reference != 0)).astype("float64")

    def same(keys: list[str], slack: float) -> pd.Series:
        by = factor.groupby([rows[k] for k in keys])
        low, high, held = by.transform("min"), by.transform("max"), by.transform("count")
        return (high - low <= slack * high) & (held > 1)

    def near(target: float) -> pd.Series:
        return (factor - target).abs() <= _SAME_FACTOR

    cents = rows["is_whole_cents"] & (rows["price_effect"].astype("float64").abs() <= HALF_CENT)
    cached = rows["token_class"].astype(TEXT).fillna("").str.startswith("cache_")
    plain = (rows["unit_price"] / rows["uncached_unit_price"] - 1).abs() <= _SAME_FACTOR
    foreign = rows["billing_currency"].astype(TEXT).fillna("USD") != "USD"
    one_model = same(_OWNER, _SAME_FACTOR)
    conditions = [
        ("rounding", cents),
        ("currency", foreign & same(["provider"], 2 * _EQUAL) & factor.between(0.75, 1.25)),
        ("tier_or_batch", near(0.5) | near(2.0)),
        ("cache_basis", cached & plain),
        ("channel_or_region", one_model & near(_REGIONAL_FACTOR)),
        ("discount", same(["provider"], _SAME_FACTOR)),
        ("channel_or_region", one_model & rows["region_id"].notna()),
        ("unexplained", rows["is_bare"]),
    ]
    masks = [np.asarray(mask.fillna(value=False), dtype=bool) for _, mask in conditions]
    return np.select(masks, [name for name, _ in conditions], default="price_difference")


def _own(rows: pd.DataFrame) -> np.ndarray:
    """Name what the bill itself adds to its contracted cost or takes off."""
    amount = rows["bill_effect"].astype("float64")
    rounded = rows["is_whole_cents"] & (amount.abs() <= HALF_CENT)
    return np.select([rounded.to_numpy(bool), (amount < 0).to_numpy(bool)], ["rounding", "discount"], default="fees")


def _capped(found: pd.DataFrame, billing: pd.DataFrame, month: str) -> pd.DataFrame:
    """Leave unexplained what silent days cannot hold: more than the busiest logged day for each of them."""
    by_day = (found["residual_class"] == "missing_logs") & (found["silent_days"] != "") & (found["day"] == "")
    if not by_day.any():
        return found
    rows = billing[(months(billing) == month).to_numpy(bool)]
    rows = rows.assign(account=rows["provider_account"].astype(TEXT).fillna(""))
    parts = []
    for owner, own in found[by_day.to_numpy(bool)].groupby(_OWNER, dropna=False):
        traffic = rows[(rows["provider"] == owner[0]).to_numpy(bool, na_value=False)]
        for name, value in zip(("account", "model"), owner[1:], strict=True):
            traffic = traffic if value == "" else traffic[(traffic[name] == value).to_numpy(bool, na_value=False)]
        busiest = traffic.groupby(DAY)["contracted_cost"].sum().max() if len(traffic) else 0
        beyond = own["amount"].sum() - busiest * (own["silent_days"].iloc[0].count(",") + 1)
        if beyond > 0:
            first = own.head(1)
            taken = pd.Series([-beyond, beyond], dtype=MONEY_TYPE)
            parts.append(
                pd.concat([first, first]).assign(amount=taken.array, residual_class=["missing_logs", "unexplained"])
            )
    return pd.concat([found, *parts], ignore_index=True)
