"""Where the money goes, drawn."""

from __future__ import annotations

from decimal import Decimal

import pandas as pd
import pytest

from finops_lib import inform, report


def spend_frame(rows, dimension="model"):
    """Spend rows from (name, cost); shares of the sum."""
    known = sum(cost for _, cost in rows if cost is not None)
    return pd.DataFrame(
        {
            dimension: [name for name, _ in rows],
            "contracted_cost": [cost for _, cost in rows],
            "share": [None if cost is None or not known else float(cost / known) for _, cost in rows],
            "tokens": [1000] * len(rows),
            "unpriced_tokens": [1000 if cost is None else 0 for _, cost in rows],
        }
    )


def test_the_title_says_who_makes_the_cost(parts):
    """Bars are named, labelled with money and share, on an axis in USD."""
    figure = report.plot_spend(spend_frame([("a", Decimal("30")), ("b", Decimal("10"))]), period="2026-09")

    assert {
        "title": "a is 75% of September 2026's cost",
        "subtitle": "Contracted cost by model, September 2026",
        "xlabel": "Contracted cost (USD)",
        "ylabel": "",
        "bars": 2,
        "names": ["a", "b"],
        "labels": ["USD 30.00 · 75.0%", "USD 10.00 · 25.0%"],
    } == parts(figure)
    assert "a: USD 30.00 · 75.0%; b: USD 10.00 · 25.0%." in report.alt_text(figure)


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([("a", Decimal(10))], "a is all of the cost: USD 10.00"),
        ([("a", Decimal(1)), ("unattributed", Decimal(3))], "75% of the cost names no team"),
        (
            [("a", Decimal(2)), ("everything else (9)", Decimal(6))],
            "a is the largest team, with 25% of the cost",
        ),
        ([("a", Decimal(0)), ("b", Decimal(0))], "This scope cost nothing"),
        ([("a", Decimal(10)), ("credit", Decimal(-4))], "a is the largest part of the cost: USD 10.00"),
        ([("a", None)], "Cost by team is not known: 1k tokens have no price"),
        ([], "No spend by team"),
    ],
)
def test_titles_stay_true(rows, expected, parts):
    """One value, no value, no price, nothing, credits: the title says what is there."""
    assert expected == parts(report.plot_spend(spend_frame(rows, "team")))["title"]


def test_what_has_no_price_is_no_zero(parts):
    """An unpriced row says so and counts its tokens."""
    figure = report.plot_spend(spend_frame([("a", Decimal(1)), ("b", None)]))

    assert "no price · 1k tokens" == parts(figure)["labels"][1]


def test_hard_cases_stay_inside_the_figure(inside):
    """Many rows, long names, large and tiny amounts, credits, markup and formulas."""
    rows = [
        (f"a-very-long-deployment-name-in-some-region-number-{i} <b>$x$</b>", Decimal(10) ** (9 - i)) for i in range(15)
    ]
    figure = report.plot_spend(spend_frame([*rows, ("credit", Decimal("-2000000000")), ("none", None)]))

    assert [] == inside(figure)


def test_matrix_writes_every_cell(costs, parts, inside):
    """Three models by three teams: nine amounts, the unpriced ones in words."""
    figure = report.plot_spend_matrix(inform.spend_matrix(costs, "model", "team"), period="2026-09")
    found = parts(figure)

    assert 9 == len(found["labels"])
    assert 3 == found["labels"].count("no price")
    assert ("Team", "Model") == (found["xlabel"], found["ylabel"])
    assert found["title"].startswith("The largest block is large × brand: USD")
    assert [] == inside(figure)


def test_a_wide_matrix_writes_no_zero_for_less_than_a_cent(parts):
    """Seven columns leave room for six characters: a credit of 0.0033 is neither "-0.0" nor nothing."""
    cells = pd.DataFrame([[-0.0033, *[12345.0] * 6]], index=pd.Index(["brand"], name="team"))
    labels = parts(report.plot_spend_matrix(cells.rename_axis(columns="model")))["labels"]

    assert ["<0.01", *["12,345"] * 6] == labels


def test_a_dimension_that_no_call_names_is_words(costs, parts):
    """One grey bar says nothing: the figure says what is missing and what would add it."""
    found = parts(report.plot_spend(inform.spend_by(costs, "user_group"), period="2026-09"))
    grid = parts(report.plot_spend_matrix(inform.spend_matrix(costs, "model", "environment")))

    assert "No call names its user group, September 2026" == found["title"]
    assert "'defaults: {user_group: …}'" in " ".join(found["subtitle"].split())
    assert "No spend by model and environment" == grid["title"]
    assert "No call names its environment" in grid["subtitle"]


def test_matrix_without_cost_is_words(costs, parts):
    """Nothing priced, nothing there: a sentence instead of an empty grid."""
    unpriced = inform.spend_matrix(inform.filter_scope(costs, model="in-house"), "model", "team")
    empty = inform.spend_matrix(costs.head(0), "model", "team")

    assert "No cost by model and team" == parts(report.plot_spend_matrix(unpriced))["title"]
    assert "No spend by model and team" == parts(report.plot_spend_matrix(empty))["title"]


def test_prompt_parts_are_shares_of_the_input(usage, parts):
    """Retrieved context is 400 of 1,000 input tokens; the rest is not itemised."""
    figure = report.plot_prompt_composition(inform.prompt_composition(usage))

    assert "Retrieved context is 40% of the input tokens" == parts(figure)["title"]
    assert ["retrieved context", "not itemised"] == parts(figure)["names"]


def test_prompts_nobody_itemises_are_words(usage, parts):
    """Without prompt parts the figure says which data is missing."""
    figure = report.plot_prompt_composition(inform.prompt_composition(usage.drop(columns="retrieved_tokens")))

    assert "What the input tokens carry is not known" == parts(figure)["title"]
    assert "No source says" in parts(figure)["subtitle"]
