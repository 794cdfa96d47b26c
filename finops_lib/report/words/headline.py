"""Headline: the sentences that a reader wants first, and what they do not know."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
from IPython.display import Markdown

from finops_lib.report.text import count, escape_markdown, is_known, month_name, more_or_less, share, unit_price, usd

_NAMED = 6


def headline_text(headline: Mapping[str, Any], missing: pd.DataFrame | None = None) -> Markdown:
    """Write the sentences a reader wants first, and what they do not know.

    Parameters
    ----------
    headline : mapping
        The first-screen numbers: ``period``, ``cost``, ``requests`` and the others that the headline of
        the inform stage holds.
    missing : DataFrame, optional
        One row per thing the data does not hold, the gravest first: ``missing``, ``how_to_add``.

    Returns
    -------
    Markdown
        Short paragraphs: cost and change; volume and the largest parts; what is not known; what the
        data does not hold at all.
    """
    month = month_name(headline["period"])
    if not headline["has_traffic"]:
        label = "The ledger is empty" if headline["period"] in ("", "latest") else f"No traffic in {month}"
        first = f" To change that: {escape_markdown(missing['how_to_add'].iloc[0])}." if _rows(missing) else ""
        return Markdown(f"**{label}.** There is nothing to report until exports with its model calls are read.{first}")
    parts = [_cost_sentence(headline, month), _volume_sentence(headline), _gap_sentence(headline)]
    if _rows(missing):
        things = [escape_markdown(thing) for thing in missing["missing"]]
        more = f"; and {len(things) - _NAMED} more, listed on this page" if len(things) > _NAMED else ""
        parts.append(f"The data does not hold: {'; '.join(things[:_NAMED])}{more}.")
    return Markdown("\n\n".join(parts))


def _rows(missing: pd.DataFrame | None) -> int:
    return 0 if missing is None else len(missing)


def _cost_sentence(headline: Mapping[str, Any], month: str) -> str:
    if headline["cost"] is None:
        return f"**What {month} cost is not known:** none of its {count(headline['tokens'])} tokens has a price."
    cost = usd(headline["cost"])
    change, per_day = headline["cost_change"], headline["cost_per_day_change"]
    before = month_name(headline["previous_period"]) if headline["previous_period"] else ""
    if headline["is_partial"]:
        start = f"**{month} cost {cost} on the {headline['days']} of {headline['days_in_month']} days covered**"
    else:
        start = f"**{month} cost {cost}**"
    if change is not None:
        return f"{start}, {more_or_less(change)} {before} ({usd(headline['previous_cost'])})."
    if per_day is not None:
        partly = "" if headline["is_partial"] else f", which is covered only in part ({usd(headline['previous_cost'])})"
        return f"{start}; a day cost {more_or_less(per_day)} in {before}{partly}."
    return f"{start}. There is no earlier month to compare it with."


def _volume_sentence(headline: Mapping[str, Any]) -> str:
    tokens = f"{count(headline['tokens'], compact=True)} billed tokens"
    if headline["requests"]:
        volume = f"{count(headline['requests'])} requests used {tokens}"
        if headline["cost_per_request"] is not None:
            volume += f", {unit_price(headline['cost_per_request'])} a request"
    else:
        volume = f"The sources count {tokens} and no requests"
    top = [
        f"the {kind} {escape_markdown(headline[f'top_{kind}'])} is {share(headline[f'top_{kind}_share'])}"
        for kind in ("model", "workflow")
        if headline[f"top_{kind}"] is not None and headline[f"top_{kind}_share"] is not None
    ]
    largest = f" Of the cost, {' and '.join(top)}." if top else ""
    avoided = headline["avoided_cost"]
    saved = f" Answers from the gateway's cache avoided {usd(avoided)}." if is_known(avoided) and avoided > 0 else ""
    return f"{volume}.{largest}{saved}"


def _gap_sentence(headline: Mapping[str, Any]) -> str:
    gaps = []
    if headline["unpriced_tokens"]:
        part = f" ({share(headline['unpriced_share'])})" if headline["unpriced_share"] is not None else ""
        gaps.append(
            f"{count(headline['unpriced_tokens'], compact=True)} tokens{part} have no price and are not in the cost"
        )
    coverage = headline["coverage"]
    if coverage is not None and coverage < 1:
        gaps.append(f"{share(1 - coverage)} of the cost does not name its workflow, team and cost center")
    if not gaps:
        return "Every token is priced, and all cost names its workflow, team and cost center."
    return f"Not known: {'; '.join(gaps)}."
