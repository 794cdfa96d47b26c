"""Evidence: everything the rollout's checks look at, read once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property
from typing import NamedTuple

import pandas as pd

from finops_lib import inform, ingest
from finops_lib.inform.measures import total
from finops_lib.inform.profile.coverage import COVERAGE_DIMENSIONS
from finops_lib.inform.scope import UNATTRIBUTED, days, dimension_values
from finops_lib.ingest.prices.announced import model_prices
from finops_lib.ingest.workspace import locked, read_json, write_json
from finops_lib.operate.budgets.budgets import BudgetState, budget_state
from finops_lib.operate.budgets.rules import budgets_of, last_day_reported
from finops_lib.params import ORGANISATION, Params, Settings

_DIMENSIONS = (*COVERAGE_DIMENSIONS, "environment", "data_class", "assistant")
PROVED = "rollout.json"
"""File of the workspace: scope → item → day on which it was first seen proved."""


class Finding(NamedTuple):
    """Whether it holds (``None``: not known), what was found, and what would mend it."""

    passed: bool | None
    found: str
    remedy: str = ""


@dataclass(frozen=True)
class Evidence:
    """What is known of the scope of one page.

    Attributes
    ----------
    params : Params
        Of the page: one assistant, or the organisation with all of them.
    as_of : date or None
        Day looked from: the last complete one, at most the end of the month reported on.
    costs, usage : DataFrame
        Ledger and usage of the scope, all months up to ``as_of``.
    outcomes, evaluations, seats, charges, closed : DataFrame
        Tables given, and the months closed.
    users : DataFrame
        One row per ``assistant``: ``users`` of the month.
    prices : DataFrame
        Prices of today of the models planned and seen: ``model``, ``token_class``, ``unit_price`` (USD).
    violations : DataFrame
        Environment policies broken in the month.
    budgets : BudgetState
        Where the budgets stand.
    history : mapping
        Item → day ``YYYY-MM-DD`` on which it was first seen proved.
    """

    params: Params
    as_of: date | None
    costs: pd.DataFrame
    usage: pd.DataFrame
    outcomes: pd.DataFrame
    evaluations: pd.DataFrame
    seats: pd.DataFrame
    charges: pd.DataFrame
    closed: pd.DataFrame
    users: pd.DataFrame
    prices: pd.DataFrame
    violations: pd.DataFrame
    budgets: BudgetState
    history: Mapping[str, str]

    @property
    def month(self) -> tuple[date, date] | None:
        """First and last day of the month reported on, as far as it is complete."""
        return (self.as_of.replace(day=1), self.as_of) if self.as_of else None

    def reviews(self, assistant: str) -> tuple[date | None, date | None]:
        """Return the day of the last decision about an assistant, and the day of the next review."""
        about = [one for one in self.params.decisions if one.assistant == assistant]
        held = [one for one in about if self.as_of is None or one.decided <= self.as_of]
        last = max((one.decided for one in held), default=None)
        return last, min((one.review for one in held if self.as_of is None or one.review >= self.as_of), default=None)

    @cached_property
    def windows(self) -> pd.DataFrame:
        """Back-test of the forecast by driver, as the forecast's page has it."""
        origins, calendar = self.params.settings.forecast.backtest_windows, self.params.organisation.holidays
        tests = inform.backtest_cost(self.costs, self.usage, self.as_of, origins=origins, calendar=calendar)
        return tests[tests["method"] == "by driver"]

    def evaluation_sets(self, assistant: str) -> list[str]:
        """Names of the evaluation sets of an assistant: its own name, or one below it (``name/…``)."""
        names = self.evaluations["evaluation_set"].astype(str)
        return sorted(set(names[(names == assistant) | names.str.startswith(f"{assistant}/")]))

    @cached_property
    def assistants(self) -> dict[str, AssistantEvidence]:
        """Each assistant of the scope that has a parameter file, with what is known of it."""
        params = self.params
        chosen = params.assistants if params.assistant == ORGANISATION else {params.assistant: params.settings}
        of_costs, of_usage = (dimension_values(frame, "assistant") for frame in (self.costs, self.usage))
        return {
            name: AssistantEvidence(name, settings, self.costs[of_costs == name], self.usage[of_usage == name], self)
            for name, settings in sorted(chosen.items())
        }


@dataclass(frozen=True)
class AssistantEvidence:
    """What is known of one assistant; ``month`` cuts a frame down to the last 31 days."""

    name: str
    settings: Settings
    all_costs: pd.DataFrame = field(repr=False)
    all_usage: pd.DataFrame = field(repr=False)
    whole: Evidence = field(repr=False)

    @property
    def as_of(self) -> date | None:
        """Day looked from."""
        return self.whole.as_of

    @cached_property
    def costs(self) -> pd.DataFrame:
        """Ledger rows of the last 31 days."""
        return self._recent(self.all_costs)

    @cached_property
    def usage(self) -> pd.DataFrame:
        """Usage rows of the last 31 days."""
        return self._recent(self.all_usage)

    @cached_property
    def coverage(self) -> dict[str, float | None]:
        """Share of the recent cost that names each dimension, and all three that statements need."""
        found = inform.attribution_coverage(self.costs, dimensions=_DIMENSIONS).set_index("dimension")["coverage"]
        shares = found.to_dict() | {"all": inform.attribution_coverage(self.costs)["coverage"].iloc[-1]}
        return {name: None if pd.isna(part) else float(part) for name, part in shares.items()}

    @cached_property
    def spent(self) -> float:
        """Cost of the last 31 days in USD."""
        return float(total(self.costs["contracted_cost"]) or 0) if len(self.costs) else 0.0

    def counted(self, *names: str) -> int:
        """Sum of counts of the last 31 days."""
        return sum(int(total(self.usage[name]) or 0) for name in names if name in self.usage)

    def recent_outcomes(self, outcomes: pd.DataFrame) -> pd.Series:
        """Cut outcomes down to its counts of the last 31 days."""
        own = outcomes[outcomes["assistant"] == self.name]
        if self.as_of:
            day = pd.to_datetime(own["date"])
            own = own[day.between(pd.Timestamp(self.as_of - timedelta(days=30)), pd.Timestamp(self.as_of))]
        return own["outcome_count"]

    def values(self, dimension: str) -> list[str]:
        """Values a dimension had in the last 31 days."""
        return sorted({*dimension_values(self.usage, dimension)} - {UNATTRIBUTED})

    def _recent(self, frame: pd.DataFrame) -> pd.DataFrame:
        return frame[days(frame) > pd.Timestamp(self.as_of - timedelta(days=31))] if self.as_of else frame


def read_evidence(params: Params, ledger: ingest.Ledger) -> Evidence:
    """Read what the rollout's checks look at.

    Parameters
    ----------
    params : Params
        Of the page or command.
    ledger : Ledger
        Opened for it.

    Returns
    -------
    Evidence
        Frames of the scope; empty where nothing was given.
    """
    as_of = last_day_reported(ledger.as_of, ledger.period) if ledger.period else None
    costs, usage = (
        frame[days(frame) <= pd.Timestamp(as_of)] if as_of else frame for frame in (ledger.costs, ledger.usage)
    )
    month_costs, month_usage = ledger.month(costs), ledger.month(usage)
    over = ingest.calls_over_output_limit(ledger)
    plan = params.settings.plan
    # an assistant's ledger says nothing of the budgets above it
    whole = params.assistant == ORGANISATION
    budgets = [one for one in budgets_of(params) if whole or one.match.get("assistant") == params.assistant]
    return Evidence(
        params=params,
        as_of=as_of,
        costs=costs,
        usage=usage,
        **{name: ingest.load_table(params, name) for name in ("outcomes", "evaluations", "seats")},
        charges=ingest.load_charges(params),
        closed=ingest.closed_months(params),
        users=ingest.distinct_users(ledger, ["assistant"]),
        prices=model_prices(params, [*(plan.models if plan else []), *costs["model"].dropna().unique()], as_of),
        violations=inform.environment_violations(month_costs, month_usage, params.environment_policies, over),
        budgets=budget_state(costs, budgets, as_of, year_start=params.settings.forecast.year_start),
        history=read_json(params.workspace / PROVED, {}).get(params.assistant, {}),
    )


def keep_proofs(evidence: Evidence, state: pd.DataFrame) -> None:
    """Keep in the workspace which items are proved, and since when; what is lost later has regressed.

    Parameters
    ----------
    evidence : Evidence
        Whose scope and day.
    state : DataFrame
        Items of the rollout: ``item``, ``state``.
    """
    if evidence.as_of is None:
        return
    params, today = evidence.params, f"{evidence.as_of}"
    fresh = dict.fromkeys(state.loc[state["state"] == "proved", "item"], today)
    with locked(params.workspace):
        path = params.workspace / PROVED
        held = read_json(path, {})
        since = held.get(params.assistant, {})
        held[params.assistant] = since | {item: min(day, since.get(item, day)) for item, day in fresh.items()}
        write_json(path, held)
