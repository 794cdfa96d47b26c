"""Labels: how the columns of tables are headed and written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pandas as pd

from finops_lib.report.text import UNKNOWN, count, points, share, unit_price, usd, words


@dataclass(frozen=True)
class Label:
    """How a column is headed and written.

    Parameters
    ----------
    title : str
        Words over the column.
    unit : str
        Unit, written in brackets after the title; empty for names.
    write : callable
        Value → text, without the unit; not asked for nulls.
    missing : str
        What stands for a null.
    is_number : bool
        Whether the column is aligned to the right.
    """

    title: str
    unit: str = ""
    write: Callable[[Any], str] = str
    missing: str = "–"
    is_number: bool = False

    @property
    def heading(self) -> str:
        """Title with unit."""
        return f"{self.title} ({self.unit})" if self.unit else self.title


def _money(value: Any) -> str:
    return usd(value).removeprefix("USD ")


def _price(value: Any) -> str:
    return unit_price(value, digits=4).removeprefix("USD ")


def _change(value: Any) -> str:
    return share(value, signed=True)


def _points(value: Any) -> str:
    return points(value).removesuffix(" points")


def _points_more(value: Any) -> str:
    return points(value, signed=True).removesuffix(" points")


def _percent(value: Any) -> str:
    return share(value, decimals=1)


def _rounded(value: Any) -> str:
    return count(round(float(value)))


def _one_decimal(value: Any) -> str:
    return f"{float(value):.1f}"


def _sized(value: Any) -> str:
    number = float(value)
    return _rounded(number) if abs(number) >= 100 else f"{number:.3g}"


def _per_million(value: Any) -> str:
    return _price(float(value) * 1e6)


def _minutes(milliseconds: Any) -> str:
    return _one_decimal(float(milliseconds) / 60_000)


def _day(value: Any) -> str:
    return str(value)[:10]


def _yes_no(value: Any) -> str:
    return "yes" if value else "no"


def _words_of(value: Any) -> str:
    return words(str(value))


COLUMNS: dict[str, Label] = {
    "contracted_cost": Label("Contracted cost", "USD", _money, "no price", is_number=True),
    "list_cost": Label("List cost", "USD", _money, "no price", is_number=True),
    "avoided_cost": Label("Avoided by cache", "USD", _money, is_number=True),
    "attributed_cost": Label("Attributed cost", "USD", _money, is_number=True),
    "cost_of_successful_tasks": Label("Cost of successful tasks", "USD", _money, is_number=True),
    "cost_without_result": Label("Cost without result", "USD", _money, UNKNOWN, is_number=True),
    "billed_cost": Label("Billed cost", "USD", _money, is_number=True),
    "whole_cost": Label("Whole charge", "USD", _money, is_number=True),
    "direct": Label("Direct", "USD", _money, is_number=True),
    "proportional": Label("Proportional", "USD", _money, is_number=True),
    "overhead": Label("Overhead", "USD", _money, is_number=True),
    "allocated_share": Label("Reaches somebody", "", _percent, is_number=True),
    "ratio": Label("Part of the charge", "", _percent, is_number=True),
    "cost": Label("Cost", "USD", _money, "no price", is_number=True),
    "cost_per_day": Label("Cost per day", "USD", _money, is_number=True),
    "cost_per_request": Label("Cost per request", "USD", _price, is_number=True),
    "cost_per_task": Label("Cost per task", "USD", _price, is_number=True),
    "cost_per_successful_task": Label("Cost per successful task", "USD", _price, "no known success", is_number=True),
    "usd_per_million": Label("Effective price", "USD per million", _price, "no price", is_number=True),
    "share": Label("Share of cost", "", _percent, is_number=True),
    "share_of_cost": Label("Share of cost", "", _percent, is_number=True),
    "share_of_tokens": Label("Share of tokens", "", _percent, is_number=True),
    "share_of_requests": Label("Share of requests", "", _percent, is_number=True),
    "share_of_input": Label("Share of input", "", _percent, is_number=True),
    "success_rate": Label("Tasks that succeed", "", _percent, UNKNOWN, is_number=True),
    "unknown_tasks": Label("Tasks that do not say", "", _rounded, is_number=True),
    "useful_share": Label("Share of cost spent on successes", "", _percent, is_number=True),
    "coverage": Label("Share of cost attributed", "", _percent, UNKNOWN, is_number=True),
    "coverage_of_tokens": Label("Share of tokens attributed", "", _percent, UNKNOWN, is_number=True),
    "reported_cost": Label("Reported cost", "USD", _money, "not reported", is_number=True),
    "difference": Label("Difference", "", _change, is_number=True),
    "over_plan": Label("Over plan", "", _sized, is_number=True),
    "against_plan": Label("Against plan", "", _change, is_number=True),
    "requests": Label("Requests", "", count, UNKNOWN, is_number=True),
    "user_id": Label("User"),
    "source_position": Label("Line or row", "", count, is_number=True),
    "layer": Label("Seen by", "", _words_of),
    "covered_by": Label("Ledger takes", "", _words_of),
    "capture_layer": Label("Seen by", "", _words_of),
    "nearest_known_name": Label("Nearest name with a price", "", str, "none"),
    "how_to_add": Label("What adds it"),
    "own_rows": Label("Of them for this page", "", count, is_number=True),
    "month": Label("Month"),
    "first_day": Label("First day", "", _day),
    "last_day": Label("Last day", "", _day),
    "charge_period_start": Label("Day", "", _day),
    "is_partial": Label("Covered in part", "", _yes_no),
    "token_class": Label("Token class", "", _words_of),
    "api_key": Label("API key"),
    "success_definition": Label("Successful means"),
    "rung": Label("Cost of one …"),
    "units": Label("Units", "", _rounded, UNKNOWN, is_number=True),
    "cost_per_unit": Label("Model cost of one", "USD", _price, UNKNOWN, is_number=True),
    "full_cost_per_unit": Label("True cost of one", "USD", _price, UNKNOWN, is_number=True),
    "completion_rate": Label("Completed", "", _percent, is_number=True),
    "acceptance_rate": Label("Accepted", "", _percent, is_number=True),
    "resolution_rate": Label("Resolved", "", _percent, is_number=True),
    "escalation_rate": Label("Escalated", "", _percent, is_number=True),
    "rework_rate": Label("Reworked", "", _percent, is_number=True),
    "error_rate": Label("Failed calls", "", _percent, is_number=True),
    "review_minutes_per_task": Label("Review", "minutes a task", _one_decimal, is_number=True),
    "satisfaction": Label("Satisfaction", "mean score", _one_decimal, is_number=True),
    "share_of_first": Label("The costliest one", "share of cost", _percent, is_number=True),
    "share_of_top_1_percent": Label("Costliest 1%", "share of cost", _percent, is_number=True),
    "share_of_top_10_percent": Label("Costliest 10%", "share of cost", _percent, is_number=True),
    "request_p50": Label("Request, median", "USD", _price, is_number=True),
    "request_p95": Label("Request, P95", "USD", _price, is_number=True),
    "request_p99": Label("Request, P99", "USD", _price, is_number=True),
    "task_p50": Label("Task, median", "USD", _price, is_number=True),
    "task_p95": Label("Task, P95", "USD", _price, is_number=True),
    "task_p99": Label("Task, P99", "USD", _price, is_number=True),
    "task_id": Label("Task"),
    "duration_ms": Label("Duration", "minutes", _minutes, is_number=True),
    "ended_with": Label("Ended with"),
    "ended_status": Label("How it ended"),
    "model_bill": Label("Model providers", "USD", _money, is_number=True),
    "other_bills": Label("Other bills", "USD", _money, is_number=True),
    "true_cost": Label("True cost", "USD", _money, "nothing placed", is_number=True),
    "not_billed": Label("On no bill", "USD", _money, is_number=True),
    "revenue": Label("Revenue", "USD", _money, "not given", is_number=True),
    "margin": Label("Margin", "USD", _money, UNKNOWN, is_number=True),
    "margin_rate": Label("Margin", "share of revenue", _percent, UNKNOWN, is_number=True),
    "share_of_runs": Label("Share of all runs' cost", "", _percent, is_number=True),
    "what_to_do": Label("What to do"),
    "placed_by": Label("Placed by"),
    "at_list_prices": Label("At list prices", "USD", _money, is_number=True),
    "estimate": Label("Estimate", "USD", _money, is_number=True),
    "invoice": Label("Invoice", "USD", _money, "none", is_number=True),
    "variance": Label("Variance", "USD", _money, is_number=True),
    "variance_share": Label("Variance", "of the invoice", _change, is_number=True),
    "unexplained": Label("Unexplained", "USD", _money, is_number=True),
    "unexplained_share": Label("Unexplained", "of the invoice", _percent, is_number=True),
    "tolerance": Label("Tolerance", "", _percent, is_number=True),
    "residual_class": Label("Cause", "", _words_of),
    "amount": Label("Amount", "USD", _money, is_number=True),
    "step": Label("Step", "", _words_of),
    "driver": Label("Driver", "", _words_of),
    "period": Label("Period", "", _words_of),
    "line": Label("Line", "", _words_of),
    "also_matched": Label("Also matched", "", str, ""),
    "invoice_issuer_name": Label("Invoice issuer"),
    "sub_account_id": Label("Sub-account"),
    "carried_by": Label("Most of it in"),
    "carried_amount": Label("of which", "USD", _money, is_number=True),
    "actual": Label("Actual", "USD", _money, is_number=True),
    "run_rate": Label("At the pace so far", "USD", _money, is_number=True),
    "lower_95": Label("At least (95%)", "USD", _money, UNKNOWN, is_number=True),
    "upper_95": Label("At most (95%)", "USD", _money, UNKNOWN, is_number=True),
    "calls": Label("Calls a month", "", _rounded, is_number=True),
    "tokens_per_call": Label("Tokens a call", "", _rounded, is_number=True),
    "rate_per_1k": Label("Blended price", "USD per 1,000 tokens", _price, UNKNOWN, is_number=True),
    "cost_per_month": Label("Cost a month", "USD", _money, UNKNOWN, is_number=True),
    "change": Label("Against today", "", _change, is_number=True),
    "by_year_end": Label("More by year end", "USD", _money, is_number=True),
    "swing": Label("Below the dearest at equal demand", "USD a month", _money, is_number=True),
    "measured": Label("Today", "", _sized, UNKNOWN, is_number=True),
    "becomes": Label("Becomes", "", _sized, UNKNOWN, is_number=True),
    "found": Label("Today", "", _sized, UNKNOWN, is_number=True),
    "limit": Label("From here on", "", _sized, UNKNOWN, is_number=True),
    "unit_price": Label("Price", "USD per million", _per_million, is_number=True),
    "unit_price_before": Label("Price before", "USD per million", _per_million, is_number=True),
    "wape": Label("WAPE", "", _percent, UNKNOWN, is_number=True),
    "bias": Label("Bias", "", _change, UNKNOWN, is_number=True),
    "mase": Label("MASE", "", _price, UNKNOWN, is_number=True),
    "within_10_percent": Label("Windows within 10%", "", _percent, UNKNOWN, is_number=True),
    "coverage_80": Label("Days in the 80% range", "", _percent, UNKNOWN, is_number=True),
    "coverage_95": Label("Days in the 95% range", "", _percent, UNKNOWN, is_number=True),
    "volume_effect": Label("Volume", "USD", _money, is_number=True),
    "price_effect": Label("Price", "USD", _money, is_number=True),
    "bill_effect": Label("Bill", "USD", _money, is_number=True),
    "about": Label("What it is about"),
    "allowed": Label("Allowed", "USD", _money, is_number=True),
    "budgeted": Label("Budget of a whole period", "USD", _money, is_number=True),
    "rollover": Label("Rolled over", "USD", _money, is_number=True),
    "excepted": Label("Exceptions", "USD", _money, is_number=True),
    "method": Label("Method", missing="none is due"),
    "spent": Label("Spent", "USD", _money, is_number=True),
    "yesterday": Label("Yesterday", "USD", _money, is_number=True),
    "per_day_7": Label("A day, last 7", "USD", _money, is_number=True),
    "per_day_28": Label("A day, last 28", "USD", _money, is_number=True),
    "projected": Label("Expected", "USD", _money, UNKNOWN, is_number=True),
    "lower_80": Label("At least (80%)", "USD", _money, UNKNOWN, is_number=True),
    "upper_80": Label("At most (80%)", "USD", _money, UNKNOWN, is_number=True),
    "proposed": Label("Proposed", "USD", _money, is_number=True),
    "overrun_probability": Label("Probability of an overrun", "", share, UNKNOWN, is_number=True),
    "days_until_exhausted": Label("Money is gone in", "days", _rounded, "later", is_number=True),
    "threshold": Label("Threshold", "", share, is_number=True),
    "impact": Label("Beyond what was expected", "USD", _money, is_number=True),
    "impact_in_month": Label("Of it in the month", "USD", _money, is_number=True),
    "breach_cost": Label("Cost of the breach", "USD", _money, "no extra cost", is_number=True),
    "also": Label("Concerns also"),
    "invoiced_cost": Label("Invoiced", "USD", _money, is_number=True),
    "expected_effect": Label("Expected effect", "USD a month", _money, "not stated", is_number=True),
    "effect": Label("Effect", "USD a month", _money, UNKNOWN, is_number=True),
    "effect_at_equal_volume": Label("Effect at equal volume", "USD a month", _money, UNKNOWN, is_number=True),
    "cost_under_it": Label("Cost under it", "USD", _money, "not in money", is_number=True),
    "cost_since_lapse": Label("Cost in the month since it lapsed", "USD", _money, is_number=True),
    "cost_per_outcome": Label("Cost per outcome", "USD", _price, "no outcomes", is_number=True),
    "value_per_outcome": Label("Value per outcome", "USD", _price, "no value", is_number=True),
    "share_before": Label("Share the month before", "", _percent, is_number=True),
    "share_change": Label("Change", "points", _points_more, is_number=True),
    "used_share": Label("Budget used", "", share, "no budget", is_number=True),
    "last_week": Label("Last seven days", "USD", _money, is_number=True),
    "week_before": Label("The seven before", "USD", _money, is_number=True),
    "tier": Label("Tier", "", _words_of),
}
"""Columns whose heading or format cannot be told from their name and type."""

_LIMITS = {"timeout_seconds": "seconds", "budget": "USD", "steps": "model calls", "tool_calls": "tool calls"}

LEVER_LABELS: dict[str, Label] = {
    "workflow": Label("Workflow", missing="all of the assistant"),
    "limit": Label("Limit of a run", "", lambda name: _LIMITS.get(name, str(name))),
    "allowed": Label("Allowed", "", _sized, is_number=True),
    "largest": Label("Largest run", "", _sized, UNKNOWN, is_number=True),
    "cost_over": Label("Cost beyond the limit", "USD", _money, is_number=True),
    "alone": Label("Saving alone", "USD", _money, is_number=True),
    "saving_low": Label("At least", "USD", _money, is_number=True),
    "saving": Label("Saving a month", "USD", _money, is_number=True),
    "saving_high": Label("At most", "USD", _money, is_number=True),
    "breach_cost": Label("More than the policy's", "USD", _money, "no extra cost", is_number=True),
    "repeated_cost": Label("Cost of repeats", "USD", _money, is_number=True),
    "hit_rate": Label("Hit rate", "", _percent, is_number=True),
    "share": Label("Share of calls", "", _percent, is_number=True),
    "pass_rate": Label("Pass rate", "", _percent, is_number=True),
    "cost_per_call": Label("Cost per call", "USD", _price, is_number=True),
    "floor": Label("Rate to keep", "", _percent, is_number=True),
    "holds_floor": Label("Is kept", "", _yes_no),
    "margin": Label("Margin", "points", _points, is_number=True),
    "difference": Label("Pass rate more", "points", _points_more, is_number=True),
    "lower": Label("At least", "points", _points_more, is_number=True),
    "upper": Label("At most", "points", _points_more, is_number=True),
    "pairs_to_decide": Label("Items to decide", "", _rounded, "decided", is_number=True),
    "items": Label("Items, 15% differing", "", _rounded, is_number=True),
    "items_if_alike": Label("Items, 8% differing", "", _rounded, is_number=True),
    "saving_per_success": Label("Saving per success", "", share, UNKNOWN, is_number=True),
    "is_allowed": Label("Policy allows it", "", _yes_no),
    "promoted_on": Label("Promoted on", "", _day),
    "expected": Label("Expected by now", "USD", _money, is_number=True),
    "without_change": Label("Without the change", "USD", _money, UNKNOWN, is_number=True),
    "actual": Label("Actual", "USD", _money, is_number=True),
    "realised": Label("Realised", "USD", _money, UNKNOWN, is_number=True),
    "cost_per_success_before": Label("A success before", "USD", _price, is_number=True),
    "cost_per_success_after": Label("A success since", "USD", _price, is_number=True),
    "drift": Label("Drift", "", _change, "too early", is_number=True),
}
"""Columns of routing and savings, where a name means something of its own."""

_ENDINGS: dict[str, Label] = {
    "_change": Label("", "", _change, is_number=True),
    "_per_request": Label("", "", _rounded, is_number=True),
    "_average": Label("", "", count, is_number=True),
}


def label_of(frame: pd.DataFrame, name: str) -> Label:
    """Find how to head and write a column from its name, else from its type.

    Parameters
    ----------
    frame : DataFrame
        Holds the column.
    name : str
        The column.

    Returns
    -------
    Label
        From ``COLUMNS``, else made of the words of the name.
    """
    if name in COLUMNS:
        return COLUMNS[name]
    title = words(name)
    title = title[:1].upper() + title[1:]
    ending = next((label for end, label in _ENDINGS.items() if name.endswith(end)), None)
    if ending is not None:
        return Label(title.removesuffix(" change") + (" change" if name.endswith("_change") else ""), ending.unit,
                     ending.write, ending.missing, ending.is_number)  # fmt: skip
    kind = frame[name].dtype
    if pd.api.types.is_bool_dtype(kind):
        return Label(title, "", _yes_no)
    if pd.api.types.is_numeric_dtype(kind):
        return Label(title, "", count, is_number=True)
    if pd.api.types.is_datetime64_any_dtype(kind):
        return Label(title, "", _day)
    return Label(title)
