"""What a page about budgets is made of: its scope, proposals and decisions."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from finops_lib import load_params, operate
from finops_lib.settings import Budget

AS_OF = date(2026, 10, 10)


@pytest.fixture
def costs(make_costs):
    """Make two assistants at ten and one a day."""
    return pd.concat([make_costs(["10"] * 10), make_costs(["1"] * 10, assistant="other")], ignore_index=True)


@pytest.fixture
def burnt(costs):
    """Burn a budget for everything, and one for the helper."""
    helper = Budget(name="helper", match={"assistant": "helper"}, amount=90)
    return operate.burn(costs, [Budget(name="all", amount=5000), helper], AS_OF)


def test_an_assistants_page_has_its_own_budgets_first(burnt) -> None:
    """Its own, then those it spends in; never another assistant's."""
    assert ["helper", "all"] == operate.concerning(burnt, "helper").summary["budget"].tolist()
    other = operate.concerning(burnt, "other")
    assert [{"all"}] * 2 == [set(frame["budget"]) for frame in (other.summary, other.course)]
    assert burnt is operate.concerning(burnt, "organisation")


def test_a_page_begins_with_the_companys_budget_or_its_own(burnt) -> None:
    """The organisation asks for everything, an assistant for its own, and without budgets there are nulls."""
    assert "all" == operate.leading_budget(burnt, "organisation")["budget"]
    assert "helper" == operate.leading_budget(operate.concerning(burnt, "helper"), "helper")["budget"]
    whole = burnt.summary.assign(overrun_probability=0.0)
    part = whole[whole["budget"] == "helper"].assign(budget="part", about="route chat, assistant helper")
    nearer = replace(burnt, summary=pd.concat([part.assign(overrun_probability=0.9), whole]))
    assert "helper" == operate.leading_budget(nearer, "helper")["budget"]
    nothing = operate.leading_budget(operate.concerning(burnt, "nobody"), "nobody")
    assert (None, None) == (nothing["spent"], nothing["overrun_probability"])


def test_whoever_spends_without_a_budget_is_proposed_one(costs, burnt) -> None:
    """One a day makes 90 for the first quarter of 2027, and an entry that the parameters take."""
    row = operate.propose_budgets(costs, burnt, AS_OF).iloc[0].to_dict()

    assert ("other", 1.0, 90) == (row["assistant"], row["per_day_28"], pytest.approx(row["projected"]))
    assert row["proposed"] in (90, 91)
    assert f"budgets: [{{name: other, amount: {row['proposed']:.0f}, period: quarter}}]" == row["entry"]
    assert operate.propose_budgets(costs, burnt, AS_OF, assistant="helper").empty
    assert operate.propose_budgets(costs.head(0), burnt, None).empty


def test_checks_name_what_needs_a_decision(burnt) -> None:
    """One budget of two is exceeded; the alert without an owner is counted."""
    alerts = pd.DataFrame(
        {
            "owner_note": [None, "no budget owner"],
            "subject": ["helper", "other: level"],
            "kind": ["over budget", "unusual"],
            "severity": ["high", "high"],
        }
    )
    checks = operate.budget_checks(burnt, alerts, limit=0.5).set_index("check")

    assert {
        "budgets_in_force": (2, True, ""),
        "budgets_exceeded": (1, False, "helper"),
        "budgets_probably_exceeded": (0, True, ""),
        "large_unusual_events": (1, False, "other: level"),
        "without_owner": (1, False, "other: level"),
    } == {name: (row["statistic"], row["passed"], row["comment"]) for name, row in checks.iterrows()}


def test_events_and_budgets_are_looked_at_with_the_parameters(tmp_path: Path, costs) -> None:
    """Rows after the last complete day count for neither."""
    (tmp_path / "parameters").mkdir()
    (tmp_path / "parameters" / "organisation.yaml").write_text("budgets: [{name: all, amount: 100}]\n")
    usage = costs[["charge_period_start", "assistant", "model"]].assign(request_count=5, contracted_cost=None)
    priced = costs.assign(token_class="output", pricing_quantity=10)
    watched, burnt = operate.watch_and_burn(load_params(project=tmp_path), priced, usage, date(2026, 10, 9))

    assert {"helper", "other"} == set(watched.daily["assistant"])
    assert pd.Timestamp("2026-10-09") == watched.daily["date"].max()
    assert 99 == float(burnt.summary["spent"].item())
