"""Residual sentences: how the cause of a difference was told, in words a controller can check."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd


def how_told(rows: pd.DataFrame) -> str:
    """Say how the cause of some differences was told.

    Parameters
    ----------
    rows : DataFrame
        Rows of one provider, account, model and residual class, as ``name_residuals`` returns them.

    Returns
    -------
    str
        One sentence without its full stop.
    """
    return _WRITERS[rows["residual_class"].iloc[0]](rows)


def _missing_logs(rows: pd.DataFrame) -> str:
    log, bill = int(rows["logged_quantity"].sum()), int(rows["billed_quantity"].sum())
    part = f"{1 - log / bill:.1%} of the tokens billed are in no log" if bill else "the bill has more than the log"
    silent = rows["silent_days"].iloc[0]
    if silent:
        return f"the log holds nothing on {silent}; {part}"
    return f"no day is silent, and {part}, alike in every token class"


def _duplicates(rows: pd.DataFrame) -> str:
    log, bill = int(rows["logged_quantity"].sum()), int(rows["billed_quantity"].sum())
    return f"the log holds {log / bill - 1:.1%} more tokens than are billed, alike in every token class"


def _unpriced(rows: pd.DataFrame) -> str:
    return f"{int(rows['unpriced_quantity'].sum()):,} logged tokens have no price in the ledger; the bill has one"


def _cache_basis(rows: pd.DataFrame) -> str:
    billed_plain = rows["unit_price"] / rows["uncached_unit_price"]
    cached = rows["token_class"].astype(str).str.startswith("cache_")
    if (cached & ((billed_plain - 1).abs() < 1e-6)).any():
        return "cached input is billed at the price of plain input"
    parts = [
        f"{row.token_class.replace('_', ' ')} {row.logged_quantity:,} logged, {row.billed_quantity:,} billed"
        for row in rows.itertuples()
    ]
    return f"the same input is counted as cached by one side only: {'; '.join(parts[:4])}"


def _tier(rows: pd.DataFrame) -> str:
    tiers = ", ".join(sorted({tier for tier in rows["service_tier"] if tier}))
    if (rows["volume_effect"] != 0).any():
        return f"both sides count the same tokens, each under another service tier ({tiers})"
    return f"billed at {_factor(rows):g} times our price: {'half' if _factor(rows) < 1 else 'twice'} as for batch work"


def _region(rows: pd.DataFrame) -> str:
    regions = ", ".join(sorted({str(region) for region in rows["region_id"].dropna()}))
    where = f" in {regions}" if regions else ""
    return f"every token class{where} is billed at {_factor(rows):.4g} times our price, as for a regional endpoint"


def _discount(rows: pd.DataFrame) -> str:
    if (rows["price_effect"] == 0).all():
        return "the bill itself takes it off its contracted cost"
    factor = _factor(rows)
    direction = "below" if factor < 1 else "above"
    return f"every line of the bill is {abs(1 - factor):.2%} {direction} our contracted price"


def _currency(rows: pd.DataFrame) -> str:
    currency = rows["billing_currency"].dropna().iloc[0]
    return f"billed in {currency}: every line is {_factor(rows):.4g} times our price at the exchange rate given"


def _price(rows: pd.DataFrame) -> str:
    at_log = rows["estimate"].astype("float64") / rows["logged_quantity"].astype("float64")
    ours = rows["expected_unit_price"].where((rows["price_effect"] != 0).to_numpy(bool), at_log)
    prices = rows.assign(paid=rows["unit_price"] * 1e6, ours=ours * 1e6)
    named = prices.groupby("token_class")[["paid", "ours"]].mean().itertuples()
    parts = [
        f"{str(row.Index).replace('_', ' ')} billed at USD {row.paid:,.4g} a million, our price is USD {row.ours:,.4g}"
        for row in named
    ]
    return "; ".join(parts)


def _unexplained(rows: pd.DataFrame) -> str:
    if (rows["billed_quantity"] == 0).all() and (rows["billed_cost"] == 0).all():
        return "logged and priced, but on no line of the bill"
    parts = [
        f"{(row.token_class or 'all tokens').replace('_', ' ')} {row.logged_quantity:,} logged, "
        f"{row.billed_quantity:,} billed"
        for row in rows.itertuples()
        if row.logged_quantity != row.billed_quantity and row.billed_quantity
    ]
    return "; ".join(parts[:4]) or "the bill gives no quantities to hold the log against"


def _rounding(_: pd.DataFrame) -> str:
    return "lines of the bill are rounded to whole cents"


def _fees(_: pd.DataFrame) -> str:
    return "the bill adds it to its contracted cost"


def _factor(rows: pd.DataFrame) -> float:
    factors = (rows["unit_price"] / rows["expected_unit_price"]).dropna()
    if len(factors):
        return float(factors.iloc[0])
    return float(rows["billed_cost"].astype("float64").sum() / rows["estimate"].astype("float64").sum())


_WRITERS: dict[str, Callable[[pd.DataFrame], str]] = {
    "missing_logs": _missing_logs,
    "duplicates": _duplicates,
    "unpriced_models": _unpriced,
    "cache_basis": _cache_basis,
    "tier_or_batch": _tier,
    "channel_or_region": _region,
    "discount": _discount,
    "currency": _currency,
    "price_difference": _price,
    "rounding": _rounding,
    "fees": _fees,
    "unexplained": _unexplained,
}
