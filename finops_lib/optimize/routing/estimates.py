"""Route estimates: how often each configuration passes in each segment, at what cost, and how sure that is."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from finops_lib.errors import EvaluationError
from finops_lib.optimize.gate.pairing import passes

REQUIRED = ("item_id", "segment", "configuration", "passed")


@dataclass(frozen=True)
class Estimates:
    """Pass rates and costs by segment (row) and configuration (column).

    Parameters
    ----------
    segments, configurations : list of str
        Names of rows and columns.
    weights : ndarray
        Share of the traffic by segment; they add up to 1.
    rates, observed : ndarray
        Pass rates: drawn towards what the other segments say, and as counted. NaN without an item.
    costs : ndarray
        USD a call; NaN where not known.
    samples : ndarray of int
        Items.
    covariance : ndarray
        Within each segment, of the passes of every two configurations over the items both have.
    passed, cost : list of ndarray
        By segment, item × configuration; NaN where one was not evaluated.
    """

    segments: list[str]
    configurations: list[str]
    weights: np.ndarray
    rates: np.ndarray
    observed: np.ndarray
    costs: np.ndarray
    samples: np.ndarray
    covariance: np.ndarray
    passed: list[np.ndarray]
    cost: list[np.ndarray]


def estimate(evaluations: pd.DataFrame, traffic: pd.Series) -> Estimates:
    """Estimate pass rates and costs from evaluation results.

    Parameters
    ----------
    evaluations : DataFrame
        One row per item × configuration: ``item_id, segment, configuration, passed, cost_usd``.
    traffic : Series
        Weight by segment; segments without evaluations are left out.

    Returns
    -------
    Estimates
        Of the segments that have both, by name.

    Raises
    ------
    EvaluationError
        If a column is missing, a result is no yes or no, an item stands twice, weights are negative, or no segment
        has both.
    """
    missing = [name for name in (*REQUIRED, "cost_usd") if name not in evaluations.columns]
    if missing:
        message = f"The evaluations lack the column {', '.join(missing)}"
        raise EvaluationError(message, hint="one row per item and configuration, with its segment, result and cost")
    weights = pd.Series(traffic).astype("float64")
    if (weights < 0).any() or weights.isna().any():
        message = f"The traffic of '{weights.index[(weights < 0) | weights.isna()][0]}' is no weight"
        raise EvaluationError(message, hint="give calls, or shares of calls, by segment")
    weights = weights.groupby(weights.index.astype(str)).sum()
    weights = weights[weights > 0]
    rows = evaluations[evaluations["passed"].notna()]
    rows = rows.assign(segment=rows["segment"].astype(object).where(rows["segment"].notna(), "").astype(str))
    rows = rows[rows["segment"].isin(weights.index)]
    rows = rows.assign(passed=passes(rows))
    if rows.empty:
        message = "No segment of the traffic has evaluation results"
        raise EvaluationError(message, hint="name segments in the evaluations as the traffic names them")
    twice = rows.duplicated(["item_id", "configuration"])
    if twice.any():
        message = f"Item '{rows.loc[twice, 'item_id'].iloc[0]}' stands more than once for a configuration"
        raise EvaluationError(message, hint="keep one result per item and configuration")
    return _from_rows(rows, weights)


def _from_rows(rows: pd.DataFrame, weights: pd.Series) -> Estimates:
    configurations = sorted(rows["configuration"].astype(str).unique())
    keys = [rows["segment"].to_numpy(object), rows["item_id"].astype(str).to_numpy(object)]
    column = pd.Categorical(rows["configuration"].astype(str), categories=configurations).codes
    item, index = pd.MultiIndex.from_arrays(keys).factorize(sort=True)
    passed, cost = (np.full((len(index), len(configurations)), np.nan) for _ in range(2))
    passed[item, column] = rows["passed"].astype("float64")
    cost[item, column] = rows["cost_usd"].astype("float64")
    of_item = index.get_level_values(0)
    segments = sorted(set(of_item))
    blocks = [np.asarray(of_item == name) for name in segments]
    by_segment = weights.reindex(segments).to_numpy()
    empty = np.empty((0, 0))
    estimates = Estimates(
        segments=segments,
        configurations=configurations,
        weights=by_segment / by_segment.sum(),
        rates=empty,
        observed=empty,
        costs=empty,
        samples=np.array([np.isfinite(passed[block]).sum(axis=0) for block in blocks]),
        covariance=np.array([_covariance(passed[block]) for block in blocks]),
        passed=[passed[block] for block in blocks],
        cost=[cost[block] for block in blocks],
    )
    ones = [np.ones((1, block.sum())) for block in blocks]
    observed, costs = (means[0] for means in _means(estimates, ones))
    # a configuration without a price in one segment has the one of its others
    known = np.isfinite(costs) * estimates.weights[:, None]
    with np.errstate(invalid="ignore"):
        overall = (np.nan_to_num(costs) * known).sum(axis=0) / known.sum(axis=0)
    costs = np.where(np.isfinite(costs), costs, overall)
    estimates = replace(estimates, observed=observed, costs=costs, covariance=_steadied(estimates))
    return replace(estimates, rates=shrink(estimates, observed))


def shrink(estimates: Estimates, observed: np.ndarray) -> np.ndarray:
    """Draw each pass rate towards its segment's level plus its configuration's overall effect.

    Parameters
    ----------
    estimates : Estimates
        Of the same evaluations.
    observed : ndarray
        Pass rates as counted, … × segment × configuration.

    Returns
    -------
    ndarray
        (n·observed + k·expected) / (n + k): k is the spread of results within the segments over
        that of the rates around what is expected, by moments.
    """
    level = np.nanmean(observed, axis=-1, keepdims=True)
    here = np.isfinite(observed) * estimates.weights[:, None]
    effect = (np.nan_to_num(observed - level) * here).sum(axis=-2, keepdims=True)
    effect = effect / np.maximum(here.sum(axis=-2, keepdims=True), 1e-12)
    expected = level + effect
    spread = np.einsum("smm->sm", estimates.covariance) - estimates.covariance.mean(axis=2)
    noise = np.maximum(spread, 0) / np.maximum(estimates.samples, 1)
    between = np.nanmean((observed - expected) ** 2 - noise, axis=(-2, -1), keepdims=True)
    strength = np.maximum(spread, 0).mean() / np.maximum(between, 1e-4)
    return (estimates.samples * observed + strength * expected) / (estimates.samples + strength)


def split_halves(estimates: Estimates, count: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Split the items of each segment at random and count on both halves.

    Parameters
    ----------
    estimates : Estimates
        What was counted.
    count, seed : int
        Splits, and the seed of the drawing.

    Returns
    -------
    ndarray, ndarray, ndarray
        Pass rates and costs of the first half, pass rates of the second, split × segment × configuration.
    """
    rng = np.random.default_rng(seed)
    ranks = [rng.random((count, len(block))).argsort(axis=1) for block in estimates.passed]
    firsts = [(rank < rank.shape[1] / 2).astype(float) for rank in ranks]
    rates, costs = _means(estimates, firsts)
    others, _ = _means(estimates, [1 - first for first in firsts])
    rates, others = (np.where(np.isfinite(values), values, estimates.observed) for values in (rates, others))
    return rates, np.where(np.isfinite(costs), costs, estimates.costs), others


def _means(estimates: Estimates, drawn: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    found = []
    for blocks in (estimates.passed, estimates.cost):
        with np.errstate(invalid="ignore"):
            means = [
                (times @ np.nan_to_num(block)) / (times @ np.isfinite(block).astype(float))
                for times, block in zip(drawn, blocks, strict=True)
            ]
        found.append(np.stack(means, axis=1))
    return found[0], found[1]


def _covariance(passed: np.ndarray) -> np.ndarray:
    """Return covariances over the items that both of a pair have; zero where they share none."""
    known = np.isfinite(passed).astype(float)
    filled = np.nan_to_num(passed)
    shared = np.maximum(known.T @ known, 1)
    mean = (filled.T @ known) / shared
    return (filled.T @ filled) / shared - mean * mean.T


def _steadied(estimates: Estimates) -> np.ndarray:
    """Mix each segment's covariance with that of all: ten passes in a row do not prove that none fails."""
    items = np.array([len(block) for block in estimates.passed], dtype=float)[:, None, None]
    pooled = (estimates.covariance * items).sum(axis=0) / items.sum()
    return (items * estimates.covariance + 5 * pooled) / (items + 5)
