"""A model is found by whatever name a gateway, a trace or a cloud gives it."""

from __future__ import annotations

import json
import random

import pandas as pd
import pytest

from finops_lib.ingest.prices.model_names import match_models, rules_text
from finops_lib.ingest.prices.rows import PriceList, read_price_list

LLAMA = "meta-llama/Llama-3.3-70B-Instruct-Turbo"
SONNET = "regional.anthropic.claude-sonnet-4-5-20250929-v1:0"


@pytest.fixture(scope="module")
def packaged() -> PriceList:
    """Read the list in the package."""
    return read_price_list()


def found(price_list, provider, model, aliases=None):
    """Match one pair: channel, provider and model of the price."""
    row = match_models(pd.DataFrame({"provider": [provider], "model": [model]}), price_list, aliases).iloc[0]
    return (row["channel"], row["price_provider"], row["price_model"]) if row["price_model"] else None


@pytest.mark.parametrize(
    ("provider", "model", "expected"),
    [
        ("openai", "gpt-4o", ("openai", "openai", "gpt-4o")),
        ("OpenAI", "GPT-4o-2024-11-20", ("openai", "openai", "gpt-4o")),
        ("openai", "gpt-4o-mini-20240718", ("openai", "openai", "gpt-4o-mini")),
        (None, "openai/gpt-4o", ("openai", "openai", "gpt-4o")),
        (None, "gpt-4o", ("openai", "openai", "gpt-4o")),
        ("litellm", "anthropic/claude-sonnet-4-5", ("anthropic", "anthropic", "claude-sonnet-4-5")),
        ("azure", "azure/gpt-4o", ("azure", "openai", "gpt-4o")),
        ("azure_openai", "gpt-4o", ("azure", "openai", "gpt-4o")),
        ("azure.ai.openai", "gpt-4o", ("azure", "openai", "gpt-4o")),
        ("azure", "o1", ("azure", "azure", "o1")),
        (None, "azure/eu/gpt-4o-2024-08-06", ("azure", "openai", "gpt-4o")),
        ("bedrock", "us.anthropic.claude-sonnet-4-5-20250929-v1:0", ("aws", "aws", SONNET)),
        ("aws.bedrock", "bedrock/us.anthropic.claude-sonnet-4-5-20250929-v1:0", ("aws", "aws", SONNET)),
        ("aws_bedrock", "eu.anthropic.claude-sonnet-4-5-20250929-v1:0", ("aws", "aws", SONNET)),
        (None, "us.anthropic.claude-sonnet-4-5-20250929-v1:0", ("aws", "aws", SONNET)),
        (
            None,
            "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-sonnet-4-5-20250929-v1:0",
            ("aws", "aws", SONNET),
        ),
        (
            "bedrock",
            "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-lite-v1:0",
            ("aws", "aws", "amazon.nova-lite-v1:0"),
        ),
        ("vertex_ai", "claude-sonnet-4-5@20250929", ("google", "google", "claude-sonnet-4-5")),
        ("gcp.vertex_ai", "gemini-2.5-pro", ("google", "google", "gemini-2.5-pro")),
        ("gcp.gemini", "models/gemini-2.5-pro", ("google", "google", "gemini-2.5-pro")),
        (None, "gemini/gemini-2.5-pro", ("google", "google", "gemini-2.5-pro")),
        ("mistral_ai", "mistral-large-latest", ("mistral", "mistral", "mistral-large-latest")),
        ("mistral", "mistral-large-2411", ("mistral", "mistral", "mistral-large")),
        ("x_ai", "grok-4", ("x-ai", "x-ai", "grok-4-0709")),
        ("cohere", "command-r-plus-08-2024", ("cohere", "cohere", "command-r-plus")),
        ("deepseek", "deepseek-chat", ("deepseek", "deepseek", "deepseek-chat")),
        ("groq", "llama-3.3-70b-versatile", ("groq", "groq", "llama-3.3-70b-versatile")),
        ("together_ai", LLAMA, ("together", "together", LLAMA)),
        ("openrouter", "anthropic/claude-3.5-sonnet", ("openrouter",) * 2 + ("anthropic/claude-3.5-sonnet",)),
        (None, "openrouter/anthropic/claude-3.5-sonnet", ("openrouter",) * 2 + ("anthropic/claude-3.5-sonnet",)),
        ("perplexity", "sonar", ("perplexity", "perplexity", "sonar")),
        ("openai", "gpt-4.1-2099-01-01", ("openai", "openai", "gpt-4.1")),
    ],
)  # fmt: skip
def test_spellings(packaged, provider, model, expected):
    """Prefixes, regions, ARNs, capitals, dates and the providers' many names all lead to one price."""
    assert expected == found(packaged, provider, model)


@pytest.mark.parametrize(
    ("provider", "model"),
    [
        ("vllm", "gpt-4o"),
        ("openai", "gpt-4oo"),
        ("bedrock", "arn:aws:bedrock:eu-west-1:123456789012:application-inference-profile/abc"),
        ("azure", "my-deployment"),
        ("openai", None),
        (None, ""),
    ],
)
def test_nothing_is_guessed(packaged, provider, model):
    """A self-hosted, opaque or unknown model stays without a price."""
    assert found(packaged, provider, model) is None


def test_aliases_win(packaged):
    """A deployment or route name stands for the model the organisation says, whoever serves it."""
    aliases = {"HR-bot": "gpt-4o", "smart-route": "anthropic/claude-sonnet-4-5", "gpt-4o": "gpt-4o-mini"}

    assert ("azure", "openai", "gpt-4o") == found(packaged, "azure", "azure/hr-bot", aliases)
    assert ("anthropic", "anthropic", "claude-sonnet-4-5") == found(packaged, None, "smart-route", aliases)
    assert ("openai", "openai", "gpt-4o-mini") == found(packaged, "openai", "gpt-4o", aliases)
    assert ("openai", "openai", "gpt-4o") == found(packaged, "gateway-7", "hr-bot", aliases)


def test_pairs_are_matched_once_and_come_back_as_given(packaged):
    """One row per distinct pair, in order, with a suggestion only where nothing matched."""
    pairs = pd.DataFrame({"provider": ["openai", "openai", "openai"], "model": ["gpt-4o", "gpt-4oo", "gpt-4o"]})
    table = match_models(pairs, packaged)

    assert [("openai", "gpt-4o"), ("openai", "gpt-4oo")] == list(
        table[["provider", "model"]].itertuples(index=False, name=None)
    )
    assert [None, "gpt-4o"] == table["suggestion"].tolist()
    assert [] == match_models(pairs.iloc[:0], packaged)["model"].tolist()


def test_equal_to_the_package_over_all_models(packaged):
    """Every model of every provider is found as the package finds it, also where one sells another's."""
    from genai_prices.data_snapshot import get_snapshot

    snapshot = get_snapshot()
    owners = {id(model): provider.id for provider in snapshot.providers for model in provider.models}
    names = [(provider.id, model.id) for provider in snapshot.providers for model in provider.models]
    names += [("azure", model) for provider, model in names if provider in ("openai", "anthropic", "x-ai")]
    names += [("google", model) for provider, model in names if provider == "anthropic"]
    names += [(None, model) for _, model in random.Random(3).sample(names, 300)]
    table = match_models(pd.DataFrame(names, columns=["provider", "model"], dtype=object), packaged)
    compared = 0
    for row in table.loc[table["model"] != "mistral-large-latest"].itertuples():
        try:
            channel, model = snapshot.find_provider_model(row.model, None, row.provider, None)
        except LookupError:
            continue
        compared += 1

        assert (channel.id, owners[id(model)], model.id) == (row.channel, row.price_provider, row.price_model)

    assert 2_400 < compared


def test_rules_read_back(packaged):
    """One model a line, and the same rules when read again."""
    text = rules_text(packaged.models)

    assert packaged.models == json.loads(text)
    assert sum(len(provider["models"]) for provider in packaged.models["providers"]) < text.count("\n")
