"""Routes: the cheapest assignment of traffic to configurations that keeps quality, and all that quality could cost."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import norm

from finops_lib.errors import EvaluationError
from finops_lib.optimize.routing.estimates import Estimates, estimate, shrink, split_halves
from finops_lib.optimize.routing.program import Program, bounded_assignment, eligible_routes, loss_variance

_SPLITS = 60


@dataclass(frozen=True)
class Routes:
    """A proposal for routing, and what else was possible.

    Parameters
    ----------
    assignment : DataFrame
        One row per segment × configuration in use: ``segment``, ``configuration``, ``share`` (of the
        segment's calls; they add up to 1), ``today``, ``weight`` (share of all calls), ``pass_rate``,
        ``cost_per_call`` (USD), ``samples``.
    plans : DataFrame
        Rows ``baseline``, ``today`` (where given) and ``proposal``: ``cost_per_call``, ``quality``
        (pass rate) with ``quality_lower`` and ``quality_upper``, ``saving`` (share of the baseline's cost),
        ``cost_per_successful_task``.
    frontier : DataFrame
        One row per point from the cheapest to the best: ``point``, the columns of ``plans``.
    frontier_assignments : DataFrame
        ``point``, ``segment``, ``configuration``, ``share``.
    holds_floor : bool
        Whether the proposal keeps the floor with the confidence asked for.
    notes : tuple of str
        What was left out, and why.
    """

    assignment: pd.DataFrame
    plans: pd.DataFrame
    frontier: pd.DataFrame
    frontier_assignments: pd.DataFrame
    holds_floor: bool
    notes: tuple[str, ...]


def optimal_routes(
    evaluations: pd.DataFrame,
    traffic: pd.Series | Mapping[str, float],
    floor: float,
    *,
    baseline: str | None = None,
    confidence: float = 0.95,
    whole_segments: bool = False,
    allowed: Mapping[str, Collection[str]] | None = None,
    limits: pd.DataFrame | None = None,
    needs: pd.DataFrame | None = None,
    today: Mapping[str, str] | None = None,
    most_changes: int | None = None,
    minimum_samples: int = 20,
    points: int = 25,
    seed: int = 0,
) -> Routes:
    """Find the cheapest assignment of segments to configurations that keeps quality.

    Parameters
    ----------
    evaluations : DataFrame
        One row per item × configuration: ``item_id, segment, configuration, passed`` (bool or 0 and 1),
        ``cost_usd``.
    traffic : Series or mapping
        Calls, or shares of calls, by segment.
    floor : float
        Share of the baseline's pass rate to keep, e.g. 0.95.
    baseline : str, optional
        Configuration to hold quality against; without it the one with the best pass rate.
    confidence : float
        One-sided confidence that the floor is kept; 0.5 takes the estimate at its word.
    whole_segments : bool
        Never split a segment between configurations.
    allowed : mapping, optional
        Segment → configurations its data class may go to.
    limits, needs : DataFrame, optional
        ``context_tokens`` and ``latency_ms`` that configurations (index) offer and segments (index) ask.
    today : mapping, optional
        Segment → configuration today; segments not named are served by the baseline.
    most_changes : int, optional
        Segments that may leave today's configuration.
    minimum_samples : int
        Items a configuration needs in a segment to be sent there.
    points : int
        Points of the frontier.
    seed : int
        Of the halves.

    Returns
    -------
    Routes
        The proposal. Segments without evaluations stay with the baseline and are in no number.

    Raises
    ------
    EvaluationError
        If the evaluations do not fit the traffic, or the constraints leave a segment without a configuration.

    Notes
    -----
    Minimise Σ w·x·cost subject to floor·q_baseline − q(x) + (z + ρ)·σ(x) ≤ 0: σ is the standard error of
    the paired loss, ρ what choosing the best-looking assignment flatters it by, in standard errors, from choosing on
    one half of the items and counting on the other.
    Pass rates are drawn towards what the other segments say.

    References
    ----------
    Requirement F2.
    """
    _check_shares(floor, confidence)
    traffic = pd.Series(traffic)
    estimates = estimate(evaluations, traffic)
    reference = _baseline(estimates, baseline)
    estimates, notes = _measured(estimates, traffic, reference, evaluations, traffic_names=traffic.index)
    column = estimates.configurations.index(reference)
    eligible = eligible_routes(
        estimates, column, minimum_samples=minimum_samples, allowed=allowed, limits=limits, needs=needs
    )
    serving = _today(estimates, today, column)
    program = Program(eligible, whole_segments, serving, most_changes)
    flattery = _flattery(program, estimates, floor, column, seed) if confidence > 0.5 else 0.0
    # the floor is to hold over as many requests as there are evaluated items
    ahead = sum(len(block) for block in estimates.passed)
    shares, holds = bounded_assignment(program, estimates, floor, column, norm.ppf(confidence) + flattery, ahead)
    if not holds:
        notes.append(
            f"No assignment is shown to keep {floor:.0%} of the pass rate: the one that comes nearest is given"
        )
    described = _Describe(estimates, column, flattery)
    kept = np.eye(len(estimates.configurations))[np.full(len(estimates.segments), column)]
    plans = {"baseline": described.plan(kept, chosen=False)}
    if today is not None:
        plans["today"] = described.plan(np.eye(len(estimates.configurations))[serving], chosen=False)
    plans["proposal"] = described.plan(shares)
    frontier = _frontier(program, estimates, column, points)
    return Routes(
        assignment=described.assignment(shares, serving),
        plans=pd.DataFrame(plans.values()).assign(plan=list(plans)).set_index("plan").reset_index(),
        frontier=pd.DataFrame([{"point": place, **described.plan(point)} for place, point in enumerate(frontier)]),
        frontier_assignments=pd.concat(
            [described.assignment(point, serving)[["segment", "configuration", "share"]].assign(point=place)
             for place, point in enumerate(frontier)], ignore_index=True
        )[["point", "segment", "configuration", "share"]],
        holds_floor=holds,
        notes=tuple(notes),
    )  # fmt: skip


def _check_shares(floor: float, confidence: float) -> None:
    if not floor > 0 or not 0.5 <= confidence < 1:
        message = f"floor {floor} and confidence {confidence}: expected above 0, and from 0.5 to below 1"
        raise EvaluationError(message, hint="e.g. floor=0.95 for 95% of the baseline's pass rate, confidence=0.95")


def _baseline(estimates: Estimates, baseline: str | None) -> str:
    if baseline is not None:
        if baseline not in estimates.configurations:
            message = f"No evaluation of the baseline '{baseline}'"
            raise EvaluationError(message, hint=f"evaluated: {', '.join(estimates.configurations)}")
        return baseline
    # best over the traffic, among those evaluated wherever anything was
    complete = np.isfinite(estimates.observed).all(axis=0)
    if not complete.any():
        complete[:] = True
    quality = estimates.weights @ np.nan_to_num(estimates.observed)
    cost = estimates.weights @ np.nan_to_num(estimates.costs)
    order = np.lexsort((cost, -quality, ~complete))
    return estimates.configurations[order[0]]


def _measured(
    estimates: Estimates, traffic: pd.Series, baseline: str, evaluations: pd.DataFrame, traffic_names: pd.Index
) -> tuple[Estimates, list[str]]:
    """Leave out segments that the baseline was not evaluated on, and say so."""
    column = estimates.configurations.index(baseline)
    known = [name for name, samples in zip(estimates.segments, estimates.samples[:, column], strict=True) if samples]
    if len(known) < len(estimates.segments):
        if not known:
            message = f"The baseline '{baseline}' was evaluated in no segment of the traffic"
            raise EvaluationError(message, hint="evaluate it on the same items as the others")
        by_name = traffic.groupby(traffic.index.astype(str)).sum()
        estimates = estimate(evaluations, by_name[by_name.index.isin(known)])
    notes = []
    unknown = sorted({str(name) for name, weight in traffic.items() if weight > 0} - set(known))
    if unknown:
        share = float(traffic[traffic_names.astype(str).isin(unknown)].sum() / traffic.sum())
        notes.append(
            f"{share:.1%} of the traffic stays with {baseline}, not evaluated there: {', '.join(unknown[:5])}"
            + (", …" if len(unknown) > 5 else "")
        )
    unpriced = [
        name for name, known in zip(estimates.configurations, np.isfinite(estimates.costs).all(axis=0), strict=True)
        if not known
    ]  # fmt: skip
    if baseline in unpriced:
        message = f"The baseline '{baseline}' has no cost in the evaluations"
        raise EvaluationError(message, hint="add cost_usd: without it no saving can be told")
    if unpriced:
        notes.append(f"Left out, as their cost is not known: {', '.join(unpriced)}")
    return estimates, notes


def _today(estimates: Estimates, today: Mapping[str, str] | None, column: int) -> np.ndarray:
    serving = []
    for segment in estimates.segments:
        name = (today or {}).get(segment, estimates.configurations[column])
        if name not in estimates.configurations:
            message = f"'{name}' serves the segment '{segment}' today and was not evaluated"
            raise EvaluationError(message, hint=f"evaluated: {', '.join(estimates.configurations)}")
        serving.append(estimates.configurations.index(name))
    return np.array(serving)


def _flattery(program: Program, estimates: Estimates, floor: float, column: int, seed: int) -> float:
    """Measure, in standard errors, how much better a chosen assignment looks than it proves on other items.

    Told by choosing on half of the items and counting on the other. A bootstrap would understate it: rates drawn
    from what was counted lie further apart than the true ones.
    """
    relaxed = Program(program.eligible)
    weights, z = estimates.weights[:, None], norm.ppf(0.95)
    variances = loss_variance(estimates, floor, column, np.inf)
    first, _ = bounded_assignment(relaxed, estimates, floor, column, z, np.inf)
    spread = np.sqrt(2 * (first * variances).sum())
    if spread == 0:
        return 0.0
    gaps, spreads = [], []
    for rates, costs, others in zip(*split_halves(estimates, _SPLITS, seed), strict=True):
        claimed = weights * _loss(shrink(estimates, rates), floor, column)
        shares = relaxed.cheapest(weights * costs, claimed + z * variances / spread, -z * spread / 2)
        if shares is not None:
            gaps.append((shares * (weights * _loss(others, floor, column) - claimed)).sum())
            spreads.append(np.sqrt(2 * (shares * variances).sum()))
    return max(float(np.mean(gaps) / np.mean(spreads)), 0.0) if gaps and np.mean(spreads) > 0 else 0.0


def _loss(rates: np.ndarray, floor: float, column: int) -> np.ndarray:
    return np.nan_to_num(floor * rates[:, [column]] - rates)


def _frontier(program: Program, estimates: Estimates, column: int, points: int) -> list[np.ndarray]:
    """Find the cheapest assignment at each level of expected quality, from the cheapest of all to the best."""
    weights = estimates.weights[:, None]
    quality = np.nan_to_num(weights * estimates.rates)
    costs = weights * np.nan_to_num(estimates.costs)
    cheapest = program.cheapest(costs, -quality, np.inf)
    best = program.cheapest(-quality, -quality, np.inf)
    if cheapest is None or best is None:
        return []
    levels = np.linspace((cheapest * quality).sum(), (best * quality).sum(), points)
    found = [program.cheapest(costs, -quality, -level + 1e-9) for level in levels]
    return [shares for shares in found if shares is not None]


@dataclass(frozen=True)
class _Describe:
    """Puts assignments into words and numbers."""

    estimates: Estimates
    baseline: int
    flattery: float

    def plan(self, shares: np.ndarray, *, chosen: bool = True) -> dict[str, float]:
        """Return cost and quality of an assignment, with a 95% interval; a chosen one looks better than it is."""
        own, weights = self.estimates, self.estimates.weights[:, None]
        used = weights * shares
        quality, cost = (float((used * np.nan_to_num(values)).sum()) for values in (own.rates, own.costs))
        spread = np.sqrt((used**2 * np.einsum("smm->sm", own.covariance) / np.maximum(own.samples, 1)).sum())
        z = norm.ppf(0.975)
        base_cost = float(own.weights @ own.costs[:, self.baseline])
        return {
            "cost_per_call": cost,
            "quality": quality,
            "quality_lower": max(quality - (z + self.flattery * chosen) * spread, 0.0),
            "quality_upper": min(quality + z * spread, 1.0),
            "saving": (base_cost - cost) / base_cost if base_cost else np.nan,
            "cost_per_successful_task": cost / quality if quality else np.nan,
        }

    def assignment(self, shares: np.ndarray, serving: np.ndarray) -> pd.DataFrame:
        """List the cells in use."""
        own = self.estimates
        row, column = np.nonzero(shares)
        names = np.array(own.configurations, dtype=object)
        return pd.DataFrame(
            {
                "segment": np.array(own.segments, dtype=object)[row],
                "configuration": names[column],
                "share": shares[row, column],
                "today": names[serving[row]],
                "weight": own.weights[row],
                "pass_rate": own.observed[row, column],
                "cost_per_call": own.costs[row, column],
                "samples": own.samples[row, column],
            }
        )
