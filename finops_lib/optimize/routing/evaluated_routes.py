"""Evaluated routes: what the evaluations of a workflow allow, by the gate and by assignment of its segments."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from finops_lib.inform.measures import total
from finops_lib.optimize.gate.gate import compare_candidates
from finops_lib.optimize.routing.policy import Policies, may_serve, policy_of
from finops_lib.optimize.routing.routes import Routes, optimal_routes

if TYPE_CHECKING:
    from finops_lib.settings import GateSettings, ModelCatalogue

# what may follow a name and still be the same model: a date, a snapshot, a revision
_VERSION = re.compile(r"[@:].+|-(?:\d{3,}|v\d+|latest)(?:[-.:].*)?")


@dataclass(frozen=True)
class EvaluatedRoute:
    """What is known about one evaluated workflow.

    Parameters
    ----------
    assistant : str
        As the evaluation set names it.
    workflow : str or None
        The same; ``None`` for the whole assistant.
    baseline : str
        Configuration that serves today.
    routes : Routes
        The cheapest assignment of its segments.
    verdicts : DataFrame
        The gate's verdict on each candidate, as ``compare_candidates`` returns it, and ``is_allowed``: whether the
        routing policy lets it serve.
    saving : tuple of float
        Low, likely and high share of the baseline's cost that is saved.
    measure : str
        What is to be done, in words.
    floor : float
        Pass rate to keep: the quality floor, a share, of the baseline's.
    """

    assistant: str
    workflow: str | None
    baseline: str
    routes: Routes
    verdicts: pd.DataFrame
    saving: tuple[float, float, float]
    measure: str
    floor: float


def configuration_of(model: str, configurations: Iterable[str]) -> str | None:
    """Find the configuration that is a model: by its very name, else by its name before a date or version.

    Parameters
    ----------
    model : str
        As the ledger names it.
    configurations : iterable of str
        As the evaluations name them.

    Returns
    -------
    str or None
        The longest that fits.

    Examples
    --------
    >>> configuration_of("gpt-4o-mini", ["gpt-4o", "gpt-4o-mini"]), configuration_of("gpt-4o-2024-08-06", ["gpt-4o"])
    ('gpt-4o-mini', 'gpt-4o')
    """
    fits = [
        name
        for name in configurations
        if model == name or (model.startswith(name) and _VERSION.fullmatch(model[len(name) :]))
    ]
    return max(fits, key=len, default=None)


def segment_traffic(evaluations: pd.DataFrame) -> pd.Series:
    """Weigh segments by their evaluated items, where nothing tells their share of the traffic.

    Parameters
    ----------
    evaluations : DataFrame
        One row per item × configuration.

    Returns
    -------
    Series
        Items by segment.
    """
    return evaluations.drop_duplicates(["segment", "item_id"]).groupby("segment").size()


def evaluated_routes(
    evaluations: pd.DataFrame,
    costs: pd.DataFrame,
    gate: GateSettings,
    policies: Policies,
    catalogue: ModelCatalogue,
    prices: pd.DataFrame,
) -> list[EvaluatedRoute]:
    """Decide for each evaluated workflow what its evaluations allow.

    Parameters
    ----------
    evaluations : DataFrame
        One row per evaluation set × item × configuration; sets are named ``assistant/workflow``, or ``assistant``.
    costs : DataFrame
        Ledger of the month.
    gate : GateSettings
        Margin, level, quality floor; the baseline, else the configuration that is the workflow's costliest model,
        else the one with most items and the best pass rate.
    policies : mapping
        Routing policy by (assistant, workflow). A model that they forbid is judged and not proposed.
    catalogue : ModelCatalogue
        Tiers, and the models that may see each data class.
    prices : DataFrame
        As ``ingest.contracted_prices`` returns it for the configurations: which of them are models, and whose.

    Returns
    -------
    list of EvaluatedRoute
        One per set with two configurations or more whose traffic is in the ledger, workflows before whole
        assistants. A candidate the gate promotes gives the low end of the saving; the assignment of segments, where
        the floor holds, the likely one.

    References
    ----------
    Requirements F2 and F4.
    """
    found = []
    for name, rows in evaluations.groupby("evaluation_set", sort=True):
        assistant, _, workflow = str(name).partition("/")
        own = costs[(costs["assistant"] == assistant).fillna(False)]
        if workflow:
            own = own[(own["workflow"] == workflow).fillna(False)]
        if own.empty or rows["configuration"].nunique() < 2:
            continue
        baseline = _baseline(rows, own, gate)
        verdicts = compare_candidates(rows, baseline, gate.margin, gate.alpha)
        verdicts["is_allowed"] = [
            _is_allowed(one, assistant, own, policies, catalogue, prices) for one in verdicts["candidate"]
        ]
        # what serves today stays possible: that it breaks the policy is told among the breaches
        usable = [baseline, *verdicts.loc[verdicts["is_allowed"], "candidate"]]
        traffic, options = segment_traffic(rows), {"baseline": baseline, "minimum_samples": gate.minimum_samples}
        allowed = {str(segment): usable for segment in traffic.index}
        routes = optimal_routes(_worth_routing(rows, verdicts), traffic, gate.quality_floor, allowed=allowed, **options)
        saving, measure = _saving(rows, baseline, verdicts, routes)
        floor = gate.quality_floor * float(routes.plans.set_index("plan").loc["baseline", "quality"])
        found.append(EvaluatedRoute(assistant, workflow or None, baseline, routes, verdicts, saving, measure, floor))
    return sorted(found, key=lambda route: route.workflow is None)


def evaluated_route(
    evaluations: pd.DataFrame,
    costs: pd.DataFrame,
    gate: GateSettings,
    policies: Policies,
    catalogue: ModelCatalogue,
    prices: pd.DataFrame,
    *,
    evaluation_set: str,
    quality_floor: float,
    margin: float,
) -> EvaluatedRoute:
    """Decide for one evaluated workflow at another floor or margin, as an interactive control asks for it.

    Parameters
    ----------
    evaluations, costs, gate, policies, catalogue, prices
        As for ``evaluated_routes``.
    evaluation_set : str
        Its evaluations, ``assistant/workflow``.
    quality_floor, margin : float
        In place of the gate's.

    Returns
    -------
    EvaluatedRoute
        With empty frames where there are no such evaluations.
    """
    own = evaluations[evaluations["evaluation_set"] == evaluation_set]
    moved = gate.model_copy(update={"quality_floor": quality_floor, "margin": margin})
    found = evaluated_routes(own, costs, moved, policies, catalogue, prices)
    nothing = Routes(*(pd.DataFrame() for _ in range(4)), holds_floor=False, notes=())
    return found[0] if found else EvaluatedRoute("", "", "", nothing, pd.DataFrame(), (0.0, 0.0, 0.0), "", 0.0)


def _baseline(rows: pd.DataFrame, own: pd.DataFrame, gate: GateSettings) -> str:
    known = sorted(set(rows["configuration"]))
    if gate.baseline in known:
        return str(gate.baseline)
    spend = dict.fromkeys(known, 0.0)
    for model, part in own.groupby("model"):
        name = configuration_of(str(model), known)
        if name is not None:
            spend[name] += float(total(part["contracted_cost"]) or 0)
    passed = rows.groupby("configuration")["passed"].agg(["size", "mean"])
    return str(max(known, key=lambda name: (spend[name], *passed.loc[name])))


def _is_allowed(
    name: str, assistant: str, own: pd.DataFrame, policies: Policies, catalogue: ModelCatalogue, prices: pd.DataFrame
) -> bool:
    """Say whether the policies let a configuration serve; what is no model with a price is not known to break any."""
    provider, _, model = name.rpartition("/")
    offers = prices.loc[(prices["model"] == model).fillna(False), "provider"].unique()
    rules = [policy_of(policies, assistant, str(workflow)) for workflow in own["workflow"].dropna().unique()]
    seen = set(own["data_class"].dropna())
    return not len(offers) or any(
        all(may_serve(policy, catalogue, offered, model, seen) for policy in rules or [None])
        for offered in offers
        if provider in ("", offered)
    )


def _saving(
    rows: pd.DataFrame, baseline: str, verdicts: pd.DataFrame, routes: Routes
) -> tuple[tuple[float, float, float], str]:
    """Tell what is saved a call, with what is proven at the low end."""
    per_call = rows.groupby("configuration")["cost_usd"].mean().astype("float64")
    promoted = verdicts.loc[(verdicts["verdict"] == "promote") & verdicts["is_allowed"], "candidate"].tolist()
    gains = {name: max(float(1 - per_call[name] / per_call[baseline]), 0.0) for name in promoted}
    best = max(gains, key=lambda name: gains[name], default=None)
    proposed = float(routes.plans.set_index("plan").loc["proposal", "saving"]) if routes.holds_floor else 0.0
    if best:
        return (gains[best], gains[best], max(gains[best], proposed)), f"{baseline} → {best}, promoted by the gate"
    others = ", ".join(sorted(set(routes.assignment["configuration"]) - {baseline}))
    return (0.0, max(proposed, 0.0), max(proposed, 0.0)), f"{baseline} → {others or baseline} by segment, to be gated"


def _worth_routing(rows: pd.DataFrame, verdicts: pd.DataFrame) -> pd.DataFrame:
    """Leave out what the gate rejected, unless it rejected all: then parts of the traffic are all there is to gain."""
    rejected = verdicts.loc[verdicts["verdict"] == "reject", "candidate"]
    return rows[~rows["configuration"].isin(rejected)] if len(rejected) < len(verdicts) else rows
