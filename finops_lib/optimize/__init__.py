"""Optimize: which change bends the cost without losing quality, and what it saved."""

from finops_lib.optimize.gate.alpha_spending import spending_levels
from finops_lib.optimize.gate.gate import Verdict, compare_candidates, evaluation_gate
from finops_lib.optimize.gate.non_inferiority import difference_interval, paired_non_inferiority, required_pairs
from finops_lib.optimize.levers.estimates import estimate_levers, hit_rate_curve, lever_controls, replay_at
from finops_lib.optimize.levers.inputs import LeverInputs, read_lever_inputs
from finops_lib.optimize.levers.levers import LEVERS, LeverReplay, lever_cells, replay_levers
from finops_lib.optimize.levers.savings import (
    drift_after_promotion,
    promotions_of,
    realised_savings,
    savings_checks,
    savings_totals,
    shown_promotions,
)
from finops_lib.optimize.routing.evaluated_routes import (
    EvaluatedRoute,
    evaluated_route,
    evaluated_routes,
    segment_traffic,
)
from finops_lib.optimize.routing.policy import routing_breaches, routing_measures, tier_mix
from finops_lib.optimize.routing.route_tables import gate_verdicts, missing_evaluations, proposed_routes, route_controls
from finops_lib.optimize.routing.router import Router, fit_router
from finops_lib.optimize.routing.routes import Routes, optimal_routes

__all__ = [
    "LEVERS",
    "EvaluatedRoute",
    "LeverInputs",
    "LeverReplay",
    "Router",
    "Routes",
    "Verdict",
    "compare_candidates",
    "difference_interval",
    "drift_after_promotion",
    "estimate_levers",
    "evaluated_route",
    "evaluated_routes",
    "evaluation_gate",
    "fit_router",
    "gate_verdicts",
    "hit_rate_curve",
    "lever_cells",
    "lever_controls",
    "missing_evaluations",
    "optimal_routes",
    "paired_non_inferiority",
    "promotions_of",
    "proposed_routes",
    "read_lever_inputs",
    "realised_savings",
    "replay_at",
    "replay_levers",
    "required_pairs",
    "route_controls",
    "routing_breaches",
    "routing_measures",
    "savings_checks",
    "savings_totals",
    "segment_traffic",
    "shown_promotions",
    "spending_levels",
    "tier_mix",
]
