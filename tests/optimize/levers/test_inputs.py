"""What the levers are estimated from is read for the month and the scope asked for."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from finops_lib import ingest
from finops_lib.optimize import read_lever_inputs
from finops_lib.params import load_params


def test_the_month_is_read_whole(sample: Path):
    """All priced cost of the assistant's month is in the cells; its calls were asked for retries and long inputs."""
    ledger = ingest.open_ledger(load_params("support-copilot", "2026-10", project=sample))
    found = read_lever_inputs(ledger, [], pd.DataFrame())

    assert ledger.month(ledger.costs)["contracted_cost"].sum() == found.cells["contracted_cost"].sum()
    assert len(ledger.month(ledger.costs)) == len(found.month) < len(found.costs)
    assert {"support-copilot"} == set(found.wasted["assistant"]) == set(found.over_input["assistant"])
    assert "retried" in set(found.wasted["call_class"])
    assert ("2026-10", []) == (found.period, found.routes)
