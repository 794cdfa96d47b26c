"""Rules a gateway can run without a model."""

from __future__ import annotations

import numpy as np
import pandas as pd

from finops_lib.optimize.routing.rules import segment_rules


def items(rows):
    """Items from (segment, tokens, strong passed, weak passed, count)."""
    frames = [
        pd.DataFrame({"segment": [segment] * count, "input_tokens": tokens, "strong": strong, "weak": weak})
        for segment, tokens, strong, weak, count in rows
    ]
    return pd.concat(frames, ignore_index=True).assign(strong_cost=0.1, weak_cost=0.01)


def test_a_segment_is_split_by_length_where_that_pays():
    """Short ones pass on the small model, long ones never: a rule each; easy work goes whole; others stay."""
    rows = items([("mixed", 100, True, True, 200), ("mixed", 900, True, False, 200), ("easy", 100, True, True, 400)])
    rules = segment_rules(rows, "large", "small", 0.95, 0.95, by_cost=True)

    assert [
        ["easy", None, None, "small", 400],
        ["mixed", None, 500.0, "small", 200],
        ["mixed", 500.0, None, "large", 200],
        ["*", None, None, "large", 0],
    ] == rules.astype(object).where(rules.notna(), None).to_numpy().tolist()


def test_without_lengths_rules_are_by_segment():
    """Nothing to split by."""
    rows = items([("easy", np.nan, True, True, 300), ("hard", np.nan, True, False, 300)])
    rules = segment_rules(rows, "large", "small", 0.9, 0.95, by_cost=False)

    assert {"easy": "small", "hard": "large", "*": "large"} == dict(
        zip(rules["segment"], rules["configuration"], strict=True)
    )


def test_rules_are_bounded_too():
    """A weak model that fails one in ten cannot be shown to keep 95%."""
    rows = items([("all", 100, True, True, 45), ("all", 100, True, False, 5)])
    rules = segment_rules(rows.sample(frac=1, random_state=0), "large", "small", 0.95, 0.95, by_cost=False)

    assert {"large"} == set(rules["configuration"])
