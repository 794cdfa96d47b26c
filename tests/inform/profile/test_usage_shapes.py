"""Artificial usage: seeded, positive, with a working week."""

from __future__ import annotations

import numpy as np

from finops_lib.inform.profile.usage_shapes import usage_shapes


def test_equal_seeds_give_equal_series():
    """The same seed draws the same series, another seed others."""
    first, again, other = (usage_shapes(20, 100, seed=seed) for seed in (1, 1, 2))

    assert np.array_equal(first[0], again[0])
    assert np.array_equal(first[1], again[1])
    assert not np.array_equal(first[0], other[0])


def test_series_are_usage():
    """No value is negative or infinite; half of the series are clearly quieter at weekends."""
    values, first_weekdays = usage_shapes(400, 364, seed=3)
    weekend = (first_weekdays[:, None] + np.arange(364)) % 7 > 4
    medians = [np.median(row[off]) / np.median(row[~off]) for row, off in zip(values, weekend, strict=True)]

    assert bool((np.isfinite(values) & (values >= 0)).all())
    assert 0.35 < np.mean(np.array(medians) < 0.85) < 0.65
