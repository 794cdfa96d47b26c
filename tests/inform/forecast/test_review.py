"""What the forecast by driver has been worth, and what it means for budgets."""

from __future__ import annotations

from datetime import date

import pandas as pd
import pytest

from finops_lib.inform import accuracy_by_method, against_budget, backtest_cost, headline_projection, outlook_checks

_END = pd.Timestamp("2026-10-31")


def projection():
    """A month projected at 120, between 110 and 140, and a year at 900, between 800 and 1,000."""
    year = pd.Timestamp("2026-12-31")
    rows = [("month", _END, 120.0, 110.0, 140.0), ("next_month", year, 0, 0, 0), ("next_quarter", year, 330.0, 0, 0)]
    rows.append(("year", year, 900.0, 800.0, 1_000.0))
    return pd.DataFrame(rows, columns=["period", "last_day", "projected", "lower_80", "upper_80"])


def budgets(about, *rows):
    """States of budgets from (period, last day, allowed)."""
    return pd.DataFrame(
        [(about, about, period, pd.Timestamp(last), allowed) for period, last, allowed in rows],
        columns=["budget", "about", "period", "last_day", "allowed"],
    )


@pytest.mark.parametrize(
    ("allowed", "words"),
    [
        (100, "over in 9 of 10 cases"),
        (115, "likely over"),
        (130, "within, though not safely"),
        (140, "within in 9 of 10 cases"),
    ],
)
def test_outlook_follows_the_range(allowed, words):
    """Below the range it is over, above it within, and in between the middle decides."""
    outlook = against_budget(projection(), budgets("assistant bot", ("month", _END, allowed)), "bot")

    assert (words, 120.0 - allowed) == (outlook["outlook"].iloc[0], outlook["over"].iloc[0])
    assert ["no budget"] * 3 == outlook["outlook"].tolist()[1:]


def test_only_budgets_about_the_whole_scope_count():
    """A department's budget says nothing about the organisation, and an assistant's nothing about another."""
    months = ("month", _END, 50)

    assert against_budget(projection(), budgets("department cx", months))["allowed"].isna().all()
    assert against_budget(projection(), budgets("assistant bot", months), "other")["allowed"].isna().all()
    assert 50 == against_budget(projection(), budgets("everything", months))["allowed"].iloc[0]


def test_checks_of_the_outlook():
    """120 of 100 fails, 900 of 1,000 passes, a model without a price fails."""
    outlook = against_budget(projection(), budgets("everything", ("month", _END, 100), ("year", "2026-12-31", 1_000)))
    checks = outlook_checks(outlook, pd.DataFrame({"model": ["own"], "tokens_per_day": [5.0]}))

    assert [False, True, False] == checks["passed"].tolist()
    assert [1.2, 0.9, 1.0] == checks["statistic"].tolist()


def test_headline_numbers():
    """The numbers others ask for, and none without a forecast."""
    found = headline_projection(against_budget(projection(), budgets("everything")))

    assert {"month_end": 120.0, "next_quarter": 330.0, "year_end": 900.0}.items() <= found.items()
    assert {None} == set(headline_projection(against_budget(projection().head(0), budgets("everything"))).values())


def test_a_short_or_empty_history_has_no_windows(costs, usage):
    """Four days cannot be split into a past and a window."""
    for as_of in (date(2026, 9, 4), None):
        windows = backtest_cost(costs, usage, as_of)

        assert (0, 0) == (len(windows), len(accuracy_by_method(windows)))


def test_a_steady_past_is_forecast_by_both_methods(make_ledger, make_usage, steady_panel):
    """60 equal days of 1 USD: one window of 30 days, no error by either method."""
    when = [f"{day:%Y-%m-%d}" for day in pd.date_range(end="2026-09-30", periods=60)]
    ledger = make_ledger([(day, "output", 1_000_000, 1, {"model": "m"}) for day in when])
    usage = make_usage([(day, 10, {"model": "m"}) for day in when])
    windows = backtest_cost(ledger, usage, date(2026, 9, 30), origins=1)
    found = accuracy_by_method(windows).set_index("method")

    assert ["by driver", "total alone"] == found.index.tolist()
    assert (found["wape"] < 0.02).all()
    assert [1.0, 1.0] == found["within_10_percent"].tolist()
