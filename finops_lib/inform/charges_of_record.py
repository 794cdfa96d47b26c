"""Charges of record: one list of what finance pays, the provider's bill itemised by the ledger."""

from __future__ import annotations

from decimal import Decimal

import pandas as pd
import pyarrow as pa

from finops_lib.inform.bill_lines import billed_in
from finops_lib.inform.scope import TEXT, days, months
from finops_lib.schema import CHARGES, DIMENSIONS, LEDGER, Column, names

_KNOWN = names(CHARGES)
RECORD_COLUMNS = (*_KNOWN, *(name for name in names(DIMENSIONS) if name not in _KNOWN))
"""Columns of ``schema.CHARGES``, then the dimensions of the ledger that bills do not know."""

_KEY = [c.name for c in LEDGER if c.type in ("VARCHAR", "DATE", "BOOLEAN", "TIMESTAMPTZ") or c.name == "context_tier"]
_COSTS = ("list_cost", "contracted_cost", "effective_cost", "billed_cost")


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
    itemised = bills[~stays].drop_duplicates("provider").set_index("provider")
    parts = [
        _ledger_lines(costs[(months(costs) == month).to_numpy(bool)], itemised, month),
        _true_up_lines(own[own["charge_id"].isna().to_numpy(bool)], itemised, month),
        _complete(bills[stays]),
    ]
    return pd.concat(parts, ignore_index=True)


def _ledger_lines(rows: pd.DataFrame, itemised: pd.DataFrame, month: str) -> pd.DataFrame:
    rows = rows[(rows["contracted_cost"].notna() & (rows["pricing_quantity"] != 0)).to_numpy(bool, na_value=False)]
    rows = rows.reset_index(drop=True)
    provider = rows["provider"].astype(TEXT).fillna("not known")
    starts = days(rows).dt.tz_localize("UTC")
    said = (
        rows["token_class"].astype(TEXT).str.replace("_", " ") + " of " + rows["model"].astype(TEXT).fillna("no model")
    )
    lines = rows.assign(
        **_of_bill(provider, itemised),
        **_period(month),
        charge_id=_ids(rows),
        charge_period_start=starts,
        charge_period_end=starts + pd.Timedelta(days=1),
        charge_category="Usage",
        charge_frequency="Usage-Based",
        charge_description=said,
        sub_account_id=rows["provider_account"],
        sku_meter=rows["token_class"],
        pricing_category="Standard",
        consumed_unit=rows["pricing_unit"],
        billed_cost=rows["contracted_cost"],
        source="ledger",
        source_file=f"ledger/{month}",
        source_position=range(1, len(rows) + 1),
    )
    return _complete(_in_dollars(lines))


def _true_up_lines(true_ups: pd.DataFrame, itemised: pd.DataFrame, month: str) -> pd.DataFrame:
    period = _period(month)
    same = dict.fromkeys(_COSTS, true_ups["billed_cost"])
    # what the cut of the month leaves over has no line on the invoice, but without it the lines would not meet it
    bill = _of_bill(true_ups["provider"], itemised)
    lines = true_ups.assign(
        **bill | {"invoice_id": true_ups["invoice_id"].fillna(bill["invoice_id"])},
        **period,
        **same,
        charge_id=true_ups["true_up_id"],
        charge_period_start=period["billing_period_start"],
        charge_period_end=period["billing_period_end"],
        charge_category="Adjustment",
        charge_frequency="One-Time",
        charge_description=true_ups["residual_class"].str.replace("_", " ") + ": " + true_ups["how_told"],
        source="true_up",
        source_file=f"true_ups/{month}",
        source_position=range(1, len(true_ups) + 1),
    )
    return _complete(_in_dollars(lines))


def _period(month: str) -> dict[str, pd.Timestamp]:
    start = pd.Timestamp(f"{month}-01", tz="UTC")
    return {"billing_period_start": start, "billing_period_end": start + pd.offsets.MonthBegin()}


def _of_bill(provider: pd.Series, itemised: pd.DataFrame) -> dict[str, object]:
    """Take from the provider's bill what the ledger does not know; without a bill the provider's name stands in."""
    fallbacks = {"invoice_issuer_name": provider, "billing_account_id": provider, "service_name": provider}
    taken = ("invoice_issuer_name", "billing_account_id", "billing_account_name", "service_name", "invoice_id")
    found = {name: provider.map(itemised[name]).astype(TEXT) for name in taken}
    found |= {name: found[name].fillna(value) for name, value in fallbacks.items()}
    service = {"service_category": "AI and Machine Learning", "service_subcategory": "Generative AI"}
    return found | service | {"service_provider_name": found["invoice_issuer_name"]}


def _in_dollars(lines: pd.DataFrame) -> pd.DataFrame:
    same = {f"billing_currency_{name}": lines[name] for name in _COSTS}
    return lines.assign(billing_currency="USD", pricing_currency="USD", exchange_rate=Decimal(1), **same)


def _complete(lines: pd.DataFrame) -> pd.DataFrame:
    """Bring lines to the columns of the record, each in the type of its contract."""
    contract = {column.name: column for column in (*DIMENSIONS, *CHARGES)}
    typed = {name: pd.array([None] * len(lines), dtype=_type(contract[name])) for name in RECORD_COLUMNS}
    typed |= {name: lines[name].astype(_type(contract[name])).array for name in RECORD_COLUMNS if name in lines}
    return pd.DataFrame(typed)


def _type(column: Column) -> pd.ArrowDtype:
    if column.type.startswith("DECIMAL"):
        precision, scale = column.type.removeprefix("DECIMAL(").removesuffix(")").split(",")
        return pd.ArrowDtype(pa.decimal128(int(precision), int(scale)))
    kinds = {"VARCHAR": TEXT, "BIGINT": pd.ArrowDtype(pa.int64())}
    return kinds.get(column.type, pd.ArrowDtype(pa.timestamp("us", "UTC")))


def _ids(rows: pd.DataFrame) -> pd.Series:
    """Hash what makes a row of the ledger one: its day, dimensions, tier and SKU."""
    key = rows[[name for name in _KEY if name in rows]].astype(TEXT).fillna("")
    digest = pd.util.hash_pandas_object(key, index=False)
    again = digest.groupby(digest).cumcount()
    return pd.Series([f"ledger-{value:016x}" + (f"-{n}" if n else "") for value, n in zip(digest, again, strict=True)])
