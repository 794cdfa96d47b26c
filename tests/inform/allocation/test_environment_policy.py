"""What breaks the policy of an environment is listed with its cost."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pandas as pd
import pytest

from finops_lib import inform
from finops_lib.settings import EnvironmentPolicy

NONE_OVER = pd.DataFrame(columns=["assistant", "environment", "output_limit", "requests", "tokens_over", "cost"])
OWN = {"assistant": "bot", "environment": "sandbox"}


@pytest.fixture
def traffic(make_ledger, make_usage):
    """A sandbox of 2 calls on small for 3.00 USD, and 5 on large without a team for 4.00 from the 20th on."""
    rows = [("2026-09-01", 3, 2, "small", "legal"), ("2026-09-20", 4, 5, "large", None)]
    named = [(day, usd, calls, OWN | {"model": model, "team": team}) for day, usd, calls, model, team in rows]
    costs = make_ledger([(day, "output", 1_000_000, usd, names) for day, usd, _, names in named])
    return costs, make_usage([(day, calls, names) for day, _, calls, names in named])


def broken(traffic, policy, over=NONE_OVER):
    """Hold the sandbox against a policy."""
    policies = {("bot", "sandbox"): policy} if policy else {}
    return inform.environment_violations(*traffic, policies, over)


@pytest.mark.parametrize(
    ("policy", "rule", "cost", "calls"),
    [
        (EnvironmentPolicy(expires=date(2026, 9, 19)), "expiry", 4.0, 5),
        (EnvironmentPolicy(models=["sm*"]), "models", 4.0, 5),
        (EnvironmentPolicy(required=["team"]), "required tag", 4.0, 5),
        (EnvironmentPolicy(required=["cost_center"]), "required tag", 7.0, 7),
        (EnvironmentPolicy(budget=Decimal(5)), "budget", 2.0, None),
        (None, "no policy", 7.0, 7),
    ],
)
def test_each_rule_finds_what_breaks_it(traffic, policy, rule, cost, calls):
    """The cost of the calls concerned, for a budget what is above it; a sandbox without a policy is found too."""
    row = broken(traffic, policy).squeeze()

    assert ("bot", "sandbox", rule, cost) == tuple(row[["assistant", "environment", "rule", "cost"]])
    assert pd.isna(row["requests"]) if calls is None else calls == row["requests"]
    assert row["finding"]
    assert row["what_to_do"]


@pytest.mark.parametrize(
    "policy",
    [
        EnvironmentPolicy(),
        EnvironmentPolicy(expires=date(2026, 9, 20), models=["*"], budget=Decimal(7), required=["model"]),
    ],
)
def test_what_keeps_to_its_policy_is_not_listed(traffic, policy):
    """On its last day, at its budget, with its models: nothing to say."""
    assert broken(traffic, policy).empty


def test_production_needs_no_policy(traffic):
    """Only a sandbox must have one; what is given for others is held against them all the same."""
    production = tuple(frame.assign(environment="production") for frame in traffic)
    policy = {("bot", "production"): EnvironmentPolicy(models=["small"])}

    assert inform.environment_violations(*production, {}, NONE_OVER).empty
    assert [4.0] == inform.environment_violations(*production, policy, NONE_OVER)["cost"].tolist()


def test_long_outputs_stand_with_their_limit(traffic):
    """Calls above the limit come from the requests; the costliest violation is first."""
    over = pd.DataFrame([["bot", "sandbox", 100, 3, 1234, 9.0]], columns=NONE_OVER.columns)
    found = broken(traffic, EnvironmentPolicy(models=["small"]), over)

    assert ["output limit", "models"] == found["rule"].tolist()
    assert "1,234 output tokens beyond 100 a call" == found["finding"].iloc[0]


def test_nothing_called_breaks_nothing(traffic):
    """An empty month gives the columns."""
    empty = tuple(frame.head(0) for frame in traffic)
    found = inform.environment_violations(*empty, {}, NONE_OVER)

    assert ["assistant", "environment", "rule", "finding", "cost", "requests", "what_to_do"] == found.columns.tolist()
    assert found.empty
