"""Price list: dated public unit prices, and the price of every kind of call under the agreements in force."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from fnmatch import fnmatchcase
from typing import Any

import pandas as pd

from finops_lib.errors import PriceError, nearest
from finops_lib.ingest.prices.model_names import match_models
from finops_lib.ingest.prices.overrides import (
    STANDARD,
    UnitPrice,
    check_overrides,
    in_scope,
    names_match,
    normalise_tier,
    price_classes,
)
from finops_lib.ingest.prices.rows import PRICED, PriceList, PriceRow, row_at, rows_frame
from finops_lib.params import PriceOverride
from finops_lib.settings import PRICE_SCOPES

_INSTANT = timedelta(microseconds=1)


def context_thresholds(price_list: PriceList, matched: pd.DataFrame) -> list[int]:
    """List the input sizes from which any of the matched models costs more.

    Parameters
    ----------
    price_list : PriceList
        The price list.
    matched : DataFrame
        As ``match_models`` returns it.

    Returns
    -------
    list of int
        Tokens, ascending; a call is beyond a threshold when its total input is larger.
    """
    return sorted({row.context_from for rows in _matched_rows(price_list, matched) for row in rows} - {0})


def price_changes(
    price_list: PriceList,
    overrides: Sequence[PriceOverride],
    matched: pd.DataFrame,
    start: datetime,
    end: datetime,
) -> list[datetime]:
    """List the moments at which a price of the matched models changes.

    Parameters
    ----------
    price_list : PriceList
        The price list.
    overrides : sequence of PriceOverride
        Their first and last days change prices too.
    matched : DataFrame
        As ``match_models`` returns it.
    start, end : datetime
        The period, open at both ends; without a time zone they are UTC.

    Returns
    -------
    list of datetime
        UTC, ascending. Between two of them every price is constant.
    """
    start, end = _utc(start), _utc(end)
    days = [start.date() + timedelta(days=n) for n in range((end.date() - start.date()).days + 1)]
    moments = set()
    for rows in _matched_rows(price_list, matched):
        clocks = sorted({row.time_from for row in rows})
        candidates = days if len(clocks) > 1 else sorted({row.effective_from for row in rows} & set(days))
        contexts = sorted({row.context_from for row in rows})
        for moment in (datetime.combine(day, clock, UTC) for day in candidates for clock in clocks):
            pairs = (row_at(rows, at, context) for context in contexts for at in (moment - _INSTANT, moment))
            before_and_after = [row.prices if row else None for row in pairs]
            if before_and_after[::2] != before_and_after[1::2]:
                moments.add(moment)
    for override in overrides:
        if any(_named(override, pair) for pair in matched.itertuples(index=False)):
            limits = (override.effective_from, override.effective_to)
            moments |= {datetime.combine(day, time(), UTC) for day in limits if day}
    return sorted(moment for moment in moments if start < moment < end)


def unit_prices(
    keys: pd.DataFrame, price_list: PriceList, overrides: Sequence[PriceOverride], matched: pd.DataFrame
) -> pd.DataFrame:
    """Price each kind of call, one row per token class.

    Parameters
    ----------
    keys : DataFrame
        One row per kind of call: ``provider``, ``model``, ``service_tier``, ``context_tier`` (tokens: the largest of
        ``context_thresholds`` its input exceeded, else 0), ``price_period_start`` (UTC), and ``api_key``, ``team`` and
        ``assistant`` where an override is scoped by them.
    price_list : PriceList
        The price list.
    overrides : sequence of PriceOverride
        In file order.
    matched : DataFrame
        As ``match_models`` returns it; a pair that is not in it counts as unmatched.

    Returns
    -------
    DataFrame
        The columns of ``keys``, ``token_class``, ``list_unit_price``, ``contracted_unit_price``,
        ``effective_unit_price``, ``billed_unit_price`` (Decimal, USD per token or request, 15 decimals),
        ``sku_id``, ``sku_price_id``, ``price_source``, ``price_version``. A key or class without a price has no row.

    Raises
    ------
    PriceError
        If an override prices an unknown token class or is scoped by a column ``keys`` lacks.

    References
    ----------
    Requirement A4; unit prices by the names of FOCUS 1.4.
    """
    check_overrides(overrides, keys.columns)
    places = {(_null(pair.provider), _null(pair.model)): pair for pair in matched.itertuples(index=False)}
    pricer = _Pricer(price_list, overrides)
    positions: list[int] = []
    records: list[tuple[Any, ...]] = []
    for position, key in enumerate(keys.to_dict("records")):
        key = {name: _null(value) for name, value in key.items()}
        priced = pricer.price(key, places.get((key["provider"], key["model"])))
        positions += [position] * len(priced)
        records += priced
    added = ("token_class", "list_unit_price", "contracted_unit_price", "effective_unit_price", "billed_unit_price")
    added += ("sku_id", "sku_price_id", "price_source", "price_version")
    result = keys.iloc[positions].reset_index(drop=True)
    return result.join(pd.DataFrame(records, columns=list(added), dtype=object))


class _Pricer:
    """Prices keys one by one and remembers what equal keys cost."""

    def __init__(self, price_list: PriceList, overrides: Sequence[PriceOverride]) -> None:
        self._list = price_list
        self._overrides = list(enumerate(overrides, start=1))
        self._known: dict[tuple[Any, ...], list[tuple[Any, ...]]] = {}

    def price(self, key: Mapping[str, Any], place: Any) -> list[tuple[Any, ...]]:
        """Price one key; ``place`` is its row of the matched names, if it has one."""
        moment = _utc(key["price_period_start"])
        tier = normalise_tier(key["service_tier"])
        owner = {name: key.get(name) for name in PRICE_SCOPES}
        memory = (key["provider"], key["model"], tier, key["context_tier"], moment, *owner.values())
        if memory not in self._known:
            row, note = self._public(place, tier, moment, int(key["context_tier"] or 0))
            scope = {"service_tier": tier, **owner}
            named = place or _Unmatched(key["provider"], key["model"])
            chosen = [
                (number, item)
                for number, item in self._overrides
                if in_scope(item, scope, moment.date()) and _named(item, named)
            ]
            source = row.source + note if row else ""
            prices = price_classes(row.prices if row else {}, source, chosen)
            self._known[memory] = [
                self._record(named, row, tier, [n for n, _ in chosen], token_class, price)
                for token_class, price in prices.items()
            ]
        return self._known[memory]

    def _public(self, place: Any, tier: str, moment: datetime, context: int) -> tuple[PriceRow | None, str]:
        """Find the public price; a tier that has none is charged as standard, and the note says so."""
        if place is None or _null(place.price_model) is None:
            return None, ""
        tiers = self._list.index.get((place.price_provider, place.price_model), {})
        # A provider that sells another's models at list price publishes no tiers of its own for them.
        own = tier == STANDARD or place.channel == place.price_provider
        row = row_at(tiers.get(tier, ()), moment, context) if own else None
        if row or tier == STANDARD:
            return row, ""
        return row_at(tiers.get(STANDARD, ()), moment, context), f"; no {tier} price, standard price taken"

    def _record(
        self, named: Any, row: PriceRow | None, tier: str, applied: list[int], token_class: str, price: UnitPrice
    ) -> tuple[Any, ...]:
        channel = _null(named.channel) or _null(named.provider) or "unknown"
        sku = f"{channel}/{_null(named.price_model) or named.model}/{token_class}"
        if row:
            since = "start" if row.effective_from == date.min else row.effective_from.isoformat()
            clock = f"T{row.time_from:%H:%M}" if row.time_from != time() else ""
            detail = f"{row.provider}/{row.model}/{token_class}/{row.service_tier}/{row.context_from}/{since}{clock}"
        else:
            detail = f"{sku}/{tier}"
        detail += "".join(f"+override{number}" for number in applied)
        money = (price.list, price.contracted, price.contracted, price.billed)
        return (token_class, *money, sku, detail, price.source, self._list.version)


@dataclass(frozen=True)
class _Unmatched:
    """Stands in for a pair that was never matched."""

    provider: str | None
    model: str | None
    price_provider: None = None
    price_model: None = None
    channel: None = None


def price_difference(old: PriceList, new: PriceList) -> pd.DataFrame:
    """Compare two price lists, price by price.

    Parameters
    ----------
    old, new : PriceList
        The lists.

    Returns
    -------
    DataFrame
        One row per price that differs: ``provider``, ``model``, ``service_tier``, ``token_class``,
        ``effective_from`` (null = always), ``time_from``, ``context_from``, ``old``, ``new`` (USD per million
        tokens, searches and requests USD each; null = no price), ``change_share`` (0.10 is ten percent dearer).
    """
    differences = []
    for name in sorted(old.index.keys() | new.index.keys()):
        before, after = old.index.get(name, {}), new.index.get(name, {})
        for tier in sorted(before.keys() | after.keys()):
            sides = before.get(tier, ()), after.get(tier, ())
            for place in sorted({row.place for side in sides for row in side}):
                day, clock, context = place
                rows = [row_at(side, datetime.combine(day, clock, UTC), context) for side in sides]
                was, now = (row.prices if row else {} for row in rows)
                since = None if day == date.min else day
                differences += [
                    (*name, tier, price, since, clock, context, was.get(price), now.get(price))
                    for price in PRICED
                    if was.get(price) != now.get(price)
                ]
    columns = ["provider", "model", "service_tier", "token_class", "effective_from", "time_from", "context_from"]
    table = pd.DataFrame(differences, columns=[*columns, "old", "new"], dtype=object)
    table["change_share"] = [
        float(now / was - 1) if was and now is not None else None
        for was, now in zip(table["old"], table["new"], strict=True)
    ]
    return table


def price_table(price_list: PriceList, model: str, on: date) -> pd.DataFrame:
    """Show the prices of a model on a day.

    Parameters
    ----------
    price_list : PriceList
        The price list.
    model : str
        A model's id, a pattern such as ``gpt-5*``, or any name that ``match_models`` understands.
    on : date
        The day, in UTC.

    Returns
    -------
    DataFrame
        The rows of ``price_list.prices`` in force that day, of every provider, tier, time of day and context size.

    Raises
    ------
    PriceError
        If no model of that name has a price; the nearest known name is given.
    """
    pattern = model.lower()
    chosen = {name for name in price_list.index if fnmatchcase(name[1].lower(), pattern)}
    found = match_models(pd.DataFrame({"provider": [None], "model": [model]}), price_list).iloc[0]
    if not chosen and found["price_model"]:
        chosen = {(found["price_provider"], found["price_model"])}
    rows = []
    for name in sorted(chosen):
        for tier in price_list.index.get(name, {}).values():
            latest = max((row.effective_from for row in tier if row.effective_from <= on), default=None)
            rows += [row for row in tier if row.effective_from == latest]
    if not rows:
        message = f"No price for '{model}' on {on} in price list {price_list.version}"
        names = [name for _, name in price_list.index]
        raise PriceError(message, hint=nearest(model, names, "patterns may be used: gpt-5*"))
    return rows_frame(rows)


def _matched_rows(price_list: PriceList, matched: pd.DataFrame) -> list[Sequence[PriceRow]]:
    """Collect the rows of each matched model and tier."""
    known = matched.loc[matched["price_model"].notna(), ["price_provider", "price_model"]].drop_duplicates()
    models = (price_list.index.get(name, {}) for name in known.itertuples(index=False, name=None))
    return [rows for tiers in models for rows in tiers.values()]


def _named(override: PriceOverride, pair: Any) -> bool:
    providers = (pair.provider, pair.channel, pair.price_provider)
    models = (pair.model, pair.price_model)
    return names_match(override, map(_null, providers), map(_null, models))


def _utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _null(value: Any) -> Any:
    return None if value is None or value is pd.NaT or value is pd.NA or value != value else value
