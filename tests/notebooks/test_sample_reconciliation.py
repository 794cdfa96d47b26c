"""Every difference planted in the sample's invoices is found with its name and money, and nothing else is."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from finops_lib import inform, ingest
from finops_lib.params import load_params

pytestmark = pytest.mark.notebooks

# P26: 0.80 USD a million on 1,771,475 output tokens; P30: 750 millionths a unit on 15,900 units and 900 more each
# month; P32: 0.28 an hour; P28: 19% of the lines before it; P31 and P27 as planted; P23 and P29 from the invoices.
PLANTED = {
    "2026-07": {"fees": "11.925", "tax": "90.10", "rounding": "0.000302475"},
    "2026-08": {
        **{"missing_logs": "3.1131359", "fees": "12.6", "tax": "85.17", "credits": "-25"},
        **{"rounding": "0.00355325"},
    },
    "2026-09": {
        **{"price_difference": "1.41718", "shadow_use": "41", "capacity": "201.6", "fees": "13.275"},
        **{"tax": "129.88", "rounding": "0.002016175"},
    },
    "2026-10": {
        **{"shadow_use": "53", "capacity": "208.32", "fees": "13.95", "tax": "159.91", "rounding": "0.0018653"},
    },
}


@pytest.fixture(scope="module")
def reconciled(sample: Path) -> dict[str, tuple[Any, Any]]:
    """Reconcile all months of the sample, with the charges of record of each."""
    params = load_params(project=sample)
    ledger, charges = ingest.open_ledger(params), ingest.load_charges(params)
    billing = ingest.billing_usage(params)
    found = {
        month: inform.reconcile(
            ledger.costs, charges, month=month, settings=params.organisation.reconciliation, billing=billing
        )
        for month in PLANTED
    }
    return {
        month: (one, inform.charges_of_record(ledger.costs, charges, one.true_ups, month))
        for month, one in found.items()
    }


@pytest.mark.parametrize("month", PLANTED)
def test_the_planted_differences_and_no_others(reconciled: dict[str, Any], month: str) -> None:
    """By cause, to the last digit; months whose clock differs from the invoices' show no difference by it."""
    one, _ = reconciled[month]
    found = one.residuals.groupby("residual_class")["amount"].sum().to_dict()

    assert {name: Decimal(amount) for name, amount in PLANTED[month].items()} == found
    assert one.is_reconciled


@pytest.mark.parametrize("month", PLANTED)
def test_ledger_and_true_ups_are_the_invoices(reconciled: dict[str, Any], month: str) -> None:
    """Exactly, by provider, and in the charges of record."""
    one, charges = reconciled[month]
    summary = one.summary.dropna(subset=["invoice"]).set_index("provider")
    true_ups = one.true_ups.groupby("provider")["billed_cost"].sum()
    invoices = summary["invoice"].to_dict()

    assert invoices == {name: summary.loc[name, "ledger_cost"] + true_ups.get(name, 0) for name in summary.index}
    assert (
        invoices == charges[charges["provider"].isin(summary.index)].groupby("provider")["billed_cost"].sum().to_dict()
    )


def test_the_silent_days_and_shadow_use_are_named(reconciled: dict[str, Any]) -> None:
    """P23: the gateway's two days; P31: Mistral and the meeting notes."""
    august, october = reconciled["2026-08"][0], reconciled["2026-10"][0]
    missing = august.residuals[august.residuals["residual_class"] == "missing_logs"]

    assert {"anthropic"} == set(missing["provider"])
    assert missing["how_told"].str.contains("2026-08-15, 2026-08-16").all()
    assert [Decimal(96), Decimal(53)] == october.shadow_use["billed_cost"].tolist()
