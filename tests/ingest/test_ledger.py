"""A ledger is opened for one assistant or all, up to a month; nobody's clock is read."""

from __future__ import annotations

import stat
from datetime import date
from decimal import Decimal

import pytest

from finops_lib.errors import ParamsError
from finops_lib.ingest import open_ledger, pseudonym_key, request_cost_quantiles, rows_read
from finops_lib.schema import LEDGER, USAGE, names

NOON = "2026-09-10T12:00:00Z"


@pytest.mark.parametrize(
    ("zone", "last", "as_of", "latest"),
    [
        ("UTC", "2026-10-01T19:59:59Z", date(2026, 9, 30), "2026-09"),
        ("UTC", "2026-10-01T20:00:00Z", date(2026, 10, 1), "2026-10"),
        ("Europe/Berlin", "2026-10-01T17:59:59Z", date(2026, 9, 30), "2026-09"),
        ("Europe/Berlin", "2026-10-01T18:00:00Z", date(2026, 10, 1), "2026-10"),
        ("America/New_York", "2026-10-02T00:30:00Z", date(2026, 10, 1), "2026-10"),
        ("Asia/Kolkata", "2026-10-01T14:29:00Z", date(2026, 9, 30), "2026-09"),
    ],
)
def test_latest_is_the_month_of_the_last_complete_day(bench, zone, last, as_of, latest):
    """A day counts as complete when calls are seen in its last four hours, in the reporting zone."""
    bench.organisation["time_zone"] = zone

    ledger = bench.lay([bench.call(1, "2026-09-15T12:00:00Z"), bench.call(2, last)])

    assert (as_of, latest) == (ledger.as_of, ledger.period)
    assert ("2026-09", "2026-10") == ledger.months


def test_a_first_day_still_running_is_better_than_nothing(bench):
    """With calls of one morning only, its month is the latest."""
    ledger = bench.lay([bench.call(1, "2026-10-01T08:00:00Z")])

    assert ("2026-10", date(2026, 9, 30)) == (ledger.period, ledger.as_of)


def test_apostrophes_in_names_and_paths_are_read_as_they_stand(bench):
    """From the file to the ledger and to what is asked of the calls."""
    bench.folder = bench.folder / "o'brien's"
    bench.organisation["teams"] = {"d'arc": {}}
    rows = [bench.call(n, NOON, assistant="o'brien-bot", team="d'arc", workflow="it's") for n in (1, 2)]
    bench.build([*rows, bench.call(3, NOON, assistant="other")], "calls'.jsonl", defaults={"workflow": "what's left"})

    ledger = open_ledger(bench.params().model_copy(update={"assistant": "o'brien-bot"}))

    assert [("o'brien-bot", "d'arc", "it's", 2)] == list(
        ledger.usage[["assistant", "team", "workflow", "request_count"]].itertuples(index=False, name=None)
    )
    assert [0.0045] == request_cost_quantiles(ledger)["p50"].round(9).tolist()
    assert [3] == rows_read(ledger.params)["requests"].tolist()


def test_months_up_to_the_period_are_loaded(bench):
    """What comes later is not known yet; ``month`` cuts the period out."""
    rows = [bench.call(n, f"2026-{month}-10T12:00:00Z") for n, month in enumerate(("07", "08", "09"))]
    bench.lay(rows)

    ledger = bench.ledger(period="2026-08")

    assert [date(2026, 7, 10), date(2026, 8, 10)] == sorted(set(ledger.costs["charge_period_start"]))
    assert {date(2026, 8, 10)} == set(ledger.month(ledger.costs)["charge_period_start"])
    assert ["2026-08", "all", "2026-07"] == ledger.period_choices
    assert Decimal("0.0045") == bench.total(ledger.month(ledger.costs)["contracted_cost"])


def test_a_month_that_is_not_held_is_refused(bench):
    """The months there are stand in the hint."""
    bench.lay([bench.call(1, "2026-09-10T12:00:00Z")])

    with pytest.raises(ParamsError, match=r"the ledger holds no 2026-11\nHint: it holds 2026-09"):
        open_ledger(bench.params(period="2026-11"))


@pytest.mark.parametrize(("period", "expected"), [("latest", ""), ("2026-09", "2026-09")])
def test_an_empty_workspace_opens_empty(bench, period, expected):
    """Every column is there, no row, nothing is made up."""
    ledger = bench.ledger(period=period)

    assert (expected, None, ()) == (ledger.period, ledger.as_of, ledger.months)
    assert (0, names(LEDGER)) == (len(ledger.costs), list(ledger.costs.columns))
    assert (0, names(USAGE)) == (len(ledger.usage), list(ledger.usage.columns))
    assert 0 == len(ledger.month(ledger.costs))
    assert ["all"] == ledger.choices("team")


def test_an_assistant_sees_its_own_rows(bench):
    """By name and by the other names its file lists; others' calls set what the last complete day is."""
    bench.assistants = {"bot": {"match": ["Helper Bot"]}, "desk": {}}
    rows = [
        bench.call(1, "2026-09-10T12:00:00Z", assistant="bot"),
        bench.call(2, "2026-09-11T12:00:00Z", assistant="helper bot"),
        bench.call(3, "2026-10-12T22:00:00Z", assistant="desk"),
        bench.call(4, "2026-10-12T22:00:00Z"),
    ]
    bench.build(rows)

    ledger = bench.ledger("bot", period="2026-09")

    assert {"bot"} == set(ledger.costs["assistant"])
    assert (Decimal("0.009"), date(2026, 10, 12)) == (bench.total(ledger.costs["contracted_cost"]), ledger.as_of)
    assert {date(2026, 9, 10), date(2026, 9, 11)} == set(bench.ledger("bot").costs["charge_period_start"])
    everyone = bench.ledger()
    assert ["all", "bot", "desk"] == everyone.choices("assistant")
    assert Decimal("0.018") == bench.total(everyone.costs["contracted_cost"])


def test_files_are_named_relative_to_the_project(bench):
    """Pages name no machine's folders."""
    ledger = bench.lay([bench.call(1, "2026-09-10T12:00:00Z")])

    expected = ["outputs/workspace/ledger/2026-09.parquet", "outputs/workspace/usage/2026-09.parquet"]
    assert expected == ledger.files


def test_the_key_of_pseudonyms_is_made_once_and_kept_private(bench, monkeypatch):
    """Readable by its owner only, in the workspace; the environment's key wins."""
    params = bench.params()
    params.workspace.mkdir(parents=True)
    monkeypatch.delenv("FINOPS_PSEUDONYM_KEY", raising=False)

    made = pseudonym_key(params)

    assert made == pseudonym_key(params)
    assert 64 == len(made)
    assert "0o600" == oct(stat.S_IMODE((params.workspace / ".pseudonym_key").stat().st_mode))
    monkeypatch.setenv("FINOPS_PSEUDONYM_KEY", "ours")
    assert b"ours" == pseudonym_key(params)
    monkeypatch.setenv("OTHER_KEY", "theirs")
    bench.organisation["pseudonym_key_variable"] = "OTHER_KEY"
    assert b"theirs" == pseudonym_key(bench.params())


def test_frames_hold_money_exactly(bench):
    """Costs come as decimals of 15 places, sums of them without rounding."""
    costs = bench.lay([bench.call(n, "2026-09-10T12:00:00Z", input_tokens=n + 1) for n in range(3)]).costs

    assert "decimal128(38, 15)[pyarrow]" == str(costs["contracted_cost"].dtype)
    # (1 + 2 + 3) × 3 and 300 × 15 a million
    assert Decimal("0.004518") == costs["contracted_cost"].sum()
