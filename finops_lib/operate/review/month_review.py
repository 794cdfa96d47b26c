"""Review of a month: everything a monthly review looks at, read and worked out once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import pandas as pd

from finops_lib import inform, ingest
from finops_lib.operate.alerting.alerts import alerts
from finops_lib.operate.budgets.review import of_assistant, propose_budgets, watch_and_burn
from finops_lib.operate.budgets.rules import last_day_reported
from finops_lib.operate.review.decisions_held import decisions_held, exceptions_held
from finops_lib.operate.review.quarterly import tier_drift
from finops_lib.operate.review.review import propose_decisions
from finops_lib.operate.review.scorecard import scorecard
from finops_lib.operate.review.viability import viability
from finops_lib.optimize.levers.savings import promotions_of
from finops_lib.optimize.routing.policy import routing_breaches, tier_mix
from finops_lib.params import ORGANISATION, Params, load_params


@dataclass(frozen=True)
class MonthReview:
    """What a month asks to decide, and what it rests on.

    Attributes
    ----------
    as_of : date or None
        Day looked from.
    proposals : DataFrame
        As ``propose_decisions`` returns them.
    card : DataFrame
        As ``scorecard`` returns it.
    held, exceptions : DataFrame
        As ``decisions_held`` and ``exceptions_held`` return them.
    budgets : DataFrame
        ``summary`` of ``burn``, of the page's budgets.
    breaches : DataFrame
        As ``optimize.routing_breaches`` returns them.
    drift : DataFrame
        As ``tier_drift`` returns it.
    waste : DataFrame
        As ``inform.waste`` returns it.
    viable : DataFrame
        As ``viability`` returns it.
    """

    as_of: date | None
    proposals: pd.DataFrame
    card: pd.DataFrame
    held: pd.DataFrame
    exceptions: pd.DataFrame
    budgets: pd.DataFrame
    breaches: pd.DataFrame
    drift: pd.DataFrame
    waste: pd.DataFrame
    viable: pd.DataFrame


def review_month(params: Params, ledger: ingest.Ledger) -> MonthReview:
    """Review the month a ledger was opened for.

    Parameters
    ----------
    params : Params
        Of the page: one assistant, or the organisation with all of them.
    ledger : Ledger
        Opened for it.

    Returns
    -------
    MonthReview
        Frames of the scope; events and budgets come of the whole organisation, as on the page of budgets.

    References
    ----------
    Requirements G4 to G6.
    """
    assistant, rules = params.assistant, params.settings.forecast
    both, month = (ledger.costs, ledger.usage), (ledger.month(ledger.costs), ledger.month(ledger.usage))
    as_of = last_day_reported(ledger.as_of, ledger.period)
    whole = ledger
    if assistant != ORGANISATION:
        whole = ingest.open_ledger(load_params(ORGANISATION, params.period, project=params.project))
    asked = ingest.agent_runs(whole.params), ingest.dearest_calls(whole)
    watched, burnt = watch_and_burn(params, whole.costs, whole.usage, as_of, *asked)
    told = alerts(burnt, watched, as_of=as_of, settings=params.organisation.alerts, assistants=params.assistants,
                  assistant=assistant)  # fmt: skip
    budgets = of_assistant(burnt.summary, assistant)

    policies, catalogue = params.routing_policies, params.organisation.models
    prices, large = ingest.contracted_prices(ledger), ingest.calls_over_routing_limits(ledger)
    breaches = routing_breaches(*month, policies, catalogue, prices, large)
    wasted, outcomes = ingest.wasted_requests(ledger), ingest.load_table(params, "outcomes")
    tables = [ingest.load_table(params, name) for name in ("seats", "capacity")]
    scope = {"policies": params.environment_policies, "assistant": assistant}
    waste = inform.waste(wasted, *tables, period=ledger.period, **scope)

    held = decisions_held(params.decisions, *both, as_of, assistant=assistant)
    allowed = of_assistant(burnt.state.exceptions.merge(budgets[["budget", "assistant"]]), assistant)
    exceptions = exceptions_held(params.decisions, allowed, breaches, ledger.costs, as_of, assistant=assistant)
    proposed = propose_budgets(whole.costs, burnt, as_of, assistant=assistant, year_start=rules.year_start)
    money = {"budgets": budgets, "alerts": told, "proposals": proposed, "breaches": breaches}
    lost = {"waste": waste, "wasted": wasted, "exceptions": exceptions}

    before = str(pd.Period(ledger.period, "M") - 1) if ledger.period else ""
    former = [inform.filter_scope(frame, period=before) for frame in both]
    return MonthReview(
        as_of=as_of,
        proposals=propose_decisions(params, as_of, **money, **lost),
        card=_card(params, ledger, as_of, outcomes, budgets, of_assistant(watched.events, assistant)),
        held=held,
        exceptions=exceptions,
        budgets=budgets,
        breaches=breaches,
        drift=tier_drift(tier_mix(*month, policies, catalogue), tier_mix(*former, policies, catalogue)),
        waste=waste,
        viable=viability(params, *both, outcomes, as_of, ingest.load_charges(params)),
    )


def _card(
    params: Params,
    ledger: ingest.Ledger,
    as_of: date | None,
    outcomes: pd.DataFrame,
    budgets: pd.DataFrame,
    events: pd.DataFrame,
) -> pd.DataFrame:
    """Hold the indicators of the scope against their targets."""
    costs, usage, windows = ledger.costs, ledger.usage, params.settings.forecast.backtest_windows
    months, tasks = inform.month_on_month(costs, usage), ingest.tasks_by_month(ledger)
    return scorecard(
        params,
        costs,
        usage,
        period=ledger.period,
        results=inform.unit_costs_by_month(months, costs, tasks, outcomes),
        budgets=budgets,
        events=events,
        windows=inform.backtest_cost(costs, usage, as_of, origins=windows, calendar=params.organisation.holidays),
        promotions=promotions_of(params.promotions, params.assistant),
    )
