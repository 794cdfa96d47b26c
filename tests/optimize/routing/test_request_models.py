"""What is foretold of a request, from as much as is known of it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from finops_lib.optimize.routing.request_models import (
    CostModel,
    GainModel,
    SegmentMean,
    request_length,
    request_segment,
    request_text,
)


def test_lengths_are_tokens_or_else_characters():
    """Tokens where given; characters of the text; not known without both."""
    assert [7.0] == request_length(pd.DataFrame({"input_tokens": [7], "prompt": ["abc"]})).tolist()
    assert [3.0] == request_length(pd.DataFrame({"text": ["abc"]})).tolist()
    assert request_length(pd.DataFrame({"segment": ["a"]})).isna().all()


def test_texts_and_segments_may_be_missing():
    """Nulls are empty, columns of nulls are no text."""
    assert ["", "x"] == request_text(pd.DataFrame({"prompt": [None, "x"]})).tolist()
    assert request_text(pd.DataFrame({"prompt": [None, None]})) is None
    assert ["", "a"] == request_segment(pd.DataFrame({"segment": [None, "a"]})).tolist()
    assert [""] == request_segment(pd.DataFrame({"prompt": ["x"]})).tolist()


def test_segment_means_lean_on_the_overall_mean():
    """Two of (1, 1) and two of (0, 0), two requests' worth of 0.5: 0.75 and 0.25; a new segment 0.5."""
    model = SegmentMean(2).fit(pd.Series(["a", "a", "b", "b"]), np.array([1.0, 1.0, 0.0, 0.0]))

    assert [0.75, 0.25, 0.5] == model.predict(pd.Series(["a", "b", "c"])).tolist()


def test_costs_follow_the_length():
    """A line through the costs, never below the cheapest seen, and a segment's own surcharge."""
    requests = pd.DataFrame({"segment": ["a"] * 50 + ["b"] * 50, "input_tokens": [*range(100, 150)] * 2})
    difference = requests["input_tokens"].to_numpy() * 0.01 + np.repeat([0.0, 0.8], 50)
    model = CostModel().fit(requests, difference)
    asked = pd.DataFrame({"segment": ["a", "b", "a"], "input_tokens": [120, 120, 1]})

    cheap, dear, least = model.predict(asked)
    assert 0.5 == pytest.approx(dear - cheap)  # 50 requests of their own against 30 of the mean: 0.8 × 50 / 80
    assert pytest.approx(np.quantile(difference, 0.02)) == least


def words(count=200):
    """Requests that need the strong model when they say so, in two segments and at any length."""
    hard = np.arange(count) % 2 == 0
    prompt = [("prove the theorem " if deep else "say hello ") * (1 + n % 5) for n, deep in enumerate(hard)]
    return pd.DataFrame({"segment": np.where(np.arange(count) % 3, "a", "b"), "prompt": prompt}), hard


def test_words_tell_the_hard_requests():
    """The weak model fails what speaks of theorems: those gain."""
    requests, hard = words()
    gain = GainModel().fit(requests, np.ones(len(hard), bool), ~hard).predict(requests)

    assert gain[hard].min() > 0.4 > 0.2 > gain[~hard].max()


def test_metadata_tell_where_text_is_not_kept():
    """A number and a name, in place of words; names never seen are none."""
    _, hard = words()
    requests = pd.DataFrame({"depth": hard * 1.0, "channel": np.where(hard, "expert", "public")})
    model = GainModel(("depth", "channel")).fit(requests, np.ones(len(hard), bool), ~hard)

    gains = model.predict(pd.DataFrame({"depth": [1.0, 0.0, None], "channel": ["expert", "public", "new"]}))
    assert gains[0] > gains[1] + 0.3
    assert np.isfinite(gains).all()


@pytest.mark.parametrize("prompt", [["?", "!"], ["", ""], ["one", "two"]])
def test_two_requests_are_enough_not_to_fail(prompt):
    """Symbols, nothing, or one word each: a number comes out."""
    requests = pd.DataFrame({"segment": ["a", "b"], "prompt": prompt})
    gain = GainModel().fit(requests, np.array([True, True]), np.array([True, False])).predict(requests)

    assert np.isfinite(gain).all()
