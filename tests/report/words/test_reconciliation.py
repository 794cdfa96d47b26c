"""Reconciliation text: the answer first, then causes, then what to do."""

from __future__ import annotations

from decimal import Decimal

import pandas as pd

from finops_lib import report
from finops_lib.checks import check

SUMMARY = {"provider": "acme", "invoice": Decimal(12), "estimate": Decimal(8), "variance": Decimal(4)}
SUMMARY |= {"ledger_cost": Decimal(8), "unexplained_share": 0.0, "state": "billed, not logged"}
SHADOW = {"charge_description": "Tokens *x*", "invoice_issuer_name": "Acme", "billed_cost": Decimal(4)}
SHADOW |= {"provider": "acme"}


def text(summary, residuals=(), shadow=(), passed=True):
    """Write the text of some rows."""
    checks = check("billed_but_not_logged", 0.0 if passed else 0.4, "<=", 0.05, unit="share", comment="of the bills")
    return report.reconciliation_text(
        pd.DataFrame(summary, columns=list(SUMMARY)),
        pd.DataFrame(residuals, columns=["residual_class", "amount"]),
        pd.DataFrame(shadow, columns=list(SHADOW)),
        checks,
        period="2026-09",
    ).data


def test_a_gap_is_named_with_its_causes_and_a_verdict():
    """4.00 of 12.00 are shadow use; the month is not to be closed."""
    said = text([SUMMARY], [("shadow_use", Decimal(4))], [SHADOW], passed=False)

    assert "The variance is USD 4.00 (+33% of the invoices), and all of it is classed by its cause; USD 4.00" in said
    assert "USD 4.00 of it is only labelled so far: no log holds it." in said
    assert "What explains it: shadow use USD 4.00." in said
    assert r"No log explains USD 4.00: Tokens \*x\* (Acme, USD 4.00). It is in the variance. Ask who uses it." in said
    assert "should not be closed as reconciled yet: billed but not logged (of the bills)." in said


def test_what_has_no_cause_is_said():
    """A quarter of 12.00 is unexplained."""
    assert "USD 3.00 of it has no named cause" in text([SUMMARY | {"unexplained_share": 0.25}])


def test_what_no_log_explains_is_split_by_where_it_stands():
    """4.00 are on the provider's bill and in the variance; 9.00 are on a bill of somebody else."""
    notes = {"charge_description": "Notes", "invoice_issuer_name": "Other", "billed_cost": Decimal(9), "provider": None}
    both = text([SUMMARY], [("shadow_use", Decimal(4))], [SHADOW, notes])
    outside = text([SUMMARY], [("fees", Decimal(4))], [notes])

    assert "No log explains USD 13.00" in both
    assert "USD 4.00 of it is in the variance, USD 9.00 on bills of others than model providers." in both
    assert "It is on bills of others than model providers, so not in the variance." in outside
    assert "only labelled" not in outside


def test_clock_tax_and_missing_invoices_are_said():
    """8.00 in UTC, 8.25 in the reporting time zone; 2.00 of tax; one provider without an invoice."""
    rows = [SUMMARY | {"ledger_cost": Decimal("8.25")}, SUMMARY | {"provider": "own_gpu", "invoice": None}]
    said = text(rows, [("tax", Decimal(2))])

    assert "The log of these providers comes to USD 8.25 on the other pages: invoices cut the month in UTC" in said
    assert "The USD 0.25 between them is a true-up." in said
    assert "USD 2.00 of tax counts as cost here, in the true cost (03) and in the allocation (04)" in said
    assert r"own\_gpu: no invoice of its own. What it runs on may be billed as infrastructure: see 03 and 04." in said


def test_a_month_that_ties_may_be_closed():
    """One sentence and the command."""
    said = text([SUMMARY | {"variance": Decimal(0), "state": "ties exactly"}])

    assert "**September 2026 ties:** 1 invoices of USD 12.00" in said
    assert said.endswith("The month may be closed: `finops close --period 2026-09`.")


def test_without_bills_it_says_what_adds_them():
    """No invoice, no verdict."""
    said = text([SUMMARY | {"invoice": None}])

    assert said.startswith("**September 2026 cannot be reconciled: no bill of a model provider was read for it.**")
    assert "format: focus, table: charges" in said
