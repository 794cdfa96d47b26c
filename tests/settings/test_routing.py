"""Routing policies are refused where they contradict themselves, the catalogue or each other."""

from __future__ import annotations

import pytest
import yaml

from finops_lib import load_params
from finops_lib.errors import ParamsError
from finops_lib.settings import ModelCatalogue


@pytest.mark.parametrize(
    ("model", "tier"),
    [
        ("gpt-5.4-mini", "low_cost"),
        ("global.anthropic.claude-haiku-4-5-20251001-v1:0", "low_cost"),
        ("gpt-5.6-terra", "mid"),
        ("claude-sonnet-5", "premium"),
        ("gpt-5.4-2026-03-01", "premium"),
        ("o3-mini", "reasoning"),
        ("o1", "reasoning"),
        ("claude-opus-5", "frontier"),
        ("text-embedding-3-small", None),
    ],
)
def test_shipped_tiers(model, tier):
    """The longest pattern that fits decides."""
    assert tier == ModelCatalogue().tier_of(model)


def test_premium_is_that_tier_and_above():
    """Reasoning and frontier models cost more than premium ones; a model of no tier is none of them."""
    catalogue = ModelCatalogue()
    models = ("gpt-5.6-terra", "claude-sonnet-5", "o1", "claude-opus-5", "text-embedding-3-small")

    assert [False, True, True, True, False] == [catalogue.is_premium(model) for model in models]


def test_own_tiers_and_tasks_come_first():
    """The company may see a model otherwise, and know tasks of its own."""
    own = ModelCatalogue(tiers={"low_cost": ["*sonnet*"]}, tasks={"translation": "mid", "jokes": "frontier"})

    assert ["low_cost", "frontier"] == [own.tier_of("claude-sonnet-5"), own.tier_of("claude-opus-5")]
    assert ["mid", "frontier", "low_cost", None] == [
        own.tier_of_task(task) for task in ("translation", "jokes", "tagging", "other")
    ]


@pytest.mark.parametrize(
    ("policy", "message"),
    [
        ({"fallback": {"gpt-5": "gpt-5-mini", "gpt-5-mini": "gpt-5"}}, "loops: gpt-5 → gpt-5-mini → gpt-5"),
        ({"fallback": {"gpt-5": "gpt-*"}}, "names models, not patterns"),
        ({"models": ["gpt-5"], "fallback": {"gpt-5": "o3"}}, "'o3' of the fallback is not among the models"),
        ({"fallback": {"gpt-5": "gtp-5"}}, "fallback 'gtp-5' is no model of any tier"),
        ({"fallback": {"gpt-5": "o3"}, "data_classes": ["secret"]}, "'o3' may not see data of class 'secret'"),
        ({"task": "juggling"}, "task 'juggling' has no tier"),
        ({"tier": "cheap"}, "low_cost"),
    ],
)
def test_a_policy_that_cannot_hold_is_refused(policy, message, tmp_path):
    """The file, the policy and what is wrong with it."""
    with pytest.raises(ParamsError, match=message) as refused:
        load(tmp_path, [{"workflow": "w"} | policy])
    assert "bot.yaml" in str(refused.value)


def test_a_workflow_has_one_policy(tmp_path):
    """The second is found, also among what-if values."""
    with pytest.raises(ParamsError, match=r"routing\.1 \(w\): the workflow has a policy already"):
        load(tmp_path, [{"workflow": "w"}, {"workflow": "w"}])
    load(tmp_path, [{"workflow": "w"}])
    with pytest.raises(ParamsError, match="has no tier"):
        load_params("bot", settings={"routing": [{"workflow": "w", "task": "juggling"}]}, project=tmp_path)


def test_policies_and_limits_in_force(tmp_path):
    """By assistant, what-if values included; a chain of fallbacks is followed to its end."""
    chain = {"workflow": "w", "fallback": {"gpt-5": "o3", "o3": "gpt-5-mini"}}
    load(tmp_path, [chain])
    params = load_params("bot", settings={"agent_limits": {"steps": 9}}, project=tmp_path)

    assert ["o3", "gpt-5-mini"] == params.routing_policies["bot", "w"].fallbacks_of("gpt-5")
    assert "gpt-5" == params.routing_policies["bot", "w"].standard
    assert 9 == params.agent_limits["bot"].steps


def load(folder, routing):
    """Write an assistant with routing policies, and load it."""
    (folder / "parameters").mkdir(exist_ok=True)
    organisation = {"models": {"data_classes": {"secret": ["gpt-*"]}}}
    (folder / "parameters" / "organisation.yaml").write_text(yaml.safe_dump(organisation))
    bot = {"assistant": "bot", "settings": {"routing": routing}}
    (folder / "parameters" / "bot.yaml").write_text(yaml.safe_dump(bot))
    return load_params("bot", project=folder)
