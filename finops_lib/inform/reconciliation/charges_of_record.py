"""Charges of record: one list of what finance pays, the provider's bill itemised by the ledger."""

from __future__ import annotations

import pandas as pd

from finops_lib.inform.reconciliation.bill_lines import billed_in
from finops_lib.inform.reconciliation.invoice_places import (
    COSTS,
    between_invoices,
    in_billing_currency,
    place_on_invoices,
)
from finops_lib.inform.reconciliation.reconciliation import reconcile
from finops_lib.inform.scope import TEXT, days, months
from finops_lib.ingest.engine import arrow_type
from finops_lib.schema import CHARGES, DIMENSIONS, LEDGER, names
from finops_lib.settings import ReconciliationSettings

_KNOWN = names(CHARGES)
RECORD_COLUMNS = (*_KNOWN, *(name for name in names(DIMENSIONS) if name not in _KNOWN))
"""Columns of ``schema.CHARGES``, then the dimensions of the ledger that bills do not know."""

_KEY = [c.name for c in LEDGER if c.type in ("VARCHAR", "DATE", "BOOLEAN", "TIMESTAMPTZ") or c.name == "context_tier"]


def charges_of_record(costs: pd.DataFrame, charges: pd.DataFrame, true_ups: pd.DataFrame, month: str) -> pd.DataFrame:
    """List all charges of a month: what finance pays, each line in the finest detail known.

    Parameters
    ----------
    costs : DataFrame
        Ledger, days in the reporting time zone.
    charges : DataFrame
        Bill lines (``schema.CHARGES``), of any months.
    true_ups : DataFrame
        The month's, from ``reconcile`` over the same frames.
    month : str
        ``YYYY-MM``.

    Returns
    -------
    DataFrame
        ``RECORD_COLUMNS``, Arrow-backed: the ledger's rows as Usage lines (``source`` ledger, ``billed_cost`` their
        contracted cost), true-ups as Adjustment lines (``source`` true_up), and the lines of bills that the ledger
        does not itemise as they are. ``billed_cost`` adds up to the invoices, and to the estimate of the providers that
        sent none. Equal inputs give equal ``charge_id``.

    Notes
    -----
    A true-up that is a line of the bill itself (tax, credit, fee) stands as that line, not twice. Ledger rows without a
    price are no charge: what is billed for them comes in with the true-up of their model.

    References
    ----------
    Requirements B3, C1, C5.
    """
    bills = billed_in(charges, month)
    own = true_ups[(true_ups["month"] == month).to_numpy(bool, na_value=False)]
    stays = (bills["provider"].isna() | bills["charge_id"].isin(own["charge_id"].dropna())).to_numpy(bool)
    itemised_first = pd.concat([bills[~stays], bills[stays]])
    parts = [
        _ledger_lines(costs[(months(costs) == month).to_numpy(bool)], itemised_first, month),
        _true_up_lines(own[own["charge_id"].isna().to_numpy(bool)], itemised_first, month),
        _complete(bills[stays]),
    ]
    listed = pd.concat(parts, ignore_index=True)
    moved = between_invoices(listed, bills)
    return listed if moved.empty else pd.concat([listed, _moved_lines(moved, bills, month)], ignore_index=True)


def reconciled_charges(
    costs: pd.DataFrame,
    charges: pd.DataFrame,
    *,
    month: str,
    settings: ReconciliationSettings,
    billing: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """List all charges of a month that is not closed yet: it is reconciled first.

    Parameters
    ----------
    costs, charges, month, settings, billing
        As for ``reconcile``.

    Returns
    -------
    DataFrame
        As ``charges_of_record`` returns it.
    """
    found = reconcile(costs, charges, month=month, settings=settings, billing=billing)
    return charges_of_record(costs, charges, found.true_ups, month)


def _ledger_lines(rows: pd.DataFrame, bills: pd.DataFrame, month: str) -> pd.DataFrame:
    rows = rows[(rows["contracted_cost"].notna() & (rows["pricing_quantity"] != 0)).to_numpy(bool, na_value=False)]
    rows = rows.reset_index(drop=True)
    asked = rows.assign(provider=rows["provider"].astype(TEXT).fillna("not known"), account=rows["provider_account"])
    bill = _of_bill(asked.assign(invoice_id=None), bills)
    account = rows["provider_account"].astype(TEXT)
    starts = days(rows).dt.tz_localize("UTC")
    said = (
        rows["token_class"].astype(TEXT).str.replace("_", " ") + " of " + rows["model"].astype(TEXT).fillna("no model")
    )
    lines = rows.assign(
        **bill,
        **_period(month),
        charge_id=_ids(rows),
        charge_period_start=starts,
        charge_period_end=starts + pd.Timedelta(days=1),
        charge_category="Usage",
        charge_frequency="Usage-Based",
        charge_description=said,
        sub_account_id=account.mask((account == bill["billing_account_id"]).fillna(value=False)),
        sku_meter=rows["token_class"],
        pricing_category="Standard",
        consumed_unit=rows["pricing_unit"],
        billed_cost=rows["contracted_cost"],
        source="ledger",
        source_file=f"ledger/{month}",
        source_position=range(1, len(rows) + 1),
    )
    return _complete(in_billing_currency(lines))


def _true_up_lines(true_ups: pd.DataFrame, bills: pd.DataFrame, month: str) -> pd.DataFrame:
    # what the cut of the month leaves over has no line on the invoice, but without it the lines would not meet it
    bill = _of_bill(true_ups.assign(account=None), bills)
    lines = true_ups.assign(
        **bill,
        **dict.fromkeys(COSTS, true_ups["billed_cost"]),
        **_adjusted(month, len(true_ups)),
        charge_id=true_ups["true_up_id"],
        charge_description=true_ups["residual_class"].str.replace("_", " ") + ": " + true_ups["how_told"],
    )
    return _complete(in_billing_currency(lines))


def _moved_lines(moved: pd.DataFrame, bills: pd.DataFrame, month: str) -> pd.DataFrame:
    bill = _of_bill(moved.assign(account=None, model=None), bills)
    lines = moved.assign(**bill, **_adjusted(month, len(moved)), pricing_currency=bill["billing_currency"])
    return _complete(lines)


def _adjusted(month: str, count: int) -> dict[str, object]:
    period = _period(month)
    return period | {
        "charge_period_start": period["billing_period_start"],
        "charge_period_end": period["billing_period_end"],
        "charge_category": "Adjustment",
        "charge_frequency": "One-Time",
        "source": "true_up",
        "source_file": f"true_ups/{month}",
        "source_position": range(1, count + 1),
    }


def _period(month: str) -> dict[str, pd.Timestamp]:
    start = pd.Timestamp(f"{month}-01", tz="UTC")
    return {"billing_period_start": start, "billing_period_end": start + pd.offsets.MonthBegin()}


def _of_bill(rows: pd.DataFrame, bills: pd.DataFrame) -> dict[str, object]:
    """Take from the provider's bill what the ledger does not know; without a bill the provider's name stands in."""
    provider = rows["provider"].astype(TEXT)
    placed = place_on_invoices(rows, bills)
    found = {name: placed[name] for name in placed}
    found |= {
        name: found[name].fillna(provider) for name in ("invoice_issuer_name", "billing_account_id", "service_name")
    }
    service = {"service_category": "AI and Machine Learning", "service_subcategory": "Generative AI"}
    return found | service | {"service_provider_name": found["invoice_issuer_name"]}


def _complete(lines: pd.DataFrame) -> pd.DataFrame:
    """Bring lines to the columns of the record, each in the type of its contract."""
    kinds = {column.name: pd.ArrowDtype(arrow_type(column.type)) for column in (*DIMENSIONS, *CHARGES)}
    typed = {name: pd.array([None] * len(lines), dtype=kinds[name]) for name in RECORD_COLUMNS}
    typed |= {name: lines[name].astype(kinds[name]).array for name in RECORD_COLUMNS if name in lines}
    return pd.DataFrame(typed)


def _ids(rows: pd.DataFrame) -> pd.Series:
    """Hash what makes a row of the ledger one: its day, dimensions, tier and SKU."""
    key = rows[[name for name in _KEY if name in rows]].astype(TEXT).fillna("")
    digest = pd.util.hash_pandas_object(key, index=False)
    again = digest.groupby(digest).cumcount()
    return pd.Series([f"ledger-{value:016x}" + (f"-{n}" if n else "") for value, n in zip(digest, again, strict=True)])
