"""Levers: what each would have saved on the month's traffic, replayed one after the other so that savings compose."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from finops_lib.inform.measures import total
from finops_lib.inform.scope import UNATTRIBUTED

if TYPE_CHECKING:
    from finops_lib.settings import Promotion

KEYS = ("provider", "assistant", "workflow", "environment", "category", "model", "service_tier", "token_class")
BOUNDS = ("low", "likely", "high")
TOP = 3
_SAVINGS = ("saving_low", "saving", "saving_high")

LEVERS: dict[str, tuple[str, str]] = {
    "policy": ("what should not run at all is stopped: lapsed sandboxes, endless answers, retries", "legitimate work"
               " is blocked"),
    "compression": ("history is summarised, instructions and tool definitions are trimmed", "needed context is lost"),
    "routing": ("easy requests go to cheaper models", "quality falls where requests are misrouted"),
    "context": ("fewer and better passages are retrieved, inputs are bounded", "the passage that mattered is cut"),
    "response cache": ("equal questions are answered from the gateway's cache", "answers are stale"),
    "semantic cache": ("like questions are answered from the cache", "the answer is to another question"),
    "prompt cache": ("a stable prefix is read at the provider's cached price", "writes that nobody reads cost more"),
    "batch": ("what can wait is sent in batches at a lower price", "answers come hours later"),
    "self-hosting": ("an open-weight model on own GPUs", "idle GPUs and the people who run them"),
    "contract": ("a discount on spend that is committed", "the commitment outlives the use"),
}  # fmt: skip
"""Levers in the order of work, with mechanism and main risk; what is seen to be waste is stopped first."""

PROMOTED = "promoted already"
SHOWN, EXPECTED = "on record", "expected, not yet shown"


@dataclass(frozen=True)
class LeverReplay:
    """What the levers would have saved on the month, together.

    Parameters
    ----------
    cost : Decimal
        The month as it was (USD, exact).
    waterfall : DataFrame
        One row for what is promoted already, then one per lever in the order of work: ``lever``, ``alone`` (its
        likely saving by itself), ``saving_low``, ``saving``, ``saving_high`` (after the likely savings of the levers
        before it), ``remaining`` (likely cost after it), ``evidence``, ``mechanism``, ``risk``.
    backlog : DataFrame
        One row per lever × assistant × workflow that saves something, most money first: ``rank``, those names,
        ``saving_low``, ``saving``, ``saving_high``, ``share_of_cost``, ``evidence``, ``measure`` in words, ``risk``,
        ``advice`` (``first``, ``later``, ``too small``, or ``on record`` for what is promoted already) and
        ``promoted_on``.
    combined : dict
        ``low``, ``likely`` and ``high`` saving of all levers together, of what is promoted already apart: the more
        that saves, the less is left to them.
    naive : float
        Sum of what each of them would save alone: never less than they save together.
    promoted : dict
        ``low``, ``likely`` and ``high`` saving of what is promoted already, had it served all month; from 0 where the
        saving is not shown.
    left : dict
        What the month would have cost after all of it, at the ``low``, ``likely`` and ``high`` savings.
    period : str
        The month, ``YYYY-MM``.
    """

    cost: Decimal
    waterfall: pd.DataFrame
    backlog: pd.DataFrame
    combined: dict[str, float]
    naive: float
    promoted: dict[str, float]
    left: dict[str, float]
    period: str


def lever_cells(costs: pd.DataFrame) -> pd.DataFrame:
    """Add the month's ledger up to the grain levers work at.

    Parameters
    ----------
    costs : DataFrame
        Ledger of the month, one row per day × dimensions × SKU.

    Returns
    -------
    DataFrame
        One row per ``KEYS`` with a known cost: ``tokens`` (billed), ``contracted_cost`` (exact USD), ``cost`` (the
        same as float), ``is_listed`` (billed at the list price). What is not known is called unattributed.
    """
    frame = costs[costs["contracted_cost"].notna()]
    keys = pd.DataFrame({name: frame[name].astype(object) for name in KEYS}).fillna(UNATTRIBUTED)
    keys["tokens"] = frame["pricing_quantity"].astype("float64")
    keys["contracted_cost"], keys["list"] = frame["contracted_cost"], frame["list_cost"].astype("float64")
    cells = keys.groupby(list(KEYS), sort=True).sum().reset_index()
    cells["cost"] = cells["contracted_cost"].astype("float64")
    cells["is_listed"] = np.isclose(cells["cost"], cells.pop("list"), rtol=1e-6, atol=0)
    return cells


def replay_levers(
    cells: pd.DataFrame,
    estimates: Mapping[str, pd.DataFrame],
    *,
    smallest_saving: float = 500,
    on_record: Sequence[Promotion] = (),
    shown: Sequence[Promotion] = (),
    period: str = "",
) -> LeverReplay:
    """Replay the levers on the month, one after the other: each saves only of what the others left.

    Parameters
    ----------
    cells : DataFrame
        As ``lever_cells`` returns them.
    estimates : mapping
        Lever → one row per cell it touches (index as in ``cells``): ``low``, ``likely``, ``high`` (shares of the
        cell's cost it saves), ``evidence``, ``measure``. As ``estimate_levers`` returns them.
    smallest_saving : float
        USD a month below which a line of the backlog is too small to bother with.
    on_record : sequence of Promotion
        Changes in production: they save first, are marked in the backlog and not advised again.
    shown : sequence of Promotion
        Those of them whose saving is measured beyond chance; the others may save nothing.
    period : str
        The month, ``YYYY-MM``.

    Returns
    -------
    LeverReplay
        In the order of ``LEVERS``.

    Notes
    -----
    With shares f of levers l, a cell of cost c keeps c·Π(1 − f_l); lever l saves c·f_l·Π_{k<l}(1 − f_k). As
    1 − Π(1 − f) ≤ Σf, all together never save more than the sum of each alone, nor more than there is.

    References
    ----------
    Requirements F3 and F5.

    Examples
    --------
    >>> place = {"assistant": ["a"], "workflow": ["w"]}
    >>> cells = pd.DataFrame(place | {"contracted_cost": [Decimal(100)], "cost": [100.0]})
    >>> half = pd.DataFrame({"low": [0.0], "likely": [0.5], "high": [0.5], "evidence": "assumption", "measure": "m"})
    >>> replay = replay_levers(cells, {"routing": half, "batch": half})
    >>> replay.naive, replay.combined
    (100.0, {'low': 0.0, 'likely': 75.0, 'high': 75.0})
    """
    cost = cells["cost"].to_numpy(dtype="float64")
    found = {
        lever: estimates[lever].assign(promoted_on=_since(lever, cells, estimates[lever], on_record))
        for lever in LEVERS
        if lever in estimates and len(estimates[lever])
    }
    lines, steps, known = [], [], set()
    served = np.ones((len(cost), len(BOUNDS)))  # the part of each cell that what is promoted leaves
    for lever, rows in found.items():
        done = rows[rows["promoted_on"].notna()]
        if len(done):
            is_shown = _since(lever, cells, done, shown).notna()
            known |= set(is_shown)
            lines.append(_pull(lever, done.assign(low=done["low"].where(is_shown, 0.0)), cells, cost, served))
    promoted = cost @ (1 - served)
    if lines:
        evidence = ", ".join(name for name, there in ((EXPECTED, False), (SHOWN, True)) if there in known)
        told = (evidence, "changes in production, as if they had served all month", "their cost drifts")
        steps.append((PROMOTED, promoted[1], *promoted, cost @ served[:, 1], *told))
    base, kept = cost * served[:, 1], np.ones_like(served)
    for lever, rows in found.items():
        still = rows[rows["promoted_on"].isna()]
        if still.empty:
            continue
        alone = base[cells.index.get_indexer(still.index)] @ still["likely"].to_numpy(dtype="float64").clip(0, 1)
        lines.append(_pull(lever, still, cells, base, kept))
        evidence = ", ".join(sorted(still["evidence"].unique()))
        saved = lines[-1][list(_SAVINGS)].sum()
        steps.append((lever, float(alone), *saved, base @ kept[:, 1], evidence, *LEVERS[lever]))
    waterfall = pd.DataFrame(steps, columns=["lever", "alone", *_SAVINGS, "remaining", "evidence", "mechanism", "risk"])
    ends = {
        # where what is promoted saves most, least is left to the levers
        "combined": cost @ (served[:, ::-1] * (1 - kept)),
        "promoted": promoted,
        "left": cost @ (served * kept),
    }
    return LeverReplay(
        cost=Decimal(total(cells["contracted_cost"]) or 0),
        waterfall=waterfall,
        backlog=_backlog(lines, float(cost.sum()), smallest_saving),
        naive=float(waterfall.loc[waterfall["lever"] != PROMOTED, "alone"].sum()),
        period=period,
        **{name: dict(zip(BOUNDS, map(float, values), strict=True)) for name, values in ends.items()},
    )


def _pull(lever: str, found: pd.DataFrame, cells: pd.DataFrame, cost: np.ndarray, left: np.ndarray) -> pd.DataFrame:
    """Take a lever's shares off what is left of its cells, and return what each saves."""
    rows = cells.index.get_indexer(found.index)
    shares = found[list(BOUNDS)].to_numpy(dtype="float64").clip(0, 1)
    saved = (cost * left[:, 1])[rows][:, None] * shares  # its own range, of what the others likely left
    left[rows] *= 1 - shares
    named = found[["evidence", "measure", "promoted_on"]].assign(lever=lever, risk=LEVERS[lever][1])
    return cells.loc[found.index, ["assistant", "workflow"]].assign(
        **named, **dict(zip(_SAVINGS, saved.T, strict=True))
    )


def _since(lever: str, cells: pd.DataFrame, found: pd.DataFrame, promotions: Sequence[Promotion]) -> pd.Series:
    """Tell for each cell since when the lever is pulled there; of routes, the very one: another may still save."""
    if not promotions:
        return pd.Series(None, index=found.index, dtype=object)

    def day(assistant: str, workflow: str, measure: str) -> date | None:
        proposed = measure.partition("→")[2].replace(",", " ").split()
        dates = [
            record.promoted_on
            for record in promotions
            if (lever, assistant) == (record.lever, record.assistant)
            and record.workflow in (None, workflow)
            and (lever != "routing" or record.configuration in proposed)
        ]
        return min(dates, default=None)

    places = cells.loc[found.index, ["assistant", "workflow"]].assign(measure=found["measure"])
    known = {place: day(*place) for place in places.drop_duplicates().itertuples(index=False, name=None)}
    days = [known[place] for place in places.itertuples(index=False, name=None)]
    return pd.Series(days, index=found.index, dtype=object)


def _backlog(lines: list[pd.DataFrame], cost: float, smallest_saving: float) -> pd.DataFrame:
    """Rank what there is to do by the money at stake, and say what to leave alone."""
    names = ["lever", "assistant", "workflow", "evidence", "measure", "risk"]
    columns = ["rank", *names[:3], *_SAVINGS, "share_of_cost", *names[3:], "advice", "promoted_on"]
    if not lines:
        return pd.DataFrame(columns=columns)
    grouped = pd.concat(lines).groupby(names, sort=True)
    found = grouped[list(_SAVINGS)].sum().join(grouped["promoted_on"].first()).reset_index()
    found = found[found["saving_high"] > 0]
    found = found.sort_values(["saving", "saving_high", *names[:3]], ascending=[False, False, True, True, True])
    found = found.reset_index(drop=True)
    found["rank"] = found.index + 1
    found["share_of_cost"] = found["saving"] / cost if cost else np.nan
    small = found["saving_high"].where(found["saving"] == 0, found["saving"]) < smallest_saving
    promoted = found["promoted_on"].notna()
    place = (~promoted).cumsum()
    found["advice"] = np.select([promoted, small, place <= TOP], ["on record", "too small", "first"], "later")
    return found[columns]
