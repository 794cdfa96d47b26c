"""Forecast headline: where the month is heading, how sure that is, against what budget, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from IPython.display import Markdown

from finops_lib.report.figures.drivers import STEP_NAMES, largest_step
from finops_lib.report.text import count, escape_markdown, month_name, more_or_less, share, usd


def forecast_text(
    outlook: pd.DataFrame,
    steps: pd.DataFrame,
    tested: Mapping[str, Any],
    *,
    notes: Sequence[str] = (),
    unpriced: pd.DataFrame | None = None,
    missing: pd.DataFrame | None = None,
) -> Markdown:
    """Write the sentences a reader wants first: where the month is heading, how sure, against what, and why.

    Parameters
    ----------
    outlook : DataFrame
        The projection with budgets: ``period``, ``first_day``, ``days_ahead``, ``projected``, ``lower_80``,
        ``upper_80``, ``budget``, ``allowed``, ``over``, ``outlook``.
    steps : DataFrame
        The bridge from the month before, added up.
    tested : mapping
        Summary of the back-test: ``windows``, ``wape``, ``within_10_percent``.
    notes : sequence of str
        What is odd about the history.
    unpriced : DataFrame, optional
        ``model``, ``tokens_per_day`` of models without a price.
    missing : DataFrame, optional
        One row per thing the data does not hold, the gravest first: ``how_to_add``.

    Returns
    -------
    Markdown
        Short paragraphs.
    """
    if outlook.empty:
        added = missing["how_to_add"].iloc[0] if missing is not None and len(missing) else ""
        first = f" To change that: {escape_markdown(added)}." if added else ""
        return Markdown(f"**There is no forecast.** {' '.join(notes)}{first}")
    rows = outlook.set_index("period")
    parts = [" ".join([_heading(rows), *_budget_sentences(rows)]), _why(steps), _tested(tested)]
    if unpriced is not None and len(unpriced):
        pairs = [f"{escape_markdown(model)} ({count(round(tokens), compact=True)} tokens a day)"
                 for model, tokens in zip(unpriced["model"], unpriced["tokens_per_day"], strict=True)]  # fmt: skip
        parts.append(f"Not in any of these figures, because it has no price: {', '.join(pairs)}.")
    parts += [escape_markdown(note) for note in notes]
    return Markdown("\n\n".join(part for part in parts if part))


def _heading(rows: pd.DataFrame) -> str:
    month, coming = rows.loc["month"], rows.loc["next_month"]
    named, next_named = (month_name(f"{row['first_day']:%Y-%m}") for row in (month, coming))
    ahead = (
        f"{usd(coming['projected'])}, in 8 of 10 cases between {usd(coming['lower_80'])} and {usd(coming['upper_80'])}"
    )
    if not month["days_ahead"]:
        return f"**{named} cost {usd(month['projected'])}; {next_named} is heading for {ahead}.**"
    spread = f"in 8 of 10 cases between {usd(month['lower_80'])} and {usd(month['upper_80'])}"
    return f"**{named} is heading for {usd(month['projected'])}, {spread}** ({usd(month['actual'])} so far)."


def _budget_sentences(rows: pd.DataFrame) -> list[str]:
    held = rows[rows["allowed"].notna()]
    if held.empty:
        return ["No budget is set for all of it, so there is nothing to hold this against."]
    sentences = []
    for period, row in held.iterrows():
        over = f"{usd(abs(row['over']))} {'over' if row['over'] > 0 else 'below'}"
        ends = "came to" if not row["days_ahead"] else "is heading for"
        name = escape_markdown(row["budget"])
        sentences.append(
            f"The {period}'s budget “{name}” allows {usd(row['allowed'])}; the {period} "
            f"{ends} {usd(row['projected'])}, {over}" + (f": {row['outlook']}." if row["days_ahead"] else ".")
        )
    return sentences


def _why(steps: pd.DataFrame) -> str:
    largest = largest_step(steps)
    if largest is None:
        return "There is no month before to say why."
    before, after = (float(steps["amount"].iloc[place]) for place in (0, -1))
    amount = float(largest["amount"])
    verb = "added" if amount > 0 else "took away"
    moved = f"{more_or_less(after / before - 1)} the month before" if before > 0 else "after a month without cost"
    return (
        f"Why: the month cost {moved} ({usd(after)} after {usd(before)}); {STEP_NAMES[largest['step']].lower()} {verb} "
        f"{usd(abs(amount))}, most of it in {escape_markdown(largest['carried_by'])}."
    )


def _tested(tested: Mapping[str, Any]) -> str:
    if not tested["windows"]:
        return "How wrong the forecast has been cannot be said yet: the history is too short to test it on."
    near = round(tested["within_10_percent"] * tested["windows"])
    return (
        f"How wrong it has been: {share(tested['wape'])} of the total over {tested['windows']} windows of 30 days of "
        f"its own past; {near} of them within 10%."
    )
