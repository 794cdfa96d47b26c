"""Paired non-inferiority: whether a pass rate held, told from the items that changed sides."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import brentq
from scipy.special import gammaln
from scipy.stats import norm

from finops_lib.errors import EvaluationError

EXACT_BELOW = 100
"""Pairs below which the exact distribution replaces the normal one."""

_NUISANCE_POINTS = 200
_WHOLE = 1 - 1e-12


def paired_non_inferiority(b: ArrayLike, c: ArrayLike, n: ArrayLike, margin: float, alpha: float = 0.05) -> np.ndarray:
    """Test by pairs whether a candidate's pass rate is at most ``margin`` below the baseline's.

    Parameters
    ----------
    b, c : array_like of int
        Items that the baseline passed and the candidate failed, and the reverse.
    n : array_like of int
        Pairs, those that agree included; broadcast against ``b`` and ``c``.
    margin : float
        Accepted loss of pass rate as a fraction; 0.02 is two points.
    alpha : float
        Chance of calling a candidate non-inferior that is worse by ``margin``.

    Returns
    -------
    ndarray of bool
        True where non-inferiority is shown.

    Notes
    -----
    From 100 pairs on Tango's score test, below it the exact unconditional test in the same order.

    References
    ----------
    Tango, Statistics in Medicine 17 (1998) 891–908; requirement F4.

    Examples
    --------
    >>> paired_non_inferiority([20, 40], [24, 24], 1000, 0.02).tolist()
    [True, False]
    """
    return np.asarray(non_inferiority_p_value(b, c, n, margin) <= alpha)


def non_inferiority_p_value(b: ArrayLike, c: ArrayLike, n: ArrayLike, margin: float) -> np.ndarray:
    """Return the one-sided p-value of a loss of ``margin`` or more.

    Parameters
    ----------
    b, c, n : array_like of int
        Counts as for ``paired_non_inferiority``.
    margin : float
        Loss under the hypothesis, a fraction; negative for a gain.

    Returns
    -------
    ndarray of float
        Small where the counts speak against so large a loss; 1 without any pair.

    Raises
    ------
    EvaluationError
        If a count is negative, or more items changed sides than there are, or the margin is no share.
    """
    b, c, n = np.broadcast_arrays(*(np.asarray(value, dtype=float) for value in (b, c, n)))
    if not -1 < margin < 1:
        message = f"The margin is {margin}, expected a fraction of the items"
        raise EvaluationError(message, hint="write two points as 0.02")
    if (b < 0).any() or (c < 0).any() or (b + c > n).any():
        message = "Counts do not fit: b and c are items of the n pairs, each counted once"
        raise EvaluationError(message, hint="count the items that changed sides, not the items that passed")
    p_value = np.array(norm.cdf(score_statistic(b, c, n, margin)))
    for pairs in np.unique(n[(n > 0) & (n < EXACT_BELOW)]):
        chosen = n == pairs
        table = _exact_p_values(int(pairs), float(margin))
        p_value[chosen] = table[b[chosen].astype(int), c[chosen].astype(int)]
    return np.where(n > 0, p_value, 1.0)


def inferiority_p_value(b: ArrayLike, c: ArrayLike, n: ArrayLike, margin: float) -> np.ndarray:
    """Return the one-sided p-value of a loss of ``margin`` or less: small where the loss is shown to be larger.

    Parameters
    ----------
    b, c, n, margin
        As for ``non_inferiority_p_value``.

    Returns
    -------
    ndarray of float
        The same test with the sides exchanged.
    """
    return non_inferiority_p_value(c, b, n, -margin)


def score_statistic(b: ArrayLike, c: ArrayLike, n: ArrayLike, loss: ArrayLike) -> np.ndarray:
    """Return Tango's score statistic of the observed loss against a hypothetical one.

    Parameters
    ----------
    b, c, n : array_like
        Counts as for ``paired_non_inferiority``.
    loss : array_like of float
        Hypothetical loss of pass rate, between -1 and 1.

    Returns
    -------
    ndarray of float
        Standard normal when the loss is true; negative when less was lost. Zero when nothing varies.

    Notes
    -----
    z = (b − c − n·δ) / √(n (2q + δ(1 − δ))), q the likelihood's largest share of reverse changes: the
    larger root of 2n·q² + (2nδ − b − c − δ(b − c))·q − c·δ(1 − δ) = 0.
    """
    b, c, n, loss = (np.asarray(value, dtype=float) for value in (b, c, n, loss))
    linear = 2 * n * loss - b - c - loss * (b - c)
    constant = -c * loss * (1 - loss)
    with np.errstate(divide="ignore", invalid="ignore"):
        root = np.sqrt(np.maximum(linear**2 - 8 * n * constant, 0))
        reverse = np.clip((root - linear) / (4 * n), np.maximum(0, -loss), (1 - loss) / 2)
        variance = np.maximum(n * (2 * reverse + loss * (1 - loss)), 0)
        difference = b - c - n * loss
        statistic = difference / np.sqrt(variance)
    return np.where(difference == 0, 0.0, statistic)


def difference_interval(
    b: int, c: int, n: int, levels: tuple[float, float] = (0.05, 0.05), *, margin: float | None = None
) -> tuple[float, float]:
    """Return the interval of the candidate's pass rate minus the baseline's that inverts the test.

    Parameters
    ----------
    b, c, n : int
        Counts as for ``paired_non_inferiority``.
    levels : (float, float)
        One-sided levels of the lower and the upper end; twice 0.05 is the 90% interval.
    margin : float, optional
        Loss that is judged: the ends then lie on the side of it where the tests put them.

    Returns
    -------
    float, float
        Lower and upper end, fractions.

    Notes
    -----
    Score interval from 100 pairs on, below it the exact test's. Exact p-values do not fall evenly as the
    hypothetical loss grows, so without a margin an end may be one of several places where they cross the level.

    References
    ----------
    Tango, Statistics in Medicine 17 (1998) 891–908; Chan and Zhang, Biometrics 55 (1999) 1202–1209.

    Examples
    --------
    >>> [round(end, 4) for end in difference_interval(120, 20, 440, (0.025, 0.025))]
    [-0.2762, -0.1794]
    """
    if n == 0:
        return -1.0, 1.0
    gain = None if margin is None else -margin
    return -_largest_loss(b, c, n, levels[0], margin), _largest_loss(c, b, n, levels[1], gain)


def _largest_loss(b: int, c: int, n: int, level: float, margin: float | None) -> float:
    """Find the largest loss of pass rate that the test at a level does not rule out."""
    least, most = max((b - c) / n, -_WHOLE), _WHOLE

    def left(loss: float) -> float:
        if n < EXACT_BELOW:
            return float(non_inferiority_p_value(b, c, n, loss)) - level
        return float(np.clip(score_statistic(b, c, n, loss), -1e9, 1e9) - norm.ppf(level))

    if level <= 0 or b == n or left(most) > 0:
        return 1.0
    if margin is not None and least < margin:
        least, most = (least, margin) if left(margin) <= 0 else (margin, most)
    return float(brentq(left, least, most, xtol=1e-5 if n < EXACT_BELOW else 1e-12)) if left(least) > 0 else least


def required_pairs(
    discordance: float, margin: float, power: float = 0.8, alpha: float = 0.05, *, difference: float = 0.0
) -> int:
    """Return how many pairs a decision needs.

    Parameters
    ----------
    discordance : float
        Share of items on which the two configurations differ.
    margin : float
        Accepted loss of pass rate, a fraction.
    power : float
        Chance that the test decides.
    alpha : float
        One-sided level of the test.
    difference : float
        True difference of the pass rates, candidate minus baseline; below ``-margin`` the pairs are
        those that show the candidate to be worse.

    Returns
    -------
    int
        Pairs, rounded up.

    Raises
    ------
    EvaluationError
        If the difference stands at the margin, or the level is none: no number of pairs decides.

    Notes
    -----
    n = (z₁₋α + z_power)² (ψ − d²) / (margin + d)², ψ the discordance, d the difference.

    References
    ----------
    Nam, Biometrics 53 (1997) 1422–1430, at the first order.

    Examples
    --------
    >>> required_pairs(0.15, 0.02), required_pairs(0.15, 0.02, power=0.9)
    (2319, 3212)
    """
    distance = margin + difference
    if distance == 0:
        message = "No number of pairs decides when the difference stands at the margin"
        raise EvaluationError(message, hint="choose another margin, or plan for another difference")
    if not 0 < alpha < 1 or not 0 < power < 1:
        message = f"No number of pairs decides at the level {alpha:g} with the power {power:g}"
        raise EvaluationError(message, hint="both are shares between 0 and 1, e.g. alpha=0.05, power=0.8")
    spread = max(discordance - difference**2, 0.0)
    return math.ceil((norm.isf(alpha) + norm.ppf(power)) ** 2 * spread / distance**2)


@lru_cache(maxsize=64)
def _exact_p_values(n: int, loss: float) -> np.ndarray:
    """Tabulate exact p-values for every ``b`` (row) and ``c`` (column) of ``n`` pairs.

    An outcome's p-value is the chance, at its largest over the unknown discordance, of its own and of
    all more favourable score statistics.
    """
    b, c = (side.ravel() for side in np.mgrid[0 : n + 1, 0 : n + 1])
    possible = b + c <= n
    b, c = b[possible], c[possible]
    statistic = np.round(score_statistic(b, c, n, loss), 9)
    # the share of reverse changes is unknown: both ends and what lies between
    reverse = np.linspace(max(0.0, -loss), (1 - loss) / 2, _NUISANCE_POINTS)
    shares = np.column_stack([reverse + loss, reverse, 1 - 2 * reverse - loss])
    counts = np.stack([b, c, n - b - c])
    ways = gammaln(n + 1) - gammaln(counts + 1).sum(axis=0)
    chance = np.exp(ways + np.log(np.maximum(shares, 1e-300)) @ counts)
    order = np.argsort(statistic, kind="stable")
    worst = np.cumsum(chance[:, order], axis=1).max(axis=0)
    # outcomes with equal statistics share one p-value, that of the last of them
    last = np.searchsorted(statistic[order], statistic, side="right") - 1
    table = np.ones((n + 1, n + 1))
    table[b, c] = np.minimum(worst[last], 1.0)
    return table
