"""``finops export journal``: only for months that are closed and met their invoices, or it says that it may change."""

from __future__ import annotations

import csv
import json
from datetime import date
from pathlib import Path

import pytest
import typer.testing

from finops_lib import cli, ingest, load_params
from finops_lib.errors import FinOpsError, ParamsError
from finops_lib.params import Source

ORGANISATION = """
sources:
  - {path: calls.csv, format: mapped, mapping: parameters/calls.yaml}
teams: {cx: {cost_center: CC-1}, brand: {cost_center: "=CC-2"}}
prices:
  - {kind: absolute, provider: house, model: large, prices: {uncached_input: 3, output: 15}}
allocation:
  - {name: calls, bucket: direct, method: direct}
"""
CALLS = """timestamp,request_id,provider,model,input_tokens,output_tokens,team
2026-09-01T12:00:00Z,r1,house,large,1000000,0,cx
2026-09-02T12:00:00Z,r2,house,large,500000,100000,brand
2026-09-30T22:00:00Z,r3,house,large,100000,0,
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """September in three calls: 3.00 of cx, 3.00 of brand, 0.30 of nobody."""
    (tmp_path / "parameters").mkdir()
    (tmp_path / "parameters" / "organisation.yaml").write_text(ORGANISATION)
    names = CALLS.splitlines()[0].split(",")
    (tmp_path / "parameters" / "calls.yaml").write_text(
        "columns: {" + ", ".join(f"{name}: {name}" for name in names) + "}\n"
    )
    (tmp_path / "calls.csv").write_text(CALLS)
    ingest.build_ledger(load_params(project=tmp_path))
    return tmp_path


def export(project: Path, *more: str) -> str:
    """Run the command and return what it says."""
    arguments = ["export", "journal", "--period", "2026-09", "--project", str(project), *more]
    result = typer.testing.CliRunner().invoke(cli.app, arguments)
    if isinstance(result.exception, FinOpsError):
        raise result.exception
    assert 0 == result.exit_code, result.output
    return result.output


def test_an_open_month_is_refused_unless_provisional(project: Path) -> None:
    """The provisional journal says so in every row, and is written to the file alone."""
    with pytest.raises(ParamsError, match="2026-09 is not closed"):
        export(project)
    target = project / "out" / "journal.csv"
    told = json.loads(export(project, "--provisional", "--out", str(target), "--json").splitlines()[-1])

    assert {"period": "2026-09", "provisional": True, "entries": 3, "debits": "6.30", "credits": "6.30"} == {
        name: value for name, value in told.items() if name != "file"
    }
    rows = list(csv.DictReader(target.read_text().splitlines()))
    assert {"PROVISIONAL"} == {row["status"] for row in rows}
    assert [("'=CC-2", "3.00"), ("CC-1", "3.00"), ("central", "0.30")] == [
        (row["cost_center"], row["debit"]) for row in rows if row["debit"]
    ]
    assert [target] == list(target.parent.iterdir())


def test_a_closed_month_must_have_met_its_invoices(project: Path) -> None:
    """Closed without bills it is refused; reconciled, it is final until a bill of it comes late."""
    params = load_params(project=project)
    ingest.close_period(params, "2026-09", date(2026, 10, 5))
    with pytest.raises(ParamsError, match="does not meet its invoices"):
        export(project)
    ingest.reopen_period(params, "2026-09")
    ingest.close_period(params, "2026-09", date(2026, 10, 5), {"reconciled": True})
    rows = list(csv.DictReader(export(project).splitlines()))
    bill = "invoice_issuer_name,billing_account_id,charge_period_start,billed_cost,billing_currency\n"
    (project / "bill.csv").write_text(bill + "House,a,2026-09-05,6.30,USD\n")
    ingest.read_source(Source(path="bill.csv", format="mapped", table="charges"), load_params(project=project))
    with pytest.raises(ParamsError, match=r"House 2026-09: .* now it is 6\.30, after the month was closed"):
        export(project)

    assert {"final"} == {row["status"] for row in rows}
    assert 6 == len(rows)
