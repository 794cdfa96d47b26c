"""Contracts of model calls: what was read, what was refused, and the ledger made of it.

Money columns carry FOCUS 1.4 names in snake_case, token and model columns OpenTelemetry GenAI terms.
"""

from __future__ import annotations

from finops_lib.schema.columns import COST_TYPE, UNIT_PRICE_TYPE, Column, columns

DIMENSIONS = columns("""
provider         | VARCHAR | | who serves the model (gen_ai.provider.name, e.g. openai, anthropic, aws.bedrock)
provider_account | VARCHAR | | the account or project billed by the provider
model            | VARCHAR | | model that answered (gen_ai.response.model, else gen_ai.request.model)
assistant        | VARCHAR | | the deployed AI product; unit of a batch run
workflow         | VARCHAR | | use case inside the assistant
team             | VARCHAR | | team that caused the cost
department       | VARCHAR | | department of the team
cost_center      | VARCHAR | | cost center of the team
project_code     | VARCHAR | | project the cost belongs to
workspace        | VARCHAR | | workspace or tenant area of the caller
user_group       | VARCHAR | | group of users, e.g. agents, analysts
customer         | VARCHAR | | external customer served
environment      | VARCHAR | | production, staging, sandbox …
data_class       | VARCHAR | | classification of the data sent
request_type     | VARCHAR | | chat, embeddings, rerank … (gen_ai.operation.name)
route            | VARCHAR | | model group or route chosen by the gateway
api_key          | VARCHAR | | virtual key, as the gateway names or hashes it
agent            | VARCHAR | | agent name (gen_ai.agent.name)
prompt_version   | VARCHAR | | version of the prompt
service_tier     | VARCHAR | | standard, batch, flex, priority
run_status       | VARCHAR | | ok, error, abandoned, blocked
category         | VARCHAR | | production, evaluation, experiment
capture_layer    | VARCHAR | | gateway, trace, provider_log, provider_usage
""")

TOKEN_CLASSES: dict[str, str] = {
    "uncached_input": "uncached_input_tokens",
    "cache_read": "cache_read_input_tokens",
    "cache_write_5m": "cache_write_5m_input_tokens",
    "cache_write_1h": "cache_write_1h_input_tokens",
    "audio_input": "audio_input_tokens",
    "cache_read_audio": "cache_read_audio_input_tokens",
    "output": "visible_output_tokens",
    "reasoning": "reasoning_output_tokens",
    "audio_output": "audio_output_tokens",
}
"""Disjoint token classes and the ``requests`` column that counts each; together they are all tokens of a call."""

INPUT_CLASSES = ("uncached_input", "cache_read", "cache_write_5m", "cache_write_1h", "audio_input", "cache_read_audio")
OUTPUT_CLASSES = ("output", "reasoning", "audio_output")

QUANTITIES: dict[str, str] = TOKEN_CLASSES | {"web_search": "web_search_requests"}
"""Everything a model call is priced by: the token classes, and tool use billed apart by the provider."""

TOKENS = columns("""
uncached_input_tokens         | BIGINT | tokens | input neither read from nor written to the cache, without audio
cache_read_input_tokens       | BIGINT | tokens | input read from the provider's prompt cache, without audio
cache_write_5m_input_tokens   | BIGINT | tokens | input written to the cache for five minutes (the default lifetime)
cache_write_1h_input_tokens   | BIGINT | tokens | input written to the cache for one hour
audio_input_tokens            | BIGINT | tokens | audio input not read from the cache
cache_read_audio_input_tokens | BIGINT | tokens | audio input read from the cache
visible_output_tokens         | BIGINT | tokens | output the user can see, without audio
reasoning_output_tokens       | BIGINT | tokens | output spent on reasoning
audio_output_tokens           | BIGINT | tokens | audio output
""")

COUNTS = columns("""
web_search_requests   | BIGINT | requests | searches made and billed by the provider
retrieval_calls       | BIGINT | calls | retrieval calls made for the request
tool_calls            | BIGINT | calls | tool calls the model asked for
successful_tool_calls | BIGINT | calls | tool calls that returned a result
agent_steps           | BIGINT | steps | agent steps
retries               | BIGINT | attempts | attempts before this one
system_tokens         | BIGINT | tokens | system prompt, part of the input
history_tokens        | BIGINT | tokens | conversation history, part of the input
retrieved_tokens      | BIGINT | tokens | retrieved context, part of the input
tool_schema_tokens    | BIGINT | tokens | tool definitions, part of the input
user_tokens           | BIGINT | tokens | the user's own words, part of the input
tool_result_tokens    | BIGINT | tokens | tool results, part of the input
""")

FLAGS = columns("""
accepted  | BOOLEAN | | the user took the answer
resolved  | BOOLEAN | | the task was solved
escalated | BOOLEAN | | the task was handed to a person
redacted  | BOOLEAN | | something was redacted or blocked in the text
""")

AMOUNTS = columns("""
reported_cost  | DECIMAL(18,12) | USD | cost as the source reported it, kept beside ours
review_minutes | DECIMAL(18,3)  | minutes | human review
""")

REQUESTS = (
    columns("""
!timestamp      | TIMESTAMPTZ | UTC | start of the call
!request_id     | VARCHAR | | id of the call, unique within its source
task_id         | VARCHAR | | what the user asked for: trace or session task; one or many calls
user_id         | VARCHAR | | user as the source names them; never leaves the workspace
provider_response_id | VARCHAR | | id the provider gave the answer; ties layers together
""")
    + DIMENSIONS
    + columns("""
business_process | VARCHAR | | process the call serves
business_purpose | VARCHAR | | why the call is made
fallback_model   | VARCHAR | | model asked first, when another one answered
cache_hit        | BOOLEAN | | answered from the gateway's response cache: nothing is billed
cache_key        | VARCHAR | | what the gateway's response cache knows the call by: equal keys ask the same
tag_shares       | VARCHAR | | owners of a call tagged with several, as JSON: dimension → value → weight
""")
    + TOKENS
    + COUNTS
    + FLAGS
    + AMOUNTS
    + columns("""
satisfaction     | DOUBLE | score | as given by the user
latency_ms       | DOUBLE | ms | end minus start
raw_input_tokens | BIGINT | tokens | input as received
raw_output_tokens | BIGINT | tokens | output as received
raw_total_tokens | BIGINT | tokens | total as received
raw_cache_read_tokens | BIGINT | tokens | cache reads as received
raw_cache_write_tokens | BIGINT | tokens | cache writes as received
raw_reasoning_tokens | BIGINT | tokens | reasoning as received
usage_basis      | VARCHAR | | inclusive or exclusive (are cached tokens inside the input), or ambiguous
attribution_source | VARCHAR | | what named the team: tag, key, span, default; null when nothing did
updated_at       | TIMESTAMPTZ | UTC | last change of the record in its source
!source          | VARCHAR | | format it was read from
!source_file     | VARCHAR | | file it was read from
!source_position | BIGINT | | line, row or element, counted from 1
""")
)
"""One row is a billed leaf model call."""

QUARANTINE = columns("""
!source          | VARCHAR | | format it was read as
!source_file     | VARCHAR | | file
!source_position | BIGINT | | line, row or element, counted from 1
!reason          | VARCHAR | | why the row cannot be used
raw_text         | VARCHAR | | the row as it stood in the file
""")

SPANS = columns("""
!source          | VARCHAR | | format it was read from
!source_file     | VARCHAR | | file
!source_position | BIGINT | | line, row or element, counted from 1
!reason          | VARCHAR | | why it is no model call: agent, tool, retrieval, repeats its children …
span_id          | VARCHAR | | id of the step
parent_id        | VARCHAR | | id of the step it belongs to
task_id          | VARCHAR | | the task or trace it belongs to
timestamp        | TIMESTAMPTZ | UTC | start
kind             | VARCHAR | | agent, tool, retrieval, parent, other
name             | VARCHAR | | name of the step, e.g. of the tool
run_status       | VARCHAR | | ok, error, abandoned, blocked
assistant        | VARCHAR | | the deployed AI product
agent            | VARCHAR | | agent name
latency_ms       | DOUBLE | ms | end minus start
""")

USAGE_BUCKETS = (
    columns("""
!bucket_start | TIMESTAMPTZ | UTC | start of the bucket
!bucket_end   | TIMESTAMPTZ | UTC | end of the bucket, exclusive
!bucket_id    | VARCHAR | | key of the bucket and its dimensions
request_count | BIGINT | requests | model calls in the bucket
""")
    + DIMENSIONS
    + columns("cache_hit | BOOLEAN | | always false: a provider bills what it served")
    + TOKENS
    + columns("web_search_requests | BIGINT | requests | searches made and billed by the provider")
    + columns("""
usage_basis      | VARCHAR | | inclusive or exclusive
attribution_source | VARCHAR | | what named the team
!source          | VARCHAR | | format
!source_file     | VARCHAR | | file
!source_position | BIGINT | | position
""")
)
"""Aggregated usage of a provider's usage API: a day, not a request."""

LEDGER = (
    columns("!charge_period_start | DATE | day | day of the calls in the reporting time zone")
    + DIMENSIONS
    + columns(f"""
cache_hit            | BOOLEAN | | answered from the gateway's response cache
context_tier         | BIGINT | tokens | the call's input was larger than this: some models charge more from there
price_period_start   | TIMESTAMPTZ | UTC | the prices of the row hold from here
!token_class         | VARCHAR | | {", ".join(QUANTITIES)}
consumed_quantity    | BIGINT | pricing_unit | what was served, cache hits included
!pricing_quantity    | BIGINT | pricing_unit | what is billed
pricing_unit         | VARCHAR | | Tokens or Requests
list_unit_price      | {UNIT_PRICE_TYPE} | USD per pricing_unit | public list price
contracted_unit_price | {UNIT_PRICE_TYPE} | USD per pricing_unit | after negotiated rates and discounts
list_cost            | {COST_TYPE} | USD | pricing_quantity × list_unit_price; null when there is no price
contracted_cost      | {COST_TYPE} | USD | pricing_quantity × contracted_unit_price
effective_cost       | {COST_TYPE} | USD | contracted cost, prepaid capacity spread over its hours
billed_cost          | {COST_TYPE} | USD | what the consumer is billed, internal markup included
avoided_cost         | {COST_TYPE} | USD | what cache hits would have cost at contracted prices
sku_id               | VARCHAR | | model and token class
sku_price_id         | VARCHAR | | the very price applied
price_source         | VARCHAR | | where the price comes from
price_version        | VARCHAR | | version of the price list
""")
)
"""One row is day × dimensions × SKU."""

USAGE = (
    columns("!charge_period_start | DATE | day | day of the calls in the reporting time zone")
    + DIMENSIONS
    + columns("""
cache_hit          | BOOLEAN | | answered from the gateway's response cache
context_tier       | BIGINT | tokens | the calls' input was larger than this
price_period_start | TIMESTAMPTZ | UTC | the prices of the row hold from here
request_count      | BIGINT | requests | model calls
ambiguous_count    | BIGINT | requests | calls whose token counts fit no basis
""")
    + TOKENS
    + COUNTS
    + tuple(Column(f"{c.name}_count", "BIGINT", "requests", f"calls: {c.meaning}") for c in FLAGS)
    + tuple(Column(c.name, c.type.replace("DECIMAL(18,", "DECIMAL(28,"), c.unit, c.meaning) for c in AMOUNTS)
)
"""One row is day × dimensions: everything that can be added up, before it is priced."""

AGENT_RUNS = columns("""
!task_id        | VARCHAR | | the task or trace
assistant       | VARCHAR | | the deployed AI product
agent           | VARCHAR | | agent that began it
started         | TIMESTAMPTZ | UTC | start of the first step
duration_ms     | DOUBLE | ms | from the first step to the end of the last
agent_steps     | BIGINT | steps | agent and workflow steps
model_calls     | BIGINT | calls | billed model calls
tool_calls      | BIGINT | calls | tools called
failed_tools    | BIGINT | calls | tools that ended in an error
retrieval_calls | BIGINT | calls | retrieval calls
retries         | BIGINT | attempts | attempts before those that are counted
tokens          | BIGINT | tokens | all tokens of its model calls
ended_with      | VARCHAR | | name of the last tool, agent or call
ended_status    | VARCHAR | | how that ended: ok, error, abandoned, blocked
""")
"""One row is a task with steps of an agent: what it called, what failed, where it ended."""
