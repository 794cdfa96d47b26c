"""The month of record, as exports need it."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from finops_lib import ingest, load_params
from finops_lib.cli.month_of_record import allocation_of_month, charges_of_month, latest_month
from finops_lib.errors import ParamsError


def test_charges_and_allocation_of_a_month_without_bills(tmp_path: Path) -> None:
    """The ledger's calls are the charges; a team's volume of another month plays no part."""
    (tmp_path / "parameters").mkdir()
    (tmp_path / "parameters" / "organisation.yaml").write_text(
        "sources: [{path: calls.csv, format: mapped, mapping: parameters/calls.yaml}]\n"
        "prices: [{kind: absolute, provider: house, model: large, prices: {uncached_input: 3}}]\n"
        "allocation: [{name: by use, bucket: proportional, method: proportional, driver: requests}]\n"
    )
    names = "timestamp,request_id,provider,model,input_tokens,output_tokens,team"
    (tmp_path / "parameters" / "calls.yaml").write_text(
        "columns: {" + ", ".join(f"{name}: {name}" for name in names.split(",")) + "}\n"
    )
    (tmp_path / "calls.csv").write_text(
        f"{names}\n2026-08-01T12:00:00Z,r0,house,large,9000000,0,a\n2026-09-01T12:00:00Z,r1,house,large,1000000,0,a\n"
        "2026-09-30T12:00:00Z,r2,house,large,1000000,0,b\n"
    )
    params = load_params(project=tmp_path)
    ingest.build_ledger(params)
    charges, split = allocation_of_month(params, "2026-09")

    assert Decimal(6) == charges["billed_cost"].sum()
    carried = split.allocations.groupby("receiver")["billed_cost"].sum()
    assert {"a": 3, "b": 3} == carried.to_dict()


def test_a_workspace_without_calls_and_bills_is_refused(tmp_path: Path) -> None:
    """A fresh project has no latest month and no charges, and the message says what to add."""
    (tmp_path / "parameters").mkdir()
    (tmp_path / "parameters" / "organisation.yaml").write_text("{}\n")
    params = load_params(project=tmp_path)

    for ask in (lambda: latest_month(params), lambda: charges_of_month(params, "2026-09")):
        with pytest.raises(ParamsError, match="holds no calls and no bills"):
            ask()
