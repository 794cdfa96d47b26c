"""FOCUS lines: charges in the units of a price list, with what their category forbids cleared."""

from __future__ import annotations

import re
from decimal import Decimal

import numpy as np
import pandas as pd

from finops_lib.inform.focus.terms import EXACT, MILLION_TOKENS, PRICED, exact_product
from finops_lib.inform.scope import TEXT
from finops_lib.ingest.engine import arrow_type
from finops_lib.schema import CHARGES, Column

_MILLION = Decimal(10**6)
_THOUSANDS = {"K": 1_000, "M": 1_000_000}
_PRICES = ("list_unit_price", "contracted_unit_price")
_PRICING = (
    *("pricing_quantity", "pricing_unit", *_PRICES, "pricing_category"),
    *("sku_id", "sku_price_id", "sku_meter", "sku_price_details"),
)


def focus_lines(charges: pd.DataFrame) -> pd.DataFrame:
    """Bring charges into the units and the nullability of FOCUS, a line each.

    Parameters
    ----------
    charges : DataFrame
        ``schema.CHARGES`` and any ledger dimensions.

    Returns
    -------
    DataFrame
        One row a charge. Tokens of the ledger are priced per million (``per_token`` marks those that were not), and
        consumed as far as they are priced; ``flat`` marks usage and purchases whose bill gives no quantity or no
        price: they are one unit at its cost. Quantities and unit prices are exact decimals.
    """
    lines = typed(charges, CHARGES)
    for name in ("list", "contracted", "effective"):
        cost = f"billing_currency_{name}_cost"
        lines[cost] = lines[cost].fillna(lines["billing_currency_billed_cost"])
    return _by_category(_as_one_unit(_per_million(lines)))


def typed(frame: pd.DataFrame, contract: tuple[Column, ...]) -> pd.DataFrame:
    """Bring a frame to its contract's columns and types.

    Parameters
    ----------
    frame : DataFrame
        Any frame.
    contract : tuple of Column
        Columns wanted.

    Returns
    -------
    DataFrame
        Arrow-backed, renumbered; columns it lacked are null, columns beyond the contract stay.
    """
    nothing = pd.Series(pd.NA, index=frame.index)
    columns = {column.name: pd.ArrowDtype(arrow_type(column.type)) for column in contract}
    made = {name: frame.get(name, nothing).astype(kind) for name, kind in columns.items()}
    return frame.assign(**made).reset_index(drop=True)


def scaled(values: pd.Series, where: pd.Series, factor: Decimal) -> pd.Series:
    """Multiply some values exactly.

    Parameters
    ----------
    values : Series of decimal
        Nulls stay.
    where : Series of bool
        Which ones.
    factor : Decimal
        By how much.

    Returns
    -------
    Series of decimal128(38, 24)
        The values, those chosen multiplied.
    """
    return values.astype(EXACT).mask(where, exact_product(values, factor))


def _per_million(lines: pd.DataFrame) -> pd.DataFrame:
    """Price the ledger's tokens per million, as price lists do."""
    ours = lines["source"] == "ledger"
    lines["per_token"] = (ours & (lines["pricing_unit"] == "Tokens")).fillna(False)
    million = lines["per_token"] | (ours & (lines["pricing_unit"] == MILLION_TOKENS)).fillna(False)
    lines["pricing_quantity"] = scaled(lines["pricing_quantity"], lines["per_token"], 1 / _MILLION)
    for name in _PRICES:
        lines[name] = scaled(lines[name], lines["per_token"], _MILLION)
    # what the gateway answered from its own cache was served, but nobody's tokens were consumed
    consumed = scaled(lines["pricing_quantity"], million, _MILLION)
    lines["consumed_quantity"] = lines["consumed_quantity"].astype(EXACT).mask(ours, consumed)
    lines["consumed_unit"] = lines["consumed_unit"].mask(ours, lines["pricing_unit"].mask(million, "Tokens"))
    lines["pricing_unit"] = lines["pricing_unit"].mask(million, MILLION_TOKENS)
    return lines


def _as_one_unit(lines: pd.DataFrame) -> pd.DataFrame:
    """Make usage and purchases whose bill gives no quantity or no price one unit at its cost."""
    priced = lines["charge_category"].isin(PRICED) & lines["charge_class"].isna()
    complete = lines[["pricing_quantity", *_PRICES]].notna().all(axis=1)
    flat = lines["flat"] = (priced & ~complete).astype(bool)
    sign = np.where((lines["billing_currency_billed_cost"] < 0).astype(bool), Decimal(-1), Decimal(1))
    one = pd.Series(sign, index=lines.index).astype(EXACT)
    unmeasured = flat & lines["consumed_quantity"].isna()
    for name, chosen in (("pricing", flat), ("consumed", unmeasured)):
        lines[f"{name}_quantity"] = lines[f"{name}_quantity"].mask(chosen, one)
        lines[f"{name}_unit"] = lines[f"{name}_unit"].mask(chosen, "Units")
    for name in ("list", "contracted"):
        cost = lines[f"billing_currency_{name}_cost"].abs().astype(EXACT)
        lines[f"{name}_unit_price"] = lines[f"{name}_unit_price"].mask(flat, cost)
    return lines


def _by_category(lines: pd.DataFrame) -> pd.DataFrame:
    """Clear what the charge category forbids and fill what it asks for."""
    category = lines["charge_category"]
    for name in _PRICING:
        lines[name] = lines[name].mask(category.isin(["Tax", "Credit"]), pd.NA)
    lines["consumed_quantity"] = lines["consumed_quantity"].where(category == "Usage")
    for name in ("consumed", "pricing"):
        unit = lines[f"{name}_unit"].where(lines[f"{name}_quantity"].notna())
        lines[f"{name}_unit"] = unit.map({text: _unit(text) for text in unit.dropna().unique()}).astype(TEXT)
    unnamed = category.isin(PRICED) & lines["pricing_category"].isna()
    lines["pricing_category"] = lines["pricing_category"].mask(unnamed, "Standard")
    # prices are held in the billing currency, also where a bill states them in a vendor's credits too
    lines["pricing_currency"] = lines["billing_currency"]
    usual = pd.Series("One-Time", index=lines.index, dtype=TEXT).mask(category == "Usage", "Usage-Based")
    lines["charge_frequency"] = lines["charge_frequency"].fillna(usual)
    return lines


def _unit(text: str) -> str:
    """Spell a unit in capitals and plural: ``1M tokens`` is ``1000000 Tokens``."""
    size, words = re.fullmatch(r"(\d+[KkMm]?\b)? ?(.*)", text).groups()
    if not words:
        return text
    count = size or ""
    if count[-1:].upper() in _THOUSANDS:
        count = str(int(count[:-1]) * _THOUSANDS[count[-1].upper()])
    named = re.sub(r"\b[a-z]", lambda first: first[0].upper(), words)
    counted, *per = named.split("/", 1)
    plural = counted if counted.isupper() or counted[-1:] in "sB" else f"{counted}s"
    return f"{count} {'/'.join([plural, *per])}".strip()
