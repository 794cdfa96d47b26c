"""Model figures: what is served for the money, by token class and model."""

from __future__ import annotations

import numpy as np
import pandas as pd

from finops_lib.report.axis_units import money_axis
from finops_lib.report.bars import UNATTRIBUTED, bar_height, draw_bars, highlight, listing, of_period, paired_bars
from finops_lib.report.chart import Chart, describe, new_chart, words_only
from finops_lib.report.text import count, share, two_lines, unit_price, words


def plot_token_classes(classes: pd.DataFrame, *, period: str = "") -> Chart:
    """Draw what each token class weighs against what it costs.

    Parameters
    ----------
    classes : DataFrame
        One row per token class: ``token_class``, ``share_of_tokens``, ``share_of_cost``,
        ``usd_per_million``.
    period : str
        Month ``YYYY-MM``, for the subtitle.

    Returns
    -------
    Figure
        Two bars a class: share of tokens and share of cost.
    """
    if classes.empty:
        return words_only(f"No tokens{of_period(period)}", "There is no traffic in this scope.")
    names = [words(name) for name in classes["token_class"]]
    weights, costs = _shares(classes["share_of_tokens"]), _shares(classes["share_of_cost"])
    if np.isnan(costs).all():
        title = "What each token class costs is not known: nothing has a price"
    else:
        gap = np.nan_to_num(costs - np.nan_to_num(weights))
        top = int(np.argmax(gap)) if gap.max() > 0 else int(np.nanargmax(costs))
        verb = "are" if classes["token_class"].iloc[top] == "web_search" else "is"
        weight = f"{share(weights[top])} of the tokens and " if not np.isnan(weights[top]) else ""
        name = "Web searches" if verb == "are" else names[top].capitalize()
        title = f"{name} {verb} {weight}{share(costs[top])} of the cost"
    notes = ["" if pd.isna(price) else f"{unit_price(price)} per million" for price in classes["usd_per_million"]]
    figure = paired_bars(
        title,
        [f"{name}\n{note}" if note else name for name, note in zip(names, notes, strict=True)],
        {"share of tokens": weights, "share of cost": costs},
        f"Billed tokens and contracted cost by token class{of_period(period)}",
    )
    return describe(figure, "Paired horizontal bars by token class. " + _pair_list(names, "tokens", weights, costs))


def plot_model_mix(mix: pd.DataFrame, *, period: str = "", top: int = 10) -> Chart:
    """Draw each model's share of the traffic against its share of the cost.

    Parameters
    ----------
    mix : DataFrame
        One row per model, or model and route, costliest first: those names, ``share_of_requests``,
        ``share_of_cost``, ``cost_per_request``.
    period : str
        Month ``YYYY-MM``, for the subtitle.
    top : int
        Rows to draw; the subtitle says how many are left out.

    Returns
    -------
    Figure
        Two bars a row: share of requests and share of cost.
    """
    if mix.empty:
        return words_only(f"No model was called{of_period(period)}", "There is no traffic in this scope.")
    keys = [name for name in mix.columns[: list(mix.columns).index("requests")]]
    shown = mix.head(top)
    names = [" · ".join(str(value) for value in row) for row in shown[keys].itertuples(index=False)]
    traffic, costs = _shares(shown["share_of_requests"]), _shares(shown["share_of_cost"])
    if np.isnan(costs).all():
        title = "What each model costs is not known: nothing has a price"
    elif np.isnan(traffic).all():
        title = f"{names[0]} makes {share(costs[0])} of the cost; the sources count no requests"
    else:
        gap = np.nan_to_num(costs - traffic)  # of rows where both are known
        first = int(np.argmax(gap)) if gap.max() > 0 else int(np.nanargmax(traffic))
        title = (
            f"{names[first]} serves {share(traffic[first])} of the requests and makes {share(costs[first])} of the cost"
        )
    left_out = f"; {len(mix) - top} smaller ones not shown" if len(mix) > top else ""
    notes = ["" if pd.isna(price) else f"{unit_price(price)} a request" for price in shown["cost_per_request"]]
    figure = paired_bars(
        title,
        [f"{two_lines(name)}\n{note}" if note else two_lines(name) for name, note in zip(names, notes, strict=True)],
        {"share of requests": traffic, "share of cost": costs},
        f"Requests and contracted cost by {' and '.join(words(key) for key in keys)}{of_period(period)}{left_out}",
    )
    return describe(figure, "Paired horizontal bars by model. " + _pair_list(names, "requests", traffic, costs))


def plot_cost_per_success(ranked: pd.DataFrame, *, period: str = "") -> Chart:
    """Draw what a successful task costs with each model, or in each workflow.

    Parameters
    ----------
    ranked : DataFrame
        One row per value of its first column (the dimension), costliest first: ``cost_per_successful_task``
        (USD, null without a success), ``success_rate`` (of the ``known_tasks``), ``unknown_tasks`` (that do not say),
        ``success_definition``.
    period : str
        Month ``YYYY-MM``, for the subtitle.

    Returns
    -------
    Figure
        Horizontal bars with price and success rate; words where no task is known.
    """
    dimension, ranked = str(ranked.columns[0]), ranked.reset_index(drop=True)
    known = ranked[ranked["cost_per_successful_task"].notna()]
    if known.empty:
        return words_only(
            f"The cost of a successful task is not known{of_period(period)}",
            "No task with a cost is known to have been resolved, accepted or completed.",
        )
    names = ranked[dimension].astype("object").where(ranked[dimension].notna(), UNATTRIBUTED).astype(str).tolist()
    if set(names) == {UNATTRIBUTED}:
        return words_only(
            f"No task names its {words(dimension)}{of_period(period)}",
            f"What a successful task costs cannot be told apart by {words(dimension)}.",
        )
    prices = ranked["cost_per_successful_task"].astype("float64").to_numpy()
    labels = [
        _success_label(*row)
        for row in zip(prices, ranked["success_rate"], ranked["known_tasks"], ranked["unknown_tasks"], strict=True)
    ]
    # what is paid by the hour or not at all is no price of a task
    paid = known[known["cost_per_successful_task"] > 0] if (known["cost_per_successful_task"] > 0).any() else known
    joined = "with" if dimension == "model" else "in"
    ends = [paid.index[0]] if len(paid) == 1 else [paid.index[0], paid.index[-1]]
    priced = [f"{unit_price(paid.loc[at, 'cost_per_successful_task'])} {joined} {names[at]}" for at in ends]
    title = f"A successful task costs {' and '.join(priced)}"
    definition = ", ".join(sorted({str(text) for text in ranked["success_definition"].dropna()}))
    figure, (axes,) = new_chart(
        title,
        subtitle=f"Cost per successful task by {words(dimension)}{of_period(period)}; successful means "
        f"{definition or 'not said'}",
        height=bar_height(len(names)),
    )
    draw_bars(axes, names, np.nan_to_num(prices), labels, highlight(names, np.nan_to_num(prices)))
    money_axis(axes.xaxis)
    axes.set_xlabel("Cost per successful task (USD)")
    return describe(
        figure, f"Horizontal bars of cost per successful task by {words(dimension)}. {listing(names, labels)}"
    )


def _success_label(price: float, rate: float, known: float, unknown: float) -> str:
    told, silent = [], round(unknown)
    if rate > 0:
        paid = "no price" if np.isnan(price) else unit_price(price) if price else "no cost by the token"
        told.append(f"{paid} · {share(rate)} succeed")
    elif known:
        told.append(f"no success reported for {count(known)} tasks")
    if silent:
        told.append("1 task does not say" if silent == 1 else f"{count(silent)} tasks do not say")
    return "; ".join(told)


def _pair_list(names: list[str], kind: str, first: np.ndarray, second: np.ndarray) -> str:
    values = [f"{share(a)} of {kind}, {share(b)} of cost" for a, b in zip(first, second, strict=True)]
    return listing(names, values)


def _shares(values: pd.Series) -> np.ndarray:
    return values.astype("float64").to_numpy()
