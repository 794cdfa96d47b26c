"""Route programme: the cheapest assignment of segments to configurations, as HiGHS is asked for it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, milp

from finops_lib.errors import EvaluationError
from finops_lib.optimize.routing.estimates import Estimates

# where the standard error of the answer may lie, as shares of the largest
_SPREADS = np.geomspace(1, 1 / 64, 13)


@dataclass(frozen=True)
class Program:
    """What holds for every assignment.

    Parameters
    ----------
    eligible : ndarray of bool
        Segment × configuration.
    whole_segments : bool
        Whether a segment goes to one configuration only.
    today : ndarray of int, optional
        Column that serves each segment today.
    most_changes : int, optional
        Segments that may leave it.
    """

    eligible: np.ndarray
    whole_segments: bool = False
    today: np.ndarray | None = None
    most_changes: int | None = None

    def cheapest(self, costs: np.ndarray, losses: np.ndarray, limit: float) -> np.ndarray | None:
        """Find the cheapest assignment whose summed loss stays within a limit.

        Parameters
        ----------
        costs, losses : ndarray
            By segment × configuration, traffic weights included.
        limit : float
            Largest sum of losses.

        Returns
        -------
        ndarray or None
            Shares, each row adding up to 1; ``None`` when nothing stays within the limit.
        """
        rows, columns = self.eligible.shape
        cells = rows * columns
        changes = self.most_changes is not None and self.today is not None
        width = cells + rows * changes
        scale = max(np.abs(costs[self.eligible]).max(), 1e-300)
        objective = np.zeros(width)
        objective[:cells] = np.where(self.eligible, costs, 0).ravel() / scale
        whole = sparse.kron(sparse.eye(rows), np.ones((1, columns)))
        lost = np.where(self.eligible, losses, 0).ravel()[None]
        constraints = [
            LinearConstraint(_wide(whole, width), 1, 1),
            LinearConstraint(_wide(sparse.csr_array(lost), width), -np.inf, limit),
        ]
        if changes:
            kept = sparse.csr_array(
                (np.ones(rows), (np.arange(rows), np.arange(rows) * columns + self.today)), shape=(rows, cells)
            )
            constraints.append(LinearConstraint(sparse.hstack([kept, sparse.eye(rows)]), 1, np.inf))
            counted = np.concatenate([np.zeros(cells), np.ones(rows)])
            constraints.append(LinearConstraint(counted, 0, self.most_changes))
        integral = np.concatenate([np.full(cells, int(self.whole_segments)), np.ones(width - cells)])
        upper = np.concatenate([self.eligible.ravel().astype(float), np.ones(width - cells)])
        found = milp(objective, integrality=integral, bounds=Bounds(0, upper), constraints=constraints)
        if found.x is None:
            return None
        shares = np.clip(found.x[:cells].reshape(rows, columns), 0, 1)
        shares[shares < 1e-9] = 0
        return shares / shares.sum(axis=1, keepdims=True)


def bounded_assignment(
    program: Program, estimates: Estimates, floor: float, baseline: int, certainty: float, horizon: float
) -> tuple[np.ndarray, bool]:
    """Find the cheapest assignment whose loss, with its uncertainty, stays within the floor.

    Parameters
    ----------
    program : Program
        What is allowed.
    estimates : Estimates
        Pass rates, costs and covariances.
    floor : float
        Share of the baseline's pass rate to keep.
    baseline : int
        Column of the baseline.
    certainty : float
        Standard errors to keep away from the floor; 0 for the plain estimate.
    horizon : float
        Requests over which the floor must hold.

    Returns
    -------
    ndarray, bool
        Shares by segment × configuration, and whether the floor is held; if none holds it, the
        assignment with the best bound.

    Notes
    -----
    The bound loss + z·σ(x) is no linear function of the assignment x. For every s, σ ≤ s/2 + σ²/(2s) with
    equality at s = σ, and σ² is at most linear in x: each s gives a linear programme whose answer is safe, and the
    cheapest over a grid of s is the answer.
    """
    weights = estimates.weights[:, None]
    costs, losses = weights * estimates.costs, weights * (floor * estimates.rates[:, [baseline]] - estimates.rates)
    variances = loss_variance(estimates, floor, baseline, horizon)
    spreads = [0.0]
    if certainty > 0:
        largest = np.sqrt(np.where(program.eligible, variances, 0).max(axis=1).sum())
        spreads = [largest * share for share in _SPREADS if largest > 0] or [0.0]
    held, best = [], []
    for spread in spreads:
        risk = certainty * variances / (2 * spread) if spread else 0.0
        limit = -certainty * spread / 2 + 1e-12
        shares = program.cheapest(costs, losses + risk, limit)
        if shares is not None:
            held.append((float((shares * costs).sum()), len(held), shares))
        elif not held:
            shares = program.cheapest(losses + risk, losses + risk, np.inf)
            if shares is None:
                message = "No assignment keeps within the changes allowed"
                raise EvaluationError(
                    message, hint="allow more changes, or more models for the segments that must move"
                )
            best.append((float((shares * (losses + risk)).sum() - limit), len(best), shares))
    if floor <= 1 and program.eligible[:, baseline].all():
        # it loses nothing against itself, whatever the sample
        kept = np.zeros_like(costs)
        kept[:, baseline] = 1
        if program.most_changes is None or (program.today != baseline).sum() <= program.most_changes:
            held.append((float((kept * costs).sum()), len(held), kept))
    return (min(held)[2], True) if held else (min(best)[2], False)


def loss_variance(estimates: Estimates, floor: float, baseline: int, horizon: float) -> np.ndarray:
    """Return what each cell adds to the variance of the paired loss when all of its segment goes there.

    Parameters
    ----------
    estimates : Estimates
        Covariances and samples.
    floor : float
        Share of the baseline's pass rate to keep.
    baseline : int
        Column of the baseline.
    horizon : float
        Requests to come, which vary too; infinite for their expectation.

    Returns
    -------
    ndarray
        Segment × configuration; zero for the baseline, which loses a known share of itself.
    """
    covariance = estimates.covariance
    own = np.einsum("smm->sm", covariance)
    paired = floor**2 * own[:, [baseline]] + own - 2 * floor * covariance[:, :, baseline]
    samples = np.maximum(np.minimum(estimates.samples, estimates.samples[:, [baseline]]), 1)
    weights = estimates.weights[:, None]
    # where no item differs so far, the next may
    variance = np.maximum(paired, 1 / samples) * (weights**2 / samples + weights / horizon)
    variance[:, baseline] = 0
    return variance


def eligible_routes(
    estimates: Estimates,
    baseline: int,
    *,
    minimum_samples: int,
    allowed: Mapping[str, Collection[str]] | None = None,
    limits: pd.DataFrame | None = None,
    needs: pd.DataFrame | None = None,
) -> np.ndarray:
    """Say which configuration may serve which segment.

    Parameters
    ----------
    estimates : Estimates
        Samples and costs.
    baseline : int
        Column that needs no minimum of samples.
    minimum_samples : int
        Items a cell must have.
    allowed : mapping, optional
        Segment → configurations its data class may go to; segments not named may go to all.
    limits : DataFrame, optional
        By configuration: ``context_tokens`` it takes, ``latency_ms`` it answers in.
    needs : DataFrame, optional
        By segment: ``context_tokens`` it sends, ``latency_ms`` it may wait.

    Returns
    -------
    ndarray of bool
        Segment × configuration.

    Raises
    ------
    EvaluationError
        If a segment is left without any configuration.
    """
    eligible = (estimates.samples >= minimum_samples) & np.isfinite(estimates.rates)
    eligible[:, baseline] = True
    eligible &= np.isfinite(estimates.costs)
    for row, segment in enumerate(estimates.segments):
        if allowed is not None and segment in allowed:
            eligible[row] &= [name in allowed[segment] for name in estimates.configurations]
    if limits is not None and needs is not None:
        has = limits.reindex(estimates.configurations)
        wants = needs.reindex(estimates.segments)
        for column, too_little in (("context_tokens", np.less), ("latency_ms", np.greater)):
            if column in has.columns and column in wants.columns:
                # a comparison with what is not known is never true: it forbids nothing
                offered, asked = has[column].to_numpy(float), wants[column].to_numpy(float)
                eligible &= ~too_little(offered[None, :], asked[:, None])
    if not eligible.any(axis=1).all():
        segment = estimates.segments[int((~eligible.any(axis=1)).argmax())]
        message = f"No configuration may serve the segment '{segment}'"
        raise EvaluationError(
            message, hint="allow one there whose context, latency and data class fit, and evaluate it with a cost"
        )
    return eligible


def _wide(matrix: sparse.sparray, width: int) -> sparse.sparray:
    """Add empty columns on the right."""
    return sparse.hstack([matrix, sparse.csr_array((matrix.shape[0], width - matrix.shape[1]))], format="csr")
