"""Reconciliation figures: the bridge leads to the invoice, and states stand in words."""

from __future__ import annotations

from decimal import Decimal

import pandas as pd

from finops_lib import report


def bridge(*steps):
    """Make a bridge of (step, amount); the named totals are totals."""
    totals = ("at_list_prices", "estimate", "invoice")
    rows = [{"step": step, "amount": Decimal(amount), "is_total": step in totals} for step, amount in steps]
    return pd.DataFrame(rows, columns=["step", "amount", "is_total"])


def test_each_step_begins_where_the_last_one_ended():
    """100 less 10 are 90; 40 of tax and 5 of credit make 125; the axis begins at zero."""
    steps = (("at_list_prices", 100), ("negotiated_prices", -10), ("estimate", 90), ("tax", 40), ("credits", -5))
    figure = report.plot_variance_bridge(bridge(*steps, ("invoice", 125)), period="2026-09")

    bars = [(bar.get_x(), bar.get_width()) for bar in figure.axes[0].patches]

    assert [(0, 100), (90, 10), (0, 90), (90, 40), (125, 5), (0, 125)] == bars
    assert "September 2026's invoices are USD 35.00 above the estimate; the largest cause is tax" in figure.alt
    assert "credits: -5.00" in figure.alt


def test_small_steps_are_seen_and_the_cut_axis_is_said():
    """A step of 1 beside totals of 1,000: the axis begins near it, and the subtitle says so."""
    figure = report.plot_variance_bridge(
        bridge(("at_list_prices", 1000), ("estimate", 1000), ("tax", 1), ("invoice", 1001))
    )

    assert figure.axes[0].get_xlim()[0] > 990
    assert any("does not begin at zero" in text.get_text() for text in figure.texts)


def test_what_ties_says_so():
    """No step, no cause."""
    figure = report.plot_variance_bridge(
        bridge(("at_list_prices", 9), ("estimate", 9), ("invoice", 9)), period="2026-09"
    )

    assert figure.alt.startswith("September 2026's invoices meet the estimate.")


def test_without_an_invoice_the_page_says_what_adds_one():
    """No bridge and no month."""
    months = pd.DataFrame(columns=["month", "provider", "state", "variance", "variance_share"])

    assert "format: focus" in report.plot_variance_bridge(bridge()).alt
    assert "format: focus" in report.plot_reconciled_months(months).alt


def test_the_grid_states_each_invoice_in_words():
    """Two months and two providers: what fails is counted in the title, what nobody bills is left out."""
    rows = [
        ("2026-08", "acme", "ties exactly", 0, 0.0),
        ("2026-09", "acme", "outside tolerance", 12, 0.3),
        ("2026-09", "other", "no invoice", None, None),
        ("2026-09", "own", "no invoice and no priced tokens", None, None),
    ]
    figure = report.plot_reconciled_months(
        pd.DataFrame(rows, columns=["month", "provider", "state", "variance", "variance_share"])
    )

    assert figure.alt.startswith("2 of 3 invoices are missing, not logged or not explained.")
    assert "acme September 2026: outside tolerance, USD 12.00 (+30%)" in figure.alt
    assert "own" not in [label.get_text() for label in figure.axes[0].get_yticklabels()]
