"""Evaluated routes: what the evaluations of a workflow allow, by the gate and by assignment of its segments."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from finops_lib.inform.measures import total
from finops_lib.optimize.gate.gate import compare_candidates
from finops_lib.optimize.gate.non_inferiority import required_pairs
from finops_lib.optimize.routing.routes import Routes, optimal_routes

if TYPE_CHECKING:
    from finops_lib.settings import GateSettings

_USUAL_DISCORDANCE = 0.15


@dataclass(frozen=True)
class EvaluatedRoute:
    """What is known about one evaluated workflow.

    Parameters
    ----------
    assistant, workflow : str
        As the evaluation set names them.
    baseline : str
        Configuration that serves today.
    routes : Routes
        The cheapest assignment of its segments.
    verdicts : DataFrame
        The gate's verdict on each candidate, as ``compare_candidates`` returns it.
    saving : tuple of float
        Low, likely and high share of the baseline's cost that is saved.
    measure : str
        What is to be done, in words.
    """

    assistant: str
    workflow: str
    baseline: str
    routes: Routes
    verdicts: pd.DataFrame
    saving: tuple[float, float, float]
    measure: str


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


def evaluated_routes(evaluations: pd.DataFrame, costs: pd.DataFrame, gate: GateSettings) -> list[EvaluatedRoute]:
    """Decide for each evaluated workflow what its evaluations allow.

    Parameters
    ----------
    evaluations : DataFrame
        One row per evaluation set × item × configuration; sets are named ``assistant/workflow``.
    costs : DataFrame
        Ledger of the month.
    gate : GateSettings
        Margin, level, quality floor; the baseline, else the configuration that is the workflow's costliest model,
        else the one with most items and the best pass rate.

    Returns
    -------
    list of EvaluatedRoute
        One per set with two configurations or more whose workflow is in the ledger. A candidate the gate promotes
        gives the low end of the saving; the assignment of segments, where the floor holds, the likely one.

    References
    ----------
    Requirements F2 and F4.
    """
    found = []
    for name, rows in evaluations.groupby("evaluation_set", sort=True):
        assistant, _, workflow = str(name).partition("/")
        own = costs[((costs["assistant"] == assistant) & (costs["workflow"] == workflow)).fillna(False)]
        if own.empty or rows["configuration"].nunique() < 2:
            continue
        baseline = _baseline(rows, own, gate)
        verdicts = compare_candidates(rows, baseline, gate.margin, gate.alpha)
        options = {"baseline": baseline, "minimum_samples": gate.minimum_samples}
        routes = optimal_routes(_worth_routing(rows, verdicts), segment_traffic(rows), gate.quality_floor, **options)
        saving, measure = _saving(rows, baseline, verdicts, routes)
        found.append(EvaluatedRoute(assistant, workflow, baseline, routes, verdicts, saving, measure))
    return found


def evaluated_route(
    evaluations: pd.DataFrame,
    costs: pd.DataFrame,
    gate: GateSettings,
    *,
    evaluation_set: str,
    quality_floor: float,
    margin: float,
) -> EvaluatedRoute:
    """Decide for one evaluated workflow at another floor or margin, as an interactive control asks for it.

    Parameters
    ----------
    evaluations, costs, gate
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
    found = evaluated_routes(own, costs, moved)
    nothing = Routes(*(pd.DataFrame() for _ in range(4)), holds_floor=False, notes=())
    return found[0] if found else EvaluatedRoute("", "", "", nothing, pd.DataFrame(), (0.0, 0.0, 0.0), "")


def gate_verdicts(routes: list[EvaluatedRoute]) -> pd.DataFrame:
    """List the gate's verdicts on all candidates.

    Parameters
    ----------
    routes : list of EvaluatedRoute
        As ``evaluated_routes`` returns them.

    Returns
    -------
    DataFrame
        ``assistant``, ``workflow``, then the columns of ``compare_candidates``.
    """
    columns = ["assistant", "workflow", "candidate", "verdict", "pairs", "difference", "lower", "upper", "margin",
               "pairs_to_decide", "saving", "reason"]  # fmt: skip
    frames = [found.verdicts.assign(assistant=found.assistant, workflow=found.workflow) for found in routes]
    return pd.concat(frames, ignore_index=True)[columns] if frames else pd.DataFrame(columns=columns)


def proposed_routes(routes: list[EvaluatedRoute]) -> pd.DataFrame:
    """List what would serve each segment, for somebody to approve.

    Parameters
    ----------
    routes : list of EvaluatedRoute
        As ``evaluated_routes`` returns them.

    Returns
    -------
    DataFrame
        One row per workflow × segment × configuration in use: ``assistant``, ``workflow``, ``segment``, ``today``,
        ``configuration``, ``share`` of the segment's calls, ``pass_rate``, ``cost_per_call`` (USD), ``samples``,
        ``holds_floor``: whether the workflow as a whole is shown to keep the quality floor.
    """
    columns = ["assistant", "workflow", "segment", "today", "configuration", "share", "pass_rate", "cost_per_call",
               "samples", "holds_floor"]  # fmt: skip
    frames = [
        found.routes.assignment.assign(
            assistant=found.assistant, workflow=found.workflow, holds_floor=found.routes.holds_floor
        )
        for found in routes
    ]
    return pd.concat(frames, ignore_index=True)[columns] if frames else pd.DataFrame(columns=columns)


def missing_evaluations(
    costs: pd.DataFrame, evaluations: pd.DataFrame, gate: GateSettings, top: int = 5
) -> pd.DataFrame:
    """Say which workflows to evaluate next, and with how many items.

    Parameters
    ----------
    costs : DataFrame
        Ledger of the month.
    evaluations : DataFrame
        What is evaluated; may be empty.
    gate : GateSettings
        Margin and level.
    top : int
        Workflows to name, costliest first.

    Returns
    -------
    DataFrame
        ``assistant``, ``workflow``, ``model`` (costliest: the baseline), ``cost`` (USD), ``candidates`` (other models
        that serve it), ``margin``, ``items`` at 15% of answers that differ, ``items_if_alike`` at 8%.

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
    rows = rows[~(rows["assistant"] + "/" + rows["workflow"]).isin(done) & (rows["cost"] > 0)].head(top)
    needed = [required_pairs(share, gate.margin, alpha=gate.alpha) for share in (_USUAL_DISCORDANCE, 0.08)]
    return rows.assign(margin=gate.margin, items=needed[0], items_if_alike=needed[1]).reset_index(drop=True)


def _baseline(rows: pd.DataFrame, own: pd.DataFrame, gate: GateSettings) -> str:
    known = set(rows["configuration"])
    if gate.baseline in known:
        return str(gate.baseline)
    spend = {str(model): float(total(part["contracted_cost"]) or 0) for model, part in own.groupby("model")}
    fits = {name: max((cost for model, cost in spend.items() if model.startswith(name)), default=0) for name in known}
    passed = rows.groupby("configuration")["passed"].agg(["size", "mean"])
    return str(max(sorted(known), key=lambda name: (fits[name], *passed.loc[name])))


def _saving(
    rows: pd.DataFrame, baseline: str, verdicts: pd.DataFrame, routes: Routes
) -> tuple[tuple[float, float, float], str]:
    """Tell what is saved a call, with what is proven at the low end."""
    per_call = rows.groupby("configuration")["cost_usd"].mean().astype("float64")
    promoted = verdicts.loc[verdicts["verdict"] == "promote", "candidate"].tolist()
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
