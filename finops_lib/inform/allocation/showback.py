"""Showback: whether amounts are shown or charged, and who is ready to be charged."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date, timedelta

import pandas as pd

from finops_lib.inform.measures import tally
from finops_lib.inform.profile.coverage import COVERAGE_DIMENSIONS, attribution_coverage
from finops_lib.inform.profile.trends import month_on_month
from finops_lib.inform.scope import TEXT, UNATTRIBUTED, months
from finops_lib.settings import Settings

Missing = tuple[str, str]


def showback_modes(costs: pd.DataFrame, assistants: Mapping[str, Settings]) -> pd.DataFrame:
    """Say for each assistant, team and environment whether its cost is shown or charged.

    Parameters
    ----------
    costs : DataFrame
        Ledger of the month, one row per day × dimensions × SKU.
    assistants : mapping
        Settings by assistant.

    Returns
    -------
    DataFrame
        One row per combination with traffic, costliest first: ``assistant``, ``team``, ``environment``, ``mode``,
        ``contracted_cost`` (exact USD). The environment's mode stands above the team's, the team's above the
        assistant's; what names no team, and assistants without settings, are shown only.

    References
    ----------
    Requirement C2.
    """
    table = tally(costs, ["assistant", "team", "environment"])[["assistant", "team", "environment", "contracted_cost"]]

    def mode(assistant: str, team: str, environment: str) -> str:
        if assistant not in assistants or team == UNATTRIBUTED:
            return "showback"
        rules = assistants[assistant].showback
        return rules.environments.get(environment) or rules.teams.get(team) or rules.mode

    keys = zip(table["assistant"], table["team"], table["environment"], strict=True)
    table.insert(3, "mode", pd.array([mode(*key) for key in keys], dtype=TEXT))
    return table.sort_values("contracted_cost", ascending=False, kind="stable", ignore_index=True)


def chargeback_readiness(
    costs: pd.DataFrame,
    usage: pd.DataFrame,
    assistants: Mapping[str, Settings],
    *,
    reconciled: Collection[str],
    as_of: date | None,
) -> pd.DataFrame:
    """Tell which assistants are ready for chargeback, and what the others lack.

    Parameters
    ----------
    costs : DataFrame
        Ledger of all months known, one row per day × dimensions × SKU.
    usage : DataFrame
        Usage of all months known, one row per day × dimensions.
    assistants : mapping
        Settings by assistant.
    reconciled : collection of str
        Months ``YYYY-MM`` that are closed and tie to the invoice.
    as_of : date or None
        Last complete day of the data.

    Returns
    -------
    DataFrame
        One row per assistant with settings, ready ones first: ``assistant``, ``mode``, ``is_ready``, ``coverage``
        (share of the last month's cost that names workflow, team and cost center), ``volume_change`` (share; of
        the requests, between the last two whole months), ``reconciled_months``, ``months_of_showback`` (whole months
        since teams are shown their cost), ``owner`` (role that answers for the money), ``why_not`` and
        ``what_to_do``, both in words and empty when it is ready.

    References
    ----------
    Requirement C2.
    """
    rows = [_readiness(name, costs, usage, rules, len(set(reconciled)), as_of) for name, rules in assistants.items()]
    columns = ["assistant", "mode", "is_ready", "coverage", "volume_change", "reconciled_months",
               "months_of_showback", "owner", "why_not", "what_to_do"]  # fmt: skip
    found = pd.DataFrame(rows, columns=columns)
    return found.sort_values(["is_ready", "assistant"], ascending=[False, True], ignore_index=True)


def _readiness(
    name: str, costs: pd.DataFrame, usage: pd.DataFrame, rules: Settings, reconciled: int, as_of: date | None
) -> dict[str, object]:
    own_costs, own_usage = costs[costs["assistant"] == name], usage[usage["assistant"] == name]
    last = own_costs[months(own_costs) == months(own_costs).max()] if len(own_costs) else own_costs
    covered = attribution_coverage(last, dimensions=COVERAGE_DIMENSIONS)["coverage"].iloc[-1]
    by_month = month_on_month(own_costs, own_usage)
    whole = by_month.loc[by_month["requests_change"].notna(), "requests_change"]
    change = float(whole.iloc[-1]) if len(whole) else None
    shown = _whole_months(rules.showback.since, as_of)
    coverage = None if pd.isna(covered) else float(covered)
    missing = list(_lacks(rules, coverage, change, reconciled, shown))
    return {
        "assistant": name,
        "mode": rules.showback.mode,
        "is_ready": not missing,
        "coverage": coverage,
        "volume_change": change,
        "reconciled_months": reconciled,
        "months_of_showback": shown,
        "owner": rules.owners.business,
        "why_not": "; ".join(reason for reason, _ in missing),
        "what_to_do": "; ".join(todo for _, todo in missing),
    }


def _lacks(
    rules: Settings, coverage: float | None, change: float | None, reconciled: int, shown: int | None
) -> list[Missing]:
    """List what is missing, each with what would mend it."""
    needs, found = rules.showback, []
    if coverage is None or coverage < rules.coverage_target:
        known = "not known" if coverage is None else f"{coverage:.1%}"
        reason = f"attribution covers {known} of the cost, {rules.coverage_target:.0%} is asked for"
        found.append((reason, "tag the calls with workflow and team"))
    if change is None:
        found.append(("two whole months of volume are not there", "wait for the second whole month"))
    elif abs(change) > needs.stable_within:
        reason = f"volume changed by {change:+.0%}, {needs.stable_within:.0%} counts as stable"
        found.append((reason, "stay in showback until the volume settles"))
    if reconciled < needs.reconciled_months:
        reason = f"{reconciled} of {needs.reconciled_months} closed months tie to the invoice"
        found.append((reason, "reconcile and close the months"))
    if rules.owners.business is None:
        found.append(("no role answers for the money", "name owners.business"))
    if shown is None and needs.months_of_showback:
        found.append(("when teams were first shown their cost is not said", "set showback.since"))
    elif shown is not None and shown < needs.months_of_showback:
        reason = f"{shown} of {needs.months_of_showback} months of showback have passed"
        found.append((reason, "go on publishing the statements"))
    return found


def _whole_months(since: date | None, as_of: date | None) -> int | None:
    """Count the whole months from the start of one day to the end of another; ``None`` when one is not known."""
    if since is None or as_of is None:
        return None
    end = as_of + timedelta(days=1)
    passed = (end.year - since.year) * 12 + end.month - since.month
    return max(0, passed - (end.day < since.day))
