"""Evaluations that cannot be compared are refused by name."""

from __future__ import annotations

import pandas as pd
import pytest

from finops_lib.errors import EvaluationError
from finops_lib.optimize.gate.pairing import pair_items


def test_items_meet_by_name(evaluation):
    """Rows are paired by item, whatever their order."""
    today = evaluation(3, failed=[1])
    candidate = evaluation(3, failed=[0], cost=0.002, configuration="new").iloc[::-1]

    pairs = pair_items(today, candidate)

    assert ["i0000", "i0001", "i0002"] == pairs.index.tolist()
    assert [True, False, True] == pairs["baseline_passed"].tolist()
    assert [False, True, True] == pairs["candidate_passed"].tolist()
    assert [0.002] * 3 == pairs["candidate_cost"].tolist()


def test_a_missing_item_is_named_on_either_side(evaluation):
    """Dropping what fails is the oldest way to pass."""
    with pytest.raises(EvaluationError, match=r"candidate lacks 2 items \(i0003, i0004\)"):
        pair_items(evaluation(5), evaluation(3, configuration="new"))
    with pytest.raises(EvaluationError, match=r"baseline lacks 1 item \(i0004\)"):
        pair_items(evaluation(4), evaluation(5, configuration="new"))


def test_a_partial_run_can_be_asked_for(evaluation):
    """Shared items only, when that is said."""
    assert 3 == len(pair_items(evaluation(5), evaluation(3, configuration="new"), allow_missing=True))


def test_an_item_counts_once(evaluation):
    """A repeated item is refused, not averaged."""
    today = evaluation(3)
    with pytest.raises(EvaluationError, match=r"1 item \(i0000\) of the baseline more than once"):
        pair_items(pd.concat([today, today.head(1)]), evaluation(3, configuration="new"))


def test_training_items_prove_nothing(evaluation):
    """An item that the router learned from is named."""
    with pytest.raises(EvaluationError, match=r"1 item \(i0002\) of the evaluation also served in training"):
        pair_items(evaluation(3), evaluation(3, configuration="new"), training_items=["i0002", "other"])


def test_numbered_training_items_are_found(evaluation):
    """Items named by numbers leak as much as items named by words."""
    today, candidate = (evaluation(3, configuration=name).assign(item_id=[1, 2, 3]) for name in ("today", "new"))
    with pytest.raises(EvaluationError, match=r"1 item \(2\)"):
        pair_items(today, candidate, training_items=[2])


@pytest.mark.parametrize("result", ["no", 0.5, 2])
def test_a_word_or_a_score_is_no_result(evaluation, result):
    """Whatever is not empty would count as passed."""
    with pytest.raises(EvaluationError, match="holds .*, expected true or false"):
        pair_items(evaluation(3), evaluation(3, configuration="new").assign(passed=result))


@pytest.mark.parametrize("dtype", ["int64", "float64", "object", "boolean", "bool[pyarrow]"])
def test_one_and_zero_are_results(evaluation, dtype):
    """As files and frames write them."""
    today = evaluation(3, failed=[1])
    pairs = pair_items(today.assign(passed=today["passed"].astype(dtype)), evaluation(3, configuration="new"))

    assert [True, False, True] == pairs["baseline_passed"].tolist()


@pytest.mark.parametrize("column", ["evaluator", "evaluation_set"])
def test_a_changed_evaluator_is_refused(evaluation, column):
    """Another judge or set makes another number."""
    today = evaluation(3).assign(**{column: "first"})
    with pytest.raises(EvaluationError, match="changed between the two: first and second"):
        pair_items(today, evaluation(3, configuration="new").assign(**{column: "second"}))
    with pytest.raises(EvaluationError, match="changed between the two"):
        pair_items(today, evaluation(3, configuration="new").drop(columns=column, errors="ignore"))


def test_an_item_without_a_result_is_refused(evaluation):
    """Not known is not failed."""
    candidate = evaluation(3, configuration="new").astype({"passed": "boolean"})
    candidate.loc[1, "passed"] = pd.NA
    with pytest.raises(EvaluationError, match=r"1 item \(i0001\) of the candidate without a result"):
        pair_items(evaluation(3), candidate)


def test_one_configuration_a_side(evaluation):
    """Two configurations in one frame are no candidate."""
    both = pd.concat([evaluation(3, configuration="a"), evaluation(3, configuration="b", start=3)])
    with pytest.raises(EvaluationError, match="candidate holds 2 configurations"):
        pair_items(evaluation(6), both)
    with pytest.raises(EvaluationError, match="lacks the column passed"):
        pair_items(evaluation(3).drop(columns="passed"), evaluation(3))
