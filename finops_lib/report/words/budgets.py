"""Budget text: where the money stands against the budget, how it will end, and who must act."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import pandas as pd
from IPython.display import Markdown

from finops_lib.report.text import count, escape_markdown, month_name, share, usd

_LONG_SPANS = {"month": "this month", "quarter": "this quarter", "year": "this year"}
_URGENT = ("critical", "high")
_NAMED = 4


def budget_text(
    lead: Mapping[str, Any],
    summary: pd.DataFrame,
    alerts: pd.DataFrame,
    proposals: pd.DataFrame,
    as_of: date | None,
) -> Markdown:
    """Write the first screen on budgets.

    Parameters
    ----------
    lead : mapping
        The budget to begin with, as a row of ``summary``.
    summary : DataFrame
        One row per budget, the one nearest to an overrun first: ``allowed``, ``spent``, ``projected`` and its range
        (USD), ``overrun_probability``, ``days_until_exhausted``, ``last_day``.
    alerts : DataFrame
        What somebody has to be told: ``severity``, ``subject``, ``message``, owners, ``action``.
    proposals : DataFrame
        Assistants without a budget: ``assistant``, ``proposed`` (USD a quarter), ``entry``.
    as_of : date or None
        Last complete day.

    Returns
    -------
    Markdown
        What is spent, expected and probable; who must act; what has no budget.
    """
    if as_of is None:
        reason = "There is no complete day in the ledger: add the exports of model calls, and run `finops ingest`."
        return Markdown(f"**Nothing is known of any budget.** {reason}")
    nearest = summary[summary["budget"] != lead["budget"]].head(1).to_dict("records")
    parts = [_standing(row) for row in (lead, *nearest)] if len(summary) else [_without(proposals)]
    parts += _actions(alerts)
    if len(summary) and len(proposals):
        names = ", ".join(escape_markdown(name) for name in proposals["assistant"])
        parts.append(f"Without a budget: {names}; below stands what their forecast proposes.")
    day = f"{as_of.day} {month_name(f'{as_of:%Y-%m}')}"
    parts.append(f"As of {day}. Spend is that of model calls at contracted prices.")
    return Markdown("\n\n".join(parts))


def _standing(row: Mapping[str, Any]) -> str:
    name, span = escape_markdown(row["budget"]), _LONG_SPANS[row["period"]]
    start = f"**{name}: {usd(row['spent'])} of {usd(row['allowed'])} spent {span}** ({share(row['used_share'])})"
    if pd.isna(row["projected"]):
        return f"{start}. Nothing was ever spent on it, so there is no forecast."
    if not row["days_ahead"]:
        over = float(row["spent"]) - float(row["allowed"])
        return f"{start}; the period is over, " + (
            f"{usd(over)} beyond it." if over > 0 else "and the budget was kept."
        )
    expected = f"{usd(row['projected'])} expected by {row['last_day']:%Y-%m-%d}"
    within = f"{usd(row['lower_80'])} to {usd(row['upper_80'])} in 8 of 10 cases"
    gone = row["days_until_exhausted"]
    money = "lasts beyond the period" if pd.isna(gone) else f"is gone in {count(gone)} days" if gone else "is gone"
    probability = share(row["overrun_probability"])
    return f"{start}; {expected} ({within}). An overrun is {probability} probable; the money {money}."


def _actions(alerts: pd.DataFrame) -> list[str]:
    urgent = alerts[alerts["severity"].isin(_URGENT)]
    if urgent.empty:
        return ["Nobody has to act now." + (f" {len(alerts)} lesser alerts stand below." if len(alerts) else "")]
    lines = []
    for row in urgent.head(_NAMED).to_dict("records"):
        who = (
            " and ".join(dict.fromkeys(filter(pd.notna, (row["technical_owner"], row["budget_owner"]))))
            or "nobody named"
        )
        what = f"{row['subject']}, {row['kind']}, {usd(row['money'])}"
        lines.append(f"- **{escape_markdown(who)}** ({escape_markdown(what)}): {escape_markdown(row['action'])}.")
    more = [f"- and {len(urgent) - _NAMED} more below"] if len(urgent) > _NAMED else []
    return ["\n".join(["Who must act:", "", *lines, *more])]


def _without(proposals: pd.DataFrame) -> str:
    start = "**No budget is in force.** Add one to the file of an assistant, or to parameters/organisation.yaml"
    if proposals.empty:
        return f"{start}: a name, an amount and a period under the key budgets."
    row = proposals.loc[proposals["projected"].idxmax()]
    return f"{start}; the forecast of {escape_markdown(row['assistant'])} would say:\n\n    {row['entry']}"
