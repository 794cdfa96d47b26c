"""Readme: what lies in the sample data, in which units, and what is planted in it."""

from __future__ import annotations

import pandas as pd

from finops_lib.sample.organisation import END, START
from finops_lib.sample.plants import PLANTS
from finops_lib.schema import TABLES

_HEAD = """# Sample data

**This is sample data. A seeded generator made it; no company, person, customer, key or invoice in it is real.** Public
list prices (as of genai-prices 0.2.3) are the only thing taken from outside. Licence: MIT, like the kit.

    python -m finops_lib.sample sample_data          # seed {seed}, writes this folder again, the same content

{calls:,} model calls from {first} to {last} (UTC), by {users} users of a made-up "Sample Company"; the reporting time
zone in `parameters/organisation.yaml` is Europe/Berlin, so the last hours of a UTC month belong to the next one. Ids
are counters, virtual keys are hashes of their own names, amounts are USD.

| assistant | calls | unlike the others because |
|---|---:|---|
{assistants}

Each call is written once in the tool its assistant is logged with. OpenAI calls are seen a second time by OpenAI's
usage report (plant P21).
"""

_UNLIKE = {
    "support-copilot": "high volume, long retrieved context, prompt caching, customers, satisfaction",
    "contract-extraction": "few and very long documents, batch at night, provisioned throughput, human review",
    "sales-research-agent": "agent runs with tools, retries and growing context",
    "knowledge-bot": "high volume of short questions, response cache, embeddings and reranking",
    "marketing-drafting": "small; a lively sandbox; no outcomes counted",
    "coding-assistant": "premium and reasoning models, long cached context, seats beside the calls",
}

_FILES = """
## Files

Times are UTC. Tokens are whole tokens, money is USD.

### Exports
| files | format | rows | units and habits of the format |
|---|---|---|---|
| `litellm/spend_logs_*.jsonl.gz` | LiteLLM `LiteLLM_SpendLogs` rows: support-copilot, knowledge-bot, \
marketing-drafting | a call or billed attempt | `prompt_tokens` include cached ones; `spend` USD as \
the gateway worked it out; \
`metadata` is a JSON string with the virtual key's alias, cache tokens (`additional_usage_values`), \
retries and what the caller gave \
(`spend_logs_metadata`: `prompt_version, data_class, retrieval_calls, retrieved_tokens, accepted, resolved, escalated, \
satisfaction` 1–5, `run_status`); `request_tags` are `key:value`; `session_id` is the task |
| `langfuse/observations_*.jsonl.gz` | Langfuse events export: sales-research-agent | an observation: AGENT, \
GENERATION or TOOL | `usage_details` keys do not overlap; the AGENT row repeats the sum of its \
children and has no model; \
flags of the task in the `metadata` of its last GENERATION |
| `otlp/genai_spans_*.jsonl.gz` | OTLP/JSON lines, GenAI semantic conventions: coding-assistant | a trace | \
`input_tokens` include cached ones, `output_tokens` include reasoning; `invoke_agent` spans repeat their children; \
`team`, `workflow`, `data_class`, `accepted`, `resolved`, `retries` are attributes of the chat span; times in ns |
| `bedrock/model_invocations_*.jsonl.gz` | Bedrock `ModelInvocationLog`: contract-extraction | a call | \
`inputTokenCount` excludes cached tokens; `requestMetadata` holds the owner's tags, `task_id` and flags as \
text, `review_minutes` in minutes; `serviceTier` is given where it is batch or provisioned; \
two models appear as ARNs (`model_aliases`); times in whole seconds |
| `openai_usage/completions_*.json.gz` | OpenAI organization usage, day buckets by project and model | a bucket with \
results | `input_tokens` include cached ones; chat only, embeddings are no part of this endpoint |
| `mapped/knowledge_search.parquet` | a service's own log: embeddings and reranking of knowledge-bot | a call | \
columns `called_at, call_id, vendor, engine, operation, use_case, asked_by, group, tokens_in, took_ms` (tokens, ms); \
names in `parameters/mappings/knowledge_search.yaml` |

### Bills
`bills/providers_*.csv` (model providers) and `bills/infrastructure_*.csv` (what stands around the models): FOCUS 1.2
columns, one line per month × account × model × service tier × price period × token class. Unit prices are per
`PricingUnit`, quantity × unit price = cost exactly; `Tags` tell shared, overhead and direct lines apart. Beyond what
is planted the provider bills equal the calls times the prices, to the last digit.
"""

_TABLE_FILES = {
    "outcomes": "outcomes.csv",
    "evaluations": "evaluations.parquet",
    "seats": "seats.csv",
    "capacity": "capacity.csv",
    "customers": "customers.csv",
    "volumes": "volumes.csv",
}


def readme(calls: pd.DataFrame, seed: int) -> str:
    """Describe the sample data.

    Parameters
    ----------
    calls : DataFrame
        All calls.
    seed : int
        Seed they were made with.

    Returns
    -------
    str
        Markdown.
    """
    known = calls[calls["assistant"].notna()]
    counts = known.groupby("assistant").size()
    users = known.groupby("assistant")["user"].nunique().sum()
    rows = [f"| {name} | {counts[name]:,} | {text} |" for name, text in _UNLIKE.items() if name in counts]
    assistants = "\n".join(rows)
    head = _HEAD.format(
        seed=seed, calls=len(calls), users=users, first=START, last=END - pd.Timedelta(days=1), assistants=assistants
    )
    return head + _FILES + _tables() + _plants()


def _tables() -> str:
    lines = ["", "### Tables", "", "| file | column | unit | meaning |", "|---|---|---|---|"]
    for table, file in _TABLE_FILES.items():
        for column in TABLES[table]:
            lines.append(f"| `tables/{file}` | `{column.name}` | {column.unit or '–'} | {column.meaning} |")
    return "\n".join(lines) + "\n"


def _plants() -> str:
    lines = [
        "",
        "## What is planted",
        "",
        "Days are UTC, both included. Tests under `tests/sample/` measure that each is there.",
        "",
        "| id | what | where | from | to | size | must show up in |",
        "|---|---|---|---|---|---|---|",
    ]
    lines += [f"| {p.id} | {p.what} | {p.where} | {p.first} | {p.last} | {p.size} | {p.shows_in} |" for p in PLANTS]
    return "\n".join(lines) + "\n"
