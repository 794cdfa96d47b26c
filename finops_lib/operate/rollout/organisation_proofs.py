"""Organisation proofs: what is done once for all assistants, as far as the data can tell."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from finops_lib import inform
from finops_lib.inform.scope import UNATTRIBUTED, dimension_values
from finops_lib.operate.rollout.evidence import Evidence, Finding
from finops_lib.operate.rollout.governance import raci_mistakes


def _assistants_registered(e: Evidence) -> Finding:
    seen = set(dimension_values(e.costs, "assistant")) - {UNATTRIBUTED}
    unknown = sorted(seen - set(e.params.assistants))
    if not seen:
        return Finding(
            None, "no calls name an assistant", "'defaults: {{assistant: …}}' at sources in organisation.yaml"
        )
    found = f"no file for {', '.join(unknown)}" if unknown else f"{len(seen)} assistants, each with its file"
    return Finding(not unknown, found, f"create parameters/{unknown[0]}.yaml" if unknown else "")


def _rows_given(name: str, what: str) -> Callable[[Evidence], Finding]:
    def ask(e: Evidence) -> Finding:
        held = len(getattr(e, name))
        remedy = f"add a source with 'table: {name}' under sources in parameters/organisation.yaml"
        return Finding(held > 0, f"{held:,} {what}" if held else f"no {what}", remedy)

    return ask


def _keys_name_teams(e: Evidence) -> Finding:
    keys = e.params.organisation.virtual_keys
    named = [key for key, owner in keys.items() if "team" in owner]
    found = f"{len(named)} of {len(keys)} keys name a team"
    return Finding(bool(named), found, "set virtual_keys: {{key: {{team: …}}}} in parameters/organisation.yaml")


def _teams_complete(e: Evidence) -> Finding:
    teams, seen = e.params.organisation.teams, set(dimension_values(e.costs, "team")) - {UNATTRIBUTED}
    lacking = sorted(
        name
        for name in seen | set(teams)
        if (team := teams.get(name)) is None
        or not all((team.department, team.cost_center, team.owners.business, team.owners.technical))
    )
    if not seen and not teams:
        return Finding(None, "no team is known", "list teams in parameters/organisation.yaml")
    found = f"incomplete: {', '.join(lacking)}" if lacking else f"{len(teams)} teams, all complete"
    return Finding(not lacking, found, "complete 'teams' in parameters/organisation.yaml: " + ", ".join(lacking))


def _forecast_accurate(e: Evidence) -> Finding:
    checks = inform.forecast_checks(e.windows, accuracy_target=e.params.settings.forecast.accuracy_target)
    error, target = checks["statistic"].iloc[0], checks["threshold"].iloc[0]
    if pd.isna(error):
        return Finding(
            None, "the history is too short for a test", "wait for eight weeks of days, or read older exports"
        )
    found = f"error of {error:.1%} over {len(e.windows)} windows ({target:.0%} allowed)"
    return Finding(bool(error <= target), found, "see 05_forecast: which driver the forecast misses")


def _month_reconciled(e: Evidence) -> Finding:
    tied = e.closed.loc[e.closed["reconciled"].astype(bool), "month"].tolist()
    return Finding(
        bool(tied), f"reconciled: {', '.join(tied) or 'none'}", "finops close --period YYYY-MM, see 02_reconciliation"
    )


def _last_month_closed(e: Evidence, limit: float) -> Finding:
    if e.as_of is None:
        return Finding(None, "no month yet", "read exports first")
    last = str((pd.Timestamp(e.as_of) - pd.Timedelta(days=limit)).to_period("M") - 1)
    closed = last in set(e.closed["month"])
    return Finding(closed, f"{last} is {'closed' if closed else 'open'}", f"finops close --period {last}")


def _allocation_complete(e: Evidence) -> Finding:
    missing = sorted(
        {"direct", "proportional", "overhead"} - {rule.bucket for rule in e.params.organisation.allocation}
    )
    found = f"no rule for {', '.join(missing)}" if missing else "rules for all three classes"
    return Finding(not missing, found, "add them to allocation in parameters/organisation.yaml")


def _models_in_tiers(e: Evidence) -> Finding:
    catalogue = e.params.organisation.models
    chats = e.costs[~e.costs["request_type"].isin(["embeddings", "rerank"]).astype(bool)]
    used = set(dimension_values(chats, "model")) - {UNATTRIBUTED}
    unknown = sorted(name for name in used if catalogue.tier_of(name) is None)
    found = f"no tier: {', '.join(unknown)}" if unknown else f"{len(used)} models, each in a tier"
    return Finding(not unknown if used else None, found, "add them to models.tiers in parameters/organisation.yaml")


def _raci_valid(e: Evidence) -> Finding:
    mistakes = raci_mistakes(e.params.organisation.raci)
    found = "; ".join(f"{m.activity}: {m.mistake}" for m in mistakes.itertuples())
    return Finding(mistakes.empty, found or "one accountable each", "mend raci in parameters/organisation.yaml")


def _budgets_at_all_levels(e: Evidence) -> Finding:
    budgets = e.params.organisation.budgets
    held = {
        "company": any(not b.match for b in budgets),
        "department": any("department" in b.match or "team" in b.match for b in budgets),
        **{name: bool(settings.budgets) for name, settings in e.params.assistants.items()},
    }
    missing = [level for level, there in held.items() if not there]
    found = f"no budget: {', '.join(missing)}" if missing else "at every level"
    return Finding(not missing, found, "add budgets to parameters/organisation.yaml and the assistants' files")


def _alerts_routed(e: Evidence) -> Finding:
    targets = e.params.organisation.alerts.targets
    return Finding(
        bool(targets), ", ".join(targets) or "no target", "set alerts.targets in parameters/organisation.yaml"
    )


OF_ORGANISATION: dict[str, Callable[..., Finding]] = {
    "assistants_registered": _assistants_registered,
    "seats_given": _rows_given("seats", "rows of subscriptions"),
    "keys_name_teams": _keys_name_teams,
    "teams_complete": _teams_complete,
    "forecast_accurate": _forecast_accurate,
    "bills_given": _rows_given("charges", "bill lines"),
    "month_reconciled": _month_reconciled,
    "last_month_closed": _last_month_closed,
    "allocation_complete": _allocation_complete,
    "models_in_tiers": _models_in_tiers,
    "raci_valid": _raci_valid,
    "budgets_at_all_levels": _budgets_at_all_levels,
    "alerts_routed": _alerts_routed,
}
"""Checks about the whole scope by name."""
