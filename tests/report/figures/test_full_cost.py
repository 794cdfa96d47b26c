"""What stands around the model bill, what is wasted and what customers leave, drawn."""

from __future__ import annotations

from decimal import Decimal

import pandas as pd
import pytest

from finops_lib import report

LAYERS = pd.DataFrame(
    {
        "layer": ["model", "retrieval", "human review"],
        "model_bill": [Decimal(50), Decimal(0), Decimal(0)],
        "other_bills": [Decimal(10), Decimal(0), Decimal(0)],
        "not_billed": [Decimal(0), Decimal(0), Decimal(40)],
        "true_cost": [Decimal(60), None, Decimal(40)],
        "share": [0.6, None, 0.4],
    }
)
SUMMARY = {"cost": Decimal(100), "model_bill_share": 0.5, "empty_layers": ["retrieval"], "bills_read": True}
WASTE = pd.DataFrame(
    {
        "waste": ["unused seats", "failed runs", "blocked runs", "idle provisioned throughput"],
        "cost": [30.0, 12.5, 0.0, None],
        "largest_part": ["editor", "bot · chat", None, None],
    }
)
MARGINS = pd.DataFrame(
    {
        "customer": ["acme", "globex"],
        "revenue": [Decimal(5), Decimal(9)],
        "cost": [Decimal(8), Decimal(1)],
        "margin": [Decimal(-3), Decimal(8)],
        "is_unprofitable": [True, False],
    }
)


def test_the_share_of_the_model_bill_is_the_title(parts, inside):
    """Half of 100 USD; the layer where nothing was placed is named and not drawn."""
    figure = report.plot_full_cost(LAYERS, SUMMARY, period="2026-09")
    found = parts(figure)

    assert "Model providers bill 50% of the true cost of USD 100.00" == found["title"]
    hosted = "the layer 'model' also holds models that others host"
    assert f"Cost by layer, September 2026; {hosted}; nothing is placed in retrieval" == found["subtitle"]
    assert ["model", "human review"] == found["names"]
    assert ["USD 60.00 · 60.0%", "USD 40.00 · 40.0%"] == found["labels"]
    assert 3 == len(figure.legends[0].get_texts())
    assert [] == inside(figure)


def test_an_assistant_is_told_what_is_left_out(parts):
    """Shared cost is on the organisation's page."""
    told = "Model providers bill 50% of the USD 100.00 that is its own; its parts of shared cost are on page 04"

    assert told == parts(report.plot_full_cost(LAYERS, SUMMARY, assistant="bot"))["title"]


def test_a_true_cost_that_is_not_known_is_not_drawn_as_one(parts):
    """Without a bill of anything else the title says so, and what would tell."""
    found = parts(report.plot_full_cost(LAYERS, SUMMARY | {"model_bill_share": None}))

    assert "USD 100.00 is known; what stands around the models is not" == found["title"]
    assert "read the bills of hosting" in found["subtitle"]


def test_the_ledger_is_no_bill(parts):
    """Where no bill was read, nothing is said to be billed by anybody."""
    figure = report.plot_full_cost(LAYERS, SUMMARY | {"model_bill_share": None, "bills_read": False})

    assert parts(figure)["subtitle"].startswith("The ledger, at contracted prices; no bill was read")
    legend = [text.get_text() for text in figure.legends[0].get_texts()]
    assert "ledger, at contracted prices" in legend
    assert "billed by model providers" not in legend


def test_no_charges_are_words(parts):
    """An empty month is a sentence."""
    found = parts(report.plot_full_cost(LAYERS.head(0), SUMMARY | {"cost": Decimal(0)}))

    assert ("No charges", 0) == (found["title"], found["bars"])


def test_waste_names_its_sum_and_its_largest_line(parts, inside):
    """42.50 USD in two lines; what is zero or not known has no bar."""
    figure = report.plot_waste(WASTE, period="2026-09")
    found = parts(figure)

    assert "USD 42.50 bought nothing in September 2026; most of it is unused seats, USD 30.00" == found["title"]
    assert ["USD 30.00 · editor", "USD 12.50 · bot · chat"] == found["labels"]
    assert [] == inside(figure)


def test_no_waste_is_words(parts):
    """Nothing paid in vain: no empty axes; a line that is not known is named and is no zero."""
    assert "No waste was found" == parts(report.plot_waste(WASTE.iloc[[2]]))["title"]
    assert "No waste in what is known" == parts(report.plot_waste(WASTE.tail(2)))["title"]
    assert "Waste is not known" == parts(report.plot_waste(WASTE.tail(1)))["title"]


def test_losses_go_to_the_left(parts, inside):
    """The customer that costs more than it pays is the title."""
    figure = report.plot_customer_margin(MARGINS, period="2026-09")
    found = parts(figure)

    assert "acme costs USD 3.00 more in AI than it pays" == found["title"]
    assert -3.0 == figure.axes[0].patches[0].get_width()
    assert "USD 8.00 · USD 1.00 of USD 9.00" == found["labels"][1]
    assert [] == inside(figure)


@pytest.mark.parametrize(
    ("margins", "title"),
    [
        (MARGINS.tail(1), "All 1 customers with calls pay more than their AI costs"),
        (pd.concat([MARGINS.head(1)] * 2), "acme, acme cost USD 6.00 more in AI than they pay"),
        (MARGINS.head(0), "The margin per customer is not known"),
    ],
)
def test_good_news_several_losses_and_no_revenue_read_right(parts, margins, title):
    """Singular, plural and nothing."""
    assert title == parts(report.plot_customer_margin(margins))["title"]
