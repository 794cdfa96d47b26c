"""Budget review: what a page or a message about budgets rests on, and what it decides."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import ROUND_CEILING, Decimal
from typing import Any

import pandas as pd

from finops_lib.checks import check, checklist
from finops_lib.inform.drivers.forecast_cost import CostForecast, forecast_by_driver
from finops_lib.inform.forecast.holiday_effect import public_holidays
from finops_lib.inform.forecast.projection import project
from finops_lib.inform.scope import UNATTRIBUTED, days, dimension_values
from finops_lib.operate.anomalies.watch import Watch, watch_assistants
from finops_lib.operate.budgets.budgets import BudgetState
from finops_lib.operate.budgets.burn import Burn, burn, spend_history
from finops_lib.operate.budgets.rules import budgets_of
from finops_lib.optimize.levers.savings import drift_after_promotion
from finops_lib.settings import ORGANISATION, Params

_PROPOSALS = (
    "assistant",
    "per_day_28",
    "first_day",
    "last_day",
    "projected",
    "lower_80",
    "upper_80",
    "proposed",
    "entry",
)


def watch_and_burn(
    params: Params,
    costs: pd.DataFrame,
    usage: pd.DataFrame,
    as_of: date | None,
    runs: pd.DataFrame | None = None,
    dearest: pd.DataFrame | None = None,
) -> tuple[Watch, Burn]:
    """Look at events and budgets of the whole organisation, by its parameters.

    Parameters
    ----------
    params : Params
        Budgets, verdicts, holidays and models; what-if values of its assistant included.
    costs, usage : DataFrame
        Ledger and usage of the whole organisation, all months known.
    as_of : date or None
        Last complete day.
    runs : DataFrame, optional
        Agent runs, all months.
    dearest : DataFrame, optional
        As ``ingest.dearest_calls`` returns it.

    Returns
    -------
    Watch, Burn
        As ``watch_assistants`` and ``burn`` return them, with the drifts after promotions; budgets about all of an
        assistant or of the organisation go by the forecast that 05_forecast shows.
    """
    own = {} if params.assistant == ORGANISATION else {params.assistant: params.settings}
    organisation = params.organisation
    models = costs["model"].dropna().unique() if len(costs) else []
    if as_of is not None:
        costs, usage = (table[days(table) <= pd.Timestamp(as_of)] for table in (costs, usage))
    watched = watch_assistants(
        costs,
        usage,
        settings={name: settings.anomalies for name, settings in (params.assistants | own).items()},
        holidays=organisation.holidays,
        runs=runs,
        dearest=dearest,
        premium_models=[model for model in models if organisation.models.is_premium(model)],
        until=as_of,
        zone=organisation.time_zone,
    )
    calendar = None
    if len(costs) and as_of:
        calendar = public_holidays(organisation.holidays, days(costs).min().date(), date(as_of.year + 1, 12, 31))
    watched = replace(watched, drifts=drift_after_promotion(params.promotions, costs, usage, as_of))

    def by_driver(scope: str) -> CostForecast:
        return forecast_by_driver(params, of_assistant(costs, scope), of_assistant(usage, scope), as_of)

    start = params.settings.forecast.year_start
    return watched, burn(costs, budgets_of(params), as_of, year_start=start, holidays=calendar, by_driver=by_driver)


def concerning(burnt: Burn, assistant: str) -> Burn:
    """Keep the budgets that an assistant has, and those that others have with it among them.

    Parameters
    ----------
    burnt : Burn
        Of the organisation.
    assistant : str
        Its name; ``organisation`` keeps all.

    Returns
    -------
    Burn
        Its own budgets first.
    """
    if assistant == ORGANISATION:
        return burnt
    parts = burnt.state.parts
    spends = parts[(parts["kind"] == "assistant") & (parts["part"] == assistant)]["budget"]
    own = burnt.summary["assistant"] == assistant
    summary = pd.concat([burnt.summary[own], burnt.summary[~own & burnt.summary["budget"].isin(spends)]])
    summary = summary[summary["assistant"].isna() | (summary["assistant"] == assistant)].reset_index(drop=True)
    kept = [frame[frame["budget"].isin(summary["budget"])].reset_index(drop=True) for frame in (
        burnt.state.state, burnt.state.crossings, burnt.state.exceptions, burnt.state.parts, burnt.course)]  # fmt: skip
    return Burn(BudgetState(*kept[:4]), summary, kept[4])


def of_assistant(frame: pd.DataFrame, assistant: str) -> pd.DataFrame:
    """Keep the rows of one assistant; ``organisation`` keeps all."""
    return frame if assistant == ORGANISATION else frame[frame["assistant"] == assistant]


def leading_budget(burnt: Burn, assistant: str) -> dict[str, Any]:
    """Return the row a page begins with: the budget of all of its scope, else the nearest to an overrun, else nulls."""
    summary = burnt.summary
    first = summary[summary["about"] == ("everything" if assistant == ORGANISATION else f"assistant {assistant}")]
    chosen = pd.concat([first, summary]).head(1)
    return chosen.to_dict("records")[0] if len(chosen) else dict.fromkeys(summary.columns)


def propose_budgets(
    costs: pd.DataFrame, burnt: Burn, as_of: date | None, *, assistant: str = ORGANISATION, year_start: int = 1
) -> pd.DataFrame:
    """Propose a budget for each assistant that spends and has none, from its forecast.

    Parameters
    ----------
    costs : DataFrame
        Ledger of the organisation, all months known.
    burnt : Burn
        Budgets there are.
    as_of : date or None
        Last complete day.
    assistant : str
        Only this one; ``organisation`` means all.
    year_start : int
        First month of the financial year.

    Returns
    -------
    DataFrame
        One row per assistant: ``projected`` spend of the next quarter (USD) with ``lower_80`` and ``upper_80``,
        ``proposed`` = projected, rounded up to two digits, and ``entry``, the line for its parameter file.
    """
    names, rows = dimension_values(costs, "assistant"), []
    have = {UNATTRIBUTED, *burnt.summary["assistant"].dropna()}
    asked = {*names.unique()} if assistant == ORGANISATION else {assistant}
    for name in sorted(asked - have) if as_of is not None else ():
        history = spend_history(costs[(names == name).to_numpy()], pd.Timestamp(as_of))
        if history.empty:
            continue
        coming = project(history, as_of, levels=(80,), periods=("next_quarter",), year_start=year_start).iloc[0]
        amount = _rounded_up(coming["projected"])
        shown = coming[["first_day", "last_day", "projected", "lower_80", "upper_80"]].to_dict()
        entry = f"budgets: [{{name: {name}, amount: {amount}, period: quarter}}]"
        rows.append(
            {
                "assistant": name,
                "per_day_28": history.iloc[-28:].mean(),
                **shown,
                "proposed": float(amount),
                "entry": entry,
            }
        )
    return pd.DataFrame(rows, columns=list(_PROPOSALS))


def budget_checks(burnt: Burn, alerts: pd.DataFrame, *, limit: float) -> pd.DataFrame:
    """Decide on budgets: what is exceeded, what will be, and whether everybody concerned can be told.

    Parameters
    ----------
    burnt : Burn
        Budgets.
    alerts : DataFrame
        What somebody has to be told.
    limit : float
        Probability from which an overrun counts.

    Returns
    -------
    DataFrame
        Check rows; none that nothing is known of.
    """
    summary = burnt.summary
    over = summary[(summary["used_share"] > 1) & ~summary["is_excepted"]]["budget"].tolist()
    likely = summary[(summary["overrun_probability"] >= limit) & (summary["used_share"] <= 1)]["budget"].tolist()
    unowned = alerts[alerts["owner_note"].notna()]["subject"].unique().tolist()
    unusual = alerts[(alerts["kind"] == "unusual") & (alerts["severity"] == "high")]["subject"].tolist()
    budgets = [check("budgets_in_force", len(summary), ">=", 1, unit="budgets")]
    if len(summary):
        budgets.append(_none("budgets_exceeded", over, "budgets"))
        budgets.append(_none("budgets_probably_exceeded", likely, "budgets"))
    return checklist(
        [*budgets, _none("large_unusual_events", unusual, "events"), _none("without_owner", unowned, "alerts")]
    )


def _none(name: str, found: list[str], unit: str) -> pd.DataFrame:
    return check(name, len(found), "<=", 0, unit=unit, comment=", ".join(found))


def _rounded_up(amount: float) -> Decimal:
    """Round up to two significant digits.

    Examples
    --------
    >>> str(_rounded_up(26.96)), str(_rounded_up(1829.2)), str(_rounded_up(0.0))
    ('27', '1900', '1')
    """
    exact = max(Decimal(str(amount)), Decimal("0.01"))
    step = Decimal(1).scaleb(max(exact.adjusted() - 1, 0))
    return ((exact / step).to_integral_value(ROUND_CEILING) * step).quantize(Decimal(1))
