"""``finops export focus``: a file that is right, or none."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner, Result

from finops_lib.cli import app
from finops_lib.errors import ParamsError, SchemaError
from finops_lib.inform import focus_findings

ORGANISATION = """
company: Reader
teams: {cx: {cost_center: CC-1, department: Service}, hr: {cost_center: CC-2}}
allocation:
  - {name: search, match: {service_name: Search}, bucket: proportional, method: fixed, weights: {cx: 3, hr: 1}}
"""
HEADER = (
    "BilledCost,BillingAccountId,BillingCurrency,BillingPeriodStart,BillingPeriodEnd,ChargeCategory,ChargePeriodStart,"
    "ChargePeriodEnd,InvoiceId,InvoiceIssuerName,ListCost,ContractedCost,EffectiveCost,ProviderName,ServiceName,"
    "ServiceCategory,PricingQuantity,PricingUnit,ListUnitPrice,ContractedUnitPrice,SkuId,ConsumedQuantity,ConsumedUnit"
)
MONTH = "2026-09-01T00:00:00Z,2026-10-01T00:00:00Z"
SEARCH = (
    f"12.5,org-1,USD,{MONTH},Usage,{MONTH},S-9,Search House,12.5,12.5,12.5,Search House,Search,Databases,"
    "5,Hours,2.5,2.5,idx,5,Hours"
)


@pytest.fixture
def export(tmp_path: Path) -> Callable[..., Result]:
    """Read a bill of the lines given and export it."""
    (tmp_path / "parameters").mkdir()
    (tmp_path / "parameters" / "organisation.yaml").write_text(ORGANISATION)

    def run(lines: list[str], *options: str | Path) -> Result:
        (tmp_path / "bill.csv").write_text("\n".join([HEADER, *lines]) + "\n")
        project = ["--project", str(tmp_path)]
        words = ["ingest", *project, "--format", "focus", "--table", "charges", str(tmp_path / "bill.csv")]
        assert 0 == CliRunner().invoke(app, words, catch_exceptions=False).exit_code
        words = ["export", "focus", *project, "--period", "2026-09", *map(str, options)]
        return CliRunner().invoke(app, words, catch_exceptions=False)

    return run


def test_a_month_is_written_and_told(export, tmp_path):
    """The file has the bill's line, and the answer says how much it is."""
    done = export([SEARCH], "--out", tmp_path / "focus.csv", "--json")
    told = {
        "file": str(tmp_path / "focus.csv"),
        "period": "2026-09",
        "version": "1.2",
        "rows": 1,
        "billed": {"USD": "12.5"},
    }
    assert told == json.loads(done.stdout.splitlines()[-1])
    written = pd.read_csv(tmp_path / "focus.csv", dtype=str, keep_default_na=False)
    assert (["12.5"], True) == (list(written["BilledCost"]), focus_findings(written, "1.2").empty)


def test_with_splits_the_parts_name_their_cost_centers(export, tmp_path):
    """12.50 by 3 : 1 are 9.375 and 3.125, each with the tags of its team."""
    export([SEARCH], "--with-splits", "--version", "1.4", "--out", tmp_path / "focus.parquet")
    parts = pq.read_table(tmp_path / "focus.parquet").to_pandas().set_index("AllocatedResourceId")
    assert ["9.375", "3.125"] == [f"{parts.loc[team, 'BilledCost']:.3f}" for team in ("cx", "hr")]
    tags = {"finops/team": "cx", "finops/cost_center": "CC-1", "finops/department": "Service"}
    assert tags == json.loads(parts.loc["cx", "AllocatedTags"])


def test_a_file_that_would_break_focus_is_not_written(export, tmp_path):
    """A list cost of 13 for five hours at 2.50: the message names row, column and product, the old file stays."""
    (tmp_path / "focus.csv").write_text("old")
    with pytest.raises(SchemaError, match=r"row 1, ListCost: found 13.0, expected 12.5 \(product\)"):
        export([SEARCH.replace("12.5,12.5,12.5,Search", "13,12.5,12.5,Search")], "--out", tmp_path / "focus.csv")
    assert "old" == (tmp_path / "focus.csv").read_text()


def test_ids_of_digits_are_warned_of_in_csv_alone(export, tmp_path):
    """Account 0012 may lose its zeros in a reader of CSV, never in Parquet."""
    line = SEARCH.replace("org-1", "0012")
    assert "BillingAccountId is made of digits" in export([line], "--out", tmp_path / "a.csv").stderr
    assert "" == export([line], "--out", tmp_path / "a.parquet").stderr


def test_what_cannot_be_written_is_refused_in_words(export, tmp_path):
    """An unknown version and an unknown kind of file."""
    with pytest.raises(SchemaError, match=r"version '1.3' is not written"):
        export([SEARCH], "--version", "1.3", "--out", tmp_path / "a.csv")
    with pytest.raises(ParamsError, match=r"found 'a.xlsx', expected a name that ends with"):
        export([SEARCH], "--out", tmp_path / "a.xlsx")


def test_an_export_read_again_is_the_same_bill(export, tmp_path):
    """Out, in and out again: the rows are equal but for the ids of their lines."""
    export([SEARCH], "--out", tmp_path / "first.csv")
    project = tmp_path / "second"
    (project / "parameters").mkdir(parents=True)
    (project / "parameters" / "organisation.yaml").write_text("company: Again\n")
    words = ["ingest", "--project", project, "--format", "focus", "--table", "charges", tmp_path / "first.csv"]
    CliRunner().invoke(app, [str(word) for word in words], catch_exceptions=False)
    words = ["export", "focus", "--project", project, "--period", "2026-09", "--out", project / "again.csv"]
    CliRunner().invoke(app, [str(word) for word in words], catch_exceptions=False)
    first, again = (
        pd.read_csv(path, dtype=str).drop(columns="x_ChargeId")
        for path in (tmp_path / "first.csv", project / "again.csv")
    )
    pd.testing.assert_frame_equal(first, again)
