"""Evaluations made to measure."""

from __future__ import annotations

import pandas as pd
import pytest


@pytest.fixture
def evaluation():
    """Build one configuration's evaluation: so many items, which of them failed, what a call cost."""

    def build(items=100, failed=(), cost=0.01, configuration="today", start=0):
        ids = [f"i{number:04d}" for number in range(start, start + items)]
        passed = [number not in set(failed) for number in range(start, start + items)]
        frame = {"item_id": ids, "segment": "all", "configuration": configuration, "passed": passed, "cost_usd": cost}
        return pd.DataFrame(frame).assign(evaluation_set="held-out")

    return build


@pytest.fixture
def cells():
    """Build evaluations from (segment, configuration, items passed of items, cost of a call)."""

    def build(rows):
        frames = [
            pd.DataFrame(
                {
                    "item_id": [f"{segment}-{number}" for number in range(items)],
                    "segment": segment,
                    "configuration": configuration,
                    "passed": [number < passed for number in range(items)],
                    "cost_usd": cost,
                }
            )
            for segment, configuration, passed, items, cost in rows
        ]
        return pd.concat(frames, ignore_index=True)

    return build
