"""Pairing: two evaluations become one row an item, or are refused with the reason."""

from __future__ import annotations

from collections.abc import Collection

import pandas as pd

from finops_lib.errors import EvaluationError

REQUIRED = ("item_id", "passed")
_SAME = ("evaluator", "evaluation_set")


def pair_items(
    baseline: pd.DataFrame,
    candidate: pd.DataFrame,
    *,
    training_items: Collection[str] = (),
    allow_missing: bool = False,
) -> pd.DataFrame:
    """Pair two evaluations by item.

    Parameters
    ----------
    baseline, candidate : DataFrame
        One row per item of one configuration: ``item_id``, ``passed``, and where known ``cost_usd``
        (USD), ``segment``, ``evaluation_set``, ``evaluator``, ``configuration``.
    training_items : collection of str
        Items that prompts, routers or models were made with: they prove nothing.
    allow_missing : bool
        Pair the items both have when one lacks some of the other's; otherwise refuse.

    Returns
    -------
    DataFrame
        By ``item_id``: ``baseline_passed``, ``candidate_passed`` (bool), ``baseline_cost``,
        ``candidate_cost`` (USD, NaN where not known).

    Raises
    ------
    EvaluationError
        If a column is missing, an item is twice in a configuration, has no result, stands in only one
        of the two, was trained on, or was judged by another evaluator or set.

    References
    ----------
    Requirement F4.
    """
    for name, frame in (("baseline", baseline), ("candidate", candidate)):
        _check_one(name, frame)
    for column in _SAME:
        _check_same(column, baseline, candidate)
    evaluated = {str(item) for side in (baseline, candidate) for item in side["item_id"]}
    leaked = sorted(set(map(str, training_items)) & evaluated)
    if leaked:
        message = f"{_some(leaked)} of the evaluation also served in training"
        raise EvaluationError(message, hint="evaluate on items that no prompt, router or model was made with")
    sides = [_one_side(baseline, "baseline"), _one_side(candidate, "candidate")]
    alone = [sorted(set(sides[i].index) - set(sides[1 - i].index)) for i in (0, 1)]
    if not allow_missing:
        for items, side in zip(alone, ("candidate", "baseline"), strict=True):
            if items:
                message = f"The {side} lacks {_some(items)} of the other: the sets are unequal"
                raise EvaluationError(message, hint="evaluate both on all items; allow_missing judges a partial run")
    return sides[0].join(sides[1], how="inner").sort_index()


def passes(evaluations: pd.DataFrame) -> pd.Series:
    """Return the results as yes or no.

    Parameters
    ----------
    evaluations : DataFrame
        With ``passed`` known in every row: bool, or 1 and 0.

    Returns
    -------
    Series of bool
        By row.

    Raises
    ------
    EvaluationError
        If a result is neither: a word or a score would all the same count as passed.
    """
    found = evaluations["passed"]
    try:
        values = found.astype("float64")
    except (TypeError, ValueError):
        values = pd.Series(float("nan"), index=found.index)
    unclear = found[~values.isin([0, 1])]
    if len(unclear):
        message = f"The column passed holds {unclear.iloc[0]!r}, expected true or false"
        raise EvaluationError(message, hint="write results as true or false, or 1 or 0; decide which score passes")
    return values.astype(bool)


def _check_one(name: str, frame: pd.DataFrame) -> None:
    missing = [column for column in REQUIRED if column not in frame.columns]
    if missing:
        message = f"The {name}'s evaluation lacks the column {', '.join(missing)}"
        raise EvaluationError(message, hint="one row an item, with item_id and passed; cost_usd for the cost")
    held = set(frame["configuration"]) if "configuration" in frame.columns else set()
    if len(held) > 1:
        message = f"The {name} holds {len(held)} configurations, expected one"
        raise EvaluationError(message, hint="pass the rows of one configuration, or use compare_candidates for several")
    repeated = sorted(frame.loc[frame["item_id"].duplicated(), "item_id"].astype(str).unique())
    if repeated:
        message = f"{_some(repeated)} of the {name} more than once"
        raise EvaluationError(message, hint="keep one result an item: repeats would count as more evidence")
    void = sorted(frame.loc[frame["passed"].isna(), "item_id"].astype(str))
    if void:
        message = f"{_some(void)} of the {name} without a result"
        raise EvaluationError(message, hint="run them again, or count a call that failed as not passed")


def _check_same(column: str, baseline: pd.DataFrame, candidate: pd.DataFrame) -> None:
    values = [
        set(side[column].dropna().astype(str)) if column in side.columns else set() for side in (baseline, candidate)
    ]
    if values[0] != values[1] or len(values[0]) > 1:
        found = " and ".join(", ".join(sorted(value)) or "none named" for value in values)
        message = f"The {column.replace('_', ' ')} changed between the two: {found}"
        raise EvaluationError(message, hint="compare results of one evaluation set, judged by one evaluator")


def _one_side(frame: pd.DataFrame, name: str) -> pd.DataFrame:
    cost = frame["cost_usd"].astype("float64") if "cost_usd" in frame.columns else float("nan")
    side = pd.DataFrame({f"{name}_passed": passes(frame), f"{name}_cost": cost})
    return side.set_index(frame["item_id"].astype(str).rename("item_id"))


def _some(items: list[str]) -> str:
    shown = ", ".join(items[:3]) + (", …" if len(items) > 3 else "")
    return f"{len(items)} item{'s' if len(items) > 1 else ''} ({shown})"
