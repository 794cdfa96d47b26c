"""Onboarding: the assistants found in a team's own exports, and first parameter files with their baseline filled in."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import pandas as pd
import yaml

from finops_lib.inform.measures import ratio, tally
from finops_lib.inform.scope import DAYS_A_MONTH, TEXT, UNATTRIBUTED, days, dimension_values
from finops_lib.schema import INPUT_CLASSES, OUTPUT_CLASSES, TOKEN_CLASSES

BASELINE_DAYS = 28
"""Whole weeks, so that no weekday weighs more."""

WORKING_DAYS = 21
_BUDGET_BUFFER = 1.1
_SMALL_SHARE = 0.005
_TAKEN = ("organisation", "promotions", "decisions")
_SAYS_WHOSE = (
    *("api_key", "workflow", "agent", "route", "project_code", "workspace", "team", "user_group", "environment"),
    "model",
)


def found_assistants(
    costs: pd.DataFrame, usage: pd.DataFrame, users: pd.DataFrame, *, as_of: date | None, known: Collection[str] = ()
) -> pd.DataFrame:
    """List the assistants that the calls name, the costliest first.

    Parameters
    ----------
    costs, usage : DataFrame
        Ledger and usage of the whole organisation.
    users : DataFrame
        ``assistant`` and ``users`` of the last month.
    as_of : date or None
        Last complete day; where calls stand only after it, their last day takes its place.
    known : collection of str
        Assistants that have a parameter file.

    Returns
    -------
    DataFrame
        One row per assistant; calls that name none stand last as "unattributed". ``assistant``, ``file`` (a name its
        parameter file can have), ``first_day``, ``last_day``, ``requests``, ``users``, ``models``, ``monthly_cost``
        (USD, the baseline days made a month; null without prices), ``unpriced`` (share of tokens) and ``known``.

    References
    ----------
    Requirement H5.
    """
    columns = [
        *("assistant", "file", "first_day", "last_day", "requests", "users"),
        *("models", "monthly_cost", "unpriced", "known"),
    ]
    if usage.empty or as_of is None:
        return pd.DataFrame(columns=columns)
    as_of = _last_day(usage, as_of)
    name = dimension_values(usage, "assistant").rename("assistant")
    seen = pd.DataFrame({"assistant": name, "day": days(usage), "model": dimension_values(usage, "model")})
    seen["requests"] = usage["request_count"].astype("float64")
    table = seen.groupby("assistant", observed=True).agg(
        first_day=("day", "min"), last_day=("day", "max"), requests=("requests", "sum"), models=("model", "nunique")
    )
    part = _baseline(costs, as_of)
    month = tally(part, ["assistant"]).set_index("assistant")["contracted_cost"].astype("float64")
    whole = tally(costs, ["assistant"]).set_index("assistant")
    since = table["first_day"].clip(lower=pd.Timestamp(as_of - timedelta(days=BASELINE_DAYS - 1)))
    span = (pd.Timestamp(as_of) - since).dt.days + 1
    table["monthly_cost"] = month.reindex(table.index) * DAYS_A_MONTH / span.where(span > 0)
    table["unpriced"] = ratio(whole["unpriced_tokens"], whole["tokens"]).reindex(table.index)
    counted = users.assign(assistant=dimension_values(users, "assistant")).groupby("assistant")["users"].sum()
    table["users"] = counted.reindex(table.index).fillna(0).astype("int64")
    table = table.reset_index()
    table["file"] = [None if n == UNATTRIBUTED else file_name(n) for n in table["assistant"]]
    table["known"] = table["file"].isin(list(known)) | table["assistant"].isin(list(known))
    table["nameless"] = table["assistant"] == UNATTRIBUTED
    ordered = table.sort_values(["nameless", "monthly_cost", "assistant"], ascending=[True, False, True])
    return ordered.astype({"assistant": TEXT})[columns].reset_index(drop=True)


def file_name(assistant: str) -> str:
    """Turn an assistant's name in exports into one its parameter file can have.

    Examples
    --------
    >>> file_name("Support Copilot (EU)")
    'support-copilot-eu'
    """
    name = re.sub(r"[^a-z0-9._]+", "-", assistant.lower()).strip("-._") or "assistant"
    return f"{name}-assistant" if name in _TAKEN else name


def nameless_calls(costs: pd.DataFrame, usage: pd.DataFrame) -> pd.DataFrame:
    """Say what is known of calls that name no assistant, so that a rule can name one for them.

    Parameters
    ----------
    costs, usage : DataFrame
        Ledger and usage of the whole organisation.

    Returns
    -------
    DataFrame
        ``dimension``, ``value``, ``requests``, ``cost`` (USD): up to five values of each dimension that holds any, by
        cost.
    """
    of_none = usage[dimension_values(usage, "assistant") == UNATTRIBUTED]
    paid = costs[dimension_values(costs, "assistant") == UNATTRIBUTED]
    found = [pd.DataFrame(columns=["dimension", "value", "requests", "cost"])]
    for dimension in _SAYS_WHOSE:
        value = dimension_values(of_none, dimension).rename("value")
        counted = of_none["request_count"].astype("float64").groupby(value, observed=True).sum().rename("requests")
        spent = tally(paid, [dimension]).set_index(dimension)["contracted_cost"].astype("float64").rename("cost")
        both = pd.concat([counted, spent], axis=1).drop(index=UNATTRIBUTED, errors="ignore").rename_axis("value")
        found.append(both.reset_index().assign(dimension=dimension).nlargest(5, "cost"))
    kept = [table for table in found if len(table)] or found[:1]
    return pd.concat(kept, ignore_index=True)[["dimension", "value", "requests", "cost"]]


def baseline_settings(
    costs: pd.DataFrame, usage: pd.DataFrame, assistant: str, *, users: int, as_of: date
) -> dict[str, Any]:
    """Fill in what the last weeks say of one assistant, as its ``settings`` hold it.

    Parameters
    ----------
    costs, usage : DataFrame
        Ledger and usage of the whole organisation.
    assistant : str
        Its name in the ledger.
    users : int
        Distinct users of the last month; without any, no plan can be given.
    as_of : date
        Last complete day.

    Returns
    -------
    dict
        ``title``, ``match`` where the file cannot have its name, ``success`` where a flag was seen, ``plan`` (users,
        calls, tokens a call, model mix) and a month's ``budgets`` of a tenth above the baseline.
    """
    as_of = _last_day(usage[dimension_values(usage, "assistant") == assistant], as_of)
    own = _baseline(usage[dimension_values(usage, "assistant") == assistant], as_of)
    paid = _baseline(costs[dimension_values(costs, "assistant") == assistant], as_of)
    file = file_name(assistant)
    settings: dict[str, Any] = {"title": assistant.replace("-", " ").replace("_", " ").capitalize()}
    if file != assistant:
        settings["match"] = [assistant]
    flags = [
        name
        for name in ("resolved", "accepted")
        if f"{name}_count" in own and own[f"{name}_count"].astype("float64").sum() > 0
    ]
    if flags:
        settings["success"] = flags[0]
    calls = float(own["request_count"].astype("float64").sum())
    spent = float(paid["contracted_cost"].astype("float64").sum())
    scale = DAYS_A_MONTH / _days_seen(own, as_of)
    if users and calls:
        settings["plan"] = {
            "users": users,
            "requests_per_user_day": _rounded(calls * scale / users / WORKING_DAYS),
            "working_days": WORKING_DAYS,
            "prompt_tokens": max(1, round(_tokens(own, INPUT_CLASSES) / calls)),
            "answer_tokens": round(_tokens(own, OUTPUT_CLASSES) / calls),
            "models": _mix(own),
        }
    if spent:
        settings["budgets"] = [{"name": file, "amount": _ceiled(spent * scale * _BUDGET_BUFFER), "period": "month"}]
    return settings


def assistant_file(assistant: str, settings: Mapping[str, Any], *, as_of: date) -> str:
    """Write the first parameter file of an assistant; what only people know stands in comments to be filled in.

    Parameters
    ----------
    assistant : str
        Its name in the ledger.
    settings : mapping
        From ``baseline_settings``.
    as_of : date
        Last day of the baseline.

    Returns
    -------
    str
        YAML, which ``load_params`` takes as it stands.
    """
    notes = {
        "match": "its names in exports",
        "success": "what makes a task successful: resolved, accepted or completed",
        "plan": f"baseline: the {BASELINE_DAYS} days to {as_of}, as a month",
        "budgets": "a tenth above the baseline; put in what was agreed",
    }
    asked = {
        "class": "class: support              # support, extraction, research, knowledge, drafting, coding",
        "owners": "owners: {business: …, technical: …}   # roles, not people",
        "outcome": "outcome: {name: …, value: …, confirmed_by: …}   # what the business counts, and what one is worth",
        "rollout": "rollout: {start: YYYY-MM-DD}   # first of the 90 days",
    }
    lines = [*_yaml({"assistant": file_name(assistant)}, dense=False), "period: latest", "settings:"]
    for key, value in settings.items():
        note = f"  # {notes[key]}" if key in notes else ""
        text = _yaml({key: value}, dense=False)
        lines += [f"  {text[0]}{note}", *(f"  {line}" for line in text[1:])]
    return "\n".join([*lines, "  # To be filled in:", *(f"  # {line}" for line in asked.values())]) + "\n"


def organisation_file(
    sources: Sequence[Mapping[str, Any]], *, time_zone: str, teams: Collection[str] = (), keys: Collection[str] = ()
) -> str:
    """Write the first ``organisation.yaml``: what is read, and the teams and keys that wait for an owner.

    Parameters
    ----------
    sources : sequence of mapping
        As ``sources`` holds them.
    time_zone : str
        Reporting time zone.
    teams, keys : collection of str
        Teams that calls name, and API keys that nobody owns yet.

    Returns
    -------
    str
        YAML, which ``load_params`` takes as it stands.
    """
    lines = [
        'company: ""          # name on the reports',
        f"time_zone: {time_zone}  # days and months are cut here",
        *_yaml({"sources": [dict(source) for source in sources]}),
        "# Who pays: department and cost center of each team.",
        *_yaml({"teams": {team: {"department": None, "cost_center": None} for team in sorted(teams)}}),
        "# Virtual keys and who they belong to; take the # away and fill in.",
        *(f"# {line}" for line in _yaml({"virtual_keys": {key: {"team": "?"} for key in sorted(keys)}})),
    ]
    return "\n".join(lines) + "\n"


def _yaml(content: Mapping[str, Any], *, dense: bool = True) -> list[str]:
    """Write a mapping as lines of YAML; ``dense`` puts the innermost values on one line each."""
    options = {"sort_keys": False, "width": 110, "default_flow_style": None if dense else False}
    text = yaml.safe_dump(dict(content), allow_unicode=True, **options)
    if not text.replace("\n", "").isprintable():
        text = yaml.safe_dump(dict(content), allow_unicode=False, **options)
    return text.rstrip("\n").split("\n")


def _baseline(frame: pd.DataFrame, as_of: date) -> pd.DataFrame:
    day = days(frame)
    return frame[(day <= pd.Timestamp(as_of)) & (day > pd.Timestamp(as_of - timedelta(days=BASELINE_DAYS)))]


def _last_day(usage: pd.DataFrame, as_of: date) -> date:
    """End of the baseline: the last complete day, or the last one at all where none is complete yet."""
    day = days(usage)
    return as_of if usage.empty or day.min() <= pd.Timestamp(as_of) else day.max().date()


def _days_seen(frame: pd.DataFrame, as_of: date) -> int:
    """Days from its first call in the baseline on: an assistant that began last week has no four."""
    return (pd.Timestamp(as_of) - days(frame).min()).days + 1 if len(frame) else BASELINE_DAYS


def _tokens(usage: pd.DataFrame, classes: Collection[str]) -> float:
    columns = [column for name, column in TOKEN_CLASSES.items() if name in classes and column in usage]
    return float(usage[columns].astype("float64").sum().sum())


def _mix(usage: pd.DataFrame) -> dict[str, float]:
    """Shares of the calls by model, together 1; models of under half a percent are left to the others."""
    calls = usage["request_count"].astype("float64")
    share = calls.groupby(dimension_values(usage, "model"), observed=True).sum() / calls.sum()
    kept = share[share >= _SMALL_SHARE].sort_values(ascending=False, kind="stable")
    points = (kept / kept.sum() * 100).round().astype(int).clip(lower=1)
    points.iloc[0] += 100 - points.sum()
    return {str(model): int(point) / 100 for model, point in points.items()}


def _rounded(value: float) -> float:
    return float(f"{value:.2g}")


def _ceiled(value: float) -> int:
    """Round up to two digits: 217.40 becomes 220."""
    step = 10 ** max(0, math.floor(math.log10(value)) - 1)
    return math.ceil(value / step) * step
