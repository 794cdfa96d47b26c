"""Savings text: today's mix, the best levers, what the gate says and what was saved, in a few sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from IPython.display import Markdown

from finops_lib.report.text import count, escape_markdown, month_name, share, usd

_EVIDENCE = {
    "measured replay": "replayed on the month's calls",
    "evaluation": "from evaluations",
    "assumption": "an assumed range: measure it first",
}


def savings_text(
    mix: pd.DataFrame,
    breaches: pd.DataFrame,
    replay: Any,
    verdicts: pd.DataFrame,
    savings: pd.DataFrame,
    totals: Mapping[str, float],
    *,
    period: str,
) -> Markdown:
    """Write what somebody who decides on savings wants first.

    Parameters
    ----------
    mix : DataFrame
        Traffic by ``tier``: ``requests``, ``cost`` (USD).
    breaches : DataFrame
        Where it left the routing policy: ``breach_cost`` (USD), ``assistant``, ``workflow``, ``breach``.
    replay : LeverReplay
        The levers on the month.
    verdicts : DataFrame
        The gate's: ``workflow``, ``candidate``, ``verdict``.
    savings : DataFrame
        Promotions on record: ``assistant``, ``workflow``, ``configuration``, ``realised`` and ``realised_high`` (USD).
    totals : mapping
        ``expected``, ``realised``, ``uncertain``, ``unproven`` (USD).
    period : str
        Month ``YYYY-MM``.

    Returns
    -------
    Markdown
        Four short paragraphs.
    """
    month = month_name(period) if period else "this month"
    if not replay.cost:
        return Markdown(f"**No priced traffic in {month}:** there is nothing to save. `finops ingest` reads exports.")
    parts = [_levers(replay, month), _mix(mix, breaches), _gate(verdicts), _realised(savings, totals)]
    return Markdown("\n\n".join(parts))


def _levers(replay: Any, month: str) -> str:
    together = replay.combined
    if not len(replay.backlog):
        return f"**{month} cost {usd(replay.cost)}, and no lever applies to it.**"
    gated = ", for parts of the traffic: put it through the gate first"
    best = [
        f"{row.lever} on {escape_markdown(row.workflow)} ({usd(row.saving)}, {_EVIDENCE[row.evidence]}"
        f"{gated if 'to be gated' in row.measure else ''})"
        for row in replay.backlog[replay.backlog["advice"] == "first"].itertuples(index=False)
    ]
    advice = f"Begin with: {'; '.join(best)}." if best else "Each line of it is too small to spend a week on."
    return (
        f"**{month} cost {usd(replay.cost)}; all levers together would have saved about {usd(together['likely'])} "
        f"({share(together['likely'] / float(replay.cost))}), between {usd(together['low'])} and "
        f"{usd(together['high'])}.** Added up one by one they promise {usd(replay.naive)}, which nobody will see. "
        f"{advice}"
    )


def _mix(mix: pd.DataFrame, breaches: pd.DataFrame) -> str:
    if mix.empty:
        return "Which tiers of models serve the traffic is not known."
    tiers = mix.groupby("tier")[["requests", "cost"]].sum().astype("float64").sort_values("cost", ascending=False)
    first = tiers.index[0]
    parts = tiers / tiers.sum()
    said = (
        f"Models of the tier {str(first).replace('_', ' ')} serve {share(parts.loc[first, 'requests'])} of the calls "
        f"for "
        f"{share(parts.loc[first, 'cost'])} of the cost."
    )
    broken = breaches[breaches["exception"] != "active"] if len(breaches) else breaches
    if broken.empty:
        return f"{said} No traffic is known to break the routing policy."
    wrong = broken[broken["rule"] == "model"]
    return (
        f"{said} {count(wrong['requests'].sum())} calls go to models their policy does not allow, "
        f"{usd(wrong['breach_cost'].sum())} more than the policy's own."
    )


def _gate(verdicts: pd.DataFrame) -> str:
    if verdicts.empty:
        return "The gate has nothing to judge: no evaluation results were read; below stands which ones to make."
    groups: dict[str, Sequence[str]] = {
        verdict: [f"{escape_markdown(row.candidate)} ({escape_markdown(row.workflow)})" for row in rows.itertuples()]
        for verdict, rows in verdicts.groupby("verdict")
    }
    words = {"promote": "may be promoted", "reject": "rejected", "not enough evidence": "not enough evidence"}
    said = [f"{label}: {', '.join(groups[name])}" for name, label in words.items() if name in groups]
    return f"The gate: {'; '.join(said)}."


def _realised(savings: pd.DataFrame, totals: Mapping[str, float]) -> str:
    if savings.empty:
        return "No promoted change is on record; `finops promote` puts one there, and its saving is measured from then."
    dearer = [
        f"{escape_markdown(row.configuration)} on {escape_markdown(row.place)} ({usd(-row.realised)})"
        for row in savings[savings["realised_high"].astype("float64") < 0]
        .assign(place=savings["workflow"].fillna(savings["assistant"]))
        .itertuples()
    ]
    warning = f" Dearer than without the change: {', '.join(dearer)}; go back or explain it." if dearer else ""
    return (
        f"On record: {count(len(savings))} changes. Expected by now {usd(totals['expected'])}, "
        f"shown {usd(totals['realised'])}, "
        f"still uncertain {usd(totals['uncertain'])}, claimed without the gate {usd(totals['unproven'])}.{warning}"
    )
