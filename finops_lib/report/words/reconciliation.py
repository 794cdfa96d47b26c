"""Reconciliation text: does it tie, what explains the gap, may the month be closed."""

from __future__ import annotations

from typing import Any

import pandas as pd
from IPython.display import Markdown

from finops_lib.report.text import escape_markdown, month_name, share, usd, words

_NAMED = 6
_SHADOW_USE = "shadow_use"


def reconciliation_text(
    summary: pd.DataFrame, residuals: pd.DataFrame, shadow_use: pd.DataFrame, checks: pd.DataFrame, *, period: str
) -> Markdown:
    """Write the sentences a controller wants first.

    Parameters
    ----------
    summary, residuals, shadow_use, checks : DataFrame
        Of a reconciliation.
    period : str
        Month ``YYYY-MM``.

    Returns
    -------
    Markdown
        Short paragraphs: whether it ties; what explains the gap; which clock and which tax are in it; what no log
        explains; who sends no invoice; whether to close, or what first.
    """
    month = month_name(period) if period else "This month"
    invoiced = summary[summary["invoice"].notna().to_numpy(bool)]
    if invoiced.empty:
        return Markdown(
            f"**{month} cannot be reconciled: no bill of a model provider was read for it.** The ledger is an estimate "
            "until then. `{path: bills/*.csv, format: focus, table: charges}` under `sources` in "
            "parameters/organisation.yaml adds bills; another layout comes in with `format: mapped`."
        )
    parts = [
        _tie(invoiced, residuals, month),
        _causes(residuals),
        _clock(invoiced) + _tax(residuals),
        _shadow(shadow_use),
        _without_invoice(summary),
        _verdict(checks, period),
    ]
    return Markdown("\n\n".join(filter(None, parts)))


def _tie(invoiced: pd.DataFrame, residuals: pd.DataFrame, month: str) -> str:
    invoice, estimate = invoiced["invoice"].sum(), invoiced["estimate"].sum()
    variance = float(invoiced["variance"].sum())
    unexplained = float((invoiced["unexplained_share"] * invoiced["invoice"].astype("float64").abs()).sum())
    exact = int((invoiced["state"] == "ties exactly").sum())
    if not variance:
        return f"**{month} ties:** {len(invoiced)} invoices of {usd(invoice)} are what the log says they should be."
    named = "all of it is classed by its cause" if not unexplained else f"{usd(unexplained)} of it has no named cause"
    unlogged = _class_total(residuals, _SHADOW_USE)
    named += f"; {usd(unlogged)} of it is only labelled so far: no log holds it" if unlogged else ""
    return (
        f"**{month}: the invoices of {len(invoiced)} providers come to {usd(invoice)}, the log at our prices to "
        f"{usd(estimate)}.** The variance is {usd(variance)} ({share(variance / float(invoice), signed=True)} of the "
        f"invoices), and {named}. {exact} of the {len(invoiced)} tie to the last digit."
    )


def _causes(residuals: pd.DataFrame) -> str:
    if residuals.empty:
        return ""
    sums = residuals.groupby("residual_class")["amount"].sum()
    order = sums.astype("float64").abs().sort_values(ascending=False).index[:_NAMED]
    return f"What explains it: {'; '.join(f'{words(str(name))} {usd(sums[name])}' for name in order)}."


def _class_total(residuals: pd.DataFrame, name: str) -> Any:
    return residuals.loc[(residuals["residual_class"] == name).to_numpy(bool), "amount"].sum()


def _clock(invoiced: pd.DataFrame) -> str:
    """Say why the log here is not the log of the other pages."""
    estimate, ledger = invoiced["estimate"].sum(), invoiced["ledger_cost"].sum()
    if estimate == ledger:
        return ""
    return (
        f"The log of these providers comes to {usd(ledger)} on the other pages: invoices cut the month in UTC, the "
        f"ledger in the reporting time zone. The {usd(abs(ledger - estimate))} between them is a true-up. "
    )


def _tax(residuals: pd.DataFrame) -> str:
    tax = _class_total(residuals, "tax")
    if not tax:
        return ""
    return (
        f"{usd(tax)} of tax counts as cost here, in the true cost (03) and in the allocation (04); no part of it is "
        "taken for recoverable."
    )


def _without_invoice(summary: pd.DataFrame) -> str:
    names = summary.loc[summary["invoice"].isna().to_numpy(bool), "provider"].astype(str)
    if names.empty:
        return ""
    listed = ", ".join(escape_markdown(name) for name in names.head(_NAMED))
    return f"{listed}: no invoice of its own. What it runs on may be billed as infrastructure: see 03 and 04."


def _shadow(shadow_use: pd.DataFrame) -> str:
    if shadow_use.empty:
        return ""
    elsewhere = shadow_use["provider"].isna().to_numpy(bool)
    inside, outside = (shadow_use.loc[mask, "billed_cost"].sum() for mask in (~elsewhere, elsewhere))
    where = (
        f"{usd(inside)} of it is in the variance, {usd(outside)} on bills of others than model providers"
        if inside and outside
        else "It is on bills of others than model providers, so not in the variance"
        if outside
        else "It is in the variance"
    )
    said = [
        f"{escape_markdown(str(line['charge_description']))} ({escape_markdown(str(line['invoice_issuer_name']))}, "
        f"{usd(line['billed_cost'])})"
        for line in shadow_use.head(_NAMED).to_dict("records")
    ]
    return f"No log explains {usd(shadow_use['billed_cost'].sum())}: {'; '.join(said)}. {where}. Ask who uses it."


def _verdict(checks: pd.DataFrame, period: str) -> str:
    failed = checks[~checks["passed"].astype(bool)]
    if failed.empty:
        return f"The month may be closed: `finops close --period {period}`."
    reasons = "; ".join(
        f"{words(str(row['check']))} ({escape_markdown(str(row['comment']))})" for row in failed.to_dict("records")
    )
    return f"The month should not be closed as reconciled yet: {reasons}."
