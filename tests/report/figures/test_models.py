"""What is served for the money, drawn."""

from __future__ import annotations

import pandas as pd

from finops_lib import inform, report


def test_token_classes_set_weight_against_cost(costs, parts, inside):
    """Priced output is 1/11 of the priced tokens and 0.4 of 1.4 of the cost; unpriced tokens weigh too."""
    figure = report.plot_token_classes(inform.token_classes(costs), period="2026-09")
    found = parts(figure)

    assert "Output is 9.1% of the tokens and 29% of the cost" == found["title"]
    assert 4 == found["bars"]
    assert ["uncached input\nUSD 1.13 per million", "output\nUSD 4.50 per million"] == found["names"]
    assert ["share of tokens", "share of cost"] == [text.get_text() for text in figure.legends[0].get_texts()]
    assert [] == inside(figure)


def test_model_mix_sets_traffic_against_cost(costs, usage, parts):
    """Large serves a third of the calls and makes 8/9 of the cost."""
    found = parts(report.plot_model_mix(inform.model_mix(costs, usage)))

    assert "large serves 33% of the requests and makes 89% of the cost" == found["title"]
    assert 6 == found["bars"]
    assert ["33.3%", "33.3%", "33.3%", "88.9%", "11.1%", "not known"] == found["labels"]


def test_model_mix_by_route_names_both(costs, usage, parts):
    """A row is a model on a route."""
    found = parts(report.plot_model_mix(inform.model_mix(costs, usage, by=("model", "route"))))

    assert found["names"][0].startswith("large · premium")


def test_model_mix_counts_what_it_leaves_out(costs, usage, parts):
    """More models than fit are counted in the subtitle."""
    found = parts(report.plot_model_mix(inform.model_mix(costs, usage), top=1))

    assert found["subtitle"].endswith("2 smaller ones not shown")


def test_missing_halves_are_said(costs, usage, parts):
    """No requests, no prices, no traffic: the title says which."""
    unpriced = inform.filter_scope(costs, model="in-house"), inform.filter_scope(usage, model="in-house")
    titles = [
        parts(report.plot_model_mix(inform.model_mix(*frames)))["title"]
        for frames in ((costs, usage.head(0)), unpriced, (costs.head(0), usage.head(0)))
    ]

    assert [
        "large makes 89% of the cost; the sources count no requests",
        "What each model costs is not known: nothing has a price",
        "No model was called",
    ] == titles
    assert "No tokens" == parts(report.plot_token_classes(inform.token_classes(costs.head(0))))["title"]


TASKS = pd.DataFrame(
    {
        "model": ["cheap", "dear", "useless"],
        "tasks": [100.0, 50.0, 4.0],
        "successful_tasks": [80.0, 45.0, 0.0],
        "cost": [8.0, 90.0, 2.0],
        "cost_of_successful_tasks": [6.0, 81.0, 0.0],
        "known_tasks": [100.0, 50.0, 4.0],
        "known_cost": [8.0, 90.0, 2.0],
        "success_definition": ["resolved"] * 3,
    }
)


def test_success_has_its_price(parts):
    """Dearest and cheapest are in the title, what counts as success in the subtitle."""
    found = parts(report.plot_cost_per_success(inform.cost_per_successful_task(TASKS)))

    assert "A successful task costs USD 2.00 with dear and USD 0.10 with cheap" == found["title"]
    assert found["subtitle"].endswith("successful means resolved")
    assert "no success reported for 4 tasks" == found["labels"][2]


def test_tasks_that_do_not_say_stand_beside_the_rate(parts):
    """80 of the 90 that say so succeed, ten do not say; of the last model none does."""
    unsaid = TASKS.assign(known_tasks=[90.0, 50.0, 0.0], known_cost=[7.2, 90.0, None])
    labels = parts(report.plot_cost_per_success(inform.cost_per_successful_task(unsaid)))["labels"]

    assert ["USD 2.00 · 90% succeed", "USD 0.09 · 89% succeed; 10 tasks do not say"] == labels[:2]
    assert "4 tasks do not say" == labels[2]


def test_one_task_that_does_not_say_and_a_success_without_a_price(parts):
    """Successes of a model whose price is not known are no missing successes."""
    odd = TASKS.head(2).assign(known_tasks=[99.0, 50.0], known_cost=[None, 90.0])
    labels = parts(report.plot_cost_per_success(inform.cost_per_successful_task(odd)))["labels"]

    assert "no price · 81% succeed; 1 task does not say" == labels[1]


def test_what_is_paid_by_the_hour_is_no_cheapest_task(parts):
    """A model without a price by the token is drawn, but the title compares what has one."""
    nothing = dict.fromkeys(["cost", "cost_of_successful_tasks", "known_cost"], 0.0)
    free = pd.concat([TASKS, TASKS.head(1).assign(model="by the hour", **nothing)])
    found = parts(report.plot_cost_per_success(inform.cost_per_successful_task(free)))

    assert "A successful task costs USD 2.00 with dear and USD 0.10 with cheap" == found["title"]
    assert "no cost by the token · 80% succeed" == found["labels"][2]


def test_success_is_priced_by_workflow_too(parts, inside):
    """A task without a workflow stays visible; where no task has one, a sentence says so."""
    uses = TASKS.rename(columns={"model": "workflow"}).assign(workflow=["summary", None, "search"])
    figure = report.plot_cost_per_success(inform.cost_per_successful_task(uses), period="2026-09")
    nobody = report.plot_cost_per_success(inform.cost_per_successful_task(uses.assign(workflow=None)))

    assert "A successful task costs USD 2.00 in unattributed and USD 0.10 in summary" == parts(figure)["title"]
    assert [] == inside(figure)
    assert "No task names its workflow" == parts(nobody)["title"]


def test_long_model_names_are_read_whole(costs, usage, parts, inside):
    """A name of 47 characters takes two lines and loses none."""
    name = "global.anthropic.claude-haiku-4-5-20251001-v1:0"
    renamed = [frame.assign(model=frame["model"].replace("large", name)) for frame in (costs, usage)]
    figure = report.plot_model_mix(inform.model_mix(*renamed))

    assert name == parts(figure)["names"][0].rsplit("\n", 1)[0].replace("\n", "")
    assert [] == inside(figure)


def test_without_tasks_success_has_no_price(parts):
    """No outcomes given: a sentence, not an empty chart."""
    figure = report.plot_cost_per_success(inform.cost_per_successful_task(TASKS.head(0)))

    assert "The cost of a successful task is not known" == parts(figure)["title"]
