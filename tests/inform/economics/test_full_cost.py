"""Every charge stands in a layer, or is listed as unplaced."""

from __future__ import annotations

from decimal import Decimal

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finops_lib import inform
from finops_lib.inform.economics.full_cost import LAYERS, UNPLACED, default_cost_layers
from finops_lib.inform.measures import MONEY_TYPE
from finops_lib.settings import CostLayerRule

NO_USAGE = pd.DataFrame()


def bill(*lines):
    """Make charges of (service, USD, columns)."""
    rows = [{"service_name": service, "billed_cost": Decimal(str(cost)), **more} for service, cost, more in lines]
    columns = {"service_name", "billed_cost", "assistant", *(name for row in rows for name in row)}
    frame = pd.DataFrame(rows, columns=sorted(columns))
    return frame.astype({"billed_cost": MONEY_TYPE})


def review(minutes):
    """Make usage with minutes of human review."""
    return pd.DataFrame({"review_minutes": [Decimal(minutes)]})


def placed(full):
    """Map each item to its layer."""
    return dict(zip(full["item"], full["layer"], strict=True))


def test_the_model_bill_is_parted_as_far_as_the_ledger_tells():
    """Judge calls, embeddings, reranking and failed attempts leave the model layer and stay on the model bill."""
    own = {"provider": "openai"}
    charges = bill(
        ("answers", 60, own),
        ("judge", 3, own | {"category": "evaluation"}),
        ("index", 2, own | {"request_type": "embeddings"}),
        ("order", 1, own | {"request_type": "rerank"}),
        ("again", 4, own | {"run_status": "error"}),
    )
    full = inform.full_cost(charges, NO_USAGE)

    assert {
        "answers": "model",
        "again": "application logic",
        "index": "retrieval",
        "order": "retrieval",
        "judge": "evaluation",
    } == placed(full)
    assert {"model bill"} == set(full["basis"])
    assert Decimal(70) == full["cost"].sum()


def test_what_stands_around_the_models_is_placed_by_its_service():
    """The shipped rules know services by their FOCUS category; tax of a provider belongs to the model."""
    full = inform.full_cost(
        bill(
            ("Amazon Bedrock", 19, {"provider": "aws.bedrock", "charge_category": "Tax"}),
            ("Guards", 5, {"provider": "aws.bedrock", "charge_description": "Guardrail text units"}),
            ("Vector store", 1, {"service_category": "Databases"}),
            ("Hosting", 1, {"service_category": "Compute"}),
            ("Traces", 1, {"service_subcategory": "Observability"}),
            ("Scans", 1, {"service_category": "Security"}),
            ("Evaluation platform", 1, {"service_category": "Developer Tools"}),
            ("Seats of a team", 1, {"pricing_unit": "Seats", "team": "legal"}),
            ("Seats of nobody", 1, {"pricing_unit": "Seats"}),
        ),
        NO_USAGE,
    )

    assert {
        "Amazon Bedrock": "model",
        "Guards": "safety and compliance",
        "Scans": "safety and compliance",
        "Vector store": "retrieval",
        "Hosting": "infrastructure",
        "Traces": "observability",
        "Evaluation platform": "evaluation",
        "Seats of a team": "enablement",
        "Seats of nobody": UNPLACED,
    } == placed(full)


def test_a_rule_of_the_company_comes_first():
    """What the shipped rules would call infrastructure is the model's when the company says so."""
    rule = CostLayerRule(layer="model", match={"service_name": "GPU*", "tags.use": "serving"})
    charges = bill(
        ("GPU hosting", 7, {"service_category": "Compute", "tags": '{"use": "serving"}'}),
        ("GPU lab", 2, {"service_category": "Compute", "tags": '{"use": "training"}'}),
    )

    assert {"GPU hosting": "model", "GPU lab": "infrastructure"} == placed(inform.full_cost(charges, NO_USAGE, [rule]))


def test_human_review_is_minutes_at_an_hourly_rate():
    """90 minutes at 40 USD an hour are 60 USD that stand on no bill; without a rate they have no cost."""
    charges = bill(("answers", 40, {"provider": "openai"}), ("Hosting", 100, {"service_category": "Compute"}))
    full = inform.full_cost(charges, review(90), review_hourly_rate=Decimal(40))
    row = full.set_index("layer").loc["human review"]

    assert ("not on a bill", Decimal(60), 0.3) == (row["basis"], row["cost"], row["share"])
    assert "human review" not in set(inform.full_cost(charges, review(90))["layer"])


def test_the_share_of_the_model_bill():
    """50 of 200 USD are billed by model providers: a quarter; nothing is placed in the other layers."""
    charges = bill(("answers", 50, {"provider": "openai"}), ("Hosting", 150, {"service_category": "Compute"}))
    found = inform.full_cost_summary(inform.full_cost(charges, NO_USAGE))

    assert (Decimal(200), Decimal(50), 0.25) == (found["true_cost"], found["model_bill"], found["model_bill_share"])
    assert [name for name in LAYERS if name not in ("model", "infrastructure")] == found["empty_layers"]


def test_without_other_bills_the_true_cost_is_not_known():
    """The model bill alone is not 100% of the true cost: nobody knows what stands around it."""
    found = inform.full_cost_summary(inform.full_cost(bill(("answers", 50, {"provider": "openai"})), NO_USAGE))

    assert (Decimal(50), None, None) == (found["cost"], found["true_cost"], found["model_bill_share"])


def test_layers_that_hold_nothing_are_shown_as_not_known():
    """Nine layers whatever the bills hold; a layer without a charge has no cost, not a cost of zero."""
    layers = inform.cost_by_layer(inform.full_cost(bill(("Lunch", 8, {})), NO_USAGE)).set_index("layer")

    assert [*LAYERS, UNPLACED] == layers.index.tolist()
    assert layers["true_cost"].isna().tolist() == [True] * 9 + [False]
    assert (Decimal(8), "Lunch") == (layers.loc[UNPLACED, "other_bills"], layers.loc[UNPLACED, "items"])


def test_a_page_of_one_assistant_holds_what_names_it():
    """Shared charges and those of others are on the organisation's page."""
    charges = bill(
        ("own", 5, {"assistant": "helpdesk", "provider": "openai"}),
        ("other", 7, {"assistant": "sales", "provider": "openai"}),
        ("shared", 9, {"service_category": "Compute"}),
    )

    assert ["own"] == inform.full_cost(charges, NO_USAGE, assistant="helpdesk")["item"].tolist()


def test_no_charges_no_cost():
    """An organisation without ledger and bills gets empty answers with their columns."""
    full = inform.full_cost(bill().astype({"billed_cost": MONEY_TYPE}), NO_USAGE)

    assert [] == full["layer"].tolist()
    assert None is inform.full_cost_summary(full)["true_cost"]
    assert 9 == len(inform.cost_by_layer(full))


@settings(max_examples=25, deadline=None)
@given(
    lines=st.lists(
        st.tuples(
            st.sampled_from(["a", "b", "Vector x"]),
            st.decimals(-(10**6), 10**6, places=6),
            st.fixed_dictionaries(
                {
                    "provider": st.sampled_from([None, "openai"]),
                    "run_status": st.sampled_from([None, "ok", "error"]),
                    "service_category": st.sampled_from([None, "Compute", "Security", "Other"]),
                }
            ),
        ),
        min_size=1,
        max_size=12,
    ),
    minutes=st.integers(0, 600),
)
def test_no_cent_is_lost_or_made(lines, minutes):
    """Whatever the charges, credits included, the layers add up to them and to the review."""
    full = inform.full_cost(bill(*lines), review(minutes), review_hourly_rate=Decimal(30))
    layers = inform.cost_by_layer(full)

    assert sum(cost for _, cost, _ in lines) + Decimal(minutes) / 2 == full["cost"].sum()
    assert full["cost"].sum() == sum(layers[name].sum() for name in ("model_bill", "other_bills", "not_billed"))


@pytest.mark.parametrize("layer", [name for name in LAYERS if name != "human review"])
def test_the_shipped_rules_know_every_layer_that_is_billed(layer):
    """Each layer but the review of people has a rule."""
    assert layer in {rule.layer for rule in default_cost_layers()}
