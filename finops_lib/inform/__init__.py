"""Inform: where the money goes, and where it is heading."""

from finops_lib.inform.cost_profile import (
    prompt_composition,
    spend_by,
    spend_in_scope,
    spend_matrix,
    token_classes,
)
from finops_lib.inform.coverage import attribution_coverage, profile_checks
from finops_lib.inform.gaps import what_is_missing
from finops_lib.inform.model_use import cost_per_successful_task, model_mix
from finops_lib.inform.privacy import fold_small_groups, pseudonymise
from finops_lib.inform.scope import filter_scope
from finops_lib.inform.trends import daily_spend, daily_trend, headline, month_on_month

__all__ = [
    "attribution_coverage",
    "cost_per_successful_task",
    "daily_spend",
    "daily_trend",
    "filter_scope",
    "fold_small_groups",
    "headline",
    "model_mix",
    "month_on_month",
    "profile_checks",
    "prompt_composition",
    "pseudonymise",
    "spend_by",
    "spend_in_scope",
    "spend_matrix",
    "token_classes",
    "what_is_missing",
]
