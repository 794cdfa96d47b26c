"""The router: which requests are worth the dear model, and how few keep the quality."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from finops_lib.errors import EvaluationError
from finops_lib.optimize import fit_router
from finops_lib.optimize.routing.router import Router, pair_models

GSM8K = Path(__file__).parents[3] / ".." / "shared" / "data" / "evaluations" / "gsm8k_two_models.parquet"


def outcomes(count=400, seed=0):
    """Two segments: in "hard" the small model passes a third, in "easy" all; long requests cost more."""
    rng = np.random.default_rng(seed)
    hard, tokens = rng.random(count) < 0.3, rng.integers(100, 2000, count)
    item = pd.DataFrame({"item_id": [f"i{n}" for n in range(count)], "segment": np.where(hard, "hard", "easy")})
    item["input_tokens"] = tokens
    large = item.assign(configuration="large", passed=True, cost_usd=tokens * 1e-5)
    small = item.assign(configuration="small", passed=~hard | (rng.random(count) < 1 / 3), cost_usd=tokens * 1e-6)
    return pd.concat([large, small], ignore_index=True)


@pytest.fixture(scope="module")
def rows():
    """Outcomes to learn from."""
    return outcomes()


@pytest.fixture(scope="module")
def router(rows):
    """A router by dollars."""
    return fit_router(rows, "large", "small")


def test_hard_requests_score_higher(rows, router):
    """By dollars a short hard request goes before a long one, and both before easy ones."""
    asked = pd.DataFrame({"segment": ["hard", "hard", "easy"], "input_tokens": [200, 1800, 200]})

    short, long, easy = router.score(asked)
    assert short > long > easy
    assert "dollars" == router.objective


def test_by_calls_the_price_does_not_matter(rows):
    """Scores are gains in pass rate: about two thirds in one segment, nothing in the other."""
    router = fit_router(rows, "large", "small", objective="calls")
    hard, easy = router.score(pd.DataFrame({"segment": ["hard", "easy"], "input_tokens": [500, 500]}))

    assert 0.45 < hard < 0.8
    assert -0.1 < easy < 0.1


def test_the_threshold_keeps_the_floor(router):
    """At 95% nearly all hard requests must stay, on requests not seen before; easy ones need not."""
    test = pair_models(outcomes(4000, seed=1), "large", "small")
    sent = router.score(test) >= router.threshold(floor=0.95)

    assert 0.95 <= np.where(sent, test["strong"], test["weak"]).mean()
    assert sent.mean() < 0.6


def test_bounded_thresholds_are_more_careful(router):
    """Lower than the plug-in, lower with more confidence or a shorter horizon; all to strong where nothing is sure."""
    plain = router.threshold(bounded=False)
    usual, surer, soon = router.threshold(), router.threshold(confidence=0.999), router.threshold(horizon=50)

    assert plain >= usual >= max(surer, soon)
    assert float("-inf") == router.threshold(floor=1.0)
    assert float("inf") == router.threshold(floor=0.01)


def test_calibration_items_learned_from_keep_their_honest_scores(rows, router):
    """Calibrating on the training rows is calibrating on scores of routers that did not see them."""
    assert router.threshold() == router.threshold(rows)


def test_the_floor_is_seldom_missed():
    """Twenty samples of 300 and their next 300 requests: the bounded threshold misses at most twice."""
    missed, plug_in = 0, 0
    population = pair_models(outcomes(40_000, seed=9), "large", "small")
    for seed in range(20):
        rng = np.random.default_rng(seed)
        learned = population.sample(300, random_state=seed).assign(
            score=lambda frame: frame["segment"].eq("hard") * 1.0
        )
        learned["score"] += rng.random(300)
        later = population.sample(300, random_state=seed + 1000)
        later = later.assign(score=later["segment"].eq("hard") + rng.random(300))
        router = Router("large", "small", "calls", None, None, learned)
        for bounded in (True, False):
            sent = later["score"] >= router.threshold(bounded=bounded)
            miss = np.where(sent, later["strong"], later["weak"]).mean() < 0.95 * later["strong"].mean()
            missed, plug_in = missed + miss * bounded, plug_in + miss * (not bounded)

    assert missed <= 2
    assert plug_in >= 5


def test_without_costs_calls_are_ordered(rows):
    """No price, or a weak model that costs more: gain alone."""
    bare = fit_router(rows.drop(columns="cost_usd"), "large", "small")
    dearer = rows.assign(cost_usd=np.where(rows["configuration"] == "small", 1.0, 0.1))

    assert "calls" == bare.objective == fit_router(dearer.head(800), "large", "small").objective
    assert np.isfinite(bare.score(pd.DataFrame({"segment": ["new"], "input_tokens": [10]}))).all()


def test_few_items_of_one_segment_are_enough():
    """Four items, no text, no length, one null cost."""
    rows = pd.DataFrame(
        {
            "item_id": list("abcd") * 2,
            "configuration": ["large"] * 4 + ["small"] * 4,
            "passed": [True] * 4 + [True, False, True, False],
            "cost_usd": [0.1, 0.1, None, 0.1] + [0.01] * 4,
        }
    )
    router = fit_router(rows, "large", "small")

    assert np.isfinite(router.score(rows)).all()
    assert float("-inf") == router.threshold()
    assert ["large"] * 2 == router.rules()["configuration"].tolist()


def test_equal_inputs_give_equal_scores(rows, router):
    """Nothing is left to chance, and the order of the rows is nothing."""
    again = fit_router(rows.sample(frac=1, random_state=3), "large", "small")

    assert router.score(rows).tolist() == again.score(rows).tolist()
    assert router.threshold() == again.threshold()


def test_what_cannot_be_learned_from_is_refused(rows):
    """Unknown names, repeated items, missing columns."""
    with pytest.raises(EvaluationError, match="share 0 evaluated items"):
        fit_router(rows, "large", "tiny")
    with pytest.raises(EvaluationError, match="'i0' stands twice for 'large'"):
        fit_router(pd.concat([rows, rows.head(1)]), "large", "small")
    with pytest.raises(EvaluationError, match="no column 'mood'"):
        fit_router(rows, "large", "small", metadata=("mood",))
    with pytest.raises(EvaluationError, match="lack the column passed"):
        fit_router(rows.drop(columns="passed"), "large", "small")


@pytest.mark.skipif(not GSM8K.exists(), reason="the shared evaluations are not on this machine")
def test_real_outcomes_are_ordered_better_than_by_chance():
    """GSM8K, one half learned, the other judged: at least 0.57 of the gap recovered where chance has 0.5."""
    rows = pd.read_parquet(GSM8K)
    learn = rows["item_id"].map(lambda item: sum(item.encode()) % 2 == 0)
    router = fit_router(rows[learn], "gpt-4-1106-preview", "mixtral-8x7b-instruct", objective="calls")
    test = pair_models(rows[~learn], "gpt-4-1106-preview", "mixtral-8x7b-instruct")

    order = np.argsort(-router.score(test), kind="stable")
    gain = test["strong"].to_numpy(float) - test["weak"].to_numpy(float)
    recovered = np.cumsum(gain[order])
    assert 0.57 <= recovered.mean() / recovered[-1]  # over all shares of calls to the strong model; chance has 0.5
