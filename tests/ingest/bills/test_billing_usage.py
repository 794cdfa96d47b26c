"""Billing usage: the invoices' clock is UTC, whatever the reports' is."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from importlib import import_module

from finops_lib.ingest import billing_usage, close_period, read_price_list

LATE, EARLY = "2026-08-31T22:30:00Z", "2026-08-31T21:30:00Z"
"""In Berlin the first is in September, the second in August; in UTC both are in August."""


def test_months_are_cut_in_utc(bench):
    """The call after midnight in Berlin is September's in the ledger and August's on the invoice: 0.0045 each."""
    bench.organisation["time_zone"] = "Europe/Berlin"
    ledger = bench.build([bench.call(1, EARLY), bench.call(2, LATE), bench.call(3, "2026-09-15T12:00:00Z")])

    billing = billing_usage(bench.params())
    days = sorted({str(day) for day in billing["charge_period_start"]})

    assert ["2026-08-31", "2026-09-15"] == days
    assert {"2026-08": Decimal("0.0045"), "2026-09": Decimal("0.009")} == bench.by(
        ledger.costs.assign(month=[str(day)[:7] for day in ledger.costs["charge_period_start"]]), "month"
    )
    assert {date(2026, 8, 31): Decimal("0.009"), date(2026, 9, 15): Decimal("0.0045")} == bench.by(
        billing, "charge_period_start"
    )


def test_only_the_months_asked_for(bench):
    """September alone."""
    bench.build([bench.call(1, EARLY), bench.call(3, "2026-09-15T12:00:00Z")])

    assert [date(2026, 9, 15)] == billing_usage(bench.params(), ["2026-09"])["charge_period_start"].unique().tolist()


def test_in_utc_it_is_the_ledger(bench):
    """Without another zone both views cost the same, month by month."""
    ledger = bench.build([bench.call(n, f"2026-09-{n:02d}T23:59:59Z") for n in range(1, 31)])

    assert bench.total(ledger.costs["contracted_cost"]) == bench.total(billing_usage(bench.params())["contracted_cost"])


def test_accounts_tiers_and_layers_stand_apart(bench):
    """What an invoice or a missing log is told by is kept; who called is not."""
    rows = [
        bench.call(1, EARLY, provider_account="p1", service_tier="batch", team="a"),
        bench.call(2, EARLY, provider_account="p2", team="b"),
    ]
    bench.build(rows, layer="gateway")

    billing = billing_usage(bench.params())

    held = billing[["provider_account", "service_tier", "capture_layer"]].fillna("none").drop_duplicates()
    assert [("p1", "batch", "gateway"), ("p2", "none", "gateway")] == sorted(held.itertuples(index=False, name=None))
    assert billing["team"].isna().all()


def test_a_closed_month_keeps_its_prices(bench, monkeypatch):
    """September is priced with the list it was closed with, October with the current one."""
    bench.lay([bench.call(1, "2026-09-10T12:00:00Z"), bench.call(2, "2026-10-10T12:00:00Z")])
    record = close_period(bench.params(), "2026-09", date(2026, 10, 5))
    read = []

    def noted(folder=None):
        read.append(folder and folder.name)
        return read_price_list(folder)

    monkeypatch.setattr(import_module("finops_lib.ingest.bills.billing_usage"), "read_price_list", noted)
    billing_usage(bench.params())

    assert [record["prices"], None] == read


def test_an_empty_project_has_no_rows(bench):
    """No calls, no usage, all columns."""
    assert (0, True) == (len(billing_usage(bench.params())), "token_class" in billing_usage(bench.params()))
