"""Alpha spending: how often one may look before the planned end without fooling oneself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import pandas as pd
from scipy.optimize import brentq
from scipy.stats import norm

from finops_lib.errors import EvaluationError

Spending = Literal["obrien-fleming", "pocock"]

_EDGE = 9.0  # standard deviations beyond which nothing is left
_STEPS = 1201
_NOTHING = 1e-12


def spending_levels(
    pairs: Sequence[int], planned_pairs: int, alpha: float = 0.05, spending: Spending = "obrien-fleming"
) -> pd.DataFrame:
    """Return the level at which each look at growing data may decide.

    Parameters
    ----------
    pairs : sequence of int
        Pairs at each look so far, growing.
    planned_pairs : int
        Pairs at the planned last look.
    alpha : float
        One-sided error over all looks together.
    spending : {"obrien-fleming", "pocock"}
        Save nearly all for the end, or spend evenly.

    Returns
    -------
    DataFrame
        One row a look: ``look`` (from 1), ``pairs``, ``information`` (share of the plan), ``spent``
        (error spent so far), ``level`` (p-value at which this look decides), ``z``.

    Raises
    ------
    EvaluationError
        If the pairs do not grow, or there are none.

    Notes
    -----
    Spent at information t: 2 − 2Φ(z₁₋α/₂ / √t) in the manner of O'Brien and Fleming, α·ln(1 + (e − 1)t)
    in Pocock's. The level of a look is what is left once earlier looks did not decide, by numerical
    integration over the statistic's random walk.

    References
    ----------
    Lan and DeMets, Biometrika 70 (1983) 659–663; Armitage, McPherson and Rowe, JRSS A 132 (1969).

    Examples
    --------
    >>> spending_levels([500, 1000], 1000)["level"].round(4).tolist()
    [0.0056, 0.0482]
    """
    if not len(pairs) or min(np.diff([0, *pairs])) <= 0 or planned_pairs <= 0:
        message = f"Looks at {list(pairs)} of {planned_pairs} planned pairs: expected numbers that grow from above zero"
        raise EvaluationError(message, hint="list the pairs at each look, all earlier ones included")
    information = np.minimum(np.asarray(pairs) / planned_pairs, 1.0)
    spent = _spent(information, alpha, spending)
    bounds = _bounds(np.asarray(pairs) / planned_pairs, np.diff([0.0, *spent]))
    return pd.DataFrame(
        {
            "look": range(1, len(pairs) + 1),
            "pairs": list(pairs),
            "information": information,
            "spent": spent,
            "level": norm.sf(bounds),
            "z": bounds,
        }
    )


def _spent(information: np.ndarray, alpha: float, spending: Spending) -> np.ndarray:
    if spending == "pocock":
        return alpha * np.log1p((np.e - 1) * information)
    return 2 * norm.sf(norm.isf(alpha / 2) / np.sqrt(information))


def _bounds(time: np.ndarray, increments: np.ndarray) -> np.ndarray:
    """Find each look's bound on z such that it is first crossed there with the chance given.

    The walk √t·z has independent increments; its density among the paths still undecided is carried from look to look.
    """
    walk, density = np.zeros(1), None
    bounds = []
    for elapsed, step, chance in zip(time, np.sqrt(np.diff([0.0, *time])), increments, strict=True):
        scale = np.sqrt(elapsed)
        bound = _bound(walk, density, step, scale, chance)
        grid = np.linspace(-_EDGE * scale, min(bound, _EDGE) * scale, _STEPS)
        arrived = norm.pdf(grid[:, None], loc=walk, scale=step)
        density = arrived[:, 0] if density is None else np.trapezoid(density * arrived, walk, axis=-1)
        walk = grid
        bounds.append(bound)
    return np.array(bounds)


def _bound(walk: np.ndarray, density: np.ndarray | None, step: float, scale: float, chance: float) -> float:
    """Find the z that the next step crosses with the chance given."""
    if chance <= _NOTHING:
        return np.inf
    if density is None:
        return float(norm.isf(chance))

    def excess(z: float) -> float:
        return float(np.trapezoid(density * norm.sf((z * scale - walk) / step), walk)) - chance

    return float(brentq(excess, -_EDGE, _EDGE))
