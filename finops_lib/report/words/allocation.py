"""Allocation text: who pays what, what reaches nobody and what to do about it, in a few sentences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from IPython.display import Markdown

from finops_lib.report.text import escape_markdown, month_name, share, usd


def allocation_text(summary: Mapping[str, Any]) -> Markdown:
    """Write the sentences a reader of an allocation wants first.

    Parameters
    ----------
    summary : mapping
        ``period``, ``receiver_type``, ``receiver``, ``billed``, ``unallocated``, ``bills``, ``top``, ``top_cost``,
        ``own_cost``, ``own_direct``, ``own_proportional``, ``own_overhead``, ``reason``, ``reason_cost``,
        ``reason_service``, ``moved``.

    Returns
    -------
    Markdown
        Short paragraphs: who carries what; what reaches nobody and what to do; which bills are missing.
    """
    month = month_name(summary["period"]) if summary["period"] else "this period"
    if summary["billed"] is None:
        return Markdown(
            f"**Nothing is there to allocate in {month}.** Calls with a price, or a bill "
            "(`format: focus` under `sources` in parameters/organisation.yaml), would change that."
        )
    parts = [_whole(summary, month) if summary["receiver"] is None else _own(summary, month), _remainder(summary)]
    if summary["receiver"] is not None and summary["receiver_type"] == "assistant":
        parts.append(
            "The true cost on page 03 is another sum: it holds the bills that name the assistant and its human review. "
            "Here its parts of shared cost come on top, and the review, which is on no bill, stays out."
        )
    if summary["moved"]:
        parts.append(
            f"{usd(summary['moved'])} moves between invoices of one provider (lines `between-…`): the log does not say "
            "which invoice those calls are on. The lines are nil together and change nobody's sum of a provider."
        )
    if not summary["bills"]:
        parts.append(
            "No bill of this month is in the workspace: only the model calls are allocated, at their contracted price. "
            "A source with `format: focus` adds bills of providers and infrastructure."
        )
    return Markdown("\n\n".join(parts))


def _whole(summary: Mapping[str, Any], month: str) -> str:
    billed, nobody = summary["billed"], summary["unallocated"] or 0
    kind = str(summary["receiver_type"]).replace("_", " ")
    reached = (
        f"{share(1 - float(nobody) / float(billed))} of it reaches a {kind}" if billed > 0 else "credits exceed it"
    )
    start = f"**{month} cost {usd(billed)}, and {reached}.**"
    if summary["top"] is None:
        return start
    part = f" ({share(float(summary['top_cost']) / float(billed))})" if billed > 0 else ""
    return f"{start} {escape_markdown(summary['top'])} carries the most: {usd(summary['top_cost'])}{part}."


def _own(summary: Mapping[str, Any], month: str) -> str:
    name, kind = escape_markdown(summary["receiver"]), str(summary["receiver_type"]).replace("_", " ")
    if summary["own_cost"] is None:
        return f"**The {kind} {name} carries nothing in {month}.** All {kind}s together carry {usd(summary['billed'])}."
    return (
        f"**The {kind} {name} carries {usd(summary['own_cost'])} of {month}'s {usd(summary['billed'])}:** "
        f"{usd(summary['own_direct'])} it caused alone, {usd(summary['own_proportional'])} of what is shared by use, "
        f"and {usd(summary['own_overhead'])} of what is shared by agreement."
    )


def _remainder(summary: Mapping[str, Any]) -> str:
    nobody, kind = summary["unallocated"], str(summary["receiver_type"]).replace("_", " ")
    if not nobody:
        return f"Every cent reaches a {kind}." if kind != "assistant" else "Every cent reaches an assistant."
    of_all = f" ({share(float(nobody) / float(summary['billed']))} of the bills)" if summary["billed"] > 0 else ""
    largest = ""
    if summary["reason"]:
        about = f" {escape_markdown(summary['reason_service'])}," if summary["reason_service"] else ""
        largest = f" The largest part is{about} {usd(summary['reason_cost'])}: {escape_markdown(summary['reason'])}."
    return (
        f"{usd(nobody)}{of_all} reaches no {kind}.{largest} Tags on calls and bills, or a rule under `allocation` in "
        "parameters/organisation.yaml, would place it."
    )
