"""Bill lines: what each line of a provider's bill is, and which AI services nobody has logged."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import pandas as pd
import pyarrow as pa

from finops_lib.inform.allocation.exact_money import difference
from finops_lib.inform.measures import COUNT_TYPE
from finops_lib.inform.scope import TEXT

METERED = "metered"
"""Kind of the lines that the ledger itemises; all other kinds are residual classes of their own."""
CAPACITY = "provisioned_hours"
"""Token class of the ledger's rows for capacity that is paid by the hour."""

_AI_WORDS = r"(?i)\b(?:AI|GPT|LLM|copilot|chatbot|claude|gemini|mistral|generative)\b"
_OWNED_BY = ("assistant", "workflow", "team", "project_code")


def billed_in(charges: pd.DataFrame, month: str) -> pd.DataFrame:
    """Keep the bill lines of one billing month.

    Parameters
    ----------
    charges : DataFrame
        Columns of ``schema.CHARGES``.
    month : str
        ``YYYY-MM``; a line belongs to the month its billing period starts in (UTC).

    Returns
    -------
    DataFrame
        The lines, in their order.
    """
    starts = pd.to_datetime(charges["billing_period_start"], utc=True)
    return charges[(starts.dt.strftime("%Y-%m") == month).to_numpy(dtype=bool, na_value=False)]


def bill_lines(charges: pd.DataFrame, month: str, hourly: Collection[str] = ()) -> pd.DataFrame:
    """Say of each line of the model providers' bills whether the ledger itemises it, and what it is otherwise.

    Parameters
    ----------
    charges : DataFrame
        Columns of ``schema.CHARGES``.
    month : str
        ``YYYY-MM``.
    hourly : collection of str
        Providers whose capacity the ledger prices by the hour itself: their lines for it are ``metered`` too.

    Returns
    -------
    DataFrame
        The month's lines with a ``provider``, and ``line_kind``: ``metered`` (tokens or requests of a model), ``tax``,
        ``rounding``, ``discount``, ``credits``, ``capacity`` (paid by the hour) or ``fees`` (anything else);
        ``quantity`` (whole tokens or requests; null where the line gives none).

    Notes
    -----
    A usage line that names no model and no tokens is a fee, unless no line of the provider's bill names a model: such
    a bill is the model bill as a whole.
    """
    lines = billed_in(charges, month)
    lines = lines[lines["provider"].notna()].reset_index(drop=True)
    lines["quantity"] = _quantity(lines)
    lines["line_kind"] = pd.array(_line_kind(lines), dtype=TEXT)
    ours = ((lines["line_kind"] == "capacity") & lines["provider"].isin(list(hourly))).to_numpy(bool)
    capacity = {"line_kind": METERED, "token_class": CAPACITY, "model": CAPACITY, "service_tier": CAPACITY}
    for name, value in capacity.items():
        lines[name] = lines[name].astype(TEXT).mask(ours, value)
    # units times hours on one side, hours on the other: only the money can be compared
    lines["quantity"] = lines["quantity"].mask(ours)
    return lines


def billed_account(lines: pd.DataFrame, logged: pd.Series) -> pd.Series:
    """Name the account of one provider's bill lines as the log names it.

    Parameters
    ----------
    lines : DataFrame
        One provider's bill lines.
    logged : Series of str
        Its accounts in the ledger.

    Returns
    -------
    Series of str
        ``billing_account_id`` where the log knows that one and no sub-account; else ``sub_account_id``.
    """
    sub, billing = lines["sub_account_id"].astype(TEXT), lines["billing_account_id"].astype(TEXT)
    logged = set(logged.dropna())
    return billing if logged & set(billing.dropna()) and not logged & set(sub.dropna()) else sub


def _words(lines: pd.DataFrame) -> pd.Series:
    named = [lines[name].astype(TEXT).fillna("") for name in ("service_name", "charge_description", "sku_meter")]
    return named[0] + " " + named[1] + " " + named[2]


def _line_kind(lines: pd.DataFrame) -> np.ndarray:
    words = _words(lines)
    category = lines["charge_category"].astype(TEXT).fillna("")
    units = lines["consumed_unit"].astype(TEXT).fillna("") + " " + lines["pricing_unit"].astype(TEXT).fillna("")
    usage = category == "Usage"
    names_model = lines["model"].notna()
    any_model = (names_model & usage).groupby(lines["provider"]).transform("any")
    metered = names_model | lines["token_class"].notna() | units.str.contains("(?i)token") | ~any_model
    hours = units.str.contains("(?i)hour")
    amount = lines["billed_cost"].astype("float64")
    conditions = {
        "tax": category == "Tax",
        "rounding": words.str.contains("(?i)rounding"),
        "discount": category.isin(["Credit", "Adjustment"]) & words.str.contains("(?i)discount"),
        "credits": (category == "Credit")
        | ((category == "Adjustment") & (amount < 0))
        | (lines["charge_class"] == "Correction").fillna(value=False),
        "capacity": category.isin(["Usage", "Purchase"]) & hours,
        METERED: usage & metered,
    }
    masks = [mask.to_numpy(dtype=bool, na_value=False) for mask in conditions.values()]
    return np.select(masks, list(conditions), default="fees")


def _quantity(lines: pd.DataFrame) -> pd.Series:
    """Count in single units what the bill counts in thousands or millions."""
    found = pd.Series(np.nan, index=lines.index)
    for amount, unit in (("pricing_quantity", "pricing_unit"), ("consumed_quantity", "consumed_unit")):
        size = lines[unit].astype(TEXT).str.extract(r"^(\d+)\s", expand=False).astype("float64").fillna(1.0)
        found = (lines[amount].astype("float64") * size.to_numpy()).fillna(found)
    return found.round().astype(pd.ArrowDtype(pa.float64())).astype(COUNT_TYPE)


def unlogged_services(charges: pd.DataFrame, month: str) -> pd.DataFrame:
    """List AI services on bills that come from no model provider and that nobody has put a name to.

    Parameters
    ----------
    charges : DataFrame
        Columns of ``schema.CHARGES``.
    month : str
        ``YYYY-MM``.

    Returns
    -------
    DataFrame
        Lines that are AI by their service category or their words and carry neither tags nor an owner.

    References
    ----------
    Requirement E3: spend on invoices that no log explains.
    """
    lines = billed_in(charges, month)
    lines = lines[lines["provider"].isna()]
    category = lines["service_category"].astype(TEXT) == "AI and Machine Learning"
    untagged = lines["tags"].astype(TEXT).fillna("").isin(["", "{}"])
    unowned = untagged & lines[list(_OWNED_BY)].isna().all(axis=1)
    ours = (category.fillna(value=False) | _words(lines).str.contains(_AI_WORDS)) & unowned
    return lines[ours.to_numpy(dtype=bool, na_value=False)]


def match_invoice_details(charges: pd.DataFrame, details: pd.DataFrame, month: str) -> pd.DataFrame:
    """Hold the lines of the bills against the invoices they are settled by.

    Parameters
    ----------
    charges : DataFrame
        Columns of ``schema.CHARGES``.
    details : DataFrame
        Columns of ``schema.INVOICE_DETAILS``; voided lines do not count.
    month : str
        ``YYYY-MM``.

    Returns
    -------
    DataFrame
        One row per issuer, invoice and (where both name it) line, tax apart: ``billed_cost`` of the bill lines,
        ``invoiced_cost``, ``variance`` (invoice − bill lines), ``found`` (both, bill only, invoice only).

    References
    ----------
    FOCUS 1.4, Invoice Reconciliation: full outer join on InvoiceIssuerName, InvoiceId and InvoiceDetailId; costs
    without tax first, then tax.
    """
    bills, invoices = billed_in(charges, month), billed_in(details, month)
    invoices = invoices[(invoices["invoice_issue_status"].astype(TEXT).fillna("Issued") != "Voided")]
    keys = ["invoice_issuer_name", "invoice_id", "invoice_detail_id", "is_tax"]
    if bills["invoice_detail_id"].isna().any():
        keys.remove("invoice_detail_id")
    sides = []
    for frame, name in ((bills, "billed_cost"), (invoices, "invoiced_cost")):
        keyed = frame.assign(is_tax=frame["charge_category"] == "Tax").rename(columns={"billed_cost": name})
        sides.append(keyed.groupby(keys, as_index=False, dropna=False)[name].sum())
    both = sides[0].merge(sides[1], on=keys, how="outer", indicator="found")
    both["variance"] = difference(both["invoiced_cost"].fillna(0), both["billed_cost"].fillna(0))
    names = {"both": "both", "left_only": "bill only", "right_only": "invoice only"}
    return both.assign(found=both["found"].astype(str).map(names))
