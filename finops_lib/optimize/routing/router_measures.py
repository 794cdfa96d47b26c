"""Routing measures: what a router or a set of routes is worth on results it has not seen."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

_GRID = 2001


def average_gap_recovered(scores: ArrayLike, strong: ArrayLike, weak: ArrayLike) -> float:
    """Average, over all shares of calls to the strong model, the part of the quality gap that is recovered.

    Parameters
    ----------
    scores : array_like
        Higher goes to the strong model first.
    strong, weak : array_like of bool
        Whether each model passed, by request.

    Returns
    -------
    float
        0.5 for chance, more for better; NaN without a gap (APGR in the literature).

    References
    ----------
    Ong et al., RouteLLM, arXiv:2406.18665.

    Examples
    --------
    >>> average_gap_recovered([3, 2, 1, 0], [1, 1, 1, 1], [0, 1, 1, 1])
    0.875
    """
    gains = (np.asarray(strong, float) - np.asarray(weak, float))[np.argsort(-np.asarray(scores, float), kind="stable")]
    recovered = np.concatenate([[0.0], np.cumsum(gains)])
    return float(np.trapezoid(recovered, dx=1 / len(gains)) / recovered[-1]) if recovered[-1] else float("nan")


def saving_at(
    scores: ArrayLike,
    strong: ArrayLike,
    weak: ArrayLike,
    strong_cost: ArrayLike,
    weak_cost: ArrayLike,
    floor: float = 0.95,
) -> float:
    """Return the largest share of the strong model's cost that can be saved above a floor of quality.

    Parameters
    ----------
    scores : array_like
        Higher goes to the strong model first.
    strong, weak : array_like of bool
        Whether each model passed, by request.
    strong_cost, weak_cost : array_like
        USD, by request.
    floor : float
        Share of the strong model's pass rate to keep.

    Returns
    -------
    float
        With the best threshold known: what the order is worth, not what a threshold set in advance saves.
    """
    order = np.argsort(-np.asarray(scores, float), kind="stable")
    strong, weak, strong_cost, weak_cost = (
        np.asarray(side, float)[order] for side in (strong, weak, strong_cost, weak_cost)
    )
    quality = weak.sum() + np.concatenate([[0.0], np.cumsum(strong - weak)])
    cost = weak_cost.sum() + np.concatenate([[0.0], np.cumsum(strong_cost - weak_cost)])
    return float(1 - cost[quality >= floor * strong.sum() - 1e-9].min() / strong_cost.sum())


def upper_hull(costs: ArrayLike, qualities: ArrayLike) -> np.ndarray:
    """Return the corners of what mixing some points can reach: quality rising with cost, ever more slowly.

    Parameters
    ----------
    costs, qualities : array_like
        One pair a point.

    Returns
    -------
    ndarray
        Corner × (cost, quality), cheapest first.

    Examples
    --------
    >>> upper_hull([1, 2, 3, 4], [0.1, 0.5, 0.6, 0.4]).tolist()
    [[1.0, 0.1], [2.0, 0.5], [3.0, 0.6]]
    """
    costs, qualities = np.asarray(costs, float), np.asarray(qualities, float)
    corners: list[tuple[float, float]] = []
    for place in np.lexsort((-qualities, costs)):
        cost, quality = float(costs[place]), float(qualities[place])
        if corners and quality <= corners[-1][1]:
            continue
        while len(corners) > 1 and _slope(corners[-2], corners[-1]) <= _slope(corners[-1], (cost, quality)):
            corners.pop()
        corners.append((cost, quality))
    return np.array(corners)


def average_quality(costs: ArrayLike, qualities: ArrayLike, cheapest: float, dearest: float) -> float:
    """Average the quality that can be reached over a range of budgets.

    Parameters
    ----------
    costs, qualities : array_like
        One pair a point.
    cheapest, dearest : float
        The range, usually the costs of the cheapest and the dearest single model.

    Returns
    -------
    float
        Area under the hull over the width of the range (AIQ in the literature).

    References
    ----------
    Hu et al., RouterBench, arXiv:2403.12031.
    """
    hull = upper_hull(costs, qualities)
    budgets = np.linspace(cheapest, dearest, _GRID)
    return float(np.trapezoid(np.interp(budgets, hull[:, 0], hull[:, 1]), budgets) / (dearest - cheapest))


def cost_at_quality(costs: ArrayLike, qualities: ArrayLike, quality: float) -> float:
    """Return what mixing some points must cost to reach a quality.

    Parameters
    ----------
    costs, qualities : array_like
        One pair a point.
    quality : float
        To be reached.

    Returns
    -------
    float
        NaN when no point reaches it.

    Examples
    --------
    >>> cost_at_quality([1, 3], [0.4, 0.6], 0.5)
    2.0
    """
    hull = upper_hull(costs, qualities)
    if hull[-1, 1] < quality:
        return float("nan")
    return float(np.interp(quality, hull[:, 1], hull[:, 0]))


def _slope(first: tuple[float, float], second: tuple[float, float]) -> float:
    rise, run = second[1] - first[1], second[0] - first[0]
    return rise / run if run > 0 else float("inf")
