"""Portfolio text: four questions in a line each, and the way to each assistant's pages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import pandas as pd
from IPython.display import Markdown

from finops_lib.report.text import escape_markdown, is_known, more_or_less, share, unit_price, usd

_PAGES = {
    "03_cost_profile": "cost profile",
    "05_forecast": "forecast",
    "06_routing_savings": "routing and savings",
    "07_budget_alerts": "budget and alerts",
    "08_rollout_90_day": "rollout",
    "09_monthly_review": "monthly review",
}
_NAMED = 3


def portfolio_text(answers: Mapping[str, Any], projection: pd.DataFrame) -> Markdown:
    """Answer the four questions of the first screen in one line each.

    Parameters
    ----------
    answers : mapping
        ``day``, ``yesterday``, ``usual``, ``over`` (budgets), ``model`` and ``model_cost``, ``spike_team``,
        ``spike_now``, ``spike_before``, ``is_spike``, ``spike_cause``; null where not known.
    projection : DataFrame
        One row per ``period``: ``projected``, ``lower_80`` and ``upper_80`` (USD); that of the year is told.

    Returns
    -------
    Markdown
        Four bold questions with their answers, then where the year is forecast to end.
    """
    if answers["day"] is None:
        return Markdown("**The ledger is empty.** Add the exports of model calls, and run `finops ingest`.")
    lines = [
        f"**What did we spend yesterday ({answers['day']})?** {_yesterday(answers)}",
        f"**Who is over budget, or heading there?** {_over(answers['over'])}",
        f"**Which model costs most per resolved task?** {_model(answers)}",
        f"**{'Who is behind the spike' if answers['is_spike'] else 'Whose spend rose most'}?** {_spike(answers)}",
    ]
    year = projection[projection["period"] == "year"].to_dict("records") if len(projection) else []
    if year and is_known(year[0]["projected"]):
        within = f"{usd(year[0]['lower_80'], cents=False)} to {usd(year[0]['upper_80'], cents=False)} in 8 of 10 cases"
        lines.append(f"The year is forecast to end at {usd(year[0]['projected'], cents=False)} ({within}).")
    return Markdown("\n\n".join(lines))


def portfolio_links(rows: pd.DataFrame, period: str) -> Markdown:
    """Link each assistant to its pages of the same month.

    Parameters
    ----------
    rows : DataFrame
        ``assistant``, ``title``, ``state``, ``why``.
    period : str
        Month ``YYYY-MM``.

    Returns
    -------
    Markdown
        A list; the addresses are those of the pages on the site, seen from a page of the organisation.
    """
    if not len(rows):
        return Markdown("No assistant has parameters yet, and none is named by a call.")
    if not period:
        return Markdown("There is no page to link to: the ledger is empty.")
    lines = []
    for row in rows.to_dict("records"):
        folder = f"../../{quote(row['assistant'])}/{quote(period)}"
        links = ", ".join(f"[{words}]({folder}/{page}.html)" for page, words in _PAGES.items())
        lines.append(
            f"- **{escape_markdown(row['title'])}**, {row['state']}: {escape_markdown(row['why'])}. Pages: {links}"
        )
    return Markdown("\n".join(lines))


def _yesterday(answers: Mapping[str, Any]) -> str:
    if not is_known(answers["usual"]) or not answers["usual"]:
        return f"{usd(answers['yesterday'])}; there is no earlier week to compare with."
    change = more_or_less(answers["yesterday"] / answers["usual"] - 1)
    return f"{usd(answers['yesterday'])}, {change} usual on that weekday ({usd(answers['usual'])})."


def _over(over: list[dict[str, Any]]) -> str:
    if not over:
        return "No budget in force will probably be exceeded; a budget that is missing cannot be."
    told = [
        f"{escape_markdown(row['budget'])} ({usd(row['projected'], cents=False)} "
        f"{'of' if row['used_share'] > 1 else 'expected of'} {usd(row['allowed'], cents=False)}, "
        f"{'exceeded' if row['used_share'] > 1 else share(row['overrun_probability']) + ' probable'})"
        for row in over[:_NAMED]
    ]
    return "; ".join(told) + (f"; and {len(over) - _NAMED} more." if len(over) > _NAMED else ".")


def _model(answers: Mapping[str, Any]) -> str:
    if answers["model"] is None:
        return "Not known: no call says how its task ended."
    cost = unit_price(answers["model_cost"])
    return f"{escape_markdown(answers['model'])}: {cost} a resolved task; models do different work."


def _spike(answers: Mapping[str, Any]) -> str:
    if answers["spike_team"] is None:
        return "No team spent more than a week ago, as far as calls name their team."
    now, before = answers["spike_now"], answers["spike_before"]
    start = f"{escape_markdown(answers['spike_team'])}: {usd(now)} in seven days, {usd(before)} in the seven before."
    cause = answers["spike_cause"]
    return (
        f"{start} Largest unusual event: {escape_markdown(cause)}."
        if cause
        else f"{start} No unusual event is behind it."
    )
