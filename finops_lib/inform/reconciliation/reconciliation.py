"""Reconciliation: log, price list and invoice held against each other, and every difference given a name."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import pandas as pd

from finops_lib.checks import check, checklist
from finops_lib.inform.allocation.exact_money import difference
from finops_lib.inform.measures import MONEY_TYPE, ratio
from finops_lib.inform.reconciliation.bill_comparison import compare_with_bill
from finops_lib.inform.reconciliation.bill_lines import (
    CAPACITY,
    METERED,
    bill_lines,
    match_invoice_details,
    unlogged_services,
)
from finops_lib.inform.reconciliation.residual_sentences import how_told
from finops_lib.inform.reconciliation.residuals import RESIDUAL_CLASSES, name_residuals
from finops_lib.inform.scope import TEXT, days, months
from finops_lib.schema import TRUE_UPS, names
from finops_lib.settings import ReconciliationSettings

MONTH_CUT = "time_zone_of_the_month"
"""True-up from the ledger's month in the reporting time zone to the invoice's month in UTC; it is no variance."""

_UNLOGGED = ("missing_logs", "shadow_use")
_CAUSE = ["provider", "invoice_issuer_name", "invoice_id", "account", "model", "residual_class"]
_RESIDUALS = [*_CAUSE, "amount", "how_told", "charge_id"]


@dataclass(frozen=True)
class Reconciliation:
    """What a month's invoices say against the ledger.

    Parameters
    ----------
    month : str
        Billing month, ``YYYY-MM``.
    summary : DataFrame
        One row per provider: ``ledger_cost`` (the month in the reporting time zone), ``at_list_prices`` and
        ``estimate`` (the month in UTC), ``invoice``, ``variance`` (invoice − estimate), ``variance_share`` (of the
        invoice), ``unexplained`` (net), ``unexplained_share`` and ``unlogged_share`` (absolute amounts, of the
        invoice), ``tolerance``, ``state`` (in words).
    residuals : DataFrame
        One row per provider, cause, account and model: ``residual_class``, ``amount`` (exact USD), ``how_told``;
        ``charge_id`` where the difference is a line of the bill itself. They add up to the variance.
    lines : DataFrame
        What was compared, from ``compare_with_bill``.
    true_ups : DataFrame
        Columns of ``schema.TRUE_UPS``: ledger_cost + true-ups = invoice, exactly.
    shadow_use : DataFrame
        Bill lines for models and AI services that no log explains.
    invoices : DataFrame
        Bill lines against invoice details, from ``match_invoice_details``; empty where none were given.
    checks : DataFrame
        Check rows.
    """

    month: str
    summary: pd.DataFrame
    residuals: pd.DataFrame
    lines: pd.DataFrame
    true_ups: pd.DataFrame
    shadow_use: pd.DataFrame
    invoices: pd.DataFrame
    checks: pd.DataFrame

    @property
    def is_reconciled(self) -> bool:
        """Whether every check passed."""
        return bool(len(self.checks) and self.checks["passed"].all())

    def total(self, column: str) -> Decimal | None:
        """Add a money column of the summary up over the providers that sent an invoice; nothing without any."""
        invoiced = self.summary[self.summary["invoice"].notna().to_numpy(bool)]
        return invoiced[column].sum() if len(invoiced) else None

    @property
    def record(self) -> dict[str, Any]:
        """What is kept of it when the month is closed: money as text, states by provider."""
        totals = {name: self.total(name) for name in ("invoice", "variance", "unexplained")}
        return {
            "reconciled": self.is_reconciled,
            **{name: None if amount is None else f"{amount:f}" for name, amount in totals.items()},
            "states": dict(zip(self.summary["provider"], self.summary["state"], strict=True)),
            "failed": self.checks.loc[~self.checks["passed"].astype(bool), "check"].tolist(),
        }


def reconcile(
    costs: pd.DataFrame,
    charges: pd.DataFrame,
    *,
    month: str,
    settings: ReconciliationSettings,
    billing: pd.DataFrame | None = None,
    invoice_details: pd.DataFrame | None = None,
) -> Reconciliation:
    """Hold a month's ledger against the providers' bills and explain the difference.

    Parameters
    ----------
    costs : DataFrame
        Ledger, days in the reporting time zone; what allocation splits.
    charges : DataFrame
        Bill lines (``schema.CHARGES``), of any months.
    month : str
        Billing month, ``YYYY-MM``.
    settings : ReconciliationSettings
        Tolerances.
    billing : DataFrame, optional
        The ledger by the invoices' clock (UTC days), from ``ingest.billing_usage``; ``costs`` without it, which is
        the same where the reporting time zone is UTC.
    invoice_details : DataFrame, optional
        FOCUS invoice detail (``schema.INVOICE_DETAILS``).

    Returns
    -------
    Reconciliation
        For every provider: estimate + residuals = invoice and ledger + true-ups = invoice, to the last digit.

    Notes
    -----
    Invoices are cut in UTC, the ledger in the reporting time zone. The comparison is made in UTC, so that the cut is
    in no residual; the difference of the two months is a true-up of its own, ``time_zone_of_the_month``.

    References
    ----------
    Requirement C5; FOCUS 1.4, Invoice Reconciliation.
    """
    billing = costs if billing is None else billing
    known = billing[(months(billing) == month).to_numpy(bool)]
    hourly = set(known.loc[(known["token_class"] == CAPACITY).to_numpy(bool), "provider"].dropna())
    lines = bill_lines(charges, month, hourly)
    compared, unlogged = compare_with_bill(lines, billing, month)
    on_bill = pd.concat(
        [lines[(lines["line_kind"] != METERED).to_numpy(bool)], unlogged.assign(line_kind="shadow_use")]
    )
    named = name_residuals(compared, billing, month)
    residuals = _residuals(named, on_bill, lines)
    summary = _summary(costs, known, lines, residuals, month, settings)
    services = unlogged_services(charges, month)
    shadow = pd.concat([unlogged, services]).sort_values("billed_cost", ascending=False, ignore_index=True)
    empty = charges.head(0) if invoice_details is None else invoice_details
    matched = match_invoice_details(charges, empty, month) if len(empty) else pd.DataFrame(columns=["variance"])
    result = Reconciliation(
        month, summary, residuals, compared, _true_ups(summary, residuals, month), shadow, matched, checklist([])
    )
    return replace(result, checks=_checks(result, costs, settings))


def reconcile_months(
    costs: pd.DataFrame,
    charges: pd.DataFrame,
    *,
    settings: ReconciliationSettings,
    billing: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Reconcile every month that bills were read for.

    Parameters
    ----------
    costs, charges, settings, billing
        As for ``reconcile``.

    Returns
    -------
    DataFrame
        The ``summary`` of each month that the ledger holds too, below each other, with ``month``.
    """
    billed = pd.to_datetime(charges.loc[charges["provider"].notna(), "billing_period_start"], utc=True)
    held = sorted(set(billed.dt.strftime("%Y-%m")) & set(months(costs)))
    found = [reconcile(costs, charges, month=month, settings=settings, billing=billing).summary for month in held]
    if not found:
        return pd.DataFrame(columns=["month", "provider", "state"])
    return pd.concat([part.assign(month=month) for part, month in zip(found, held, strict=True)], ignore_index=True)


def _residuals(named: pd.DataFrame, on_bill: pd.DataFrame, lines: pd.DataFrame) -> pd.DataFrame:
    """Add up the differences by cause, and put the lines beside them that are causes themselves."""
    first = lines.drop_duplicates("provider").set_index("provider")
    rows: list[dict[str, Any]] = []
    for keys, part in named.groupby(["provider", "account", "model", "residual_class"], dropna=False, sort=True):
        cause = dict(zip(("provider", "account", "model", "residual_class"), keys, strict=True))
        places = {
            name: part[name].dropna().iloc[0] if part[name].notna().any() else first.loc[keys[0], name]
            for name in ("invoice_issuer_name", "invoice_id")
        }
        rows.append(cause | places | {"amount": part["amount"].sum(), "how_told": how_told(part), "charge_id": None})
    for line in on_bill[(on_bill["billed_cost"] != 0).to_numpy(bool)].to_dict("records"):
        text = line["charge_description"] if pd.notna(line["charge_description"]) else line["charge_category"]
        said = f"no log names it: {text}" if line["line_kind"] == "shadow_use" else f"a line of the bill: {text}"
        account = line["sub_account_id"] if pd.notna(line["sub_account_id"]) else ""
        own = {"account": account, "residual_class": line["line_kind"], "amount": line["billed_cost"], "how_told": said}
        rows.append(line | own)
    table = pd.DataFrame(rows, columns=_RESIDUALS)
    table["amount"] = pd.array(list(table["amount"]), dtype=MONEY_TYPE)
    place = {name: number for number, name in enumerate(RESIDUAL_CLASSES)}
    texts = {name: table[name].astype(TEXT) for name in _RESIDUALS if name != "amount"}
    ordered = table.assign(**texts, place=table["residual_class"].map(place))
    ordered = ordered[(ordered["amount"] != 0).to_numpy(bool)]
    return ordered.sort_values(["provider", "place", "account", "model", "charge_id"], ignore_index=True)[_RESIDUALS]


def _summary(
    costs: pd.DataFrame,
    known: pd.DataFrame,
    lines: pd.DataFrame,
    residuals: pd.DataFrame,
    month: str,
    settings: ReconciliationSettings,
) -> pd.DataFrame:
    own = costs[(months(costs) == month).to_numpy(bool)]
    columns = {
        "ledger_cost": _by_provider(own, "contracted_cost"),
        "at_list_prices": _by_provider(known, "list_cost"),
        "estimate": _by_provider(known, "contracted_cost"),
        "invoice": _by_provider(lines, "billed_cost"),
        "unexplained": _by_provider(residuals[(residuals["residual_class"] == "unexplained").to_numpy(bool)], "amount"),
    }
    table = pd.concat(columns, axis=1).sort_index().rename_axis("provider").reset_index()
    issuers = lines.groupby("provider")["invoice_issuer_name"].first()
    table["invoice_issuer_name"] = table["provider"].map(issuers).astype(TEXT)
    for name in columns:
        table[name] = table[name].astype(MONEY_TYPE)
    has_invoice = table["provider"].isin(lines["provider"]).to_numpy(bool)
    for name in ("ledger_cost", "at_list_prices", "estimate"):
        table[name] = table[name].fillna(0)
    table["unexplained"] = table["unexplained"].fillna(0).where(has_invoice)
    table["variance"] = difference(table["invoice"], table["estimate"])
    table["variance_share"] = ratio(table["variance"], table["invoice"])
    for name, classes in {"unexplained_share": ("unexplained",), "unlogged_share": _UNLOGGED}.items():
        own = residuals[residuals["residual_class"].isin(classes).to_numpy(bool)]
        size = own["amount"].astype("float64").abs().groupby(own["provider"]).sum()
        invoice = table["invoice"].astype("float64").abs()
        shares = size.reindex(table["provider"]).fillna(0.0).to_numpy(float) / invoice.where(invoice > 0)
        table[name] = shares.where(has_invoice)
    tolerances = [settings.tolerances.get(provider, settings.tolerance) for provider in table["provider"]]
    table["tolerance"] = pd.Series(tolerances, index=table.index, dtype="float64")
    table["state"] = pd.array([_state(row) for row in table.to_dict("records")], dtype=TEXT)
    leading = ["provider", "invoice_issuer_name", "ledger_cost", "at_list_prices", "estimate", "invoice"]
    judged = ["variance", "variance_share", "unexplained", "unexplained_share", "unlogged_share", "tolerance", "state"]
    return table[[*leading, *judged]]


def _by_provider(frame: pd.DataFrame, column: str) -> pd.Series:
    return frame.groupby(frame["provider"].astype(TEXT).fillna("not known"))[column].sum(min_count=1)


def _state(row: dict[str, Any]) -> str:
    if pd.isna(row["invoice"]):
        return "no invoice" if row["estimate"] else "no invoice and no priced tokens"
    if not row["variance"]:
        return "ties exactly"
    if not row["estimate"]:
        return "no log"
    if row["unexplained_share"] > row["tolerance"]:
        return "outside tolerance"
    if row["unlogged_share"] > row["tolerance"]:
        return "billed, not logged"
    return "explained" if not row["unexplained"] else "within tolerance"


def _true_ups(summary: pd.DataFrame, residuals: pd.DataFrame, month: str) -> pd.DataFrame:
    """Write what makes the ledger's month equal to the invoices, each row with an id that its causes make."""
    invoiced = summary[summary["invoice"].notna().to_numpy(bool)]
    cut = difference(invoiced["estimate"], invoiced["ledger_cost"])
    told = "hours of the month in UTC that are another month in the reporting time zone, and the other way round"
    cuts = invoiced[["provider", "invoice_issuer_name"]].assign(
        residual_class=MONTH_CUT, amount=cut, how_told=told, invoice_id=None, account=None, model=None, charge_id=None
    )
    table = pd.concat([cuts[(cut != 0).to_numpy(bool)], residuals], ignore_index=True)
    table["month"] = month
    table["model"] = table["model"].astype(TEXT).replace("", None)
    causes = table[["month", *_CAUSE, "charge_id"]].astype(TEXT).fillna("")
    ids = [hashlib.sha256("\x1f".join(cause).encode()).hexdigest()[:16] for cause in causes.itertuples(index=False)]
    table["true_up_id"] = [f"true-up-{digest}" for digest in ids]
    table = table.rename(columns={"amount": "billed_cost"})[names(TRUE_UPS)]
    texts = {name: table[name].astype(TEXT) for name in table.columns if name != "billed_cost"}
    return table.assign(**texts, billed_cost=table["billed_cost"].astype(MONEY_TYPE))


def _checks(found: Reconciliation, costs: pd.DataFrame, settings: ReconciliationSettings) -> pd.DataFrame:
    summary = found.summary
    invoiced = summary[summary["invoice"].notna().to_numpy(bool)]
    waiting = summary[(summary["invoice"].isna() & (summary["estimate"] != 0)).to_numpy(bool)]
    rows = [
        check(
            "unexplained_" + re.sub(r"[^a-z0-9]+", "_", row["provider"].lower()),
            row["unexplained_share"],
            "<=",
            row["tolerance"],
            unit="share",
            comment=f"{row['state']}; the whole variance is USD {row['variance']:,.2f} ({row['variance_share']:.1%})",
        )
        for row in invoiced.to_dict("records")
    ]
    named = ", ".join(waiting["provider"])
    missing = f"no bill was read for {named}" if named else "every provider in the ledger has its bill"
    rows.append(check("providers_without_a_bill", len(waiting), "<=", 0, unit="providers", comment=missing))
    total = float(invoiced["invoice"].sum() or 0)
    unseen = found.residuals["residual_class"].isin(_UNLOGGED).to_numpy(bool)
    unlogged = float(found.residuals.loc[unseen, "amount"].sum() or 0)
    said = "of what the providers bill: missing logs and models that no log names"
    share = unlogged / total if total else None
    rows.append(check("billed_but_not_logged", share, "<=", settings.tolerance, unit="share", comment=said))
    last = days(costs).max() if len(costs) else pd.NaT
    left = max((pd.Period(found.month).end_time.normalize() - last).days, 0) if pd.notna(last) else None
    rows.append(
        check(
            "days_still_to_come",
            left,
            "<=",
            0,
            unit="days",
            comment=f"the ledger reaches {last:%Y-%m-%d}" if pd.notna(last) else "",
        )
    )
    if len(found.invoices):
        apart = float(found.invoices["variance"].astype("float64").abs().sum())
        rows.append(
            check("invoice_details_apart", apart, "<=", 0, unit="USD", comment="invoice − bill lines, tax apart")
        )
    return checklist(rows)
