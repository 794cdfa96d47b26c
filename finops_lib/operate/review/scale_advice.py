"""Scale advice: own hosting, fine-tuning and a second provider, each only where all its conditions hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

import pandas as pd

from finops_lib.inform.scope import UNATTRIBUTED, days, dimension_values
from finops_lib.operate.review.decisions_held import DAYS_A_MONTH
from finops_lib.settings import Promotion, RoutingPolicy

_COLUMNS = ("advice", "about", "condition", "found", "limit", "unit", "holds", "advised")
_WINDOW_DAYS = 28
_MANY_CALLS = 100_000
_SHORT_ANSWER = 300
_EXAMPLES = 1_000
_MATERIAL = 500
_TUNED = ("compression", "context")


def scale_advice(
    triggers: pd.DataFrame,
    costs: pd.DataFrame,
    usage: pd.DataFrame,
    as_of: date | None,
    *,
    policies: Mapping[tuple[str, str], RoutingPolicy],
    promotions: Sequence[Promotion] = (),
) -> pd.DataFrame:
    """Hold each advice against its conditions, and show the values.

    Parameters
    ----------
    triggers : DataFrame
        As ``inform.economic_triggers`` returns them.
    costs, usage : DataFrame
        Ledger and usage, all months known.
    as_of : date or None
        Last complete day.
    policies : mapping
        Routing policy by (assistant, workflow).
    promotions : sequence of Promotion
        Changes on record.

    Returns
    -------
    DataFrame
        One row per advice × condition: ``about``, ``found``, ``limit``, ``unit``, ``holds`` (yes, no, not known)
        and ``advised`` (all conditions of the advice hold).

    Notes
    -----
    Own hosting: near the yearly cost of one use case, or the volume, from which it is reviewed, and beyond its
    break-even.
    Fine-tuning, of the workflow with most calls: 100,000 calls a month, answers of 300 tokens at most, 1,000 accepted
    answers as examples, and prompts or context tuned before (a promotion on record). Second provider: workflows above
    USD 500 a month that one provider serves alone, without a fallback in their policy.

    References
    ----------
    Requirement G6.
    """
    rows = _hosting(triggers)
    if as_of is not None and len(usage):
        first = pd.Timestamp(as_of) - pd.Timedelta(days=_WINDOW_DAYS - 1)
        recent = [frame[days(frame).between(first, pd.Timestamp(as_of))] for frame in (costs, usage)]
        rows += _fine_tuning(recent[1], promotions)
        rows += _second_provider(recent[0], policies)
    table = pd.DataFrame(rows, columns=list(_COLUMNS[:-1])).astype({"found": "float64", "limit": "float64"})
    held = table["holds"].eq("yes").groupby([table["advice"], table["about"]], dropna=False).transform("all")
    return table.assign(advised=held.astype(bool))


def _hosting(triggers: pd.DataFrame) -> list[tuple[object, ...]]:
    states = triggers.set_index("trigger")
    near = [name for name in ("cost of one use case", "output volume") if name in states.index]
    if not near:
        return []
    # either of the two sizes is enough, so the nearer one stands for both
    size = max(near, key=lambda name: float(states.loc[name, "found"]) / float(states.loc[name, "limit"]))
    rows = []
    for name in (size, "break-even of own GPUs"):
        row = states.loc[name]
        holds = {"reached": "yes", "near": "yes" if name == size else "no", "not known": "not known"}.get(
            row["state"], "no"
        )
        rows.append(("host it ourselves", "all of it", name, row["found"], row["limit"], row["unit"], holds))
    return rows


def _fine_tuning(usage: pd.DataFrame, promotions: Sequence[Promotion]) -> list[tuple[object, ...]]:
    by = [dimension_values(usage, name) for name in ("assistant", "workflow")]
    columns = ["request_count", "visible_output_tokens", "reasoning_output_tokens", "accepted_count"]
    numbers = usage[columns].astype("float64").fillna(0)
    answered = numbers["visible_output_tokens"] + numbers["reasoning_output_tokens"] > 0  # embeddings give no answers
    sums = numbers[answered].groupby([values[answered] for values in by]).sum()
    sums = sums[sums.index.get_level_values("workflow") != UNATTRIBUTED]
    if sums.empty or not sums["request_count"].max():
        return []
    assistant, workflow = sums["request_count"].idxmax()
    own = sums.loc[(assistant, workflow)]
    answer = (own["visible_output_tokens"] + own["reasoning_output_tokens"]) / own["request_count"]
    calls = own["request_count"] / _WINDOW_DAYS * DAYS_A_MONTH
    tuned = sum(
        one.lever in _TUNED and one.assistant == assistant and one.workflow in (None, workflow) for one in promotions
    )
    about = f"{assistant} / {workflow}"
    return [
        ("fine-tune a small model", about, condition, value, threshold, unit, "yes" if holds else "no")
        for condition, value, threshold, unit, holds in (
            ("high volume", calls, _MANY_CALLS, "calls a month", calls >= _MANY_CALLS),
            ("narrow task: short answers", answer, _SHORT_ANSWER, "tokens an answer", answer <= _SHORT_ANSWER),
            ("good examples", own["accepted_count"], _EXAMPLES, "accepted answers", own["accepted_count"] >= _EXAMPLES),
            ("prompts and context tuned before", tuned, 1, "promotions", tuned >= 1),
        )
    ]


def _second_provider(
    costs: pd.DataFrame, policies: Mapping[tuple[str, str], RoutingPolicy]
) -> list[tuple[object, ...]]:
    keys = [dimension_values(costs, name) for name in ("assistant", "workflow", "provider")]
    spent = costs["contracted_cost"].astype("float64").fillna(0).groupby(keys).sum() / _WINDOW_DAYS * DAYS_A_MONTH
    rows: list[tuple[object, ...]] = []
    for (assistant, workflow), own in spent.groupby(level=["assistant", "workflow"]):
        if UNATTRIBUTED in (assistant, workflow) or own.sum() < _MATERIAL:
            continue
        policy = policies.get((assistant, workflow)) or policies.get((assistant, "*"))
        largest, fallbacks = float(own.max() / own.sum()), len(policy.fallback) if policy else 0
        about = f"{assistant} / {workflow}"
        for condition, value, threshold, unit, holds in (
            ("material cost", float(own.sum()), _MATERIAL, "USD a month", True),
            ("one provider alone", largest, 0.99, "share of cost", largest >= 0.99),
            ("no fallback in the policy", fallbacks, 0, "fallbacks", not fallbacks),
        ):
            rows.append(("test a second provider", about, condition, value, threshold, unit, "yes" if holds else "no"))
    return rows
