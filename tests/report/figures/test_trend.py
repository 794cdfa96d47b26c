"""How cost moves from day to day, drawn."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.dates import date2num

from finops_lib import inform, report


def test_daily_cost_says_where_it_stands(costs, usage, parts, inside):
    """Cost a day went from 15 to 19 calls a pair in four weeks."""
    figure = report.plot_daily_cost(inform.daily_trend(costs, usage))
    found = parts(figure)

    # 19 calls x 3 teams x (0.0028 + 0.00035) USD
    assert "Cost averages USD 0.18 a day over the last 7 days, 27% more than four weeks earlier" == found["title"]
    assert "Contracted cost (USD a day)" == found["ylabel"]
    assert 70 == found["bars"]
    assert ["7-day average\nUSD 0.18"] == found["labels"]
    assert 0 == figure.axes[0].get_ylim()[0]
    assert [] == inside(figure)


def test_few_days_have_no_average(costs, usage, parts, inside):
    """Two days and one day are drawn as they are."""
    for days in (2, 1):
        daily = inform.daily_trend(costs.head(18 * days), usage.head(9 * days))
        figure = report.plot_daily_cost(daily)

        assert parts(figure)["title"].startswith("Cost was highest on 6 July 2026: USD")
        assert days == parts(figure)["bars"]
        assert [] == inside(figure)


def test_layers_are_named_at_their_end(costs, parts, inside):
    """Each value has its label; the one without any price takes no room."""
    figure = report.plot_daily_spend(inform.daily_spend(costs))
    found = parts(figure)

    assert ["large USD 0.16", "small USD 0.02"] == found["labels"]
    assert found["title"].startswith("large moved most: USD 0.03 a day more than four weeks earlier")
    assert [] == inside(figure)


def test_a_short_time_is_stacked_bars(costs, parts):
    """Under a window's length there are bars, two layers by three days."""
    figure = report.plot_daily_spend(inform.daily_spend(costs.head(54)))

    assert 6 == parts(figure)["bars"]
    assert parts(figure)["subtitle"].endswith("by day")


def test_unit_costs_have_a_panel_each(costs, usage, parts, inside):
    """Cost and tokens a request do not change here; one panel more appears with tasks."""
    daily = inform.daily_trend(costs, usage)
    figure = report.plot_unit_costs(daily)
    tasks = daily[["charge_period_start"]].assign(tasks=daily["requests"].astype("float64") / 2)
    with_tasks = report.plot_unit_costs(inform.daily_trend(costs, usage, tasks=tasks))

    assert ["Cost per request (USD)", "Tokens per request", "Billed tokens a day"] == [
        axes.get_ylabel() for axes in figure.axes
    ]
    assert "Cost per request is unchanged; tokens per request is unchanged in four weeks" == parts(figure)["title"]
    assert "Cost per task (USD)" == with_tasks.axes[2].get_ylabel()
    assert [] == inside(with_tasks)


@pytest.mark.parametrize("rows", [0, 18])
def test_nothing_known_is_words(costs, usage, parts, rows):
    """Empty, or all without a price: every figure says so."""
    few = inform.filter_scope(costs.head(rows), model="in-house")
    daily = inform.daily_trend(few, usage.head(0))

    assert "The cost per day is not known" == parts(report.plot_daily_cost(daily))["title"]
    assert "Cost and tokens per request are not known" == parts(report.plot_unit_costs(daily))["title"]
    by_model = report.plot_daily_spend(inform.daily_spend(few))
    assert "The cost per day by model is not known" == parts(by_model)["title"]


def test_credits_are_drawn_as_lines(costs, parts):
    """A negative layer cannot be stacked."""
    daily = inform.daily_spend(costs)
    daily["contracted_cost_average"] = daily["contracted_cost_average"].where(daily["model"] != "small", -1.0)
    figure = report.plot_daily_spend(daily)

    assert 2 == len(figure.axes[0].lines)
    assert "small USD -1.00" in parts(figure)["labels"]


def test_what_is_not_known_is_a_gap_and_no_zero(costs, parts):
    """Beside a credit of 1.00 a day, the six days before the first average of the other model have no line."""
    daily = inform.daily_spend(costs)
    daily.loc[daily["model"] == "small", "contracted_cost_average"] = -1.0
    figure = report.plot_daily_spend(daily)
    large = max(figure.axes[0].lines, key=lambda line: line.get_ydata()[-1])

    assert 6 == np.isnan(large.get_ydata()).sum()
    assert "On 6 days a part has no price and is not drawn" in [text.get_text() for text in figure.axes[0].texts]


def test_an_average_begins_when_its_window_is_full(costs, parts, inside):
    """With 14 days to the average the first day drawn is the 14th, and none of it stands at zero."""
    daily = inform.daily_spend(costs, window_days=14)
    figure = report.plot_daily_spend(daily, window_days=14)
    first = figure.axes[0].collections[0].get_paths()[0].vertices[:, 0].min()

    assert "Contracted cost by model, 14-day average" == parts(figure)["subtitle"]
    assert date2num(daily["charge_period_start"].unique()[13]) == first
    # a caller who names another window loses no day and sees no zero either
    other = report.plot_daily_spend(daily)
    assert first == other.axes[0].collections[0].get_paths()[0].vertices[:, 0].min()
    assert [] == inside(figure)
