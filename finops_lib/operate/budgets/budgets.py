"""Budgets: what was allowed, what is spent of it, and on which day each threshold was crossed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import accumulate

import numpy as np
import pandas as pd

from finops_lib.inform.measures import MONEY_TYPE
from finops_lib.inform.scope import UNATTRIBUTED, days, dimension_values
from finops_lib.operate.budgets.rules import Term, matched, term_of
from finops_lib.settings import Budget

STATE_COLUMNS = (
    *("budget", "about", "assistant", "period", "first_day", "last_day"),
    *("budgeted", "amount", "rollover", "excepted", "allowed"),
    *("is_excepted", "spent", "remaining", "used_share", "elapsed_share", "crossed", "crossed_on", "cap", "stop_at"),
    *("technical_owner", "budget_owner"),
)
_CROSSINGS = ("budget", "threshold", "level", "crossed_on")
_EXCEPTIONS = ("budget", "approver", "reason", "starts", "expires", "amount", "status", "cost")
_PARTS = ("budget", "kind", "part", "spent", "share")
_DAY = pd.Timedelta(days=1)
_NOTHING = Decimal(0)


@dataclass(frozen=True)
class BudgetState:
    """Where budgets stand on one day.

    Attributes
    ----------
    state : DataFrame
        One row per budget in force: its period, ``budgeted`` (for a whole period), ``allowed`` = ``amount`` (the part
        of it for the days the budget holds) + ``rollover`` + ``excepted``, and ``spent`` (exact USD), ``remaining``,
        shares used and elapsed, the highest threshold crossed, owners.
    crossings : DataFrame
        One row per budget × threshold, the whole budget and the stop included (``level`` "budget", "stop"): the day it
        was first crossed in the period, or null.
    exceptions : DataFrame
        One row per exception: ``status`` (to come, active, lapsed), ``cost`` = what was spent beyond the budget on
        its days (exact USD, at most its amount).
    parts : DataFrame
        One row per budget × other budget or assistant that spends in it: ``spent`` there (USD), and the ``share``
        of all the part's spend that is.
    """

    state: pd.DataFrame
    crossings: pd.DataFrame
    exceptions: pd.DataFrame
    parts: pd.DataFrame


def budget_state(costs: pd.DataFrame, budgets: list[Budget], as_of: date | None, *, year_start: int = 1) -> BudgetState:
    """Hold each budget's spend against what was allowed.

    Parameters
    ----------
    costs : DataFrame
        Ledger of all months known, one row per day × dimensions × SKU.
    budgets : list of Budget
        From ``budgets_of``.
    as_of : date or None
        Last complete day; without one there is no state.
    year_start : int
        First month of the financial year; quarters follow it.

    Returns
    -------
    BudgetState
        Of the budgets in force on ``as_of``; later rows of the ledger are not looked at.

    Notes
    -----
    A period that the budget covers in part is pro-rated by days, to the cent. A threshold is crossed on the first
    day on which the spend of the period reaches its share of what was allowed on that day: a later exception does
    not undo it, so that it fires once. Rollover carries what the period before left of its own amount, once, if
    the ledger covers that period.

    References
    ----------
    Requirement E1.
    """
    today = pd.Timestamp(as_of) if as_of else None
    known = costs[days(costs) <= today] if today is not None else costs.head(0)
    terms = {budget.name: term_of(budget, today, year_start) for budget in budgets} if today is not None else {}
    held = [budget for budget in budgets if terms.get(budget.name)]
    covered_from = days(known).min() if len(known) else None
    masks = {budget.name: matched(known, budget.match) for budget in held}
    states, crossings, exceptions = [], [], []
    for budget in held:
        term, spent = terms[budget.name], spend_by_day(known[masks[budget.name]])
        carried = _carried(budget, term, spent, covered_from, year_start)
        crossed = _crossings(budget, term, carried, spent, today)
        crossings += crossed
        exceptions += [_exception(budget, place, spent, today, covered_from, year_start) for place in
                       range(len(budget.exceptions))]  # fmt: skip
        states.append(_state(budget, term, carried, spent, today, crossed))
    dates = {"first_day": "datetime64[s]", "last_day": "datetime64[s]", "crossed_on": "datetime64[s]"}
    floats = dict.fromkeys(("used_share", "elapsed_share", "crossed"), "float64")
    money = dict.fromkeys(("budgeted", "amount", "rollover", "excepted", "allowed", "spent", "remaining"), MONEY_TYPE)
    spans = {"starts": "datetime64[s]", "expires": "datetime64[s]"}
    return BudgetState(
        pd.DataFrame(states, columns=list(STATE_COLUMNS)).astype(dates | floats | money | {"is_excepted": "bool"}),
        pd.DataFrame(crossings, columns=list(_CROSSINGS)).astype({"crossed_on": "datetime64[s]"}),
        pd.DataFrame(exceptions, columns=list(_EXCEPTIONS)).astype(
            spans | dict.fromkeys(("amount", "cost"), MONEY_TYPE)
        ),
        _parts(known, masks),
    )


def spend_by_day(costs: pd.DataFrame) -> dict[pd.Timestamp, Decimal]:
    """Add up the contracted cost of each day, exactly; what has no price adds nothing."""
    summed = costs["contracted_cost"].astype(MONEY_TYPE).fillna(_NOTHING).groupby(days(costs)).sum()
    return dict(zip(summed.index, summed.tolist(), strict=True))


def _carried(
    budget: Budget, term: Term, spent: dict[pd.Timestamp, Decimal], covered_from: pd.Timestamp | None, year_start: int
) -> Decimal:
    before = term_of(budget, term.first - _DAY, year_start) if budget.rollover else None
    if before is None or covered_from is None or covered_from > before.first:
        return _NOTHING
    return max(_NOTHING, before.amount - _between(spent, before.first, before.last))


def _between(spent: dict[pd.Timestamp, Decimal], first: pd.Timestamp, last: pd.Timestamp) -> Decimal:
    return sum((money for day, money in spent.items() if first <= day <= last), _NOTHING)


def excepted_on(budget: Budget, day: pd.Timestamp) -> tuple[Decimal, bool]:
    """Add up what exceptions allow on a day, and tell whether one of them sets no limit."""
    active = [e for e in budget.exceptions if pd.Timestamp(e.starts) <= day <= pd.Timestamp(e.expires)]
    return sum((e.amount or _NOTHING for e in active), _NOTHING), any(e.amount is None for e in active)


def _crossings(
    budget: Budget, term: Term, carried: Decimal, spent: dict[pd.Timestamp, Decimal], today: pd.Timestamp
) -> list[dict[str, object]]:
    """Find the first day on which each threshold, and the stop, was reached."""
    every_day = list(pd.date_range(term.first, today))
    so_far = list(accumulate(spent.get(day, _NOTHING) for day in every_day))
    allowed = [term.amount + carried + excepted_on(budget, day)[0] for day in every_day]
    levels = dict.fromkeys(budget.thresholds or [], "threshold") | {1.0: "budget", budget.stop_at: "stop"}
    rows: list[dict[str, object]] = []
    for threshold, level in sorted(levels.items()):
        part = Decimal(str(threshold))
        reached = (day for day, money, most in zip(every_day, so_far, allowed, strict=True) if money >= part * most)
        rows.append({"budget": budget.name, "threshold": threshold, "level": level, "crossed_on": next(reached, None)})
    return rows


def _exception(
    budget: Budget,
    place: int,
    spent: dict[pd.Timestamp, Decimal],
    today: pd.Timestamp,
    covered_from: pd.Timestamp | None,
    year_start: int,
) -> dict[str, object]:
    """Say whether an exception holds, and what was spent beyond the budget on its days."""
    allowed = budget.exceptions[place]
    starts, expires = pd.Timestamp(allowed.starts), pd.Timestamp(allowed.expires)
    status = "to come" if starts > today else "active" if expires >= today else "lapsed"
    cost, day = _NOTHING, starts
    while day <= min(expires, today):
        term = term_of(budget, day, year_start)
        if term is None:
            day += _DAY
            continue
        most = term.amount + _carried(budget, term, spent, covered_from, year_start)
        until = min(term.last, expires, today)
        over = [max(_NOTHING, _between(spent, term.first, last) - most) for last in (until, day - _DAY)]
        cost += over[0] - over[1] if allowed.amount is None else min(allowed.amount, over[0] - over[1])
        day = until + _DAY
    shown = allowed.model_dump(include={"approver", "reason", "amount"})
    return {"budget": budget.name, **shown, "starts": starts, "expires": expires, "status": status, "cost": cost}


def _state(
    budget: Budget,
    term: Term,
    carried: Decimal,
    spent: dict[pd.Timestamp, Decimal],
    today: pd.Timestamp,
    crossed: list[dict[str, object]],
) -> dict[str, object]:
    excepted, unlimited = excepted_on(budget, today)
    allowed, so_far = term.amount + carried + excepted, _between(spent, term.first, today)
    used = float(so_far / allowed)
    reached = [row for row in crossed if row["crossed_on"] is not None and row["threshold"] <= used]
    highest = reached[-1] if reached else {"threshold": None, "crossed_on": None}
    return {
        "budget": budget.name,
        "about": ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in budget.match.items()) or "everything",
        "assistant": budget.match.get("assistant"),
        "period": budget.period,
        "first_day": term.first,
        "last_day": term.last,
        "budgeted": budget.amount,
        "amount": term.amount,
        "rollover": carried,
        "excepted": excepted,
        "allowed": allowed,
        "is_excepted": unlimited,
        "spent": so_far,
        "remaining": allowed - so_far,
        "used_share": used,
        "elapsed_share": ((today - term.first).days + 1) / ((term.last - term.first).days + 1),
        "crossed": highest["threshold"],
        "crossed_on": highest["crossed_on"],
        "cap": budget.cap,
        "stop_at": budget.stop_at,
        "technical_owner": budget.owners.technical,
        "budget_owner": budget.owners.business,
    }


def _parts(costs: pd.DataFrame, masks: dict[str, np.ndarray]) -> pd.DataFrame:
    """Measure what budgets and assistants spend within each budget."""
    money = costs["contracted_cost"].astype("float64").fillna(0).to_numpy() if len(costs) else np.zeros(0)
    of_assistant = dimension_values(costs, "assistant").to_numpy(dtype=object)
    others = {("budget", name): mask for name, mask in masks.items()}
    others |= {("assistant", name): of_assistant == name for name in sorted(set(of_assistant) - {UNATTRIBUTED})}
    rows = []
    for budget, mask in masks.items():
        for (kind, part), inside in others.items():
            whole, shared = money[inside].sum(), money[inside & mask].sum()
            if (kind, part) != ("budget", budget) and shared > 0:
                rows.append({"budget": budget, "kind": kind, "part": part, "spent": shared, "share": shared / whole})
    return pd.DataFrame(rows, columns=list(_PARTS))
