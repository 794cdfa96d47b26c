"""Price overrides: what the organisation has agreed, on top of what everyone is asked to pay."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from decimal import ROUND_HALF_EVEN, Decimal
from fnmatch import fnmatchcase

import pandas as pd

from finops_lib.errors import PriceError
from finops_lib.params import PriceOverride
from finops_lib.schema import QUANTITIES, TOKEN_CLASSES
from finops_lib.settings import PRICE_SCOPES

STANDARD = "standard"
CAPACITY_COLUMNS = ("day", "provider", "model", "hours", "units", "unit_price", "team", "assistant")
_UNIT = Decimal("1e-15")
_MILLION = Decimal(1_000_000)
_BASES = ("absolute", "free", "provisioned")
_PARENTS = {
    "cache_read": "uncached_input",
    "cache_write_5m": "uncached_input",
    "cache_write_1h": "cache_write_5m",
    "audio_input": "uncached_input",
    "cache_read_audio": "cache_read",
    "reasoning": "output",
    "audio_output": "output",
}
_TIERS = {
    "": STANDARD,
    "auto": STANDARD,
    "default": STANDARD,
    "on_demand": STANDARD,
    "standard_only": STANDARD,
    "batches": "batch",
    "batch_api": "batch",
    "flex_processing": "flex",
    "priority_processing": "priority",
}


@dataclass(frozen=True)
class UnitPrice:
    """What one token or request of a class costs, in USD, and why."""

    list: Decimal
    contracted: Decimal
    billed: Decimal
    source: str


def normalise_tier(service_tier: str | None) -> str:
    """Spell a service tier the way the price list does.

    Parameters
    ----------
    service_tier : str or None
        As an export names it.

    Returns
    -------
    str
        ``standard``, ``batch``, ``flex``, ``priority``, ``fast``, or an unknown name in lower case.

    Examples
    --------
    >>> normalise_tier(None), normalise_tier("On-Demand"), normalise_tier("BATCH")
    ('standard', 'standard', 'batch')
    """
    plain = (service_tier or "").strip().lower().replace("-", "_").replace(" ", "_")
    return _TIERS.get(plain, plain)


def check_overrides(overrides: Sequence[PriceOverride], columns: Iterable[str]) -> None:
    """Refuse overrides that cannot be applied.

    Parameters
    ----------
    overrides : sequence of PriceOverride
        In file order.
    columns : iterable of str
        Columns at hand to scope by.

    Raises
    ------
    PriceError
        If an override prices an unknown token class, or is scoped by a column that is not there.
    """
    columns = set(columns)
    for number, override in enumerate(overrides, start=1):
        unknown = [name for name in override.prices if name not in QUANTITIES]
        if unknown:
            message = f"Price override {number} ({override.kind}): '{unknown[0]}' is no token class"
            raise PriceError(message, hint=f"the token classes are {', '.join(QUANTITIES)}")
        absent = [name for name in PRICE_SCOPES if getattr(override, name) is not None and name not in columns]
        if absent:
            message = f"Price override {number} ({override.kind}) is scoped by '{absent[0]}', which the usage lacks"
            raise PriceError(message, hint=f"keep '{absent[0]}' among the dimensions, or drop it from the override")


def names_match(override: PriceOverride, providers: Iterable[str | None], models: Iterable[str | None]) -> bool:
    """Say whether an override's provider and model patterns fit any of the names.

    Parameters
    ----------
    override : PriceOverride
        Patterns as for file names, case ignored.
    providers, models : iterable of str or None
        The names a call is known by: as exported, and in the price list.

    Returns
    -------
    bool
        True if both patterns fit.
    """
    return _fits(override.provider, providers) and _fits(override.model, models)


def in_scope(override: PriceOverride, scope: Mapping[str, str | None], day: date) -> bool:
    """Say whether an override holds for a day, a tier and an owner.

    Parameters
    ----------
    override : PriceOverride
        One override.
    scope : mapping
        ``service_tier`` (normalised), and the owner by the names in ``PRICE_SCOPES``.
    day : date
        Day of the call in UTC; ``effective_to`` itself no longer counts.

    Returns
    -------
    bool
        True if every condition the override names is met.
    """
    if override.effective_from and day < override.effective_from:
        return False
    if override.effective_to and day >= override.effective_to:
        return False
    if override.service_tier is not None and normalise_tier(override.service_tier) != scope["service_tier"]:
        return False
    return all(getattr(override, name) in (None, scope.get(name)) for name in PRICE_SCOPES)


def price_classes(
    public: Mapping[str, Decimal], source: str, chosen: Sequence[tuple[int, PriceOverride]]
) -> dict[str, UnitPrice]:
    """Turn public prices and the overrides that hold into unit prices.

    Parameters
    ----------
    public : mapping
        Token class → public price: USD per million tokens, web searches USD per search. Empty for an unknown model.
    source : str
        Where the public prices come from.
    chosen : sequence of (int, PriceOverride)
        The overrides in scope with their number in the file, in file order.

    Returns
    -------
    dict
        Token class → ``UnitPrice``, for each class that has a price.

    Notes
    -----
    The last absolute, free or provisioned override sets the price; discounts and multipliers then apply one after the
    other, and markups raise what the consumer is billed. Where there is no public price the list price is set to the
    contracted one, so that no saving is claimed against a price nobody published.
    """
    base = next(((number, item) for number, item in reversed(chosen) if item.kind in _BASES), None)
    applied = [(number, item) for number, item in chosen if item.kind not in _BASES or (number, item) == base]
    notes = [source] if public else []
    notes += [_name(number, item) for number, item in applied]
    factor = markup = Decimal(1)
    for _, item in applied:
        if item.kind == "discount":
            factor *= 1 - item.share
        elif item.kind == "multiplier":
            factor *= item.factor
        elif item.kind == "markup":
            markup *= 1 + item.share
    prices = {}
    for token_class in QUANTITIES:
        listed = _per_unit(public.get(token_class), token_class)
        start = _base_price(base[1], token_class, listed) if base else listed
        if start is None:
            continue
        contracted = start * factor
        unlisted = [] if listed is not None else ["no list price, set to the contracted one"]
        prices[token_class] = UnitPrice(
            list=_round(contracted if listed is None else listed),
            contracted=_round(contracted),
            billed=_round(contracted * markup),
            source="; ".join(notes + unlisted),
        )
    return prices


def provisioned_capacity(
    overrides: Sequence[PriceOverride], start: date | datetime, end: date | datetime
) -> pd.DataFrame:
    """List the provisioned capacity paid for, day by day.

    Parameters
    ----------
    overrides : sequence of PriceOverride
        Those of kind ``provisioned`` count.
    start, end : datetime or date
        The period. Moments are half-open and days are cut in the time zone of ``start`` (UTC when it has none);
        plain dates are the first and the last day, in UTC.

    Returns
    -------
    DataFrame
        One row per override and day: ``day``, ``provider``, ``model``, ``hours`` (Decimal: 24, fewer at the edges of
        the term, 23 or 25 when clocks change), ``units``, ``unit_price`` (USD per unit-hour), ``team``, ``assistant``.

    References
    ----------
    Requirement A6.
    """
    if not isinstance(start, datetime):
        start = _midnight(start)
    if not isinstance(end, datetime):
        end = _midnight(end + timedelta(days=1))
    zone = start.tzinfo or UTC
    start, end = (moment if moment.tzinfo else moment.replace(tzinfo=UTC) for moment in (start, end))
    rows = []
    for override in overrides:
        if override.kind != "provisioned":
            continue
        first = max(start, _midnight(override.effective_from)) if override.effective_from else start
        last = min(end, _midnight(override.effective_to)) if override.effective_to else end
        day = first.astimezone(zone).date()
        while _midnight(day, zone) < last:
            opens = max(first, _midnight(day, zone)).astimezone(UTC)
            closes = min(last, _midnight(day + timedelta(days=1), zone)).astimezone(UTC)
            hours = Decimal(int((closes - opens) / timedelta(seconds=1))) / 3600
            rows.append(
                (
                    *(day, override.provider, override.model, hours),
                    *(override.units, override.unit_price, override.team, override.assistant),
                )
            )
            day += timedelta(days=1)
    return pd.DataFrame(rows, columns=list(CAPACITY_COLUMNS))


def _base_price(base: PriceOverride, token_class: str, listed: Decimal | None) -> Decimal | None:
    if base.kind == "free":
        return Decimal(0)
    if base.kind == "provisioned":
        return Decimal(0) if token_class in TOKEN_CLASSES else listed
    if token_class in base.prices:
        return _per_unit(base.prices[token_class], token_class)
    if listed is not None:
        return listed
    parent = _PARENTS.get(token_class)
    return _base_price(base, parent, None) if parent else None


def _per_unit(price: Decimal | None, token_class: str) -> Decimal | None:
    if price is None or token_class not in TOKEN_CLASSES:
        return price
    return price / _MILLION


def _round(price: Decimal) -> Decimal:
    return price.quantize(_UNIT, rounding=ROUND_HALF_EVEN)


def _name(number: int, override: PriceOverride) -> str:
    reference = f", {override.reference}" if override.reference else ""
    return f"override {number} ({override.kind}{reference})"


def _fits(pattern: str, names: Iterable[str | None]) -> bool:
    return pattern == "*" or any(fnmatchcase(name.lower(), pattern.lower()) for name in names if name)


def _midnight(day: date, zone: tzinfo = UTC) -> datetime:
    return datetime.combine(day, time(), tzinfo=zone)
