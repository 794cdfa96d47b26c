"""Reconciliation text: the answer first, then causes, then what to do."""

from __future__ import annotations

from decimal import Decimal

import pandas as pd

from finops_lib import report
from finops_lib.checks import check

SUMMARY = {"provider": "acme", "invoice": Decimal(12), "estimate": Decimal(8), "variance": Decimal(4)}
SUMMARY |= {"unexplained_share": 0.0, "state": "billed, not logged"}
SHADOW = {"charge_description": "Tokens *x*", "invoice_issuer_name": "Acme", "billed_cost": Decimal(4)}


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

    assert "The variance is USD 4.00 (+33% of the invoices), and all of it has a named cause." in said
    assert "What explains it: shadow use USD 4.00." in said
    assert r"No log explains USD 4.00: Tokens \*x\* (Acme, USD 4.00). Ask who uses it." in said
    assert "should not be closed as reconciled yet: billed but not logged (of the bills)." in said


def test_what_has_no_cause_is_said():
    """A quarter of 12.00 is unexplained."""
    assert "USD 3.00 of it has no named cause" in text([SUMMARY | {"unexplained_share": 0.25}])


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
