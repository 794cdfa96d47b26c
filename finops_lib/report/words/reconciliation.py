"""Reconciliation text: does it tie, what explains the gap, may the month be closed."""

from __future__ import annotations

import pandas as pd
from IPython.display import Markdown

from finops_lib.report.text import escape_markdown, month_name, share, usd, words

_NAMED = 6


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
        Short paragraphs: whether it ties; what explains the gap; what no log explains; whether to close, or what first.
    """
    month = month_name(period) if period else "This month"
    invoiced = summary[summary["invoice"].notna().to_numpy(bool)]
    if invoiced.empty:
        return Markdown(
            f"**{month} cannot be reconciled: no bill of a model provider was read for it.** The ledger is an estimate "
            "until then. `{path: bills/*.csv, format: focus, table: charges}` under `sources` in "
            "parameters/organisation.yaml adds bills; another layout comes in with `format: mapped`."
        )
    parts = [_tie(invoiced, month), _causes(residuals), _shadow(shadow_use), _verdict(checks, period)]
    return Markdown("\n\n".join(filter(None, parts)))


def _tie(invoiced: pd.DataFrame, month: str) -> str:
    invoice, estimate = invoiced["invoice"].sum(), invoiced["estimate"].sum()
    variance = float(invoiced["variance"].sum())
    unexplained = float((invoiced["unexplained_share"] * invoiced["invoice"].astype("float64").abs()).sum())
    exact = int((invoiced["state"] == "ties exactly").sum())
    if not variance:
        return f"**{month} ties:** {len(invoiced)} invoices of {usd(invoice)} are what the log says they should be."
    named = "all of it has a named cause" if not unexplained else f"{usd(unexplained)} of it has no named cause"
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


def _shadow(shadow_use: pd.DataFrame) -> str:
    if shadow_use.empty:
        return ""
    said = [
        f"{escape_markdown(str(line['charge_description']))} ({escape_markdown(str(line['invoice_issuer_name']))}, "
        f"{usd(line['billed_cost'])})"
        for line in shadow_use.head(_NAMED).to_dict("records")
    ]
    return f"No log explains {usd(shadow_use['billed_cost'].sum())}: {'; '.join(said)}. Ask who uses it."


def _verdict(checks: pd.DataFrame, period: str) -> str:
    failed = checks[~checks["passed"].astype(bool)]
    if failed.empty:
        return f"The month may be closed: `finops close --period {period}`."
    reasons = "; ".join(
        f"{words(str(row['check']))} ({escape_markdown(str(row['comment']))})" for row in failed.to_dict("records")
    )
    return f"The month should not be closed as reconciled yet: {reasons}."
