"""FOCUS terms: services, SKUs, units and tags of a charge as the specification names them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Context, Decimal, DecimalException, Inexact, InvalidOperation

import pandas as pd
import pyarrow as pa

from finops_lib.errors import SchemaError
from finops_lib.inform.focus.cells import each_value
from finops_lib.inform.scope import TEXT
from finops_lib.schema.focus import SKU_PRICE_DETAILS

EXACT = pd.ArrowDtype(pa.decimal128(38, 24))
"""Quantities, prices and costs of a FOCUS row: wide enough for the product of any two in use."""

PRICED = ("Usage", "Purchase")
MILLION_TOKENS = "1000000 Tokens"
_SERVICE = ["service_category", "service_subcategory", "service_name"]
_METERS = {
    "uncached_input": "Input Tokens",
    "cache_read": "Cache Read Input Tokens",
    "cache_write_5m": "5-Minute Cache Write Input Tokens",
    "cache_write_1h": "1-Hour Cache Write Input Tokens",
    "audio_input": "Audio Input Tokens",
    "cache_read_audio": "Cache Read Audio Input Tokens",
    "output": "Output Tokens",
    "reasoning": "Reasoning Output Tokens",
    "audio_output": "Audio Output Tokens",
    "web_search": "Web Searches",
    "provisioned_hours": "Provisioned Hours",
}


_LAST_PLACE = Decimal(1).scaleb(-24)
_EXACTLY = Context(prec=76, traps=[Inexact, InvalidOperation])


def exact_product(left: pd.Series, right: pd.Series | Decimal) -> pd.Series:
    """Multiply decimals without rounding.

    Parameters
    ----------
    left : Series of decimal
        Nulls give nulls.
    right : Series of decimal or Decimal
        On the same index.

    Returns
    -------
    Series of decimal128(38, 24)
        The exact product.

    Raises
    ------
    SchemaError
        If a product needs more than 24 decimals or 14 digits before them.

    Examples
    --------
    >>> exact_product(pd.Series([Decimal("0.3")], dtype=EXACT), Decimal("8")).astype(str).tolist()
    ['2.400000000000000000000000']
    """
    import pyarrow.compute as pc

    sides = [side if isinstance(side, Decimal) else pa.array(side.astype(EXACT)) for side in (left, right)]
    wide = [pa.scalar(side) if isinstance(side, Decimal) else side.cast(pa.decimal256(37, 24)) for side in sides]
    if isinstance(right, Decimal):
        wide[1] = wide[1].cast(pa.decimal256(37, 24))
    product = pc.multiply(*wide)
    try:
        try:
            product = product.cast(pa.decimal128(38, 24))
        except pa.ArrowInvalid:
            # Arrow refuses some products around 2^64 that do fit; Python's decimals decide.
            fitting = [value and value.quantize(_LAST_PLACE, context=_EXACTLY) for value in product.to_pylist()]
            product = pa.array(fitting, pa.decimal128(38, 24))
    except (pa.ArrowInvalid, DecimalException) as error:
        message = (
            "A quantity times its unit price has more digits than a FOCUS row holds (14 before, 24 after the point)"
        )
        raise SchemaError(
            message, hint="state the quantity in a larger unit, or its price with fewer digits"
        ) from error
    return pd.Series(product, index=left.index, dtype=EXACT)


def name_parties(rows: pd.DataFrame) -> pd.DataFrame:
    """Name who provides, publishes, hosts and sells, and complete names and types of ids.

    Parameters
    ----------
    rows : DataFrame
        Rows with the dimensions of ``schema.CHARGES``.

    Returns
    -------
    DataFrame
        With ``provider_name`` and ``publisher_name`` (FOCUS 1.2) beside the 1.4 columns. What a third party
        invoices with an amount is sold by it: there ``provider_name`` is the issuer.
    """
    rows = rows.copy()
    issuer = rows["invoice_issuer_name"]
    rows["service_provider_name"] = rows["service_provider_name"].fillna(issuer)
    rows["host_provider_name"] = rows["host_provider_name"].fillna(rows["service_provider_name"])
    rows["publisher_name"] = rows["service_provider_name"]
    rows["provider_name"] = rows["service_provider_name"].where(rows["billing_currency_billed_cost"] == 0, issuer)
    rows["billing_account_name"] = rows["billing_account_name"].fillna(rows["billing_account_id"])
    rows["billing_account_type"] = pd.Series("Account", index=rows.index, dtype=TEXT)
    rows["region_name"] = rows["region_id"]
    used = rows["source"] == "ledger"
    for name, value in (("id", rows["assistant"]), ("name", rows["assistant"]), ("type", "Assistant")):
        rows[f"resource_{name}"] = rows[f"resource_{name}"].mask(used, value)
    for thing, kind in (("resource", "Resource"), ("sub_account", "Project")):
        given = rows[f"{thing}_id"].notna()
        rows[f"{thing}_name"] = rows[f"{thing}_name"].fillna(rows[f"{thing}_id"]).where(given)
        rows[f"{thing}_type"] = rows[f"{thing}_type"].fillna(kind).where(given)
    return _name_services(rows)


def _name_services(rows: pd.DataFrame) -> pd.DataFrame:
    """Give each line a service: its own, else the one its issuer bills most, else the provider; one category each."""
    usual = _most(rows, "invoice_issuer_name", _SERVICE)
    unnamed = rows["service_name"].isna()
    for name in _SERVICE:
        rows[name] = rows[name].mask(unnamed, rows["invoice_issuer_name"].map(usual[name]).astype(TEXT))
    rows["service_name"] = rows["service_name"].fillna(rows["service_provider_name"])
    model = rows["provider"].notna()
    category = pd.Series("Other", index=rows.index, dtype=TEXT).mask(model, "AI and Machine Learning")
    rows["service_category"] = rows["service_category"].fillna(category)
    other = "Other (" + rows["service_category"] + ")"
    other = other.mask(model & (rows["service_category"] == "AI and Machine Learning"), "Generative AI")
    rows["service_subcategory"] = rows["service_subcategory"].fillna(other)
    # a bill may file one service under several categories; FOCUS knows one for each name
    filed = _most(rows, "service_name", _SERVICE[:2])
    for name in _SERVICE[:2]:
        rows[name] = rows["service_name"].map(filed[name]).astype(TEXT)
    return rows


def _most(rows: pd.DataFrame, key: str, values: list[str]) -> pd.DataFrame:
    """Find the values that most lines of a key have, the first in the alphabet at ties."""
    counted = rows.groupby([key, *values]).size().reset_index(name="lines")
    counted = counted.sort_values(["lines", *values], ascending=[False, *(True for _ in values)])
    return counted.drop_duplicates(key).set_index(key)


def name_skus(rows: pd.DataFrame) -> pd.DataFrame:
    """Name what is sold: description, meter, SKU, its price and its properties.

    Parameters
    ----------
    rows : DataFrame
        Rows with the dimensions of ``schema.CHARGES``.

    Returns
    -------
    DataFrame
        With these columns filled for usage and purchases. Model and token properties carry the prefix
        ``x_`` that FOCUS before 1.5 asks for; the cache action is told of input tokens only.

    References
    ----------
    FOCUS 1.5 draft, SkuPriceDetails: ModelId, TokenDirection, TokenCacheAction.
    """
    rows = rows.copy()
    priced = rows["charge_category"].isin(PRICED)
    meter = rows["token_class"].map(_METERS).astype(TEXT).fillna(rows["service_name"])
    sku = rows["sku_id"].fillna(rows["service_name"])
    rows["sku_id"] = rows["sku_id"].mask(priced, sku)
    rows["sku_price_id"] = rows["sku_price_id"].mask(priced, rows["sku_price_id"].fillna(sku))
    ours = rows["source"] == "ledger"
    rows["sku_meter"] = rows["sku_meter"].mask(ours, meter).fillna(meter).where(rows["sku_id"].notna())
    told = (meter + " for " + rows["model"]).fillna(meter)
    rows["charge_description"] = rows["charge_description"].mask(ours, told).fillna(told)
    keys = rows[["model", "token_class", "service_tier"]]
    made = pd.Series([_token_details(*key) for key in keys.itertuples(index=False)], index=rows.index, dtype=TEXT)
    given = each_value(rows["sku_price_details"], _prefixed).astype(TEXT)
    rows["sku_price_details"] = given.fillna(made.where(ours)).where(rows["sku_id"].notna())
    return rows


def json_text(values: Mapping[str, object]) -> str | None:
    """Write a mapping without its nulls as JSON; nothing for an empty one.

    Parameters
    ----------
    values : mapping
        Keys and flat values.

    Returns
    -------
    str or None
        Keys in order.

    Examples
    --------
    >>> json_text({"team": "cx", "environment": None})
    '{"team": "cx"}'
    """
    held = {key: value for key, value in sorted(values.items()) if value is not None and not pd.isna(value)}
    return json.dumps(held, ensure_ascii=False) if held else None


def _token_details(model: object, token_class: object, tier: object) -> str | None:
    text = "" if pd.isna(token_class) else str(token_class)
    if "input" not in text and "cache" not in text:
        direction, action = ("Output" if "output" in text or text == "reasoning" else None), None
    else:
        direction = "Input"
        action = "Read" if "read" in text else "Write" if "write" in text else "Uncached"
    return json_text(
        {
            "x_ModelId": model,
            "x_TokenClass": text or None,
            "x_TokenDirection": direction,
            "x_TokenCacheAction": action,
            "x_ServiceTier": tier,
        }
    )


def _prefixed(text: str) -> str:
    """Give properties that the specification does not know the prefix of custom ones."""
    try:
        details = json.loads(text)
    except ValueError:
        return text
    if not isinstance(details, dict):
        return text
    known = {key: value for key, value in details.items() if key in SKU_PRICE_DETAILS or key.startswith("x_")}
    named = {f"x_{key[:1].upper()}{key[1:]}": value for key, value in details.items() if key not in known}
    return json.dumps(known | named, ensure_ascii=False)
