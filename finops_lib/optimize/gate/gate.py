"""Gate: a change is promoted only when its quality is shown to hold and a success costs less."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from statsmodels.stats.multitest import multipletests

from finops_lib.errors import EvaluationError
from finops_lib.optimize.gate.alpha_spending import Spending, spending_levels
from finops_lib.optimize.gate.non_inferiority import (
    difference_interval,
    inferiority_p_value,
    non_inferiority_p_value,
    required_pairs,
)
from finops_lib.optimize.gate.pairing import pair_items

Decision = Literal["promote", "reject", "not enough evidence"]

_REPLICATES = 1000
_POWER = 0.8


@dataclass(frozen=True)
class Verdict:
    """What the gate decided, and why.

    Parameters
    ----------
    verdict : str
        ``promote``, ``reject`` or ``not enough evidence``.
    reason : str
        One sentence with the numbers it rests on.
    comparison : DataFrame
        One row: candidate, ``pairs``, ``worse`` (baseline passed, candidate failed), ``better``,
        ``difference`` of the pass rates with ``lower`` and ``upper``, ``margin``, ``level`` that promotes and
        ``level_worse`` that rejects, ``p_value`` (of a loss of the margin or more), ``p_value_worse`` (of a loss
        within it), ``pairs_to_decide`` (if both are equally good; null once decided), ``saving`` per successful
        task as a share, with ends.
    costs : DataFrame
        The baseline's row and the candidate's: ``configuration``, ``items``, ``passed``, ``pass_rate``,
        ``cost_per_call``, ``cost_per_successful_task`` with ``lower`` and ``upper`` (USD; null without
        costs or without a success).
    """

    verdict: Decision
    reason: str
    comparison: pd.DataFrame
    costs: pd.DataFrame


def evaluation_gate(
    baseline: pd.DataFrame,
    candidate: pd.DataFrame,
    margin: float,
    alpha: float = 0.05,
    *,
    training_items: Collection[str] = (),
    allow_missing: bool = False,
    planned_pairs: int | None = None,
    earlier_looks: Sequence[int] = (),
    spending: Spending = "obrien-fleming",
) -> Verdict:
    """Decide whether a candidate may replace the baseline.

    Parameters
    ----------
    baseline, candidate : DataFrame
        One row per item of one configuration: ``item_id``, ``passed`` (bool or 0 and 1), ``cost_usd`` (USD a call,
        optional).
    margin : float
        Accepted loss of pass rate as a fraction; 0.02 is two points.
    alpha : float
        Chance of promoting a candidate that is worse by the margin, over all looks.
    training_items : collection of str
        Items that prompts, routers or models were made with; refused if evaluated.
    allow_missing : bool
        Judge a candidate that lacks some items on those it has. It is never promoted on them: what
        was left out may be what fails.
    planned_pairs, earlier_looks : int, sequence of int
        For repeated looks at growing data: the pairs of the planned end, and those of each look before.
    spending : {"obrien-fleming", "pocock"}
        How the looks share ``alpha``.

    Returns
    -------
    Verdict
        ``promote`` when a loss of the margin is ruled out and a success is not shown to cost more;
        ``reject`` when the loss is shown to be larger than the margin, or a success to cost more;
        ``not enough evidence`` otherwise, with the pairs that would decide, and at a look that may spend nothing.

    Raises
    ------
    EvaluationError
        If the two cannot be compared; the message names the items.

    Notes
    -----
    Paired test: ``paired_non_inferiority``. The interval inverts it: its lower end lies above −margin when the
    loss is ruled out, its upper end below when it is shown.
    Cost per successful task = cost of all items / items passed, interval by bootstrap over items (95%).

    References
    ----------
    Requirement F4.
    """
    measured = _measure(baseline, candidate, margin, training_items=training_items, allow_missing=allow_missing)
    level = alpha
    if planned_pairs is not None:
        looks = spending_levels([*earlier_looks, measured.counts["pairs"]], planned_pairs, alpha, spending)
        level = float(looks["level"].iloc[-1])
    return _decide(measured, (level, level), alpha)


def compare_candidates(
    evaluations: pd.DataFrame,
    baseline: str,
    margin: float,
    alpha: float = 0.05,
) -> pd.DataFrame:
    """Put several candidates through the gate, none the likelier for being one of many.

    Parameters
    ----------
    evaluations : DataFrame
        One row per item × configuration of one evaluation set, columns as for ``evaluation_gate``.
    baseline : str
        Configuration to hold the others against.
    margin, alpha : float
        As for ``evaluation_gate``; ``alpha`` holds over all candidates together.

    Returns
    -------
    DataFrame
        One row per candidate by name: the columns of ``Verdict.comparison``, ``verdict``, ``reason``, and
        ``pass_rate``, ``cost_per_call`` and ``cost_per_successful_task`` of both, prefixed ``baseline_`` and
        ``candidate_``. Items a candidate lacks keep it from being promoted.

    Raises
    ------
    EvaluationError
        If the baseline is not among the configurations, or two evaluations cannot be compared.

    Notes
    -----
    Holm's correction, on promotions and on rejections apart: with k candidates left undecided, each p-value is
    held against alpha / k, and the interval inverts the test at that level.

    References
    ----------
    Holm, Scandinavian Journal of Statistics 6 (1979) 65–70.
    """
    by_name = {str(name): rows for name, rows in evaluations.groupby("configuration", sort=True)}
    if baseline not in by_name:
        message = f"No evaluation of the baseline '{baseline}'; there are: {', '.join(by_name) or 'none'}"
        raise EvaluationError(message, hint="name the configuration that serves today as it stands in the evaluations")
    names = [name for name in by_name if name != baseline]
    measured = [_measure(by_name[baseline], by_name[name], margin, allow_missing=True) for name in names]
    if not measured:
        return pd.DataFrame()
    levels = tuple(_holm_level([one.counts[side] for one in measured], alpha) for side in ("p_value", "p_value_worse"))
    rows = []
    for one in measured:
        found = _decide(one, levels, alpha)
        sides = {
            f"{side}_{column}": found.costs.loc[place, column]
            for place, side in enumerate(("baseline", "candidate"))
            for column in ("pass_rate", "cost_per_call", "cost_per_successful_task")
        }
        rows.append(found.comparison.assign(verdict=found.verdict, reason=found.reason, **sides))
    return pd.concat(rows, ignore_index=True)


@dataclass(frozen=True)
class _Measured:
    """What two evaluations show, before anything is decided."""

    counts: dict[str, Any]
    costs: pd.DataFrame
    saving: dict[str, float]
    missing: int


def _measure(
    baseline: pd.DataFrame,
    candidate: pd.DataFrame,
    margin: float,
    *,
    training_items: Collection[str] = (),
    allow_missing: bool,
) -> _Measured:
    """Count the items that changed sides and test the loss from both sides of the margin."""
    pairs = pair_items(baseline, candidate, training_items=training_items, allow_missing=allow_missing)
    if pairs.empty:
        message = "The two evaluations share no item"
        raise EvaluationError(message, hint="evaluate both configurations on the same items")
    worse = int((pairs["baseline_passed"] & ~pairs["candidate_passed"]).sum())
    better = int((~pairs["baseline_passed"] & pairs["candidate_passed"]).sum())
    names = [_name(baseline, "baseline"), _name(candidate, "candidate")]
    costs, saving = _cost_of_success(pairs, names)
    counts = {
        "candidate": names[1],
        "pairs": len(pairs),
        "worse": worse,
        "better": better,
        "difference": (better - worse) / len(pairs),
        "margin": margin,
        "p_value": float(non_inferiority_p_value(worse, better, len(pairs), margin)),
        "p_value_worse": float(inferiority_p_value(worse, better, len(pairs), margin)),
    }
    missing = len(set(baseline["item_id"].astype(str)) - set(pairs.index))
    return _Measured(counts, costs, saving, missing)


def _name(frame: pd.DataFrame, fallback: str) -> str:
    return str(frame["configuration"].iloc[0]) if "configuration" in frame.columns and len(frame) else fallback


def _holm_level(p_values: Sequence[float], alpha: float) -> float:
    """Find the level that parts the p-values as Holm's procedure does."""
    decided = multipletests(p_values, alpha, method="holm")[0]
    return alpha / max(len(decided) - int(decided.sum()), 1)


def _cost_of_success(pairs: pd.DataFrame, names: list[str]) -> tuple[pd.DataFrame, dict[str, float]]:
    """Divide cost by successes, with bootstrap intervals over items; the saving is the candidate's."""
    measured = pairs[["baseline_cost", "baseline_passed", "candidate_cost", "candidate_passed"]].to_numpy(float)
    rng = np.random.default_rng(0)
    sums = np.array([measured[rng.integers(0, len(pairs), len(pairs))].sum(axis=0) for _ in range(_REPLICATES)])
    rows, replicates, points = [], [], []
    for place, name in enumerate(names):
        cost, passed = measured[:, 2 * place].sum(), measured[:, 2 * place + 1].sum()
        drawn = _ratio(sums[:, 2 * place], sums[:, 2 * place + 1])
        lower, upper = _ends(drawn)
        points.append(float(_ratio(cost, passed)))
        replicates.append(drawn)
        rows.append(
            {
                "configuration": name,
                "items": len(pairs),
                "passed": int(passed),
                "pass_rate": passed / len(pairs),
                "cost_per_call": cost / len(pairs),
                "cost_per_successful_task": points[-1] if np.isfinite(points[-1]) else np.nan,
                "lower": lower,
                "upper": upper,
            }
        )
    lower, upper = _ends(1 - _ratio(replicates[1], replicates[0]))
    saving = float(1 - _ratio(points[1], points[0]))
    saving = saving if np.isfinite(saving) else np.nan
    return pd.DataFrame(rows), {"saving": saving, "saving_lower": lower, "saving_upper": upper}


def _ratio(numerator: np.ndarray | float, denominator: np.ndarray | float) -> np.ndarray:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.divide(numerator, denominator)


def _ends(drawn: np.ndarray) -> tuple[float, float]:
    if np.isnan(drawn).any():
        return np.nan, np.nan
    # an end at a draw without any success is unbounded: not known
    ends = np.quantile(drawn, [0.025, 0.975], method="inverted_cdf")
    return tuple(float(end) if np.isfinite(end) else np.nan for end in ends)


def _decide(measured: _Measured, levels: tuple[float, float], alpha: float) -> Verdict:
    """Hold what was measured against the level that promotes and the one that rejects, and say why."""
    row, saving, (level, level_worse) = measured.counts, measured.saving, levels
    loss, margin = f"{row['difference'] * 100:+.1f} points", f"{row['margin'] * 100:g} points"
    # no observed disagreement is no proof of none: the margin itself makes so much
    discordance = max((row["worse"] + row["better"]) / row["pairs"], row["margin"])
    needed = float(required_pairs(discordance, row["margin"], _POWER, alpha))
    verdict: Decision = "not enough evidence"
    if not level:
        reason = f"at {row['pairs']:,} pairs the plan leaves no error to spend: this look decides nothing"
    elif row["p_value_worse"] <= level_worse:
        verdict = "reject"
        reason = f"the pass rate changes by {loss}: a loss of more than {margin} is shown"
    elif saving["saving_upper"] < 0:
        verdict = "reject"
        reason = f"a successful task costs {-saving['saving']:.1%} more, shown beyond chance"
    elif row["p_value"] > level:
        reason = (
            f"{row['pairs']:,} pairs cannot tell {loss} from a loss of {margin}; "
            f"{needed:,.0f} would decide if both are equally good"
        )
    elif measured.missing:
        whole = measured.missing + row["pairs"]
        reason = f"quality would hold, but {measured.missing:,} of {whole:,} items were not evaluated"
    else:
        verdict = "promote"
        money = f"a successful task costs {_change(saving['saving'])}"
        reason = f"the pass rate changes by {loss}, a loss of {margin} is ruled out; {money}"
    counts = (row["worse"], row["better"], row["pairs"])
    lower, upper = difference_interval(*counts, levels, margin=row["margin"])
    open_pairs = needed if verdict == "not enough evidence" else np.nan
    found = {"lower": lower, "upper": upper, "level": level, "level_worse": level_worse, "pairs_to_decide": open_pairs}
    return Verdict(verdict, reason, pd.DataFrame([row | found | saving]), measured.costs)


def _change(saving: float) -> str:
    if pd.isna(saving):
        return "what is not known"
    return f"{saving:.1%} less" if saving >= 0 else f"{-saving:.1%} more"
