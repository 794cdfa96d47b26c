"""Budget rules: which budgets there are, what each is about, and what it allows in a period."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from fnmatch import fnmatchcase

import numpy as np
import pandas as pd

from finops_lib.errors import ParamsError
from finops_lib.inform.scope import UNATTRIBUTED, dimension_values
from finops_lib.settings import ORGANISATION, Budget, Owners, Params

MONTHS = {"month": 1, "quarter": 3, "year": 12}


@dataclass(frozen=True)
class Term:
    """A budget in one of its periods, as far as it holds."""

    first: pd.Timestamp
    last: pd.Timestamp
    amount: Decimal


def budgets_of(params: Params) -> list[Budget]:
    """List all budgets of the organisation and its assistants, each with its match, thresholds and owners filled in.

    Parameters
    ----------
    params : Params
        Of the run; what-if budgets of its assistant stand in for those of the file.

    Returns
    -------
    list of Budget
        The organisation's, then the assistants' by name.

    Raises
    ------
    ParamsError
        If two budgets have one name.
    """
    own = {} if params.assistant == ORGANISATION else {params.assistant: params.settings}
    assistants = params.assistants | own
    found = list(params.organisation.budgets)
    for name, settings in sorted(assistants.items()):
        # budgets in the organisation's `defaults` arrive in every assistant: the name tells them apart
        shared = {budget.name for other, theirs in assistants.items() if other != name for budget in theirs.budgets}
        for budget in settings.budgets:
            called = f"{budget.name}: {name}" if budget.name in shared else budget.name
            found.append(budget.model_copy(update={"name": called, "match": budget.match | {"assistant": name}}))
    names = [budget.name for budget in found]
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        message = f"two budgets are named '{repeated[0]}'"
        raise ParamsError(message, hint="give each budget a name of its own in parameters/")
    alerts = params.organisation.alerts
    filled = []
    for budget in found:
        chosen = assistants.get(budget.match.get("assistant", ""))
        kind = alerts.assistant_thresholds if chosen else alerts.department_thresholds
        of_class = alerts.class_thresholds.get(chosen.assistant_class or "") if chosen else None
        thresholds = budget.thresholds or of_class or kind
        owners = chosen.owners if chosen else _team_owners(params, budget.match)
        business = budget.owners.business or owners.business
        technical = budget.owners.technical or owners.technical
        update = {"thresholds": thresholds, "owners": Owners(business=business, technical=technical)}
        filled.append(budget.model_copy(update=update))
    return filled


def last_day_reported(as_of: date | None, period: str) -> date | None:
    """Return the day a report of a month looks from: the last complete one, at most the month's end.

    Examples
    --------
    >>> last_day_reported(date(2026, 10, 12), "2026-09"), last_day_reported(date(2026, 9, 12), "2026-09")
    (datetime.date(2026, 9, 30), datetime.date(2026, 9, 12))
    """
    return as_of and min(as_of, pd.Period(period, "M").end_time.date())


def matched(costs: pd.DataFrame, match: dict[str, str]) -> np.ndarray:
    """Tell which rows of the ledger a budget is about."""
    kept = np.ones(len(costs), dtype=bool)
    for dimension, pattern in match.items():
        values = dimension_values(costs, dimension)
        chosen = [value for value in values.unique() if value != UNATTRIBUTED and fnmatchcase(value, pattern)]
        kept &= values.isin(chosen).to_numpy(dtype=bool)
    return kept


def term_of(budget: Budget, day: pd.Timestamp, year_start: int) -> Term | None:
    """Return the period of a budget that a day lies in, cut to the days it holds and pro-rated; else ``None``.

    Examples
    --------
    >>> half = Budget(name="new", amount=310, starts=date(2026, 10, 22))
    >>> term_of(half, pd.Timestamp("2026-10-25"), 1).amount
    Decimal('100.00')
    """
    month, months = day.to_period("M"), MONTHS[budget.period]
    opening = month - (month.month - year_start) % 12 % months
    whole_first, whole_last = opening.start_time, (opening + months - 1).end_time.normalize()
    first = max(whole_first, pd.Timestamp(budget.starts or whole_first))
    last = min(whole_last, pd.Timestamp(budget.ends or whole_last))
    if not first <= day <= last:
        return None
    held, whole = (last - first).days + 1, (whole_last - whole_first).days + 1
    amount = budget.amount if held == whole else _cents(budget.amount * held / whole)
    return Term(first, last, amount)


def _team_owners(params: Params, match: dict[str, str]) -> Owners:
    """Find the owners of a team, or those that all teams of a department share."""
    teams = params.organisation.teams
    chosen = [
        t.owners for name, t in teams.items() if name == match.get("team") or t.department == match.get("department")
    ]
    business, technical = {owners.business for owners in chosen}, {owners.technical for owners in chosen}
    return Owners(
        business=business.pop() if len(business) == 1 else None,
        technical=technical.pop() if len(technical) == 1 else None,
    )


def _cents(amount: Decimal) -> Decimal:
    return max(amount.quantize(Decimal("0.01"), ROUND_HALF_UP), Decimal("0.01"))
