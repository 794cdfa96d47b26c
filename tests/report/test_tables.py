"""Frames as readers see them."""

from __future__ import annotations

import re
from decimal import Decimal

import pandas as pd

from finops_lib import inform, report
from finops_lib.checks import check, checklist

FRAME = pd.DataFrame(
    {
        "model": ["a", "<script>alert(1)</script>"],
        "contracted_cost": [Decimal("1234.5"), None],
        "share": [1.0, float("nan")],
        "cost_per_request": [0.0312345, None],
        "requests": [1234567, 2],
    }
)


def test_numbers_are_written_and_the_frame_is_kept():
    """Money with cents, small prices with digits, nulls in words; the data stays unrounded."""
    table = report.Table(FRAME, "Spend")

    assert ["Model", "Contracted cost (USD)", "Share of cost", "Cost per request (USD)", "Requests"] == table.headings
    assert ["a", "1,234.50", "100.0%", "0.03123", "1,234,567"] == table.rows[0]
    assert ["no price", "–", "–"] == table.rows[1][1:4]
    assert table.frame is FRAME


def test_text_from_the_data_is_escaped():
    """Names, titles, headings and sources cannot become markup."""
    nasty = "<script>x</script>"
    table = report.Table(FRAME.rename(columns={"model": nasty}), nasty, source=nasty)

    assert "<script" not in table.to_html()
    assert 4 == table.to_html().count("&lt;script&gt;")


def test_header_cells_have_a_scope():
    """Screen readers are told which cells head a column and which a row."""
    markup = report.Table(FRAME, "Spend").to_html()

    assert 5 == markup.count('<th scope="col"')
    assert 2 == markup.count('<th scope="row"')
    assert 7 == len(re.findall(r"<th\b", markup))
    assert "<caption>Spend</caption>" in markup
    assert 'class="data row0 col1 number"' in markup


def test_equal_tables_are_equal_bytes():
    """No random ids: a page made twice is the same page."""
    assert report.Table(FRAME, "Spend").to_html() == report.Table(FRAME.copy(), "Spend").to_html()


def test_the_text_form_is_aligned():
    """Without HTML there is still a table, numbers to the right."""
    lines = report.Table(FRAME.head(1), "Spend", source="ledger").to_text().split("\n")

    assert "Spend" == lines[0]
    assert len(lines[1]) == len(lines[2])
    assert "Source: ledger" == lines[3]


def test_columns_are_chosen_and_relabelled():
    """A notebook shows some columns and heads them its own way."""
    labels = {"requests": report.Label("Calls", "k", lambda value: f"{value / 1000:.0f}", is_number=True)}
    table = report.Table(FRAME, "Spend", labels=labels, columns=["requests", "model"])

    assert ["Calls (k)", "Model"] == table.headings
    assert "1235" == table.rows[0][0]


def test_empty_frames_are_tables(costs):
    """No rows: headings and a word for it, in both forms."""
    table = report.Table(inform.spend_by(costs.head(0), "model"), "Spend", empty="Nothing <here>.")

    assert "(Nothing <here>.)" in table.to_text()
    assert '<th scope="col"' in table.to_html()
    assert '<td class="none" colspan="12">Nothing &lt;here&gt;.</td>' in table.to_html()


def test_same_headings_do_not_mix_columns():
    """Two columns that read the same keep their own cells."""
    table = report.Table(pd.DataFrame({"share": [0.1], "share_of_cost": [0.2]}), "Shares")

    assert ["Share of cost"] * 2 == table.headings
    assert [["10.0%", "20.0%"]] == table.rows


def test_verdicts_are_words():
    """Pass and FAIL are read, not seen; what nobody could work out is neither."""
    checks = checklist(
        [
            check("attribution_coverage", 0.97, ">=", 0.95, unit="share", comment="spend <named>"),
            check("forecast_vs_budget", 4310.0, "<=", 4000.0, unit="USD/month"),
            check("days_covered", None, ">=", 30, unit="days"),
            check("reader_warnings", 1, "<=", 0, unit="sources"),
        ]
    )
    table = report.decision_table(checks, "Decision", source="ledger")

    assert [
        ["Attribution coverage", "97.0%", "at least 95.0%", "pass", "spend <named>"],
        ["Forecast vs budget", "USD 4,310.00 a month", "at most USD 4,000.00 a month", "FAIL", "–"],
        ["Days covered", "not known", "at least 30 days", "not known", "not known: the data does not hold it"],
        ["Reader warnings", "1 source", "at most 0 sources", "FAIL", "–"],
    ] == [[cell or "–" for cell in row] for row in table.rows]
    assert table.frame is checks
    assert "spend &lt;named&gt;" in table.to_html()
    assert "at least 95.0%" in table.to_html()


def test_money_that_adds_up_has_a_total():
    """4 + 2 + 0.75 = 6.75; rows beyond those shown are one, unless there is only one of them."""
    frame = pd.DataFrame({"rule": list("abcd"), "billed_cost": [Decimal(4), Decimal(2), Decimal("0.75"), None]})
    table = report.Table(frame, "Parts", rows=2, totals=["billed_cost"])
    whole = report.Table(frame.head(3), "Parts", rows=2, totals=["billed_cost"])

    assert [["a", "4.00"], ["b", "2.00"], ["everything else (2)", "0.75"], ["Total", "6.75"]] == table.rows
    assert ["a", "b", "c", "Total"] == [row[0] for row in whole.rows]
    assert table.frame is frame
    assert 'class="data row3 col1 number total"' in table.to_html()
    assert '<th scope="row" class="data row3 col0 total"' in table.to_html()


def test_one_row_and_no_row_need_no_total():
    """A sum of one is that one."""
    frame = pd.DataFrame({"rule": ["a"], "billed_cost": [Decimal(4)]})

    assert [["a", "4.00"]] == report.Table(frame, "Parts", totals=["billed_cost"]).rows
    assert [] == report.Table(frame.head(0), "Parts", totals=["billed_cost"]).rows
