"""Evaluated routes: what the evaluations of a workflow allow, by the gate and by assignment of its segments."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from finops_lib.inform.measures import total
from finops_lib.optimize.gate.gate import compare_candidates
from finops_lib.optimize.gate.non_inferiority import required_pairs
from finops_lib.optimize.levers.savings import promotion_date
from finops_lib.optimize.routing.policy import Policies, may_serve, policy_of
from finops_lib.optimize.routing.routes import Routes, optimal_routes

if TYPE_CHECKING:
    from finops_lib.settings import GateSettings, ModelCatalogue, Promotion

_USUAL_DISCORDANCE, _ALIKE = 0.15, 0.08
_TOP = 5
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


def route_controls(routes: Sequence[EvaluatedRoute], gate: GateSettings) -> dict[str, list[Any]]:
    """List what a reader may choose in ``evaluated_route``, the settings' own values first.

    Parameters
    ----------
    routes : sequence of EvaluatedRoute
        As ``evaluated_routes`` returns them.
    gate : GateSettings
        Quality floor and margin.

    Returns
    -------
    dict
        Choices by the name of the argument.
    """
    sets = ["/".join(filter(None, (found.assistant, found.workflow))) for found in routes]
    floors, margins = (gate.quality_floor, 0.9, 0.98), (gate.margin, 0.01, 0.03)
    ordered = {"quality_floor": list(dict.fromkeys(floors)), "margin": list(dict.fromkeys(margins))}
    return {"evaluation_set": sets or ["none"]} | ordered


def gate_verdicts(routes: Sequence[EvaluatedRoute], on_record: Sequence[Promotion] = ()) -> pd.DataFrame:
    """List the gate's verdicts on all candidates.

    Parameters
    ----------
    routes : sequence of EvaluatedRoute
        As ``evaluated_routes`` returns them.
    on_record : sequence of Promotion
        Changes in production.

    Returns
    -------
    DataFrame
        ``assistant``, ``workflow`` (null: the whole assistant), ``promoted_on`` (null: not in production), then
        columns of ``compare_candidates`` (``saving`` as ``saving_per_success``), and ``is_allowed`` by the policy.
    """
    columns = ["assistant", "workflow", "candidate", "verdict", "is_allowed", "promoted_on", "pairs", "difference",
               "lower", "upper", "margin", "pairs_to_decide", "saving_per_success", "reason"]  # fmt: skip
    frames = [
        _placed(found, found.verdicts.rename(columns={"saving": "saving_per_success"}), "candidate", on_record)
        for found in routes
    ]
    return pd.concat(frames, ignore_index=True)[columns] if frames else pd.DataFrame(columns=columns)


def proposed_routes(routes: Sequence[EvaluatedRoute], on_record: Sequence[Promotion] = ()) -> pd.DataFrame:
    """List what would serve each segment, for somebody to approve.

    Parameters
    ----------
    routes : sequence of EvaluatedRoute
        As ``evaluated_routes`` returns them.
    on_record : sequence of Promotion
        Changes in production.

    Returns
    -------
    DataFrame
        One row per workflow × segment × configuration in use: ``assistant``, ``workflow`` (null: the whole
        assistant), ``segment``, ``today`` (the baseline), ``configuration``, ``promoted_on`` (null: to be approved),
        ``share`` of the segment's calls, ``pass_rate``, ``cost_per_call`` (USD), ``samples``, ``floor``
        (the pass rate the workflow as a whole is to keep), ``holds_floor``: whether it is shown to.
    """
    columns = ["assistant", "workflow", "segment", "today", "configuration", "promoted_on", "share", "pass_rate",
               "cost_per_call", "samples", "floor", "holds_floor"]  # fmt: skip
    frames = [
        _placed(found, found.routes.assignment, "configuration", on_record).assign(
            floor=found.floor, holds_floor=found.routes.holds_floor
        )
        for found in routes
    ]
    return pd.concat(frames, ignore_index=True)[columns] if frames else pd.DataFrame(columns=columns)


def missing_evaluations(costs: pd.DataFrame, evaluations: pd.DataFrame, gate: GateSettings) -> pd.DataFrame:
    """Say which workflows to evaluate next, and with how many items.

    Parameters
    ----------
    costs : DataFrame
        Ledger of the month.
    evaluations : DataFrame
        What is evaluated; may be empty.
    gate : GateSettings
        Margin and level.

    Returns
    -------
    DataFrame
        The five costliest: ``assistant``, ``workflow``, ``model`` (costliest: the baseline), ``cost`` (USD),
        ``candidates`` (other models that serve it), ``margin``, ``items`` at 15% of answers that differ,
        ``items_if_alike`` at 8%.

    References
    ----------
    Requirement F4.
    """
    done = set(evaluations["evaluation_set"]) if len(evaluations) else set()
    costs = costs[(costs["category"] != "evaluation").fillna(True)]
    frame = costs[["assistant", "workflow", "model"]].astype(object)
    frame = frame.assign(cost=costs["contracted_cost"].astype("float64")).dropna()
    served = frame.groupby(["assistant", "workflow", "model"])["cost"].sum().reset_index()
    served = served.sort_values(["cost", "model"], ascending=[False, True])
    rows = served.groupby(["assistant", "workflow"], sort=False).agg(
        model=("model", "first"), cost=("cost", "sum"), candidates=("model", lambda names: ", ".join(names[1:]))
    )
    rows = rows.reset_index().sort_values("cost", ascending=False, kind="stable")
    evaluated = (rows["assistant"] + "/" + rows["workflow"]).isin(done) | rows["assistant"].isin(done)
    rows = rows[~evaluated & (rows["cost"] > 0)].head(_TOP)
    needed = [required_pairs(share, gate.margin, alpha=gate.alpha) for share in (_USUAL_DISCORDANCE, _ALIKE)]
    return rows.assign(margin=gate.margin, items=needed[0], items_if_alike=needed[1]).reset_index(drop=True)


def _placed(found: EvaluatedRoute, rows: pd.DataFrame, column: str, on_record: Sequence[Promotion]) -> pd.DataFrame:
    """Say where the rows belong, and since when their configuration is in production."""
    since = [promotion_date(on_record, found.assistant, found.workflow, name) for name in rows[column]]
    # object columns: a null is a null in whatever stands below it
    place = {"workflow": found.workflow, "promoted_on": since}
    objects = {name: pd.Series(value, index=rows.index, dtype=object) for name, value in place.items()}
    return rows.assign(assistant=found.assistant, **objects)


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
