"""Invoice places: which of a provider's invoices a line of the ledger is on, and what it is in that one's currency."""

from __future__ import annotations

import hashlib
from decimal import Decimal

import pandas as pd

from finops_lib.inform.allocation.exact_money import difference
from finops_lib.inform.measures import MONEY_TYPE
from finops_lib.inform.reconciliation.bill_lines import billed_account
from finops_lib.inform.scope import TEXT

COSTS = ("list_cost", "contracted_cost", "effective_cost", "billed_cost")
_BILL = (
    *("invoice_issuer_name", "billing_account_id", "billing_account_name", "service_name", "invoice_id"),
    *("billing_currency", "exchange_rate", "exchange_rate_source"),
)
_KEYS = (
    *(["provider", "invoice_id"], ["provider", "account", "model"], ["provider", "account"], ["provider", "model"]),
    ["provider"],
)
_INVOICE = ["provider", "invoice_issuer_name", "invoice_id", "billing_currency"]
_PAYABLE = ["billed_cost", "billing_currency_billed_cost"]
_DIGITS = Decimal("1e-15")
BETWEEN = "between-"
"""Begins the id of the charges that move cost between the invoices of one provider."""


def place_on_invoices(rows: pd.DataFrame, bills: pd.DataFrame) -> pd.DataFrame:
    """Find the invoice that each row is on.

    Parameters
    ----------
    rows : DataFrame
        ``provider``, ``account``, ``model`` and ``invoice_id``; null where not known.
    bills : DataFrame
        Lines of the month's bills (``schema.CHARGES``); the first ones stand for their provider.

    Returns
    -------
    DataFrame
        On the rows' index what the bill line says of issuer, billing account, service, invoice and currency; null for a
        provider without a bill.

    Notes
    -----
    The finest key that names one invoice alone decides: the invoice itself, account and model, account, model; then
    the provider's first line.
    """
    named = bills.dropna(subset=["provider"]).reset_index(drop=True)
    parts = [
        part.assign(account=billed_account(part, rows.loc[(rows["provider"] == provider).to_numpy(bool), "account"]))
        for provider, part in named.groupby("provider", sort=False)
    ]
    lines = pd.concat(parts).sort_index() if parts else named.assign(account=None)
    lines["invoice"] = lines["invoice_issuer_name"].astype(TEXT) + "\x1f" + lines["invoice_id"].astype(TEXT).fillna("")
    lines["line"] = range(len(lines))
    asked = rows[["provider", "account", "model", "invoice_id"]].astype(TEXT)
    found = pd.Series(float("nan"), index=rows.index)
    for keys in _KEYS:
        known = lines.assign(**{name: lines[name].astype(TEXT) for name in keys}).dropna(subset=keys)
        held = known.groupby(keys, as_index=False).agg(line=("line", "first"), invoices=("invoice", "nunique"))
        held = held if keys == ["provider"] else held[held["invoices"] == 1]
        line = asked[keys].merge(held, on=keys, how="left")["line"]
        found = found.fillna(pd.Series(line.astype("float64").to_numpy(), index=rows.index))
    return lines.reindex(columns=list(_BILL)).reindex(found.to_numpy()).set_index(rows.index)


def in_billing_currency(lines: pd.DataFrame) -> pd.DataFrame:
    """State costs and unit prices of lines in US dollars in the currency of their invoice too.

    Parameters
    ----------
    lines : DataFrame
        Costs (USD), ``billing_currency`` and ``exchange_rate`` of the invoice; null: US dollars.

    Returns
    -------
    DataFrame
        The lines with ``billing_currency_*`` costs; unit prices are in the billing currency, as on bills.
    """
    currency = lines["billing_currency"].astype(TEXT).fillna("USD")
    rate = lines["exchange_rate"].where((currency != "USD").to_numpy(bool)).fillna(1)
    priced = [name for name in ("list_unit_price", "contracted_unit_price") if name in lines]
    made = {f"billing_currency_{name}": lines[name] for name in COSTS} | {name: lines[name] for name in priced}
    for value in set(rate[(rate != 1).to_numpy(bool)]):
        of_rate = (rate == value).to_numpy(bool)
        for name, amounts in made.items():
            exact = [None if pd.isna(one) else (one / value).quantize(_DIGITS) for one in amounts[of_rate]]
            converted = amounts.astype(MONEY_TYPE)
            converted[of_rate] = pd.array(exact, dtype=MONEY_TYPE)
            made[name] = converted
    return lines.assign(**made, billing_currency=currency, pricing_currency=currency, exchange_rate=rate)


def between_invoices(lines: pd.DataFrame, bills: pd.DataFrame) -> pd.DataFrame:
    """Move between a provider's invoices what its accounts and models could not place.

    Parameters
    ----------
    lines : DataFrame
        All charges of record of the month (``schema.CHARGES``).
    bills : DataFrame
        Lines of the month's bills.

    Returns
    -------
    DataFrame
        One row per invoice that its lines do not come to yet: ``charge_id``, ``charge_description``, the invoice and
        its costs. They are nil in all for each provider; a provider whose lines do not come to its invoices together
        is left as it is, for the checks to tell.
    """
    sides = [_totals(bills), _totals(lines[lines["provider"].isin(bills["provider"].dropna()).to_numpy(bool)])]
    both = sides[0].join(sides[1].add_suffix("_listed"), how="outer").reset_index()
    for name in _PAYABLE:
        wanted, listed = (both[column].astype(MONEY_TYPE).fillna(0) for column in (name, f"{name}_listed"))
        both[name] = difference(wanted, listed)
    apart = both.groupby("provider")["billed_cost"].transform("sum") != 0
    left = both[((both[_PAYABLE] != 0).any(axis=1) & ~apart).to_numpy(bool)].reset_index(drop=True)
    ids = [hashlib.sha256("\x1f".join(key).encode()).hexdigest()[:16] for key in left[_INVOICE].to_numpy().tolist()]
    same = {name: left["billed_cost"] for name in COSTS}
    same |= {f"billing_currency_{name}": left["billing_currency_billed_cost"] for name in COSTS}
    moved = "between invoices of one provider: the log does not say which of them its calls are on"
    told = left["billed_cost"].ne(0).map({True: moved, False: "rounding of the exchange rate"})
    left["invoice_id"] = left["invoice_id"].replace("", None)
    return left[_INVOICE].assign(
        charge_id=[f"{BETWEEN}{digest}" for digest in ids], charge_description=told.astype(TEXT), **same
    )


def _totals(lines: pd.DataFrame) -> pd.DataFrame:
    named = lines[lines["provider"].notna().to_numpy(bool)]
    keys = [named[name].astype(TEXT).fillna("") for name in _INVOICE]
    return named.groupby(keys)[_PAYABLE].sum()
