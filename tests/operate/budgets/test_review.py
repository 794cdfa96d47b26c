"""What a page about budgets is made of: its scope, proposals and decisions."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from finops_lib import inform, load_params, operate
from finops_lib.settings import Budget

AS_OF = date(2026, 10, 10)
_NINTH = date(2026, 10, 9)


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


@pytest.fixture
def looked_at(tmp_path: Path, costs):
    """Write budgets for everything, the helper and one model; look at nine of the ten days."""
    (tmp_path / "parameters").mkdir()
    budgets = "budgets: [{name: all, amount: 100}, {name: small, amount: 100, match: {model: small}}]\n"
    (tmp_path / "parameters" / "organisation.yaml").write_text(budgets)
    own = "assistant: helper\nsettings: {budgets: [{name: helper, amount: 1000, period: quarter}]}\n"
    (tmp_path / "parameters" / "helper.yaml").write_text(own)
    usage = costs[["charge_period_start", "assistant", "model"]].assign(request_count=5, contracted_cost=None)
    priced = costs.assign(token_class="output", pricing_quantity=10, provider="p", service_tier="s", context_tier="0")
    return tmp_path, priced, usage, operate.watch_and_burn(load_params(project=tmp_path), priced, usage, _NINTH)


def test_all_of_an_assistant_is_expected_to_cost_what_its_forecast_says(looked_at) -> None:
    """The quarter of its budget, middle and range, is that of the forecast by driver; a model's goes by its past."""
    project, costs, usage, (_, burnt) = looked_at
    found = burnt.summary.set_index("budget")
    own = [frame[frame["assistant"] == "helper"] for frame in (costs, usage)]
    forecast = inform.forecast_by_driver(load_params("helper", project=project), *own, _NINTH)
    expected = forecast.projection.set_index("period").loc["quarter", ["projected", "lower_80", "upper_80"]]

    assert expected.tolist() == pytest.approx(found.loc["helper", expected.index].tolist())
    assert ["by driver", "by driver", "total alone"] == found.loc[["all", "helper", "small"], "method"].tolist()


def test_events_and_budgets_are_looked_at_with_the_parameters(looked_at) -> None:
    """Rows after the last complete day count for neither."""
    watched, burnt = looked_at[-1]

    assert {"helper", "other"} == set(watched.daily["assistant"])
    assert pd.Timestamp("2026-10-09") == watched.daily["date"].max()
    assert 99 == float(burnt.summary.set_index("budget").loc["all", "spent"])
