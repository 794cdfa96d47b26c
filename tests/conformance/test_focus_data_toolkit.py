"""FOCUS 1.4: our files pass the one public linter there is, and its check of split costs."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("focus_data_toolkit", reason="focus-data-toolkit is not installed: pip install -e '.[test]'")

from focus_data_toolkit.cli import main
from focus_data_toolkit.validate.allocation import validate_split_allocation

SHARED = Path(__file__).parents[2] / ".." / "shared" / "data" / "focus"
# The specification lets the unallocated remainder have no receiver; this rule does not.
WITHOUT_RECEIVER = "FDT-ALLOC-005"


@pytest.mark.parametrize("options", [[], ["--with-splits"]], ids=["whole", "split"])
def test_the_sample_passes(export: Callable[..., Path], capsys: pytest.CaptureFixture[str], options: list[str]) -> None:
    """A month of the sample, with and without its shared costs split."""
    path = export("sample14.csv", "1.4", *options)
    assert 0 == main(["validate", "--dataset", "cost-and-usage", str(path)]), capsys.readouterr().out


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared FOCUS files are not here")
def test_a_bill_passed_through_passes(export: Callable[..., Path], capsys: pytest.CaptureFixture[str]) -> None:
    """An official example of a later draft is a proper 1.4 file when it has gone through the kit."""
    path = export("bill14.csv", "1.4", bill="drawdown_via_prepayment_foundation_model_api", period="2025-05")
    assert 0 == main(["validate", "--dataset", "cost-and-usage", str(path)]), capsys.readouterr().out


def test_split_costs_meet_their_origins(export: Callable[..., Path]) -> None:
    """Ratios, sums, methods and receivers of all splits; only charges with a remainder are wrongly refused."""
    with export("split14.csv", "1.4", "--with-splits").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    remainders = {row["x_SplitOriginId"] for row in rows if row["AllocatedMethodId"] and not row["AllocatedResourceId"]}
    refused = validate_split_allocation(rows)
    assert {WITHOUT_RECEIVER} == {finding.code for finding in refused}
    assert remainders == {finding.record_keys["x_SplitOriginId"] for finding in refused}
    assert validate_split_allocation([row for row in rows if row["x_SplitOriginId"] not in remainders]) == []
