"""Environment policy: where an environment cost or did what its policy forbids, with the money."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase

import pandas as pd

from finops_lib.inform.measures import total
from finops_lib.inform.scope import UNATTRIBUTED, days, dimension_values
from finops_lib.settings import EnvironmentPolicy

SANDBOX = "sandbox"
"""Name of the environment for trying things out."""
_COLUMNS = ("assistant", "environment", "rule", "finding", "cost", "requests", "what_to_do")
Condition = Callable[[pd.DataFrame], pd.Series]


def environment_violations(
    costs: pd.DataFrame,
    usage: pd.DataFrame,
    policies: Mapping[tuple[str, str], EnvironmentPolicy],
    over_limit: pd.DataFrame,
) -> pd.DataFrame:
    """List where environments broke their policy in the month.

    Parameters
    ----------
    costs : DataFrame
        Ledger of the month, one row per day × dimensions × SKU.
    usage : DataFrame
        Usage of the month, one row per day × dimensions.
    policies : mapping
        Policy by (assistant, environment).
    over_limit : DataFrame
        Calls above the output limit: ``assistant``, ``environment``, ``output_limit``, ``requests``,
        ``tokens_over``, ``cost`` (USD).

    Returns
    -------
    DataFrame
        One row per broken rule, costliest first: ``assistant``, ``environment``, ``rule`` (expiry, models, budget,
        output limit, required tag, no policy), ``finding`` in words, ``cost`` (USD of the calls concerned, for a
        budget what is above it), ``requests`` (null for a budget), ``what_to_do``. A call may break several rules:
        the rows do not add up.

    References
    ----------
    Requirement C3.
    """
    rows: list[tuple[object, ...]] = []
    for key in costs.groupby(["assistant", "environment"], sort=True, observed=True).size().index:
        spent, calls = (f[(f["assistant"] == key[0]) & (f["environment"] == key[1])] for f in (costs, usage))
        policy = policies.get(key)
        if policy is None and key[1] == SANDBOX:
            todo = f"set environment_policy.{key[1]} in parameters/{key[0]}.yaml"
            finding = "it has no budget, no list of models and no expiry"
            rows.append((*key, "no policy", finding, _cost(spent), _count(calls), todo))
        if policy is None:
            continue
        for rule, finding, broken, todo in _rules(policy):
            broken_calls = _count(calls[broken(calls)])
            if broken(spent).any() or broken_calls:
                rows.append((*key, rule, finding, _cost(spent[broken(spent)]), broken_calls, todo))
        over = _cost(spent) - float(policy.budget) if policy.budget is not None else 0.0
        if over > 0:
            finding = f"USD {_cost(spent):,.2f} spent of USD {policy.budget:,.2f} a month"
            rows.append((*key, "budget", finding, over, None, "raise the budget with a reason, or slow the use down"))
    for row in over_limit.itertuples(index=False):
        finding = f"{row.tokens_over:,} output tokens beyond {row.output_limit:,} a call"
        todo = "cap the output at the gateway, or raise the limit"
        rows.append((row.assistant, row.environment, "output limit", finding, row.cost, row.requests, todo))
    found = pd.DataFrame(rows, columns=list(_COLUMNS)).astype({"cost": "float64", "requests": "Int64"})
    order = ["cost", "assistant", "environment", "rule"]
    return found.sort_values(order, ascending=[False, True, True, True], ignore_index=True)


def _rules(policy: EnvironmentPolicy) -> Iterator[tuple[str, str, Condition, str]]:
    """List the rules a policy sets for single calls: name, finding, which rows break it, what to do."""
    if policy.expires is not None:
        expires = pd.Timestamp(policy.expires)
        todo = "revoke its keys, or renew the expiry with a reason"
        yield "expiry", f"calls after {policy.expires}", lambda frame: days(frame) > expires, todo
    if policy.models:
        finding = f"calls to models other than {', '.join(policy.models)}"
        todo = "block the model on its keys, or add it with a reason"
        yield "models", finding, lambda frame: ~_allowed(dimension_values(frame, "model"), policy.models), todo
    for name in policy.required:
        finding, todo = f"calls that name no {name.replace('_', ' ')}", f"refuse calls without the tag '{name}'"
        yield "required tag", finding, lambda frame, name=name: dimension_values(frame, name) == UNATTRIBUTED, todo


def _allowed(models: pd.Series, patterns: Sequence[str]) -> pd.Series:
    fits = {name: any(fnmatchcase(name, pattern) for pattern in patterns) for name in models.unique()}
    return models.map(fits).astype(bool)


def _cost(costs: pd.DataFrame) -> float:
    return float(total(costs["contracted_cost"]) or 0)


def _count(usage: pd.DataFrame) -> int | None:
    counted = total(usage["request_count"]) if len(usage) else 0
    return None if counted is None else int(counted)
