"""Lever inputs: what the ledger, the requests and the evaluations say of what a month could have saved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pandas as pd

from finops_lib import ingest
from finops_lib.inform.scope import months
from finops_lib.optimize.levers.levers import lever_cells

if TYPE_CHECKING:
    from finops_lib.optimize.routing.evaluated_routes import EvaluatedRoute
    from finops_lib.settings import EnvironmentPolicy
    from finops_lib.settings.forecast import EconomicTriggers


@dataclass(frozen=True)
class LeverInputs:
    """What the levers are estimated from; what is empty is not estimated.

    Parameters
    ----------
    cells : DataFrame
        As ``lever_cells`` returns them.
    costs, usage : DataFrame
        Ledger and usage of all months up to the period.
    period : str
        The month, ``YYYY-MM``.
    wasted, over_output, repeats, over_input, prefixes : DataFrame
        As ``ingest.wasted_requests``, ``calls_over_output_limit``, ``repeated_calls``, ``input_over_budget`` and
        ``missed_prefixes`` return them.
    routes : sequence of EvaluatedRoute
        As ``evaluated_routes`` returns them.
    breaches : DataFrame
        As ``routing_breaches`` returns it.
    environments : mapping
        Environment policy by (assistant, environment).
    triggers : EconomicTriggers
        When own hosting is reviewed.
    """

    cells: pd.DataFrame
    costs: pd.DataFrame
    usage: pd.DataFrame
    period: str
    wasted: pd.DataFrame
    over_output: pd.DataFrame
    repeats: pd.DataFrame
    over_input: pd.DataFrame
    prefixes: pd.DataFrame
    routes: Sequence[EvaluatedRoute]
    breaches: pd.DataFrame
    environments: Mapping[tuple[str, str], EnvironmentPolicy]
    triggers: EconomicTriggers
    month: pd.DataFrame = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "month", self.costs[months(self.costs) == self.period])


def read_lever_inputs(ledger: ingest.Ledger, routes: Sequence[EvaluatedRoute], breaches: pd.DataFrame) -> LeverInputs:
    """Ask the ledger and its requests what the levers are estimated from.

    Parameters
    ----------
    ledger : Ledger
        Opened for a month.
    routes, breaches
        As ``evaluated_routes`` and ``routing_breaches`` return them.

    Returns
    -------
    LeverInputs
        The month, by the assumptions in the ledger's parameters.
    """
    params = ledger.params
    assumed = params.settings.levers
    return LeverInputs(
        cells=lever_cells(ledger.month(ledger.costs)),
        costs=ledger.costs,
        usage=ledger.usage,
        period=ledger.period,
        wasted=ingest.wasted_requests(ledger),
        over_output=ingest.calls_over_output_limit(ledger),
        repeats=ingest.repeated_calls(ledger),
        over_input=ingest.input_over_budget(ledger, assumed.retrieved_tokens, assumed.context_multiple),
        prefixes=ingest.missed_prefixes(ledger),
        routes=routes,
        breaches=breaches,
        environments=params.environment_policies,
        triggers=params.settings.forecast.triggers,
    )
