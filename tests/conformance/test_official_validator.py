"""FOCUS 1.2: our files pass the official validator, but for two rules of it that are known to be wrong.

It runs on Python 3.12 only, in an environment of its own: ``make conformance`` makes ``.venv-focus``; another place is
told by the environment variable ``FINOPS_FOCUS_VALIDATOR``.
"""

from __future__ import annotations

import os
import subprocess
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

ROOT = Path(__file__).parents[2]
SHARED = ROOT / ".." / "shared" / "data" / "focus"
ENVIRONMENT = Path(os.environ.get("FINOPS_FOCUS_VALIDATOR", ROOT / ".venv-focus")).absolute()
PACKAGES = next(ENVIRONMENT.glob("lib/python3.12/site-packages/focus_validator"), ENVIRONMENT).parent
SUPPORTED = (
    *("ACCOUNT_NAMING_SUPPORTED", "MULTIPLE_PRICING_CATEGORIES_SUPPORTED", "MULTIPLE_SUB_ACCOUNT_TYPES_SUPPORTED"),
    *("MULTIPLE_BILLING_ACCOUNT_TYPES_SUPPORTED", "NEGOTIATED_PRICING_SUPPORTED", "PUBLIC_PRICE_LIST_SUPPORTED"),
    *("USAGE_MEASUREMENT_SUPPORTED", "UNIT_PRICING_SUPPORTED", "SUB_ACCOUNT_SUPPORTED", "REGION_SUPPORTED"),
    *("BILLING_BASED_ON_PROVISIONED_RESOURCES_SUPPORTED", "RESOURCE_TYPE_ASSIGNMENT_SUPPORTED", "TAGGING_SUPPORTED"),
    "PRICING_BILLING_CURRENCY_DIFFERENCES_SUPPORTED",
)
RULES, SKIPPED = 578, 279

# The rule fires wherever InvoiceId is filled: its condition is lost (FOCUS_Spec#2394).
INVOICED = "InvoiceId-C-004-C"
# The rule fires on every purchase, also on seats that are used up in the month they are billed for; the specification
# speaks of purchases that cover future charges, and its own example of a subscription breaks the rule.
PURCHASED = "EffectiveCost-C-005-C"

pytestmark = pytest.mark.skipif(
    not (ENVIRONMENT / "bin" / "focus-validator").exists(),
    reason="the official FOCUS validator is not installed: `make conformance` does it where Python 3.12 is",
)


def verdict(path: Path, report: Path) -> tuple[set[str], int, int]:
    """Run the validator: rules that failed, rules there are, rules it skipped. Its exit code says nothing."""
    command = [
        *(
            ENVIRONMENT / "bin" / "focus-validator",
            "--data-file",
            path,
            "--validate-version",
            "1.2",
            "--block-download",
        ),
        *("--applicability-criteria", ",".join(SUPPORTED), "--output-type", "unittest", "--output-destination", report),
    ]
    # It opens a file of its own relative to the working directory.
    done = subprocess.run(command, cwd=PACKAGES, capture_output=True, text=True, timeout=600)
    assert report.is_file(), done.stdout + done.stderr
    tree = ElementTree.parse(report).getroot()
    failed = {case.get("name", "").split(" ")[0] for case in tree.iter("testcase") if case.find("failure") is not None}
    return failed, int(tree.get("tests", 0)), int(tree.get("skipped", 0))


def check(path: Path, tmp_path: Path) -> None:
    """Hold a file against the validator: exactly the known false failures, with all rules asked that apply."""
    read = pd.read_parquet if path.suffix == ".parquet" else pd.read_csv
    rows = read(path)
    bought = rows[(rows["ChargeCategory"] == "Purchase") & (rows["EffectiveCost"] != 0)]
    expected = {INVOICED} | ({PURCHASED} if len(bought) else set())
    assert (expected, RULES, SKIPPED) == verdict(path, tmp_path / "report.xml")


@pytest.mark.parametrize(
    ("name", "options"),
    [("whole.parquet", []), ("split.csv", ["--with-splits"])],
)
def test_the_sample_passes(export: Callable[..., Path], tmp_path: Path, name: str, options: list[str]) -> None:
    """A month with six providers, seats, tax, rounding, with and without its shared costs split."""
    check(export(name, "1.2", *options), tmp_path)


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared FOCUS files are not here")
@pytest.mark.parametrize("bill", ["golden_focus12_llm_rows", "golden_focus14_llm_and_split_rows"])
def test_a_bill_passed_through_passes(export: Callable[..., Path], tmp_path: Path, bill: str) -> None:
    """A bill of either version that was read comes out as a proper 1.2 file."""
    check(export("bill.parquet", "1.2", bill=bill, period="2025-09"), tmp_path)


def test_the_validator_is_asked_what_it_can_tell(export: Callable[..., Path], tmp_path: Path) -> None:
    """A unit spelled wrong fails its rule: what passes was not merely skipped."""
    text = export("whole.csv", "1.2").read_text()
    spoilt = tmp_path / "spoilt.csv"
    spoilt.write_text(text.replace("1000000 Tokens", "1M tokens"))
    failed, *_ = verdict(spoilt, tmp_path / "report.xml")
    assert {"PricingUnit-C-003-O"} == failed & {"PricingUnit-C-003-O"}
