"""Route tables: verdicts and proposed routes with place and date, what to evaluate next, what a control may ask."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from finops_lib.optimize.gate.non_inferiority import required_pairs
from finops_lib.optimize.levers.savings import promotion_date

if TYPE_CHECKING:
    from finops_lib.optimize.routing.evaluated_routes import EvaluatedRoute
    from finops_lib.settings import GateSettings, Promotion

_USUAL_DISCORDANCE, _ALIKE = 0.15, 0.08
_TOP = 5


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
