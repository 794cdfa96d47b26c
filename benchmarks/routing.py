"""Measure routing on real outcomes: routers and routes learned on one half, held against the other.

Bars: by calls at least 0.59 of the quality gap recovered on GSM8K (0.69 where segments are many); by dollars more saved
than by chance, length or segment; nine models: average quality over budgets at least 0.64; the bounded threshold
misses its floor in at most 5% of the seeds. Outcomes are read from ``--data``, never shipped.
"""

from __future__ import annotations

import argparse
import doctest
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from finops_lib.optimize import fit_router, optimal_routes
from finops_lib.optimize.routing.request_models import request_length
from finops_lib.optimize.routing.router import pair_models

DATA = Path(__file__).parents[1] / ".." / "shared" / "data" / "evaluations"
BEST = "llama-3.1-nemotron-51b-instruct"
PAIRS = {
    "GSM8K, two models": ("gsm8k_two_models", "gpt-4-1106-preview", "mixtral-8x7b-instruct"),
    "14 tasks, 51B and Gemma 9B": ("nine_models", BEST, "gemma-2-9b-it"),
    "14 tasks, 51B and Llama 8B": ("nine_models", BEST, "llama-3.1-8b-instruct"),
    "14 tasks, 51B and Mistral 7B": ("nine_models", BEST, "mistral-7b-instruct-v0.3"),
}
FLOOR = 0.95


def average_gap_recovered(scores: np.ndarray, strong: np.ndarray, weak: np.ndarray) -> float:
    """Average the quality gap recovered over all shares of calls to the strong model (APGR, arXiv:2406.18665).

    Higher scores go to the strong model first; 0.5 is chance. Four requests, one of which gains, and it comes last:

    >>> average_gap_recovered(np.array([3, 2, 1, 0]), np.ones(4), np.array([1, 1, 1, 0]))
    0.125
    """
    recovered = np.concatenate([[0.0], np.cumsum((strong - weak)[np.argsort(-scores, kind="stable")])])
    return float(np.trapezoid(recovered, dx=1 / len(strong)) / recovered[-1]) if recovered[-1] else float("nan")


def saving_at(
    scores: np.ndarray,
    strong: np.ndarray,
    weak: np.ndarray,
    strong_cost: np.ndarray,
    weak_cost: np.ndarray,
    floor: float,
) -> float:
    """Return the share of the strong model's cost that the best threshold saves above a floor of its quality.

    Two of three passes are to be kept: one dear call of four is enough, 1 − 13/40.

    >>> strong, weak = np.array([1, 1, 1, 0]), np.array([0, 0, 1, 0])
    >>> round(saving_at(np.array([4, 3, 2, 1]), strong, weak, np.full(4, 10), np.ones(4), 2 / 3), 3)
    0.675
    """
    order = np.argsort(-scores, kind="stable")
    quality = weak.sum() + np.concatenate([[0.0], np.cumsum((strong - weak)[order])])
    cost = weak_cost.sum() + np.concatenate([[0.0], np.cumsum((strong_cost - weak_cost)[order])])
    return float(1 - cost[quality >= floor * strong.sum() - 1e-9].min() / strong_cost.sum())


def mixtures(costs: pd.Series, qualities: pd.Series) -> np.ndarray:
    """Return the corners (cost, quality) of what mixing points reaches, quality rising ever more slowly.

    >>> mixtures(pd.Series([1, 2, 3, 4]), pd.Series([0.1, 0.5, 0.6, 0.4])).tolist()
    [[1.0, 0.1], [2.0, 0.5], [3.0, 0.6]]
    """
    corners: list[tuple[float, float]] = []
    for cost, quality in sorted(zip(costs, qualities, strict=True), key=lambda point: (point[0], -point[1])):
        if corners and quality <= corners[-1][1]:
            continue
        while len(corners) > 1 and slope(corners[-2], corners[-1]) <= slope(corners[-1], (cost, quality)):
            corners.pop()
        corners.append((cost, quality))
    return np.array(corners, dtype=float)


def slope(first: tuple[float, float], second: tuple[float, float]) -> float:
    """Return the quality a dollar buys between two points."""
    return (second[1] - first[1]) / (second[0] - first[0]) if second[0] > first[0] else np.inf


def average_quality(costs: pd.Series, qualities: pd.Series, cheapest: float, dearest: float) -> float:
    """Average the quality that can be reached over a range of budgets (AIQ, arXiv:2403.12031).

    From 0.2 straight to 0.6, then flat: half of each.

    >>> round(average_quality(pd.Series([1, 3, 4]), pd.Series([0.2, 0.6, 0.5]), 1, 5), 3)
    0.5
    """
    hull, budgets = mixtures(costs, qualities), np.linspace(cheapest, dearest, 2001)
    return float(np.trapezoid(np.interp(budgets, hull[:, 0], hull[:, 1]), budgets) / (dearest - cheapest))


def cost_at_quality(costs: pd.Series, qualities: pd.Series, quality: float) -> float:
    """Return what mixing points must cost to reach a quality.

    >>> cost_at_quality(pd.Series([1, 3]), pd.Series([0.4, 0.6]), 0.5)
    2.0
    """
    hull = mixtures(costs, qualities)
    return float(np.interp(quality, hull[:, 1], hull[:, 0])) if hull[-1, 1] >= quality else float("nan")


def halves(evaluations: pd.DataFrame, seeds: int) -> Iterator[tuple[int, pd.DataFrame, pd.DataFrame]]:
    """Split the items at random into two halves, once a seed."""
    items = np.sort(evaluations["item_id"].unique().astype(object))
    for seed in range(seeds):
        chosen = set(np.random.default_rng(seed).permutation(items)[: len(items) // 2])
        first = evaluations["item_id"].isin(chosen)
        yield seed, evaluations[first], evaluations[~first]


def router_measures(evaluations: pd.DataFrame, strong: str, weak: str, seeds: int) -> pd.DataFrame:
    """Hold the router and simpler orders against the other half."""
    rows = []
    for seed, learn, test in halves(evaluations[evaluations["configuration"].isin([strong, weak])], seeds):
        items = pair_models(test, strong, weak)
        results = [items[name].to_numpy(float) for name in ("strong", "weak")]
        costs = [items[name].to_numpy(float) for name in ("strong_cost", "weak_cost")]
        router = fit_router(learn, strong, weak, seed=seed)
        scores = router.score(items)
        orders = {
            "chance": (np.random.default_rng(seed).random(len(items)),) * 2,
            "prompt length": (request_length(items).to_numpy(),) * 2,
            "segment": (router.gain.segment_gain.predict(items["segment"]),) * 2,
            "router": (router.gain.predict(items), scores),
        }
        for name, (by_calls, by_dollars) in orders.items():
            gap, saved = average_gap_recovered(by_calls, *results), saving_at(by_dollars, *results, *costs, FLOOR)
            rows.append({"order": name, "gap_recovered": gap, "saved": saved})
        for name, bounded in (("bounded threshold", True), ("plug-in threshold", False)):
            sent = scores >= router.threshold(floor=FLOOR, bounded=bounded)
            quality, cost = np.where(sent, *results).mean(), np.where(sent, *costs).sum()
            missed = quality < FLOOR * results[0].mean()
            rows.append({"order": name, "saved": 1 - cost / costs[0].sum(), "floor_missed": float(missed)})
    return pd.DataFrame(rows).groupby("order", sort=False).mean()


def route_measures(evaluations: pd.DataFrame, seeds: int) -> dict[str, float]:
    """Hold the frontier of routes over all models against the other half."""
    rows = []
    for seed, learn, test in halves(evaluations, seeds):
        traffic = test.drop_duplicates("item_id")["segment"].value_counts(normalize=True)
        cells = test.groupby(["segment", "configuration"])[["passed", "cost_usd"]].mean().astype("float64")
        single = test.groupby("configuration")[["passed", "cost_usd"]].mean().astype("float64")
        best = single.loc[single["passed"].idxmax()]
        routes = optimal_routes(learn, traffic, FLOOR, seed=seed, points=60)
        points = outcome(routes.frontier_assignments, cells, traffic)
        served = outcome(routes.assignment.assign(point=0), cells, traffic).iloc[0]
        costs, qualities = points["cost_usd"], points["passed"]
        ends = single["cost_usd"].min(), single["cost_usd"].max()
        saved = {
            share: 1 - cost_at_quality(costs, qualities, share * best["passed"]) / best["cost_usd"]
            for share in (0.95, 1)
        }
        rows.append(
            {
                "average_quality": average_quality(costs, qualities, *ends),
                "average_quality_single_models": average_quality(single["cost_usd"], single["passed"], *ends),
                "saved_at_95": saved[0.95],
                "saved_at_100": saved[1],
                "proposal_saved": 1 - served["cost_usd"] / best["cost_usd"],
                "proposal_floor_missed": float(served["passed"] < FLOOR * best["passed"]),
            }
        )
    return pd.DataFrame(rows).mean().to_dict()


def outcome(assignments: pd.DataFrame, cells: pd.DataFrame, traffic: pd.Series) -> pd.DataFrame:
    """Add up what assignments pass and cost on results they have not seen."""
    found = assignments.merge(cells, left_on=["segment", "configuration"], right_index=True)
    weight = found["share"] * found["segment"].map(traffic)
    return found[["passed", "cost_usd"]].mul(weight, axis=0).groupby(found["point"]).sum()


def main() -> int:
    """Print the measures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the evaluation files")
    parser.add_argument("--seeds", type=int, default=3, help="random halves")
    parser.add_argument("--json", action="store_true", help="one object on the last line")
    options = parser.parse_args()
    if not options.data.is_dir():
        print(f"No folder {options.data}: nothing to measure on")
        return 2
    if doctest.testmod().failed:
        return 2
    result: dict[str, Any] = {"seeds": options.seeds, "routers": {}}
    for name, (file, strong, weak) in PAIRS.items():
        evaluations = pd.read_parquet(options.data / f"{file}.parquet")
        measured = router_measures(evaluations, strong, weak, options.seeds)
        result["routers"][name] = {row: values.dropna().round(4).to_dict() for row, values in measured.iterrows()}
        print(f"\n{name}\n{measured.round(3).to_string(na_rep='')}", flush=True)
    routes = route_measures(pd.read_parquet(options.data / "nine_models.parquet"), options.seeds)
    result["routes"] = {key: round(value, 4) for key, value in routes.items()}
    print("\nNine models, 14 tasks\n" + "\n".join(f"{key:32s}{value:8.3f}" for key, value in routes.items()))
    gap = result["routers"]["GSM8K, two models"]["router"]["gap_recovered"]
    result["passed"] = bool(gap >= 0.59 and routes["average_quality"] >= 0.64)
    if options.json:
        print(json.dumps(result))
    return 0 if result["passed"] else 1


if __name__ == "__main__":
    sys.exit(main())
