"""Numbers and names as readers see them."""

from __future__ import annotations

from decimal import Decimal

import pytest

from finops_lib.report import text


@pytest.mark.parametrize(
    ("amount", "expected"),
    [
        (Decimal("1234567.895"), "USD 1,234,567.90"),
        (0, "USD 0.00"),
        (Decimal("0E-15"), "USD 0.00"),
        (Decimal("-12.345"), "USD -12.35"),
        (0.0000123, "USD 0.000012"),
        (None, "not known"),
        (float("nan"), "not known"),
        (float("inf"), "not known"),
    ],
)
def test_money(amount, expected):
    """Cents with thousands separators; tiny amounts are not rounded to nothing."""
    assert expected == text.usd(amount)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0, "0%"),
        (0.00001, "<0.1%"),
        (0.005, "0.5%"),
        (0.0996, "10%"),
        (0.125, "13%"),
        (0.995, "99.5%"),
        (0.99999, ">99.9%"),
        (1, "100%"),
        (12.5, "1,250%"),
        (-0.25, "-25%"),
    ],
)
def test_shares_never_round_to_none_or_all(value, expected):
    """A little is not nothing and nearly all is not all."""
    assert expected == text.share(value)


def test_changes_carry_their_sign():
    """A change is written with plus or minus, no change without."""
    assert ["+12%", "-3.4%", "0%"] == [text.share(value, signed=True) for value in (0.12, -0.034, 0)]


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (0, "0"),
        (999, "999"),
        (1000, "1k"),
        (12_345, "12.3k"),
        (999_949, "1M"),
        (5_040_000_000, "5.04B"),
        (-2500, "-2.5k"),
    ],
)
def test_compact_counts(number, expected):
    """Three significant digits with k, M, B."""
    assert expected == text.count(number, compact=True)


def test_names_in_markdown_do_nothing():
    """A name from the data is shown, not acted on."""
    assert r"&lt;script&gt;\[x\]\(y\) \$a\$ \*b\*" == text.escape_markdown("<script>[x](y) $a$\n*b*")


def test_long_names_keep_both_ends():
    """Versions at the end of a name survive the cut."""
    short = text.shorten("provider-family-model-with-a-long-name-20260131", 20)

    assert 20 == len(short)
    assert short.endswith("20260131")
