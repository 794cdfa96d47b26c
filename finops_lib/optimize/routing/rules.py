"""Routing rules: a router by segment and length, plain enough for a gateway's configuration."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.stats import norm

from finops_lib.optimize.routing.request_models import SegmentMean, request_length, request_segment

_CELL_STRENGTH = 30


def segment_rules(
    items: pd.DataFrame, strong: str, weak: str, floor: float, confidence: float, *, by_cost: bool
) -> pd.DataFrame:
    """Choose by segment, and by half of its lengths, which configuration serves.

    Parameters
    ----------
    items : DataFrame
        One row an item: ``segment``, length or text, ``strong`` and ``weak`` (passed), ``strong_cost``,
        ``weak_cost`` (USD).
    strong, weak : str
        Names of the two configurations.
    floor : float
        Share of the strong configuration's pass rate to keep.
    confidence : float
        One-sided, that the floor is kept.
    by_cost : bool
        Order the cells by gain per dollar instead of gain.

    Returns
    -------
    DataFrame
        One row a rule: ``segment``, ``at_least``, ``below``, ``configuration``, ``items``; the last
        row is for any other segment.

    Notes
    -----
    Cells leave the strong configuration in the order of what they lose, until the bound on the summed
    loss would break the floor. The order is learned on one half of the items and tested on the other.
    """
    segments, length = request_segment(items), request_length(items)
    cut = length.groupby(segments.to_numpy(object)).transform("median")
    longer = (length >= cut).fillna(False).to_numpy()
    cells = pd.MultiIndex.from_arrays([segments.to_numpy(object), longer])
    learn = np.arange(len(items)) % 2 == 0
    order = _order(items[learn], segments[learn], cells[learn], by_cost, cells)
    to_weak = _bounded(items[~learn], cells[~learn], order, floor, confidence)
    rows = []
    for segment in sorted(set(segments)):
        edge = cut[segments == segment].iloc[0]
        chosen = [weak if (segment, half) in to_weak else strong for half in (False, True)]
        counted = [int(((segments == segment) & (longer == half)).sum()) for half in (False, True)]
        if chosen[0] == chosen[1] or not all(counted) or pd.isna(edge):
            rows.append((segment, np.nan, np.nan, chosen[int(counted[1] > counted[0])], sum(counted)))
        else:
            rows += [(segment, np.nan, edge, chosen[0], counted[0]), (segment, edge, np.nan, chosen[1], counted[1])]
    rows.append(("*", np.nan, np.nan, strong, 0))
    return pd.DataFrame(rows, columns=["segment", "at_least", "below", "configuration", "items"])


def _order(
    items: pd.DataFrame, segments: pd.Series, cells: pd.MultiIndex, by_cost: bool, every: pd.MultiIndex
) -> list[tuple[str, bool]]:
    """Order all cells by what they lose on the weak configuration, least first."""
    gain = items["strong"].to_numpy(float) - items["weak"].to_numpy(float)
    expected = SegmentMean().fit(segments, gain).predict(segments)
    dearer = (items["strong_cost"] - items["weak_cost"]).to_numpy(float) if by_cost else np.ones(len(items))
    summed = pd.DataFrame({"gain": gain, "expected": expected, "dearer": dearer, "items": 1.0}).groupby(cells).sum()
    mean = summed["expected"] / summed["items"]
    drawn = (summed["gain"] + _CELL_STRENGTH * mean) / (summed["items"] + _CELL_STRENGTH)
    price = (summed["dearer"] / summed["items"]).clip(lower=1e-12)
    worth = (drawn / price).reindex(every.unique().sort_values()).fillna(np.inf)
    return list(worth.sort_values(kind="stable").index)


def _bounded(
    items: pd.DataFrame, cells: pd.MultiIndex, order: list[tuple[str, bool]], floor: float, confidence: float
) -> set[tuple[str, bool]]:
    """Give cells to the weak configuration in order, as long as the bound holds."""
    strong, weak = items["strong"].to_numpy(float), items["weak"].to_numpy(float)
    place = pd.Series(range(len(order)), index=pd.MultiIndex.from_tuples(order)).reindex(cells).to_numpy()
    z, given = norm.ppf(confidence), set()
    for number, cell in enumerate(order):
        loss = np.where(place <= number, floor * strong - weak, (floor - 1) * strong)
        # one item more that the weak configuration fails
        loss = np.append(loss, floor)
        if loss.mean() + z * loss.std() * np.sqrt(2 / len(loss)) > 1e-12:
            break
        given.add(cell)
    return given
