"""Announced prices: what the calls of today would cost at each price that is dated already."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta

import pandas as pd

from finops_lib.ingest.prices.model_names import match_models
from finops_lib.ingest.prices.price_list import price_changes, unit_prices
from finops_lib.ingest.prices.rows import read_price_list
from finops_lib.params import Params
from finops_lib.settings import PRICE_SCOPES

_RECENT_DAYS = 28
_AHEAD = timedelta(days=366)
_KEYS = ["provider", "model", "service_tier", "context_tier"]


def announced_prices(params: Params, costs: pd.DataFrame, as_of: date | None) -> pd.DataFrame:
    """Price the recent mix of calls today and at every change announced.

    Parameters
    ----------
    params : Params
        Price overrides and model names.
    costs : DataFrame
        Ledger, one row per day × dimensions × SKU; its last four weeks up to ``as_of`` are the mix of tiers,
        context sizes and owners that a price of a model stands for.
    as_of : date or None
        Last complete day; ``None`` of an empty ledger.

    Returns
    -------
    DataFrame
        One row per model × token class × price: ``effective_from`` (``as_of`` for today's, then the first day of
        each change), ``model``, ``token_class``, ``unit_price`` (contracted USD per token or search), and
        ``unit_price_before`` (null for today's). Prices that stay as they are have one row; a model without a
        price has none.

    References
    ----------
    Requirements A4 and D1: announced prices are taken from the dated price list, never forecast.
    """
    columns = ["effective_from", "model", "token_class", "unit_price", "unit_price_before"]
    if as_of is None or costs.empty:
        return pd.DataFrame(columns=columns)
    day = pd.to_datetime(costs["charge_period_start"])
    recent = costs[(day > pd.Timestamp(as_of) - timedelta(days=_RECENT_DAYS)) & (day <= pd.Timestamp(as_of))]
    scopes = [name for name in params.organisation.price_scopes if name not in _KEYS]
    keys = [*_KEYS, *scopes, "token_class"]
    mix = (
        recent.groupby(keys, dropna=False)["pricing_quantity"].sum().astype("float64").rename("quantity").reset_index()
    )
    price_list = read_price_list()
    kinds = mix[[*_KEYS, *scopes]].drop_duplicates()
    matched = match_models(
        kinds[["provider", "model"]].drop_duplicates(), price_list, params.organisation.model_aliases
    )
    overrides = params.organisation.prices
    changes = price_changes(price_list, overrides, matched, _noon(as_of), _noon(as_of + _AHEAD))
    # prices by time of day change twice a day; noon stands for the day, since only the step between days counts
    dates = [as_of, *sorted({moment.date() for moment in changes if moment.date() > as_of})]
    at = pd.concat([kinds.assign(price_period_start=_noon(when), effective_from=when) for when in dates])
    units = unit_prices(at.reset_index(drop=True), price_list, overrides, matched)
    return _by_model(mix, units, keys)[columns]


def _by_model(mix: pd.DataFrame, units: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """Weigh the unit prices of a model's tiers by what was used of each; keep today's and the changes."""
    units = units.astype({name: mix[name].dtype for name in keys})
    joined = mix[mix["quantity"] > 0].merge(units, how="inner", on=keys)
    joined["cost"] = joined["quantity"] * joined["contracted_unit_price"].astype("float64")
    by = ["model", "token_class", "effective_from"]
    table = joined.groupby(by)[["cost", "quantity"]].sum().reset_index()
    table["unit_price"] = table["cost"] / table["quantity"]
    before = table.groupby(["model", "token_class"])["unit_price"].shift(1)
    table["unit_price_before"] = before
    changed = before.isna() | ((table["unit_price"] - before).abs() > 1e-9 * before.abs())
    return table[changed].sort_values(["effective_from", "model", "token_class"]).reset_index(drop=True)


def _noon(day: date) -> datetime:
    return datetime.combine(day, time(12), UTC)


def model_prices(params: Params, models: Iterable[str], on: date | None) -> pd.DataFrame:
    """Look up what models cost that nobody has called yet.

    Parameters
    ----------
    params : Params
        Price overrides and model names.
    models : iterable of str
        Model names, as scenarios give them.
    on : date or None
        The day; without one there are no prices.

    Returns
    -------
    DataFrame
        One row per model × token class: ``model``, ``token_class``, ``unit_price`` (contracted USD per token).
    """
    named = sorted(set(models))
    if on is None or not named:
        return pd.DataFrame({"model": [], "token_class": [], "unit_price": []})
    price_list = read_price_list()
    pairs = pd.DataFrame({"provider": [None] * len(named), "model": named}, dtype=object)
    keys = pairs.assign(service_tier=None, context_tier=0, price_period_start=_noon(on))
    keys = keys.assign(**{name: None for name in PRICE_SCOPES if name not in keys.columns})
    matched = match_models(pairs, price_list, params.organisation.model_aliases)
    units = unit_prices(keys, price_list, params.organisation.prices, matched)
    units["unit_price"] = units["contracted_unit_price"].astype("float64")
    return units[["model", "token_class", "unit_price"]]
