"""Economic triggers: when to ask whether to host a model or to commit to capacity, with break-evens."""

from __future__ import annotations

from datetime import date
from typing import Any

import pandas as pd

from finops_lib.inform.drivers.scenarios import known_days, last_weeks, monthly_pace
from finops_lib.inform.measures import tally
from finops_lib.inform.scope import DAYS_A_MONTH, UNATTRIBUTED
from finops_lib.settings import EconomicTriggers, ProvisionedThroughput, SelfHosting

_COLUMNS = ("trigger", "about", "found", "limit", "unit", "state", "comment")
_HOURS_A_DAY = 24


def break_even_tokens(hosting: SelfHosting, hosted_price: float) -> float | None:
    """Return the output tokens a day from which own GPUs cost less than calls.

    Parameters
    ----------
    hosting : SelfHosting
        GPU hour price, tokens a GPU hour, utilisation, fleet and staff.
    hosted_price : float
        What an output token costs today, its input included (USD).

    Returns
    -------
    float or None
        Tokens a day; ``None`` when a price is missing or own GPUs cost more at any volume.

    Notes
    -----
    Own cost a day = staff + GPU price × 24 × max(fleet, tokens / (24 × tokens an hour × utilisation)). Below the
    fleet's capacity the break-even is fixed cost / hosted price; beyond it, staff / (hosted price − GPU price a token).

    References
    ----------
    Requirement D6.

    Examples
    --------
    >>> own = SelfHosting(gpu_hour_price=2, tokens_per_gpu_hour=1_000_000, utilisation=0.5)
    >>> break_even_tokens(own, 0.00001)  # 48 USD a day for the GPU, 10 USD per million tokens
    4800000.0
    """
    if hosting.gpu_hour_price is None or hosting.tokens_per_gpu_hour is None or hosted_price <= 0:
        return None
    staff = hosting.staff_per_month / DAYS_A_MONTH
    capacity = hosting.smallest_fleet * _HOURS_A_DAY * hosting.tokens_per_gpu_hour * hosting.utilisation
    fixed = (staff + hosting.smallest_fleet * _HOURS_A_DAY * hosting.gpu_hour_price) / hosted_price
    if fixed <= capacity:
        return fixed
    gain = hosted_price - hosting.gpu_hour_price / (hosting.tokens_per_gpu_hour * hosting.utilisation)
    return staff / gain if gain > 0 else None


def economic_triggers(
    costs: pd.DataFrame, usage: pd.DataFrame, as_of: date | None, settings: EconomicTriggers
) -> pd.DataFrame:
    """Hold the last four weeks against the points where another way of buying is worth a look.

    Parameters
    ----------
    costs, usage : DataFrame
        Ledger and usage of one scope.
    as_of : date or None
        Last complete day.
    settings : EconomicTriggers
        Thresholds and offers.

    Returns
    -------
    DataFrame
        One row per trigger: ``trigger``, ``about`` (the workflow or model it is judged on), ``found``, ``limit``,
        ``unit``, ``state`` (``reached``, ``near``, ``not reached``, ``not known``), ``comment`` (the conditions, or
        what is missing). Without traffic there are no rows.

    References
    ----------
    Requirement D6: review of own hosting near 500,000 USD a year for one use case or above about 30 million output
    tokens a day; break-even of commitments.
    """
    pace = monthly_pace(costs, usage, as_of)
    cost = pace[["input_cost", "output_cost", "other_cost"]].to_numpy(dtype="float64").sum()
    if as_of is None or cost <= 0:
        return pd.DataFrame({name: [] for name in _COLUMNS})
    output = pace["output_tokens"].sum() / DAYS_A_MONTH
    rows = [_annual(costs, as_of, settings), _volume(output, settings), _hosting(output, cost, settings)]
    rows += [_provisioned(offer, pace, settings) for offer in settings.provisioned]
    if not settings.provisioned:
        comment = "no offer is given: 'forecast: {triggers: {provisioned: […]}}' in the parameters adds one"
        rows.append(_trigger("provisioned throughput", None, None, None, "tokens an hour", settings, comment))
    return pd.DataFrame(rows, columns=list(_COLUMNS))


def _annual(costs: pd.DataFrame, as_of: date, settings: EconomicTriggers) -> dict[str, Any]:
    recent = tally(last_weeks(costs, as_of), ["assistant", "workflow"])
    spend = recent["contracted_cost"].astype("float64").fillna(0.0)
    largest = recent.loc[spend.idxmax()]
    several = len(recent["assistant"].unique()) > 1
    named = f"{largest['assistant']}, {largest['workflow']}" if several else str(largest["workflow"])
    annual = float(spend.max()) / known_days(costs, as_of) * 365
    comment = "the dearest workflow's last four weeks, carried on for a year"
    name = "all of it" if named == UNATTRIBUTED else named
    return _trigger("cost of one use case", name, annual, settings.annual_cost, "USD a year", settings, comment)


def _volume(output: float, settings: EconomicTriggers) -> dict[str, Any]:
    comment = "all models; only what an open-weight model could answer counts for hosting"
    limit = settings.output_tokens_per_day
    return _trigger("output volume", "all models", output, limit, "output tokens a day", settings, comment)


def _hosting(output: float, cost: float, settings: EconomicTriggers) -> dict[str, Any]:
    own, unit = settings.self_hosting, "output tokens a day"
    name = "break-even of own GPUs"
    if own.gpu_hour_price is None or own.tokens_per_gpu_hour is None:
        comment = "'forecast: {triggers: {self_hosting: {gpu_hour_price: …, tokens_per_gpu_hour: …}}}' adds it"
        return _trigger(name, "all models", output, None, unit, settings, comment)
    hosted = cost / DAYS_A_MONTH / output if output else 0.0
    given = (
        f"USD {own.gpu_hour_price:g} a GPU hour, {own.tokens_per_gpu_hour:,.0f} tokens in it when busy, busy "
        f"{own.utilisation:.0%}, at least {own.smallest_fleet} GPU, staff USD {own.staff_per_month:,.0f} a month; "
        f"hosted USD {hosted * 1e6:,.2f} per million output tokens, input included"
    )
    limit = break_even_tokens(own, hosted)
    if limit is None:
        return _trigger(name, "all models", output, None, unit, settings, f"never cheaper at these prices: {given}") | {
            "state": "not reached"
        }
    return _trigger(name, "all models", output, limit, unit, settings, given)


def _provisioned(offer: ProvisionedThroughput, pace: pd.DataFrame, settings: EconomicTriggers) -> dict[str, Any]:
    used = pace[pace["model"] == offer.model]
    tokens = used[["input_tokens", "output_tokens"]].to_numpy(dtype="float64").sum()
    cost = used[["input_cost", "output_cost"]].to_numpy(dtype="float64").sum()
    name, unit = "provisioned throughput", "tokens an hour"
    if not tokens or not cost:
        comment = "no calls of this model are paid by the token, so there is nothing to compare"
        return _trigger(name, offer.model, None, None, unit, settings, comment)
    limit = offer.hour_price / (cost / tokens)
    comment = (
        f"a unit at USD {offer.hour_price:g} an hour pays from {limit / offer.tokens_per_hour:.0%} of its "
        f"{offer.tokens_per_hour:,.0f} tokens an hour"
    )
    if limit > offer.tokens_per_hour:
        comment = f"a unit at USD {offer.hour_price:g} an hour never pays: it serves fewer tokens than it would have to"
    return _trigger(name, offer.model, tokens / DAYS_A_MONTH / _HOURS_A_DAY, limit, unit, settings, comment)


def _trigger(
    name: str,
    about: str | None,
    found: float | None,
    limit: float | None,
    unit: str,
    settings: EconomicTriggers,
    comment: str,
) -> dict[str, Any]:
    state = "not known"
    if found is not None and limit is not None:
        near = "near" if found >= settings.near * limit else "not reached"
        state = "reached" if found >= limit else near
    return dict(zip(_COLUMNS, (name, about, found, limit, unit, state, comment), strict=True))
