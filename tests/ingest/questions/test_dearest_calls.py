"""From which cost on a call is among the dearest hundredth of its day."""

from __future__ import annotations

import pytest

from finops_lib.ingest import dearest_calls


def day_of_calls(bench, day, dear, calls=100):
    """So many calls of a day, some of them ten times as long as the others."""
    return [
        bench.call(1000 * day + n, f"2026-09-{day:02d}T12:00:00Z", assistant="bot", output_tokens=tokens)
        for n, tokens in enumerate([10_000] * dear + [1_000] * (calls - dear))
    ]


def test_a_day_has_its_dearest_hundredth(bench):
    """1.8 cents each; two of a hundred at 15.3 cents are the dearest hundredth; of 99 calls there is none."""
    rows = day_of_calls(bench, 8, 0) + day_of_calls(bench, 9, 2) + day_of_calls(bench, 10, 2, calls=99)
    found = dearest_calls(bench.lay(rows)).set_index("charge_period_start")["p99_cost"]

    assert ["2026-09-08", "2026-09-09"] == found.index.astype(str).tolist()
    assert pytest.approx([0.018, 0.153]) == found.tolist()


def test_without_calls_there_are_none(bench):
    """No requests: the columns, and no row."""
    assert ["charge_period_start", "assistant", "p99_cost"] == list(dearest_calls(bench.ledger()))
