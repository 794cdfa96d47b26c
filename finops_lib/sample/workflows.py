"""Workflows: the shape of every use case, as one line of numbers each."""

from __future__ import annotations

from dataclasses import dataclass, field

OFFICE = ((0, 5, 7, 10, 12, 15, 18, 24), (0.0, 0.01, 0.16, 0.5, 0.66, 0.92, 0.98, 1.0))
GLOBAL = ((0, 4, 8, 12, 16, 20, 24), (0.0, 0.06, 0.26, 0.5, 0.76, 0.92, 1.0))
NIGHT = ((0, 1, 4, 21, 22, 24), (0.0, 0.25, 0.6, 0.62, 0.7, 1.0))
"""Hours of the day (UTC) and the share of tasks begun by then."""


@dataclass(frozen=True)
class Workflow:
    """How one use case behaves.

    Token sizes are medians; ``spread`` in `traffic` gives them their tails. Shares lie between 0 and 1.
    """

    assistant: str
    name: str
    source: str
    tasks_per_day: float
    teams: dict[str, float]
    users: int
    models: dict[str, float]
    context: int
    output: int
    system: int = 400
    history: int = 0
    question: int = 60
    growth: float = 0.25
    weekend: float = 0.12
    hours: tuple = OFFICE
    steps: float = 1.0
    context_shape: str = "narrow"
    output_shape: str = "narrow"
    reasoning: float = 0.0
    cached: float = 0.0
    cache_lifetime: str = "5m"
    sandbox_models: dict[str, float] = field(default_factory=dict)
    environments: tuple[float, float] = (0.03, 0.04)
    unattributed: float = 0.0
    untagged: float = 0.0
    data_class: str = "internal"
    prompt_version: str = "v1"
    service_tier: str = "standard"
    request_type: str = "chat"
    category: str = "production"
    failures: float = 0.015
    abandoned: float = 0.015
    blocked: float = 0.0
    tools: float = 0.0
    retrievals: int = 0
    completed: float | None = None
    accepted: float | None = None
    resolved: float | None = None
    escalated: float | None = None
    satisfaction: bool = False
    review_minutes: float = 0.0
    customers: bool = False
    repeats: int = 0


_CX = {"cx-frontline": 0.72, "cx-backoffice": 0.28}
_ALL = {"it-workplace": 0.3, "people-operations": 0.3, "finance-operations": 0.2, "product-engineering": 0.2}
_SALES = {"sales-emea": 0.6, "sales-americas": 0.4}
_ENGINEERS = {"product-engineering": 0.7, "platform-engineering": 0.3}
_HAIKU = "global.anthropic.claude-haiku-4-5-20251001-v1:0"
_LONG = "global.openai.gpt-5.6-sol"

WORKFLOWS = (
    Workflow(
        "support-copilot", "ticket-answer", "litellm", 66, _CX, 64,
        {"claude-sonnet-5": 0.62, "claude-haiku-4-5": 0.28, "gpt-5.4-mini": 0.10},
        context=15_000, output=420, system=5_200, history=2_600, question=180, growth=0.3, weekend=0.35, hours=GLOBAL,
        steps=1.6, cached=0.78, unattributed=0.012, untagged=0.25, data_class="confidential", prompt_version="v7",
        failures=0.02, blocked=0.006, retrievals=2, resolved=0.74, accepted=0.81, escalated=0.7, satisfaction=True,
        customers=True,
    ),
    Workflow(
        "support-copilot", "ticket-summary", "litellm", 24, _CX, 64,
        {"claude-sonnet-5": 0.55, "claude-haiku-4-5": 0.45},
        context=4_200, output=210, system=900, weekend=0.35, hours=GLOBAL, growth=0.2, unattributed=0.01, untagged=0.25,
        data_class="confidential", prompt_version="v3", accepted=0.93, customers=True,
    ),
    Workflow(
        "support-copilot", "intent", "litellm", 14, _CX, 64, {"cx-intent-ft-3": 1.0},
        context=3_000, output=12, system=300, weekend=0.35, hours=GLOBAL, abandoned=0.0, prompt_version="v1",
    ),
    Workflow(
        "support-copilot", "answer-judge", "litellm", 5, {"cx-backoffice": 1.0}, 1, {"claude-opus-5": 1.0},
        context=14_000, output=260, system=1_200, weekend=0.35, hours=NIGHT, category="evaluation", abandoned=0.0,
        prompt_version="j2",
    ),
    Workflow(
        "knowledge-bot", "policy-question", "litellm", 70, _ALL, 210, {"gpt-5.4-mini": 1.0},
        context=5_800, output=260, system=700, question=35, steps=1.2, history=900, growth=0.12, cached=0.1,
        unattributed=0.085, untagged=0.15, prompt_version="v4", retrievals=1, resolved=0.7, accepted=0.76,
        escalated=0.3, repeats=90,
    ),
    Workflow(
        "knowledge-bot", "it-howto", "litellm", 40, _ALL, 210, {"gpt-5.4-mini": 1.0},
        context=4_600, output=330, system=700, question=30, growth=0.12, cached=0.1, unattributed=0.08, untagged=0.15,
        prompt_version="v4", retrievals=1, resolved=0.78, accepted=0.8, escalated=0.3, repeats=50,
    ),
    Workflow(
        "knowledge-bot", "search", "mapped", 210, _ALL, 210, {"text-embedding-3-small": 0.55, "rerank-2.5": 0.45},
        context=900, output=0, system=0, question=30, growth=0.12, context_shape="wide", unattributed=0.06,
        request_type="embeddings", prompt_version="", failures=0.0, abandoned=0.0, environments=(0.0, 0.0),
    ),
    Workflow(
        "marketing-drafting", "copy-draft", "litellm", 9, {"brand-content": 1.0}, 18,
        {"gpt-5.4": 0.7, "gemini-2.5-flash": 0.3}, context=1_700, output=900, system=500, output_shape="wide",
        reasoning=0.3, unattributed=0.02, environments=(0.05, 0.22), sandbox_models={"claude-opus-5": 1.0},
        prompt_version="v2", accepted=0.64, growth=0.1,
    ),
    Workflow(
        "marketing-drafting", "translation", "litellm", 8, {"brand-content": 1.0}, 18,
        {"gpt-5.4": 0.6, "gemini-2.5-flash": 0.4}, context=1_100, output=800, system=300, growth=0.1,
        environments=(0.03, 0.1), sandbox_models={"claude-opus-5": 1.0}, prompt_version="v1", accepted=0.9,
    ),
    Workflow(
        "contract-extraction", "clause-review", "bedrock", 16, {"legal-operations": 1.0}, 14, {_LONG: 1.0},
        context=104_000, output=2_600, system=2_400, context_shape="wide", reasoning=0.35, growth=0.2,
        environments=(0.04, 0.02), data_class="restricted", prompt_version="v5", resolved=0.91, accepted=0.88,
        review_minutes=11.0,
    ),
    Workflow(
        "contract-extraction", "field-extraction", "bedrock", 26, {"legal-operations": 1.0}, 14, {_HAIKU: 1.0},
        context=46_000, output=1_900, system=2_000, context_shape="wide", hours=NIGHT, growth=0.2, weekend=0.3,
        service_tier="batch", environments=(0.02, 0.02), data_class="restricted", prompt_version="v5", failures=0.01,
        abandoned=0.0, resolved=0.94,
    ),
    Workflow(
        "contract-extraction", "classification", "bedrock", 18, {"legal-operations": 1.0}, 14,
        {"amazon.nova-pro-v1:0": 1.0}, context=6_500, output=40, system=600, growth=0.2,
        environments=(0.02, 0.02), data_class="restricted", prompt_version="v2", resolved=0.97,
    ),
    Workflow(
        "sales-research-agent", "account-brief", "langfuse", 4.0, _SALES, 36,
        {"claude-sonnet-5": 0.66, "gemini-2.5-pro": 0.34}, context=44_000, output=1_100, system=3_800, history=9_000,
        steps=7.0, context_shape="wide", cached=0.6, cache_lifetime="1h", tools=1.0, retrievals=1, failures=0.04,
        abandoned=0.03, unattributed=0.01, environments=(0.04, 0.05), sandbox_models={"claude-opus-5": 1.0},
        data_class="confidential", prompt_version="v9", resolved=0.68, accepted=0.7, growth=0.35,
    ),
    Workflow(
        "sales-research-agent", "meeting-preparation", "langfuse", 4.5, _SALES, 36,
        {"claude-sonnet-5": 0.5, "gpt-5-mini": 0.5}, context=12_000, output=600, system=2_600, history=4_000,
        steps=3.0, cached=0.5, tools=1.0, failures=0.03, unattributed=0.01, reasoning=0.2,
        data_class="confidential", prompt_version="v4", resolved=0.82, accepted=0.8, growth=0.35,
    ),
    Workflow(
        "coding-assistant", "pair-programming", "otlp", 8.0, _ENGINEERS, 56,
        {"gpt-5.6-sol": 0.72, "claude-opus-5": 0.28}, context=96_000, output=1_200, system=8_000, history=8_000,
        steps=5.0, cached=0.85, reasoning=0.55, tools=1.2, failures=0.03, abandoned=0.04, unattributed=0.015,
        environments=(0.0, 0.08), prompt_version="v12", accepted=0.61, resolved=0.66, growth=0.5,
    ),
    Workflow(
        "coding-assistant", "code-review", "otlp", 5.0, _ENGINEERS, 56, {"gpt-5.6-sol": 1.0},
        context=30_000, output=700, system=3_000, steps=1.6, history=5_000, cached=0.5, reasoning=0.5,
        unattributed=0.015, prompt_version="v6", accepted=0.72, resolved=0.75, growth=0.5,
    ),
    Workflow(
        "coding-assistant", "commit-message", "otlp", 6.0, _ENGINEERS, 56, {"claude-opus-5": 1.0},
        context=5_500, output=90, system=700, prompt_version="v1", accepted=0.95, growth=0.5,
    ),
    Workflow(
        "coding-assistant", "completion", "otlp", 20.0, _ENGINEERS, 56, {"codestral-2508": 1.0},
        context=2_200, output=60, system=0, abandoned=0.0, prompt_version="v1", accepted=0.34, growth=0.5,
        environments=(0.0, 0.0),
    ),
    Workflow(
        "", "", "openai_usage", 6.0, {"platform-engineering": 1.0}, 3, {"gpt-5-mini": 0.7, "gpt-5.4-mini": 0.3},
        context=3_000, output=400, system=200, reasoning=0.3, abandoned=0.0, failures=0.0, unattributed=1.0,
        environments=(0.0, 1.0), growth=1.0,
    ),
)
"""All use cases; the last one is direct use of the API, seen by nothing but the provider's usage report."""
