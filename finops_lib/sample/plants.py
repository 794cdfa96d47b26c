"""Plants: what the sample hides on purpose, where and when, so that reports and tests can be held against it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from finops_lib.sample.organisation import END, START

MIGRATION = (date(2026, 9, 14), "gpt-5.4-mini", "gpt-5.6-terra")
DRIFT = (date(2026, 9, 21), 1.02, "v8")
STORM = (date(2026, 8, 26), date(2026, 8, 27))
BURST = (date(2026, 10, 10), date(2026, 10, 11))
LEVEL = (date(2026, 9, 22), 1.6)
LOOPS = (date(2026, 10, 5), date(2026, 10, 9))
MISSING = (date(2026, 8, 15), date(2026, 8, 16))
DOUBLE_BILLED = (date(2026, 8, 3), date(2026, 8, 9))


@dataclass(frozen=True)
class Plant:
    """One thing planted.

    ``first`` and ``last`` are the UTC days it holds, both included.
    """

    id: str
    what: str
    where: str
    first: date
    last: date
    size: str
    shows_in: str


_LAST = date(2026, 10, 31)
_ALL = (START, _LAST)

PLANTS = (
    Plant(
        "P01",
        "model migration: gpt-5.4-mini → gpt-5.6-terra",
        "knowledge-bot, both chat workflows",
        MIGRATION[0],
        _LAST,
        "cost per call about ×2.7",
        "cost profile (model mix), anomalies (mix), bridge",
    ),
    Plant(
        "P02",
        "prompt growth of 2% a day after prompt version v8",
        "support-copilot, ticket-answer",
        DRIFT[0],
        _LAST,
        "input per call ×2.2 by the end",
        "anomalies (creep), forecast drivers, sensitivity",
    ),
    Plant(
        "P03",
        "retry storm: failed attempts that are billed",
        "support-copilot, ticket-answer",
        *STORM,
        "about 45% of calls fail up to three times",
        "waste (retries), anomalies (retry rate, spike)",
    ),
    Plant("P04", "weekend burst", "coding-assistant", *BURST, "over 10× a usual weekend", "anomalies (weekend)"),
    Plant(
        "P05",
        "volume level shift",
        "contract-extraction, all workflows",
        LEVEL[0],
        _LAST,
        "+60% calls",
        "anomalies (level), forecast, bridge (volume)",
    ),
    Plant(
        "P06",
        "calls without a team: no tag, a key nobody owns",
        "knowledge-bot above all",
        *_ALL,
        "about 9% of knowledge-bot spend; under 4% elsewhere",
        "coverage: below 95% for knowledge-bot only",
    ),
    Plant(
        "P07",
        "model without a price: cx-intent-ft-3 (own fine-tune)",
        "support-copilot, intent",
        *_ALL,
        "about 9% of the assistant's calls",
        "unpriced tokens; cost null, never zero",
    ),
    Plant(
        "P08",
        "gateway response cache hits",
        "knowledge-bot chat workflows",
        *_ALL,
        "about 19% of chat calls",
        "cache hit rate, avoided cost",
    ),
    Plant(
        "P09",
        "agent loops: runs of 20 and more steps",
        "sales-research-agent, account-brief",
        *LOOPS,
        "14 runs",
        "agent runs, agent limits, P99, anomalies (loops)",
    ),
    Plant("P10", "failed calls with usage", "all chat workflows", *_ALL, "1–4% of calls", "waste (failed runs)"),
    Plant(
        "P11",
        "abandoned and blocked runs",
        "most workflows; blocked in ticket-answer",
        *_ALL,
        "0.2–2% of calls abandoned, 0.3% blocked",
        "waste, routes with blocks",
    ),
    Plant(
        "P12",
        "judge traffic, marked by internal_call_origin",
        "support-copilot, answer-judge",
        *_ALL,
        "about 4 calls a day on claude-opus-5",
        "category evaluation, kept out of cost per task",
    ),
    Plant(
        "P13",
        "sandbox traffic on a premium model, going on after its expiry",
        "marketing-drafting; expiry 2026-09-30",
        *_ALL,
        "15–20% of the assistant's calls on claude-opus-5",
        "sandbox policy, waste",
    ),
    Plant(
        "P14",
        "premium models on routine work",
        "coding-assistant commit-message (claude-opus-5), marketing-drafting translation (gpt-5.4), "
        "support-copilot ticket-summary (claude-sonnet-5)",
        *_ALL,
        "whole workflows",
        "routing policy, misrouted share",
    ),
    Plant(
        "P15",
        "repeated questions the cache could have answered (equal cache_key, cache_hit False)",
        "knowledge-bot chat workflows",
        *_ALL,
        "about 11% of its billed calls repeat a question of the last 24 hours",
        "levers (response cache)",
    ),
    Plant(
        "P16",
        "long outputs",
        "marketing-drafting, copy-draft",
        *_ALL,
        "over 10% of answers above 2,000 tokens",
        "routing policy (output limit)",
    ),
    Plant(
        "P17",
        "calls tagged with two teams",
        "support-copilot, ticket-answer",
        *_ALL,
        "about 1% of calls",
        "split by weight (2 : 1), never counted twice",
    ),
    Plant(
        "P18",
        "the same id twice",
        "Langfuse: 15 observations re-exported with a newer updated_at and full usage; LiteLLM: 12 rows repeated",
        date(2026, 9, 1),
        date(2026, 9, 30),
        "27 rows",
        "duplicates",
    ),
    Plant(
        "P19",
        "malformed rows: 3 with negative tokens, 2 in 1970, 1 cut off at the end of the file",
        "LiteLLM files of August, September and October",
        date(2026, 8, 1),
        _LAST,
        "6 rows",
        "quarantine",
    ),
    Plant(
        "P20",
        "reported cost with cached tokens billed twice",
        "all LiteLLM calls with cache reads",
        *DOUBLE_BILLED,
        "spend about 18% above list price",
        "reported against estimated cost",
    ),
    Plant(
        "P21",
        "one call seen by two layers: gateway log or spans, and OpenAI usage buckets",
        "projects proj_ai_gateway, proj_engineering, proj_sales_research",
        *_ALL,
        "every OpenAI chat call",
        "capture layers: nothing counted twice",
    ),
    Plant(
        "P22",
        "direct API use seen only by the usage buckets",
        "project proj_experiments",
        *_ALL,
        "growing, unattributed",
        "aggregated usage in the ledger, coverage",
    ),
    Plant(
        "P23",
        "gateway log missing for two days",
        "all LiteLLM assistants",
        *MISSING,
        "a weekend; OpenAI's part is in the usage buckets",
        "reconciliation (missing logs), drop to zero",
    ),
    Plant(
        "P24",
        "public price cut of gpt-5.6-sol: 5/30 → 4/20 USD a million",
        "coding-assistant, contract-extraction clause-review",
        date(2026, 8, 21),
        _LAST,
        "−20% / −33%",
        "price effect in the bridge; no variance against the invoice",
    ),
    Plant(
        "P25",
        "inputs beyond a context tier",
        "clause-review above 272,000, account-brief above 200,000 (Gemini)",
        *_ALL,
        "about 9% of clause-review calls, 5–20% of Gemini calls",
        "context tier in the ledger",
    ),
    Plant(
        "P26",
        "price difference: claude-sonnet-5 output billed at list 10.00 instead of 9.20",
        "Anthropic invoice",
        date(2026, 9, 1),
        date(2026, 9, 30),
        "0.80 USD a million",
        "reconciliation",
    ),
    Plant("P27", "credit", "OpenAI invoice", date(2026, 8, 1), date(2026, 8, 31), "−25.00 USD", "reconciliation"),
    Plant("P28", "tax line of 19%", "AWS invoices", *_ALL, "19% of the invoice", "reconciliation (tax)"),
    Plant("P29", "rounding line", "Google Cloud invoices", *_ALL, "under half a cent", "reconciliation (rounding)"),
    Plant(
        "P30",
        "fee not metered in tokens: guardrail text units",
        "AWS invoices",
        *_ALL,
        "12–16 USD a month",
        "reconciliation (fees)",
    ),
    Plant(
        "P31",
        "shadow use: mistral-medium-3-5 in project proj_unknown; an AI meeting-notes subscription",
        "Mistral invoice, infrastructure bill",
        date(2026, 9, 1),
        _LAST,
        "41 and 53 USD; 96 USD a month",
        "spend on invoices that no log explains",
    ),
    Plant(
        "P32",
        "idle provisioned throughput",
        "amazon.nova-pro-v1:0, 1 unit",
        date(2026, 9, 1),
        _LAST,
        "about 65% idle",
        "waste (idle capacity)",
    ),
    Plant(
        "P33", "unused seats", "coding-assistant-ide, chat-workspace", *_ALL, "15–35% unused", "waste (unused seats)"
    ),
    Plant("P34", "customer who costs more than it pays", "customer-07", *_ALL, "every month", "margin per customer"),
    Plant(
        "P35",
        "evaluations: a good candidate, a trap, an underpowered one",
        "support-copilot/ticket-answer",
        date(2026, 10, 1),
        _LAST,
        "gated-routing 95.4% at 0.0149; aggressive-compression 88.0% at 0.0121; small-model on 60 items",
        "evaluation gate: promote, reject, not enough evidence",
    ),
    Plant(
        "P36",
        "a clean assistant without outcomes",
        "marketing-drafting: no rows in outcomes.csv, no anomaly",
        *_ALL,
        "–",
        "pages say what is missing; no alarm",
    ),
)


def days_between(first: date, last: date) -> range:
    """Count the days from ``first`` to ``last``, both included, from the first day of the sample.

    Parameters
    ----------
    first, last : date
        Days within the sample.

    Returns
    -------
    range
        Day numbers.

    Examples
    --------
    >>> days_between(*STORM)
    range(56, 58)
    """
    return range((first - START).days, (min(last, END) - START).days + 1)
