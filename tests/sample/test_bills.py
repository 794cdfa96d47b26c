"""Bills tie to the calls, but for what is planted."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from finops_lib.sample.bills import COLUMNS, charge, period
from finops_lib.sample.organisation import pico_dollars


@pytest.fixture(scope="module")
def lines(folder: Path) -> pd.DataFrame:
    """All provider bill lines, as text."""
    files = sorted((folder / "bills").glob("providers_*.csv"))
    return pd.concat([pd.read_csv(path, dtype=str, keep_default_na=False) for path in files], ignore_index=True)


def _sum(values: pd.Series) -> Decimal:
    return sum(map(Decimal, values), Decimal(0))


def _expected(calls: pd.DataFrame) -> pd.Series:
    """Contracted cost of each call, worked out apart from the bills: list × batch half × 8% off from September."""
    factor = np.where(calls["service_tier"] == "batch", Decimal("0.5"), Decimal(1))
    factor = np.where(calls["service_tier"] == "provisioned", Decimal(0), factor)
    factor = np.where((calls["provider"] == "anthropic") & (calls["day"] >= 62), Decimal("0.92"), factor)
    pico = pico_dollars(calls)
    return pd.Series([Decimal(int(p)) * f / 10**12 for p, f in zip(pico, factor, strict=True)], calls.index)


ISSUERS = {
    "openai": "OpenAI",
    "anthropic": "Anthropic",
    "google": "Google Cloud",
    "aws.bedrock": "Amazon Web Services",
    "mistral": "Mistral AI",
    "voyageai": "Voyage AI",
}


@pytest.mark.parametrize("provider", list(ISSUERS))
def test_token_lines_equal_the_calls(calls: pd.DataFrame, lines: pd.DataFrame, provider: str) -> None:
    """Every provider's token lines are its calls times its prices, to the last digit, but for P26 and P31."""
    tokens = lines[(lines["InvoiceIssuerName"] == ISSUERS[provider]) & (lines["ConsumedUnit"] == "Tokens")]
    expected = _expected(calls)[calls["provider"] == provider].sum()
    september = calls[(calls["model"] == "claude-sonnet-5") & calls["day"].between(62, 91)]
    output = int((september["visible_output"] + september["reasoning"]).sum())
    planted = Decimal(output) * Decimal("0.80") / 10**6 if provider == "anthropic" else Decimal(0)

    assert expected + planted == _sum(tokens["BilledCost"])


def test_every_line_multiplies_exactly(lines: pd.DataFrame) -> None:
    """Quantity × unit price is the cost, for list and contracted prices."""
    for line in lines[lines["PricingQuantity"] != ""].itertuples():
        assert Decimal(line.PricingQuantity) * Decimal(line.ListUnitPrice) == Decimal(line.ListCost)
        assert Decimal(line.PricingQuantity) * Decimal(line.ContractedUnitPrice) == Decimal(line.ContractedCost)


def test_planted_lines(lines: pd.DataFrame) -> None:
    """P27 to P31: credit, tax, rounding, fee and shadow use stand where the README says."""
    credit = lines[lines["ChargeCategory"] == "Credit"]
    taxes = lines[lines["ChargeCategory"] == "Tax"]
    rounding = lines[lines["ChargeCategory"] == "Adjustment"]
    shadow = lines[lines["SubAccountId"] == "proj_unknown"]
    fees = lines[lines["SkuMeter"] == "Guardrail text units"]

    assert [["OpenAI", "-25.0"]] == credit[["InvoiceIssuerName", "BilledCost"]].to_numpy().tolist()
    assert ({"Amazon Web Services"}, 4) == (set(taxes["InvoiceIssuerName"]), len(taxes))
    assert ({"Google Cloud"}, 4) == (set(rounding["InvoiceIssuerName"]), len(rounding))
    assert rounding["BilledCost"].map(lambda text: abs(Decimal(text))).max() < Decimal("0.005")
    assert [Decimal(41), Decimal(53)] == shadow["BilledCost"].map(Decimal).tolist()
    assert 4 == len(fees)
    for month, own in lines[lines["InvoiceIssuerName"] == "Amazon Web Services"].groupby("BillingPeriodStart"):
        net = _sum(own.loc[own["ChargeCategory"] != "Tax", "BilledCost"])
        tax = _sum(own.loc[own["ChargeCategory"] == "Tax", "BilledCost"])
        assert abs(net * Decimal("0.19") - tax) <= Decimal("0.005"), month


def test_google_pays_whole_cents(lines: pd.DataFrame) -> None:
    """With its rounding line each Google invoice is a whole number of cents."""
    google = lines[lines["InvoiceIssuerName"] == "Google Cloud"]

    for total in google.groupby("BillingPeriodStart")["BilledCost"].agg(_sum):
        assert total == total.quantize(Decimal("0.01"))


def test_price_change_cuts_the_month(lines: pd.DataFrame) -> None:
    """P24: August has two periods of gpt-5.6-sol, 30 USD a million output tokens before the 21st, 20 from it on."""
    august = lines[(lines["SkuPriceId"] == "gpt-5.6-sol-output-standard") & lines["InvoiceId"].str.endswith("2026-08")]
    found = august.sort_values("ChargePeriodStart")[["ChargePeriodStart", "ChargePeriodEnd", "ListUnitPrice"]]

    assert [
        ["2026-08-01T00:00:00Z", "2026-08-21T00:00:00Z", "30.0"],
        ["2026-08-21T00:00:00Z", "2026-09-01T00:00:00Z", "20.0"],
    ] == found.to_numpy().tolist()


def test_columns_are_those_of_focus(lines: pd.DataFrame) -> None:
    """The mandatory columns are filled, quantities and key-value columns are well formed."""
    assert list(COLUMNS) == list(lines.columns)
    for name in (
        "BilledCost",
        "BillingAccountId",
        "BillingPeriodStart",
        "ChargeCategory",
        "ContractedCost",
        "ListCost",
        "EffectiveCost",
        "InvoiceIssuerName",
        "ProviderName",
        "PublisherName",
        "ServiceCategory",
        "ServiceName",
    ):
        assert (lines[name] != "").all(), name
    assert {"Usage", "Tax", "Credit", "Adjustment"} == set(lines["ChargeCategory"])
    for text in lines.loc[lines["SkuPriceDetails"] != "", "SkuPriceDetails"]:
        assert all(key.startswith("x_") for key in json.loads(text))


def test_charge_fills_the_costs() -> None:
    """A line with nothing but a billed cost has all four costs."""
    line = charge("2026-10", "OpenAI", BilledCost=Decimal(3))

    assert [3, 3, 3, 3] == [line[f"{name}Cost"] for name in ("Billed", "List", "Contracted", "Effective")]
    assert ("2026-10-01T00:00:00Z", "2026-11-01T00:00:00Z") == period("2026-10")
