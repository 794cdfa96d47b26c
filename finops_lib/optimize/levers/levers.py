"""Levers: what each would have saved on the month's traffic, replayed one after the other so that savings compose."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

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


@dataclass(frozen=True)
class LeverReplay:
    """What the levers would have saved on the month, together.

    Parameters
    ----------
    cost : Decimal
        The month as it was (USD, exact).
    waterfall : DataFrame
        One row per lever in the order of work: ``lever``, ``alone`` (its likely saving by itself), ``saving_low``,
        ``saving``, ``saving_high`` (after the likely savings of the levers before it), ``remaining`` (likely cost
        after it), ``evidence``, ``mechanism``, ``risk``.
    backlog : DataFrame
        One row per lever × assistant × workflow that saves something, most money first: ``rank``, those names,
        ``saving_low``, ``saving``, ``saving_high``, ``share_of_cost``, ``evidence``, ``measure`` in words, ``risk``
        and ``advice``: ``first``, ``later``, ``too small``, or ``on record`` for what is promoted already.
    combined : dict
        ``low``, ``likely`` and ``high`` saving of all levers together.
    naive : float
        Sum of what each lever would save alone: never less than they save together.
    """

    cost: Decimal
    waterfall: pd.DataFrame
    backlog: pd.DataFrame
    combined: dict[str, float]
    naive: float


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
        Changes in production: their lines of the backlog are marked, not advised again.

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
    left = np.repeat(cost[:, None], len(BOUNDS), axis=1)
    steps, lines = [], []
    for lever, (mechanism, risk) in LEVERS.items():
        if lever not in estimates or estimates[lever].empty:
            continue
        found = estimates[lever]
        rows = cells.index.get_indexer(found.index)
        shares = found[list(BOUNDS)].to_numpy(dtype="float64").clip(0, 1)
        saved = left[rows, 1][:, None] * shares  # its own range, of what the others likely left
        left[rows] *= 1 - shares
        line = cells.loc[found.index, ["assistant", "workflow"]].assign(
            lever=lever, evidence=found["evidence"], measure=found["measure"], risk=risk,
            **dict(zip(_SAVINGS, saved.T, strict=True)),
        )  # fmt: skip
        lines.append(line)
        alone = float((cost[rows] * shares[:, 1]).sum())
        evidence = ", ".join(sorted(found["evidence"].unique()))
        steps.append((lever, alone, *saved.sum(axis=0), left[:, 1].sum(), evidence, mechanism, risk))
    waterfall = pd.DataFrame(steps, columns=["lever", "alone", *_SAVINGS, "remaining", "evidence", "mechanism", "risk"])
    whole = float(cost.sum())
    return LeverReplay(
        cost=Decimal(total(cells["contracted_cost"]) or 0),
        waterfall=waterfall,
        backlog=_backlog(lines, whole, smallest_saving, on_record),
        combined={name: float(whole - rest) for name, rest in zip(BOUNDS, left.sum(axis=0), strict=True)},
        naive=float(waterfall["alone"].sum()),
    )


def _backlog(
    lines: list[pd.DataFrame], cost: float, smallest_saving: float, on_record: Sequence[Promotion]
) -> pd.DataFrame:
    """Rank what there is to do by the money at stake, and say what to leave alone."""
    names = ["lever", "assistant", "workflow", "evidence", "measure", "risk"]
    columns = ["rank", *names[:3], *_SAVINGS, "share_of_cost", *names[3:], "advice"]
    if not lines:
        return pd.DataFrame(columns=columns)
    found = pd.concat(lines).groupby(names, sort=True).sum().reset_index()
    found = found[found["saving_high"] > 0]
    found = found.sort_values(["saving", "saving_high", *names[:3]], ascending=[False, False, True, True, True])
    found = found.reset_index(drop=True)
    found["rank"] = found.index + 1
    found["share_of_cost"] = found["saving"] / cost if cost else np.nan
    small = found["saving_high"].where(found["saving"] == 0, found["saving"]) < smallest_saving
    promoted = pd.Series([_is_on_record(line, on_record) for line in found.itertuples()], index=found.index, dtype=bool)
    place = (~promoted).cumsum()
    found["advice"] = np.select([promoted, small, place <= TOP], ["on record", "too small", "first"], "later")
    return found[columns]


def _is_on_record(line: Any, promotions: Sequence[Promotion]) -> bool:
    """Tell whether the lever is pulled there already; of routes, the very one: another may still save."""
    proposed = line.measure.partition("→")[2].replace(",", " ").split()
    return any(
        (line.lever, line.assistant) == (record.lever, record.assistant)
        and record.workflow in (None, line.workflow)
        and (line.lever != "routing" or record.configuration in proposed)
        for record in promotions
    )
