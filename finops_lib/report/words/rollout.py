"""Rollout text: how far the 90 days are, and what to do next, for somebody who reads nothing else."""

from __future__ import annotations

from datetime import date

import pandas as pd
from IPython.display import Markdown

from finops_lib.report.text import escape_markdown

_DAYS = 90


def rollout_text(state: pd.DataFrame, actions: pd.DataFrame, *, start: date | None, as_of: date | None) -> Markdown:
    """Write how many items are done, and the next actions with their owner.

    Parameters
    ----------
    state : DataFrame
        Items with their ``state``.
    actions : DataFrame
        ``what``, ``responsible``, ``due``, ``state``, ``remedy``; the most urgent first.
    start, as_of : date or None
        First day of the 90, and the day looked from.

    Returns
    -------
    Markdown
        A sentence with the counts, what the dates say, then the actions as a list.
    """
    counts = state["state"].value_counts()
    told = [f"{counts.get(name, 0)} {name}" for name in ("proved", "attested", "open", "overdue")]
    lost = f", {counts['regressed']} proved once and lost again" if counts.get("regressed", 0) else ""
    parts = [f"**Of {len(state)} items, {', '.join(told)}{lost}.** {_dates(start, as_of)}"]
    if as_of is None:
        parts.append("The ledger is empty: what only calls can prove stays open until exports are read (`sources`).")
    listed = [
        f"{place}. **{escape_markdown(one.what)}** – {escape_markdown(one.responsible)}, {_due(one)}. "
        f"{escape_markdown(one.remedy[:1].upper() + one.remedy[1:])}."
        for place, one in enumerate(actions.itertuples(), start=1)
    ]
    parts.append("What to do next:\n\n" + "\n".join(listed) if listed else "Nothing is left to do.")
    return Markdown("\n\n".join(parts))


def _dates(start: date | None, as_of: date | None) -> str:
    if start is None:
        return (
            "The 90 days have no first day yet, so nothing is overdue: set `rollout: {start: …}` in "
            "parameters/organisation.yaml."
        )
    if as_of is None:
        return f"The 90 days begin on {start}."
    day = (as_of - start).days + 1
    if day < 1:
        return f"The 90 days begin on {start}."
    return f"Today is day {day} of 90." if day <= _DAYS else f"The 90 days ended {day - _DAYS} days ago."


def _due(action: object) -> str:
    if action.due is None or pd.isna(action.due):
        return action.state
    return f"{action.state}, due {action.due}"
