"""Savings text: today's mix, the best levers, what the gate says and what was saved, in a few sentences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
from IPython.display import Markdown

from finops_lib.report.text import count, escape_markdown, month_name, share, usd

_EVIDENCE = {
    "measured replay": "replayed on the month's calls",
    "evaluation": "from evaluations",
    "assumption": "an assumed range: measure it first",
}
_BARRED = "holds, but its routing policy forbids it"
_ORDER = ("may be promoted", "promoted already", _BARRED, "reject", "not enough evidence")


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
        The gate's: ``assistant``, ``workflow`` (null: the whole assistant), ``candidate``, ``verdict``,
        ``is_allowed`` by the routing policy, ``promoted_on`` (null: not in production).
    savings : DataFrame
        Promotions on record by date: ``assistant``, ``workflow``, ``configuration``, ``promoted_on``, ``realised`` and
        ``realised_high`` (USD).
    totals : mapping
        ``expected``, ``realised``, ``uncertain``, ``unproven`` and, as measured so far, ``uncertain_measured``,
        ``unproven_measured`` (USD).
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
    done = replay.promoted
    span = f", of which {usd(done['low'])} is shown," if done["low"] < done["likely"] else ""
    promoted = (
        f"What is promoted already is expected to save {usd(done['likely'])} over a whole month{span} and is not "
        f"counted again; after all of it the month would have cost {usd(replay.left['likely'])}, between "
        f"{usd(replay.left['high'])} and {usd(replay.left['low'])}. "
        if done["likely"]
        else ""
    )
    return (
        f"**{month} cost {usd(replay.cost)}; all levers together would have saved about {usd(together['likely'])} "
        f"({share(together['likely'] / float(replay.cost))}), between {usd(together['low'])} and "
        f"{usd(together['high'])}.** Added up one by one they promise {usd(replay.naive)}, which counts money twice. "
        f"{promoted}{advice}"
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
    if wrong.empty:
        return f"{said} No call goes to a model its policy does not allow."
    return (
        f"{said} {count(wrong['requests'].sum())} calls go to models their policy does not allow, "
        f"{usd(wrong['breach_cost'].sum())} more than the policy's own."
    )


def _gate(verdicts: pd.DataFrame) -> str:
    if verdicts.empty:
        return "The gate has nothing to judge: no evaluation results were read; below stands which ones to make."
    live = verdicts["promoted_on"].notna()
    said = verdicts["verdict"].where(verdicts["verdict"] != "promote", "may be promoted").mask(live, "promoted already")
    barred = (said == "may be promoted") & ~verdicts["is_allowed"].astype(bool)
    said = said.mask(barred, _BARRED)
    named = [
        f"{escape_markdown(row.candidate)} ({escape_markdown(_place(row))}"
        f"{f', since {row.promoted_on}' if live[row.Index] else ''})"
        for row in verdicts.itertuples()
    ]
    groups = pd.Series(named, index=verdicts.index).groupby(said).agg(", ".join)
    told = [f"{'rejected' if name == 'reject' else name}: {groups[name]}" for name in _ORDER if name in groups]
    return f"The gate: {'; '.join(told)}."


def _realised(savings: pd.DataFrame, totals: Mapping[str, float]) -> str:
    if savings.empty:
        return "No promoted change is on record; `finops promote` puts one there, and its saving is measured from then."
    dearer = [
        f"{escape_markdown(row.configuration)} on {escape_markdown(_place(row))} ({usd(-row.realised)})"
        for row in savings[savings["realised_high"].astype("float64") < 0].itertuples()
    ]
    warning = f" Dearer than without the change: {', '.join(dearer)}; go back or explain it." if dearer else ""
    sums = (
        (totals["expected"] - totals["uncertain"], totals["realised"], "expected", ", which is beyond chance"),
        (
            totals["uncertain"],
            totals["uncertain_measured"],
            "expected",
            ", which is too early to tell apart from nothing",
        ),
        (totals["unproven"], totals["unproven_measured"], "claimed without the gate", ""),
    )
    parts = [
        f"{usd(promised)} was {verb} by now, {'nothing' if pd.isna(measured) else usd(measured)} was measured{known}"
        for promised, measured, verb, known in sums
        if promised
    ]
    changes, since = f"{count(len(savings))} changes are", savings["promoted_on"].iloc[0]
    on_record = "One change is on record" if len(savings) == 1 else f"{changes} on record, the first"
    return f"{on_record} since {since}{': ' if parts else ''}{'; '.join(parts)}.{warning}"


def gate_reasons(verdicts: pd.DataFrame) -> Markdown:
    """Write why the gate said what it said, a line a candidate.

    Parameters
    ----------
    verdicts : DataFrame
        One row a candidate: ``candidate``, ``verdict``, ``reason``.

    Returns
    -------
    Markdown
        A list; empty without candidates.
    """
    lines = [
        f"- {escape_markdown(row.candidate)}, {row.verdict}: {escape_markdown(row.reason)}"
        for row in verdicts.itertuples()
    ]
    return Markdown("\n".join(lines))


def _place(row: Any) -> str:
    return row.workflow if isinstance(row.workflow, str) else f"all of {row.assistant}"
