"""Router: which requests are worth the stronger model, and how few of them keep the quality."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd
from scipy.stats import norm
from sklearn.model_selection import KFold

from finops_lib.errors import EvaluationError
from finops_lib.optimize.gate.pairing import passes
from finops_lib.optimize.routing.request_models import CostModel, GainModel
from finops_lib.optimize.routing.rules import segment_rules

Objective = Literal["calls", "dollars"]

_FOLDS = 5
_STEPS = 200


@dataclass(frozen=True)
class Router:
    """Sends a request to the strong model when its score is high enough; made by ``fit_router``.

    Parameters
    ----------
    strong, weak : str
        The two configurations.
    objective : {"calls", "dollars"}
        What the score orders by; ``calls`` where costs are not known.
    gain : GainModel
        Foretells the gain in pass rate.
    cost : CostModel or None
        Foretells the further cost.
    learned : DataFrame
        The requests learned from: results, costs and, as ``score``, what a router made without the
        request's own fold says of it.
    """

    strong: str
    weak: str
    objective: Objective
    gain: GainModel
    cost: CostModel | None
    learned: pd.DataFrame

    def score(self, requests: pd.DataFrame) -> np.ndarray:
        """Score requests: higher means rather to the strong model.

        Parameters
        ----------
        requests : DataFrame
            One row a request: ``segment``, ``prompt`` or ``text``, ``input_tokens``, metadata, as far as
            they were learned from. Segments never seen are scored as the average one.

        Returns
        -------
        ndarray
            Foretold gain in pass rate, or per USD.
        """
        gain = self.gain.predict(requests)
        return gain if self.cost is None else gain / np.maximum(self.cost.predict(requests), 1e-12)

    def threshold(
        self,
        calibration: pd.DataFrame | None = None,
        floor: float = 0.95,
        confidence: float = 0.95,
        *,
        horizon: int | None = None,
        bounded: bool = True,
    ) -> float:
        """Find the highest threshold that keeps a share of the strong model's pass rate.

        Parameters
        ----------
        calibration : DataFrame, optional
            Evaluations as for ``fit_router``. Items learned from count with the score of a router that
            did not see them; without any, they are all there is.
        floor : float
            Share of the strong model's pass rate to keep.
        confidence : float
            One-sided confidence that the next ``horizon`` requests keep it.
        horizon : int, optional
            Requests over which the floor must hold; as many as were calibrated on when not given.
        bounded : bool
            Without it the threshold that just kept the floor on the calibration (it misses it about
            every second time).

        Returns
        -------
        float
            Send a request to the strong model when its score is at least this; −inf for all of them.

        Raises
        ------
        EvaluationError
            If nothing can be calibrated on.

        Notes
        -----
        Thresholds are tested in one fixed order, from all requests strong to none, and the last before the
        first failure is taken: so the choice among many costs no confidence. Each test bounds the mean of
        floor·strong − served by z·s·√(1/n + 1/horizon).

        References
        ----------
        Angelopoulos, Bates, Candès, Jordan and Lei, Learn then Test, arXiv:2110.01052.
        """
        items = self._calibration(calibration)
        order = np.argsort(-items["score"].to_numpy(), kind="stable")
        scores, strong, weak = (items[name].to_numpy(float)[order] for name in ("score", "strong", "weak"))
        count = len(items)
        # how many of the best-scored go to the strong model, from all to none
        sent = np.unique(np.linspace(0, count, min(count, _STEPS) + 1).astype(int))[::-1]
        kept, given_up = (floor - 1) * strong, floor * strong - weak
        # one item more that the weak model fails: requests that never failed so far still may
        moments = [
            (_split_sum(kept**power, given_up**power)[sent] + floor**power * (sent < count)) / count for power in (1, 2)
        ]
        spread = np.sqrt(np.maximum(moments[1] - moments[0] ** 2, 0))
        reach = np.sqrt(1 / count + 1 / (horizon or count))
        holds = moments[0] + bounded * norm.ppf(confidence) * spread * reach <= 1e-12
        if bounded:
            first_failure = len(holds) if holds.all() else int((~holds).argmax())
            chosen = sent[max(first_failure - 1, 0)]
        else:
            chosen = sent[holds].min() if holds.any() else count
        if chosen == count:
            return float("-inf")
        return float(scores[chosen - 1] + scores[chosen]) / 2 if chosen else float("inf")

    def rules(self, floor: float = 0.95, confidence: float = 0.95) -> pd.DataFrame:
        """Write plain rules that a gateway can run: by segment and length.

        Parameters
        ----------
        floor, confidence : float
            As for ``threshold``; the rules are bounded themselves.

        Returns
        -------
        DataFrame
            One row a rule, to be read from the top: ``segment`` (``*`` for any other), ``at_least`` and
            ``below`` (length in tokens where given, else characters; null for no limit),
            ``configuration``, ``items`` it was learned from.
        """
        return segment_rules(self.learned, self.strong, self.weak, floor, confidence, by_cost=self.cost is not None)

    def _calibration(self, calibration: pd.DataFrame | None) -> pd.DataFrame:
        if calibration is None:
            return self.learned
        items = pair_models(calibration, self.strong, self.weak)
        own = self.learned.set_index("item_id")["score"]
        return items.assign(score=items["item_id"].map(own).fillna(pd.Series(self.score(items), index=items.index)))


def fit_router(
    evaluations: pd.DataFrame,
    strong: str,
    weak: str,
    *,
    objective: Objective = "dollars",
    metadata: tuple[str, ...] = (),
    seed: int = 0,
) -> Router:
    """Learn which requests gain from the stronger model.

    Parameters
    ----------
    evaluations : DataFrame
        One row per item × configuration: ``item_id, segment, configuration, passed, cost_usd``, and what
        is known of the request: ``prompt`` or ``text``, ``input_tokens``.
    strong, weak : str
        The better configuration, and the cheaper one.
    objective : {"calls", "dollars"}
        Order requests by gain in pass rate, or by gain per dollar, which is what saves money.
    metadata : tuple of str
        Further columns to learn from; nothing that is known only after the answer.
    seed : int
        Of folds, topics and forest.

    Returns
    -------
    Router
        To score, calibrate and write as rules.

    Raises
    ------
    EvaluationError
        If a configuration or column is missing, or fewer than two items have both results.

    References
    ----------
    Requirement F2.
    """
    unknown = [name for name in metadata if name not in evaluations.columns]
    if unknown:
        message = f"The evaluations have no column '{unknown[0]}' to learn from"
        raise EvaluationError(message, hint="name columns of the evaluations under metadata")
    items = pair_models(evaluations, strong, weak)
    dearer = (items["strong_cost"] - items["weak_cost"]).dropna()
    by_cost = objective == "dollars" and len(dearer) > 0 and dearer.mean() > 0
    blank = Router(strong, weak, "dollars" if by_cost else "calls", GainModel(metadata, seed), None, items)
    scores = np.zeros(len(items))
    folds = KFold(min(_FOLDS, len(items)), shuffle=True, random_state=seed)
    for learn, keep in folds.split(items):
        scores[keep] = _fitted(blank, items.iloc[learn], by_cost).score(items.iloc[keep])
    router = _fitted(blank, items, by_cost)
    return replace(router, learned=items.assign(score=scores))


def pair_models(evaluations: pd.DataFrame, strong: str, weak: str) -> pd.DataFrame:
    """Set the results of two configurations side by side, a row an item.

    Parameters
    ----------
    evaluations : DataFrame
        As for ``fit_router``.
    strong, weak : str
        Two configurations.

    Returns
    -------
    DataFrame
        Items that both have, by ``item_id``: what is known of the request, ``strong`` and ``weak``
        (passed), ``strong_cost`` and ``weak_cost`` (USD, NaN where unknown).

    Raises
    ------
    EvaluationError
        If a column or configuration is missing, a result is no yes or no, an item stands twice, or fewer than two
        are shared.
    """
    missing = [name for name in ("item_id", "configuration", "passed") if name not in evaluations.columns]
    if missing:
        message = f"The evaluations lack the column {', '.join(missing)}"
        raise EvaluationError(message, hint="one row per item and configuration, with its result")
    sides = []
    for name in (strong, weak):
        rows = evaluations[(evaluations["configuration"] == name).fillna(False) & evaluations["passed"].notna()]
        if rows["item_id"].duplicated().any():
            message = f"Item '{rows.loc[rows['item_id'].duplicated(), 'item_id'].iloc[0]}' stands twice for '{name}'"
            raise EvaluationError(message, hint="keep one result per item and configuration")
        sides.append(rows.set_index("item_id"))
    shared = sides[0].index.intersection(sides[1].index).sort_values()
    if len(shared) < 2 or strong == weak:
        message = f"'{strong}' and '{weak}' share {len(shared)} evaluated items, expected two configurations with many"
        raise EvaluationError(message, hint="evaluate both on the same items; configurations are matched by name")
    first, second = (side.loc[shared] for side in sides)
    known = first.drop(columns=[name for name in ("configuration", "passed", "cost_usd", "score") if name in first])
    costs = [
        side["cost_usd"].astype("float64").to_numpy(float, na_value=np.nan) if "cost_usd" in side else np.nan
        for side in (first, second)
    ]
    return known.reset_index().assign(
        strong=passes(first).to_numpy(),
        weak=passes(second).to_numpy(),
        strong_cost=costs[0],
        weak_cost=costs[1],
    )


def _fitted(blank: Router, items: pd.DataFrame, by_cost: bool) -> Router:
    gain = GainModel(blank.gain.metadata, blank.gain.seed)
    gain.fit(items, items["strong"].to_numpy(bool), items["weak"].to_numpy(bool))
    cost = None
    if by_cost:
        difference = items["strong_cost"] - items["weak_cost"]
        known = difference.notna()
        if known.any():
            cost = CostModel().fit(items[known], difference[known].to_numpy(float))
    return replace(blank, gain=gain, cost=cost)


def _split_sum(kept: np.ndarray, given_up: np.ndarray) -> np.ndarray:
    """Sum ``kept`` over the first k items and ``given_up`` over the others, for every k from 0."""
    before = np.concatenate([[0.0], np.cumsum(kept)])
    after = np.concatenate([[0.0], np.cumsum(given_up)])
    return before + after[-1] - after
