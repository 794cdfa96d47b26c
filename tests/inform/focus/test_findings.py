"""FOCUS findings, a mutation test: every defect put into a right file is caught, also those public validators pass."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from finops_lib.errors import SchemaError
from finops_lib.inform import allocate
from finops_lib.inform.focus.findings import focus_findings
from finops_lib.inform.focus.rows import focus_rows
from finops_lib.report.focus_file import focus_text
from finops_lib.settings import AllocationRule

GOLDEN = Path(__file__).parents[3] / ".." / "shared" / "data" / "focus"
TOKENS = {
    **{"source": "ledger", "provider": "solora", "model": "pro", "token_class": "output", "assistant": "hr-bot"},
    **{"pricing_unit": "Tokens", "pricing_quantity": 1_234_567, "consumed_quantity": 1_234_567, "team": "cx"},
    **{"list_unit_price": "0.000015", "contracted_unit_price": "0.000014", "cost": "17.283938"},
    **{
        "list_cost": "18.518505",
        "sku_id": "pro/output",
        "sku_price_id": "pro/output/standard",
        "invoice_id": "I-1",
        "sub_account_id": "proj",
    },
}
SHARED = {
    **{"charge_id": "vec", "cost": 60, "pricing_quantity": 2, "pricing_unit": "Hours", "consumed_quantity": 2},
    **{"consumed_unit": "Hours", "list_unit_price": 30, "contracted_unit_price": 30, "tags": '{"env": "prod"}'},
    **{"service_name": "Search", "service_category": "Databases", "invoice_id": "I-1", "sku_id": "vec"},
}
TAX = {
    "charge_category": "Tax",
    "cost": 19,
    "service_name": "Search",
    "service_category": "Databases",
    "invoice_id": "I-1",
}

DEFECTS = {
    # what neither public tool tells
    "unit case": ("unit_format", {"PricingUnit": "1000000 tokens"}),
    "period order": ("period_order", {"ChargePeriodEnd": "2026-08-31T00:00:00Z"}),
    "receiver without a name": ("receiver_name", {"AllocatedResourceName": ""}),
    "receiver without an id": ("receiver_name", {"AllocatedResourceId": ""}),
    "method without an id": ("split_without_method", {"AllocatedMethodId": ""}),
    "method without details": ("split_details", {"AllocatedMethodDetails": ""}),
    "tags that repeat": ("repeated_tags", {"AllocatedTags": '{"env": "prod", "assistant": "hr"}'}),
    "effective cost of a part": ("split_sum", {"EffectiveCost": "1.0"}),
    "invoice total": ("invoice_total", {"BilledCost": "1.0"}),
    # what one of them lets pass
    "date with a space": ("date_format", {"ChargePeriodStart": "2026-09-01 00:00:00Z"}),
    "date without a zone": ("date_format", {"BillingPeriodStart": "2026-09-01T00:00:00"}),
    "list cost is no product": ("product", {"ListCost": "99.0"}),
    "contracted cost is no product": ("product", {"ContractedCost": "99.0"}),
    "rounded list cost": ("product", {"ListCost": "18.52"}),
    "nested tags": ("key_value_format", {"Tags": '{"team": {"name": "cx"}}'}),
    "property without x_": ("sku_property_name", {"SkuPriceDetails": '{"ModelId": "pro"}'}),
    "category of one row": ("allowed_values", {"ChargeCategory": "Consumption"}),
    "ratio off": ("ratio_sum", {"AllocatedMethodDetails": '{"Elements": [{"AllocatedRatio": 0.7}]}'}),
    "ratio gone": ("method_details", {"AllocatedMethodDetails": '{"Elements": [{"UsageUnit": "Requests"}]}'}),
    "quantity without its unit": (
        "method_details",
        {"AllocatedMethodDetails": '{"Elements": [{"AllocatedRatio": 0.4, "UsageQuantity": 5000}]}'},
    ),
    # what they tell too
    "unit spelled short": ("unit_format", {"PricingUnit": "1M tokens"}),
    "negative price": ("negative_price", {"ListUnitPrice": "-15.0"}),
    "thousands separator": ("number_format", {"BilledCost": "1,234.0"}),
    "positive exponent": ("number_format", {"BilledCost": "1E+7"}),
    "no billed cost": ("null", {"BilledCost": ""}),
    "no service name": ("null", {"ServiceName": ""}),
    "no SKU": ("pricing_missing", {"SkuId": ""}),
    "no price": ("pricing_missing", {"ListUnitPrice": ""}),
    "no quantity": ("pricing_missing", {"PricingQuantity": ""}),
    "unit without a quantity": ("together", {"ConsumedQuantity": ""}),
    "frequency": ("allowed_values", {"ChargeFrequency": "Daily"}),
    "service category": ("allowed_values", {"ServiceCategory": "AI"}),
    "class": ("allowed_values", {"ChargeClass": "Refund"}),
    "currency": ("currency", {"BillingCurrency": "Tokens"}),
    "type without an id": ("together", {"SubAccountId": ""}),
}


@pytest.fixture(scope="module")
def charges(make_charges):
    """A ledger line, a shared cost and tax."""
    return make_charges(TOKENS, SHARED, TAX)


@pytest.fixture(scope="module")
def files(charges):
    """The right files of both versions: the ledger's row split in one, the shared cost in three."""
    use = pd.DataFrame({"driver": "requests", "receiver": ["hr", "it", None], "value": [2, 2, 1]})
    rules = [
        AllocationRule(name="calls", match={"source": "ledger"}, bucket="direct", method="direct", receiver="team"),
        AllocationRule(
            name="shared", match={"charge_id": "vec"}, bucket="proportional", method="proportional", driver="requests"
        ),
    ]
    parts = allocate(charges, rules, use).allocations
    return {version: focus_text(focus_rows(charges, version, parts)).fillna("") for version in ("1.2", "1.4")}


@pytest.mark.parametrize("version", ["1.2", "1.4"])
def test_a_right_file_has_no_findings(files, charges, version):
    """Five rows: nothing is wrong, and they come to the invoice."""
    assert (5, 0) == (len(files[version]), len(focus_findings(files[version], version, charges)))


@pytest.mark.parametrize("defect", DEFECTS)
def test_every_defect_is_caught_by_its_rule_in_its_row(files, charges, defect):
    """One cell of one row is changed: in a part of the shared cost in 1.4, in the ledger's row in 1.2."""
    rule, changed = DEFECTS[defect]
    of_a_part = any(column.startswith("Allocated") for column in changed) or "part" in defect
    version, sku = ("1.4", "vec") if of_a_part else ("1.2", "pro/output")
    mutant = files[version].copy()
    row = mutant.index[mutant["SkuId"] == sku][0]
    for column, value in changed.items():
        mutant.loc[row, column] = value
    found = focus_findings(mutant, version, charges)
    told = {one for one in found[["rule", "row"]].itertuples(index=False, name=None) if one[0] == rule}
    expected = 1 if rule == "invoice_total" else row + 1
    assert (rule, expected) in told


def test_an_unknown_version_is_refused(files):
    """Only what is written can be checked."""
    with pytest.raises(SchemaError, match="'1.3' is not written"):
        focus_findings(files["1.2"], "1.3")


@pytest.mark.skipif(not GOLDEN.is_dir(), reason="the shared FOCUS files are not here")
@pytest.mark.parametrize(
    ("version", "name"), [("1.2", "golden_focus12_llm_rows"), ("1.4", "golden_focus14_llm_and_split_rows")]
)
def test_files_that_the_public_validators_pass_have_no_findings(version, name):
    """Rows made by hand, in our spelling and without origin columns."""
    golden = pd.read_csv(GOLDEN / f"{name}.csv", dtype=str, keep_default_na=False)
    assert focus_findings(golden, version).empty
