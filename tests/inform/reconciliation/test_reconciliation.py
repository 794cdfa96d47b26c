"""Reconciliation: whatever differs, the parts add up to the invoice, and the ledger with its true-ups too."""

from __future__ import annotations

from decimal import Decimal

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from finops_lib import inform
from finops_lib.schema import check_frame
from finops_lib.settings import ReconciliationSettings

CLASSES = ("uncached_input", "cache_read", "output")
RULES = ReconciliationSettings()
DAYS = [f"2026-09-{day:02d}" for day in range(1, 31)]


def reconcile(log, bill, **more):
    """Reconcile September."""
    return inform.reconcile(log, bill, **({"month": "2026-09", "settings": RULES} | more))


def test_a_month_that_ties(tied):
    """8.00 on both sides: ties exactly, no true-up, every check passes but the days still to come."""
    found = reconcile(*tied)

    assert ["ties exactly"] == found.summary["state"].tolist()
    assert (0, 0) == (len(found.residuals), len(found.true_ups))
    assert ["days_still_to_come"] == found.checks.loc[~found.checks["passed"], "check"].tolist()
    assert found.total("invoice") == found.total("estimate") == Decimal(8)


def test_the_cut_of_the_month_is_a_true_up_and_no_residual(tied, make_log):
    """The ledger's September lacks 0.20 that UTC's has, and August of the bill has nothing to do with it."""
    log, bill = tied
    ledger = make_log(
        [("2026-09-01", "large", "uncached_input", 900_000, 2), ("2026-09-01", "large", "output", 750_000, 8)]
    )

    found = reconcile(ledger, bill, billing=log)

    assert 0 == len(found.residuals)
    assert [("time_zone_of_the_month", Decimal("0.2"))] == list(
        zip(found.true_ups["residual_class"], found.true_ups["billed_cost"], strict=True)
    )
    assert Decimal("7.8") + found.true_ups["billed_cost"].sum() == found.total("invoice")


@pytest.mark.parametrize(
    ("price", "extra", "state", "passed"),
    [("3.9", "0.30", "within tolerance", True), ("3.7", "0.90", "outside tolerance", False)],
)
def test_tolerance_judges_what_is_unexplained(make_log, make_bill, price, extra, state, passed):
    """Of 12.00 billed 0.30 may stay unexplained and 0.90 may not; the whole variance is stated beside it."""
    plain = {"consumed_quantity": None, "consumed_unit": None, "contracted_cost": None, "billed_cost": Decimal(12)}
    log = make_log([(day, "large", "output", 100_000, price) for day in DAYS])

    found = reconcile(log, make_bill([("large", None, 0, 0, plain)]))

    assert [state, passed] == [
        found.summary["state"].item(),
        bool(found.checks.set_index("check").loc["unexplained_acme", "passed"]),
    ]
    assert f"the whole variance is USD {extra}" in found.checks["comment"].iloc[0]


def test_a_tolerance_of_its_own(make_log, make_bill):
    """A provider with 10% may leave 7.5% unexplained."""
    plain = {"consumed_quantity": None, "consumed_unit": None, "contracted_cost": None, "billed_cost": Decimal(12)}
    log = make_log([(day, "large", "output", 100_000, "3.7") for day in DAYS])

    found = reconcile(
        log, make_bill([("large", None, 0, 0, plain)]), settings=ReconciliationSettings(tolerances={"acme": 0.1})
    )

    assert found.is_reconciled


def test_a_provider_without_a_bill_is_waited_for(tied):
    """The estimate stands, and the month is not reconciled."""
    log, bill = tied
    found = reconcile(log, bill.head(0))

    assert ["no invoice"] == found.summary["state"].tolist()
    assert "no bill was read for acme" in found.checks["comment"].tolist()
    assert (0, False) == (len(found.true_ups), found.is_reconciled)
    assert {"reconciled": False, "invoice": None} == {name: found.record[name] for name in ("reconciled", "invoice")}


def test_tokens_without_price_and_bill_are_told(make_log, make_bill):
    """An own model that nobody bills is not waited for."""
    found = reconcile(make_log([("2026-09-30", "own", "output", 10, None)]), make_bill([]))

    assert ["no invoice and no priced tokens"] == found.summary["state"].tolist()


def test_much_that_is_billed_and_not_logged_fails(tied, make_bill):
    """4.00 of 12.00 are for a model that no log names: named, but no month to close on."""
    log, _ = tied
    lines = [("large", "uncached_input", 1_000_000, 2), ("large", "output", 750_000, 8), ("x", "output", 1_000_000, 4)]
    found = reconcile(log, make_bill(lines))

    assert ["billed, not logged"] == found.summary["state"].tolist()
    assert 1 / 3 == pytest.approx(found.checks.set_index("check").loc["billed_but_not_logged", "statistic"])
    assert [Decimal(4)] == found.shadow_use["billed_cost"].tolist()


def test_a_true_up_keeps_its_id(tied, make_bill):
    """The same cause has the same id, whatever its money and the order of the lines; another cause has another."""
    log, _ = tied
    first = reconcile(log, make_bill([("large", "uncached_input", 1_000_000, 2), ("large", "output", 750_000, 10)]))
    again = reconcile(log, make_bill([("large", "output", 750_000, 11), ("large", "uncached_input", 1_000_000, 2)]))
    other = reconcile(log, make_bill([("large", "output", 750_000, 4), ("large", "uncached_input", 1_000_000, 2)]))

    check_frame(first.true_ups, "true_ups")
    assert first.true_ups["true_up_id"].tolist() == again.true_ups["true_up_id"].tolist()
    assert first.true_ups["true_up_id"].tolist() != other.true_ups["true_up_id"].tolist()


def test_months_with_bills_are_listed(tied):
    """One summary a month that has both; without bills nothing."""
    log, bill = tied

    assert [("2026-09", "ties exactly")] == [
        (row.month, row.state) for row in inform.reconcile_months(log, bill, settings=RULES).itertuples()
    ]
    assert inform.reconcile_months(log, bill.head(0), settings=RULES).empty


def test_invoice_details_that_are_apart_fail(tied):
    """The invoice says 9.00 where the bill lines are 8.00."""
    log, bill = tied
    details = bill.head(1).assign(billed_cost=pd.array([Decimal(9)], dtype=bill["billed_cost"].dtype))
    details["invoice_issue_status"] = pd.array(["Issued"], dtype="string[pyarrow]")

    found = reconcile(log, bill, invoice_details=details)

    assert [Decimal(1)] == found.invoices["variance"].tolist()
    assert not found.checks.set_index("check").loc["invoice_details_apart", "passed"]


LOGGED = st.tuples(
    st.sampled_from(["2026-09-01", "2026-09-02", "2026-10-01"]),
    st.sampled_from(["a", "b"]),
    st.sampled_from(CLASSES),
    st.integers(1, 10**9),
    st.sampled_from([None, "0.3", "2", "7.77"]),
)
BILLED = st.tuples(
    st.sampled_from(["a", "b", "c", None]),
    st.sampled_from([*CLASSES, None]),
    st.integers(0, 10**9),
    st.sampled_from(["0.3", "2", "4", "7.77"]),
    st.fixed_dictionaries(
        {
            "charge_category": st.sampled_from(["Usage", "Usage", "Usage", "Tax", "Credit"]),
            "service_tier": st.sampled_from(["standard", "batch", None]),
            "sub_account_id": st.sampled_from(["p1", "p2", None]),
        }
    ),
)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(logged=st.lists(LOGGED, max_size=6), billed=st.lists(BILLED, min_size=1, max_size=6), data=st.data())
def test_estimate_and_residuals_are_the_invoice(make_log, make_bill, logged, billed, data):
    """For any log and any bill: exactly, in any order, with the true-ups and in the charges of record."""
    log, bill = make_log(logged), make_bill(billed)
    found = reconcile(log, bill)
    invoice, estimate = found.total("invoice"), found.total("estimate")

    assert invoice == estimate + sum(found.residuals["amount"], Decimal(0))
    assert invoice == found.total("ledger_cost") + sum(found.true_ups["billed_cost"], Decimal(0))
    assert invoice == inform.charges_of_record(log, bill, found.true_ups, "2026-09")["billed_cost"].sum()
    assert found.true_ups["true_up_id"].is_unique

    order = data.draw(st.permutations(range(len(bill))))
    again = reconcile(log.iloc[::-1].reset_index(drop=True), bill.iloc[order].reset_index(drop=True))
    pd.testing.assert_frame_equal(found.residuals, again.residuals)
    pd.testing.assert_frame_equal(found.true_ups, again.true_ups)
