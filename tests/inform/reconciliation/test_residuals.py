"""Each cause of a difference between log and bill is told apart, with the money worked out by hand."""

from __future__ import annotations

from decimal import Decimal

import pytest

from finops_lib import inform
from finops_lib.inform.reconciliation.residuals import silent_days
from finops_lib.settings import ReconciliationSettings

DAYS = [f"2026-09-{day:02d}" for day in range(1, 31)]
EVERY_DAY = [(day, "large", "uncached_input", 100_000, 2) for day in DAYS]
"""3,000,000 tokens, 6.00 USD."""


def causes(log, bill):
    """Sum the residuals by cause."""
    found = inform.reconcile(log, bill, month="2026-09", settings=ReconciliationSettings())
    return found.residuals.groupby("residual_class")["amount"].sum().to_dict()


def sentence(log, bill):
    """Give the first residual's sentence."""
    found = inform.reconcile(log, bill, month="2026-09", settings=ReconciliationSettings())
    return found.residuals["how_told"].iloc[0]


def test_a_month_that_ties_has_no_residual(tied):
    """Estimate and invoice are both 8.00; days without a call are no missing logs."""
    assert {} == causes(*tied)


def test_silent_days_explain_a_shortfall(make_log, make_bill):
    """Two days of thirty are silent, and the bill has 200,000 tokens more: 0.40."""
    log, bill = make_log(EVERY_DAY[:-2]), make_bill([("large", "uncached_input", 3_000_000, 2)])

    assert {"missing_logs": Decimal("0.4")} == causes(log, bill)
    assert "the log holds nothing on 2026-09-29, 2026-09-30; 6.7% of the tokens billed are in no log" == sentence(
        log, bill
    )
    assert ["2026-09-29", "2026-09-30"] == silent_days(log, "2026-09")["day"].tolist()


def test_silent_days_cannot_hold_more_than_the_busiest_day(make_log, make_bill):
    """Two silent days of at most 0.20 hold 0.40; what the bill has beyond it is unexplained: 2.00 - 0.40."""
    log, bill = make_log(EVERY_DAY[:-2]), make_bill([("large", "uncached_input", 3_800_000, 2)])

    assert {"missing_logs": Decimal("0.4"), "unexplained": Decimal("1.6")} == causes(log, bill)


def test_a_shortfall_alike_in_all_classes_is_missing_calls(make_log, make_bill):
    """No day is silent, but a tenth of input (0.60) and output (0.24) is on the bill only."""
    log = make_log([*EVERY_DAY, (DAYS[0], "large", "output", 270_000, 8)])
    bill = make_bill([("large", "uncached_input", 3_300_000, 2), ("large", "output", 300_000, 8)])

    assert {"missing_logs": Decimal("0.84")} == causes(log, bill)


def test_more_logged_than_billed_alike_is_duplicates(make_log, make_bill):
    """The log has every token of 1,500,000 twice: 3.00 too much."""
    log, bill = make_log(EVERY_DAY), make_bill([("large", "uncached_input", 1_500_000, 2)])

    assert {"duplicates": Decimal(-3)} == causes(log, bill)
    assert "the log holds 100.0% more tokens than are billed, alike in every token class" == sentence(log, bill)


def test_a_class_that_differs_alone_is_unexplained(make_log, make_bill):
    """Input ties and output is half as much again: 100,000 tokens at 8.00."""
    log = make_log([*EVERY_DAY, (DAYS[0], "large", "output", 200_000, 8)])
    bill = make_bill([("large", "uncached_input", 3_000_000, 2), ("large", "output", 300_000, 8)])

    assert {"unexplained": Decimal("0.8")} == causes(log, bill)
    assert "output 200,000 logged, 300,000 billed" == sentence(log, bill)


def test_a_model_without_a_price_takes_the_bills(make_log, make_bill):
    """A million unpriced tokens are on the bill with 3.00."""
    log = make_log([*EVERY_DAY, (DAYS[0], "tuned", "output", 1_000_000, None)])
    bill = make_bill([("large", "uncached_input", 3_000_000, 2), ("tuned", "output", 1_000_000, 3)])

    assert {"unpriced_models": Decimal(3)} == causes(log, bill)


def test_one_price_that_differs(make_log, make_bill):
    """Output is billed at 10 instead of 8: 2.00 on a million, and the sentence holds both prices."""
    log = make_log([*EVERY_DAY, (DAYS[0], "large", "output", 1_000_000, 8)])
    bill = make_bill([("large", "uncached_input", 3_000_000, 2), ("large", "output", 1_000_000, 10)])

    assert {"price_difference": Decimal(2)} == causes(log, bill)
    assert "output billed at USD 10 a million, our price is USD 8" == sentence(log, bill)


def test_a_price_that_changes_within_the_month_is_none(make_log, make_bill):
    """Two prices of one class on both sides meet, whatever the days."""
    rows = [(day, "large", "output", 100_000, 8 if day < "2026-09-11" else 6) for day in DAYS]
    bill = make_bill([("large", "output", 1_000_000, 8), ("large", "output", 2_000_000, 6)])

    assert {} == causes(make_log(rows), bill)


def test_the_same_input_cached_on_one_side_only(make_log, make_bill):
    """400,000 tokens of 3,000,000 are plain in the log (2.00) and cached on the bill (0.20): 0.72 less."""
    bill = make_bill([("large", "uncached_input", 2_600_000, 2), ("large", "cache_read", 400_000, "0.2")])
    log = make_log(
        [*EVERY_DAY[1:], (DAYS[0], "large", "uncached_input", 99_990, 2), (DAYS[0], "large", "cache_read", 10, "0.2")]
    )

    assert {"cache_basis": Decimal("-0.72") + Decimal("0.000018")} == causes(log, bill)


def test_cached_tokens_counted_twice_in_the_log(make_log, make_bill):
    """The log's plain input holds the 500,000 cached tokens again: 1.00 too much."""
    cached = (DAYS[0], "large", "cache_read", 500_000, "0.2")
    bill = make_bill([("large", "uncached_input", 2_500_000, 2), ("large", "cache_read", 500_000, "0.2")])

    assert {"cache_basis": Decimal(-1)} == causes(make_log([*EVERY_DAY, cached]), bill)


def test_cached_input_billed_as_plain(make_log, make_bill):
    """500,000 cached tokens at 2.00 instead of 0.20: 0.90 more."""
    cached = (DAYS[0], "large", "cache_read", 500_000, "0.2")
    bill = make_bill([("large", "uncached_input", 3_000_000, 2), ("large", "cache_read", 500_000, 2)])

    assert {"cache_basis": Decimal("0.9")} == causes(make_log([*EVERY_DAY, cached]), bill)
    assert "cached input is billed at the price of plain input" == sentence(make_log([*EVERY_DAY, cached]), bill)


def test_tokens_under_another_tier(make_log, make_bill):
    """What the log calls standard at 6.00 was billed as batch at half the price: 3.00 less."""
    bill = make_bill([("large", "uncached_input", 3_000_000, 1, {"service_tier": "batch"})])

    assert {"tier_or_batch": Decimal(-3)} == causes(make_log(EVERY_DAY), bill)


def test_half_the_price_without_a_tier_is_batch(make_log, make_bill):
    """The bill names no tier and charges half: 3.00 less."""
    bill = make_bill([("large", "uncached_input", 3_000_000, 1, {"service_tier": None})])

    assert {"tier_or_batch": Decimal(-3)} == causes(make_log(EVERY_DAY), bill)


def test_a_tenth_more_on_every_class_of_a_model_is_the_region(make_log, make_bill):
    """6.00 of input and 8.00 of output become 6.60 and 8.80."""
    log = make_log([*EVERY_DAY, (DAYS[0], "large", "output", 1_000_000, 8)])
    bill = make_bill([("large", "uncached_input", 3_000_000, "2.2"), ("large", "output", 1_000_000, "8.8")])

    assert {"channel_or_region": Decimal("1.4")} == causes(log, bill)


def test_one_factor_on_every_line_is_a_discount(make_log, make_bill):
    """Two models, both a fifth below our price: 1.20 off 6.00 and 1.60 off 8.00."""
    log = make_log([*EVERY_DAY, (DAYS[0], "small", "output", 1_000_000, 8)])
    bill = make_bill([("large", "uncached_input", 3_000_000, "1.6"), ("small", "output", 1_000_000, "6.4")])

    assert {"discount": Decimal("-2.8")} == causes(log, bill)
    assert "every line of the bill is 20.00% below our contracted price" == sentence(log, bill)


def test_one_factor_on_a_bill_in_another_currency_is_the_exchange(make_log, make_bill):
    """Two models billed in EUR, both 2% above our price at the rate given."""
    euros = {"billing_currency": "EUR"}
    log = make_log([*EVERY_DAY, (DAYS[0], "small", "output", 1_000_000, 8)])
    bill = make_bill(
        [("large", "uncached_input", 3_000_000, "2.04", euros), ("small", "output", 1_000_000, "8.16", euros)]
    )

    assert {"currency": Decimal("0.28")} == causes(log, bill)


def test_a_line_rounded_to_cents(make_log, make_bill):
    """1,234,567 tokens at 2.00 are 2.469134; the bill says 2.47."""
    log = make_log([(DAYS[0], "large", "uncached_input", 1_234_567, 2)])
    bill = make_bill([("large", "uncached_input", 1_234_567, 2, {"billed_cost": Decimal("2.47")})])

    assert {"rounding": Decimal("0.000866")} == causes(log, bill)


def test_what_the_bill_takes_off_its_own_line(make_log, make_bill):
    """Contracted at 6.00 and billed at 5.00."""
    bill = make_bill([("large", "uncached_input", 3_000_000, 2, {"billed_cost": Decimal(5)})])

    assert {"discount": Decimal(-1)} == causes(make_log(EVERY_DAY), bill)


@pytest.mark.parametrize(
    ("line", "cause"),
    [
        ({"charge_category": "Tax", "charge_description": "VAT"}, "tax"),
        ({"charge_category": "Credit", "charge_description": "Service credit"}, "credits"),
        ({"charge_category": "Credit", "charge_description": "Volume discount"}, "discount"),
        ({"charge_category": "Adjustment", "charge_description": "Rounding"}, "rounding"),
        ({"charge_category": "Purchase", "charge_description": "Support plan"}, "fees"),
        ({"charge_description": "Guardrail", "consumed_unit": "1000 Units"}, "fees"),
        ({"charge_description": "Provisioned throughput", "consumed_unit": "Hours"}, "capacity"),
        ({"charge_class": "Correction", "charge_category": "Adjustment"}, "credits"),
    ],
)
def test_a_line_that_is_a_cause_itself(tied, make_bill, line, cause):
    """Whatever stands on the bill beside tokens is a cause of its own with the line's money."""
    log, _ = tied
    more = line | {"billed_cost": Decimal("-0.25")}
    bill = make_bill(
        [("large", "uncached_input", 1_000_000, 2), ("large", "output", 750_000, 8), (None, None, 1, 1, more)]
    )

    assert {cause: Decimal("-0.25")} == causes(log, bill)


def test_a_model_or_account_that_no_log_names_is_shadow_use(tied, make_bill):
    """A strange model and a strange account are told from what is logged."""
    log, _ = tied
    lines = [
        ("large", "uncached_input", 1_000_000, 2),
        ("large", "output", 750_000, 8),
        ("other", "output", 1_000_000, 4),
    ]
    bill = make_bill([*lines, ("large", "output", 1_000_000, 8, {"sub_account_id": "p2"})])

    assert {"shadow_use": Decimal(12)} == causes(log, bill)


def test_a_bill_by_day_tells_the_missing_day(make_log, make_bill):
    """Every day is billed 0.20; the third is in no log, the fourth has half of its tokens."""
    import pandas as pd

    def line(day, quantity):
        start = pd.Timestamp(day, tz="UTC")
        period = {"charge_period_start": start, "charge_period_end": start + pd.Timedelta(days=1)}
        return ("large", "uncached_input", quantity, 2, period)

    rows = [row for row in EVERY_DAY if row[0] not in ("2026-09-03", "2026-09-04")]
    log = make_log([*rows, ("2026-09-04", "large", "uncached_input", 50_000, 2)])
    bill = make_bill([line(day, 100_000) for day in DAYS])

    found = inform.reconcile(log, bill, month="2026-09", settings=ReconciliationSettings())

    assert {"missing_logs": Decimal("0.3")} == causes(log, bill)
    assert {"2026-09-03", "2026-09-04"} == set(found.lines.loc[found.lines["volume_effect"] != 0, "day"])


def test_a_bill_without_quantities_meets_the_money(make_log, make_bill):
    """One line a model and no tokens: equal money ties, other money is unexplained."""
    plain = {"consumed_quantity": None, "consumed_unit": None, "billed_cost": Decimal(6), "contracted_cost": None}
    tie = make_bill([("large", None, 0, 0, plain)])
    more = make_bill([("large", None, 0, 0, plain | {"billed_cost": Decimal("6.5")})])

    assert {} == causes(make_log(EVERY_DAY), tie)
    assert {"unexplained": Decimal("0.5")} == causes(make_log(EVERY_DAY), more)
    assert "the bill gives no quantities to hold the log against" == sentence(make_log(EVERY_DAY), more)


def test_capacity_that_the_ledger_prices_by_the_hour_is_compared(make_log, make_bill):
    """720 hours at 0.56 on both sides tie; what is billed beyond them is unexplained."""
    hourly = {"provider_account": None, "capture_layer": None}
    log = make_log([*EVERY_DAY, (DAYS[0], "nova", "provisioned_hours", 720, 560_000, hourly)])
    hours = {"consumed_unit": "Hours", "charge_description": "Throughput"}
    bill = make_bill([("large", "uncached_input", 3_000_000, 2), (None, None, 720, 560_000, hours)])

    assert {} == causes(log, bill)
