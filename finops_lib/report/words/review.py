"""Review text: what to decide this month, and where the indicators stand."""

from __future__ import annotations

from datetime import date

import pandas as pd
from IPython.display import Markdown

from finops_lib.report.labels import Label
from finops_lib.report.tables import Table
from finops_lib.report.text import UNKNOWN, count, escape_markdown, is_known, share, unit_price, usd

_NAMED = 5
_NOT_TOLD = "^(?:not known|too early|no effect)"


def review_text(
    proposals: pd.DataFrame, card: pd.DataFrame, held: pd.DataFrame, exceptions: pd.DataFrame, as_of: date | None
) -> Markdown:
    """Write the first screen of a review: what to decide, what is missed, and what earlier decisions brought.

    Parameters
    ----------
    proposals : DataFrame
        What to decide: ``kind``, ``decision``, ``owner``, ``effect`` (USD a month), ``on_record``; the most
        money first.
    card : DataFrame
        Indicators: ``kpi``, ``state``.
    held : DataFrame
        Earlier decisions: ``state``, ``verdict``.
    exceptions : DataFrame
        Exceptions: ``status``, ``cost_since_lapse`` (USD).
    as_of : date or None
        Last complete day.

    Returns
    -------
    Markdown
        The decisions of the month as a list, then three sentences.
    """
    if as_of is None:
        return Markdown(
            "**There is nothing to review.** The ledger has no complete day: add the exports of model calls, and run "
            "`finops ingest`."
        )
    parts = [_to_decide(proposals), _indicators(card), _followed(held)]
    lapsed = exceptions[exceptions["status"] == "lapsed"]
    if len(lapsed):
        cost = lapsed["cost_since_lapse"].sum(min_count=1)
        since = f"; their calls cost {usd(cost)} this month" if is_known(cost) and cost else ""
        parts.append(f"{_plural(len(lapsed), 'exception')} lapsed{since}.")
    parts.append(f"As of {as_of}. Spend is that of model calls at contracted prices.")
    return Markdown("\n\n".join(parts))


def viability_source(viable: pd.DataFrame) -> str:
    """Say what the costs of a viability rest on, and which do not compare.

    Parameters
    ----------
    viable : DataFrame
        One row per assistant: ``assistant``, ``cost_basis`` (true cost or model cost).

    Returns
    -------
    str
        A source line.

    Examples
    --------
    >>> viability_source(pd.DataFrame({"assistant": ["a"], "cost_basis": ["true cost"]}))
    'true cost is a lower bound: calls, own bills and human review, nothing of what is shared'
    """
    alone = viable.loc[viable["cost_basis"] == "model cost", "assistant"]
    bound = "true cost is a lower bound: calls, own bills and human review, nothing of what is shared"
    return f"{bound}; of {', '.join(alone)} only model cost is known, which does not compare" if len(alone) else bound


def scorecard_table(card: pd.DataFrame, title: str, source: str = "") -> Table:
    """Show a scorecard, each number in its unit and each state in words.

    Parameters
    ----------
    card : DataFrame
        One row per indicator: ``kpi``, ``formula``, ``unit`` (USD or share), ``comparison``, ``target``, ``actual``,
        ``previous``, ``change``, ``trend``, ``state``, ``cadence``, ``owner``, ``what_adds_it``.
    title : str
        What the table shows.
    source : str, optional
        Where the numbers come from.

    Returns
    -------
    Table
        The card itself is its ``frame``.
    """
    shown = pd.DataFrame(
        [
            {
                "Indicator": row["kpi"],
                "State": row["state"] if row["state"] != UNKNOWN else f"not known; {row['what_adds_it']} would tell",
                "Target": _target(row),
                "Actual": _in_unit(row["actual"], row["unit"]),
                "Before": _in_unit(row["previous"], row["unit"]),
                "Trend": _trend(row),
                "How often": row["cadence"],
                "Owner": row["owner"],
                "Formula": row["formula"],
            }
            for row in card.to_dict("records")
        ]
    )
    table = Table(shown, title, source=source, labels={name: Label(name) for name in shown.columns})
    table.frame = card
    return table


def _to_decide(proposals: pd.DataFrame) -> str:
    proposals = proposals[proposals["on_record"].isna()]
    if proposals.empty:
        return "**Nothing new asks for a decision this month.**"
    of_budgets = proposals["kind"] == "budget"
    saved, over = (-proposals.loc[rows, "effect"].clip(upper=0).sum() for rows in (~of_budgets, of_budgets))
    told = [f"savings are worth {usd(saved, cents=False)} a month"] if saved else []
    told += [f"budgets are overrun by {usd(over, cents=False)} a month"] if over else []
    start = f"**{_plural(len(proposals), 'decision')} to take this month{': ' if told else ''}{', '.join(told)}.**"
    lines = [
        f"- {escape_markdown(row['decision'])} ({_worth(row['kind'], row['effect'])}; "
        f"{escape_markdown(row['owner'] if isinstance(row['owner'], str) else 'nobody named')})"
        for row in proposals.head(_NAMED).to_dict("records")
    ]
    more = [f"- and {len(proposals) - _NAMED} more below, each with the command to record it"]
    return "\n".join([start, "", *lines, *(more if len(proposals) > _NAMED else [])])


def _worth(kind: str, effect: float) -> str:
    if not is_known(effect):
        return "no sum stated"
    side = "more" if effect > 0 else "of overrun" if kind == "budget" else "less"
    return f"{usd(abs(effect), cents=False)} a month {side}"


def _indicators(card: pd.DataFrame) -> str:
    counts = card["state"].value_counts()
    missed = card[card["state"] == "missed"]["kpi"].tolist()
    start = f"Of the indicators with a target {counts.get('met', 0)} are met and {len(missed)} missed"
    names = f": {', '.join(escape_markdown(name) for name in missed)}" if missed else ""
    unknown = counts.get(UNKNOWN, 0)
    return f"{start}{names}." + (f" {unknown} {'is' if unknown == 1 else 'are'} not known." if unknown else "")


def _followed(held: pd.DataFrame) -> str:
    if held.empty:
        return "No decision is on record yet: `finops decide` records one, and next month shows what it brought."
    due = int((held["state"] == "review due").sum())
    kept = int((held["verdict"] == "as expected").sum())
    unknown = int(held["verdict"].str.contains(_NOT_TOLD).sum())
    failed = len(held) - kept - unknown
    told = f"{kept} brought what was expected" + (f", {failed} did not" if failed else "")
    told += f", of {unknown} it is not known" if unknown else ""
    later = f"; {_plural(due, 'review')} {'is' if due == 1 else 'are'} due" if due else ""
    return f"Of {_plural(len(held), 'decision')} on record {told}{later}."


def _plural(number: int, word: str) -> str:
    return f"{count(number)} {word}{'' if number == 1 else 's'}"


def _in_unit(value: float, unit: str) -> str:
    if not is_known(value):
        return UNKNOWN
    return unit_price(value, digits=4) if unit == "USD" else share(value, decimals=1)


def _target(row: dict[str, object]) -> str:
    if not is_known(row["target"]):
        return "tracked"
    side = "within ±" if row["comparison"] == "within" else f"{row['comparison']} "
    return side + _in_unit(row["target"], str(row["unit"]))


def _trend(row: dict[str, object]) -> str:
    if not is_known(row["change"]) or row["trend"] == "flat":
        return str(row["trend"])
    if row["unit"] == "USD":
        return f"{row['trend']} {share(abs(row['change']))}"
    return f"{row['trend']} {abs(row['change']) * 100:.1f} points"
